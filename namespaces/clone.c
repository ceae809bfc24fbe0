/*
 * Making processes in pid namespaces other than our own.
 *
 * Theory of operation
 *
 * A process can be put into another pid namespace only at birth: by setns(2) its maker chooses where its next
 * children go. And CLONE_NEWPID makes the new namespace inside the one in which the *maker* lives, not the one it
 * has chosen (the kernel answers EINVAL when they differ). So to nest a namespace in the sandbox's, some process
 * must live in there first. Nor can a supervisor choose for a moment and then choose back: without privileges on the
 * host it has none over its own first pid namespace.
 *
 * So helpers do it. Each is made by clone(2) as vfork(2) would, sharing memory and descriptors with its maker, who
 * stands still until it is gone; this costs some 10 us, not a copy of the address space:
 *   chooser  in our pid namespace; chooses the outer one, makes the next
 *   nester   lives in the outer one; makes the real child with CLONE_NEWPID
 * All but the chooser are made with CLONE_PARENT, and so are children of the supervisor, which alone can wait for them.
 * The real child is made without CLONE_VM: it has a copy of the supervisor's memory, in which the frame of
 * clone_from is as it was, and gets back into it by longjmp(3).
 */
#include "namespaces/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "namespaces/mounts.h"

#define HELPER_FLAGS (CLONE_VM | CLONE_VFORK | CLONE_FILES)
#define HELPER_STACK 32768
#define FIRST_PIDS   "pid:[4026531836]" /* PROC_PID_INIT_INO */

struct birth {
	int there; /* pidfd: whose pid namespace it is about */
	bool nested;
	const struct sandbox
		*own; /* a pod with users of its own: it is born in all of their namespaces; or NULL */
	struct clone_args args;
	int pidfd, errnum;
	pid_t nester;
	char *nester_stack;
	jmp_buf child;
};

int clone_error(struct error *err, int errnum)
{
	error_set(err, ERROR_HOST, errnum, "cannot make a process with namespaces of its own");
	switch (errnum) {
	case ENOSPC:
		error_hint(err, "a limit of namespaces is reached: see sysctl user.max_pid_namespaces, "
				"user.max_net_namespaces, user.max_mnt_namespaces and their like");
		break;
	case EAGAIN:
		error_hint(err, "a limit of processes is reached: see ulimit -u, and pids.max of the cgroup");
		break;
	case ESRCH:
		error_hint(err, "the process whose namespaces were to be entered has ended");
		break;
	default:
		break;
	}
	return error_check(err, "namespaces");
}

static pid_t raw_clone3(struct clone_args *args)
{
	return (pid_t)syscall(SYS_clone3, args, sizeof(*args));
}

static void prepare(struct clone_args *args, uint64_t flags, int cgroupfd, const int *pidfd)
{
	memset(args, 0, sizeof(*args));
	args->flags = flags | CLONE_PIDFD;
	args->pidfd = (uintptr_t)pidfd;
	if (cgroupfd >= 0) {
		args->flags |= CLONE_INTO_CGROUP;
		args->cgroup = (uint64_t)cgroupfd;
	}
}

pid_t clone_process(uint64_t flags, int cgroupfd, int *pidfd, struct error *err)
{
	struct clone_args args;
	pid_t pid;

	prepare(&args, flags, cgroupfd, pidfd);
	args.exit_signal = SIGCHLD;
	pid = raw_clone3(&args);
	return pid >= 0 ? pid : clone_error(err, errno);
}

/* In the last helper. */
static int bear(struct birth *birth)
{
	pid_t pid = raw_clone3(&birth->args);

	if (pid == 0)
		longjmp(birth->child, 1);
	if (pid < 0)
		birth->errnum = errno;
	_exit(0);
}

static int nester_main(void *data)
{
	return bear(data);
}

/*
 * The namespaces of a pod come before its users': whoever is in those has no right to choose any more. Nor could it take away
 * the mounts of the pod's volumes, which would be locked, and so lie on the old root for good.
 */
static int choose(const struct birth *birth)
{
	const struct sandbox *own = birth->own;

	if (setns(birth->there, CLONE_NEWPID | (own ? sandbox_namespaces(own) : 0)) < 0)
		return -1;
	if (!own)
		return 0;
	return volumes_shed_mounts() < 0 ? -1 : setns(own->users->fd, CLONE_NEWUSER);
}

static int chooser_main(void *data)
{
	struct birth *birth = data;

	if (choose(birth) < 0) {
		birth->errnum = errno;
		_exit(0);
	}
	if (!birth->nested)
		return bear(birth);
	birth->nester = clone(nester_main, birth->nester_stack, HELPER_FLAGS | CLONE_PARENT, birth);
	if (birth->nester < 0)
		birth->errnum = errno;
	_exit(0);
}

static void wait_for(pid_t pid)
{
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* The line of a pidfd's fdinfo that starts with key, in text; NULL if there is none. */
static const char *pidfd_info(int procfd, int pidfd, const char *key, char *text, size_t size)
{
	char path[64];
	const char *line;
	cleanup_fd int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "%sself/fdinfo/%d", procfd < 0 ? "/proc/" : "", pidfd);
	fd = openat(procfd, path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, text, size - 1) : -1;
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	line = strstr(text, key);
	return line ? line + strlen(key) : NULL;
}

bool process_sees_first_pids(void)
{
	char target[64] = "";

	return readlink("/proc/self/ns/pid", target, sizeof(target) - 1) > 0 && !strcmp(target, FIRST_PIDS);
}

pid_t process_of_pidfd(int procfd, int pidfd)
{
	char text[512];
	const char *line = pidfd_info(procfd, pidfd, "\nPid:", text, sizeof(text));

	return line ? (pid_t)strtol(line, NULL, 10) : 0;
}

/* Whether it lives in our own pid namespace, and not in one below: it then has one pid and no second. */
static bool is_beside_us(int pidfd)
{
	char text[512];
	const char *line = pidfd_info(-1, pidfd, "\nNSpid:\t", text, sizeof(text));

	return line && !memchr(line, '\t', strcspn(line, "\n"));
}

/* A frame below that of setjmp, as longjmp goes up a stack only; and on that stack, where the sanitizers look for it. */
static __attribute__((noinline)) int run_helpers(struct birth *birth)
{
	char stacks[2][HELPER_STACK] __attribute__((aligned(16)));
	pid_t chooser;

	birth->nester_stack = stacks[1] + HELPER_STACK;
	chooser = clone(chooser_main, stacks[0] + HELPER_STACK, HELPER_FLAGS | SIGCHLD, birth);
	if (chooser < 0)
		return errno;
	wait_for(chooser);
	wait_for(birth->nester);
	return birth->errnum;
}

static pid_t clone_from(struct birth *birth, struct error *err)
{
	int errnum;
	pid_t pid;

	if (setjmp(birth->child))
		return 0;
	errnum = run_helpers(birth);
	if (errnum)
		return clone_error(err, errnum);
	pid = process_of_pidfd(-1, birth->pidfd);
	if (pid > 0)
		return pid;
	/* A child that can't be named is no use. */
	pidfd_send_signal(birth->pidfd, SIGKILL, NULL, 0);
	waitid((idtype_t)P_PIDFD, (id_t)birth->pidfd, &(siginfo_t){0}, WEXITED);
	close(birth->pidfd);
	error_set(err, ERROR_HOST, 0, "cannot learn the pid of a new container from /proc/self/fdinfo");
	return error_hint(err, "mount procfs at /proc");
}

static const struct sandbox *with_users(const struct sandbox *sandbox)
{
	return sandbox && sandbox->users ? sandbox : NULL;
}

pid_t clone_nested(const struct sandbox *sandbox, int outer_pidfd, uint64_t flags, int cgroupfd, int *pidfd,
	struct error *err)
{
	struct birth birth = {.there = outer_pidfd, .nested = true, .own = with_users(sandbox), .pidfd = -1};
	pid_t pid;

	prepare(&birth.args, flags | CLONE_NEWPID | CLONE_PARENT, cgroupfd, &birth.pidfd);
	pid = clone_from(&birth, err);
	if (pid > 0)
		*pidfd = birth.pidfd;
	return pid;
}

pid_t clone_beside(const struct sandbox *sandbox, int there_pidfd, uint64_t flags, int cgroupfd, int *pidfd,
	struct error *err)
{
	struct birth birth = {.there = there_pidfd, .own = with_users(sandbox), .pidfd = -1};
	pid_t pid;

	/* There is nothing to choose then, and an ordinary user would have no right to choose the host's. */
	if (is_beside_us(there_pidfd))
		return clone_process(flags, cgroupfd, pidfd, err);
	prepare(&birth.args, flags | CLONE_PARENT, cgroupfd, &birth.pidfd);
	pid = clone_from(&birth, err);
	if (pid > 0)
		*pidfd = birth.pidfd;
	return pid;
}

int sandbox_namespaces(const struct sandbox *sandbox)
{
	/* A pod with the host's network has the host's name too, as under containerd. */
	return (sandbox->host_network ? 0 : CLONE_NEWNET | CLONE_NEWUTS) |
	       (sandbox->host_ipc ? 0 : CLONE_NEWIPC);
}
