/*
 * Facts about seccomp filters and execve that law R0 stands on:
 * a filter that allows execve alone starts a program; a failed execve can be told without a system call; a trap ends
 * any process, even process 1; and close-on-exec is the kernel's doing, so no filter can be in its way.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#if defined(__x86_64__)
#define SYS_WAITING SYS_pause
#else
#define SYS_WAITING SYS_ppoll
#endif

static char bare[4096]; /* the path of the helper */

struct page {
	volatile int failed;
};

static struct page *page;

/* Loads a filter that answers EPERM to all but up to two calls (-1: none). */
static void load_filter(long first, long second)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)first, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)second, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(insns) / sizeof(*insns), insns};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		_exit(99);
}

/* The child's last steps; what is told is told through the page, then by a trap. */
__attribute__((noreturn)) static void filter_and_execute(const char *path, long first, long second)
{
	char *argv[] = {bare, NULL}, *envp[] = {NULL};

	load_filter(first, second);
	execve(path, argv, envp);
	page->failed = errno;
	for (;;)
		__builtin_trap();
}

static int run(const char *path, long first, long second)
{
	pid_t child;
	int status;

	page->failed = 0;
	child = fork();
	if (child == 0)
		filter_and_execute(path, first, second);
	waitpid(child, &status, 0);
	return status;
}

static void execve_alone_starts_a_program(void)
{
	int status = run(bare, SYS_execve, -1);

	expect(page->failed == 0);
	/* Its own trap, not the launcher's: it runs, and may not even exit. */
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGTRAP);
	status = run(bare, SYS_execve, SYS_exit_group);
	expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void failed_execve_is_told(void)
{
	int status = run("/nonexistent", SYS_execve, -1);

	expect(page->failed == ENOENT);
	expect(WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL);
}

static void refused_execve_is_told(void)
{
	int status = run(bare, -1, -1);

	expect(page->failed == EPERM);
	expect(WIFSIGNALED(status));
}

/* A new pid namespace, in a new user namespace if need be. */
static pid_t clone_process_1(void)
{
	struct clone_args {
		unsigned long long flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} args = {.flags = CLONE_NEWPID | (geteuid() ? CLONE_NEWUSER : 0), .exit_signal = SIGCHLD};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static void trap_ends_process_1(void)
{
	pid_t child;
	int status;
	sigset_t all;

	page->failed = 0;
	child = clone_process_1();
	if (child == 0) {
		/* Neither ignoring the signal nor blocking it may help. */
		for (int i = 1; i < 32; i++)
			signal(i, SIG_IGN);
		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, NULL);
		if (getpid() != 1)
			_exit(98);
		filter_and_execute("/nonexistent", SYS_execve, -1);
	}
	expect(child > 0);
	waitpid(child, &status, 0);
	expect(page->failed == ENOENT);
	expect(WIFSIGNALED(status));
}

static void trap_leaves_no_core_when_not_dumpable(void)
{
	pid_t child = fork();
	struct rlimit limit;
	int status;

	if (child == 0) {
		getrlimit(RLIMIT_CORE, &limit);
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_CORE, &limit);
		prctl(PR_SET_DUMPABLE, 0);
		filter_and_execute("/nonexistent", SYS_execve, -1);
	}
	waitpid(child, &status, 0);
	expect(WIFSIGNALED(status) && !WCOREDUMP(status));
}

static void close_on_exec_needs_no_call(void)
{
	struct pollfd poller = {.events = POLLIN};
	int ends[2];
	pid_t child;

	expect(pipe2(ends, O_CLOEXEC) == 0);
	child = fork();
	if (child == 0)
		filter_and_execute(bare, SYS_execve, SYS_WAITING);
	close(ends[1]);
	poller.fd = ends[0];
	/* The other end closes while the program lives on, waiting. */
	expect(poll(&poller, 1, 10000) == 1 && (poller.revents & POLLHUP));
	expect(waitpid(child, NULL, WNOHANG) == 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(ends[0]);
}

int main(int argc, char **argv)
{
	(void)argc;
	/* The helpers are built beside the facts. */
	snprintf(bare, sizeof(bare), "%s", argv[0]);
	dirname(bare);
	strncat(bare, "/../helpers/bare", sizeof(bare) - strlen(bare) - 1);
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	group(execve_alone_starts_a_program);
	group(failed_execve_is_told);
	group(refused_execve_is_told);
	group(trap_ends_process_1);
	group(trap_leaves_no_core_when_not_dumpable);
	group(close_on_exec_needs_no_call);
	return unit_done();
}
