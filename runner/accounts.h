/* What an image's /etc/passwd and /etc/group say of a user. The files are hostile: see accounts.c. */
#ifndef RUNNER_ACCOUNTS_H
#define RUNNER_ACCOUNTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct account {
	bool found; /* passwd has the uid */
	gid_t gid; /* its primary group */
	char *home; /* or NULL */
	gid_t *groups; /* those of group that list its name */
	size_t n_groups;
};

/*
 * Looks uid up in the passwd and group of the root that rootfd is. A file that is missing, no regular file, or larger
 * than 1 MiB counts as empty (CVE-2024-9676): the ids of the manifest hold then.
 */
void account_lookup(int rootfd, uid_t uid, struct account *account);
void account_free(struct account *account);

#endif
