/* The plain bytes of an archive, decompressed in a thread of its own. Theory of operation: plain.h. */
#include "images/plain.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "images/allowance.h"

#define BLOCK (256U << 10)

/* ---- in the thread ---- */

static la_ssize_t give(struct archive *archive, void *data, const void **buffer)
{
	struct plain *plain = data;
	ssize_t n = plain->is_gzip ? gunzip_next(&plain->gunzip, buffer, &plain->err)
				   : source_next(plain->source, buffer, &plain->err);

	if (n < 0)
		plain->la->set_error(archive, EIO, "%s", plain->err.message);
	return n;
}

/* Our own error, from within give(), says more than what libarchive makes of it. */
static int damaged(struct plain *plain, struct error *err)
{
	const char *text = plain->la->error_string(plain->archive);

	if (plain->err.class != ERROR_NONE || allowance_explain(text, plain->max_memory, err))
		return -1;
	error_set(err, ERROR_IMAGE, 0, "the archive is damaged or cut short: %s",
		text ? text : "no reason given");
	return error_hint(err, "fetch or make the archive again");
}

static int open_archive(struct plain *plain, struct error *err)
{
	const struct libarchive *la = plain->la;
	struct archive *a = plain->archive;
	struct archive_entry *entry;
	int result;

	la->read_support_filter_gzip(a);
	la->read_support_filter_bzip2(a);
	la->read_support_filter_xz(a);
	la->read_support_filter_lzma(a);
	la->read_support_filter_lzip(a);
	la->read_support_filter_zstd(a);
	la->read_support_filter_lz4(a);
	la->read_support_filter_compress(a);
	la->read_support_format_raw(a);
	la->read_support_format_empty(a);
	la->read_set_read_callback(a, give);
	la->read_set_callback_data(a, plain);
	if (la->read_open1(a) != ARCHIVE_OK)
		return damaged(plain, err);
	result = la->read_next_header(a, &entry);
	if (result == ARCHIVE_EOF)
		return plain->is_hashed ? 1 : error_set(err, ERROR_IMAGE, 0, "the archive is empty");
	return result == ARCHIVE_OK ? 0 : damaged(plain, err);
}

/* The block to fill next, when it is free; NULL if nobody wants it. */
static struct plain_block *wait_for_room(struct plain *plain)
{
	struct plain_block *block = NULL;

	pthread_mutex_lock(&plain->lock);
	while (plain->made - plain->used == PLAIN_BLOCKS && !plain->is_unwanted)
		pthread_cond_wait(&plain->changed, &plain->lock);
	if (!plain->is_unwanted)
		block = &plain->blocks[plain->made % PLAIN_BLOCKS];
	pthread_mutex_unlock(&plain->lock);
	if (block)
		block->size = 0;
	return block;
}

static void hand_on(struct plain *plain, struct plain_block *block)
{
	if (!block->size)
		return;
	if (plain->is_hashed)
		digest_add(&plain->digest, block->data, block->size);
	block->read = plain->source->read;
	pthread_mutex_lock(&plain->lock);
	plain->made++;
	pthread_cond_signal(&plain->changed);
	pthread_mutex_unlock(&plain->lock);
}

/* Copies into blocks what libarchive gives. */
static int copy_all(struct plain *plain, struct error *err)
{
	struct plain_block *block = wait_for_room(plain);

	while (block) {
		const void *data;
		size_t size;
		la_int64_t offset;
		int result = plain->la->read_data_block(plain->archive, &data, &size, &offset);

		if (result == ARCHIVE_EOF) {
			hand_on(plain, block);
			/* Whatever follows belongs to the digest. */
			return source_drain(plain->source, err);
		}
		if (result != ARCHIVE_OK)
			return damaged(plain, err);
		for (size_t done = 0; block && done < size;) {
			size_t room = BLOCK - block->size, n = size - done < room ? size - done : room;

			memcpy(block->data + block->size, (const char *)data + done, n);
			block->size += n;
			done += n;
			if (block->size < BLOCK)
				continue;
			hand_on(plain, block);
			block = wait_for_room(plain);
		}
	}
	return 0;
}

static void *run(void *data)
{
	struct plain *plain = data;
	struct error err = {0};
	int result;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	result = open_archive(plain, &err);
	if (result == 0)
		result = copy_all(plain, &err);
	else if (result > 0)
		result = source_drain(plain->source, &err);
	if (plain->is_hashed)
		digest_end(&plain->digest, plain->hex);
	pthread_mutex_lock(&plain->lock);
	if (result < 0 && plain->err.class == ERROR_NONE)
		plain->err = err;
	plain->has_ended = true;
	pthread_cond_signal(&plain->changed);
	pthread_mutex_unlock(&plain->lock);
	return NULL;
}

/* ---- outside ---- */

int plain_start(struct plain *plain, const struct libarchive *la, struct source *source, bool is_gzip,
	bool is_hashed, uint64_t max_memory, struct error *err)
{
	int errnum;

	*plain = (struct plain){.la = la,
		.source = source,
		.is_gzip = is_gzip,
		.is_hashed = is_hashed,
		.max_memory = max_memory};
	if (is_hashed)
		digest_init(&plain->digest);
	pthread_mutex_init(&plain->lock, NULL);
	pthread_cond_init(&plain->changed, NULL);
	if (is_gzip && gunzip_init(&plain->gunzip, source, err) < 0)
		return -1;
	plain->archive = la->read_new();
	for (size_t i = 0; i < PLAIN_BLOCKS; i++)
		plain->blocks[i].data = xcalloc(1, BLOCK);
	errnum = pthread_create(&plain->thread, NULL, run, plain);
	if (errnum)
		return error_set(err, ERROR_HOST, errnum, "cannot start a thread");
	plain->is_running = true;
	return 0;
}

ssize_t plain_next(struct plain *plain, const void **data, uint64_t *read, struct error *err)
{
	ssize_t size = 0;

	pthread_mutex_lock(&plain->lock);
	if (plain->has_given) {
		plain->used++;
		plain->has_given = false;
		pthread_cond_signal(&plain->changed);
	}
	while (plain->made == plain->used && !plain->has_ended)
		pthread_cond_wait(&plain->changed, &plain->lock);
	if (plain->made != plain->used) {
		struct plain_block *block = &plain->blocks[plain->used % PLAIN_BLOCKS];

		plain->has_given = true;
		*data = block->data;
		*read = block->read;
		size = (ssize_t)block->size;
	} else if (plain->err.class != ERROR_NONE) {
		*err = plain->err;
		size = -1;
	} else {
		*read = plain->source->read;
	}
	pthread_mutex_unlock(&plain->lock);
	return size;
}

void plain_stop(struct plain *plain)
{
	if (plain->is_running) {
		bool has_ended;

		pthread_mutex_lock(&plain->lock);
		plain->is_unwanted = true;
		has_ended = plain->has_ended;
		pthread_cond_signal(&plain->changed);
		pthread_mutex_unlock(&plain->lock);
		/* Waiting for a pipe that nobody writes to any more would take for ever. */
		if (!has_ended)
			pthread_cancel(plain->thread);
		pthread_join(plain->thread, NULL);
	}
	if (plain->archive)
		plain->la->read_free(plain->archive);
	gunzip_free(&plain->gunzip);
	for (size_t i = 0; i < PLAIN_BLOCKS; i++)
		free(plain->blocks[i].data);
	if (plain->la) {
		pthread_cond_destroy(&plain->changed);
		pthread_mutex_destroy(&plain->lock);
	}
	*plain = (struct plain){0};
}
