/* Descriptors: whole reads and writes, pidfds, closing everything. */
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

#define NEIGHBOURS_MAX 4096 /* files of a folder that are looked at for a guess */

int fd_write_all(int fd, const void *data, size_t size)
{
	const char *p = data;

	while (size > 0) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

int fd_read_all(int fd, const char *name, size_t max, enum error_class class, char **text, size_t *size,
	struct error *err)
{
	cleanup_free char *buffer = NULL;
	size_t used = 0, room = 0;

	for (;;) {
		ssize_t n;

		if (room - used < 2) {
			room = room ? room * 2 : 8192;
			buffer = xreallocarray(buffer, room, 1);
		}
		n = read(fd, buffer + used, room - used - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, class, errno, "cannot read %s", name);
		if (n == 0)
			break;
		used += (size_t)n;
		if (used > max)
			return error_set(
				err, class, 0, "%s is larger than the limit of %zu bytes", name, max);
	}
	buffer[used] = '\0';
	*text = steal_pointer(&buffer);
	if (size)
		*size = used;
	return 0;
}

/* For a file that isn't there: the one beside it that may have been meant. */
static int hint_at_nearest(const char *path, struct error *err)
{
	cleanup_free char *folder = path_folder(path);
	cleanup_dir DIR *dir = opendir(folder);
	const char *base = path_base(path), *nearest;
	const struct dirent *entry;
	struct strv found = {0};

	while (dir && found.n < NEIGHBOURS_MAX && (entry = readdir(dir)))
		if (*entry->d_name != '.' && (entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN))
			strv_push(&found, xstrdup(entry->d_name));
	nearest = text_nearest(base, (const char *const *)found.items, found.n);
	if (nearest) {
		cleanup_free char *safe = text_printable(nearest, strlen(nearest));

		error_hint(err, "did you mean %.*s%s?", (int)(base - path), path, safe);
	}
	strv_free(found.items);
	return -1;
}

int file_read(
	const char *path, size_t max, enum error_class class, char **text, size_t *size, struct error *err)
{
	cleanup_fd int fd = -1;
	struct stat st;

	if (!*path)
		return error_set(err, class, 0, "the name of a file is empty");
	if (!strcmp(path, "-"))
		return fd_read_all(STDIN_FILENO, "standard input", max, class, text, size, err);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 && errno == ENOENT) {
		error_set(err, class, errno, "cannot open %s", path);
		return hint_at_nearest(path, err);
	}
	if (fd < 0)
		return error_set(err, class, errno, "cannot open %s", path);
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		return error_set(err, class, EISDIR, "cannot read %s", path);
	return fd_read_all(fd, path, max, class, text, size, err);
}

int file_replace(int dirfd, const char *name, mode_t mode, const void *data, size_t size, struct error *err)
{
	cleanup_free char *temporary = xasprintf(".%s.%d.new", name, (int)getpid());
	cleanup_fd int fd = -1;

	unlinkat(dirfd, temporary, 0);
	fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set(err, ERROR_HOST, errno, "cannot create %s", name);
	if (fchmod(fd, mode) < 0 || fd_write_all(fd, data, size) < 0 ||
		renameat(dirfd, temporary, dirfd, name) < 0) {
		int errnum = errno;

		unlinkat(dirfd, temporary, 0);
		return error_set(err, ERROR_HOST, errnum, "cannot write %s", name);
	}
	return 0;
}

int file_may_write(const char *path, struct error *err)
{
	cleanup_free char *folder = path_folder(path);
	struct stat st;

	if (!*path_base(path)) /* "profiles/" */
		return error_set(err, ERROR_USAGE, EISDIR, "cannot write %s", path);
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return error_set(err, ERROR_USAGE, S_ISDIR(st.st_mode) ? EISDIR : 0,
			S_ISDIR(st.st_mode) ? "cannot write %s" : "cannot write %s: it is no regular file",
			path);
	if (stat(folder, &st) < 0 || access(folder, W_OK) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot write %s", path);
	return 0;
}

int file_write(const char *path, mode_t mode, const void *data, size_t size, struct error *err)
{
	cleanup_free char *folder = path_folder(path);
	cleanup_fd int fd = -1;

	if (file_may_write(path, err) < 0)
		return -1;
	fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set(err, ERROR_HOST, errno, "cannot open %s", folder);
	return file_replace(fd, path_base(path), mode, data, size, err);
}

static int compare_ints(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

int fd_close_others(const int *keep, size_t n)
{
	cleanup_free int *sorted = xcalloc(n + 1, sizeof(*sorted));
	unsigned int from = 0;

	for (size_t i = 0; i < n; i++)
		sorted[i] = keep[i];
	qsort(sorted, n, sizeof(*sorted), compare_ints);
	for (size_t i = 0; i < n; i++) {
		if (sorted[i] < 0 || (unsigned int)sorted[i] < from)
			continue;
		if ((unsigned int)sorted[i] > from && close_range(from, (unsigned int)sorted[i] - 1, 0) < 0)
			return -1;
		from = (unsigned int)sorted[i] + 1;
	}
	return close_range(from, ~0U, 0);
}

const char *fd_path(int fd, char *buffer, size_t size)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, buffer, size - 1);
	if (n < 0)
		return "(unknown path)";
	buffer[n] = '\0';
	return buffer;
}
