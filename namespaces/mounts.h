/*
 * Mounts by descriptor: making, cloning, restricting, attaching. Internal to this wing.
 *
 * Theory of operation
 *
 * A mount is made detached (fsopen, fsmount) or cloned detached (open_tree), is attached nowhere while it is set
 * up, and then moved onto a target that is itself a descriptor. So there is no path that could be swapped between
 * a check and the mount (CVE-2021-30465), and an error half-way leaves nothing to undo: what is detached goes
 * with its last descriptor. Man pages of the calls: fsopen(2), fsmount(2), open_tree(2), move_mount(2),
 * mount_setattr(2).
 *
 * What a kernel of 6.1 can't: attach below a mount that is detached itself, or clone one (both since 6.15). So
 * the root is attached first, and the rest to targets in it.
 */
#ifndef NAMESPACES_MOUNTS_H
#define NAMESPACES_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h> /* never together with <linux/mount.h> */

#include "base/error.h"

#define MOUNT_HARMLESS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

struct mount_option {
	const char *key, *value; /* value NULL: a flag */
};

/*
 * A new file system as a detached mount with attributes (MOUNT_ATTR_*). What the file system says about an option
 * it refuses goes into the error.
 */
int mount_new(const char *type, const struct mount_option *options, size_t n, unsigned int attributes,
	struct error *err);

/* A detached clone of what is at path below fd (path "": of what fd is), following no link at the end of path. */
int mount_clone(int fd, const char *path, bool recursive, struct error *err);

/*
 * Opens what fd is once more, in the mount namespace that we are in now, for fd may be from one that we were in before
 * (volumes_private_mounts), and such a one can't be cloned. The path is only a guess: what it leads to has to be the very
 * same file. Returns -1 with errno EINVAL if it isn't.
 */
int mount_reopen(int fd);

/* Adds attributes to a mount, and to all below it if recursive. Taking one away isn't possible: a clone may be locked. */
int mount_restrict(int mount, unsigned int attributes, bool recursive, struct error *err);

/*
 * Attaches a detached mount at name below the descriptor target (name "": onto the descriptor itself; else one name,
 * no link is followed). where is the path in the container, for messages.
 */
int mount_attach(int mount, int target, const char *name, const char *where, struct error *err);

/* The same without a message: 0 or -1 with errno. For targets that may be missing. */
int mount_attach_quietly(int mount, int target, const char *name);

/* The id of the mount that a descriptor is on, 0 with errno where it can't be had; is_root (or NULL): whether it is that mount's root. */
uint64_t mount_id(int fd, bool *is_root);

/*
 * Makes a detached mount the root of this process's mount namespace, and takes the old tree out of it. The namespace
 * must be one that no other process uses. Afterwards the working folder is /.
 */
int mount_become_root(int mount, struct error *err);

#define SHM_SIZE_DEFAULT (64ULL << 20) /* as containerd's */

/* volumes.c: attaches a mount of ours under a name of its own, where the kernel clones none that isn't attached. */
int volumes_hold(int mount, const char *name, struct error *err);

/*
 * volumes.c: in a process that is to make another in a user namespace of its own: takes what volumes_private_mounts attached out
 * of a mount namespace of its own, if there is anything. Returns 0, or -1 with errno. It may share memory with another process.
 */
int volumes_shed_mounts(void);

/* volumes.c: a new /dev/shm as a detached mount. */
int volume_new_shm(uint64_t size, struct error *err);

/*
 * volumes.c: a tmpfs for what isn't to get onto a disk: where the kernel can (6.4, as root of the machine) it is never swapped out.
 * name and the descriptor are those of volume_make_empty_dir.
 */
int volume_make_in_memory(const char *name, const char *mode, struct error *err);

/* Fills err for a mount call that failed with errnum, with a hint of what that errno means there. Returns -1. */
int mount_error(struct error *err, int errnum, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
