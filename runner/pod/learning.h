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
#include "runner/plan/learning.h"
#include "runner/report.h"

struct apparmor_record;
struct findings;
struct plan;
struct supervisor;

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

/* Whether AppArmor profiles can be learned here: root, AppArmor, and the audit's own records. */
int learning_apparmor_check(struct error *err);
/* Loads the profiles to learn under; and takes them, and what a learner that was killed left, out of the kernel again. */
int learning_apparmor_load(const struct plan *plan, struct error *err);
void learning_apparmor_unload(const struct plan *plan);
/* For audit_watch.c: notes a record, and returns true, if it is of such a profile. */
bool learning_take_record(const struct plan *plan, const struct apparmor_record *record);
/* As learning_finish. */
int learning_apparmor_finish(const struct plan *plan, struct report *report, int status, struct error *err);

#endif
