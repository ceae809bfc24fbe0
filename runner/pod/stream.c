/* One output stream of a container: from a pipe or a terminal, by lines, to the report or a log. */
#include "runner/pod/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"

#define TERMINAL_READ 4096 /* bytes; the kernel gives no more at once */
#define TERMINAL_REST ((size_t)1024 * 1024) /* more than a terminal holds */

static void pass_on(struct stream *stream, const char *text, size_t size, bool partial)
{
	if (stream->hidden)
		return;
	/* A terminal makes \r\n of \n; our reader's end of line is \n. */
	if (stream->terminal && !partial && size && text[size - 1] == '\r')
		size--;
	report_output(stream->report, stream->container, stream->index, stream->number, text, size, partial);
}

static void keep_tail(const struct stream *stream, const char *text, size_t size)
{
	size_t had = strnlen(stream->tail, STREAM_TAIL);

	if (size > STREAM_TAIL) {
		text += size - STREAM_TAIL;
		size = STREAM_TAIL;
	}
	if (had + size > STREAM_TAIL) {
		size_t gone = had + size - STREAM_TAIL;

		memmove(stream->tail, stream->tail + gone, had - gone);
		had -= gone;
	}
	/* A byte 0 has no place in a message. */
	for (size_t i = 0; i < size; i++) {
		stream->tail[had + i] = text[i];
		if (!text[i])
			stream->tail[had + i] = ' ';
	}
	stream->tail[had + size] = '\0';
}

static void log_lines(struct stream *stream, bool end)
{
	size_t taken = logfile_write(stream->log, stream->number, stream->buffer, stream->used, end);

	stream->used -= taken;
	memmove(stream->buffer, stream->buffer + taken, stream->used);
}

/* A line, or what there is of it by now. Returns what is left: less than a piece. */
static size_t pass_on_pieces(struct stream *stream, const char *text, size_t size)
{
	for (; size >= STREAM_PIECE; text += STREAM_PIECE, size -= STREAM_PIECE)
		pass_on(stream, text, STREAM_PIECE, true);
	return size;
}

static void pass_on_lines(struct stream *stream)
{
	char *from = stream->buffer;
	char *end = stream->buffer + stream->used;
	char *newline;

	while ((newline = memchr(from, '\n', (size_t)(end - from)))) {
		size_t left = pass_on_pieces(stream, from, (size_t)(newline - from));

		pass_on(stream, newline - left, left, false);
		from = newline + 1;
	}
	stream->used = pass_on_pieces(stream, from, (size_t)(end - from));
	memmove(stream->buffer, end - stream->used, stream->used);
}

/* Reads once. Returns how many bytes, 0 if nothing is there now, -1 at the end. */
static ssize_t take(struct stream *stream)
{
	ssize_t n = read(stream->watch.fd, stream->buffer + stream->used, STREAM_BUFFER - stream->used);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	if (stream->passed)
		stream->passed(stream->data, stream->number, stream->buffer + stream->used, (size_t)n);
	if (stream->tail)
		keep_tail(stream, stream->buffer + stream->used, (size_t)n);
	stream->used += (size_t)n;
	if (stream->log)
		log_lines(stream, false);
	else
		pass_on_lines(stream);
	return n;
}

static void close_stream(struct stream *stream)
{
	if (stream->used && stream->log)
		log_lines(stream, true);
	else if (stream->used)
		pass_on(stream, stream->buffer, stream->used, false);
	loop_remove(stream->loop, &stream->watch);
	free(stream->buffer);
	stream->buffer = NULL;
	stream->used = 0;
}

static void on_ready(struct watch *watch, void *data)
{
	struct stream *stream = data;

	(void)watch;
	/* The program ran before the notice of that was read: it is ready as well, and comes next. */
	if (!stream->wanted(stream->data))
		return;
	if (take(stream) >= 0)
		return;
	close_stream(stream);
	stream->ended(stream->data);
}

static int watch_fd(struct stream *stream, int fd, struct error *err)
{
	/* The program's end stays blocking: what it writes waits, as on any pipe. */
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	stream->held = false;
	if (loop_add(stream->loop, &stream->watch, fd, on_ready, stream, err) < 0) {
		close(fd);
		return -1;
	}
	stream->buffer = xcalloc(STREAM_BUFFER, 1);
	stream->used = 0;
	return 0;
}

int stream_adopt(struct stream *stream, int terminal, struct error *err)
{
	stream->terminal = true;
	return watch_fd(stream, terminal, err);
}

void stream_hold(struct stream *stream, bool hold)
{
	if (!stream_is_open(stream) || stream->held == hold)
		return;
	stream->held = hold;
	if (hold)
		loop_pause(stream->loop, &stream->watch);
	else
		loop_change(stream->loop, &stream->watch, true, false);
}

int stream_open(struct stream *stream, int *write_end, struct error *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make a pipe");
	if (watch_fd(stream, fds[0], err) < 0) {
		close(fds[1]);
		return -1;
	}
	*write_end = fds[1];
	return 0;
}

void stream_finish(struct stream *stream)
{
	int left = 0;

	if (!stream_is_open(stream))
		return;
	/* It can't tell how much it holds. */
	for (size_t n = 0; stream->terminal && n < TERMINAL_REST && take(stream) > 0; n += TERMINAL_READ)
		;
	/* No more than is there now: what outlives the program may write faster than we read. */
	if (!stream->terminal)
		ioctl(stream->watch.fd, FIONREAD, &left);
	while (left > 0) {
		ssize_t n = take(stream);

		if (n <= 0)
			break;
		left -= (int)n;
	}
	close_stream(stream);
}

bool stream_is_open(const struct stream *stream)
{
	return stream->watch.fd >= 0;
}
