/* Within the wing: the store's folders, its lock, and the workspaces of loads. */
#ifndef IMAGES_STORE_H
#define IMAGES_STORE_H

#include "images/images.h"

/* The remedy where there is no room, or no quota, for it. */
#define STORE_FULL "make room where the store is, or choose another with --store"

#define STORE_IMAGES "images"
#define STORE_LAYERS "layers"
#define STORE_TMP    "tmp"

/* Opens one of the store's folders for reading. Returns a descriptor. */
int store_folder(const struct store *store, const char *name, struct error *err);

/*
 * Waits for the store's lock and returns a descriptor that holds it until it is closed. Whoever adds or takes away
 * images or layers holds it, for as long as a few renames take; unpacking and removing trees happen without it.
 */
int store_lock(const struct store *store, struct error *err);

/*
 * A folder in STORE/tmp that is locked as long as its owner lives: what no living process locks is litter, and
 * opening a workspace clears it.
 */
struct workspace {
	int tmp; /* STORE/tmp */
	int fd; /* the folder, locked */
	char name[64];
};
int workspace_open(struct workspace *workspace, const struct store *store, struct error *err);
/* Removes it with all that is in it. */
void workspace_close(struct workspace *workspace);
#define cleanup_workspace __attribute__((cleanup(workspace_close)))

#endif
