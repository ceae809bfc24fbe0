/*
 * The cgroup of a container: for now a place to kill all of its processes at once. Limits come later.
 *
 * Only version 2, and no controller is needed. Made below the cgroup that minirun is in, which an ordinary user may do
 * where systemd has delegated one.
 */
#include "namespaces/namespaces.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"

#define REMOVE_TRIES 1000 /* of a millisecond each */

static const char *const mount_points[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

static const char *find_mount_point(void)
{
	for (size_t i = 0; i < array_length(mount_points); i++) {
		struct statfs fs;

		if (statfs(mount_points[i], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
			return mount_points[i];
	}
	return NULL;
}

/* The path of our own cgroup, from the line "0::/path" of cgroups(7); to be freed. */
static char *own_cgroup(const char *mount_point)
{
	struct error err = {0};
	cleanup_free char *text = NULL;

	if (file_read("/proc/self/cgroup", 65536, ERROR_HOST, &text, NULL, &err) < 0)
		return NULL;
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");

		if (text_starts_with(line, "0::/")) {
			const char *path = line + strlen("0::");

			/* One that is outside the root of our cgroup namespace shows as "/..". */
			if (text_starts_with(path, "/.."))
				return NULL;
			return xasprintf("%s%.*s", mount_point, (int)(length - strlen("0::")),
				length == 4 ? "" : path);
		}
		line += length + (line[length] == '\n');
	}
	return NULL;
}

int cgroup_make(const char *name, char **path)
{
	const char *mount_point = find_mount_point();
	cleanup_free char *own = mount_point ? own_cgroup(mount_point) : NULL;
	cleanup_free char *whole = own ? xasprintf("%s/%s", own, name) : NULL;
	int fd;

	*path = NULL;
	if (!whole)
		return -1;
	for (char *slash = whole + strlen(own) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(whole, 0755);
		*slash = '/';
	}
	if (mkdir(whole, 0755) < 0 && errno != EEXIST)
		return -1;
	fd = open(whole, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		rmdir(whole);
		return -1;
	}
	*path = steal_pointer(&whole);
	return fd;
}

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
	if (kill_fd < 0 || fd_write_all(kill_fd, "1", 1) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot kill what is in the cgroup %s", path);
	/* A killed process is in its cgroup until it is gone. */
	for (int i = 0; i < REMOVE_TRIES; i++) {
		if (remove_below(fd) == 0 && (rmdir(path) == 0 || errno == ENOENT))
			return 0;
		nanosleep(&millisecond, NULL);
	}
	return error_set(err, ERROR_HOST, errno, "cannot remove the cgroup %s", path);
}
