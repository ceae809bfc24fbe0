/* Descriptors: whole reads and writes, pidfds, closing everything. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* Writes all of it, through EINTR and short writes. Returns 0, or -1 with errno set. */
int fd_write_all(int fd, const void *data, size_t size);

/*
 * Reads a descriptor to its end into a fresh NUL-terminated buffer of at most max bytes.
 * name is used in messages, class in errors. A larger file is an error that says the limit.
 */
int fd_read_all(int fd, const char *name, size_t max, enum error_class class, char **text, size_t *size,
	struct error *err);

/*
 * Opens a path of the host ("-" is standard input) and reads it whole; see fd_read_all. If it isn't there, the hint is the file
 * beside it that may have been meant.
 */
int file_read(
	const char *path, size_t max, enum error_class class, char **text, size_t *size, struct error *err);

/*
 * Writes a file so that a reader sees the old or the new text, never half of one: a temporary file beside
 * it, then rename. dirfd and name as for openat(2); mode is exact, whatever the umask.
 */
int file_replace(int dirfd, const char *name, mode_t mode, const void *data, size_t size, struct error *err);

/* The same for a path of the host. Refuses to replace what is no file: a folder, a device, a link. */
int file_write(const char *path, mode_t mode, const void *data, size_t size, struct error *err);

/* Whether file_write is likely to succeed: for a complaint before the work, not after it. */
int file_may_write(const char *path, struct error *err);

/* Closes every descriptor but those in keep (negative ones count for nothing). Returns 0 or -1 with errno. */
int fd_close_others(const int *keep, size_t n);

/* Opens /proc/self/fd-style text of a descriptor's path into buffer, for messages only. Never for access. */
const char *fd_path(int fd, char *buffer, size_t size);

#endif
