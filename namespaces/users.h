/*
 * The users of a pod whose hostUsers is false: a user namespace of its own, below the host's.
 *
 * Theory of operation
 *
 * The supervisor and the sandbox stay what they are, root of the host. The pod's namespaces belong to the pod's user
 * namespace, and its containers are born in it: what they may do they may do in there. Ids 0 to 65535 of the pod are a range
 * of the host that no other pod has, and nobody else. Files keep the ids that they have for the container: layers and
 * hostPath volumes are shown through idmapped mounts (mount_setattr(2), MOUNT_ATTR_IDMAP). What is made for the pod alone,
 * and goes with it, belongs to the range itself: its layer, emptyDirs, /etc files.
 *
 * The range is held by a lock on a file of the whole machine, byte for id (F_OFD_SETLK of fcntl(2)). The kernel lets go of
 * it when the last process that has the descriptor ends, however it does: the supervisor, or the sandbox that outlives it
 * until all of the pod is gone.
 */
#ifndef NAMESPACES_USERS_H
#define NAMESPACES_USERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define POD_IDS 65536 /* as the kubelet's, user namespaces of whose pods have no other size */

struct pod_users {
	int fd; /* the user namespace; -1: the pod has ours */
	int lock; /* holds the range; to be kept by whoever lives as long as the pod */
	uint32_t first; /* what the host calls the pod's 0 */
};

extern const struct pod_users pod_users_none;

/*
 * Takes a range that nobody has and makes a user namespace of it: of those that /etc/subuid and /etc/subgid grant the user
 * "minirun", if they grant any, else above 0x70000000, where nobody in those files has any. For root of the host only.
 */
int pod_users_make(struct pod_users *users, struct error *err);
void pod_users_close(struct pod_users *users);

/* Gives a file of ours (an open or O_PATH descriptor) to the pod: its owner and group are then what they were, for the pod. */
int pod_users_give(const struct pod_users *users, int fd, struct error *err);

/* Makes what is missing of a folder in one of the pod's volumes, as its root. What stands in the way stays. */
void pod_users_make_folder(const struct pod_users *users, int volumefd, const char *path);

/*
 * Shows a detached mount as the pod's ids see it: what is the host's 0 there is the pod's 0. With what is mounted below if
 * recursive. A file system that can't is an error by its name, with errno EINVAL or EPERM, and nothing is changed.
 */
int pod_users_map(const struct pod_users *users, int mount, bool recursive, struct error *err);

/* Whether pod_users_map will do with (a clone of) what fd is, and with what is mounted below it. */
int pod_users_try(const struct pod_users *users, int fd, struct error *err);

/* Lets the pod's root make cgroups below one of version 2, as a privileged container may; its limits stay ours. */
int pod_users_give_cgroup(const struct pod_users *users, int cgroupfd, struct error *err);

/*
 * A layer for rootfs_overlay, from its descriptor: a mount of it that is mapped. After the overlay is made it is no longer
 * needed, and to be given to pod_users_unmap_layer.
 */
int pod_users_map_layer(const struct pod_users *users, int layer, struct error *err);
void pod_users_unmap_layer(int mount);

/* A user namespace in which ids 0 and up are ours from first on. A descriptor of it; for trials too. */
int userns_make(uint32_t first, uint32_t count, struct error *err);

#endif
