/* What a pull has on disk while it lasts: an OCI layout in its workspace, which the loader reads. See pull.c. */
#ifndef IMAGES_PULLED_H
#define IMAGES_PULLED_H

#include <json-c/json.h>
#include <stddef.h>

#include "base/error.h"
#include "images/store.h"

/* Makes a folder in the workspace, of one or more names, or finds it. Returns its descriptor. */
int pulled_folder(
	const struct store *store, const struct workspace *workspace, const char *path, struct error *err);

/* Writes a file that isn't there yet. */
int pulled_file(int dirfd, const char *name, const void *data, size_t size, struct error *err);

/* The layout's own index, with the one entry that the registry gave us: a manifest or an index of size bytes, whose digest is hex. */
int pulled_index(const struct store *store, const struct workspace *workspace, struct json_object *manifest,
	const char *hex, size_t size, struct error *err);

#endif
