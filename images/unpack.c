/* Writing entries into a rootfs. Theory of operation: unpack.h. */
#include "images/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "images/attributes.h"
#include "images/whiteouts.h"

#define FOLDERS "folders" /* in the workspace */

int unpack_init(struct unpack *unpack, enum unpack_kind kind, int root, int workspace,
	const struct load_limits *limits, struct load_progress *progress, struct losses *losses,
	struct error *err)
{
	int fd;

	*unpack = (struct unpack){
		.kind = kind,
		.root = root,
		.uid = geteuid(),
		.gid = getegid(),
		.limits = limits,
		.progress = progress,
		.losses = losses,
		.fd = -1,
	};
	parents_init(&unpack->parents, root);
	unlinkat(workspace, FOLDERS, 0);
	fd = openat(workspace, FOLDERS, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make a file in the store");
	unpack->folders = fdopen(fd, "w+");
	if (!unpack->folders) {
		close(fd);
		return error_set(err, ERROR_HOST, errno, "cannot open a file in the store");
	}
	return 0;
}

void unpack_free(struct unpack *unpack)
{
	parents_forget(&unpack->parents);
	if (unpack->folders)
		fclose(unpack->folders);
	cleanup_fd_fn(&unpack->fd);
	strv_free(unpack->implied.items);
	strv_free(unpack->opaque.items);
	*unpack = (struct unpack){.fd = -1};
}

int unpack_clean(
	enum unpack_kind kind, const struct entry *entry, const char *path, char *clean, struct error *err)
{
	const char *what = path == entry->path ? "its path" : "the path it links to";
	size_t used = 0;

	for (const char *p = path; *p; p += strspn(p, "/")) {
		size_t n = strcspn(p, "/");

		if (n == 2 && p[0] == '.' && p[1] == '.') {
			entry_error(entry, err, 0, "\"..\" in %s leads out of the rootfs", what);
			return error_hint(
				err, "this archive was made to write outside of where it is unpacked");
		}
		if (text_starts_with(p, ".wh.") && (kind == UNPACK_PLAIN || path != entry->path)) {
			entry_error(entry, err, 0, "it is a whiteout");
			return error_hint(
				err, "this is one layer of an image; flatten the image into a rootfs first");
		}
		if (n > 0 && !(n == 1 && p[0] == '.')) {
			if (used + n + 2 > PATH_MAX)
				return entry_error(entry, err, ENAMETOOLONG, "%s", what);
			if (used > 0)
				clean[used++] = '/';
			memcpy(clean + used, p, n);
			used += n;
		}
		p += n;
	}
	clean[used] = '\0';
	return 0;
}

static int count_entries(struct unpack *unpack, const struct entry *entry, unsigned int n, struct error *err)
{
	unpack->progress->entries += n;
	if (unpack->progress->entries <= unpack->limits->max_entries)
		return 0;
	entry_error(entry, err, 0, "more than %llu entries", (unsigned long long)unpack->limits->max_entries);
	return error_hint(err, "if the archive can be trusted: --max-entries");
}

/* The last folders of a path have been made. */
static int count_made(struct unpack *unpack, const struct entry *entry, const char *path, size_t length,
	unsigned int made, struct error *err)
{
	for (unsigned int i = 0; i < made && length > 0; i++) {
		unpack_note_implied(unpack, path, length);
		while (length > 0 && path[length - 1] != '/')
			length--;
		if (length > 0)
			length--;
	}
	return made ? count_entries(unpack, entry, made, err) : 0;
}

/* Splits a cleaned path: the descriptor of its folder (made if need be), and its name. */
static int open_parent(struct unpack *unpack, const struct entry *entry, const char *path, bool make,
	const char **name, struct error *err)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;
	unsigned int made = 0;
	int fd = parents_find(&unpack->parents, path, length, make ? &made : NULL, err);

	*name = slash ? slash + 1 : path;
	while (fd < 0 && make && err->errnum == ENOTDIR && unpack->n_whiteouts) {
		*err = (struct error){0};
		if (!whiteout_make_way(unpack, entry, path, length, err))
			return err->message[0] ? -1
					       : entry_error(entry, err, ENOTDIR, "cannot open its folder");
		fd = parents_find(&unpack->parents, path, length, &made, err);
	}
	/* In words of our own: the path may be too long for a message. */
	if (fd < 0 && err->errnum == ENOENT && make)
		return entry_error(entry, err, ENOENT,
			"its folder is behind a symbolic link that leads nowhere in the rootfs");
	if (fd < 0)
		return entry_error(entry, err, err->errnum, "cannot open %s",
			make ? "its folder" : "the folder of what it links to");
	return count_made(unpack, entry, path, length, made, err) < 0 ? -1 : fd;
}

int unpack_parent(struct unpack *unpack, const struct entry *entry, const char *path, const char **name,
	struct error *err)
{
	return open_parent(unpack, entry, path, true, name, err);
}

/* A hard link, to a name in the root whose last component is not followed. */
static int link_once(
	struct unpack *unpack, const struct entry *entry, int dirfd, const char *name, struct error *err)
{
	const char *old;
	struct stat a, b;
	int parent = open_parent(unpack, entry, unpack->link, false, &old, err);

	if (parent < 0)
		return entry_error(entry, err, err->errnum, "cannot link to %.200s", entry->hard_link);
	if (whiteout_is_there(unpack, parent, old))
		return entry_error(entry, err, ENOENT, "cannot link to %.200s", entry->hard_link);
	if (linkat(parent, old, dirfd, name, 0) == 0)
		return 0;
	if (errno == EEXIST && fstatat(parent, old, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
		fstatat(dirfd, name, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino)
		return 0; /* they are one already; replacing it would lose it */
	if (errno == EEXIST)
		return 1;
	return entry_error(entry, err, errno, "cannot link to %.200s", entry->hard_link);
}

/* Makes the entry under a free name. Returns 1 if the name is taken. */
static int make_once(
	struct unpack *unpack, const struct entry *entry, int dirfd, const char *name, struct error *err)
{
	mode_t mode = entry->mode & 07777;
	int result = -1;

	if (entry->hard_link)
		return link_once(unpack, entry, dirfd, name, err);
	switch (entry->mode & S_IFMT) {
	case S_IFREG:
		result = openat(
			dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 0777);
		unpack->fd = result;
		break;
	case S_IFDIR:
		result = mkdirat(dirfd, name, attributes_mode_for_now(unpack, mode));
		break;
	case S_IFLNK:
		result = symlinkat(entry->target, dirfd, name);
		break;
	case S_IFIFO:
	case S_IFCHR:
	case S_IFBLK:
		result = mknodat(dirfd, name, entry->mode, S_ISFIFO(entry->mode) ? 0 : entry->device);
		break;
	default:
		errno = EINVAL;
		break;
	}
	if (result >= 0)
		return 0;
	return errno == EEXIST ? 1 : entry_error(entry, err, errno, "cannot make it");
}

/* Takes away what has the entry's name: anything but a folder that isn't empty, as tar(1) does. */
static int make_way(const struct entry *entry, int dirfd, const char *name, struct error *err)
{
	if (unlinkat(dirfd, name, 0) == 0 || (errno == EISDIR && unlinkat(dirfd, name, AT_REMOVEDIR) == 0))
		return 0;
	if (errno == ENOTEMPTY)
		return entry_error(entry, err, 0, "it would replace a folder that is not empty");
	return entry_error(entry, err, errno, "cannot replace what is there");
}

static bool is_folder(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int set_attributes(
	struct unpack *unpack, const struct entry *entry, int dirfd, const char *name, struct error *err)
{
	cleanup_fd int fd = -1;

	if (!S_ISDIR(entry->mode))
		return attributes_set_at(unpack, dirfd, name, entry, err);
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return entry_error(entry, err, errno, "cannot open the folder");
	return attributes_set(unpack, fd, entry, err);
}

/* A hard link's content (cpio gives it with the last name of a file): opened for writing if there is any. */
static int open_link(
	struct unpack *unpack, const struct entry *entry, int dirfd, const char *name, struct error *err)
{
	struct stat st;

	if (!entry->size || !S_ISREG(entry->mode))
		return 0;
	unpack->fd = openat(dirfd, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (unpack->fd < 0 || fstat(unpack->fd, &st) < 0)
		return entry_error(entry, err, errno, "cannot write its content");
	if (!S_ISREG(st.st_mode))
		return entry_error(entry, err, 0, "it has content, and is a link to what is no file");
	if (ftruncate(unpack->fd, 0) < 0)
		return entry_error(entry, err, errno, "cannot write its content");
	unpack->is_link = true;
	return 0;
}

static int own_copy(int fd, int *own)
{
	*own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return *own;
}

/* Makes the entry where something is already. */
static int replace(
	struct unpack *unpack, const struct entry *entry, int dirfd, const char *name, struct error *err)
{
	bool hides = S_ISDIR(entry->mode) && !entry->hard_link && whiteout_is_there(unpack, dirfd, name);
	int result;

	if (make_way(entry, dirfd, name, err) < 0)
		return -1;
	/* What went may have been a step on the way to a kept folder. */
	parents_forget(&unpack->parents);
	result = make_once(unpack, entry, dirfd, name, err);
	if (result == 0 && hides)
		return whiteout_make_opaque(
			unpack, dirfd, name, unpack->path, strlen(unpack->path), entry, err);
	return result;
}

static int make(struct unpack *unpack, const struct entry *entry, struct error *err)
{
	const char *name;
	cleanup_fd int own = -1;
	int dirfd = open_parent(unpack, entry, unpack->path, true, &name, err);
	int result;

	if (dirfd < 0)
		return -1;
	/* The look-up of a hard link's other folder may close a kept descriptor, so this one becomes our own. */
	if (entry->hard_link)
		dirfd = own_copy(dirfd, &own);
	result = make_once(unpack, entry, dirfd, name, err);
	if (result == 1 && S_ISDIR(entry->mode) && !entry->hard_link && is_folder(dirfd, name)) {
		unpack_forget_implied(unpack);
		result = 0;
	}
	if (result == 1) {
		if (own < 0)
			dirfd = own_copy(dirfd, &own);
		result = replace(unpack, entry, dirfd, name, err);
	}
	if (result < 0)
		return -1;
	if (result == 1)
		return entry_error(entry, err, EEXIST, "cannot make it");
	if (entry->hard_link)
		return open_link(unpack, entry, dirfd, name, err);
	return unpack->fd >= 0 ? 0 : set_attributes(unpack, entry, dirfd, name, err);
}

static int check(struct unpack *unpack, const struct entry *entry, struct error *err)
{
	if (entry->uid < 0 || entry->uid >= UINT32_MAX || entry->gid < 0 || entry->gid >= UINT32_MAX)
		return entry_error(entry, err, 0, "its owner %lld:%lld is no id that Linux knows",
			(long long)entry->uid, (long long)entry->gid);
	if (S_ISCHR(entry->mode) && entry->device == makedev(0, 0)) {
		entry_error(entry, err, 0, "it is a whiteout (device 0:0)");
		return error_hint(
			err, "this is one layer of an image; flatten the image into a rootfs first");
	}
	if (unpack_clean(unpack->kind, entry, entry->path, unpack->path, err) < 0)
		return -1;
	unpack->whiteout = WHITEOUT_NONE;
	if (unpack->kind != UNPACK_PLAIN && whiteout_kind(entry, unpack->path, &unpack->whiteout, err) < 0)
		return -1;
	if (!unpack->path[0] && (!S_ISDIR(entry->mode) || entry->hard_link))
		return entry_error(entry, err, 0, "it has no name");
	if (entry->hard_link && unpack_clean(unpack->kind, entry, entry->hard_link, unpack->link, err) < 0)
		return -1;
	if (entry->hard_link && !unpack->link[0])
		return entry_error(entry, err, 0, "it is a hard link to the rootfs itself");
	return count_entries(unpack, entry, 1, err);
}

static bool is_left_out(struct unpack *unpack, const struct entry *entry)
{
	bool device = S_ISCHR(entry->mode) || S_ISBLK(entry->mode);

	if (entry->hard_link || (!device && !S_ISSOCK(entry->mode)))
		return false;
	/* A socket's file without the program behind it is good for nothing. */
	unpack_lose(unpack, device ? LOSS_DEVICE : LOSS_SOCKET, entry->path);
	return true;
}

int unpack_begin(struct unpack *unpack, const struct entry *entry, struct error *err)
{
	unpack->fd = -1;
	unpack->end = 0;
	unpack->is_link = false;
	if (check(unpack, entry, err) < 0)
		return -1;
	if (unpack->whiteout == WHITEOUT_AUFS) {
		unpack_lose(unpack, LOSS_AUFS, entry->path);
		return 0;
	}
	if (unpack->whiteout != WHITEOUT_NONE)
		return whiteout_make(unpack, entry, err);
	if (!unpack->path[0]) {
		unpack->has_root = true;
		return attributes_set(unpack, unpack->root, entry, err);
	}
	if (S_ISSOCK(entry->mode) && is_left_out(unpack, entry))
		return 0;
	if (make(unpack, entry, err) == 0)
		return 0;
	/* An ordinary user, or root of a container, can't make device nodes; minirun gives each container its own /dev. */
	if (err->errnum == EPERM && is_left_out(unpack, entry))
		return 0;
	return -1;
}

int unpack_finish(struct unpack *unpack, struct error *err)
{
	return attributes_finish(unpack, err);
}

void unpack_lose(struct unpack *unpack, enum loss loss, const char *what)
{
	losses_add(unpack->losses, loss, what);
}
