/*
 * The devices that a container is refused by its cgroup: taken from what the program there notes (namespaces/device_refusals.h), told
 * with the container's other refusals (denials.h).
 *
 * Only what may mount without nodev gets as far as its cgroup: a container with CAP_SYS_ADMIN in the first user namespace. Anything
 * else is refused by its mounts (EACCES), of which the kernel tells nobody; so for that nothing is made.
 */
#ifndef RUNNER_DEVICE_WATCH_H
#define RUNNER_DEVICE_WATCH_H

#include "base/error.h"
#include "namespaces/device_refusals.h"
#include "runner/pod/loop.h"

struct member;

struct device_watch {
	struct device_refusals refusals; /* once made, it is there for all runs of the container */
	struct watch watch;
};

extern const struct device_watch device_watch_none;

/* Before the container's devices are restricted: sees to it that what is refused can be noted. What stands against it is told once a pod. */
void device_watch_open(struct member *member);

/* Afterwards: whether it is. */
void device_watch_check(struct member *member);

/* Takes all that was noted until now. To be called at the end of a run, before its process is reaped. */
void device_watch_settle(struct member *member);

void device_watch_close(struct member *member);

#endif
