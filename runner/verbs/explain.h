/* The plan of a pod, told: for people and for tools. Both tell the same. */
#ifndef RUNNER_EXPLAIN_H
#define RUNNER_EXPLAIN_H

#include <json-c/json.h>
#include <stdio.h>

#include "runner/plan/plan.h"

/* A plan, and what is said beside it. */
struct explanation {
	const struct plan *plan;
	struct findings *findings; /* of each container's seccomp profile, in the order of plan->items */
};

/* What a container may be told to have: its own choice, or the pod's. */
const struct profile_choice *explain_seccomp_choice(const struct explanation *explanation, size_t index);
const struct profile_choice *explain_apparmor_choice(const struct explanation *explanation, size_t index);

/* The names of the namespaces of each kind, NULL-terminated: those a container gets anew, shares in its pod, shares with the host. */
struct namespaces_told {
	const char *own[8], *pod[8], *host[8];
};
void explain_namespaces(const struct pod *pod, struct namespaces_told *told);

/* What stands at the left of each line; nothing for those that go on with the same. */
void explain_label(const char *name, FILE *out);

/* explain_volumes.c */
void explain_volumes(const struct pod *pod, FILE *out);

/* explain_locks.c: of the container at index of plan->items. */
void explain_locks(const struct explanation *explanation, size_t index, FILE *out);

void explain_text(const struct explanation *explanation, FILE *out);
/* The manifest's own findings are the caller's to add. */
struct json_object *explain_json(const struct explanation *explanation);

#endif
