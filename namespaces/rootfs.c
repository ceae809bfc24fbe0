/*
 * The rootfs of a container: an overlay as a detached mount.
 *
 * Theory of operation
 *
 * The lowers are descriptors, but kernels before 6.13 take their paths only. So they are named as descriptors of this
 * process; and since a value of fsconfig(2) may have 255 bytes at most, all that can be saved is: the working folder is
 * /proc/self/fd meanwhile, and the names are "7:8:9". A kernel that takes one lower after another (6.8) has no such
 * limit; an older one is mounted on by mount(2) then (overlay.h).
 *
 * The overlay is volatile (no fsync reaches the disk): a container's upper folder goes when the container goes.
 */
#include "namespaces/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "namespaces/mounts.h"
#include "namespaces/overlay.h"

#define VALUE_MAX 255 /* bytes of a value that fsconfig takes */

static const struct {
	long magic;
	const char *name;
} file_systems[] = {
	{OVERLAYFS_SUPER_MAGIC, "overlayfs"},
	{NFS_SUPER_MAGIC, "nfs"},
	{FUSE_SUPER_MAGIC, "fuse"},
	{ECRYPTFS_SUPER_MAGIC, "ecryptfs"},
	{EXT4_SUPER_MAGIC, "ext4"},
	{XFS_SUPER_MAGIC, "xfs"},
	{BTRFS_SUPER_MAGIC, "btrfs"},
	{TMPFS_MAGIC, "tmpfs"},
	{PROC_SUPER_MAGIC, "proc"},
	{SYSFS_MAGIC, "sysfs"},
	{CGROUP2_SUPER_MAGIC, "cgroup2"},
	{0x01021997, "9p"},
	{0x5346544e, "ntfs"},
	{MSDOS_SUPER_MAGIC, "vfat"},
	{0x2fc12fc1, "zfs"},
};

const char *file_system_name(int fd, char *buffer, size_t size)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return "unknown";
	for (size_t i = 0; i < array_length(file_systems); i++) {
		if (file_systems[i].magic == fs.f_type)
			return file_systems[i].name;
	}
	snprintf(buffer, size, "type 0x%lx", (unsigned long)fs.f_type);
	return buffer;
}

static int explain(struct error *err, int lower, int upper)
{
	char lower_fs[32], upper_fs[32];

	error_wrap(err, "the overlay of a container (images on %s, its own files on %s)",
		file_system_name(lower, lower_fs, sizeof(lower_fs)),
		file_system_name(upper, upper_fs, sizeof(upper_fs)));
	error_check(err, "overlayfs");
	if (err->errnum == ENODEV)
		return error_hint(err, "modprobe overlay");
	if (err->errnum == EINVAL || err->errnum == EOPNOTSUPP)
		return error_hint(err, "keep the store on a file system that overlayfs can write to (ext4, "
				       "xfs, btrfs, tmpfs): "
				       "--store FOLDER");
	if (err->errnum == EPERM && userns_inside())
		return error_hint(err, "overlayfs in a user namespace needs Linux 5.11");
	return -1;
}

static char *join_numbers(const int *fds, size_t n, const char *prefix)
{
	char *text = xstrdup("");

	for (size_t i = 0; i < n; i++) {
		char *longer = xasprintf("%s%s%s%d", text, i ? ":" : "", prefix, fds[i]);

		free(text);
		text = longer;
	}
	return text;
}

/* Sets one option; the log of the context has the reason if it fails. */
static int set(int context, const char *key, const char *value)
{
	return fsconfig(context, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, value, 0);
}

/* Too long for one value. */
static bool is_long(const int *lowers, size_t n)
{
	cleanup_free char *all = join_numbers(lowers, n, "");

	return strlen(all) > VALUE_MAX;
}

static int set_lowers(int context, const int *lowers, size_t n)
{
	cleanup_free char *all = join_numbers(lowers, n, "");

	if (!is_long(lowers, n))
		return set(context, "lowerdir", all);
	for (size_t i = 0; i < n; i++) {
		char one[16];

		snprintf(one, sizeof(one), "%d", lowers[i]);
		if (set(context, "lowerdir+", one) < 0)
			return -1;
	}
	return 0;
}

/* What an overlay is made of: the lowers, then upper and work. */
struct layers {
	int *fds;
	size_t n_lowers;
};

#define UPPER(layers) ((layers)->fds[(layers)->n_lowers])
#define WORK(layers)  ((layers)->fds[(layers)->n_lowers + 1])

/* The working folder is /proc/self/fd. */
static int configure(int context, const struct layers *layers)
{
	char upper[16], work[16];

	snprintf(upper, sizeof(upper), "%d", UPPER(layers));
	snprintf(work, sizeof(work), "%d", WORK(layers));
	if (set(context, "source", "overlay") < 0 || set_lowers(context, layers->fds, layers->n_lowers) < 0 ||
		set(context, "upperdir", upper) < 0 || set(context, "workdir", work) < 0 ||
		set(context, "volatile", NULL) < 0)
		return -1;
	/* trusted.overlay.* is not to be written in a user namespace. */
	if (userns_inside() && set(context, "userxattr", NULL) < 0)
		return -1;
	return fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

static int configure_failed(int context, int errnum, struct error *err)
{
	char line[256] = "";
	ssize_t n = read(context, line, sizeof(line) - 1);

	line[n > 0 ? n : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	/* The kernel's line starts with a letter for its severity. */
	if (strlen(line) > 2)
		return mount_error(err, errnum, "cannot mount it (%s)", line + 2);
	return mount_error(err, errnum, "cannot mount it");
}

static int make_overlay(const struct layers *layers, struct error *err)
{
	cleanup_fd int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_fd int context = fsopen("overlay", FSOPEN_CLOEXEC);
	int mount, result, errnum;

	if (context < 0)
		return mount_error(err, errno, "cannot mount it");
	if (here < 0 || chdir("/proc/self/fd") < 0)
		return error_set(err, ERROR_HOST, errno, "cannot use /proc/self/fd");
	result = configure(context, layers);
	errnum = errno;
	if (fchdir(here) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot return to the working folder");
	if (result < 0)
		return configure_failed(context, errnum, err);
	mount = fsmount(context, FSMOUNT_CLOEXEC, 0);
	return mount >= 0 ? mount : mount_error(err, errno, "cannot mount it");
}

/* Once more, with descriptors from the mount namespace that we are in now; see mount_reopen. */
static int make_again(const struct layers *layers, struct error *err)
{
	size_t n = layers->n_lowers + 2;
	cleanup_free int *fds = xcalloc(n, sizeof(*fds));
	struct layers again = {fds, layers->n_lowers};
	int mount = -1;
	bool all = true;

	for (size_t i = 0; i < n; i++) {
		fds[i] = mount_reopen(layers->fds[i]);
		/* A mapped layer is one of this namespace, and found by no path. */
		if (fds[i] < 0)
			fds[i] = fcntl(layers->fds[i], F_DUPFD_CLOEXEC, 3);
		all &= fds[i] >= 0;
	}
	if (all)
		mount = make_overlay(&again, err);
	for (size_t i = 0; i < n; i++)
		cleanup_fd_fn(&fds[i]);
	return mount;
}

int rootfs_overlay(const int *lowers, size_t n, int upperfd, int workfd, struct error *err)
{
	cleanup_free int *fds = xcalloc(n + 2, sizeof(*fds));
	struct layers layers = {fds, n};
	struct error tried = {0};
	int mount;

	memcpy(fds, lowers, n * sizeof(*fds));
	UPPER(&layers) = upperfd;
	WORK(&layers) = workfd;
	mount = make_overlay(&layers, &tried);
	if (mount < 0 && tried.errnum == EINVAL)
		mount = make_again(&layers, &tried);
	if (mount < 0 && tried.errnum == EINVAL && is_long(lowers, n))
		mount = overlay_mount(fds, n + 2, &tried);
	if (mount >= 0)
		return mount;
	*err = tried;
	return explain(err, lowers[0], upperfd);
}

int rootfs_plain(int folder, struct error *err)
{
	return mount_clone(folder, "", false, err);
}
