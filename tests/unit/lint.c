/* The judge of seccomp profiles: small profiles, and the codes and places that each must yield. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/manifest/loader.h"
#include "tests/unit/unit.h"

/* What every program here may do anyway, so that a case is about one thing. */
#define LOADER                                                                                               \
	"{\"names\":[\"execve\",\"access\",\"openat\",\"open\",\"newfstatat\",\"stat\",\"lstat\",\"fstat\"," \
	"\"statx\",\"read\",\"pread64\",\"mmap\",\"mprotect\",\"close\",\"brk\",\"arch_prctl\","             \
	"\"exit_group\",\"faccessat\"],\"action\":\"SCMP_ACT_ALLOW\"}"
#define PROFILE(more) "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\n\"syscalls\":[\n" LOADER "" more "]}"
#define DENYING(more) "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\n\"syscalls\":[\n" more "]}"
/* The finding that each DENYING has. */
#define DENIES "1:18 warning default-allow\n"

struct lint_case {
	const char *name, *text;
	enum loader loader;
	const char *wanted; /* a line a finding: "LINE:COLUMN SEVERITY CODE" */
};

static char *judge(const struct lint_case *c, bool with_text)
{
	const struct lint_subject subject = {
		.capabilities = capabilities_default(), .loader = c->loader, .program = "/bin/true"};
	struct findings findings;
	char *shown = xstrdup("");

	findings_init(&findings, c->name);
	seccomp_lint(c->text, strlen(c->text), c->name, &subject, &findings);
	findings_sort(&findings);
	for (size_t i = 0; i < findings.n; i++) {
		const struct finding *f = &findings.items[i];
		char *longer = xasprintf("%s%u:%u %s %s%s%s%s%s\n", shown, f->line, f->column,
			severity_name(f->severity), f->code ? f->code : "-", with_text ? " " : "",
			with_text ? f->text : "", with_text && f->hint ? " / " : "",
			with_text && f->hint ? f->hint : "");

		free(shown);
		shown = longer;
	}
	findings_free(&findings);
	return shown;
}

static void check_text(const struct lint_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *shown = judge(&cases[i], false);

		if (strcmp(shown, cases[i].wanted) != 0)
			printf("# case %zu, %s:\n# %s\n", i, cases[i].name, cases[i].text);
		expect_text(shown, cases[i].wanted);
	}
}

static void finds_missing_calls(void)
{
	static const struct lint_case cases[] = {
		{"p.json", PROFILE(""), LOADER_UNKNOWN, ""},
		{"p.json", PROFILE(""), LOADER_GLIBC, ""},
		{"p.json", PROFILE(""), LOADER_MUSL, ""},
		{"p.json", "{\"defaultAction\":\"SCMP_ACT_ERRNO\"}", LOADER_NONE,
			"1:18 error execve-missing\n1:18 error loader-calls-missing\n"},
		{"p.json",
			"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[\n"
			"{\"names\":[\"execve\"],\"action\":\"SCMP_ACT_KILL\"}]}",
			LOADER_NONE, "1:18 warning default-allow\n2:11 error execve-missing\n"},
		/* A static program: it needs no loader. */
		{"p.json",
			"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[\n"
			"{\"names\":[\"execve\",\"arch_prctl\",\"exit_group\"],\"action\":\"SCMP_ACT_ALLOW\"}"
			"]}",
			LOADER_NONE, ""},
		{"p.json",
			"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[\n"
			"{\"names\":[\"execve\",\"arch_prctl\",\"exit_group\"],\"action\":\"SCMP_ACT_ALLOW\"}"
			"]}",
			LOADER_GLIBC, "1:18 error loader-calls-missing\n"},
		/* Not known what it is: both libcs are told of, as warnings. */
		{"p.json",
			"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[\n"
			"{\"names\":[\"execve\",\"arch_prctl\",\"exit_group\"],\"action\":\"SCMP_ACT_ALLOW\"}"
			"]}",
			LOADER_UNKNOWN,
			"1:18 warning loader-calls-missing\n1:18 warning loader-calls-missing\n"},
		/* With musl alone a program needs mprotect only. */
		{"p.json",
			"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[\n"
			"{\"names\":[\"execve\",\"mprotect\",\"arch_prctl\",\"exit_group\"],"
			"\"action\":\"SCMP_ACT_ALLOW\"}]}",
			LOADER_MUSL, "1:18 warning loader-calls-missing\n"},
	};

	check_text(cases, array_length(cases));
}

static void reads_promises(void)
{
	static const struct lint_case cases[] = {
		{"d/no-mkdir.json",
			PROFILE(",\n{\"names\":[\"mkdir\",\n\"mkdirat\"],\"action\":\"SCMP_ACT_ALLOW\"}"),
			LOADER_UNKNOWN, "4:11 error name-contradicts\n5:1 error name-contradicts\n"},
		{"no-mkdir.json", PROFILE(""), LOADER_UNKNOWN, ""},
		{"no_mkdir-or-chmod.json",
			PROFILE(",\n{\"names\":[\"chmod\",\"fchmodat\"],\"action\":\"SCMP_ACT_ALLOW\"}"),
			LOADER_UNKNOWN, "4:11 error name-contradicts\n4:19 error name-contradicts\n"},
		{"deny-init-module.json",
			DENYING("{\"names\":[\"init_module\",\"finit_module\"],\"action\":\"SCMP_ACT_"
				"ERRNO\"}"),
			LOADER_UNKNOWN, DENIES},
		{"deny_init_module.json", DENYING(""), LOADER_UNKNOWN,
			"1:18 warning default-allow\n1:18 error name-contradicts\n1:18 error "
			"name-contradicts\n"},
		{"allow-mkdir.json", PROFILE(""), LOADER_UNKNOWN, "1:18 error name-contradicts\n"},
		/* A word in between ends the promise. */
		{"no-more-mkdir.json",
			PROFILE(",\n{\"names\":[\"mkdir\",\"mkdirat\"],\"action\":\"SCMP_ACT_ALLOW\"}"),
			LOADER_UNKNOWN, ""},
		{"p.json",
			PROFILE(",\n{\"comment\":\"we don't allow mkdir\",\"names\":[\"mkdir\",\"mkdirat\"],"
				"\"action\":\"SCMP_ACT_ALLOW\"}"),
			LOADER_UNKNOWN, "4:44 error name-contradicts\n4:52 error name-contradicts\n"},
		{"p.json",
			PROFILE(",\n{\"comment\":\"allows mkdir and "
				"mkdirat\",\"names\":[\"mkdir\",\"mkdirat\"],"
				"\"action\":\"SCMP_ACT_KILL\"}"),
			LOADER_UNKNOWN, "4:48 error name-contradicts\n4:56 error name-contradicts\n"},
		{"deny-all-but-mkdir.json",
			PROFILE(",\n{\"names\":[\"mkdir\",\"mkdirat\"],\"action\":\"SCMP_ACT_ALLOW\"}"),
			LOADER_UNKNOWN, ""},
		{"allow_all_except_mkdir.json", DENYING(""), LOADER_UNKNOWN,
			DENIES "1:18 error name-contradicts\n1:18 error name-contradicts\n"},
		/* A comment's words are about the entry's own calls. */
		{"p.json",
			PROFILE(",\n{\"comment\":\"no open files\",\"names\":[\"getpid\"],"
				"\"action\":\"SCMP_ACT_ALLOW\"}"),
			LOADER_UNKNOWN, ""},
		/* What counts for some containers only promises nothing. */
		{"p.json",
			PROFILE(",\n{\"comment\":\"allows "
				"mkdir\",\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_ALLOW\","
				"\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}}"),
			LOADER_UNKNOWN, ""},
	};

	check_text(cases, array_length(cases));
}

static void knows_families(void)
{
	static const struct lint_case cases[] = {
		{"p.json", PROFILE(",\n{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_ALLOW\"}"),
			LOADER_UNKNOWN, "4:11 warning half-family\n"},
		{"p.json", PROFILE(",\n{\"names\":[\"dup2\"],\"action\":\"SCMP_ACT_ALLOW\"}"), LOADER_UNKNOWN,
			"4:11 info half-family\n"},
		/* eventfd without a 2 is of long ago. */
		{"p.json", PROFILE(",\n{\"names\":[\"eventfd2\"],\"action\":\"SCMP_ACT_ALLOW\"}"),
			LOADER_UNKNOWN, ""},
		/* Refused as if the kernel hadn't got it: nothing is halved by that. */
		{"p.json",
			PROFILE(",\n{\"names\":[\"openat2\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38}"),
			LOADER_UNKNOWN, ""},
		/* With a call of Linux 5.8 in it, openat2, of 5.6, is refused with EPERM. */
		{"p.json", PROFILE(",\n{\"names\":[\"faccessat2\"],\"action\":\"SCMP_ACT_ALLOW\"}"),
			LOADER_UNKNOWN, "3:38 warning half-family\n"},
		{"p.json", DENYING("{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_ERRNO\"}"), LOADER_UNKNOWN,
			DENIES "3:11 error half-denied\n"},
		{"p.json", DENYING("{\"names\":[\"mkdir\",\"mkdirat\"],\"action\":\"SCMP_ACT_ERRNO\"}"),
			LOADER_UNKNOWN, DENIES},
		{"p.json", DENYING("{\"names\":[\"chmod\",\"fchmodat\"],\"action\":\"SCMP_ACT_ERRNO\"}"),
			LOADER_UNKNOWN, DENIES "3:11 error half-denied\n"},
		/* With arguments in play nothing is whole. */
		{"p.json",
			DENYING("{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":1,"
				"\"value\":0,\"op\":\"SCMP_CMP_EQ\"}]}"),
			LOADER_UNKNOWN, DENIES},
		{"p.json", DENYING("{\"names\":[\"clone3\"],\"action\":\"SCMP_ACT_ERRNO\"}"), LOADER_UNKNOWN,
			DENIES "3:11 warning clone3-eperm\n"},
		{"p.json", DENYING("{\"names\":[\"clone3\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38}"),
			LOADER_UNKNOWN, DENIES},
		{"p.json", DENYING("{\"names\":[\"clone3\"],\"action\":\"SCMP_ACT_KILL_PROCESS\"}"),
			LOADER_UNKNOWN, DENIES "3:11 warning clone3-eperm\n"},
	};

	check_text(cases, array_length(cases));
}

static void compares_rules(void)
{
	static const struct lint_case cases[] = {
		{"p.json", PROFILE(",\n{\"names\":[\"getpid\",\n\"getpid\"],\"action\":\"SCMP_ACT_ALLOW\"}"),
			LOADER_UNKNOWN, "5:1 warning duplicate-name\n"},
		{"p.json", PROFILE(",\n{\"names\":[\"read\"],\"action\":\"SCMP_ACT_KILL\"}"), LOADER_UNKNOWN,
			"4:11 error contradiction\n"},
		/* Against what says the same as the default, too. */
		{"p.json", PROFILE(",\n{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ERRNO\"}"), LOADER_UNKNOWN,
			"4:11 error contradiction\n4:28 info rule-redundant\n"},
		/* What counts under other capabilities is no duplicate. */
		{"p.json",
			PROFILE(",\n{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{"
				"\"caps\":"
				"[\"CAP_SYS_ADMIN\"]}}"),
			LOADER_UNKNOWN, ""},
		{"p.json",
			PROFILE(",\n{\"names\":[\"read\"],\"action\":\"SCMP_ACT_KILL\",\"args\":[{\"index\":"
				"0,"
				"\"value\":3,\"op\":\"SCMP_CMP_EQ\"}]}"),
			LOADER_UNKNOWN, "4:11 warning rule-never-matches\n"},
		{"p.json",
			PROFILE(",\n{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":"
				"0,"
				"\"value\":3,\"op\":\"SCMP_CMP_EQ\"}]}"),
			LOADER_UNKNOWN, "4:11 warning rule-never-matches\n"},
		{"p.json",
			PROFILE(",\n{\"names\":[\"getpid\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[\n{"
				"\"index\":0,"
				"\"value\":0,\"op\":\"SCMP_CMP_LT\"}]}"),
			LOADER_UNKNOWN, "5:1 warning rule-never-matches\n"},
		{"p.json",
			PROFILE(",\n{\"names\":[\"getpid\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{"
				"\"arches\":"
				"[\"amd64\"]},\"excludes\":{\"arches\":[\"amd64\"]}}"),
			LOADER_UNKNOWN, "4:1 warning rule-never-matches\n"},
		/* A range that isn't one: any argument is at least 1 or at most 5. */
		{"p.json",
			PROFILE(",\n{\"names\":[\"getpid\"],\"action\":\"SCMP_ACT_ALLOW\",\n\"args\":[{"
				"\"index\":0,"
				"\"value\":1,\"op\":\"SCMP_CMP_GE\"},{\"index\":0,\"value\":5,\"op\":"
				"\"SCMP_CMP_LE\"}]}"),
			LOADER_UNKNOWN, "5:8 warning either-condition\n"},
		{"p.json", PROFILE(",\n{\"names\":[\"mkdirr\"],\"action\":\"SCMP_ACT_ALLOW\"}"),
			LOADER_UNKNOWN, "4:11 warning unknown-name\n"},
		/* What the reader finds wrong has no code yet, and ends it. */
		{"p.json", "{\"defaultAction\":\"SCMP_ACT_DENY\"}", LOADER_UNKNOWN, "1:18 error -\n"},
		{"p.json", "{", LOADER_UNKNOWN, "1:2 error -\n"},
	};

	check_text(cases, array_length(cases));
}

static void looks_at_the_root(void)
{
	static const struct lint_case cases[] = {
		{"p.json", "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", LOADER_UNKNOWN,
			"1:18 warning default-allow\n"},
		{"p.json", "{\"defaultAction\":\"SCMP_ACT_LOG\"}", LOADER_UNKNOWN,
			"1:18 warning action-log\n"},
		{"p.json", PROFILE(",\n{\"names\":[\"getpid\"],\"action\":\"SCMP_ACT_LOG\"}"), LOADER_UNKNOWN,
			"4:30 warning action-log\n"},
		{"p.json",
			"{\"architectures\":[\"SCMP_ARCH_S390X\"],\n\"defaultAction\":\"SCMP_ACT_ERRNO\",\n"
			"\"syscalls\":[" LOADER "]}",
			LOADER_UNKNOWN, "1:18 warning arch-missing\n"},
		{"p.json",
			"{\"archMap\":[{\"architecture\":\"SCMP_ARCH_S390X\"}],\n"
			"\"defaultAction\":\"SCMP_ACT_ERRNO\",\n\"syscalls\":[" LOADER "]}",
			LOADER_UNKNOWN, "1:12 warning arch-missing\n"},
		{"p.json",
			"{\"architectures\":[\"SCMP_ARCH_NATIVE\"],\n\"defaultAction\":\"SCMP_ACT_ERRNO\",\n"
			"\"syscalls\":[" LOADER "]}",
			LOADER_UNKNOWN, ""},
	};

	check_text(cases, array_length(cases));
}

static void says_how_to_mend(void)
{
	static const struct lint_case seed = {"no-mkdir.json",
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"execve\",\"openat\","
		"\"open\","
		"\"accept4\",\"read\",\"mmap\",\"mprotect\",\"close\",\"brk\",\"arch_prctl\",\"exit_group\","
		"\n\"mkdir\"],\"action\":\"SCMP_ACT_ALLOW\"}]}",
		LOADER_GLIBC, NULL};
	cleanup_free char *shown = judge(&seed, true);

	expect_text(shown, "1:18 error loader-calls-missing /bin/true, a program linked with glibc, can't "
			   "start: newfstatat and "
			   "pread64 are refused, as is access / allow newfstatat, pread64 and access\n"
			   "2:1 warning half-family mkdir is allowed without mkdirat: which of them a "
			   "program calls is up to its "
			   "libc / allow mkdirat too, or none of them\n"
			   "2:1 error name-contradicts it is called no-mkdir.json, and it allows mkdir / "
			   "take mkdir out of the "
			   "list\n");
}

/* The project's own profile has nothing to be ashamed of. */
static void approves_of_runtime_default(void)
{
	size_t size;
	const char *text = seccomp_runtime_default(&size);
	cleanup_free char *copy = xstrndup(text, size);
	const struct lint_case own = {"runtime-default.json", copy, LOADER_GLIBC, NULL};
	cleanup_free char *shown = judge(&own, true);

	expect(!strstr(shown, " error "));
	expect(!strstr(shown, " warning "));
}

static enum loader loader_of_file(const void *bytes, size_t size, char **script)
{
	char path[] = "/tmp/minirun-unit.XXXXXX";
	cleanup_fd int fd = mkostemp(path, O_CLOEXEC);
	enum loader loader;

	expect(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	unlink(path);
	loader = loader_read(fd, script);
	return loader;
}

static void reads_elf_files(void)
{
	cleanup_free char *script = NULL;
	cleanup_free char *none = NULL;
	cleanup_fd int shell = open("/bin/sh", O_RDONLY | O_CLOEXEC);
	unsigned char elf[4096];
	ssize_t size = pread(shell, elf, sizeof(elf), 0);

	expect(loader_read(shell, &none) == LOADER_GLIBC);
	expect(!none);
	/* Cut anywhere, or with any byte of the header changed: an answer, and no crash. */
	for (ssize_t cut = 0; cut < size; cut += 7)
		loader_of_file(elf, (size_t)cut, &none);
	for (size_t i = 0; i < 1024; i++) {
		unsigned char kept = elf[i];

		elf[i] = 0xff;
		loader_of_file(elf, (size_t)size, &none);
		elf[i] = kept;
	}
	expect(loader_of_file("#!/bin/sh -e\n", 13, &script) == LOADER_UNKNOWN);
	expect_text(script, "/bin/sh");
	expect(loader_of_file("#!", 2, &none) == LOADER_UNKNOWN && !none);
	expect(loader_of_file("#!  ", 4, &none) == LOADER_UNKNOWN && !none);
	expect(loader_of_file("", 0, &none) == LOADER_UNKNOWN && !none);
}

int main(void)
{
	group(finds_missing_calls);
	group(reads_promises);
	group(knows_families);
	group(compares_rules);
	group(looks_at_the_root);
	group(says_how_to_mend);
	group(approves_of_runtime_default);
	group(reads_elf_files);
	return unit_done();
}
