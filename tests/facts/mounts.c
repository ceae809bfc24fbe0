/*
 * Facts about mounts by descriptor, and paths in a root, on which namespaces/ and base/inroot.c rely. Root in a user
 * namespace will do.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static char folder[] = "/tmp/minirun-facts.XXXXXX";

/* Runs a check in a process with a mount namespace of its own; its exit status is 0 if what it checks is so. */
static bool holds(bool (*check)(void))
{
	int status = 1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
			_exit(99);
		_exit(check() ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	return status == 0;
}

static int new_mount(const char *type)
{
	int context = fsopen(type, FSOPEN_CLOEXEC), mount_fd;

	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	mount_fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
	close(context);
	return mount_fd;
}

static int in_root(int root, const char *path, int flags)
{
	struct open_how how = {.flags = (unsigned long long)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static bool same(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* ---- openat2 ---- */

static void links_stay_in_the_root(void)
{
	int root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), inside;

	mkdirat(root, "etc", 0755);
	symlinkat("/etc", root, "absolute");
	symlinkat("../../../../etc", root, "up");
	symlinkat("/proc/self/root", root, "magic");
	inside = openat(root, "etc", O_PATH | O_CLOEXEC);
	expect(same(in_root(root, "absolute", O_PATH), inside));
	expect(same(in_root(root, "up", O_PATH), inside));
	expect(same(in_root(root, "/../..", O_PATH), root));
	expect(in_root(root, "magic", O_PATH) < 0 && errno == ENOENT);
	close(inside);
	close(root);
}

static bool crosses_mounts(void)
{
	int root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), tmpfs = new_mount("tmpfs"), found;

	mkdirat(root, "mnt", 0755);
	mkdirat(tmpfs, "deep", 0755);
	found = openat(root, "mnt", O_PATH | O_CLOEXEC);
	if (move_mount(tmpfs, "", found, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return false;
	/* The old descriptor is what is covered now; a new walk crosses into what covers it. */
	return faccessat(found, "deep", F_OK, 0) < 0 && in_root(root, "mnt/deep", O_PATH) >= 0;
}

static void a_walk_in_a_root_crosses_what_was_mounted_since(void)
{
	expect(holds(crosses_mounts));
}

static bool no_magic_links(void)
{
	int proc = new_mount("proc");

	return proc < 0 || (in_root(proc, "self/cwd", O_PATH) < 0 && errno == ELOOP);
}

static void a_walk_follows_no_magic_link(void)
{
	expect(holds(no_magic_links));
}

/* ---- detached mounts ---- */

static bool is_shut(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC) < 0;
}

static bool usable_unattached(void)
{
	int tmpfs = new_mount("tmpfs");
	int file = openat(tmpfs, "file", O_CREAT | O_RDWR | O_CLOEXEC, 0644);

	return file >= 0 && write(file, "x", 1) == 1 && mkdirat(tmpfs, "d", 0755) == 0 &&
	       symlinkat("d", tmpfs, "l") == 0 && is_shut("/file");
}

static void a_mount_can_be_used_that_is_attached_nowhere(void)
{
	expect(holds(usable_unattached));
}

static bool clone_restricts_only_itself(void)
{
	int root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int clone = open_tree(root, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

	if (clone < 0 || mount_setattr(clone, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return false;
	return mkdirat(clone, "no", 0755) < 0 && errno == EROFS && mkdirat(root, "yes", 0755) == 0;
}

static void a_clone_by_descriptor_is_restricted_alone(void)
{
	expect(holds(clone_restricts_only_itself));
}

static bool attaches_elsewhere(void)
{
	int tmpfs = new_mount("tmpfs"), status;
	pid_t pid;

	mkdirat(tmpfs, "mark", 0755);
	pid = fork();
	if (pid == 0) {
		char path[64];

		if (unshare(CLONE_NEWNS) < 0 ||
			move_mount(tmpfs, "", AT_FDCWD, folder, MOVE_MOUNT_F_EMPTY_PATH) < 0)
			_exit(1);
		snprintf(path, sizeof(path), "%s/mark", folder);
		_exit(access(path, F_OK) ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	return status == 0;
}

static void a_detached_mount_attaches_in_another_mount_namespace(void)
{
	expect(holds(attaches_elsewhere));
}

static bool overlay_attaches_elsewhere(void)
{
	int root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC),
	    context = fsopen("overlay", FSOPEN_CLOEXEC), overlay, status;
	bool ok;
	pid_t pid;

	mkdirat(root, "lower", 0755);
	mkdirat(root, "upper", 0755);
	mkdirat(root, "work", 0755);
	close(openat(root, "lower/from-lower", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	if (context < 0 || fchdir(root) < 0)
		return false;
	ok = fsconfig(context, FSCONFIG_SET_STRING, "lowerdir", "lower", 0) == 0 &&
	     fsconfig(context, FSCONFIG_SET_STRING, "upperdir", "upper", 0) == 0 &&
	     fsconfig(context, FSCONFIG_SET_STRING, "workdir", "work", 0) == 0 &&
	     fsconfig(context, FSCONFIG_SET_FLAG, "volatile", NULL, 0) == 0;
	/* In a user namespace it isn't allowed to write trusted attributes; elsewhere this is harmless. */
	ok = ok && fsconfig(context, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) == 0 &&
	     fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0;
	overlay = ok ? fsmount(context, FSMOUNT_CLOEXEC, 0) : -1;
	if (overlay < 0)
		return false;
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 ||
			move_mount(overlay, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 ||
			fchdir(overlay) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
			umount2(".", MNT_DETACH) < 0)
			_exit(1);
		_exit(access("/from-lower", F_OK) || access("/tmp", F_OK) == 0);
	}
	waitpid(pid, &status, 0);
	return status == 0;
}

static void a_detached_overlay_becomes_a_root_in_another_mount_namespace(void)
{
	expect(holds(overlay_attaches_elsewhere));
}

static bool masks_are_not_in_a_clone(void)
{
	int proc = new_mount("proc"), clone, empty = new_mount("tmpfs");
	struct statfs fs;
	int found;

	if (proc < 0)
		return true; /* not in this user namespace: another fact */
	if (move_mount(proc, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return false;
	clone = open_tree(proc, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (clone < 0 || move_mount(empty, "", proc, "sys", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return false;
	found = openat(clone, "sys", O_PATH | O_CLOEXEC);
	return fstatfs(found, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC &&
	       openat(clone, "self/status", O_RDONLY) >= 0;
}

static void a_clone_of_procfs_shows_what_is_masked_in_the_other(void)
{
	expect(holds(masks_are_not_in_a_clone));
}

static bool nodev_mount_with_open_node(void)
{
	int dev = new_mount("tmpfs"), clone;
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_NODEV};

	if (mknodat(dev, "zero", S_IFCHR | 0666, 0x105) < 0)
		return errno == EPERM; /* a user namespace: no node can be made at all */
	if (move_mount(dev, "", AT_FDCWD, folder, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return false;
	clone = open_tree(dev, "zero", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (clone < 0 || mount_setattr(dev, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return false;
	if (openat(dev, "zero", O_RDONLY) >= 0 || errno != EACCES)
		return false;
	return move_mount(clone, "", dev, "zero", MOVE_MOUNT_F_EMPTY_PATH) == 0 &&
	       openat(dev, "zero", O_RDONLY) >= 0 && mknodat(dev, "more", S_IFCHR | 0666, 0x105) == 0 &&
	       openat(dev, "more", O_RDONLY) < 0;
}

static void a_node_can_be_opened_where_no_other_can(void)
{
	expect(holds(nodev_mount_with_open_node));
}

static bool stacked_on_root(void)
{
	int tmpfs = new_mount("tmpfs");

	mkdirat(tmpfs, "mark", 0755);
	if (move_mount(tmpfs, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return false;
	return access("/mark", F_OK) < 0 && access("/tmp", F_OK) == 0 && access("/../mark", F_OK) == 0 &&
	       open_tree(tmpfs, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH) >= 0;
}

static void what_is_stacked_on_the_root_hides_nothing(void)
{
	expect(holds(stacked_on_root));
}

/* What was stacked on the old root goes with it only if it is taken off by itself. */
static bool old_root_hides_below_a_stack(void)
{
	int under = new_mount("tmpfs"), root = new_mount("tmpfs");

	mkdirat(root, "new", 0755);
	if (under < 0 || move_mount(under, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 ||
		move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 || fchdir(root) < 0 ||
		syscall(SYS_pivot_root, ".", ".") < 0 || chdir("/") < 0)
		return false;
	if (access("/new", F_OK) < 0 || access("/../new", F_OK) == 0 || umount2("/..", MNT_DETACH) < 0 ||
		access("/../tmp", F_OK) < 0)
		return false;
	return umount2("/..", MNT_DETACH) == 0 && access("/../new", F_OK) == 0;
}

static void an_old_root_with_a_mount_on_it_is_two_mounts_on_the_new_one(void)
{
	expect(holds(old_root_hides_below_a_stack));
}

int main(void)
{
	char command[64];

	if (!mkdtemp(folder))
		return 1;
	group(links_stay_in_the_root);
	group(a_walk_in_a_root_crosses_what_was_mounted_since);
	group(a_walk_follows_no_magic_link);
	group(a_mount_can_be_used_that_is_attached_nowhere);
	group(a_clone_by_descriptor_is_restricted_alone);
	group(a_detached_mount_attaches_in_another_mount_namespace);
	group(a_detached_overlay_becomes_a_root_in_another_mount_namespace);
	group(a_clone_of_procfs_shows_what_is_masked_in_the_other);
	group(a_node_can_be_opened_where_no_other_can);
	group(what_is_stacked_on_the_root_hides_nothing);
	group(an_old_root_with_a_mount_on_it_is_two_mounts_on_the_new_one);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) || unit_done();
}
