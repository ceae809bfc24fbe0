/*
 * Copying an image's layers into a folder, for a machine that makes no overlay of them.
 *
 * From the lowest layer on, each is laid over what is there: what it hides goes (whiteouts.h), a folder joins one of its name,
 * anything else takes the place of what has its name. The walk goes by descriptors and follows no link, in the layer and in the
 * copy alike. Attributes that are overlayfs's own aren't copied; a second name of a file becomes a hard link again.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/inroot.h"
#include "base/memory.h"
#include "base/text.h"
#include "images/images.h"
#include "images/inodes.h"
#include "images/whiteouts.h"

#define BLOCK     (128U << 10)
#define MAX_DEPTH 512 /* each level holds two descriptors */
#define MAX_XATTR 65536
#define NOBODY    65534

struct copy {
	const struct image_ids *ids;
	int root; /* of the copy */
	struct inodes inodes; /* of the layer at hand */
	char path[PATH_MAX]; /* of the entry at hand */
	size_t length;
	char *buffer;
};

static int cannot(const struct copy *copy, struct error *err)
{
	int errnum = errno;
	cleanup_free char *path = text_printable(copy->path, copy->length);

	return error_set(err, ERROR_HOST, errnum, "cannot copy /%s of the image", path);
}

static uint32_t shift(const struct image_ids *ids, uint32_t id)
{
	return !ids->count ? id : ids->first + (id < ids->count ? id : NOBODY);
}

static int give(const struct copy *copy, int dirfd, const char *name, const struct stat *st)
{
	return fchownat(dirfd, name, shift(copy->ids, st->st_uid), shift(copy->ids, st->st_gid),
		AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
}

/* Those that a file system, or a user, can't have here weren't there either. */
static int copy_xattrs(const struct copy *copy, int from, int to)
{
	char names[MAX_XATTR];
	ssize_t size = flistxattr(from, names, sizeof(names));

	for (const char *name = names; size > 0 && name < names + size; name += strlen(name) + 1) {
		ssize_t n;

		if (text_starts_with(name, "trusted.overlay.") || text_starts_with(name, "user.overlay."))
			continue;
		n = fgetxattr(from, name, copy->buffer, BLOCK);
		if (n >= 0 && fsetxattr(to, name, copy->buffer, (size_t)n, 0) < 0 && errno != ENOTSUP &&
			errno != EPERM)
			return -1;
	}
	return 0;
}

/* Owner first: a change of it takes setuid bits and capabilities away. */
static int copy_attributes(const struct copy *copy, int from, int to, const struct stat *st)
{
	const struct timespec times[] = {st->st_atim, st->st_mtim};

	return give(copy, to, "", st) < 0 || copy_xattrs(copy, from, to) < 0 ||
			       fchmod(to, st->st_mode & 07777) < 0 || futimens(to, times) < 0
		       ? -1
		       : 0;
}

/* From offset on, up to end; by the file system itself where it can, which may cost no room. */
static int copy_bytes(const struct copy *copy, int from, int to, off_t offset, off_t end)
{
	off_t at = offset;

	while (offset < end) {
		ssize_t n = copy_file_range(from, &offset, to, &at, (size_t)(end - offset), 0);

		if (n <= 0)
			break;
	}
	while (offset < end) {
		size_t room = end - offset < (off_t)BLOCK ? (size_t)(end - offset) : BLOCK;
		ssize_t n = pread(from, copy->buffer, room, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -1 : 0;
		if (lseek(to, offset, SEEK_SET) < 0 || fd_write_all(to, copy->buffer, (size_t)n) < 0)
			return -1;
		offset += n;
	}
	return 0;
}

static int copy_file(struct copy *copy, int from_dir, int to_dir, const char *name, struct error *err)
{
	cleanup_fd int from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	cleanup_fd int to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;
	off_t data = 0;

	if (from < 0 || to < 0 || fstat(from, &st) < 0 || ftruncate(to, st.st_size) < 0)
		return cannot(copy, err);
	while (data < st.st_size && (data = lseek(from, data, SEEK_DATA)) >= 0) {
		off_t hole = lseek(from, data, SEEK_HOLE);

		if (hole < 0)
			hole = st.st_size;
		if (copy_bytes(copy, from, to, data, hole) < 0)
			return cannot(copy, err);
		data = hole;
	}
	return copy_attributes(copy, from, to, &st) < 0 ? cannot(copy, err) : 0;
}

/* A link, a device, a pipe, a socket. */
static int copy_special(struct copy *copy, int from_dir, int to_dir, const char *name, const struct stat *st,
	struct error *err)
{
	const struct timespec times[] = {st->st_atim, st->st_mtim};

	if (S_ISLNK(st->st_mode)) {
		char target[PATH_MAX];
		ssize_t n = readlinkat(from_dir, name, target, sizeof(target) - 1);

		if (n < 0)
			return cannot(copy, err);
		target[n] = '\0';
		if (symlinkat(target, to_dir, name) < 0)
			return cannot(copy, err);
	} else if (mknodat(to_dir, name, st->st_mode, st->st_rdev) < 0) {
		return cannot(copy, err);
	}
	if (give(copy, to_dir, name, st) < 0 ||
		(!S_ISLNK(st->st_mode) && fchmodat(to_dir, name, st->st_mode & 07777, 0) < 0) ||
		utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot(copy, err);
	return 0;
}

static int copy_names(struct copy *copy, int from, int to, int depth, struct error *err);

static int copy_folder(
	struct copy *copy, int from_dir, int to_dir, const char *name, int depth, struct error *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	cleanup_fd int from = openat(from_dir, name, flags);
	cleanup_fd int to = -1;
	struct stat st, there;

	if (from < 0 || fstat(from, &st) < 0)
		return cannot(copy, err);
	if (fstatat(to_dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		(!S_ISDIR(there.st_mode) || whiteout_is_opaque(from)) &&
		inroot_remove_tree(to_dir, name, err) < 0)
		return -1;
	if (mkdirat(to_dir, name, 0700) == 0 || errno == EEXIST)
		to = openat(to_dir, name, flags);
	if (to < 0)
		return cannot(copy, err);
	if (copy_names(copy, from, to, depth + 1, err) < 0)
		return -1;
	return copy_attributes(copy, from, to, &st) < 0 ? cannot(copy, err) : 0;
}

static int copy_entry(
	struct copy *copy, int from_dir, int to_dir, const char *name, int depth, struct error *err)
{
	const char *first = NULL;
	struct stat st;

	if (fstatat(from_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot(copy, err);
	if (S_ISDIR(st.st_mode))
		return copy_folder(copy, from_dir, to_dir, name, depth, err);
	if (inroot_remove_tree(to_dir, name, err) < 0)
		return -1;
	if (whiteout_is(from_dir, name, &st))
		return 0;
	if (st.st_nlink > 1)
		first = inodes_meet(&copy->inodes, st.st_ino, copy->path);
	if (first)
		return linkat(copy->root, first, to_dir, name, 0) < 0 ? cannot(copy, err) : 0;
	return S_ISREG(st.st_mode) ? copy_file(copy, from_dir, to_dir, name, err)
				   : copy_special(copy, from_dir, to_dir, name, &st, err);
}

static int copy_names(struct copy *copy, int from, int to, int depth, struct error *err)
{
	cleanup_dir DIR *dir = NULL;
	const struct dirent *entry;
	size_t length = copy->length;
	int result = 0, fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	errno = depth > MAX_DEPTH ? ELOOP : errno;
	dir = fd < 0 || depth > MAX_DEPTH ? NULL : fdopendir(fd);
	if (!dir) {
		cannot(copy, err);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while (result == 0 && (entry = readdir(dir))) {
		int n;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		n = snprintf(copy->path + length, sizeof(copy->path) - length, "%s%s", length ? "/" : "",
			entry->d_name);
		errno = ENAMETOOLONG;
		copy->length = length + (size_t)n;
		result = copy->length >= sizeof(copy->path)
				 ? cannot(copy, err)
				 : copy_entry(copy, from, to, entry->d_name, depth, err);
		copy->length = length;
		copy->path[length] = '\0';
	}
	return result;
}

int image_copy_layers(const int *layers, size_t n, int folder, const struct image_ids *ids, struct error *err)
{
	struct copy copy = {.ids = ids, .root = folder, .buffer = xcalloc(1, BLOCK)};
	int result = 0;

	while (result == 0 && n > 0) {
		result = copy_names(&copy, layers[--n], folder, 0, err);
		inodes_free(&copy.inodes);
	}
	free(copy.buffer);
	return result;
}
