/* Launch: a struct container becomes a running process; the parent's side of it. Theory of operation: launch.h. */
#include "runner/pod/launch_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/pod/program.h"
#include "runner/pod/timer.h"
#include "runner/pod/wire.h"

#define SPINS    200
#define NAP      20000 /* ns */
#define PATIENCE 10000 /* ms */

static struct launch_page *map_page(void)
{
	void *page = mmap(
		NULL, sizeof(struct launch_page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? NULL : page;
}

static pid_t clone_child(const struct container *container, int *pidfd, struct error *err)
{
	if (container->join_pidfd < 0)
		return isolation_clone(&container->isolation, pidfd, err);
	return isolation_clone_into(container->join_pidfd, container->isolation.cgroup, pidfd, err);
}

int launch_start(
	const struct container *container, const int stdio[3], struct launched *launched, struct error *err)
{
	struct launch_page *page = map_page();
	int notice[2] = {-1, -1}, terminal[2] = {-1, -1};
	int pidfd = -1;
	pid_t pid;

	if (!page)
		return error_set(err, ERROR_HOST, errno, "cannot share a page with the container's process");
	*launched = (struct launched){.pidfd = -1, .notice = -1, .terminal = -1, .page = page};
	page->report.listener = -1;
	if (pipe2(notice, O_CLOEXEC | O_NONBLOCK) < 0 ||
		(container->terminal && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
						terminal) < 0)) {
		error_set(err, ERROR_HOST, errno, "cannot make a pipe");
		cleanup_fd_fn(&notice[0]);
		cleanup_fd_fn(&notice[1]);
		launch_close(launched);
		return -1;
	}
	for (int i = 0; i < 3; i++)
		if (stdio[i] >= 0)
			sandbox_give_pipe(container->isolation.sandbox, stdio[i]);
	launched->notice = notice[0];
	launched->terminal = terminal[0];
	pid = clone_child(container, &pidfd, err);
	if (pid == 0) {
		launch_child(container, &(struct launch_ends){stdio, notice[1], terminal[1]}, page);
		_exit(125);
	}
	close(notice[1]);
	cleanup_fd_fn(&terminal[1]);
	if (pid < 0) {
		launch_close(launched);
		return -1;
	}
	launched->pid = pid;
	launched->pidfd = pidfd;
	return 0;
}

/*
 * The child is between two instructions and the kernel loading a filter, which takes a fraction of a millisecond. It can't wake
 * us from there (law R0), and until it is answered it spins: so the naps are short.
 */
static bool await_listener(const struct launched *launched)
{
	const struct exec_report *report = &launched->page->report;
	const struct timespec none = {0}, nap = {.tv_nsec = NAP};
	const int64_t latest = timer_now() + PATIENCE;
	struct pollfd death = {.fd = launched->pidfd, .events = POLLIN};

	for (int i = 0; i < SPINS || timer_now() < latest; i++) {
		if (report->listener >= 0 || report->unnamed)
			return true;
		/* It may have come as far as its end since we looked. */
		if (ppoll(&death, 1, i < SPINS ? &none : &nap, NULL) == 1)
			return report->listener >= 0 || report->unnamed;
		sched_yield();
	}
	error_set(&launched->page->error, ERROR_HOST, ETIMEDOUT,
		"the container's process did not load its seccomp filter");
	return false;
}

enum launch_notice launch_read_notice(const struct launched *launched, int *listener)
{
	struct launch_page *page = launched->page;
	char byte;
	ssize_t n = read(launched->notice, &byte, 1);

	if (n <= 0)
		return n == 0 ? NOTICE_END : NOTICE_NONE;
	if (await_listener(launched)) {
		if (page->report.unnamed) {
			*listener = page->report.unnamed;
			return NOTICE_UNNAMED;
		}
		*listener = pidfd_getfd(launched->pidfd, page->report.listener, 0);
		if (*listener >= 0)
			return NOTICE_LISTENER;
		if (errno == ESRCH)
			return NOTICE_NONE;
		error_set(&page->error, ERROR_HOST, errno, "cannot take the listener of the seccomp filter");
		error_check(&page->error, "seccomp notices");
		error_hint(&page->error, "--no-denials does without");
	}
	/* Dead, or of no use: the end of the pipe comes next. */
	pidfd_send_signal(launched->pidfd, SIGKILL, NULL, 0);
	return NOTICE_NONE;
}

void launch_go(const struct launched *launched)
{
	launched->page->report.fetched = 1;
}

void launch_fail(const struct launched *launched, const struct error *err)
{
	launched->page->error = *err;
	pidfd_send_signal(launched->pidfd, SIGKILL, NULL, 0);
}

/*
 * A lock is as good as what came of it: the label of the program is read back (law R3). It may have ended by now; until it is
 * reaped its label can be read, and its pid is no other process's.
 */
static int check_label(const struct container *container, const struct launched *launched, struct error *err)
{
	cleanup_fd int procfd = -1;

	if (!container->locks.apparmor)
		return 0;
	procfd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (apparmor_verify(
		    container->locks.apparmor, procfd, process_of_pidfd(procfd, launched->pidfd), err) == 0)
		return 0;
	pidfd_send_signal(launched->pidfd, SIGKILL, NULL, 0);
	return -1;
}

int launch_result(const struct container *container, const struct launched *launched, struct error *err)
{
	const struct launch_page *page = launched->page;
	siginfo_t info = {0};

	if (page->error.class != ERROR_NONE) {
		*err = page->error;
		return -1;
	}
	if (page->ready && page->report.filter_failed) {
		error_set(err, ERROR_HOST, page->report.failed, "cannot load the seccomp filter");
		error_check(err, "seccomp");
		if (page->report.failed == EINVAL)
			error_hint(err, "this kernel lacks CONFIG_SECCOMP_FILTER, or a flag of the profile");
		return -1;
	}
	if (page->ready && page->report.failed)
		return program_explain(page->program, page->report.failed, err);
	if (page->ready)
		return check_label(container, launched, err);
	/* It died before it could say anything: killed from outside, or by the out-of-memory killer. */
	waitid(P_PIDFD, (id_t)launched->pidfd, &info, WEXITED | WNOWAIT);
	error_set(err, ERROR_HOST, 0,
		"the process of container %s was killed by signal %d before its program started",
		container->name, info.si_status);
	return -1;
}

int launch_take_terminal(struct launched *launched, struct terminal *terminal, struct error *err)
{
	int both[2] = {-1, -1};
	struct json_object *message = wire_receive(launched->terminal, both, array_length(both), err);

	*terminal = (struct terminal){both[0], both[1]};
	json_object_put(message);
	close(steal_fd(&launched->terminal));
	if (message && both[1] >= 0)
		return 0;
	terminal_close(terminal);
	return err->class != ERROR_NONE ? -1
					: error_set(err, ERROR_INTERNAL, 0, "the terminal did not arrive");
}

bool launch_reap(int pidfd, siginfo_t *info)
{
	*info = (siginfo_t){0};
	if (waitid(P_PIDFD, (id_t)pidfd, info, WEXITED | WNOHANG) < 0)
		return errno != EINTR;
	return info->si_pid != 0;
}

void launch_close(struct launched *launched)
{
	if (launched->pidfd >= 0)
		close(launched->pidfd);
	if (launched->notice >= 0)
		close(launched->notice);
	if (launched->page)
		munmap(launched->page, sizeof(*launched->page));
	if (launched->terminal >= 0)
		close(launched->terminal);
	*launched = (struct launched){.pidfd = -1, .notice = -1, .terminal = -1};
}
