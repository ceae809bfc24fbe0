/*
 * Unpacking an archive, in two processes: one reads it, the other, we, writes.
 *
 * What an archive can do to whoever parses it (libarchive, the decompressors) it can do to a process that has two descriptors, the
 * archive and a pipe to us, and may make no call but read, write and what memory and threads take (confinement.h). What comes
 * through the pipe is as hostile as the archive: entries, which are written as ever (unpack.h), and texts.
 *
 * It could still lie about its own archive, which includes the digest of the plain bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "images/allowance.h"
#include "images/archive.h"
#include "images/confinement.h"
#include "images/load.h"

#define PIPE_SIZE (1 << 20) /* bytes, as far as an ordinary user's pipe goes */

struct reading {
	struct load *load;
	struct source *source;
	struct archive_request request;
	struct libarchive la;
	pid_t pid;
	struct receiver receiver;
	struct entry entry;
	bool is_open; /* the entry has begun */
	struct message_done done;
	bool is_done;
};

/* ---- the process that reads ---- */

/* Never returns. */
static void be_reader(struct reading *reading, int out, pid_t parent)
{
	const int keep[] = {reading->source->fd, out};
	struct allowance allowance;
	struct sender sender;
	struct error err = {0};
	int result;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	signal(SIGPIPE, SIG_IGN);
	/* Ctrl-C is for the process that waits for us, which clears up. */
	signal(SIGINT, SIG_IGN);
	sender_init(&sender, out);
	allowance_begin(&allowance, reading->request.limits->max_memory);
	result = confinement_begin(keep, array_length(keep), &err);
	if (result == 0)
		result = archive_read(&reading->la, reading->source, &reading->request, &sender, &err);
	if (result < 0)
		sender_put(&sender, MESSAGE_ERROR, &err, sizeof(err));
	sender_flush(&sender);
	_exit(0);
}

/*
 * libarchive turns names into the locale's character set, and composes accents on the way, so that two names may
 * become one. To us they are bytes: in the C locale the conversion fails, and then it leaves them as they are.
 */
static int start(struct reading *reading, struct error *err)
{
	locale_t bytes, before;
	pid_t parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make a pipe");
	fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE);
	bytes = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
	before = bytes ? uselocale(bytes) : (locale_t)0;
	fflush(NULL);
	reading->pid = fork();
	if (reading->pid == 0)
		be_reader(reading, ends[1], parent);
	if (bytes) {
		uselocale(before);
		freelocale(bytes);
	}
	close(ends[1]);
	receiver_init(&reading->receiver, ends[0]);
	return reading->pid < 0 ? error_set(err, ERROR_HOST, errno, "cannot start a process") : 0;
}

/* ---- the process that writes ---- */

static int garbled(struct error *err)
{
	return error_set(
		err, ERROR_INTERNAL, 0, "what the process that reads the archive says makes no sense");
}

/* The words of a process that may be the archive's by now. */
static int take_error(const void *data, size_t size, struct error *err)
{
	struct error theirs;
	cleanup_free char *message = NULL;
	cleanup_free char *hint = NULL;

	if (size != sizeof(theirs))
		return garbled(err);
	memcpy(&theirs, data, sizeof(theirs));
	message = text_printable(theirs.message, strnlen(theirs.message, sizeof(theirs.message) - 1));
	hint = text_printable(theirs.hint, strnlen(theirs.hint, sizeof(theirs.hint) - 1));
	error_set(err, theirs.class == ERROR_HOST ? ERROR_HOST : ERROR_IMAGE, 0, "%s", message);
	return *hint ? error_hint(err, "%s", hint) : -1;
}

static int take_data(struct reading *reading, const void *data, size_t size, struct error *err)
{
	uint64_t offset;

	if (!reading->is_open || size < sizeof(offset))
		return garbled(err);
	memcpy(&offset, data, sizeof(offset));
	return unpack_content(&reading->load->unpack, &reading->entry, offset,
		(const char *)data + sizeof(offset), size - sizeof(offset), err);
}

static void take_progress(const struct reading *reading, const void *data)
{
	struct load *load = reading->load;
	uint64_t read;

	memcpy(&read, data, sizeof(read));
	load->progress.read = load->read_before + read;
	load->progress.layer_read = read;
	load_report(load);
}

static int begin_entry(struct reading *reading, const void *data, size_t size, struct error *err)
{
	if (reading->is_open || receiver_entry(&reading->receiver, data, size, &reading->entry, err) < 0)
		return reading->is_open ? garbled(err) : -1;
	reading->is_open = true;
	return unpack_begin(&reading->load->unpack, &reading->entry, err);
}

static int end_entry(struct reading *reading, struct error *err)
{
	if (!reading->is_open)
		return garbled(err);
	reading->is_open = false;
	if (unpack_end(&reading->load->unpack, &reading->entry, err) < 0)
		return -1;
	load_report(reading->load);
	return 0;
}

static int take_loss(const struct reading *reading, const void *data, size_t size)
{
	cleanup_free char *text = xstrndup(data, size);

	unpack_lose(&reading->load->unpack, LOSS_READER, text);
	return 0;
}

static int take_done(struct reading *reading, const void *data, size_t size, struct error *err)
{
	if (reading->is_open || size != sizeof(reading->done))
		return garbled(err);
	memcpy(&reading->done, data, size);
	reading->is_done = true;
	reading->done.hex[DIGEST_LENGTH] = reading->done.diff_id[DIGEST_LENGTH] = '\0';
	if ((!reading->source->is_hashed && !digest_is_hex(reading->done.hex)) ||
		(reading->request.is_layer && !digest_is_hex(reading->done.diff_id)))
		return garbled(err);
	return 0;
}

static int take_message(
	struct reading *reading, const struct message_header *header, const void *data, struct error *err)
{
	switch (header->kind) {
	case MESSAGE_ENTRY:
		return begin_entry(reading, data, header->size, err);
	case MESSAGE_DATA:
		return take_data(reading, data, header->size, err);
	case MESSAGE_END:
		return end_entry(reading, err);
	case MESSAGE_LOSS:
		return take_loss(reading, data, header->size);
	case MESSAGE_PROGRESS:
		if (header->size != sizeof(uint64_t))
			return garbled(err);
		take_progress(reading, data);
		return 0;
	case MESSAGE_DONE:
		return take_done(reading, data, header->size, err);
	case MESSAGE_ERROR:
		return take_error(data, header->size, err);
	default:
		return garbled(err);
	}
}

/* It has ended without a last word. */
static int explain_end(struct reading *reading, struct error *err)
{
	int status = 0;

	while (waitpid(reading->pid, &status, 0) < 0 && errno == EINTR)
		;
	reading->pid = 0;
	if (WIFSIGNALED(status))
		return error_set(err, ERROR_IMAGE, 0,
			"the process that reads the archive was killed by signal %d, %s", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	/* What xcalloc and its like do. */
	error_set(err, ERROR_IMAGE, 0, "the process that reads the archive ran out of memory");
	return error_hint(err, "if the archive can be trusted: --max-memory");
}

static int follow(struct reading *reading, struct error *err)
{
	while (!reading->is_done) {
		struct message_header header;
		const void *data;
		int result = receiver_next(&reading->receiver, &header, &data, err);

		if (result == 0)
			return explain_end(reading, err);
		if (result < 0 || take_message(reading, &header, data, err) < 0)
			return -1;
	}
	return 0;
}

static void stop(struct reading *reading)
{
	if (reading->pid > 0) {
		kill(reading->pid, SIGKILL);
		while (waitpid(reading->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (reading->receiver.buffer)
		close(reading->receiver.fd);
	receiver_free(&reading->receiver);
}

/* A zip is sought in, so it must be a file, and its digest comes before the rest. */
static int prepare_zip(struct reading *reading, struct error *err)
{
	struct source *source = reading->source;
	struct stat st;
	int result = 0;

	if (fstat(source->fd, &st) < 0)
		return error_set(err, ERROR_IMAGE, errno, "cannot read it");
	if (!S_ISREG(st.st_mode))
		result = source_spool(source, reading->load, err);
	else if (!source->is_hashed)
		result = source_hash_first(source, reading->load, err);
	reading->load->progress.read = source->size;
	return result;
}

static int prepare(struct reading *reading, struct error *err)
{
	struct archive_request *request = &reading->request;
	int kind = source_kind(reading->source, err);

	if (kind < 0)
		return -1;
	if (kind == SOURCE_ZIP && request->is_layer)
		return error_set(err, ERROR_IMAGE, 0, "it is a zip archive, and a layer must be a tar");
	request->is_zip = kind == SOURCE_ZIP;
	request->is_gzip = kind == SOURCE_GZIP;
	return request->is_zip ? prepare_zip(reading, err) : 0;
}

/* What the other process found out, for who asked us. */
static void take_over(const struct reading *reading, char *diff_id)
{
	struct source *source = reading->source;

	source->read = reading->done.read;
	source->at_end = true;
	if (!source->is_hashed)
		memcpy(source->hex, reading->done.hex, sizeof(source->hex));
	if (!diff_id)
		return;
	memcpy(diff_id, reading->done.diff_id, sizeof(reading->done.diff_id));
	reading->load->read_before += reading->done.read;
	reading->load->plain_before += reading->done.plain;
}

int archive_unpack(struct load *load, struct source *source, char *diff_id, struct error *err)
{
	struct reading reading = {
		.load = load,
		.source = source,
		.request = {.limits = load->limits,
			.is_layer = diff_id != NULL,
			.read_before = load->read_before,
			.plain_before = load->plain_before},
		.receiver.fd = -1,
	};
	int result = libarchive_load(&reading.la, err);

	if (result == 0)
		result = prepare(&reading, err);
	if (result == 0)
		result = start(&reading, err);
	if (result == 0)
		result = follow(&reading, err);
	stop(&reading);
	libarchive_unload(&reading.la);
	if (result == 0)
		take_over(&reading, diff_id);
	return result;
}
