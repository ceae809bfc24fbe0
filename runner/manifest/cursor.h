/*
 * A cursor: a place in a manifest, with the way that leads to it.
 *
 * The reader of a manifest walks the document with cursors, so that whatever it says about a value carries the field
 * path, the line and the column, in the API server's words (k8s.io/apimachinery/pkg/util/validation/field/errors.go).
 * A cursor lives on the stack and points to its parent's, which must outlive it.
 */
#ifndef RUNNER_CURSOR_H
#define RUNNER_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/document.h"
#include "base/finding.h"

/* What stands for a value that isn't shown, in the API server's words. */
#define SECRET_REDACTED "<secret contents redacted>"

struct cursor {
	const struct cursor *parent; /* NULL at the root */
	const char *key; /* of an entry of a map; NULL for an item of a list */
	bool bracket; /* key is data, not a field: annotations[key] */
	size_t index;
	bool secret; /* the value, and what is below it, isn't shown */
	const struct node *node; /* NULL where there is nothing, or null */
	struct findings *findings;
};

/* The entry of a map, and the item of a list. Both are cursors to nothing if at is one, or is of another kind. */
struct cursor cursor_get(const struct cursor *at, const char *key);
struct cursor cursor_item(const struct cursor *at, size_t index);
/* As cursor_get, for a map whose keys are data. */
struct cursor cursor_entry(const struct cursor *at, size_t index);

/* How many items a list has, and how many entries a map; 0 if it is nothing, or of another kind. */
size_t cursor_items(const struct cursor *at);
size_t cursor_entries(const struct cursor *at);

/* The value, or NULL, false, the value given if there is none of that kind (fields.c reports a wrong type). */
const char *cursor_string(const struct cursor *at);
bool cursor_bool(const struct cursor *at, bool otherwise);
bool cursor_integer(const struct cursor *at, int64_t *value);

/* One of the words a field takes, and what it means. */
struct choice {
	const char *word;
	int value;
};
/* The meaning of the word there; otherwise if there is none or "". A word that isn't in the table is reported. */
int cursor_choice(const struct cursor *at, const struct choice *choices, size_t n, int otherwise);

/* "spec.containers[0].image", printable; the caller frees it. */
char *cursor_path(const struct cursor *at);
/* The value as messages show it: "text" in quotes and cut, numbers as written; the caller frees it. */
char *cursor_value(const struct cursor *at);

/* The findings. A place that has nothing is shown by its nearest parent's. detail may be NULL where it stands alone. */
void cursor_required(const struct cursor *at, const char *detail);
void cursor_duplicate(const struct cursor *at);
/* guess: what was meant, maybe; NULL: nothing is near. */
void cursor_not_found(const struct cursor *at, const char *guess);
void cursor_invalid(const struct cursor *at, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cursor_forbidden(const struct cursor *at, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cursor_unsupported(const struct cursor *at, const struct choice *choices, size_t n);
void cursor_warn(const struct cursor *at, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cursor_add(const struct cursor *at, enum severity severity, const char *hint, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
