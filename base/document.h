/*
 * A document: a tree of values, each with its place in the text, read from JSON or YAML.
 *
 * JSON is strict (one value, no comments, no trailing commas, UTF-8): base/json.c walks its brackets, because
 * json-c gives no positions, and json-c decodes its strings and numbers. YAML is read by libfyaml, and its plain
 * scalars mean what they mean to kubectl (YAML 1.1: `yes` is a boolean, 0644 is octal; see base/scalar.c).
 * Whatever reads a file of ours (a manifest, a seccomp profile) walks this tree, so that every complaint can name
 * line and column. A key that stands twice in a map is an error, as is nesting deeper than DOCUMENT_DEPTH, a text
 * larger than DOCUMENT_SIZE, and one of more than DOCUMENT_NODES values once its aliases are expanded.
 *
 * What is wrong is told without what is written there, as far as that may be a password: keys are shown, values aren't.
 */
#ifndef BASE_DOCUMENT_H
#define BASE_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/finding.h"

#define DOCUMENT_DEPTH 64
#define DOCUMENT_SIZE  (4U << 20) /* bytes */
#define DOCUMENT_NODES 100000 /* values: scalars, lists and maps */

enum node_kind {
	NODE_NULL,
	NODE_BOOL,
	NODE_INTEGER,
	NODE_DOUBLE,
	NODE_STRING,
	NODE_LIST,
	NODE_MAP,
};

struct node {
	enum node_kind kind;
	unsigned int line, column; /* of the value's first character, from 1; a column is a character */
	bool boolean;
	int64_t integer;
	double number; /* also set for NODE_INTEGER */
	char *text; /* NODE_STRING: without NUL bytes inside; scalars of other kinds: as written */
	struct node **items; /* NODE_LIST and NODE_MAP, in the order of the text */
	size_t n;
	char *key; /* of an entry of a map, else NULL */
	unsigned int key_line, key_column;
};

enum document_format {
	DOCUMENT_AUTO, /* JSON if the first character that isn't white space is { or [, else YAML */
	DOCUMENT_JSON,
	DOCUMENT_YAML,
};

/*
 * Reads a whole text. What is wrong with it goes to findings (path NULL), and NULL is returned.
 * An empty text or document is an error ("the file is empty").
 */
struct node *document_read(
	const char *text, size_t size, enum document_format format, struct findings *findings);

/*
 * The same for a text of several documents: YAML's, with --- between them, of which empty ones don't count; or JSON values one
 * after the other. Where --- follows a JSON value, the text is YAML, as for kubectl. Returns a list of them, at least one.
 */
struct node *document_read_all(
	const char *text, size_t size, enum document_format format, struct findings *findings);

void node_free(struct node *node);
static inline void cleanup_node_fn(struct node **node)
{
	node_free(*node);
}
#define cleanup_node __attribute__((cleanup(cleanup_node_fn)))

/* The entry of a map with that key, or NULL; NULL too if node is NULL or no map. */
struct node *node_get(const struct node *node, const char *key);

/* "string", "integer", "list", "map", ... for messages. */
const char *node_kind_name(enum node_kind kind);

#endif
