/*
 * The sandbox: one process a pod, which holds its namespaces and outlives its supervisor by a moment.
 *
 * Theory of operation
 *
 * It is pid 1 of the pod's outer pid namespace, a fork of the supervisor, and does nothing but wait for the
 * supervisor's end on a pidfd. Then it kills all that is in its pid namespace, in whatever nested one, waits
 * until it is alone, calls on_orphaned and ends. If it is killed itself, the kernel kills its namespace.
 *
 * Should: keep nothing of the supervisor's alive: no terminal, pipe, folder or signal.
 * Mustn't: kill by the number -1 unless it is pid 1 of a namespace of its own.
 */
#include "namespaces/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

#define ORPHANS_WAIT_MS 5000 /* how long the dead may take to go; a zombie that nobody reaps holds nothing */

/* In the pod's user namespace: makes its others, which then belong to it, and waits for the end. */
static void __attribute__((noreturn)) maker_main(const struct sandbox_spec *spec, int namespaces, int ready)
{
	int errnum = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (setns(spec->users->fd, CLONE_NEWUSER) < 0 || unshare(namespaces) < 0)
		errnum = errno;
	write(ready, &errnum, sizeof(errnum));
	for (;;)
		pause();
}

/* We ourselves stay root of the host, which is root of each user namespace too: nobody else could clear up. */
static int make_apart(const struct sandbox_spec *spec, int namespaces, struct error *err)
{
	cleanup_fd int pidfd = -1;
	int ends[2], errnum = ESRCH;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make a pipe");
	pid = clone_process(0, -1, &pidfd, err);
	if (pid == 0)
		maker_main(spec, namespaces, ends[1]);
	close(ends[1]);
	if (pid > 0 && read(ends[0], &errnum, sizeof(errnum)) != sizeof(errnum))
		errnum = ESRCH;
	close(ends[0]);
	if (pid < 0)
		return -1;
	if (errnum == 0 && setns(pidfd, namespaces) < 0)
		errnum = errno;
	/* The kernel reaps it: SIGCHLD is ignored here. */
	pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	return errnum ? clone_error(err, errnum) : 0;
}

static int set_up(const struct sandbox_spec *spec, struct error *err)
{
	const struct sandbox sandbox = {.host_network = spec->host_network, .host_ipc = spec->host_ipc};
	int namespaces = sandbox_namespaces(&sandbox);

	if (spec->users && make_apart(spec, namespaces, err) < 0)
		return -1;
	/* Here and not at clone3(2): that would let the supervisor wait for it. */
	if (!spec->users && unshare(namespaces) < 0)
		return clone_error(err, errno);
	if (!spec->host_network) {
		if (spec->hostname && sethostname(spec->hostname, strlen(spec->hostname)) < 0)
			return error_set(
				err, ERROR_HOST, errno, "cannot set the hostname %s", spec->hostname);
		if (network_loopback_up(err) < 0)
			return -1;
	}
	return sysctl_apply(spec, err);
}

/* Ours no longer: the terminal, the folder, the signals, every descriptor but those that are needed. */
static int let_go(const struct sandbox_spec *spec, int watch, int ready)
{
	int keep[16] = {watch, ready};
	size_t n = 2;
	int null;

	if (spec->n_keep > array_length(keep) - 3) {
		errno = E2BIG;
		return -1;
	}
	for (size_t i = 0; i < spec->n_keep; i++)
		keep[n++] = spec->keep[i];
	if (spec->users)
		keep[n++] = spec->users->lock;
	if (fd_close_others(keep, n) < 0 || chdir("/") < 0)
		return -1;
	/* The clean-up may open files: none of them should be what a stray message is written to. */
	null = open("/dev/null", O_RDWR);
	while (null >= 0 && null < STDERR_FILENO)
		null = dup(null);
	if (null > STDERR_FILENO)
		close(null);
	return 0;
}

static void be_alone(void)
{
	const struct timespec pause = {.tv_nsec = 5000000};

	if (getpid() != 1)
		return;
	for (int i = 0; i < ORPHANS_WAIT_MS / 5; i++) {
		if (kill(-1, SIGKILL) < 0 && errno == ESRCH)
			return;
		nanosleep(&pause, NULL);
	}
}

static void __attribute__((noreturn)) sandbox_main(const struct sandbox_spec *spec, int watch, int ready)
{
	struct pollfd supervisor = {.fd = watch, .events = POLLIN};
	struct error err = {0};
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGCHLD, SIG_IGN); /* what is orphaned into pid 1 is reaped by the kernel */
	setsid();
	prctl(PR_SET_NAME, "minirun-sandbox");
	/* Whoever joins its namespaces must be allowed to look at it, which for an ordinary user means this. */
	if (userns_inside())
		prctl(PR_SET_DUMPABLE, 1);
	if (set_up(spec, &err) < 0) {
		/* At most PIPE_BUF: the parent gets all of it or nothing. */
		write(ready, &err, sizeof(err));
		_exit(1);
	}
	if (let_go(spec, watch, ready) < 0) {
		error_set(&err, ERROR_HOST, errno, "cannot close what the sandbox does not need");
		write(ready, &err, sizeof(err));
		_exit(1);
	}
	write(ready, "", 1);
	close(ready);
	while (poll(&supervisor, 1, -1) < 0 && errno == EINTR)
		;
	if (!spec->host_pid)
		be_alone();
	if (spec->on_orphaned)
		spec->on_orphaned(spec->data);
	_exit(0);
}

int sandbox_report_read(int reader, bool by_byte, struct error *err)
{
	union {
		struct error err;
		char bytes[sizeof(struct error)];
	} report;
	ssize_t n;

	do
		n = read(reader, report.bytes, sizeof(report));
	while (n < 0 && errno == EINTR);
	if (n == (by_byte ? 1 : 0))
		return 0;
	if (n == (ssize_t)sizeof(report)) {
		*err = report.err;
		return -1;
	}
	return error_set(err, ERROR_INTERNAL, 0, "the pod's sandbox died at birth");
}

int sandbox_begin(const struct sandbox_spec *spec, struct sandbox *sandbox, struct error *err)
{
	cleanup_fd int watch = pidfd_open(getpid(), 0);
	int ends[2];

	*sandbox = (struct sandbox){.pidfd = -1,
		.pause_pidfd = -1,
		.ready = -1,
		.host_network = spec->host_network,
		.host_pid = spec->host_pid,
		.host_ipc = spec->host_ipc,
		.share_process_namespace = spec->share_process_namespace,
		.users = spec->users};
	if (watch < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot watch over the pod");
	sandbox->pid = clone_process(spec->host_pid ? 0 : CLONE_NEWPID, -1, &sandbox->pidfd, err);
	if (sandbox->pid == 0)
		sandbox_main(spec, watch, ends[1]);
	close(ends[1]);
	sandbox->ready = ends[0];
	if (sandbox->pid > 0)
		return 0;
	close(steal_fd(&sandbox->ready));
	return -1;
}

int sandbox_wait(struct sandbox *sandbox, struct error *err)
{
	cleanup_fd int reader = steal_fd(&sandbox->ready);

	if (sandbox_report_read(reader, true, err) < 0 ||
		(sandbox->share_process_namespace && pause_start(sandbox, err) < 0)) {
		sandbox_stop(sandbox);
		return -1;
	}
	return 0;
}

int sandbox_start(const struct sandbox_spec *spec, struct sandbox *sandbox, struct error *err)
{
	return sandbox_begin(spec, sandbox, err) < 0 ? -1 : sandbox_wait(sandbox, err);
}

/* Containers are the supervisor's children: those that it has not waited for are reaped here, or nobody ever would. */
void process_await(int pidfd)
{
	struct pollfd gone = {.fd = pidfd, .events = POLLIN};
	siginfo_t info;

	while (poll(&gone, 1, 10) <= 0) {
		while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid)
			waitid(P_PID, (id_t)info.si_pid, &info, WEXITED);
	}
	waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG);
}

void sandbox_give_pipe(const struct sandbox *sandbox, int fd)
{
	struct stat st;

	if (sandbox->users && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) &&
		st.st_uid < sandbox->users->first)
		fchown(fd, sandbox->users->first, sandbox->users->first);
}

void sandbox_end_processes(struct sandbox *sandbox)
{
	if (sandbox->pause_pidfd < 0)
		return;
	pidfd_send_signal(sandbox->pause_pidfd, SIGKILL, NULL, 0);
	process_await(sandbox->pause_pidfd);
	close(steal_fd(&sandbox->pause_pidfd));
	sandbox->pause = 0;
}

void sandbox_stop(struct sandbox *sandbox)
{
	if (sandbox->pidfd < 0)
		return;
	sandbox_end_processes(sandbox);
	pidfd_send_signal(sandbox->pidfd, SIGKILL, NULL, 0);
	process_await(sandbox->pidfd);
	close(steal_fd(&sandbox->pidfd));
	cleanup_fd_fn(&sandbox->ready);
	sandbox->ready = -1;
	sandbox->pid = 0;
}
