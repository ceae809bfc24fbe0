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
#include "runner/verbs/logreader.h"
#include "runner/plan/paths.h"
#include "runner/pod/status.h"

#define PAUSE_NS      50000000 /* between two looks with -f */
#define OUTPUT_BUFFER 65536 /* bytes: of 5 MB/s or 500 */

struct request {
	const char *root, *namespace, *pod;
	int64_t tail; /* -1: all */
	char since[48]; /* "": all */
	bool timestamps, previous, follow;
};

struct source {
	char *container;
	unsigned int run;
	struct logreader reader;
	bool ended;
};

struct sources {
	struct source *items;
	size_t n;
};

static int read_options(const struct invocation *invocation, struct request *request, struct error *err)
{
	int64_t ms = 0;

	*request = (struct request){
		.namespace = catalog_namespace(invocation),
		.pod = catalog_pod_of(invocation->operands[0]),
		.tail = -1,
		.timestamps = invocation->value[OPTION_TIMESTAMPS] != NULL,
		.previous = invocation->value[OPTION_PREVIOUS] != NULL,
		.follow = invocation->value[OPTION_FOLLOW] != NULL,
	};
	if (option_number(invocation, OPTION_TAIL, &request->tail, err) < 0 ||
		option_duration(invocation, OPTION_SINCE, &ms, err) < 0)
		return -1;
	if (request->tail < -1)
		return error_set(err, ERROR_USAGE, 0, "--tail must be greater than or equal to -1");
	if (ms < 0)
		return error_set(err, ERROR_USAGE, 0, "--since must be greater than 0");
	if (ms > 0) {
		time_t then = time(NULL) - (time_t)(ms / 1000);
		struct tm tm;

		gmtime_r(&then, &tm);
		strftime(request->since, sizeof(request->since), "%Y-%m-%dT%H:%M:%S.000000000Z", &tm);
	}
	return 0;
}

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

static int which_run(const struct request *request, struct json_object *pod, const char *container,
	unsigned int *run, struct error *err)
{
	struct json_object *status = status_of(pod, container);
	int restarts = json_object_get_int(json_at(status, "restartCount"));

	if (!status)
		return error_set(
			err, ERROR_HOST, 0, "container %s is not valid for pod %s", container, request->pod);
	if (request->previous && !json_at(status, "lastState.terminated") && restarts == 0)
		return error_set(err, ERROR_HOST, 0,
			"previous terminated container \"%s\" in pod \"%s\" not found", container,
			request->pod);
	if (!*text_at(status, "containerID"))
		return error_set(err, ERROR_HOST, 0, "container \"%s\" in pod \"%s\" is waiting to start: %s",
			container, request->pod, text_at(status, "state.waiting.reason"));
	*run = (unsigned int)(request->previous && restarts > 0 ? restarts - 1 : restarts);
	return 0;
}

static int add_source(const struct request *request, struct json_object *pod, const char *container,
	struct sources *sources, struct error *err)
{
	cleanup_free char *path =
		xasprintf("%s/%s/" DATA_NAME "/" LOGS_NAME "/%s", request->root, request->pod, container);
	struct source *source;
	unsigned int run = 0;
	int folder;

	if (which_run(request, pod, container, &run, err) < 0)
		return -1;
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	sources->items = xreallocarray(sources->items, sources->n + 1, sizeof(*sources->items));
	source = &sources->items[sources->n];
	*source = (struct source){.run = run};
	if (logreader_open(&source->reader, folder, run, request->tail, err) < 0) {
		logreader_close(&source->reader);
		return error_wrap(err, "container %s", container);
	}
	source->container = xstrdup(container);
	source->reader.timestamps = request->timestamps;
	source->reader.since = *request->since ? request->since : NULL;
	sources->n++;
	return 0;
}

/* Those that have not been started yet are left out, as there is nothing to say of them. */
static int add_all(const struct request *request, struct json_object *pod, struct sources *sources)
{
	static const char *const lists[] = {"spec.initContainers", "spec.containers"};
	struct error ignored;

	for (size_t i = 0; i < array_length(lists); i++) {
		struct json_object *list = json_at(pod, lists[i]);

		for (size_t j = 0; list && j < json_object_array_length(list); j++)
			add_source(request, pod, text_at(json_object_array_get_idx(list, j), "name"), sources,
				&ignored);
	}
	return 0;
}

static bool is_waiting(const struct error *err)
{
	return strstr(err->message, " is waiting to start: ") != NULL;
}

static int open_sources(const struct invocation *invocation, const struct request *request,
	struct sources *sources, struct error *err)
{
	const char *container = invocation->value[OPTION_CONTAINER];
	struct record record;
	int result;

	if (catalog_read(request->root, request->namespace, request->pod, &record, err) < 0)
		return -1;
	if (!container && invocation->n_operands > 1)
		container = invocation->operands[1];
	if (!record.background) {
		error_set(err, ERROR_HOST, 0, "pods \"%s\" runs in the foreground, and its output is there",
			request->pod);
		result = error_hint(err, "only of a pod that was started with -d there are logs");
	} else if (invocation->value[OPTION_ALL_CONTAINERS]) {
		result = add_all(request, record.pod, sources);
	} else {
		if (!container) {
			container = text_at(record.pod, "spec.containers.0.name");
			catalog_mention_default(record.pod);
		}
		result = add_source(request, record.pod, container, sources, err);
	}
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
static bool runs(const struct request *request, const struct source *source)
{
	struct record record;
	struct error ignored;
	bool result;

	if (catalog_read(request->root, request->namespace, request->pod, &record, &ignored) < 0)
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
static void follow(const struct request *request, struct sources *sources)
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
	struct request request;
	int result;

	if (!root)
		return -1;
	if (!invocation->n_operands || invocation->n_operands > 2) {
		error_set(err, ERROR_USAGE, 0, "logs wants the name of a pod");
		return error_hint(err, "minirun logs NAME [-c CONTAINER]");
	}
	if (read_options(invocation, &request, err) < 0)
		return -1;
	request.root = root;
	setvbuf(stdout, NULL, _IOFBF, OUTPUT_BUFFER);
	/* With -f one that is just being made is waited for. */
	while ((result = open_sources(invocation, &request, &sources, err)) < 0 && request.follow &&
		is_waiting(err))
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
	for (size_t i = 0; i < sources.n && result == 0; i++)
		print(&sources.items[i]);
	if (result == 0 && request.follow)
		follow(&request, &sources);
	for (size_t i = 0; i < sources.n; i++) {
		logreader_close(&sources.items[i].reader);
		free(sources.items[i].container);
	}
	free(sources.items);
	return result;
}
