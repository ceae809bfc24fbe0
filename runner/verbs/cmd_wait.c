/* `minirun wait`: until a pod is as --for says. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/verbs/catalog.h"
#include "runner/plan/paths.h"
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
	char *name; /* of the condition; the path as json_at takes it */
	char *value; /* NULL: the path has any */
	const char *text; /* as it was given, for messages */
};

/* "{.status.containerStatuses[0].ready}" becomes "status.containerStatuses.0.ready". */
static char *path_of(const char *text, size_t n)
{
	char *path = xcalloc(n + 1, 1);
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		char c = text[i];

		if (c == '{' || c == '}' || c == ']' || c == '"' || c == '\'')
			continue;
		if (c == '[')
			c = '.';
		if (c == '.' && (!used || path[used - 1] == '.'))
			continue;
		path[used++] = c;
	}
	return path;
}

static int read_path(const char *text, struct wanted *wanted, struct error *err)
{
	const char *end = strchr(text, '}');
	const char *equals = end ? strchr(end, '=') : strchr(text, '=');
	size_t n = equals ? (size_t)(equals - text) : strlen(text);

	wanted->kind = WANTED_PATH;
	wanted->name = path_of(text, n);
	if (equals)
		wanted->value = path_of(equals + 1, strlen(equals + 1));
	if (!*wanted->name || strpbrk(wanted->name, "*?@()|,: "))
		return error_set(err, ERROR_USAGE, 0,
			"--for=jsonpath=%s: only fields and indexes, as in {.status.phase}=Running", text);
	return 0;
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

static bool is_so(const struct record *record, const struct wanted *wanted)
{
	struct json_object *value;

	switch (wanted->kind) {
	case WANTED_CONDITION:
		return has_condition(record->pod, wanted);
	case WANTED_PATH:
		value = json_at(record->pod, wanted->name);
		return value && (!wanted->value || !strcmp(json_object_get_string(value), wanted->value));
	case WANTED_CREATE:
		return true;
	case WANTED_DELETE:
	default:
		return false;
	}
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int wait_for(
	const char *root, const char *name, const struct wanted *wanted, int64_t deadline, struct error *err)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};

	for (;;) {
		struct record record;
		bool so;

		if (catalog_read(root, name, &record, err) < 0) {
			if (wanted->kind == WANTED_DELETE)
				break;
			if (wanted->kind != WANTED_CREATE)
				return -1;
			so = false;
		} else {
			so = is_so(&record, wanted);
			record_free(&record);
		}
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
		result = wait_for(root, targets.names.items[i], &wanted, deadline, err);
	free(wanted.name);
	free(wanted.value);
	return result;
}
