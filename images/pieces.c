/* An image's layers, each unpacked once. Theory of operation: pieces.h. */
#include "images/pieces.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "images/image.h"
#include "images/implied.h"
#include "images/layer.h"
#include "images/source.h"

struct piece {
	const struct recipe_layer *layer;
	const char *id; /* in the store: one of the next two */
	const char *diff_id;
	char chain_id[DIGEST_LENGTH + 1];
	unsigned int number; /* in the workspace */
	bool is_new; /* it is there */
	int rootfs, held; /* descriptors, or -1 */
	struct layer_facts facts;
};

struct pieces {
	struct load *load;
	const struct blobs *blobs;
	struct piece *items; /* lowest first */
	size_t n;
};

static void pieces_init(struct pieces *pieces, const struct recipe *recipe)
{
	pieces->n = recipe->n;
	pieces->items = xcalloc(recipe->n, sizeof(*pieces->items));
	for (size_t i = 0; i < recipe->n; i++) {
		struct piece *piece = &pieces->items[i];

		piece->layer = &recipe->layers[i];
		piece->diff_id = piece->layer->diff_id;
		piece->number =
			(unsigned int)i + 1; /* 0 is what the layers came in, if that had to be unpacked */
		piece->rootfs = piece->held = -1;
		if (i == 0) {
			memcpy(piece->chain_id, piece->diff_id, sizeof(piece->chain_id));
		} else {
			cleanup_free char *text = xasprintf(
				DIGEST_PREFIX "%s " DIGEST_PREFIX "%s", piece[-1].chain_id, piece->diff_id);

			digest_of(text, strlen(text), piece->chain_id);
		}
	}
}

static void pieces_free(struct pieces *pieces)
{
	for (size_t i = 0; i < pieces->n; i++) {
		cleanup_fd_fn(&pieces->items[i].rootfs);
		cleanup_fd_fn(&pieces->items[i].held);
	}
	free(pieces->items);
}

/* Holds the layer if the store has it. What can't be read there is unpacked again. */
static bool find_stored(struct pieces *pieces, struct piece *piece)
{
	const struct store *store = pieces->load->store;
	const char *ids[] = {piece->diff_id, piece->chain_id};
	bool is_lowest = piece == pieces->items;
	struct error ignored;

	for (size_t i = 0; i < array_length(ids); i++) {
		if (layer_read(store, ids[i], &piece->facts, &ignored) < 0)
			continue;
		if (i == 0 && !is_lowest && piece->facts.has_implied)
			continue;
		piece->held = layer_hold(store, ids[i], &piece->rootfs, &ignored);
		piece->id = ids[i];
		if (piece->held >= 0)
			return true;
	}
	piece->id = NULL;
	return false;
}

/* The same layer may stand in an image twice: an empty one often does. */
static bool find_earlier(struct pieces *pieces, struct piece *piece)
{
	for (const struct piece *other = pieces->items; other < piece; other++) {
		if (strcmp(other->diff_id, piece->diff_id) != 0 || other->facts.has_implied)
			continue;
		piece->id = other->id;
		piece->facts = other->facts;
		piece->rootfs = fcntl(other->rootfs, F_DUPFD_CLOEXEC, 3);
		return true;
	}
	return false;
}

static int open_blob(
	const struct pieces *pieces, const struct piece *piece, struct blob *blob, struct error *err)
{
	const struct recipe_layer *layer = piece->layer;

	if (layer->path)
		return blobs_open(pieces->blobs, layer->path, blob, err);
	return blobs_open_digest(pieces->blobs, layer->digest, layer->size, blob, err);
}

static int check_digest(const char *what, const char *expected, const char *found, struct error *err)
{
	if (!strcmp(expected, found))
		return 0;
	error_set(err, ERROR_IMAGE, 0, "%s is sha256:%s, and should be sha256:%s", what, found, expected);
	return error_hint(err, "it was damaged or tampered with: fetch or make the image again");
}

/* Streams the blob into load->unpack, and checks both digests. */
static int unpack_blob(
	struct load *load, const struct piece *piece, const struct blob *blob, struct error *err)
{
	const struct recipe_layer *layer = piece->layer;
	const char *expected = *layer->digest ? layer->digest + strlen(DIGEST_PREFIX) : "";
	char diff_id[DIGEST_LENGTH + 1];
	struct source source;
	mode_t mask;
	int result;

	source_init_range(&source, blob->fd, blob->offset, blob->size);
	/* One that isn't compressed has one digest, and one whose digest nobody knows has none to check. */
	source.is_hashed = !*expected || !strcmp(expected, layer->diff_id);
	mask = umask(0);
	result = archive_unpack(load, &source, diff_id, err);
	if (result == 0)
		result = unpack_finish(&load->unpack, err);
	umask(mask);
	if (result == 0 && !source.is_hashed)
		result = check_digest("its blob", expected, source.hex, err);
	if (result == 0)
		result = check_digest("its content", layer->diff_id, diff_id, err);
	source_free(&source);
	return result;
}

static int adopt_folders(const struct pieces *pieces, const struct piece *piece, struct error *err)
{
	cleanup_free int *lowers = xcalloc(pieces->n, sizeof(*lowers));
	size_t n = 0;

	for (const struct piece *lower = piece; lower-- > pieces->items;) {
		lowers[n++] = lower->rootfs;
		if (lower->facts.is_opaque)
			break;
	}
	if (implied_hide(&pieces->load->unpack, lowers, n, err) < 0)
		return -1;
	return implied_adopt(&pieces->load->unpack, lowers, n, err);
}

static int unpack_piece(
	struct pieces *pieces, struct piece *piece, const struct blob *blob, struct error *err)
{
	struct load *load = pieces->load;
	bool is_lowest = piece == pieces->items;
	const struct load_progress before = load->progress;
	int result;

	piece->rootfs = layer_begin(&load->workspace, piece->number, err);
	if (piece->rootfs < 0)
		return -1;
	result = unpack_init(&load->unpack, is_lowest ? UNPACK_LOWEST : UNPACK_HIGHER, piece->rootfs,
		load->workspace.fd, load->limits, &load->progress, &load->losses, err);
	if (result == 0)
		result = unpack_blob(load, piece, blob, err);
	if (result == 0)
		result = adopt_folders(pieces, piece, err);
	piece->facts = (struct layer_facts){
		.size = load->progress.written - before.written,
		.entries = load->progress.entries - before.entries,
		.is_opaque = load->unpack.is_opaque,
		.has_implied = load->unpack.has_implied,
		.has_root = load->unpack.has_root,
	};
	piece->id = piece->facts.has_implied ? piece->chain_id : piece->diff_id;
	piece->is_new = true;
	unpack_free(&load->unpack);
	return result == 0 ? layer_finish(&load->workspace, piece->number, &piece->facts, err) : -1;
}

static int get_piece(struct pieces *pieces, struct piece *piece, struct error *err)
{
	struct load_progress *progress = &pieces->load->progress;
	struct blob blob;
	int result;

	progress->layer = (unsigned int)(piece - pieces->items) + 1;
	progress->layer_read = 0;
	if (find_stored(pieces, piece) || find_earlier(pieces, piece))
		return 0;
	result = open_blob(pieces, piece, &blob, err);
	if (result == 0) {
		progress->layer_total = blob.size;
		result = unpack_piece(pieces, piece, &blob, err);
		close(blob.fd);
	}
	if (result < 0)
		return error_wrap(
			err, "layer %u of %zu (sha256:%.12s)", progress->layer, pieces->n, piece->diff_id);
	return 0;
}

static bool comes_again(const struct pieces *pieces, size_t i)
{
	for (size_t j = i + 1; j < pieces->n; j++)
		if (!strcmp(pieces->items[j].id, pieces->items[i].id))
			return true;
	return false;
}

/*
 * The list for the image. What lies below an opaque root isn't seen; of a layer that comes twice the upper one is enough
 * (and overlayfs takes no folder twice).
 */
static void list_layers(const struct pieces *pieces, struct image *image)
{
	struct strv layers = {0};
	size_t first = 0;

	for (size_t i = 0; i < pieces->n; i++)
		if (pieces->items[i].facts.is_opaque)
			first = i;
	for (size_t i = first; i < pieces->n; i++) {
		if (comes_again(pieces, i))
			continue;
		strv_push(&layers, xstrdup(pieces->items[i].id));
		image->size += pieces->items[i].facts.size;
		image->entries += pieces->items[i].facts.entries;
	}
	image->layers = layers.items;
}

static int publish(struct pieces *pieces, struct image *image, struct error *err)
{
	struct load *load = pieces->load;
	cleanup_fd int lock = store_lock(load->store, err);
	int result = 0;

	if (lock < 0)
		return -1;
	for (size_t i = 0; i < pieces->n && result == 0; i++) {
		struct piece *piece = &pieces->items[i];

		if (piece->is_new)
			result = layer_publish(
				load->store, &load->workspace, piece->number, piece->id, &piece->facts, err);
	}
	list_layers(pieces, image);
	image->loaded = time(NULL);
	if (result == 0)
		result = image_publish(load->store, &load->workspace, image, err);
	for (char **other = image->others; result == 0 && other && *other; other++) {
		struct image named = *image;

		named.name = *other;
		result = image_publish(load->store, &load->workspace, &named, err);
	}
	/* Also where that failed, on a full disk say: the layers are no image's then. */
	layer_collect(load->store, &load->workspace);
	return result;
}

int pieces_load(struct load *load, const struct blobs *blobs, const struct recipe *recipe,
	struct image *image, struct error *err)
{
	struct pieces pieces = {.load = load, .blobs = blobs};
	bool is_any_new = false;
	int result = 0;

	pieces_init(&pieces, recipe);
	load->progress.layers = (unsigned int)recipe->n;
	for (size_t i = 0; i < pieces.n && result == 0; i++) {
		result = get_piece(&pieces, &pieces.items[i], err);
		is_any_new |= pieces.items[i].is_new;
	}
	/* One sync for all files: after a power cut a layer that has its name is whole. */
	if (result == 0 && is_any_new && syncfs(load->workspace.fd) < 0)
		result = error_set(err, ERROR_HOST, errno, "cannot write the layers to disk");
	if (result == 0)
		result = publish(&pieces, image, err);
	pieces_free(&pieces);
	return result;
}
