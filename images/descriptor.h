/* Within the wing: OCI descriptors (image-spec/descriptor.md) and what kinds of blobs there are. */
#ifndef IMAGES_DESCRIPTOR_H
#define IMAGES_DESCRIPTOR_H

#include <json-c/json.h>
#include <stdint.h>

#include "base/error.h"
#include "images/digest.h"

enum media {
	MEDIA_INDEX,
	MEDIA_MANIFEST,
	MEDIA_CONFIG,
	MEDIA_LAYER,
	MEDIA_FOREIGN, /* a layer that is not to be passed on, and isn't there */
	MEDIA_ENCRYPTED, /* a layer */
	MEDIA_SCHEMA1, /* Docker's first manifest, which names no configuration */
	MEDIA_UNKNOWN,
};

struct descriptor {
	enum media media;
	const char *media_type; /* the object's, "" if it has none */
	char digest[sizeof(DIGEST_PREFIX) + DIGEST_LENGTH]; /* "sha256:..." */
	uint64_t size;
	struct json_object *json; /* whose it is */
};

enum media media_of(const char *media_type);

/* Reads one; shown says where it stands. ERROR_IMAGE for a digest or size that is missing or not valid. */
int descriptor_read(
	struct json_object *json, const char *shown, struct descriptor *descriptor, struct error *err);

/* An annotation, or NULL. */
const char *descriptor_annotation(const struct descriptor *descriptor, const char *key);

#endif
