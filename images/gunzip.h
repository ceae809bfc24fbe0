/*
 * Within the wing: taking gzip off by zlib itself.
 *
 * libarchive can do it too, but doesn't look at the check sum: an archive with a flipped bit would load.
 */
#ifndef IMAGES_GUNZIP_H
#define IMAGES_GUNZIP_H

#include <zlib.h>

#include "images/source.h"

struct gunzip {
	struct source *source;
	z_stream zlib;
	bool is_between; /* members: gzip files may stand one behind the other */
	bool at_end;
	unsigned char *buffer;
};

int gunzip_init(struct gunzip *gunzip, struct source *source, struct error *err);
void gunzip_free(struct gunzip *gunzip);

/* The next bytes, valid until the next call: their number, 0 at the end, -1. */
ssize_t gunzip_next(struct gunzip *gunzip, const void **data, struct error *err);

#endif
