/*
 * Within the wing: the plain bytes of an archive, its compression taken off.
 *
 * A thread of its own reads, hashes and decompresses, a few blocks ahead of who unpacks: with two processors the one is
 * as good as free beside the other. The compression is told by content; libarchive knows all but gzip (gunzip.h), and a
 * compressed file within a compressed file too.
 */
#ifndef IMAGES_PLAIN_H
#define IMAGES_PLAIN_H

#include <pthread.h>

#include "images/gunzip.h"
#include "images/libarchive.h"
#include "images/source.h"

#define PLAIN_BLOCKS 4

struct plain {
	const struct libarchive *la;
	struct source *source;
	struct gunzip gunzip;
	bool is_gzip;
	bool is_hashed; /* the plain bytes too; and they may be none */
	uint64_t max_memory; /* that may be taken, for messages */
	struct digest digest;
	char hex[DIGEST_LENGTH + 1]; /* at the end */
	struct archive *archive;

	pthread_t thread;
	bool is_running;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	struct plain_block {
		unsigned char *data;
		size_t size;
		uint64_t read; /* how much of the source had been read for it */
	} blocks[PLAIN_BLOCKS];
	unsigned int made, used; /* blocks so far; the one in use counts as not used yet */
	bool has_ended, is_unwanted;
	bool has_given; /* a block is in use */
	struct error err; /* why it ended; class ERROR_NONE at the proper end */
};

/*
 * Starts the thread. Nobody else may touch the source until plain_stop. With is_hashed plain->hex becomes the digest of the
 * plain bytes, when plain_next has returned 0. max_memory is what archive.c allows for, to be named.
 */
int plain_start(struct plain *plain, const struct libarchive *la, struct source *source, bool is_gzip,
	bool is_hashed, uint64_t max_memory, struct error *err);

/*
 * The next bytes, valid until the next call: their number, 0 at the end, -1. At the end the source has been read whole.
 * *read becomes how much of the source that took.
 */
ssize_t plain_next(struct plain *plain, const void **data, uint64_t *read, struct error *err);

/* Ends the thread, wherever it is. */
void plain_stop(struct plain *plain);

#endif
