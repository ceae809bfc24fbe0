/* The supervisor: one process and one epoll loop a pod. */
#include "runner/supervise.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "security/denial.h"

static const char *pod_name(const struct supervisor *supervisor)
{
	return supervisor->plan->pod->name;
}

static void start_main_containers(struct supervisor *supervisor)
{
	for (size_t i = supervisor->plan->n_init; i < supervisor->plan->n && !supervisor->ending; i++)
		member_start(&supervisor->members[i]);
	supervisor_leave_if_over(supervisor);
}

/* Starts the next init container, or, when all have succeeded, the main ones (kuberuntime: strictly in order). */
static void start_next(struct supervisor *supervisor)
{
	supervisor->started = true;
	for (size_t i = 0; i < supervisor->plan->n_init; i++) {
		struct member *member = &supervisor->members[i];

		if (member->phase == MEMBER_ENDED && !member->failed)
			continue;
		if (member->phase == MEMBER_WAITING && !supervisor->ending)
			member_start(member);
		return;
	}
	start_main_containers(supervisor);
}

/* A SIGSYS that we know no call for: the kernel's own for SCMP_ACT_TRAP, or the program sent it. */
static char *trap_cause(const struct member *member, const char *end)
{
	const struct planned_profile *profile = member->item->profile;

	if (!profile || !filter_traps(&profile->filter))
		return xstrdup(end);
	return xasprintf("%s, as SCMP_ACT_TRAP of seccomp profile %s does (minirun can't name its calls)",
		end, profile->name);
}

static void remember_failure(struct supervisor *supervisor, struct member *member)
{
	if (!member->failed || supervisor->status)
		return;
	if (!member->cause) {
		cleanup_free char *end = member->signal ? xasprintf("killed by signal %d, %s", member->signal,
								  strsignal(member->signal))
							: xasprintf("exit %d", member->exit_code);

		if (member->signal == SIGSYS && !denials_last(&member->denials))
			member->cause = trap_cause(member, end);
		else
			member->cause = denials_cause(&member->denials, end);
	}
	supervisor->status = member->exit_code;
	supervisor->cause = member->cause;
}

void supervisor_member_ended(struct supervisor *supervisor, struct member *member)
{
	remember_failure(supervisor, member);
	if (member->item->is_init && !member->failed && !supervisor->ending) {
		start_next(supervisor);
		return;
	}
	/* A failed init container ends the pod (restartPolicy Never); a main one leaves the others running. */
	if (member->item->is_init)
		supervisor->ending = true;
	supervisor_leave_if_over(supervisor);
}

void supervisor_member_running(struct supervisor *supervisor, const struct member *member)
{
	/* Signals that came while it was on its way went to minirun's own code, which as pid 1 didn't hear them. */
	if (supervisor->killing)
		member_signal(member, SIGKILL);
	else if (supervisor->ending)
		member_signal(member, SIGTERM);
}

void supervisor_init_denials(
	struct supervisor *supervisor, const struct planned *item, struct denials *denials)
{
	*denials = (struct denials){
		.loop = &supervisor->loop,
		.report = supervisor->report,
		.pod = pod_name(supervisor),
		.container = item->spec->name,
		.profile = item->profile,
		.watch.fd = -1,
	};
}

void supervisor_unnamed(struct supervisor *supervisor, const char *container, int errnum)
{
	struct event event = {.type = "warning", .container = container, .tone = TONE_NOTE};

	if (supervisor->unnamed_told)
		return;
	supervisor->unnamed_told = true;
	report_event(supervisor->report, pod_name(supervisor), &event,
		"what seccomp denies can't be named here: %s",
		errnum == EBUSY ? "minirun itself runs under a seccomp filter with a listener"
				: strerror(errnum));
}

/* Whether refusals can be named on this machine; asked only if a filter refuses something. */
static void check_naming(struct supervisor *supervisor)
{
	struct event event = {.type = "warning", .tone = TONE_NOTE};
	struct error err;
	bool wanted = false;

	for (size_t i = 0; i < supervisor->plan->n_profiles; i++)
		wanted |= supervisor->plan->profiles[i]->naming.insns != NULL;
	if (!wanted)
		return;
	supervisor->naming = listener_check(&err) == 0;
	if (supervisor->naming)
		return;
	supervisor->unnamed_told = true;
	report_event(supervisor->report, pod_name(supervisor), &event,
		"what seccomp denies can't be named here: %s", err.message);
}

/* In the sandbox, after the supervisor was killed: all processes are gone; what is on disk goes too. */
static void clear_orphaned(void *data)
{
	state_sweep(data);
}

static int start_sandbox(struct supervisor *supervisor, struct error *err)
{
	const struct pod *pod = supervisor->plan->pod;
	struct sysctl *sysctls = xcalloc(pod->sysctls.n, sizeof(*sysctls));
	struct state *state = supervisor->state;
	const int keep[] = {state->root, state->pods};
	struct sandbox_spec spec = {
		.hostname = pod->hostname,
		.host_network = pod->host_network,
		.host_pid = pod->host_pid,
		.host_ipc = pod->host_ipc,
		.share_process_namespace = pod->share_process_namespace,
		.sysctls = sysctls,
		.n_sysctls = pod->sysctls.n,
		.on_orphaned = clear_orphaned,
		.data = state,
		.keep = keep,
		.n_keep = array_length(keep),
	};
	int result;

	for (size_t i = 0; i < pod->sysctls.n; i++)
		sysctls[i] = (struct sysctl){pod->sysctls.items[i].key, pod->sysctls.items[i].value};
	result = sandbox_begin(&spec, &supervisor->sandbox, err);
	free(sysctls);
	if (result < 0)
		return -1;
	return loop_add(&supervisor->loop, &supervisor->sandbox_exit, dup(supervisor->sandbox.pidfd),
		ending_on_sandbox_exit, supervisor, err);
}

static void make_cgroup(struct supervisor *supervisor)
{
	cleanup_free char *name = xasprintf("minirun-%s", supervisor->state->data_name);

	supervisor->cgroupfd = cgroup_make(name, &supervisor->state->cgroup);
	state_record_cgroup(supervisor->state);
}

static int prepare(struct supervisor *supervisor, struct error *err)
{
	if (loop_init(&supervisor->loop, err) < 0 || ending_watch_signals(supervisor, err) < 0)
		return -1;
	supervisor->loop.after = ending_if_broken;
	supervisor->loop.data = supervisor;
	check_naming(supervisor);
	ending_adopt_orphans(supervisor);
	/* First of all, for from then on there is somebody to clear up should we be killed. */
	if (realise_private_mounts(supervisor->plan, err) < 0 || start_sandbox(supervisor, err) < 0)
		return -1;
	if (state_claim(supervisor->state, err) < 0)
		return -1;
	make_cgroup(supervisor);
	/* While the sandbox makes the pod's namespaces. */
	if (realise_pod(supervisor->plan, supervisor->state, &supervisor->resources, err) < 0)
		return -1;
	if (sandbox_wait(&supervisor->sandbox, err) < 0)
		return -1;
	if (sizes_watch(supervisor, err) < 0)
		return -1;
	return control_open(supervisor, err);
}

static int run_loop(struct supervisor *supervisor, struct error *err)
{
	start_next(supervisor);
	return loop_run(&supervisor->loop, err);
}

static void report_end(struct supervisor *supervisor)
{
	const struct plan *plan = supervisor->plan;
	struct event event = {.type = "succeeded", .tone = TONE_GOOD, .reason = "Completed"};

	if (!supervisor->status) {
		report_event(supervisor->report, pod_name(supervisor), &event, "Succeeded");
		return;
	}
	event = (struct event){
		.type = "failed",
		.tone = TONE_BAD,
		.important = true,
		.has_exit = true,
		.exit_code = supervisor->status,
		.reason = "Error",
	};
	if (supervisor->eviction) {
		event.reason = "Evicted";
		report_event(supervisor->report, pod_name(supervisor), &event, "Failed: Evicted: %s",
			supervisor->eviction);
		return;
	}
	for (size_t i = 0; i < plan->n; i++)
		if (supervisor->members[i].cause == supervisor->cause)
			report_event(supervisor->report, pod_name(supervisor), &event,
				"Failed: %scontainer %s: %s", plan->items[i].is_init ? "init " : "",
				plan->items[i].spec->name, supervisor->cause);
}

static void close_all(struct supervisor *supervisor)
{
	struct event event = {.type = "warning", .tone = TONE_NOTE, .important = true};
	struct error err = {0};

	control_close(supervisor);
	for (size_t i = 0; i < supervisor->plan->n; i++)
		member_kill(&supervisor->members[i]);
	loop_remove(&supervisor->loop, &supervisor->sandbox_exit);
	sandbox_end_processes(&supervisor->sandbox);
	for (size_t i = 0; i < supervisor->plan->n; i++)
		member_close(&supervisor->members[i]);
	ending_of_orphans(supervisor);
	loop_remove(&supervisor->loop, &supervisor->deadline);
	loop_remove(&supervisor->loop, &supervisor->signals);
	loop_remove(&supervisor->loop, &supervisor->sizes);
	if (supervisor->cgroupfd >= 0)
		close(supervisor->cgroupfd);
	resources_close(&supervisor->resources);
	loop_close(&supervisor->loop);
	if (state_remove(supervisor->state, &err) < 0)
		report_event(supervisor->report, pod_name(supervisor), &event, "could not clear up: %s",
			err.message);
	/* Last of all: until then it would clear up in our place, should we be killed. */
	sandbox_stop(&supervisor->sandbox);
}

int supervise(const struct plan *plan, struct state *state, struct report *report, struct error *err)
{
	struct supervisor supervisor = {
		.plan = plan,
		.report = report,
		.state = state,
		.loop.epoll = -1,
		.resources = {.shm = -1, .etc = -1, .messages = -1, .data = -1, .mount_points = -1},
		.sandbox = {.pidfd = -1, .pause_pidfd = -1, .ready = -1},
		.members = xcalloc(plan->n, sizeof(*supervisor.members)),
		.signals.fd = -1,
		.deadline.fd = -1,
		.control.fd = -1,
		.sandbox_exit.fd = -1,
		.sizes.fd = -1,
		.cgroupfd = -1,
	};
	int result;

	for (size_t i = 0; i < plan->n; i++)
		member_init(&supervisor.members[i], &supervisor, &plan->items[i], (unsigned int)i);
	result = prepare(&supervisor, err);
	if (result == 0)
		result = run_loop(&supervisor, err);
	if (result == 0)
		report_end(&supervisor);
	close_all(&supervisor);
	free(supervisor.members);
	free(supervisor.eviction);
	return result < 0 ? result : supervisor.status;
}
