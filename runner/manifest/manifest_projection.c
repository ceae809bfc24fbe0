/*
 * The files of configMap, secret, downwardAPI and projected volumes.
 *
 * After validateConfigMapVolumeSource, validateKeyToPath, validateProjectionSources and the like of pkg/apis/core/validation;
 * the kubelet's MakePayload and CollectData (pkg/volume/configmap, secret, projected, downwardapi); and
 * validatePayload of pkg/volume/util/atomic_writer.go, which the files are written after (namespaces/volume_files.c).
 */
#include "runner/manifest/manifest_parts.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/manifest/fields.h"
#include "runner/manifest/names.h"

#define MODE_MAX     0777
#define DEFAULT_MODE 0644

/* What the parts of a volume need to know. */
struct filling {
	struct volume *volume;
	const struct cursor *spec;
	const struct pod *pod;
	bool is_mounted;
	unsigned int mode; /* of files that have none of their own */
};

/* mode or defaultMode. */
static unsigned int read_mode(const struct cursor *at, const char *field, unsigned int otherwise)
{
	struct cursor mode = cursor_get(at, field);
	int64_t value;

	if (!cursor_integer(&mode, &value))
		return otherwise;
	if (value >= 0 && value <= MODE_MAX)
		return (unsigned int)value;
	cursor_add(&mode, SEVERITY_ERROR,
		value > MODE_MAX && value <= 777 ? "it is decimal: in YAML 0 before it makes it octal" : NULL,
		"Invalid value: %lld: must be a number between 0 and 0777 (octal), both inclusive",
		(long long)value);
	return otherwise;
}

/* path without "." and empty parts, as Go's filepath.Clean; "" if nothing remains. */
static char *clean_path(const char *path)
{
	char *clean = xcalloc(strlen(path) + 2, 1), *out = clean;

	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");

		if (n && (n != 1 || *p != '.')) {
			if (out > clean)
				*out++ = '/';
			memcpy(out, p, n);
			out += n;
		}
		p += n + (p[n] == '/');
	}
	return clean;
}

/* Whether folder is a parent of path. */
static bool is_parent(const char *folder, const char *path)
{
	size_t n = strlen(folder);

	return !strncmp(folder, path, n) && path[n] == '/';
}

bool volume_has_path(const struct volume *volume, const char *path)
{
	cleanup_free char *clean = clean_path(path);

	for (size_t i = 0; i < volume->n_entries; i++)
		if (!*clean || !strcmp(volume->entries[i].path, clean) ||
			is_parent(clean, volume->entries[i].path))
			return true;
	return false;
}

static bool has_long_part(const char *path)
{
	for (const char *p = path; *p; p += strspn(p, "/")) {
		size_t n = strcspn(p, "/");

		if (n > NAME_MAX)
			return true;
		p += n;
	}
	return strlen(path) >= PATH_MAX;
}

/* ValidateLocalNonReservedPath. */
static bool check_path(const struct cursor *at)
{
	const char *path = cursor_string(at);
	cleanup_free char *clean = path ? clean_path(path) : NULL;

	if (!at->node || (path && !*path)) {
		cursor_required(at, NULL);
		return false;
	}
	if (!path || !names_check_descending(at))
		return false;
	if (text_starts_with(clean, ".."))
		cursor_invalid(at, "must not start with '..'");
	else if (!*clean)
		cursor_invalid(at, "must name a file");
	else if (has_long_part(clean))
		cursor_invalid(at, "each part of a path must be no more than %d bytes", NAME_MAX);
	else
		return true;
	return false;
}

/* Adds a file, whose path is that of entry made clean; takes what entry owns. One that is there with that path goes. */
static void add_entry(
	const struct filling *filling, const struct cursor *at, const char *path, struct volume_entry entry)
{
	struct volume *volume = filling->volume;
	struct volume_entry *place = NULL;

	entry.path = clean_path(path);
	for (size_t i = 0; i < volume->n_entries; i++) {
		struct volume_entry *other = &volume->entries[i];

		if (!strcmp(other->path, entry.path))
			place = other;
		else if (is_parent(other->path, entry.path) || is_parent(entry.path, other->path))
			cursor_add(at, SEVERITY_ERROR, NULL,
				"Invalid value: \"%s\": it can't be there beside the file \"%s\"", entry.path,
				other->path);
	}
	if (place) {
		free(place->path);
		free(place->owned);
		free(place->source);
	} else {
		volume->entries =
			xreallocarray(volume->entries, volume->n_entries + 1, sizeof(*volume->entries));
		place = &volume->entries[volume->n_entries++];
	}
	*place = entry;
}

/* The file has the key's own data: a file of many items doesn't become many times as large. */
static void add_key(const struct filling *filling, const struct cursor *at, const struct config *config,
	const struct config_entry *key, const char *path, unsigned int mode)
{
	struct volume_entry entry = {.data = key->data, .size = key->size, .mode = mode};

	entry.source =
		xasprintf("%s %s, key %s", config->secret ? "secret" : "configmap", config->name, key->key);
	add_entry(filling, at, path, entry);
}

/* An item of items. */
static void read_item(const struct filling *filling, const struct cursor *item, const struct config *config,
	bool secret, bool optional)
{
	struct cursor key = cursor_get(item, "key"), path = cursor_get(item, "path");
	const char *key_text = cursor_string(&key);
	unsigned int mode = read_mode(item, "mode", filling->mode);
	const struct config_entry *entry;

	if (!key.node || (key_text && !*key_text))
		cursor_required(&key, NULL);
	if (!check_path(&path) || !key_text || !*key_text || !config)
		return;
	entry = config_find_entry(config, key_text);
	if (entry) {
		add_key(filling, &path, config, entry, cursor_string(&path), mode);
	} else if (!optional) {
		cleanup_free char *hint = config_key_hint(config, key_text), *shown = cursor_value(&key);

		cursor_add(&key, SEVERITY_ERROR, hint, "references non-existent %s key: %.*s",
			secret ? "secret" : "config", (int)strlen(shown) - 2, shown + 1);
	}
}

/* A ConfigMap or Secret, the name of which is the value of a field. */
static void read_config(
	const struct filling *filling, const struct cursor *at, bool secret, const char *name_field)
{
	struct cursor name = cursor_get(at, name_field), items = cursor_get(at, "items");
	struct cursor flag = cursor_get(at, "optional");
	const char *text = cursor_string(&name);
	bool optional = cursor_bool(&flag, false) || !filling->is_mounted;
	const struct config *config = NULL;

	if (!name.node || (text && !*text))
		cursor_required(&name, NULL);
	else
		config = config_refer(&name, secret, optional, filling->pod);
	for (size_t i = 0; i < cursor_items(&items); i++) {
		struct cursor item = cursor_item(&items, i);

		if (item.node)
			read_item(filling, &item, config, secret, optional);
	}
	for (size_t i = 0; config && !cursor_items(&items) && i < config->n; i++)
		add_key(filling, &name, config, &config->entries[i], config->entries[i].key, filling->mode);
}

static void read_downward_item(const struct filling *filling, const struct cursor *item)
{
	struct cursor path = cursor_get(item, "path"), field = cursor_get(item, "fieldRef");
	struct cursor resource = cursor_get(item, "resourceFieldRef");
	struct cursor what =
		cursor_get(field.node ? &field : &resource, field.node ? "fieldPath" : "resource");
	unsigned int mode = read_mode(item, "mode", filling->mode);
	bool has_path = check_path(&path);
	char *value = NULL;

	if (field.node && resource.node)
		cursor_add(item, SEVERITY_ERROR, NULL,
			"Invalid value: \"resource\": fieldRef and resourceFieldRef can not be specified "
			"simultaneously");
	else if (field.node)
		value = downward_field(&field, true, filling->pod);
	else if (resource.node)
		value = downward_resource(&resource, filling->spec, NULL);
	else
		cursor_add(item, SEVERITY_ERROR, NULL,
			"Required value: one of fieldRef and resourceFieldRef is required");
	if (value && has_path)
		add_entry(filling, &path, cursor_string(&path),
			(struct volume_entry){.data = value,
				.owned = value,
				.size = strlen(value),
				.mode = mode,
				.source = xstrdup(cursor_string(&what))});
	else
		free(value);
}

static void read_downward(const struct filling *filling, const struct cursor *at)
{
	struct cursor items = cursor_get(at, "items");

	for (size_t i = 0; i < cursor_items(&items); i++) {
		struct cursor item = cursor_item(&items, i);

		if (item.node)
			read_downward_item(filling, &item);
	}
}

static void read_source(const struct filling *filling, const struct cursor *at)
{
	const struct field *field = fields_find(&fields_projection, at->key);

	if (field && field->use == USE_SOURCE)
		cursor_add(at, filling->is_mounted ? SEVERITY_ERROR : SEVERITY_WARNING, NULL,
			"known, not supported here: %s", field->note);
	else if (!strcmp(at->key, "configMap"))
		read_config(filling, at, false, "name");
	else if (!strcmp(at->key, "secret"))
		read_config(filling, at, true, "name");
	else if (!strcmp(at->key, "downwardAPI"))
		read_downward(filling, at);
}

/* Two items of one path are a mistake that the API server sees; a key that is also one's name, it doesn't. */
static void check_twins(const struct cursor *items, struct strv *seen)
{
	for (size_t i = 0; i < cursor_items(items); i++) {
		struct cursor item = cursor_item(items, i), at = cursor_get(&item, "path");
		const char *path = cursor_string(&at);
		size_t j = 0;

		if (!path)
			continue;
		while (j < seen->n && strcmp(seen->items[j], path) != 0)
			j++;
		if (j < seen->n)
			cursor_invalid(&at, "conflicting duplicate paths");
		else
			strv_push(seen, xstrdup(path));
	}
}

static void read_projected(const struct filling *filling, const struct cursor *at)
{
	struct cursor sources = cursor_get(at, "sources");
	struct strv seen = {0};

	for (size_t i = 0; i < cursor_items(&sources); i++) {
		struct cursor source = cursor_item(&sources, i);
		size_t n = 0;

		for (size_t j = 0; j < cursor_entries(&source); j++) {
			struct cursor entry = cursor_entry(&source, j), items = cursor_get(&entry, "items");

			entry.bracket = false;
			if (!entry.node)
				continue;
			check_twins(&items, &seen);
			if (++n > 1)
				cursor_forbidden(&entry, "may not specify more than 1 volume type");
			else
				read_source(filling, &entry);
		}
	}
	strv_free(seen.items);
}

void manifest_projection(const struct cursor *source, const struct cursor *spec, const struct pod *pod,
	bool is_mounted, struct volume *volume)
{
	struct filling filling = {
		.volume = volume,
		.spec = spec,
		.pod = pod,
		.is_mounted = is_mounted,
		.mode = read_mode(source, "defaultMode", DEFAULT_MODE),
	};

	if (volume->kind == VOLUME_CONFIG_MAP)
		read_config(&filling, source, false, "name");
	else if (volume->kind == VOLUME_SECRET)
		read_config(&filling, source, true, "secretName");
	else if (volume->kind == VOLUME_DOWNWARD)
		read_downward(&filling, source);
	else
		read_projected(&filling, source);
}
