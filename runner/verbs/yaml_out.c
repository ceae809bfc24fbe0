/* JSON as YAML. See yaml_out.h. */
#include "runner/verbs/yaml_out.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/json_out.h"

/* Whether it can stand without quotes and be read back as the same string, by YAML 1.1 and 1.2 alike. */
static bool is_plain(const char *text)
{
	static const char *const words[] = {
		"true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"};

	if (!isalpha((unsigned char)text[0]) && text[0] != '/' && text[0] != '<')
		return false;
	for (size_t i = 0; i < array_length(words); i++)
		if (!strcasecmp(text, words[i]))
			return false;
	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._/-+=()[]<>@%^*,; '\"", *p) &&
			!(*p == ':' && p[1] && p[1] != ' '))
			return false;
	return text[strlen(text) - 1] != ' ';
}

static void print_scalar(struct json_object *object, FILE *out)
{
	cleanup_free char *quoted = object ? json_out_text(object, JSON_C_TO_STRING_PLAIN) : xstrdup("null");

	if (json_object_is_type(object, json_type_string) && is_plain(json_object_get_string(object)))
		fprintf(out, "%s\n", json_object_get_string(object));
	else
		fprintf(out, "%s\n", quoted);
}

static void print(struct json_object *object, int indent, bool in_list, FILE *out);

static void print_map(struct json_object *object, int indent, bool in_list, FILE *out)
{
	struct strv names = json_out_names(object);

	for (size_t i = 0; i < names.n; i++) {
		struct json_object *value = json_object_object_get(object, names.items[i]);

		fprintf(out, "%*s%s:", in_list && i == 0 ? 0 : indent, "", names.items[i]);
		print(value, json_object_is_type(value, json_type_array) ? indent : indent + 2, false, out);
	}
	strv_free(names.items);
}

/* What follows "key:" or "-". In a list the first key stands beside the dash. */
static void print(struct json_object *object, int indent, bool in_list, FILE *out)
{
	bool map = json_object_is_type(object, json_type_object);
	bool list = json_object_is_type(object, json_type_array);

	if (map && json_object_object_length(object)) {
		fputs(in_list ? " " : "\n", out);
		print_map(object, indent, in_list, out);
	} else if (list && json_object_array_length(object)) {
		fputs("\n", out);
		for (size_t i = 0; i < json_object_array_length(object); i++) {
			fprintf(out, "%*s-", indent, "");
			print(json_object_array_get_idx(object, i), indent + 2, true, out);
		}
	} else if (map || list) {
		fputs(map ? " {}\n" : " []\n", out);
	} else {
		fputs(" ", out);
		print_scalar(object, out);
	}
}

void yaml_print(struct json_object *object, FILE *out)
{
	print_map(object, 0, false, out);
}
