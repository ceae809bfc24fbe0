/* The container: making its process, and giving it its view of the world. Theory of operation: namespaces.h, mounts.h. */
#include "namespaces/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/inroot.h"
#include "base/memory.h"
#include "namespaces/mounts.h"
#include "namespaces/tree.h"

pid_t isolation_clone(const struct isolation *isolation, int *pidfd, struct error *err)
{
	const struct sandbox *sandbox = isolation->sandbox;
	int cgroupfd = isolation->cgroup ? cgroup_home(isolation->cgroup, CGROUP_UNIFIED) : -1;

	if (sandbox->ready >= 0)
		return error_set(err, ERROR_INTERNAL, 0, "sandbox_wait was not called");
	if (sandbox->host_pid)
		return clone_process(CLONE_NEWNS, cgroupfd, pidfd, err);
	if (sandbox->share_process_namespace)
		return clone_beside(sandbox, sandbox->pause_pidfd, CLONE_NEWNS, cgroupfd, pidfd, err);
	return clone_nested(sandbox, sandbox->pidfd, CLONE_NEWNS, cgroupfd, pidfd, err);
}

/* A path without ".", ".." and double slashes, which starts with "/"; to be freed. Links are not looked at. */
static char *clean_path(const char *path)
{
	char *clean = xcalloc(strlen(path) + 2, 1);
	size_t used = 0;

	for (const char *p = path; *p;) {
		size_t n;

		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (n == 2 && !strncmp(p, "..", 2)) {
			while (used && clean[--used] != '/')
				;
		} else if (n && !(n == 1 && *p == '.')) {
			clean[used++] = '/';
			memcpy(clean + used, p, n);
			used += n;
		}
		p += n;
	}
	clean[used] = '\0';
	if (!used)
		strcpy(clean, "/");
	return clean;
}

static bool is_at_or_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return !strncmp(path, folder, n) && (path[n] == '\0' || path[n] == '/');
}

int isolation_check_target(const char *path, struct error *err)
{
	cleanup_free char *clean = clean_path(path);

	if (path[0] != '/')
		return error_set(
			err, ERROR_MANIFEST, 0, "cannot mount on %s: the path must be absolute", path);
	if (!strcmp(clean, "/"))
		return error_set(
			err, ERROR_MANIFEST, 0, "cannot mount on %s: that is the container's root", path);
	if (is_at_or_below(clean, "/proc") || is_at_or_below(clean, "/sys")) {
		error_set(
			err, ERROR_MANIFEST, 0, "cannot mount on %s: /proc and /sys are the kernel's", path);
		return error_hint(err, "mount the volume elsewhere, for instance on /host%s", clean);
	}
	return 0;
}

int tree_open_base(const struct tree *tree, const char *name, struct error *err)
{
	const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(tree->root, name, flags);

	if (fd < 0 && errno == ENOENT && mkdirat(tree->root, name, 0755) == 0)
		fd = openat(tree->root, name, flags);
	if (fd >= 0)
		return fd;
	error_set(err, ERROR_IMAGE, errno, "/%s of the image is no folder", name);
	return error_hint(err,
		"an image in which /%s is a link or a file is refused: what is mounted there "
		"would end up elsewhere (CVE-2019-19921)",
		name);
}

/* Where a volume's target really is, links followed: what is forbidden by name is forbidden by link, too. */
static int check_resolved(const struct tree *tree, int target, const char *path, struct error *err)
{
	bool is_root = false;
	uint64_t id = mount_id(target, &is_root);

	if (id == 0)
		return error_set(err, ERROR_HOST, errno, "cannot tell which mount %s is on", path);
	if (id != mount_id(tree->proc, NULL) && id != mount_id(tree->sys, NULL) &&
		!(is_root && id == mount_id(tree->root, NULL)))
		return 0;
	error_set(err, ERROR_IMAGE, 0,
		"cannot mount on %s: a link in the image leads it to the root, /proc or /sys", path);
	return error_hint(err, "mount the volume on a path that the image doesn't redirect");
}

/* A device that the manifest names may be opened; any that lies in a volume may not. */
static int forbid_devices(const struct mount *mount, struct error *err)
{
	struct stat st;

	if (!mount->is_dir && fstat(mount->source, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
		return 0;
	return mount_restrict(mount->source, MOUNT_ATTR_NODEV, true, err);
}

static int attach_volume(const struct tree *tree, const struct mount *mount, struct error *err)
{
	cleanup_fd int target = -1;

	if (isolation_check_target(mount->target, err) < 0)
		return -1;
	if (!tree->isolation->privileged && forbid_devices(mount, err) < 0)
		return -1;
	target = mount->is_dir ? inroot_mkdirs(tree->root, mount->target, 0755, err)
			       : inroot_touch(tree->root, mount->target, 0644, err);
	if (target < 0)
		return error_wrap(err, "cannot make the mount point %s", mount->target);
	if (check_resolved(tree, target, mount->target, err) < 0)
		return -1;
	return mount_attach(mount->source, target, "", mount->target, err);
}

/*
 * The image's content is in it, as it is in the copy that Docker and containerd make of it; writes go to the container's own
 * layer; and neither costs what the size of a copy would.
 */
static int attach_own(const struct tree *tree, const char *path, struct error *err)
{
	struct error tried = {0};
	cleanup_fd int target = -1;
	cleanup_fd int clone = -1;

	if (isolation_check_target(path, err) < 0)
		return -1;
	target = inroot_open(tree->root, path, O_PATH, &tried);
	if (target < 0)
		target = inroot_mkdirs(tree->root, path, 0755, err);
	if (target < 0)
		return error_wrap(err, "cannot make the image's volume %s", path);
	if (check_resolved(tree, target, path, err) < 0)
		return -1;
	clone = mount_clone(target, "", false, err);
	if (clone < 0 ||
		(!tree->isolation->privileged && mount_restrict(clone, MOUNT_ATTR_NODEV, false, err) < 0))
		return -1;
	return mount_attach(clone, target, "", path, err);
}

/* A working folder that is missing couldn't be made any more; whatever is wrong with it will be told when it is entered. */
static void make_folder(const struct tree *tree)
{
	struct error ignored;
	int fd;

	if (!tree->isolation->read_only_root || !tree->isolation->folder)
		return;
	fd = inroot_mkdirs(tree->root, tree->isolation->folder, 0755, &ignored);
	if (fd >= 0)
		close(fd);
}

static int build(struct tree *tree, int *procfd, struct error *err)
{
	const struct isolation *isolation = tree->isolation;
	unsigned int attributes = (isolation->privileged ? 0 : MOUNT_ATTR_NODEV) |
				  (isolation->read_only_root ? MOUNT_ATTR_RDONLY : 0);

	if (proc_prepare(tree, err) < 0 || devices_prepare(tree, err) < 0)
		return -1;
	if (mount_become_root(tree->root, err) < 0)
		return -1;
	if (devices_attach(tree, err) < 0 || proc_attach(tree, procfd, err) < 0)
		return -1;
	for (size_t i = 0; i < isolation->n_mounts; i++) {
		const struct mount *mount = &isolation->mounts[i];

		if (mount->source < 0 ? attach_own(tree, mount->target, err) < 0
				      : attach_volume(tree, mount, err) < 0)
			return -1;
	}
	make_folder(tree);
	if (proc_protect(tree, err) < 0)
		return -1;
	return attributes ? mount_restrict(tree->root, attributes, false, err) : 0;
}

static void tree_free(struct tree *tree)
{
	int *const fds[] = {
		&tree->dev, &tree->pts, &tree->shm, &tree->mqueue, &tree->proc, &tree->sys, &tree->cgroup};

	for (size_t i = 0; i < array_length(fds); i++)
		cleanup_fd_fn(fds[i]);
	for (size_t i = 0; i < tree->n_clones; i++) {
		cleanup_fd_fn(&tree->clones[i].mount);
		free(tree->clones[i].name);
	}
	free(tree->clones);
}

/* Its session, umask, signals, and openness to ptrace(2). */
void process_shed(void)
{
	struct sigaction defaults = {.sa_handler = SIG_DFL};
	sigset_t none;

	setsid();
	umask(0);
	/* Until execve: another container of the pod could reach the supervisor's memory or executable through us
	 * (CVE-2016-9962, CVE-2019-5736). */
	prctl(PR_SET_DUMPABLE, 0);
	for (int signum = 1; signum < _NSIG; signum++)
		sigaction(signum, &defaults, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int isolation_enter(
	const struct isolation *isolation, struct terminal *terminal, int *procfd, struct error *err)
{
	struct tree tree = {.isolation = isolation,
		.terminal = terminal,
		.root = isolation->rootfs,
		.dev = -1,
		.pts = -1,
		.shm = -1,
		.mqueue = -1,
		.proc = -1,
		.sys = -1,
		.cgroup = -1};
	int namespaces = sandbox_namespaces(isolation->sandbox);
	int result;

	process_shed();
	if (isolation->cgroup && cgroup_enter(isolation->cgroup, err) < 0)
		return -1;
	/* In a pod with users of its own it was born in them. */
	if (isolation->sandbox->users && users_become_root(err) < 0)
		return -1;
	if (!isolation->sandbox->users && namespaces && setns(isolation->sandbox->pidfd, namespaces) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot enter the pod's namespaces");
	/* Not by clone3: the root of the new one would be the supervisor's cgroup, not the container's. */
	if (unshare(CLONE_NEWCGROUP) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make a cgroup namespace");
	result = build(&tree, procfd, err);
	tree_free(&tree);
	umask(0022);
	return result;
}
