/* Within the wing: what the parts of one load share. */
#ifndef IMAGES_LOAD_H
#define IMAGES_LOAD_H

#include <time.h>

#include "images/images.h"
#include "images/store.h"
#include "images/unpack.h"

struct load {
	const struct store *store;
	const struct load_limits *limits;
	const struct load_watcher *watcher;
	struct load_progress progress;
	struct timespec reported;
	struct workspace workspace;
	struct unpack unpack;
	struct losses losses;
	uint64_t read_before, plain_before; /* of the layers before this one */
};

/* Tells the watcher how far it is, at most ten times a second. */
void load_report(struct load *load);

/* Copies the folder into load->unpack and gives the digest of its tree. source_fd stays the caller's. */
int folder_unpack(struct load *load, int source_fd, char *digest, struct error *err);

struct source;
/*
 * Unpacks the archive that the source is into load->unpack. The source's digest is complete afterwards. For an image's
 * layer diff_id becomes the digest of its plain bytes; it is NULL otherwise.
 */
int archive_unpack(struct load *load, struct source *source, char *diff_id, struct error *err);

#endif
