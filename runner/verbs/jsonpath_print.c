/* Printing a JSONPath template. See jsonpath.h. */
#include "runner/verbs/jsonpath.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/json_out.h"

/* A copy whose keys are in order, as Go writes them. */
static struct json_object *in_order(struct json_object *value)
{
	struct json_object *copy;
	struct strv names;

	if (json_object_is_type(value, json_type_array)) {
		copy = json_object_new_array();
		for (size_t i = 0; i < json_object_array_length(value); i++)
			json_object_array_add(copy, in_order(json_object_array_get_idx(value, i)));
		return copy;
	}
	if (!json_object_is_type(value, json_type_object))
		return json_object_get(value);
	names = json_out_names(value);
	copy = json_object_new_object();
	for (size_t i = 0; i < names.n; i++)
		json_object_object_add(
			copy, names.items[i], in_order(json_object_object_get(value, names.items[i])));
	strv_free(names.items);
	return copy;
}

char *jsonpath_text(struct json_object *value)
{
	struct json_object *copy;
	char *text;

	if (!value)
		return xstrdup("<nil>");
	if (!json_object_is_type(value, json_type_object) && !json_object_is_type(value, json_type_array))
		return xstrdup(json_object_get_string(value));
	copy = in_order(value);
	text = json_out_text(copy, JSON_C_TO_STRING_PLAIN);
	json_object_put(copy);
	return text;
}

/* A string is what a script asked for, byte by byte; a terminal gets nothing that it would act on. */
static void print_values(const struct jsonpath_values *values, FILE *out)
{
	bool shown = isatty(fileno(out));

	for (size_t i = 0; i < values->n; i++) {
		cleanup_free char *text = jsonpath_text(values->items[i]);
		cleanup_free char *safe = shown ? text_printable(text, strlen(text)) : NULL;

		fprintf(out, "%s%s", i ? " " : "", safe ? safe : text);
	}
}

static bool begins_with(const struct jsonpath_path *path, enum jsonpath_kind kind)
{
	return path->n && path->steps[0].kind == kind;
}

/* Where the {end} of the {range} at index stands, or the end of all. */
static size_t end_of(const struct jsonpath *jsonpath, size_t index)
{
	size_t depth = 0;

	for (; index < jsonpath->n; index++) {
		depth += begins_with(&jsonpath->paths[index], JSONPATH_RANGE);
		if (begins_with(&jsonpath->paths[index], JSONPATH_END) && --depth == 0)
			return index;
	}
	return index;
}

/* What one template is printed of and to. */
struct printing {
	const struct jsonpath *jsonpath;
	size_t seen; /* values */
	FILE *out;
	struct error *err;
};

/* The paths from..to, of the object at hand. As deep as ranges stand in ranges, which the parser bounds. */
static int print_paths(struct printing *printing, size_t from, size_t to, struct json_object *at)
{
	int result = 0;

	for (size_t i = from; i < to && result == 0; i++) {
		const struct jsonpath_path *path = &printing->jsonpath->paths[i];
		struct jsonpath_values values;

		result = jsonpath_eval(path, at, &printing->seen, &values, printing->err);
		if (result == 0 && begins_with(path, JSONPATH_RANGE)) {
			size_t end = end_of(printing->jsonpath, i);

			for (size_t j = 0; j < values.n && result == 0; j++)
				result = print_paths(printing, i + 1, end, values.items[j]);
			i = end;
		} else if (result == 0) {
			print_values(&values, printing->out);
		}
		free(values.items);
	}
	return result;
}

int jsonpath_print(const struct jsonpath *jsonpath, struct json_object *object, FILE *out, struct error *err)
{
	struct printing printing = {.jsonpath = jsonpath, .out = out, .err = err};

	return print_paths(&printing, 0, jsonpath->n, object);
}
