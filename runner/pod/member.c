/* A container of a running pod: its launch, its output, its end. */
#include "runner/pod/member.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/pod/audit_watch.h"
#include "runner/pod/guard.h"
#include "runner/pod/member_report.h"
#include "runner/pod/supervise.h"
#include "security/recording.h"
#include "security/denial.h"

static void check_ended(void *data);
static void on_notice(struct watch *watch, void *data);

/* "started" comes before what the program prints. */
static bool output_wanted(void *data)
{
	const struct member *member = data;

	return member->phase != MEMBER_STARTING;
}

/* "started" comes before what the program was refused, too. */
static void before_refusal(void *data)
{
	struct member *member = data;

	if (member->phase == MEMBER_STARTING && member->notice.fd >= 0)
		on_notice(&member->notice, member);
}

/* describe shows it while the program runs, too. */
static void after_refusal(void *data)
{
	const struct member *member = data;

	status_counted(member->supervisor);
}

static void pass_to_attached(void *data, int number, const char *text, size_t size)
{
	attach_write(data, number, text, size);
	foreground_wrote(data, text, size);
}

void member_init(
	struct member *member, struct supervisor *supervisor, const struct planned *item, unsigned int index)
{
	*member = (struct member){
		.supervisor = supervisor,
		.item = item,
		.prepared = {.rootfs = -1},
		.launched = {.pidfd = -1, .notice = -1, .terminal = -1},
		.cgroup = cgroup_none,
		.devices_watch = device_watch_none,
		.notice.fd = -1,
		.exit.fd = -1,
		.timer.watch.fd = -1,
		.stdio = {.in = -1, .slave = -1},
		.log = {.folder = -1, .fd = -1},
		.pulling = PULLING_NONE,
	};
	supervisor_init_denials(supervisor, item, &member->denials);
	member->denials.before = before_refusal;
	member->denials.counted = after_refusal;
	member->denials.data = member;
	for (int i = 0; i < 2; i++)
		member->streams[i] = (struct stream){
			.watch.fd = -1,
			.loop = &supervisor->loop,
			.report = supervisor->report,
			.tail = item->spec->message_from_log ? member->tail : NULL,
			.log = supervisor->background ? &member->log : NULL,
			.container = item->spec->name,
			.index = index,
			.number = i + 1,
			.wanted = output_wanted,
			.passed = pass_to_attached,
			.ended = check_ended,
			.data = member,
		};
}

static int64_t microseconds_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - then->tv_sec) * 1000000 + (now.tv_nsec - then->tv_nsec) / 1000;
}

static void end(struct member *member)
{
	member->phase = MEMBER_ENDED;
	member->ended_at = timer_now();
	member->stop = STOP_NO;
	timer_disarm(&member->timer);
	probing_end(member);
	if (member->failed && !member->cause)
		member_find_cause(member);
	denials_of_process(&member->denials, 0);
	for (int i = 0; i < 2; i++)
		stream_finish(&member->streams[i]);
	stdio_close(member);
	attach_end(member);
	loop_remove(&member->supervisor->loop, &member->notice);
	prepared_close(&member->prepared);
	launch_close(&member->launched);
	logfile_close(&member->log);
	/* With what the program left running in it: as under Kubernetes, a container ends whole. */
	cgroup_remove_container(&member->cgroup);
	supervisor_member_ended(member->supervisor, member);
}

static void fail_start(struct member *member, const struct error *err)
{
	member_report_failure(member, err);
	end(member);
}

/* Ended is a container whose process has exited and whose output is at its end. */
static void check_ended(void *data)
{
	struct member *member = data;
	int64_t ran;

	if (!member->exited || member->phase != MEMBER_RUNNING)
		return;
	ran = microseconds_since(&member->started);
	/* What the process itself wrote is in the pipes by now. A child of it may hold them open: it isn't waited for. */
	for (int i = 0; i < 2; i++)
		stream_finish(&member->streams[i]);
	foreground_end(member);
	denials_summarise(&member->denials);
	member_report_exit(member, ran);
	end(member);
}

static void on_exit_ready(struct watch *watch, void *data)
{
	struct member *member = data;
	siginfo_t info = {0};

	if (member->phase == MEMBER_STARTING) {
		/* Its end closed the pipe too: first comes what that has to say. We are called again if it matters. */
		on_notice(&member->notice, member);
		return;
	}
	/* As long as its number is its own. */
	audit_watch_settle(member->supervisor);
	device_watch_settle(member);
	if (!launch_reap(watch->fd, &info)) {
		if (!member->supervisor->killing && member->stop != STOP_KILLED) {
			member->held = true;
			loop_pause(&member->supervisor->loop, watch);
			return;
		}
		/* Ending doesn't wait for the tracer, it ends that one too. */
		info.si_code = CLD_KILLED;
		info.si_status = SIGKILL;
	}
	member->held = false;
	member->exited = true;
	member->signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
	/* The profile's kill, which process 1 of a pid namespace doesn't feel unless it is SIGKILL. */
	if (member->signal == SIGKILL && member->denials.main_killed)
		member->signal = SIGSYS;
	member->exit_code = member->signal ? 128 + member->signal : info.si_status;
	member->out_of_memory = cgroup_oom_kills(&member->cgroup) > 0;
	/* An init container some of which was killed hasn't done its work, whatever its status says (isInitContainerFailed). */
	member->failed = member->exit_code != 0 || (member->out_of_memory && member->item->is_init);
	member->reason = member->out_of_memory ? "OOMKilled" : member->failed ? "Error" : "Completed";
	loop_remove(&member->supervisor->loop, watch);
	member->launched.pidfd = -1; /* the loop closed it */
	check_ended(member);
}

static void on_notice(struct watch *watch, void *data)
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
		fail_start(member, &err);
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
	if (loop_add(&supervisor->loop, &member->notice, member->launched.notice, on_notice, member, err) < 0)
		return -1;
	return loop_add(&supervisor->loop, &member->exit, member->launched.pidfd, on_exit_ready, member, err);
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
		fail_start(member, &err);
}

int member_signal(const struct member *member, int signal)
{
	int errnum;

	if (member->exit.fd < 0 || pidfd_send_signal(member->exit.fd, signal, NULL, 0) == 0)
		return 0;
	errnum = errno;
	/* No profile is asked when the kernel itself kills: all of a cgroup, or of the pod's pid namespace. */
	if (signal == SIGKILL && errnum != ESRCH && !cgroup_kill(&member->cgroup))
		pidfd_send_signal(member->supervisor->sandbox.pidfd, SIGKILL, NULL, 0);
	return -errnum;
}

void member_retry(struct member *member)
{
	probing_retry(member);
	if (member->held)
		on_exit_ready(&member->exit, member);
}

void member_kill(const struct member *member)
{
	if (member->exit.fd < 0)
		return;
	member_signal(member, SIGKILL);
	process_await(member->exit.fd);
}

void member_stop_all(struct member *member)
{
	struct loop *loop = &member->supervisor->loop;

	for (int i = 0; i < 2; i++)
		stream_finish(&member->streams[i]);
	stdio_close(member);
	while (member->attachments)
		attach_stop(member->attachments);
	loop_remove(loop, &member->notice);
	loop_remove(loop, &member->exit);
	loop_remove(loop, &member->denials.watch);
	device_watch_close(member);
	timer_close(loop, &member->timer);
	pulling_close(member);
	probing_close(member);
	logfile_close(&member->log);
	member->launched.notice = member->launched.pidfd = -1;
	launch_close(&member->launched);
	prepared_close(&member->prepared);
	cgroup_remove_container(&member->cgroup);
}

void member_close(struct member *member)
{
	member_stop_all(member);
	free(member->devices);
	member->devices = NULL;
	denials_close(&member->denials);
	free(member->cause);
	member->cause = NULL;
}
