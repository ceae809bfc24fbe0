/* What the process that reads an archive tells the one that writes. See messages.h. */
#include "images/messages.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"

#define BUFFER (64U << 10)

/* ---- sending ---- */

void sender_init(struct sender *sender, int fd)
{
	*sender = (struct sender){.fd = fd, .buffer = xcalloc(1, BUFFER)};
}

/* Without somebody who writes there is nothing to read for. */
static void write_all(const struct sender *sender, const void *data, size_t size)
{
	if (fd_write_all(sender->fd, data, size) < 0)
		_exit(0);
}

void sender_flush(struct sender *sender)
{
	write_all(sender, sender->buffer, sender->used);
	sender->used = 0;
}

static void add(struct sender *sender, const void *data, size_t size)
{
	if (size > BUFFER - sender->used)
		sender_flush(sender);
	if (size > BUFFER) {
		write_all(sender, data, size);
		return;
	}
	if (size)
		memcpy(sender->buffer + sender->used, data, size);
	sender->used += size;
}

static void begin(struct sender *sender, enum message_kind kind, size_t size)
{
	const struct message_header header = {kind, (uint32_t)size};

	add(sender, &header, sizeof(header));
}

void sender_put(struct sender *sender, enum message_kind kind, const void *data, size_t size)
{
	begin(sender, kind, size);
	add(sender, data, size);
}

void sender_text(struct sender *sender, enum message_kind kind, const char *text)
{
	sender_put(sender, kind, text, strnlen(text, BUFFER));
}

void sender_data(struct sender *sender, uint64_t offset, const void *data, size_t size)
{
	const char *p = data;

	while (size > 0) {
		size_t n = size < MESSAGE_DATA_LIMIT ? size : MESSAGE_DATA_LIMIT;

		begin(sender, MESSAGE_DATA, sizeof(offset) + n);
		add(sender, &offset, sizeof(offset));
		add(sender, p, n);
		p += n;
		offset += n;
		size -= n;
	}
}

static size_t length_of(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static size_t size_of(const struct entry *entry)
{
	size_t size = sizeof(struct message_entry) + length_of(entry->path) + length_of(entry->hard_link) +
		      length_of(entry->target);

	for (size_t i = 0; i < entry->n_xattrs && size <= MESSAGE_LIMIT; i++)
		size += 2 * sizeof(uint32_t) + length_of(entry->xattrs[i].name) + entry->xattrs[i].size;
	return size;
}

int sender_entry(struct sender *sender, const struct entry *entry, struct error *err)
{
	const struct message_entry message = {
		.size = entry->size,
		.uid = entry->uid,
		.gid = entry->gid,
		.mtime = entry->mtime.tv_sec,
		.device = entry->device,
		.mode = entry->mode,
		.nanoseconds = (uint32_t)entry->mtime.tv_nsec,
		.path = (uint32_t)length_of(entry->path),
		.hard_link = (uint32_t)length_of(entry->hard_link),
		.target = (uint32_t)length_of(entry->target),
		.n_xattrs = (uint32_t)entry->n_xattrs,
	};
	size_t size = size_of(entry);

	if (size > MESSAGE_LIMIT)
		return entry_error(entry, err, 0, "its names and attributes are larger than 16 MiB");
	begin(sender, MESSAGE_ENTRY, size);
	add(sender, &message, sizeof(message));
	add(sender, entry->path, message.path);
	add(sender, entry->hard_link, message.hard_link);
	add(sender, entry->target, message.target);
	for (size_t i = 0; i < entry->n_xattrs; i++) {
		const struct xattr *xattr = &entry->xattrs[i];
		const uint32_t sizes[2] = {(uint32_t)length_of(xattr->name), (uint32_t)xattr->size};

		add(sender, sizes, sizeof(sizes));
		add(sender, xattr->name, sizes[0]);
		add(sender, xattr->value, sizes[1]);
	}
	return 0;
}

/* ---- receiving ---- */

void receiver_init(struct receiver *receiver, int fd)
{
	*receiver = (struct receiver){.fd = fd, .room = 2UL * MESSAGE_DATA_LIMIT};
	receiver->buffer = xcalloc(1, receiver->room);
}

void receiver_free(struct receiver *receiver)
{
	free(receiver->buffer);
	free(receiver->entry);
	free(receiver->xattrs);
	*receiver = (struct receiver){.fd = -1};
}

static int garbled(struct error *err)
{
	return error_set(
		err, ERROR_INTERNAL, 0, "what the process that reads the archive says can't be read");
}

/* Makes sure that size bytes are there. Returns 0 if the pipe ends before. */
static int need(struct receiver *receiver, size_t size, struct error *err)
{
	if (receiver->start + size > receiver->room) {
		memmove(receiver->buffer, receiver->buffer + receiver->start,
			receiver->end - receiver->start);
		receiver->end -= receiver->start;
		receiver->start = 0;
	}
	if (size > receiver->room) {
		receiver->buffer = xreallocarray(receiver->buffer, 1, size);
		receiver->room = size;
	}
	while (receiver->end - receiver->start < size) {
		ssize_t n =
			read(receiver->fd, receiver->buffer + receiver->end, receiver->room - receiver->end);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, ERROR_HOST, errno, "cannot read from a pipe");
		if (n == 0)
			return 0;
		receiver->end += (size_t)n;
	}
	return 1;
}

int receiver_next(
	struct receiver *receiver, struct message_header *header, const void **data, struct error *err)
{
	int result;

	if (receiver->start == receiver->end)
		receiver->start = receiver->end = 0;
	result = need(receiver, sizeof(*header), err);
	if (result <= 0)
		return result;
	memcpy(header, receiver->buffer + receiver->start, sizeof(*header));
	if (header->size > MESSAGE_LIMIT)
		return garbled(err);
	result = need(receiver, sizeof(*header) + header->size, err);
	if (result <= 0)
		return result;
	*data = receiver->buffer + receiver->start + sizeof(*header);
	receiver->start += sizeof(*header) + header->size;
	return 1;
}

/* What is left of a message. */
struct rest {
	const char *next;
	size_t size;
};

static bool take(struct rest *rest, void *data, size_t size)
{
	if (size > rest->size)
		return false;
	memcpy(data, rest->next, size);
	rest->next += size;
	rest->size -= size;
	return true;
}

static bool take_string(struct rest *rest, size_t length, const char **string)
{
	*string = NULL;
	if (!length)
		return true;
	if (length > rest->size || strnlen(rest->next, length) != length - 1)
		return false;
	*string = rest->next;
	rest->next += length;
	rest->size -= length;
	return true;
}

static bool take_xattrs(struct receiver *receiver, struct rest *rest, size_t n, struct entry *entry)
{
	/* Each has two lengths at least. */
	if (n > rest->size / (2 * sizeof(uint32_t)))
		return false;
	receiver->xattrs = xreallocarray(receiver->xattrs, n ? n : 1, sizeof(*receiver->xattrs));
	for (size_t i = 0; i < n; i++) {
		struct xattr *xattr = &receiver->xattrs[i];
		uint32_t sizes[2];

		if (!take(rest, sizes, sizeof(sizes)) || !sizes[0] ||
			!take_string(rest, sizes[0], &xattr->name) || sizes[1] > rest->size)
			return false;
		xattr->value = rest->next;
		xattr->size = sizes[1];
		rest->next += sizes[1];
		rest->size -= sizes[1];
	}
	entry->xattrs = receiver->xattrs;
	entry->n_xattrs = n;
	return true;
}

int receiver_entry(
	struct receiver *receiver, const void *data, size_t size, struct entry *entry, struct error *err)
{
	struct rest rest = {.size = size};
	struct message_entry message;

	receiver->entry = xreallocarray(receiver->entry, 1, size ? size : 1);
	memcpy(receiver->entry, data, size);
	rest.next = receiver->entry;
	if (!take(&rest, &message, sizeof(message)))
		return garbled(err);
	*entry = (struct entry){
		.mode = message.mode,
		.uid = message.uid,
		.gid = message.gid,
		.size = message.size,
		.device = message.device,
		.mtime = {.tv_sec = message.mtime, .tv_nsec = message.nanoseconds},
	};
	if (!message.path || !take_string(&rest, message.path, &entry->path) ||
		!take_string(&rest, message.hard_link, &entry->hard_link) ||
		!take_string(&rest, message.target, &entry->target) ||
		!take_xattrs(receiver, &rest, message.n_xattrs, entry))
		return garbled(err);
	return 0;
}
