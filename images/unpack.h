/*
 * Within the wing: writing entries into a rootfs.
 *
 * The source is hostile, the rootfs in the making is ours alone (it lies in a workspace). Each entry's path is
 * cleaned, its folder resolved in the root (parents.h), and the entry made in that folder by one call that follows no
 * link: mkdirat, openat(O_CREAT|O_EXCL|O_NOFOLLOW), symlinkat, linkat, mknodat. A later entry replaces an earlier
 * one, a folder is merged. Times of folders come last, since making something in a folder changes its time; they wait
 * in a file, not in memory.
 */
#ifndef IMAGES_UNPACK_H
#define IMAGES_UNPACK_H

#include <limits.h>
#include <stdint.h>
#include <stdio.h>

#include "images/entry.h"
#include "images/images.h"
#include "images/parents.h"

/* What can't be kept is counted, and told once, with the first entry that it happened to. */
enum loss {
	LOSS_DEVICE,
	LOSS_OWNER,
	LOSS_SETID,
	LOSS_XATTR,
	LOSS_OTHER_XATTR,
	LOSS_OVERLAY_XATTR,
	LOSS_SOCKET,
	LOSS_MOUNT,
	LOSS_READER, /* what libarchive warned of */
	LOSS_COUNT,
};

struct unpack {
	int root;
	uid_t uid; /* ours: what a new file has without being asked */
	gid_t gid;
	const struct load_limits *limits;
	struct load_progress *progress; /* entries and written are counted here */
	struct parents parents;
	FILE *folders; /* times of folders, see attributes.c */
	struct {
		uint64_t n;
		char *first;
	} losses[LOSS_COUNT];

	/* The entry at hand. */
	int fd; /* of a regular file, or -1 */
	bool is_link; /* it is a hard link that brings content */
	uint64_t end; /* of what has been written */
	char path[PATH_MAX], link[PATH_MAX]; /* cleaned */
};

/* root and workspace are descriptors that stay the caller's. */
int unpack_init(struct unpack *unpack, int root, int workspace, const struct load_limits *limits,
	struct load_progress *progress, struct error *err);
void unpack_free(struct unpack *unpack);

/* An entry: begun, given its content in rising order of offset (holes left out), ended. */
int unpack_begin(struct unpack *unpack, const struct entry *entry, struct error *err);
int unpack_content(struct unpack *unpack, const struct entry *entry, uint64_t offset, const void *data,
	size_t size, struct error *err);
int unpack_end(struct unpack *unpack, const struct entry *entry, struct error *err);

/* After the last entry: sets the times of folders. */
int unpack_finish(struct unpack *unpack, struct error *err);

/* Counts something that wasn't kept. */
void unpack_lose(struct unpack *unpack, enum loss loss, const char *what);
/* Tells the watcher one line for each kind of loss. */
void unpack_tell(const struct unpack *unpack, const struct load_watcher *watcher);

/*
 * The path without "." and doubled or leading or closing slashes, into clean (PATH_MAX bytes); "" for the root.
 * Refuses ".." and ".wh." names.
 */
int unpack_clean(const struct entry *entry, const char *path, char *clean, struct error *err);

#endif
