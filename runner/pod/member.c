/* A container of a running pod: its output, its end. How it is started: starting.c. */
#include "runner/pod/member.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "runner/pod/audit_watch.h"
#include "runner/pod/member_report.h"
#include "runner/pod/starting.h"
#include "runner/pod/supervise.h"

static void check_ended(void *data);

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
		starting_on_notice(&member->notice, member);
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

void member_fail_start(struct member *member, const struct error *err)
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

void member_on_exit(struct watch *watch, void *data)
{
	struct member *member = data;
	siginfo_t info = {0};

	if (member->phase == MEMBER_STARTING) {
		/* Its end closed the pipe too: first comes what that has to say. We are called again if it matters. */
		starting_on_notice(&member->notice, member);
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
		member_on_exit(&member->exit, member);
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
