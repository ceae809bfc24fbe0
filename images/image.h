/* Within the wing: writing an image's record. */
#ifndef IMAGES_IMAGE_H
#define IMAGES_IMAGE_H

#include "images/images.h"
#include "images/store.h"

/* Writes the record into the workspace and renames it into the store, which is locked. Replaces an older one. */
int image_publish(const struct store *store, const struct workspace *workspace, const struct image *image,
	struct error *err);

#endif
