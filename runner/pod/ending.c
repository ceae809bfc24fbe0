/*
 * The end of a pod: by a signal to minirun, by a limit, by a reader that went away, by the death of its sandbox. First SIGTERM
 * and the grace period, then SIGKILL; a second signal skips the wait.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "runner/pod/supervise.h"

#define CHILDREN_LIMIT (1U << 20) /* bytes of a list of pids */
#define ORPHANS_TRIES  5000 /* a millisecond each */

static const char *pod_name(const struct supervisor *supervisor)
{
	return supervisor->plan->pod->name;
}

static bool has_ended(const struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->plan->n; i++)
		if (supervisor->members[i].phase == MEMBER_STARTING ||
			supervisor->members[i].phase == MEMBER_RUNNING)
			return false;
	return true;
}

static void signal_all(const struct supervisor *supervisor, int signal)
{
	for (size_t i = 0; i < supervisor->plan->n; i++)
		member_signal(&supervisor->members[i], signal);
}

static void retry_members(struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->plan->n; i++)
		member_retry(&supervisor->members[i]);
}

static void kill_all(struct supervisor *supervisor)
{
	supervisor->killing = true;
	signal_all(supervisor, SIGKILL);
	retry_members(supervisor);
}

/* The pod is over: nothing runs, and nothing will. */
void supervisor_leave_if_over(struct supervisor *supervisor)
{
	if (supervisor->ending && has_ended(supervisor))
		supervisor->loop.done = true;
}

void supervisor_end(struct supervisor *supervisor, unsigned int grace)
{
	supervisor->ending = true;
	for (size_t i = 0; i < supervisor->plan->n; i++)
		stopping_start(&supervisor->members[i], grace, NULL);
	supervisor_leave_if_over(supervisor);
}

void supervisor_delete(struct supervisor *supervisor, unsigned int grace)
{
	struct status *status = &supervisor->status;

	supervisor->deleted = true;
	if (!status->deleted) {
		status->deleted = time(NULL);
		status->deletion_grace = grace;
		status_changed(supervisor);
	}
	if (grace)
		supervisor_end(supervisor, grace);
	else
		supervisor_kill(supervisor);
}

void supervisor_kill(struct supervisor *supervisor)
{
	supervisor->ending = true;
	for (size_t i = 0; i < supervisor->plan->n; i++)
		if (supervisor->members[i].phase == MEMBER_BACKOFF ||
			supervisor->members[i].phase == MEMBER_PULLING)
			stopping_start(&supervisor->members[i], 0, NULL);
	kill_all(supervisor);
	supervisor_leave_if_over(supervisor);
}

/* An image's StopSignal may be another. */
static const char *stop_signals(const struct supervisor *supervisor)
{
	const struct plan *plan = supervisor->plan;

	for (size_t i = 0; i < plan->n; i++)
		if (plan->items[i].stop_signal != SIGTERM)
			return "each container's stop signal";
	return "SIGTERM";
}

static void on_signal(struct watch *watch, void *data)
{
	struct supervisor *supervisor = data;
	struct signalfd_siginfo info;
	struct event event = {.type = "terminating", .tone = TONE_NOTE};
	unsigned int grace = supervisor->plan->pod->termination_grace_period;

	if (read(watch->fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD) {
		retry_members(supervisor);
		control_retry(supervisor);
		return;
	}
	if (supervisor->ending && has_ended(supervisor)) {
		/* In the background it is over, and only there to be looked at. */
		supervisor_delete(supervisor, 0);
		return;
	}
	if (supervisor->ending) {
		report_event(supervisor->report, pod_name(supervisor), &event, "%s again: SIGKILL",
			strsignal((int)info.ssi_signo));
		kill_all(supervisor);
		return;
	}
	report_event(supervisor->report, pod_name(supervisor), &event,
		"%s: ending the pod: %s now, SIGKILL after %u s (once more to kill it now)",
		strsignal((int)info.ssi_signo), stop_signals(supervisor),
		grace && grace < LEAST_GRACE ? LEAST_GRACE : grace);
	supervisor->stopped_at = timer_now();
	supervisor_delete(supervisor, grace);
}

int ending_watch_signals(struct supervisor *supervisor, struct error *err)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGCHLD); /* ends are seen by pidfd; this is for those that a tracer held back */
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return error_set(err, ERROR_HOST, errno, "sigprocmask");
	/* A reader of ours that goes away is an EPIPE to report, not a death without cleaning up. */
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return error_set(err, ERROR_HOST, errno, "signalfd");
	return loop_add(&supervisor->loop, &supervisor->signals, fd, on_signal, supervisor, err);
}

void ending_on_sandbox_exit(struct watch *watch, void *data)
{
	struct supervisor *supervisor = data;
	struct event event = {.type = "warning", .tone = TONE_BAD, .important = true};

	report_event(supervisor->report, pod_name(supervisor), &event,
		"the pod's sandbox was killed, and with it all that ran in it");
	loop_remove(&supervisor->loop, watch);
	supervisor_kill(supervisor);
}

static void on_active_deadline(void *data)
{
	struct supervisor *supervisor = data;
	struct status *status = &supervisor->status;
	struct event event = {.type = "deadline", .tone = TONE_BAD, .important = true};

	if (supervisor->ending)
		return;
	/* The kubelet's words (pkg/kubelet/active_deadline.go). */
	status->reason = event.reason = "DeadlineExceeded";
	status->message = "Pod was active on the node longer than the specified deadline";
	status_event(supervisor, NULL, false, status->reason, "%s", status->message);
	report_event(supervisor->report, pod_name(supervisor), &event, "%s", status->message);
	supervisor_end(supervisor, supervisor->plan->pod->termination_grace_period);
}

int ending_watch_deadline(struct supervisor *supervisor, struct error *err)
{
	unsigned int seconds = supervisor->plan->pod->active_deadline;

	if (timer_init(&supervisor->loop, &supervisor->deadline, on_active_deadline, supervisor, err) < 0)
		return -1;
	if (seconds)
		timer_arm(&supervisor->deadline, supervisor_scaled(supervisor, seconds));
	return 0;
}

/* Nobody reads what we print any more (`minirun pod.yaml | head`): there is no use in going on. */
void ending_if_broken(void *data)
{
	struct supervisor *supervisor = data;
	struct event event = {.type = "terminating", .tone = TONE_NOTE};

	if (!supervisor->report->broken || supervisor->ending)
		return;
	report_event(supervisor->report, pod_name(supervisor), &event,
		"standard output was closed: ending the pod");
	supervisor_end(supervisor, supervisor->plan->pod->termination_grace_period);
}

/* Orphans of a pod with hostPID come to us instead of the host's init, so that they can be ended. */
void ending_adopt_orphans(const struct supervisor *supervisor)
{
	if (supervisor->plan->pod->host_pid)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* Kills our children but the sandbox, and reaps those that are dead. Returns whether there were any. */
static bool kill_children(const struct supervisor *supervisor)
{
	struct error ignored;
	cleanup_free char *children = NULL;
	bool found = false;
	char *next;

	if (file_read("/proc/thread-self/children", CHILDREN_LIMIT, ERROR_HOST, &children, NULL, &ignored) <
		0)
		return false;
	for (const char *p = children; *p; p = next) {
		pid_t pid = (pid_t)strtol(p, &next, 10);

		if (next == p)
			break;
		if (pid == supervisor->sandbox.pid)
			continue;
		found = true;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, WNOHANG);
	}
	return found;
}

/* Ends what is left of the pod: with hostPID no pid namespace does it. Never waits for one: another may trace it. */
void ending_of_orphans(const struct supervisor *supervisor)
{
	const struct timespec millisecond = {.tv_nsec = 1000000};

	if (!supervisor->plan->pod->host_pid)
		return;
	for (int i = 0; i < ORPHANS_TRIES && kill_children(supervisor); i++)
		nanosleep(&millisecond, NULL);
}
