/*
 * Credentials and locks, as the program finds them: a child applies them with our code, executes a program that only
 * sleeps, and the parent reads what the kernel says of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "security/security.h"
#include "tests/unit/unit.h"

#define BIT(n) ((capability_set)1 << (n))

static char bare[4096]; /* the helper: pauses, else exits, else traps */

/* What parent and child share. */
static struct shared {
	struct exec_report report;
	struct error err;
	int stage;
} * shared;

struct launch {
	struct credentials credentials;
	bool no_new_privs, confined;
	const char *path;
};

static const char allow_execve[] = "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
				   "{\"names\":[\"execve\"],\"action\":\"SCMP_ACT_ALLOW\"}]}";
/* Kills at any other call: one that we made between filter and execve would be seen. */
static const char allow_sleep[] =
	"{\"defaultAction\":\"SCMP_ACT_KILL_PROCESS\",\"syscalls\":["
	"{\"names\":[\"execve\",\"pause\",\"ppoll\"],\"action\":\"SCMP_ACT_ALLOW\"}]}";

static struct seccomp_filter compile(const char *text)
{
	const struct seccomp_subject subject = {0};
	struct seccomp_filter filter;
	struct findings findings;
	struct error err;
	unsigned int n;

	findings_init(&findings, "f");
	expect(seccomp_compile(text, strlen(text), "p", &subject, -1, &filter, &n, &findings, &err) == 0);
	findings_free(&findings);
	return filter;
}

__attribute__((noreturn)) static void child(const struct launch *launch, const struct seccomp_filter *filter)
{
	const struct locks locks = {launch->no_new_privs, NULL, launch->confined ? filter : NULL, NULL};
	char *argv[] = {bare, NULL}, *envp[] = {NULL};

	shared->stage = 1;
	if (credentials_apply(
		    &launch->credentials, true, launch->confined && !launch->no_new_privs, &shared->err) < 0)
		_exit(1);
	shared->stage = 2;
	if (locks_apply(&locks, -1, &shared->err) < 0)
		_exit(1);
	shared->stage = 3;
	locks_exec(&locks, &shared->report, -1, launch->path, argv, envp);
}

static pid_t start(const struct launch *launch, const char *profile)
{
	struct seccomp_filter filter = compile(profile);
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		child(launch, &filter);
	seccomp_filter_free(&filter);
	return pid;
}

/* A line of /proc/PID/status, in base 16 if hex. */
static unsigned long long field(pid_t pid, const char *name, int base)
{
	char path[64], line[512];
	unsigned long long value = ~0ULL;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			value = strtoull(line + strlen(name) + 1, NULL, base);
	if (file)
		fclose(file);
	return value;
}

static bool is_asleep(pid_t pid)
{
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (file && fscanf(file, "%*d (bare) %c", &state) != 1)
		state = 0;
	if (file)
		fclose(file);
	return state == 'S';
}

/* Waits until the program runs; false, with what went wrong, if it never does. */
static bool wait_for_program(pid_t pid)
{
	int status;

	for (int i = 0; i < 10000; i++) {
		if (is_asleep(pid))
			return true;
		if (waitpid(pid, &status, WNOHANG) != 0)
			break;
		usleep(1000);
	}
	printf("# stage %d, execve %d, filter %d: %s\n", shared->stage, shared->report.failed,
		shared->report.filter_failed, shared->err.message);
	return false;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void check_program(const struct launch *launch)
{
	capability_set effective = launch->credentials.uid == 0 ? launch->credentials.capabilities : 0;
	pid_t pid = start(launch, allow_sleep);

	if (!wait_for_program(pid)) {
		expect(!"the program runs");
		return;
	}
	expect(field(pid, "CapInh", 16) == 0);
	expect(field(pid, "CapAmb", 16) == 0);
	expect(field(pid, "CapBnd", 16) == launch->credentials.capabilities);
	expect(field(pid, "CapPrm", 16) == effective);
	expect(field(pid, "CapEff", 16) == effective);
	expect(field(pid, "NoNewPrivs", 10) == launch->no_new_privs);
	expect(field(pid, "Seccomp", 10) == (launch->confined ? 2 : 0));
	expect(field(pid, "Seccomp_filters", 10) == launch->confined);
	expect(field(pid, "Uid", 10) == launch->credentials.uid);
	expect(field(pid, "Gid", 10) == launch->credentials.gid);
	expect(field(pid, "Groups", 10) == launch->credentials.groups[0]);
	end(pid);
}

/* Both modes of no_new_privs, with and without a filter, root and not, with and without CAP_SYS_ADMIN asked for. */
static void program_has_what_was_asked_for(void)
{
	const capability_set sets[] = {
		0,
		capabilities_default(),
		BIT(CAP_SYS_ADMIN) | BIT(CAP_KILL),
		BIT(CAP_SETPCAP),
	};
	gid_t groups[] = {7, 1234};

	for (unsigned int i = 0; i < 32; i++) {
		struct launch launch = {
			.credentials = {.uid = i & 1 ? 1000 : 0,
				.gid = i & 1 ? 1234 : 0,
				.groups = groups,
				.n_groups = 2,
				.capabilities = sets[i >> 3]},
			.no_new_privs = i & 2,
			.confined = i & 4,
			.path = bare,
		};

		check_program(&launch);
	}
}

/* What our starter left in the inheritable and ambient sets, or in the secure bits, must not reach the program. */
static void inheritance_is_cut(void)
{
	gid_t groups[] = {7};
	struct launch launch = {.credentials = {1000, 1000, groups, 1, capabilities_default()}, .path = bare};
	cap_t caps = cap_get_proc();
	cap_value_t chown = CAP_CHOWN;
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		unsigned int before = unit_failures;

		cap_set_flag(caps, CAP_INHERITABLE, 1, &chown, CAP_SET);
		expect(cap_set_proc(caps) == 0);
		expect(cap_set_ambient(CAP_CHOWN, CAP_SET) == 0);
		expect(prctl(PR_SET_SECUREBITS, 1 << 0 | 1 << 2) == 0); /* NOROOT, NO_SETUID_FIXUP */
		check_program(&launch);
		launch.credentials.uid = 0;
		launch.credentials.gid = 0;
		launch.confined = true;
		check_program(&launch);
		fflush(stdout);
		_exit(unit_failures != before);
	}
	waitpid(pid, &status, 0);
	expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	cap_free(caps);
}

/* Law R0: the profile allows execve and nothing else, and the program starts. */
static void execve_alone_starts_the_program(void)
{
	gid_t groups[] = {0};

	for (int i = 0; i < 4; i++) {
		struct launch launch = {.credentials = {i & 1 ? 1000 : 0, 0, groups, 1, 0},
			.no_new_privs = i & 2,
			.confined = true,
			.path = bare};
		pid_t pid = start(&launch, allow_execve);
		int status;

		waitpid(pid, &status, 0);
		expect(shared->stage == 3 && shared->report.failed == 0);
		/* Its own trap: it may not even exit. The launcher's would be SIGILL. */
		expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGTRAP);
	}
}

static void failed_execve_is_told(void)
{
	gid_t groups[] = {0};
	struct launch launch = {.credentials = {0, 0, groups, 1, 0},
		.no_new_privs = true,
		.confined = true,
		.path = "/nonexistent"};
	int status;

	waitpid(start(&launch, allow_sleep), &status, 0);
	expect(shared->report.failed == ENOENT && !shared->report.filter_failed);
	expect(WIFSIGNALED(status) && WTERMSIG(status) != SIGSYS && !WCOREDUMP(status));
	launch.path = "/etc/passwd";
	waitpid(start(&launch, allow_sleep), &status, 0);
	expect(shared->report.failed == EACCES && WTERMSIG(status) != SIGSYS);
	launch.confined = false;
	waitpid(start(&launch, allow_sleep), &status, 0);
	expect(shared->report.failed == EACCES && WIFSIGNALED(status));
}

/* A filter that the kernel refuses is told apart from a failed execve. */
static void refused_filter_is_told(void)
{
	struct sock_filter insns[] = {BPF_STMT(BPF_LD | BPF_IMM, 0)}; /* ends without a return */
	const struct seccomp_filter filter = {insns, 1, 0};
	gid_t groups[] = {0};
	const struct launch launch = {
		.credentials = {0, 0, groups, 1, 0}, .no_new_privs = true, .confined = true, .path = bare};
	pid_t pid;
	int status;

	memset(shared, 0, sizeof(*shared));
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		child(&launch, &filter);
	waitpid(pid, &status, 0);
	expect(shared->report.failed == EINVAL && shared->report.filter_failed);
	expect(WIFSIGNALED(status));
}

static void impossible_credentials(void)
{
	gid_t groups[] = {0};
	struct launch launch = {.credentials = {(uid_t)-1, 0, groups, 1, 0}, .path = bare};
	pid_t pid;
	int status;

	waitpid(start(&launch, allow_execve), &status, 0);
	expect(shared->stage == 1 && shared->err.class == ERROR_MANIFEST);
	/* A capability that isn't in the bounding set: refused by name. */
	launch.credentials.uid = 0;
	launch.credentials.capabilities = BIT(CAP_SYS_BOOT);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		cap_drop_bound(CAP_SYS_BOOT);
		waitpid(start(&launch, allow_execve), &status, 0);
		_exit(!(shared->stage == 1 && shared->err.class == ERROR_HOST &&
			strstr(shared->err.message, "SYS_BOOT")));
	}
	waitpid(pid, &status, 0);
	expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* A host without AppArmor refuses a profile that was asked for; the list of a host that has it is understood. */
static void apparmor(void)
{
	static const char list[] =
		"/usr/bin/man (enforce)\nminirun-default (complain)\nodd name (x) (enforce)\n"
		"strict (kill)\nloose (unconfined)\n";
	struct error err = {0};

	expect(apparmor_listed(list, "/usr/bin/man") == 1);
	expect(apparmor_listed(list, "minirun-default") == 2);
	expect(apparmor_listed(list, "odd name (x)") == 1);
	expect(apparmor_listed(list, "odd name") == 0);
	expect(apparmor_listed(list, "strict") == 1);
	expect(apparmor_listed(list, "loose") == APPARMOR_UNCONFINED);
	expect(apparmor_listed(list, "minirun") == 0 && apparmor_listed(list, "") == 0);
	expect(apparmor_listed("", "x") == 0);
	if (apparmor_available()) {
		expect(apparmor_check("no-such-profile-here", &err) < 0);
		expect_text(err.message,
			"Cannot enforce AppArmor: profile \"no-such-profile-here\" is not loaded");
		return;
	}
	expect(apparmor_check("x", &err) < 0 && err.class == ERROR_HOST);
	expect_text(err.message, "Cannot enforce AppArmor: AppArmor is not enabled on the host");
	expect(apparmor_load_default(false, &err) < 0 && apparmor_loaded(APPARMOR_DEFAULT) <= 0);
}

/* And if it were asked for all the same, the launch fails before the program. */
static void apparmor_fails_closed(void)
{
	const struct locks locks = {true, "minirun-default", NULL, NULL};
	struct error err = {0};
	int status;
	pid_t pid;

	if (apparmor_available())
		return;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		cleanup_fd int procfd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		_exit(!(locks_apply(&locks, procfd, &err) < 0 && err.class != ERROR_NONE &&
			strstr(err.message, "minirun-default")));
	}
	waitpid(pid, &status, 0);
	expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(int argc, char **argv)
{
	(void)argc;
	/* The helpers are built beside the unit tests. */
	snprintf(bare, sizeof(bare), "%s", argv[0]);
	dirname(bare);
	strncat(bare, "/../helpers/bare", sizeof(bare) - strlen(bare) - 1);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	group(apparmor);
	if (geteuid() != 0) {
		printf("# the rest is about what root can give away: run it as root\n");
		return unit_done() | 1;
	}
	group(program_has_what_was_asked_for);
	group(inheritance_is_cut);
	group(execve_alone_starts_the_program);
	group(failed_execve_is_told);
	group(refused_filter_is_told);
	group(impossible_credentials);
	group(apparmor_fails_closed);
	return unit_done();
}
