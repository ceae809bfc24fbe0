/*
 * A volume of files that the pod's ConfigMaps and Secrets, and what is known of the pod, are written to.
 *
 * Theory of operation
 *
 * It is a tmpfs that is fresh: nobody else has ever seen it, and no container gets it writable. The layout is the kubelet's
 * (pkg/volume/util/atomic_writer.go): the files lie in a folder whose name has the time, ..data is a link to it, and what
 * a program opens are links through ..data. Each path is resolved in-root all the same, and each file is made anew
 * (O_EXCL, O_NOFOLLOW): what a link in a volume could lead to is never written (CVE-2025-9566).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/inroot.h"
#include "base/memory.h"
#include "namespaces/mounts.h"
#include "namespaces/namespaces.h"
#include "namespaces/users.h"

#define FOLDER_MODE 0755
/* What the kubelet's SetVolumeOwnership adds for the group in a volume that is read-only. */
#define GROUP_FILE   (S_IRUSR | S_IRGRP)
#define GROUP_FOLDER (S_ISGID | GROUP_FILE | S_IXUSR | S_IXGRP)

static int failed(struct error *err, const char *path)
{
	return error_set(err, ERROR_HOST, errno, "cannot write %s", path);
}

/* Who it all belongs to. */
struct owner {
	int64_t group; /* -1: none of its own */
	const struct pod_users *users;
};

static int set_owner(int fd, const struct owner *owner, const char *path, struct error *err)
{
	if (fchownat(fd, "", 0, owner->group >= 0 ? (gid_t)owner->group : 0, AT_EMPTY_PATH) < 0)
		return failed(err, path);
	return pod_users_give(owner->users, fd, err);
}

/* The owner first: chown(2) may take bits of the mode away. */
static int settle(int fd, mode_t mode, const struct owner *owner, const char *path, struct error *err)
{
	if (set_owner(fd, owner, path, err) < 0)
		return -1;
	return fchmod(fd, mode) < 0 ? failed(err, path) : 0;
}

static int write_file(
	int folder, const struct volume_file *file, const struct owner *owner, struct error *err)
{
	const char *name;
	cleanup_fd int parent = inroot_parent(folder, file->path, true, &name, err);
	cleanup_fd int fd = -1;

	if (parent < 0)
		return -1;
	fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || fd_write_all(fd, file->data, file->size) < 0)
		return failed(err, file->path);
	return settle(fd, file->mode | (owner->group >= 0 ? GROUP_FILE : 0), owner, file->path, err);
}

static mode_t folder_mode(const struct owner *owner)
{
	return FOLDER_MODE | (owner->group >= 0 ? GROUP_FOLDER : 0);
}

/* The folders above a file. */
static int set_folders(int folder, const char *path, const struct owner *owner, struct error *err)
{
	for (const char *slash = path; (slash = strchr(slash, '/')); slash++) {
		cleanup_free char *above = xstrndup(path, (size_t)(slash - path));
		cleanup_fd int fd = inroot_open(folder, above, O_RDONLY | O_DIRECTORY, err);

		if (fd < 0 || settle(fd, folder_mode(owner), owner, above, err) < 0)
			return -1;
	}
	return 0;
}

/* "..2026_11_24_15_04_05.123456789" */
static void make_name(char *name, size_t size)
{
	struct timespec now;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(name, size, "..%Y_%m_%d_%H_%M_%S", &tm);
	snprintf(name + n, size - n, ".%09ld", now.tv_nsec);
}

/* In a folder like ours fs.protected_symlinks has links followed only if they belong to its owner. */
static int give_link(int mount, const char *name, const struct owner *owner, struct error *err)
{
	cleanup_fd int fd = openat(mount, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? failed(err, name) : set_owner(fd, owner, name, err);
}

/* The links that programs see: one for each first part of a path. */
static int link_files(
	int mount, const struct volume_file *files, size_t n, const struct owner *owner, struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *name = xstrndup(files[i].path, strcspn(files[i].path, "/"));
		cleanup_free char *target = xasprintf("..data/%s", name);

		if (symlinkat(target, mount, name) < 0 && errno != EEXIST)
			return failed(err, name);
		if (give_link(mount, name, owner, err) < 0)
			return -1;
	}
	return 0;
}

static int fill(
	int mount, const struct volume_file *files, size_t n, const struct owner *owner, struct error *err)
{
	cleanup_fd int folder = -1;
	char name[64];

	make_name(name, sizeof(name));
	if (mkdirat(mount, name, 0700) < 0)
		return failed(err, name);
	folder = openat(mount, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return failed(err, name);
	for (size_t i = 0; i < n; i++)
		if (write_file(folder, &files[i], owner, err) < 0 ||
			set_folders(folder, files[i].path, owner, err) < 0)
			return -1;
	if (settle(folder, folder_mode(owner), owner, name, err) < 0)
		return -1;
	if (symlinkat(name, mount, "..data_tmp") < 0 || renameat(mount, "..data_tmp", mount, "..data") < 0)
		return failed(err, "..data");
	if (give_link(mount, "..data", owner, err) < 0)
		return -1;
	return link_files(mount, files, n, owner, err);
}

int volume_make_files(const char *name, const struct volume_file *files, size_t n, int64_t fs_group,
	const struct pod_users *users, struct error *err)
{
	const struct owner owner = {fs_group, users};
	mode_t mode = S_ISVTX | 0777 | (fs_group >= 0 ? GROUP_FOLDER : 0);
	cleanup_fd int mount = volume_make_in_memory(name, "1777", err);
	cleanup_fd int top = mount < 0 ? -1 : openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (mount < 0)
		return -1;
	if (top < 0)
		return failed(err, "the volume's folder");
	if (settle(top, mode, &owner, "the volume's folder", err) < 0 ||
		fill(mount, files, n, &owner, err) < 0)
		return -1;
	return steal_fd(&mount);
}
