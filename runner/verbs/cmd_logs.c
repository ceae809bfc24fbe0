/* `minirun logs`: what a container of a pod in the background has printed. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/verbs/catalog.h"
#include "runner/pod/logfile.h"
#include "runner/verbs/log_request.h"
#include "runner/verbs/logreader.h"
#include "runner/plan/paths.h"
#include "runner/pod/status.h"
#include "runner/verbs/selector.h"

#define PAUSE_NS      50000000 /* between two looks with -f */
#define OUTPUT_BUFFER 65536 /* bytes: of 5 MB/s or 500 */

struct source {
	char *pod, *container, *prefix;
	unsigned int run;
	struct logreader reader;
	bool ended;
};

struct sources {
	struct source *items;
	size_t n;
};

/* The container's status, in either list; NULL if there is none of that name. */
static struct json_object *status_of(struct json_object *pod, const char *name)
{
	static const char *const lists[] = {"status.containerStatuses", "status.initContainerStatuses"};

	for (size_t i = 0; i < array_length(lists); i++) {
		struct json_object *list = json_at(pod, lists[i]);

		for (size_t j = 0; list && j < json_object_array_length(list); j++) {
			struct json_object *status = json_object_array_get_idx(list, j);

			if (!strcmp(text_at(status, "name"), name))
				return status;
		}
	}
	return NULL;
}

static int which_run(const struct log_request *request, const struct record *record, const char *container,
	unsigned int *run, struct error *err)
{
	struct json_object *status = status_of(record->pod, container);
	int restarts = json_object_get_int(json_at(status, "restartCount"));

	if (!status) {
		error_set(
			err, ERROR_HOST, 0, "container %s is not valid for pod %s", container, record->name);
		return catalog_hint_containers(record->pod, err);
	}
	if (request->previous && !json_at(status, "lastState.terminated") && restarts == 0)
		return error_set(err, ERROR_HOST, 0,
			"previous terminated container \"%s\" in pod \"%s\" not found", container,
			record->name);
	if (!*text_at(status, "containerID"))
		return error_set(err, ERROR_HOST, 0, "container \"%s\" in pod \"%s\" is waiting to start: %s",
			container, record->name, text_at(status, "state.waiting.reason"));
	*run = (unsigned int)(request->previous && restarts > 0 ? restarts - 1 : restarts);
	return 0;
}

static int add_source(const struct log_request *request, const struct record *record, const char *container,
	struct sources *sources, struct error *err)
{
	cleanup_free char *path =
		xasprintf("%s/%s/" DATA_NAME "/" LOGS_NAME "/%s", request->root, record->name, container);
	struct source *source;
	unsigned int run = 0;
	int folder;

	if (which_run(request, record, container, &run, err) < 0)
		return -1;
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	sources->items = xreallocarray(sources->items, sources->n + 1, sizeof(*sources->items));
	source = &sources->items[sources->n];
	*source = (struct source){.run = run};
	if (logreader_open(&source->reader, folder, run, request->tail, err) < 0) {
		logreader_close(&source->reader);
		return error_wrap(err, "container %s", container);
	}
	source->pod = xstrdup(record->name);
	source->container = xstrdup(container);
	source->prefix = request->prefix ? xasprintf("[pod/%s/%s] ", record->name, container) : NULL;
	source->reader.prefix = source->prefix;
	source->reader.timestamps = request->timestamps;
	source->reader.since = *request->since ? request->since : NULL;
	sources->n++;
	return 0;
}

/* Those that have not been started yet are left out, as there is nothing to say of them. */
static int add_all(const struct log_request *request, const struct record *record, struct sources *sources)
{
	static const char *const lists[] = {"spec.initContainers", "spec.containers"};
	struct error ignored;

	for (size_t i = 0; i < array_length(lists); i++) {
		struct json_object *list = json_at(record->pod, lists[i]);

		for (size_t j = 0; list && j < json_object_array_length(list); j++)
			add_source(request, record, text_at(json_object_array_get_idx(list, j), "name"),
				sources, &ignored);
	}
	return 0;
}

static bool is_waiting(const struct error *err)
{
	return strstr(err->message, " is waiting to start: ") != NULL;
}

static int add_pod(const struct log_request *request, const struct record *record, struct sources *sources,
	struct error *err)
{
	const char *container = request->container;

	if (!record->background) {
		error_set(err, ERROR_HOST, 0, "pods \"%s\" runs in the foreground, and its output is there",
			record->name);
		return error_hint(err, "only of a pod that was started with -d there are logs");
	}
	if (request->all)
		return add_all(request, record, sources);
	if (!container) {
		container = text_at(record->pod, "spec.containers.0.name");
		catalog_mention_default(record->pod);
	}
	return add_source(request, record, container, sources, err);
}

/* Those of all pods with the labels. */
static int add_selected(const struct log_request *request, struct sources *sources, struct error *err)
{
	struct record *records;
	size_t n, matching = 0;
	int result = catalog_list(request->root, request->namespace, &records, &n, err);

	for (size_t i = 0; result == 0 && i < n; i++)
		if (selector_matches(request->selector, json_at(records[i].pod, "metadata.labels"))) {
			matching++;
			result = add_pod(request, &records[i], sources, err);
		}
	for (size_t i = 0; i < n; i++)
		record_free(&records[i]);
	free(records);
	if (result == 0 && !matching)
		catalog_mention_none(request->namespace);
	return result;
}

static void sources_free(struct sources *sources)
{
	for (size_t i = 0; i < sources->n; i++) {
		logreader_close(&sources->items[i].reader);
		free(sources->items[i].pod);
		free(sources->items[i].container);
		free(sources->items[i].prefix);
	}
	free(sources->items);
	*sources = (struct sources){0};
}

static int open_sources(const struct log_request *request, struct sources *sources, struct error *err)
{
	struct record record = {0};
	int result;

	sources_free(sources);
	if (request->selector)
		return add_selected(request, sources, err);
	result = catalog_read(request->root, request->namespace, request->pod, &record, err);
	if (result == 0)
		result = add_pod(request, &record, sources, err);
	record_free(&record);
	return result;
}

/* It has its log already, and not yet its program; in CrashLoopBackOff it is over. */
static bool is_beginning(struct json_object *status)
{
	const char *reason = text_at(status, "state.waiting.reason");

	return !strcmp(reason, "ContainerCreating") || !strcmp(reason, "PodInitializing");
}

/* Whether the run that is followed still runs. */
static bool runs(const struct log_request *request, const struct source *source)
{
	struct record record;
	struct error ignored;
	bool result;

	if (catalog_read(request->root, request->namespace, source->pod, &record, &ignored) < 0)
		return false;
	{
		struct json_object *status = status_of(record.pod, source->container);

		result = record.alive && !json_at(status, "state.terminated") &&
			 (!*text_at(status, "state.waiting.reason") || is_beginning(status)) &&
			 (unsigned int)json_object_get_int(json_at(status, "restartCount")) == source->run;
	}
	record_free(&record);
	return result;
}

/* What is there by now; what isn't any more is said. */
static void print(struct source *source)
{
	unsigned int gaps = source->reader.gaps;

	logreader_print(&source->reader, stdout);
	if (source->reader.gaps == gaps)
		return;
	fflush(stdout);
	fprintf(stderr,
		"minirun: container %s prints faster than this is read: lines are missing, they have been "
		"rotated away\n",
		source->container);
}

/* Until all have ended, or nobody reads. */
static void follow(const struct log_request *request, struct sources *sources)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	size_t open = sources->n;

	while (open && fflush(stdout) == 0) {
		for (size_t i = 0; i < sources->n; i++) {
			struct source *source = &sources->items[i];
			bool alive;

			if (source->ended)
				continue;
			/* In this order: what it wrote before its end is read after that is known. */
			alive = runs(request, source);
			print(source);
			if (alive)
				continue;
			source->ended = true;
			open--;
		}
		if (open)
			nanosleep(&pause, NULL);
	}
}

int cmd_logs(const struct invocation *invocation, struct error *err)
{
	cleanup_free char *root = path_of_root(invocation, err);
	struct sources sources = {0};
	struct log_request request;
	int result;

	if (!root || log_request_read(invocation, &request, err) < 0)
		return -1;
	request.root = root;
	setvbuf(stdout, NULL, _IOFBF, OUTPUT_BUFFER);
	/* With -f one that is just being made is waited for. */
	while ((result = open_sources(&request, &sources, err)) < 0 && request.follow && is_waiting(err))
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
	if (result == 0 && request.follow && sources.n > 1 && (int64_t)sources.n > request.most)
		result = error_set(err, ERROR_USAGE, 0,
			"you are attempting to follow %zu log streams, but maximum allowed concurrency is "
			"%lld, use --max-log-requests to increase the limit",
			sources.n, (long long)request.most);
	for (size_t i = 0; i < sources.n && result == 0; i++)
		print(&sources.items[i]);
	if (result == 0 && request.follow)
		follow(&request, &sources);
	sources_free(&sources);
	return result;
}
