/* What containers and pods use, against their limits, for `minirun top`. */
#ifndef RUNNER_METER_H
#define RUNNER_METER_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define METER_COLUMNS 11

/* What a container, or all of a pod's, uses. -1: not known, or no limit. */
struct meter {
	const char *namespace, *pod, *name;
	int64_t cpu, memory, processes; /* thousandths of a processor; bytes */
	int64_t cpu_limit, memory_limit, processes_limit;
};

struct meter_table {
	char *(*rows)[METER_COLUMNS];
	size_t n;
};

void meter_add_row(struct meter_table *table, const struct meter *meter);
/* Prints and frees it. The namespace is left out unless pods of all are shown, and without containers their names. */
void meter_print_table(struct meter_table *table, bool namespaces, bool containers);

/* A PodMetrics; alone: a whole document, not an item of a list. */
struct json_object *meter_json(const struct meter *whole, const struct meter *meters, size_t n, bool alone);
/* Prints and frees a list of them: one pod that was named (single) is itself, all else is a list. */
void meter_print_json(struct json_object *pods, bool single);

#endif
