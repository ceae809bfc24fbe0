/* The table of fields as mdoc source: the larger half of minirun-pod(5). */
#include "runner/manifest/fields.h"
#include "runner/manifest/manifest.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"

/* What is said before a row's note. */
static const char *use_words(enum field_use use)
{
	switch (use) {
	case USE_WARN:
		return "Not supported, with a warning: ";
	case USE_REFUSE:
		return "Not supported, an error: ";
	case USE_SOURCE:
		return "Not supported, an error if it is mounted: ";
	case USE_SILENT:
		return "Taken, without effect: ";
	case USE_ACT:
	case USE_PART:
	default:
		return "";
	}
}

static const char *type_words(enum field_type type)
{
	static const char *const words[] = {
		[FIELD_STRING] = "string",
		[FIELD_INT32] = "integer",
		[FIELD_INT64] = "integer",
		[FIELD_BOOL] = "boolean",
		[FIELD_QUANTITY] = "quantity",
		[FIELD_INT_OR_STRING] = "integer or string",
		[FIELD_TIME] = "time",
		[FIELD_SECRET] = "string",
		[FIELD_OBJECT] = "map",
		[FIELD_ANY] = "map",
	};

	return words[type];
}

/* mdoc takes a line that begins with . or ' as a request, and a backslash as an escape. */
static void print_text(const char *text, FILE *out)
{
	for (const char *p = text; *p; p++)
		fputs(*p == '\\' ? "\\e" : (char[]){*p, '\0'}, out);
}

static void print_row(const struct field *field, FILE *out)
{
	const char *words = use_words(field->use);

	fprintf(out, ".It Va %s\n", field->name);
	if (field->shape == SHAPE_LIST)
		fputs("list of ", out);
	else if (field->shape == SHAPE_MAP)
		fputs("map of string to ", out);
	fprintf(out, "%s\n.br\n", type_words(field->type));
	if (!*words && strchr(".'", *field->note))
		fputs("\\&", out);
	fputs(words, out);
	print_text(field->note, out);
	if (field->quiet) {
		fputs(".\nWithout a word for ", out);
		for (const char *p = field->quiet; *p; p++)
			fputs(*p == '|' ? " or " : (char[]){*p, '\0'}, out);
	}
	fputs(".\n", out);
}

/* A section for an object, then for the objects in it that are acted on, depth first: as one reads a manifest. */
static void print_object(const struct object *object, const char *path, FILE *out)
{
	fprintf(out, ".Ss %s\n", *path ? path : object->name);
	if (*path)
		fprintf(out, "Kubernetes calls it %s.\n", object->name);
	fputs(".Bl -tag -width Ds\n", out);
	for (size_t i = 0; i < object->n; i++)
		if (object->fields[i].use != USE_PART)
			print_row(&object->fields[i], out);
	fputs(".El\n", out);
	for (size_t i = 0; i < object->n; i++) {
		const struct field *field = &object->fields[i];
		cleanup_free char *below = NULL;

		if (field->use != USE_ACT || field->type != FIELD_OBJECT)
			continue;
		below = xasprintf("%s%s%s%s", path, *path ? "." : "", field->name,
			field->shape == SHAPE_LIST ? "[]" : "");
		/* An init container has the fields of a container, a pod's profiles those of a container's. */
		if (strcmp(below, "spec.initContainers[]") != 0)
			print_object(field->object, below, out);
	}
}

void manifest_print_fields(FILE *out)
{
	print_object(&fields_pod, "", out);
	print_object(&fields_config_map, "", out);
	print_object(&fields_secret, "", out);
}
