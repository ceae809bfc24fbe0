/* What the files of the writer of profiles share; nobody else includes this. */
#ifndef SECURITY_PROFILE_PARTS_H
#define SECURITY_PROFILE_PARTS_H

#include "base/memory.h"
#include "security/recording.h"

struct json_object;

/* ---- profile_doc.c: lists of names, and JSON ---- */

bool names_have(char *const *names, const char *name);
/* A copy, if it isn't there yet. */
void names_add(struct strv *names, const char *name);
void names_drop(struct strv *names, char *const *without);

/* NULL if it is no JSON. */
struct json_object *doc_parse(const char *text, size_t size);
/* A member's string, "" if there is none. */
const char *doc_text(struct json_object *object, const char *key);
/* A member's array, NULL if there is none. */
struct json_object *doc_list(struct json_object *object, const char *key);
void doc_put_text(struct json_object *object, const char *key, const char *text);
struct json_object *doc_strings(char *const *items);
/* The whole document, with a newline at its end. */
char *doc_print(struct json_object *object);

/* ---- profile_entries.c ---- */

/* The entries that are ours, and the comments by which they are known again. */
enum entry_ours {
	ENTRY_SEEN,
	ENTRY_IMPLIED,
	ENTRY_LEFT_OUT,
	ENTRIES_OURS,
};
extern const char *const entry_comments[ENTRIES_OURS];

bool action_allows(const char *action);
/*
 * The base's entries, the denied names taken out of those that allow, in a fresh list. ours: gets the names of our own entries,
 * which are then not in the list; or NULL.
 */
struct json_object *entries_remaining(
	const struct profile_plan *plan, struct json_object *base, struct strv ours[ENTRIES_OURS]);
/* What denied calls get: what the base's default is, if there is a base and its default refuses; else EPERM. */
struct json_object *entry_denying(struct json_object *base, char *const *names);
struct json_object *entry_allowing(const struct strv *names, const char *comment);

struct json_object *arches_all(void);
/* Adds the machine's own architecture, and those that were seen. */
void arches_add(const struct profile_plan *plan, struct json_object *profile);

/* ---- recorded_names.c ---- */

struct recorded_names {
	struct strv seen, missing, nameless; /* sorted, but for missing */
};
void recorded_names(const struct profile_plan *plan, struct recorded_names *names);
/* What a program needs whether it was seen or not, and is neither denied nor allowed by the base. */
void recorded_implied(const struct profile_plan *plan, char *const *denied, struct strv *implied);

#endif
