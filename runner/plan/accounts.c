/*
 * What an image's /etc/passwd and /etc/group say of a user.
 *
 * Both files are the image's and so hostile: they are opened in-root, without blocking on a FIFO, and read only if they
 * are regular and of a sane size. A number is a number: an id out of range or with anything but digits makes its
 * line count for nothing (CVE-2024-40635, CVE-2026-30892).
 */
#include "runner/plan/accounts.h"

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

/* Finds the line of name or, if that is NULL, of uid; returns its name, to be freed. */
static char *find_user(char *passwd, const char *name, uid_t uid, struct account *account)
{
	char *rest = passwd;
	char *line;

	while ((line = strsep(&rest, "\n"))) {
		char *fields[FIELD_LIMIT];
		size_t n = split(line, fields);
		int64_t id, gid;

		if (n < 6 || !text_to_integer(fields[2], 0, LARGEST_ID, &id) ||
			!text_to_integer(fields[3], 0, LARGEST_ID, &gid) ||
			(name ? strcmp(fields[0], name) != 0 : (uid_t)id != uid))
			continue;
		account->found = true;
		account->uid = (uid_t)id;
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

static void look_up(int rootfd, const char *wanted, uid_t uid, struct account *account)
{
	cleanup_free char *passwd = read_file(rootfd, "/etc/passwd");
	cleanup_free char *group = NULL;
	cleanup_free char *name = NULL;

	*account = (struct account){0};
	if (passwd)
		name = find_user(passwd, wanted, uid, account);
	if (name && *name)
		group = read_file(rootfd, "/etc/group");
	if (group)
		find_groups(group, name, account);
}

void account_lookup(int rootfd, uid_t uid, struct account *account)
{
	look_up(rootfd, NULL, uid, account);
}

void account_lookup_name(int rootfd, const char *name, struct account *account)
{
	look_up(rootfd, name, 0, account);
}

bool account_group(int rootfd, const char *name, gid_t *gid)
{
	cleanup_free char *group = read_file(rootfd, "/etc/group");
	char *rest = group;
	char *line;

	while ((line = strsep(&rest, "\n"))) {
		char *fields[FIELD_LIMIT];
		int64_t id;

		if (split(line, fields) < 3 || strcmp(fields[0], name) != 0 ||
			!text_to_integer(fields[2], 0, LARGEST_ID, &id))
			continue;
		*gid = (gid_t)id;
		return true;
	}
	return false;
}

void account_free(struct account *account)
{
	free(account->home);
	free(account->groups);
	*account = (struct account){0};
}

/* One side of the colon: a number into *id, or a name into *name; neither if it is empty. Returns what is wrong, or NULL. */
static const char *parse_part(const char *text, size_t n, bool *has_id, unsigned int *id, char **name)
{
	cleanup_free char *part = xstrndup(text, n);
	cleanup_free char *printable = text_printable(part, n);
	int64_t number;

	if (!n)
		return NULL;
	if (strcmp(part, printable) != 0)
		return "has a control character in it";
	if (strspn(part, "0123456789") < n) {
		*name = steal_pointer(&part);
		return NULL;
	}
	if (!text_to_integer(part, 0, LARGEST_ID, &number))
		return "has an id above 2147483647";
	*has_id = true;
	*id = (unsigned int)number;
	return NULL;
}

int user_words_parse(const char *text, struct user_words *words, struct error *err)
{
	size_t n = strcspn(text, ":");
	const char *group = text[n] ? text + n + 1 : "";
	cleanup_free char *safe = text_printable(text, strnlen(text, 100));

	const char *wrong;

	*words = (struct user_words){0};
	wrong = strchr(group, ':') ? "has more than one colon: it is user:group" : NULL;
	if (!wrong)
		wrong = parse_part(text, n, &words->has_uid, &words->uid, &words->name);
	if (!wrong)
		wrong = parse_part(group, strlen(group), &words->has_gid, &words->gid, &words->group);
	if (!wrong)
		return 0;
	user_words_free(words);
	return error_set(err, ERROR_IMAGE, 0, "the image's user \"%s\" %s", safe, wrong);
}

void user_words_free(struct user_words *words)
{
	free(words->name);
	free(words->group);
	*words = (struct user_words){0};
}
