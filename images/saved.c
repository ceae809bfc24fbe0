/*
 * A docker-archive, as `docker save` and `podman save` write it: manifest.json names, for each image, its configuration's
 * file, its layers' files (tars, mostly not compressed) and its names.
 *
 * It has no digests but in file names. A configuration whose file is named for one must have it; layers are checked by
 * the diff_ids that it lists.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "images/recipe.h"
#include "images/record.h"
#include "images/reference.h"

#define MAX_NAMES 100 /* of one image: each becomes a file in the store */

static bool is_called(char *const *tags, const char *name)
{
	for (; tags && *tags; tags++)
		if (reference_is_same(*tags, name))
			return true;
	return false;
}

static int cannot_choose(struct json_object *list, const char *name, size_t n, struct error *err)
{
	cleanup_free char *names = xstrdup("");

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		cleanup_strv char **tags = NULL;

		if (!json_object_is_type(item, json_type_object) || !record_strings(item, "RepoTags", &tags))
			continue;
		for (char **tag = tags; tag && *tag && strlen(names) < 200; tag++) {
			char *longer = xasprintf("%s%s%.100s", names, *names ? ", " : "", *tag);

			free(names);
			names = longer;
		}
	}
	if (!n && name)
		error_set(err, ERROR_IMAGE, 0, "the archive holds no image called %s", name);
	else if (!n)
		error_set(err, ERROR_IMAGE, 0, "the archive holds no image");
	else
		error_set(err, ERROR_IMAGE, 0, "the archive holds %zu images, and one must be chosen", n);
	if (*names) {
		cleanup_free char *safe = text_printable(names, strlen(names));

		return error_hint(err, "it has: %s", safe);
	}
	return -1;
}

/* By its name, or the only one. */
static struct json_object *choose(struct json_object *list, const char *name, struct error *err)
{
	size_t n = 0, total = json_object_array_length(list);
	struct json_object *chosen = NULL;

	for (size_t i = 0; i < total; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		cleanup_strv char **tags = NULL;

		if (!json_object_is_type(item, json_type_object) ||
			!record_strings(item, "RepoTags", &tags)) {
			error_set(err, ERROR_IMAGE, 0, "manifest.json: [%zu] is no image", i);
			return NULL;
		}
		if (total > 1 && name && !is_called(tags, name))
			continue;
		chosen = item;
		n++;
	}
	if (n == 1)
		return chosen;
	cannot_choose(list, total > 1 ? name : NULL, n, err);
	return NULL;
}

/* "HEX.json" and "blobs/sha256/HEX" name a digest; other names don't. */
static const char *digest_in_name(const char *path, char *digest, size_t size)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	if (strspn(name, "0123456789abcdef") != DIGEST_LENGTH)
		return NULL;
	snprintf(digest, size, DIGEST_PREFIX "%.*s", DIGEST_LENGTH, name);
	return digest;
}

static int read_configuration(
	const struct blobs *blobs, const char *path, struct recipe *recipe, struct error *err)
{
	char digest[sizeof(DIGEST_PREFIX) + DIGEST_LENGTH], hex[DIGEST_LENGTH + 1];
	cleanup_free char *shown = text_printable(path, strnlen(path, 200));
	struct blob blob;
	int result;

	if (blobs_open(blobs, path, &blob, err) < 0)
		return error_wrap(err, "its configuration %s", shown);
	result = blob_read_json(&blob, shown, digest_in_name(path, digest, sizeof(digest)), json_type_object,
		&recipe->configuration, hex, err);
	close(blob.fd);
	if (result == 0)
		recipe->digest = xasprintf(DIGEST_PREFIX "%s", hex);
	return result;
}

static int take_others(char *const *tags, struct recipe *recipe, struct error *err)
{
	struct strv others = {0};

	for (; *tags && others.n < MAX_NAMES; tags++)
		strv_push(&others, xstrdup(*tags));
	recipe->others = others.items;
	return *tags ? error_set(err, ERROR_IMAGE, 0, "it has more than %d names", MAX_NAMES) : 0;
}

static int read_image(
	const struct blobs *blobs, struct json_object *item, struct recipe *recipe, struct error *err)
{
	cleanup_strv char **tags = NULL, **layers = NULL;
	const char *configuration;
	size_t n = 0;

	if (!record_string(item, "Config", &configuration))
		return error_set(err, ERROR_IMAGE, 0, "manifest.json names no configuration");
	if (!record_strings(item, "Layers", &layers) || !record_strings(item, "RepoTags", &tags))
		return error_set(err, ERROR_IMAGE, 0, "manifest.json has no list of layers");
	while (layers && layers[n])
		n++;
	if (tags && tags[0]) {
		recipe->name = xstrdup(tags[0]);
		if (take_others(tags + 1, recipe, err) < 0)
			return -1;
	}
	if (read_configuration(blobs, configuration, recipe, err) < 0 || recipe_make_room(recipe, n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		recipe->layers[i].path = xstrdup(layers[i]);
	return recipe_add_diff_ids(recipe, err);
}

int recipe_of_saved(const struct blobs *blobs, const char *name, struct recipe *recipe, struct error *err)
{
	cleanup_json struct json_object *list = NULL;
	struct json_object *item;
	char hex[DIGEST_LENGTH + 1];
	struct blob blob;
	int result;

	*recipe = (struct recipe){0};
	if (blobs_open(blobs, "manifest.json", &blob, err) < 0)
		return error_wrap(err, "a docker-archive");
	result = blob_read_json(&blob, "manifest.json", NULL, json_type_array, &list, hex, err);
	close(blob.fd);
	if (result < 0)
		return error_hint(err,
			"a docker-archive's is a list; skopeo's \"dir:\" format has to be copied to "
			"an OCI layout first: skopeo copy dir:FOLDER oci:LAYOUT:NAME");
	item = choose(list, name, err);
	return item ? read_image(blobs, item, recipe, err) : -1;
}
