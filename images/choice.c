/* Which images a word of the command line means: a name, a digest, or the beginning of one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "images/digest.h"
#include "images/images.h"

#define SHORTEST 4 /* digits of a digest that mean one */

/* The digits that the word gives of a digest, or NULL if it can be none. */
static const char *digits_of(const char *word)
{
	const char *digits = text_starts_with(word, DIGEST_PREFIX) ? word + strlen(DIGEST_PREFIX) : word;

	return strlen(digits) >= SHORTEST && strspn(digits, "0123456789abcdef") == strlen(digits) ? digits
												  : NULL;
}

static bool begins_with(const char *digest, const char *digits)
{
	return digest && text_starts_with(digest + strlen(DIGEST_PREFIX), digits);
}

/* Keeps the images that match at the front of the list and frees the others. */
static size_t keep_matches(struct image *images, size_t n, const char *digits)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (begins_with(images[i].digest, digits) || begins_with(images[i].index, digits))
			images[kept++] = images[i];
		else
			image_free(&images[i]);
	}
	return kept;
}

static void free_all(struct image *images, size_t n)
{
	for (size_t i = 0; i < n; i++)
		image_free(&images[i]);
	free(images);
}

/* It is looked for to be looked at or removed, so that fetching it, as image_find says, is no help. */
static int none_chosen(const struct store *store, const char *word, struct error *err)
{
	cleanup_free char *nearest = err->errnum == ENOENT ? image_near(store, word) : NULL;

	if (err->errnum != ENOENT)
		return -1;
	if (nearest)
		return error_hint(err, "did you mean %s?", nearest);
	return error_hint(err, "`minirun image ls` lists what is there");
}

int image_choose(
	const struct store *store, const char *word, struct image **images, size_t *n, struct error *err)
{
	const char *digits = digits_of(word);
	struct error ignored;

	*images = xcalloc(1, sizeof(**images));
	*n = 1;
	if (image_find(store, word, *images, err) == 0)
		return 0;
	free(*images);
	*images = NULL;
	*n = 0;
	if (!digits || image_list(store, images, n, &ignored) < 0)
		return none_chosen(store, word, err);
	*n = keep_matches(*images, *n, digits);
	for (size_t i = 1; i < *n; i++) {
		if (!strcmp((*images)[i].digest, (*images)[0].digest))
			continue;
		error_set(err, ERROR_IMAGE, 0,
			"%s is the beginning of several images' digests: %.19s and %.19s", word,
			(*images)[0].digest, (*images)[i].digest);
		error_hint(err, "give more of it");
		free_all(*images, *n);
		*images = NULL;
		*n = 0;
		return -1;
	}
	if (*n)
		return 0;
	free(*images);
	*images = NULL;
	return none_chosen(store, word, err);
}
