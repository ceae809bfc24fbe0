/*
 * What a volume holds on disk, as du(1) counts.
 *
 * Theory of operation
 *
 * A volume's files change and its folders move while they are counted, and may be made to exhaust whoever counts
 * them. So the walk keeps at most one descriptor a level and goes a bounded number of levels down, crosses no mount and
 * follows no link, and ends after a given number of entries. Files with several names are remembered, to be counted
 * once.
 */
#include "namespaces/namespaces.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/memory.h"

#define DEPTH_MAX 128

struct walk {
	dev_t device;
	uint64_t blocks; /* of 512 bytes */
	size_t entries_left;
	bool incomplete;
	ino_t *linked; /* a hash table: inodes with several names that were counted */
	size_t n_linked, room;
};

/* Where an inode is in the table, or would be: its size is a power of two, and a part of it is free. */
static size_t place_of(const ino_t *table, size_t size, ino_t inode)
{
	size_t i = (size_t)((uint64_t)inode * 0x9e3779b97f4a7c15ULL >> 32) & (size - 1);

	while (table[i] && table[i] != inode)
		i = (i + 1) & (size - 1);
	return i;
}

static void grow(struct walk *walk)
{
	size_t size = walk->room ? walk->room * 2 : 64;
	ino_t *table = xcalloc(size, sizeof(*table));

	for (size_t i = 0; i < walk->room; i++)
		if (walk->linked[i])
			table[place_of(table, size, walk->linked[i])] = walk->linked[i];
	free(walk->linked);
	walk->linked = table;
	walk->room = size;
}

static bool seen(struct walk *walk, ino_t inode)
{
	size_t place;

	if (walk->n_linked * 2 >= walk->room)
		grow(walk);
	place = place_of(walk->linked, walk->room, inode);
	if (walk->linked[place] == inode)
		return true;
	walk->linked[place] = inode;
	walk->n_linked++;
	return false;
}

static void count(struct walk *walk, int fd, int depth);

static void count_entry(struct walk *walk, int dirfd, const char *name, int depth)
{
	struct stat st;
	int fd;

	if (!walk->entries_left) {
		walk->incomplete = true;
		return;
	}
	walk->entries_left--;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0 || st.st_dev != walk->device)
		return;
	if (!S_ISDIR(st.st_mode)) {
		if (st.st_nlink == 1 || !seen(walk, st.st_ino))
			walk->blocks += (uint64_t)st.st_blocks;
		return;
	}
	walk->blocks += (uint64_t)st.st_blocks;
	if (depth >= DEPTH_MAX) {
		walk->incomplete = true;
		return;
	}
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NOATIME);
	if (fd < 0)
		fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		count(walk, fd, depth + 1);
}

/* Takes fd. */
static void count(struct walk *walk, int fd, int depth)
{
	cleanup_dir DIR *dir = fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		cleanup_fd_fn(&fd);
		return;
	}
	while (!(walk->incomplete && !walk->entries_left) && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			count_entry(walk, dirfd(dir), entry->d_name, depth);
	}
}

int volume_usage(int volumefd, size_t max_entries, uint64_t *bytes, struct error *err)
{
	struct walk walk = {.entries_left = max_entries};
	int fd = openat(volumefd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		error_set(err, ERROR_HOST, errno, "cannot look at a volume");
		cleanup_fd_fn(&fd);
		return -1;
	}
	walk.device = st.st_dev;
	walk.blocks = (uint64_t)st.st_blocks;
	count(&walk, fd, 0);
	free(walk.linked);
	*bytes = walk.blocks * 512;
	return walk.incomplete ? 1 : 0;
}
