/* The bytes of an archive, counted and hashed while they pass. */
#include "images/source.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"

#define BLOCK (256U << 10)

void source_init(struct source *source, int fd)
{
	*source = (struct source){.fd = fd, .spool = -1, .buffer = xcalloc(1, BLOCK)};
	digest_init(&source->digest);
}

void source_init_range(struct source *source, int fd, uint64_t offset, uint64_t size)
{
	source_init(source, fd);
	source->is_range = true;
	source->offset = offset;
	source->end = offset + size;
}

void source_free(struct source *source)
{
	free(source->buffer);
	cleanup_fd_fn(&source->spool);
	*source = (struct source){.fd = -1, .spool = -1};
}

static ssize_t read_some(const struct source *source)
{
	uint64_t left = source->end - source->offset;

	if (!source->is_range)
		return read(source->fd, source->buffer, BLOCK);
	return pread(source->fd, source->buffer, left < BLOCK ? left : BLOCK, (off_t)source->offset);
}

/* Fills the buffer as far as a read goes; a pipe gives less than asked for. */
static ssize_t fill(struct source *source, struct error *err)
{
	ssize_t n;
	int before;

	do {
		pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before);
		n = read_some(source);
		pthread_setcancelstate(before, NULL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set(err, ERROR_IMAGE, errno, "cannot read it");
	if (n == 0) {
		if (!source->is_hashed && !source->at_end)
			digest_end(&source->digest, source->hex);
		source->at_end = true;
		return 0;
	}
	if (!source->is_hashed)
		digest_add(&source->digest, source->buffer, (size_t)n);
	source->read += (uint64_t)n;
	source->offset += (uint64_t)n;
	return n;
}

ssize_t source_next(struct source *source, const void **data, struct error *err)
{
	size_t held = source->held;

	*data = source->buffer;
	source->held = 0;
	if (held > 0)
		return (ssize_t)held;
	return source->at_end ? 0 : fill(source, err);
}

int source_kind(struct source *source, struct error *err)
{
	static const struct {
		const char *magic;
		size_t length;
		enum source_kind kind;
	} kinds[] = {{"PK\3\4", 4, SOURCE_ZIP}, {"PK\5\6", 4, SOURCE_ZIP}, {"\x1f\x8b", 2, SOURCE_GZIP}};
	ssize_t n = fill(source, err);

	if (n < 0)
		return -1;
	source->held = (size_t)n;
	for (size_t i = 0; i < array_length(kinds); i++)
		if ((size_t)n >= kinds[i].length && !memcmp(source->buffer, kinds[i].magic, kinds[i].length))
			return (int)kinds[i].kind;
	return SOURCE_OTHER;
}

int source_drain(struct source *source, struct error *err)
{
	const void *data;
	ssize_t n;

	do
		n = source_next(source, &data, err);
	while (n > 0);
	return (int)n;
}

static int start_again(struct source *source, struct error *err)
{
	if (lseek(source->fd, 0, SEEK_SET) < 0)
		return error_set(err, ERROR_IMAGE, errno, "cannot read it twice");
	source->is_hashed = true;
	source->at_end = false;
	source->size = source->read;
	source->read = 0;
	return 0;
}

int source_hash_first(struct source *source, struct load *load, struct error *err)
{
	const void *data;
	ssize_t n;

	while ((n = source_next(source, &data, err)) > 0) {
		load->progress.read = source->read;
		load_report(load);
	}
	return n < 0 ? -1 : start_again(source, err);
}

int source_spool(struct source *source, struct load *load, struct error *err)
{
	static const char name[] = "spool";
	uint64_t limit = load->limits->max_bytes;
	cleanup_fd int fd =
		openat(load->workspace.fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	const void *data;
	ssize_t n;

	if (fd < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make a file in the store");
	while ((n = source_next(source, &data, err)) > 0) {
		if (source->read > limit) {
			char text[32];

			return error_set(err, ERROR_IMAGE, 0, "the archive is larger than %s",
				text_size(limit, text, sizeof(text)));
		}
		if (fd_write_all(fd, data, (size_t)n) < 0)
			return error_set(err, ERROR_HOST, errno, "cannot keep the archive in the store");
		load->progress.read = source->read;
		load_report(load);
	}
	if (n < 0)
		return -1;
	/* The file goes with the workspace. */
	source->spool = steal_fd(&fd);
	source->fd = source->spool;
	return start_again(source, err);
}
