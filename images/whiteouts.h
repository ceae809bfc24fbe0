/*
 * Within the wing: what a layer takes away from those below it.
 *
 * In a layer's tar (image-spec/layer.md) an entry ".wh.NAME" hides NAME of the layers below, and ".wh..wh..opq" hides all
 * that they have in its folder. Neither hides anything of its own layer, whatever the order of entries. Overlayfs says
 * the same with a character device 0:0 of that name and with the attribute "overlay.opaque" of a folder; a device 0:0
 * may be made by anyone (Linux 5.8), and the attribute is "user.overlay.opaque" for overlays of user namespaces.
 *
 * So a folder that stands beside a whiteout of its own name becomes opaque, and anything else takes its place.
 *
 * A file system may have no such attributes (tmpfs before Linux 6.6, for an ordinary user). There each name that the
 * layers below have in that folder gets a whiteout, when the layer is complete (implied.h).
 */
#ifndef IMAGES_WHITEOUTS_H
#define IMAGES_WHITEOUTS_H

#include <sys/stat.h>

#include "images/unpack.h"

/* Tells what an entry of a layer is by its cleaned path. Fills err for one that makes no sense. */
int whiteout_kind(const struct entry *entry, const char *path, enum whiteout *kind, struct error *err);

/* Makes the whiteout at hand (unpack->whiteout). */
int whiteout_make(struct unpack *unpack, const struct entry *entry, struct error *err);

/*
 * Makes a whiteout of that name, which must not be there: 0, or -1 with errno. On a file system that takes no device 0:0, which
 * is an overlay itself, it is an empty file with the attribute "overlay.whiteout".
 */
int whiteout_put(int dirfd, const char *name);
/* Whether what st says of the name in that folder is a whiteout, in either form. */
bool whiteout_is(int dirfd, const char *name, const struct stat *st);

/* Whether the name in that folder is a whiteout of this layer. */
bool whiteout_is_there(const struct unpack *unpack, int dirfd, const char *name);

/* Hides what the layers below have in a folder of this one: name in dirfd, the first length bytes of a cleaned path. */
int whiteout_make_opaque(struct unpack *unpack, int dirfd, const char *name, const char *path, size_t length,
	const struct entry *entry, struct error *err);

/* Whether a folder of a layer hides what is below it. */
bool whiteout_is_opaque(int fd);

/*
 * The folder at the first length bytes of path can't be opened: if that is since a part of it is a whiteout, replaces
 * that by an opaque folder. Returns whether it did.
 */
bool whiteout_make_way(
	struct unpack *unpack, const struct entry *entry, const char *path, size_t length, struct error *err);

#endif
