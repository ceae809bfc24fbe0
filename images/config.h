/* Within the wing: an OCI image configuration, which says how to run an image. */
#ifndef IMAGES_CONFIG_H
#define IMAGES_CONFIG_H

#include <json-c/json.h>

#include "images/images.h"

void image_config_free(struct image_config *config);

enum config_origin {
	CONFIG_OURS, /* a file that the user wrote: held to what the specification says */
	CONFIG_IMAGE, /* an image's own */
	CONFIG_RECORD, /* the store's: nothing is told again */
};

/*
 * Takes a whole configuration into the image: config, created, architecture, variant, and its text. What is in its
 * "config" object, would matter and isn't used by minirun is told to the watcher (which may be NULL). ERROR_IMAGE, naming
 * shown and the field, for a field of the wrong kind.
 */
int config_take(struct json_object *json, const char *shown, enum config_origin origin, struct image *image,
	const struct load_watcher *watcher, struct error *err);

/* The same from a file. */
int config_read_file(
	const char *path, struct image *image, const struct load_watcher *watcher, struct error *err);

#endif
