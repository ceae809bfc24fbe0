/* Work on the store that may be ended at any moment: in a process of its own. */
#ifndef RUNNER_WORKER_H
#define RUNNER_WORKER_H

#include "images/images.h"

/*
 * Calls work in a child and returns what it returned, with err if that is negative. If SIGINT, SIGTERM or SIGHUP ends it,
 * what it left in the store is cleared up, and then this process dies of the same signal, as whoever called us expects. The child
 * dies with us.
 */
int worker_run(
	const struct store *store, int (*work)(void *data, struct error *err), void *data, struct error *err);

#endif
