/* namespaces/: the sandbox, its end and its supervisor's, shared and host namespaces, and entering a container. */
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>

#include "tests/unit/world.h"

static struct world world;

static int start(const struct sandbox_spec *spec)
{
	int result = sandbox_start(spec, &world.sandbox, &world.err);

	if (result < 0)
		snprintf(world.output, OUTPUT_SIZE, "%s (%s)", world.err.message, world.err.hint);
	return result;
}

/* ---- the supervisor's death ---- */

/* What an orphaned sandbox and the supervisor of the test share with the test. */
struct shared {
	volatile int orphaned, container_alive;
	volatile pid_t container, sandbox;
};

static void note_orphaned(void *data)
{
	struct shared *shared = data;

	/* As the sandbox counts: nobody but itself. */
	shared->container_alive = kill(-1, 0) == 0;
	shared->orphaned = 1;
}

static void __attribute__((noreturn)) supervise_for_ever(struct shared *shared, int ready)
{
	struct sandbox_spec spec = {.hostname = "x", .on_orphaned = note_orphaned, .data = shared};
	struct isolation isolation = plain();
	int pidfd;

	if (start(&spec) < 0)
		_exit(1);
	shared->sandbox = world.sandbox.pid;
	shared->container = world_start(&world, &isolation,
		"(trap '' TERM HUP INT; busybox sleep 1000) & trap '' TERM HUP INT; echo up; wait; busybox "
		"sleep 1000",
		ready, &pidfd);
	close(ready);
	for (;;)
		pause();
}

/* Gone, or a zombie that the machine's first process has yet to reap. */
static bool is_ended(pid_t pid)
{
	char path[64], text[512];
	cleanup_fd int fd = -1;
	const char *state;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
	if (n <= 0)
		return true;
	text[n] = '\0';
	state = strrchr(text, ')');
	return state && state[2] == 'Z';
}

static bool ended(pid_t pid)
{
	for (int i = 0; i < 500; i++) {
		if (is_ended(pid))
			return true;
		usleep(10000);
	}
	return false;
}

/* Starts a supervisor with a container; returns when the container's shell is up. */
static pid_t start_supervisor(struct shared *shared)
{
	int ends[2];
	pid_t pid;

	memset((void *)shared, 0, sizeof(*shared));
	if (pipe2(ends, O_CLOEXEC) < 0)
		abort();
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		supervise_for_ever(shared, ends[1]);
	world.runs++; /* the child's container has taken the next upper folder */
	close(ends[1]);
	expect(read(ends[0], world.output, 3) == 3);
	close(ends[0]);
	return pid;
}

static struct shared *map_shared(void)
{
	return mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static void nothing_outlives_the_supervisor(void)
{
	struct shared *shared = map_shared();
	pid_t supervisor = start_supervisor(shared);

	kill(supervisor, SIGKILL);
	waitpid(supervisor, NULL, 0);
	expect(ended(shared->sandbox));
	expect(ended(shared->container));
	expect(shared->orphaned == 1);
	expect(shared->container_alive == 0);
	munmap(shared, sizeof(*shared));
}

static void nothing_outlives_the_sandbox(void)
{
	struct shared *shared = map_shared();
	pid_t supervisor = start_supervisor(shared);

	kill(shared->sandbox, SIGKILL);
	kill(supervisor, SIGKILL);
	waitpid(supervisor, NULL, 0);
	expect(ended(shared->sandbox));
	expect(ended(shared->container));
	munmap(shared, sizeof(*shared));
}

static void sandbox_holds_nothing(void)
{
	struct sandbox_spec spec = {.hostname = "x", .keep = &world.pod, .n_keep = 1};
	char command[256];
	FILE *out;
	size_t n;

	expect(start(&spec) == 0);
	snprintf(command, sizeof(command),
		"ls -l /proc/%d/fd | sed 's/.*-> //' | sort -u; readlink /proc/%d/cwd; cat /proc/%d/comm",
		world.sandbox.pid, world.sandbox.pid, world.sandbox.pid);
	/* It says that it is ready, and then closes the pipe by which it said so. */
	for (int i = 0; i < 100; i++) {
		out = popen(command, "r");
		n = fread(world.output, 1, OUTPUT_SIZE - 1, out);
		world.output[n] = '\0';
		pclose(out);
		if (!strstr(world.output, "pipe:"))
			break;
		usleep(10000);
	}
	expect_in("/dev/null\n");
	expect_in("/pod\n");
	expect_in("\n/\nminirun-sandbox\n");
	expect(!strstr(world.output, "pipe:"));
	sandbox_stop(&world.sandbox);
}

/* Even with a container that nobody has reaped. */
static void stop_ends_all(void)
{
	struct sandbox_spec spec = {.hostname = "x"};
	struct isolation isolation = plain();
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), pidfd;
	pid_t pid;

	expect(start(&spec) == 0);
	pid = world_start(&world, &isolation, "busybox sleep 1000", null, &pidfd);
	expect(pid > 0);
	usleep(20000);
	sandbox_stop(&world.sandbox);
	expect(ended(pid));
	close(pidfd);
	close(null);
}

/* ---- namespaces of the pod and of the host ---- */

/* Waits until the program of a child runs, as ps will show it; half a minute at most. */
static void await_program(pid_t pid, const char *name)
{
	for (int i = 0; i < 3000; i++) {
		cleanup_free char *path = xasprintf("/proc/%d/cmdline", (int)pid), *text = NULL;
		struct error ignored = {0};

		if (file_read(path, 4096, ERROR_HOST, &text, NULL, &ignored) == 0 && !strcmp(text, name))
			return;
		usleep(10000);
	}
	expect(!"the program runs");
}

static void processes_can_be_shared(void)
{
	struct sandbox_spec spec = {.hostname = "x", .share_process_namespace = true};
	struct isolation isolation = plain();
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), pidfd;
	pid_t pid;

	expect(start(&spec) == 0);
	pid = world_start(&world, &isolation, "busybox sleep 1000", null, &pidfd);
	expect(pid > 0);
	await_program(pid, "busybox");
	expect(world_run(&world, &isolation,
		       "busybox ps -o pid,args; busybox grep -E 'Cap|NoNew|Uid' /proc/1/status; busybox ls "
		       "-l /proc/1/exe; "
		       "busybox ls /proc/1/root/; busybox ls /proc/1/fd; busybox readlink /proc/1/ns/net "
		       "/proc/self/ns/net | busybox uniq | "
		       "busybox wc -l; busybox sh -c 'busybox sleep 0.01 &'; busybox sleep 0.1; busybox ps | "
		       "busybox grep -c '\\[.*Z'") <= 1);
	expect_in("pause\n");
	expect_in("busybox sleep 1000\n");
	expect_in("CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n");
	expect_in("NoNewPrivs:\t1\n");
	expect(!strstr(world.output, "/build/"));
	close(pidfd);
	close(null);
	sandbox_stop(&world.sandbox);
}

static void host_namespaces_can_be_used(void)
{
	struct sandbox_spec spec = {
		.hostname = "x", .host_network = true, .host_pid = true, .host_ipc = true};
	struct isolation isolation = plain();
	char name[65];

	gethostname(name, sizeof(name));
	expect(start(&spec) == 0);
	expect(world_run(&world, &isolation,
		       "busybox hostname; busybox ps | busybox wc -l; busybox readlink /proc/self/ns/net; "
		       "busybox readlink /proc/1/ns/net; "
		       "busybox grep -E ' /sys ' /proc/mounts; busybox mkdir /sys/fs/cgroup/x; busybox ls "
		       "/sys/class/net") == 0);
	expect_in(name);
	expect_in(" /sys sysfs ro,");
	expect_in("Read-only file system");
	expect(atoi(strchr(world.output, '\n')) > 5);
	sandbox_stop(&world.sandbox);
}

static void sysctls_are_the_pods_own(void)
{
	static const struct sysctl good[] = {
		{"net.ipv4.ip_default_ttl", "33"}, {"net/ipv4/tcp_fin_timeout", "7"}};
	static const struct sysctl bad[] = {
		{"kernel.core_pattern", "x"},
		{"vm.swappiness", "1"},
		{"net.ipv4/../../kernel.core_pattern", "x"},
		{"net/../kernel/core_pattern", "x"},
		{"net.no.such", "1"},
		{"net.ipv4.ip_default_ttl", "many"},
	};
	struct sandbox_spec spec = {.hostname = "x", .sysctls = good, .n_sysctls = 2};
	struct isolation isolation = plain();

	expect(start(&spec) == 0);
	world_run(&world, &isolation,
		"cd /proc/sys/net/ipv4; busybox cat ip_default_ttl tcp_fin_timeout "
		"ip_unprivileged_port_start ping_group_range");
	expect_in("33\n7\n0\n0\t");
	sandbox_stop(&world.sandbox);
	spec.n_sysctls = 1;
	for (size_t i = 0; i < array_length(bad); i++) {
		spec.sysctls = &bad[i];
		expect(start(&spec) < 0);
		expect_in("sysctl");
		expect_in(bad[i].name);
	}
	spec = (struct sandbox_spec){.hostname = "x", .sysctls = good, .n_sysctls = 1, .host_network = true};
	expect(start(&spec) < 0);
	expect_in("the pod has the host's network namespace");
}

/* ---- entering ---- */

static int enter(int container, const char *script)
{
	struct error err = {0};
	int ends[2], pidfd, procfd;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		abort();
	pid = isolation_clone_into(container, NULL, &pidfd, &err);
	if (pid == 0) {
		if (isolation_join(container, NULL, &ends[1], 1, &procfd, &err) < 0) {
			dprintf(ends[1], "error: %s\n", err.message);
			_exit(125);
		}
		world_exec(script, ends[1]);
	}
	close(ends[1]);
	if (pid < 0)
		snprintf(world.output, OUTPUT_SIZE, "error: %s", err.message);
	else
		world_read(&world, ends[0]);
	close(ends[0]);
	return pid < 0 ? -1 : world_wait(pidfd);
}

static void enter_one(struct sandbox_spec spec)
{
	struct isolation isolation = plain();
	int ends[2], pidfd;
	char up[3];

	expect(start(&spec) == 0);
	if (pipe2(ends, O_CLOEXEC) < 0)
		abort();
	expect(world_start(&world, &isolation, "echo mine > /marker; echo up; exec busybox sleep 1000",
		       ends[1], &pidfd) > 0);
	expect(read(ends[0], up, 3) == 3);
	expect(enter(pidfd, "busybox cat /marker; busybox hostname; busybox ls /; busybox ps -o pid,args; "
			    "for n in mnt net ipc uts cgroup pid; do "
			    "  test $(busybox readlink /proc/self/ns/$n) = $(busybox readlink "
			    "/proc/$PPID/ns/$n) || echo differs; done; "
			    "busybox ls -l /proc/self/fd; pwd") == 0);
	expect_in("mine\n");
	expect_in("busybox sleep 1000\n");
	expect_in("\n/\n");
	expect(!strstr(world.output, world.path));
	pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	waitid((idtype_t)P_PIDFD, (id_t)pidfd, &(siginfo_t){0}, WEXITED);
	expect(enter(pidfd, "echo alive") != 0);
	close(pidfd);
	close(ends[0]);
	close(ends[1]);
	sandbox_stop(&world.sandbox);
}

static void containers_can_be_entered(void)
{
	enter_one((struct sandbox_spec){.hostname = "x"});
	enter_one((struct sandbox_spec){.hostname = "x", .share_process_namespace = true});
	enter_one((struct sandbox_spec){.hostname = "x", .host_pid = true});
	enter_one((struct sandbox_spec){
		.hostname = "x", .host_pid = true, .host_network = true, .host_ipc = true});
}

static void the_supervisor_stays_where_it_was(void)
{
	struct sandbox_spec spec = {.hostname = "x"};
	struct isolation isolation = plain();
	char before[64] = "", after[64] = "";

	readlink("/proc/self/ns/pid_for_children", before, sizeof(before) - 1);
	expect(start(&spec) == 0);
	expect(world_run(&world, &isolation, "busybox true") == 0);
	readlink("/proc/self/ns/pid_for_children", after, sizeof(after) - 1);
	expect_text(after, before);
	sandbox_stop(&world.sandbox);
	expect(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

int main(void)
{
	if (userns_claim_mounts(&world.err) < 0)
		return 1;
	world_make(&world);
	group(nothing_outlives_the_supervisor);
	group(nothing_outlives_the_sandbox);
	group(sandbox_holds_nothing);
	group(stop_ends_all);
	group(processes_can_be_shared);
	group(host_namespaces_can_be_used);
	group(sysctls_are_the_pods_own);
	group(containers_can_be_entered);
	group(the_supervisor_stays_where_it_was);
	world_remove(&world);
	return unit_done();
}
