/*
 * The environment of a container as kubectl describes it: where values come from, and no Secret's.
 *
 * After describeContainerEnvVars, describeContainerEnvFrom and EnvValueRetriever of kubectl's pkg/describe.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/verbs/describe.h"
#include "runner/manifest/quantity.h"

/* Up to three cells of a line; aligned as Go's tabwriter does it, a column being what consecutive lines have. */
struct row {
	char *cells[3];
};

struct rows {
	struct row *items;
	size_t n;
};

/* Takes the cells. */
static void add_row(struct rows *rows, char *first, char *second, char *third)
{
	rows->items = xreallocarray(rows->items, rows->n + 1, sizeof(*rows->items));
	rows->items[rows->n].cells[0] = first;
	rows->items[rows->n].cells[1] = second;
	rows->items[rows->n].cells[2] = third;
	rows->n++;
}

/* How wide the column is in the lines around that one that have it, too; what ends a line has no width. */
static int width_at(const struct rows *rows, size_t row, size_t column)
{
	size_t first = row, width = 0;

	while (first > 0 && rows->items[first - 1].cells[column + 1])
		first--;
	for (size_t i = first; i < rows->n && rows->items[i].cells[column + 1]; i++) {
		const char *cell = rows->items[i].cells[column];
		size_t n = cell ? strlen(cell) : 0;

		width = n > width ? n : width;
	}
	return (int)width + 2;
}

static void print_rows(struct rows *rows, FILE *out)
{
	for (size_t i = 0; i < rows->n; i++) {
		const struct row *row = &rows->items[i];

		fprintf(out, "      ");
		for (size_t c = 0; c < array_length(row->cells) && row->cells[c]; c++) {
			bool last = c + 1 == array_length(row->cells) || !row->cells[c + 1];

			fprintf(out, "%-*s%s", last ? 0 : width_at(rows, i, c), row->cells[c],
				last ? "\n" : "");
		}
	}
	for (size_t i = 0; i < rows->n; i++)
		for (size_t c = 0; c < array_length(rows->items[i].cells); c++)
			free(rows->items[i].cells[c]);
	free(rows->items);
}

static char *optional_text(struct json_object *ref)
{
	return xasprintf(
		"Optional: %s", json_object_get_boolean(json_at(ref, "optional")) ? "true" : "false");
}

/* metadata.name and the like; "" for what is in no object, as a pod's address. */
static const char *field_value(struct json_object *pod, const char *path)
{
	struct json_object *metadata = json_at(pod, "metadata"), *value;
	bool labels = text_starts_with(path, "metadata.labels['");
	cleanup_free char *key = NULL;

	if (!labels && !text_starts_with(path, "metadata.annotations['"))
		return text_starts_with(path, "metadata.") ? text_at(pod, path) : "";
	key = xstrdup(strchr(path, '\'') + 1);
	key[strcspn(key, "'")] = '\0';
	value = json_object_object_get(json_at(metadata, labels ? "labels" : "annotations"), key);
	return value ? json_object_get_string(value) : "";
}

static uint64_t quantity_of(const char *text, bool milli)
{
	bool negative;
	uint64_t value = 0;

	if (milli)
		quantity_parse_milli(text, &negative, &value);
	else
		quantity_parse(text, &negative, &value);
	return value;
}

/* A limit or request of the container itself, in units of the divisor; a limit that isn't there has a name. */
static char *resource_value(struct json_object *spec, struct json_object *ref)
{
	const char *resource = text_at(ref, "resource"), *divisor_text = text_at(ref, "divisor");
	cleanup_free char *path = xasprintf("resources.%s", resource);
	bool milli = text_ends_with(resource, ".cpu");
	uint64_t value = quantity_of(text_at(spec, path), milli), divisor = quantity_of(divisor_text, milli);

	if (!divisor)
		divisor = milli ? 1000 : 1;
	if (!value && (!strcmp(resource, "limits.cpu") || !strcmp(resource, "limits.memory")))
		return xstrdup("node allocatable");
	return xasprintf("%" PRIu64, value / divisor + (value % divisor != 0));
}

static void add_source(struct rows *rows, struct json_object *pod, struct json_object *spec, const char *name,
	struct json_object *from)
{
	struct json_object *field = json_at(from, "fieldRef"), *resource = json_at(from, "resourceFieldRef");
	struct json_object *secret = json_at(from, "secretKeyRef"), *map = json_at(from, "configMapKeyRef");
	char *first = xasprintf("%s:", name);

	if (field) {
		add_row(rows, first,
			xasprintf("%s (%s:%s)", field_value(pod, text_at(field, "fieldPath")),
				text_at(field, "apiVersion"), text_at(field, "fieldPath")),
			NULL);
	} else if (resource) {
		cleanup_free char *value = resource_value(spec, resource);

		add_row(rows, first, xasprintf("%s (%s)", value, text_at(resource, "resource")), NULL);
	} else {
		add_row(rows, first,
			xasprintf("<set to the key '%s' %s '%s'>", text_at(secret ? secret : map, "key"),
				secret ? "in secret" : "of config map",
				text_at(secret ? secret : map, "name")),
			optional_text(secret ? secret : map));
	}
}

static void add_value(struct rows *rows, const char *name, const char *value)
{
	char *first = xasprintf("%s:", name);

	for (;;) {
		size_t n = strcspn(value, "\n");

		add_row(rows, first, xstrndup(value, n), NULL);
		if (!value[n])
			return;
		first = xstrdup("");
		value += n + 1;
	}
}

static void print_from(struct json_object *list, FILE *out)
{
	struct rows rows = {0};
	size_t n = list ? json_object_array_length(list) : 0;

	if (!n)
		return;
	fprintf(out, "    Environment Variables from:\n");
	for (size_t i = 0; i < n; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		struct json_object *map = json_at(item, "configMapRef");
		struct json_object *ref = map ? map : json_at(item, "secretRef");
		const char *prefix = text_at(item, "prefix");

		add_row(&rows, xstrdup(text_at(ref, "name")),
			xasprintf("%s%s%s%s", map ? "ConfigMap" : "Secret", *prefix ? " with prefix '" : "",
				prefix, *prefix ? "'" : ""),
			optional_text(ref));
	}
	print_rows(&rows, out);
}

void describe_environment(struct json_object *pod, struct json_object *spec, FILE *out)
{
	struct json_object *list = json_at(spec, "env");
	size_t n = list ? json_object_array_length(list) : 0;
	struct rows rows = {0};

	print_from(json_at(spec, "envFrom"), out);
	fprintf(out, n ? "    Environment:\n" : "    Environment:    <none>\n");
	for (size_t i = 0; i < n; i++) {
		struct json_object *variable = json_object_array_get_idx(list, i);
		struct json_object *from = json_at(variable, "valueFrom");

		if (from)
			add_source(&rows, pod, spec, text_at(variable, "name"), from);
		else
			add_value(&rows, text_at(variable, "name"), text_at(variable, "value"));
	}
	print_rows(&rows, out);
}
