/* Work that may be ended at any moment, or takes long: in a process of its own. */
#ifndef RUNNER_WORKER_H
#define RUNNER_WORKER_H

#include <sys/types.h>

#include "images/images.h"

/*
 * The same for a loop that can't wait. pidfd becomes readable when the worker is done: then worker_finish reaps it and returns what
 * work returned. The child dies with us. worker_stop ends one that runs, and leaves one alone that was never started. What one that was
 * ended left in the store is cleared up; store is NULL where it doesn't work on it.
 */
struct worker {
	pid_t pid; /* 0: none runs */
	int pidfd;
	struct worker_page *page;
};
int worker_start(
	struct worker *worker, int (*work)(void *data, struct error *err), void *data, struct error *err);
int worker_finish(struct worker *worker, const struct store *store, struct error *err);
void worker_stop(struct worker *worker, const struct store *store);

/*
 * Calls work in a child and returns what it returned, with err if that is negative. If SIGINT, SIGTERM or SIGHUP ends it,
 * what it left in the store is cleared up, and then this process dies of the same signal, as whoever called us expects. The child
 * dies with us.
 */
int worker_run(
	const struct store *store, int (*work)(void *data, struct error *err), void *data, struct error *err);

#endif
