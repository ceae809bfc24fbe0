/* What a layer on disk owes to the layers below it. Why: implied.h. */
#include "images/implied.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/inroot.h"
#include "base/memory.h"
#include "base/text.h"
#include "images/whiteouts.h"

#define MAX_XATTR 65536
#define MAX_NOTED (4U << 20) /* bytes of paths that are kept */

static void note(struct unpack *unpack, struct strv *paths, const char *path, size_t length)
{
	unpack->has_implied = true;
	if (unpack->kind != UNPACK_HIGHER)
		return;
	unpack->noted_bytes += length + sizeof(char *);
	if (unpack->noted_bytes > MAX_NOTED)
		return;
	strv_push(paths, xstrndup(path, length));
}

void unpack_note_implied(struct unpack *unpack, const char *path, size_t length)
{
	note(unpack, &unpack->implied, path, length);
}

void unpack_note_opaque(struct unpack *unpack, const char *path, size_t length)
{
	note(unpack, &unpack->opaque, path, length);
}

void unpack_forget_implied(struct unpack *unpack)
{
	for (size_t i = 0; i < unpack->implied.n; i++)
		if (!strcmp(unpack->implied.items[i], unpack->path))
			unpack->implied.items[i][0] = '\0';
}

enum found {
	FOUND,
	NOT_HERE, /* look further down */
	HIDDEN, /* and so is whatever is further down */
};

/* Follows no link: in an overlay a link hides the folders below it. */
static enum found find_in(int root, const char *path, int *folder)
{
	cleanup_fd int fd = fcntl(root, F_DUPFD_CLOEXEC, 3);
	bool is_opaque = false;

	for (const char *p = path; fd >= 0; p += strspn(p, "/")) {
		char name[NAME_MAX + 1];
		size_t n = strcspn(p, "/");
		int next;

		if (n == 0) {
			*folder = steal_fd(&fd);
			return FOUND;
		}
		if (n > NAME_MAX)
			return HIDDEN;
		memcpy(name, p, n);
		name[n] = '\0';
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return errno == ENOENT && !is_opaque ? NOT_HERE : HIDDEN;
		close(fd);
		fd = next;
		is_opaque |= whiteout_is_opaque(fd);
		p += n;
	}
	return HIDDEN;
}

static void copy_xattrs(int from, int to)
{
	char names[4096], value[MAX_XATTR];
	ssize_t size = flistxattr(from, names, sizeof(names));

	for (const char *name = names; size > 0 && name < names + size; name += strlen(name) + 1) {
		ssize_t n;

		if (text_starts_with(name, "trusted.overlay.") || text_starts_with(name, "user.overlay."))
			continue;
		n = fgetxattr(from, name, value, sizeof(value));
		if (n >= 0)
			fsetxattr(to, name, value, (size_t)n, 0);
	}
}

static int adopt(int root, const char *path, int from, struct error *err)
{
	const struct entry entry = {.path = path};
	cleanup_fd int fd = inroot_open(root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, err);
	struct timespec times[2];
	struct stat st, ours;

	/* It has been replaced since by something that has an entry. */
	if (fd < 0)
		return 0;
	if (fstat(from, &st) < 0 || fstat(fd, &ours) < 0)
		return entry_error(&entry, err, errno, "cannot read the folder");
	if ((st.st_uid != ours.st_uid || st.st_gid != ours.st_gid) && fchown(fd, st.st_uid, st.st_gid) < 0)
		return entry_error(&entry, err, errno, "cannot set the owner");
	if (fchmod(fd, st.st_mode & 07777) < 0)
		return entry_error(&entry, err, errno, "cannot set the mode");
	copy_xattrs(from, fd);
	times[0] = (struct timespec){.tv_nsec = UTIME_OMIT};
	times[1] = st.st_mtim;
	if (futimens(fd, times) < 0)
		return entry_error(&entry, err, errno, "cannot set the time");
	return 0;
}

int implied_adopt(const struct unpack *unpack, const int *lowers, size_t n, struct error *err)
{
	for (size_t i = 0; i < unpack->implied.n; i++) {
		const char *path = unpack->implied.items[i];
		enum found found = NOT_HERE;
		cleanup_fd int from = -1;

		for (size_t j = 0; *path && j < n && found == NOT_HERE; j++)
			found = find_in(lowers[j], path, &from);
		if (found == FOUND && adopt(unpack->root, path, from, err) < 0)
			return -1;
	}
	return 0;
}

struct hiding {
	int root;
	const int *lowers;
	size_t n;
};

static int hide(const struct hiding *hiding, const char *path, struct error *err);

/* One name that a folder below has. */
static int hide_name(const struct hiding *hiding, int ours, int theirs, const char *path, const char *name,
	struct error *err)
{
	const struct entry entry = {.path = path};
	cleanup_free char *below = NULL;
	struct stat st, lower;

	if (fstatat(theirs, name, &lower, AT_SYMLINK_NOFOLLOW) < 0)
		return entry_error(&entry, err, errno, "cannot read the folder below");
	if (fstatat(ours, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (!S_ISDIR(st.st_mode) || !S_ISDIR(lower.st_mode))
			return 0;
		below = xasprintf("%s/%s", path, name);
		return hide(hiding, below, err);
	}
	if (errno != ENOENT || whiteout_put(ours, name) < 0)
		return entry_error(&entry, err, errno, "cannot hide what is below it");
	return 0;
}

static int hide_all(const struct hiding *hiding, int ours, int theirs, const char *path, struct error *err)
{
	cleanup_fd int fd = openat(theirs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fdopendir(fd);
	const struct dirent *entry;

	if (!dir)
		return error_set(err, ERROR_HOST, errno, "cannot read a layer's folder");
	steal_fd(&fd);
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
			hide_name(hiding, ours, theirs, path, entry->d_name, err) < 0)
			return -1;
	return 0;
}

static int hide(const struct hiding *hiding, const char *path, struct error *err)
{
	cleanup_fd int ours = inroot_open(hiding->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, err);
	struct stat st;

	if (ours < 0 || fstat(ours, &st) < 0)
		return 0; /* it has been replaced since */
	for (size_t i = 0; i < hiding->n; i++) {
		cleanup_fd int theirs = -1;
		enum found found = find_in(hiding->lowers[i], path, &theirs);

		if (found == HIDDEN)
			break;
		if (found == FOUND && hide_all(hiding, ours, theirs, path, err) < 0)
			return -1;
		if (found == FOUND && whiteout_is_opaque(theirs))
			break;
	}
	/* Its time is set already. */
	futimens(ours, (const struct timespec[2]){{.tv_nsec = UTIME_OMIT}, st.st_mtim});
	return 0;
}

int implied_hide(const struct unpack *unpack, const int *lowers, size_t n, struct error *err)
{
	const struct hiding hiding = {unpack->root, lowers, n};

	if (unpack->noted_bytes > MAX_NOTED)
		return error_set(err, ERROR_IMAGE, 0, "too many of its folders have no entry of their own");
	for (size_t i = 0; i < unpack->opaque.n; i++)
		if (hide(&hiding, unpack->opaque.items[i], err) < 0)
			return -1;
	return 0;
}
