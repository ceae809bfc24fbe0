/* Image names: what a pod calls an image, and how the store calls its file. */
#ifndef IMAGES_REFERENCE_H
#define IMAGES_REFERENCE_H

#include <stdbool.h>

#include "base/error.h"

/* A name taken apart and brought to its shortest form. */
struct reference {
	char *name; /* "nginx", "nginx:1.25", "quay.io/who/what": no docker.io/library/, no :latest */
	char *digest; /* "sha256:..." if the name ended in @sha256:..., else NULL */
};

/*
 * Parses a name by the grammar of distribution/reference (which Docker, podman and containerd share). Errors are of
 * class ERROR_IMAGE and say which part is wrong.
 */
int reference_parse(struct reference *reference, const char *text, struct error *err);
void reference_free(struct reference *reference);
static inline void cleanup_reference_fn(struct reference *reference)
{
	reference_free(reference);
}
#define cleanup_reference __attribute__((cleanup(cleanup_reference_fn)))

/* Whether two names mean one image, tags included. False if one of them is no name. */
bool reference_is_same(const char *a, const char *b);

/* Where a name's image is in the world, without its tag: "docker.io/library/nginx". Returns a fresh string. */
char *reference_repository(const char *name);

/*
 * What the image that text names is stored as, reference being what text was parsed to: its name, or, if it has a digest and
 * no tag, "nginx:sha256-0123456789ab". Returns a fresh string.
 */
char *reference_stored(const struct reference *reference, const char *text);

/*
 * The file of an image in STORE/images: a plain file name for any valid one, "quay.io+who+what=tag.json". The
 * two signs stand for '/' and ':' and are in no image name. Returns a fresh string.
 */
char *reference_file(const char *name);

#endif
