/*
 * Paths inside a root that we don't trust (law R4).
 *
 * Images and volumes are hostile: a component of a path may be a symbolic link to /etc, or become one between
 * two calls. So every path inside a rootfs or a volume is resolved here, by openat2(2) with RESOLVE_IN_ROOT
 * (absolute links and ".." stay below the root) and RESOLVE_NO_MAGICLINKS (no way out through /proc/self/fd),
 * and what follows works on the descriptor, never on the path again.
 *
 * The kernel answers EAGAIN when a rename races with its walk; it is tried again up to 128 times.
 *
 * All functions: rootfd is an O_PATH or read descriptor of the root; path may be absolute or relative and means
 * the same; what is returned is a close-on-exec descriptor that the caller owns, or a negative number with
 * errno in err->errnum. Messages name the path inside the root. Errors are of class ERROR_IMAGE; a caller that
 * knows better sets err->class.
 */
#ifndef BASE_INROOT_H
#define BASE_INROOT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* Opens an existing file. flags as open(2) (O_PATH, O_RDONLY, ...; O_CREAT is refused). */
int inroot_open(int rootfd, const char *path, int flags, struct error *err);

/*
 * As inroot_open, but follows no symbolic link anywhere and crosses no mount: for trees of our own that
 * nothing may redirect, such as a private procfs.
 */
int inroot_open_strict(int rootfd, const char *path, int flags, struct error *err);

/*
 * Opens the folder at path, making what is missing of it with mode (exact, whatever the umask). Existing
 * components may be symbolic links (they stay in the root); a component that exists and is no folder is an
 * error. Returns an O_PATH descriptor.
 */
int inroot_mkdirs(int rootfd, const char *path, mode_t mode, struct error *err);

/*
 * Opens the file at path, making an empty regular one (and its parents, 0755) if there is none; for mount
 * points. A dangling link (Debian's /etc/resolv.conf is one) is followed in the root: the file is made where it leads.
 * Returns an O_PATH descriptor.
 */
int inroot_touch(int rootfd, const char *path, mode_t mode, struct error *err);

/*
 * Splits path into the folder that holds it (made with 0755 if make is set), returned as a descriptor, and its
 * last name, a pointer into path. The last name is never "", "." or "..": that is an error (EINVAL).
 */
int inroot_parent(int rootfd, const char *path, bool make, const char **name, struct error *err);

/* Removes name below dirfd, with all that is in it; crosses no mount and follows no link. ENOENT is no error. */
int inroot_remove_tree(int dirfd, const char *name, struct error *err);

#endif
