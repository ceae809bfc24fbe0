/*
 * The pause: pid 1 of the pid namespace that the containers of a pod share.
 *
 * Theory of operation
 *
 * Containers see it as /proc/1, and one with SYS_PTRACE can take it over. So there is nothing to be had: no
 * capability, no descriptor, an empty read-only root, the pod's own namespaces, and, since a fork of the supervisor
 * would carry its memory (other containers' environments) and its executable (CVE-2019-5736), a program of its own:
 * one page in a sealed memfd that blocks for ever. SIGCHLD stays ignored across execve(2), so the kernel reaps what
 * is orphaned into it; all signals stay blocked.
 */
#include "namespaces/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/tiny_program.h"
#include "namespaces/mounts.h"

#define PAUSE_ID 65535 /* as the pause image of Kubernetes */

#if defined(__x86_64__)
static const unsigned char pause_code[] = {
	0xb8, 34, 0, 0, 0, /* mov eax, pause */
	0x0f, 0x05, /* syscall */
	0xeb, 0xf7, /* jmp to the start */
};
#elif defined(__aarch64__)
static const unsigned char pause_code[] = {
	0x00, 0x00, 0x80, 0xd2, /* mov x0, 0 */
	0x01, 0x00, 0x80, 0xd2, /* mov x1, 0 */
	0x02, 0x00, 0x80, 0xd2, /* mov x2, 0 */
	0x03, 0x00, 0x80, 0xd2, /* mov x3, 0 */
	0x28, 0x09, 0x80, 0xd2, /* mov x8, ppoll */
	0x01, 0x00, 0x00, 0xd4, /* svc 0 */
	0xfa, 0xff, 0xff, 0x17, /* b to the start */
};
#else
/* cppcheck-suppress preprocessorErrorDirective */
#error "pause_code is missing for this machine: a few instructions that call pause(2) or ppoll(2) for ever"
#endif

static int make_program(void)
{
	cleanup_fd int fd = memfd_create("minirun-pause", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || tiny_program_write(fd, pause_code, sizeof(pause_code)) < 0 ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return -1;
	return steal_fd(&fd);
}

/* What give_up_rights can do here, from /proc, which is out of sight by then. */
struct means {
	bool setgroups, gid, uid;
};

static int give_up_rights(const struct means *means)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {0};

	for (int capability = 0; prctl(PR_CAPBSET_DROP, capability) == 0; capability++)
		;
	if (means->setgroups && setgroups(0, NULL) < 0)
		return -1;
	if (means->gid && setresgid(PAUSE_ID, PAUSE_ID, PAUSE_ID) < 0)
		return -1;
	if (means->uid && setresuid(PAUSE_ID, PAUSE_ID, PAUSE_ID) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_capset, &header, none);
}

static int be_pause(const struct sandbox *sandbox, int report, struct error *err)
{
	const struct means means = {
		userns_allows_setgroups(), userns_maps_gid(PAUSE_ID), userns_maps_uid(PAUSE_ID)};
	int namespaces = sandbox_namespaces(sandbox);
	char name[] = "pause";
	char *const argv[] = {name, NULL}, *const envp[] = {NULL};
	int root, keep[2], program = make_program();

	if (program < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make the program of the pod's pause");
	if (sandbox->users && users_become_root(err) < 0)
		return -1;
	if (!sandbox->users && namespaces && setns(sandbox->pidfd, namespaces) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot enter the pod's namespaces");
	unshare(CLONE_NEWCGROUP);
	root = mount_new(
		"tmpfs", &(struct mount_option){"size", "4k"}, 1, MOUNT_HARMLESS | MOUNT_ATTR_RDONLY, err);
	if (root < 0 || mount_become_root(root, err) < 0)
		return -1;
	if (give_up_rights(&means) < 0)
		return error_set(
			err, ERROR_HOST, errno, "cannot give up the capabilities of the pod's pause");
	keep[0] = program;
	keep[1] = report;
	if (fd_close_others(keep, 2) < 0)
		return error_set(err, ERROR_HOST, errno, "close_range");
	syscall(SYS_execveat, program, "", argv, envp, AT_EMPTY_PATH);
	error_set(err, ERROR_HOST, errno, "cannot execute the program of the pod's pause");
	if (errno == EACCES)
		error_hint(err, "programs in memory are forbidden here: sysctl vm.memfd_noexec");
	return -1;
}

static void __attribute__((noreturn)) pause_main(const struct sandbox *sandbox, int report)
{
	struct error err = {0};
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGCHLD, SIG_IGN);
	setsid();
	prctl(PR_SET_DUMPABLE, 0);
	be_pause(sandbox, report, &err);
	write(report, &err, sizeof(err));
	_exit(1);
}

int pause_start(struct sandbox *sandbox, struct error *err)
{
	cleanup_fd int reader = -1;
	cleanup_fd int writer = -1;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make a pipe");
	reader = ends[0];
	writer = ends[1];
	sandbox->pause = clone_nested(sandbox, sandbox->pidfd, CLONE_NEWNS, -1, &sandbox->pause_pidfd, err);
	if (sandbox->pause == 0)
		pause_main(sandbox, writer);
	if (sandbox->pause < 0)
		return -1;
	close(steal_fd(&writer));
	/* execve closes the other end; before that only an error can come. */
	if (sandbox_report_read(reader, false, err) < 0)
		return error_wrap(err, "shareProcessNamespace");
	return 0;
}
