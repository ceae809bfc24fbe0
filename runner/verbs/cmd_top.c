/*
 * `minirun top`: what running pods use, against their limits.
 *
 * Supervisors are asked twice, a second apart; the processor time between is what a pod uses. How it is printed: meter.c.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/verbs/catalog.h"
#include "runner/command.h"
#include "runner/plan/paths.h"
#include "runner/verbs/meter.h"
#include "runner/verbs/selector.h"
#include "runner/pod/state.h"
#include "runner/pod/status.h"
#include "runner/pod/wire.h"

#define WINDOW_NS 999999999L /* between the two looks: a second */

struct sample {
	char *namespace, *pod;
	struct json_object *first, *second; /* the supervisor's answers; NULL: it is gone */
};

struct samples {
	struct sample *items;
	size_t n;
};

static int64_t integer_at(struct json_object *object, const char *path)
{
	struct json_object *value = json_at(object, path);

	return value ? json_object_get_int64(value) : -1;
}

static struct json_object *ask(const char *root, const char *name, struct error *err)
{
	struct json_object *request = json_object_new_object();
	struct json_object *answer;
	cleanup_fd int run = state_open_running(root, name, err);
	cleanup_fd int socket = run < 0 ? -1 : wire_connect(run, CONTROL_NAME, err);

	json_object_object_add(request, "top", json_object_new_boolean(true));
	if (socket < 0) {
		json_object_put(request);
		return NULL;
	}
	if (wire_send(socket, request, NULL, 0, err) < 0)
		return NULL;
	answer = wire_receive(socket, NULL, 0, err);
	if (!answer && err->class == ERROR_NONE)
		error_set(err, ERROR_HOST, 0, "pod %s has ended", name);
	if (answer && json_at(answer, "error")) {
		wire_to_error(answer, err);
		json_object_put(answer);
		return NULL;
	}
	return answer;
}

static int take(struct samples *samples, const char *root, const struct record *record, struct error *err)
{
	struct json_object *answer = ask(root, record->name, err);

	if (!answer)
		return -1;
	samples->items = xreallocarray(samples->items, samples->n + 1, sizeof(*samples->items));
	samples->items[samples->n++] =
		(struct sample){.namespace = xstrdup(text_at(record->pod, "metadata.namespace")),
			.pod = xstrdup(record->name),
			.first = answer};
	return 0;
}

static int take_named(
	struct samples *samples, const char *root, const char *namespace, const char *name, struct error *err)
{
	struct record record;
	int result;

	if (catalog_read(root, namespace, name, &record, err) < 0)
		return -1;
	result = take(samples, root, &record, err);
	record_free(&record);
	if (result < 0)
		return -1;
	if (json_object_array_length(json_at(samples->items[samples->n - 1].first, "containers")) > 0)
		return 0;
	return error_set(
		err, ERROR_HOST, 0, "Metrics not available for pod %s: no container of it is running", name);
}

static int take_all(struct samples *samples, const char *root, const char *namespace, const char *selector,
	struct error *err)
{
	struct record *records = NULL;
	struct error ignored = {0};
	size_t n = 0;

	if (catalog_list(root, namespace, &records, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		/* One that is just ending doesn't answer. */
		if (records[i].alive &&
			(!selector || selector_matches(selector, json_at(records[i].pod, "metadata.labels"))))
			take(samples, root, &records[i], &ignored);
		record_free(&records[i]);
	}
	free(records);
	return 0;
}

static void samples_free(struct samples *samples)
{
	for (size_t i = 0; i < samples->n; i++) {
		free(samples->items[i].namespace);
		free(samples->items[i].pod);
		json_object_put(samples->items[i].first);
		json_object_put(samples->items[i].second);
	}
	free(samples->items);
}

static struct json_object *find_container(struct json_object *answer, const char *name)
{
	struct json_object *list = json_at(answer, "containers");

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *container = json_object_array_get_idx(list, i);

		if (!strcmp(text_at(container, "name"), name))
			return container;
	}
	return NULL;
}

static void fill_limits(struct meter *meter, struct json_object *object)
{
	meter->cpu_limit = integer_at(object, "milliCPULimit");
	meter->memory_limit = integer_at(object, "memoryLimit");
	meter->processes_limit = integer_at(object, "processesLimit");
}

/* Of what ran at both looks. One that was started again in between has used less than before. */
static bool fill(struct meter *meter, const struct sample *sample, struct json_object *container)
{
	struct json_object *before = find_container(sample->first, text_at(container, "name"));
	int64_t window = integer_at(sample->second, "at") - integer_at(sample->first, "at");
	int64_t used;

	if (!before)
		return false;
	used = integer_at(container, "cpu") - integer_at(before, "cpu");
	*meter = (struct meter){
		.namespace = sample->namespace,
		.pod = sample->pod,
		.name = text_at(container, "name"),
		.cpu = integer_at(container, "cpu") < 0 ? -1
		       : used < 0 || window <= 0        ? 0
							: (used + window - 1) / window,
		.memory = integer_at(container, "memory"),
		.processes = integer_at(container, "processes"),
	};
	fill_limits(meter, container);
	return true;
}

static void add(int64_t *sum, int64_t value)
{
	*sum = *sum < 0 || value < 0 ? -1 : *sum + value;
}

/* The pod's whole, and each container's, into meters, which have room. Returns how many containers there are. */
static size_t measure(const struct sample *sample, struct meter *whole, struct meter *meters)
{
	struct json_object *list = json_at(sample->second, "containers");
	size_t n = 0;

	*whole = (struct meter){.namespace = sample->namespace, .pod = sample->pod};
	fill_limits(whole, sample->second);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		if (!fill(&meters[n], sample, json_object_array_get_idx(list, i)))
			continue;
		add(&whole->cpu, meters[n].cpu);
		add(&whole->memory, meters[n].memory);
		add(&whole->processes, meters[n].processes);
		n++;
	}
	return n;
}

static void print(
	const struct samples *samples, const char *namespace, bool containers, bool json, bool single)
{
	struct json_object *pods = json ? json_object_new_array() : NULL;
	struct meter_table table = {.namespaces = !namespace, .containers = containers};

	for (size_t i = 0; i < samples->n; i++) {
		const struct sample *sample = &samples->items[i];
		size_t room =
			sample->second ? json_object_array_length(json_at(sample->second, "containers")) : 0;
		cleanup_free struct meter *meters = xcalloc(room + 1, sizeof(*meters));
		struct meter whole;
		size_t n = room ? measure(sample, &whole, meters) : 0;

		if (n && json)
			json_object_array_add(pods, meter_json(&whole, meters, n, single));
		else if (n && !containers)
			meter_add_row(&table, &whole);
		for (size_t j = 0; !json && containers && j < n; j++)
			meter_add_row(&table, &meters[j]);
	}
	if (json)
		meter_print_json(pods, single);
	else if (table.rows)
		meter_print_table(&table);
	else
		catalog_mention_none(namespace);
}

int cmd_top(const struct invocation *invocation, struct error *err)
{
	const struct timespec window = {.tv_nsec = WINDOW_NS};
	cleanup_free char *root = path_of_root(invocation, err);
	const char *selector = invocation->value[OPTION_SELECTOR];
	const char *namespace = catalog_namespace(invocation);
	struct samples samples = {0};
	int result = 0;
	int n;
	char **names = catalog_operands(invocation, &n);

	if (!root || (selector && selector_check(selector, err) < 0))
		return -1;
	if (n && !namespace)
		return error_set(
			err, ERROR_USAGE, 0, "a resource cannot be retrieved by name across all namespaces");
	if (n && selector)
		return error_set(err, ERROR_USAGE, 0, "name cannot be provided when a selector is specified");
	for (int i = 0; i < n && result == 0; i++)
		result = take_named(&samples, root, namespace, catalog_pod_of(names[i]), err);
	if (!n)
		result = take_all(&samples, root, namespace, selector, err);
	if (result == 0 && samples.n)
		nanosleep(&window, NULL);
	for (size_t i = 0; result == 0 && i < samples.n; i++) {
		struct error ignored = {0};

		samples.items[i].second = ask(root, samples.items[i].pod, &ignored);
	}
	if (result == 0)
		print(&samples, namespace, invocation->value[OPTION_CONTAINERS] != NULL,
			wants_json(invocation), n == 1);
	samples_free(&samples);
	return result;
}
