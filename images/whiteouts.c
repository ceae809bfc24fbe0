/* What a layer takes away from those below it. Theory of operation: whiteouts.h. */
#include "images/whiteouts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/inroot.h"
#include "base/memory.h"
#include "base/text.h"

#define PREFIX \
	"."    \
	"wh."
#define OPAQUE PREFIX PREFIX ".opq"

static bool is_prefixed(const char *component)
{
	return text_starts_with(component, PREFIX);
}

int whiteout_kind(const struct entry *entry, const char *path, enum whiteout *kind, struct error *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	bool is_aufs = text_starts_with(path, PREFIX PREFIX) && strcmp(path, OPAQUE) != 0;

	*kind = WHITEOUT_NONE;
	if (is_aufs) {
		*kind = WHITEOUT_AUFS;
		return 0;
	}
	for (const char *p = path; p && p != name; p = strchr(p, '/') + 1)
		if (is_prefixed(p))
			return entry_error(entry, err, 0, "a folder on its way is named as a whiteout");
	if (!is_prefixed(name))
		return 0;
	if (!strcmp(name, OPAQUE)) {
		*kind = WHITEOUT_OPAQUE;
	} else {
		const char *hidden = name + strlen(PREFIX);

		if (is_prefixed(hidden) || !*hidden || !strcmp(hidden, ".") || !strcmp(hidden, ".."))
			return entry_error(entry, err, 0, "it is a whiteout of nothing that can be named");
		*kind = WHITEOUT_NAME;
	}
	if (entry->hard_link || !S_ISREG(entry->mode))
		return entry_error(entry, err, 0, "it is named as a whiteout, and is no plain file");
	return 0;
}

/* Root's overlays read the one, those of a user namespace the other; the same layer may come to both. */
static int set_both(int fd, const char *trusted, const char *user, const char *value)
{
	bool first = fsetxattr(fd, trusted, value, 1, 0) == 0;
	bool second = fsetxattr(fd, user, value, 1, 0) == 0;

	return first || second ? 0 : -1;
}

static bool has_either(int fd, const char *trusted, const char *user)
{
	char value;

	return (fgetxattr(fd, trusted, &value, 1) == 1 && value == 'y') ||
	       (fgetxattr(fd, user, &value, 1) == 1 && value == 'y');
}

static int put_marked(int dirfd, const char *name)
{
	cleanup_fd int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	cleanup_fd int folder = -1;

	if (fd < 0)
		return -1;
	if (set_both(fd, "trusted.overlay.whiteout", "user.overlay.whiteout", "y") < 0) {
		unlinkat(dirfd, name, 0);
		errno = EPERM;
		return -1;
	}
	/* Where overlays look for such (Linux 6.7), they do in folders that say so. */
	folder = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder >= 0 && !whiteout_is_opaque(folder))
		set_both(folder, "trusted.overlay.opaque", "user.overlay.opaque", "x");
	return 0;
}

int whiteout_put(int dirfd, const char *name)
{
	if (mknodat(dirfd, name, S_IFCHR, makedev(0, 0)) == 0)
		return 0;
	return errno == EPERM ? put_marked(dirfd, name) : -1;
}

bool whiteout_is(int dirfd, const char *name, const struct stat *st)
{
	cleanup_fd int fd = -1;

	if (S_ISCHR(st->st_mode))
		return st->st_rdev == makedev(0, 0);
	if (!S_ISREG(st->st_mode) || st->st_size)
		return false;
	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd >= 0 && has_either(fd, "trusted.overlay.whiteout", "user.overlay.whiteout");
}

bool whiteout_is_there(const struct unpack *unpack, int dirfd, const char *name)
{
	struct stat st;

	return unpack->n_whiteouts > 0 && fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       whiteout_is(dirfd, name, &st);
}

static int cannot_hide(const struct entry *entry, struct error *err)
{
	return entry_error(entry, err, errno, "cannot hide what is below it");
}

int whiteout_make_opaque(struct unpack *unpack, int dirfd, const char *name, const char *path, size_t length,
	const struct entry *entry, struct error *err)
{
	cleanup_fd int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return cannot_hide(entry, err);
	if (set_both(fd, "trusted.overlay.opaque", "user.overlay.opaque", "y") == 0)
		return 0;
	if (errno != ENOTSUP && errno != EPERM)
		return cannot_hide(entry, err);
	unpack_note_opaque(unpack, path, length);
	return 0;
}

bool whiteout_is_opaque(int fd)
{
	return has_either(fd, "trusted.overlay.opaque", "user.overlay.opaque");
}

int whiteout_make(struct unpack *unpack, const struct entry *entry, struct error *err)
{
	const char *name, *hidden;
	cleanup_free char *path = NULL;
	int dirfd = unpack_parent(unpack, entry, unpack->path, &name, err);
	struct stat st;

	if (dirfd < 0)
		return -1;
	if (unpack->whiteout == WHITEOUT_OPAQUE) {
		if (name != unpack->path)
			return whiteout_make_opaque(unpack, dirfd, ".", unpack->path,
				(size_t)(name - unpack->path) - 1, entry, err);
		/* Overlayfs has no opaque root: the layers below are left out of the image. */
		unpack->is_opaque = true;
		return 0;
	}
	hidden = name + strlen(PREFIX);
	if (whiteout_put(dirfd, hidden) == 0) {
		unpack->n_whiteouts++;
		return 0;
	}
	if (errno != EEXIST || fstatat(dirfd, hidden, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot_hide(entry, err);
	if (!S_ISDIR(st.st_mode))
		return 0;
	path = xasprintf("%.*s%s", (int)(name - unpack->path), unpack->path, hidden);
	return whiteout_make_opaque(unpack, dirfd, hidden, path, strlen(path), entry, err);
}

bool whiteout_make_way(
	struct unpack *unpack, const struct entry *entry, const char *path, size_t length, struct error *err)
{
	for (size_t end = 0; unpack->n_whiteouts && end < length; end++) {
		cleanup_free char *part = NULL;
		cleanup_fd int parent = -1;
		struct error ignored;
		const char *name;

		end += strcspn(path + end, "/");
		part = xstrndup(path, end < length ? end : length);
		parent = inroot_parent(unpack->root, part, false, &name, &ignored);
		if (parent < 0 || !whiteout_is_there(unpack, parent, name))
			continue;
		parents_forget(&unpack->parents);
		if (unlinkat(parent, name, 0) < 0 || mkdirat(parent, name, 0755) < 0) {
			cannot_hide(entry, err);
			return false;
		}
		unpack_note_implied(unpack, part, strlen(part));
		return whiteout_make_opaque(unpack, parent, name, part, strlen(part), entry, err) == 0;
	}
	return false;
}
