/* `minirun image load` and `minirun image pull`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/image_text.h"
#include "runner/plan/pull_settings.h"
#include "runner/pod/worker.h"
#include "runner/progress.h"
#include "runner/verbs/cmd_image.h"

/* One call of either. */
struct job {
	const struct invocation *invocation;
	char **operands;
	int n;
	struct pull_settings settings;
};

static bool wants_progress(const struct invocation *invocation)
{
	return !invocation->value[OPTION_QUIET];
}

static void print_result(const struct invocation *invocation, const struct image *image, const char *note)
{
	if (wants_json(invocation))
		image_print_json(image_to_json(image));
	else if (!invocation->value[OPTION_QUIET] && note)
		printf("%s  %s  %s\n", image->name, note, image->digest);
	else if (!invocation->value[OPTION_QUIET])
		image_print_line(image, stdout);
}

static int load(void *data, struct error *err)
{
	const struct job *job = data;
	const char *source = job->operands[0], *name = job->operands[1];
	cleanup_store struct store store = {.fd = -1};
	cleanup_image struct image image = {0};
	struct progress progress;
	struct load_watcher watcher = {.warn = progress_warn, .progress = progress_show, .data = &progress};
	int result;

	if (image_open_store(job->invocation, &store, err) < 0)
		return -1;
	progress_init(&progress, name ? name : source, wants_progress(job->invocation));
	result = image_load(&store, source, name, job->invocation->value[OPTION_CONFIG],
		&job->settings.limits, &watcher, &image, err);
	progress_end(&progress);
	if (result == 0)
		print_result(job->invocation, &image, NULL);
	for (char **other = image.others; result == 0 && !wants_json(job->invocation) && other && *other;
		other++) {
		struct image named = image;

		named.name = *other;
		print_result(job->invocation, &named, NULL);
	}
	return result;
}

static int pull(void *data, struct error *err)
{
	struct job *job = data;
	cleanup_store struct store store = {.fd = -1};
	struct image_failures failures = {.last = err};

	if (image_open_store(job->invocation, &store, err) < 0)
		return -1;
	for (int i = 0; i < job->n; i++) {
		cleanup_image struct image image = {0};
		struct progress progress;
		struct load_watcher watcher = {
			.warn = progress_warn, .progress = progress_show, .data = &progress};
		struct error latest = {0};
		bool is_unchanged;
		int result;

		progress_init(&progress, job->operands[i], wants_progress(job->invocation));
		job->settings.options.watcher = &watcher;
		result = image_pull(
			&store, job->operands[i], &job->settings.options, &image, &is_unchanged, &latest);
		progress_end(&progress);
		if (result < 0)
			image_add_failure(&failures, &latest);
		else
			print_result(job->invocation, &image, is_unchanged ? "is up to date" : NULL);
	}
	return failures.n ? -1 : 0;
}

static int run(const struct invocation *invocation, char **operands, int n,
	int (*work)(void *data, struct error *err), struct error *err)
{
	struct job job = {.invocation = invocation, .operands = operands, .n = n};
	cleanup_store struct store store = {.fd = -1};
	int result = pull_settings_read(invocation, &job.settings, err);

	if (result == 0)
		result = image_open_store(invocation, &store, err);
	if (result == 0)
		result = worker_run(&store, work, &job, err);
	pull_settings_free(&job.settings);
	return result;
}

int image_cmd_load(const struct invocation *invocation, char **operands, int n, struct error *err)
{
	if (n == 1 || n == 2)
		return run(invocation, operands, n, load, err);
	error_set(err, ERROR_USAGE, 0,
		"minirun image load takes a source and perhaps a name, not %d operands", n);
	return error_hint(err, "minirun image load ARCHIVE|DIR|- [NAME]");
}

int image_cmd_pull(const struct invocation *invocation, char **operands, int n, struct error *err)
{
	if (n > 0)
		return run(invocation, operands, n, pull, err);
	error_set(err, ERROR_USAGE, 0, "minirun image pull takes the names of images");
	return error_hint(err, "minirun image pull nginx quay.io/who/what:tag");
}
