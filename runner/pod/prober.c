/*
 * The process that makes the requests of probes and hooks.
 *
 * It is a fork of the supervisor, which goes into the pod's network and gives up all that it could do but speak there, for the
 * server that it speaks to isn't trusted. If it takes too long it is killed.
 */
#include "runner/pod/prober.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/pod/visitor.h"

#define LOCALHOST "127.0.0.1"
#define HEAD_MAX  10240 /* bytes of the answer that are looked at, as the kubelet's maxRespBodyLength */

char *prober_address(const struct handler *handler)
{
	const char *host = handler->host ? handler->host : LOCALHOST;

	if (handler->kind == HANDLER_HTTP)
		return xasprintf("http://%s:%u%s%s", host, handler->port, handler->path[0] == '/' ? "" : "/",
			handler->path);
	return xasprintf("%s:%u", host, handler->port);
}

static void __attribute__((noreturn)) tell(int out, bool good, char *text)
{
	cleanup_free char *all = xasprintf("%c%s", good ? '+' : '-', text);

	fd_write_all(out, all, strlen(all));
	_exit(0);
}

/* Connects to what the host is called, in the order of its addresses. Returns a socket, or -1 and the reason. */
static int connect_to(const struct handler *handler, char **reason)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	const char *host = handler->host ? handler->host : LOCALHOST;
	struct addrinfo *list = NULL;
	char port[16];
	int result;

	snprintf(port, sizeof(port), "%u", handler->port);
	result = getaddrinfo(host, port, &hints, &list);
	if (result != 0) {
		*reason = xasprintf("dial tcp: lookup %s: %s", host, gai_strerror(result));
		return -1;
	}
	for (const struct addrinfo *a = list; a; a = a->ai_next) {
		int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		cleanup_free char *text = NULL;

		if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) == 0)
			return fd;
		text = text_errno(errno);
		if (fd >= 0)
			close(fd);
		free(*reason);
		*reason = xasprintf("dial tcp %s:%u: connect: %s", host, handler->port, text);
	}
	return -1;
}

static bool has_header(const struct handler *handler, const char *name)
{
	for (size_t i = 0; i < handler->headers.n; i++)
		if (!strcasecmp(handler->headers.items[i].key, name))
			return true;
	return false;
}

static char *make_request(const struct handler *handler)
{
	char *request = xasprintf("GET %s%s HTTP/1.1\r\n", handler->path[0] == '/' ? "" : "/", handler->path);
	static const char *const ours[][2] = {
		{"User-Agent", "kube-probe/1.36"}, {"Accept", "*/*"}, {"Connection", "close"}};
	char *longer;

	if (!has_header(handler, "Host")) {
		longer = xasprintf("%sHost: %s:%u\r\n", request, handler->host ? handler->host : LOCALHOST,
			handler->port);
		free(request);
		request = longer;
	}
	for (size_t i = 0; i < array_length(ours); i++) {
		if (has_header(handler, ours[i][0]))
			continue;
		longer = xasprintf("%s%s: %s\r\n", request, ours[i][0], ours[i][1]);
		free(request);
		request = longer;
	}
	for (size_t i = 0; i < handler->headers.n; i++) {
		longer = xasprintf("%s%s: %s\r\n", request, handler->headers.items[i].key,
			handler->headers.items[i].value);
		free(request);
		request = longer;
	}
	longer = xasprintf("%s\r\n", request);
	free(request);
	return longer;
}

/* The status code of an answer; 0 if it is none of HTTP, -1 with errno if there was none. */
static int read_status(int fd)
{
	char head[HEAD_MAX + 1] = "";
	size_t used = 0;
	ssize_t n = 0;
	const char *space;

	while (used < HEAD_MAX && !memchr(head, '\n', used) &&
		(n = read(fd, head + used, HEAD_MAX - used)) > 0)
		used += (size_t)n;
	head[used] = '\0';
	if (n < 0 || !used)
		return -1;
	/* "HTTP/1.1 200 OK" */
	space = strchr(head, ' ');
	if (strncmp(head, "HTTP/1.", 7) != 0 || !space)
		return 0;
	return (int)strtol(space, NULL, 10);
}

static void __attribute__((noreturn)) get(const struct handler *handler, int fd, int out)
{
	cleanup_free char *request = make_request(handler);
	cleanup_free char *address = prober_address(handler);
	int status;

	if (fd_write_all(fd, request, strlen(request)) < 0)
		tell(out, false, xasprintf("Get \"%s\": write: %s", address, text_errno(errno)));
	status = read_status(fd);
	if (status < 0)
		tell(out, false, xasprintf("Get \"%s\": EOF", address));
	if (status == 0)
		tell(out, false,
			xasprintf("Get \"%s\": net/http: HTTP/1.x transport connection broken: malformed "
				  "HTTP response",
				address));
	if (status < 200 || status >= 400)
		tell(out, false, xasprintf("HTTP probe failed with statuscode: %d", status));
	tell(out, true, xasprintf("%d", status));
}

void prober_run(const struct handler *handler, const struct sandbox *sandbox, int out)
{
	char *reason = NULL;
	int fd;

	if (visitor_enter(sandbox, out) < 0)
		tell(out, false, xasprintf("cannot enter the pod's network: %s", strerror(errno)));
	fd = connect_to(handler, &reason);
	if (fd < 0 && handler->kind == HANDLER_HTTP) {
		char *address = prober_address(handler);

		tell(out, false, xasprintf("Get \"%s\": %s", address, reason ? reason : "no address"));
	}
	if (fd < 0)
		tell(out, false, reason ? reason : xstrdup("no address"));
	if (handler->kind == HANDLER_HTTP)
		get(handler, fd, out);
	tell(out, true, xstrdup(""));
}
