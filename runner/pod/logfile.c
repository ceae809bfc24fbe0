/* The log of one run of a container, in CRI's format. See logfile.h. */
#include "runner/pod/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"

#define HEAD_MAX 64 /* bytes of TIME STREAM TAG */

static char *name_of(unsigned int run, int age)
{
	return age ? xasprintf("%u.log.%d", run, age) : xasprintf("%u.log", run);
}

static void remove_run(int folder, unsigned int run)
{
	for (int age = 0; age < LOG_FILES; age++) {
		cleanup_free char *name = name_of(run, age);

		unlinkat(folder, name, 0);
	}
}

static int create(const struct logfile *log)
{
	cleanup_free char *name = name_of(log->run, 0);

	return openat(
		log->folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0640);
}

int logfile_open(struct logfile *log, int dirfd, const char *container, unsigned int run, struct error *err)
{
	*log = (struct logfile){.folder = -1, .fd = -1, .run = run};
	if (mkdirat(dirfd, container, 0700) < 0 && errno != EEXIST)
		return error_set(
			err, ERROR_HOST, errno, "cannot make the folder of the logs of %s", container);
	log->folder = openat(dirfd, container, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (log->folder >= 0)
		log->fd = create(log);
	if (log->fd < 0) {
		error_set(err, ERROR_HOST, errno, "cannot make the log of %s", container);
		logfile_close(log);
		return -1;
	}
	if (run > 1)
		remove_run(log->folder, run - 2);
	return 0;
}

void logfile_close(struct logfile *log)
{
	cleanup_fd_fn(&log->folder);
	cleanup_fd_fn(&log->fd);
	log->folder = log->fd = -1;
}

static void rotate(struct logfile *log)
{
	for (int age = LOG_FILES - 2; age >= 0; age--) {
		cleanup_free char *from = name_of(log->run, age);
		cleanup_free char *to = name_of(log->run, age + 1);

		renameat(log->folder, from, log->folder, to);
	}
	close(log->fd);
	log->fd = create(log);
	log->size = 0;
}

/* What does not fit on the disk is lost; the container isn't stopped for it, as with containerd. */
static void put(struct logfile *log, const char *data, size_t size)
{
	if (log->size > 0 && log->size + (off_t)size > LOG_LIMIT)
		rotate(log);
	if (log->fd >= 0 && fd_write_all(log->fd, data, size) == 0)
		log->size += (off_t)size;
}

/* What stands before each piece. One time for all that came with one read, as conmon has it. */
static size_t make_head(char *buffer, int stream)
{
	size_t n = text_now(buffer, HEAD_MAX, 9);

	return n + (size_t)snprintf(buffer + n, HEAD_MAX - n, " %s F ", stream == 1 ? "stdout" : "stderr");
}

/* At most that many lines and pieces are written. */
static size_t count_lines(const char *text, size_t size)
{
	size_t n = size / LOG_PIECES + 2;

	for (const char *p = text; (p = memchr(p, '\n', size - (size_t)(p - text))); p++)
		n++;
	return n;
}

size_t logfile_write(struct logfile *log, int stream, const char *text, size_t size, bool end)
{
	char head[HEAD_MAX];
	size_t stamp = make_head(head, stream);
	size_t taken = 0, used = 0;
	cleanup_free char *out = xcalloc(size + count_lines(text, size) * (HEAD_MAX + 1), 1);

	while (taken < size) {
		const char *from = text + taken;
		size_t left = size - taken;
		const char *newline = memchr(from, '\n', left);
		size_t n = newline ? (size_t)(newline - from) : left;
		bool whole = newline != NULL;

		if (n > LOG_PIECES) {
			n = LOG_PIECES;
			whole = false;
		}
		if (!whole && n < LOG_PIECES && !end)
			break;
		memcpy(out + used, head, stamp);
		used += stamp;
		out[used - 2] = whole ? 'F' : 'P';
		memcpy(out + used, from, n);
		used += n;
		out[used++] = '\n';
		taken += n + whole;
	}
	if (used)
		put(log, out, used);
	return taken;
}
