/* Paths inside a root that we don't trust: resolving, making and removing. Theory of operation: inroot.h. */
#include "base/inroot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"

#define RETRIES   128 /* as filepath-securejoin: a walk that races this often is under attack */
#define LINKS     8 /* dangling links that lead to one another, when a file is made */
#define MAX_DEPTH 64 /* levels of a tree that removal holds open at once */

static int resolve(int dirfd, const char *path, int flags, mode_t mode, uint64_t how_to)
{
	struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC), .mode = mode, .resolve = how_to};
	int fd = -1;

	for (int i = 0; i < RETRIES; i++) {
		fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			return fd;
	}
	return fd;
}

/* Keeps the errno of openat2 and explains the two that surprise. */
static int explain(struct error *err, const char *path, const char *what)
{
	int errnum = errno;

	error_set(err, ERROR_IMAGE, errnum, "%s %s", what, path);
	if (errnum == ENOSYS)
		error_hint(err, "openat2 needs Linux 5.6, or a seccomp filter around minirun that allows it");
	if (errnum == ENOSYS || errnum == EPERM)
		return error_check(err, "openat2");
	if (errnum == ELOOP)
		error_hint(err, "the path goes through a magic link or too many symbolic links");
	else if (errnum == EAGAIN)
		error_hint(err, "something renames folders below this path faster than it can be resolved");
	return -1;
}

int inroot_open(int rootfd, const char *path, int flags, struct error *err)
{
	int fd;

	if (flags & O_CREAT) {
		errno = EINVAL;
		return explain(err, path, "cannot create");
	}
	fd = resolve(rootfd, *path ? path : ".", flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	return fd >= 0 ? fd : explain(err, path, "cannot open");
}

int inroot_open_strict(int rootfd, const char *path, int flags, struct error *err)
{
	int fd = resolve(rootfd, path, flags, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);

	return fd >= 0 ? fd : explain(err, path, "cannot open");
}

/* The length of the prefix of path that ends before its next component; see inroot_mkdirs. */
static size_t component_end(const char *path, size_t from)
{
	while (path[from] == '/')
		from++;
	while (path[from] && path[from] != '/')
		from++;
	return from;
}

/* The last component of prefix, "" if it has none. */
static const char *last_component(const char *prefix)
{
	const char *slash = strrchr(prefix, '/');

	return slash ? slash + 1 : prefix;
}

/*
 * Makes the last component of prefix, whose parents exist. The parent is resolved anew from the root, so that
 * links in it are followed within the root and a swapped one can't lead out.
 */
static int make_component(int rootfd, const char *prefix, mode_t mode, struct error *err)
{
	const char *name = last_component(prefix);
	cleanup_free char *parent = xstrndup(prefix, (size_t)(name - prefix));
	cleanup_fd int parent_fd = inroot_open(rootfd, parent, O_PATH | O_DIRECTORY, err);
	cleanup_fd int fd = -1;

	if (parent_fd < 0)
		return -1;
	if (mkdirat(parent_fd, name, mode) < 0) {
		if (errno == EEXIST)
			return 0;
		return explain(err, prefix, "cannot make folder");
	}
	/* mkdirat honours the umask; only a fresh folder, opened without following, gets its mode. */
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && fchmod(fd, mode) < 0)
		return explain(err, prefix, "cannot set the mode of folder");
	return 0;
}

int inroot_mkdirs(int rootfd, const char *path, mode_t mode, struct error *err)
{
	int fd = resolve(
		rootfd, *path ? path : ".", O_PATH | O_DIRECTORY, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);

	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return explain(err, path, "cannot open folder");
	for (size_t end = component_end(path, 0);; end = component_end(path, end)) {
		cleanup_free char *prefix = xstrndup(path, end);
		const char *name = last_component(prefix);

		if (*name && strcmp(name, ".") && strcmp(name, "..")) {
			cleanup_fd int there = resolve(rootfd, prefix, O_PATH | O_DIRECTORY, 0,
				RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);

			if (there < 0 && errno != ENOENT)
				return explain(err, prefix, "cannot open folder");
			if (there < 0 && make_component(rootfd, prefix, mode, err) < 0)
				return -1;
		}
		if (!path[end])
			break;
	}
	return inroot_open(rootfd, path, O_PATH | O_DIRECTORY, err);
}

int inroot_parent(int rootfd, const char *path, bool make, const char **name, struct error *err)
{
	const char *last = last_component(path);
	cleanup_free char *parent = xstrndup(path, (size_t)(last - path));

	if (!*last || !strcmp(last, ".") || !strcmp(last, "..")) {
		errno = EINVAL;
		return explain(err, path, "no file name in");
	}
	*name = last;
	if (make)
		return inroot_mkdirs(rootfd, parent, 0755, err);
	return inroot_open(rootfd, parent, O_PATH | O_DIRECTORY, err);
}

/* Where the link name in the folder parent, which is that of path, leads to: a path in the root, to be freed. */
static char *follow_link(int parent, const char *name, const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(parent, name, target, sizeof(target) - 1);

	if (n <= 0)
		return NULL;
	target[n] = '\0';
	if (target[0] == '/')
		return xstrdup(target);
	return xasprintf("%.*s/%s", (int)(name - path), path, target);
}

static int touch(int rootfd, const char *path, mode_t mode, int links, struct error *err)
{
	const char *name = path;
	cleanup_free char *target = NULL;
	cleanup_fd int parent = -1;
	cleanup_fd int made = -1;
	int fd = resolve(rootfd, path, O_PATH, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);

	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return explain(err, path, "cannot open");
	parent = inroot_parent(rootfd, path, true, &name, err);
	if (parent < 0)
		return -1;
	made = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (made < 0 && errno != EEXIST)
		return explain(err, path, "cannot create");
	if (made < 0) {
		/* There and yet not to be opened: a link that leads nowhere. The kernel would create through it, out of
		 * the root (CVE-2024-45310); what it says is taken as a path in the root and tried anew. */
		target = links < LINKS ? follow_link(parent, name, path) : NULL;
		errno = ELOOP;
		return target ? touch(rootfd, target, mode, links + 1, err)
			      : explain(err, path, "cannot create");
	}
	if (fchmod(made, mode) < 0)
		return explain(err, path, "cannot set the mode of");
	fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 ? fd : explain(err, path, "cannot open");
}

int inroot_touch(int rootfd, const char *path, mode_t mode, struct error *err)
{
	return touch(rootfd, path, mode, 0, err);
}

/*
 * Removal. A hostile tree may be deeper than there are descriptors or stack, so the walk goes MAX_DEPTH levels
 * down and moves what lies deeper up to the top, to be removed in the next round.
 */
struct removal {
	int top; /* the folder that holds the tree */
	dev_t device; /* what is mounted below is left alone */
	unsigned moved; /* subtrees moved to the top so far; their names are made from it */
};

static void moved_name(char *name, size_t size, unsigned number)
{
	snprintf(name, size, ".minirun-remove-%d-%u", (int)getpid(), number);
}

static int empty_folder(struct removal *removal, int fd, int depth, struct error *err);

static int open_folder(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	/* Overlayfs leaves work/work with mode 000, and without CAP_DAC_OVERRIDE it must be opened up first. */
	if (fd < 0 && errno == EACCES && fchmodat(dirfd, name, 0700, 0) == 0)
		fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd;
}

static int remove_entry(struct removal *removal, int dirfd, const char *name, int depth, struct error *err)
{
	cleanup_fd int fd = -1;
	struct stat st;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return explain(err, name, "cannot remove");
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
		return 0;
	if (depth >= MAX_DEPTH) {
		char aside[64];

		moved_name(aside, sizeof(aside), removal->moved);
		if (renameat(dirfd, name, removal->top, aside) < 0)
			return explain(err, name, "cannot remove");
		removal->moved++;
		return 0;
	}
	fd = open_folder(dirfd, name);
	if (fd < 0 || fstat(fd, &st) < 0)
		return explain(err, name, "cannot remove");
	if (st.st_dev != removal->device) {
		errno = EXDEV;
		return explain(err, name, "will not remove what is mounted at");
	}
	/* Without CAP_DAC_OVERRIDE nothing can be removed from a folder that its owner may not write to. */
	if ((st.st_mode & (S_IWUSR | S_IXUSR)) != (S_IWUSR | S_IXUSR))
		fchmod(fd, S_IRWXU);
	if (empty_folder(removal, steal_fd(&fd), depth + 1, err) < 0)
		return error_wrap(err, "%s", name);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return explain(err, name, "cannot remove folder");
	return 0;
}

/* Removes all within the folder that fd is; takes fd. */
static int empty_folder(struct removal *removal, int fd, int depth, struct error *err)
{
	cleanup_dir DIR *dir = fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		explain(err, ".", "cannot read folder");
		close(fd);
		return -1;
	}
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (remove_entry(removal, dirfd(dir), entry->d_name, depth, err) < 0)
			return -1;
	}
	return 0;
}

int inroot_remove_tree(int dirfd, const char *name, struct error *err)
{
	struct removal removal = {.top = dirfd};
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : explain(err, name, "cannot stat");
	removal.device = st.st_dev;
	if (remove_entry(&removal, dirfd, name, 0, err) < 0)
		return -1;
	for (unsigned i = 0; i < removal.moved; i++) {
		char aside[64];

		moved_name(aside, sizeof(aside), i);
		if (remove_entry(&removal, dirfd, aside, 0, err) < 0)
			return -1;
	}
	return 0;
}
