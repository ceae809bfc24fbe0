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
 *
 * A container's is a folder, and in it another one: its processes are in `NAME/inside`, which is the root of its cgroup
 * namespace, and limits, rules and counts are those of `NAME`, which can't be seen or reached from there. For in a user namespace a
 * container may mount the hierarchy, and what it owns it may write: its limits, too, unless cgroup2 was mounted with nsdelegate.
 * Inside the limits stand again, to be read.
 *
 * Holding still: while a process of ours is on its way into a pid namespace in which a container has CAP_SYS_PTRACE, that one is
 * frozen (version 2 alone: there a frozen process can still be killed, so that nothing of it outlives us). It is held by a folder
 * between the two, `NAME/held/inside`: from inside it could write cgroup.freeze, or hand that file to a neighbour. Who enters is
 * born in `NAME/enter` beside that, which isn't held, and moves in when its program runs.
 */
#ifndef NAMESPACES_CGROUP_H
#define NAMESPACES_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/caller.h"
#include "base/error.h"
#include "base/memory.h"

enum cgroup_controller {
	CGROUP_CPU,
	CGROUP_MEMORY,
	CGROUP_PIDS,
	CGROUP_CONTROLLERS,
	CGROUP_UNIFIED = CGROUP_CONTROLLERS, /* as a place: version 2; the others are those of version 1 */
	CGROUP_DEVICES, /* as a place: where there is no version 2 */
	CGROUP_PLACES,
};

struct cgroup {
	int fd[CGROUP_PLACES]; /* the folder in each hierarchy, or -1: that which has the limits */
	int inside[CGROUP_PLACES]; /* of a container: the folder in it in which its processes are; else -1 */
	char *path[CGROUP_PLACES]; /* of fd */
	char *held; /* the folder of version 2 by which it is held still, or NULL */
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
	pid_t companion; /* a process that may be moved with us and our children, or 0 */
	unsigned int optional; /* those that are taken where version 2 has them at no cost */
	/*
	 * Called before a folder is made, so that somebody knows of it whatever happens; may be NULL. The place of the leaf into
	 * which we move is CGROUP_PLACES: it may have others in it, and is cleared by cgroup_clear_leaf alone.
	 */
	void (*before)(int place, const char *path, void *data);
	void *data;
};

/*
 * Makes the pod's cgroup, with those controllers that can be had. A wanted one that can't is no error here but in cgroup_limit:
 * then *why says what stood in the way.
 */
void cgroup_make_pod(const struct cgroup_request *request, struct cgroup *cgroup, struct error *why);

/*
 * Writes the limits. One whose controller isn't there is an error by its name: why, from cgroup_make_pod, says more. Follows
 * MilliCPUToShares and MilliCPUToQuota of pkg/kubelet/cm and, from shares to cpu.weight, runc.
 */
int cgroup_limit(const struct cgroup *cgroup, const struct cgroup_limits *limits, const struct error *why,
	struct error *err);

/* ---- cgroup_container.c ---- */

/*
 * Makes one in the pod's, for a container. Without any cgroup of the pod, it is cgroup_none. held: it is to be held still; an error
 * where that can't be.
 */
int cgroup_make_container(
	const struct cgroup *pod, const char *name, bool held, struct cgroup *cgroup, struct error *err);

/* Removes a container's, with all that is left in it. */
void cgroup_remove_container(struct cgroup *cgroup);

/* The folder of a place in which its processes are, or -1; not to be closed. */
int cgroup_home(const struct cgroup *cgroup, int place);

/* In a new process, which was cloned into that of version 2: enters those of version 1. */
int cgroup_enter(const struct cgroup *cgroup, struct error *err);

/* ---- cgroup_devices.c ---- */

struct device_refusals;

struct device {
	bool is_block;
	unsigned int major, minor;
};

/*
 * Forbids a container all devices but those that every container has and the given ones; any may be made (mknod). By BPF in version
 * 2, by the devices controller in version 1. Without either, and in a user namespace, where the kernel itself lets no other device be
 * opened, it does nothing and returns 1: then it is the mounts alone that forbid (devices.c). Follows the OCI runtime specification's default devices and
 * AllowedDevices of runc; BPF_PROG_TYPE_CGROUP_DEVICE: cgroup-v2.rst, "Device controller".
 *
 * refusals: open, if what is refused is to be noted (device_refusals.h); its member unnoted says whether it is. Or NULL.
 */
int cgroup_allow_devices(const struct cgroup *cgroup, const struct device *more, size_t n_more,
	struct device_refusals *refusals, struct error *err);

/* Whether what it forbids can be noted here, as far as can be told without making a cgroup; else err says why not. */
int cgroup_can_note_devices(struct error *err);

/* ---- cgroup_scope.c ---- */

/*
 * Has systemd move these processes of ours, the caller among them, into a cgroup that is ours: a scope NAME.scope, which goes when they
 * have ended. Takes some seconds at most. An error (there is no systemd of the user's, or it declines) changes nothing;
 * without a message where version 2 has no controllers.
 */
int cgroup_enter_scope(const char *name, const pid_t *pids, size_t n, struct error *why);

/* Whether there may be a systemd of the user's to ask; whether version 2 has controllers: of version 1 it has none to give to a user. */
bool cgroup_has_bus(void);
bool cgroup_has_controllers(void);

/* ---- cgroup_advice.c ---- */

/* Where controllers of version 2 could not be had: what gives them to this caller; to be freed. */
char *cgroup_advice(const struct caller *caller);

/* ---- cgroup_hold.c ---- */

/* Whether containers can be held still here, as far as can be told without making anything. */
bool cgroup_can_hold(void);

/* Freezes a container's processes and waits until they are, for some seconds at most; cgroup_release lets them go on in any case. */
int cgroup_hold(const struct cgroup *cgroup, struct error *err);
void cgroup_release(const struct cgroup *cgroup);

/* The cgroup for a process that enters a container which is held: as the container's, but version 2 is a folder beside. */
int cgroup_make_entry(const struct cgroup *container, struct cgroup *entry, struct error *err);

/* Moves what is in it into the container's, and removes it. What won't move is killed. One that is cgroup_none is left alone. */
void cgroup_end_entry(struct cgroup *entry, const struct cgroup *container);

/* ---- cgroup.c ---- */

/* How many of its processes the out-of-memory killer has killed; 0 where that can't be known. */
uint64_t cgroup_oom_kills(const struct cgroup *cgroup);

/* ---- cgroup_usage.c ---- */

struct usage {
	bool has_cpu, has_memory;
	uint64_t cpu; /* us of processor time since it began */
	uint64_t memory; /* bytes */
	uint64_t processes; /* and threads, where a cgroup counts them */
};

/*
 * What a container uses: of its cgroup, as far as that counts it; else of the process main and its descendants, from /proc.
 * Memory is the working set, as metrics-server has it: without the pages of files that could go at once (cAdvisor's setMemoryStats); of
 * processes it is their anonymous memory.
 */
void cgroup_usage(const struct cgroup *cgroup, pid_t main, struct usage *usage);

/* Kills all processes in it, whatever their locks: false if there is no cgroup that can. */
bool cgroup_kill(const struct cgroup *cgroup);

/* Closes; removes nothing. */
void cgroup_close(struct cgroup *cgroup);
/* Last of all, when we have no children: if cgroup_make_pod moved us, back. So does a child that was moved with us and is left over. */
void cgroup_move_back(void);
/* Removes such a leaf, if nobody is in it, and takes the controllers from the cgroup around, so that processes can be in that again. */
void cgroup_clear_leaf(const char *leaf);

/*
 * Kills every process in the cgroup at path (in version 1 they must be gone already) and removes it with its children. A missing
 * one is no error.
 */
int cgroup_remove(const char *path, struct error *err);

/* ---- cgroup_place.c: where cgroups can be made; for cgroup.c ---- */

/* Our own cgroup's folder in the hierarchy of version 1 that has the controller, or "" for version 2; NULL if there is none. To be freed. */
char *cgroup_own(const char *controller);
/* Writes a file of a cgroup. Returns 0 or an errno. (cgroup.c) */
int cgroup_write(int cgroupfd, const char *name, const char *text);
/* Gives a cgroup's children the controllers of wanted that it has itself. Returns 0 or an errno. (cgroup.c) */
int cgroup_enable(int cgroupfd, unsigned int wanted);
/* The same at one stroke, of controllers that it is known to have. (cgroup.c) */
int cgroup_give(int cgroupfd, unsigned int controllers);
/* The text of one, to be freed; NULL if it can't be read. (cgroup.c) */
char *cgroup_read(int cgroupfd, const char *name);
/* The number behind key in a file of lines "key number"; 0 if there is none. (cgroup_limits.c) */
uint64_t cgroup_read_count(int cgroupfd, const char *file, const char *key);
/* Where version 2 is mounted, or NULL; to be freed. */
char *cgroup_mount_point(void);
const char *cgroup_controller_name(enum cgroup_controller controller);
/* The same of a place of version 1. */
const char *cgroup_place_name(int place);

#endif
