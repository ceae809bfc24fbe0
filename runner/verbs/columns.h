/* The table of `minirun get`: kubectl's columns, STATUS by the rules of printPod (pkg/printers/internalversion). */
#ifndef RUNNER_COLUMNS_H
#define RUNNER_COLUMNS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/memory.h"
#include "runner/verbs/catalog.h"

enum {
	COLUMN_NAMESPACE,
	COLUMN_NAME,
	COLUMN_READY,
	COLUMN_STATUS,
	COLUMN_RESTARTS,
	COLUMN_AGE,
	COLUMN_IP,
	COLUMN_NODE,
	COLUMN_NOMINATED,
	COLUMN_GATES,
	COLUMN_LABELS,
	COLUMN_COUNT,
};

struct row {
	char *cells[COLUMN_COUNT];
	struct json_object *labels; /* the pod's; NULL: it has none */
};

/* Which columns there are. */
struct style {
	bool header;
	bool namespace; /* first */
	bool wide;
	bool show_labels; /* all of them, last */
	struct strv labels; /* keys, each a column of its own */
};

/* What the columns say of a pod. */
void row_fill(struct row *row, const struct record *record);
void row_free(struct row *row);

/* Prints the rows. The pods that they are of must be there still. */
void rows_print(const struct row *rows, size_t n, const struct style *style, FILE *out);

/* Prints rows of cells, one after another, the columns as wide as their widest cell and 3 spaces, as kubectl does. */
void cells_print(char *const *cells, size_t rows, size_t columns, FILE *out);

#endif
