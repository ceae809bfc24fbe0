/* The pods that there are. See catalog.h. */
#include "runner/verbs/catalog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/pod/state.h"
#include "runner/pod/status.h"

#define FILE_LIMIT ((size_t)16 << 20) /* bytes */

struct json_object *json_at(struct json_object *object, const char *path)
{
	cleanup_free char *copy = xstrdup(path);
	char *rest = copy;

	for (char *key = strsep(&rest, "."); key && object; key = strsep(&rest, ".")) {
		int64_t index;

		if (json_object_is_type(object, json_type_array) && text_to_integer(key, 0, 1 << 20, &index))
			object = json_object_array_get_idx(object, (size_t)index);
		else if (json_object_is_type(object, json_type_object))
			object = json_object_object_get(object, key);
		else
			return NULL;
	}
	return object;
}

const char *text_at(struct json_object *object, const char *path)
{
	struct json_object *value = json_at(object, path);

	return value ? json_object_get_string(value) : "";
}

time_t time_at(struct json_object *object, const char *path)
{
	struct tm tm = {0};

	return strptime(text_at(object, path), "%Y-%m-%dT%H:%M:%SZ", &tm) ? timegm(&tm) : 0;
}

/* What people ask a cluster for, and there are none of here. */
static bool is_foreign_kind(const char *name)
{
	static const char *const kinds[] = {"all", "cm", "configmap", "configmaps", "deploy", "deployment",
		"deployments", "event", "events", "job", "jobs", "namespace", "namespaces", "node", "nodes",
		"ns", "secret", "secrets", "service", "services", "svc"};

	for (size_t i = 0; i < array_length(kinds); i++)
		if (!strcmp(name, kinds[i]))
			return true;
	return strchr(name, ',') != NULL || strchr(name, '/') != NULL;
}

static struct json_object *read_json(int dirfd, const char *name)
{
	cleanup_fd int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_free char *text = NULL;
	struct error ignored;
	size_t size;

	if (fd < 0 || fd_read_all(fd, name, FILE_LIMIT, ERROR_HOST, &text, &size, &ignored) < 0)
		return NULL;
	return json_tokener_parse(text);
}

static void move_members(struct json_object *to, struct json_object *from)
{
	if (!from)
		return;
	json_object_object_foreach(from, key, value)
	{
		json_object_object_add(to, key, json_object_get(value));
	}
}

/* The state of a container whose supervisor can't tell it any more, in the kubelet's words. */
static void lose_containers(struct json_object *list)
{
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *container = json_object_array_get_idx(list, i);
		struct json_object *state, *details;

		if (json_at(container, "state.terminated"))
			continue;
		state = json_object_new_object();
		details = json_object_new_object();
		json_object_object_add(details, "exitCode", json_object_new_int(137));
		json_object_object_add(details, "message",
			json_object_new_string(
				"The container could not be located when the pod was terminated"));
		json_object_object_add(details, "reason", json_object_new_string("ContainerStatusUnknown"));
		json_object_object_add(state, "terminated", details);
		json_object_object_add(container, "state", state);
		json_object_object_add(container, "ready", json_object_new_boolean(false));
		json_object_object_add(container, "started", json_object_new_boolean(false));
	}
}

static void lose(struct json_object *status)
{
	struct json_object *conditions = json_object_object_get(status, "conditions");

	if (!strcmp(text_at(status, "phase"), "Succeeded") || !strcmp(text_at(status, "phase"), "Failed"))
		return;
	json_object_object_add(status, "phase", json_object_new_string("Unknown"));
	json_object_object_add(status, "message", json_object_new_string("the pod's supervisor was killed"));
	for (size_t i = 0; conditions && i < json_object_array_length(conditions); i++) {
		struct json_object *condition = json_object_array_get_idx(conditions, i);

		if (strstr(text_at(condition, "type"), "Ready"))
			json_object_object_add(condition, "status", json_object_new_string("False"));
	}
	lose_containers(json_object_object_get(status, "initContainerStatuses"));
	lose_containers(json_object_object_get(status, "containerStatuses"));
}

static void assemble(struct record *record, struct json_object *file)
{
	struct json_object *metadata = json_object_object_get(record->pod, "metadata");
	struct json_object *status = json_object_object_get(file, "status");

	move_members(metadata, json_object_object_get(file, "metadata"));
	json_object_object_add(record->pod, "status", json_object_get(status));
	record->events = json_object_get(json_object_object_get(file, "events"));
	record->denials = json_object_get(json_object_object_get(file, "denials"));
	record->background = json_object_get_boolean(json_at(file, "supervisor.background"));
	if (!record->alive)
		lose(status);
}

/* False if there is none of that name, or it has just begun or just gone. */
static bool read_record(int parent, const char *name, struct record *record)
{
	cleanup_fd int run = -1;
	struct json_object *file;

	*record = (struct record){0};
	if (parent < 0 || strchr(name, '/') || name[0] == '.' || !*name)
		return false;
	run = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (run < 0)
		return false;
	record->alive = state_is_alive(parent, name);
	record->pod = read_json(run, MANIFEST_NAME);
	file = read_json(run, STATUS_NAME);
	if (!record->pod || !file) {
		json_object_put(file);
		record_free(record);
		return false;
	}
	record->name = xstrdup(name);
	assemble(record, file);
	json_object_put(file);
	return true;
}

const char *catalog_namespace(const struct invocation *invocation)
{
	const char *namespace = invocation->value[OPTION_NAMESPACE];

	if (invocation->value[OPTION_ALL_NAMESPACES])
		return NULL;
	return namespace && *namespace ? namespace : "default";
}

static bool is_in(const struct record *record, const char *namespace)
{
	return !namespace || !strcmp(text_at(record->pod, "metadata.namespace"), namespace);
}

/* The pod of any namespace that may have been meant. To be freed; NULL: none. */
static char *find_near(const char *root, const char *name)
{
	cleanup_dir DIR *dir = NULL;
	const struct dirent *entry;
	struct strv names = {0};
	struct error ignored;
	const char *nearest;
	char *found;
	int parent;

	if (state_open_root(root, &parent, &ignored) < 0 || parent < 0)
		return NULL;
	dir = fdopendir(parent);
	while (dir && (entry = readdir(dir)))
		if (*entry->d_name != '.')
			strv_push(&names, xstrdup(entry->d_name));
	nearest = text_nearest(name, (const char *const *)names.items, names.n);
	found = xstrdup(nearest);
	strv_free(names.items);
	return found;
}

static int not_found(const char *root, const char *name, struct error *err)
{
	cleanup_free char *near = is_foreign_kind(name) ? NULL : find_near(root, name);

	error_set(err, ERROR_HOST, 0, "pods \"%s\" not found", name);
	if (is_foreign_kind(name))
		return error_hint(
			err, "minirun has pods alone; `minirun describe NAME` shows the events of one");
	if (near)
		return error_hint(err, "did you mean %s?", near);
	return error_hint(err, "looked for it in %s; `minirun get` lists the pods there", root);
}

int catalog_read(
	const char *root, const char *namespace, const char *name, struct record *record, struct error *err)
{
	cleanup_fd int parent = -1;

	*record = (struct record){0};
	if (state_open_root(root, &parent, err) < 0)
		return -1;
	if (!read_record(parent, name, record))
		return not_found(root, name, err);
	if (is_in(record, namespace))
		return 0;
	error_set(err, ERROR_HOST, 0, "pods \"%s\" not found", name);
	error_hint(
		err, "there is one in another namespace: -n %s", text_at(record->pod, "metadata.namespace"));
	record_free(record);
	return -1;
}

static int by_name(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int catalog_list(
	const char *root, const char *namespace, struct record **records, size_t *n, struct error *err)
{
	cleanup_dir DIR *dir = NULL;
	const struct dirent *entry;
	int parent;

	*records = NULL;
	*n = 0;
	if (state_open_root(root, &parent, err) < 0)
		return -1;
	if (parent < 0)
		return 0;
	dir = fdopendir(parent);
	while (dir && (entry = readdir(dir))) {
		struct record record;

		if (!read_record(parent, entry->d_name, &record))
			continue;
		if (!is_in(&record, namespace)) {
			record_free(&record);
			continue;
		}
		*records = xreallocarray(*records, *n + 1, sizeof(**records));
		(*records)[(*n)++] = record;
	}
	if (*n)
		qsort(*records, *n, sizeof(**records), by_name);
	return 0;
}

void catalog_mention_none(const char *namespace)
{
	if (namespace)
		fprintf(stderr, "No resources found in %s namespace.\n", namespace);
	else
		fprintf(stderr, "No resources found\n");
}

void record_free(struct record *record)
{
	free(record->name);
	json_object_put(record->pod);
	json_object_put(record->events);
	json_object_put(record->denials);
	*record = (struct record){0};
}

static bool is_kind(const char *word, size_t n)
{
	static const char *const kinds[] = {"pod", "pods", "po"};

	for (size_t i = 0; i < array_length(kinds); i++)
		if (strlen(kinds[i]) == n && !strncmp(word, kinds[i], n))
			return true;
	return false;
}

const char *catalog_pod_of(const char *operand)
{
	const char *slash = strchr(operand, '/');

	return slash && is_kind(operand, (size_t)(slash - operand)) ? slash + 1 : operand;
}

char **catalog_operands(const struct invocation *invocation, int *n)
{
	char **operands = invocation->operands;

	*n = invocation->n_operands;
	if (*n && is_kind(operands[0], strlen(operands[0]))) {
		operands++;
		(*n)--;
	}
	return operands;
}

/* k8s.io/apimachinery/pkg/util/duration.HumanDuration */
char *human_age(time_t then)
{
	long long s = (long long)(time(NULL) - then);
	long long m = s / 60, h = m / 60, d = h / 24;

	if (!then)
		return xstrdup("<unknown>");
	if (s < 0)
		s = 0;
	if (s < 120)
		return xasprintf("%llds", s);
	if (m < 10)
		return s % 60 ? xasprintf("%lldm%llds", m, s % 60) : xasprintf("%lldm", m);
	if (h < 3)
		return xasprintf("%lldm", m);
	if (h < 8)
		return m % 60 ? xasprintf("%lldh%lldm", h, m % 60) : xasprintf("%lldh", h);
	if (h < 48)
		return xasprintf("%lldh", h);
	if (d < 8)
		return h % 24 ? xasprintf("%lldd%lldh", d, h % 24) : xasprintf("%lldd", d);
	return xasprintf("%lldd", d);
}

/* All containers of a pod, as kubectl lists them. The caller frees. */
static char *container_names(struct json_object *pod, size_t *n)
{
	static const char *const lists[] = {"spec.containers", "spec.initContainers"};
	char *names = xstrdup("");

	*n = 0;
	for (size_t i = 0; i < array_length(lists); i++) {
		struct json_object *list = json_at(pod, lists[i]);

		for (size_t j = 0; list && j < json_object_array_length(list); j++) {
			char *longer = xasprintf("%s%s%s%s", names, (*n)++ ? ", " : "",
				text_at(json_object_array_get_idx(list, j), "name"), i ? " (init)" : "");

			free(names);
			names = longer;
		}
	}
	return names;
}

void catalog_mention_default(struct json_object *pod)
{
	size_t n;
	cleanup_free char *names = container_names(pod, &n);

	if (n > 1)
		fprintf(stderr, "Defaulted container \"%s\" out of: %s\n",
			text_at(pod, "spec.containers.0.name"), names);
}

int catalog_hint_containers(struct json_object *pod, struct error *err)
{
	size_t n;
	cleanup_free char *names = container_names(pod, &n);

	return error_hint(err, "it has %s", names);
}
