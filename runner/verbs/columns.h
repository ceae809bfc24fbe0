/* The table of `minirun get`: kubectl's columns, STATUS by the rules of printPod (pkg/printers/internalversion). */
#ifndef RUNNER_COLUMNS_H
#define RUNNER_COLUMNS_H

#include <stdio.h>

#include "runner/verbs/catalog.h"

enum {
	COLUMN_NAME,
	COLUMN_READY,
	COLUMN_STATUS,
	COLUMN_RESTARTS,
	COLUMN_AGE,
	COLUMN_IP,
	COLUMN_NODE,
	COLUMN_NOMINATED,
	COLUMN_GATES,
	COLUMN_COUNT,
};

struct row {
	char *cells[COLUMN_COUNT];
};

/* What the columns say of a pod. */
void row_fill(struct row *row, const struct record *record);
void row_free(struct row *row);

/* Prints the rows, the columns as wide as their widest cell and 3 spaces, as kubectl does. */
void rows_print(const struct row *rows, size_t n, bool header, bool wide, FILE *out);

#endif
