/*
 * Facts about pid namespaces, pidfds and setns, on which the sandbox relies. Root in a user namespace will do.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static pid_t clone3_with(unsigned long long flags, int *pidfd)
{
	struct clone_args args = {.flags = flags | CLONE_PIDFD,
		.pidfd = (unsigned long long)(unsigned long)pidfd,
		.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD};

	fflush(stdout);
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* The init of a pid namespace, which does nothing. */
static pid_t start_init(unsigned long long flags, int *pidfd)
{
	pid_t pid = clone3_with(flags | CLONE_NEWPID, pidfd);

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static int end(int pidfd)
{
	siginfo_t info = {0};

	pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED);
	close(pidfd);
	return info.si_status;
}

static bool in_child(bool (*check)(int pidfd), int pidfd)
{
	int status = 1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(check(pidfd) ? 0 : 1);
	waitpid(pid, &status, 0);
	return status == 0;
}

/* ---- nesting ---- */

static bool nests_directly(int init)
{
	int pidfd;

	return setns(init, CLONE_NEWPID) == 0 && clone3_with(CLONE_NEWPID, &pidfd) < 0 && errno == EINVAL;
}

static void a_namespace_is_made_inside_the_makers_own_only(void)
{
	int init;

	expect(start_init(0, &init) > 0);
	expect(in_child(nests_directly, init));
	end(init);
}

static bool child_goes_there(int init)
{
	int pidfd;
	pid_t pid;
	siginfo_t info = {0};

	if (setns(init, CLONE_NEWPID) < 0)
		return false;
	pid = clone3_with(0, &pidfd);
	if (pid == 0)
		_exit(getpid() == 2 && getppid() == 0 ? 0 : 1);
	waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED);
	return info.si_status == 0;
}

static void setns_with_a_pidfd_chooses_where_children_go(void)
{
	int init;

	expect(start_init(0, &init) > 0);
	expect(in_child(child_goes_there, init));
	end(init);
}

/* What the helper of namespaces/clone.c does: one that lives in the outer namespace makes the inner one's init. */
static bool nested_dies(int outer)
{
	volatile pid_t *grandchild =
		mmap(NULL, sizeof(pid_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int helper, ends[2];
	char byte;
	pid_t pid;

	if (pipe(ends) < 0 || setns(outer, CLONE_NEWPID) < 0)
		return false;
	pid = clone3_with(0, &helper);
	if (pid == 0) {
		pid = clone3_with(CLONE_NEWPID | CLONE_PARENT, &helper);
		if (pid == 0) {
			write(ends[1], getpid() == 1 ? "1" : "x", 1);
			for (;;)
				pause();
		}
		*grandchild = pid;
		_exit(pid > 0 ? 0 : 1);
	}
	waitpid(pid, NULL, 0);
	if (read(ends[0], &byte, 1) != 1 || byte != '1')
		return false;
	/* CLONE_PARENT: it is our child, and we see it die with the outer init, though nobody touched it. */
	pidfd_send_signal(outer, SIGKILL, NULL, 0);
	pid = waitpid(-1, NULL, 0);
	return pid > 0 && *grandchild > 0;
}

static void a_nested_init_dies_with_the_outer_and_is_a_child_of_whom_CLONE_PARENT_says(void)
{
	int outer;

	expect(start_init(0, &outer) > 0);
	expect(in_child(nested_dies, outer));
	end(outer);
}

/* ---- joining ---- */

static ino_t namespace_of(const char *name)
{
	char path[64];
	struct stat st = {0};

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	stat(path, &st);
	return st.st_ino;
}

static bool joins_all(int init)
{
	ino_t net = namespace_of("net"), ipc = namespace_of("ipc"), uts = namespace_of("uts");

	return setns(init, CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) == 0 && net != namespace_of("net") &&
	       ipc != namespace_of("ipc") && uts != namespace_of("uts");
}

static void one_setns_joins_several(void)
{
	int init;

	expect(start_init(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS, &init) > 0);
	expect(in_child(joins_all, init));
	end(init);
}

static bool hostname_is_the_namespaces(int init)
{
	char name[16] = "";

	return setns(init, CLONE_NEWUTS) == 0 && sethostname("inside", 6) == 0 &&
	       gethostname(name, sizeof(name)) == 0 && !strcmp(name, "inside");
}

static void a_hostname_set_inside_stays_inside(void)
{
	char before[65] = "", after[65] = "";
	int init;

	gethostname(before, sizeof(before));
	expect(start_init(CLONE_NEWUTS, &init) > 0);
	expect(in_child(hostname_is_the_namespaces, init));
	gethostname(after, sizeof(after));
	expect_text(after, before);
	end(init);
}

/* ---- a supervisor's end ---- */

static void a_pidfd_tells_of_a_process_that_is_no_child(void)
{
	int ends[2], watched = -1;
	struct pollfd gone = {.events = POLLIN};
	pid_t pid;

	expect(pipe(ends) == 0);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		read(ends[0], &(char){0}, 1);
		_exit(0);
	}
	watched = pidfd_open(pid, 0);
	gone.fd = watched;
	expect(poll(&gone, 1, 0) == 0);
	kill(pid, SIGKILL);
	expect(poll(&gone, 1, 5000) == 1);
	waitpid(pid, NULL, 0);
	close(watched);
	close(ends[0]);
	close(ends[1]);
}

static void a_fork_can_kill_all_in_its_namespace_and_knows_when_it_is_alone(void)
{
	int init, status = 1;
	pid_t pid = clone3_with(CLONE_NEWPID, &init);

	if (pid == 0) {
		pid = fork();
		if (pid == 0)
			for (;;)
				pause();
		signal(SIGCHLD, SIG_IGN);
		for (int i = 0; i < 500 && kill(-1, SIGKILL) == 0; i++)
			usleep(10000);
		_exit(kill(-1, 0) < 0 && errno == ESRCH ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	expect(status == 0);
	close(init);
}

int main(void)
{
	group(a_namespace_is_made_inside_the_makers_own_only);
	group(setns_with_a_pidfd_chooses_where_children_go);
	group(a_nested_init_dies_with_the_outer_and_is_a_child_of_whom_CLONE_PARENT_says);
	group(one_setns_joins_several);
	group(a_hostname_set_inside_stays_inside);
	group(a_pidfd_tells_of_a_process_that_is_no_child);
	group(a_fork_can_kill_all_in_its_namespace_and_knows_when_it_is_alone);
	return unit_done();
}
