/* Who a container's process is: the ids of the plan, completed by what its image says of the user. */
#ifndef RUNNER_IDENTITY_H
#define RUNNER_IDENTITY_H

#include "runner/plan/container.h"

/*
 * In the container, whose root rootfd is: fills credentials with container's own, its names translated, the primary group and
 * the supplementary ones of the user added, as containerd does (oci.WithUser, WithAdditionalGIDs), and *home, to be freed.
 * ERROR_IMAGE for a name that the image's files don't have, ERROR_HOST for one whose id isn't there.
 */
int identity_complete(const struct container *container, int rootfd, struct credentials *credentials,
	char **home, struct error *err);

#endif
