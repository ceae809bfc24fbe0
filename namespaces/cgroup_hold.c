/* Holding a container's processes still, and letting one in meanwhile. Theory of operation: cgroup.h; cgroup-v2.rst, "cgroup.freeze". */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "namespaces/cgroup.h"

#define PATIENCE 5000 /* ms: what doesn't freeze by then waits for a disk or a network that doesn't answer */
#define PAUSE    200000 /* ns between two looks; it takes less than a millisecond, as a rule */
#define ROUNDS   16 /* of moving: who is frozen makes no new process */

bool cgroup_can_hold(void)
{
	cleanup_free char *own = cgroup_own("");
	cleanup_free char *procs = own ? xasprintf("%s/cgroup.procs", own) : NULL;

	return procs && access(own, W_OK) == 0 && access(procs, W_OK) == 0;
}

static int open_at(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Returns 0 or an errno. */
static int freeze(int fd)
{
	const struct timespec pause = {.tv_nsec = PAUSE};
	int errnum = cgroup_write(fd, "cgroup.freeze", "1");
	struct timespec begin, now;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	while (errnum == 0) {
		cleanup_free char *events = cgroup_read(fd, "cgroup.events");

		if (events && strstr(events, "frozen 1"))
			return 0;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 > PATIENCE)
			errnum = ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
	return errnum;
}

int cgroup_hold(const struct cgroup *cgroup, struct error *err)
{
	cleanup_fd int fd = open_at(cgroup->held);
	int errnum = fd < 0 ? errno : freeze(fd);

	if (errnum == 0)
		return 0;
	cgroup_release(cgroup);
	error_set(err, ERROR_HOST, errnum, "cannot hold a container that has SYS_PTRACE still");
	return errnum == ETIMEDOUT
		       ? error_hint(err,
				 "a process of it hangs in the kernel, as one that waits for a disk does")
		       : -1;
}

void cgroup_release(const struct cgroup *cgroup)
{
	cleanup_fd int fd = open_at(cgroup->held);

	if (fd >= 0)
		cgroup_write(fd, "cgroup.freeze", "0");
}

int cgroup_make_entry(const struct cgroup *container, struct cgroup *entry, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/enter", container->path[CGROUP_UNIFIED]);

	*entry = cgroup_none;
	/* What another one that was killed has left. */
	if (cgroup_remove(path, err) < 0)
		return -1;
	if (mkdir(path, 0755) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make cgroup %s", path);
	for (int i = 0; i < CGROUP_PLACES; i++)
		if (i != CGROUP_UNIFIED && cgroup_home(container, i) >= 0)
			entry->fd[i] = fcntl(cgroup_home(container, i), F_DUPFD_CLOEXEC, 3);
	entry->fd[CGROUP_UNIFIED] = open_at(path);
	if (entry->fd[CGROUP_UNIFIED] < 0)
		return error_set(err, ERROR_HOST, errno, "cannot open cgroup %s", path);
	entry->path[CGROUP_UNIFIED] = steal_pointer(&path);
	return 0;
}

/* True if there was something to move. */
static bool move(int fromfd, int tofd)
{
	cleanup_free char *pids = cgroup_read(fromfd, "cgroup.procs");
	char *rest = pids, *pid;
	bool any = false;

	while (rest && (pid = strsep(&rest, "\n"))) {
		any |= *pid != '\0';
		if (*pid)
			cgroup_write(tofd, "cgroup.procs", pid);
	}
	return any;
}

void cgroup_end_entry(struct cgroup *entry, const struct cgroup *container)
{
	int fd = entry->fd[CGROUP_UNIFIED];
	struct error ignored;

	if (fd >= 0) {
		freeze(fd);
		for (int i = 0; i < ROUNDS && move(fd, cgroup_home(container, CGROUP_UNIFIED)); i++)
			;
		cgroup_remove(entry->path[CGROUP_UNIFIED], &ignored);
	}
	cgroup_close(entry);
}
