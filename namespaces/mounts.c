/* Mounts by descriptor: making, cloning, restricting, attaching. Theory of operation: mounts.h. */
#include "namespaces/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/stat.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "namespaces/namespaces.h"

#define STACK_MAX 16 /* mounts on top of each other, at the root */

/* mount(2) and its new relatives use few errnos for many causes. */
static void hint_for(struct error *err, int errnum)
{
	switch (errnum) {
	case ENOSPC:
		error_hint(err, "the limit of mounts in a mount namespace is reached: sysctl fs.mount-max");
		break;
	case EINVAL:
		error_hint(err,
			"the root of this process is no mount point (a chroot or an initramfs), or the "
			"mount's source was unmounted meanwhile");
		break;
	case ENOSYS:
		error_hint(err, "the mount calls by descriptor need Linux 5.12, or a seccomp filter around "
				"minirun that allows them");
		break;
	case ENODEV:
		error_hint(err, "this kernel has no such file system, or its module isn't loaded");
		break;
	case ENOTDIR:
		error_hint(err, "a folder can only be mounted on a folder, a file on a file");
		break;
	default:
		break;
	}
}

int mount_error(struct error *err, int errnum, const char *format, ...)
{
	char what[512];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	error_set(err, ERROR_HOST, errnum, "%s", what);
	hint_for(err, errnum);
	return error_check(err, "mounts");
}

/* The last line that a file system left in the log of its context, without the "e " before it; or "". */
static void read_log(int context, char *text, size_t size)
{
	text[0] = '\0';
	for (;;) {
		char line[256];
		ssize_t n = read(context, line, sizeof(line) - 1);
		if (n <= 2)
			return;
		line[n] = '\0';
		line[strcspn(line, "\n")] = '\0';
		snprintf(text, size, " (%s)", line + 2);
	}
}

static int new_failed(int context, const char *type, const char *step, struct error *err)
{
	int errnum = errno;
	char log[300];

	read_log(context, log, sizeof(log));
	mount_error(err, errnum, "cannot make a %s file system: %s%s", type, step, log);
	if (errnum == EPERM && !strcmp(step, "mount") && userns_inside())
		return error_hint(err,
			"in a user namespace a mount may show no more than the one that is there: something "
			"is mounted over a part of /proc or /sys here (in a container: --security-opt "
			"unmask=ALL for podman, systempaths=unconfined for docker)");
	return -1;
}

int mount_new(const char *type, const struct mount_option *options, size_t n, unsigned int attributes,
	struct error *err)
{
	cleanup_fd int context = fsopen(type, FSOPEN_CLOEXEC);
	int mount;

	if (context < 0)
		return mount_error(err, errno, "cannot make a %s file system", type);
	/* What mount(8) shows as the device; "none" would be right, too, but surprise programs that look for "cgroup2". */
	if (fsconfig(context, FSCONFIG_SET_STRING, "source", type, 0) < 0)
		return new_failed(context, type, "source", err);
	for (size_t i = 0; i < n; i++) {
		unsigned int command = options[i].value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

		if (fsconfig(context, command, options[i].key, options[i].value, 0) < 0)
			return new_failed(context, type, options[i].key, err);
	}
	if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return new_failed(context, type, "create", err);
	mount = fsmount(context, FSMOUNT_CLOEXEC, attributes);
	return mount >= 0 ? mount : new_failed(context, type, "mount", err);
}

int mount_reopen(int fd)
{
	char path[PATH_MAX];
	struct stat before, now;
	cleanup_fd int again = open(fd_path(fd, path, sizeof(path)), O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (again < 0 || fstat(fd, &before) < 0 || fstat(again, &now) < 0 || before.st_dev != now.st_dev ||
		before.st_ino != now.st_ino) {
		errno = EINVAL;
		return -1;
	}
	return steal_fd(&again);
}

int mount_clone(int fd, const char *path, bool recursive, struct error *err)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW;
	int clone;

	if (!*path)
		flags |= AT_EMPTY_PATH;
	if (recursive)
		flags |= AT_RECURSIVE;
	clone = open_tree(fd, path, flags);
	if (clone < 0 && errno == EINVAL && !*path) {
		cleanup_fd int again = mount_reopen(fd);

		if (again >= 0)
			clone = open_tree(again, "", flags);
	}
	return clone >= 0
		       ? clone
		       : mount_error(err, errno, "cannot clone the mount of %s", *path ? path : "a volume");
}

int mount_restrict(int mount, unsigned int attributes, bool recursive, struct error *err)
{
	struct mount_attr attr = {.attr_set = attributes};
	unsigned int flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);

	if (mount_setattr(mount, "", flags, &attr, sizeof(attr)) < 0)
		return mount_error(err, errno, "cannot restrict a mount");
	return 0;
}

int mount_attach_quietly(int mount, int target, const char *name)
{
	unsigned int flags = MOVE_MOUNT_F_EMPTY_PATH | (*name ? 0 : MOVE_MOUNT_T_EMPTY_PATH);

	return move_mount(mount, "", target, name, flags);
}

int mount_attach(int mount, int target, const char *name, const char *where, struct error *err)
{
	if (mount_attach_quietly(mount, target, name) < 0)
		return mount_error(err, errno, "cannot mount on %s", where);
	return 0;
}

uint64_t mount_id(int fd, bool *is_root)
{
	struct statx stx = {0};

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &stx) < 0)
		return 0;
	if (is_root)
		*is_root = stx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
	return stx.stx_mnt_id;
}

/*
 * After pivot_root(2) the old root lies on top of the new one, and on the old one whatever had been stacked on it, as the
 * pod's volumes are where the kernel needs that (volumes.c). One that stayed would be the host's files, a cd /.. away. So it is
 * not counted but looked: "/.." is what lies on top of all.
 */
static int shed_old_root(int root, struct error *err)
{
	uint64_t id = mount_id(root, NULL);

	for (int i = 0; i < STACK_MAX; i++) {
		cleanup_fd int top = open("/..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (id == 0 || top < 0)
			return mount_error(err, errno, "cannot look at the new root");
		if (mount_id(top, NULL) == id)
			return 0;
		cleanup_fd_fn(&top);
		if (umount2("/..", MNT_DETACH) < 0)
			return mount_error(err, errno, "cannot leave the old root");
	}
	return error_set(err, ERROR_INTERNAL, EBUSY, "the old root is still there");
}

int mount_become_root(int mount, struct error *err)
{
	/* What is mounted here from now on stays here, and what the host mounts stays there. */
	struct mount_attr attr = {.propagation = MS_PRIVATE};

	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return mount_error(err, errno, "cannot make the mounts private");
	/* Onto the old root: a folder for it need not be found, and pivot_root(2) swaps the two. */
	if (move_mount(mount, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 || fchdir(mount) < 0)
		return mount_error(err, errno, "cannot mount the new root");
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return mount_error(err, errno, "cannot change to the new root");
	if (chdir("/") < 0)
		return mount_error(err, errno, "cannot enter the new root");
	return shed_old_root(mount, err);
}
