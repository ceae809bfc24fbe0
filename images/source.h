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

enum source_kind {
	SOURCE_OTHER,
	SOURCE_ZIP, /* read from its end, so it must be a file */
	SOURCE_GZIP,
};

struct source {
	int fd;
	bool is_range; /* of a file: the bytes from offset up to end */
	uint64_t offset, end;
	int spool; /* our own file, where what came through a pipe was kept */
	uint64_t read; /* bytes so far */
	uint64_t size; /* of all of it; known when it is being read for the second time */
	bool is_hashed; /* already: these bytes pass for the second time */
	struct digest digest;
	char hex[DIGEST_LENGTH + 1]; /* when the end has been reached */
	unsigned char *buffer;
	size_t held; /* bytes read ahead by source_kind */
	bool at_end;
};

/* fd stays the caller's. */
void source_init(struct source *source, int fd);
/* A part of a file, for which the file's own position is of no matter. */
void source_init_range(struct source *source, int fd, uint64_t offset, uint64_t size);
void source_free(struct source *source);

/*
 * The next bytes, valid until the next call: their number, 0 at the end, -1. Waiting for them is the one place where
 * a thread that reads can be cancelled (plain.h).
 */
ssize_t source_next(struct source *source, const void **data, struct error *err);

/* Tells by the first bytes; to be called before anything else has been read. A negative number is an error. */
int source_kind(struct source *source, struct error *err);

/* Reads to the end. */
int source_drain(struct source *source, struct error *err);

/* Hashes a regular file and goes back to its start; it is not hashed again. */
int source_hash_first(struct source *source, struct load *load, struct error *err);

/* Copies what comes to a file in the workspace and goes on from that, hashed. */
int source_spool(struct source *source, struct load *load, struct error *err);

#endif
