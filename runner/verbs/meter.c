/*
 * What containers and pods use, printed: as a table, whose first columns are those of `kubectl top pod` (pkg/metricsutil), or as JSON,
 * a PodMetrics of metrics.k8s.io/v1beta1 with limits and processes beside.
 */
#include "runner/verbs/meter.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/json_out.h"
#include "runner/pod/status.h"
#include "runner/verbs/columns.h"

#define COLUMNS 11

/* ---- the table ---- */

static char *cell(int64_t value, int64_t unit, const char *suffix, const char *none)
{
	return value < 0 ? xstrdup(none) : xasprintf("%lld%s", (long long)(value / unit), suffix);
}

static char *percent(int64_t used, int64_t limit)
{
	return used < 0 || limit <= 0 ? xstrdup("<none>")
				      : xasprintf("%lld%%", (long long)(used * 100 / limit));
}

/* The namespace is left out unless pods of all are shown, and without containers their names. */
static void add_cells(struct meter_table *table, char *(*cells)[COLUMNS])
{
	for (size_t c = 0; c < COLUMNS; c++)
		if ((c == 0 && !table->namespaces) || (c == 2 && !table->containers))
			free((*cells)[c]);
		else
			strv_push(&table->cells, (*cells)[c]);
	table->rows++;
}

static void add_titles(struct meter_table *table)
{
	const char *const titles[COLUMNS] = {"NAMESPACE", table->containers ? "POD" : "NAME", "NAME",
		"CPU(cores)", "MEMORY(bytes)", "CPU-LIMIT", "CPU%", "MEMORY-LIMIT", "MEMORY%", "PROCESSES",
		"PROCESS-LIMIT"};
	char *cells[COLUMNS];

	for (size_t c = 0; c < COLUMNS; c++)
		cells[c] = xstrdup(titles[c]);
	add_cells(table, &cells);
}

void meter_add_row(struct meter_table *table, const struct meter *meter)
{
	const int64_t mebi = 1 << 20;
	char *cells[COLUMNS] = {
		xstrdup(meter->namespace),
		xstrdup(meter->pod),
		xstrdup(meter->name ? meter->name : ""),
		cell(meter->cpu, 1, "m", "<unknown>"),
		cell(meter->memory, mebi, "Mi", "<unknown>"),
		cell(meter->cpu_limit, 1, "m", "<none>"),
		percent(meter->cpu, meter->cpu_limit),
		cell(meter->memory_limit, mebi, "Mi", "<none>"),
		percent(meter->memory, meter->memory_limit),
		cell(meter->processes, 1, "", "<unknown>"),
		cell(meter->processes_limit, 1, "", "<none>"),
	};

	if (!table->rows)
		add_titles(table);
	add_cells(table, &cells);
}

void meter_print_table(struct meter_table *table)
{
	if (table->rows)
		cells_print(table->cells.items, table->rows, table->cells.n / table->rows, stdout);
	strv_free(table->cells.items);
}

/* ---- JSON ---- */

static void add_quantity(
	struct json_object *object, const char *name, int64_t value, int64_t unit, const char *suffix)
{
	cleanup_free char *text = cell(value, unit, suffix, "");

	if (value >= 0)
		json_object_object_add(object, name, json_object_new_string(text));
}

static struct json_object *limits_json(const struct meter *meter)
{
	struct json_object *limits = json_object_new_object();

	add_quantity(limits, "cpu", meter->cpu_limit, 1, "m");
	add_quantity(limits, "memory", meter->memory_limit, 1024, "Ki");
	if (meter->processes_limit >= 0)
		json_object_object_add(limits, "processes", json_object_new_int64(meter->processes_limit));
	return limits;
}

static struct json_object *container_json(const struct meter *meter)
{
	struct json_object *object = json_object_new_object();
	struct json_object *usage = json_object_new_object();

	add_quantity(usage, "cpu", meter->cpu, 1, "m");
	add_quantity(usage, "memory", meter->memory, 1024, "Ki");
	if (meter->processes >= 0)
		json_object_object_add(usage, "processes", json_object_new_int64(meter->processes));
	json_object_object_add(object, "name", json_object_new_string(meter->name));
	json_object_object_add(object, "usage", usage);
	json_object_object_add(object, "limits", limits_json(meter));
	return object;
}

struct json_object *meter_json(const struct meter *whole, const struct meter *meters, size_t n, bool alone)
{
	struct json_object *object = json_object_new_object();
	struct json_object *metadata = json_object_new_object();
	struct json_object *containers = json_object_new_array();

	for (size_t i = 0; i < n; i++)
		json_object_array_add(containers, container_json(&meters[i]));
	json_object_object_add(metadata, "name", json_object_new_string(whole->pod));
	json_object_object_add(metadata, "namespace", json_object_new_string(whole->namespace));
	if (alone) {
		json_object_object_add(
			object, "apiVersion", json_object_new_string("metrics.k8s.io/v1beta1"));
		json_object_object_add(object, "kind", json_object_new_string("PodMetrics"));
	}
	json_object_object_add(object, "metadata", metadata);
	json_object_object_add(object, "timestamp", status_time(time(NULL)));
	json_object_object_add(object, "window", json_object_new_string("1s"));
	json_object_object_add(object, "containers", containers);
	json_object_object_add(object, "limits", limits_json(whole));
	return object;
}

void meter_print_json(struct json_object *pods, bool single)
{
	struct json_object *object = json_object_new_object();

	if (single && json_object_array_length(pods) == 1) {
		json_object_put(object);
		object = json_object_get(json_object_array_get_idx(pods, 0));
		json_object_put(pods);
	} else {
		json_object_object_add(
			object, "apiVersion", json_object_new_string("metrics.k8s.io/v1beta1"));
		json_object_object_add(object, "kind", json_object_new_string("PodMetricsList"));
		json_object_object_add(object, "items", pods);
	}
	json_out_print(object, stdout);
	json_object_put(object);
}
