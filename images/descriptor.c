/* OCI descriptors. */
#include "images/descriptor.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "images/record.h"

#define OCI    "application/vnd.oci.image."
#define DOCKER "application/vnd.docker."

/* Their compression is not looked at here: it is told by content. Longer names come before those they begin with. */
static const struct {
	const char *prefix;
	enum media media;
} media_types[] = {
	{OCI "index.v1+json", MEDIA_INDEX},
	{DOCKER "distribution.manifest.list.v2+json", MEDIA_INDEX},
	{OCI "manifest.v1+json", MEDIA_MANIFEST},
	{DOCKER "distribution.manifest.v2+json", MEDIA_MANIFEST},
	{DOCKER "distribution.manifest.v1+", MEDIA_SCHEMA1},
	{OCI "config.v1+json", MEDIA_CONFIG},
	{DOCKER "container.image.v1+json", MEDIA_CONFIG},
	{OCI "layer.nondistributable.v1.tar", MEDIA_FOREIGN},
	{DOCKER "image.rootfs.foreign.diff.tar", MEDIA_FOREIGN},
	{OCI "layer.v1.tar", MEDIA_LAYER},
	{DOCKER "image.rootfs.diff.tar", MEDIA_LAYER},
};

enum media media_of(const char *media_type)
{
	for (size_t i = 0; i < array_length(media_types); i++) {
		const char *rest = media_type + strlen(media_types[i].prefix);

		if (!text_starts_with(media_type, media_types[i].prefix))
			continue;
		if (media_types[i].media == MEDIA_SCHEMA1 || !*rest)
			return media_types[i].media;
		if (media_types[i].media != MEDIA_LAYER && media_types[i].media != MEDIA_FOREIGN)
			break;
		if (strstr(rest, "+encrypted"))
			return MEDIA_ENCRYPTED;
		return rest[0] == '+' || rest[0] == '.' ? media_types[i].media : MEDIA_UNKNOWN;
	}
	return MEDIA_UNKNOWN;
}

int descriptor_read(
	struct json_object *json, const char *shown, struct descriptor *descriptor, struct error *err)
{
	const char *digest;

	*descriptor = (struct descriptor){.media_type = "", .json = json};
	if (!json_object_is_type(json, json_type_object))
		return error_set(err, ERROR_IMAGE, 0, "%s must be an object", shown);
	if (!record_string(json, "digest", &digest) || !digest_is_valid(digest)) {
		error_set(err, ERROR_IMAGE, 0, "%s has no valid digest", shown);
		return error_hint(err, "it must be sha256: and 64 hexadecimal digits");
	}
	if (!record_number(json, "size", &descriptor->size) || descriptor->size > INT64_MAX)
		return error_set(err, ERROR_IMAGE, 0, "%s has no valid size", shown);
	record_string(json, "mediaType", &descriptor->media_type);
	memcpy(descriptor->digest, digest, sizeof(descriptor->digest));
	descriptor->media = media_of(descriptor->media_type);
	return 0;
}

const char *descriptor_annotation(const struct descriptor *descriptor, const char *key)
{
	struct json_object *annotations;
	const char *value;

	if (!json_object_object_get_ex(descriptor->json, "annotations", &annotations) ||
		!json_object_is_type(annotations, json_type_object) ||
		!record_string(annotations, key, &value))
		return NULL;
	return value;
}
