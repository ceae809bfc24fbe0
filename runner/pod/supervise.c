/* The supervisor: one process and one epoll loop a pod. */
#include "runner/pod/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/pod/audit_watch.h"
#include "runner/pod/learning.h"
#include "runner/starter.h"
#include "security/denial.h"

#define EXIT_KILLED 137

static const char *pod_name(const struct supervisor *supervisor)
{
	return supervisor->plan->pod->name;
}

int64_t supervisor_scaled(const struct supervisor *supervisor, int64_t seconds)
{
	return (int64_t)((double)seconds * 1000 / supervisor->time_scale);
}

/* In the sandbox, after the supervisor was killed: all processes are gone; what is on disk goes too. */
static void clear_orphaned(void *data)
{
	state_sweep(data);
	cgroup_move_back();
}

/* The same in the background: `minirun get` shall tell what became of the pod, and `minirun logs` what it said. */
static void abandon_orphaned(void *data)
{
	state_clear(data);
	cgroup_move_back();
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
		.users = supervisor->plan->own_users ? &supervisor->users : NULL,
		.sysctls = sysctls,
		.n_sysctls = pod->sysctls.n,
		.on_orphaned = supervisor->background ? abandon_orphaned : clear_orphaned,
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
	return loop_add(&supervisor->loop, &supervisor->sandbox_exit,
		fcntl(supervisor->sandbox.pidfd, F_DUPFD_CLOEXEC, 3), ending_on_sandbox_exit, supervisor,
		err);
}

/* The same as `minirun check` has (trial_cgroups.c). */
static void advise(struct error *err)
{
	cleanup_free char *advice = NULL;
	struct caller caller;

	if (err->hint[0])
		return;
	starter_find(&caller);
	advice = cgroup_advice(&caller);
	error_hint(err, "%s", advice);
}

/* A limit that can't be set is found before anything runs. */
static int check_limits(const struct supervisor *supervisor, struct error *err)
{
	const bool *controlled = supervisor->cgroup.controlled;

	for (size_t i = 0; i < supervisor->plan->n; i++) {
		const struct planned *item = &supervisor->plan->items[i];
		bool memory = item->limits.memory && !controlled[CGROUP_MEMORY];

		if (!memory && (!item->limits.cpu_quota || controlled[CGROUP_CPU]))
			continue;
		*err = supervisor->cgroup_why;
		if (err->class == ERROR_NONE)
			error_set(err, ERROR_HOST, 0, "this kernel has no such controller");
		advise(err);
		error_check(err, "limits");
		return error_wrap(err, "%s.resources.limits.%s can't be set here", item->path,
			memory ? "memory" : "cpu");
	}
	return 0;
}

/* An ordinary user's controllers are systemd's to give. What was made without them goes first. */
static void make_cgroup_in_scope(struct supervisor *supervisor, const struct cgroup_request *request)
{
	struct error *why = &supervisor->cgroup_why;
	pid_t pids[3] = {getpid(), supervisor->sandbox.pid, request->companion};
	struct error refused = {0};

	if (cgroup_enter_scope(request->name, pids, request->companion ? 3 : 2, &refused) < 0) {
		if (refused.class != ERROR_NONE)
			error_wrap(why, "%s", refused.message);
		return;
	}
	cgroup_remove_container(&supervisor->cgroup);
	cgroup_make_pod(request, &supervisor->cgroup, why);
}

static int make_cgroup(struct supervisor *supervisor, struct error *err)
{
	const struct plan *plan = supervisor->plan;
	cleanup_free char *name = xasprintf("minirun-%s", supervisor->state->data_name);
	struct cgroup_limits limits = plan->limits;
	const struct cgroup_request request = {
		.name = name,
		.wanted = plan->wanted_controllers,
		.optional = plan->optional_controllers,
		/* Who started us waits until we run. */
		.companion = supervisor->background ? getppid() : 0,
		.before = state_record_cgroup,
		.data = supervisor->state,
	};

	cgroup_make_pod(&request, &supervisor->cgroup, &supervisor->cgroup_why);
	if (supervisor->cgroup_why.class != ERROR_NONE && userns_inside())
		make_cgroup_in_scope(supervisor, &request);
	supervisor->state->cgroup = &supervisor->cgroup;
	if (plan->optional_controllers & 1U << CGROUP_PIDS && !supervisor->cgroup.controlled[CGROUP_PIDS])
		limits.pids = 0;
	if (check_limits(supervisor, err) < 0)
		return -1;
	supervisor->limits = limits;
	return cgroup_limit(&supervisor->cgroup, &limits, &supervisor->cgroup_why, err);
}

/* What is refused isn't told to the status, so it looks. */
static void after_event(void *data)
{
	struct supervisor *supervisor = data;
	uint64_t refused = 0;

	for (size_t i = 0; i < supervisor->plan->n; i++)
		refused += supervisor->members[i].denials.total;
	if (refused != supervisor->refused)
		status_changed(supervisor);
	supervisor->refused = refused;
	ending_if_broken(supervisor);
}

static int make_logs(struct supervisor *supervisor, struct error *err)
{
	if (!supervisor->background)
		return 0;
	if (mkdirat(supervisor->state->data, LOGS_NAME, 0700) == 0)
		supervisor->logs = openat(
			supervisor->state->data, LOGS_NAME, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return supervisor->logs < 0 ? error_set(err, ERROR_HOST, errno, "cannot make the folder of logs") : 0;
}

static int prepare(struct supervisor *supervisor, const char *manifest, struct error *err)
{
	if (loop_init(&supervisor->loop, err) < 0 || ending_watch_signals(supervisor, err) < 0)
		return -1;
	for (size_t i = 0; i < supervisor->plan->n; i++)
		if (timer_init(&supervisor->loop, &supervisor->members[i].timer, sequence_timer,
			    &supervisor->members[i], err) < 0 ||
			probing_init(&supervisor->members[i], err) < 0)
			return -1;
	if (ending_watch_deadline(supervisor, err) < 0)
		return -1;
	supervisor->loop.after = after_event;
	supervisor->loop.data = supervisor;
	supervisor_check_naming(supervisor);
	audit_watch_open(supervisor);
	ending_adopt_orphans(supervisor);
	/* A process whose root has mounts stacked on it may make no user namespace: so this comes before those. */
	if (supervisor->plan->own_users && pod_users_make(&supervisor->users, err) < 0)
		return -1;
	if (realise_private_mounts(supervisor->plan, err) < 0)
		return -1;
	/* Before anything is made, for from then on there is somebody to clear up should we be killed. */
	if (start_sandbox(supervisor, err) < 0)
		return -1;
	if (state_claim(supervisor->state, err) < 0 || make_logs(supervisor, err) < 0 ||
		status_open(supervisor, manifest, err) < 0)
		return -1;
	if (make_cgroup(supervisor, err) < 0)
		return -1;
	/* While the sandbox makes the pod's namespaces. */
	if (realise_pod(
		    supervisor->plan, supervisor->state, &supervisor->users, &supervisor->resources, err) < 0)
		return -1;
	if (sandbox_wait(&supervisor->sandbox, err) < 0)
		return -1;
	supervisor->status.sandboxed = true;
	if (publishing_start(supervisor, err) < 0)
		return -1;
	if (sizes_watch(supervisor, err) < 0)
		return -1;
	if (learning_limit(supervisor, err) < 0)
		return -1;
	return control_open(supervisor, err);
}

static int run_loop(struct supervisor *supervisor, struct error *err)
{
	char host[HOST_NAME_MAX + 1] = "";

	gethostname(host, sizeof(host) - 1);
	status_event(supervisor, NULL, false, "Scheduled", "Successfully assigned %s/%s to %s",
		supervisor->plan->pod->namespace, pod_name(supervisor), host);
	if (supervisor->plan->own_users)
		status_event(supervisor, NULL, false, "UserNamespace",
			"Users and groups 0-%u of the pod are %u-%u of this machine", POD_IDS - 1,
			supervisor->users.first, supervisor->users.first + POD_IDS - 1);
	sequence_advance(supervisor);
	return loop_run(&supervisor->loop, err);
}

/* Says how the pod ended. Returns what minirun exits with. */
static int report_end(struct supervisor *supervisor)
{
	const struct member *failure = sequence_failure(supervisor);
	struct event event = {.type = "succeeded", .tone = TONE_GOOD, .reason = "Completed"};

	if (!failure && !supervisor->status.reason && supervisor->plan->learning && supervisor->stopped_at) {
		event = (struct event){.type = "ended"};
		report_event(supervisor->report, pod_name(supervisor), &event, "Ended");
		return 0;
	}
	if (!failure && !supervisor->status.reason) {
		report_event(supervisor->report, pod_name(supervisor), &event, "Succeeded");
		return 0;
	}
	event = (struct event){
		.type = "failed",
		.tone = TONE_BAD,
		.important = true,
		.has_exit = true,
		/* 0 if the out-of-memory killer took something else of an init container than its first process. */
		.exit_code = failure && failure->exit_code ? failure->exit_code : EXIT_KILLED,
		.reason = supervisor->status.reason ? supervisor->status.reason : "Error",
	};
	if (supervisor->status.reason)
		report_event(supervisor->report, pod_name(supervisor), &event, "Failed: %s: %s",
			supervisor->status.reason, supervisor->status.message);
	else
		report_event(supervisor->report, pod_name(supervisor), &event, "Failed: %scontainer %s: %s",
			failure->item->is_init ? "init " : "", failure->item->spec->name, failure->cause);
	return event.exit_code;
}

/* What the pod ran in goes; what is known of it stays. */
static void tear_down(struct supervisor *supervisor)
{
	control_end_sessions(supervisor);
	sizes_close(supervisor);
	publishing_stop(supervisor);
	foreground_close(supervisor);
	for (size_t i = 0; i < supervisor->plan->n; i++)
		member_kill(&supervisor->members[i]);
	loop_remove(&supervisor->loop, &supervisor->sandbox_exit);
	sandbox_end_processes(&supervisor->sandbox);
	for (size_t i = 0; i < supervisor->plan->n; i++)
		member_stop_all(&supervisor->members[i]);
	ending_of_orphans(supervisor);
	timer_close(&supervisor->loop, &supervisor->deadline);
	resources_close(&supervisor->resources);
}

/* In the background a pod that is over can be looked at until it is deleted; by now only its status and its logs are left. */
static void linger(struct supervisor *supervisor)
{
	struct error ignored;

	if (!supervisor->background || supervisor->deleted)
		return;
	state_clear(supervisor->state);
	sandbox_stop(&supervisor->sandbox);
	supervisor->status.sandboxed = false;
	status_changed(supervisor);
	status_flush(supervisor);
	supervisor->loop.done = false;
	loop_run(&supervisor->loop, &ignored);
}

static void close_all(struct supervisor *supervisor)
{
	struct event event = {.type = "warning", .tone = TONE_NOTE, .important = true};
	struct error err = {0};

	control_close(supervisor);
	status_close(supervisor);
	for (size_t i = 0; i < supervisor->plan->n; i++)
		member_close(&supervisor->members[i]);
	loop_remove(&supervisor->loop, &supervisor->signals);
	timer_close(&supervisor->loop, &supervisor->limit);
	if (supervisor->logs >= 0)
		close(supervisor->logs);
	loop_close(&supervisor->loop);
	if (state_remove(supervisor->state, &err) < 0)
		report_event(supervisor->report, pod_name(supervisor), &event, "could not clear up: %s",
			err.message);
	/* Last of all: until then it would clear up in our place, should we be killed. */
	sandbox_stop(&supervisor->sandbox);
	pod_users_close(&supervisor->users);
	cgroup_close(&supervisor->cgroup);
	cgroup_move_back();
}

static void init(struct supervisor *supervisor)
{
	supervisor->members = xcalloc(supervisor->plan->n, sizeof(*supervisor->members));
	for (size_t i = 0; i < supervisor->plan->n; i++)
		member_init(
			&supervisor->members[i], supervisor, &supervisor->plan->items[i], (unsigned int)i);
}

int supervise(const struct plan *plan, const struct supervise_options *options, struct state *state,
	struct report *report, struct error *err)
{
	struct supervisor supervisor = {
		.plan = plan,
		.report = report,
		.state = state,
		.loop.epoll = -1,
		.resources = {.users = &pod_users_none, .shm = -1, .data = -1, .mount_points = -1},
		.users = pod_users_none,
		.sandbox = {.pidfd = -1, .pause_pidfd = -1, .ready = -1},
		.signals.fd = -1,
		.foreground = {.exit.fd = -1, .socket = -1},
		.control.fd = -1,
		.sandbox_exit.fd = -1,
		.sizes = {.timer.fd = -1, .looked.fd = -1, .worker.pidfd = -1},
		.publisher.fd = -1,
		.limit.watch.fd = -1,
		.cgroup = cgroup_none,
		.logs = -1,
		.status.timer.watch.fd = -1,
		.deadline.watch.fd = -1,
		.once = options->once,
		.time_scale = options->time_scale,
		.pull = options->pull,
		.background = options->ready != NULL,
	};
	int status = 0;
	int result;

	init(&supervisor);
	result = prepare(&supervisor, options->manifest, err);
	if (result == 0 && options->ready)
		options->ready(options->data);
	if (result == 0)
		result = run_loop(&supervisor, err);
	audit_watch_close(&supervisor);
	if (result == 0)
		status = report_end(&supervisor);
	tear_down(&supervisor);
	if (result == 0)
		linger(&supervisor);
	close_all(&supervisor);
	free(supervisor.members);
	free(supervisor.eviction);
	return result < 0 ? result : status;
}
