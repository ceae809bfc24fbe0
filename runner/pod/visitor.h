/* A process of our own in the pod's network, with no rights: what probes and port-forward speak to the pod through. */
#ifndef RUNNER_VISITOR_H
#define RUNNER_VISITOR_H

#include "namespaces/namespaces.h"

/*
 * For a fork of the supervisor: goes into the pod's network, keeps 0, 1, 2 and the descriptor keep, and gives up every capability
 * and the way back to them, for who it speaks to isn't trusted. It dies with the supervisor. Returns 0, or -1 with errno.
 */
int visitor_enter(const struct sandbox *sandbox, int keep);

#endif
