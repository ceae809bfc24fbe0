/* Within the wing: one thing to write, as an archive or a folder gives it. */
#ifndef IMAGES_ENTRY_H
#define IMAGES_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/error.h"

struct xattr {
	const char *name;
	const void *value;
	size_t size;
};

struct entry {
	const char *path; /* as the source has it */
	const char *hard_link; /* the path it is another name of, or NULL */
	const char *target; /* of a symbolic link */
	mode_t mode; /* with the kind, S_IFMT */
	int64_t uid, gid;
	uint64_t size; /* of a regular file; of a hard link: of the content that comes with it */
	dev_t device;
	struct timespec mtime; /* tv_nsec may be UTIME_OMIT */
	const struct xattr *xattrs;
	size_t n_xattrs;
};

/*
 * Fills err with "entry PATH: message" (made printable and short enough) and class. For errno values that are the
 * machine's doing (no space, input/output error, ...) the class becomes ERROR_HOST. Returns -1.
 */
int entry_error(const struct entry *entry, struct error *err, int errnum, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Puts "entry PATH" before an error that is there already. Returns -1. */
int entry_wrap(const struct entry *entry, struct error *err);

#endif
