/* What `minirun get` prints pods as, by -o, --sort-by and the like: a table, names, JSON, YAML, a JSONPath template, columns of one's own. */
#ifndef RUNNER_PRINTER_H
#define RUNNER_PRINTER_H

#include <stdbool.h>

#include "runner/command.h"
#include "runner/verbs/catalog.h"
#include "runner/verbs/columns.h"
#include "runner/verbs/jsonpath.h"

enum printer_kind {
	PRINTER_TABLE,
	PRINTER_NAME,
	PRINTER_JSON,
	PRINTER_YAML,
	PRINTER_TEMPLATE,
	PRINTER_CUSTOM,
};

/* A column of custom-columns=TITLE:PATH,... */
struct printer_column {
	char *title;
	struct jsonpath path;
};

struct printer {
	enum printer_kind kind;
	struct style style; /* of the table */
	struct jsonpath template; /* -o jsonpath= */
	struct printer_column *columns;
	size_t n_columns;
	const char *sort_by; /* NULL: by name */
	struct jsonpath order;
};

/* Reads the options. Errors are of class ERROR_USAGE, in kubectl's words. */
int printer_open(struct printer *printer, const struct invocation *invocation, struct error *err);

/* Prints pods to standard output, in the order of --sort-by. single: one that was named is itself, all else is a List. */
int printer_print(
	const struct printer *printer, struct record *records, size_t n, bool single, struct error *err);

void printer_close(struct printer *printer);
static inline void cleanup_printer_fn(struct printer *printer)
{
	printer_close(printer);
}
#define cleanup_printer __attribute__((cleanup(cleanup_printer_fn)))

#endif
