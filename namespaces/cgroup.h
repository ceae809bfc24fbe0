/*
 * Cgroups: where all processes of a pod, and of each of its containers, are counted, held to their limits, and killed.
 *
 * Theory of operation
 *
 * A pod has a cgroup, and in it each container has one. There are two kinds, after cgroups(7):
 *   version 2, one hierarchy: a process is born in its cgroup (CLONE_INTO_CGROUP). It is used wherever it is mounted and
 *   writable, even without limits, as it can kill (cgroup.kill). Which controllers a cgroup's children have is written in its
 *   cgroup.subtree_control, and only a cgroup that has no process itself, or the root, may have any there. So a pod with
 *   limits goes below the root of the hierarchy where we may write there (as runc and crun do without systemd), else below our own
 *   cgroup if we are alone in it, having moved ourselves into a leaf of it: that is what systemd delegates.
 *   version 1, a hierarchy for each controller: the child enters its cgroups itself, first of all. They are used for limits
 *   where the controller isn't in version 2, below our own cgroup of that hierarchy.
 */
#ifndef NAMESPACES_CGROUP_H
#define NAMESPACES_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/memory.h"

enum cgroup_controller {
	CGROUP_CPU,
	CGROUP_MEMORY,
	CGROUP_PIDS,
	CGROUP_CONTROLLERS,
	CGROUP_UNIFIED = CGROUP_CONTROLLERS, /* as a place: version 2; the others are those of version 1 */
	CGROUP_PLACES,
};

struct cgroup {
	int fd[CGROUP_PLACES]; /* the folder in each hierarchy, or -1 */
	char *path[CGROUP_PLACES];
	bool controlled[CGROUP_CONTROLLERS]; /* in either version */
};

extern const struct cgroup cgroup_none;

/* What a cgroup's processes are held to. 0 is no limit. */
struct cgroup_limits {
	uint64_t memory; /* bytes; with it no swap is used, as under the kubelet */
	bool oom_group; /* at the limit all its processes are killed, not one (version 2 alone can) */
	uint64_t cpu_quota; /* us of processor time in each 100 ms */
	uint64_t cpu_shares; /* the weight against others, as in version 1: 2 to 262144 */
	uint64_t pids; /* processes and threads */
};

struct cgroup_request {
	const char *name;
	unsigned int wanted; /* controllers, bits 1 << enum cgroup_controller */
	unsigned int optional; /* those that are taken where version 2 has them at no cost */
	/* Called before a folder is made, so that somebody knows of it whatever happens; may be NULL. */
	void (*before)(int place, const char *path, void *data);
	void *data;
};

/*
 * Makes the pod's cgroup, with those controllers that can be had. A wanted one that can't is no error here but in cgroup_limit:
 * then *why says what stood in the way.
 */
void cgroup_make_pod(const struct cgroup_request *request, struct cgroup *cgroup, struct error *why);

/* Makes one in it, for a container. Without any cgroup of the pod, it is cgroup_none. */
int cgroup_make_container(
	const struct cgroup *pod, const char *name, struct cgroup *cgroup, struct error *err);

/*
 * Writes the limits. One whose controller isn't there is an error by its name: why, from cgroup_make_pod, says more. Follows
 * MilliCPUToShares and MilliCPUToQuota of pkg/kubelet/cm and, from shares to cpu.weight, KEP-2254.
 */
int cgroup_limit(const struct cgroup *cgroup, const struct cgroup_limits *limits, const struct error *why,
	struct error *err);

/* In a new process, which was cloned into that of version 2: enters those of version 1. */
int cgroup_enter(const struct cgroup *cgroup, struct error *err);

/* How many of its processes the out-of-memory killer has killed; 0 where that can't be known. */
uint64_t cgroup_oom_kills(const struct cgroup *cgroup);

/* Kills all processes in it, whatever their locks: false if there is no cgroup that can. */
bool cgroup_kill(const struct cgroup *cgroup);

/* Closes; removes nothing. */
void cgroup_close(struct cgroup *cgroup);
/* Last of all, when we have no children: if cgroup_make_pod moved us, back. */
void cgroup_move_back(void);

/*
 * Kills every process in the cgroup at path (in version 1 they must be gone already) and removes it with its children. A missing
 * one is no error.
 */
int cgroup_remove(const char *path, struct error *err);

/* ---- cgroup_place.c: where cgroups can be made; for cgroup.c ---- */

/* Our own cgroup's folder in the hierarchy of version 1 that has the controller, or "" for version 2; NULL if there is none. To be freed. */
char *cgroup_own(const char *controller);
/* Where version 2 is mounted, or NULL; to be freed. */
char *cgroup_mount_point(void);
const char *cgroup_controller_name(enum cgroup_controller controller);

#endif
