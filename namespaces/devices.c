/*
 * /dev of a container.
 *
 * Theory of operation
 *
 * A small tmpfs. Root makes the nodes in it by mknod(2), so that a chmod by the container reaches nodes of its own. In
 * a user namespace, where mknod is forbidden, the host's nodes are cloned onto empty files. The clones are read-only, which
 * bars no write to a device, but a chmod: in root's own `unshare -r` that would be one of the host's node.
 *
 * No other device may be opened. A runtime of Kubernetes sees to that by a cgroup's device filter; here it is the
 * mounts: CAP_MKNOD is among the default capabilities, so everything writable is mounted nodev (the rootfs, volumes,
 * and /dev itself), and the few nodes are each a mount of its own that is not. Privileged containers are exempt.
 */
#include "namespaces/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "namespaces/mounts.h"

#define TMPFS_MODE_ROOT "755"
#define DEV_DEPTH       3 /* folders below the host's /dev that a privileged container gets */

static const struct {
	const char *name;
	unsigned int minor_1, minor_5; /* of major 1 or major 5; the other is 0 */
} nodes[] = {
	{"null", 3, 0},
	{"zero", 5, 0},
	{"full", 7, 0},
	{"random", 8, 0},
	{"urandom", 9, 0},
	{"tty", 0, 0},
};

static const struct {
	const char *name, *to;
} links[] = {
	{"fd", "/proc/self/fd"},
	{"stdin", "/proc/self/fd/0"},
	{"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"},
	{"core", "/proc/kcore"},
	{"ptmx", "pts/ptmx"},
};

static const struct {
	const char *name;
	mode_t mode;
} folders[] = {
	{"pts", 0755},
	{"shm", 01777},
	{"mqueue", 01777},
};

/* Names in the host's /dev that a container has of its own. */
static bool is_own(const char *name)
{
	static const char *const more[] = {"console", "initctl", "log", "char", "block"};

	for (size_t i = 0; i < array_length(nodes); i++)
		if (!strcmp(name, nodes[i].name))
			return true;
	for (size_t i = 0; i < array_length(links); i++)
		if (!strcmp(name, links[i].name))
			return true;
	for (size_t i = 0; i < array_length(folders); i++)
		if (!strcmp(name, folders[i].name))
			return true;
	for (size_t i = 0; i < array_length(more); i++)
		if (!strcmp(name, more[i]))
			return true;
	return false;
}

static int clone_host_device(
	struct tree *tree, int hostfd, const char *name, const char *path, struct error *err)
{
	cleanup_fd int file = -1;
	struct device_clone *clone;

	if (tree->n_clones == DEVICES_MAX)
		return error_set(
			err, ERROR_HOST, 0, "this host has more than %d devices in /dev", DEVICES_MAX);
	file = openat(tree->dev, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (file < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make /dev/%s", path);
	tree->clones = xreallocarray(tree->clones, tree->n_clones + 1, sizeof(*tree->clones));
	clone = &tree->clones[tree->n_clones];
	clone->mount = mount_clone(hostfd, name, false, err);
	if (clone->mount < 0)
		return error_wrap(err, "/dev/%s of the host", path);
	if (mount_restrict(clone->mount, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, false,
		    err) < 0) {
		close(clone->mount);
		return -1;
	}
	clone->name = xstrdup(path);
	tree->n_clones++;
	return 0;
}

/* Makes one node, or takes the host's. */
static int make_node(struct tree *tree, int hostfd, const char *name, const char *path, mode_t mode,
	dev_t device, struct error *err)
{
	if (mknodat(tree->dev, path, mode, device) == 0)
		return 0;
	if (errno != EPERM)
		return error_set(err, ERROR_HOST, errno, "cannot make the device /dev/%s", path);
	return clone_host_device(tree, hostfd, name, path, err);
}

static int copy_host_devices(struct tree *tree, int hostfd, const char *prefix, int depth, struct error *err);

static int copy_host_entry(
	struct tree *tree, int hostfd, const char *prefix, const char *name, int depth, struct error *err)
{
	cleanup_free char *path = *prefix ? xasprintf("%s/%s", prefix, name) : xstrdup(name);
	struct stat st, here;

	if (fstatat(hostfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || fstat(hostfd, &here) < 0)
		return 0; /* it went away */
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
		if (make_node(tree, hostfd, name, path, st.st_mode, st.st_rdev, err) < 0)
			return -1;
		/* The owner may have no meaning in a user namespace; a clone has it anyway. */
		fchownat(tree->dev, path, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW);
		return 0;
	}
	if (S_ISDIR(st.st_mode) && st.st_dev == here.st_dev && depth < DEV_DEPTH) {
		cleanup_fd int fd = openat(hostfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0)
			return 0;
		if (mkdirat(tree->dev, path, 0755) < 0)
			return error_set(err, ERROR_HOST, errno, "cannot make /dev/%s", path);
		return copy_host_devices(tree, fd, path, depth + 1, err);
	}
	return 0;
}

static int copy_host_devices(struct tree *tree, int hostfd, const char *prefix, int depth, struct error *err)
{
	cleanup_dir DIR *dir = fdopendir(fcntl(hostfd, F_DUPFD_CLOEXEC, 3));
	const struct dirent *entry;

	if (!dir)
		return error_set(err, ERROR_HOST, errno, "cannot read the host's /dev");
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || (!depth && is_own(entry->d_name)))
			continue;
		if (copy_host_entry(tree, hostfd, prefix, entry->d_name, depth, err) < 0)
			return -1;
	}
	return 0;
}

static int populate(struct tree *tree, struct error *err)
{
	cleanup_fd int hostfd = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (hostfd < 0)
		return error_set(err, ERROR_HOST, errno, "cannot open /dev");
	for (size_t i = 0; i < array_length(nodes); i++) {
		dev_t device = nodes[i].minor_1 ? makedev(1, nodes[i].minor_1) : makedev(5, nodes[i].minor_5);

		if (make_node(tree, hostfd, nodes[i].name, nodes[i].name, S_IFCHR | 0666, device, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < array_length(folders); i++)
		if (mkdirat(tree->dev, folders[i].name, folders[i].mode) < 0)
			return error_set(err, ERROR_HOST, errno, "cannot make /dev/%s", folders[i].name);
	for (size_t i = 0; i < array_length(links); i++)
		if (symlinkat(links[i].to, tree->dev, links[i].name) < 0)
			return error_set(err, ERROR_HOST, errno, "cannot make /dev/%s", links[i].name);
	return tree->isolation->privileged ? copy_host_devices(tree, hostfd, "", 0, err) : 0;
}

static int make_pts(struct error *err)
{
	const struct mount_option options[] = {
		{"newinstance", NULL}, {"ptmxmode", "0666"}, {"mode", "0620"},
		{"gid", "5"}, /* tty, if that group has a meaning here */
	};

	return mount_new(
		"devpts", options, userns_maps_gid(5) ? 4 : 3, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err);
}

/* Whether the list of mounts has one for path, literally. */
static bool is_given(const struct isolation *isolation, const char *path)
{
	for (size_t i = 0; i < isolation->n_mounts; i++)
		if (!strcmp(isolation->mounts[i].target, path))
			return true;
	return false;
}

static int make_shm(const struct tree *tree, struct error *err)
{
	uint64_t size = tree->isolation->shm_size ? tree->isolation->shm_size : SHM_SIZE_DEFAULT;

	if (tree->isolation->sandbox->host_ipc) {
		/* With the host's ipc namespace goes the host's shared memory. */
		int clone = mount_clone(AT_FDCWD, "/dev/shm", false, &(struct error){0});

		/* The host's may allow what ours doesn't: a device made in it, for one. */
		if (clone >= 0 && mount_restrict(clone, MOUNT_HARMLESS, false, err) < 0) {
			close(clone);
			return -1;
		}
		if (clone >= 0)
			return clone;
	}
	return volume_new_shm(size, err);
}

/* *mount is left at -1 where there are no queues to be had, which is no error. */
static int make_mqueue(const struct tree *tree, int *mount, struct error *err)
{
	struct error tried = {0};

	*mount = mount_new("mqueue", NULL, 0, MOUNT_HARMLESS, &tried);
	if (*mount >= 0 || tried.errnum == ENODEV)
		return 0;
	/* An ordinary user has no right to the host's queues, except through the mount that may be there. */
	if (tree->isolation->sandbox->host_ipc) {
		*mount = mount_clone(AT_FDCWD, "/dev/mqueue", false, &tried);
		return 0;
	}
	*err = tried;
	return -1;
}

int devices_prepare(struct tree *tree, struct error *err)
{
	const struct mount_option options[] = {{"mode", TMPFS_MODE_ROOT}, {"size", "64m"}};

	tree->dev = mount_new(
		"tmpfs", options, array_length(options), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err);
	if (tree->dev < 0)
		return error_wrap(err, "/dev");
	if (populate(tree, err) < 0)
		return -1;
	tree->pts = make_pts(err);
	if (tree->pts < 0)
		return error_wrap(err, "/dev/pts");
	if (!is_given(tree->isolation, "/dev/shm")) {
		tree->shm = make_shm(tree, err);
		if (tree->shm < 0)
			return error_wrap(err, "/dev/shm");
	}
	if (make_mqueue(tree, &tree->mqueue, err) < 0)
		return error_wrap(err, "/dev/mqueue");
	return 0;
}

/* Mounts each node on itself, and takes the right to open any other device from /dev. */
static int seal(struct tree *tree, struct error *err)
{
	int clones[array_length(nodes)];
	int result = 0;

	for (size_t i = 0; i < array_length(nodes); i++) {
		clones[i] = result < 0 ? -1 : mount_clone(tree->dev, nodes[i].name, false, err);
		if (clones[i] < 0)
			result = -1;
	}
	if (result == 0)
		result = mount_restrict(tree->dev, MOUNT_ATTR_NODEV, false, err);
	for (size_t i = 0; i < array_length(nodes); i++) {
		if (result == 0)
			result = mount_attach(clones[i], tree->dev, nodes[i].name, nodes[i].name, err);
		cleanup_fd_fn(&clones[i]);
	}
	return result;
}

static int attach_clones(struct tree *tree, struct error *err)
{
	for (size_t i = 0; i < tree->n_clones; i++) {
		struct device_clone *clone = &tree->clones[i];
		char path[300] = "/dev/";

		strncat(path, clone->name, sizeof(path) - sizeof("/dev/"));
		if (mount_attach(clone->mount, tree->dev, clone->name, path, err) < 0)
			return -1;
	}
	return 0;
}

/* The program's end of its terminal, by descriptor, on a file in a /dev that nobody else has had yet. */
static int attach_console(const struct tree *tree, struct error *err)
{
	cleanup_fd int file = -1;
	cleanup_fd int clone = -1;

	if (!tree->terminal)
		return 0;
	if (terminal_make(tree->pts, tree->terminal, err) < 0)
		return -1;
	file = openat(tree->dev, "console", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make /dev/console");
	clone = mount_clone(tree->terminal->slave, "", false, err);
	return clone < 0 ? -1 : mount_attach(clone, tree->dev, "console", "/dev/console", err);
}

int devices_attach(struct tree *tree, struct error *err)
{
	cleanup_fd int dev = tree_open_base(tree, "dev", err);

	if (dev < 0 || mount_attach(tree->dev, dev, "", "/dev", err) < 0)
		return -1;
	if (tree->n_clones ? attach_clones(tree, err) < 0
			   : !tree->isolation->privileged && seal(tree, err) < 0)
		return -1;
	if (mount_attach(tree->pts, tree->dev, "pts", "/dev/pts", err) < 0 || attach_console(tree, err) < 0)
		return -1;
	if (tree->shm >= 0 && mount_attach(tree->shm, tree->dev, "shm", "/dev/shm", err) < 0)
		return -1;
	if (tree->mqueue >= 0 && mount_attach(tree->mqueue, tree->dev, "mqueue", "/dev/mqueue", err) < 0)
		return -1;
	return 0;
}
