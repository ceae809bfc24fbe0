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
#include "runner/verbs/selector.h"

#define PAUSE_NS      50000000 /* between two looks with -f */
#define SELECTOR_TAIL 10 /* lines */
#define MOST_FOLLOWED 5 /* streams */
#define OUTPUT_BUFFER 65536 /* bytes: of 5 MB/s or 500 */

struct request {
	const char *root, *namespace, *selector;
	const char *pod, *container; /* NULL: those of the selector; the first */
	int64_t tail; /* -1: all */
	char since[48]; /* "": all */
	int64_t most; /* that are followed */
	bool timestamps, previous, follow, prefix, all;
};

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

/* In the form that logs have, of what is given in whole seconds. */
static void set_since(struct request *request, time_t since)
{
	struct tm tm;

	gmtime_r(&since, &tm);
	strftime(request->since, sizeof(request->since), "%Y-%m-%dT%H:%M:%S.000000000Z", &tm);
}

/* RFC 3339: "2026-11-24T12:00:00Z", "2026-11-24T12:00:00.5+01:00". As with kubectl the fraction is left out. */
static bool parse_time(const char *text, time_t *result)
{
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	static const char form[] = "+00:00";
	int64_t digits[sizeof(form)], minutes;

	if (rest && *rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (!rest)
		return false;
	*result = timegm(&tm);
	if (!strcmp(rest, "Z"))
		return true;
	if (strspn(rest, "+-") != 1 || strlen(rest) != strlen(form) || rest[3] != ':')
		return false;
	for (size_t i = 1; i < strlen(form); i++) {
		digits[i] = rest[i] - '0';
		if (i != 3 && (digits[i] < 0 || digits[i] > 9))
			return false;
	}
	minutes = 60 * (10 * digits[1] + digits[2]) + 10 * digits[4] + digits[5];
	*result -= (*rest == '-' ? -60 : 60) * minutes;
	return true;
}

static int read_since(const struct invocation *invocation, struct request *request, struct error *err)
{
	const char *text = invocation->value[OPTION_SINCE_TIME];
	int64_t ms = 0;
	time_t since;

	if (option_duration(invocation, OPTION_SINCE, &ms, err) < 0)
		return -1;
	if (ms < 0)
		return error_set(err, ERROR_USAGE, 0, "--since must be greater than 0");
	if (text && *text && ms)
		return error_set(
			err, ERROR_USAGE, 0, "at most one of `sinceTime` or `sinceSeconds` may be specified");
	if (ms)
		set_since(request, time(NULL) - (time_t)(ms / 1000));
	if (!text || !*text)
		return 0;
	if (!parse_time(text, &since))
		return error_set(err, ERROR_USAGE, 0,
			"parsing time \"%s\": --since-time is of the form 2006-01-02T15:04:05Z", text);
	set_since(request, since);
	return 0;
}

/* Which pods and containers are meant. */
static int read_operands(const struct invocation *invocation, struct request *request, struct error *err)
{
	char **operands = invocation->operands;
	int n = invocation->n_operands;

	request->selector = invocation->value[OPTION_SELECTOR];
	request->container = invocation->value[OPTION_CONTAINER];
	if ((n == 0 && !request->selector) || n > 2) {
		error_set(err, ERROR_USAGE, 0, "logs wants the name of a pod");
		return error_hint(err, "minirun logs NAME [-c CONTAINER], or minirun logs -l LABELS");
	}
	if (n && request->selector)
		return error_set(err, ERROR_USAGE, 0, "only a selector (-l) or a POD name is allowed");
	if (n == 2 && request->container)
		return error_set(
			err, ERROR_USAGE, 0, "only one of -c or an inline [CONTAINER] arg is allowed");
	if (n)
		request->pod = catalog_pod_of(operands[0]);
	if (n == 2)
		request->container = operands[1];
	if (request->container && request->all)
		return error_set(err, ERROR_USAGE, 0,
			"--all-containers=true should not be specified with container name %s",
			request->container);
	return request->selector ? selector_check(request->selector, err) : 0;
}

static int read_options(const struct invocation *invocation, struct request *request, struct error *err)
{
	*request = (struct request){
		.namespace = catalog_namespace(invocation),
		/* kubectl's, for many pods at once */
		.tail = invocation->value[OPTION_SELECTOR] ? SELECTOR_TAIL : -1,
		.most = MOST_FOLLOWED,
		.timestamps = invocation->value[OPTION_TIMESTAMPS] != NULL,
		.previous = invocation->value[OPTION_PREVIOUS] != NULL,
		.follow = invocation->value[OPTION_FOLLOW] != NULL,
		.prefix = invocation->value[OPTION_PREFIX] != NULL,
		.all = invocation->value[OPTION_ALL_CONTAINERS] != NULL,
	};
	if (option_number(invocation, OPTION_TAIL, &request->tail, err) < 0 ||
		option_number(invocation, OPTION_MAX_LOG_REQUESTS, &request->most, err) < 0 ||
		read_since(invocation, request, err) < 0)
		return -1;
	if (request->tail < -1)
		return error_set(err, ERROR_USAGE, 0, "--tail must be greater than or equal to -1");
	return read_operands(invocation, request, err);
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

static int which_run(const struct request *request, const struct record *record, const char *container,
	unsigned int *run, struct error *err)
{
	struct json_object *status = status_of(record->pod, container);
	int restarts = json_object_get_int(json_at(status, "restartCount"));

	if (!status)
		return error_set(
			err, ERROR_HOST, 0, "container %s is not valid for pod %s", container, record->name);
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

static int add_source(const struct request *request, const struct record *record, const char *container,
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
static int add_all(const struct request *request, const struct record *record, struct sources *sources)
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

static int add_pod(const struct request *request, const struct record *record, struct sources *sources,
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
static int add_selected(const struct request *request, struct sources *sources, struct error *err)
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

static int open_sources(const struct request *request, struct sources *sources, struct error *err)
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
static bool runs(const struct request *request, const struct source *source)
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

	if (!root || read_options(invocation, &request, err) < 0)
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
