/* Within the wing: files that have several names, met on a walk through a tree. */
#ifndef IMAGES_INODES_H
#define IMAGES_INODES_H

#include <stddef.h>
#include <sys/types.h>

struct inode;

struct inodes {
	struct inode *items; /* a hash table with open addressing */
	size_t n, room;
};

/* The path under which the inode was met before, or NULL: then it is noted under this one. Start from {0}. */
const char *inodes_meet(struct inodes *inodes, ino_t ino, const char *path);
void inodes_free(struct inodes *inodes);

#endif
