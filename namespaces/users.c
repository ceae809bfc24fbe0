/* The user namespace of a pod: making it, and showing files to it. Theory of operation: users.h. */
#include "namespaces/users.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/inroot.h"
#include "namespaces/idmap.h"
#include "namespaces/mounts.h"
#include "namespaces/namespaces.h"
#include "namespaces/sandbox.h"

const struct pod_users pod_users_none = {.fd = -1, .lock = -1};

static int write_map(pid_t pid, const char *file, uint32_t first, uint32_t count)
{
	char path[64], map[64];
	cleanup_fd int fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	snprintf(map, sizeof(map), "0 %u %u", first, count);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -1 : fd_write_all(fd, map, strlen(map));
}

int userns_make(uint32_t first, uint32_t count, struct error *err)
{
	cleanup_fd int pidfd = -1;
	int fd = -1, errnum = 0;
	/* A namespace needs somebody in it until there is a descriptor of it. */
	pid_t pid = clone_process(CLONE_NEWUSER, -1, &pidfd, err);

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	if (pid < 0)
		return userns_explain(err);
	if (write_map(pid, "uid_map", first, count) < 0 || write_map(pid, "gid_map", first, count) < 0) {
		errnum = errno;
	} else {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		errnum = errno;
	}
	pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	while (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &(siginfo_t){0}, WEXITED) < 0 && errno == EINTR)
		;
	if (fd >= 0)
		return fd;
	error_set(err, ERROR_HOST, errnum, "cannot map ids %u-%u into a user namespace", first,
		first + count - 1);
	return error_check(err, "user namespaces");
}

int pod_users_make(struct pod_users *users, struct error *err)
{
	*users = pod_users_none;
	users->lock = idmap_claim(POD_IDS, &users->first, err);
	if (users->lock >= 0)
		users->fd = userns_make(users->first, POD_IDS, err);
	if (users->fd >= 0)
		return 0;
	pod_users_close(users);
	return error_wrap(err, "hostUsers: false");
}

void pod_users_close(struct pod_users *users)
{
	cleanup_fd_fn(&users->fd);
	cleanup_fd_fn(&users->lock);
	*users = pod_users_none;
}

int pod_users_give(const struct pod_users *users, int fd, struct error *err)
{
	struct stat st;

	if (users->fd < 0)
		return 0;
	/* An id of the image beyond the range has no meaning for the pod: it is nobody's, as it is through the mapped layers. */
	if (fstat(fd, &st) < 0 ||
		fchownat(fd, "", users->first + (st.st_uid < POD_IDS ? st.st_uid : 65534),
			users->first + (st.st_gid < POD_IDS ? st.st_gid : 65534), AT_EMPTY_PATH) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot give a file to the pod's users");
	return 0;
}

void pod_users_make_folder(const struct pod_users *users, int volumefd, const char *path)
{
	struct error ignored;
	struct stat st;
	int fd;

	if (users->fd < 0 || fstat(volumefd, &st) < 0)
		return;
	/* Its group too: only a member may make a folder that hands its group down. */
	setfsgid(st.st_gid);
	setfsuid(users->first);
	/* The mode is the volume's, as the kubelet has it for a subPath. */
	fd = inroot_mkdirs(volumefd, path, st.st_mode & 07777, &ignored);
	setfsuid(geteuid());
	setfsgid(getegid());
	cleanup_fd_fn(&fd);
}

static int cannot_map(int mount, int errnum, struct error *err)
{
	char name[32];

	error_set(err, ERROR_HOST, errnum, "the pod's ids can't be mapped onto files of %s here",
		file_system_name(mount, name, sizeof(name)));
	error_hint(err,
		"idmapped mounts are there of ext4, xfs, btrfs and, since Linux 6.3, tmpfs; keep the files "
		"on one of them, or leave hostUsers: false out");
	return error_check(err, "idmapped mounts");
}

int pod_users_map(const struct pod_users *users, int mount, bool recursive, struct error *err)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)users->fd};

	if (users->fd < 0 || mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr,
				     sizeof(attr)) == 0)
		return 0;
	cannot_map(mount, errno, err);
	/* Then it is not this one but something that is mounted below. */
	if (recursive && mount_setattr(mount, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0)
		return error_set(err, ERROR_HOST, err->errnum,
			"the pod's ids can't be mapped onto all that is mounted below it");
	return -1;
}

int pod_users_try(const struct pod_users *users, int fd, struct error *err)
{
	cleanup_fd int mount = users->fd < 0 ? -1 : mount_clone(fd, "", true, err);

	if (users->fd < 0)
		return 0;
	return mount < 0 ? -1 : pod_users_map(users, mount, true, err);
}

int pod_users_give_cgroup(const struct pod_users *users, int cgroupfd, struct error *err)
{
	/* Those of /sys/kernel/cgroup/delegate that say where processes go, and not what they are held to. */
	static const char *const files[] = {".", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"};

	for (size_t i = 0; users->fd >= 0 && cgroupfd >= 0 && i < array_length(files); i++) {
		cleanup_fd int fd = openat(cgroupfd, files[i], O_PATH | O_CLOEXEC);

		if (fd >= 0 && pod_users_give(users, fd, err) < 0)
			return -1;
	}
	return 0;
}

int pod_users_map_layer(const struct pod_users *users, int layer, struct error *err)
{
	cleanup_fd int mount = mount_clone(layer, "", false, err);
	struct stat st;
	char name[64];

	if (mount < 0 || pod_users_map(users, mount, false, err) < 0)
		return -1;
	if (fstat(mount, &st) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot look at a layer");
	snprintf(name, sizeof(name), "layer-%llx-%llx", (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino);
	return volumes_hold(mount, name, err) < 0 ? -1 : steal_fd(&mount);
}

void pod_users_unmap_layer(int mount)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", mount);
	/* It is attached only where the kernel needs that (volumes.c). */
	umount2(path, MNT_DETACH);
	close(mount);
}

int users_become_root(struct error *err)
{
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot become root of the pod's user namespace");
	/* What the change of ids may have undone: see process_shed. */
	prctl(PR_SET_DUMPABLE, 0);
	return 0;
}
