/* namespaces/: volumes and the files of /etc. The volume is hostile: links out of it, and renames that race. */
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include "namespaces/idmap.h"
#include "tests/unit/world.h"

#define RACES 300 /* starts against a volume in which folders and links change places */

static struct world world;

static mode_t mode_of(int fd)
{
	struct stat st = {0};

	fstat(fd, &st);
	return st.st_mode;
}

static void empty_dirs_are_open_to_all(void)
{
	cleanup_fd int plain_dir = volume_make_empty_dir(world.pod, "plain", false, 0, -1, &world.err);
	cleanup_fd int group_dir = volume_make_empty_dir(world.pod, "group", false, 0, getegid(), &world.err);
	cleanup_fd int memory = volume_make_empty_dir(world.pod, "memory", true, 1 << 20, -1, &world.err);
	struct statfs fs;

	expect(mode_of(plain_dir) == (S_IFDIR | 0777));
	expect(mode_of(group_dir) == (S_IFDIR | 02777));
	expect(mode_of(memory) == (S_IFDIR | 0777));
	expect(fstatfs(memory, &fs) == 0 && fs.f_type == 0x01021994 &&
		(uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize == 1 << 20);
	expect(volume_make_empty_dir(world.pod, "plain", false, 0, -1, &world.err) < 0 &&
		world.err.errnum == EEXIST);
}

static void memory_is_shared_by_clones(void)
{
	cleanup_fd int memory = volume_make_empty_dir(world.pod, "shared", true, 0, -1, &world.err);
	cleanup_fd int shm = volume_make_shm("/dev/shm", 0, &world.err);
	struct isolation isolation = plain();
	struct mount mounts[2];
	bool is_dir;

	for (int i = 0; i < 2; i++) {
		mounts[0] = (struct mount){
			volume_clone(memory, NULL, false, false, &is_dir, &world.err), "/m", true};
		mounts[1] = (struct mount){
			volume_clone(shm, NULL, false, false, &is_dir, &world.err), "/dev/shm", true};
		isolation.mounts = mounts;
		isolation.n_mounts = 2;
		expect(world_run(&world, &isolation,
			       i ? "busybox cat /m/x /dev/shm/x; busybox grep /dev/shm /proc/mounts"
				 : "echo one > /m/x; echo two > /dev/shm/x") == 0);
		close(mounts[0].source);
		close(mounts[1].source);
	}
	expect_in("one\ntwo\n");
	expect_in("/dev/shm tmpfs rw,nosuid,nodev,noexec,relatime,size=65536k");
}

static const char *open_host(const char *path, enum volume_host_type type)
{
	struct error err = {0};
	int fd = volume_open_host_path(path, type, &err);

	if (fd >= 0)
		close(fd);
	snprintf(world.output, OUTPUT_SIZE, "%s", fd >= 0 ? "ok" : err.message);
	return world.output;
}

static void host_paths_are_checked(void)
{
	cleanup_free char *missing = xasprintf("%s/missing", world.path),
			  *deep = xasprintf("%s/a/b", world.path);
	cleanup_free char *file = xasprintf("%s/new-file", world.path),
			  *nowhere = xasprintf("%s/x/y", world.path);

	expect_text(open_host(world.path, VOLUME_HOST_UNCHECKED), "ok");
	expect_text(open_host(world.path, VOLUME_HOST_DIRECTORY), "ok");
	expect_text(open_host("/dev/null", VOLUME_HOST_CHAR_DEVICE), "ok");
	expect_text(open_host("/dev/null", VOLUME_HOST_DIRECTORY),
		"hostPath type check failed: /dev/null is not a directory");
	expect_text(open_host("/", VOLUME_HOST_FILE), "hostPath type check failed: / is not a file");
	expect_text(open_host("/", VOLUME_HOST_SOCKET), "hostPath type check failed: / is not a socket file");
	expect_text(open_host("/", VOLUME_HOST_CHAR_DEVICE),
		"hostPath type check failed: / is not a character device");
	expect_text(open_host("/", VOLUME_HOST_BLOCK_DEVICE),
		"hostPath type check failed: / is not a block device");
	open_host(missing, VOLUME_HOST_DIRECTORY);
	expect_in("hostPath type check failed: ");
	expect_in("/missing is not a directory");
	expect(access(missing, F_OK) < 0);
	expect_text(open_host(deep, VOLUME_HOST_DIRECTORY_OR_CREATE), "ok");
	expect_text(open_host(missing, VOLUME_HOST_UNCHECKED), "ok");
	expect_text(open_host(file, VOLUME_HOST_FILE_OR_CREATE), "ok");
	open_host(nowhere, VOLUME_HOST_FILE_OR_CREATE);
	expect_in("cannot create the file");
}

/* The inode that a sub path of a volume leads to. */
static ino_t clone_inode(int volume, const char *sub_path, bool *is_dir)
{
	cleanup_fd int fd = volume_clone(volume, sub_path, false, false, is_dir, &world.err);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* CVE-2017-1002101 */
static void sub_paths_stay_in_the_volume(void)
{
	cleanup_fd int volume = volume_make_empty_dir(world.pod, "sub", false, 0, -1, &world.err);
	struct stat root, made, top;
	bool is_dir;

	stat("/", &root);
	fstat(world.top, &top);
	symlinkat("/", volume, "root");
	symlinkat("../../../../../../../etc", volume, "up");
	symlinkat("/proc/self/cwd", volume, "magic");
	mkdirat(volume, "real", 0755);
	close(openat(volume, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	expect(clone_inode(volume, "root", &is_dir) != root.st_ino);
	expect(clone_inode(volume, "../..", &is_dir) != top.st_ino);
	expect(clone_inode(volume, "real", &is_dir) != 0 && is_dir);
	expect(clone_inode(volume, "file", &is_dir) != 0 && !is_dir);
	/* Missing: made with the volume's mode, and a link that leads out is followed inside. */
	expect(clone_inode(volume, "a/b", &is_dir) != 0 && is_dir);
	expect(fstatat(volume, "a/b", &made, 0) == 0 && made.st_mode == (S_IFDIR | 0777));
	expect(clone_inode(volume, "up/passwd", &is_dir) == 0);
	expect(clone_inode(volume, "file/x", &is_dir) == 0 && world.err.errnum == ENOTDIR);
}

static void read_only_holds(void)
{
	cleanup_fd int volume = volume_make_empty_dir(world.pod, "ro", false, 0, -1, &world.err);
	struct isolation isolation = plain();
	bool is_dir;
	struct mount mount = {volume_clone(volume, NULL, true, false, &is_dir, &world.err), "/v", true};

	isolation.mounts = &mount;
	isolation.n_mounts = 1;
	expect(world_run(&world, &isolation, "busybox grep ' /v ' /proc/mounts; echo x > /v/x") == 1);
	expect_in("ro,nosuid,nodev,");
	expect_in("Read-only file system");
	close(mount.source);
}

/* A device that a container made in a volume can be opened by none. */
static void devices_in_volumes_are_dead(void)
{
	cleanup_fd int volume = open(world.path, O_PATH | O_CLOEXEC);
	cleanup_fd int device = open("/dev/zero", O_PATH | O_CLOEXEC);
	struct isolation isolation = plain();
	bool is_dir;
	struct mount mounts[2] = {{volume_clone(volume, NULL, false, true, &is_dir, &world.err), "/v", true},
		{volume_clone(device, NULL, false, true, &is_dir, &world.err), "/given", false}};

	expect(!is_dir);
	mknodat(world.top, "node", S_IFCHR | 0666, 0x105);
	isolation.mounts = mounts;
	isolation.n_mounts = 2;
	expect(world_run(&world, &isolation,
		       "busybox head -c 3 /given | busybox wc -c; busybox head -c 1 /v/node") == 1);
	expect_in("3\n");
	close(mounts[0].source);
	close(mounts[1].source);
}

/* ---- races ---- */

/* Exchanges a folder and a link to the host for as long as it lives. */
static pid_t start_exchange(int volume)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	for (;;)
		syscall(SYS_renameat2, volume, "swap", volume, "link", RENAME_EXCHANGE);
}

/* CVE-2021-30465, CVE-2024-45310: a mount point inside a volume that another container changes. */
static void racing_mount_points_stay_inside(void)
{
	cleanup_fd int volume = volume_make_empty_dir(world.pod, "race", false, 0, -1, &world.err);
	cleanup_fd int inner = volume_make_empty_dir(world.pod, "inner", false, 0, -1, &world.err);
	cleanup_free char *canary = xasprintf("%s/canary", world.path);
	struct isolation isolation = plain();
	struct mount mounts[2] = {{-1, "/v", true}, {-1, "/v/swap/point", true}};
	unsigned int started = 0;
	bool is_dir;
	pid_t racer;

	mkdir(canary, 0755);
	mkdirat(volume, "swap", 0777);
	symlinkat(canary, volume, "link");
	racer = start_exchange(volume);
	isolation.mounts = mounts;
	isolation.n_mounts = 2;
	for (int i = 0; i < RACES; i++) {
		mounts[0].source = volume_clone(volume, NULL, false, false, &is_dir, &world.err);
		mounts[1].source = volume_clone(inner, NULL, false, false, &is_dir, &world.err);
		started += world_run(&world, &isolation, "busybox grep -c /point /proc/mounts") == 0;
		close(mounts[0].source);
		close(mounts[1].source);
	}
	kill(racer, SIGKILL);
	waitpid(racer, NULL, 0);
	expect(started > 0);
	/* Nothing was made through the link on the host. */
	expect(rmdir(canary) == 0);
}

/* CVE-2021-25741 */
static void racing_sub_paths_stay_inside(void)
{
	cleanup_fd int volume = volume_make_empty_dir(world.pod, "race2", false, 0, -1, &world.err);
	struct stat root, etc;
	unsigned int cloned = 0, escaped = 0;
	bool is_dir;
	pid_t racer;

	stat("/", &root);
	stat("/etc", &etc);
	mkdirat(volume, "swap", 0777);
	symlinkat("/etc", volume, "link");
	racer = start_exchange(volume);
	for (int i = 0; i < 10 * RACES; i++) {
		ino_t inode = clone_inode(volume, "swap", &is_dir);

		cloned += inode != 0;
		escaped += inode == root.st_ino || inode == etc.st_ino;
	}
	kill(racer, SIGKILL);
	waitpid(racer, NULL, 0);
	expect(cloned > 0);
	expect(escaped == 0);
}

/* ---- what it holds ---- */

static void usage_is_counted(void)
{
	cleanup_fd int volume = volume_make_empty_dir(world.pod, "usage", false, 0, -1, &world.err);
	cleanup_fd int file = openat(volume, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	uint64_t before = 0, after = 0, linked = 0;
	char block[4096] = {1};

	expect(volume_usage(volume, 1000, &before, &world.err) == 0);
	for (int i = 0; i < 256; i++)
		fd_write_all(file, block, sizeof(block));
	fsync(file);
	expect(volume_usage(volume, 1000, &after, &world.err) == 0);
	expect(after >= before + (1 << 20) && after < before + (1 << 21));
	linkat(volume, "file", volume, "again", 0);
	symlinkat("/", volume, "root");
	expect(volume_usage(volume, 1000, &linked, &world.err) == 0 && linked < after + 65536);
}

/* A look costs what it may: of ever so many files, in however many folders, the rest is not looked at, and that is told. */
static void usage_has_an_end(void)
{
	cleanup_fd int volume = volume_make_empty_dir(world.pod, "end", false, 0, -1, &world.err);
	const int folders = 20, files = 20, all = folders * files + folders;
	uint64_t whole = 0, most = 0;

	for (int i = 0; i < all; i++) {
		char name[32];
		int fd;

		snprintf(name, sizeof(name), "d%d%s", i % folders, i < folders ? "" : "/f");
		if (i < folders) {
			mkdirat(volume, name, 0755);
			continue;
		}
		snprintf(name + strlen(name), sizeof(name) - strlen(name), "%d", i / folders);
		fd = openat(volume, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		expect(fd_write_all(fd, world.output, 4096) == 0 && fsync(fd) == 0);
		close(fd);
	}
	expect(volume_usage(volume, (size_t)all, &whole, &world.err) == 0);
	expect(volume_usage(volume, (size_t)all - 1, &most, &world.err) == 1);
	expect(whole >= (uint64_t)(all - folders) * 4096 && most <= whole);
	/* At most 40 of the files were counted, each of some blocks, beside the folders. */
	expect(volume_usage(volume, 40, &most, &world.err) == 1 && most < whole / 4);
	expect(volume_usage(volume, 1, &most, &world.err) == 1 && most < whole / 4);
	expect(volume_usage(volume, 0, &most, &world.err) == 1);
}

/* What a hostile container makes, to hide its use or to make us slow. */
static void usage_knows_its_bounds(void)
{
	cleanup_fd int volume = volume_make_empty_dir(world.pod, "bounds", false, 0, -1, &world.err);
	cleanup_fd int file = openat(volume, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	cleanup_fd int folder = openat(volume, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t before = 0, after = 0;
	char name[32], again[40];

	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "many%d", i);
		close(openat(volume, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
		snprintf(again, sizeof(again), "%sagain", name);
		linkat(volume, name, volume, again, 0);
	}
	fd_write_all(file, world.output, OUTPUT_SIZE);
	linkat(volume, "file", volume, "linked", 0);
	fsync(file);
	expect(volume_usage(volume, 1000, &before, &world.err) == 0);
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "file%d", i);
		linkat(volume, "file", volume, name, 0);
	}
	expect(volume_usage(volume, 1000, &after, &world.err) == 0 && after < before + 65536);
	for (int i = 0; i < 140; i++) {
		int next;

		mkdirat(folder, "deep", 0755);
		next = openat(folder, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(folder);
		folder = next;
	}
	expect(volume_usage(volume, 1000, &after, &world.err) == 1);
}

/* Who lets us run out of descriptors hides nothing. */
static void usage_wants_descriptors(void)
{
	cleanup_fd int volume = volume_make_empty_dir(world.pod, "descriptors", false, 0, -1, &world.err);
	int folder = openat(volume, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct rlimit before, few;
	uint64_t bytes;

	for (int i = 0; i < 100; i++) {
		int next;

		mkdirat(folder, "deep", 0755);
		next = openat(folder, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(folder);
		folder = next;
	}
	close(folder);
	expect(volume_usage(volume, 1000, &bytes, &world.err) == 0);
	getrlimit(RLIMIT_NOFILE, &before);
	few = (struct rlimit){64, before.rlim_max};
	setrlimit(RLIMIT_NOFILE, &few);
	expect(volume_usage(volume, 1000, &bytes, &world.err) == 1);
	setrlimit(RLIMIT_NOFILE, &before);
}

/* On an overlay of two disks what comes from below has another device than its folder, as on btrfs what is in a subvolume. */
static void usage_goes_by_mounts(void)
{
	cleanup_fd int lower = volume_make_empty_dir(world.pod, "lower", true, 0, -1, &world.err);
	cleanup_fd int upper = volume_make_empty_dir(world.pod, "upper", true, 0, -1, &world.err);
	cleanup_fd int file = openat(lower, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	cleanup_fd int up = -1, work = -1, overlay = -1;
	uint64_t bytes = 0;
	struct stat folder, below;

	for (int i = 0; i < 64; i++)
		fd_write_all(file, world.output, 4096);
	mkdirat(upper, "up", 0755);
	mkdirat(upper, "work", 0755);
	up = openat(upper, "up", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	work = openat(upper, "work", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	overlay = rootfs_overlay(&lower, 1, up, work, &world.err);
	expect(overlay >= 0);
	expect(fstat(overlay, &folder) == 0 && fstatat(overlay, "file", &below, 0) == 0);
	expect(folder.st_dev != below.st_dev);
	expect(volume_usage(overlay, 1000, &bytes, &world.err) == 0 && bytes >= 64 * UINT64_C(4096));
}

static char *read_etc(const char *name)
{
	cleanup_fd int fd = openat(world.pod, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, world.output, OUTPUT_SIZE - 1);

	world.output[n > 0 ? n : 0] = '\0';
	return world.output;
}

static void etc_files_are_the_kubelets(void)
{
	char *names[] = {(char *)"foo.local", (char *)"bar.local", NULL};
	const struct etc_alias aliases[] = {{"127.0.0.1", names}, {"10.1.2.3", names}};

	expect(etc_files_write(world.pod, "web", false, aliases, 2, &world.err) == 0);
	expect_text(read_etc("hosts"), "# Kubernetes-managed hosts file.\n"
				       "127.0.0.1\tlocalhost\n"
				       "::1\tlocalhost ip6-localhost ip6-loopback\n"
				       "fe00::0\tip6-localnet\n"
				       "fe00::0\tip6-mcastprefix\n"
				       "fe00::1\tip6-allnodes\n"
				       "fe00::2\tip6-allrouters\n"
				       "127.0.0.1\tweb\n"
				       "\n"
				       "# Entries added by HostAliases.\n"
				       "127.0.0.1\tfoo.local\tbar.local\n"
				       "10.1.2.3\tfoo.local\tbar.local\n");
	expect_text(read_etc("hostname"), "web\n");
	expect(etc_files_write(world.pod, "web", true, NULL, 0, &world.err) == 0);
	read_etc("hosts");
	expect_in("# Kubernetes-managed hosts file (host network).\n");
}

static void grants_of_ids_are_read(void)
{
	static const char text[] =
		"# "
		"comment\nroot:1:2\nme:100000:65536\nother:5:5\n1000:300000:10\nme:x:1\nme:1:\nme:400000:0\n"
		"me:4294967295:1\nme:200000:1000";
	struct idmap map = {.ranges = {{0, 1000, 1}}, .n = 1};

	expect(idmap_parse(&map, text, "me", 1000) == 3);
	expect(map.n == 4);
	expect(map.ranges[1].inside == 1 && map.ranges[1].outside == 100000 && map.ranges[1].count == 65536);
	expect(map.ranges[2].inside == 65537 && map.ranges[2].outside == 300000 && map.ranges[2].count == 10);
	expect(map.ranges[3].inside == 65547 && map.ranges[3].outside == 200000 &&
		map.ranges[3].count == 1000);
	map.n = 1;
	expect(idmap_parse(&map, text, NULL, 1000) == 1);
	map.n = 1;
	expect(idmap_parse(&map, text, NULL, 7) == 0);
}

/* Ranges for pods with users of their own: the first from *first on. */
static int64_t next_range(const char *subuid, const char *subgid, int64_t first)
{
	return idmap_next_range(subuid, subgid, 65536, &first) ? first : -1;
}

static void ranges_for_pods_are_nobody_elses(void)
{
	const char *two = "minirun:100000:65536\nminirun:300000:131075\n";

	/* The high ones, but what somebody has, in either file. */
	expect(next_range("", "", 0) == 0x70000000);
	expect(next_range("me:100000:65536\n", "me:100000:65536\n", 0) == 0x70000000);
	expect(next_range("me:1879048200:1\n", "", 0) == 0x70010000);
	expect(next_range("", "me:1:1879048193\nyou:1879113728:1\n", 0) == 0x70020000);
	expect(next_range("", "", 0x70010000) == 0x70010000);
	expect(next_range("", "", 0x7ffd0000) == 0x7ffd0000);
	expect(next_range("", "", 0x7ffe0000) == -1);
	/* Those that are granted, as far as they are in both files and whole. */
	expect(next_range(two, two, 0) == 100000);
	expect(next_range(two, two, 165536) == 300000);
	expect(next_range(two, two, 365536) == 365536);
	expect(next_range(two, two, 431072) == -1);
	expect(next_range(two, "minirun:300000:65536\n", 0) == 300000);
	expect(next_range(two, "minirun:300000:65536\n", 365536) == -1);
	expect(next_range(two, "", 0) == -1);
	expect(next_range("minirun:100000:65535\n", "minirun:100000:65536\n", 0) == -1);
	/* What a user is told to ask for is nobody's either, in part or whole. */
	expect(idmap_free_range("", "", 65536) == 100000);
	expect(idmap_free_range("other:100000:65536\n", "", 65536) == 165536);
	expect(idmap_free_range("other:165530:10\n", "you:231000:100\n", 65536) == 296608);
	expect(idmap_free_range("other:231072:10\n", "", 65536) == 100000);
	expect(idmap_free_range("other:231071:10\n", "", 131072) == 296608);
	expect(idmap_free_range("other:1:4294967294\n", "", 65536) == -1);
	expect(idmap_free_range("", "other:165536:4294801758\n", 65536) == 100000);
	expect(idmap_free_range("", "other:165535:4294801759\n", 65536) == -1);
}

int main(void)
{
	struct sandbox_spec spec = {.hostname = "x"};

	if (userns_claim_mounts(&world.err) < 0 || volumes_private_mounts(&world.err) < 0)
		return 1;
	world_make(&world);
	if (sandbox_start(&spec, &world.sandbox, &world.err) < 0)
		printf("# %s\n", world.err.message);
	group(ranges_for_pods_are_nobody_elses);
	group(empty_dirs_are_open_to_all);
	group(memory_is_shared_by_clones);
	group(host_paths_are_checked);
	group(sub_paths_stay_in_the_volume);
	group(read_only_holds);
	group(devices_in_volumes_are_dead);
	group(racing_mount_points_stay_inside);
	group(racing_sub_paths_stay_inside);
	group(usage_is_counted);
	group(usage_has_an_end);
	group(usage_knows_its_bounds);
	group(usage_wants_descriptors);
	group(usage_goes_by_mounts);
	group(etc_files_are_the_kubelets);
	group(grants_of_ids_are_read);
	world_remove(&world);
	return unit_done();
}
