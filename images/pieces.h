/*
 * Within the wing: an image's layers, each unpacked once.
 *
 * A layer's name in the store is its diff_id, so that all images that have it share it, however it was compressed. Only a
 * layer that implies folders (implied.h) depends on what is below it: its name is the chain id of image-spec/config.md,
 * the digest of all diff_ids up to its own. The lowest layer's two names are one.
 *
 * What the store has already is held (a shared lock) and not read. What is new is unpacked in the workspace, and comes
 * into the store with the image, under one lock.
 */
#ifndef IMAGES_PIECES_H
#define IMAGES_PIECES_H

#include "images/blobs.h"
#include "images/load.h"
#include "images/recipe.h"

/* Unpacks what is missing and publishes the image, whose name and configuration are set. Fills the rest of it. */
int pieces_load(struct load *load, const struct blobs *blobs, const struct recipe *recipe,
	struct image *image, struct error *err);

#endif
