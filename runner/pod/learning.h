/*
 * `minirun learn`, beside what a run does: what is recorded, when the pod is ended, and where the profile goes.
 *
 * The plan gives each container a filter that hands all its calls to us, and a recording (plan_learning.c); denials.c takes the
 * calls; when the pod has ended, the profile is written from the recordings (learning.c).
 */
#ifndef RUNNER_LEARNING_H
#define RUNNER_LEARNING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "runner/report.h"

struct apparmor_record;
struct findings;
struct plan;
struct planned;
struct plan_request;
struct supervisor;

struct learning {
	bool apparmor; /* an AppArmor profile is learned, not a seccomp profile */
	const char *write; /* the file of the profile, or NULL */
	const char *
		write_dir; /* the folder of profiles, one a container, or NULL; with neither: standard output */
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
char *learning_text(const struct plan *plan, const struct planned *item);

/* Why a call is refused while recording: "--deny", "a rule of base.json". To be freed. */
char *learning_rule(const struct learning *learning, const char *call);

/* Says that this is no boundary. */
void learning_announce(const struct plan *plan, struct report *report);

/* For supervise.c: ends the pod when its time is over, if it has one. */
int learning_limit(struct supervisor *supervisor, struct error *err);

/*
 * After the pod's end, whose exit status is given: writes what there is to write, and says so. Returns the exit status of
 * minirun, or a negative number: nothing was recorded, or it can't be written.
 */
int learning_finish(const struct plan *plan, struct report *report, int status, struct error *err);

/* ---- learning_apparmor.c ---- */

/* What learns system calls, or NULL: where an AppArmor profile is learned the seccomp profile counts as ever. */
static inline const struct learning *learning_of_calls(const struct learning *learning)
{
	return learning && !learning->apparmor ? learning : NULL;
}

/* Whether AppArmor profiles can be learned here: root, AppArmor, and the audit's own records. */
int learning_apparmor_check(struct error *err);
/* For plan_apparmor.c: the container gets a profile in complain mode instead of its own. */
void learning_apparmor_plan(const struct plan *plan, struct planned *item);
/* Loads the profiles to learn under; and takes them, and what a learner that was killed left, out of the kernel again. */
int learning_apparmor_load(const struct plan *plan, struct error *err);
void learning_apparmor_unload(const struct plan *plan);
/* For audit_watch.c: notes a record, and returns true, if it is of such a profile. */
bool learning_take_record(const struct plan *plan, const struct apparmor_record *record);
/* As learning_finish. */
int learning_apparmor_finish(const struct plan *plan, struct report *report, int status, struct error *err);

#endif
