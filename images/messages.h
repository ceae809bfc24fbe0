/*
 * Within the wing: what the process that reads an archive (reading.h) tells the one that writes.
 *
 * A message is its header and so many bytes. The sender is believed nothing: it has read hostile bytes.
 */
#ifndef IMAGES_MESSAGES_H
#define IMAGES_MESSAGES_H

#include "images/digest.h"
#include "images/entry.h"

enum message_kind {
	MESSAGE_ENTRY, /* an entry begins: struct message_entry, then its strings and attributes */
	MESSAGE_DATA, /* its content: where (uint64_t), then the bytes */
	MESSAGE_END, /* it ends */
	MESSAGE_LOSS, /* a warning of libarchive's: its text */
	MESSAGE_PROGRESS, /* how much of the source has been read: uint64_t */
	MESSAGE_DONE, /* the last one: struct message_done */
	MESSAGE_ERROR, /* the last one: struct error */
};

struct message_header {
	uint32_t kind, size;
};

struct message_entry {
	uint64_t size;
	int64_t uid, gid, mtime;
	uint64_t device;
	uint32_t mode, nanoseconds; /* of mtime; UTIME_OMIT too */
	/* Lengths with the NUL; 0: there is none. */
	uint32_t path, hard_link, target;
	uint32_t n_xattrs; /* each: two uint32_t, the name's length with the NUL and the value's; then both */
};

struct message_done {
	char hex[DIGEST_LENGTH + 1],
		diff_id[DIGEST_LENGTH + 1]; /* of the source's bytes, of the plain ones */
	uint64_t read, plain; /* bytes */
};

#define MESSAGE_DATA_LIMIT (256U << 10) /* bytes of content in one */
#define MESSAGE_LIMIT      (16U << 20) /* bytes of any: of an entry with all of its attributes */

/* ---- sending ---- */

struct sender {
	int fd; /* a pipe */
	unsigned char *buffer;
	size_t used;
};

void sender_init(struct sender *sender, int fd);
/* Each ends the process if nobody reads any more. An entry that is too large for a message is an error. */
int sender_entry(struct sender *sender, const struct entry *entry, struct error *err);
void sender_data(struct sender *sender, uint64_t offset, const void *data, size_t size);
void sender_text(struct sender *sender, enum message_kind kind, const char *text);
void sender_put(struct sender *sender, enum message_kind kind, const void *data, size_t size);
void sender_flush(struct sender *sender);

/* ---- receiving ---- */

struct receiver {
	int fd;
	unsigned char *buffer;
	size_t room, start, end; /* of the buffer; what has come and isn't used */
	char *entry; /* the bytes of the last one */
	struct xattr *xattrs; /* in them */
};

void receiver_init(struct receiver *receiver, int fd);
void receiver_free(struct receiver *receiver);

/* The next message; its bytes are valid until the next call. Returns 1, 0 at the end of the pipe, or -1. */
int receiver_next(
	struct receiver *receiver, struct message_header *header, const void **data, struct error *err);

/* Makes an entry of a message's bytes; it lives until the next one. */
int receiver_entry(
	struct receiver *receiver, const void *data, size_t size, struct entry *entry, struct error *err);

#endif
