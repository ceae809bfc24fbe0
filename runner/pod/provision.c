/* Fetching a pod's images before its plan is made. */
#include "runner/pod/provision.h"

#include <inttypes.h>

#include "base/cleanup.h"
#include "runner/manifest/duration.h"
#include "runner/progress.h"
#include "runner/pod/timer.h"
#include "runner/pod/worker.h"

/* What the worker is given; its memory is its own, so that it gives nothing back but an error. */
struct job {
	const struct provision *provision;
	const struct store *store;
	const char *name;
};

static int pull(void *data, struct error *err)
{
	const struct job *job = data;
	const struct report *report = job->provision->report;
	struct pull_options options = job->provision->settings.options;
	cleanup_image struct image image = {0};
	struct progress progress;
	struct load_watcher watcher = {.warn = progress_warn, .progress = progress_show, .data = &progress};
	bool is_unchanged;
	int result;

	progress_init(&progress, job->name, !report->quiet && !report->json);
	options.watcher = &watcher;
	result = image_pull(job->store, job->name, &options, &image, &is_unchanged, err);
	progress_end(&progress);
	return result;
}

int provision_fetch(void *data, const struct store *store, const char *image, struct error *err)
{
	const struct provision *provision = data;
	struct job job = {provision, store, image};
	struct event event = {.type = "pulling"};
	cleanup_image struct image pulled = {0};
	int64_t began;
	cleanup_free char *took = NULL;

	report_event(provision->report, provision->pod, &event, "Pulling image \"%s\"", image);
	began = timer_now();
	if (worker_run(store, pull, &job, err) < 0 || image_find(store, image, &pulled, err) < 0)
		return -1;
	took = duration_text(timer_now() - began);
	event.type = "pulled";
	report_event(provision->report, provision->pod, &event,
		"Successfully pulled image \"%s\" in %s (%s including waiting). Image size: %" PRIu64
		" bytes.",
		image, took, took, pulled.size);
	return 0;
}
