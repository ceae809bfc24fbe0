/* `minirun image`: its words, and those that are about what is stored: ls, inspect, rm, prune. */
#include "runner/verbs/cmd_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/image_text.h"
#include "runner/plan/paths.h"

int image_open_store(const struct invocation *invocation, struct store *store, struct error *err)
{
	cleanup_free char *path = path_of_store(invocation, err);

	return path ? store_open(store, path, err) : -1;
}

/* For words that only look: a name of a store that was misspelt makes no folder. */
static int look_into_store(const struct invocation *invocation, struct store *store, struct error *err)
{
	cleanup_free char *path = path_of_store(invocation, err);

	return path ? store_look(store, path, err) : -1;
}

static void free_images(struct image *images, size_t n)
{
	for (size_t i = 0; i < n; i++)
		image_free(&images[i]);
	free(images);
}

static int list(const struct invocation *invocation, char **operands, int n, struct error *err)
{
	cleanup_store struct store store = {.fd = -1};
	struct image *images;
	size_t n_images;

	if (n > 0)
		return error_set(err, ERROR_USAGE, 0, "minirun image ls takes no operand: %s", operands[0]);
	if (look_into_store(invocation, &store, err) < 0 || image_list(&store, &images, &n_images, err) < 0)
		return -1;
	if (wants_json(invocation)) {
		struct json_object *json = json_object_new_array();

		for (size_t i = 0; i < n_images; i++)
			json_object_array_add(json, image_to_json(&images[i]));
		image_print_json(json);
	} else if (n_images > 0) {
		image_print_table(images, n_images, stdout);
	} else if (!invocation->value[OPTION_QUIET]) {
		/* As kubectl: nothing on standard output, where a script reads. */
		fprintf(stderr, "No images in %s\n", store.path);
	}
	free_images(images, n_images);
	return 0;
}

void image_add_failure(struct image_failures *failures, const struct error *err)
{
	if (failures->n++) {
		cleanup_free char *safe =
			text_printable(failures->last->message, strlen(failures->last->message));

		fprintf(stderr, "minirun: %s\n", safe);
	}
	*failures->last = *err;
}

static int inspect(const struct invocation *invocation, char **operands, int n, struct error *err)
{
	cleanup_store struct store store = {.fd = -1};
	struct json_object *json = NULL;
	struct image_failures failures = {.last = err};

	if (n < 1) {
		error_set(err, ERROR_USAGE, 0, "minirun image inspect takes names or digests of images");
		return error_hint(err, "`minirun image ls` lists them");
	}
	if (look_into_store(invocation, &store, err) < 0)
		return -1;
	if (wants_json(invocation))
		json = json_object_new_array();
	for (int i = 0; i < n; i++) {
		struct error latest = {0};
		struct image *images;
		size_t n_images;

		if (image_choose(&store, operands[i], &images, &n_images, &latest) < 0) {
			image_add_failure(&failures, &latest);
			continue;
		}
		for (size_t j = 0; j < n_images; j++) {
			if (json)
				json_object_array_add(json, image_details_to_json(&images[j]));
			else
				image_print_details(&images[j], stdout);
		}
		free_images(images, n_images);
	}
	if (json)
		image_print_json(json);
	return failures.n ? -1 : 0;
}

/* All names of a digest, or the one name. */
static void remove_one(const struct invocation *invocation, const struct store *store, const char *word,
	struct json_object *removed, struct image_failures *failures)
{
	struct error latest = {0};
	struct image *images;
	size_t n;

	if (image_choose(store, word, &images, &n, &latest) < 0) {
		image_add_failure(failures, &latest);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (image_remove(store, images[i].name, &latest) < 0) {
			image_add_failure(failures, &latest);
			continue;
		}
		if (removed)
			json_object_array_add(removed, json_object_new_string(images[i].name));
		else if (!invocation->value[OPTION_QUIET])
			printf("%s removed\n", images[i].name);
	}
	free_images(images, n);
}

static int remove_all(const struct invocation *invocation, char **operands, int n, struct error *err)
{
	cleanup_store struct store store = {.fd = -1};
	struct json_object *removed = NULL;
	struct image_failures failures = {.last = err};

	if (n < 1) {
		error_set(err, ERROR_USAGE, 0, "minirun image rm takes names or digests of images");
		return error_hint(err, "`minirun image ls` lists them");
	}
	if (look_into_store(invocation, &store, err) < 0)
		return -1;
	if (wants_json(invocation))
		removed = json_object_new_array();
	for (int i = 0; i < n; i++)
		remove_one(invocation, &store, operands[i], removed, &failures);
	if (removed) {
		struct json_object *json = json_object_new_object();

		json_object_object_add(json, "removed", removed);
		image_print_json(json);
	}
	return failures.n ? -1 : 0;
}

static void print_pruned(const struct invocation *invocation, const struct pruned *pruned)
{
	char size[32];

	if (wants_json(invocation)) {
		struct json_object *json = json_object_new_object();
		struct json_object *names = json_object_new_array();

		for (char *const *name = pruned->images; name && *name; name++)
			json_object_array_add(names, json_object_new_string(*name));
		json_object_object_add(json, "images", names);
		json_object_object_add(json, "layers", json_object_new_uint64(pruned->layers));
		json_object_object_add(json, "bytes", json_object_new_uint64(pruned->bytes));
		image_print_json(json);
		return;
	}
	if (invocation->value[OPTION_QUIET])
		return;
	for (char *const *name = pruned->images; name && *name; name++)
		printf("%s removed\n", *name);
	printf("%zu layer%s removed, %s freed\n", pruned->layers, pruned->layers == 1 ? "" : "s",
		text_size(pruned->bytes, size, sizeof(size)));
}

static int prune(const struct invocation *invocation, char **operands, int n, struct error *err)
{
	cleanup_store struct store store = {.fd = -1};
	struct pruned pruned = {0};
	int result;

	if (n > 0)
		return error_set(
			err, ERROR_USAGE, 0, "minirun image prune takes no operand: %s", operands[0]);
	if (look_into_store(invocation, &store, err) < 0)
		return -1;
	result = store.fd < 0 ? 0 : store_prune(&store, invocation->value[OPTION_ALL] != NULL, &pruned, err);
	if (result == 0)
		print_pruned(invocation, &pruned);
	strv_free(pruned.images);
	return result;
}

struct subcommand {
	const char *name;
	int (*run)(const struct invocation *invocation, char **operands, int n, struct error *err);
	const char *own; /* the options that it takes and not every other does */
};

static const struct subcommand subcommands[] = {
	{"load", image_cmd_load, "config max-bytes max-entries max-ratio max-memory"},
	{"pull", image_cmd_pull, "max-bytes max-entries max-ratio max-memory authfile cert-dir tls-verify"},
	{"ls", list, ""},
	{"inspect", inspect, ""},
	{"rm", remove_all, ""},
	{"prune", prune, "all"},
};

/* An option of another word's is an error: it would be ignored in silence. */
static int check_own(
	const struct invocation *invocation, const struct subcommand *subcommand, struct error *err)
{
	for (size_t id = 0; id < OPTION_COUNT; id++) {
		const char *name = option_specs[id].name;

		if (!invocation->value[id] || text_has_word(subcommand->own, name))
			continue;
		for (size_t i = 0; i < array_length(subcommands); i++) {
			if (!text_has_word(subcommands[i].own, name))
				continue;
			error_set(err, ERROR_USAGE, 0, "minirun image %s takes no option --%s",
				subcommand->name, name);
			return error_hint(err, "it is one of `minirun image %s`", subcommands[i].name);
		}
	}
	return 0;
}

int cmd_image(const struct invocation *invocation, struct error *err)
{
	const char *names[array_length(subcommands)];
	const char *word = invocation->operands[0];
	const char *nearest;

	if (!word) {
		error_set(err, ERROR_USAGE, 0, "minirun image wants to know what to do");
		return error_hint(err, "it has load, pull, ls, inspect, rm and prune: `minirun help image`");
	}
	for (size_t i = 0; i < array_length(subcommands); i++) {
		names[i] = subcommands[i].name;
		if (strcmp(word, names[i]) != 0)
			continue;
		if (check_own(invocation, &subcommands[i], err) < 0)
			return -1;
		return subcommands[i].run(
			invocation, invocation->operands + 1, invocation->n_operands - 1, err);
	}
	error_set(err, ERROR_USAGE, 0, "minirun image has no %s", word);
	nearest = text_nearest(word, names, array_length(names));
	if (nearest)
		return error_hint(err, "did you mean `minirun image %s`?", nearest);
	return error_hint(err, "it has load, pull, ls, inspect, rm and prune");
}
