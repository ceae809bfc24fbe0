/* The side of `minirun cp` that is in the container. */
#ifndef RUNNER_COPYING_H
#define RUNNER_COPYING_H

#include <json-c/json.h>

#include "runner/plan/container.h"

/*
 * Starts a process that enters the running container as exec does, as its user, with its capabilities, under its AppArmor profile,
 * and there sends (options: {"from": PATH}) to fds[1] or receives ({"to": PATH, "base": NAME?, "preserve": BOOL}) from fds[0] a parcel
 * (parcel.h). A relative path is one in the working folder. What goes wrong in it is a record in fds[1]; what came in well is
 * answered by PARCEL_END. Its seccomp filter doesn't apply: what runs is minirun's own code, and no program.
 */
int copying_start(const struct container *container, struct json_object *options, const int fds[2],
	int *pidfd, struct error *err);

#endif
