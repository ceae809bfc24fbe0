/* Lists of names, and JSON documents as the writer of profiles handles them. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "security/profile_parts.h"

bool names_have(char *const *names, const char *name)
{
	for (; names && *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

void names_add(struct strv *names, const char *name)
{
	if (!names_have(names->items, name))
		strv_push(names, xstrdup(name));
}

void names_drop(struct strv *names, char *const *without)
{
	size_t kept = 0;

	for (size_t i = 0; i < names->n; i++) {
		if (names_have(without, names->items[i]))
			free(names->items[i]);
		else
			names->items[kept++] = names->items[i];
	}
	names->n = kept;
	if (names->items)
		names->items[kept] = NULL;
}

struct json_object *doc_parse(const char *text, size_t size)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object = json_tokener_parse_ex(tokener, text, (int)size);

	json_tokener_free(tokener);
	return object;
}

const char *doc_text(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) && json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : "";
}

struct json_object *doc_list(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) && json_object_is_type(value, json_type_array)
		       ? value
		       : NULL;
}

void doc_put_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

struct json_object *doc_strings(char *const *items)
{
	struct json_object *list = json_object_new_array();

	for (; items && *items; items++)
		json_object_array_add(list, json_object_new_string(*items));
	return list;
}

char *doc_print(struct json_object *object)
{
	return xasprintf("%s\n",
		json_object_to_json_string_ext(object,
			JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
}
