/* Launch: a struct container becomes a running process. Theory of operation: launch.h. */
#include "runner/pod/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/inroot.h"
#include "base/memory.h"
#include "runner/plan/identity.h"
#include "runner/pod/program.h"
#include "runner/pod/timer.h"
#include "runner/pod/wire.h"

#define SPINS    200
#define NAP      20000 /* ns */
#define PATIENCE 10000 /* ms */

/* What parent and child share. No pointers: they would mean nothing on the other side. */
struct launch_page {
	volatile int ready; /* the child has come as far as execve */
	struct exec_report report;
	char program[256]; /* the path given to execve, for the message; cut if longer */
	struct error error;
};

/* The container's own /dev/null. A device of that name that the image or a volume put there isn't taken. */
static int open_null(int rootfd, struct error *err)
{
	struct stat st;
	cleanup_fd int fd = inroot_open(rootfd, "/dev/null", O_RDONLY | O_NOCTTY | O_NONBLOCK, err);

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return error_set(err, ERROR_IMAGE, 0, "/dev/null is not the null device");
	return steal_fd(&fd);
}

/* The caller's descriptors in the child. */
struct ends {
	const int *stdio;
	int notice;
	int terminal; /* the socket by which a terminal is sent; -1: there is none */
};

/*
 * Should: make 0, 1 and 2 what the caller gave, owned by the container's user, so that it can open /dev/stdout again.
 * Mustn't: touch a descriptor that isn't a pipe: it may be the user's file.
 */
static int attach_stdio(uid_t user, const int stdio[3], int rootfd, struct error *err)
{
	cleanup_fd int null = -1;

	if (stdio[0] < 0) {
		null = open_null(rootfd, err);
		if (null < 0)
			return -1;
	}
	for (int i = 0; i < 3; i++) {
		int fd = i == 0 && stdio[0] < 0 ? null : stdio[i];
		struct stat st;

		if (dup2(fd, i) < 0)
			return error_set(err, ERROR_INTERNAL, errno, "dup2");
		if (fstat(i, &st) == 0 && S_ISFIFO(st.st_mode) && st.st_uid != user)
			fchown(i, user, (gid_t)-1);
	}
	return 0;
}

/* The working folder, made if missing, never through a magic link (CVE-2024-21626). */
static int enter_working_folder(const char *cwd, int rootfd, struct error *err)
{
	cleanup_fd int fd = inroot_mkdirs(rootfd, cwd, 0755, err);

	if (fd < 0 || fchdir(fd) < 0) {
		if (fd >= 0)
			error_set(err, ERROR_PROGRAM, errno, "cannot enter %s", cwd);
		err->class = ERROR_PROGRAM;
		return error_wrap(err, "workingDir");
	}
	return 0;
}

static const char *environment_value(char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; env && *env; env++)
		if (!strncmp(*env, name, n) && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}

/*
 * Should: make the terminal 0, 1 and 2, and that of the session (the program's own shell then has job control), and hand both
 * ends over. Mustn't: be seen by the container with the other end open: this process isn't dumpable, and closes it soon.
 */
static int attach_terminal(const struct container *container, uid_t user, struct terminal *terminal,
	int socket, struct error *err)
{
	const int both[] = {terminal->master, terminal->slave};
	struct json_object *message = json_object_new_object();
	int result;

	fchown(terminal->slave, user, (gid_t)-1);
	ioctl(terminal->slave, TIOCSWINSZ, &container->window);
	for (int i = 0; i < 3; i++)
		if (dup2(terminal->slave, i) < 0)
			error_set(err, ERROR_INTERNAL, errno, "dup2");
	if (ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
		error_set(err, ERROR_HOST, errno, "cannot make the terminal that of the session");
	result = wire_send(socket, message, both, array_length(both), err);
	terminal_close(terminal);
	return result < 0 || err->class != ERROR_NONE ? -1 : 0;
}

static char **complete_environment(char *const *env, const char *home, bool terminal)
{
	struct strv all = {0};

	for (char *const *e = env; *e; e++)
		strv_push(&all, *e);
	if (!environment_value(env, "HOME"))
		strv_push(&all, xasprintf("HOME=%s", home));
	/* As containerd's WithTTY. */
	if (terminal && !environment_value(env, "TERM"))
		strv_push(&all, xstrdup("TERM=xterm"));
	return all.items ? all.items : strv_copy(NULL);
}

/* Stages 2 and 3, or for exec the same in a container that runs. */
static int isolate(const struct container *container, const struct ends *ends, struct terminal *terminal,
	int *procfd, struct error *err)
{
	const int keep[] = {ends->stdio[0], ends->stdio[1], ends->stdio[2], ends->notice, ends->terminal};

	if (container->join_pidfd < 0)
		return isolation_enter(
			&container->isolation, container->terminal ? terminal : NULL, procfd, err);
	return isolation_join(
		container->join_pidfd, container->isolation.cgroup, keep, array_length(keep), procfd, err);
}

/* Stages 2 to 4 and what hangs on them. On return the process is who and where it shall be. */
static int become(const struct container *container, const struct ends *ends, int *procfd, char ***env,
	struct error *err)
{
	struct terminal terminal = {-1, -1};
	cleanup_fd int root = -1;
	cleanup_free char *home = NULL;
	struct credentials credentials;
	bool keep_admin = container->locks.seccomp && !container->locks.no_new_privs;

	if (isolate(container, ends, &terminal, procfd, err) < 0)
		return -1;
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return error_set(err, ERROR_HOST, errno, "cannot open the container's root");
	if (container->terminal && container->join_pidfd >= 0 &&
		terminal_open(root, *procfd, &terminal, err) < 0)
		return -1;
	if (identity_complete(container, root, &credentials, &home, err) < 0 ||
		(container->terminal
				? attach_terminal(container, credentials.uid, &terminal, ends->terminal, err)
				: attach_stdio(credentials.uid, ends->stdio, root, err)) < 0 ||
		enter_working_folder(container->cwd, root, err) < 0)
		return -1;
	/* A session keyring of its own: the caller's keys aren't the container's. Best effort, as with runc. */
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0);
	*env = complete_environment(container->env, home, container->terminal);
	return credentials_apply(&credentials, container->set_groups, keep_admin, err);
}

/* The child's whole life up to execve. Returns only on an error that is in page->error. */
static void child(const struct container *container, const struct ends *ends, struct launch_page *page)
{
	struct error *err = &page->error;
	int procfd = -1;
	char **env = NULL;
	char *program;

	if (become(container, ends, &procfd, &env, err) < 0)
		return;
	/*
	 * Closing on exec would be too late: execve resolves the program's path before, and the image says what that is
	 * (an interpreter /proc/self/fd/9/../../bin/sh is the host's, CVE-2024-21626).
	 */
	if (fd_close_others((const int[]){0, 1, 2, ends->notice, procfd}, 5) < 0) {
		error_set(err, ERROR_HOST, errno, "close_range");
		return;
	}
	/* Changing ids clears it. Best effort beside the sandbox: for a pod with hostPID it is all there is. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	program = program_find(container->argv[0], environment_value(env, "PATH"), err);
	if (!program)
		return;
	strncpy(page->program, program, sizeof(page->program) - 1);
	if (locks_apply(&container->locks, procfd, err) < 0)
		return;
	close(procfd);
	page->ready = 1;
	locks_exec(&container->locks, &page->report, ends->notice, program, container->argv, env);
}

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
		child(container, &(struct ends){stdio, notice[1], terminal[1]}, page);
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
