/* Within the wing: sha256, as the name of what was loaded. */
#ifndef IMAGES_DIGEST_H
#define IMAGES_DIGEST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sha2.h>

#define DIGEST_LENGTH 64 /* hexadecimal digits */

static inline void digest_init(SHA2_CTX *digest)
{
	SHA256Init(digest);
}

static inline void digest_add(SHA2_CTX *digest, const void *data, size_t size)
{
	SHA256Update(digest, data, size);
}

/* A number, least byte first, so that a digest is the same on every machine. */
static inline void digest_add_number(SHA2_CTX *digest, uint64_t number)
{
	unsigned char bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(number >> (8 * i));
	SHA256Update(digest, bytes, sizeof(bytes));
}

static inline void digest_end(SHA2_CTX *digest, char hex[static DIGEST_LENGTH + 1])
{
	SHA256End(digest, hex);
}

#endif
