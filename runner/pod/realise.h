/* From plan to things: the pod's volumes and files, a container's rootfs and mounts. All of it below the pod's folder. */
#ifndef RUNNER_REALISE_H
#define RUNNER_REALISE_H

#include "runner/plan/plan.h"
#include "runner/pod/state.h"

struct resources {
	const struct pod_users *users; /* the pod's own, if it has any */
	int *volumes; /* a descriptor each, in the order of the manifest */
	size_t n_volumes;
	int shm; /* /dev/shm of a pod of several containers; -1: each has its own */
	int data; /* the state's: hosts, hostname and resolv.conf, the containers' termination messages and own layers */
	int mount_points; /* the lowest layer of every rootfs: see realise.c */
};

/* Gives the supervisor mounts of its own if the pod's volumes need it. Before the sandbox is started. */
int realise_private_mounts(const struct plan *plan, struct error *err);

/* Makes volumes and /etc files, and gives them to the pod's users, if it has any of its own. */
int realise_pod(const struct plan *plan, const struct state *state, const struct pod_users *users,
	struct resources *resources, struct error *err);
void resources_close(struct resources *resources);

/* What launching one container takes; made right before it, because its volumes are hostile by now (law R4). */
struct prepared {
	struct container container; /* a copy of the plan's, completed */
	struct mount *mounts;
	size_t n_mounts;
	int rootfs;
	int *layer_locks; /* held until the container has ended, so that its image can't be removed */
	size_t n_layer_locks;
	int data; /* the resources' */
	struct error
		copied; /* why the rootfs is a copy of its image; of class ERROR_NONE: it is a layer above */
};

/* Makes (or finds) a folder below one that nobody else can write to, with that mode, and opens it. */
int realise_folder(int dirfd, const char *name, mode_t mode, struct error *err);

/* rootfs.c: the layer of mount points that lies below every image; made once a store. */
int rootfs_mount_points(const struct store *store, struct error *err);
/* rootfs.c: the folder, in the pod's, of what a run of a container wrote ("upper") or of what overlayfs needs ("work"). To be freed. */
char *rootfs_layer_name(const char *kind, const char *container, unsigned int run);
/* rootfs.c: the container's rootfs; fills that of prepared, and its locks. */
int rootfs_realise(const struct plan *plan, const struct planned *item, unsigned int run,
	const struct resources *resources, struct prepared *prepared, struct error *err);

/* run is 0 for the first run, 1 after the first restart: each has a layer of its own, and the one before goes. */
int realise_container(const struct plan *plan, const struct planned *item, unsigned int run,
	const struct resources *resources, const struct sandbox *sandbox, struct prepared *prepared,
	struct error *err);
/* Closes the mounts once the child has them; the layer locks stay. */
void prepared_close_mounts(struct prepared *prepared);
void prepared_close(struct prepared *prepared);

/* What the container left in its termination message file, at most 4096 bytes; NULL if nothing. To be freed. */
char *termination_message(const struct prepared *prepared, const char *container);

#endif
