/*
 * The supervisor's side of `minirun port-forward`: a process in the pod's network that makes connections to the pod's localhost and
 * hands them on.
 *
 * It is asked on a SOCK_SEQPACKET socket, by messages as those of wire.h:
 * request  {"port": N, "family": 4 or 6}
 * answer   {} with one descriptor, a TCP socket that doesn't block and whose connect(2) is on its way, or {"errno": N}
 */
#ifndef RUNNER_CONNECTOR_H
#define RUNNER_CONNECTOR_H

#include <netinet/in.h>

#include "namespaces/namespaces.h"

/*
 * Starts the process, a child of ours. *channel is the end on which it is asked, for whoever shall ask; when the last copy of it
 * is closed the process ends. *pidfd is readable then.
 */
int connector_start(const struct sandbox *sandbox, int *channel, int *pidfd, struct error *err);

/* Asks for a connection to that port of the pod's localhost. Returns the socket, or -1 with errno in *errnum and in err. */
int connector_ask(int channel, unsigned int port, int family, int *errnum, struct error *err);

#endif
