/* Within the wing: unpacked layers, STORE/layers/ID. */
#ifndef IMAGES_LAYER_H
#define IMAGES_LAYER_H

#include <stdint.h>

#include "images/images.h"
#include "images/store.h"

#define LAYER_ROOTFS    "rootfs"
#define LAYER_ID_LENGTH 64 /* a sha256 in hexadecimal */

/* What is worth knowing of a layer without walking it; kept in its layer.json. */
struct layer_facts {
	uint64_t size; /* bytes of content */
	uint64_t entries;
	uint64_t source_size; /* bytes of a plain archive, 0 for a folder and for an image's layer */
	bool is_opaque; /* nothing of the layers below shows through its root */
	bool has_implied; /* folders that it has no entry for: what they are is a matter of the layers below */
	bool has_root; /* an entry for the root itself: else what is below says what the root is */
};

/* Reads the facts of a stored layer. -1 with errno ENOENT in err if there is no such layer. */
int layer_read(const struct store *store, const char *id, struct layer_facts *facts, struct error *err);

/* Whether some stored layer came from an archive of that size: only then is it worth to hash one before unpacking. */
bool layer_of_size(const struct store *store, uint64_t source_size);

/* Makes an empty layer in the workspace, number n of this load, and returns a descriptor of its rootfs. */
int layer_begin(const struct workspace *workspace, unsigned int n, struct error *err);

/* Writes the facts beside it. When the workspace has been synced the layer can be published. */
int layer_finish(const struct workspace *workspace, unsigned int n, const struct layer_facts *facts,
	struct error *err);

/*
 * Holds a stored layer, so that nobody collects it, and opens its rootfs. Returns the descriptor that holds it until it
 * is closed. The store is locked for that moment, by us. -1 with errno ENOENT if there is no such layer.
 */
int layer_hold(const struct store *store, const char *id, int *rootfs, struct error *err);

/*
 * Renames the workspace's layer into the store. The store is locked. If a layer of that id is there already it stays
 * (pods may use it), and *facts become its own.
 */
int layer_publish(const struct store *store, const struct workspace *workspace, unsigned int n,
	const char *id, struct layer_facts *facts, struct error *err);

/* Whether a pod holds the layer. The store is locked, so that none can begin to. */
bool layer_is_used(const struct store *store, const char *id);

/*
 * Moves every layer that no image has and no pod uses into the workspace, to go with it. The store is locked. What
 * can't be collected now is left to the next time.
 */
void layer_collect(const struct store *store, const struct workspace *workspace);

#endif
