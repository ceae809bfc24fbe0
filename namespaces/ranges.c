/*
 * Ranges of ids for pods with users of their own. How they are held: users.h.
 *
 * An administrator says which by granting them to the user "minirun" in /etc/subuid and /etc/subgid, the same in both (the
 * kubelet asks for the user "kubelet" in the same way). Without that they are taken from 0x70000000 on: above what systemd
 * takes for containers of its own (up to 0x6fffffff) and useradd for subordinate ids, below those that it calls foreign (from
 * 0x7ffe0000); see UIDS-GIDS of systemd.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "namespaces/idmap.h"

#define LOCK_PATH  "/run/minirun-ids" /* one for the machine, wherever --root is */
#define OWNER      "minirun"
#define HIGH_FIRST 0x70000000LL
#define HIGH_END   0x7ffe0000LL
#define FILE_MAX   (1U << 20) /* bytes of /etc/subuid */

/* Those that a text grants the user minirun; its first range stands for nothing. */
static struct idmap granted(const char *text)
{
	struct idmap map = {.n = 1};
	const struct passwd *user = getpwnam(OWNER);

	idmap_parse(&map, text, OWNER, user ? user->pw_uid : (uid_t)-1);
	return map;
}

static bool is_within(const struct idmap *map, int64_t first, int64_t count)
{
	for (size_t i = 1; i < map->n; i++)
		if (first >= map->ranges[i].outside &&
			first + count <= (int64_t)map->ranges[i].outside + map->ranges[i].count)
			return true;
	return false;
}

/* The first piece of a range of uids that starts at or after *first, and is one of gids too. */
static bool next_granted(const struct idmap *uids, const struct idmap *gids, uint32_t count, int64_t *first)
{
	int64_t best = -1;

	for (size_t i = 1; i < uids->n; i++) {
		int64_t start = uids->ranges[i].outside, end = start + uids->ranges[i].count;

		if (start < *first)
			start += (*first - start + count - 1) / count * count;
		for (; start + count <= end && (best < 0 || start < best); start += count)
			if (is_within(gids, start, count)) {
				best = start;
				break;
			}
	}
	*first = best;
	return best >= 0;
}

bool idmap_next_range(const char *subuid, const char *subgid, uint32_t count, int64_t *first)
{
	struct idmap uids = granted(subuid), gids = granted(subgid);

	if (uids.n > 1 || gids.n > 1)
		return next_granted(&uids, &gids, count, first);
	if (*first < HIGH_FIRST)
		*first = HIGH_FIRST;
	for (; *first + count <= HIGH_END; *first += count)
		if (!idmap_grants_any(subuid, *first, count) && !idmap_grants_any(subgid, *first, count))
			return true;
	return false;
}

/* What isn't there grants nothing. */
static int read_grants(const char *path, char **text, struct error *err)
{
	struct error tried = {0};

	if (file_read(path, FILE_MAX, ERROR_HOST, text, NULL, &tried) == 0)
		return 0;
	*text = xstrdup("");
	if (tried.errnum == ENOENT)
		return 0;
	*err = tried;
	return -1;
}

static int open_lock(struct error *err)
{
	cleanup_fd int fd = open(LOCK_PATH, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set(err, ERROR_HOST, errno,
			"cannot open %s, which tells the ranges of ids that pods have", LOCK_PATH);
	/* Whoever else could open it could hold all ranges. */
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077))
		return error_set(err, ERROR_HOST, 0, "%s is not a file of root's alone", LOCK_PATH);
	return steal_fd(&fd);
}

int idmap_claim(uint32_t count, uint32_t *first, struct error *err)
{
	cleanup_free char *subuid = NULL, *subgid = NULL;
	cleanup_fd int fd = -1;
	int64_t next = 0;

	if (read_grants("/etc/subuid", &subuid, err) < 0 || read_grants("/etc/subgid", &subgid, err) < 0)
		return -1;
	fd = open_lock(err);
	if (fd < 0)
		return -1;
	for (; idmap_next_range(subuid, subgid, count, &next); next += count) {
		struct flock lock = {
			.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = next, .l_len = count};

		if (fcntl(fd, F_OFD_SETLK, &lock) == 0) {
			*first = (uint32_t)next;
			return steal_fd(&fd);
		}
		if (errno != EAGAIN && errno != EACCES)
			return error_set(err, ERROR_HOST, errno, "cannot lock %s", LOCK_PATH);
	}
	error_set(err, ERROR_HOST, 0, "no range of %u ids is left for a pod", count);
	return error_hint(err, "grant the user " OWNER
			       " more, the same in both files, or none: /etc/subuid and /etc/subgid");
}
