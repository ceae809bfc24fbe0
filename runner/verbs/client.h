/* The commands' side of the control socket: reaching the supervisor of a running pod. */
#ifndef RUNNER_CLIENT_H
#define RUNNER_CLIENT_H

#include <json-c/json.h>

#include "runner/command.h"

/*
 * Connects to the supervisor of the pod called name below root; `pods "x" not found` if there is none in the namespace, or none
 * any more. NULL: in any namespace.
 */
int client_connect(const char *root, const char *namespace, const char *name, struct error *err);

/* A request that names the container, if the command line does; to be given to wire_send. */
struct json_object *client_request(const struct invocation *invocation);

#endif
