/*
 * Within the wing: what a layer on disk owes to the layers below it; above all folders that it has no entry for.
 *
 * A layer may bring usr/bin/x without usr/ and usr/bin/: whoever unpacks one layer over the other finds them there. An
 * overlay shows the topmost folder's owner, mode, time and attributes, so ours must be what the layers below have. What
 * such a layer is on disk thus depends on them (pieces.h).
 */
#ifndef IMAGES_IMPLIED_H
#define IMAGES_IMPLIED_H

#include "images/unpack.h"

/*
 * Makes whiteouts in each of unpack->opaque for what the layers below have there, in the folders below it too.
 */
int implied_hide(const struct unpack *unpack, const int *lowers, size_t n, struct error *err);

/* Gives unpack->implied what the same folders are in the layers below. lowers are their roots, topmost first. */
int implied_adopt(const struct unpack *unpack, const int *lowers, size_t n, struct error *err);

#endif
