/* Id maps: what /etc/subuid grants, and what this namespace has. */
#include "namespaces/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "namespaces/namespaces.h"

#define USUAL_FIRST    100000 /* login.defs(5): SUB_UID_MIN */
#define USUAL_STEP     65536
#define SUBID_FILE_MAX (1U << 20) /* bytes */
#define MAP_FILE_MAX \
	8192 /* 340 ranges of up to 33 characters would be more; a page is what the kernel shows */
#define ID_MAX 4294967294LL

static bool is_owner(const char *owner, const char *name, uid_t uid)
{
	int64_t number;

	if (name && !strcmp(owner, name))
		return true;
	return text_to_integer(owner, 0, ID_MAX, &number) && number == (int64_t)uid;
}

static void add_range(struct idmap *map, int64_t start, int64_t count)
{
	struct idmap_range *range = &map->ranges[map->n];
	const struct idmap_range *last = range - 1;

	/* The first range, of the user itself, is always there. */
	range->inside = last->inside + last->count;
	range->outside = (uint32_t)start;
	range->count = (uint32_t)count;
	map->n++;
}

/* A line of subuid(5); false if it is none. *owner is to be freed. */
static bool parse_line(const char *line, size_t length, char **owner, int64_t *first, int64_t *n)
{
	char *copy = xstrndup(line, length), *rest = copy;
	const char *name = strsep(&rest, ":"), *start = strsep(&rest, ":"), *count = strsep(&rest, ":");

	*owner = copy;
	return name && start && count && !rest && text_to_integer(start, 1, ID_MAX, first) &&
	       text_to_integer(count, 1, ID_MAX, n) && *first + *n - 1 <= ID_MAX;
}

size_t idmap_parse(struct idmap *map, const char *text, const char *name, uid_t uid)
{
	size_t added = 0;

	for (const char *line = text; *line && map->n < IDMAP_MAX;) {
		size_t length = strcspn(line, "\n");
		cleanup_free char *owner = NULL;
		int64_t first, n;

		if (parse_line(line, length, &owner, &first, &n) && is_owner(owner, name, uid) &&
			map->ranges[map->n - 1].inside + (int64_t)map->ranges[map->n - 1].count + n <=
				ID_MAX) {
			add_range(map, first, n);
			added++;
		}
		line += length + (line[length] == '\n');
	}
	return added;
}

bool idmap_grants_any(const char *text, int64_t first, int64_t count)
{
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");
		cleanup_free char *owner = NULL;
		int64_t start, n;

		if (parse_line(line, length, &owner, &start, &n) && start < first + count &&
			first < start + n)
			return true;
		line += length + (line[length] == '\n');
	}
	return false;
}

int64_t idmap_free_range(const char *subuid, const char *subgid, int64_t count)
{
	int64_t first = USUAL_FIRST;

	for (; first + count - 1 <= ID_MAX; first += USUAL_STEP)
		if (!idmap_grants_any(subuid, first, count) && !idmap_grants_any(subgid, first, count))
			return first;
	return -1;
}

static bool read_grants(struct idmap *map, const char *path, const char *name, uid_t uid, char **missing)
{
	struct error err = {0};
	cleanup_free char *text = NULL;

	if (file_read(path, SUBID_FILE_MAX, ERROR_HOST, &text, NULL, &err) == 0 &&
		idmap_parse(map, text, name, uid) > 0)
		return true;
	*missing = name ? xasprintf("%s grants none to %s", path, name)
			: xasprintf("%s grants none to uid %u", path, (unsigned int)uid);
	return false;
}

bool idmap_read(uid_t uid, gid_t gid, struct idmap *uids, struct idmap *gids, char **missing)
{
	/* There may be no entry; then a grant by number counts all the same. */
	const struct passwd *user = getpwuid(uid);
	const char *name = user ? user->pw_name : NULL;

	*uids = (struct idmap){.ranges = {{0, uid, 1}}, .n = 1};
	*gids = (struct idmap){.ranges = {{0, gid, 1}}, .n = 1};
	return read_grants(uids, "/etc/subuid", name, uid, missing) &&
	       read_grants(gids, "/etc/subgid", name, uid, missing);
}

/* ---- what this namespace has ---- */

/* Reads a map of this process; n is 0 if it can't be read. */
static void read_own(const char *path, struct idmap *map)
{
	char text[MAP_FILE_MAX];
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	const char *line = text;

	map->n = 0;
	text[size > 0 ? size : 0] = '\0';
	while (*line && map->n < IDMAP_MAX) {
		struct idmap_range *range = &map->ranges[map->n++];
		char *rest;

		range->inside = (uint32_t)strtoul(line, &rest, 10);
		range->outside = (uint32_t)strtoul(rest, &rest, 10);
		range->count = (uint32_t)strtoul(rest, &rest, 10);
		line = rest + strcspn(rest, "\n");
		line += *line == '\n';
	}
}

static bool maps(const char *path, int64_t id)
{
	struct idmap map;

	read_own(path, &map);
	for (size_t i = 0; i < map.n; i++) {
		if (id >= map.ranges[i].inside && id < (int64_t)map.ranges[i].inside + map.ranges[i].count)
			return true;
	}
	return false;
}

bool userns_inside(void)
{
	struct idmap map;

	read_own("/proc/self/uid_map", &map);
	return !(map.n == 1 && map.ranges[0].inside == 0 && map.ranges[0].outside == 0 &&
		 map.ranges[0].count == UINT32_MAX);
}

bool userns_maps_uid(int64_t uid)
{
	return maps("/proc/self/uid_map", uid);
}

bool userns_maps_gid(int64_t gid)
{
	return maps("/proc/self/gid_map", gid);
}

int64_t userns_outer_uid(int64_t uid)
{
	struct idmap map;

	read_own("/proc/self/uid_map", &map);
	for (size_t i = 0; i < map.n; i++)
		if (uid >= map.ranges[i].inside && uid - map.ranges[i].inside < map.ranges[i].count)
			return map.ranges[i].outside + (uid - map.ranges[i].inside);
	return -1;
}

bool userns_allows_setgroups(void)
{
	char text[8] = "";
	cleanup_fd int fd = open("/proc/self/setgroups", O_RDONLY | O_CLOEXEC);

	return fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 || strncmp(text, "deny", 4) != 0;
}

static const char *describe(const char *path, char *buffer, size_t size)
{
	struct idmap map;
	size_t used = 0;

	read_own(path, &map);
	buffer[0] = '\0';
	for (size_t i = 0; i < map.n && used < size; i++) {
		const struct idmap_range *range = &map.ranges[i];
		unsigned int last = range->inside + range->count - 1;

		/* Ranges that follow each other are one inside. */
		while (i + 1 < map.n && map.ranges[i + 1].inside == last + 1)
			last += map.ranges[++i].count;
		used += (size_t)snprintf(buffer + used, size - used, used ? ", %u" : "%u", range->inside);
		if (last > range->inside && used < size)
			used += (size_t)snprintf(buffer + used, size - used, "-%u", last);
	}
	return buffer;
}

const char *userns_describe_uids(char *buffer, size_t size)
{
	return describe("/proc/self/uid_map", buffer, size);
}

const char *userns_describe_gids(char *buffer, size_t size)
{
	return describe("/proc/self/gid_map", buffer, size);
}
