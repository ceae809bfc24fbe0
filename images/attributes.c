/*
 * Owner, mode, extended attributes and times.
 *
 * The order matters: chown(2) clears setuid bits and file capabilities, so modes and xattrs come after it, and times
 * after everything. The umask is 0 while we unpack, so what a file was made with is exact but for the special bits.
 *
 * In a user namespace an owner may have no id there (EINVAL), or there may be no privilege to give a file away (EPERM):
 * the file stays ours and that is counted. It then loses the setuid or setgid bit: a program that was to become
 * "daemon" must not become root.
 */
#include "images/attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/inroot.h"
#include "base/text.h"

#define SPECIAL_BITS (S_ISUID | S_ISGID | S_ISVTX)

/* A folder's time, as it waits in unpack->folders; its path follows. */
struct folder_record {
	struct timespec mtime;
	mode_t mode;
	bool sets_mode;
	uint32_t length;
};

/*
 * A folder that its owner may not write to or look into would be closed to us too, unless we are root: its mode waits, as
 * the setgid bit does, which what is made in the folder would inherit.
 */
mode_t attributes_mode_for_now(const struct unpack *unpack, mode_t mode)
{
	return (mode & ~(mode_t)S_ISGID) | (unpack->uid ? S_IRWXU : 0);
}

/* Returns the bits that must go since their owner could not be kept, or -1. */
static int set_owner(
	struct unpack *unpack, int fd, const char *name, const struct entry *entry, struct error *err)
{
	uid_t uid = (uid_t)entry->uid;
	gid_t gid = (gid_t)entry->gid;
	int flags = *name ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH;
	int lost = 0;

	if (uid == unpack->uid && gid == unpack->gid)
		return 0;
	if (fchownat(fd, name, uid, gid, flags) == 0)
		return 0;
	if (errno != EINVAL && errno != EPERM)
		return entry_error(entry, err, errno, "cannot set the owner %u:%u", uid, gid);
	/* One of the two may be possible. */
	if (uid != unpack->uid && fchownat(fd, name, uid, (gid_t)-1, flags) < 0)
		lost |= S_ISUID;
	if (gid != unpack->gid && fchownat(fd, name, (uid_t)-1, gid, flags) < 0)
		lost |= S_ISGID;
	if (lost)
		unpack_lose(unpack, LOSS_OWNER, entry->path);
	lost &= (int)entry->mode;
	if (lost && !S_ISDIR(entry->mode))
		unpack_lose(unpack, LOSS_SETID, entry->path);
	return lost;
}

/* "user." and "trusted." pass but for overlayfs' own, "security." for file capabilities alone, ACLs never. */
static bool is_kept(struct unpack *unpack, const struct entry *entry, const char *name)
{
	if (text_starts_with(name, "user.overlay.") || text_starts_with(name, "trusted.overlay.")) {
		unpack_lose(unpack, LOSS_OVERLAY_XATTR, entry->path);
		return false;
	}
	if (text_starts_with(name, "user.") || text_starts_with(name, "trusted.") ||
		!strcmp(name, "security.capability"))
		return true;
	unpack_lose(unpack, LOSS_OTHER_XATTR, entry->path);
	return false;
}

static int set_xattrs(struct unpack *unpack, int fd, const struct entry *entry, struct error *err)
{
	for (size_t i = 0; i < entry->n_xattrs; i++) {
		const struct xattr *xattr = &entry->xattrs[i];

		if (!is_kept(unpack, entry, xattr->name))
			continue;
		if (fsetxattr(fd, xattr->name, xattr->value, xattr->size, 0) == 0)
			continue;
		if (errno == ENOSPC || errno == EDQUOT || errno == EIO)
			return entry_error(entry, err, errno, "cannot set the attribute %.100s", xattr->name);
		unpack_lose(unpack, LOSS_XATTR, entry->path);
	}
	return 0;
}

static int put_off(struct unpack *unpack, const struct entry *entry, mode_t mode, struct error *err)
{
	struct folder_record record = {
		.mtime = entry->mtime,
		.mode = mode,
		.sets_mode = attributes_mode_for_now(unpack, mode) != mode,
		.length = (uint32_t)strlen(unpack->path),
	};

	if (fwrite(&record, sizeof(record), 1, unpack->folders) != 1 ||
		fwrite(unpack->path, 1, record.length, unpack->folders) != record.length)
		return entry_error(entry, err, errno, "cannot note the folder's time");
	return 0;
}

int attributes_set(struct unpack *unpack, int fd, const struct entry *entry, struct error *err)
{
	mode_t mode = entry->mode & 07777;
	int lost = set_owner(unpack, fd, "", entry, err);

	if (lost < 0)
		return -1;
	mode &= ~(mode_t)lost;
	if (S_ISDIR(entry->mode) || (mode & SPECIAL_BITS) || unpack->is_link) {
		if (fchmod(fd, S_ISDIR(entry->mode) ? attributes_mode_for_now(unpack, mode) : mode) < 0)
			return entry_error(entry, err, errno, "cannot set the mode %04o", mode);
	}
	if (set_xattrs(unpack, fd, entry, err) < 0)
		return -1;
	if (S_ISDIR(entry->mode))
		return put_off(unpack, entry, mode, err);
	if (entry->mtime.tv_nsec != UTIME_OMIT) {
		const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, entry->mtime};

		if (futimens(fd, times) < 0)
			return entry_error(entry, err, errno, "cannot set the time");
	}
	return 0;
}

int attributes_set_at(
	struct unpack *unpack, int dirfd, const char *name, const struct entry *entry, struct error *err)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, entry->mtime};

	if (set_owner(unpack, dirfd, name, entry, err) < 0)
		return -1;
	for (size_t i = 0; i < entry->n_xattrs; i++)
		if (is_kept(unpack, entry, entry->xattrs[i].name))
			unpack_lose(unpack, LOSS_XATTR, entry->path);
	if (entry->mtime.tv_nsec != UTIME_OMIT && utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return entry_error(entry, err, errno, "cannot set the time");
	return 0;
}

static int finish_one(
	struct unpack *unpack, const struct folder_record *record, const char *path, struct error *err)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, record->mtime};
	const struct entry entry = {.path = *path ? path : "/"};
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	int parent =
		*path ? parents_find(&unpack->parents, path, slash ? (size_t)(slash - path) : 0, NULL, err)
		      : unpack->root;
	struct stat st;

	/* It may have been replaced since by something that is no folder: that has got its time. */
	if (parent < 0)
		return 0;
	if (!*name)
		name = ".";
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	if (record->sets_mode) {
		cleanup_fd int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0 || fchmod(fd, record->mode) < 0)
			return entry_error(&entry, err, errno, "cannot set the mode %04o", record->mode);
	}
	if (record->mtime.tv_nsec != UTIME_OMIT && utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return entry_error(&entry, err, errno, "cannot set the time");
	return 0;
}

int attributes_finish(struct unpack *unpack, struct error *err)
{
	struct folder_record record;
	char path[PATH_MAX];

	if (fflush(unpack->folders) != 0)
		return error_set(err, ERROR_HOST, errno, "cannot note the times of folders");
	rewind(unpack->folders);
	while (fread(&record, sizeof(record), 1, unpack->folders) == 1) {
		if (record.length >= sizeof(path) ||
			fread(path, 1, record.length, unpack->folders) != record.length)
			return error_set(err, ERROR_INTERNAL, 0, "the noted times of folders are damaged");
		path[record.length] = '\0';
		if (finish_one(unpack, &record, path, err) < 0)
			return -1;
	}
	return ferror(unpack->folders) ? error_set(err, ERROR_HOST, errno, "cannot read the times of folders")
				       : 0;
}
