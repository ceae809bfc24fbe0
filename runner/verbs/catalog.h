/*
 * The pods that there are, as the commands see them: read from their state folders (status.h), without asking a supervisor.
 *
 * A pod whose supervisor died is shown as what a lost node's is: phase Unknown, and what ran as ContainerStatusUnknown, 137.
 */
#ifndef RUNNER_CATALOG_H
#define RUNNER_CATALOG_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/error.h"
#include "runner/command.h"

struct record {
	char *name;
	struct json_object *pod; /* a v1 Pod */
	struct json_object *events; /* an array of v1 Events */
	struct json_object *denials; /* by container */
	bool alive, background;
};

/*
 * The namespace that a command line means: that of -n, else "default"; NULL with -A: any. The pods of all namespaces are in one
 * folder by their names, so that there is one of a name at most.
 */
const char *catalog_namespace(const struct invocation *invocation);

/* Reads a pod: 0, or a negative number with `pods "x" not found`, also if it is in another namespace. NULL: in any. */
int catalog_read(
	const char *root, const char *namespace, const char *name, struct record *record, struct error *err);

/* The pods of a namespace, or of all, by name; the caller frees each, and the array. */
int catalog_list(
	const char *root, const char *namespace, struct record **records, size_t *n, struct error *err);

/* kubectl's word on stderr where a list is empty: "No resources found in default namespace." */
void catalog_mention_none(const char *namespace);

void record_free(struct record *record);

/* The value at "status.phase" or "status.conditions.0.type" below object; NULL if there is none. */
struct json_object *json_at(struct json_object *object, const char *path);
/* The same as text; "" if there is none. */
const char *text_at(struct json_object *object, const char *path);
/* The same, of the form "2026-11-24T12:00:00Z"; 0 if there is none. */
time_t time_at(struct json_object *object, const char *path);

/* "demo" of "demo", "pod/demo", "pods/demo". */
const char *catalog_pod_of(const char *operand);

/*
 * The pods that a command line names: "demo", "pod demo other", "pod/demo other". *n operands are left; the kind is skipped.
 */
char **catalog_operands(const struct invocation *invocation, int *n);

/* kubectl's word on stderr on which of several containers is taken, the first, where none is named. */
void catalog_mention_default(struct json_object *pod);
/* The hint of an error that a container isn't in the pod: those that are. Returns -1. */
int catalog_hint_containers(struct json_object *pod, struct error *err);

/* How long ago that was, as kubectl prints an age: "34s", "5m12s", "3h". */
char *human_age(time_t then);

#endif
