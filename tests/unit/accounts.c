/* What an image's passwd and group say of a user, and what hostile ones don't. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/inroot.h"
#include "base/memory.h"
#include "runner/plan/accounts.h"
#include "runner/manifest/signals.h"
#include "tests/unit/unit.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "broken\n"
			     "wrapped:x:4294967296:0::/wrapped:/bin/sh\n"
			     "signed:x:+5:0::/signed:/bin/sh\n"
			     "www:x:33:44:www:/var/www:/bin/sh\n"
			     "relative:x:34:44::home:/bin/sh\n";
static const char group_file[] =
	"root:x:0:\nweb:x:44:\nlog:x:50:a,www\nother:x:60:wwww,ww\nbad:x:1x:www\ntape:x:70:www,b\n";

struct root {
	char path[64];
	int fd;
};

static struct root root_make(void)
{
	struct root root = {.path = "/tmp/minirun-unit.XXXXXX"};

	if (!mkdtemp(root.path))
		abort();
	root.fd = open(root.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mkdirat(root.fd, "etc", 0755);
	return root;
}

static void root_write(const struct root *root, const char *name, const char *text)
{
	struct error err;
	cleanup_fd int etc = openat(root->fd, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	expect(file_replace(etc, name, 0644, text, strlen(text), &err) == 0);
}

static void root_remove(struct root *root)
{
	struct error err;

	close(root->fd);
	expect(inroot_remove_tree(AT_FDCWD, root->path, &err) == 0);
}

static void finds_group_home_and_groups(void)
{
	struct root root = root_make();
	struct account account;

	root_write(&root, "passwd", passwd);
	root_write(&root, "group", group_file);
	account_lookup(root.fd, 33, &account);
	expect(account.found && account.gid == 44);
	expect_text(account.home, "/var/www");
	expect(account.n_groups == 2 && account.groups[0] == 50 && account.groups[1] == 70);
	account_free(&account);
	account_lookup(root.fd, 34, &account);
	expect(account.found && !account.home);
	account_free(&account);
	root_remove(&root);
}

/* CVE-2024-40635 and its kin: a number out of range, or with a sign, is nobody's. */
static void numbers_that_wrap_name_nobody(void)
{
	struct root root = root_make();
	struct account account;

	root_write(
		&root, "passwd", "evil:x:4294967296:4294967296::/evil:/bin/sh\nsign:x:-0:0::/sign:/bin/sh\n");
	account_lookup(root.fd, 0, &account);
	expect(!account.found && !account.home && !account.n_groups);
	account_free(&account);
	root_remove(&root);
}

/* CVE-2024-9676: a FIFO must not make us wait, a link must not lead out, a huge file must not be read. */
static void hostile_files_count_as_empty(void)
{
	struct root root = root_make();
	struct account account;
	int fd;

	account_lookup(root.fd, 0, &account);
	expect(!account.found);
	account_free(&account);
	mkfifoat(root.fd, "etc/passwd", 0666);
	account_lookup(root.fd, 0, &account);
	expect(!account.found);
	account_free(&account);
	unlinkat(root.fd, "etc/passwd", 0);
	symlinkat("../../../../../../../../etc/passwd", root.fd, "etc/passwd");
	account_lookup(root.fd, 0, &account);
	expect(!account.found);
	account_free(&account);
	unlinkat(root.fd, "etc/passwd", 0);
	fd = openat(root.fd, "etc/passwd", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	expect(write(fd, passwd, sizeof(passwd) - 1) > 0 && ftruncate(fd, 1LL << 30) == 0);
	close(fd);
	account_lookup(root.fd, 33, &account);
	expect(!account.found);
	account_free(&account);
	root_remove(&root);
}

static void finds_by_name(void)
{
	struct root root = root_make();
	struct account account;
	gid_t gid = 0;

	root_write(&root, "passwd", passwd);
	root_write(&root, "group", group_file);
	account_lookup_name(root.fd, "www", &account);
	expect(account.found && account.uid == 33 && account.gid == 44 && account.n_groups == 2);
	account_free(&account);
	for (size_t i = 0; i < 4; i++) {
		account_lookup_name(root.fd, (const char *[]){"wrapped", "signed", "ww", ""}[i], &account);
		expect(!account.found);
		account_free(&account);
	}
	expect(account_group(root.fd, "tape", &gid) && gid == 70);
	expect(!account_group(root.fd, "bad", &gid) && !account_group(root.fd, "70", &gid));
	root_remove(&root);
}

/* CVE-2026-30892 ("1" taken for 0), CVE-2024-40635, CVE-2026-46680. */
static void takes_users_apart(void)
{
	static const struct {
		const char *text;
		long long uid, gid; /* -1: not a number */
		const char *name, *group;
	} good[] = {
		{"", -1, -1, NULL, NULL},
		{"1", 1, -1, NULL, NULL},
		{"1:", 1, -1, NULL, NULL},
		{":1", -1, 1, NULL, NULL},
		{"007:08", 7, 8, NULL, NULL},
		{"2147483647:2147483647", 2147483647, 2147483647, NULL, NULL},
		{"app:web", -1, -1, "app", "web"},
		{"app:5", -1, 5, "app", NULL},
		{"5:web", 5, -1, NULL, "web"},
		{"+1", -1, -1, "+1", NULL},
		{"-1", -1, -1, "-1", NULL},
		{"1a", -1, -1, "1a", NULL},
		{" 1", -1, -1, " 1", NULL},
		{"0x1", -1, -1, "0x1", NULL},
	};
	static const char *const bad[] = {"2147483648", "4294967295", "4294967296", "18446744073709551616",
		"1:4294967296", "1:2:3", "::", "a\nb", "a:\x7f"};
	struct user_words words;
	struct error err;

	for (size_t i = 0; i < array_length(good); i++) {
		expect(user_words_parse(good[i].text, &words, &err) == 0);
		expect((words.has_uid ? (long long)words.uid : -1) == good[i].uid);
		expect((words.has_gid ? (long long)words.gid : -1) == good[i].gid);
		expect(good[i].name ? words.name && !strcmp(words.name, good[i].name) : !words.name);
		expect(good[i].group ? words.group && !strcmp(words.group, good[i].group) : !words.group);
		user_words_free(&words);
	}
	for (size_t i = 0; i < array_length(bad); i++)
		expect(user_words_parse(bad[i], &words, &err) < 0 && err.class == ERROR_IMAGE);
}

static void knows_signals(void)
{
	static const struct {
		const char *text;
		int number;
	} cases[] = {{"SIGTERM", 15}, {"term", 15}, {"15", 15}, {"SIGQUIT", 3}, {"sigWinch", 28},
		{"SIGRTMIN", 34}, {"RTMIN+3", 37}, {"SIGRTMIN+30", 64}, {"SIGRTMAX", 64}, {"RTMAX-2", 62},
		{"SIGIOT", 6}, {"64", 64}, {"0", -1}, {"65", -1}, {"-1", -1}, {"", -1}, {"SIG", -1},
		{"SIGRTMIN-1", -1}, {"SIGRTMIN+31", -1}, {"RTMAX+1", -1}, {"SIGNAL", -1}, {"15 ", -1}};

	for (size_t i = 0; i < array_length(cases); i++)
		expect(signal_parse(cases[i].text) == cases[i].number);
}

int main(void)
{
	group(finds_group_home_and_groups);
	group(finds_by_name);
	group(takes_users_apart);
	group(knows_signals);
	group(numbers_that_wrap_name_nobody);
	group(hostile_files_count_as_empty);
	return unit_done();
}
