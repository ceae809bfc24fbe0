/*
 * What an image's /etc/passwd and /etc/group say of a user.
 *
 * Both files are the image's and so hostile: they are opened in-root, without blocking on a FIFO, and read only if they
 * are regular and of a sane size. A number is a number: an id out of range or with anything but digits makes its
 * line count for nothing (CVE-2024-40635, CVE-2026-30892).
 */
#include "runner/accounts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/inroot.h"
#include "base/memory.h"
#include "base/text.h"

#define FILE_LIMIT  (1U << 20) /* bytes */
#define GROUP_LIMIT 1024 /* supplementary groups taken from an image; the kernel's limit is 65,536 */
#define FIELD_LIMIT 7
#define LARGEST_ID  0x7fffffff

static char *read_file(int rootfd, const char *path)
{
	struct error ignored;
	struct stat st;
	cleanup_fd int fd = inroot_open(rootfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, &ignored);
	char *text = NULL;

	/* Empty: a link may lead to /proc, whose files say so, and not all of them are harmless to read (/proc/kmsg). */
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_LIMIT || !st.st_size)
		return NULL;
	if (fd_read_all(fd, path, FILE_LIMIT, ERROR_IMAGE, &text, NULL, &ignored) < 0)
		return NULL;
	return text;
}

/* Splits a line at its colons, in place. Returns how many fields there are, at most FIELD_LIMIT. */
static size_t split(char *line, char *fields[FIELD_LIMIT])
{
	size_t n = 0;

	while (n < FIELD_LIMIT) {
		fields[n++] = line;
		line = strchr(line, ':');
		if (!line)
			break;
		*line++ = '\0';
	}
	return n;
}

/* Finds the uid's line; returns its name, to be freed. */
static char *find_user(char *passwd, uid_t uid, struct account *account)
{
	char *rest = passwd;
	char *line;

	while ((line = strsep(&rest, "\n"))) {
		char *fields[FIELD_LIMIT];
		size_t n = split(line, fields);
		int64_t id, gid;

		if (n < 6 || !text_to_integer(fields[2], 0, LARGEST_ID, &id) || (uid_t)id != uid ||
			!text_to_integer(fields[3], 0, LARGEST_ID, &gid))
			continue;
		account->found = true;
		account->gid = (gid_t)gid;
		if (fields[5][0] == '/')
			account->home = xstrdup(fields[5]);
		return xstrdup(fields[0]);
	}
	return NULL;
}

static bool lists(char *members, const char *name)
{
	char *member;

	while ((member = strsep(&members, ",")))
		if (!strcmp(member, name))
			return true;
	return false;
}

static void find_groups(char *group, const char *name, struct account *account)
{
	char *rest = group;
	char *line;

	while ((line = strsep(&rest, "\n")) && account->n_groups < GROUP_LIMIT) {
		char *fields[FIELD_LIMIT];
		int64_t gid;

		if (split(line, fields) < 4 || !text_to_integer(fields[2], 0, LARGEST_ID, &gid) ||
			!lists(fields[3], name))
			continue;
		account->groups =
			xreallocarray(account->groups, account->n_groups + 1, sizeof(*account->groups));
		account->groups[account->n_groups++] = (gid_t)gid;
	}
}

void account_lookup(int rootfd, uid_t uid, struct account *account)
{
	cleanup_free char *passwd = read_file(rootfd, "/etc/passwd");
	cleanup_free char *group = NULL;
	cleanup_free char *name = NULL;

	*account = (struct account){0};
	if (passwd)
		name = find_user(passwd, uid, account);
	if (name && *name)
		group = read_file(rootfd, "/etc/group");
	if (group)
		find_groups(group, name, account);
}

void account_free(struct account *account)
{
	free(account->home);
	free(account->groups);
	*account = (struct account){0};
}
