/* Folders of a layer that it has no entry of its own for. Why that matters: implied.h. */
#include "images/implied.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/inroot.h"
#include "base/text.h"
#include "images/whiteouts.h"

#define MAX_XATTR 65536

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
