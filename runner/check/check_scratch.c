/* The folder in which `minirun check` tries things, and its keeper. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/inroot.h"
#include "base/memory.h"
#include "namespaces/trials.h"
#include "runner/check/check.h"

#define REMOVE_TRIES 200 /* of 10 ms each: a pod that was killed is still clearing up */

/* The folder to make ours in: where loads work if the store is there, else the nearest that exists above. */
static char *choose_base(const char *store)
{
	char *base = xasprintf("%s/tmp", store);
	struct stat st;

	while (stat(base, &st) < 0 || !S_ISDIR(st.st_mode)) {
		char *slash = strrchr(base, '/');

		if (!slash || slash == base) {
			free(base);
			return xstrdup("/");
		}
		*slash = '\0';
	}
	return base;
}

/* What the keeper tells: the folder it has made, or why it has none. */
struct made {
	int errnum;
	char path[PATH_MAX];
};

static void remove_all(int base, const char *name, pid_t parent)
{
	const struct timespec pause = {.tv_nsec = 10000000};

	for (int i = 0; i < REMOVE_TRIES; i++) {
		struct error ignored;

		if (inroot_remove_tree(base, name, &ignored) == 0)
			break;
		nanosleep(&pause, NULL);
	}
	trial_cgroup_sweep(parent);
}

static void __attribute__((noreturn)) keep(int base, const char *pattern, int told, int wait_for)
{
	pid_t parent = getppid();
	struct made made = {0};
	sigset_t all;
	char byte;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	fd_close_others((const int[]){base, told, wait_for}, 3);
	snprintf(made.path, sizeof(made.path), "%s", pattern);
	if (!mkdtemp(made.path))
		made.errnum = errno;
	write(told, &made, sizeof(made));
	close(told);
	if (made.errnum)
		_exit(0);
	while (read(wait_for, &byte, 1) < 0 && errno == EINTR)
		;
	remove_all(base, strrchr(made.path, '/') + 1, parent);
	_exit(0);
}

/* The keeper makes the folder: from the first moment on there is somebody to remove it. Returns an errno, or 0. */
static int start_keeper(struct scratch *scratch, int base, const char *pattern)
{
	struct made made = {.errnum = EIO};
	int alive[2], told[2];

	if (pipe2(alive, O_CLOEXEC) < 0)
		return errno;
	if (pipe2(told, O_CLOEXEC) < 0) {
		close(alive[0]);
		close(alive[1]);
		return EMFILE;
	}
	scratch->keeper = fork();
	if (scratch->keeper == 0) {
		close(alive[1]);
		keep(base, pattern, told[1], alive[0]);
	}
	close(alive[0]);
	close(told[1]);
	scratch->alive = alive[1];
	if (scratch->keeper < 0 || read(told[0], &made, sizeof(made)) != sizeof(made))
		made.errnum = EAGAIN;
	close(told[0]);
	if (!made.errnum)
		scratch->path = xstrdup(made.path);
	return made.errnum;
}

void scratch_open(struct scratch *scratch, const char *store)
{
	cleanup_free char *base = choose_base(store);
	cleanup_fd int basefd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_free char *pattern =
		xasprintf("%s/.minirun-check.XXXXXX", strcmp(base, "/") != 0 ? base : "");
	int errnum = errno;

	*scratch = (struct scratch){.fd = -1, .alive = -1};
	if (basefd >= 0)
		errnum = start_keeper(scratch, basefd, pattern);
	if (basefd < 0 || errnum) {
		error_set(&scratch->error, ERROR_HOST, errnum, "cannot make a folder in %s", base);
		return;
	}
	scratch->fd = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* What nobody locks is cleared by the next load (images/store.c). */
	if (scratch->fd >= 0)
		flock(scratch->fd, LOCK_EX | LOCK_NB);
}

void scratch_close(struct scratch *scratch)
{
	cleanup_fd_fn(&scratch->fd);
	cleanup_fd_fn(&scratch->alive);
	if (scratch->keeper > 0)
		waitpid(scratch->keeper, NULL, 0);
	free(scratch->path);
	*scratch = (struct scratch){.fd = -1, .alive = -1};
}
