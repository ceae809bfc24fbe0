/* Removing a cgroup with all that is in it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "namespaces/cgroup.h"

#define REMOVE_TRIES 1000 /* of a millisecond each */

/*
 * Removes the cgroups in the one that fd is, as far as they have none in them. Returns a descriptor of one that has, -2 if
 * nothing is left, or -1 with errno.
 */
static int remove_children(int fd)
{
	cleanup_dir DIR *dir = fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		cleanup_fd int child = -1;
		struct stat st;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if (unlinkat(fd, entry->d_name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			continue;
		if (errno != EBUSY)
			return -1;
		child = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		/* A folder has a link from itself, one from above, and one from each folder in it. */
		if (child >= 0 && fstat(child, &st) == 0 && st.st_nlink > 2)
			return steal_fd(&child);
		errno = EBUSY;
		return -1;
	}
	return dir ? -2 : -1;
}

/*
 * Removes what is in the cgroup that fd is. A container can make cgroups in its own, in a user namespace, as deep as it likes:
 * so the walk holds one at a time, and goes up by "..", which nobody can move.
 */
static int remove_below(int fd)
{
	cleanup_fd int here = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unsigned int depth = 0;

	while (here >= 0) {
		int next = remove_children(here);

		if (next == -1 || (next == -2 && depth == 0))
			return next == -1 ? -1 : 0;
		depth += next == -2 ? -1U : 1U;
		if (next == -2)
			next = openat(here, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(here);
		here = next;
	}
	return -1;
}

int cgroup_remove(const char *path, struct error *err)
{
	const struct timespec millisecond = {.tv_nsec = 1000000};
	cleanup_fd int kill_fd = -1;
	cleanup_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0
				       : error_set(err, ERROR_HOST, errno, "cannot open the cgroup %s", path);
	if (rmdir(path) == 0)
		return 0;
	kill_fd = openat(fd, "cgroup.kill", O_WRONLY | O_CLOEXEC);
	if (kill_fd < 0 ? errno != ENOENT : fd_write_all(kill_fd, "1", 1) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot kill what is in the cgroup %s", path);
	/* A killed process is in its cgroup until it is gone. */
	for (int i = 0; i < REMOVE_TRIES; i++) {
		if (remove_below(fd) == 0 && (rmdir(path) == 0 || errno == ENOENT))
			return 0;
		nanosleep(&millisecond, NULL);
	}
	return error_set(err, ERROR_HOST, errno, "cannot remove the cgroup %s", path);
}
