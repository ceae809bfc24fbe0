/*
 * Within the wing: the files of an image that is kept as an OCI layout or a docker-archive.
 *
 * They lie in a folder, or in a plain tar on disk: of that an index is made, and its members are read where they are. Any
 * other archive (compressed, from a pipe) is unpacked into a folder first, by the same code as a rootfs (load.c). Both
 * are hostile: in the folder paths are resolved in-root, in a tar a link leads to another member at most.
 */
#ifndef IMAGES_BLOBS_H
#define IMAGES_BLOBS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "images/images.h"

enum blobs_kind {
	BLOBS_NONE, /* it is something else: a rootfs perhaps */
	BLOBS_LAYOUT, /* OCI: oci-layout, index.json, blobs/ */
	BLOBS_SAVED, /* docker-archive: manifest.json, which names the rest */
};

struct member {
	char *path; /* cleaned */
	char *target; /* of a link: cleaned, from the top; NULL for a file */
	uint64_t offset, size;
};

struct blobs {
	enum blobs_kind kind;
	int fd; /* the folder or the tar; the caller's */
	bool is_tar;
	struct member *members; /* of a tar */
	size_t n_members, room;
	const struct layout_options *options; /* for its wait; or NULL */
};

/* A file, or a part of one. */
struct blob {
	int fd; /* owned */
	uint64_t offset, size;
};

/* Looks at a folder; fd stays the caller's. blobs->kind says what it is. */
void blobs_of_folder(struct blobs *blobs, int fd);

/*
 * Looks at a file, which stays the caller's. blobs->kind is BLOBS_NONE for everything but an uncompressed tar of an image;
 * for a rootfs that costs one look at its first entry.
 */
int blobs_of_tar(struct blobs *blobs, int fd, struct error *err);

void blobs_free(struct blobs *blobs);

/* Opens a file by its path from the top. ENOENT in err->errnum if there is none. */
int blobs_open(const struct blobs *blobs, const char *path, struct blob *blob, struct error *err);

/*
 * Opens the blob with that digest ("sha256:..."), waiting for it if it is still to come. size is what its descriptor
 * says; it must be that.
 */
int blobs_open_digest(
	const struct blobs *blobs, const char *digest, uint64_t size, struct blob *blob, struct error *err);

/* Reads a blob whole and parses it. With a digest ("sha256:...") that is checked first; hex becomes what it is. */
int blob_read_json(const struct blob *blob, const char *shown, const char *digest, enum json_type type,
	struct json_object **json, char *hex, struct error *err);

/* For tar_index.c: takes the member's strings. */
void blobs_add(struct blobs *blobs, struct member member);

/* Whether a path can be one of an image's files; what a rootfs begins with is none. */
bool blobs_is_name(const char *path);

/* Reads the tar's headers into blobs (tar_index.c). Returns 1 if it stopped since the file is something else. */
int tar_index(struct blobs *blobs, struct error *err);

#endif
