/* Within the wing: the layers of an image that is being pulled, and how far each is. */
#ifndef IMAGES_FETCHES_H
#define IMAGES_FETCHES_H

#include <json-c/json.h>

#include "images/digest.h"
#include "images/images.h"
#include "images/store.h"

struct fetches {
	struct fetch_progress *items; /* lowest first */
	size_t n;
};

void fetches_free(struct fetches *fetches);

/* Takes the layers that a manifest names. What is wrong with it is the loader's to say: such a layer is left out. */
int fetches_of_manifest(struct fetches *fetches, struct json_object *manifest, struct error *err);

/* Finds out by the configuration's diff_ids which of them the store has; the loader may think otherwise of one. */
void fetches_of_configuration(
	struct fetches *fetches, const struct store *store, const char *text, size_t size);

/* Fails if what is to be fetched is larger than max bytes together: unpacked it would be all the more. */
int fetches_check(const struct fetches *fetches, uint64_t max, struct error *err);

/* Makes, for each that the store has, a file without content that keeps skopeo from fetching it. */
int fetches_stub(const struct fetches *fetches, int blobs, struct error *err);

/* Whether there is such a file for this one; from now on it is to be fetched. */
bool fetches_unstub(struct fetches *fetches, const char *hex);

/* Whether skopeo has begun with anything: by then it has found nothing to object to in the image. */
bool fetches_begun(const struct fetches *fetches, int workspace);

/*
 * Whether a file that skopeo is writing has more bytes than any of the layers may have. skopeo compares sizes and digests only at
 * the end, and a registry can send without one.
 */
bool fetches_overrun(const struct fetches *fetches, int workspace);

/*
 * Looks how far each is: complete in the layout or in blobs/, or begun in a file of skopeo's. Which of several such files is
 * whose nothing tells before it is complete; they are taken in the order of their beginning.
 */
void fetches_look(struct fetches *fetches, int workspace, int layout);

#endif
