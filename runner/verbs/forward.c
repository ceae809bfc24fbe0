/*
 * "[LOCAL:]REMOTE" and --address, and listening there.
 *
 * After parsePorts and parseAddresses of client-go's tools/portforward, and kubectl's convertPodNamedPortToNumber.
 */
#include "runner/verbs/forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/verbs/catalog.h"

#define PORT_MAX 65535

static const char *remote_of(const char *text)
{
	const char *colon = strchr(text, ':');

	return colon ? colon + 1 : text;
}

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

bool forward_is_named(const char *text)
{
	const char *remote = remote_of(text);

	return *remote && !is_number(remote);
}

static int find_in(struct json_object *containers, const char *name, unsigned int *port, struct error *err)
{
	size_t n = containers ? json_object_array_length(containers) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *ports = json_at(json_object_array_get_idx(containers, i), "ports");
		size_t n_ports = ports ? json_object_array_length(ports) : 0;

		for (size_t j = 0; j < n_ports; j++) {
			struct json_object *entry = json_object_array_get_idx(ports, j);
			const char *protocol = text_at(entry, "protocol");

			if (strcmp(text_at(entry, "name"), name) != 0)
				continue;
			if (*protocol && strcmp(protocol, "TCP") != 0)
				return error_set(err, ERROR_USAGE, 0, "%s protocol is not supported for %s",
					protocol, name);
			*port = (unsigned int)json_object_get_int(json_at(entry, "containerPort"));
			return 1;
		}
	}
	return 0;
}

static int find_named(struct json_object *pod, const char *name, unsigned int *port, struct error *err)
{
	int found = find_in(json_at(pod, "spec.containers"), name, port, err);

	if (!found)
		found = find_in(json_at(pod, "spec.initContainers"), name, port, err);
	if (found)
		return found < 0 ? -1 : 0;
	return error_set(err, ERROR_USAGE, 0, "Pod '%s' does not have a named port '%s'",
		text_at(pod, "metadata.name"), name);
}

static int read_number(const char *text, const char *side, unsigned int *port, struct error *err)
{
	int64_t value;

	if (!text_to_integer(text, 0, PORT_MAX, &value))
		return error_set(err, ERROR_USAGE, 0,
			"error parsing %s port '%s': it is no number from 0 to %d", side, text, PORT_MAX);
	*port = (unsigned int)value;
	return 0;
}

int forward_parse(const char *text, struct json_object *pod, struct forward *forward, struct error *err)
{
	const char *colon = strchr(text, ':'), *remote = remote_of(text);
	cleanup_free char *local = xstrndup(text, colon ? (size_t)(colon - text) : 0);

	if (!*remote || strchr(remote, ':')) {
		error_set(err, ERROR_USAGE, 0, "invalid port format '%s'", text);
		return error_hint(err, "[LOCAL:]REMOTE: 8080:80, 80, or :80 for a local port that is free");
	}
	*forward = (struct forward){0};
	if (*local && read_number(local, "local", &forward->local, err) < 0)
		return -1;
	if (is_number(remote) ? read_number(remote, "remote", &forward->remote, err) < 0
			      : find_named(pod, remote, &forward->remote, err) < 0)
		return -1;
	if (!forward->remote)
		return error_set(err, ERROR_USAGE, 0, "remote port must be > 0");
	if (!colon)
		forward->local = forward->remote;
	return 0;
}

static bool parse_address(const char *text, struct forward_address *address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&address->socket;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address->socket;

	*address = (struct forward_address){0};
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		address->size = sizeof(*v4);
		snprintf(address->text, sizeof(address->text), "%s", text);
		return true;
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		return false;
	v6->sin6_family = AF_INET6;
	address->size = sizeof(*v6);
	snprintf(address->text, sizeof(address->text), "[%s]", text);
	return true;
}

/* One that is there already isn't listened on twice. */
static size_t add_address(struct forward_address *addresses, size_t used, const struct forward_address *new)
{
	for (size_t i = 0; i < used; i++)
		if (!strcmp(addresses[i].text, new->text))
			return used;
	addresses[used] = *new;
	return used + 1;
}

int forward_addresses(const char *text, struct forward_address *addresses, size_t n, struct error *err)
{
	static const char *const localhost[] = {"127.0.0.1", "::1"};
	cleanup_free char *copy = xstrdup(text);
	char *rest = copy;
	size_t used = 0;

	for (char *word = strsep(&rest, ","); word; word = strsep(&rest, ",")) {
		bool local = !strcmp(word, "localhost");

		if (used + array_length(localhost) > n)
			return error_set(err, ERROR_USAGE, E2BIG, "--address %s", text);
		for (size_t i = 0; i < (local ? array_length(localhost) : 1); i++) {
			struct forward_address address;

			if (!parse_address(local ? localhost[i] : word, &address)) {
				error_set(err, ERROR_USAGE, 0, "--address: %s is not a valid IP", word);
				return error_hint(
					err, "an IPv4 or IPv6 address of this machine, or localhost");
			}
			address.either = local;
			used = add_address(addresses, used, &address);
		}
	}
	return (int)used;
}

int forward_listen(const struct forward_address *address, unsigned int *port)
{
	struct sockaddr_storage socket_address = address->socket;
	cleanup_fd int fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t size = address->size;
	const int on = 1;
	/* The same place in both families' addresses (RFC 3493). */
	in_port_t *number = &((struct sockaddr_in *)&socket_address)->sin_port;

	if (fd < 0)
		return -1;
	*number = htons((uint16_t)*port);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->socket.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&socket_address, size) < 0 || listen(fd, SOMAXCONN) < 0 ||
		getsockname(fd, (struct sockaddr *)&socket_address, &size) < 0)
		return -1;
	*port = ntohs(*number);
	return steal_fd(&fd);
}
