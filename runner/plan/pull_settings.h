/* What the command line says of fetching and unpacking images, for `minirun run` and `minirun image`. */
#ifndef RUNNER_PULL_SETTINGS_H
#define RUNNER_PULL_SETTINGS_H

#include "images/images.h"
#include "runner/command.h"

struct pull_settings {
	struct pull_options options; /* points to the others */
	struct load_limits limits;
	char *authfile, *cert_dir; /* absolute, or NULL */
};

/*
 * Fills settings, which mustn't move from then on; its options have no watcher yet. A value that isn't one is an error of usage, after
 * which there is nothing to free.
 */
int pull_settings_read(
	const struct invocation *invocation, struct pull_settings *settings, struct error *err);
void pull_settings_free(struct pull_settings *settings);

#endif
