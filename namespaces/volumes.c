/*
 * Volumes: made, opened on the host, and cloned for each container.
 *
 * Theory of operation
 *
 * A volume is a descriptor of its folder. What a container gets is a detached clone of the mount at that folder, or
 * at a path in it that is resolved in-root anew for every container, for the last one may have left links there.
 *
 * A volume in memory is a tmpfs that is attached nowhere. Only, kernels before 6.15 clone no mount that isn't attached
 * in the caller's own mount namespace. There volumes_private_mounts gives the supervisor one, with a *holder*: a tiny
 * tmpfs stacked on / (where no path leads but "/..", for a walk that starts at the root crosses no mount on it), in
 * which each volume in memory is attached to a folder. Nothing is mounted in the host's namespace, and all goes with
 * the supervisor. That the holder is ours is seen by its mark; without it nothing is attached.
 */
#include "namespaces/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/inroot.h"
#include "base/memory.h"
#include "namespaces/mounts.h"

#define HOLDER_MARK ".minirun-volumes"

/* Whether this kernel clones mounts that are attached nowhere. */
static bool clones_detached(void)
{
	struct utsname name;
	long major, minor;
	char *rest;

	if (uname(&name) < 0)
		return false;
	major = strtol(name.release, &rest, 10);
	minor = *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;
	return major > 6 || (major == 6 && minor >= 15);
}

int volumes_private_mounts(struct error *err)
{
	const struct mount_option options[] = {{"size", "1m"}, {"mode", "700"}};
	struct mount_attr attr = {.propagation = MS_PRIVATE};
	cleanup_fd int holder = -1;

	if (clones_detached())
		return 0;
	if (unshare(CLONE_NEWNS) < 0 || mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return mount_error(err, errno, "cannot make a mount namespace for the pod's volumes");
	holder = mount_new("tmpfs", options, array_length(options), MOUNT_HARMLESS, err);
	if (holder < 0)
		return -1;
	if (mkdirat(holder, HOLDER_MARK, 0700) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot mark the mounts of the pod's volumes");
	if (move_mount(holder, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return mount_error(err, errno, "cannot attach the mounts of the pod's volumes");
	return 0;
}

int volumes_shed_mounts(void)
{
	struct stat st;

	if (stat("/../" HOLDER_MARK, &st) < 0)
		return 0;
	if (unshare(CLONE_NEWNS) < 0)
		return -1;
	return umount2("/..", MNT_DETACH);
}

int volumes_hold(int mount, const char *name, struct error *err)
{
	cleanup_fd int holder = -1;
	cleanup_fd int target = -1;
	cleanup_free char *folder = xstrdup(name);

	if (clones_detached())
		return 0;
	for (char *slash = folder; (slash = strchr(slash, '/'));)
		*slash = '_';
	holder = open("/../" HOLDER_MARK, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (holder < 0)
		return error_set(err, ERROR_INTERNAL, errno, "volumes_private_mounts was not called");
	if (mkdirat(holder, folder, 0700) < 0 && errno != EEXIST)
		return error_set(err, ERROR_HOST, errno, "cannot make the volume %s", name);
	target = openat(holder, folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (target < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make the volume %s", name);
	return mount_attach(mount, target, "", name, err);
}

static int make_in_memory(const char *name, uint64_t size, const char *mode, int64_t gid,
	unsigned int attributes, struct error *err)
{
	/* cppcheck-suppress variableScope ; the options point to them */
	char size_text[32], gid_text[32];
	struct mount_option options[3] = {{"mode", mode}};
	size_t n = 1;
	cleanup_fd int mount = -1;

	if (size) {
		snprintf(size_text, sizeof(size_text), "%" PRIu64, size);
		options[n++] = (struct mount_option){"size", size_text};
	}
	if (gid >= 0) {
		snprintf(gid_text, sizeof(gid_text), "%" PRId64, gid);
		options[n++] = (struct mount_option){"gid", gid_text};
	}
	mount = mount_new("tmpfs", options, n, attributes, err);
	if (mount < 0 || (name && volumes_hold(mount, name, err) < 0))
		return -1;
	return steal_fd(&mount);
}

int volume_make_in_memory(const char *name, const char *mode, struct error *err)
{
	const struct mount_option options[] = {{"mode", mode}, {"noswap", NULL}};
	unsigned int attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	cleanup_fd int mount = -1;
	struct error ignored;

	mount = mount_new("tmpfs", options, array_length(options), attributes, &ignored);
	if (mount < 0)
		return make_in_memory(name, 0, mode, -1, attributes, err);
	return volumes_hold(mount, name, err) < 0 ? -1 : steal_fd(&mount);
}

int volume_new_shm(uint64_t size, struct error *err)
{
	return make_in_memory(NULL, size, "1777", -1, MOUNT_HARMLESS, err);
}

int volume_make_shm(const char *name, uint64_t size, struct error *err)
{
	return make_in_memory(name, size ? size : SHM_SIZE_DEFAULT, "1777", -1, MOUNT_HARMLESS, err);
}

int volume_make_empty_dir(
	int podfd, const char *name, bool memory, uint64_t size_limit, int64_t fs_group, struct error *err)
{
	cleanup_fd int fd = -1;

	if (memory)
		return make_in_memory(name, size_limit, fs_group >= 0 ? "2777" : "777", fs_group,
			MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, err);
	if (mkdirat(podfd, name, 0700) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make the volume %s", name);
	fd = openat(podfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_set(err, ERROR_HOST, errno, "cannot open the volume %s", name);
	if (fs_group >= 0 && fchown(fd, (uid_t)-1, (gid_t)fs_group) < 0) {
		error_set(err, ERROR_HOST, errno, "cannot give the volume %s to the group %" PRId64, name,
			fs_group);
		if (errno == EINVAL)
			error_hint(err, "this user namespace has no such group; see /etc/subgid");
		return -1;
	}
	if (fchmod(fd, fs_group >= 0 ? 02777 : 0777) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot set the mode of the volume %s", name);
	return steal_fd(&fd);
}

/* The host is trusted, so links are followed; a type is what the link leads to, as for the kubelet. */
static const struct {
	mode_t type; /* S_IFMT; 0: any */
	bool make_folder, make_file;
	const char *what;
} host_types[] = {
	[VOLUME_HOST_UNCHECKED] = {0, true, false, NULL},
	[VOLUME_HOST_DIRECTORY_OR_CREATE] = {S_IFDIR, true, false, "a directory"},
	[VOLUME_HOST_DIRECTORY] = {S_IFDIR, false, false, "a directory"},
	[VOLUME_HOST_FILE_OR_CREATE] = {S_IFREG, false, true, "a file"},
	[VOLUME_HOST_FILE] = {S_IFREG, false, false, "a file"},
	[VOLUME_HOST_SOCKET] = {S_IFSOCK, false, false, "a socket file"},
	[VOLUME_HOST_CHAR_DEVICE] = {S_IFCHR, false, false, "a character device"},
	[VOLUME_HOST_BLOCK_DEVICE] = {S_IFBLK, false, false, "a block device"},
};

static int make_host_path(const char *path, bool file, struct error *err)
{
	cleanup_fd int fd = -1;
	cleanup_fd int root = -1;

	if (file) {
		/* As the kubelet: the folder that is to hold it has to be there. */
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd < 0 && errno != EEXIST)
			return error_set(err, ERROR_HOST, errno,
				"cannot create the file %s for a hostPath volume", path);
		return 0;
	}
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = inroot_mkdirs(root, path, 0755, err);
	if (fd < 0) {
		err->class = ERROR_HOST;
		return error_wrap(err, "cannot create the folder %s for a hostPath volume", path);
	}
	return 0;
}

int volume_open_host_path(const char *path, enum volume_host_type type, struct error *err)
{
	bool makes = host_types[type].make_folder || host_types[type].make_file;
	cleanup_fd int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT && makes) {
		if (make_host_path(path, host_types[type].make_file, err) < 0)
			return -1;
		fd = open(path, O_PATH | O_CLOEXEC);
	}
	if (fd < 0 && errno == ENOENT)
		return error_set(err, ERROR_HOST, 0, "hostPath type check failed: %s is not %s", path,
			host_types[type].what);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot open the hostPath %s", path);
	if (host_types[type].type && (st.st_mode & S_IFMT) != host_types[type].type)
		return error_set(err, ERROR_HOST, 0, "hostPath type check failed: %s is not %s", path,
			host_types[type].what);
	return steal_fd(&fd);
}

/* What sub_path names in the volume; what is missing of it is made with the volume's own mode, as the kubelet does. */
static int open_sub_path(int volumefd, const char *sub_path, struct error *err)
{
	struct error tried = {0};
	struct stat st;
	int fd = inroot_open(volumefd, sub_path, O_PATH, &tried);

	if (fd < 0 && tried.errnum == ENOENT) {
		if (fstat(volumefd, &st) < 0)
			return error_set(err, ERROR_HOST, errno, "cannot look at a volume");
		fd = inroot_mkdirs(volumefd, sub_path, st.st_mode & 07777, &tried);
	}
	if (fd < 0) {
		*err = tried;
		err->class = ERROR_HOST;
		return error_wrap(err, "failed to prepare subPath \"%s\" of a volume", sub_path);
	}
	return fd;
}

int volume_clone(
	int volumefd, const char *sub_path, bool read_only, bool trusted, bool *is_dir, struct error *err)
{
	bool has_sub_path = sub_path && *sub_path;
	/* A device at a sub_path may have been made there by a container, even in a folder of the host. */
	unsigned int attributes = (read_only ? MOUNT_ATTR_RDONLY : 0) | (trusted ? 0 : MOUNT_ATTR_NOSUID) |
				  (trusted && !has_sub_path ? 0 : MOUNT_ATTR_NODEV);
	cleanup_fd int sub = has_sub_path ? open_sub_path(volumefd, sub_path, err) : -1;
	int from = has_sub_path ? sub : volumefd;
	cleanup_fd int clone = -1;
	struct stat st;

	if (from < 0)
		return -1;
	/* With what is mounted below it, as containerd's rbind. */
	clone = mount_clone(from, "", true, err);
	if (clone < 0)
		return -1;
	if (fstat(clone, &st) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot look at a volume");
	*is_dir = S_ISDIR(st.st_mode);
	if (attributes && mount_restrict(clone, attributes, true, err) < 0)
		return -1;
	return steal_fd(&clone);
}
