/* Within the wing: reading an archive, in the process that does nothing else (reading.h). */
#ifndef IMAGES_ARCHIVE_H
#define IMAGES_ARCHIVE_H

#include "images/libarchive.h"
#include "images/messages.h"
#include "images/source.h"

/* What is read, and how far it may go. */
struct archive_request {
	const struct load_limits *limits;
	bool is_zip, is_gzip; /* as source_kind says */
	bool is_layer; /* of an image: a tar, perhaps an empty one, whose plain bytes are hashed */
	uint64_t read_before, plain_before; /* bytes of the layers before this one */
};

/* Tells the sender each entry and, at the end, MESSAGE_DONE; returns 0, or -1 and why. libarchive stays the caller's. */
int archive_read(const struct libarchive *la, struct source *source, const struct archive_request *request,
	struct sender *sender, struct error *err);

#endif
