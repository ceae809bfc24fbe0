/* Files that have several names, met on a walk through a tree. */
#include "images/inodes.h"

#include <stdlib.h>

#include "base/memory.h"

/* The first path of a file that has several. */
struct inode {
	ino_t ino;
	char *path; /* NULL: free */
};

static struct inode *find(struct inode *table, size_t room, ino_t ino)
{
	size_t i = (size_t)(ino * 0x9e3779b97f4a7c15ULL) & (room - 1);

	while (table[i].path && table[i].ino != ino)
		i = (i + 1) & (room - 1);
	return &table[i];
}

const char *inodes_meet(struct inodes *inodes, ino_t ino, const char *path)
{
	struct inode *inode;

	if (2 * inodes->n >= inodes->room) {
		size_t room = inodes->room ? 2 * inodes->room : 256;
		struct inode *table = xcalloc(room, sizeof(*table));

		for (size_t i = 0; i < inodes->room; i++)
			if (inodes->items[i].path)
				*find(table, room, inodes->items[i].ino) = inodes->items[i];
		free(inodes->items);
		inodes->items = table;
		inodes->room = room;
	}
	inode = find(inodes->items, inodes->room, ino);
	if (inode->path)
		return inode->path;
	*inode = (struct inode){.ino = ino, .path = xstrdup(path)};
	inodes->n++;
	return NULL;
}

void inodes_free(struct inodes *inodes)
{
	for (size_t i = 0; i < inodes->room; i++)
		free(inodes->items[i].path);
	free(inodes->items);
	*inodes = (struct inodes){0};
}
