/*
 * Layers: unpacked trees, kept once for all images that have them.
 *
 * STORE/layers/ID/rootfs is an overlayfs lower; layer.json beside it keeps its facts. ID is a sha256: of the archive's
 * bytes, of a folder's tree, of an image's layer its diff_id or chain id (pieces.h). A pod that uses a layer holds a shared
 * flock on STORE/layers/ID, a load that found it there one on its layer.json: a pod keeps an image from being removed, a
 * load only its layers from being collected.
 */
#include "images/layer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "images/digest.h"
#include "images/record.h"

#define FACTS   "layer.json"
#define PENDING "layer-%u" /* in a workspace */

/* Opens STORE/layers/ID. */
static int open_layer(const struct store *store, const char *id, struct error *err)
{
	cleanup_fd int layers = store_folder(store, STORE_LAYERS, err);
	int fd;

	if (layers < 0)
		return -1;
	if (!digest_is_hex(id))
		return error_set(err, ERROR_IMAGE, 0, "the layer \"%s\" is no sha256", id);
	fd = openat(layers, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 ? fd : error_set(err, ERROR_IMAGE, errno, "cannot open the layer %.12s", id);
}

int layer_read(const struct store *store, const char *id, struct layer_facts *facts, struct error *err)
{
	cleanup_free char *shown = xasprintf("%s/%s/%s/%s", store->path, STORE_LAYERS, id, FACTS);
	cleanup_json struct json_object *json = NULL;
	cleanup_fd int fd = open_layer(store, id, err);

	if (fd < 0 || record_read(fd, FACTS, shown, &json, err) < 0)
		return -1;
	if (!record_number(json, "size", &facts->size) || !record_number(json, "entries", &facts->entries) ||
		!record_number(json, "sourceSize", &facts->source_size))
		return error_set(err, ERROR_IMAGE, 0, "%s is damaged", shown);
	facts->is_opaque = record_flag(json, "opaque");
	facts->has_implied = record_flag(json, "implied");
	facts->has_root = record_flag(json, "root");
	return 0;
}

/* Calls f for each stored layer until it returns true; returns whether one did. */
static bool any_layer(
	const struct store *store, bool (*f)(const struct store *, const char *id, void *data), void *data)
{
	struct error ignored;
	cleanup_fd int fd = store_folder(store, STORE_LAYERS, &ignored);
	cleanup_dir DIR *dir = fdopendir(fd);
	const struct dirent *entry;

	if (!dir)
		return false;
	steal_fd(&fd);
	while ((entry = readdir(dir)))
		if (digest_is_hex(entry->d_name) && f(store, entry->d_name, data))
			return true;
	return false;
}

static bool is_of_size(const struct store *store, const char *id, void *data)
{
	struct layer_facts facts;
	struct error ignored;

	return layer_read(store, id, &facts, &ignored) == 0 && facts.source_size == *(uint64_t *)data;
}

bool layer_of_size(const struct store *store, uint64_t source_size)
{
	return any_layer(store, is_of_size, &source_size);
}

int layer_begin(const struct workspace *workspace, unsigned int n, struct error *err)
{
	char pending[32], rootfs[64];
	int fd;

	snprintf(pending, sizeof(pending), PENDING, n);
	snprintf(rootfs, sizeof(rootfs), PENDING "/" LAYER_ROOTFS, n);
	if (mkdirat(workspace->fd, pending, 0700) < 0 || mkdirat(workspace->fd, rootfs, 0755) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make a folder in the store");
	fd = openat(workspace->fd, rootfs, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_set(err, ERROR_HOST, errno, "cannot open a folder in the store");
	return fd;
}

int layer_finish(
	const struct workspace *workspace, unsigned int n, const struct layer_facts *facts, struct error *err)
{
	cleanup_json struct json_object *json = json_object_new_object();
	char name[64];

	json_object_object_add(json, "size", json_object_new_uint64(facts->size));
	json_object_object_add(json, "entries", json_object_new_uint64(facts->entries));
	json_object_object_add(json, "sourceSize", json_object_new_uint64(facts->source_size));
	json_object_object_add(json, "opaque", json_object_new_boolean(facts->is_opaque));
	json_object_object_add(json, "implied", json_object_new_boolean(facts->has_implied));
	json_object_object_add(json, "root", json_object_new_boolean(facts->has_root));
	snprintf(name, sizeof(name), PENDING "/" FACTS, n);
	return record_write(workspace->fd, name, json, err);
}

int layer_publish(const struct store *store, const struct workspace *workspace, unsigned int n,
	const char *id, struct layer_facts *facts, struct error *err)
{
	cleanup_fd int layers = store_folder(store, STORE_LAYERS, err);
	char pending[32];

	if (layers < 0)
		return -1;
	snprintf(pending, sizeof(pending), PENDING, n);
	if (renameat2(workspace->fd, pending, layers, id, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST)
		return layer_read(store, id, facts, err);
	return error_set(err, ERROR_HOST, errno, "cannot add the layer to the store");
}

bool layer_is_used(const struct store *store, const char *id)
{
	struct error ignored;
	cleanup_fd int fd = open_layer(store, id, &ignored);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
}

/* Whether a load holds the layer, which it will put into an image. */
static bool is_wanted(const struct store *store, const char *id)
{
	struct error ignored;
	cleanup_fd int fd = open_layer(store, id, &ignored);
	cleanup_fd int facts = fd < 0 ? -1 : openat(fd, FACTS, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return facts >= 0 && flock(facts, LOCK_EX | LOCK_NB) < 0;
}

struct collection {
	const struct workspace *workspace;
	const struct image *images;
	size_t n;
};

static bool has_layer(const struct image *image, const char *id)
{
	for (char **layer = image->layers; layer && *layer; layer++)
		if (!strcmp(*layer, id))
			return true;
	return false;
}

static bool collect_one(const struct store *store, const char *id, void *data)
{
	const struct collection *collection = data;
	cleanup_fd int layers = -1;
	struct error ignored;

	for (size_t i = 0; i < collection->n; i++)
		if (has_layer(&collection->images[i], id))
			return false;
	if (layer_is_used(store, id) || is_wanted(store, id))
		return false;
	layers = store_folder(store, STORE_LAYERS, &ignored);
	if (layers >= 0)
		renameat2(layers, id, collection->workspace->fd, id, RENAME_NOREPLACE);
	return false;
}

void layer_collect(const struct store *store, const struct workspace *workspace)
{
	struct collection collection = {.workspace = workspace};
	struct image *images = NULL;
	struct error ignored;

	/* With a record that can't be read nobody knows which layers are needed. */
	if (image_list(store, &images, &collection.n, &ignored) < 0)
		return;
	collection.images = images;
	any_layer(store, collect_one, &collection);
	for (size_t i = 0; i < collection.n; i++)
		image_free(&images[i]);
	free(images);
}

/* Locks a layer for a pod. Under the store's lock, so that it can't be removed between finding and locking it. */
static int hold_layer(const struct store *store, const char *id, int *rootfs, int *lock, struct error *err)
{
	cleanup_fd int fd = open_layer(store, id, err);

	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		return error_set(err, ERROR_IMAGE, errno, "cannot lock the layer %.12s", id);
	*rootfs = openat(fd, LAYER_ROOTFS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*rootfs < 0)
		return error_set(err, ERROR_IMAGE, errno, "cannot open the layer %.12s", id);
	*lock = steal_fd(&fd);
	return 0;
}

int layer_hold(const struct store *store, const char *id, int *rootfs, struct error *err)
{
	cleanup_fd int lock = store_lock(store, err);
	cleanup_fd int fd = lock < 0 ? -1 : open_layer(store, id, err);
	cleanup_fd int held = -1;

	if (fd < 0)
		return -1;
	held = openat(fd, FACTS, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (held < 0 || flock(held, LOCK_SH | LOCK_NB) < 0)
		return error_set(err, ERROR_IMAGE, errno, "cannot lock the layer %.12s", id);
	*rootfs = openat(fd, LAYER_ROOTFS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*rootfs < 0)
		return error_set(err, ERROR_IMAGE, errno, "cannot open the layer %.12s", id);
	return steal_fd(&held);
}

int image_open_layers(
	const struct store *store, const struct image *image, int *fds, int *lock_fds, struct error *err)
{
	cleanup_fd int lock = store_lock(store, err);
	size_t n = 0;

	if (lock < 0)
		return -1;
	for (; image->layers && image->layers[n]; n++) {
		if (hold_layer(store, image->layers[n], &fds[n], &lock_fds[n], err) == 0)
			continue;
		while (n > 0) {
			n--;
			close(fds[n]);
			close(lock_fds[n]);
		}
		error_wrap(err, "image %s", image->name);
		return error_hint(err, "load it again: minirun image load ARCHIVE %s", image->name);
	}
	return 0;
}

int image_copy_root(
	const struct store *store, const struct image *image, const int *fds, int folder, struct error *err)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
	struct layer_facts facts;
	struct stat st;
	size_t n = 0;

	while (image->layers && image->layers[n])
		n++;
	while (n-- > 0) {
		if (layer_read(store, image->layers[n], &facts, err) < 0)
			return -1;
		if (!facts.has_root)
			continue;
		if (fstat(fds[n], &st) < 0 || fchown(folder, st.st_uid, st.st_gid) < 0 ||
			fchmod(folder, st.st_mode & 07777) < 0)
			return error_set(
				err, ERROR_HOST, errno, "cannot make the root folder as the image's");
		times[1] = st.st_mtim;
		futimens(folder, times);
		return 0;
	}
	return 0;
}
