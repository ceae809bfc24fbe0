/*
 * The supervisor: one process and one epoll loop a pod. It runs the init containers one after another, then the main
 * containers together, passes on what they print, answers `minirun exec`, and ends the pod.
 */
#ifndef RUNNER_SUPERVISE_H
#define RUNNER_SUPERVISE_H

#include "runner/member.h"
#include "runner/plan.h"
#include "runner/report.h"
#include "runner/state.h"

struct session;

struct supervisor {
	const struct plan *plan;
	struct report *report;
	struct state *state;
	struct loop loop;
	struct resources resources;
	struct sandbox sandbox;
	struct member *members; /* as plan->items */
	struct watch signals, deadline, control, sandbox_exit, sizes;
	struct session *sessions; /* of exec; a list */
	int cgroupfd; /* the pod's cgroup, or -1 */
	bool started; /* the first container has been */
	bool ending; /* no container is started any more */
	bool killing; /* SIGKILL has been sent */
	int status; /* what minirun exits with: of the container that failed first */
	const char *cause; /* what failed first */
	bool naming; /* refused calls are named */
	bool unnamed_told; /* and where they aren't, that has been said */
	char *eviction; /* why the pod was evicted, or NULL */
};

/*
 * Runs the planned pod to its end. Returns the exit status, or a negative number where minirun itself failed before the first
 * container was started. state is filled; this function removes what is on disk.
 */
int supervise(const struct plan *plan, struct state *state, struct report *report, struct error *err);

/* For member.c: a container has ended. */
void supervisor_member_ended(struct supervisor *supervisor, struct member *member);
/* For member.c and control.c: fills what denials are told with; and says, once, that they can't be (errnum: why). */
void supervisor_init_denials(
	struct supervisor *supervisor, const struct planned *item, struct denials *denials);
void supervisor_unnamed(struct supervisor *supervisor, const char *container, int errnum);
/* For member.c: a container runs. */
void supervisor_member_running(struct supervisor *supervisor, const struct member *member);

/* Ends the pod: SIGTERM, and SIGKILL after the grace period. */
void supervisor_end(struct supervisor *supervisor);

/* Ends the pod at once, by SIGKILL. */
void supervisor_kill(struct supervisor *supervisor);

/* ending.c: the loop ends when nothing runs. */
void supervisor_leave_if_over(struct supervisor *supervisor);
/* ending.c: SIGINT, SIGTERM, SIGHUP and SIGQUIT come to the loop; SIGPIPE is ignored. */
int ending_watch_signals(struct supervisor *supervisor, struct error *err);
/* ending.c: for the loop: the sandbox has died; and, after each event, whether our standard output is still read. */
void ending_on_sandbox_exit(struct watch *watch, void *data);
void ending_if_broken(void *data);
/* ending.c: with hostPID, orphans of containers come to us, and are killed and reaped at the end. */
void ending_adopt_orphans(const struct supervisor *supervisor);
void ending_of_orphans(const struct supervisor *supervisor);

/* sizes.c: watches the sizeLimit of emptyDirs on disk, if there is any. */
int sizes_watch(struct supervisor *supervisor, struct error *err);

/* control.c: the socket on which `minirun exec` asks. */
int control_open(struct supervisor *supervisor, struct error *err);
void control_close(struct supervisor *supervisor);
/* Looks again for the end of commands that are traced: SIGCHLD came. */
void control_retry(struct supervisor *supervisor);

#endif
