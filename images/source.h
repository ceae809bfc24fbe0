/*
 * Within the wing: the bytes of an archive, counted and hashed while they pass.
 *
 * The digest is that of the whole file, so whoever has read enough must still read to the end (source_drain).
 */
#ifndef IMAGES_SOURCE_H
#define IMAGES_SOURCE_H

#include <stdbool.h>

#include "images/digest.h"
#include "images/load.h"

struct source {
	struct load *load;
	int fd;
	int spool; /* our own file, where what came through a pipe was kept */
	bool is_hashed; /* already: these bytes pass for the second time */
	SHA2_CTX digest;
	char hex[DIGEST_LENGTH + 1]; /* when the end has been reached */
	unsigned char *buffer;
	size_t held; /* bytes read ahead by source_is_zip */
	bool at_end;
	struct error err; /* what source_next failed with */
};

/* fd stays the caller's. */
void source_init(struct source *source, struct load *load, int fd);
void source_free(struct source *source);

/* The next bytes, valid until the next call: their number, 0 at the end, -1 with source->err filled. */
ssize_t source_next(struct source *source, const void **data);

/* Looks at the first bytes: a zip is read from its end, so it must be a file. -1 with source->err filled. */
int source_is_zip(struct source *source);

/* Reads to the end. */
int source_drain(struct source *source, struct error *err);

/* Hashes a regular file and goes back to its start; it is not hashed again. */
int source_hash_first(struct source *source, struct error *err);

/* Copies what comes to a file in the workspace and goes on from that, hashed. */
int source_spool(struct source *source, struct error *err);

#endif
