/* `minirun image load` and `minirun image pull`. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/verbs/cmd_image.h"
#include "runner/image_text.h"
#include "runner/progress.h"
#include "runner/pod/worker.h"

/* One call of either. */
struct job {
	const struct invocation *invocation;
	char **operands;
	int n;
	struct pull_settings settings;
};

/* A number of bytes as Kubernetes writes quantities: 500M, 16Gi. */
static bool parse_bytes(const char *text, uint64_t *bytes)
{
	static const struct {
		const char *suffix;
		uint64_t factor;
	} units[] = {{"", 1}, {"k", 1000}, {"M", 1000000}, {"G", 1000000000}, {"T", 1000000000000},
		{"Ki", 1ULL << 10}, {"Mi", 1ULL << 20}, {"Gi", 1ULL << 30}, {"Ti", 1ULL << 40}};
	size_t digits = strspn(text, "0123456789");
	cleanup_free char *number = xstrndup(text, digits);
	int64_t n;

	if (!text_to_integer(number, 1, INT64_MAX, &n))
		return false;
	for (size_t i = 0; i < array_length(units); i++)
		if (!strcmp(units[i].suffix, text + digits))
			return !__builtin_mul_overflow((uint64_t)n, units[i].factor, bytes);
	return false;
}

static int read_limits(const struct invocation *invocation, struct load_limits *limits, struct error *err)
{
	const char *bytes = invocation->value[OPTION_MAX_BYTES];
	const char *entries = invocation->value[OPTION_MAX_ENTRIES];
	const char *ratio = invocation->value[OPTION_MAX_RATIO];
	const char *memory = invocation->value[OPTION_MAX_MEMORY];
	int64_t n;

	*limits = load_limits_default;
	if (bytes && !parse_bytes(bytes, &limits->max_bytes))
		return error_set(
			err, ERROR_USAGE, 0, "--max-bytes %s: a number of bytes such as 500M or 16Gi", bytes);
	if (memory && !parse_bytes(memory, &limits->max_memory))
		return error_set(
			err, ERROR_USAGE, 0, "--max-memory %s: a number of bytes such as 64Mi", memory);
	if (entries) {
		if (!text_to_integer(entries, 1, INT64_MAX, &n))
			return error_set(
				err, ERROR_USAGE, 0, "--max-entries %s: a number from 1 on", entries);
		limits->max_entries = (uint64_t)n;
	}
	if (ratio) {
		if (!text_to_integer(ratio, 1, UINT32_MAX, &n))
			return error_set(err, ERROR_USAGE, 0, "--max-ratio %s: a number from 1 on", ratio);
		limits->max_ratio = (unsigned int)n;
	}
	return 0;
}

/* skopeo runs in another folder than we. */
static int make_absolute(const char *path, char **absolute, struct error *err)
{
	char folder[PATH_MAX];

	if (!path || path[0] == '/') {
		*absolute = xstrdup(path);
		return 0;
	}
	if (!getcwd(folder, sizeof(folder)))
		return error_set(err, ERROR_HOST, errno, "cannot tell which folder this is");
	*absolute = xasprintf("%s/%s", folder, path);
	return 0;
}

int pull_settings_read(const struct invocation *invocation, struct pull_settings *settings, struct error *err)
{
	const char *verify = invocation->value[OPTION_TLS_VERIFY];

	*settings = (struct pull_settings){0};
	if (verify && strcmp(verify, "true") != 0 && strcmp(verify, "false") != 0)
		return error_set(err, ERROR_USAGE, 0, "--tls-verify %s: it is true or false", verify);
	if (read_limits(invocation, &settings->limits, err) < 0 ||
		make_absolute(invocation->value[OPTION_AUTHFILE], &settings->authfile, err) < 0 ||
		make_absolute(invocation->value[OPTION_CERT_DIR], &settings->cert_dir, err) < 0) {
		pull_settings_free(settings);
		return -1;
	}
	if (settings->authfile && access(settings->authfile, R_OK) < 0) {
		error_set(err, ERROR_USAGE, errno, "--authfile %s", settings->authfile);
		pull_settings_free(settings);
		return -1;
	}
	settings->options = (struct pull_options){
		.limits = &settings->limits,
		.authfile = settings->authfile,
		.cert_dir = settings->cert_dir,
		.no_tls_verify = verify && !strcmp(verify, "false"),
	};
	return 0;
}

void pull_settings_free(struct pull_settings *settings)
{
	free(settings->authfile);
	free(settings->cert_dir);
	settings->authfile = settings->cert_dir = NULL;
}

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
