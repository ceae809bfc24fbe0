/* `minirun image`: load, ls, rm. */
#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "images/images.h"
#include "runner/command.h"
#include "runner/paths.h"

#define SHORT_DIGEST 19 /* "sha256:" and twelve digits */

static void cleanup_store_fn(struct store *store)
{
	if (store->path)
		store_close(store);
}
#define cleanup_store __attribute__((cleanup(cleanup_store_fn)))

static void cleanup_image_fn(struct image *image)
{
	image_free(image);
}
#define cleanup_image __attribute__((cleanup(cleanup_image_fn)))

static int open_store(const struct invocation *invocation, struct store *store, struct error *err)
{
	cleanup_free char *path = path_of_store(invocation, err);

	return path ? store_open(store, path, err) : -1;
}

/* 6421 as "6,421". Returns buffer. */
static const char *grouped(uint64_t n, char *buffer, size_t size)
{
	char digits[32];
	int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
	size_t used = 0;

	for (int i = 0; i < length && used + 2 < size; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			buffer[used++] = ',';
		buffer[used++] = digits[i];
	}
	buffer[used] = '\0';
	return buffer;
}

/* As kubectl's AGE, the largest unit alone. Returns buffer. */
static const char *age(time_t since, char *buffer, size_t size)
{
	long long seconds = (long long)time(NULL) - (long long)since;

	if (seconds < 0)
		seconds = 0;
	if (seconds < 120)
		snprintf(buffer, size, "%llds", seconds);
	else if (seconds < 120LL * 60)
		snprintf(buffer, size, "%lldm", seconds / 60);
	else if (seconds < 48LL * 3600)
		snprintf(buffer, size, "%lldh", seconds / 3600);
	else
		snprintf(buffer, size, "%lldd", seconds / 86400);
	return buffer;
}

static struct json_object *strings_to_json(char *const *strings)
{
	struct json_object *array;

	if (!strings)
		return NULL;
	array = json_object_new_array();
	for (; *strings; strings++)
		json_object_array_add(array, json_object_new_string(*strings));
	return array;
}

static struct json_object *string_to_json(const char *string)
{
	return string ? json_object_new_string(string) : NULL;
}

static struct json_object *image_to_json(const struct image *image)
{
	struct json_object *json = json_object_new_object();
	struct json_object *config = json_object_new_object();
	char when[32];
	struct tm tm;

	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&image->loaded, &tm));
	json_object_object_add(json, "name", json_object_new_string(image->name));
	json_object_object_add(json, "digest", json_object_new_string(image->digest));
	json_object_object_add(json, "size", json_object_new_uint64(image->size));
	json_object_object_add(json, "entries", json_object_new_uint64(image->entries));
	json_object_object_add(json, "loaded", json_object_new_string(when));
	json_object_object_add(json, "layers", strings_to_json(image->layers));
	json_object_object_add(config, "Entrypoint", strings_to_json(image->config.entrypoint));
	json_object_object_add(config, "Cmd", strings_to_json(image->config.cmd));
	json_object_object_add(config, "Env", strings_to_json(image->config.env));
	json_object_object_add(config, "Volumes", strings_to_json(image->config.volumes));
	json_object_object_add(config, "WorkingDir", string_to_json(image->config.working_dir));
	json_object_object_add(config, "User", string_to_json(image->config.user));
	json_object_object_add(config, "StopSignal", string_to_json(image->config.stop_signal));
	json_object_object_add(json, "config", config);
	return json;
}

/* One document; takes json. */
static void print_json(struct json_object *json)
{
	puts(json_object_to_json_string_ext(
		json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(json);
}

/* What the watcher's functions work on. */
struct loading {
	const struct invocation *invocation;
	const char *name;
	bool shown; /* a line of progress is on the terminal */
	struct timespec began;
};

static void clear_line(struct loading *loading)
{
	if (loading->shown)
		fputs("\r\033[K", stderr);
	loading->shown = false;
}

static void warn(void *data, const char *line)
{
	struct loading *loading = data;

	if (loading->invocation->value[OPTION_QUIET])
		return;
	clear_line(loading);
	fprintf(stderr, "minirun: warning: %s\n", line);
}

static void show_progress(void *data, const struct load_progress *progress)
{
	struct loading *loading = data;
	char read[32], written[32], rate[32], entries[32];
	struct timespec now;
	double seconds;

	clock_gettime(CLOCK_MONOTONIC, &now);
	seconds = (double)(now.tv_sec - loading->began.tv_sec) +
		  (double)(now.tv_nsec - loading->began.tv_nsec) / 1e9;
	fprintf(stderr, "\r\033[K%s  %s", loading->name, text_size(progress->read, read, sizeof(read)));
	if (progress->total) {
		char total[32];

		fprintf(stderr, " of %s", text_size(progress->total, total, sizeof(total)));
	}
	fprintf(stderr, "  %s in %s entries  %s/s", text_size(progress->written, written, sizeof(written)),
		grouped(progress->entries, entries, sizeof(entries)),
		text_size(
			seconds > 0 ? (uint64_t)((double)progress->read / seconds) : 0, rate, sizeof(rate)));
	fflush(stderr);
	loading->shown = true;
}

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
	int64_t n;

	*limits = load_limits_default;
	if (bytes && !parse_bytes(bytes, &limits->max_bytes))
		return error_set(
			err, ERROR_USAGE, 0, "--max-bytes %s: a number of bytes such as 500M or 16Gi", bytes);
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

static int load_here(const struct invocation *invocation, char **operands, struct error *err)
{
	cleanup_store struct store store = {.fd = -1};
	cleanup_image struct image image = {0};
	struct loading loading = {.invocation = invocation, .name = operands[1] ? operands[1] : operands[0]};
	struct load_watcher watcher = {.warn = warn, .data = &loading};
	struct load_limits limits;
	char size[32], entries[32];
	int result;

	if (read_limits(invocation, &limits, err) < 0 || open_store(invocation, &store, err) < 0)
		return -1;
	if (isatty(STDERR_FILENO) && !invocation->value[OPTION_QUIET] && !wants_json(invocation))
		watcher.progress = show_progress;
	clock_gettime(CLOCK_MONOTONIC, &loading.began);
	result = image_load(&store, operands[0], operands[1], invocation->value[OPTION_CONFIG], &limits,
		&watcher, &image, err);
	clear_line(&loading);
	if (result < 0)
		return -1;
	if (wants_json(invocation))
		print_json(image_to_json(&image));
	else if (!invocation->value[OPTION_QUIET])
		printf("%s  %s  %s entries  %s\n", image.name, text_size(image.size, size, sizeof(size)),
			grouped(image.entries, entries, sizeof(entries)), image.digest);
	return 0;
}

/* Waits for the worker, passing on what should end us. Returns the signal that ended it, or 0 and its exit status. */
static int wait_for_worker(pid_t worker, const sigset_t *signals, int *status)
{
	for (;;) {
		int number = sigwaitinfo(signals, NULL);

		if (number > 0 && number != SIGCHLD)
			kill(worker, number);
		if (waitpid(worker, status, WNOHANG) == worker)
			return WIFSIGNALED(*status) ? WTERMSIG(*status) : 0;
	}
}

/*
 * A load may be ended at any byte, by Ctrl-C above all. So it is a process of its own, and we, who stay, clear up what it left;
 * then we die of the same signal, as whoever called us expects.
 */
static int load(const struct invocation *invocation, char **operands, int n, struct error *err)
{
	cleanup_store struct store store = {.fd = -1};
	sigset_t signals, before;
	pid_t worker, parent = getpid();
	int number, status;

	if (n != 1 && n != 2) {
		error_set(err, ERROR_USAGE, 0,
			"minirun image load takes a source and perhaps a name, not %d operands", n);
		return error_hint(err, "minirun image load ARCHIVE|DIR|- [NAME]");
	}
	if (open_store(invocation, &store, err) < 0)
		return -1;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, &before);
	worker = fork();
	if (worker < 0)
		return error_set(err, ERROR_HOST, errno, "fork");
	if (worker == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			raise(SIGKILL);
		sigprocmask(SIG_SETMASK, &before, NULL);
		return load_here(invocation, operands, err);
	}
	number = wait_for_worker(worker, &signals, &status);
	if (!number)
		return WEXITSTATUS(status);
	store_sweep(&store);
	signal(number, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	raise(number);
	return error_set(
		err, ERROR_HOST, 0, "the load was ended by signal %d, %s", number, strsignal(number));
}

static int widest_name(const struct image *images, size_t n)
{
	size_t width = strlen("NAME");

	for (size_t i = 0; i < n; i++)
		if (strlen(images[i].name) > width)
			width = strlen(images[i].name);
	return (int)width;
}

static void print_table(const struct image *images, size_t n)
{
	int width = widest_name(images, n);

	printf("%-*s   %-*s   %-8s   %-9s   %s\n", width, "NAME", SHORT_DIGEST, "DIGEST", "SIZE", "ENTRIES",
		"AGE");
	for (size_t i = 0; i < n; i++) {
		char size[32], entries[32], since[32];

		printf("%-*s   %-*.*s   %-8s   %-9s   %s\n", width, images[i].name, SHORT_DIGEST,
			SHORT_DIGEST, images[i].digest, text_size(images[i].size, size, sizeof(size)),
			grouped(images[i].entries, entries, sizeof(entries)),
			age(images[i].loaded, since, sizeof(since)));
	}
}

static int list(const struct invocation *invocation, char **operands, int n, struct error *err)
{
	cleanup_store struct store store = {.fd = -1};
	struct image *images;
	size_t n_images;

	if (n > 0)
		return error_set(err, ERROR_USAGE, 0, "minirun image ls takes no operand: %s", operands[0]);
	if (open_store(invocation, &store, err) < 0 || image_list(&store, &images, &n_images, err) < 0)
		return -1;
	if (wants_json(invocation)) {
		struct json_object *json = json_object_new_array();

		for (size_t i = 0; i < n_images; i++)
			json_object_array_add(json, image_to_json(&images[i]));
		print_json(json);
	} else if (n_images > 0) {
		print_table(images, n_images);
	} else if (!invocation->value[OPTION_QUIET]) {
		/* As kubectl: nothing on standard output, where a script reads. */
		fprintf(stderr, "No images in %s\n", store.path);
	}
	for (size_t i = 0; i < n_images; i++)
		image_free(&images[i]);
	free(images);
	return 0;
}

static int remove_all(const struct invocation *invocation, char **operands, int n, struct error *err)
{
	cleanup_store struct store store = {.fd = -1};
	int failed = 0;

	if (n < 1) {
		error_set(err, ERROR_USAGE, 0, "minirun image rm takes the names of images");
		return error_hint(err, "`minirun image ls` lists them");
	}
	if (open_store(invocation, &store, err) < 0)
		return -1;
	/* One that can't be removed doesn't keep the others; the first error is the one that is told. */
	for (int i = 0; i < n; i++) {
		struct error latest = {0};

		if (image_remove(&store, operands[i], &latest) == 0) {
			if (!invocation->value[OPTION_QUIET] && !wants_json(invocation))
				printf("%s removed\n", operands[i]);
		} else if (failed++ == 0) {
			*err = latest;
		}
	}
	if (failed > 1) {
		size_t used = strlen(err->message);

		snprintf(err->message + used, sizeof(err->message) - used, " (and %d more failed)",
			failed - 1);
	}
	return failed ? -1 : 0;
}

static const struct {
	const char *name;
	int (*run)(const struct invocation *invocation, char **operands, int n, struct error *err);
} subcommands[] = {
	{"load", load},
	{"ls", list},
	{"rm", remove_all},
};

int cmd_image(const struct invocation *invocation, struct error *err)
{
	const char *names[array_length(subcommands)];
	const char *word = invocation->operands[0];
	const char *nearest;

	if (!word) {
		error_set(err, ERROR_USAGE, 0, "minirun image wants to know what to do");
		return error_hint(
			err, "minirun image load ARCHIVE NAME, minirun image ls, minirun image rm NAME");
	}
	for (size_t i = 0; i < array_length(subcommands); i++) {
		names[i] = subcommands[i].name;
		if (!strcmp(word, names[i]))
			return subcommands[i].run(
				invocation, invocation->operands + 1, invocation->n_operands - 1, err);
	}
	error_set(err, ERROR_USAGE, 0, "minirun image has no %s", word);
	nearest = text_nearest(word, names, array_length(names));
	if (nearest)
		return error_hint(err, "did you mean `minirun image %s`?", nearest);
	return error_hint(err, "it has load, ls and rm");
}
