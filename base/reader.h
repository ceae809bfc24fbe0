/* What the readers of JSON and YAML share while they build a tree; for base/ only. See base/document.h. */
#ifndef BASE_READER_H
#define BASE_READER_H

#include "base/document.h"

struct reader {
	const char *text;
	size_t size;
	struct findings *findings;
	size_t nodes; /* made so far */
	size_t bytes; /* of the strings in them: aliases could multiply a long one */
	bool single; /* the text is to be one document */
	bool may_be_yaml; /* JSON by its first character only */
	bool is_yaml; /* set by json_read, where it may be: --- stands behind a value; then there is no finding */
};

/* They return a list of the documents, or NULL with at least one finding. */
struct node *json_read(struct reader *reader);
struct node *yaml_read(struct reader *reader);

/* A fresh node at a place. NULL, with a finding, when the document grows beyond its limits. */
struct node *reader_node(struct reader *reader, enum node_kind kind, unsigned int line, unsigned int column);

/* The list that holds the documents; it doesn't count as a value of theirs. */
struct node *reader_list(void);

/* Counts the bytes of a string. Returns -1, with a finding, when there are too many. */
int reader_charge(struct reader *reader, size_t bytes, unsigned int line, unsigned int column);

/* Appends an item to a list or map, which then owns it. */
void node_append(struct node *parent, struct node *item);

/* Reports every key that stands twice in a map; call it when the map is complete. */
void reader_check_keys(struct reader *reader, const struct node *map);

/* A syntax error. Returns NULL, so that a reader can `return reader_fail(...)`. */
void *reader_fail(struct reader *reader, unsigned int line, unsigned int column, const char *hint,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

/*
 * Gives a plain YAML scalar (node->text, of kind NODE_STRING) the kind and value that kubectl's reader sees in it:
 * null, a boolean, an integer, a float or still a string.
 */
void scalar_resolve(struct node *node);

/* Whether a plain scalar is a float that JSON can't hold: .inf, .nan. */
bool scalar_is_unwritable(const char *text);

#endif
