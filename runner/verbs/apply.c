/* Whether a pod is there already, as its manifest says. See apply.h. */
#include "runner/verbs/apply.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/verbs/catalog.h"

static char *find_difference(const char *path, struct json_object *old, struct json_object *new);

/* "spec.containers", "metadata.annotations[example.com/x]": as the API server writes a path. */
static char *member_of(const char *path, const char *key)
{
	return strpbrk(key, "./") ? xasprintf("%s[%s]", path, key) : xasprintf("%s.%s", path, key);
}

static char *difference_at(
	const char *path, const char *key, struct json_object *old, struct json_object *new)
{
	cleanup_free char *member = member_of(path, key);

	return find_difference(member, old, new);
}

static char *find_in_objects(const char *path, struct json_object *old, struct json_object *new)
{
	json_object_object_foreach(new, key, value)
	{
		char *found = difference_at(path, key, json_object_object_get(old, key), value);

		if (found)
			return found;
	}
	json_object_object_foreach(old, gone, was)
	{
		if (was && !json_object_object_get(new, gone))
			return member_of(path, gone);
	}
	return NULL;
}

static char *find_in_lists(const char *path, struct json_object *old, struct json_object *new)
{
	size_t n = json_object_array_length(new);

	if (n != json_object_array_length(old))
		return xstrdup(path);
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *item = xasprintf("%s[%zu]", path, i);
		char *found = find_difference(
			item, json_object_array_get_idx(old, i), json_object_array_get_idx(new, i));

		if (found)
			return found;
	}
	return NULL;
}

/* The path of the first field in which new isn't old; NULL: there is none. */
static char *find_difference(const char *path, struct json_object *old, struct json_object *new)
{
	enum json_type type = json_object_get_type(new);

	if (json_object_equal(old, new))
		return NULL;
	if (type == json_object_get_type(old) && type == json_type_object)
		return find_in_objects(path, old, new);
	if (type == json_object_get_type(old) && type == json_type_array)
		return find_in_lists(path, old, new);
	return xstrdup(path);
}

static char *find_change(struct json_object *old, struct json_object *new)
{
	/* Of the metadata the rest is minirun's, or isn't kept. */
	static const char *const parts[] = {"metadata.labels", "metadata.annotations", "spec"};
	char *found = NULL;

	for (size_t i = 0; i < array_length(parts) && !found; i++)
		found = find_difference(parts[i], json_at(old, parts[i]), json_at(new, parts[i]));
	return found;
}

int apply_check_name(const char *root, const char *namespace, const char *name, struct error *err)
{
	struct record record;
	struct error ignored;
	int result = 0;

	if (catalog_read(root, NULL, name, &record, &ignored) < 0)
		return 0;
	if (record.alive && strcmp(text_at(record.pod, "metadata.namespace"), namespace) != 0) {
		error_set(err, ERROR_HOST, 0, "pods \"%s\" already exists in namespace \"%s\"", name,
			text_at(record.pod, "metadata.namespace"));
		result = error_hint(err, "there is one pod of a name, whatever its namespace: delete that "
					 "one, or give this one "
					 "another metadata.name");
	}
	record_free(&record);
	return result;
}

int apply_compare(const char *root, const char *name, struct json_object *object, struct error *err)
{
	struct record record;
	cleanup_free char *change = NULL;
	bool alive;

	if (catalog_read(root, NULL, name, &record, err) < 0)
		return 0;
	alive = record.alive;
	if (alive)
		change = find_change(record.pod, object);
	record_free(&record);
	if (!alive)
		return 0;
	if (!change)
		return 1;
	error_set(err, ERROR_MANIFEST, 0,
		"The Pod \"%s\" is invalid: %s: Forbidden: a pod that is there can't be changed", name,
		change);
	return error_hint(err, "minirun delete %s, and then apply it", name);
}
