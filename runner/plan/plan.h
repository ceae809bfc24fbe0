/*
 * The plan: every image, profile, id and command of a pod resolved, and nothing created yet. What can't work is found
 * here, before anything runs: all of it, as findings with the field's path.
 */
#ifndef RUNNER_PLAN_H
#define RUNNER_PLAN_H

#include "base/finding.h"
#include "images/images.h"
#include "runner/plan/container.h"
#include "runner/manifest/manifest.h"
#include "security/security.h"

struct learning;
struct recording;

/* A compiled seccomp profile; containers that choose the same under the same capabilities share it. */
struct planned_profile {
	char *name; /* as the user knows it: "no-mkdir.json", "RuntimeDefault" */
	char *source; /* the file it was read from; NULL for RuntimeDefault */
	capability_set capabilities;
	struct seccomp_filter filter;
	struct seccomp_filter
		naming; /* loaded in its place where refusals are named; without instructions: none */
	struct seccomp_filter
		base; /* of `minirun learn --base`: what is allowed already; else without instructions */
	unsigned int allowed; /* calls */
	char *text; /* of the file, NUL-terminated, for what is said of it; NULL for RuntimeDefault */
	size_t size;
};

struct planned {
	const struct container_spec *spec;
	bool is_init;
	char *path; /* "spec.containers[0]" */
	struct image image;
	bool image_asked; /* the registry, for it */
	struct error *image_failure; /* why it couldn't be fetched; NULL: it wasn't tried, or went well */
	bool image_later; /* the supervisor sees to it: until then image is empty */
	struct container container;
	char **argv_shown,
		**env_shown; /* the container's argv and env as they may be shown: without Secrets */
	struct locks locks; /* what container.locks is made from */
	const struct planned_profile *profile; /* NULL: unconfined */
	struct recording *recording; /* of `minirun learn`; else NULL */
	enum apparmor_mode
		apparmor_mode; /* of locks.apparmor; not loaded: root loads minirun-default before the start */
	char *learned_under; /* the AppArmor profile to learn under, or NULL */
	struct apparmor_learned *learned; /* what was learned */
	bool apparmor_asked; /* by the manifest; else locks.apparmor is there as under containerd, and may be missing */
	bool read_only_root, privileged;
	bool guarded; /* it has SYS_PTRACE: held still while a process of ours enters its pid namespace (guard.h) */
	char *user, *group; /* what the container's are, from the image */
	int stop_signal; /* the image's, or SIGTERM */
	struct cgroup_limits limits;
	uint64_t storage_limit; /* bytes of ephemeral-storage; 0: none */
	char *locks_text; /* "seccomp no-mkdir.json (51 calls allowed) · no_new_privs off · AppArmor unconfined" */
};

struct plan {
	const struct pod *pod;
	struct store store;
	char uid[37]; /* of the pod, a random UUID */
	struct planned *items; /* init containers first */
	size_t n, n_init;
	struct planned_profile **profiles;
	size_t n_profiles;
	const struct learning *learning; /* of `minirun learn`; else NULL */
	struct cgroup_limits limits; /* of all containers together */
	uint64_t storage_limit; /* likewise, bytes; 0: none */
	unsigned int wanted_controllers, optional_controllers; /* bits, for cgroup_make_pod */
	bool no_denials; /* --no-denials */
	bool single_id; /* the only id there is here is 0 */
	bool own_users; /* the pod gets a user namespace of its own; as an ordinary user it is in one already */
	bool apparmor_missed; /* that minirun-default can't be had has been said */
};

struct plan_request {
	const char *store_path;
	const char
		*manifest_path; /* Localhost profiles are looked for beside it; "-": in the current folder */
	const char *profile_root; /* --seccomp-profile-root, or NULL */
	bool look_only; /* nothing is made on disk: no store, and no cache of compiled filters */
	bool no_denials; /* --no-denials */
	const struct learning *learning; /* of `minirun learn`; else NULL */
	bool no_limits; /* --no-limits */
	int64_t pids_limit; /* --pids-limit; 0: none, -1: as LIMITS_PIDS says */
	bool fetch_later; /* an image that is to be fetched, or can't be had, is left to the supervisor */
	/* Fetches an image into the store, or says why it can't; NULL: nothing is fetched. */
	int (*fetch)(void *data, const struct store *store, const char *image, struct error *err);
	void *data;
};

/*
 * Makes the plan. Errors and warnings about the manifest go to findings; what is said about a seccomp profile's file is
 * printed to warnings, if that isn't NULL. Returns 0, or a negative number: then findings->errors is not zero, or err is filled (the store can't be
 * opened, and the like). plan_free in either case.
 */
int plan_make(struct plan *plan, const struct pod *pod, const struct plan_request *request,
	struct findings *findings, FILE *warnings, struct error *err);
void plan_free(struct plan *plan);

/*
 * Whether which devices the container is refused by its cgroup is to be named. Without CAP_SYS_ADMIN over the machine's mounts it
 * is refused them by its mounts before. (plan_locks.c)
 */
bool plan_names_devices(const struct plan *plan, const struct planned *item);

/* Whether a container's port is published on the host by hostPort; whether any of the pod's is. */
bool plan_publishes(const struct plan *plan, const struct planned *item, const struct container_port *port);
bool plan_has_published(const struct plan *plan);

/* Adds an error about a field of the container, "image" say, to the findings. */
void plan_complain(
	struct findings *findings, const struct planned *item, const char *field, const struct error *err);

/*
 * The same of "seccompProfile" or "appArmorProfile", at the place of the choice that holds: the container's own, or else the
 * pod's, of which it is said once.
 */
void plan_complain_profile(struct findings *findings, const struct planned *item, const char *field,
	const struct profile_choice *own, const struct profile_choice *of_pod, const struct error *err);

/*
 * Finds a Localhost profile: under profile_root, beside the manifest, under the kubelet's folder. Only a file that isn't there
 * makes it look further: one that can't be read is an error (law R3). path and text are to be freed.
 */
int plan_find_profile(const struct plan_request *request, const char *relative, char **path, char **text,
	size_t *size, struct error *err);

/* The folder of a manifest, "." if it came by standard input; to be freed. */
char *plan_folder_of(const char *manifest);

/* A container's own profile, seccomp's or AppArmor's, or the pod's where it has none. */
const struct profile_choice *plan_choice(
	const struct profile_choice *container, const struct profile_choice *pod);

/*
 * plan_ids.c: an error about the field at path if the pod has no such user (or group) id: it names those that there are, and how
 * to get more.
 */
void plan_check_id(const struct plan *plan, struct findings *findings, bool is_group, int64_t id,
	const char *path, unsigned int line, unsigned int column);
/* plan_ids.c: whose users the pod has, and whether fsGroup and supplementalGroups are among the ids; for plan_make. */
void plan_users(struct plan *plan, struct findings *findings);

/* plan_locks.c: what a container may do; for plan_make. */
int plan_locks(struct plan *plan, struct planned *item, const struct plan_request *request,
	struct findings *findings, FILE *warnings);

/* plan_locks.c: (re)makes item->locks_text, and gives the container the locks. */
void plan_locks_settle(const struct plan *plan, struct planned *item);

/*
 * plan_apparmor.c: the file that holds a profile of that name: beside the manifest, in a folder for profiles there, or AppArmor's
 * own. NULL if none does. To be freed.
 */
char *plan_find_apparmor(const struct plan_request *request, const char *name);

/* plan_apparmor.c: chooses the AppArmor profile of a container; for plan_locks. */
void plan_apparmor(struct plan *plan, struct planned *item, const struct plan_request *request,
	struct findings *findings);
/*
 * The last step of a plan without errors: has minirun-default loaded if a container is to have it. Where that fails, one that was
 * asked for is an error, and one that wasn't is done without.
 */
void plan_apparmor_load(struct plan *plan, struct findings *findings);

/* What became of the choice (whose type is the container's or, without one, the pod's), for explain. To be freed. */
char *plan_apparmor_told(const struct planned *item, enum profile_type type);

/* Command, environment and working folder: of the container's spec, and of its image as far as item->image is filled. */
void plan_program(const struct pod *pod, struct planned *item, struct findings *findings);

/* "the Pod "demo" can't be run: 2 errors in FILE"; pod is NULL where the manifest is what is wrong. Returns -1. */
int plan_invalid(const struct findings *findings, const char *pod, struct error *err);

/* Frees what a planned container owns. */
void planned_free(struct planned *item);

/* plan_process.c: the same, and ids; for plan_make. */
int plan_process(const struct plan *plan, struct planned *item, struct findings *findings);
/* The same once more, with the image that item->image is by now. */
int plan_process_again(const struct plan *plan, struct planned *item, struct findings *findings);

/* plan_images.c: finds a container's image, or has it fetched; for plan_make. */
void plan_image(const struct plan *plan, struct planned *item, const struct plan_request *request,
	struct findings *findings);
/* plan_images.c: when the registry is asked for an image, as Kubernetes has it; stored is empty if the store hasn't got it. */
enum pull_policy plan_pull_policy(const struct container_spec *spec, const struct image *stored);
/*
 * plan_images.c: advises about an image that could not be fetched. missing is why the store hasn't got it; its class is ERROR_NONE
 * if it has.
 */
void plan_explain_image(const struct store *store, const struct container_spec *spec,
	const struct error *missing, struct error *err);

#endif
