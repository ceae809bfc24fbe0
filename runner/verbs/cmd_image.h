/* What the parts of `minirun image` share. */
#ifndef RUNNER_CMD_IMAGE_H
#define RUNNER_CMD_IMAGE_H

#include "images/images.h"
#include "runner/command.h"

/* The store that the command line means. */
int image_open_store(const struct invocation *invocation, struct store *store, struct error *err);

/* Of several operands: one that fails doesn't keep the next from being done. Each error is told; main() tells the last. */
struct image_failures {
	int n;
	struct error *last;
};
void image_add_failure(struct image_failures *failures, const struct error *err);

/* cmd_image_load.c; operands are those behind the word. */
int image_cmd_load(const struct invocation *invocation, char **operands, int n, struct error *err);
int image_cmd_pull(const struct invocation *invocation, char **operands, int n, struct error *err);

#endif
