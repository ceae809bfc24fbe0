/* Sending files and folders. See parcel.h. */
#include "runner/pod/parcel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/inroot.h"
#include "base/memory.h"
#include "base/text.h"

#define PIECE 65536
#define ENDLESS \
	(64 << 20) /* bytes of a file that doesn't say its size: more than any of procfs that has an end */
#define OPEN_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

struct sender {
	int out;
	const struct parcel_source *source;
	unsigned int *left_out;
	struct error *err;
	struct parcel parcel; /* its name is where we are */
	char piece[PIECE];
};

static int warn(struct sender *sender, const char *why)
{
	cleanup_free char *text = xasprintf("%s: %s", *sender->parcel.name ? sender->parcel.name : ".", why);

	++*sender->left_out;
	if (sender->source->warn) {
		sender->source->warn(sender->source->data, text);
		return 0;
	}
	return parcel_say(sender->out, PARCEL_WARNING, text, sender->err);
}

/* As with kubectl and tar what is no file is no failure. */
static int skip(struct sender *sender, const char *why)
{
	int result = warn(sender, why);

	--*sender->left_out;
	return result;
}

static int warn_errno(struct sender *sender, int errnum)
{
	cleanup_free char *why = text_errno(errnum);

	return warn(sender, why);
}

static int put(struct sender *sender, enum parcel_kind kind, const struct stat *st)
{
	sender->parcel.kind = kind;
	sender->parcel.mode = st->st_mode & 07777;
	sender->parcel.time = st->st_mtim;
	return parcel_put(sender->out, &sender->parcel, sender->err);
}

static int send_piece(struct sender *sender, ssize_t n)
{
	if (parcel_put_size(sender->out, n, sender->err) < 0)
		return -1;
	return fd_write_all(sender->out, sender->piece, (size_t)n) < 0
		       ? error_set(sender->err, ERROR_HOST, errno, "cannot write to the other side")
		       : 0;
}

/* Up to left bytes. Returns -1 when the other side is gone, 1 with errno when it can't be read; *end: no more came. */
static int send_data(struct sender *sender, int fd, off_t left, bool *end)
{
	while (left > 0) {
		ssize_t n = read(fd, sender->piece, left < PIECE ? (size_t)left : PIECE);

		if (n < 0 && errno == EINTR)
			continue;
		*end = n <= 0;
		if (n < 0 && errno != EAGAIN)
			return 1;
		if (n <= 0)
			return 0;
		left -= n;
		if (send_piece(sender, n) < 0)
			return -1;
	}
	return 0;
}

/*
 * One that said 0. Files of procfs and the like do, and have content; an empty one that is being written to says something else by
 * now, and is sent as it was. 1 with EFBIG: it goes on and on.
 */
static int send_unsized(struct sender *sender, int fd)
{
	struct stat now;

	for (off_t sent = 0; sent < ENDLESS;) {
		ssize_t n = read(fd, sender->piece, PIECE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return 1;
		if (n <= 0 || (fstat(fd, &now) == 0 && now.st_size > 0))
			return 0;
		sent += n;
		if (send_piece(sender, n) < 0)
			return -1;
	}
	errno = EFBIG;
	return 1;
}

/* Its data and its holes, up to the size that it had when it was opened: one that grows all the time has an end. */
static int send_content(struct sender *sender, int fd, off_t size)
{
	bool end = false;
	off_t at = 0;
	int result = 0;

	if (size == 0)
		return send_unsized(sender, fd);
	while (at < size && !end && result == 0) {
		off_t data = lseek(fd, at, SEEK_DATA), hole;
		bool last;

		if (data < 0)
			data = errno == ENXIO ? size : at; /* only a hole is left; it doesn't know of holes */
		last = data >= size;
		data = last ? size : data;
		if (data > at && parcel_put_size(sender->out, at - data, sender->err) < 0)
			return -1;
		if (last)
			break;
		hole = lseek(fd, data, SEEK_HOLE);
		hole = hole <= data || hole > size ? size : hole;
		lseek(fd, data, SEEK_SET);
		result = send_data(sender, fd, hole - data, &end);
		at = hole;
	}
	return result;
}

static int send_file(struct sender *sender, int fd, const struct stat *st)
{
	int result;

	if (put(sender, PARCEL_FILE, st) < 0)
		return -1;
	result = send_content(sender, fd, st->st_size);
	if (result > 0) {
		int errnum = errno;

		if (parcel_put_size(sender->out, 0, sender->err) < 0)
			return -1;
		if (errnum == EFBIG)
			return warn(sender, "it says no size and has no end: cut off at 64 MiB");
		return warn_errno(sender, errnum);
	}
	return result < 0 ? -1 : parcel_put_size(sender->out, 0, sender->err);
}

static int send_entry(struct sender *sender, int dirfd, const char *name, unsigned int depth);

/* In the order of their names, so that two copies are the same. */
static int send_folder(struct sender *sender, int fd, const struct stat *st, unsigned int depth)
{
	size_t length = strlen(sender->parcel.name);
	struct dirent **entries = NULL;
	int n, result;

	if (put(sender, PARCEL_FOLDER, st) < 0)
		return -1;
	n = depth < PARCEL_DEPTH ? scandirat(fd, ".", &entries, NULL, alphasort) : -1;
	if (n < 0)
		result = depth < PARCEL_DEPTH ? warn_errno(sender, errno) : warn(sender, "too deep");
	else
		result = 0;
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;

		if (result == 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
			if (length + strlen(name) + 2 > sizeof(sender->parcel.name)) {
				result = warn(sender, "a name in it is too long");
			} else {
				snprintf(sender->parcel.name + length, sizeof(sender->parcel.name) - length,
					"%s%s", length ? "/" : "", name);
				result = send_entry(sender, fd, name, depth + 1);
				sender->parcel.name[length] = '\0';
			}
		}
		free(entries[i]);
	}
	free(entries);
	return result < 0 ? -1 : put(sender, PARCEL_LEAVE, st);
}

static int send_link(struct sender *sender, int dirfd, const char *name, const struct stat *st)
{
	ssize_t n = readlinkat(dirfd, name, sender->parcel.text, sizeof(sender->parcel.text) - 1);
	cleanup_free char *why = NULL;

	if (n < 0)
		return warn_errno(sender, errno);
	sender->parcel.text[n] = '\0';
	if (sender->source->links) {
		int result = put(sender, PARCEL_LINK, st);

		sender->parcel.text[0] = '\0';
		return result;
	}
	why = xasprintf("skipping the symbolic link to %s", sender->parcel.text);
	sender->parcel.text[0] = '\0';
	return skip(sender, why);
}

/* What was found there, by a descriptor that is only good for looking, may be something else by now; it mustn't wait for it. */
static int send_opened(struct sender *sender, int fd, unsigned int depth)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return warn_errno(sender, errno);
	if (S_ISDIR(st.st_mode))
		return send_folder(sender, fd, &st, depth);
	if (S_ISREG(st.st_mode))
		return send_file(sender, fd, &st);
	return skip(sender, "skipping what is neither a file nor a folder");
}

static int send_entry(struct sender *sender, int dirfd, const char *name, unsigned int depth)
{
	cleanup_fd int fd = -1;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return warn_errno(sender, errno);
	if (S_ISLNK(st.st_mode))
		return send_link(sender, dirfd, name, &st);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return skip(sender, "skipping what is neither a file nor a folder");
	fd = openat(dirfd, name, OPEN_FLAGS | O_NOFOLLOW);
	return fd < 0 ? warn_errno(sender, errno) : send_opened(sender, fd, depth);
}

static int open_source(const struct parcel_source *source, int flags, struct error *err)
{
	int fd;

	if (source->root >= 0)
		return inroot_open(source->root, source->path, flags, err);
	fd = open(source->path, flags | O_CLOEXEC);
	return fd < 0 ? error_set(err, ERROR_HOST, errno, "%s", source->path) : fd;
}

static int send_top(struct sender *sender)
{
	const struct parcel_source *source = sender->source;
	cleanup_fd int looked = open_source(source, O_PATH, sender->err), fd = -1;
	struct stat st;

	if (looked < 0)
		return -1;
	if (fstat(looked, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return error_set(
			sender->err, ERROR_HOST, 0, "%s is neither a file nor a folder", source->path);
	fd = open_source(source, OPEN_FLAGS, sender->err);
	return fd < 0 ? -1 : send_opened(sender, fd, 0);
}

int parcel_send(int fd, const struct parcel_source *source, unsigned int *left_out, struct error *err)
{
	struct sender *sender = xcalloc(1, sizeof(*sender));
	int result;

	*left_out = 0;
	sender->out = fd;
	sender->source = source;
	sender->left_out = left_out;
	sender->err = err;
	result = send_top(sender);
	free(sender);
	return result;
}
