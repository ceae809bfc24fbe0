/* The naming filter, and the listener that its refusals come to. Theory of operation: denial.h. */
#include "security/denial.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"

#define DEATH_WAIT 10 /* ms that SIGSYS has to end a process before SIGKILL does; it takes 0.1 */

static bool is_refusal(uint32_t action)
{
	switch (action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
	case SECCOMP_RET_ERRNO:
	case SECCOMP_RET_TRACE:
		return true;
	default:
		return false;
	}
}

bool naming_filter(const struct seccomp_filter *plain, struct seccomp_filter *naming)
{
	bool refuses = false;

	*naming = (struct seccomp_filter){0};
	for (size_t i = 0; i < plain->length; i++) {
		if (BPF_CLASS(plain->insns[i].code) != BPF_RET)
			continue;
		/* An action that is computed can't be exchanged. libseccomp writes no such program. */
		if (BPF_RVAL(plain->insns[i].code) != BPF_K)
			return false;
		refuses |= is_refusal(plain->insns[i].k);
	}
	if (!refuses)
		return false;
	naming->length = plain->length;
	naming->flags = plain->flags;
	naming->insns = xcalloc(plain->length, sizeof(*naming->insns));
	memcpy(naming->insns, plain->insns, plain->length * sizeof(*naming->insns));
	for (size_t i = 0; i < naming->length; i++)
		if (BPF_CLASS(naming->insns[i].code) == BPF_RET && is_refusal(naming->insns[i].k))
			naming->insns[i].k = SECCOMP_RET_USER_NOTIF;
	return true;
}

bool filter_traps(const struct seccomp_filter *plain)
{
	for (size_t i = 0; i < plain->length; i++)
		if (BPF_CLASS(plain->insns[i].code) == BPF_RET &&
			(plain->insns[i].k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_TRAP)
			return true;
	return false;
}

static bool read_status(pid_t pid, char *buffer, size_t size)
{
	char path[64];
	cleanup_fd int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, buffer, size - 1);
	if (n <= 0)
		return false;
	buffer[n] = '\0';
	return true;
}

static uint64_t status_hex(const char *status, const char *name)
{
	const char *value = text_field(status, name);

	return value ? strtoull(value, NULL, 16) : UINT64_MAX;
}

int listener_check(struct error *err)
{
	struct seccomp_notif_sizes sizes;
	char status[4096];
	cleanup_fd int self = pidfd_open(getpid(), 0);
	cleanup_fd int copy = self < 0 ? -1 : pidfd_getfd(self, self, 0);

	if (copy < 0)
		return error_set(err, ERROR_HOST, errno, "pidfd_getfd is not possible here");
	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
		return error_set(err, ERROR_HOST, errno, "seccomp notifications are not possible here");
	if (sizes.seccomp_notif > sizeof(struct seccomp_notif) ||
		sizes.seccomp_notif_resp > sizeof(struct seccomp_notif_resp))
		return error_set(
			err, ERROR_HOST, 0, "this kernel's seccomp notifications are of a newer kind");
	if (!read_status(getpid(), status, sizeof(status)) ||
		!(status_hex(status, "CapEff") >> CAP_SYS_PTRACE & 1))
		return error_set(err, ERROR_HOST, 0, "minirun lacks CAP_SYS_PTRACE");
	return 0;
}

/* Since 6.6 the kernel can be told that one side waits while the other works, as if it were a call. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS      SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

void listener_tune(int fd)
{
	ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
}

int listener_take(int fd, struct refused *refused)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	struct seccomp_notif notification = {0};

	/* Without something to take, the ioctl would wait. At POLLHUP nobody is under the filter any more. */
	if (poll(&ready, 1, 0) < 0)
		return 0;
	if (!(ready.revents & POLLIN))
		return ready.revents ? -1 : 0;
	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &notification) < 0)
		return errno == ENOENT || errno == EINTR ? 0 : -1;
	refused->id = notification.id;
	refused->pid = (pid_t)notification.pid;
	refused->call = notification.data;
	return 1;
}

int listener_receive(int fd, const struct seccomp_filter *plain, struct refused *refused)
{
	uint64_t args[6];
	int result = listener_take(fd, refused);

	if (result <= 0)
		return result;
	memcpy(args, refused->call.args, sizeof(args));
	refused->action = seccomp_simulate(
		plain, refused->call.arch, refused->call.nr, args, refused->call.instruction_pointer);
	return 1;
}

void listener_let_go(int fd, const struct refused *refused)
{
	struct seccomp_notif_resp response = {
		.id = refused->id,
		.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE,
	};

	ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

bool listener_is_waiting(int fd, const struct refused *refused)
{
	uint64_t id = refused->id;

	return ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

static void give_errno(int fd, const struct refused *refused, int errnum)
{
	struct seccomp_notif_resp response = {.id = refused->id, .error = -errnum};

	/* ENOENT: it was killed meanwhile, and needs no answer. */
	ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

/*
 * Whether SIGSYS, sent from here, is as good as the kernel's own: forced, it would withstand handlers and masks. Of
 * several threads another one might take it, and the one that called would run on meanwhile.
 */
static bool dies_of_sigsys(const char *status)
{
	static const char *const masks[] = {"SigBlk", "SigIgn", "SigCgt"};
	const char *tracer = text_field(status, "TracerPid"), *threads = text_field(status, "Threads");
	const char *pids = text_field(status, "NSpid"), *end;

	for (size_t i = 0; i < array_length(masks); i++)
		if (status_hex(status, masks[i]) >> (SIGSYS - 1) & 1)
			return false;
	if (!tracer || strtol(tracer, NULL, 10) != 0 || !threads || strtol(threads, NULL, 10) != 1)
		return false;
	/* Of "NSpid: 4711 1" the last is its number in its own pid namespace, where 1 doesn't die of a default action. */
	if (!pids)
		return false;
	end = pids + strcspn(pids, "\n");
	return !(end - pids >= 2 && end[-1] == '1' && (end[-2] == '\t' || end[-2] == ' '));
}

static enum carried_out kill_process(int fd, const struct refused *refused, pid_t *process)
{
	struct pollfd death = {.fd = -1, .events = POLLIN};
	cleanup_fd int pidfd = -1;
	char status[4096];
	const char *group;

	if (!read_status(refused->pid, status, sizeof(status)))
		status[0] = '\0';
	group = text_field(status, "Tgid");
	*process = group ? (pid_t)strtol(group, NULL, 10) : refused->pid;
	pidfd = pidfd_open(*process, 0);
	/* Only now: the pidfd is of the process that waits, or of none that we may kill. */
	if (!listener_is_waiting(fd, refused))
		return CARRIED_OUT;
	if (pidfd < 0) {
		/* No descriptors left: it stays where it is, which is nowhere; the end of the pod ends it. */
		return CARRIED_OUT;
	}
	if (!status[0] || !dies_of_sigsys(status)) {
		pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
		return CARRIED_OUT_SIGKILL;
	}
	pidfd_send_signal(pidfd, SIGSYS, NULL, 0);
	/* Where the wait is killable only, SIGSYS is taken on the way out of the call, before any instruction of the program. */
	give_errno(fd, refused, EPERM);
	death.fd = pidfd;
	if (poll(&death, 1, DEATH_WAIT) == 1)
		return CARRIED_OUT_KILL;
	pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	return CARRIED_OUT_KILL;
}

enum carried_out listener_answer(int fd, const struct refused *refused, pid_t *process)
{
	*process = 0;
	switch (refused->action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ERRNO:
		give_errno(fd, refused, (int)(refused->action & SECCOMP_RET_DATA));
		return CARRIED_OUT;
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
		return kill_process(fd, refused, process);
	default:
		/* TRACE without a tracer. Whatever else it were: nothing that was stopped is let through. */
		give_errno(fd, refused, ENOSYS);
		return CARRIED_OUT;
	}
}
