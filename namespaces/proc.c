/*
 * /proc and /sys of a container.
 *
 * Theory of operation
 *
 * Both are new file systems. In a user namespace the kernel makes them only as long as a whole one can be seen, so
 * that is done before the host's tree goes. What is masked is covered with this container's own null device, made by us
 * a moment ago and known by descriptor (CVE-2025-31133), or with one empty read-only folder. All targets are names
 * in file systems that are the kernel's, below descriptors of our own mounts of them: no image, and no volume can
 * come in between.
 * Lists: Kubernetes pkg/securitycontext/util.go, 1.36.
 */
#include "namespaces/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "namespaces/mounts.h"

static const struct {
	const char *name;
	bool in_sys, is_dir;
} masked[] = {
	{"asound", false, true},
	{"acpi", false, true},
	{"interrupts", false, false},
	{"kcore", false, false},
	{"keys", false, false},
	{"latency_stats", false, false},
	{"timer_list", false, false},
	{"timer_stats", false, false},
	{"sched_debug", false, false},
	{"scsi", false, true},
	{"firmware", true, true},
	{"devices/virtual/powercap", true, true},
};

static const char *const read_only[] = {"bus", "fs", "irq", "sys", "sysrq-trigger"};

#define CPUS_MAX 8192 /* the kernel's limit on any machine that we run on */

/* A clone of what the host has at path, no more harmful than one of our own would be. */
static int clone_host(const char *path, unsigned int attributes, struct error *err)
{
	int clone = mount_clone(AT_FDCWD, path, true, err);

	if (clone >= 0 && mount_restrict(clone, attributes, true, err) < 0) {
		close(clone);
		return -1;
	}
	return clone;
}

static int make_proc(const struct isolation *isolation, struct error *err)
{
	struct error tried = {0};
	int mount = mount_new("proc", NULL, 0, MOUNT_HARMLESS, &tried);

	/* If the pid namespace is the host's, an ordinary user has no right to show it but as it is shown. */
	if (mount < 0 && tried.errnum == EPERM && isolation->sandbox->host_pid)
		return clone_host("/proc", MOUNT_HARMLESS, err);
	if (mount < 0)
		*err = tried;
	return mount;
}

static int make_sys(unsigned int attributes, struct error *err)
{
	struct error tried = {0};
	int mount = mount_new("sysfs", NULL, 0, attributes, &tried);

	/* The network belongs to the host, or a part of /sys is covered: show what is there. */
	if (mount < 0 && tried.errnum == EPERM)
		return clone_host("/sys", MOUNT_HARMLESS | MOUNT_ATTR_RDONLY, err);
	if (mount < 0)
		*err = tried;
	return mount;
}

int proc_prepare(struct tree *tree, struct error *err)
{
	const struct isolation *isolation = tree->isolation;
	unsigned int attributes = MOUNT_HARMLESS | (isolation->privileged ? 0 : MOUNT_ATTR_RDONLY);

	tree->proc = make_proc(isolation, err);
	if (tree->proc < 0)
		return error_wrap(err, "/proc");
	tree->sys = make_sys(attributes, err);
	if (tree->sys < 0)
		return error_wrap(err, "/sys");
	/* No error: a kernel may be without cgroups of version 2. */
	tree->cgroup = mount_new("cgroup2", NULL, 0, attributes, &(struct error){0});
	return 0;
}

int proc_attach(struct tree *tree, int *procfd, struct error *err)
{
	cleanup_fd int proc = tree_open_base(tree, "proc", err);
	cleanup_fd int sys = proc < 0 ? -1 : tree_open_base(tree, "sys", err);

	if (proc < 0 || sys < 0 || mount_attach(tree->proc, proc, "", "/proc", err) < 0 ||
		mount_attach(tree->sys, sys, "", "/sys", err) < 0)
		return -1;
	/* It needs no mount of its own: no volume may be mounted below, and there is nobody else here who could. */
	*procfd = fcntl(tree->proc, F_DUPFD_CLOEXEC, 3);
	return *procfd >= 0 ? 0 : error_set(err, ERROR_HOST, errno, "cannot keep /proc");
}

/* A clone of the container's own null device, which must be one. */
static int clone_null(const struct tree *tree, struct error *err)
{
	cleanup_fd int null = openat(tree->dev, "null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (null < 0 || fstat(null, &st) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot open the container's null device");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return error_set(err, ERROR_HOST, 0, "the container's /dev/null is no null device");
	return mount_clone(null, "", false, err);
}

struct masks {
	const struct tree *tree;
	int empty; /* the folder that covers folders: attached at its first use, cloned for the next; -1 before */
};

static int mask_folder(struct masks *masks, int fs, const char *name, const char *where, struct error *err)
{
	const struct mount_option options[] = {{"nr_blocks", "1"}, {"nr_inodes", "1"}};

	if (masks->empty >= 0) {
		cleanup_fd int clone = mount_clone(masks->empty, "", false, err);

		return clone < 0 ? -1 : mount_attach(clone, fs, name, where, err);
	}
	masks->empty =
		mount_new("tmpfs", options, array_length(options), MOUNT_HARMLESS | MOUNT_ATTR_RDONLY, err);
	return masks->empty < 0 ? -1 : mount_attach(masks->empty, fs, name, where, err);
}

/*
 * Returns 1 if it was there and is covered, 0 if it isn't there. That is looked at first: a clone that would not be
 * attached costs some 0.1 ms to throw away, for then the kernel waits for all who could still be in it.
 */
static int mask(struct masks *masks, bool in_sys, const char *name, bool is_dir, struct error *err)
{
	int fs = in_sys ? masks->tree->sys : masks->tree->proc;
	cleanup_fd int null = -1;
	char where[128];

	if (faccessat(fs, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	snprintf(where, sizeof(where), "/%s/%s", in_sys ? "sys" : "proc", name);
	if (is_dir)
		return mask_folder(masks, fs, name, where, err) < 0 ? -1 : 1;
	null = clone_null(masks->tree, err);
	return null < 0 || mount_attach(null, fs, name, where, err) < 0 ? -1 : 1;
}

/* The processors' thermal_throttle: all have it or none. */
static int mask_processors(struct masks *masks, struct error *err)
{
	for (int cpu = 0; cpu < CPUS_MAX; cpu++) {
		char name[64];
		int there;

		snprintf(name, sizeof(name), "devices/system/cpu/cpu%d/thermal_throttle", cpu);
		there = mask(masks, true, name, true, err);
		if (there <= 0)
			return there;
	}
	return 0;
}

static int make_read_only(const struct tree *tree, const char *name, struct error *err)
{
	cleanup_fd int clone =
		open_tree(tree->proc, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);

	if (clone < 0 && errno == ENOENT)
		return 0;
	if (clone < 0)
		return mount_error(err, errno, "cannot make /proc/%s read-only", name);
	if (mount_restrict(clone, MOUNT_ATTR_RDONLY, false, err) < 0)
		return -1;
	if (mount_attach_quietly(clone, tree->proc, name) < 0)
		return mount_error(err, errno, "cannot make /proc/%s read-only", name);
	return 0;
}

static int attach_cgroup(const struct tree *tree, struct error *err)
{
	if (tree->cgroup < 0 || mount_attach_quietly(tree->cgroup, tree->sys, "fs/cgroup") == 0 ||
		errno == ENOENT)
		return 0;
	return mount_error(err, errno, "cannot mount on /sys/fs/cgroup");
}

int proc_protect(const struct tree *tree, struct error *err)
{
	struct masks masks = {.tree = tree, .empty = -1};
	int result = attach_cgroup(tree, err);

	if (result < 0 || tree->isolation->privileged || tree->isolation->unmasked)
		return result;
	for (size_t i = 0; i < array_length(masked) && result >= 0; i++)
		result = mask(&masks, masked[i].in_sys, masked[i].name, masked[i].is_dir, err);
	if (result >= 0)
		result = mask_processors(&masks, err);
	for (size_t i = 0; i < array_length(read_only) && result >= 0; i++)
		result = make_read_only(tree, read_only[i], err);
	cleanup_fd_fn(&masks.empty);
	return result < 0 ? -1 : 0;
}
