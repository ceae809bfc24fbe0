/* The content of files that are unpacked. */
#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "images/attributes.h"
#include "images/unpack.h"

static int count_bytes(struct unpack *unpack, const struct entry *entry, size_t size, struct error *err)
{
	char limit[32];

	unpack->progress->written += size;
	if (unpack->progress->written <= unpack->limits->max_bytes)
		return 0;
	entry_error(entry, err, 0, "the content is larger than %s",
		text_size(unpack->limits->max_bytes, limit, sizeof(limit)));
	return error_hint(err, "if the archive can be trusted: --max-bytes");
}

int unpack_content(struct unpack *unpack, const struct entry *entry, uint64_t offset, const void *data,
	size_t size, struct error *err)
{
	const char *p = data;

	if (count_bytes(unpack, entry, size, err) < 0)
		return -1;
	if (unpack->fd < 0)
		return 0;
	if (offset > INT64_MAX - size)
		return entry_error(entry, err, EFBIG, "cannot write");
	while (size > 0) {
		ssize_t n = pwrite(unpack->fd, p, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return entry_error(entry, err, errno, "cannot write");
		p += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	if (offset > unpack->end)
		unpack->end = offset;
	return 0;
}

int unpack_end(struct unpack *unpack, const struct entry *entry, struct error *err)
{
	cleanup_fd int fd = steal_fd(&unpack->fd);

	if (fd < 0)
		return 0;
	/* A hole at the end. */
	if (entry->size > unpack->end && ftruncate(fd, (off_t)entry->size) < 0)
		return entry_error(entry, err, errno, "cannot give it its size");
	return attributes_set(unpack, fd, entry, err);
}
