/* Taking gzip off by zlib itself. Why: gunzip.h. */
#include "images/gunzip.h"

#include "base/cleanup.h"
#include "base/memory.h"

#define BLOCK (128U << 10)

int gunzip_init(struct gunzip *gunzip, struct source *source, struct error *err)
{
	*gunzip = (struct gunzip){.source = source};
	/* 16: a gzip header and trailer, with its check sum; 15: any window. */
	if (inflateInit2(&gunzip->zlib, 16 + 15) != Z_OK)
		return error_set(err, ERROR_INTERNAL, 0, "zlib: %s",
			gunzip->zlib.msg ? gunzip->zlib.msg : "cannot start");
	gunzip->buffer = xcalloc(1, BLOCK);
	return 0;
}

void gunzip_free(struct gunzip *gunzip)
{
	if (gunzip->buffer)
		inflateEnd(&gunzip->zlib);
	free(gunzip->buffer);
	*gunzip = (struct gunzip){0};
}

static int damaged(const char *why, struct error *err)
{
	error_set(err, ERROR_IMAGE, 0, "the archive is damaged or cut short: gzip: %s", why);
	return error_hint(err, "fetch or make the archive again");
}

/* Makes sure that there is input. Returns 0 at the end of the source. */
static int refill(struct gunzip *gunzip, struct error *err)
{
	const void *data;
	ssize_t n;

	if (gunzip->zlib.avail_in > 0)
		return 1;
	n = source_next(gunzip->source, &data, err);
	if (n <= 0)
		return (int)n;
	/* zlib doesn't write there; its type is older than const. */
	gunzip->zlib.next_in = (z_const Bytef *)data;
	gunzip->zlib.avail_in = (uInt)n;
	return 1;
}

/* Between two members: past zeros, which tapes pad with. Returns 0 at the end, 1 at another member. */
static int find_member(struct gunzip *gunzip, struct error *err)
{
	for (;;) {
		int result = refill(gunzip, err);

		if (result <= 0)
			return result;
		if (*gunzip->zlib.next_in)
			break;
		gunzip->zlib.next_in++;
		gunzip->zlib.avail_in--;
	}
	if (*gunzip->zlib.next_in != 0x1f)
		return damaged("something follows its end", err);
	inflateReset(&gunzip->zlib);
	gunzip->is_between = false;
	return 1;
}

/* Inflates what there is of input into what there is of room. */
static int inflate_some(struct gunzip *gunzip, struct error *err)
{
	int result = inflate(&gunzip->zlib, Z_NO_FLUSH);

	if (result == Z_STREAM_END)
		gunzip->is_between = true;
	else if (result != Z_OK && result != Z_BUF_ERROR)
		return damaged(gunzip->zlib.msg ? gunzip->zlib.msg : "no reason given", err);
	return 0;
}

ssize_t gunzip_next(struct gunzip *gunzip, const void **data, struct error *err)
{
	gunzip->zlib.next_out = gunzip->buffer;
	gunzip->zlib.avail_out = BLOCK;
	*data = gunzip->buffer;
	while (gunzip->zlib.avail_out > 0 && !gunzip->at_end) {
		int result = gunzip->is_between ? find_member(gunzip, err) : refill(gunzip, err);

		if (result < 0)
			return -1;
		if (result == 0 && !gunzip->is_between)
			return damaged("the file ends too early", err);
		if (result == 0)
			gunzip->at_end = true;
		else if (inflate_some(gunzip, err) < 0)
			return -1;
	}
	return (ssize_t)(BLOCK - gunzip->zlib.avail_out);
}
