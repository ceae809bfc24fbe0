/*
 * The environment of a container: envFrom and env.
 *
 * After ValidateEnv and ValidateEnvFrom of pkg/apis/core/validation, and the kubelet's makeEnvironmentVariables: what envFrom
 * brings comes first, in its order; a later name replaces an earlier; a value sees the variables before it, and only what
 * is written in the manifest is expanded. Of a key that can't be had, and is optional, there is no variable. As in
 * Kubernetes since 1.34 each key of a ConfigMap or Secret is a name that a variable may have.
 */
#include "runner/manifest/manifest_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/manifest/names.h"

/* Takes value, and shown and source, which may be NULL. */
static void set_variable(struct string_map *env, const char *name, char *value, char *shown, char *source)
{
	struct string_pair *pair = NULL;

	for (size_t i = 0; i < env->n && !pair; i++)
		if (!strcmp(env->items[i].key, name))
			pair = &env->items[i];
	if (!pair) {
		string_map_add(env, xstrdup(name), value);
		pair = &env->items[env->n - 1];
	} else {
		free(pair->value);
		free(pair->shown);
		free(pair->source);
	}
	pair->value = value;
	pair->shown = shown;
	pair->source = source;
}

/* A variable from a key; at is what is to blame if it can't be one. */
static void set_from_entry(const struct cursor *at, const struct config *config,
	const struct config_entry *entry, const char *name, struct string_map *env)
{
	cleanup_free char *from = xasprintf(
		"%s \"%s\", key \"%s\"", config->secret ? "secret" : "configmap", config->name, entry->key);
	char *shown = NULL;

	if (memchr(entry->data, '\0', entry->size)) {
		cursor_add(at, SEVERITY_ERROR, "mount it as a volume",
			"%s: it holds a NUL byte, which no environment variable can", from);
		return;
	}
	if (strlen(name) + 1 + entry->size > STRING_LIMIT) {
		cursor_add(at, SEVERITY_ERROR, "mount it as a volume",
			"%s: Too long: may not be more than %d bytes in an environment variable", from,
			STRING_LIMIT);
		return;
	}
	if (config->secret)
		shown = xasprintf("<set to the key '%s' in secret '%s'>", entry->key, config->name);
	set_variable(env, name, xstrdup(entry->data), shown,
		xasprintf("%s %s", config->secret ? "secret" : "configmap", config->name));
}

/* configMapKeyRef or secretKeyRef. */
static void read_key(
	const struct cursor *at, bool secret, const char *name, const struct pod *pod, struct string_map *env)
{
	struct cursor ref = cursor_get(at, "name"), key = cursor_get(at, "key");
	struct cursor optional = cursor_get(at, "optional");
	const char *key_text = cursor_string(&key), *ref_text = cursor_string(&ref);
	bool good = key_text && *key_text && names_check_config_key(&key);
	const struct config_entry *entry;
	const struct config *config;

	if (!ref.node || (ref_text && !*ref_text))
		cursor_required(&ref, NULL);
	else
		good = names_check_subdomain(&ref) && good;
	if (!key.node || (key_text && !*key_text))
		cursor_required(&key, NULL);
	if (!good)
		return;
	config = config_refer(&ref, secret, cursor_bool(&optional, false), pod);
	if (!config)
		return;
	entry = config_find_entry(config, key_text);
	if (entry && !entry->binary) {
		set_from_entry(&key, config, entry, name, env);
	} else if (!cursor_bool(&optional, false)) {
		cleanup_free char *hint = entry ? xstrdup("it is binary: mount it as a volume")
						: config_key_hint(config, key_text);

		cursor_add(&key, SEVERITY_ERROR, hint, "couldn't find key %s in %s %s/%s", key_text,
			secret ? "Secret" : "ConfigMap", pod->namespace, config->name);
	}
}

static void read_value_from(const struct cursor *spec, const struct cursor *container,
	const struct cursor *at, const char *name, const struct pod *pod, struct string_map *env)
{
	struct cursor from = cursor_get(at, "valueFrom"), value = cursor_get(at, "value");
	struct cursor field = cursor_get(&from, "fieldRef"), resource = cursor_get(&from, "resourceFieldRef");
	struct cursor map = cursor_get(&from, "configMapKeyRef"), secret = cursor_get(&from, "secretKeyRef");
	struct cursor file = cursor_get(&from, "fileKeyRef");
	const char *text = cursor_string(&value);
	int sources = !!field.node + !!resource.node + !!map.node + !!secret.node + !!file.node;
	char *got = NULL;

	if (text && *text && sources)
		cursor_add(&from, SEVERITY_ERROR, NULL,
			"Invalid value: \"\": may not be specified when `value` is not empty");
	else if (sources > 1)
		cursor_add(&from, SEVERITY_ERROR, NULL,
			"Invalid value: \"\": may not have more than one field specified at a time");
	else if (!sources && from.node->kind == NODE_MAP && !from.node->n)
		cursor_add(&from, SEVERITY_ERROR, NULL,
			"Invalid value: \"\": must specify one of: `fieldRef`, `resourceFieldRef`, "
			"`configMapKeyRef`, `secretKeyRef` or `fileKeyRef`");
	else if (field.node)
		got = downward_field(&field, false, pod);
	else if (resource.node)
		got = downward_resource(&resource, spec, container);
	else if (map.node)
		read_key(&map, false, name, pod, env);
	else if (secret.node)
		read_key(&secret, true, name, pod, env);
	if (got) {
		struct cursor what =
			cursor_get(field.node ? &field : &resource, field.node ? "fieldPath" : "resource");

		set_variable(env, name, got, NULL, xstrdup(cursor_string(&what)));
	}
}

/* An item of envFrom: configMapRef or secretRef. */
static void read_from(const struct cursor *at, const struct pod *pod, struct string_map *env)
{
	struct cursor map = cursor_get(at, "configMapRef"), secret = cursor_get(at, "secretRef");
	struct cursor prefix = cursor_get(at, "prefix");
	struct cursor ref = cursor_get(secret.node ? &secret : &map, "name");
	struct cursor optional = cursor_get(secret.node ? &secret : &map, "optional");
	const char *before = cursor_string(&prefix), *text = cursor_string(&ref);
	const struct config *config;

	if (before && *before)
		names_check_environment(&prefix);
	if (!map.node == !secret.node) {
		cursor_add(at, SEVERITY_ERROR, NULL, "Invalid value: \"\": %s",
			map.node ? "may not have more than one field specified at a time"
				 : "must specify one of: `configMapRef` or `secretRef`");
		return;
	}
	if (!ref.node || (text && !*text))
		cursor_required(&ref, NULL);
	else if (!names_check_subdomain(&ref))
		return;
	config = config_refer(&ref, secret.node != NULL, cursor_bool(&optional, false), pod);
	for (size_t i = 0; config && i < config->n; i++) {
		cleanup_free char *name = xasprintf("%s%s", before ? before : "", config->entries[i].key);

		if (!config->entries[i].binary)
			set_from_entry(&ref, config, &config->entries[i], name, env);
	}
}

void manifest_environment(const struct cursor *spec, const struct cursor *container, const struct pod *pod,
	struct string_map *env)
{
	struct cursor from = cursor_get(container, "envFrom"), list = cursor_get(container, "env");

	for (size_t i = 0; i < cursor_items(&from); i++) {
		struct cursor item = cursor_item(&from, i);

		if (item.node && item.node->kind == NODE_MAP)
			read_from(&item, pod, env);
	}
	for (size_t i = 0; i < cursor_items(&list); i++) {
		struct cursor item = cursor_item(&list, i), source = cursor_get(&item, "valueFrom");
		struct cursor name = cursor_get(&item, "name"), value = cursor_get(&item, "value");
		const char *text = cursor_string(&name);
		char *shown = NULL, *expanded;

		if (!name.node || (text && !*text))
			cursor_required(&name, NULL);
		else
			names_check_environment(&name);
		if (source.node) {
			read_value_from(spec, container, &item, text ? text : "", pod, env);
			continue;
		}
		expanded = manifest_expand(&value, env, &shown);
		if (text && *text && expanded) {
			set_variable(env, text, expanded, shown, NULL);
			continue;
		}
		free(expanded);
		free(shown);
	}
}
