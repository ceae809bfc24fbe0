/*
 * Reading an archive: what is in it goes to the sender. See archive.h.
 *
 * Two readers of libarchive stand one behind the other: the first takes the compression off and knows no format
 * (plain.h), the second, here, knows tar and cpio and no compression. So we see the plain bytes as they pass: a bomb is
 * noticed whatever part of the format it hides in, and what comes after the format's end mark is read too, where a cut
 * or damaged compressed file shows and a second archive could hide. A zip is compressed within and read from its end: one
 * reader, on a file that can be sought in.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "images/allowance.h"
#include "images/archive.h"
#include "images/plain.h"

#define RATIO_FROM (64U << 20) /* bytes: below that no expansion harms */
#define TAR_BLOCK  512

struct reader {
	const struct libarchive *la;
	const struct archive_request *request;
	struct sender *sender;
	struct source *source;
	uint64_t given; /* bytes of content */
	struct plain plain; /* where the bytes come from, unless it is a zip */
	struct archive *format; /* tar, cpio or zip */
	const char *last; /* plain bytes that came last, and how many */
	size_t n_last;
	uint64_t n_plain; /* all that came so far */
	struct error err; /* of our own doing, within a callback */
	struct xattr *xattrs;
	size_t room;
	char *previous; /* the entry before, for messages about what can't be read */
};

static int check_ratio(struct reader *reader, uint64_t out, uint64_t in)
{
	const struct load_limits *limits = reader->request->limits;

	if (out < RATIO_FROM || out / limits->max_ratio <= in)
		return 0;
	error_set(
		&reader->err, ERROR_IMAGE, 0, "it expands to more than %u times its size", limits->max_ratio);
	return error_hint(&reader->err, "if the archive can be trusted: --max-ratio");
}

static la_ssize_t give_plain(struct archive *archive, void *data, const void **buffer)
{
	struct reader *reader = data;
	const struct archive_request *request = reader->request;
	uint64_t read = 0;
	ssize_t n = plain_next(&reader->plain, buffer, &read, &reader->err);

	if (n > 0) {
		reader->last = *buffer;
		reader->n_last = (size_t)n;
		reader->n_plain += (size_t)n;
		sender_put(reader->sender, MESSAGE_PROGRESS, &read, sizeof(read));
		/* Whoever waits for the next bytes, be it us, lets what is there be written. */
		sender_flush(reader->sender);
		if (check_ratio(
			    reader, request->plain_before + reader->n_plain, request->read_before + read) < 0)
			n = -1;
	}
	if (n < 0)
		reader->la->set_error(archive, EIO, "%s", reader->err.message);
	return n;
}

static la_ssize_t give_zip(struct archive *archive, void *data, const void **buffer)
{
	struct reader *reader = data;
	ssize_t n = source_next(reader->source, buffer, &reader->err);

	if (n < 0)
		reader->la->set_error(archive, EIO, "%s", reader->err.message);
	return n;
}

static la_int64_t seek_zip(struct archive *archive, void *data, la_int64_t offset, int whence)
{
	struct reader *reader = data;
	off_t at = lseek(reader->source->fd, offset, whence);

	if (at < 0)
		reader->la->set_error(archive, errno, "cannot seek");
	reader->source->at_end = false;
	return at < 0 ? ARCHIVE_FATAL : at;
}

/* What libarchive says is wrong, or what we said when it asked us for more. */
static int cannot_read(struct reader *reader, struct archive *archive, struct error *err)
{
	const char *text = reader->la->error_string(archive);

	if (reader->err.message[0]) {
		*err = reader->err;
	} else if (!allowance_explain(text, reader->request->limits->max_memory, err)) {
		error_set(err, ERROR_IMAGE, 0, "the archive is damaged or cut short: %s",
			text ? text : "no reason given");
		error_hint(err, "fetch or make the archive again");
	}
	if (reader->previous)
		error_wrap(err, "after entry %s", reader->previous);
	return -1;
}

static int not_an_archive(struct error *err)
{
	error_set(err, ERROR_IMAGE, 0, "this is no archive that minirun reads");
	return error_hint(err,
		"it reads tar, cpio and zip, plain or compressed (gzip, bzip2, xz, lzma, zstd, lz4, lzip), "
		"and folders");
}

static int open_format(struct reader *reader, struct error *err)
{
	const struct libarchive *la = reader->la;
	struct archive *a = reader->format = la->read_new();

	if (reader->request->is_zip) {
		la->read_support_format_zip_seekable(a);
		la->read_set_read_callback(a, give_zip);
		la->read_set_seek_callback(a, seek_zip);
	} else {
		la->read_support_format_tar(a);
		if (reader->request->is_layer)
			la->read_support_format_empty(a);
		else
			la->read_support_format_cpio(a);
		la->read_set_read_callback(a, give_plain);
	}
	la->read_set_callback_data(a, reader);
	if (la->read_open1(a) == ARCHIVE_OK)
		return 0;
	return reader->err.message[0] ? cannot_read(reader, a, err) : not_an_archive(err);
}

static void read_xattrs(struct reader *reader, struct archive_entry *from, struct entry *entry)
{
	int left = reader->la->entry_xattr_reset(from);

	if ((size_t)left > reader->room) {
		reader->room = (size_t)left;
		reader->xattrs = xreallocarray(reader->xattrs, reader->room, sizeof(*reader->xattrs));
	}
	for (; left > 0; left--) {
		struct xattr *xattr = &reader->xattrs[entry->n_xattrs];

		if (reader->la->entry_xattr_next(from, &xattr->name, &xattr->value, &xattr->size) !=
			ARCHIVE_OK)
			break;
		if (xattr->name)
			entry->n_xattrs++;
	}
	entry->xattrs = reader->xattrs;
}

/* From libarchive's entry to ours. The strings stay libarchive's, until the next header. */
static int convert(struct reader *reader, struct archive_entry *from, struct entry *entry, struct error *err)
{
	const struct libarchive *la = reader->la;

	*entry = (struct entry){
		.path = la->entry_pathname(from),
		.hard_link = la->entry_hardlink(from),
		.target = la->entry_symlink(from),
		.mode = la->entry_filetype(from) | la->entry_perm(from),
		.uid = la->entry_uid(from),
		.gid = la->entry_gid(from),
		.device = makedev(
			(unsigned int)la->entry_rdevmajor(from), (unsigned int)la->entry_rdevminor(from)),
		.mtime = {.tv_sec = la->entry_mtime(from), .tv_nsec = la->entry_mtime_nsec(from)},
	};
	if (!entry->path)
		return cannot_read(reader, reader->format, err);
	if (!la->entry_mtime_is_set(from))
		entry->mtime.tv_nsec = UTIME_OMIT;
	if (la->entry_size_is_set(from) && la->entry_size(from) < 0)
		return entry_error(entry, err, 0, "its size is negative");
	entry->size = la->entry_size_is_set(from) ? (uint64_t)la->entry_size(from) : 0;
	if (la->entry_is_encrypted(from))
		return entry_error(entry, err, 0, "it is encrypted");
	if (S_ISLNK(entry->mode) && !entry->hard_link && !entry->target)
		return entry_error(entry, err, 0, "it is a symbolic link to nowhere");
	read_xattrs(reader, from, entry);
	return 0;
}

/* The content of the entry at hand. */
static int send_data(struct reader *reader, const struct entry *entry, struct error *err)
{
	for (;;) {
		const void *data;
		size_t size;
		la_int64_t offset;
		int result = reader->la->read_data_block(reader->format, &data, &size, &offset);

		if (result == ARCHIVE_EOF)
			return 0;
		/* A mere warning here is a check sum or a size that is wrong. */
		if (result != ARCHIVE_OK)
			return cannot_read(reader, reader->format, err);
		if (offset < 0)
			return entry_error(entry, err, 0, "its content has a negative offset");
		if (offset > INT64_MAX - (la_int64_t)size)
			return entry_error(entry, err, EFBIG, "cannot write");
		sender_data(reader->sender, (uint64_t)offset, data, size);
		reader->given += size;
		if (reader->request->is_zip && check_ratio(reader, reader->given, reader->source->size) < 0)
			return cannot_read(reader, reader->format, err);
	}
}

static int send_one(struct reader *reader, struct archive_entry *from, struct error *err)
{
	struct entry entry;

	if (convert(reader, from, &entry, err) < 0)
		return -1;
	free(reader->previous);
	reader->previous = text_printable(entry.path, strnlen(entry.path, 200));
	if (sender_entry(reader->sender, &entry, err) < 0 || send_data(reader, &entry, err) < 0)
		return -1;
	sender_put(reader->sender, MESSAGE_END, NULL, 0);
	return 0;
}

static int no_more_than_zeros(const char *data, size_t size, struct error *err)
{
	for (size_t i = 0; i < size; i++) {
		if (!data[i])
			continue;
		error_set(err, ERROR_IMAGE, 0, "something follows the archive's end mark");
		return error_hint(err,
			"archives put one behind the other can't be told from a damaged one: join them "
			"otherwise (tar -A)");
	}
	return 0;
}

static int cut_short(struct reader *reader, const char *why, struct error *err)
{
	error_set(err, ERROR_IMAGE, 0, "the archive is cut short: %s", why);
	error_hint(err, "fetch or make the archive again");
	return reader->previous ? error_wrap(err, "after entry %s", reader->previous) : -1;
}

/*
 * After the format's end. end is where the last entry ended, in plain bytes: a tar without a block of zeros behind it
 * has been cut between two entries, and one that is not of whole blocks behind that. Everything up to the end of the file
 * is read.
 */
static int finish_plain(struct reader *reader, uint64_t end, struct error *err)
{
	const struct libarchive *la = reader->la;
	bool is_tar = (la->format(reader->format) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR;
	uint64_t used = (uint64_t)la->filter_bytes(reader->format, 0);
	uint64_t rest = reader->n_plain - used;
	const void *data;
	la_ssize_t n;

	/* A layer's digest tells whether it is whole, and some tools leave the end mark out. */
	if (is_tar && !reader->request->is_layer && used - end < TAR_BLOCK)
		return cut_short(reader, "its end mark is missing", err);
	if (rest <= reader->n_last && no_more_than_zeros(reader->last + reader->n_last - rest, rest, err) < 0)
		return -1;
	while ((n = give_plain(reader->format, reader, &data)) > 0)
		if (no_more_than_zeros(data, (size_t)n, err) < 0)
			return -1;
	if (n < 0)
		return cannot_read(reader, reader->format, err);
	if (is_tar && !reader->request->is_layer && reader->n_plain % TAR_BLOCK)
		return cut_short(reader, "it ends within a block", err);
	return 0;
}

/* That names weren't converted is what we wanted (reading.c). */
static void note_warning(struct reader *reader)
{
	const char *text = reader->la->error_string(reader->format);

	if (text && !strstr(text, "current locale"))
		sender_text(reader->sender, MESSAGE_LOSS, text);
}

static int send_all(struct reader *reader, struct error *err)
{
	for (;;) {
		uint64_t end = (uint64_t)reader->la->filter_bytes(reader->format, 0);
		struct archive_entry *entry;
		int result = reader->la->read_next_header(reader->format, &entry);

		if (result == ARCHIVE_EOF)
			return reader->request->is_zip ? 0 : finish_plain(reader, end, err);
		if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
			/* The format is only recognised now. */
			if (!reader->previous && !reader->la->format(reader->format) &&
				!reader->err.message[0])
				return not_an_archive(err);
			return cannot_read(reader, reader->format, err);
		}
		if (result == ARCHIVE_WARN)
			note_warning(reader);
		if (send_one(reader, entry, err) < 0)
			return -1;
	}
}

static void send_done(struct reader *reader)
{
	struct message_done done = {.read = reader->source->read, .plain = reader->n_plain};

	memcpy(done.hex, reader->source->hex, sizeof(done.hex));
	memcpy(done.diff_id, reader->plain.hex, sizeof(done.diff_id));
	sender_put(reader->sender, MESSAGE_DONE, &done, sizeof(done));
	sender_flush(reader->sender);
}

int archive_read(const struct libarchive *la, struct source *source, const struct archive_request *request,
	struct sender *sender, struct error *err)
{
	struct reader reader = {.la = la, .request = request, .sender = sender, .source = source};
	int result = 0;

	if (!request->is_zip)
		result = plain_start(&reader.plain, la, source, request->is_gzip, request->is_layer,
			request->limits->max_memory, err);
	if (result == 0)
		result = open_format(&reader, err);
	if (result == 0)
		result = send_all(&reader, err);
	if (result == 0)
		send_done(&reader);
	plain_stop(&reader.plain);
	la->read_free(reader.format);
	free(reader.xattrs);
	free(reader.previous);
	return result;
}
