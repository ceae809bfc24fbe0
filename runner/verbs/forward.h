/* What `minirun port-forward` is asked for: "[LOCAL:]REMOTE" and --address, in kubectl's forms and words. */
#ifndef RUNNER_FORWARD_H
#define RUNNER_FORWARD_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/error.h"

struct forward {
	unsigned int local; /* 0: any that is free */
	unsigned int remote;
};

/* "8080:80", "80" (the same on both sides), ":80" or "0:80" (a free one), and a port's name in place of 80. */
int forward_parse(const char *text, struct json_object *pod, struct forward *forward, struct error *err);

/* Whether a port is given by its name, so that the pod has to be looked at; else it may be NULL. */
bool forward_is_named(const char *text);

/* A local address to listen on. */
struct forward_address {
	struct sockaddr_storage socket; /* port 0 */
	socklen_t size;
	char text[64]; /* "127.0.0.1" or "[::1]" */
	bool either; /* one of several that "localhost" means: one of them must do */
};

/* "localhost,10.0.0.1": fills up to n addresses. Returns how many, or a negative number. */
int forward_addresses(const char *text, struct forward_address *addresses, size_t n, struct error *err);

/*
 * Listens at the address, at *port, or at a free one if that is 0, which it then becomes. Returns a descriptor that doesn't block, or -1
 * with errno.
 */
int forward_listen(const struct forward_address *address, unsigned int *port);

#endif
