/* Reading the log of a run. See logreader.h. */
#include "runner/logreader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/logfile.h"

#define PIECE       ((size_t)256 * 1024)
#define STAMP_WIDTH 30 /* "2026-11-24T12:00:00.000000000Z" */

/* An entry: its time, its tag and its text. */
struct entry {
	const char *stamp;
	bool whole; /* F */
	const char *text;
	size_t size;
};

static int open_file(const struct logreader *reader, int age)
{
	cleanup_free char *name =
		age ? xasprintf("%u.log.%d", reader->run, age) : xasprintf("%u.log", reader->run);

	return openat(reader->folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

static void open_oldest(struct logreader *reader)
{
	for (reader->age = LOG_FILES - 1; reader->age >= 0; reader->age--) {
		reader->fd = open_file(reader, reader->age);
		if (reader->fd >= 0)
			return;
	}
	reader->age = 0;
}

static bool parse(const char *line, size_t size, struct entry *entry)
{
	const char *stream = memchr(line, ' ', size);
	const char *tag = stream ? memchr(stream + 1, ' ', size - (size_t)(stream + 1 - line)) : NULL;

	if (!tag || (size_t)(tag - line) + 3 > size || tag[2] != ' ' || stream - line != STAMP_WIDTH)
		return false;
	*entry = (struct entry){line, tag[1] == 'F', tag + 3, size - (size_t)(tag + 3 - line)};
	return true;
}

static void show(struct logreader *reader, const struct entry *entry, FILE *out)
{
	bool first = !reader->middle;

	reader->middle = !entry->whole;
	if (reader->skip > 0) {
		reader->skip -= entry->whole;
		return;
	}
	if (reader->since && strncmp(entry->stamp, reader->since, STAMP_WIDTH) < 0)
		return;
	if (reader->timestamps && first)
		fprintf(out, "%.*s ", STAMP_WIDTH, entry->stamp);
	fwrite(entry->text, 1, entry->size, out);
	if (entry->whole)
		fputc('\n', out);
}

/* Hands on the whole entries of the buffer; NULL counts the lines instead. */
static size_t consume(struct logreader *reader, FILE *out)
{
	const char *from = reader->buffer;
	const char *end = reader->buffer + reader->used;
	const char *newline;
	size_t lines = 0;

	while ((newline = memchr(from, '\n', (size_t)(end - from)))) {
		struct entry entry;

		if (parse(from, (size_t)(newline - from), &entry)) {
			lines += entry.whole;
			if (out)
				show(reader, &entry, out);
		}
		from = newline + 1;
	}
	reader->used = (size_t)(end - from);
	memmove(reader->buffer, from, reader->used);
	return lines;
}

/* At the end of a file: the next newer one. Of the newest, whether it has been rotated away. */
static bool go_on(struct logreader *reader)
{
	struct stat ours, there;
	int next;

	if (reader->age > 0) {
		next = open_file(reader, reader->age - 1);
		if (next < 0)
			return false;
		reader->age--;
	} else {
		next = open_file(reader, 0);
		if (next < 0)
			return false;
		if (fstat(next, &there) < 0 || fstat(reader->fd, &ours) < 0 ||
			(there.st_ino == ours.st_ino && there.st_dev == ours.st_dev)) {
			close(next);
			return false;
		}
	}
	close(reader->fd);
	reader->fd = next;
	return true;
}

/* Reads once. Returns false at the end of what there is. */
static bool fill(struct logreader *reader)
{
	ssize_t n;

	if (reader->fd < 0)
		return false;
	n = read(reader->fd, reader->buffer + reader->used, PIECE - reader->used);
	if (n <= 0)
		return false;
	reader->used += (size_t)n;
	return true;
}

static size_t count_lines(struct logreader *reader)
{
	size_t lines = 0;

	do {
		while (fill(reader))
			lines += consume(reader, NULL);
	} while (reader->age > 0 && go_on(reader));
	reader->used = 0;
	close(reader->fd);
	open_oldest(reader);
	return lines;
}

int logreader_open(struct logreader *reader, int folder, unsigned int run, int64_t tail, struct error *err)
{
	*reader = (struct logreader){.folder = folder, .run = run, .fd = -1};
	open_oldest(reader);
	if (reader->fd < 0)
		return error_set(err, ERROR_HOST, errno, "cannot open the log");
	reader->buffer = xcalloc(PIECE, 1);
	if (tail >= 0) {
		size_t lines = count_lines(reader);

		reader->skip = lines > (size_t)tail ? (int64_t)lines - tail : 0;
	}
	return 0;
}

void logreader_close(struct logreader *reader)
{
	cleanup_fd_fn(&reader->fd);
	cleanup_fd_fn(&reader->folder);
	free(reader->buffer);
	*reader = (struct logreader){.folder = -1, .fd = -1};
}

bool logreader_print(struct logreader *reader, FILE *out)
{
	bool any = false;

	do {
		while (fill(reader)) {
			consume(reader, out);
			any = true;
		}
	} while (reader->fd >= 0 && go_on(reader));
	return any;
}
