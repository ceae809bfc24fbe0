/* The process in the pod's network that makes connections for `minirun port-forward`. See connector.h. */
#include "runner/pod/connector.h"

#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdint.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "runner/pod/visitor.h"
#include "runner/pod/wire.h"

/* A socket on its way to the pod's localhost; -1 and errno. It doesn't wait: a server that takes nothing holds nobody else up. */
static int connect_to(uint16_t port, int family)
{
	const struct sockaddr_in v4 = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	bool six = family == 6;
	const struct sockaddr *address = six ? (const struct sockaddr *)&v6 : (const struct sockaddr *)&v4;
	cleanup_fd int fd =
		socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);

	if (fd < 0)
		return -1;
	if (connect(fd, address, six ? sizeof(v6) : sizeof(v4)) < 0 && errno != EINPROGRESS)
		return -1;
	return steal_fd(&fd);
}

static int integer_of(struct json_object *message, const char *key)
{
	return json_object_get_int(json_object_object_get(message, key));
}

static void __attribute__((noreturn)) serve(int channel)
{
	struct error err = {0};
	struct json_object *request;

	while ((request = wire_receive(channel, NULL, 0, &err))) {
		int port = integer_of(request, "port");
		cleanup_fd int fd = -1;
		struct json_object *answer = json_object_new_object();

		errno = EINVAL;
		if (port > 0 && port <= UINT16_MAX)
			fd = connect_to((uint16_t)port, integer_of(request, "family"));
		if (fd < 0)
			json_object_object_add(answer, "errno", json_object_new_int(errno));
		json_object_put(request);
		if (wire_send(channel, answer, &fd, fd < 0 ? 0 : 1, &err) < 0)
			break;
	}
	_exit(0);
}

int connector_start(const struct sandbox *sandbox, int *channel, int *pidfd, struct error *err)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make a socket");
	pid = fork();
	if (pid == 0) {
		if (visitor_enter(sandbox, ends[1]) < 0)
			_exit(1);
		serve(ends[1]);
	}
	close(ends[1]);
	*channel = ends[0];
	*pidfd = pid < 0 ? -1 : pidfd_open(pid, 0);
	if (*pidfd >= 0)
		return 0;
	error_set(err, ERROR_HOST, errno, "cannot start the process that connects");
	close(steal_fd(channel));
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return -1;
}

int connector_ask(int channel, unsigned int port, int family, int *errnum, struct error *err)
{
	struct json_object *message = json_object_new_object();
	int fd = -1;

	json_object_object_add(message, "port", json_object_new_int((int)port));
	json_object_object_add(message, "family", json_object_new_int(family));
	*errnum = 0;
	if (wire_send(channel, message, NULL, 0, err) < 0)
		return -1;
	message = wire_receive(channel, &fd, 1, err);
	if (!message)
		return error_set(err, ERROR_HOST, 0, "the process in the pod's network has ended");
	*errnum = integer_of(message, "errno");
	json_object_put(message);
	if (fd < 0 && !*errnum)
		*errnum = EPROTO;
	return fd < 0 ? error_set(err, ERROR_HOST, *errnum, "port %u", port) : fd;
}
