/*
 * What a volume holds on disk, as du(1) counts.
 *
 * Theory of operation
 *
 * A volume's files change and its folders move while they are counted, and may be made to exhaust whoever counts
 * them. So the walk keeps at most one descriptor a level and goes a bounded number of levels down, crosses no mount and
 * follows no link, and ends after a given number of entries. Files with several names are remembered, to be counted
 * once.
 *
 * A mount is known by its number, not by its device: of one file system some files may have another, as on btrfs below a
 * subvolume, which anybody may make, and on an overlay of several disks.
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
#define WANTED    (STATX_BASIC_STATS | STATX_MNT_ID)

struct walk {
	uint64_t mount;
	uint64_t blocks; /* of 512 bytes */
	size_t entries_left;
	bool incomplete;
	uint64_t *linked; /* a hash table: inodes with several names that were counted, by key_of */
	size_t n_linked, room;
};

/* Of an inode, never 0. Two have the same only if their numbers, nearly all of which are far below 2^32, differ by nearly that. */
static uint64_t key_of(const struct statx *stx)
{
	uint64_t device = (uint64_t)stx->stx_dev_major << 20 | stx->stx_dev_minor;
	uint64_t key = stx->stx_ino ^ device << 32;

	return key ? key : 1;
}

/* Where a key is in the table, or would be: its size is a power of two, and a part of it is free. */
static size_t place_of(const uint64_t *table, size_t size, uint64_t key)
{
	size_t i = (size_t)(key * 0x9e3779b97f4a7c15ULL >> 32) & (size - 1);

	while (table[i] && table[i] != key)
		i = (i + 1) & (size - 1);
	return i;
}

static void grow(struct walk *walk)
{
	size_t size = walk->room ? walk->room * 2 : 64;
	uint64_t *table = xcalloc(size, sizeof(*table));

	for (size_t i = 0; i < walk->room; i++)
		if (walk->linked[i])
			table[place_of(table, size, walk->linked[i])] = walk->linked[i];
	free(walk->linked);
	walk->linked = table;
	walk->room = size;
}

static bool seen(struct walk *walk, uint64_t key)
{
	size_t place;

	if (walk->n_linked * 2 >= walk->room)
		grow(walk);
	place = place_of(walk->linked, walk->room, key);
	if (walk->linked[place] == key)
		return true;
	walk->linked[place] = key;
	walk->n_linked++;
	return false;
}

static void count(struct walk *walk, int fd, int depth);

static void count_entry(struct walk *walk, int dirfd, const char *name, int depth)
{
	struct statx stx;
	int fd;

	if (!walk->entries_left) {
		walk->incomplete = true;
		return;
	}
	walk->entries_left--;
	if (statx(dirfd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, WANTED, &stx) < 0 ||
		stx.stx_mnt_id != walk->mount)
		return;
	if (!S_ISDIR(stx.stx_mode)) {
		if (stx.stx_nlink == 1 || !seen(walk, key_of(&stx)))
			walk->blocks += stx.stx_blocks;
		return;
	}
	walk->blocks += stx.stx_blocks;
	if (depth >= DEPTH_MAX) {
		walk->incomplete = true;
		return;
	}
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NOATIME);
	if (fd < 0)
		fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		count(walk, fd, depth + 1);
	else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
		walk->incomplete = true;
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
	struct statx stx;

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, WANTED, &stx) < 0) {
		error_set(err, ERROR_HOST, errno, "cannot look at a volume");
		cleanup_fd_fn(&fd);
		return -1;
	}
	walk.mount = stx.stx_mnt_id;
	walk.blocks = stx.stx_blocks;
	count(&walk, fd, 0);
	free(walk.linked);
	*bytes = walk.blocks * 512;
	return walk.incomplete ? 1 : 0;
}
