/* What `minirun learn` asks of a plan: that containers are recorded instead of locked. What is done with it: runner/pod/learning.h. */
#ifndef RUNNER_PLAN_LEARNING_H
#define RUNNER_PLAN_LEARNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct plan;
struct planned;
struct plan_request;

struct learning {
	bool apparmor; /* an AppArmor profile is learned, not a seccomp profile */
	const char *write; /* the file of the profile, or NULL */
	const char *write_dir; /* the folder of profiles, one a container; with neither: standard output */
	const char *base_path; /* of a profile that is completed, or NULL */
	char *base; /* its text */
	size_t base_size;
	char **deny; /* names that are left out, sorted; NULL-terminated */
	int64_t milliseconds; /* after which the pod is ended; 0: never */
};

/* For plan_locks.c: the container's calls are recorded, whatever profile the manifest names. */
int plan_learning(
	struct plan *plan, struct planned *item, const struct plan_request *request, struct error *err);
/* "seccomp recorded, not enforced", for the line that introduces the pod. To be freed. */
char *plan_learning_text(const struct plan *plan, const struct planned *item);

/* What learns system calls, or NULL: where an AppArmor profile is learned the seccomp profile counts as ever. */
static inline const struct learning *learning_of_calls(const struct learning *learning)
{
	return learning && !learning->apparmor ? learning : NULL;
}

/* What such a profile is called: this, the pid of the learner, a dash, the number of the container. */
#define LEARNING_PREFIX "minirun-learn-"

/* For plan_apparmor.c: the container gets a profile in complain mode instead of its own. */
void plan_learning_apparmor(const struct plan *plan, struct planned *item);

#endif
