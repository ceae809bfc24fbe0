/* What `minirun get` prints. See printer.h. */
#include "runner/verbs/printer.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/json_out.h"
#include "runner/verbs/yaml_out.h"

static const struct {
	const char *name;
	enum printer_kind kind;
} formats[] = {
	{"json", PRINTER_JSON},
	{"name", PRINTER_NAME},
	{"wide", PRINTER_TABLE},
	{"yaml", PRINTER_YAML},
};

/* "NAME:.metadata.name,UID:{.metadata.uid}" */
static int read_columns(struct printer *printer, const char *text, struct error *err)
{
	cleanup_free char *copy = xstrdup(text);
	char *rest = copy;

	if (!*text)
		return error_set(
			err, ERROR_USAGE, 0, "custom-columns format specified but no custom columns given");
	for (char *item = strsep(&rest, ","); item; item = strsep(&rest, ",")) {
		char *colon = strchr(item, ':');
		struct printer_column *column;

		if (!colon)
			return error_set(err, ERROR_USAGE, 0,
				"unexpected custom-columns spec: %s, expected <header>:<json-path-expr>",
				item);
		printer->columns =
			xreallocarray(printer->columns, printer->n_columns + 1, sizeof(*printer->columns));
		column = &printer->columns[printer->n_columns++];
		*column = (struct printer_column){.title = xstrndup(item, (size_t)(colon - item))};
		if (jsonpath_parse_relaxed(&column->path, colon + 1, err) < 0)
			return -1;
	}
	return 0;
}

static int read_format(struct printer *printer, const char *format, struct error *err)
{
	const char *equals = strchr(format, '=');
	size_t n = equals ? (size_t)(equals - format) : strlen(format);
	const char *argument = equals ? equals + 1 : "";

	if (n == strlen("jsonpath") && text_starts_with(format, "jsonpath")) {
		printer->kind = PRINTER_TEMPLATE;
		if (!*argument)
			return error_set(
				err, ERROR_USAGE, 0, "template format specified but no template given");
		return jsonpath_parse(&printer->template, argument, err);
	}
	if (n == strlen("custom-columns") && text_starts_with(format, "custom-columns")) {
		printer->kind = PRINTER_CUSTOM;
		return read_columns(printer, argument, err);
	}
	for (size_t i = 0; i < array_length(formats); i++)
		if (!strcmp(formats[i].name, format)) {
			printer->kind = formats[i].kind;
			printer->style.wide = !strcmp(format, "wide");
			return 0;
		}
	return error_set(err, ERROR_USAGE, 0,
		"unable to match a printer suitable for the output format \"%s\", allowed formats are: "
		"custom-columns,json,jsonpath,name,wide,yaml",
		format);
}

static void read_labels(struct printer *printer, const char *text)
{
	cleanup_free char *copy = xstrdup(text);
	char *rest = copy;

	for (char *key = strsep(&rest, ","); key; key = strsep(&rest, ","))
		strv_push(&printer->style.labels, xstrdup(key));
}

int printer_open(struct printer *printer, const struct invocation *invocation, struct error *err)
{
	const char *const *value = invocation->value;

	*printer = (struct printer){.style = {.header = !value[OPTION_NO_HEADERS],
					    .namespace = value[OPTION_ALL_NAMESPACES] != NULL,
					    .show_labels = value[OPTION_SHOW_LABELS] != NULL},
		.sort_by = value[OPTION_SORT_BY]};
	if (value[OPTION_LABEL_COLUMNS])
		read_labels(printer, value[OPTION_LABEL_COLUMNS]);
	if (value[OPTION_OUTPUT] && read_format(printer, value[OPTION_OUTPUT], err) < 0)
		return -1;
	return printer->sort_by ? jsonpath_parse_relaxed(&printer->order, printer->sort_by, err) : 0;
}

/* What a pod is sorted by. */
struct sorted {
	struct record record;
	struct json_object *key; /* NULL: it has none, and comes first */
};

static int by_key(const void *a, const void *b)
{
	struct json_object *x = ((const struct sorted *)a)->key, *y = ((const struct sorted *)b)->key;
	double m, n;

	if (!x || !y)
		return (x != NULL) - (y != NULL);
	if (json_object_is_type(x, json_type_string) || json_object_is_type(y, json_type_string))
		/* As kubectl: "a2" is before "a10". */
		return strverscmp(json_object_get_string(x), json_object_get_string(y));
	m = json_object_get_double(x);
	n = json_object_get_double(y);
	return m < n ? -1 : m > n;
}

static int sort(const struct printer *printer, struct record *records, size_t n, struct error *err)
{
	cleanup_free struct sorted *sorted = xcalloc(n, sizeof(*sorted));
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		struct jsonpath_values values;
		int result = jsonpath_find(&printer->order, records[i].pod, &values, err);

		sorted[i] = (struct sorted){records[i], result == 0 && values.n ? values.items[0] : NULL};
		found = found || sorted[i].key;
		free(values.items);
		if (result < 0)
			return -1;
	}
	if (n && !found)
		return error_set(err, ERROR_USAGE, 0,
			"couldn't find any field with path \"%s\" in the list of objects", printer->sort_by);
	if (n)
		qsort(sorted, n, sizeof(*sorted), by_key);
	for (size_t i = 0; i < n; i++)
		records[i] = sorted[i].record;
	return 0;
}

/* What the printers of objects print. To be put. */
static struct json_object *make_object(const struct record *records, size_t n, bool single)
{
	struct json_object *object, *items, *metadata;

	if (single)
		return json_object_get(records[0].pod);
	object = json_object_new_object();
	items = json_object_new_array();
	metadata = json_object_new_object();
	for (size_t i = 0; i < n; i++)
		json_object_array_add(items, json_object_get(records[i].pod));
	json_object_object_add(metadata, "resourceVersion", json_object_new_string(""));
	json_object_object_add(object, "apiVersion", json_object_new_string("v1"));
	json_object_object_add(object, "items", items);
	json_object_object_add(object, "kind", json_object_new_string("List"));
	json_object_object_add(object, "metadata", metadata);
	return object;
}

static int print_object(const struct printer *printer, struct json_object *object, struct error *err)
{
	if (printer->kind == PRINTER_TEMPLATE)
		return jsonpath_print(&printer->template, object, stdout, err) < 0
			       ? error_wrap(err, "error executing jsonpath")
			       : 0;
	if (printer->kind == PRINTER_YAML)
		yaml_print(object, stdout);
	else
		json_out_print(object, stdout);
	return 0;
}

static void print_table(const struct printer *printer, const struct record *records, size_t n)
{
	struct row *rows = xcalloc(n, sizeof(*rows));

	for (size_t i = 0; i < n; i++)
		row_fill(&rows[i], &records[i]);
	if (n)
		rows_print(rows, n, &printer->style, stdout);
	for (size_t i = 0; i < n; i++)
		row_free(&rows[i]);
	free(rows);
}

/* A cell of a column of one's own: values with commas between. To be freed. */
static int make_cell(
	const struct printer_column *column, struct json_object *pod, char **cell, struct error *err)
{
	struct jsonpath_values values;
	int result = jsonpath_find(&column->path, pod, &values, err);
	char *text = NULL;

	for (size_t i = 0; result == 0 && i < values.n; i++) {
		cleanup_free char *raw = jsonpath_text(values.items[i]);
		cleanup_free char *value = text_printable(raw, strlen(raw));
		char *longer = text ? xasprintf("%s,%s", text, value) : xstrdup(value);

		free(text);
		text = longer;
	}
	free(values.items);
	*cell = text ? text : xstrdup("<none>");
	return result;
}

static int print_custom(
	const struct printer *printer, const struct record *records, size_t n, struct error *err)
{
	size_t columns = printer->n_columns, first = printer->style.header ? 0 : 1;
	cleanup_free char **cells = xcalloc((n + 1) * columns, sizeof(*cells));
	int result = 0;

	for (size_t c = 0; c < columns; c++) {
		cells[c] = xstrdup(printer->columns[c].title);
		for (size_t r = 0; r < n && result == 0; r++)
			result = make_cell(
				&printer->columns[c], records[r].pod, &cells[(r + 1) * columns + c], err);
	}
	if (result == 0 && n + 1 > first)
		cells_print(cells + first * columns, n + 1 - first, columns, stdout);
	for (size_t i = 0; i < (n + 1) * columns; i++)
		free(cells[i]);
	return result;
}

int printer_print(
	const struct printer *printer, struct record *records, size_t n, bool single, struct error *err)
{
	struct json_object *object;
	int result;

	if (printer->sort_by && sort(printer, records, n, err) < 0)
		return -1;
	switch (printer->kind) {
	case PRINTER_TABLE:
		print_table(printer, records, n);
		return 0;
	case PRINTER_NAME:
		for (size_t i = 0; i < n; i++)
			printf("pod/%s\n", records[i].name);
		return 0;
	case PRINTER_CUSTOM:
		return print_custom(printer, records, n, err);
	case PRINTER_JSON:
	case PRINTER_YAML:
	case PRINTER_TEMPLATE:
	default:
		break;
	}
	object = make_object(records, n, single && n == 1);
	result = print_object(printer, object, err);
	json_object_put(object);
	return result;
}

void printer_close(struct printer *printer)
{
	for (size_t i = 0; i < printer->n_columns; i++) {
		free(printer->columns[i].title);
		jsonpath_free(&printer->columns[i].path);
	}
	free(printer->columns);
	strv_free(printer->style.labels.items);
	jsonpath_free(&printer->template);
	jsonpath_free(&printer->order);
	*printer = (struct printer){0};
}
