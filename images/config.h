/* Within the wing: how to run an image, read from and written to JSON. */
#ifndef IMAGES_CONFIG_H
#define IMAGES_CONFIG_H

#include <json-c/json.h>

#include "images/images.h"

void image_config_free(struct image_config *config);

/*
 * Reads an OCI image configuration file. What is in its "config" object and not used by minirun is told to the
 * watcher, unless it is empty. ERROR_IMAGE, naming the file and the field, for a field of the wrong kind or that OCI and
 * Docker don't know.
 */
int config_read_file(
	const char *path, struct image_config *config, const struct load_watcher *watcher, struct error *err);

/* The "config" object, for an image's record: as config_read_file reads it. shown is the file in messages. */
int config_from_json(struct json_object *json, const char *shown, struct image_config *config,
	const struct load_watcher *watcher, struct error *err);
struct json_object *config_to_json(const struct image_config *config);

#endif
