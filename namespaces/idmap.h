/* Id maps: what /etc/subuid grants, and what this namespace has. Internal to this wing. */
#ifndef NAMESPACES_IDMAP_H
#define NAMESPACES_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

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

/* Whether such a text grants anybody one of count ids from first on. */
bool idmap_grants_any(const char *text, int64_t first, int64_t count);

/* The first of count ids that neither text grants anybody: what usermod may be told to grant, which doesn't look itself; -1: none is left. */
int64_t idmap_free_range(const char *subuid, const char *subgid, int64_t count);

/* ranges.c: takes count ids of the host that no other pod has (users.h). Returns the descriptor that holds them. */
int idmap_claim(uint32_t count, uint32_t *first, struct error *err);

/*
 * ranges.c: for idmap_claim, the first of the ranges of count ids from *first on that may be tried: granted to the user minirun
 * by both files' texts, or, if they grant it none, one of the high ones that they grant nobody. False if there is no more.
 */
bool idmap_next_range(const char *subuid, const char *subgid, uint32_t count, int64_t *first);

#endif
