/* Id maps: what /etc/subuid grants, and what this namespace has. Internal to this wing. */
#ifndef NAMESPACES_IDMAP_H
#define NAMESPACES_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define IDMAP_MAX 32 /* ranges; the kernel takes 340, but each needs three arguments for newuidmap */

struct idmap_range {
	uint32_t inside, outside, count;
};

struct idmap {
	struct idmap_range ranges[IDMAP_MAX];
	size_t n;
};

/*
 * The maps for a user namespace of this user: id 0 is the user itself, 1 and up are what /etc/subuid and /etc/subgid grant,
 * all ranges one after another. Returns false if one of them grants nothing; *missing then says which, to be freed.
 */
bool idmap_read(uid_t uid, gid_t gid, struct idmap *uids, struct idmap *gids, char **missing);

/*
 * Adds to map the ranges that text, in the format of subuid(5), grants the user of that name (or NULL) or number. Returns
 * how many were added. Lines that are no ranges are passed over, as by newuidmap.
 */
size_t idmap_parse(struct idmap *map, const char *text, const char *name, uid_t uid);

#endif
