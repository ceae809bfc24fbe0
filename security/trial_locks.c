/* Trials of the locks: seccomp filters, the naming of what they refuse, AppArmor. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/apparmor.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "security/audit.h"
#include "security/denial.h"
#include "security/security.h"
#include "security/trials.h"

#define REFUSED_CALL SYS_getppid
#define REFUSED_WITH EXDEV /* an errno that getppid(2) never has */
#define LIST_MAX     (16U << 20)
#define PATIENCE     5000 /* ms */

static const struct {
	uint32_t action;
	const char *name;
} actions[] = {
	{SECCOMP_RET_KILL_PROCESS, "kill_process"},
	{SECCOMP_RET_KILL_THREAD, "kill_thread"},
	{SECCOMP_RET_TRAP, "trap"},
	{SECCOMP_RET_ERRNO, "errno"},
	{SECCOMP_RET_USER_NOTIF, "user_notif"},
	{SECCOMP_RET_TRACE, "trace"},
	{SECCOMP_RET_LOG, "log"},
	{SECCOMP_RET_ALLOW, "allow"},
};

/* A filter that does action to getppid(2), and nothing else. As seccomp(2): a descriptor, 0, or -1 with errno. */
static int load_filter(uint32_t action, unsigned int flags)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, REFUSED_CALL, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {array_length(insns), insns};

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

void trial_seccomp(const struct trial_place *place, struct trial *trial)
{
	char have[128] = "", lack[128] = "";

	(void)place;
	trial_set(trial, TRIAL_MISSING, "loading a filter");
	if (load_filter(SECCOMP_RET_ERRNO | REFUSED_WITH, 0) < 0) {
		trial_set(trial, TRIAL_MISSING, "cannot load a seccomp filter: %s", strerror(errno));
		return;
	}
	if (syscall(REFUSED_CALL) != -1 || errno != REFUSED_WITH) {
		trial_set(trial, TRIAL_MISSING, "a seccomp filter was loaded and does not refuse");
		return;
	}
	for (size_t i = 0; i < array_length(actions); i++) {
		bool there = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &actions[i].action) == 0;
		char *to = there ? have : lack;

		snprintf(to + strlen(to), sizeof(have) - strlen(to), "%s%s", *to ? " " : "", actions[i].name);
	}
	trial_set(trial, *lack ? TRIAL_LIMITED : TRIAL_OK, "%s%s%s", have, *lack ? ", without " : "", lack);
}

/* Loads a filter with a listener, waits until our parent has it, and makes the call. Exits 0 if it was answered. */
static void __attribute__((noreturn)) be_refused(int told, int go)
{
	int listener = load_filter(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	int answer = listener >= 0 ? listener : -errno;
	char byte;

	write(told, &answer, sizeof(answer));
	read(go, &byte, 1);
	_exit(listener >= 0 && syscall(REFUSED_CALL) == -1 && errno == REFUSED_WITH ? 0 : 1);
}

static int give_answer(int listener, struct error *err)
{
	struct pollfd ready = {.fd = listener, .events = POLLIN};
	struct seccomp_notif notification = {0};
	struct seccomp_notif_resp response = {.error = -REFUSED_WITH};

	if (poll(&ready, 1, PATIENCE) != 1 || ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notification) < 0)
		return error_set(err, ERROR_HOST, errno, "no refused call came to the listener");
	response.id = notification.id;
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) < 0)
		return error_set(err, ERROR_HOST, errno, "a refused call cannot be answered");
	return 0;
}

/* The whole way of a refused call, as in a launch (locks.c): load, take the listener, be told, answer. */
static int try_naming(pid_t pid, int told, int go, struct error *err)
{
	cleanup_fd int pidfd = pidfd_open(pid, 0);
	cleanup_fd int listener = -1;
	int number, status;

	if (read(told, &number, sizeof(number)) != sizeof(number))
		return error_set(err, ERROR_HOST, 0, "loading a filter with a listener ended the process");
	if (number < 0)
		return error_set(err, ERROR_HOST, -number, "cannot load a seccomp filter with a listener");
	listener = pidfd < 0 ? -1 : pidfd_getfd(pidfd, number, 0);
	if (listener < 0)
		return error_set(err, ERROR_HOST, errno, "cannot take the listener of a seccomp filter");
	write(go, "", 1);
	if (give_answer(listener, err) < 0)
		return -1;
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		return error_set(err, ERROR_HOST, 0, "a refused call did not get its answer");
	return 0;
}

void trial_naming(const struct trial_place *place, struct trial *trial)
{
	struct error err = {0};
	int told[2], go[2];
	pid_t pid;

	(void)place;
	trial_set(trial, TRIAL_MISSING, "seccomp notifications");
	if (listener_check(&err) < 0) {
		trial_fail(trial, TRIAL_MISSING, &err);
		return;
	}
	if (pipe2(told, O_CLOEXEC) < 0 || pipe2(go, O_CLOEXEC) < 0) {
		trial_set(trial, TRIAL_MISSING, "cannot make a pipe: %s", strerror(errno));
		return;
	}
	pid = trial_fork();
	if (pid == 0)
		be_refused(told[1], go[0]);
	close(told[1]);
	if (try_naming(pid, told[0], go[1], &err) < 0) {
		trial_fail(trial, TRIAL_MISSING, &err);
		kill(pid, SIGKILL);
	} else {
		trial_set(trial, TRIAL_OK, "a refused call was named and answered");
	}
}

/* How many profiles are loaded; -1 with errno if it can't be told. */
static int count_profiles(void)
{
	struct error err;
	cleanup_free char *mountpoint = NULL;
	cleanup_free char *path = NULL;
	cleanup_free char *list = NULL;
	int n = 0;

	if (aa_find_mountpoint(&mountpoint) < 0)
		return -1;
	path = xasprintf("%s/profiles", mountpoint);
	if (file_read(path, LIST_MAX, ERROR_HOST, &list, NULL, &err) < 0) {
		errno = err.errnum;
		return -1;
	}
	for (const char *p = list; (p = strchr(p, '\n')); p++)
		n++;
	return n;
}

static void describe_profiles(const struct trial_place *place, struct trial *trial)
{
	cleanup_free char *label = NULL;
	char *mode;
	int n = count_profiles();

	if (aa_getcon(&label, &mode) >= 0 && strcmp(label, "unconfined") != 0) {
		trial_set(
			trial, TRIAL_LIMITED, "enabled; minirun itself is confined by profile \"%s\"", label);
		if (place->caller.contained)
			trial_mend(trial, "start the container with --security-opt apparmor=unconfined");
		else
			trial_mend(
				trial, "start minirun unconfined, or let that profile change to the pods'");
	} else if (n >= 0) {
		trial_set(trial, TRIAL_OK, "enabled, %d profile%s loaded", n, n == 1 ? "" : "s");
	} else if (errno == EACCES || errno == EPERM) {
		trial_set(trial, TRIAL_OK, "enabled; which profiles are loaded only root may see");
	} else {
		trial_set(trial, TRIAL_LIMITED, "enabled; which profiles are loaded can't be seen: %s",
			strerror(errno));
		trial_mend_by(trial, place, HAND_SYSTEM,
			"mount -t securityfs securityfs /sys/kernel/security%s",
			place->caller.contained ? ", or start the container with that folder of the machine's"
						: "");
	}
}

void trial_apparmor(const struct trial_place *place, struct trial *trial)
{
	if (apparmor_available()) {
		describe_profiles(place, trial);
		return;
	}
	if (errno == ECANCELED) {
		trial_set(trial, TRIAL_MISSING, "in this kernel, but switched off");
		trial_mend_by(trial, place, HAND_MACHINE,
			"boot with apparmor=1 security=apparmor on the kernel's command line");
	} else {
		trial_set(trial, TRIAL_MISSING, "not in this kernel");
		trial_mend_by(trial, place, HAND_MACHINE,
			"boot a kernel that has it, such as Debian's or Ubuntu's own");
	}
}

/* The audit speaks to root of the first user and network namespaces alone. */
static void mend_audit(const struct trial_place *place, struct trial *trial)
{
	if (place->is_root && !place->caller.inside && !place->caller.contained)
		trial_mend(
			trial, "run minirun outside of this network namespace, with the kernel's audit on");
	else if (place->is_root && !place->caller.inside)
		trial_mend(trial, "run minirun outside of the container");
	else
		trial_mend(trial, "%s", caller_as_root(&place->caller));
}

void trial_audit(const struct trial_place *place, struct trial *trial)
{
	struct audit_source source;
	struct error err = {0};

	if (!apparmor_available()) {
		trial_untried(trial, "AppArmor", "AppArmor");
		return;
	}
	if (audit_open(&source, &err) < 0) {
		trial_fail(trial, TRIAL_MISSING, &err);
		mend_audit(place, trial);
		return;
	}
	if (source.is_kmsg) {
		trial_set(trial, TRIAL_LIMITED, "from /dev/kmsg, which leaves some out");
		mend_audit(place, trial);
	} else {
		trial_set(trial, TRIAL_OK, "from the kernel's audit");
	}
	audit_close(&source);
}
