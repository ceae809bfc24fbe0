/* Within the wing: which of an image's platforms this machine is. */
#ifndef IMAGES_PLATFORM_H
#define IMAGES_PLATFORM_H

#include <json-c/json.h>
#include <stddef.h>

/*
 * How well an index's "platform" object (image-spec/image-index.md) fits this machine: 0 not at all; the larger the
 * better. One that is not given fits better than nothing.
 */
unsigned int platform_fit(struct json_object *platform);

/* "linux/arm64/v8" of such an object, printable. Returns buffer. */
const char *platform_name(struct json_object *platform, char *buffer, size_t size);

/* This machine's: "linux/amd64". Returns buffer. */
const char *platform_of_machine(char *buffer, size_t size);

#endif
