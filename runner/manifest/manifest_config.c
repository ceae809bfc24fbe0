/*
 * The ConfigMaps and Secrets of a manifest.
 *
 * After ValidateConfigMap and ValidateSecret of pkg/apis/core/validation, IsConfigMapKey of apimachinery's validation.go, and
 * the conversion of stringData (pkg/apis/core/v1/conversion.go). No value of a Secret gets into a message.
 */
#include "runner/manifest/manifest_parts.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/manifest/fields.h"
#include "runner/manifest/names.h"

#define CONFIG_LIMIT (1024UL * 1024) /* bytes of all values: MaxSecretSize */

void config_free(struct config *config)
{
	free(config->name);
	free(config->namespace);
	for (size_t i = 0; i < config->n; i++) {
		free(config->entries[i].key);
		free(config->entries[i].data);
	}
	free(config->entries);
}

const struct config_entry *config_find_entry(const struct config *config, const char *key)
{
	for (size_t i = 0; i < config->n; i++)
		if (!strcmp(config->entries[i].key, key))
			return &config->entries[i];
	return NULL;
}

/* Adds an entry, which then owns data; one of that key that is there goes. */
static void put_entry(struct config *config, const char *key, char *data, size_t size, bool binary)
{
	struct config_entry *entry = NULL;

	for (size_t i = 0; i < config->n && !entry; i++)
		if (!strcmp(config->entries[i].key, key))
			entry = &config->entries[i];
	if (entry) {
		free(entry->data);
		entry->data = data;
		entry->size = size;
		return;
	}
	config->entries = xreallocarray(config->entries, config->n + 1, sizeof(*config->entries));
	config->entries[config->n++] = (struct config_entry){xstrdup(key), data, size, binary};
}

/* The bytes of a value in base64; NULL, and a finding, if they can't be read. A null is empty. */
static char *decode(const struct cursor *at, size_t *size)
{
	const char *text = cursor_string(at);
	size_t wrong;
	char *data;

	if (base64_decode(text ? text : "", &data, size, &wrong) == 0)
		return data;
	cursor_add(at, SEVERITY_ERROR,
		at->secret ? "`base64 -w0` encodes it; a plain text belongs into stringData"
			   : "`base64 -w0` encodes it; a plain text belongs into data",
		"Invalid value: illegal base64 data at input byte %zu", wrong);
	return NULL;
}

static void read_values(const struct cursor *object, const char *field, bool base64, struct config *config)
{
	struct cursor map = cursor_get(object, field);

	map.secret = config->secret;
	for (size_t i = 0; i < cursor_entries(&map); i++) {
		struct cursor entry = cursor_entry(&map, i);
		const char *text = cursor_string(&entry);
		bool twice = !config->secret && config_find_entry(config, entry.key);
		size_t size = text ? strlen(text) : 0;
		char *data;

		names_check_config_key(&entry);
		if (twice)
			cursor_add(&entry, SEVERITY_ERROR, NULL,
				"Invalid value: \"%s\": duplicate of key present in data", entry.key);
		data = base64 ? decode(&entry, &size) : xstrdup(text ? text : "");
		if (data)
			put_entry(config, entry.key, data, size, base64 && !config->secret);
	}
}

static void check_size(const struct cursor *object, const struct config *config)
{
	struct cursor data = cursor_get(object, "data");
	size_t total = 0;

	for (size_t i = 0; i < config->n; i++)
		total += config->entries[i].size;
	if (total > CONFIG_LIMIT)
		cursor_add(config->secret ? &data : object, SEVERITY_ERROR, NULL,
			"Too long: may not be more than %lu bytes", CONFIG_LIMIT);
}

static bool is_json(const struct config_entry *entry)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object =
		tokener ? json_tokener_parse_ex(tokener, entry->data, (int)entry->size + 1) : NULL;
	bool good = object != NULL;

	json_object_put(object);
	if (tokener)
		json_tokener_free(tokener);
	return good;
}

/* What each type of Secret must have. */
static const struct {
	const char *type;
	const char *keys[2];
	enum { ALL, ONE_OF_THEM, AS_JSON, NOT_EMPTY } needs;
} secret_types[] = {
	{"kubernetes.io/dockercfg", {".dockercfg"}, AS_JSON},
	{"kubernetes.io/dockerconfigjson", {".dockerconfigjson"}, AS_JSON},
	{"kubernetes.io/basic-auth", {"username", "password"}, ONE_OF_THEM},
	{"kubernetes.io/ssh-auth", {"ssh-privatekey"}, NOT_EMPTY},
	{"kubernetes.io/tls", {"tls.crt", "tls.key"}, ALL},
};

static void check_keys(const struct cursor *object, const struct config *config, size_t type)
{
	struct cursor data = cursor_get(object, "data");
	const char *const *keys = secret_types[type].keys;

	if (secret_types[type].needs == ONE_OF_THEM &&
		(config_find_entry(config, keys[0]) || config_find_entry(config, keys[1])))
		return;
	for (size_t i = 0; i < array_length(secret_types[type].keys) && keys[i]; i++) {
		const struct config_entry *entry = config_find_entry(config, keys[i]);
		struct cursor at = cursor_get(&data, keys[i]);

		at.bracket = true;
		if (!entry || (secret_types[type].needs == NOT_EMPTY && !entry->size))
			cursor_add(&at, SEVERITY_ERROR, NULL, "Required value");
		else if (secret_types[type].needs == AS_JSON && !is_json(entry))
			cursor_add(&at, SEVERITY_ERROR, NULL,
				"Invalid value: \"<secret contents redacted>\": it is no JSON");
	}
}

static void check_type(const struct cursor *object, const struct config *config)
{
	static const char account[] = "kubernetes.io/service-account.name";
	struct cursor type = cursor_get(object, "type"), metadata = cursor_get(object, "metadata");
	struct cursor annotations = cursor_get(&metadata, "annotations"),
		      annotation = cursor_get(&annotations, account);
	const char *text = cursor_string(&type), *name = cursor_string(&annotation);

	if (!text)
		return;
	annotation.bracket = true;
	if (!strcmp(text, "kubernetes.io/service-account-token") && (!name || !*name))
		cursor_add(&annotation, SEVERITY_ERROR, NULL, "Required value");
	for (size_t i = 0; i < array_length(secret_types); i++)
		if (!strcmp(text, secret_types[i].type))
			check_keys(object, config, i);
}

/* kubectl would let the second one win, which nobody writes down on purpose. */
static void check_twin(const struct cursor *object, const struct pod *pod, const struct config *config)
{
	struct cursor metadata = cursor_get(object, "metadata"), name = cursor_get(&metadata, "name");

	for (size_t i = 0; i < pod->n_configs; i++) {
		const struct config *other = &pod->configs[i];

		if (other->secret == config->secret && *config->name && !strcmp(other->name, config->name) &&
			!strcmp(other->namespace, config->namespace))
			cursor_add(&name, SEVERITY_ERROR, NULL,
				"Duplicate value: \"%s\": the file has a %s of that name on line %u already",
				config->name, config->secret ? "Secret" : "ConfigMap", other->line);
	}
}

void manifest_config(const struct cursor *object, bool secret, struct pod *pod)
{
	struct config config = {.secret = secret, .line = object->node->line};

	fields_check(object, secret ? &fields_secret : &fields_config_map);
	manifest_metadata(object, pod->namespace_asked, &config.name, &config.namespace);
	read_values(object, "data", secret, &config);
	if (secret)
		read_values(object, "stringData", false, &config);
	else
		read_values(object, "binaryData", true, &config);
	check_size(object, &config);
	if (secret)
		check_type(object, &config);
	check_twin(object, pod, &config);
	pod->configs = xreallocarray(pod->configs, pod->n_configs + 1, sizeof(*pod->configs));
	pod->configs[pod->n_configs++] = config;
}

/* What to do about a reference to something that the file lacks. To be freed. */
static char *missing_hint(const struct pod *pod, bool secret, const char *name)
{
	const char *kind = secret ? "Secret" : "ConfigMap";
	cleanup_free const char **names = xcalloc(pod->n_configs, sizeof(*names));
	const char *nearest;
	size_t n = 0;

	for (size_t i = 0; i < pod->n_configs; i++) {
		const struct config *config = &pod->configs[i];

		if (config->secret != secret)
			continue;
		if (!strcmp(config->name, name))
			return xasprintf("the %s on line %u is in namespace \"%s\", the Pod in \"%s\"", kind,
				config->line, config->namespace, pod->namespace);
		names[n++] = config->name;
	}
	nearest = text_nearest(name, names, n);
	if (nearest)
		return xasprintf("did you mean \"%s\"?", nearest);
	return xasprintf(
		"put the %s into this file, as a document of its own, or say optional: true here", kind);
}

const struct config *config_refer(
	const struct cursor *name, bool secret, bool optional, const struct pod *pod)
{
	const char *text = cursor_string(name);
	cleanup_free char *hint = NULL, *shown = NULL;

	if (!text || !*text)
		return NULL;
	for (size_t i = 0; i < pod->n_configs; i++)
		if (pod->configs[i].secret == secret && !strcmp(pod->configs[i].name, text) &&
			!strcmp(pod->configs[i].namespace, pod->namespace))
			return &pod->configs[i];
	if (optional)
		return NULL;
	hint = missing_hint(pod, secret, text);
	shown = cursor_value(name);
	cursor_add(name, SEVERITY_ERROR, hint, "%s %s not found", secret ? "secret" : "configmap", shown);
	return NULL;
}

char *config_key_hint(const struct config *config, const char *key)
{
	cleanup_free const char **names = xcalloc(config->n, sizeof(*names));
	const char *nearest;
	char *list = NULL;

	for (size_t i = 0; i < config->n; i++)
		names[i] = config->entries[i].key;
	nearest = text_nearest(key, names, config->n);
	if (nearest)
		return xasprintf("did you mean \"%s\"?", nearest);
	if (!config->n)
		return xasprintf("it has no keys: it is on line %u", config->line);
	for (size_t i = 0; i < config->n && i < 8; i++) {
		char *longer = xasprintf("%s%s%s", list ? list : "it has ", list ? ", " : "", names[i]);

		free(list);
		list = longer;
	}
	return list;
}
