/* Tools of the profile reader: the path to where it is, complaints with their place, values of a kind. */
#ifndef SECURITY_SECCOMP_READER_H
#define SECURITY_SECCOMP_READER_H

#include "security/seccomp.h"

struct profile_reader {
	struct findings *findings;
	char path[256]; /* "syscalls[3].args[0].": what a key is appended to */
	size_t n_names, n_conditions;
};

/* Appends to the path; returns what leave() takes to go back. */
size_t profile_enter(struct profile_reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
void profile_leave(struct profile_reader *r, size_t mark);

/* An error, or a warning, about a value: leaf ends its path, hint may be NULL. */
void profile_complain(struct profile_reader *r, const struct node *node, const char *leaf, const char *hint,
	const char *format, ...) __attribute__((format(printf, 5, 6)));
void profile_warn(struct profile_reader *r, const struct node *node, const char *leaf, const char *hint,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

/* "did you mean "x"?" into a fresh string, or NULL for NULL. */
char *profile_did_you_mean(const char *nearest);

/* "a" or "an", before the name of a kind. */
static inline const char *profile_article(enum node_kind kind)
{
	return kind == NODE_INTEGER ? "an" : "a";
}

/* Every key of a map must be one of keys. */
void profile_check_keys(struct profile_reader *r, const struct node *map, const char *const *keys, size_t n);

/* An entry of a map if it is there, not null, and of that kind; complains of another kind. */
const struct node *profile_get(
	struct profile_reader *r, const struct node *map, const char *key, enum node_kind kind);

/* A whole number from 0 to max; false if it isn't there, or is no such number, which is complained of. */
bool profile_number(
	struct profile_reader *r, const struct node *map, const char *key, uint64_t max, uint64_t *value);

/* ---- seccomp_condition.c: the parts of an entry that say when it counts ---- */

void profile_args(struct profile_reader *r, const struct node *entry_map, struct seccomp_entry *entry);
void profile_clause(struct profile_reader *r, const struct node *entry_map, const char *key,
	struct seccomp_clause *clause);

#endif
