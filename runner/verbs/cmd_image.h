/* What the parts of `minirun image` share. */
#ifndef RUNNER_CMD_IMAGE_H
#define RUNNER_CMD_IMAGE_H

#include "images/images.h"
#include "runner/command.h"

static inline void cleanup_store_fn(struct store *store)
{
	if (store->path)
		store_close(store);
}
#define cleanup_store __attribute__((cleanup(cleanup_store_fn)))

static inline void cleanup_image_fn(struct image *image)
{
	image_free(image);
}
#define cleanup_image __attribute__((cleanup(cleanup_image_fn)))

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

/* For `minirun run` as well: fills options, limits and what to_free points to by the command line. */
struct pull_settings {
	struct pull_options options;
	struct load_limits limits;
	char *authfile, *cert_dir;
};
int pull_settings_read(
	const struct invocation *invocation, struct pull_settings *settings, struct error *err);
void pull_settings_free(struct pull_settings *settings);

#endif
