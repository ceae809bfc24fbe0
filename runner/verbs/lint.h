/* What `minirun lint` and `minirun explain` say of profiles, for people and for tools. */
#ifndef RUNNER_LINT_H
#define RUNNER_LINT_H

#include <json-c/json.h>

#include "runner/plan/plan.h"

/*
 * Judges the profile that a container is to have: text as read from path. What loads its program counts where the
 * image is there. Adds to findings what isn't in there yet, sorted.
 */
void lint_profile_of(const struct store *store, const struct planned *item, const char *path,
	const char *text, size_t size, struct findings *findings);

/*
 * lint_apparmor.c: the same of an AppArmor profile called name, in the text of path: what its mounts and its program are counts.
 */
void lint_apparmor_of(const struct pod *pod, const struct store *store, const struct planned *item,
	const char *name, const char *path, const char *text, struct findings *findings);

/* Each finding gets a code: those of the readers are "invalid" and "ignored". */
void lint_complete_codes(struct findings *findings);

/* Adds {"file", "line", "column", "severity", "code", "path", "message", "hint"} for each to an array; what there isn't is left out. */
void lint_add_json(struct json_object *array, const struct findings *findings);

/* Prints a JSON document on standard output; takes it. */
void lint_print_json(struct json_object *json);

#endif
