/*
 * Within the wing: what an image is made of, as a layout's or a docker-archive's own files say.
 *
 * All of it is checked before a layer is read: digests by their form, sizes, media types, and the manifest and the
 * configuration by their digests, if something names them by one.
 */
#ifndef IMAGES_RECIPE_H
#define IMAGES_RECIPE_H

#include <json-c/json.h>

#include "images/blobs.h"
#include "images/digest.h"

#define MAX_LAYERS 250 /* overlayfs takes 500, and each costs a running pod a descriptor or two */

struct recipe_layer {
	char *path; /* of a docker-archive: from its top; NULL: the blob of that digest */
	char digest[sizeof(DIGEST_PREFIX) + DIGEST_LENGTH]; /* "sha256:...", "" if not known */
	uint64_t size; /* where the digest is known */
	char diff_id[DIGEST_LENGTH + 1];
};

struct recipe {
	char *name; /* by which the archive calls it, or NULL */
	char **others; /* further names, or NULL */
	char *digest, *index; /* see struct image */
	struct json_object *configuration;
	struct recipe_layer *layers; /* lowest first */
	size_t n;
};

void recipe_free(struct recipe *recipe);
static inline void cleanup_recipe_fn(struct recipe *recipe)
{
	recipe_free(recipe);
}
#define cleanup_recipe __attribute__((cleanup(cleanup_recipe_fn)))

/* Reads an OCI layout. reference chooses one of several images, and may be NULL. */
int recipe_of_layout(
	const struct blobs *blobs, const char *reference, struct recipe *recipe, struct error *err);

/* Reads a docker-archive. name chooses one of several images, and may be NULL. */
int recipe_of_saved(const struct blobs *blobs, const char *name, struct recipe *recipe, struct error *err);

/* For both: takes the diff_ids from recipe->configuration, which must be as many as the layers. */
int recipe_add_diff_ids(struct recipe *recipe, struct error *err);

/* For both: makes room for that many layers. */
int recipe_make_room(struct recipe *recipe, size_t n, struct error *err);

#endif
