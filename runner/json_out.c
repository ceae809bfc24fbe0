/* JSON as it is printed. See json_out.h. */
#include "runner/json_out.h"

#include "base/cleanup.h"
#include "base/text.h"

char *json_out_text(struct json_object *object, int flags)
{
	size_t size;
	const char *text =
		json_object_to_json_string_length(object, flags | JSON_C_TO_STRING_NOSLASHESCAPE, &size);

	return text_json(text, size);
}

struct strv json_out_names(struct json_object *object)
{
	struct strv names = {0};

	if (!object)
		return names;
	json_object_object_foreach(object, name, unused)
	{
		(void)unused;
		strv_push(&names, xstrdup(name));
	}
	strv_sort(&names);
	return names;
}

void json_out_print(struct json_object *object, FILE *out)
{
	cleanup_free char *text = json_out_text(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);

	fprintf(out, "%s\n", text);
}
