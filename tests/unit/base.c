/* base/: errors, text, findings, and above all paths in a root that isn't trusted. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/finding.h"
#include "base/inroot.h"
#include "base/memory.h"
#include "base/text.h"
#include "tests/unit/unit.h"

/* A folder of the test's own: root/ is what is resolved in, outside/ what must stay untouched. */
struct fixture {
	char path[64];
	int top, root;
};

static struct fixture fixture_make(void)
{
	struct fixture f = {.path = "/tmp/minirun-unit.XXXXXX"};

	if (!mkdtemp(f.path))
		abort();
	f.top = open(f.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mkdirat(f.top, "root", 0755);
	mkdirat(f.top, "outside", 0755);
	f.root = openat(f.top, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return f;
}

static void fixture_remove(struct fixture *f)
{
	struct error err = {0};

	close(f->root);
	close(f->top);
	expect(inroot_remove_tree(AT_FDCWD, f->path, &err) == 0);
	expect(access(f->path, F_OK) < 0);
}

static bool is_empty(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fdopendir(fd);
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n == 2;
}

static void errors_carry_class_errno_and_hint(void)
{
	struct error err = {0};

	expect(error_set(&err, ERROR_HOST, ENOENT, "cannot open %s", "x") == -1);
	expect_text(err.message, "cannot open x: No such file or directory");
	expect(err.class == ERROR_HOST && err.errnum == ENOENT && !err.hint[0]);
	error_wrap(&err, "volume %s", "v");
	expect_text(err.message, "volume v: cannot open x: No such file or directory");
	error_hint(&err, "make it");
	expect_text(err.hint, "make it");
	error_set(&err, ERROR_IMAGE, 0, "again");
	expect_text(err.hint, "");
}

static void long_errors_are_cut_not_overrun(void)
{
	struct error err = {0};
	char *text = xcalloc(5000, 1);

	memset(text, 'x', 4999);
	error_set(&err, ERROR_HOST, ENOENT, "%s", text);
	for (int i = 0; i < 5; i++)
		error_wrap(&err, "%s", text);
	error_hint(&err, "%s", text);
	expect(strlen(err.message) == sizeof(err.message) - 1);
	expect(strlen(err.hint) == sizeof(err.hint) - 1);
	free(text);
}

static void numbers_are_digits_and_nothing_else(void)
{
	static const char *const bad[] = {
		"", " 1", "1 ", "+1", "-1", "1a", "0x1", "1:", ":1", "4294967296", "99999999999999999999"};
	int64_t n = 7;

	for (size_t i = 0; i < array_length(bad); i++)
		expect(!text_to_integer(bad[i], 0, 4294967295, &n));
	expect(n == 7);
	expect(text_to_integer("4294967295", 0, 4294967295, &n) && n == 4294967295);
	expect(text_to_integer("-5", -10, 10, &n) && n == -5);
	expect(text_to_integer("-9223372036854775808", INT64_MIN, INT64_MAX, &n) && n == INT64_MIN);
	expect(!text_to_integer("-", -10, 10, &n));
}

static void a_word_of_a_list_is_a_whole_one(void)
{
	expect(text_has_word("1 t true", "1") && text_has_word("1 t true", "true"));
	expect(!text_has_word("1 t true", "tru") && !text_has_word("1 t true", ""));
	expect(!text_has_word("1 t true", "1 t") && !text_has_word("1 t true", "t "));
}

static void a_field_is_found_by_its_whole_name(void)
{
	static const char status[] = "Name:\tThreads: 7\nNoThreads:\t2\nThreadsMax:\t3\nThreads:\t1\nLast:";

	expect_text(text_field(status, "Threads"), "\t1\nLast:");
	expect_text(text_field(status, "Last"), "");
	expect(strtol(text_field(status, "NoThreads"), NULL, 10) == 2);
	expect(!text_field(status, "Thread") && !text_field("", "Name"));
}

static void the_nearest_word_is_found(void)
{
	static const char *const words[] = {"containers", "initContainers", "volumes", "hostPID"};

	expect_text(text_nearest("contianers", words, 4), "containers");
	expect_text(text_nearest("hostpid", words, 4), "hostPID");
	expect(text_nearest("zebra", words, 4) == NULL);
	expect(text_nearest("", words, 4) == NULL);
}

static void sizes_are_for_people(void)
{
	char b[32];

	expect_text(text_size(0, b, sizeof(b)), "0 B");
	expect_text(text_size(1023, b, sizeof(b)), "1023 B");
	expect_text(text_size(9728, b, sizeof(b)), "9.5 KiB");
	expect_text(text_size(148897792, b, sizeof(b)), "142 MiB");
}

static void control_characters_are_made_visible(void)
{
	char *safe = text_printable("a\033[31m\tb\x7f", 9);

	expect_text(safe, "a\\x1b[31m\tb\\x7f");
	free(safe);
	/* C1, in UTF-8 (U+009B is ESC [) and as a mere byte; U+202E, which turns what follows; an umlaut and a heart pass. */
	safe = text_printable("\xc2\x9b"
			      "2J\x9b"
			      "2J\xe2\x80\xae\xc3\xa4\xe2\x99\xa5\xc3",
		16);
	expect_text(safe, "\\xc2\\x9b2J\\x9b2J\\xe2\\x80\\xae\xc3\xa4\xe2\x99\xa5\\xc3");
	free(safe);
}

static void what_is_no_utf8_is_replaced(void)
{
	size_t size;
	char *valid = text_utf8("a\xff\xc3\xa4\xed\xa0\x80\xc3", 8, &size);

	expect_text(valid, "a\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	expect(size == strlen(valid));
	free(valid);
}

static void json_is_safe_to_print(void)
{
	static const char json[] = "{\n\t\"a\\u001b\": \"\x7f\xc2\x9b"
				   "2\xe2\x80\xae\xe2\x81\xa9\xc3\xa4\xff\"}";
	char *safe = text_json(json, strlen(json));

	expect_text(safe, "{\n\t\"a\\u001b\": \"\\u007f\\u009b2\\u202e\\u2069\xc3\xa4\\ufffd\"}");
	free(safe);
}

static void findings_are_sorted_and_counted(void)
{
	struct findings findings;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	findings_init(&findings, "-");
	findings_add(&findings, SEVERITY_WARNING, 9, 1, "spec.b", NULL, "known");
	findings_add(&findings, SEVERITY_ERROR, 2, 5, "spec.a", "did you mean c?", "unknown field");
	findings_add(&findings, SEVERITY_ERROR, 0, 0, NULL, NULL, "empty");
	findings_sort(&findings);
	expect(findings.n == 3 && findings.errors == 2);
	findings_print(&findings, out);
	fclose(out);
	expect_text(text, "standard input: error: empty\n"
			  "standard input:2:5: error: spec.a: unknown field (did you mean c?)\n"
			  "standard input:9:1: warning: spec.b: known\n");
	free(text);
	findings_free(&findings);
}

static void links_stay_in_the_root(void)
{
	struct fixture f = fixture_make();
	struct error err = {0};
	int fd;

	symlinkat("/etc", f.root, "absolute");
	symlinkat("../../../../../../etc", f.root, "dots");
	/* Neither exists in the root, so neither can be opened. */
	expect(inroot_open(f.root, "absolute/passwd", O_RDONLY, &err) < 0 && err.errnum == ENOENT);
	expect(inroot_open(f.root, "dots/passwd", O_RDONLY, &err) < 0 && err.errnum == ENOENT);
	expect(inroot_open(f.root, "../../etc/passwd", O_RDONLY, &err) < 0);
	/* What is made through them is made in the root. */
	fd = inroot_mkdirs(f.root, "/etc/cron.d", 0755, &err);
	expect(fd >= 0 && faccessat(f.root, "etc/cron.d", F_OK, 0) == 0);
	close(fd);
	fd = inroot_touch(f.root, "dots/made", 0600, &err);
	expect(fd >= 0 && faccessat(f.root, "etc/made", F_OK, 0) == 0);
	close(fd);
	expect(access("/etc/made", F_OK) < 0);
	expect(is_empty(f.top, "outside"));
	fixture_remove(&f);
}

static void magic_links_are_refused(void)
{
	struct error err = {0};
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	expect(inroot_open(root, "/proc/self/root/etc", O_PATH, &err) < 0 && err.errnum == ELOOP);
	expect(inroot_open(root, "/proc/self/cwd", O_PATH, &err) < 0 && err.errnum == ELOOP);
	expect(strstr(err.hint, "magic link") != NULL);
	close(root);
}

static void dangling_links_are_created_through_in_the_root_only(void)
{
	struct fixture f = fixture_make();
	struct error err = {0};
	char *target = xasprintf("%s/outside/planted", f.path);
	char *inside = xasprintf("%s/root%s", f.path, target);
	int fd;

	symlinkat(target, f.root, "file");
	symlinkat("../../../../../../../../../../tmp/minirun-planted", f.root, "dots");
	symlinkat("loop", f.root, "loop");
	symlinkat("second", f.root, "first");
	symlinkat("first", f.root, "second");
	fd = inroot_touch(f.root, "file", 0644, &err);
	expect(fd >= 0 && access(inside, F_OK) == 0);
	close(fd);
	fd = inroot_touch(f.root, "dots", 0644, &err);
	expect(fd >= 0 && faccessat(f.root, "tmp/minirun-planted", F_OK, 0) == 0);
	close(fd);
	expect(access("/tmp/minirun-planted", F_OK) < 0);
	expect(inroot_touch(f.root, "loop", 0644, &err) < 0 && err.errnum == ELOOP);
	expect(inroot_touch(f.root, "first", 0644, &err) < 0 && err.errnum == ELOOP);
	symlinkat("nowhere", f.root, "folder");
	expect(inroot_mkdirs(f.root, "folder", 0755, &err) < 0);
	expect(is_empty(f.top, "outside"));
	free(target);
	free(inside);
	fixture_remove(&f);
}

static void folders_are_made_with_their_mode(void)
{
	struct fixture f = fixture_make();
	struct error err = {0};
	struct stat st;
	mode_t old = umask(077);
	int fd = inroot_mkdirs(f.root, "a//b/./c", 0777, &err);

	umask(old);
	expect(fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0777);
	close(fd);
	fd = inroot_touch(f.root, "a/b/file", 0644, &err);
	expect(fd >= 0);
	close(fd);
	expect(inroot_mkdirs(f.root, "a/b/file/d", 0755, &err) < 0 && err.errnum == ENOTDIR);
	fixture_remove(&f);
}

static void last_names_are_names(void)
{
	struct fixture f = fixture_make();
	struct error err = {0};
	const char *name = NULL;
	int fd = inroot_parent(f.root, "x/y/z", true, &name, &err);

	expect(fd >= 0);
	expect_text(name, "z");
	close(fd);
	expect(inroot_parent(f.root, "x/..", true, &name, &err) < 0 && err.errnum == EINVAL);
	expect(inroot_parent(f.root, "x/.", true, &name, &err) < 0);
	expect(inroot_parent(f.root, "x/", true, &name, &err) < 0);
	fixture_remove(&f);
}

static void the_strict_open_follows_nothing(void)
{
	struct fixture f = fixture_make();
	struct error err = {0};
	int fd = inroot_touch(f.root, "d/file", 0644, &err);

	close(fd);
	symlinkat("file", f.root, "d/link");
	symlinkat("d", f.root, "e");
	fd = inroot_open_strict(f.root, "d/file", O_PATH, &err);
	expect(fd >= 0);
	close(fd);
	expect(inroot_open_strict(f.root, "d/link", O_RDONLY, &err) < 0 && err.errnum == ELOOP);
	expect(inroot_open_strict(f.root, "e/file", O_RDONLY, &err) < 0 && err.errnum == ELOOP);
	fixture_remove(&f);
}

/* Deeper than there are descriptors, and than PATH_MAX: what a container may leave behind. */
static void deep_and_closed_trees_are_removed(void)
{
	struct fixture f = fixture_make();
	struct error err = {0};
	int fd = dup(f.root);

	for (int i = 0; i < 3000; i++) {
		int next;

		mkdirat(fd, "a-folder-name", 0755);
		next = openat(fd, "a-folder-name", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = next;
	}
	expect(fd >= 0);
	close(fd);
	mkdirat(f.root, "closed", 0000);
	symlinkat("/etc", f.root, "link");
	expect(inroot_remove_tree(f.top, "root", &err) == 0);
	expect(faccessat(f.top, "root", F_OK, 0) < 0 && access("/etc/passwd", F_OK) == 0);
	expect(inroot_remove_tree(f.top, "root", &err) == 0);
	fixture_remove(&f);
}

static void files_are_replaced_whole(void)
{
	struct fixture f = fixture_make();
	struct error err = {0};
	char *text = NULL;
	char *path = xasprintf("%s/file", f.path);
	struct stat st;

	expect(file_replace(f.top, "file", 0640, "one", 3, &err) == 0);
	expect(file_replace(f.top, "file", 0640, "three", 5, &err) == 0);
	expect(file_read(path, 100, ERROR_HOST, &text, NULL, &err) == 0);
	expect_text(text, "three");
	free(text);
	expect(stat(path, &st) == 0 && (st.st_mode & 07777) == 0640);
	expect(file_read(path, 4, ERROR_MANIFEST, &text, NULL, &err) < 0 && err.class == ERROR_MANIFEST);
	expect(strstr(err.message, "larger than the limit of 4 bytes") != NULL);
	free(path);
	fixture_remove(&f);
}

static void names_of_paths(void)
{
	expect_text(path_base("/a/b"), "b");
	expect_text(path_base("b"), "b");
	expect_text(path_base("a/"), "");
}

int main(void)
{
	group(names_of_paths);
	group(errors_carry_class_errno_and_hint);
	group(long_errors_are_cut_not_overrun);
	group(numbers_are_digits_and_nothing_else);
	group(a_word_of_a_list_is_a_whole_one);
	group(a_field_is_found_by_its_whole_name);
	group(the_nearest_word_is_found);
	group(sizes_are_for_people);
	group(control_characters_are_made_visible);
	group(what_is_no_utf8_is_replaced);
	group(json_is_safe_to_print);
	group(findings_are_sorted_and_counted);
	group(links_stay_in_the_root);
	group(magic_links_are_refused);
	group(dangling_links_are_created_through_in_the_root_only);
	group(folders_are_made_with_their_mode);
	group(last_names_are_names);
	group(the_strict_open_follows_nothing);
	group(deep_and_closed_trees_are_removed);
	group(files_are_replaced_whole);
	return unit_done();
}
