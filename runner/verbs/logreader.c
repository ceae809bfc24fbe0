/* Reading the log of a run. See logreader.h. */
#include "runner/verbs/logreader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/pod/logfile.h"

#define PIECE       ((size_t)256 * 1024)
#define RENAMINGS   50 /* looks while files are being renamed */
#define RENAMING_NS 1000000 /* between two */
#define STAMP_WIDTH 30 /* "2026-11-24T12:00:00.000000000Z" */

/* An entry: its time, its tag and its text. */
struct entry {
	const char *stamp;
	bool whole; /* F */
	const char *text;
	size_t size;
};

static char *name_of(const struct logreader *reader, int age)
{
	return age ? xasprintf("%u.log.%d", reader->run, age) : xasprintf("%u.log", reader->run);
}

static int open_file(const struct logreader *reader, int age)
{
	cleanup_free char *name = name_of(reader, age);

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
	if (reader->prefix && first)
		fputs(reader->prefix, out);
	if (reader->timestamps && first)
		fprintf(out, "%.*s ", STAMP_WIDTH, entry->stamp);
	fwrite_unlocked(entry->text, 1, entry->size, out);
	if (entry->whole)
		putc_unlocked('\n', out);
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

/* Whether the file of that age is the one that is open. */
static bool is_ours(const struct logreader *reader, int age)
{
	cleanup_free char *name = name_of(reader, age);
	struct stat ours, there;

	return fstat(reader->fd, &ours) == 0 &&
	       fstatat(reader->folder, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       there.st_ino == ours.st_ino && there.st_dev == ours.st_dev;
}

/* How old the file that is open is by now; -1: there is none such. */
static int age_of_ours(const struct logreader *reader)
{
	for (int age = 0; age < LOG_FILES; age++)
		if (is_ours(reader, age))
			return age;
	return -1;
}

/*
 * Opens the file after the one that is open. Returns it, -1 if ours is the newest, -2 if ours is not to be found, and -3 if the
 * files were just being renamed. That goes from the oldest to the newest: as long as ours has its name, so has the next.
 */
static int open_next(struct logreader *reader)
{
	int age = age_of_ours(reader);
	int next;

	if (age <= 0)
		return age < 0 ? -2 : -1;
	next = open_file(reader, age - 1);
	if (next >= 0 && is_ours(reader, age)) {
		reader->age = age - 1;
		return next;
	}
	if (next >= 0)
		close(next);
	return -3;
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

/* To the end of the file as it is now. Returns how many lines. */
static size_t read_file(struct logreader *reader, FILE *out)
{
	size_t lines = 0;

	while (fill(reader))
		lines += consume(reader, out);
	return lines;
}

/* At the end of a file: the next newer one, if there is one. *lines counts what was still to be read of this one. */
static bool go_on(struct logreader *reader, FILE *out, size_t *lines)
{
	const struct timespec pause = {.tv_nsec = RENAMING_NS};
	int next = -1;

	for (int i = 0; i < RENAMINGS && (next = open_next(reader)) < -1; i++)
		nanosleep(&pause, NULL);
	if (next == -1)
		return false;
	/* Something may have been written since its end was reached; now that there is a next one nothing will be. */
	*lines += read_file(reader, out);
	close(reader->fd);
	reader->fd = next;
	if (next < 0) {
		bool newest = reader->age == 0;

		/* It has been rotated away, and perhaps more than that; or all of it is gone, with the pod, and has been read. */
		open_oldest(reader);
		if (reader->fd < 0 && newest)
			return false;
		reader->gaps++;
		reader->middle = false;
		reader->used = 0;
	}
	return reader->fd >= 0;
}

static size_t count_lines(struct logreader *reader)
{
	size_t lines = 0;

	do
		lines += read_file(reader, NULL);
	while (go_on(reader, NULL, &lines));
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
	size_t lines = 0;

	if (reader->fd < 0)
		return false;
	do
		lines += read_file(reader, out);
	while (go_on(reader, out, &lines));
	return lines > 0;
}
