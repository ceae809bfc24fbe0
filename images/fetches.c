/* The layers of an image that is being pulled, and how far each is. */
#include "images/fetches.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "images/layer.h"
#include "images/record.h"

#define MAX_BEGUN         64
#define MAX_CONFIGURATION (8U << 20) /* bytes: it is fetched beside the layers */

void fetches_free(struct fetches *fetches)
{
	free(fetches->items);
	*fetches = (struct fetches){0};
}

static const char *hex_of(const struct fetch_progress *item)
{
	return item->digest + strlen(DIGEST_PREFIX);
}

int fetches_check(const struct fetches *fetches, uint64_t max, struct error *err)
{
	uint64_t left = max;
	char limit[32];

	for (size_t i = 0; i < fetches->n; i++) {
		const struct fetch_progress *item = &fetches->items[i];

		if (item->is_stored)
			continue;
		if (item->size > left) {
			error_set(err, ERROR_IMAGE, 0, "its layers are larger than the limit of %s",
				text_size(max, limit, sizeof(limit)));
			return error_hint(err, "--max-bytes sets another");
		}
		left -= item->size;
	}
	return 0;
}

int fetches_of_manifest(struct fetches *fetches, struct json_object *manifest, struct error *err)
{
	struct json_object *layers;
	size_t n;

	fetches_free(fetches);
	if (!json_object_object_get_ex(manifest, "layers", &layers) ||
		!json_object_is_type(layers, json_type_array))
		return error_set(err, ERROR_IMAGE, 0, "its manifest has no list of layers");
	n = json_object_array_length(layers);
	fetches->items = xcalloc(n + 1, sizeof(*fetches->items));
	for (size_t i = 0; i < n; i++) {
		struct fetch_progress *item = &fetches->items[fetches->n++];
		struct json_object *layer = json_object_array_get_idx(layers, i);
		const char *digest;

		if (json_object_is_type(layer, json_type_object) && record_string(layer, "digest", &digest) &&
			digest_is_valid(digest) && record_number(layer, "size", &item->size))
			memcpy(item->digest, digest, strlen(digest) + 1);
	}
	return 0;
}

static bool has_layer(const struct store *store, const char *hex)
{
	struct layer_facts facts;
	struct error ignored;

	return layer_read(store, hex, &facts, &ignored) == 0;
}

/* Both names that a layer can have in the store (pieces.h): its diff_id, and the chain id of image-spec/config.md. */
static bool is_stored(const struct store *store, const char *diff_id, char chain[static DIGEST_LENGTH + 1])
{
	const char *hex = diff_id + strlen(DIGEST_PREFIX);
	cleanup_free char *text = xasprintf("%s%s %s", DIGEST_PREFIX, chain, diff_id);

	if (*chain)
		digest_of(text, strlen(text), chain);
	else
		memcpy(chain, hex, DIGEST_LENGTH + 1);
	return has_layer(store, hex) || has_layer(store, chain);
}

void fetches_of_configuration(
	struct fetches *fetches, const struct store *store, const char *text, size_t size)
{
	cleanup_json struct json_object *json = NULL;
	struct json_object *rootfs, *ids;
	char chain[DIGEST_LENGTH + 1] = "";
	struct error ignored;

	if (record_parse(text, size, "its configuration", json_type_object, &json, &ignored) < 0 ||
		!json_object_object_get_ex(json, "rootfs", &rootfs) ||
		!json_object_object_get_ex(rootfs, "diff_ids", &ids) ||
		!json_object_is_type(ids, json_type_array) || json_object_array_length(ids) != fetches->n)
		return;
	for (size_t i = 0; i < fetches->n; i++) {
		const char *id = json_object_get_string(json_object_array_get_idx(ids, i));

		if (!id || !digest_is_valid(id) || !*fetches->items[i].digest)
			return; /* the loader will say so */
		fetches->items[i].is_stored = is_stored(store, id, chain);
	}
}

int fetches_stub(const struct fetches *fetches, int blobs, struct error *err)
{
	for (size_t i = 0; i < fetches->n; i++) {
		const struct fetch_progress *item = &fetches->items[i];
		cleanup_fd int fd = -1;

		if (!item->is_stored)
			continue;
		fd = openat(blobs, hex_of(item), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		/* Its size goes into what skopeo writes down, which nobody reads. */
		if (fd < 0 || ftruncate(fd, (off_t)item->size) < 0)
			return error_set(err, ERROR_HOST, errno, "cannot write in the store");
	}
	return 0;
}

bool fetches_unstub(struct fetches *fetches, const char *hex)
{
	bool found = false;

	for (size_t i = 0; i < fetches->n; i++) {
		struct fetch_progress *item = &fetches->items[i];

		if (!item->is_stored || strcmp(hex_of(item), hex) != 0)
			continue;
		item->is_stored = false;
		found = true;
	}
	return found;
}

/* The beginnings of blobs that skopeo has on disk: their sizes, oldest first. */
static size_t list_begun(int workspace, uint64_t *sizes)
{
	cleanup_fd int fd = openat(workspace, "copied", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_dir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	ino_t inodes[MAX_BEGUN];
	const struct dirent *entry;
	size_t n = 0;

	if (!dir)
		return 0;
	steal_fd(&fd);
	while (n < MAX_BEGUN && (entry = readdir(dir))) {
		struct stat st;
		size_t i = n;

		if (!text_starts_with(entry->d_name, "oci-put-blob") ||
			fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		for (; i > 0 && inodes[i - 1] > st.st_ino; i--) {
			inodes[i] = inodes[i - 1];
			sizes[i] = sizes[i - 1];
		}
		inodes[i] = st.st_ino;
		sizes[i] = (uint64_t)st.st_size;
		n++;
	}
	return n;
}

bool fetches_overrun(const struct fetches *fetches, int workspace)
{
	uint64_t sizes[MAX_BEGUN], largest = MAX_CONFIGURATION;
	size_t n = list_begun(workspace, sizes);
	bool found = false;

	for (size_t i = 0; i < fetches->n; i++)
		if (fetches->items[i].size > largest)
			largest = fetches->items[i].size;
	for (size_t i = 0; i < n; i++)
		found |= sizes[i] > largest;
	return found;
}

static bool is_complete(const struct fetch_progress *item, int workspace, int layout)
{
	cleanup_free char *path = xasprintf("blobs/sha256/%s", hex_of(item));
	struct stat st;

	return fstatat(layout, hex_of(item), &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	       fstatat(workspace, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool fetches_begun(const struct fetches *fetches, int workspace)
{
	uint64_t sizes[MAX_BEGUN];
	cleanup_fd int blobs =
		openat(workspace, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_dir DIR *dir = blobs >= 0 ? fdopendir(blobs) : NULL;
	const struct dirent *entry;
	bool found = list_begun(workspace, sizes) > 0;

	if (!dir)
		return found;
	steal_fd(&blobs);
	while (!found && (entry = readdir(dir))) {
		found = entry->d_name[0] != '.';
		for (size_t i = 0; i < fetches->n && found; i++)
			if (fetches->items[i].is_stored && !strcmp(hex_of(&fetches->items[i]), entry->d_name))
				found = false;
	}
	return found;
}

void fetches_look(struct fetches *fetches, int workspace, int layout)
{
	uint64_t sizes[MAX_BEGUN];
	size_t n = list_begun(workspace, sizes), next = 0;

	for (size_t i = 0; i < fetches->n; i++) {
		struct fetch_progress *item = &fetches->items[i];

		if (item->is_stored || !*item->digest || item->fetched == item->size)
			continue;
		if (is_complete(item, workspace, layout)) {
			item->fetched = item->size;
			continue;
		}
		/* One that has more than this layer is another's. */
		while (next < n && sizes[next] > item->size)
			next++;
		if (next < n && sizes[next] > item->fetched && sizes[next] < item->size)
			item->fetched = sizes[next];
		if (next < n)
			next++;
	}
}
