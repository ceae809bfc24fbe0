/*
 * How to run an image: an OCI image configuration (image-spec/config.md).
 *
 * The record of an image keeps the whole text, so that nothing that it says is lost; what minirun uses is read out of
 * that text each time.
 */
#include "images/config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "images/record.h"

/* What becomes of a field of the "config" object. */
enum use {
	USED,
	NOTED, /* it changes nothing about how a program runs */
	UNUSED, /* it would: told if it says something (law R2) */
};

/* The fields of image-spec/config.md, then those that Docker and podman write besides. */
static const struct {
	const char *name;
	enum use use;
} known[] = {
	{"Entrypoint", USED},
	{"Cmd", USED},
	{"Env", USED},
	{"WorkingDir", USED},
	{"User", USED},
	{"Volumes", USED},
	{"StopSignal", USED},
	{"ExposedPorts", NOTED},
	{"Labels", NOTED},
	{"ArgsEscaped", NOTED},
	{"Memory", UNUSED},
	{"MemorySwap", UNUSED},
	{"CpuShares", UNUSED},
	{"Healthcheck", UNUSED},
	{"Shell", NOTED},
	{"OnBuild", NOTED},
	{"Hostname", NOTED},
	{"Domainname", NOTED},
	{"AttachStdin", NOTED},
	{"AttachStdout", NOTED},
	{"AttachStderr", NOTED},
	{"Tty", NOTED},
	{"OpenStdin", NOTED},
	{"StdinOnce", NOTED},
	{"Image", NOTED},
	{"MacAddress", UNUSED},
	{"NetworkDisabled", UNUSED},
	{"StopTimeout", UNUSED},
};

/* One reading of a configuration. */
struct reading {
	const char *shown;
	enum config_origin origin;
	const struct load_watcher *watcher;
};

void image_config_free(struct image_config *config)
{
	strv_free(config->entrypoint);
	strv_free(config->cmd);
	strv_free(config->env);
	strv_free(config->volumes);
	strv_free(config->exposed_ports);
	strv_free(config->labels);
	free(config->working_dir);
	free(config->user);
	free(config->stop_signal);
	*config = (struct image_config){0};
}

static bool is_empty(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_object:
		return json_object_object_length(value) == 0;
	case json_type_array:
		return json_object_array_length(value) == 0;
	case json_type_string:
		return json_object_get_string_len(value) == 0;
	case json_type_boolean:
	case json_type_int:
	case json_type_double:
		return json_object_get_double(value) == 0;
	case json_type_null:
	default:
		return true;
	}
}

static void tell(const struct reading *reading, const char *field, const char *what)
{
	cleanup_free char *line = NULL;

	if (reading->origin == CONFIG_RECORD || !reading->watcher || !reading->watcher->warn)
		return;
	line = xasprintf("%s: config.%s %s", reading->shown, field, what);
	reading->watcher->warn(reading->watcher->data, line);
}

/* No error: OCI lets tools write what they like. */
static void unknown_field(const struct reading *reading, const char *key)
{
	const char *names[array_length(known)];
	cleanup_free char *safe = text_printable(key, strnlen(key, 100));
	cleanup_free char *field = NULL;
	cleanup_free char *guess = NULL;
	const char *nearest;

	for (size_t i = 0; i < array_length(known); i++)
		names[i] = known[i].name;
	nearest = text_nearest(key, names, array_length(names));
	field = xasprintf("%s:", safe);
	guess = nearest ? xasprintf("unknown field (did you mean %s?)", nearest) : xstrdup("unknown field");
	tell(reading, field, guess);
}

/* Law R2: what is not acted on is named. */
static void check_fields(struct json_object *json, const struct reading *reading)
{
	json_object_object_foreach(json, key, value)
	{
		size_t i = 0;

		while (i < array_length(known) && strcmp(known[i].name, key))
			i++;
		if (i == array_length(known))
			unknown_field(reading, key);
		else if (known[i].use == UNUSED && !is_empty(value))
			tell(reading, key, "is known, not used here");
	}
}

/* Docker starts an image with a variable that has no value; no program gets to see it. */
static int check_env(char **env, const struct reading *reading, struct error *err)
{
	size_t kept = 0;

	for (size_t i = 0; env && env[i]; i++) {
		if (strchr(env[i], '=') && env[i][0] != '=') {
			env[kept++] = env[i];
			continue;
		}
		if (reading->origin == CONFIG_OURS)
			return error_set(err, ERROR_IMAGE, 0, "%s: config.Env[%zu]: must be NAME=VALUE",
				reading->shown, i);
		tell(reading, "Env", "has an entry that is not NAME=VALUE, left out");
		free(env[i]);
	}
	if (env)
		env[kept] = NULL;
	return 0;
}

static int read_lists(struct json_object *json, const struct reading *reading, struct image_config *config,
	struct error *err)
{
	struct {
		const char *key;
		char ***list;
	} lists[] = {{"Entrypoint", &config->entrypoint}, {"Cmd", &config->cmd}, {"Env", &config->env}};

	for (size_t i = 0; i < array_length(lists); i++)
		if (!record_strings(json, lists[i].key, lists[i].list))
			return error_set(err, ERROR_IMAGE, 0, "%s: config.%s: must be a list of strings",
				reading->shown, lists[i].key);
	return check_env(config->env, reading, err);
}

/* An object whose keys are what counts: {"/data": {}}; with values as "KEY=VALUE". */
static int read_map(struct json_object *json, const char *key, bool with_values,
	const struct reading *reading, char ***list, struct error *err)
{
	struct json_object *map;
	struct strv items = {0};

	if (!json_object_object_get_ex(json, key, &map) || is_empty(map))
		return 0;
	if (!json_object_is_type(map, json_type_object))
		return error_set(
			err, ERROR_IMAGE, 0, "%s: config.%s: must be an object", reading->shown, key);
	json_object_object_foreach(map, name, value)
	{
		const char *text = "";

		if (with_values && !record_string(map, name, &text) && value) {
			strv_free(items.items);
			return error_set(err, ERROR_IMAGE, 0, "%s: config.%s: its values must be strings",
				reading->shown, key);
		}
		strv_push(&items, with_values ? xasprintf("%s=%s", name, text) : xstrdup(name));
	}
	*list = items.items;
	return 0;
}

static int read_text(struct json_object *json, const char *key, const struct reading *reading, char **text,
	struct error *err)
{
	struct json_object *member;
	const char *value;

	if (!json_object_object_get_ex(json, key, &member) || is_empty(member))
		return 0;
	if (!record_string(json, key, &value))
		return error_set(err, ERROR_IMAGE, 0, "%s: %s: must be a string", reading->shown, key);
	*text = xstrdup(value);
	return 0;
}

static int read_working_dir(struct json_object *json, const struct reading *reading,
	struct image_config *config, struct error *err)
{
	char *dir;

	if (read_text(json, "WorkingDir", reading, &config->working_dir, err) < 0)
		return -1;
	dir = config->working_dir;
	if (!dir || dir[0] == '/')
		return 0;
	if (reading->origin == CONFIG_OURS)
		return error_set(err, ERROR_IMAGE, 0, "%s: config.WorkingDir: must be an absolute path",
			reading->shown);
	/* Tools that build images take it from the root. */
	config->working_dir = xasprintf("/%s", dir);
	free(dir);
	return 0;
}

static int read_config(struct json_object *json, const struct reading *reading, struct image_config *config,
	struct error *err)
{
	if (!json_object_is_type(json, json_type_object))
		return error_set(err, ERROR_IMAGE, 0, "%s: config: must be an object", reading->shown);
	check_fields(json, reading);
	if (read_lists(json, reading, config, err) < 0 || read_working_dir(json, reading, config, err) < 0 ||
		read_text(json, "User", reading, &config->user, err) < 0 ||
		read_text(json, "StopSignal", reading, &config->stop_signal, err) < 0 ||
		read_map(json, "Volumes", false, reading, &config->volumes, err) < 0 ||
		read_map(json, "ExposedPorts", false, reading, &config->exposed_ports, err) < 0 ||
		read_map(json, "Labels", true, reading, &config->labels, err) < 0)
		return -1;
	return 0;
}

int config_take(struct json_object *json, const char *shown, enum config_origin origin, struct image *image,
	const struct load_watcher *watcher, struct error *err)
{
	const struct reading reading = {shown, origin, watcher};
	struct json_object *config;

	if (json_object_object_get_ex(json, "config", &config) && config &&
		read_config(config, &reading, &image->config, err) < 0)
		return -1;
	if (read_text(json, "created", &reading, &image->created, err) < 0 ||
		read_text(json, "architecture", &reading, &image->architecture, err) < 0 ||
		read_text(json, "variant", &reading, &image->variant, err) < 0)
		return -1;
	image->configuration = xstrdup(json_object_to_json_string_ext(
		json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	return 0;
}

int config_read_file(
	const char *path, struct image *image, const struct load_watcher *watcher, struct error *err)
{
	cleanup_json struct json_object *json = NULL;
	struct json_object *member;

	if (record_read(AT_FDCWD, path, path, &json, err) < 0)
		return -1;
	if (!json_object_object_get_ex(json, "config", &member)) {
		error_set(err, ERROR_IMAGE, 0, "%s has no \"config\" object", path);
		return error_hint(
			err, "it is an OCI image configuration: {\"config\": {\"Cmd\": [\"nginx\"]}}");
	}
	return config_take(json, path, CONFIG_OURS, image, watcher, err);
}
