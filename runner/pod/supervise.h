/*
 * The supervisor: one process and one epoll loop a pod. It starts the containers in their order (sequence.c), passes on what
 * they print, starts again what ends, answers `minirun exec` (control.c), and ends the pod (ending.c, stopping.c).
 */
#ifndef RUNNER_SUPERVISE_H
#define RUNNER_SUPERVISE_H

#include "runner/pod/foreground.h"
#include "runner/pod/member.h"
#include "runner/plan/plan.h"
#include "runner/report.h"
#include "runner/pod/state.h"
#include "runner/pod/status.h"
#include "runner/pod/worker.h"

struct json_object;
struct session;
struct audit_watch;

/* Looks at what the pod has on disk; see sizes.c. */
struct sizes {
	struct watch timer; /* to the next look */
	struct watch looked; /* the end of the one that is being taken */
	struct worker worker;
};

struct supervisor {
	const struct plan *plan;
	struct report *report;
	struct state *state;
	struct loop loop;
	struct resources resources;
	struct pod_users users; /* the pod's own, if it has any */
	struct sandbox sandbox;
	struct member *members; /* as plan->items */
	struct watch signals, control, sandbox_exit, publisher;
	struct sizes sizes;
	struct timer limit; /* of `minirun learn --for` */
	int64_t stopped_at; /* when somebody, or --for, ended the pod (timer_now); 0: nobody did */
	struct session *sessions; /* of exec; a list */
	struct foreground foreground;
	struct cgroup cgroup; /* the pod's */
	struct cgroup_limits limits; /* that the pod's was told */
	struct error cgroup_why; /* why it lacks a controller that was wanted */
	size_t next; /* the member that has not been started yet; plan->n if all have */
	bool once; /* as if restartPolicy were Never */
	bool background; /* nobody reads the report; output goes to logs; the pod stays to be looked at when it is over */
	bool deleted; /* it goes when it is over */
	int logs; /* the folder of logs, or -1 */
	struct status status;
	struct timer deadline; /* activeDeadlineSeconds */
	uint64_t refused; /* calls, when the status was told last */
	double time_scale; /* how many seconds of Kubernetes pass in one */
	const struct pull_options *pull; /* how registries are reached */
	bool ending; /* no container is started any more */
	bool killing; /* SIGKILL has been sent */
	bool naming; /* refused calls are named */
	bool unnamed_told; /* and where they aren't, that has been said */
	bool unnoted_told; /* that refused devices aren't named has been said */
	bool copy_told; /* that images are copied has been said */
	struct audit_watch *audit; /* what AppArmor refuses; NULL: nothing is to be seen of it */
	char *eviction; /* why the pod was evicted, or NULL */
};

struct supervise_options {
	bool once; /* --once */
	double time_scale; /* --time-scale; 1 */
	const char *manifest; /* the v1 Pod as JSON, for status.h */
	const struct pull_options *pull; /* for the images that are fetched as containers are started */
	/* In the background: called when the pod's namespaces and folders are there and it can be asked for. */
	void (*ready)(void *data);
	void *data;
};

/*
 * Runs the planned pod to its end. Returns the exit status, or a negative number where minirun itself failed before the first
 * container was started. state is filled; this function removes what is on disk.
 */
int supervise(const struct plan *plan, const struct supervise_options *options, struct state *state,
	struct report *report, struct error *err);

/* Seconds of a manifest or of Kubernetes' rules as milliseconds of this machine's clock. */
int64_t supervisor_scaled(const struct supervisor *supervisor, int64_t seconds);

/* For member.c: a container has ended. */
void supervisor_member_ended(struct supervisor *supervisor, struct member *member);
/* notice.c: whether refusals can be named on this machine; looked at only if a filter refuses something. */
void supervisor_check_naming(struct supervisor *supervisor);
/* notice.c: fills what denials are told with. */
void supervisor_init_denials(
	struct supervisor *supervisor, const struct planned *item, struct denials *denials);
/*
 * notice.c: takes what a process on its way to execve has to say, its filter's listener above all. True if
 * the program runs, or never will: launch_result tells which.
 */
bool supervisor_take_notice(
	struct supervisor *supervisor, const struct launched *launched, struct denials *denials);
/* For member.c: a container runs. */
void supervisor_member_running(struct supervisor *supervisor, struct member *member);

/* For probing.c: a container has started, as far as its hook and its startup probe can tell. */
void supervisor_member_started(struct supervisor *supervisor, struct member *member, bool ready);

/* sequence.c: starts what may be started now. */
void sequence_advance(struct supervisor *supervisor);
/* sequence.c: whether what has ended, as it has, is to be started again while the pod lives. */
bool sequence_will_restart(const struct member *member);
/* sequence.c: a member's timer: it is to be started again, or its grace period is over. */
void sequence_timer(void *data);
/* sequence.c: the container whose last run failed first; NULL if none did. */
const struct member *sequence_failure(const struct supervisor *supervisor);

#define LEAST_GRACE 2 /* seconds: minimumGracePeriodInSeconds */
/*
 * stopping.c: stops a container, with seconds to its end by SIGKILL; forgets one that isn't running. message is that of the
 * event; NULL: the usual one.
 */
void stopping_start(struct member *member, unsigned int grace, const char *message);
/* stopping.c: its preStop hook has ended. */
void stopping_hook_done(struct member *member);
/* stopping.c: it is to be stopped, and its program runs by now. */
void stopping_begin(struct member *member);
/* stopping.c: one has ended: it may be another one's turn. */
void stopping_go_on(struct supervisor *supervisor);
/* stopping.c: its time is over. */
void stopping_expired(struct member *member);

/* Ends the pod: all containers get their stop signals, and SIGKILL after the grace period (seconds). */
void supervisor_end(struct supervisor *supervisor, unsigned int grace);

/* Ends the pod for good: in the background too nothing is left of it. A grace of 0 is SIGKILL at once. */
void supervisor_delete(struct supervisor *supervisor, unsigned int grace);

/* Ends the pod at once, by SIGKILL. */
void supervisor_kill(struct supervisor *supervisor);

/* ending.c: the loop ends when nothing runs. */
void supervisor_leave_if_over(struct supervisor *supervisor);
/* ending.c: SIGINT, SIGTERM, SIGHUP and SIGQUIT come to the loop; SIGPIPE is ignored. */
int ending_watch_signals(struct supervisor *supervisor, struct error *err);
/* ending.c: activeDeadlineSeconds. */
int ending_watch_deadline(struct supervisor *supervisor, struct error *err);
/* ending.c: for the loop: the sandbox has died; and, after each event, whether our standard output is still read. */
void ending_on_sandbox_exit(struct watch *watch, void *data);
void ending_if_broken(void *data);
/* ending.c: with hostPID, orphans of containers come to us, and are killed and reaped at the end. */
void ending_adopt_orphans(const struct supervisor *supervisor);
void ending_of_orphans(const struct supervisor *supervisor);

/* sizes.c: watches what the pod has on disk, if there is a limit of it; ends that. */
int sizes_watch(struct supervisor *supervisor, struct error *err);
void sizes_close(struct supervisor *supervisor);

/* publishing.c: publishes the pod's hostPorts, if it has any, and warns when that ends; ends it. */
int publishing_start(struct supervisor *supervisor, struct error *err);
void publishing_stop(struct supervisor *supervisor);

/* metering.c: {"exitCode": 0, "at": ms, "containers": [...]}; see wire.h. To be put. */
struct json_object *metering_json(const struct supervisor *supervisor);

/* control.c: the socket on which `minirun exec` asks. */
int control_open(struct supervisor *supervisor, struct error *err);
void control_close(struct supervisor *supervisor);
/* Ends what `minirun exec` has running. */
void control_end_sessions(struct supervisor *supervisor);
/* Looks again for the end of commands that are traced: SIGCHLD came. */
void control_retry(struct supervisor *supervisor);

#endif
