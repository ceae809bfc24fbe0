/* The folder in which `minirun check` tries things, and its keeper. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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
#include "runner/check.h"

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

static void __attribute__((noreturn)) keep(int base, const char *name, int wait_for)
{
	pid_t parent = getppid();
	const struct timespec pause = {.tv_nsec = 10000000};
	sigset_t all;
	char byte;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	fd_close_others((const int[]){base, wait_for}, 2);
	while (read(wait_for, &byte, 1) < 0 && errno == EINTR)
		;
	trial_cgroup_sweep(parent);
	for (int i = 0; i < REMOVE_TRIES; i++) {
		struct error ignored;

		if (inroot_remove_tree(base, name, &ignored) == 0)
			break;
		nanosleep(&pause, NULL);
	}
	_exit(0);
}

static int start_keeper(struct scratch *scratch, int base, const char *name)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	scratch->keeper = fork();
	if (scratch->keeper == 0) {
		close(ends[1]);
		keep(base, name, ends[0]);
	}
	close(ends[0]);
	scratch->alive = ends[1];
	return scratch->keeper < 0 ? -1 : 0;
}

void scratch_open(struct scratch *scratch, const char *store)
{
	cleanup_free char *base = choose_base(store);
	cleanup_fd int basefd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *path = xasprintf("%s/.minirun-check.XXXXXX", strcmp(base, "/") != 0 ? base : "");

	*scratch = (struct scratch){.fd = -1, .path = path, .alive = -1};
	if (basefd < 0 || !mkdtemp(path)) {
		error_set(&scratch->error, ERROR_HOST, errno, "cannot make a folder in %s", base);
		return;
	}
	if (start_keeper(scratch, basefd, strrchr(path, '/') + 1) < 0) {
		error_set(&scratch->error, ERROR_HOST, errno, "cannot make a process");
		rmdir(path);
		return;
	}
	scratch->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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
