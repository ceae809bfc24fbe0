/* The check of a document against the table of fields. */
#include "runner/manifest/fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

static void check_object(const struct cursor *at, const struct object *object, bool quiet);

const struct field *fields_find(const struct object *object, const char *name)
{
	for (size_t i = 0; i < object->n; i++)
		if (!strcmp(object->fields[i].name, name))
			return &object->fields[i];
	return NULL;
}

/*
 * Where a field of that name lives, as "spec.containers[].securityContext": a student's securityContext often stands
 * one level off. Nearest to the root first; path grows by what is below at.
 */
static char *find_elsewhere(const struct object *object, const char *name, const char *path, int depth)
{
	for (size_t i = 0; i < object->n; i++) {
		const struct field *field = &object->fields[i];
		cleanup_free char *below = NULL;
		char *found;

		if (field->type != FIELD_OBJECT || field->use == USE_SOURCE || field->use == USE_PART)
			continue;
		below = xasprintf("%s%s%s%s", path, *path ? "." : "", field->name,
			field->shape == SHAPE_LIST ? "[]" : "");
		if (depth == 0 && fields_find(field->object, name))
			return steal_pointer(&below);
		found = depth > 0 ? find_elsewhere(field->object, name, below, depth - 1) : NULL;
		if (found)
			return found;
	}
	return NULL;
}

static void report_unknown(const struct cursor *at, const struct object *object, const struct node *entry)
{
	cleanup_free const char **names = xcalloc(object->n, sizeof(*names));
	cleanup_free char *hint = NULL, *path = cursor_path(at);
	const char *nearest;

	for (size_t i = 0; i < object->n; i++)
		names[i] = object->fields[i].name;
	nearest = text_nearest(entry->key, names, object->n);
	if (nearest)
		hint = xasprintf("did you mean \"%s\"?", nearest);
	for (int depth = 0; !hint && depth < 4; depth++) {
		cleanup_free char *home = find_elsewhere(&fields_pod, entry->key, "", depth);

		if (home)
			hint = xasprintf("a field of that name belongs in %s", home);
	}
	findings_add(at->findings, SEVERITY_ERROR, entry->key_line, entry->key_column, path, hint,
		"unknown field");
}

static const char *type_name(enum field_type type)
{
	static const char *const names[] = {
		[FIELD_STRING] = "string",
		[FIELD_INT32] = "integer",
		[FIELD_INT64] = "integer",
		[FIELD_BOOL] = "boolean",
		[FIELD_QUANTITY] = "quantity",
		[FIELD_INT_OR_STRING] = "integer or string",
		[FIELD_TIME] = "string",
		[FIELD_SECRET] = "string",
		[FIELD_OBJECT] = "map",
		[FIELD_ANY] = "anything",
	};

	return names[type];
}

static bool fits(enum field_type type, const struct node *node)
{
	switch (type) {
	case FIELD_STRING:
	case FIELD_TIME:
	case FIELD_SECRET:
		return node->kind == NODE_STRING;
	case FIELD_INT32:
	case FIELD_INT64:
		return node->kind == NODE_INTEGER;
	case FIELD_BOOL:
		return node->kind == NODE_BOOL;
	case FIELD_QUANTITY:
		return node->kind == NODE_STRING || node->kind == NODE_INTEGER || node->kind == NODE_DOUBLE;
	case FIELD_INT_OR_STRING:
		return node->kind == NODE_STRING || node->kind == NODE_INTEGER;
	case FIELD_OBJECT:
		return node->kind == NODE_MAP;
	case FIELD_ANY:
	default:
		return true;
	}
}

static void report_type(const struct cursor *at, const char *expected, enum field_type type)
{
	cleanup_free char *value = cursor_value(at), *hint = NULL;
	enum node_kind kind = at->node->kind;

	if (type == FIELD_SECRET && kind != NODE_LIST && kind != NODE_MAP) {
		hint = xstrdup("write it in quotes");
	} else if (type == FIELD_STRING && at->node->text && kind != NODE_STRING) {
		/* As written, not as read: `value: on` is meant to be "on", not "true". */
		cleanup_free char *written = text_printable(at->node->text, strnlen(at->node->text, 60));

		hint = xasprintf("write it in quotes: \"%s\"", written);
	} else if ((type == FIELD_BOOL || type == FIELD_INT32 || type == FIELD_INT64) &&
		   kind == NODE_STRING) {
		hint = xstrdup("write it without quotes");
	}
	cursor_add(at, SEVERITY_ERROR, hint, "Invalid value: %s: expected %s, got %s", value, expected,
		node_kind_name(kind));
}

/* A value of the field's type, whatever its shape. */
static void check_one(const struct cursor *at, const struct field *field, bool quiet)
{
	if (!at->node || field->type == FIELD_ANY)
		return;
	if (!fits(field->type, at->node))
		report_type(at, type_name(field->type), field->type);
	else if (field->type == FIELD_INT32 &&
		 (at->node->integer < INT32_MIN || at->node->integer > INT32_MAX))
		cursor_invalid(at, "must be between %d and %d, inclusive", INT32_MIN, INT32_MAX);
	else if (field->type == FIELD_OBJECT)
		check_object(at, field->object, quiet);
}

/* "", [], {} and what holds nothing else; false and 0 too, where the table names no quiet values itself. */
static bool is_empty(const struct node *node, bool zero)
{
	switch (node->kind) {
	case NODE_NULL:
		return true;
	case NODE_BOOL:
		return zero && !node->boolean;
	case NODE_INTEGER:
		return zero && node->integer == 0;
	case NODE_STRING:
		return !node->text || !*node->text;
	case NODE_LIST:
		return node->n == 0;
	case NODE_MAP:
		for (size_t i = 0; i < node->n; i++)
			if (!is_empty(node->items[i], false))
				return false;
		return true;
	case NODE_DOUBLE:
	default:
		return false;
	}
}

static bool is_quiet(const struct node *node, const char *quiet)
{
	const char *value = node->kind == NODE_BOOL ? (node->boolean ? "true" : "false") : node->text;
	size_t n = value ? strlen(value) : 0;

	if (is_empty(node, !quiet))
		return true;
	for (const char *p = quiet; p && value; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
		if (!strncmp(p, value, n) && (p[n] == '|' || p[n] == '\0'))
			return true;
	return false;
}

static void check_field(struct cursor *at, const struct field *field, bool quiet)
{
	if (!at->node)
		return;
	at->secret = at->secret || field->type == FIELD_SECRET;
	if (!quiet && (field->use == USE_WARN || field->use == USE_REFUSE) &&
		!is_quiet(at->node, field->quiet))
		cursor_add(at, field->use == USE_WARN ? SEVERITY_WARNING : SEVERITY_ERROR, NULL,
			"known, not supported here: %s", field->note);
	/* What is below a field that was named, or that means nothing, need not be named again. */
	quiet = quiet || field->use == USE_WARN || field->use == USE_REFUSE || field->use == USE_SILENT ||
		field->use == USE_SOURCE;
	if (field->shape == SHAPE_ONE) {
		check_one(at, field, quiet);
		return;
	}
	if (at->node->kind != (field->shape == SHAPE_LIST ? NODE_LIST : NODE_MAP)) {
		report_type(at, field->shape == SHAPE_LIST ? "list" : "map", FIELD_OBJECT);
		return;
	}
	for (size_t i = 0; i < at->node->n; i++) {
		struct cursor item = field->shape == SHAPE_LIST ? cursor_item(at, i) : cursor_entry(at, i);

		check_one(&item, field, quiet);
		/* A list with a null among its objects means an empty object to Kubernetes; to people, a mistake. */
		if (!item.node && field->shape == SHAPE_LIST)
			cursor_required(&item, NULL);
	}
}

static void check_object(const struct cursor *at, const struct object *object, bool quiet)
{
	for (size_t i = 0; i < at->node->n; i++) {
		const struct node *entry = at->node->items[i];
		const struct field *field = fields_find(object, entry->key);
		struct cursor to = cursor_entry(at, i);

		to.bracket = false;
		if (field)
			check_field(&to, field, quiet);
		else
			report_unknown(&to, object, entry);
	}
}

void fields_check(const struct cursor *root, const struct object *object)
{
	check_object(root, object, false);
}
