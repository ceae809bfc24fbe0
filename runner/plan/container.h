/* What launch.c takes: a container, made of what each wing wants to know. It knows nothing of pods or manifests. */
#ifndef RUNNER_CONTAINER_H
#define RUNNER_CONTAINER_H

#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/types.h>

#include "namespaces/namespaces.h"
#include "security/security.h"

struct container {
	const char *name;
	char **argv,
		**env; /* NULL-terminated; env has PATH; HOME is added from the image's passwd if it isn't there */
	const char *cwd; /* absolute, in the container; made if missing */
	struct isolation isolation;
	struct credentials credentials;
	const char *user,
		*group; /* names that the image's passwd and group translate, in place of uid and gid; or NULL */
	bool gid_from_image; /* the gid is the one that the image's passwd gives the uid, if it does */
	bool set_groups; /* setgroups(2) is allowed here */
	struct locks locks;
	bool terminal; /* its 0, 1 and 2 are a terminal of its own, of the size window */
	struct winsize window;
	int join_pidfd; /* exec: enter the container of this process instead of making one; else -1 */
};

#endif
