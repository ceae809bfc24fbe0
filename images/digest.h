/*
 * Within the wing: sha256, as the name of what was loaded.
 *
 * libmd computes it in plain C, 200 MB/s, and unpacking would wait for that. Nettle uses the processor's instructions
 * for it (1.2 GB/s); libarchive brings it along, so that it costs no start. Where it isn't there libmd does the work.
 */
#ifndef IMAGES_DIGEST_H
#define IMAGES_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sha2.h>

#define DIGEST_LENGTH 64 /* hexadecimal digits */
#define DIGEST_PREFIX "sha256:"

struct digest_engine;

struct digest {
	void *library; /* Nettle, or NULL */
	const struct digest_engine *engine;
	union {
		SHA2_CTX md;
		uint64_t nettle[64];
	} state;
};

void digest_init(struct digest *digest);
void digest_add(struct digest *digest, const void *data, size_t size);
/* A number, least byte first, so that a digest is the same on every machine. */
void digest_add_number(struct digest *digest, uint64_t number);
/* Ends it; hex is lower case. */
void digest_end(struct digest *digest, char hex[static DIGEST_LENGTH + 1]);

/* Of one piece of memory. */
void digest_of(const void *data, size_t size, char hex[static DIGEST_LENGTH + 1]);

/* Whether text is 64 lower-case hexadecimal digits; with "sha256:" before them for the second. */
bool digest_is_hex(const char *text);
bool digest_is_valid(const char *text);

#endif
