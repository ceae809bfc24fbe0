/* What an image's passwd and group say of a user, and what hostile ones don't. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/inroot.h"
#include "base/memory.h"
#include "runner/accounts.h"
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

int main(void)
{
	group(finds_group_home_and_groups);
	group(numbers_that_wrap_name_nobody);
	group(hostile_files_count_as_empty);
	return unit_done();
}
