/* Images of the store as people and tools get to see them. */
#include "runner/image_text.h"

#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/json_out.h"

#define SHORT_DIGEST 19 /* "sha256:" and twelve digits */
#define LABEL_WIDTH  13

const char *image_grouped(uint64_t n, char *buffer, size_t size)
{
	char digits[32];
	int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
	size_t used = 0;

	for (int i = 0; i < length && used + 2 < size; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			buffer[used++] = ',';
		buffer[used++] = digits[i];
	}
	buffer[used] = '\0';
	return buffer;
}

/* As kubectl's AGE, the largest unit alone. Returns buffer. */
static const char *age(time_t since, char *buffer, size_t size)
{
	long long seconds = (long long)time(NULL) - (long long)since;

	if (seconds < 0)
		seconds = 0;
	if (seconds < 120)
		snprintf(buffer, size, "%llds", seconds);
	else if (seconds < 120LL * 60)
		snprintf(buffer, size, "%lldm", seconds / 60);
	else if (seconds < 48LL * 3600)
		snprintf(buffer, size, "%lldh", seconds / 3600);
	else
		snprintf(buffer, size, "%lldd", seconds / 86400);
	return buffer;
}

static size_t count(char *const *strings)
{
	size_t n = 0;

	while (strings && strings[n])
		n++;
	return n;
}

static struct json_object *strings_to_json(char *const *strings)
{
	struct json_object *array;

	if (!strings)
		return NULL;
	array = json_object_new_array();
	for (; *strings; strings++)
		json_object_array_add(array, json_object_new_string(*strings));
	return array;
}

static void add_string(struct json_object *json, const char *key, const char *string)
{
	json_object_object_add(json, key, string ? json_object_new_string(string) : NULL);
}

static const char *moment(time_t when, char *buffer, size_t size)
{
	struct tm tm;

	strftime(buffer, size, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&when, &tm));
	return buffer;
}

struct json_object *image_to_json(const struct image *image)
{
	struct json_object *json = json_object_new_object();
	struct json_object *config = json_object_new_object();
	char when[32];

	add_string(json, "name", image->name);
	if (image->others)
		json_object_object_add(json, "otherNames", strings_to_json(image->others));
	add_string(json, "digest", image->digest);
	json_object_object_add(json, "size", json_object_new_uint64(image->size));
	json_object_object_add(json, "entries", json_object_new_uint64(image->entries));
	add_string(json, "loaded", moment(image->loaded, when, sizeof(when)));
	add_string(json, "origin", image_origin_name(image->origin));
	json_object_object_add(json, "layers", strings_to_json(image->layers));
	json_object_object_add(config, "Entrypoint", strings_to_json(image->config.entrypoint));
	json_object_object_add(config, "Cmd", strings_to_json(image->config.cmd));
	json_object_object_add(config, "Env", strings_to_json(image->config.env));
	json_object_object_add(config, "Volumes", strings_to_json(image->config.volumes));
	add_string(config, "WorkingDir", image->config.working_dir);
	add_string(config, "User", image->config.user);
	add_string(config, "StopSignal", image->config.stop_signal);
	json_object_object_add(json, "config", config);
	return json;
}

struct json_object *image_details_to_json(const struct image *image)
{
	struct json_object *json = image_to_json(image);

	add_string(json, "index", image->index);
	add_string(json, "created", image->created);
	add_string(json, "architecture", image->architecture);
	add_string(json, "variant", image->variant);
	json_object_object_add(json, "configuration",
		image->configuration ? json_tokener_parse(image->configuration) : NULL);
	return json;
}

void image_print_table(const struct image *images, size_t n, FILE *out)
{
	size_t width = strlen("NAME");

	for (size_t i = 0; i < n; i++)
		if (strlen(images[i].name) > width)
			width = strlen(images[i].name);
	fprintf(out, "%-*s   %-*s   %-8s   %-6s   %-6s   %s\n", (int)width, "NAME", SHORT_DIGEST, "DIGEST",
		"SIZE", "LAYERS", "ORIGIN", "AGE");
	for (size_t i = 0; i < n; i++) {
		const char *origin = image_origin_name(images[i].origin);
		char size[32], since[32];

		fprintf(out, "%-*s   %-*.*s   %-8s   %-6zu   %-6s   %s\n", (int)width, images[i].name,
			SHORT_DIGEST, SHORT_DIGEST, images[i].digest,
			text_size(images[i].size, size, sizeof(size)), count(images[i].layers),
			origin ? origin : "-", age(images[i].loaded, since, sizeof(since)));
	}
}

void image_print_line(const struct image *image, FILE *out)
{
	char size[32], entries[32];

	fprintf(out, "%s  %s  %s entries  %s\n", image->name, text_size(image->size, size, sizeof(size)),
		image_grouped(image->entries, entries, sizeof(entries)), image->digest);
}

/* "NAME  VALUE", the name only before the first of several. */
static void print_field(const char *name, const char *value, FILE *out)
{
	cleanup_free char *safe = text_printable(value, strlen(value));

	fprintf(out, "  %-*s %s\n", LABEL_WIDTH, name, safe);
}

static void print_fields(const char *name, char *const *values, FILE *out)
{
	for (char *const *value = values; value && *value; value++)
		print_field(value == values ? name : "", *value, out);
}

static void print_optional(const char *name, const char *value, FILE *out)
{
	if (value)
		print_field(name, value, out);
}

/* A list of words on one line, as JSON, so that one can tell where a word ends. */
static void print_words(const char *name, char *const *words, FILE *out)
{
	struct json_object *list = strings_to_json(words);

	if (list)
		print_field(name, json_object_to_json_string_ext(list, JSON_C_TO_STRING_NOSLASHESCAPE), out);
	json_object_put(list);
}

static const char *const origins[] = {
	[IMAGE_ORIGIN_UNKNOWN] = "not written down by the minirun that stored it",
	[IMAGE_LOADED] = "loaded from a file or folder",
	[IMAGE_PULLED] = "pulled from its registry",
};

void image_print_details(const struct image *image, FILE *out)
{
	const struct image_config *config = &image->config;
	cleanup_free char *platform = NULL;
	char size[32], entries[32], when[32], since[32];

	fprintf(out, "%s\n", image->name);
	print_field("digest", image->digest, out);
	print_optional("of the index", image->index, out);
	fprintf(out, "  %-*s %s in %s entries\n", LABEL_WIDTH, "size",
		text_size(image->size, size, sizeof(size)),
		image_grouped(image->entries, entries, sizeof(entries)));
	fprintf(out, "  %-*s %s, %s ago\n", LABEL_WIDTH, "stored", moment(image->loaded, when, sizeof(when)),
		age(image->loaded, since, sizeof(since)));
	print_field("origin", origins[image->origin], out);
	print_optional("created", image->created, out);
	if (image->architecture)
		platform = xasprintf("%s%s%s", image->architecture, image->variant ? "/" : "",
			image->variant ? image->variant : "");
	print_optional("platform", platform, out);
	print_words("Entrypoint", config->entrypoint, out);
	print_words("Cmd", config->cmd, out);
	print_fields("Env", config->env, out);
	print_optional("WorkingDir", config->working_dir, out);
	print_optional("User", config->user, out);
	print_fields("Volumes", config->volumes, out);
	print_optional("StopSignal", config->stop_signal, out);
	print_fields("ExposedPorts", config->exposed_ports, out);
	print_fields("Labels", config->labels, out);
	print_fields("layers", image->layers, out);
}

void image_print_json(struct json_object *json)
{
	json_out_print(json, stdout);
	json_object_put(json);
}
