/* Who started minirun, and within what (base/caller.h). */
#ifndef RUNNER_STARTER_H
#define RUNNER_STARTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/caller.h"

/* Finds out, of this process, whether or not it has become root in a user namespace of its own since (privilege.h). */
void starter_find(struct caller *caller);

/* Whether minirun is in a container; text then gets how that shows. */
bool starter_container(char *text, size_t size);

#endif
