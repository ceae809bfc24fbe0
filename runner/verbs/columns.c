/* The table of `minirun get`. See columns.h. */
#include "runner/verbs/columns.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/json_out.h"

static const char *const titles[COLUMN_COUNT] = {
	[COLUMN_NAMESPACE] = "NAMESPACE",
	[COLUMN_NAME] = "NAME",
	[COLUMN_READY] = "READY",
	[COLUMN_STATUS] = "STATUS",
	[COLUMN_RESTARTS] = "RESTARTS",
	[COLUMN_AGE] = "AGE",
	[COLUMN_IP] = "IP",
	[COLUMN_NODE] = "NODE",
	[COLUMN_NOMINATED] = "NOMINATED NODE",
	[COLUMN_GATES] = "READINESS GATES",
	[COLUMN_LABELS] = "LABELS",
};

/* What the walk over the containers finds out. */
struct sums {
	int64_t restarts, restarts_lasting; /* of all; of those that go on after the init containers */
	time_t last, last_lasting; /* when one ended last */
	size_t ready, total;
	bool initializing, running;
	char *status;
};

static void set(char **text, char *value)
{
	free(*text);
	*text = value;
}

static bool is_true(struct json_object *object, const char *path)
{
	return json_object_get_boolean(json_at(object, path));
}

static bool has_restart_always(struct json_object *pod, size_t index)
{
	cleanup_free char *path = xasprintf("spec.initContainers.%zu.restartPolicy", index);

	return !strcmp(text_at(pod, path), "Always");
}

/* "Error", "Signal:9", "ExitCode:1" */
static char *how_it_ended(struct json_object *terminated)
{
	struct json_object *signal = json_at(terminated, "signal");

	if (*text_at(terminated, "reason"))
		return xstrdup(text_at(terminated, "reason"));
	if (signal && json_object_get_int(signal))
		return xasprintf("Signal:%d", json_object_get_int(signal));
	return xasprintf("ExitCode:%s", text_at(terminated, "exitCode"));
}

static void count_restarts(struct sums *sums, struct json_object *container, bool lasting)
{
	int64_t n = json_object_get_int64(json_at(container, "restartCount"));
	time_t ended = time_at(container, "lastState.terminated.finishedAt");

	sums->restarts += n;
	sums->last = ended > sums->last ? ended : sums->last;
	if (!lasting)
		return;
	sums->restarts_lasting += n;
	sums->last_lasting = ended > sums->last_lasting ? ended : sums->last_lasting;
}

/* Returns whether this one is what the pod waits for. */
static bool walk_init(struct sums *sums, struct json_object *pod, struct json_object *container, size_t index)
{
	struct json_object *terminated = json_at(container, "state.terminated");
	const char *waiting = text_at(container, "state.waiting.reason");
	bool sidecar = has_restart_always(pod, index);

	count_restarts(sums, container, sidecar);
	if (terminated && !json_object_get_int(json_at(terminated, "exitCode")))
		return false;
	if (sidecar && is_true(container, "started")) {
		sums->ready += is_true(container, "ready");
		return false;
	}
	if (terminated) {
		cleanup_free char *how = how_it_ended(terminated);

		set(&sums->status, xasprintf("Init:%s", how));
	} else if (*waiting && strcmp(waiting, "PodInitializing") != 0) {
		set(&sums->status, xasprintf("Init:%s", waiting));
	} else {
		struct json_object *list = json_at(pod, "spec.initContainers");

		set(&sums->status, xasprintf("Init:%zu/%zu", index, json_object_array_length(list)));
	}
	return true;
}

static void walk_inits(struct sums *sums, struct json_object *pod)
{
	struct json_object *list = json_at(pod, "status.initContainerStatuses");

	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		sums->total += has_restart_always(pod, i);
	for (size_t i = 0; list && i < json_object_array_length(list) && !sums->initializing; i++)
		sums->initializing = walk_init(sums, pod, json_object_array_get_idx(list, i), i);
}

static bool has_condition(struct json_object *pod, const char *type)
{
	struct json_object *list = json_at(pod, "status.conditions");

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *condition = json_object_array_get_idx(list, i);

		if (!strcmp(text_at(condition, "type"), type))
			return !strcmp(text_at(condition, "status"), "True");
	}
	return false;
}

static void walk_mains(struct sums *sums, struct json_object *pod)
{
	struct json_object *list = json_at(pod, "status.containerStatuses");
	cleanup_free char *completed = NULL;

	sums->restarts = sums->restarts_lasting;
	sums->last = sums->last_lasting;
	for (size_t i = json_object_array_length(list); i-- > 0;) {
		struct json_object *container = json_object_array_get_idx(list, i);
		struct json_object *terminated = json_at(container, "state.terminated");

		count_restarts(sums, container, false);
		if (*text_at(container, "state.waiting.reason")) {
			set(&sums->status, xstrdup(text_at(container, "state.waiting.reason")));
		} else if (terminated) {
			cleanup_free char *how = how_it_ended(terminated);

			if (strcmp(how, "Completed") != 0)
				set(&completed, xstrdup(how));
			set(&sums->status, xstrdup(how));
		} else if (is_true(container, "ready") && json_at(container, "state.running")) {
			sums->running = true;
			sums->ready++;
		}
	}
	if (strcmp(sums->status, "Completed") != 0)
		return;
	if (sums->running && has_condition(pod, "Ready"))
		set(&sums->status, xstrdup("Running"));
	else if (completed)
		set(&sums->status, xstrdup(completed));
	else if (sums->running)
		set(&sums->status, xstrdup("NotReady"));
}

static char *host_name(void)
{
	char name[HOST_NAME_MAX + 1] = "";

	gethostname(name, sizeof(name) - 1);
	return xstrdup(name);
}

static char *restarts_text(const struct sums *sums)
{
	cleanup_free char *age = NULL;

	if (!sums->restarts || !sums->last)
		return xasprintf("%lld", (long long)sums->restarts);
	age = human_age(sums->last);
	return xasprintf("%lld (%s ago)", (long long)sums->restarts, age);
}

/* How many of the pod's readinessGates have their condition. */
static char *gates_text(struct json_object *pod)
{
	struct json_object *gates = json_at(pod, "spec.readinessGates");
	size_t n = gates ? json_object_array_length(gates) : 0, met = 0;

	for (size_t i = 0; i < n; i++)
		met += has_condition(pod, text_at(json_object_array_get_idx(gates, i), "conditionType"));
	return n ? xasprintf("%zu/%zu", met, n) : xstrdup("<none>");
}

/* "app=web,tier=a", by key. */
static char *labels_text(struct json_object *labels)
{
	struct strv names = json_out_names(labels);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!names.n && out)
		fputs("<none>", out);
	for (size_t i = 0; out && i < names.n; i++)
		fprintf(out, "%s%s=%s", i ? "," : "", names.items[i],
			json_object_get_string(json_object_object_get(labels, names.items[i])));
	if (out)
		fclose(out);
	strv_free(names.items);
	return text ? text : xstrdup("");
}

void row_fill(struct row *row, const struct record *record)
{
	struct json_object *pod = record->pod;
	const char *phase = text_at(pod, "status.phase");
	const char *reason = text_at(pod, "status.reason");
	struct sums sums = {.status = xstrdup(*reason ? reason : phase)};
	struct json_object *mains = json_at(pod, "status.containerStatuses");

	walk_inits(&sums, pod);
	sums.total += json_object_array_length(mains);
	if (!sums.initializing || has_condition(pod, "Initialized"))
		walk_mains(&sums, pod);
	if (json_at(pod, "metadata.deletionTimestamp") && strcmp(phase, "Succeeded") != 0 &&
		strcmp(phase, "Failed") != 0)
		set(&sums.status, xstrdup("Terminating"));
	row->labels = json_at(pod, "metadata.labels");
	row->cells[COLUMN_NAMESPACE] = xstrdup(text_at(pod, "metadata.namespace"));
	row->cells[COLUMN_LABELS] = labels_text(row->labels);
	row->cells[COLUMN_NAME] = xstrdup(record->name);
	row->cells[COLUMN_READY] = xasprintf("%zu/%zu", sums.ready, sums.total);
	row->cells[COLUMN_STATUS] = sums.status;
	row->cells[COLUMN_RESTARTS] = restarts_text(&sums);
	row->cells[COLUMN_AGE] = human_age(time_at(pod, "metadata.creationTimestamp"));
	row->cells[COLUMN_IP] = xstrdup("<none>");
	row->cells[COLUMN_NODE] = host_name();
	row->cells[COLUMN_NOMINATED] = xstrdup("<none>");
	row->cells[COLUMN_GATES] = gates_text(pod);
}

void row_free(struct row *row)
{
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		free(row->cells[i]);
	*row = (struct row){0};
}

void cells_print(char *const *cells, size_t rows, size_t columns, FILE *out)
{
	cleanup_free size_t *widths = xcalloc(columns, sizeof(*widths));

	for (size_t i = 0; i < rows * columns; i++)
		if (strlen(cells[i]) > widths[i % columns])
			widths[i % columns] = strlen(cells[i]);
	for (size_t i = 0; i < rows * columns; i++)
		if ((i + 1) % columns)
			fprintf(out, "%-*s   ", (int)widths[i % columns], cells[i]);
		else
			fprintf(out, "%s\n", cells[i]);
}

/* The title of a label's column: "KEY" of "example.com/key". */
static char *label_title(const char *key)
{
	char *title = xstrdup(strrchr(key, '/') ? strrchr(key, '/') + 1 : key);

	for (char *p = title; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return title;
}

/* The cells of a row, or of the header, which row NULL is; to be freed one by one. Returns how many there are by now. */
static size_t add_cells(struct strv *cells, const struct row *row, const struct style *style)
{
	for (int c = style->namespace ? COLUMN_NAMESPACE : COLUMN_NAME;
		c <= (style->wide ? COLUMN_GATES : COLUMN_AGE); c++)
		strv_push(cells, xstrdup(row ? row->cells[c] : titles[c]));
	for (size_t i = 0; i < style->labels.n; i++) {
		const char *key = style->labels.items[i];
		struct json_object *value = row ? json_object_object_get(row->labels, key) : NULL;

		strv_push(cells, !row    ? label_title(key)
				 : value ? xstrdup(json_object_get_string(value))
					 : xstrdup(""));
	}
	if (style->show_labels)
		strv_push(cells, xstrdup(row ? row->cells[COLUMN_LABELS] : titles[COLUMN_LABELS]));
	return cells->n;
}

void rows_print(const struct row *rows, size_t n, const struct style *style, FILE *out)
{
	struct strv cells = {0};
	size_t header = style->header ? 1 : 0;
	size_t count = style->header ? add_cells(&cells, NULL, style) : 0;

	for (size_t i = 0; i < n; i++)
		count = add_cells(&cells, &rows[i], style);
	if (count)
		cells_print(cells.items, n + header, count / (n + header), out);
	strv_free(cells.items);
}
