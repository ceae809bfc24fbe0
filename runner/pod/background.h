/*
 * A pod in the background: the process that was started says what is wrong, and returns when its child, the supervisor, has
 * taken over. The supervisor has no terminal, no folder, and no descriptor of whoever started it.
 */
#ifndef RUNNER_BACKGROUND_H
#define RUNNER_BACKGROUND_H

#include "base/error.h"

struct background {
	int report; /* in the child: where it says that it has taken over, or what is wrong; -1 afterwards */
};

/*
 * Forks. In the parent returns 1 when the child has called background_ready, or a negative number with the error that it
 * gave to background_failed. In the child returns 0.
 */
int background_start(struct background *background, struct error *err);

/* In the child: it has taken over. Afterwards it is on its own. data is the struct background. */
void background_ready(void *data);

/* In the child: it could not. Nothing happens if it has taken over already. */
void background_failed(struct background *background, const struct error *err);

#endif
