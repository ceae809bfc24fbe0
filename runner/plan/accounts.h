/* What an image's /etc/passwd and /etc/group say of a user. The files are hostile: see accounts.c. */
#ifndef RUNNER_ACCOUNTS_H
#define RUNNER_ACCOUNTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct account {
	bool found; /* passwd has the user */
	uid_t uid;
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
/* The same by name. */
void account_lookup_name(int rootfd, const char *name, struct account *account);
void account_free(struct account *account);

/* The gid that the root's group file gives a name. False if it has none. */
bool account_group(int rootfd, const char *name, gid_t *gid);

/* An image's User, "name", "uid", "uid:gid", "name:group", taken apart. Without any of a part that part is 0 and NULL. */
struct user_words {
	bool has_uid, has_gid; /* as numbers */
	uid_t uid;
	gid_t gid;
	char *name, *group; /* as names, which the image's files translate */
};

/*
 * What is all digits is a number, and out of range it is an error, never a name that the image's passwd could translate
 * (CVE-2024-40635, CVE-2026-46680). An empty part counts as not given. ERROR_IMAGE.
 */
int user_words_parse(const char *text, struct user_words *words, struct error *err);
void user_words_free(struct user_words *words);

#endif
