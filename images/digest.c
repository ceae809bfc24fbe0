/* sha256, as the name of what was loaded. Whose it is: digest.h. */
#include "images/digest.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define LIBRARY "libnettle.so.8"
#define BYTES   32
#define BLOCK   64

/* struct nettle_hash of <nettle/nettle-meta.h>, which the library's ABI 8 fixes. */
struct digest_engine {
	const char *name;
	unsigned int context_size, digest_size, block_size;
	void (*init)(void *context);
	void (*update)(void *context, size_t length, const uint8_t *data);
	void (*digest)(void *context, size_t length, uint8_t *digest);
};

/* A library that is not what its name says must not write past what we have for it. */
static bool is_as_expected(const struct digest_engine *engine)
{
	return engine->context_size <= sizeof(((struct digest *)0)->state) && engine->digest_size == BYTES &&
	       engine->block_size == BLOCK && !strcmp(engine->name, "sha256");
}

void digest_init(struct digest *digest)
{
	*digest = (struct digest){.library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL)};
	if (digest->library)
		digest->engine = dlsym(digest->library, "nettle_sha256");
	if (digest->engine && !is_as_expected(digest->engine))
		digest->engine = NULL;
	if (digest->engine)
		digest->engine->init(&digest->state);
	else
		SHA256Init(&digest->state.md);
}

void digest_add(struct digest *digest, const void *data, size_t size)
{
	if (digest->engine)
		digest->engine->update(&digest->state, size, data);
	else
		SHA256Update(&digest->state.md, data, size);
}

void digest_add_number(struct digest *digest, uint64_t number)
{
	unsigned char bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(number >> (8 * i));
	digest_add(digest, bytes, sizeof(bytes));
}

void digest_end(struct digest *digest, char hex[static DIGEST_LENGTH + 1])
{
	uint8_t bytes[BYTES];

	if (digest->engine)
		digest->engine->digest(&digest->state, sizeof(bytes), bytes);
	else
		SHA256Final(bytes, &digest->state.md);
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	if (digest->library)
		dlclose(digest->library);
	*digest = (struct digest){0};
}

void digest_of(const void *data, size_t size, char hex[static DIGEST_LENGTH + 1])
{
	struct digest digest;

	digest_init(&digest);
	digest_add(&digest, data, size);
	digest_end(&digest, hex);
}

bool digest_is_hex(const char *text)
{
	return strlen(text) == DIGEST_LENGTH && strspn(text, "0123456789abcdef") == DIGEST_LENGTH;
}

bool digest_is_valid(const char *text)
{
	return text_starts_with(text, DIGEST_PREFIX) && digest_is_hex(text + strlen(DIGEST_PREFIX));
}
