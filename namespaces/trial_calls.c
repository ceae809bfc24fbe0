/* Trials of the kernel's calls: openat2, pidfds, each namespace, mounts by descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/inroot.h"
#include "namespaces/mounts.h"
#include "namespaces/sandbox.h"
#include "namespaces/trials.h"

void trial_openat2(const struct trial_place *place, struct trial *trial)
{
	struct error err = {0};
	cleanup_fd int root = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_fd int fd = -1;

	if (root < 0) {
		trial_set(trial, TRIAL_MISSING, "there is no /proc");
		trial_mend_by(trial, place, HAND_SYSTEM, "mount -t proc proc /proc");
		return;
	}
	fd = inroot_open(root, "/../self/status", O_RDONLY, &err);
	if (fd < 0) {
		trial_set(trial, TRIAL_MISSING, "openat2: %s", strerror(err.errnum));
		if (err.errnum == ENOENT)
			trial_mend_by(trial, place, HAND_SYSTEM, "mount -t proc proc /proc");
		return;
	}
	trial_set(trial, TRIAL_OK, "paths are resolved within a root");
}

/* What fails, by name; or NULL. The child waits for SIGKILL. */
static const char *try_pidfds(struct trial *trial, struct error *err)
{
	struct pollfd end = {.fd = -1, .events = POLLIN};
	cleanup_fd int pidfd = -1;
	cleanup_fd int self = -1;
	cleanup_fd int copy = -1;
	siginfo_t info;
	pid_t pid;

	trial_set(trial, TRIAL_MISSING, "clone3");
	pid = clone_process(0, -1, &pidfd, err);
	if (pid == 0)
		for (;;)
			pause();
	if (pid < 0)
		return "clone3";
	trial_set(trial, TRIAL_MISSING, "pidfd_send_signal");
	if (pidfd_send_signal(pidfd, SIGKILL, NULL, 0) < 0) {
		int errnum = errno;

		kill(pid, SIGKILL);
		errno = errnum;
		return "pidfd_send_signal";
	}
	end.fd = pidfd;
	if (poll(&end, 1, 5000) != 1 || waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
		return "waitid on a pidfd";
	trial_set(trial, TRIAL_MISSING, "pidfd_open");
	self = pidfd_open(getpid(), 0);
	if (self < 0)
		return "pidfd_open";
	trial_set(trial, TRIAL_MISSING, "pidfd_getfd");
	copy = pidfd_getfd(self, self, 0);
	return copy < 0 ? "pidfd_getfd" : NULL;
}

void trial_pidfd(const struct trial_place *place, struct trial *trial)
{
	struct error err = {0};
	const char *failed = try_pidfds(trial, &err);

	(void)place;
	if (!failed) {
		trial_set(trial, TRIAL_OK, "clone3, pidfd_open, _send_signal, _getfd");
		return;
	}
	error_set(&err, ERROR_HOST, errno, "%s", failed);
	trial_fail(trial, TRIAL_MISSING, &err);
}

static const struct {
	int flag;
	const char *name;
} kinds[] = {
	{CLONE_NEWNS, "mount"},
	{CLONE_NEWUTS, "uts"},
	{CLONE_NEWIPC, "ipc"},
	{CLONE_NEWNET, "net"},
	{CLONE_NEWPID, "pid"},
	{CLONE_NEWCGROUP, "cgroup"},
};

void trial_namespaces(const struct trial_place *place, struct trial *trial)
{
	struct error err = {0};
	cleanup_fd int pidfd = -1;
	pid_t pid;

	(void)place;
	trial_set(trial, TRIAL_MISSING, "clone3 with namespaces");
	pid = clone_process(CLONE_NEWPID, -1, &pidfd, &err);
	if (pid == 0)
		_exit(0);
	if (pid < 0) {
		trial_fail(trial, TRIAL_MISSING, &err);
		return;
	}
	waitpid(pid, NULL, 0);
	for (size_t i = 0; i < array_length(kinds); i++) {
		trial_set(trial, TRIAL_MISSING, "%s namespace", kinds[i].name);
		if (unshare(kinds[i].flag) < 0) {
			clone_error(&err, errno);
			error_wrap(&err, "%s namespace", kinds[i].name);
			trial_fail(trial, TRIAL_MISSING, &err);
			return;
		}
	}
	if (sethostname("check", 5) < 0)
		error_set(&err, ERROR_HOST, errno, "cannot set a hostname in a namespace of our own");
	if (err.class || network_loopback_up(&err) < 0) {
		trial_fail(trial, TRIAL_MISSING, &err);
		return;
	}
	trial_set(trial, TRIAL_OK, "mount, uts, ipc, net, pid, cgroup");
}

/* In namespaces of its own, as its process 1. */
static int try_mounts(struct trial *trial, struct error *err)
{
	static const char *const types[] = {"proc", "tmpfs", "devpts", "mqueue"};
	cleanup_fd int root = -1;
	cleanup_fd int clone = -1;

	for (size_t i = 0; i < array_length(types); i++) {
		cleanup_fd int fd = -1;

		trial_set(trial, TRIAL_MISSING, "mounting %s", types[i]);
		fd = mount_new(types[i], NULL, 0, MOUNT_HARMLESS, err);
		if (fd < 0)
			return -1;
	}
	trial_set(trial, TRIAL_MISSING, "cloning a mount");
	clone = mount_clone(AT_FDCWD, "/", true, err);
	if (clone < 0 || mount_restrict(clone, MOUNT_HARMLESS | MOUNT_ATTR_RDONLY, true, err) < 0)
		return -1;
	trial_set(trial, TRIAL_MISSING, "changing the root");
	root = mount_new("tmpfs", NULL, 0, MOUNT_HARMLESS, err);
	return root < 0 ? -1 : mount_become_root(root, err);
}

void trial_mounts(const struct trial_place *place, struct trial *trial)
{
	struct error err = {0};
	pid_t pid;

	(void)place;
	trial_set(trial, TRIAL_MISSING, "namespaces");
	if (unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWPID) < 0) {
		clone_error(&err, errno);
		trial_fail(trial, TRIAL_MISSING, &err);
		return;
	}
	pid = trial_fork();
	if (pid < 0) {
		trial_set(trial, TRIAL_MISSING, "cannot make a process");
	} else if (pid == 0) {
		if (try_mounts(trial, &err) < 0)
			trial_fail(trial, TRIAL_MISSING, &err);
		else
			trial_set(trial, TRIAL_OK, "new, cloned, restricted, moved; a new root");
		_exit(0);
	} else {
		int status;

		waitpid(pid, &status, 0);
		/* Whoever looks at us is to see of what it died. */
		if (WIFSIGNALED(status))
			raise(WTERMSIG(status));
	}
}
