/* `minirun get`: the pods that there are, as kubectl shows them. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/verbs/catalog.h"
#include "runner/plan/paths.h"
#include "runner/verbs/printer.h"
#include "runner/verbs/targets.h"

#define WATCH_NS 100000000 /* between two looks */

struct records {
	struct record *items;
	size_t n;
};

static void records_free(struct records *records)
{
	for (size_t i = 0; i < records->n; i++)
		record_free(&records->items[i]);
	free(records->items);
	*records = (struct records){0};
}

/* One that isn't there keeps nobody from seeing the others: what is wrong with each is said, and main() says the last. */
static int find_named(const char *root, const struct targets *targets, bool ignore, struct records *records,
	struct error *err)
{
	int result = 0;

	records->items = xcalloc(targets->names.n, sizeof(*records->items));
	for (size_t i = 0; i < targets->names.n; i++) {
		struct error wrong = {0};

		if (catalog_read(root, targets->namespace, targets->names.items[i],
			    &records->items[records->n], &wrong) == 0) {
			records->n++;
		} else if (!targets->selected && !ignore) { /* selected: it has gone since */
			if (result < 0) {
				cleanup_free char *text = text_printable(err->message, strlen(err->message));

				fprintf(stderr, "minirun: %s\n", text);
			}
			*err = wrong;
			result = -1;
		}
	}
	return result;
}

static int find(const struct invocation *invocation, const char *root, bool ignore, struct records *records,
	struct error *err)
{
	cleanup_targets struct targets targets = {0};

	*records = (struct records){0};
	if (targets_read(invocation, root, &targets, err) < 0)
		return -1;
	return targets.none ? catalog_list(root, targets.namespace, &records->items, &records->n, err)
			    : find_named(root, &targets, ignore, records, err);
}

static int print_once(const struct invocation *invocation, const struct printer *printer,
	const struct records *records, struct error *err)
{
	bool file = invocation->value[OPTION_FILENAME] != NULL;
	int n;

	if (!records->n && invocation->value[OPTION_IGNORE_NOT_FOUND])
		return 0;
	if (!records->n && (printer->kind == PRINTER_TABLE || printer->kind == PRINTER_CUSTOM))
		catalog_mention_none(catalog_namespace(invocation));
	catalog_operands(invocation, &n);
	return printer_print(printer, records->items, records->n, file || n == 1, err);
}

/* A row of the watch: its text without AGE is what is compared. */
struct seen {
	char *name, *text;
	bool here;
};

struct watched {
	struct seen *items;
	size_t n;
	struct style style;
};

static struct seen *seen_of(struct watched *watched, const char *name)
{
	for (size_t i = 0; i < watched->n; i++)
		if (!strcmp(watched->items[i].name, name))
			return &watched->items[i];
	watched->items = xreallocarray(watched->items, watched->n + 1, sizeof(*watched->items));
	watched->items[watched->n] = (struct seen){.name = xstrdup(name), .text = xstrdup("")};
	return &watched->items[watched->n++];
}

static void print_if_changed(struct watched *watched, const struct record *record)
{
	struct seen *seen = seen_of(watched, record->name);
	struct row row;
	char *text;

	row_fill(&row, record);
	/* "2 (5s ago)" changes by itself. */
	text = xasprintf("%s %s %.*s %s", row.cells[COLUMN_READY], row.cells[COLUMN_STATUS],
		(int)strcspn(row.cells[COLUMN_RESTARTS], " "), row.cells[COLUMN_RESTARTS],
		text_at(record->pod, "metadata.uid"));
	seen->here = true;
	if (strcmp(text, seen->text) != 0) {
		rows_print(&row, 1, &watched->style, stdout);
		watched->style.header = false;
		free(seen->text);
		seen->text = xstrdup(text);
	}
	free(text);
	row_free(&row);
}

/* Until it is interrupted, or nobody reads it. */
static int watch(const struct invocation *invocation, const struct printer *printer, const char *root,
	struct error *err)
{
	const struct timespec pause = {.tv_nsec = WATCH_NS};
	struct watched watched = {.style = printer->style};
	bool ignore = invocation->value[OPTION_IGNORE_NOT_FOUND] != NULL;

	if (printer->kind != PRINTER_TABLE)
		return error_set(err, ERROR_USAGE, 0, "get -w prints a table: -o wide, or no -o");
	if (printer->sort_by)
		fprintf(stderr, "warning: --watch requested, --sort-by will be ignored\n");
	for (;;) {
		struct records records;
		int result = find(invocation, root, ignore || watched.n, &records, err);

		/* A pod that was named and isn't there is an error at first; later it may have been deleted. */
		if (result < 0 && !watched.n) {
			records_free(&records);
			return -1;
		}
		for (size_t i = 0; i < records.n; i++)
			print_if_changed(&watched, &records.items[i]);
		records_free(&records);
		if (fflush(stdout) != 0)
			return 0;
		nanosleep(&pause, NULL);
	}
}

int cmd_get(const struct invocation *invocation, struct error *err)
{
	cleanup_free char *root = path_of_root(invocation, err);
	cleanup_printer struct printer printer = {0};
	struct records records;
	struct error later = {0};
	int result;

	if (!root || printer_open(&printer, invocation, err) < 0)
		return -1;
	if (invocation->value[OPTION_WATCH])
		return watch(invocation, &printer, root, err);
	result = find(invocation, root, invocation->value[OPTION_IGNORE_NOT_FOUND] != NULL, &records, err);
	/* What was found is shown; if something wasn't, that is the error. */
	if (result == 0)
		result = print_once(invocation, &printer, &records, err);
	else if (records.n)
		print_once(invocation, &printer, &records, &later);
	records_free(&records);
	return result;
}
