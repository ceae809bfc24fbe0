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
#include "base/memory.h"
#include "images/images.h"
#include "images/losses.h"
#include "images/parents.h"

enum whiteout {
	WHITEOUT_NONE,
	WHITEOUT_NAME, /* hides one name */
	WHITEOUT_OPAQUE, /* hides all below its folder */
	WHITEOUT_AUFS, /* a note that some other union file system kept for itself */
};

/*
 * What is written: a rootfs by itself, an image's lowest layer, or one above it. Only layers have whiteouts, and only of
 * a higher one it matters which folders have no entry of their own (implied.h).
 */
enum unpack_kind {
	UNPACK_PLAIN,
	UNPACK_LOWEST,
	UNPACK_HIGHER,
};

struct unpack {
	enum unpack_kind kind;
	int root;
	uid_t uid; /* ours: what a new file has without being asked */
	gid_t gid;
	const struct load_limits *limits;
	struct load_progress *progress; /* entries and written are counted here */
	struct parents parents;
	FILE *folders; /* times of folders, see attributes.c */
	struct losses *losses;
	bool is_opaque; /* a layer: nothing below shows through its root */
	bool has_root; /* there was an entry for the root itself */
	uint64_t n_whiteouts;
	bool has_implied;
	struct strv
		implied; /* cleaned paths of the folders that were made without an entry, of a higher layer */
	struct strv opaque; /* those that hide what is below, where the file system can't say so */
	size_t noted_bytes; /* in both */

	/* The entry at hand. */
	int fd; /* of a regular file, or -1 */
	enum whiteout whiteout;
	bool is_link; /* it is a hard link that brings content */
	uint64_t end; /* of what has been written */
	char path[PATH_MAX], link[PATH_MAX]; /* cleaned */
};

/* root and workspace are descriptors that stay the caller's; so do limits, progress and losses. */
int unpack_init(struct unpack *unpack, enum unpack_kind kind, int root, int workspace,
	const struct load_limits *limits, struct load_progress *progress, struct losses *losses,
	struct error *err);
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

/* The folder of a cleaned path, made if need be; its descriptor stays ours. *name becomes the last part of the path. */
int unpack_parent(struct unpack *unpack, const struct entry *entry, const char *path, const char **name,
	struct error *err);

/* Notes that the folder at the first length bytes of a cleaned path was made without an entry. */
void unpack_note_implied(struct unpack *unpack, const char *path, size_t length);
/* The folder of unpack->path has an entry after all. */
void unpack_forget_implied(struct unpack *unpack);
/* Notes one that hides what is below it, and has no attribute that says so. */
void unpack_note_opaque(struct unpack *unpack, const char *path, size_t length);

/*
 * The path without "." and doubled or leading or closing slashes, into clean (PATH_MAX bytes); "" for the root.
 * Refuses "..", and ".wh." names unless they are those of a layer.
 */
int unpack_clean(
	enum unpack_kind kind, const struct entry *entry, const char *path, char *clean, struct error *err);

#endif
