/*
 * Loading a folder: its tree is copied, and hashed on the way.
 *
 * The digest is over a canonical text of the tree: entries depth first, each folder's names in the order of their bytes;
 * of each its path, mode, owner, device, time, target, attributes, then those blocks of its content that aren't all
 * zeros, with their offsets. So it doesn't depend on how a file system stores holes or orders names.
 *
 * The walk goes by descriptors and follows no link. It stays on one file system: what is mounted below is left out, as
 * is what a half-running system has there (/proc). A second name of a file becomes a hard link again.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "images/digest.h"
#include "images/inodes.h"
#include "images/load.h"

#define BLOCK     (128U << 10)
#define GRAIN     4096 /* zeros are left out in pieces of this */
#define MAX_DEPTH 512 /* each level holds a descriptor */
#define MAX_XATTR 65536

struct walk {
	struct load *load;
	dev_t device;
	struct stat store; /* what must not be copied into itself */
	struct digest digest;
	char path[PATH_MAX]; /* of the entry at hand */
	size_t length;
	struct inodes inodes;
	char *buffer;
	struct xattr *xattrs;
	size_t n_xattrs;
	char *xattr_names;
};

static int cannot(struct walk *walk, const char *what, struct error *err)
{
	const struct entry entry = {.path = walk->path[0] ? walk->path : "."};

	return entry_error(&entry, err, errno, "cannot read %s", what);
}

static void free_xattrs(struct walk *walk)
{
	for (size_t i = 0; i < walk->n_xattrs; i++)
		free((void *)walk->xattrs[i].value);
	free(walk->xattrs);
	free(walk->xattr_names);
	walk->xattrs = NULL;
	walk->xattr_names = NULL;
	walk->n_xattrs = 0;
}

static int compare_xattrs(const void *a, const void *b)
{
	return strcmp(((const struct xattr *)a)->name, ((const struct xattr *)b)->name);
}

/* Sorted by name, so that the digest doesn't depend on the file system. */
static int read_xattrs(struct walk *walk, int fd, struct error *err)
{
	ssize_t size = flistxattr(fd, NULL, 0);

	if (size <= 0)
		return size == 0 || errno == ENOTSUP ? 0 : cannot(walk, "its attributes", err);
	walk->xattr_names = xcalloc(1, (size_t)size + 1);
	size = flistxattr(fd, walk->xattr_names, (size_t)size);
	if (size < 0)
		return cannot(walk, "its attributes", err);
	for (const char *name = walk->xattr_names; name < walk->xattr_names + size;
		name += strlen(name) + 1) {
		char *value = xcalloc(1, MAX_XATTR);
		ssize_t n = fgetxattr(fd, name, value, MAX_XATTR);
		struct xattr *xattr;

		if (n < 0) {
			free(value);
			if (errno == ENODATA || errno == EPERM || errno == EACCES)
				continue; /* another namespace's */
			return cannot(walk, "its attributes", err);
		}
		walk->xattrs = xreallocarray(walk->xattrs, walk->n_xattrs + 1, sizeof(*walk->xattrs));
		xattr = &walk->xattrs[walk->n_xattrs++];
		*xattr = (struct xattr){
			.name = name, .value = xreallocarray(value, (size_t)n, 1), .size = (size_t)n};
	}
	if (walk->n_xattrs)
		qsort(walk->xattrs, walk->n_xattrs, sizeof(*walk->xattrs), compare_xattrs);
	return 0;
}

static void digest_entry(struct walk *walk, const struct entry *entry)
{
	struct digest *digest = &walk->digest;

	digest_add(digest, entry->path, strlen(entry->path) + 1);
	digest_add_number(digest, entry->mode);
	digest_add_number(digest, (uint64_t)entry->uid);
	digest_add_number(digest, (uint64_t)entry->gid);
	digest_add_number(digest, entry->device);
	digest_add_number(digest, entry->size);
	digest_add_number(digest, (uint64_t)entry->mtime.tv_sec);
	digest_add_number(digest, (uint64_t)entry->mtime.tv_nsec);
	for (int i = 0; i < 2; i++) {
		const char *text = i ? entry->target : entry->hard_link;

		digest_add_number(digest, text != NULL);
		if (text)
			digest_add(digest, text, strlen(text) + 1);
	}
	digest_add_number(digest, entry->n_xattrs);
	for (size_t i = 0; i < entry->n_xattrs; i++) {
		digest_add(digest, entry->xattrs[i].name, strlen(entry->xattrs[i].name) + 1);
		digest_add_number(digest, entry->xattrs[i].size);
		digest_add(digest, entry->xattrs[i].value, entry->xattrs[i].size);
	}
}

static bool is_zero(const char *data, size_t size)
{
	return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

/* Hands on what isn't zeros, in runs as long as possible. */
static int copy_block(
	struct walk *walk, const struct entry *entry, uint64_t offset, size_t size, struct error *err)
{
	for (size_t from = 0, to; from < size; from = to) {
		bool zero = is_zero(walk->buffer + from, size - from < GRAIN ? size - from : GRAIN);

		for (to = from; to < size; to += GRAIN)
			if (is_zero(walk->buffer + to, size - to < GRAIN ? size - to : GRAIN) != zero)
				break;
		if (to > size)
			to = size;
		if (zero)
			continue;
		for (size_t i = from; i < to; i += GRAIN) {
			digest_add_number(&walk->digest, offset + i);
			digest_add(&walk->digest, walk->buffer + i, to - i < GRAIN ? to - i : GRAIN);
		}
		if (unpack_content(&walk->load->unpack, entry, offset + from, walk->buffer + from, to - from,
			    err) < 0)
			return -1;
	}
	return 0;
}

static int copy_content(struct walk *walk, const struct entry *entry, int fd, struct error *err)
{
	uint64_t offset = 0;

	while (offset < entry->size) {
		/* Past holes; offsets stay multiples of GRAIN, wherever the file system's extents begin. */
		off_t data = lseek(fd, (off_t)offset, SEEK_DATA);
		ssize_t n;

		if (data < 0 && errno == ENXIO)
			break;
		if (data > 0)
			offset = (uint64_t)data / GRAIN * GRAIN;
		n = pread(fd, walk->buffer, BLOCK, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cannot(walk, "it", err);
		if (n == 0 || offset + (uint64_t)n > entry->size)
			return entry_error(entry, err, 0, "it changed while it was being copied");
		if (copy_block(walk, entry, offset, (size_t)n, err) < 0)
			return -1;
		offset += (uint64_t)n;
		walk->load->progress.read += (uint64_t)n;
		load_report(walk->load);
	}
	return 0;
}

static int copy_folder(struct walk *walk, int fd, int depth, struct error *err);

/* What needs an open file: a regular file, a folder. */
static int copy_open(
	struct walk *walk, int dirfd, const char *name, struct entry *entry, int depth, struct error *err)
{
	struct unpack *unpack = &walk->load->unpack;
	bool is_folder = S_ISDIR(entry->mode);
	cleanup_fd int fd = openat(dirfd, name,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (is_folder ? O_DIRECTORY : 0));
	struct stat st;
	int result;

	if (fd < 0 || fstat(fd, &st) < 0)
		return cannot(walk, "it", err);
	if ((st.st_mode & S_IFMT) != (entry->mode & S_IFMT))
		return entry_error(entry, err, 0, "it changed while it was being copied");
	if (is_folder && st.st_dev == walk->store.st_dev && st.st_ino == walk->store.st_ino) {
		error_set(err, ERROR_IMAGE, 0, "the store itself is in it, at %s", entry->path);
		return error_hint(err, "load a folder that does not hold minirun's store");
	}
	result = read_xattrs(walk, fd, err);
	entry->xattrs = walk->xattrs;
	entry->n_xattrs = walk->n_xattrs;
	if (result == 0) {
		digest_entry(walk, entry);
		result = unpack_begin(unpack, entry, err);
	}
	if (result == 0 && !is_folder)
		result = copy_content(walk, entry, fd, err);
	if (result == 0)
		result = unpack_end(unpack, entry, err);
	free_xattrs(walk);
	if (result < 0 || !is_folder)
		return result;
	if (st.st_dev == walk->device)
		return copy_folder(walk, steal_fd(&fd), depth + 1, err);
	unpack_lose(unpack, LOSS_MOUNT, entry->path);
	return 0;
}

/* One name of a folder. walk->path is that of the entry. */
static int copy_entry(struct walk *walk, int dirfd, const char *name, int depth, struct error *err)
{
	char target[PATH_MAX];
	struct stat st;
	struct entry entry;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot(walk, "it", err);
	entry = (struct entry){
		.path = walk->path,
		.mode = st.st_mode,
		.uid = st.st_uid,
		.gid = st.st_gid,
		.size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0,
		.device = S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) ? st.st_rdev : 0,
		.mtime = st.st_mtim,
	};
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlinkat(dirfd, name, target, sizeof(target) - 1);

		if (n < 0)
			return cannot(walk, "it", err);
		target[n] = '\0';
		entry.target = target;
	}
	if (!S_ISDIR(st.st_mode) && !S_ISSOCK(st.st_mode) && st.st_nlink > 1 && st.st_dev == walk->device)
		entry.hard_link = inodes_meet(&walk->inodes, st.st_ino, walk->path);
	if (!entry.hard_link && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return copy_open(walk, dirfd, name, &entry, depth, err);
	if (entry.hard_link)
		entry.size = 0;
	digest_entry(walk, &entry);
	if (unpack_begin(&walk->load->unpack, &entry, err) < 0)
		return -1;
	return unpack_end(&walk->load->unpack, &entry, err);
}

/* All names of the folder, sorted by their bytes; takes fd. */
static int read_names(struct walk *walk, int fd, struct strv *names, struct error *err)
{
	cleanup_dir DIR *dir = fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		cannot(walk, "the folder", err);
		close(fd);
		return -1;
	}
	for (errno = 0; (entry = readdir(dir)); errno = 0)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			strv_push(names, xstrdup(entry->d_name));
	if (errno)
		return cannot(walk, "the folder", err);
	strv_sort(names);
	return 0;
}

/* The names below a folder; takes fd. */
static int copy_folder(struct walk *walk, int fd, int depth, struct error *err)
{
	cleanup_fd int dirfd = fd;
	struct strv names = {0};
	size_t length = walk->length;
	int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result;

	if (copy < 0)
		return cannot(walk, "the folder", err);
	if (depth > MAX_DEPTH) {
		close(copy);
		errno = ELOOP;
		return cannot(walk, "folders so deep", err);
	}
	result = read_names(walk, copy, &names, err);
	for (size_t i = 0; result == 0 && i < names.n; i++) {
		int n = snprintf(walk->path + length, sizeof(walk->path) - length, "%s%s", length ? "/" : "",
			names.items[i]);

		if ((size_t)n >= sizeof(walk->path) - length) {
			errno = ENAMETOOLONG;
			result = cannot(walk, "it", err);
			break;
		}
		walk->length = length + (size_t)n;
		result = copy_entry(walk, dirfd, names.items[i], depth, err);
		walk->length = length;
		walk->path[length] = '\0';
	}
	strv_free(names.items);
	return result;
}

int folder_unpack(struct load *load, int source_fd, char *digest, struct error *err)
{
	struct walk walk = {.load = load};
	struct entry entry = {.path = ""};
	struct stat st;
	int result;

	if (fstat(source_fd, &st) < 0 || fstat(load->store->fd, &walk.store) < 0)
		return error_set(err, ERROR_IMAGE, errno, "cannot read the folder");
	walk.device = st.st_dev;
	walk.buffer = xcalloc(1, BLOCK);
	entry.mode = st.st_mode;
	entry.uid = st.st_uid;
	entry.gid = st.st_gid;
	entry.mtime = st.st_mtim;
	digest_init(&walk.digest);
	digest_add(&walk.digest, "minirun tree 1", sizeof("minirun tree 1"));
	result = copy_open(&walk, source_fd, ".", &entry, 0, err);
	digest_end(&walk.digest, digest);
	inodes_free(&walk.inodes);
	free(walk.buffer);
	return result;
}
