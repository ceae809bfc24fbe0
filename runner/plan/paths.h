/* Where things are kept: the store of images and the folder of running pods. */
#ifndef RUNNER_PATHS_H
#define RUNNER_PATHS_H

#include "runner/command.h"

/*
 * The store: --store, $MINIRUN_STORE, else /var/lib/minirun for root and $XDG_DATA_HOME/minirun
 * (~/.local/share/minirun) for a user. Absolute; to be freed.
 */
char *path_of_store(const struct invocation *invocation, struct error *err);

/*
 * The folder of running pods: --root, $MINIRUN_ROOT, else /run/minirun for root and $XDG_RUNTIME_DIR/minirun for a
 * user, or /tmp/minirun-UID where that isn't set. Absolute; to be freed.
 */
char *path_of_root(const struct invocation *invocation, struct error *err);

#endif
