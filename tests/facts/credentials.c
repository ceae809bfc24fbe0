/*
 * Facts about execve and capabilities (FIELD.md, section 0): without no_new_privs a filter can be loaded last, with
 * CAP_SYS_ADMIN effective, and nothing need be dropped afterwards: execve itself leaves the program the bounding
 * set (uid 0) or nothing (any other), if the inheritable set is empty.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define BIT(n) (1ULL << (n))
/* CAP_SYS_ADMIN isn't in it. */
#define WANTED (BIT(CAP_CHOWN) | BIT(CAP_KILL) | BIT(CAP_NET_BIND_SERVICE))

static char bare[4096];

static void set_capabilities(unsigned long long permitted, unsigned long long effective)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
		{(unsigned int)effective, (unsigned int)permitted, 0},
		{(unsigned int)(effective >> 32), (unsigned int)(permitted >> 32), 0},
	};

	if (capset(&header, data) < 0)
		_exit(90);
}

__attribute__((noreturn)) static void become(uid_t uid)
{
	struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog program = {1, allow};
	unsigned long long held = BIT(CAP_SYS_ADMIN) | (uid ? 0 : WANTED);
	char *argv[] = {bare, NULL}, *envp[] = {NULL};

	for (int i = 0; i < 64; i++)
		if (!(WANTED & BIT(i)))
			cap_drop_bound(i);
	prctl(PR_SET_KEEPCAPS, 1);
	if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
		_exit(91);
	set_capabilities(held, held);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		_exit(92);
	execve(bare, argv, envp);
	_exit(93);
}

/* A field of the child's status, once it runs the program. */
static unsigned long long field(pid_t child, const char *name)
{
	char path[64], line[256];
	unsigned long long value = ~0ULL;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)child);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			value = strtoull(line + strlen(name) + 1, NULL, 16);
	if (file)
		fclose(file);
	return value;
}

static bool is_asleep(pid_t child)
{
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)child);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fscanf(file, "%*d (bare) %c", &state) != 1)
		state = 0;
	fclose(file);
	return state == 'S';
}

/* Starts the program as uid, and waits until it runs: it sleeps in its first call. */
static pid_t start(uid_t uid)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		become(uid);
	while (!is_asleep(child)) {
		if (waitpid(child, &status, WNOHANG) != 0) {
			printf("# the program ended early: %d\n", WEXITSTATUS(status));
			break;
		}
		usleep(1000);
	}
	return child;
}

static void check(uid_t uid, unsigned long long permitted)
{
	pid_t child = start(uid);

	expect(field(child, "CapInh") == 0);
	expect(field(child, "CapAmb") == 0);
	expect(field(child, "CapPrm") == permitted);
	expect(field(child, "CapEff") == permitted);
	expect(field(child, "CapBnd") == WANTED);
	expect(field(child, "NoNewPrivs") == 0);
	expect(field(child, "Seccomp") == 2);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void execve_leaves_root_the_bounding_set(void)
{
	check(0, WANTED);
}

static void execve_leaves_others_nothing(void)
{
	check(1000, 0);
}

int main(int argc, char **argv)
{
	(void)argc;
	snprintf(bare, sizeof(bare), "%s", argv[0]);
	dirname(bare);
	strncat(bare, "/../helpers/bare", sizeof(bare) - strlen(bare) - 1);
	if (geteuid() != 0) {
		printf("not ok 1 - these facts are about what root can give away: run them as root\n1..1\n");
		return 1;
	}
	group(execve_leaves_root_the_bounding_set);
	group(execve_leaves_others_nothing);
	return unit_done();
}
