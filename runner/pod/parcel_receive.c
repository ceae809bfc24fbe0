/* Receiving files and folders. See parcel.h. */
#include "runner/pod/parcel.h"

#include <errno.h>
#include <fcntl.h>
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

/* A folder that has been entered and not left. */
struct entered {
	char *name;
	bool made; /* by us: then its mode and time are what was sent */
};

struct receiver {
	int in;
	const struct parcel_place *place;
	char *top; /* path of what is received */
	bool follow_top; /* the user named it, so it may be a symbolic link */
	int root; /* the folder at top; what is below is opened from it if strict */
	int slash; /* "/", for what isn't strict */
	struct entered entered[PARCEL_DEPTH + 2];
	size_t depth;
	struct parcel parcel;
	char piece[PIECE];
	struct error *err;
};

static int fail(struct receiver *receiver, int errnum)
{
	cleanup_free char *shown = text_printable(receiver->parcel.name, strlen(receiver->parcel.name));

	return error_set(receiver->err, ERROR_HOST, errnum, "cannot write %s%s%s", receiver->top,
		*shown ? "/" : "", shown);
}

/* A relative name of at least one part, none of them ".", ".." or empty. */
static bool is_inside(const char *name)
{
	for (;;) {
		size_t n = strcspn(name, "/");

		if (n == 0 || n > NAME_MAX || (n <= 2 && !strncmp(name, "..", n)))
			return false;
		if (!name[n])
			return true;
		name += n + 1;
	}
}

/* The folder that the record's entry is in, and its own name there. */
static int open_parent(struct receiver *receiver, const char **last)
{
	const char *name = receiver->parcel.name, *slash = strrchr(name, '/');
	cleanup_free char *folder = xstrndup(name, slash ? (size_t)(slash - name) : 0);
	cleanup_free char *path = NULL;

	*last = slash ? slash + 1 : name;
	if (receiver->place->strict)
		return inroot_open_strict(
			receiver->root, *folder ? folder : ".", O_PATH | O_DIRECTORY, receiver->err);
	path = xasprintf("%s/%s", receiver->top, folder);
	return inroot_open(receiver->slash, path, O_PATH | O_DIRECTORY, receiver->err);
}

static int enter(struct receiver *receiver, bool made)
{
	if (receiver->depth == array_length(receiver->entered))
		return fail(receiver, ELOOP);
	receiver->entered[receiver->depth++] = (struct entered){xstrdup(receiver->parcel.name), made};
	return 0;
}

/* What the user named, with O_CREAT made if it isn't there. Returns -1 with errno. */
static int open_top(struct receiver *receiver, int flags)
{
	const char *last;
	struct error err = {0};
	int fd;

	if (!receiver->follow_top)
		flags |= O_NOFOLLOW;
	if (receiver->place->strict)
		return open(receiver->top, flags | O_CLOEXEC, 0600);
	fd = inroot_open(receiver->slash, receiver->top, flags & ~O_CREAT, &err);
	if (fd < 0 && err.errnum == ENOENT && (flags & O_CREAT)) {
		cleanup_fd int parent = inroot_parent(receiver->slash, receiver->top, false, &last, &err);

		if (parent >= 0)
			return openat(parent, last, flags | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	}
	errno = err.errnum;
	return fd;
}

static int make_top_folder(struct receiver *receiver)
{
	const char *last;
	struct error err = {0};
	cleanup_fd int parent = -1;

	if (receiver->place->strict)
		return mkdir(receiver->top, 0700);
	parent = inroot_parent(receiver->slash, receiver->top, false, &last, &err);
	if (parent >= 0)
		return mkdirat(parent, last, 0700);
	errno = err.errnum;
	return -1;
}

static int open_top_folder(struct receiver *receiver)
{
	const int flags = O_RDONLY | O_DIRECTORY;
	bool made = false;

	receiver->root = open_top(receiver, flags);
	if (receiver->root < 0 && errno == ENOENT) {
		if (make_top_folder(receiver) < 0)
			return fail(receiver, errno);
		made = true;
		receiver->root = open_top(receiver, flags);
	}
	return receiver->root < 0 ? fail(receiver, errno) : enter(receiver, made);
}

static int make_folder(struct receiver *receiver)
{
	const char *last;
	cleanup_fd int parent = -1;
	struct stat st;

	if (!*receiver->parcel.name)
		return open_top_folder(receiver);
	parent = open_parent(receiver, &last);
	if (parent < 0)
		return -1;
	if (mkdirat(parent, last, 0700) == 0)
		return enter(receiver, true);
	if (errno != EEXIST)
		return fail(receiver, errno);
	if (fstatat(parent, last, &st, receiver->place->strict ? AT_SYMLINK_NOFOLLOW : 0) < 0 ||
		!S_ISDIR(st.st_mode))
		return fail(receiver, ENOTDIR);
	return enter(receiver, false);
}

static int open_folder(struct receiver *receiver)
{
	const char *last;
	cleanup_fd int parent = -1;

	if (!*receiver->parcel.name)
		return dup(receiver->root);
	parent = open_parent(receiver, &last);
	return parent < 0 ? -1 : openat(parent, last, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Mode and time of what was received; best effort for the time. */
static int dress(struct receiver *receiver, int fd, const struct parcel *parcel)
{
	const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, parcel->time};

	if (fchmod(fd, parcel->mode & receiver->place->mode) < 0)
		return fail(receiver, errno);
	futimens(fd, times);
	return 0;
}

static int leave_folder(struct receiver *receiver)
{
	struct entered *entered = receiver->depth ? &receiver->entered[receiver->depth - 1] : NULL;
	cleanup_fd int fd = -1;
	bool made;

	if (!entered || strcmp(entered->name, receiver->parcel.name) != 0)
		return error_set(receiver->err, ERROR_INTERNAL, 0, "the other side left a folder twice");
	receiver->depth--;
	made = entered->made;
	free(entered->name);
	if (!made)
		return 0;
	fd = open_folder(receiver);
	return fd < 0 ? fail(receiver, errno) : dress(receiver, fd, &receiver->parcel);
}

static int make_link(struct receiver *receiver)
{
	const char *last;
	cleanup_fd int parent = open_parent(receiver, &last);

	if (parent < 0)
		return -1;
	if (symlinkat(receiver->parcel.text, parent, last) == 0)
		return 0;
	if (errno == EEXIST && unlinkat(parent, last, 0) == 0 &&
		symlinkat(receiver->parcel.text, parent, last) == 0)
		return 0;
	return fail(receiver, errno);
}

/*
 * A file that is there keeps its place, as with cp; what can't be opened so in a container, because it is a symbolic link or a
 * running program, gives way, as with tar. It mustn't wait for the other end of a fifo.
 */
static int open_file(struct receiver *receiver)
{
	const int flags = O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	const char *last;
	cleanup_fd int parent = -1;
	int fd;

	if (!*receiver->parcel.name)
		return open_top(receiver, flags);
	parent = open_parent(receiver, &last);
	if (parent < 0)
		return -1;
	fd = openat(parent, last, flags | O_NOFOLLOW, 0600);
	if (fd < 0 && !receiver->place->strict && (errno == ELOOP || errno == ETXTBSY) &&
		unlinkat(parent, last, 0) == 0)
		fd = openat(parent, last, flags | O_NOFOLLOW | O_EXCL, 0600);
	return fd;
}

static int write_zeros(struct receiver *receiver, int fd, bool regular, int64_t size)
{
	if (regular)
		return lseek(fd, size, SEEK_CUR) < 0 ? fail(receiver, errno) : 0;
	memset(receiver->piece, 0, sizeof(receiver->piece));
	for (size_t n; size > 0; size -= (int64_t)n) {
		n = size < PIECE ? (size_t)size : PIECE;
		if (fd_write_all(fd, receiver->piece, n) < 0)
			return fail(receiver, errno);
	}
	return 0;
}

static int write_content(struct receiver *receiver, int fd, bool regular)
{
	int64_t size;

	for (;;) {
		if (parcel_get_size(receiver->in, &size, receiver->err) < 0)
			return -1;
		if (size == 0)
			break;
		if (size < -(INT64_MAX >> 1) || size > PIECE)
			return error_set(
				receiver->err, ERROR_INTERNAL, 0, "the other side sent what is no piece");
		if (size < 0) {
			if (write_zeros(receiver, fd, regular, -size) < 0)
				return -1;
			continue;
		}
		if (parcel_read(receiver->in, receiver->piece, (size_t)size, receiver->err) <= 0)
			return receiver->err->class ? -1
						    : error_set(receiver->err, ERROR_HOST, 0,
							      "the other side ended in the middle");
		if (fd_write_all(fd, receiver->piece, (size_t)size) < 0)
			return fail(receiver, errno);
	}
	/* A hole may be the last of it. */
	if (regular && ftruncate(fd, lseek(fd, 0, SEEK_CUR)) < 0)
		return fail(receiver, errno);
	return 0;
}

static int make_file(struct receiver *receiver)
{
	cleanup_fd int fd = open_file(receiver);
	struct stat st;
	bool regular;

	if (fd < 0)
		return receiver->err->class ? -1 : fail(receiver, errno);
	if (fstat(fd, &st) < 0)
		return fail(receiver, errno);
	regular = S_ISREG(st.st_mode);
	/* What the user names may be anything; what is in a folder may not. */
	if (!regular && (*receiver->parcel.name || !receiver->follow_top))
		return fail(receiver, EEXIST);
	fcntl(fd, F_SETFL, O_WRONLY);
	if (regular && ftruncate(fd, 0) < 0)
		return fail(receiver, errno);
	if (write_content(receiver, fd, regular) < 0)
		return -1;
	return regular ? dress(receiver, fd, &receiver->parcel) : 0;
}

/* The first record: where it goes. */
static int choose_top(struct receiver *receiver)
{
	const struct parcel_place *place = receiver->place;
	bool is_folder = receiver->parcel.kind == PARCEL_FOLDER;
	cleanup_fd int fd = -1;
	struct stat st;

	if (*receiver->parcel.name || (!is_folder && receiver->parcel.kind != PARCEL_FILE))
		return error_set(receiver->err, ERROR_INTERNAL, 0, "the other side began in the middle");
	receiver->top = xstrdup(place->path);
	receiver->follow_top = true;
	if (!place->base || (is_folder && place->strict))
		return 0;
	fd = open_top(receiver, O_PATH);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	free(receiver->top);
	receiver->top = xasprintf("%s/%s", place->path, place->base);
	receiver->follow_top = false;
	return 0;
}

static int take(struct receiver *receiver)
{
	struct parcel *parcel = &receiver->parcel;

	if (parcel->kind == PARCEL_ERROR)
		return error_set(receiver->err, ERROR_HOST, 0, "%s", parcel->text);
	if (parcel->kind == PARCEL_WARNING) {
		if (!receiver->place->warn)
			return error_set(receiver->err, ERROR_HOST, 0, "%s", parcel->text);
		receiver->place->warn(receiver->place->data, parcel->text);
		return 0;
	}
	if (!receiver->top && choose_top(receiver) < 0)
		return -1;
	if (*parcel->name ? receiver->root < 0 || !is_inside(parcel->name)
			  : parcel->kind == PARCEL_LINK ||
				    (receiver->root >= 0 && parcel->kind != PARCEL_LEAVE))
		return error_set(receiver->err, ERROR_HOST, 0,
			"the other side sent a name that leads out of the copy: %s", parcel->name);
	switch (parcel->kind) {
	case PARCEL_FOLDER:
		return make_folder(receiver);
	case PARCEL_LEAVE:
		return leave_folder(receiver);
	case PARCEL_LINK:
		if (receiver->place->strict)
			return error_set(receiver->err, ERROR_INTERNAL, 0, "the other side sent a link");
		return make_link(receiver);
	case PARCEL_FILE:
		return make_file(receiver);
	case PARCEL_WARNING:
	case PARCEL_ERROR:
	case PARCEL_END:
		break;
	}
	return 0;
}

int parcel_receive(int fd, const struct parcel_place *place, bool *incomplete, struct error *err)
{
	struct receiver *receiver = xcalloc(1, sizeof(*receiver));
	int result;

	receiver->in = fd;
	receiver->place = place;
	receiver->root = -1;
	receiver->err = err;
	receiver->slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	while ((result = parcel_get(fd, &receiver->parcel, err)) > 0 && receiver->parcel.kind != PARCEL_END) {
		result = take(receiver);
		if (result < 0)
			break;
	}
	if (result == 0)
		result = error_set(err, ERROR_HOST, 0, "the other side ended before all was there");
	*incomplete = result > 0 && receiver->parcel.mode != 0;
	while (receiver->depth)
		free(receiver->entered[--receiver->depth].name);
	cleanup_fd_fn(&receiver->root);
	cleanup_fd_fn(&receiver->slash);
	free(receiver->top);
	free(receiver);
	return result < 0 ? -1 : 0;
}
