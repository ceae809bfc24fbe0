/*
 * Within the wing: the folders that entries are written into.
 *
 * Each entry's folder is resolved from the root by base/inroot (law R4). Entries of one folder mostly follow one
 * another, so the last few descriptors are kept. What a kept path means can only change when something on its way
 * is taken away or replaced; whoever does that forgets them all.
 */
#ifndef IMAGES_PARENTS_H
#define IMAGES_PARENTS_H

#include <stddef.h>

#include "base/error.h"

#define PARENTS_KEPT 8

struct parents {
	int root;
	struct parent {
		char *path;
		size_t length;
		int fd;
	} kept[PARENTS_KEPT];
	unsigned int next; /* to be given up */
};

/* root stays the caller's. */
void parents_init(struct parents *parents, int root);
void parents_forget(struct parents *parents);

/*
 * The folder of a path whose folder part is its first length bytes. Returns a descriptor that stays ours, valid until
 * the next call. If it doesn't exist and made isn't NULL it is made, with what is missing above it (0755), and *made
 * counts each. -1 with errno ENOENT in err if it doesn't and is not to be made.
 */
int parents_find(
	struct parents *parents, const char *path, size_t length, unsigned int *made, struct error *err);

#endif
