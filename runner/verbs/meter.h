/* What containers and pods use, against their limits, for `minirun top`. */
#ifndef RUNNER_METER_H
#define RUNNER_METER_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

/* What a container, or all of a pod's, uses. -1: not known, or no limit. */
struct meter {
	const char *namespace, *pod, *name;
	int64_t cpu, memory, processes; /* thousandths of a processor; bytes */
	int64_t cpu_limit, memory_limit, processes_limit;
};

struct meter_table {
	bool namespaces, containers; /* whether their names are shown */
	struct strv cells;
	size_t rows; /* and the titles; 0: none yet */
};

void meter_add_row(struct meter_table *table, const struct meter *meter);
/* Prints and frees it. */
void meter_print_table(struct meter_table *table);

/* A PodMetrics; alone: a whole document, not an item of a list. */
struct json_object *meter_json(const struct meter *whole, const struct meter *meters, size_t n, bool alone);
/* Prints and frees a list of them: one pod that was named (single) is itself, all else is a list. */
void meter_print_json(struct json_object *pods, bool single);

#endif
