/* Images: their records, STORE/images/NAME.json. Finding, listing, removing. */
#include "images/image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "images/config.h"
#include "images/layer.h"
#include "images/record.h"
#include "images/reference.h"

void image_free(struct image *image)
{
	free(image->name);
	strv_free(image->others);
	free(image->digest);
	free(image->index);
	strv_free(image->layers);
	image_config_free(&image->config);
	free(image->created);
	free(image->architecture);
	free(image->variant);
	free(image->configuration);
	*image = (struct image){0};
}

int image_check_name(const char *text, struct error *err)
{
	cleanup_reference struct reference reference = {0};

	return reference_parse(&reference, text, err);
}

/* In a record, and as -o json has it. */
static const char *const origins[] = {[IMAGE_LOADED] = "loaded", [IMAGE_PULLED] = "pulled"};

const char *image_origin_name(enum image_origin origin)
{
	return origins[origin];
}

static enum image_origin read_origin(struct json_object *json)
{
	const char *name;

	if (record_string(json, "origin", &name))
		for (size_t i = IMAGE_LOADED; i < array_length(origins); i++)
			if (!strcmp(name, origins[i]))
				return (enum image_origin)i;
	return IMAGE_ORIGIN_UNKNOWN;
}

static int damaged(const char *shown, struct error *err)
{
	error_set(err, ERROR_IMAGE, 0, "%s is damaged", shown);
	return error_hint(err, "remove that file and load the image again");
}

static int fill(
	struct json_object *json, const char *file, const char *shown, struct image *image, struct error *err)
{
	const char *name, *digest;
	uint64_t loaded;
	const char *index = NULL;
	struct json_object *configuration;
	cleanup_free char *expected = NULL;

	if (!record_string(json, "name", &name) || !record_string(json, "digest", &digest) ||
		!record_number(json, "size", &image->size) ||
		!record_number(json, "entries", &image->entries) || !record_number(json, "loaded", &loaded) ||
		!record_strings(json, "layers", &image->layers) || !image->layers || !image->layers[0])
		return damaged(shown, err);
	expected = reference_file(name);
	if (strcmp(expected, file))
		return damaged(shown, err);
	image->name = xstrdup(name);
	image->digest = xstrdup(digest);
	image->loaded = (time_t)loaded;
	image->origin = read_origin(json);
	if (record_string(json, "index", &index))
		image->index = xstrdup(index);
	if (!json_object_object_get_ex(json, "configuration", &configuration) || !configuration)
		return 0;
	return config_take(configuration, shown, CONFIG_RECORD, image, NULL, err);
}

/* Reads one record. ENOENT is told apart by err->errnum. */
static int read_image(
	const struct store *store, int dirfd, const char *file, struct image *image, struct error *err)
{
	cleanup_free char *shown = xasprintf("%s/%s/%s", store->path, STORE_IMAGES, file);
	cleanup_json struct json_object *json = NULL;

	*image = (struct image){0};
	if (record_read(dirfd, file, shown, &json, err) < 0) {
		if (!err->errnum)
			error_hint(err, "remove that file and load the image again");
		return -1;
	}
	if (fill(json, file, shown, image, err) == 0)
		return 0;
	image_free(image);
	return -1;
}

int image_publish(const struct store *store, const struct workspace *workspace, const struct image *image,
	struct error *err)
{
	static const char pending[] = "image.json";
	cleanup_json struct json_object *json = json_object_new_object();
	cleanup_free char *file = reference_file(image->name);
	cleanup_fd int images = store_folder(store, STORE_IMAGES, err);
	cleanup_fd int fd = -1;

	if (images < 0)
		return -1;
	json_object_object_add(json, "name", json_object_new_string(image->name));
	json_object_object_add(json, "digest", json_object_new_string(image->digest));
	json_object_object_add(json, "size", json_object_new_uint64(image->size));
	json_object_object_add(json, "entries", json_object_new_uint64(image->entries));
	json_object_object_add(json, "loaded", json_object_new_uint64((uint64_t)image->loaded));
	record_add_strings(json, "layers", image->layers);
	if (image->origin != IMAGE_ORIGIN_UNKNOWN)
		json_object_object_add(
			json, "origin", json_object_new_string(image_origin_name(image->origin)));
	if (image->index)
		json_object_object_add(json, "index", json_object_new_string(image->index));
	if (image->configuration)
		json_object_object_add(json, "configuration", json_tokener_parse(image->configuration));
	if (record_write(workspace->fd, pending, json, err) < 0)
		return -1;
	fd = openat(workspace->fd, pending, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0 || renameat(workspace->fd, pending, images, file) < 0 ||
		fsync(images) < 0)
		return error_set(
			err, ERROR_HOST, errno, "cannot write %s/%s/%s", store->path, STORE_IMAGES, file);
	return 0;
}

static int compare_files(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_record(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && text_ends_with(entry->d_name, ".json");
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct image *)a)->name, ((const struct image *)b)->name);
}

int image_list(const struct store *store, struct image **images, size_t *n, struct error *err)
{
	cleanup_fd int fd = store->fd < 0 ? -1 : store_folder(store, STORE_IMAGES, err);
	struct dirent **files;
	int found, result = 0;

	*images = NULL;
	*n = 0;
	if (fd < 0 && (store->fd < 0 || err->errnum == ENOENT)) {
		*err = (struct error){0};
		return 0;
	}
	if (fd < 0)
		return -1;
	found = scandirat(fd, ".", &files, is_record, compare_files);
	if (found < 0)
		return error_set(err, ERROR_HOST, errno, "cannot read %s/%s", store->path, STORE_IMAGES);
	*images = xcalloc((size_t)found, sizeof(**images));
	for (int i = 0; i < found; i++) {
		if (result == 0)
			result = read_image(store, fd, files[i]->d_name, &(*images)[*n], err);
		if (result == 0)
			(*n)++;
		else if (err->errnum == ENOENT)
			result = 0; /* removed while we were reading */
		free(files[i]);
	}
	free(files);
	if (result == 0) {
		qsort(*images, *n, sizeof(**images), compare_names);
		return 0;
	}
	while (*n > 0)
		image_free(&(*images)[--*n]);
	free(*images);
	*images = NULL;
	return -1;
}

char *image_near(const struct store *store, const char *name)
{
	cleanup_free const char **names = NULL;
	struct image *images = NULL;
	struct error ignored;
	char *nearest;
	size_t n = 0;

	if (image_list(store, &images, &n, &ignored) < 0)
		return NULL;
	names = xcalloc(n + 1, sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = images[i].name;
	nearest = xstrdup(text_nearest(name, names, n));
	for (size_t i = 0; i < n; i++)
		image_free(&images[i]);
	free(images);
	return nearest;
}

/* There is no such image: says so, with the name that is near, and how to get one. */
static int not_found(const struct store *store, const char *name, struct error *err)
{
	cleanup_free char *nearest = image_near(store, name);

	error_set(err, ERROR_IMAGE, 0, "no image %s in the store %s", name, store->path);
	err->errnum = ENOENT;
	if (nearest)
		return error_hint(err, "did you mean %s? Otherwise: minirun image pull %s", nearest, name);
	return error_hint(err, "minirun image pull %s, or minirun image load ARCHIVE %s", name, name);
}

static bool has_digest(const struct image *image, const char *digest)
{
	return (image->digest && !strcmp(digest, image->digest)) ||
	       (image->index && !strcmp(digest, image->index));
}

/* Under whatever tag: a digest says all. */
static bool find_by_digest(const struct store *store, const struct reference *reference, struct image *image)
{
	cleanup_free char *repository = reference_repository(reference->name);
	struct image *images;
	struct error ignored;
	bool found = false;
	size_t n;

	if (!reference->digest || image_list(store, &images, &n, &ignored) < 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *other = reference_repository(images[i].name);

		if (!found && !strcmp(other, repository) && has_digest(&images[i], reference->digest)) {
			*image = images[i];
			found = true;
		} else {
			image_free(&images[i]);
		}
	}
	free(images);
	return found;
}

int image_find(const struct store *store, const char *name, struct image *image, struct error *err)
{
	cleanup_reference struct reference reference = {0};
	cleanup_free char *file = NULL;
	cleanup_fd int fd = -1;
	int result;

	*image = (struct image){0};
	if (reference_parse(&reference, name, err) < 0)
		return -1;
	if (store->fd < 0) /* store_look found none */
		return not_found(store, reference.name, err);
	fd = store_folder(store, STORE_IMAGES, err);
	if (fd < 0)
		return err->errnum == ENOENT ? not_found(store, reference.name, err) : -1;
	file = reference_file(reference.name);
	result = read_image(store, fd, file, image, err);
	if (result < 0 && err->errnum != ENOENT)
		return -1;
	if (result == 0 && (!reference.digest || has_digest(image, reference.digest)))
		return 0;
	if (result == 0) {
		error_set(err, ERROR_IMAGE, 0, "the stored image %s is %s, not %s", image->name,
			image->digest, reference.digest);
		error_hint(err, "minirun image pull %s fetches that one", name);
		image_free(image);
	} else {
		not_found(store, reference.name, err);
	}
	err->errnum = ENOENT;
	return find_by_digest(store, &reference, image) ? 0 : -1;
}

/* Whether an image other than this one has the layer. */
static bool is_shared(const struct image *images, size_t n, const struct image *image, const char *layer)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(images[i].name, image->name))
			continue;
		for (char **other = images[i].layers; *other; other++)
			if (!strcmp(*other, layer))
				return true;
	}
	return false;
}

static int check_unused(const struct store *store, const struct image *image, struct error *err)
{
	struct image *images;
	bool used = false;
	size_t n;

	if (image_list(store, &images, &n, err) < 0)
		return -1;
	for (char **layer = image->layers; layer && *layer; layer++)
		if (!is_shared(images, n, image, *layer) && layer_is_used(store, *layer))
			used = true;
	for (size_t i = 0; i < n; i++)
		image_free(&images[i]);
	free(images);
	if (!used)
		return 0;
	error_set(err, ERROR_IMAGE, EBUSY, "the image %s is used by a running pod", image->name);
	return error_hint(err, "end the pod first");
}

int image_remove(const struct store *store, const char *name, struct error *err)
{
	cleanup_workspace struct workspace workspace = {.tmp = -1, .fd = -1};
	struct image image;
	cleanup_free char *file = NULL;
	cleanup_fd int fd = store_folder(store, STORE_IMAGES, err);
	cleanup_fd int lock = -1;
	int result;

	if (fd < 0 || workspace_open(&workspace, store, err) < 0)
		return -1;
	lock = store_lock(store, err);
	if (lock < 0 || image_find(store, name, &image, err) < 0)
		return -1;
	file = reference_file(image.name);
	result = check_unused(store, &image, err);
	image_free(&image);
	if (result < 0)
		return -1;
	/* The record first: a crash behind it leaves a layer without an image, and those are collected. */
	if (unlinkat(fd, file, 0) < 0)
		return error_set(
			err, ERROR_HOST, errno, "cannot remove %s/%s/%s", store->path, STORE_IMAGES, file);
	layer_collect(store, &workspace);
	return 0;
}
