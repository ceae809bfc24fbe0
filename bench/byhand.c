/*
 * The same work by hand: what starting a pod costs when nobody reads a manifest, resolves a path in-root, reports,
 * supervises or cleans up more than two folders. The bench measures minirun against it.
 *
 *	byhand LOWER SCRATCH FILTER [-v TARGET] -- COMMAND [ARG...] [++ COMMAND [ARG...]]...
 *
 * The commands run one after another, as init containers do, each in a container of its own above the folder LOWER;
 * all share one network, one ipc and one uts namespace, and a volume at TARGET if asked for. SCRATCH
 * is a folder with a folder `root` and the files hosts, hostname and resolv.conf in it. FILTER is a compiled seccomp program.
 * As root only. It is also the shortest whole answer to "what is a container", so read it from main() at the end up.
 *
 * What it does that minirun does: seven kinds of isolation (mount, pid, cgroup, network, ipc, uts; overlay instead of the
 * image itself), /proc, /sys (read-only), /dev with its nodes, pts, shm and mqueue, /etc's three files, Kubernetes' masked
 * and read-only paths, containerd's fourteen capabilities, RuntimeDefault's filter loaded last without no_new_privs.
 * What it doesn't: trust nobody. It uses path names inside the image, which a hostile image can redirect.
 *
 * Where minirun's milliseconds go, for one container; by perf trace of few calls, which makes 8.9 of 8.2 on that machine. What
 * stands here takes 4.9 there, mostly the kernel's for making and ending namespaces, mounts and inodes.
 *	1.6	to come to life, twice: minirun runs from a sealed clone of itself (runner/privilege.c, CVE-2019-5736). Of each half
 *		0.3 are the C library's CPUIDs, which a hypervisor traps, 0.1 the dynamic linker, 0.2 its relocations and lookups.
 *	0.6	the manifest, the plan, the filter out of the cache
 *	1.2	the sandbox, which makes the namespaces meanwhile; the pod's folder, its /etc files, its cgroup
 *	1.0	the container's layers: two folders, and the six inodes that an overlay makes and tries
 *	0.4	the container's cgroup, and the BPF program that keeps it from devices (0.3)
 *	0.5	a process in a pid namespace inside the sandbox's, by way of two others (namespaces/clone.c)
 *	1.4	its mounts, credentials and descriptors
 *	0.2	to load the filter and to hand its listener over
 *	0.5	execve, and the program
 *	0.9	the end of the container and its mounts, of the cgroups and the pod's folder
 *	0.3	the end of the sandbox, last of all: until then it would clear up, should the supervisor be killed
 * On ext4 without a journal an inode costs more the more of them were removed in the last minutes: each of a pod's counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

/* Debian 12's glibc has these; what it hasn't is a header that goes together with linux/mount.h for all of them. */
static int mount_new(const char *fs, const char *const *options, unsigned int attributes)
{
	int fd = (int)syscall(SYS_fsopen, fs, FSOPEN_CLOEXEC);
	int mount;

	for (; fd >= 0 && *options; options += 2)
		if (syscall(SYS_fsconfig, fd, FSCONFIG_SET_STRING, options[0], options[1], 0) < 0)
			return -1;
	if (fd < 0 || syscall(SYS_fsconfig, fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	mount = (int)syscall(SYS_fsmount, fd, FSMOUNT_CLOEXEC, attributes);
	close(fd);
	return mount;
}

static void die(const char *what)
{
	perror(what);
	_exit(125);
}

static void need(long result, const char *what)
{
	if (result < 0)
		die(what);
}

static void attach(int mount, int rootfd, const char *target)
{
	need(mount, target);
	need(syscall(SYS_move_mount, mount, "", rootfd, target, MOVE_MOUNT_F_EMPTY_PATH), target);
	close(mount);
}

static int clone_of(int dirfd, const char *path, unsigned int flags)
{
	return (int)syscall(SYS_open_tree, dirfd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);
}

/* ---- /dev ---- */

static const struct {
	const char *path;
	unsigned int major, minor;
} nodes[] = {
	{"dev/null", 1, 3},
	{"dev/zero", 1, 5},
	{"dev/full", 1, 7},
	{"dev/random", 1, 8},
	{"dev/urandom", 1, 9},
	{"dev/tty", 5, 0},
};

static const char *const links[][2] = {
	{"/proc/self/fd", "dev/fd"},
	{"/proc/self/fd/0", "dev/stdin"},
	{"/proc/self/fd/1", "dev/stdout"},
	{"/proc/self/fd/2", "dev/stderr"},
	{"pts/ptmx", "dev/ptmx"},
};

static void make_dev(int rootfd)
{
	static const char *const dev[] = {"mode", "0755", "size", "65536k", NULL};
	static const char *const pts[] = {"mode", "0620", "ptmxmode", "0666", "gid", "5", NULL};
	static const char *const shm[] = {"mode", "1777", "size", "64m", NULL};
	static const char *const none[] = {NULL};
	const unsigned int plain = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;

	attach(mount_new("tmpfs", dev, MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME), rootfd, "dev");
	need(mkdirat(rootfd, "dev/pts", 0755), "pts");
	need(mkdirat(rootfd, "dev/shm", 0755), "shm");
	need(mkdirat(rootfd, "dev/mqueue", 0755), "mqueue");
	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++) {
		need(mknodat(rootfd, nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)),
			nodes[i].path);
		need(fchmodat(rootfd, nodes[i].path, 0666, 0), nodes[i].path); /* past the umask */
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		need(symlinkat(links[i][0], rootfd, links[i][1]), links[i][1]);
	attach(mount_new("devpts", pts, plain), rootfd, "dev/pts");
	attach(mount_new("tmpfs", shm, plain | MOUNT_ATTR_NODEV), rootfd, "dev/shm");
	attach(mount_new("mqueue", none, plain | MOUNT_ATTR_NODEV), rootfd, "dev/mqueue");
}

/* ---- what Kubernetes hides ---- */

static const char *const masked[] = {"proc/asound", "proc/acpi", "proc/interrupts", "proc/kcore", "proc/keys",
	"proc/latency_stats", "proc/timer_list", "proc/timer_stats", "proc/sched_debug", "proc/scsi",
	"sys/firmware", "sys/devices/virtual/powercap"};
static const char *const read_only[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};

static void mask_paths(int rootfd)
{
	static const char *const empty[] = {"size", "0", "mode", "0555", NULL};
	const struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
	int folder = mount_new("tmpfs", empty, MOUNT_ATTR_RDONLY); /* one for all masked folders */
	struct stat st;

	for (size_t i = 0; i < sizeof(masked) / sizeof(*masked); i++) {
		if (fstatat(rootfd, masked[i], &st, 0) < 0)
			continue;
		attach(S_ISDIR(st.st_mode) ? clone_of(folder, "", AT_EMPTY_PATH)
					   : clone_of(rootfd, "dev/null", 0),
			rootfd, masked[i]);
	}
	for (size_t i = 0; i < sizeof(read_only) / sizeof(*read_only); i++) {
		int mount = clone_of(rootfd, read_only[i], AT_RECURSIVE);

		if (mount < 0 && errno == ENOENT)
			continue;
		need(syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes,
			     sizeof(attributes)),
			read_only[i]);
		attach(mount, rootfd, read_only[i]);
	}
	close(folder);
}

/* ---- the container ---- */

struct container {
	const char *lower, *scratch; /* scratch holds hosts, hostname, resolv.conf */
	char upper[64], work[64]; /* of this container, in scratch */
	const char *volume, *target; /* or NULL */
	const struct sock_fprog *filter;
	char **argv;
};

static void make_rootfs(const struct container *c)
{
	const char *const overlay[] = {
		"lowerdir", c->lower, "upperdir", "upper", "workdir", "work", "source", "overlay", NULL};
	static const char *const none[] = {NULL};
	static const char *const files[] = {"hosts", "hostname", "resolv.conf"};
	char target[64];
	int rootfd, fd;

	need(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
	fd = mount_new("overlay", overlay, 0);
	need(fd, "overlay");
	attach(fd, AT_FDCWD, "root");
	need(rootfd = open("root", O_PATH | O_CLOEXEC | O_DIRECTORY), "open root");
	attach(mount_new("proc", none, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC), rootfd,
		"proc");
	attach(mount_new("sysfs", none,
		       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY),
		rootfd, "sys");
	make_dev(rootfd);
	if (c->target) {
		need(mkdirat(rootfd, c->target, 0755) == 0 || errno == EEXIST ? 0 : -1, c->target);
		attach(clone_of(AT_FDCWD, "volume", 0), rootfd, c->target);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		/* The upper is where a missing mount point appears. */
		snprintf(target, sizeof(target), "etc/%s", files[i]);
		fd = openat(rootfd, target, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		need(fd, target);
		close(fd);
		attach(clone_of(AT_FDCWD, files[i], 0), rootfd, target);
	}
	mask_paths(rootfd);
	need(fchdir(rootfd), "fchdir");
	need(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	need(umount2(".", MNT_DETACH), "umount");
	need(chdir("/"), "chdir");
	close(rootfd);
}

#define BIT(capability) (UINT64_C(1) << (capability))

/* containerd's fourteen. SYS_ADMIN stays in effect until execve, for the filter; it is in no bounding set. */
static void drop_privileges(void)
{
	const uint64_t keep = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FSETID) | BIT(CAP_FOWNER) |
			      BIT(CAP_MKNOD) | BIT(CAP_NET_RAW) | BIT(CAP_SETGID) | BIT(CAP_SETUID) |
			      BIT(CAP_SETFCAP) | BIT(CAP_SETPCAP) | BIT(CAP_NET_BIND_SERVICE) |
			      BIT(CAP_SYS_CHROOT) | BIT(CAP_KILL) | BIT(CAP_AUDIT_WRITE);
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};
	const uint64_t now = keep | BIT(CAP_SYS_ADMIN);
	const gid_t group = 0;

	for (int i = 0; i <= 63; i++)
		if (!(keep & BIT(i)) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
			break; /* past the kernel's last */
	need(syscall(SYS_setgroups, 1, &group), "setgroups");
	need(syscall(SYS_setresgid, 0, 0, 0), "setresgid");
	need(syscall(SYS_setresuid, 0, 0, 0), "setresuid");
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = (uint32_t)(now >> (32 * i));
	need(syscall(SYS_capset, &header, data), "capset");
}

static void run_container(const struct container *c)
{
	static char path_variable[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char *const environment[] = {path_variable, NULL};
	char path[64];

	setsid();
	umask(022);
	make_rootfs(c);
	snprintf(path, sizeof(path), "/bin/%s", c->argv[0]);
	need(syscall(SYS_close_range, 3, ~0U, 0), "close_range");
	drop_privileges();
	need(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, c->filter),
		"seccomp");
	execve(path, c->argv, environment);
	_exit(127);
}

/* ---- the pod ---- */

static void loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	need(ioctl(fd, SIOCGIFFLAGS, &request), "lo");
	request.ifr_flags |= IFF_UP;
	need(ioctl(fd, SIOCSIFFLAGS, &request), "lo");
	close(fd);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

/* Relative to the scratch folder. */
static void remove_tree(const char *path)
{
	need(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT), path);
}

/* Runs one container and waits for it. Its folders go with it. */
static int run(const struct container *c)
{
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWCGROUP,
		.exit_signal = SIGCHLD,
	};
	int status = 0;
	pid_t pid;

	need(mkdir("upper", 0755), "upper");
	need(mkdir("work", 0755), "work");
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	need(pid, "clone3");
	if (!pid)
		run_container(c);
	need(waitpid(pid, &status, 0), "wait");
	remove_tree("upper");
	remove_tree("work");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static struct sock_fprog read_filter(const char *path)
{
	static struct sock_filter insns[4096];
	struct sock_fprog filter = {.filter = insns};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, insns, sizeof(insns));

	need(n, path);
	close(fd);
	filter.len = (unsigned short)((size_t)n / sizeof(*insns));
	return filter;
}

int main(int argc, char **argv)
{
	struct sock_fprog filter;
	struct container c = {0};
	int i = 4, status = 0;

	if (argc < 6) {
		fprintf(stderr,
			"usage: byhand LOWER SCRATCH FILTER [-v TARGET] -- COMMAND [++ COMMAND]...\n");
		return 2;
	}
	filter = read_filter(argv[3]);
	c = (struct container){.lower = argv[1], .filter = &filter};
	need(chdir(argv[2]), argv[2]);
	if (!strcmp(argv[i], "-v")) {
		c.target = argv[i + 1];
		i += 2;
		need(mkdir("volume", 0777), "volume");
	}
	need(unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS), "unshare");
	need(sethostname("byhand", 6), "hostname");
	loopback_up();
	while (i++ < argc && !status) {
		c.argv = argv + i;
		while (i < argc && strcmp(argv[i], "++"))
			i++;
		argv[i] = NULL;
		status = run(&c);
	}
	if (c.target)
		remove_tree("volume");
	return status;
}
