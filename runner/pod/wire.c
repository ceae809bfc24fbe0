/* What `minirun exec` and the supervisor say to each other. */
#include "runner/pod/wire.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"

#define MAX_FDS 8

/* A sun_path has 108 bytes, a folder's path may have more: so the address goes through the descriptor. */
static struct sockaddr_un address_of(int dirfd, const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dirfd, name);
	return address;
}

int wire_listen(int dirfd, const char *name, struct error *err)
{
	struct sockaddr_un address = address_of(dirfd, name);
	cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make the control socket");
	unlinkat(dirfd, name, 0);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot listen on the control socket");
	return steal_fd(&fd);
}

int wire_connect(int dirfd, const char *name, struct error *err)
{
	struct sockaddr_un address = address_of(dirfd, name);
	cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot reach the pod's supervisor");
	return steal_fd(&fd);
}

int wire_send(int fd, struct json_object *message, const int *fds, size_t n, struct error *err)
{
	size_t size;
	char *text =
		(char *)(uintptr_t)json_object_to_json_string_length(message, JSON_C_TO_STRING_PLAIN, &size);
	struct iovec io = {text, size};
	union {
		char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct msghdr header = {.msg_iov = &io, .msg_iovlen = 1};
	ssize_t sent = -1;

	if (n) {
		struct cmsghdr *rights = &control.align;

		header.msg_control = control.bytes;
		header.msg_controllen = CMSG_SPACE(n * sizeof(int));
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(rights), fds, n * sizeof(int));
	}
	if (size > WIRE_LIMIT)
		errno = E2BIG;
	else
		sent = sendmsg(fd, &header, MSG_NOSIGNAL);
	if (sent < 0)
		error_set(err, ERROR_HOST, errno, "cannot send to the other side");
	json_object_put(message);
	return sent < 0 ? -1 : 0;
}

static void take_fds(struct msghdr *header, int *fds, size_t n)
{
	size_t taken = 0;

	for (size_t i = 0; i < n; i++)
		fds[i] = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int got;

			memcpy(&got, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (taken < n)
				fds[taken++] = got;
			else
				close(got);
		}
	}
}

struct json_object *wire_receive(int fd, int *fds, size_t n, struct error *err)
{
	cleanup_free char *text = xcalloc(WIRE_LIMIT + 1, 1);
	struct iovec io = {text, WIRE_LIMIT};
	union {
		char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr header = {.msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control)};
	struct json_object *message;
	ssize_t got = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);

	err->class = ERROR_NONE;
	if (got < 0) {
		error_set(err, ERROR_HOST, errno, "cannot receive from the other side");
		return NULL;
	}
	take_fds(&header, fds, n);
	if (got == 0)
		return NULL;
	message = (header.msg_flags & MSG_TRUNC) ? NULL : json_tokener_parse(text);
	if (message && json_object_is_type(message, json_type_object))
		return message;
	json_object_put(message);
	error_set(err, ERROR_INTERNAL, 0, "the other side sent what isn't a message");
	return NULL;
}

struct json_object *wire_error(const struct error *error)
{
	struct json_object *answer = json_object_new_object();
	struct json_object *fields = json_object_new_object();

	json_object_object_add(fields, "class", json_object_new_int((int)error->class));
	json_object_object_add(fields, "errno", json_object_new_int(error->errnum));
	json_object_object_add(fields, "message", json_object_new_string(error->message));
	json_object_object_add(fields, "hint", json_object_new_string(error->hint));
	json_object_object_add(answer, "error", fields);
	return answer;
}

int wire_to_error(struct json_object *answer, struct error *err)
{
	struct json_object *fields = json_object_object_get(answer, "error");

	error_set(err, (enum error_class)json_object_get_int(json_object_object_get(fields, "class")), 0,
		"%s", json_object_get_string(json_object_object_get(fields, "message")));
	err->errnum = json_object_get_int(json_object_object_get(fields, "errno"));
	return error_hint(err, "%s", json_object_get_string(json_object_object_get(fields, "hint")));
}
