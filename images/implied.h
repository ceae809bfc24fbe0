/*
 * Within the wing: folders of a layer that it has no entry of its own for.
 *
 * A layer may bring usr/bin/x without usr/ and usr/bin/: whoever unpacks one layer over the other finds them there. An
 * overlay shows the topmost folder's owner, mode, time and attributes, so ours must be what the layers below have. What
 * such a layer is on disk thus depends on them (pieces.h).
 */
#ifndef IMAGES_IMPLIED_H
#define IMAGES_IMPLIED_H

#include "images/unpack.h"

/* Gives unpack->implied what the same folders are in the layers below. lowers are their roots, topmost first. */
int implied_adopt(const struct unpack *unpack, const int *lowers, size_t n, struct error *err);

#endif
