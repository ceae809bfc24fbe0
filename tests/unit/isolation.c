/* namespaces/: a container's view of the world, seen by a shell in it. To be run as root, and in `unshare -r`. */
#include "tests/unit/world.h"

static struct world world;

static void sandbox_starts(void)
{
	struct sandbox_spec spec = {.hostname = "pod-name"};
	int result = sandbox_start(&spec, &world.sandbox, &world.err);

	expect(result == 0);
	if (result < 0)
		printf("# %s (%s)\n", world.err.message, world.err.hint);
}

static void container_sees_itself_only(void)
{
	struct isolation isolation = plain();

	expect(world_run(&world, &isolation,
		       "echo pid $$; echo host $(busybox hostname); busybox ip addr show lo; "
		       "cd /proc && echo processes: [0-9]*; busybox ls /; busybox cat /proc/mounts; "
		       "echo cgroup $(busybox cat /proc/self/cgroup | busybox grep 0::)") == 0);
	expect_in("pid 1\n");
	expect_in("host pod-name\n");
	expect_in("LOOPBACK,UP");
	expect_in("127.0.0.1/8");
	expect_in("processes: 1\n");
	expect_in("bin\ndev\nproc\nsys\n");
	expect_in("cgroup 0::/\n");
	expect_in(" /sys sysfs ro,");
	expect_in(" /dev/shm tmpfs rw,nosuid,nodev,noexec,relatime,size=65536k");
	expect_in(" /dev/mqueue mqueue ");
	expect_in("ptmxmode=666");
	/* The host's root is nowhere: everything mounted is what we mounted. */
	expect(!strstr(world.output, "/oldroot") && !strstr(world.output, " /tmp "));
	expect(world_run(&world, &isolation, "busybox cat /proc/self/mountinfo") == 0);
	expect(!strstr(world.output, world.path));
	expect(!strstr(world.output, "shared:") && !strstr(world.output, "master:"));
}

static void devices_work_and_no_others(void)
{
	struct isolation isolation = plain();
	struct stat before, after;

	expect(stat("/dev/zero", &before) == 0);
	expect(world_run(&world, &isolation,
		       "echo x > /dev/null && echo null; busybox head -c 3 /dev/zero | busybox wc -c; "
		       "busybox head -c 2 /dev/urandom | busybox wc -c; echo x > /dev/full; "
		       "test -c /dev/tty && echo tty; test -c /dev/ptmx && echo ptmx; "
		       "echo out > /dev/stdout; "
		       "busybox mknod /dev/mine c 1 5; busybox head -c 1 /dev/mine && echo opened; "
		       "busybox mknod /mine c 1 5; busybox head -c 1 /mine && echo opened; "
		       "busybox chmod 0 /dev/zero; busybox ls /dev") == 0);
	expect_in("null\n3\n2\n");
	expect_in("No space left on device");
	expect_in("tty\nptmx\n");
	expect_in("out\n");
	expect(!strstr(world.output, "opened"));
	/* Not by access(2), which root passes whatever the mode. */
	expect(stat("/dev/zero", &after) == 0);
	expect(after.st_mode == before.st_mode && after.st_ctim.tv_sec == before.st_ctim.tv_sec &&
		after.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
}

static void paths_are_masked(void)
{
	struct isolation isolation = plain();

	expect(world_run(&world, &isolation,
		       "cd /proc; for p in kcore keys timer_list interrupts; do "
		       "  if test -e $p; then echo $p: $(busybox head -c 9 $p 2>&1 | busybox wc -c); fi; "
		       "done; "
		       "for p in /proc/acpi /proc/scsi /sys/firmware; do test -e $p && echo $p $(busybox ls "
		       "$p | busybox wc -l); done; "
		       "for p in sys/kernel/core_pattern sysrq-trigger irq bus fs; do "
		       "  echo $p: $(busybox touch $p 2>&1); done; "
		       "echo x > /proc/acpi/x; echo x > /sys/x; busybox mkdir /sys/fs/cgroup/x") == 1);
	expect_in("keys: 0\n");
	expect_in("timer_list: 0\n");
	expect_in("/sys/firmware 0\n");
	expect_in("sys/kernel/core_pattern: touch: sys/kernel/core_pattern: Read-only file system\n");
	if (access("/proc/sysrq-trigger", F_OK) == 0)
		expect_in("sysrq-trigger: touch: sysrq-trigger: Read-only file system\n");
	expect_in("irq: touch: irq: Read-only file system\n");
	expect_in("can't create /proc/acpi/x: Read-only file system");
	expect_in("can't create /sys/x: Read-only file system");
	expect_in("can't create directory '/sys/fs/cgroup/x': Read-only file system");
	isolation.privileged = true;
	world_run(&world, &isolation,
		"busybox wc -c < /proc/timer_list; busybox ls /dev | busybox wc -l; busybox ls -l /dev; "
		"busybox grep ' /sys ' /proc/mounts");
	expect(atoi(world.output) > 0 || userns_inside());
	expect_in(" /sys sysfs rw,");
	expect(world_run(&world, &isolation, "test -c /dev/kmsg") == 0 || access("/dev/kmsg", F_OK) < 0);
}

static void root_can_be_read_only(void)
{
	struct isolation isolation = plain();

	isolation.read_only_root = true;
	expect(world_run(&world, &isolation, "echo x > /x; echo x > /dev/shm/x && busybox cat /dev/shm/x") ==
		0);
	expect_in("can't create /x: Read-only file system");
	expect_in("x\n");
}

static void own_folder(const char *name)
{
	mkdirat(world.pod, name, 0755);
}

static int clone_of(const char *name)
{
	cleanup_fd int fd = openat(world.pod, name, O_PATH | O_CLOEXEC);
	bool is_dir;

	return volume_clone(fd, NULL, false, false, &is_dir, &world.err);
}

static void mounts_are_attached(void)
{
	struct isolation isolation = plain();
	struct mount mounts[4];
	int fd = openat(world.pod, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	fd_write_all(fd, "text\n", 5);
	close(fd);
	own_folder("folder");
	mounts[0] = (struct mount){clone_of("folder"), "/made/on the way", true};
	mounts[1] = (struct mount){clone_of("file"), "/etc/file", false};
	mounts[2] = (struct mount){clone_of("file"), "/dev/termination-log", false};
	mounts[3] = (struct mount){clone_of("folder"), "/dev/shm", true};
	isolation.mounts = mounts;
	isolation.n_mounts = array_length(mounts);
	expect(world_run(&world, &isolation,
		       "busybox cat /etc/file /dev/termination-log; echo shared > '/made/on the way/x'; "
		       "busybox cat /dev/shm/x") == 0);
	expect_text(world.output, "text\ntext\nshared\n");
	for (size_t i = 0; i < array_length(mounts); i++)
		close(mounts[i].source);
}

static const char *refusal_of(const char *target)
{
	struct isolation isolation = plain();
	struct mount mount = {-1, target, true};

	own_folder("folder");
	mount.source = clone_of("folder");
	isolation.mounts = &mount;
	isolation.n_mounts = 1;
	expect(world_run(&world, &isolation, "busybox cat /proc/mounts") == 125);
	close(mount.source);
	return world.output;
}

static void bad_targets_are_refused(void)
{
	static const char *const bad[] = {"/proc", "/proc/self", "//proc/../proc/sys", "/sys",
		"/sys/fs/cgroup", "/", "/..", "/x/../../proc", "relative"};
	struct error err = {0};

	for (size_t i = 0; i < array_length(bad); i++) {
		expect(isolation_check_target(bad[i], &err) < 0);
		refusal_of(bad[i]);
		expect_in("error: cannot mount on");
	}
	expect(isolation_check_target("/process", &err) == 0);
	expect(isolation_check_target("/dev/shm", &err) == 0);
	expect(isolation_check_target("/a/../b", &err) == 0);
	symlinkat("/proc", world.image, "innocent");
	refusal_of("/innocent");
	expect_in("a link in the image leads it to the root, /proc or /sys");
	refusal_of("/innocent/sys/net");
	expect_in("a link in the image leads it to the root, /proc or /sys");
	symlinkat(".", world.image, "here");
	refusal_of("/here");
	expect_in("a link in the image leads it to the root");
	symlinkat("/nowhere", world.image, "dangling");
	refusal_of("/dangling");
	expect_in("/dangling");
	unlinkat(world.image, "innocent", 0);
	unlinkat(world.image, "here", 0);
	unlinkat(world.image, "dangling", 0);
}

static void evil_base(const char *name, const char *to)
{
	struct isolation isolation = plain();
	char wanted[64];

	unlinkat(world.image, name, AT_REMOVEDIR);
	if (to)
		symlinkat(to, world.image, name);
	else
		close(openat(world.image, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	expect(world_run(&world, &isolation, "busybox cat /proc/mounts") == 125);
	snprintf(wanted, sizeof(wanted), "error: /%s of the image is no folder", name);
	expect_in(wanted);
	unlinkat(world.image, name, 0);
}

/* CVE-2019-19921, CVE-2023-28642, CVE-2026-41579: with a canary on the host that must stay as it is. */
static void linked_proc_sys_dev_are_refused(void)
{
	cleanup_free char *path = xasprintf("%s/canary", world.path);

	mkdirat(world.top, "canary", 0700);
	evil_base("proc", "bin");
	evil_base("proc", "../../..");
	evil_base("sys", "..");
	evil_base("sys", NULL);
	evil_base("dev", path);
	evil_base("dev", "/tmp");
	evil_base("dev", NULL);
	expect(unlinkat(world.top, "canary", AT_REMOVEDIR) == 0);
}

/* CVE-2025-31133: what masks is the device that we made, whatever the image has. */
static void image_devices_are_hidden(void)
{
	struct isolation isolation = plain();

	mkdirat(world.image, "dev", 0755);
	symlinkat("/proc/sys/kernel/core_pattern", world.image, "dev/null");
	expect(world_run(&world, &isolation, "busybox ls -l /dev/null; busybox head -c 9 /proc/timer_list") ==
		0);
	expect_in("1,   3");
	expect(!strstr(world.output, "core_pattern"));
	unlinkat(world.image, "dev/null", 0);
	unlinkat(world.image, "dev", AT_REMOVEDIR);
}

int main(void)
{
	if (userns_claim_mounts(&world.err) < 0)
		return 1;
	world_make(&world);
	group(sandbox_starts);
	group(container_sees_itself_only);
	group(devices_work_and_no_others);
	group(paths_are_masked);
	group(root_can_be_read_only);
	group(mounts_are_attached);
	group(bad_targets_are_refused);
	group(linked_proc_sys_dev_are_refused);
	group(image_devices_are_hidden);
	world_remove(&world);
	return unit_done();
}
