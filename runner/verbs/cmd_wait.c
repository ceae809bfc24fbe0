/* `minirun wait`: until a pod is as --for says. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/verbs/catalog.h"
#include "runner/plan/paths.h"
#include "runner/verbs/jsonpath.h"
#include "runner/verbs/targets.h"

#define PAUSE_NS        20000000 /* between two looks */
#define DEFAULT_TIMEOUT 30 /* seconds, as kubectl's */

enum wanted_kind {
	WANTED_CONDITION,
	WANTED_DELETE,
	WANTED_CREATE,
	WANTED_PATH,
};

struct wanted {
	enum wanted_kind kind;
	char *name; /* of the condition */
	struct jsonpath path;
	char *value; /* NULL: the path has any */
	const char *text; /* as it was given, for messages */
};

/* The "=" that ends the path, if there is one: none that stands in brackets or braces. */
static const char *end_of_path(const char *text)
{
	int depth = 0;

	for (; *text && (depth > 0 || *text != '='); text++)
		depth += strchr("{[(", *text) ? 1 : strchr("}])", *text) ? -1 : 0;
	return text;
}

static int read_path(const char *text, struct wanted *wanted, struct error *err)
{
	const char *end = end_of_path(text);
	cleanup_free char *path = xstrndup(text, (size_t)(end - text));

	wanted->kind = WANTED_PATH;
	if (*end) {
		size_t n = strlen(end + 1);
		bool quoted = n > 1 && strchr("\"'", end[1]) && end[n] == end[1];

		wanted->value = quoted ? xstrndup(end + 2, n - 2) : xstrdup(end + 1);
		if (!*wanted->value)
			return error_set(err, ERROR_USAGE, 0, "jsonpath wait has to have a value");
	}
	return jsonpath_parse_relaxed(&wanted->path, path, err);
}

static int read_wanted(const char *text, struct wanted *wanted, struct error *err)
{
	*wanted = (struct wanted){.text = text};
	if (text && !strcasecmp(text, "delete")) {
		wanted->kind = WANTED_DELETE;
	} else if (text && !strcasecmp(text, "create")) {
		wanted->kind = WANTED_CREATE;
	} else if (text && text_starts_with(text, "condition=")) {
		const char *name = text + strlen("condition=");
		const char *equals = strchr(name, '=');

		wanted->kind = WANTED_CONDITION;
		wanted->name = equals ? xstrndup(name, (size_t)(equals - name)) : xstrdup(name);
		wanted->value = xstrdup(equals ? equals + 1 : "true");
	} else if (text && text_starts_with(text, "jsonpath=")) {
		return read_path(text + strlen("jsonpath="), wanted, err);
	} else {
		if (text)
			error_set(err, ERROR_USAGE, 0, "--for=%s: unknown", text);
		else
			error_set(err, ERROR_USAGE, 0, "wait wants --for");
		error_hint(
			err, "--for=condition=Ready, --for=delete, --for=jsonpath={.status.phase}=Running");
		return -1;
	}
	return 0;
}

static bool has_condition(struct json_object *pod, const struct wanted *wanted)
{
	struct json_object *list = json_at(pod, "status.conditions");

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *condition = json_object_array_get_idx(list, i);

		if (!strcasecmp(text_at(condition, "type"), wanted->name))
			return !strcasecmp(text_at(condition, "status"), wanted->value);
	}
	return false;
}

static bool is_nested(struct json_object *value)
{
	return json_object_is_type(value, json_type_object) || json_object_is_type(value, json_type_array);
}

/* 1: what the path leads to is as it should be; 0: it isn't, or there is nothing. */
static int has_value(struct json_object *pod, const struct wanted *wanted, struct error *err)
{
	struct jsonpath_values values;
	cleanup_free char *text = NULL;
	int result = jsonpath_find(&wanted->path, pod, &values, err);

	if (result == 0 && values.n > 1)
		result = error_set(
			err, ERROR_USAGE, 0, "given jsonpath expression matches more than one value");
	if (result == 0 && values.n && is_nested(values.items[0]))
		result = error_set(err, ERROR_USAGE, 0,
			"jsonpath leads to a nested object or list which is not supported");
	if (result == 0 && values.n) {
		text = jsonpath_text(values.items[0]);
		result = !wanted->value || !strcmp(text, wanted->value);
	}
	free(values.items);
	return result;
}

static int is_so(const struct record *record, const struct wanted *wanted, struct error *err)
{
	switch (wanted->kind) {
	case WANTED_CONDITION:
		return has_condition(record->pod, wanted);
	case WANTED_PATH:
		return has_value(record->pod, wanted, err);
	case WANTED_CREATE:
		return 1;
	case WANTED_DELETE:
	default:
		return 0;
	}
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int wait_for(const char *root, const char *namespace, const char *name, const struct wanted *wanted,
	int64_t deadline, struct error *err)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};

	for (;;) {
		struct record record;
		int so;

		if (catalog_read(root, namespace, name, &record, err) < 0) {
			if (wanted->kind == WANTED_DELETE)
				break;
			if (wanted->kind != WANTED_CREATE)
				return -1;
			so = 0;
		} else {
			so = is_so(&record, wanted, err);
			record_free(&record);
		}
		if (so < 0)
			return -1;
		if (so)
			break;
		if (now_ms() >= deadline)
			return error_set(
				err, ERROR_HOST, 0, "timed out waiting for the condition on pods/%s", name);
		nanosleep(&pause, NULL);
	}
	printf("pod/%s %s\n", name, wanted->kind == WANTED_DELETE ? "deleted" : "condition met");
	fflush(stdout);
	return 0;
}

static int read_timeout(const struct invocation *invocation, int64_t *deadline, struct error *err)
{
	int64_t ms = (int64_t)DEFAULT_TIMEOUT * 1000;

	if (option_duration(invocation, OPTION_TIMEOUT, &ms, err) < 0)
		return -1;
	/* A negative time is a week, as with kubectl. */
	*deadline = now_ms() + (ms < 0 ? (int64_t)7 * 24 * 3600 * 1000 : ms);
	return 0;
}

static int find_pods(const struct invocation *invocation, const char *root, const struct wanted *wanted,
	struct targets *targets, struct error *err)
{
	if (targets_read(invocation, root, targets, err) < 0)
		return -1;
	if (targets->none)
		return error_set(err, ERROR_USAGE, 0, "wait wants the name of a pod");
	/* That those with the labels are gone is what was wished for. */
	if (!targets->names.n && wanted->kind != WANTED_DELETE)
		return error_set(err, ERROR_HOST, 0, "no matching resources found");
	return 0;
}

int cmd_wait(const struct invocation *invocation, struct error *err)
{
	cleanup_free char *root = path_of_root(invocation, err);
	cleanup_targets struct targets targets = {0};
	struct wanted wanted = {0};
	int64_t deadline = 0;
	int result = -1;

	if (root && read_timeout(invocation, &deadline, err) == 0 &&
		read_wanted(invocation->value[OPTION_FOR], &wanted, err) == 0)
		result = find_pods(invocation, root, &wanted, &targets, err);
	for (size_t i = 0; i < targets.names.n && result == 0; i++)
		result = wait_for(root, targets.namespace, targets.names.items[i], &wanted, deadline, err);
	free(wanted.name);
	jsonpath_free(&wanted.path);
	free(wanted.value);
	return result;
}
