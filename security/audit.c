/* Where the kernel's audit records about AppArmor are read. Theory of operation: audit.h. */
#include "security/audit.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

#define RECEIVE_BUFFER (1 << 20) /* bytes that may wait in the kernel: some 2000 records */
#define SETTLE_TRIES   100 /* a millisecond each */
#define KMSG_SETTLE    10 /* of them, where the kernel can't be asked */
#define SKIPPED        256 /* what else has come is looked at in portions: others may write faster than we read */
#define KMSG_PREFIX    "audit: type=1400 "
#define KMSG_LOST      " callbacks suppressed"

/* Whether we see the machine's own network: the kernel sends its records nowhere else. Unknown counts as yes. */
static bool in_initial_network(void)
{
	struct stat ours, of_init;

	return stat("/proc/self/ns/net", &ours) < 0 || stat("/proc/1/ns/net", &of_init) < 0 ||
	       (ours.st_dev == of_init.st_dev && ours.st_ino == of_init.st_ino);
}

/* Lets through records of type AUDIT_AVC, by the type in the netlink header: 4 bytes in, in the machine's byte order. */
static int attach_filter(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(AUDIT_AVC), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = {array_length(code), code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

/* Asks how the audit stands. Returns 0, or a negative errno. */
static int ask_status(int fd, struct audit_status *status)
{
	const struct nlmsghdr request = {
		.nlmsg_len = sizeof(request), .nlmsg_type = AUDIT_GET, .nlmsg_flags = NLM_F_REQUEST};
	struct {
		struct nlmsghdr header;
		char data[512];
	} answer;
	struct nlmsgerr refusal;
	ssize_t n;

	*status = (struct audit_status){0};
	/* The kernel answers in the course of the send: there is no waiting. */
	if (send(fd, &request, sizeof(request), MSG_DONTWAIT) < 0)
		return -errno;
	while ((n = recv(fd, &answer, sizeof(answer), MSG_DONTWAIT)) >= (ssize_t)sizeof(answer.header)) {
		size_t size = (size_t)n - sizeof(answer.header);

		if (answer.header.nlmsg_type == AUDIT_GET) {
			memcpy(status, answer.data, size < sizeof(*status) ? size : sizeof(*status));
			return 0;
		}
		if (answer.header.nlmsg_type == NLMSG_ERROR && size >= sizeof(refusal)) {
			memcpy(&refusal, answer.data, sizeof(refusal));
			return refusal.error ? refusal.error : -EPROTO;
		}
	}
	return n < 0 ? -errno : -EPROTO;
}

static int open_netlink(struct audit_source *source)
{
	const struct sockaddr_nl address = {
		.nl_family = AF_NETLINK, .nl_groups = 1U << (AUDIT_NLGRP_READLOG - 1)};
	const int size = RECEIVE_BUFFER;
	cleanup_fd int control = -1;
	cleanup_fd int fd = -1;
	struct audit_status status;
	int result;

	if (!in_initial_network())
		return -ENONET;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT);
	control = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
	if (fd < 0 || control < 0 || attach_filter(fd) < 0)
		return -errno;
	/* The last two are refused without CAP_AUDIT_CONTROL, and can be done without; the audit that is off is no source. */
	result = ask_status(control, &status);
	if (result == -ECONNREFUSED)
		return result;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (result == 0) {
		source->control = steal_fd(&control);
		source->lost_before = status.lost;
		source->is_rated = status.rate_limit != 0;
	}
	source->fd = steal_fd(&fd);
	return 0;
}

static int open_kmsg(struct audit_source *source)
{
	cleanup_fd int fd = -1;

	/* With auditd the records go to it and are not printed. */
	if (access("/run/auditd.pid", F_OK) == 0)
		return -EBUSY;
	fd = open("/dev/kmsg", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || lseek(fd, 0, SEEK_END) < 0)
		return -errno;
	source->is_kmsg = true;
	source->fd = steal_fd(&fd);
	return 0;
}

int audit_open(struct audit_source *source, struct error *err)
{
	int by_netlink, by_kmsg;

	*source = (struct audit_source){.fd = -1, .control = -1};
	by_netlink = open_netlink(source);
	if (by_netlink == 0)
		return 0;
	by_kmsg = open_kmsg(source);
	if (by_kmsg == 0)
		return 0;
	error_set(err, ERROR_HOST, 0,
		"the kernel's audit records can be read neither by netlink (%s) nor in /dev/kmsg (%s)",
		by_netlink == -ENONET         ? "minirun is in a network namespace"
		: by_netlink == -ECONNREFUSED ? "the audit is off, or minirun is in a user namespace"
					      : strerror(-by_netlink),
		by_kmsg == -EBUSY ? "auditd takes them" : strerror(-by_kmsg));
	return error_hint(err, "run minirun as root%s",
		by_kmsg == -EPERM ? ", or let users read the kernel's log: sysctl kernel.dmesg_restrict=0"
				  : "");
}

void audit_close(struct audit_source *source)
{
	if (source->fd >= 0)
		close(source->fd);
	if (source->control >= 0)
		close(source->control);
	source->fd = source->control = -1;
}

static int next_of_netlink(struct audit_source *source, const char **text, size_t *size)
{
	for (int i = 0; i < SKIPPED; i++) {
		struct sockaddr_nl from = {0};
		socklen_t length = sizeof(from);
		struct nlmsghdr header;
		ssize_t n = recvfrom(source->fd, source->buffer, sizeof(source->buffer) - 1, MSG_DONTWAIT,
			(struct sockaddr *)&from, &length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS) { /* more came than the buffer holds; how many isn't said */
			source->lost++;
			continue;
		}
		if (n < 0)
			return errno == EAGAIN ? 0 : -1;
		if ((size_t)n < sizeof(header) || from.nl_pid != 0)
			continue;
		memcpy(&header, source->buffer, sizeof(header));
		if (header.nlmsg_type != AUDIT_AVC)
			continue;
		source->buffer[n] = '\0';
		*text = source->buffer + NLMSG_HDRLEN;
		*size = strlen(*text);
		return 1;
	}
	return 0;
}

static void unescape(char *text)
{
	char *out = text;

	for (const char *in = text; *in; in++) {
		if (in[0] == '\\' && in[1] == 'x' && isxdigit((unsigned char)in[2]) &&
			isxdigit((unsigned char)in[3])) {
			const char hex[3] = {in[2], in[3]};

			*out++ = (char)strtoul(hex, NULL, 16);
			in += 3;
		} else {
			*out++ = *in;
		}
	}
	*out = '\0';
}

/* "PRIORITY,SEQUENCE,MICROSECONDS,FLAGS[,...];TEXT\n KEY=VALUE\n". See Documentation/ABI/testing/dev-kmsg. */
char *audit_of_kmsg(char *line, size_t size, uint64_t *lost)
{
	char *text = memchr(line, ';', size);
	char *end = text ? memchr(text, '\n', size - (size_t)(text - line)) : NULL;
	const char *suppressed;

	/* The facility, above the three bits of the priority, is 0 for the kernel alone. */
	if (!end || !isdigit((unsigned char)*line) || strtoul(line, NULL, 10) >> 3 != 0)
		return NULL;
	*end = '\0';
	text++;
	if (text_starts_with(text, KMSG_PREFIX)) {
		text += strlen(KMSG_PREFIX);
		unescape(text);
		return text;
	}
	suppressed = strstr(text, KMSG_LOST);
	if (suppressed && text_starts_with(text, "kauditd_printk_skb: "))
		*lost += strtoul(text + strlen("kauditd_printk_skb: "), NULL, 10);
	return NULL;
}

static int next_of_kmsg(struct audit_source *source, const char **text, size_t *size)
{
	for (int i = 0; i < SKIPPED; i++) {
		ssize_t n = read(source->fd, source->buffer, sizeof(source->buffer) - 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EPIPE) { /* overwritten before we came; how many isn't said */
			source->lost++;
			continue;
		}
		if (n <= 0)
			return n < 0 && errno == EAGAIN ? 0 : -1;
		source->buffer[n] = '\0';
		*text = audit_of_kmsg(source->buffer, (size_t)n, &source->lost);
		if (!*text)
			continue;
		*size = strlen(*text);
		return 1;
	}
	return 0;
}

int audit_next(struct audit_source *source, const char **text, size_t *size)
{
	if (source->fd < 0)
		return -1;
	return source->is_kmsg ? next_of_kmsg(source, text, size) : next_of_netlink(source, text, size);
}

void audit_settle(struct audit_source *source)
{
	const struct timespec millisecond = {.tv_nsec = 1000000};
	struct audit_status status;

	for (int i = 0; i < SETTLE_TRIES && source->fd >= 0; i++) {
		bool can_ask = source->control >= 0 && ask_status(source->control, &status) == 0;
		bool is_over = can_ask ? status.backlog == 0 : i == KMSG_SETTLE;

		if (can_ask && status.lost - source->lost_before != 0) {
			source->lost += status.lost - source->lost_before;
			source->lost_before = status.lost;
		}
		/* Also when the queue is empty: the last of it is on its way from there to us. */
		nanosleep(&millisecond, NULL);
		if (is_over)
			return;
	}
}
