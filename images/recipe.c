/* What an image is made of. */
#include "images/recipe.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "images/record.h"

void recipe_free(struct recipe *recipe)
{
	for (size_t i = 0; i < recipe->n; i++)
		free(recipe->layers[i].path);
	free(recipe->layers);
	free(recipe->name);
	strv_free(recipe->others);
	free(recipe->digest);
	free(recipe->index);
	json_object_put(recipe->configuration);
	*recipe = (struct recipe){0};
}

int recipe_make_room(struct recipe *recipe, size_t n, struct error *err)
{
	if (n < 1)
		return error_set(err, ERROR_IMAGE, 0, "the image has no layers");
	if (n > MAX_LAYERS)
		return error_set(
			err, ERROR_IMAGE, 0, "the image has %zu layers, and %d are the limit", n, MAX_LAYERS);
	recipe->layers = xcalloc(n, sizeof(*recipe->layers));
	recipe->n = n;
	return 0;
}

int recipe_add_diff_ids(struct recipe *recipe, struct error *err)
{
	struct json_object *rootfs, *ids;

	if (!json_object_object_get_ex(recipe->configuration, "rootfs", &rootfs) ||
		!json_object_object_get_ex(rootfs, "diff_ids", &ids) ||
		!json_object_is_type(ids, json_type_array))
		return error_set(err, ERROR_IMAGE, 0, "its configuration has no rootfs.diff_ids");
	if (json_object_array_length(ids) != recipe->n)
		return error_set(err, ERROR_IMAGE, 0, "it has %zu layers, and its configuration names %zu",
			recipe->n, json_object_array_length(ids));
	for (size_t i = 0; i < recipe->n; i++) {
		const char *id = json_object_get_string(json_object_array_get_idx(ids, i));

		if (!id || !digest_is_valid(id))
			return error_set(err, ERROR_IMAGE, 0,
				"its configuration's rootfs.diff_ids[%zu] is no valid digest", i);
		memcpy(recipe->layers[i].diff_id, id + strlen(DIGEST_PREFIX),
			sizeof(recipe->layers[i].diff_id));
	}
	return 0;
}
