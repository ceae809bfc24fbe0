/*
 * The pods that a command line means, in kubectl's ways to say it: by name ("demo", "pod demo other", "pod/demo"), by labels
 * (-l run=demo), by the file that one was made from (-f FILE), or all of them (--all).
 */
#ifndef RUNNER_TARGETS_H
#define RUNNER_TARGETS_H

#include <stddef.h>

#include "base/memory.h"
#include "runner/command.h"

struct targets {
	struct strv names;
	char *namespace; /* of all of them; NULL: any */
	bool selected; /* by labels, or all: that there is none is no error by itself */
	bool none; /* nothing was said at all: names is empty */
};

/*
 * Reads operands and options. root is where pods are kept: labels are looked for there, names are taken as they are. Errors are
 * of class ERROR_USAGE (two ways at once, a selector that is none) or ERROR_MANIFEST (a file that can't be read).
 */
int targets_read(
	const struct invocation *invocation, const char *root, struct targets *targets, struct error *err);

void targets_free(struct targets *targets);
static inline void cleanup_targets_fn(struct targets *targets)
{
	targets_free(targets);
}
#define cleanup_targets __attribute__((cleanup(cleanup_targets_fn)))

#endif
