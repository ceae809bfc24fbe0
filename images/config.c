/* How to run an image: the "config" object of an OCI image configuration. */
#include "images/config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "images/record.h"

/* The fields of image-spec/config.md, then those that Docker writes besides. Only the first four do something here. */
static const char *const known[] = {"Entrypoint", "Cmd", "Env", "WorkingDir", "User", "ExposedPorts",
	"Volumes", "Labels", "StopSignal", "ArgsEscaped", "Memory", "MemorySwap", "CpuShares", "Healthcheck",
	"Shell", "OnBuild", "Hostname", "Domainname", "AttachStdin", "AttachStdout", "AttachStderr", "Tty",
	"OpenStdin", "StdinOnce", "Image", "MacAddress", "NetworkDisabled", "StopTimeout"};
#define N_USED 4

void image_config_free(struct image_config *config)
{
	strv_free(config->entrypoint);
	strv_free(config->cmd);
	strv_free(config->env);
	free(config->working_dir);
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

/* Law R2: what is not acted on is named, and what nobody knows is refused. */
static int check_fields(
	struct json_object *json, const char *shown, const struct load_watcher *watcher, struct error *err)
{
	json_object_object_foreach(json, key, value)
	{
		size_t i = 0;

		while (i < array_length(known) && strcmp(known[i], key))
			i++;
		if (i == array_length(known)) {
			cleanup_free char *safe = text_printable(key, strnlen(key, 100));
			const char *nearest = text_nearest(key, known, array_length(known));

			error_set(err, ERROR_IMAGE, 0, "%s: config.%s: unknown field", shown, safe);
			return nearest ? error_hint(err, "did you mean %s?", nearest) : -1;
		}
		if (i >= N_USED && watcher && watcher->warn && !is_empty(value)) {
			cleanup_free char *line =
				xasprintf("%s: config.%s is known, not used here", shown, key);

			watcher->warn(watcher->data, line);
		}
	}
	return 0;
}

static int check_env(char *const *env, const char *shown, struct error *err)
{
	for (size_t i = 0; env && env[i]; i++)
		if (!strchr(env[i], '=') || env[i][0] == '=')
			return error_set(
				err, ERROR_IMAGE, 0, "%s: config.Env[%zu]: must be NAME=VALUE", shown, i);
	return 0;
}

static int read_lists(
	struct json_object *json, const char *shown, struct image_config *config, struct error *err)
{
	struct {
		const char *key;
		char ***list;
	} lists[] = {{"Entrypoint", &config->entrypoint}, {"Cmd", &config->cmd}, {"Env", &config->env}};

	for (size_t i = 0; i < array_length(lists); i++)
		if (!record_strings(json, lists[i].key, lists[i].list))
			return error_set(err, ERROR_IMAGE, 0, "%s: config.%s: must be a list of strings",
				shown, lists[i].key);
	return check_env(config->env, shown, err);
}

static int read_working_dir(
	struct json_object *json, const char *shown, struct image_config *config, struct error *err)
{
	struct json_object *member;
	const char *dir = NULL;

	if (!json_object_object_get_ex(json, "WorkingDir", &member) || is_empty(member))
		return 0;
	if (!record_string(json, "WorkingDir", &dir) || dir[0] != '/')
		return error_set(
			err, ERROR_IMAGE, 0, "%s: config.WorkingDir: must be an absolute path", shown);
	config->working_dir = xstrdup(dir);
	return 0;
}

int config_from_json(struct json_object *json, const char *shown, struct image_config *config,
	const struct load_watcher *watcher, struct error *err)
{
	*config = (struct image_config){0};
	if (!json_object_is_type(json, json_type_object))
		return error_set(err, ERROR_IMAGE, 0, "%s: config: must be an object", shown);
	if (check_fields(json, shown, watcher, err) == 0 && read_lists(json, shown, config, err) == 0 &&
		read_working_dir(json, shown, config, err) == 0)
		return 0;
	image_config_free(config);
	return -1;
}

int config_read_file(
	const char *path, struct image_config *config, const struct load_watcher *watcher, struct error *err)
{
	cleanup_json struct json_object *json = NULL;
	struct json_object *member;

	*config = (struct image_config){0};
	if (record_read(AT_FDCWD, path, path, &json, err) < 0)
		return -1;
	if (!json_object_object_get_ex(json, "config", &member)) {
		error_set(err, ERROR_IMAGE, 0, "%s has no \"config\" object", path);
		return error_hint(
			err, "it is an OCI image configuration: {\"config\": {\"Cmd\": [\"nginx\"]}}");
	}
	return config_from_json(member, path, config, watcher, err);
}

struct json_object *config_to_json(const struct image_config *config)
{
	struct json_object *json = json_object_new_object();

	record_add_strings(json, "Entrypoint", config->entrypoint);
	record_add_strings(json, "Cmd", config->cmd);
	record_add_strings(json, "Env", config->env);
	if (config->working_dir)
		json_object_object_add(json, "WorkingDir", json_object_new_string(config->working_dir));
	return json;
}
