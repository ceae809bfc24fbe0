/* The cache of compiled filters: a hit gives the same, whatever is wrong with an entry makes a miss. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/inroot.h"
#include "base/memory.h"
#include "security/seccomp.h"
#include "tests/unit/unit.h"

/* With a warning, to see that a hit repeats it. */
static const char text[] = "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"],"
			   "\"syscalls\":[{\"names\":[\"execve\",\"raed\"],\"action\":\"SCMP_ACT_ALLOW\"}]}";

static int cachefd;

struct outcome {
	struct seccomp_filter filter;
	unsigned int n_allowed;
	char *findings;
};

static struct outcome compile(const char *profile, capability_set capabilities)
{
	const struct seccomp_subject subject = {capabilities};
	struct outcome outcome = {0};
	struct findings findings;
	struct error err;
	size_t n;
	FILE *out = open_memstream(&outcome.findings, &n);

	findings_init(&findings, "f");
	expect(seccomp_compile(profile, strlen(profile), "p", &subject, cachefd, &outcome.filter,
		       &outcome.n_allowed, &findings, &err) == 0);
	findings_print(&findings, out);
	fclose(out);
	findings_free(&findings);
	return outcome;
}

static void done(struct outcome *outcome)
{
	seccomp_filter_free(&outcome->filter);
	free(outcome->findings);
}

/* The names in the folder; returns how many, and the last one. */
static unsigned int entries(char *name, size_t size)
{
	DIR *dir = fdopendir(openat(cachefd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *file;
	unsigned int n = 0;

	while ((file = readdir(dir))) {
		if (!strcmp(file->d_name, ".") || !strcmp(file->d_name, ".."))
			continue;
		n++;
		if (name)
			snprintf(name, size, "%s", file->d_name);
	}
	closedir(dir);
	return n;
}

static struct stat status(const char *name)
{
	struct stat st = {0};

	expect(fstatat(cachefd, name, &st, AT_SYMLINK_NOFOLLOW) == 0);
	return st;
}

static bool same(const struct outcome *a, const struct outcome *b)
{
	return a->filter.length == b->filter.length && a->filter.flags == b->filter.flags &&
	       a->n_allowed == b->n_allowed && !strcmp(a->findings, b->findings) &&
	       !memcmp(a->filter.insns, b->filter.insns, a->filter.length * sizeof(*a->filter.insns));
}

static void a_hit_is_the_same(void)
{
	struct outcome first = compile(text, 1), second;
	struct stat before, after;
	char name[300];

	expect(entries(name, sizeof(name)) == 1);
	expect(strlen(name) == 68 && !strcmp(name + 64, ".bpf"));
	before = status(name);
	expect((before.st_mode & 07777) == 0600);
	second = compile(text, 1);
	after = status(name);
	expect(before.st_ino == after.st_ino); /* not written again */
	expect(same(&first, &second));
	expect_text(second.findings, "f:1:102: warning: syscalls[0].names[1]: no system call \"raed\" is "
				     "known: the name has no effect "
				     "(did you mean \"read\"?)\n");
	done(&first);
	done(&second);
	/* Another subject or text is another entry. */
	first = compile(text, 2);
	second = compile("{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", 1);
	expect(entries(NULL, 0) == 3);
	expect(second.n_allowed == SECCOMP_ALLOWS_BY_DEFAULT);
	done(&first);
	done(&second);
}

/* Spoils the entry somehow; the compiler must take no notice, and put a sound one in its place. */
static void check_spoilt(const char *how, void (*spoil)(const char *name), bool replaced)
{
	struct outcome first, second;
	struct stat before, after;
	char name[300];

	while (entries(name, sizeof(name)))
		unlinkat(cachefd, name, 0);
	first = compile(text, 1);
	entries(name, sizeof(name));
	spoil(name);
	before = status(name);
	second = compile(text, 1);
	after = status(name);
	if (!same(&first, &second) || (before.st_ino != after.st_ino) != replaced) {
		printf("# %s\n", how);
		expect(!"a spoilt entry was believed");
	}
	expect(S_ISREG(after.st_mode) && (after.st_mode & 07777) == 0600);
	done(&first);
	done(&second);
}

/* Changes one byte in the file. */
static void flip(const char *name, off_t at)
{
	cleanup_fd int fd = openat(cachefd, name, O_RDWR | O_CLOEXEC);
	unsigned char byte = 0;

	expect(pread(fd, &byte, 1, at) == 1);
	byte ^= 1;
	expect(pwrite(fd, &byte, 1, at) == 1);
}

static void flip_instruction(const char *name)
{
	flip(name, 24 + 32 + 32 + 16 + 4);
}
static void flip_count(const char *name)
{
	flip(name, 24 + 32 + 32);
}
static void flip_key(const char *name)
{
	flip(name, 30);
}
static void flip_format(const char *name)
{
	flip(name, 0);
}
static void cut(const char *name)
{
	cleanup_fd int fd = openat(cachefd, name, O_RDWR | O_CLOEXEC);

	expect(ftruncate(fd, status(name).st_size - 1) == 0);
}
static void empty(const char *name)
{
	cleanup_fd int fd = openat(cachefd, name, O_RDWR | O_CLOEXEC);

	expect(ftruncate(fd, 0) == 0);
}
static void lengthen(const char *name)
{
	cleanup_fd int fd = openat(cachefd, name, O_RDWR | O_CLOEXEC);

	expect(ftruncate(fd, 1 << 20) == 0);
}
static void open_to_group(const char *name)
{
	expect(fchmodat(cachefd, name, 0620, 0) == 0);
}
static void open_to_all(const char *name)
{
	expect(fchmodat(cachefd, name, 0602, 0) == 0);
}
static void give_away(const char *name)
{
	expect(fchownat(cachefd, name, 65534, (gid_t)-1, 0) == 0);
}
static void link_elsewhere(const char *name)
{
	expect(renameat(cachefd, name, cachefd, "elsewhere") == 0);
	expect(symlinkat("elsewhere", cachefd, name) == 0);
}
static void make_fifo(const char *name)
{
	unlinkat(cachefd, name, 0);
	expect(mkfifoat(cachefd, name, 0600) == 0);
}
/* Another profile's sound entry under this name: one that allows everything. */
static void swap(const char *name)
{
	struct outcome other = compile("{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", 1);
	DIR *dir = fdopendir(openat(cachefd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *file;

	while ((file = readdir(dir)))
		if (file->d_name[0] != '.' && strcmp(file->d_name, name) != 0)
			expect(renameat(cachefd, file->d_name, cachefd, name) == 0);
	closedir(dir);
	done(&other);
}

static void spoilt_entries_are_not_believed(void)
{
	static const struct {
		const char *how;
		void (*spoil)(const char *name);
	} cases[] = {
		{"an instruction changed", flip_instruction},
		{"the count changed", flip_count},
		{"the key changed", flip_key},
		{"the format changed", flip_format},
		{"cut by a byte", cut},
		{"empty", empty},
		{"too long", lengthen},
		{"writable by its group", open_to_group},
		{"writable by all", open_to_all},
		{"a symbolic link", link_elsewhere},
		{"a fifo", make_fifo},
		{"another's entry", swap},
	};

	for (size_t i = 0; i < array_length(cases); i++)
		check_spoilt(cases[i].how, cases[i].spoil, true);
	if (geteuid() == 0)
		check_spoilt("someone else's", give_away, true);
}

static void oldest_entries_go(void)
{
	struct outcome outcome;
	char name[300], first[300];

	while (entries(name, sizeof(name)))
		unlinkat(cachefd, name, 0);
	outcome = compile(text, 0);
	done(&outcome);
	entries(first, sizeof(first));
	for (unsigned int i = 1; i < SECCOMP_CACHE_ENTRIES + 5; i++) {
		outcome = compile(text, i);
		done(&outcome);
	}
	expect(entries(NULL, 0) == SECCOMP_CACHE_ENTRIES);
	expect(faccessat(cachefd, first, F_OK, 0) < 0);
}

/* What a killed writer left goes when it is old enough; other files stay. */
static void leftovers_go(void)
{
	const struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	struct outcome outcome;

	close(openat(cachefd, ".x.bpf.1.new", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	close(openat(cachefd, ".y.bpf.1.new", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	close(openat(cachefd, "mine.txt", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	expect(utimensat(cachefd, ".x.bpf.1.new", old, 0) == 0 &&
		utimensat(cachefd, "mine.txt", old, 0) == 0);
	outcome = compile(text, 12345);
	done(&outcome);
	expect(faccessat(cachefd, ".x.bpf.1.new", F_OK, 0) < 0);
	expect(faccessat(cachefd, ".y.bpf.1.new", F_OK, 0) == 0);
	expect(faccessat(cachefd, "mine.txt", F_OK, 0) == 0);
}

/* A folder that can't be written costs the cache, not the start. */
static void a_useless_folder_does_no_harm(void)
{
	int saved = cachefd;
	struct outcome outcome;

	cachefd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	outcome = compile(text, 1);
	expect(outcome.filter.length > 0);
	done(&outcome);
	close(cachefd);
	cachefd = saved;
}

int main(void)
{
	char folder[] = "/tmp/minirun-cache-XXXXXX";
	struct error err;
	char *name;
	int parent;

	if (!mkdtemp(folder))
		return 1;
	cachefd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	group(a_hit_is_the_same);
	group(spoilt_entries_are_not_believed);
	group(oldest_entries_go);
	group(leftovers_go);
	group(a_useless_folder_does_no_harm);
	close(cachefd);
	parent = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	name = strrchr(folder, '/') + 1;
	expect(inroot_remove_tree(parent, name, &err) == 0);
	close(parent);
	return unit_done();
}
