/* Making room in the store: what nothing refers to, and with all of it what no pod uses. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "images/layer.h"
#include "images/reference.h"
#include "images/store.h"

struct sized_layer {
	char id[LAYER_ID_LENGTH + 1];
	uint64_t size;
};

/* All layers with their sizes; NULL if there are none. */
static struct sized_layer *list_layers(const struct store *store, size_t *n)
{
	struct error ignored;
	cleanup_fd int fd = store_folder(store, STORE_LAYERS, &ignored);
	cleanup_dir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct sized_layer *layers = NULL;
	const struct dirent *entry;

	*n = 0;
	if (!dir)
		return NULL;
	steal_fd(&fd);
	while ((entry = readdir(dir))) {
		struct layer_facts facts = {0};

		if (strlen(entry->d_name) != LAYER_ID_LENGTH)
			continue;
		layer_read(store, entry->d_name, &facts, &ignored);
		layers = xreallocarray(layers, *n + 1, sizeof(*layers));
		memcpy(layers[*n].id, entry->d_name, LAYER_ID_LENGTH + 1);
		layers[(*n)++].size = facts.size;
	}
	return layers;
}

/* Pods hold layers, not images. One whose topmost layer is held may be a running pod's. */
static bool is_used(const struct store *store, const struct image *image)
{
	size_t n = 0;

	while (image->layers && image->layers[n])
		n++;
	return n > 0 && layer_is_used(store, image->layers[n - 1]);
}

static int remove_unused(const struct store *store, struct strv *removed, struct error *err)
{
	cleanup_fd int fd = store_folder(store, STORE_IMAGES, err);
	struct image *images;
	int result = 0;
	size_t n;

	if (fd < 0 || image_list(store, &images, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *file = reference_file(images[i].name);

		if (result == 0 && !is_used(store, &images[i])) {
			if (unlinkat(fd, file, 0) == 0)
				strv_push(removed, xstrdup(images[i].name));
			else
				result = error_set(err, ERROR_HOST, errno, "cannot remove %s/%s/%s",
					store->path, STORE_IMAGES, file);
		}
		image_free(&images[i]);
	}
	free(images);
	return result;
}

/* What of the list is gone. */
static void count_gone(
	const struct store *store, const struct sized_layer *layers, size_t n, struct pruned *pruned)
{
	struct error ignored;
	cleanup_fd int fd = store_folder(store, STORE_LAYERS, &ignored);
	struct stat st;

	for (size_t i = 0; fd >= 0 && i < n; i++) {
		if (fstatat(fd, layers[i].id, &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		pruned->layers++;
		pruned->bytes += layers[i].size;
	}
}

int store_prune(const struct store *store, bool all, struct pruned *pruned, struct error *err)
{
	cleanup_workspace struct workspace workspace = {.tmp = -1, .fd = -1};
	cleanup_free struct sized_layer *layers = NULL;
	cleanup_fd int lock = -1;
	struct strv removed = {0};
	int result = 0;
	size_t n;

	*pruned = (struct pruned){0};
	/* Clears what dead loads left, too. */
	if (workspace_open(&workspace, store, err) < 0)
		return -1;
	lock = store_lock(store, err);
	if (lock < 0)
		return -1;
	layers = list_layers(store, &n);
	if (all)
		result = remove_unused(store, &removed, err);
	pruned->images = removed.items;
	layer_collect(store, &workspace);
	count_gone(store, layers, n, pruned);
	return result;
}
