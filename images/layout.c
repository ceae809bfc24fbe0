/*
 * An OCI layout (image-spec/image-layout.md): index.json, then indexes, a manifest, a configuration.
 *
 * Of index.json's manifests one is chosen by the annotation that names it, then of each index below the one that fits
 * this machine best. Indexes may be nested, but not for ever: what is chosen goes one level down each time.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "images/descriptor.h"
#include "images/platform.h"
#include "images/recipe.h"
#include "images/record.h"
#include "images/reference.h"

#define MAX_NESTING   4
#define MAX_MANIFESTS 1000 /* of one index */
#define REF_NAME      "org.opencontainers.image.ref.name"
#define CONTAINERD    "io.containerd.image.name" /* the whole name, where ref.name is but a tag */

static const char *name_of(const struct descriptor *descriptor)
{
	const char *name = descriptor_annotation(descriptor, CONTAINERD);

	return name ? name : descriptor_annotation(descriptor, REF_NAME);
}

static int read_blob(const struct blobs *blobs, const struct descriptor *descriptor,
	struct json_object **json, struct error *err)
{
	char hex[DIGEST_LENGTH + 1];
	struct blob blob;
	int result;

	if (blobs_open_digest(blobs, descriptor->digest, descriptor->size, &blob, err) < 0)
		return -1;
	result = blob_read_json(
		&blob, descriptor->digest, descriptor->digest, json_type_object, json, hex, err);
	close(blob.fd);
	return result;
}

static int get_manifests(struct json_object *index, struct json_object **manifests, struct error *err)
{
	if (!json_object_object_get_ex(index, "manifests", manifests) ||
		!json_object_is_type(*manifests, json_type_array))
		return error_set(err, ERROR_IMAGE, 0, "its index has no list of manifests");
	if (json_object_array_length(*manifests) > MAX_MANIFESTS)
		return error_set(
			err, ERROR_IMAGE, 0, "its index names more than %d manifests", MAX_MANIFESTS);
	return 0;
}

static int read_entry(
	struct json_object *manifests, size_t i, struct descriptor *descriptor, struct error *err)
{
	char shown[64];

	snprintf(shown, sizeof(shown), "its index's manifests[%zu]", i);
	return descriptor_read(json_object_array_get_idx(manifests, i), shown, descriptor, err);
}

static bool is_called(const struct descriptor *descriptor, const char *reference)
{
	const char *name = name_of(descriptor), *tag = descriptor_annotation(descriptor, REF_NAME);

	return (tag && !strcmp(tag, reference)) || (name && reference_is_same(name, reference));
}

/* None or several: says what there is. */
static int cannot_choose(struct json_object *manifests, const char *reference, size_t n, struct error *err)
{
	cleanup_free char *names = xstrdup("");

	for (size_t i = 0; i < json_object_array_length(manifests); i++) {
		struct descriptor descriptor;
		struct error ignored;
		const char *name;
		char *longer;

		if (read_entry(manifests, i, &descriptor, &ignored) < 0)
			continue;
		name = name_of(&descriptor);
		if (!name || strlen(names) > 200)
			continue;
		longer = xasprintf("%s%s%.100s", names, *names ? ", " : "", name);
		free(names);
		names = longer;
	}
	if (!n && reference)
		error_set(err, ERROR_IMAGE, 0, "the layout holds no image called %s", reference);
	else if (!n)
		error_set(err, ERROR_IMAGE, 0, "the layout holds no image");
	else
		error_set(err, ERROR_IMAGE, 0, "the layout holds %zu images, and one must be chosen", n);
	if (*names) {
		cleanup_free char *safe = text_printable(names, strlen(names));

		return error_hint(err, "it has: %s", safe);
	}
	return -1;
}

/* From index.json: by its name, or the only one. */
static int choose_by_name(
	struct json_object *index, const char *reference, struct descriptor *chosen, struct error *err)
{
	struct json_object *manifests;
	size_t n = 0, total;
	struct descriptor descriptor;

	if (get_manifests(index, &manifests, err) < 0)
		return -1;
	total = json_object_array_length(manifests);
	for (size_t i = 0; i < total; i++) {
		if (read_entry(manifests, i, &descriptor, err) < 0)
			return -1;
		if (reference && total > 1 && !is_called(&descriptor, reference))
			continue;
		*chosen = descriptor;
		n++;
	}
	return n == 1 ? 0 : cannot_choose(manifests, total > 1 ? reference : NULL, n, err);
}

/* From an index below: by platform. */
static int choose_by_platform(struct json_object *index, struct descriptor *chosen, struct error *err)
{
	struct json_object *manifests;
	unsigned int best = 0;
	cleanup_free char *names = xstrdup("");
	char machine[64];

	if (get_manifests(index, &manifests, err) < 0)
		return -1;
	for (size_t i = 0; i < json_object_array_length(manifests); i++) {
		struct json_object *platform = NULL;
		struct descriptor descriptor;
		unsigned int fit;
		char name[64];
		char *longer;

		if (read_entry(manifests, i, &descriptor, err) < 0)
			return -1;
		json_object_object_get_ex(descriptor.json, "platform", &platform);
		fit = platform_fit(platform);
		if (fit > best) {
			best = fit;
			*chosen = descriptor;
		}
		platform_name(platform, name, sizeof(name));
		if (strlen(names) > 200 || strstr(name, "unknown"))
			continue;
		longer = xasprintf("%s%s%s", names, *names ? ", " : "", name);
		free(names);
		names = longer;
	}
	if (best)
		return 0;
	error_set(err, ERROR_IMAGE, 0, "the image isn't made for this machine, %s",
		platform_of_machine(machine, sizeof(machine)));
	return *names ? error_hint(err, "it is made for %s", names) : -1;
}

static int refuse_media(const char *what, const struct descriptor *descriptor, struct error *err)
{
	cleanup_free char *safe =
		text_printable(descriptor->media_type, strnlen(descriptor->media_type, 150));

	switch (descriptor->media) {
	case MEDIA_FOREIGN:
		error_set(err, ERROR_IMAGE, 0, "%s is a foreign (nondistributable) layer: %s", what, safe);
		return error_hint(err, "such layers are fetched from elsewhere, which minirun doesn't do");
	case MEDIA_ENCRYPTED:
		error_set(err, ERROR_IMAGE, 0, "%s is encrypted: %s", what, safe);
		return error_hint(err, "decrypt it first: skopeo copy --decryption-key KEY ...");
	case MEDIA_SCHEMA1:
		error_set(err, ERROR_IMAGE, 0, "%s is a manifest of Docker's first schema: %s", what, safe);
		return error_hint(err, "skopeo copy --format oci makes a new one of it");
	case MEDIA_INDEX:
	case MEDIA_MANIFEST:
	case MEDIA_CONFIG:
	case MEDIA_LAYER:
	case MEDIA_UNKNOWN:
	default:
		return error_set(err, ERROR_IMAGE, 0, "%s is nothing that a container can be made of: \"%s\"",
			what, safe);
	}
}

/* What an index or a manifest is, if its descriptor doesn't say: by its own mediaType, or its members. */
static enum media media_of_json(struct json_object *json)
{
	const char *media_type;

	if (record_string(json, "mediaType", &media_type) && *media_type)
		return media_of(media_type);
	if (json_object_object_get_ex(json, "manifests", NULL))
		return MEDIA_INDEX;
	return json_object_object_get_ex(json, "layers", NULL) ? MEDIA_MANIFEST : MEDIA_UNKNOWN;
}

static int read_configuration(
	const struct blobs *blobs, struct json_object *manifest, struct recipe *recipe, struct error *err)
{
	struct json_object *config = NULL;
	struct descriptor descriptor;

	json_object_object_get_ex(manifest, "config", &config);
	if (descriptor_read(config, "its manifest's config", &descriptor, err) < 0)
		return -1;
	/* Helm charts, policies and the like are kept in registries too. */
	if (descriptor.media != MEDIA_CONFIG)
		return refuse_media("its configuration", &descriptor, err);
	return read_blob(blobs, &descriptor, &recipe->configuration, err);
}

static int read_layers(struct json_object *manifest, struct recipe *recipe, struct error *err)
{
	struct json_object *layers;

	if (!json_object_object_get_ex(manifest, "layers", &layers) ||
		!json_object_is_type(layers, json_type_array))
		return error_set(err, ERROR_IMAGE, 0, "its manifest has no list of layers");
	if (recipe_make_room(recipe, json_object_array_length(layers), err) < 0)
		return -1;
	for (size_t i = 0; i < recipe->n; i++) {
		struct descriptor descriptor;
		char shown[64];

		snprintf(shown, sizeof(shown), "its manifest's layers[%zu]", i);
		if (descriptor_read(json_object_array_get_idx(layers, i), shown, &descriptor, err) < 0)
			return -1;
		if (descriptor.media != MEDIA_LAYER)
			return refuse_media(shown, &descriptor, err);
		memcpy(recipe->layers[i].digest, descriptor.digest, sizeof(descriptor.digest));
		recipe->layers[i].size = descriptor.size;
	}
	return recipe_add_diff_ids(recipe, err);
}

/* Down from a descriptor to a manifest. */
static int find_manifest(const struct blobs *blobs, struct descriptor *descriptor, struct recipe *recipe,
	struct json_object **manifest, struct error *err)
{
	for (int level = 0; level < MAX_NESTING; level++) {
		cleanup_json struct json_object *json = NULL;
		struct descriptor below = {.media_type = ""};
		enum media media = descriptor->media;

		if (media != MEDIA_INDEX && media != MEDIA_MANIFEST && *descriptor->media_type)
			return refuse_media("what is chosen", descriptor, err);
		if (read_blob(blobs, descriptor, &json, err) < 0)
			return -1;
		media = media_of_json(json);
		if (*descriptor->media_type && media != descriptor->media)
			return error_set(err, ERROR_IMAGE, 0,
				"%s is not of the kind that its descriptor says", descriptor->digest);
		if (media == MEDIA_MANIFEST) {
			recipe->digest = xstrdup(descriptor->digest);
			*manifest = steal_pointer(&json);
			return 0;
		}
		if (media != MEDIA_INDEX)
			return refuse_media(descriptor->digest, descriptor, err);
		if (!recipe->index)
			recipe->index = xstrdup(descriptor->digest);
		if (choose_by_platform(json, &below, err) < 0)
			return -1;
		/* Its strings go with the index. */
		*descriptor = below;
		descriptor->media_type = below.media == MEDIA_INDEX      ? "index"
					 : below.media == MEDIA_MANIFEST ? "manifest"
					 : *below.media_type             ? "unknown"
									 : "";
		descriptor->json = NULL;
	}
	return error_set(err, ERROR_IMAGE, 0, "its indexes are nested more than %d levels deep", MAX_NESTING);
}

int recipe_of_layout(
	const struct blobs *blobs, const char *reference, struct recipe *recipe, struct error *err)
{
	cleanup_json struct json_object *index = NULL, *manifest = NULL;
	struct descriptor descriptor = {.media_type = ""};
	char hex[DIGEST_LENGTH + 1];
	struct blob blob;
	int result;

	*recipe = (struct recipe){0};
	if (blobs_open(blobs, "index.json", &blob, err) < 0)
		return error_wrap(err, "an OCI layout");
	result = blob_read_json(&blob, "index.json", NULL, json_type_object, &index, hex, err);
	close(blob.fd);
	if (result < 0 || choose_by_name(index, reference, &descriptor, err) < 0)
		return -1;
	recipe->name = xstrdup(name_of(&descriptor));
	if (find_manifest(blobs, &descriptor, recipe, &manifest, err) < 0 ||
		read_configuration(blobs, manifest, recipe, err) < 0 ||
		read_layers(manifest, recipe, err) < 0)
		return -1;
	return 0;
}
