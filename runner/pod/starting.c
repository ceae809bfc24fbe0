/* The start of a container: its cgroup, its mounts, its process, up to the moment when its program runs. */
#include "runner/pod/starting.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "runner/pod/guard.h"
#include "runner/pod/supervise.h"
#include "security/recording.h"

/* To its own. */
static int restrict_devices(struct member *member, struct error *err)
{
	int result;

	if (member->item->privileged)
		return 0;
	device_watch_open(member);
	result = cgroup_allow_devices(
		&member->cgroup, member->devices, member->n_devices, &member->devices_watch.refusals, err);
	if (result == 0)
		device_watch_check(member);
	return result < 0 ? -1 : 0;
}

/* A device that the manifest mounts by its own name may be used. */
static void find_devices(struct member *member)
{
	const struct prepared *prepared = &member->prepared;

	free(member->devices);
	member->devices = xcalloc(prepared->n_mounts, sizeof(*member->devices));
	member->n_devices = 0;
	for (size_t i = 0; i < prepared->n_mounts; i++) {
		const struct mount *mount = &prepared->mounts[i];
		struct stat st;

		if (mount->is_dir || mount->source < 0 || fstat(mount->source, &st) < 0 ||
			(!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode)))
			continue;
		member->devices[member->n_devices++] = (struct device){
			.is_block = S_ISBLK(st.st_mode),
			.major = major(st.st_rdev),
			.minor = minor(st.st_rdev),
		};
	}
}

static int make_cgroup(struct member *member, struct error *err)
{
	const struct supervisor *supervisor = member->supervisor;

	if (cgroup_make_container(&supervisor->cgroup, member->item->spec->name, member->item->guarded,
		    &member->cgroup, err) < 0)
		return -1;
	find_devices(member);
	if (restrict_devices(member, err) < 0)
		return -1;
	member->prepared.container.isolation.cgroup = &member->cgroup;
	/* Nobody else can write to what is mounted at /sys/fs/cgroup. */
	if (member->item->privileged && pod_users_give_cgroup(&supervisor->users,
						cgroup_home(&member->cgroup, CGROUP_UNIFIED), err) < 0)
		return -1;
	return cgroup_limit(&member->cgroup, &member->item->limits, &supervisor->cgroup_why, err);
}

/* Where there is no overlay to be had; once for all containers. */
static void tell_of_copy(const struct member *member)
{
	const struct event event = {.type = "warning", .tone = TONE_NOTE, .important = true};
	struct supervisor *supervisor = member->supervisor;
	const struct error *why = &member->prepared.copied;

	if (why->class == ERROR_NONE || supervisor->copy_told)
		return;
	supervisor->copy_told = true;
	report_event(supervisor->report, supervisor->plan->pod->name, &event,
		"each container's image is copied, which takes time and room: %s", why->message);
	status_event(
		supervisor, NULL, true, "ImageCopied", "Each container's image is copied: %s", why->message);
}

static int launch(struct member *member, int ends[3], struct error *err)
{
	struct supervisor *supervisor = member->supervisor;

	if (supervisor->logs >= 0 && logfile_open(&member->log, supervisor->logs, member->item->spec->name,
					     member->restarts, err) < 0)
		return -1;
	if (stdio_open(member, ends, err) < 0)
		return -1;
	if (realise_container(supervisor->plan, member->item, member->restarts, &supervisor->resources,
		    &supervisor->sandbox, &member->prepared, err) < 0)
		return -1;
	tell_of_copy(member);
	status_event(supervisor, member, false, "Created", "Container created");
	if (make_cgroup(member, err) < 0)
		return -1;
	if (!supervisor->naming)
		member->prepared.container.locks.naming = NULL;
	member->prepared.container.terminal = member->item->spec->tty;
	member->prepared.container.window = foreground_size(member);
	clock_gettime(CLOCK_MONOTONIC, &member->started);
	if (guard_launch(
		    member, &member->prepared.container, ends, &member->launched, &member->denials, err) < 0)
		return -1;
	denials_of_process(&member->denials, member->launched.pid);
	if (loop_add(&supervisor->loop, &member->notice, member->launched.notice, starting_on_notice, member,
		    err) < 0)
		return -1;
	return loop_add(
		&supervisor->loop, &member->exit, member->launched.pidfd, member_on_exit, member, err);
}

/* What is left of the run before. */
static void forget_run(struct member *member)
{
	free(member->cause);
	member->cause = NULL;
	member->failed = member->exited = member->held = member->out_of_memory = false;
	member->exit_code = member->signal = 0;
	member->reason = NULL;
	member->must_restart = false;
	member->tail[0] = '\0';
	denials_restart(&member->denials);
	member->restarts++;
}

void member_start(struct member *member)
{
	if (pulling_begin(member))
		member_launch(member);
}

void member_launch(struct member *member)
{
	int ends[3] = {-1, -1, -1};
	struct error err = {0};
	int result;

	if (*member->status.id)
		forget_run(member);
	member->phase = MEMBER_STARTING;
	member->probing.waits = member->probing.post_start != NULL;
	status_new_run(member);
	result = launch(member, ends, &err);
	for (int i = 0; i < 3; i++)
		if (ends[i] >= 0)
			close(ends[i]);
	if (result < 0)
		member_fail_start(member, &err);
}

void starting_on_notice(struct watch *watch, void *data)
{
	struct member *member = data;
	struct supervisor *supervisor = member->supervisor;
	struct event event = {.type = "started", .container = member->item->spec->name};
	struct error err = {0};
	int result;

	if (!supervisor_take_notice(supervisor, &member->launched, &member->denials))
		return;
	result = launch_result(&member->prepared.container, &member->launched, &err);
	if (result == 0 && stdio_take_terminal(member, &err) < 0) {
		pidfd_send_signal(member->launched.pidfd, SIGKILL, NULL, 0);
		result = -1;
	}
	loop_remove(&supervisor->loop, watch);
	member->launched.notice = -1;
	prepared_close_mounts(&member->prepared);
	if (result < 0) {
		siginfo_t info;

		waitid(P_PIDFD, (id_t)member->launched.pidfd, &info, WEXITED);
		loop_remove(&supervisor->loop, &member->exit);
		member->launched.pidfd = -1;
		member_fail_start(member, &err);
		return;
	}
	member->phase = MEMBER_RUNNING;
	status_started(member);
	status_event(supervisor, member, false, "Started", "Container started");
	if (member->item->recording)
		member->item->recording->ran = true;
	report_event(supervisor->report, supervisor->plan->pod->name, &event, "started");
	foreground_start(member);
	supervisor_member_running(supervisor, member);
}
