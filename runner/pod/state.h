/*
 * What a running pod has on disk, and clearing it up.
 *
 * Two folders: ROOT/NAME (status.h says what is there) and STORE/pods/NAME-UID (uppers, volumes, /etc files, logs). The
 * supervisor keeps both locked (flock(2) on the folder itself) as long as it lives: a folder whose lock can be had
 * belongs to nobody, and is cleared by the next start. A folder is made and locked, and dead ones are looked for, only under the
 * lock of the folder above, so that nobody clears what is just being made. ROOT/NAME/data is a link to the other folder.
 */
#ifndef RUNNER_STATE_H
#define RUNNER_STATE_H

#include <stdbool.h>

#include "base/error.h"
#include "namespaces/cgroup.h"

struct state {
	int root, run; /* ROOT and ROOT/NAME */
	int pods, data; /* STORE/pods and STORE/pods/NAME-UID */
	char *name, *data_name, *pods_path;
	const struct cgroup *cgroup; /* the pod's, or NULL; the supervisor sets it */
};

/*
 * Opens ROOT and STORE/pods, making them when missing. A pod of that name that lives is an error in the API server's words
 * (`pods "demo" already exists`).
 */
int state_open(struct state *state, const char *root, const char *store, const char *name, const char *uid,
	struct error *err);

/* Clears what dead supervisors left, then makes and locks both folders of the pod. */
int state_claim(struct state *state, struct error *err);

/* Clears what dead supervisors left. The sandbox does it when its own has died: from state_open on it is all it needs. */
void state_sweep(const struct state *state);

/* Writes down in the pod's folder that a cgroup will be at path, for whoever has to clear up; for struct cgroup_request. */
void state_record_cgroup(int place, const char *path, void *data);

/* Removes the cgroup and what the pod ran in, but not its status and logs. */
void state_clear(const struct state *state);

/* Removes both folders and the cgroup. Carries on after an error, and reports the first. */
int state_remove(const struct state *state, struct error *err);

/* Closes the descriptors and frees the names. */
void state_close(struct state *state);

/*
 * Removes what a dead supervisor left of a pod: both folders. 0 also if there is nothing; 1 if its supervisor lives.
 */
int state_remove_dead(const char *root, const char *name, struct error *err);

/* Whether there is a folder ROOT/NAME, of a pod that lives or of one that is dead. */
bool state_exists(const char *root, const char *name);

/* Opens ROOT, which must be ours; *fd is -1 where there is none. */
int state_open_root(const char *root, int *fd, struct error *err);

/* Whether ROOT/NAME is the folder of a supervisor that lives. */
bool state_is_alive(int root, const char *name);

/* Opens ROOT/NAME of a running pod for its control socket; `pods "x" not found` if there is none that lives. */
int state_open_running(const char *root, const char *name, struct error *err);

#endif
