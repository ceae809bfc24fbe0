/* The reader of seccomp profiles: what it takes, and the words and places of what it doesn't. */
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "security/seccomp.h"
#include "tests/unit/unit.h"

/* All findings as they are shown; the profile, if wanted. */
static char *read_all(const char *text, struct seccomp_profile **profile)
{
	struct findings findings;
	struct seccomp_profile *read;
	char *shown = NULL;
	size_t n;
	FILE *out = open_memstream(&shown, &n);

	findings_init(&findings, "f");
	read = seccomp_profile_read(text, strlen(text), &findings);
	expect(!read == (findings.errors > 0));
	findings_sort(&findings);
	findings_print(&findings, out);
	fclose(out);
	findings_free(&findings);
	if (profile)
		*profile = read;
	else
		seccomp_profile_free(read);
	return shown;
}

static struct seccomp_profile *valid(const char *text)
{
	struct seccomp_profile *profile;
	cleanup_free char *shown = read_all(text, &profile);

	expect_text(shown, "");
	return profile;
}

struct wrong {
	const char *text, *findings;
};

static void check_wrong(const struct wrong *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *shown = read_all(cases[i].text, NULL);

		expect_text(shown, cases[i].findings);
	}
}

/* The profile of the post "System hardening with AppArmor and seccomp", to the letter. */
static const char post[] =
	"{\n"
	"    \"defaultAction\": \"SCMP_ACT_ERRNO\",\n"
	"    \"architectures\": [\n"
	"        \"SCMP_ARCH_X86_64\",\n"
	"        \"SCMP_ARCH_X86\",\n"
	"        \"SCMP_ARCH_X32\"\n"
	"    ],\n"
	"    \"syscalls\": [\n"
	"        {\n"
	"            \"names\": [\n"
	"                \"accept4\", \"epoll_wait\", \"pselect6\", \"futex\", \"madvise\", \"mkdir\", "
	"\"epoll_ctl\",\n"
	"                \"getsockname\", \"setsockopt\", \"vfork\", \"mmap\", \"read\", \"write\", "
	"\"close\",\n"
	"                \"arch_prctl\", \"sched_getaffinity\", \"munmap\", \"brk\", \"rt_sigaction\",\n"
	"                \"rt_sigprocmask\", \"sigaltstack\", \"gettid\", \"clone\", \"bind\", \"socket\", "
	"\"openat\",\n"
	"                \"readlinkat\", \"exit_group\", \"epoll_create1\", \"listen\", \"rt_sigreturn\",\n"
	"                \"sched_yield\", \"clock_gettime\", \"connect\", \"dup2\", \"epoll_pwait\", "
	"\"execve\",\n"
	"                \"exit\", \"fcntl\", \"getpid\", \"getuid\", \"ioctl\", \"mprotect\", "
	"\"nanosleep\", \"open\",\n"
	"                \"poll\", \"recvfrom\", \"sendto\", \"set_tid_address\", \"setitimer\", \"writev\"\n"
	"            ],\n"
	"            \"action\": \"SCMP_ACT_ALLOW\"\n"
	"        }\n"
	"    ]\n"
	"}\n";

static void the_posts_profile(void)
{
	struct seccomp_profile *profile = valid(post);
	bool mkdir = false;

	expect(profile->default_action == (SECCOMP_RET_ERRNO | EPERM));
	expect(profile->n_arches == 3 && profile->arches[2] == SCMP_ARCH_X32);
	expect(profile->flags == SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	expect(profile->n_entries == 1 && profile->entries[0].n_names == 51);
	expect(seccomp_profile_allowed(profile) == 51);
	/* It is called no-mkdir.json, but it allows mkdir. */
	for (size_t i = 0; i < profile->entries[0].n_names; i++)
		mkdir |= !strcmp(profile->entries[0].names[i].name, "mkdir");
	expect(mkdir);
	expect(profile->entries[0].names[5].line == 11 && profile->entries[0].names[5].column == 74);
	seccomp_profile_free(profile);
}

static void actions_and_errnos(void)
{
	static const struct {
		const char *action;
		uint32_t value;
	} cases[] = {
		{"\"SCMP_ACT_KILL\"", SECCOMP_RET_KILL_THREAD},
		{"\"SCMP_ACT_KILL_THREAD\"", SECCOMP_RET_KILL_THREAD},
		{"\"SCMP_ACT_KILL_PROCESS\"", SECCOMP_RET_KILL_PROCESS},
		{"\"SCMP_ACT_TRAP\"", SECCOMP_RET_TRAP},
		{"\"SCMP_ACT_ALLOW\"", SECCOMP_RET_ALLOW},
		{"\"SCMP_ACT_LOG\"", SECCOMP_RET_LOG},
		{"\"SCMP_ACT_ERRNO\"", SECCOMP_RET_ERRNO | EPERM},
		{"\"SCMP_ACT_TRACE\"", SECCOMP_RET_TRACE | EPERM},
		{"\"SCMP_ACT_ERRNO\",\"errnoRet\":38", SECCOMP_RET_ERRNO | 38},
		{"\"SCMP_ACT_ERRNO\",\"errnoRet\":0", SECCOMP_RET_ERRNO},
		{"\"SCMP_ACT_ERRNO\",\"errnoRet\":4095", SECCOMP_RET_ERRNO | 4095},
		{"\"SCMP_ACT_TRACE\",\"errnoRet\":65535", SECCOMP_RET_TRACE | 65535},
		{"\"SCMP_ACT_ERRNO\",\"errno\":\"ENOSYS\"", SECCOMP_RET_ERRNO | ENOSYS},
		{"\"SCMP_ACT_ERRNO\",\"errno\":\"ENOTSUP\"", SECCOMP_RET_ERRNO | ENOTSUP},
		{"\"SCMP_ACT_ERRNO\",\"errnoRet\":22,\"errno\":\"EINVAL\"", SECCOMP_RET_ERRNO | EINVAL},
		{"\"SCMP_ACT_ERRNO\",\"errnoRet\":null,\"errno\":\"\"", SECCOMP_RET_ERRNO | EPERM},
	};

	for (size_t i = 0; i < array_length(cases); i++) {
		cleanup_free char *text =
			xasprintf("{\"defaultAction\":\"SCMP_ACT_KILL_PROCESS\",\"syscalls\":"
				  "[{\"name\":\"read\",\"action\":%s}]}",
				cases[i].action);
		struct seccomp_profile *profile = valid(text);

		expect(profile && profile->entries[0].action == cases[i].value);
		seccomp_profile_free(profile);
	}
}

static void operators(void)
{
	struct seccomp_profile *profile =
		valid("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],"
		      "\"action\":\"SCMP_ACT_ERRNO\",\"args\":["
		      "{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_NE\"},{\"index\":1,\"value\":2,\"op\":"
		      "\"SCMP_CMP_LT\"},"
		      "{\"index\":2,\"value\":3,\"op\":\"SCMP_CMP_LE\"},"
		      "{\"index\":3,\"value\":18446744073709551615,\"valueTwo\":0,\"op\":\"SCMP_CMP_EQ\"},"
		      "{\"index\":4,\"value\":9223372036854775808,\"op\":\"SCMP_CMP_GE\"},"
		      "{\"index\":5,\"op\":\"SCMP_CMP_GT\"},"
		      "{\"value\":240,\"valueTwo\":16,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}]}");
	const struct seccomp_arg *args = profile->entries[0].args;

	expect(profile->entries[0].n_args == 7);
	expect(args[0].compare == COMPARE_NE && args[0].value == 1);
	expect(args[1].compare == COMPARE_LT && args[1].index == 1);
	expect(args[2].compare == COMPARE_LE);
	expect(args[3].compare == COMPARE_EQ && args[3].value == UINT64_MAX);
	expect(args[4].compare == COMPARE_GE && args[4].value == 1ULL << 63);
	expect(args[5].compare == COMPARE_GT && args[5].index == 5 && args[5].value == 0);
	expect(args[6].compare == COMPARE_MASKED_EQ && args[6].value == 240 && args[6].value_two == 16);
	expect(seccomp_profile_allowed(profile) == SECCOMP_ALLOWS_BY_DEFAULT);
	seccomp_profile_free(profile);
}

static void dockers_keys(void)
{
	struct seccomp_profile *profile = valid(
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"defaultErrno\":\"ENOSYS\","
		"\"architectures\":null,\"archMap\":["
		"{\"architecture\":\"SCMP_ARCH_NATIVE\",\"subArchitectures\":[\"SCMP_ARCH_X86\"]},"
		"{\"architecture\":\"SCMP_ARCH_S390X\",\"subArchitectures\":[\"SCMP_ARCH_S390\"]},"
		"{\"architecture\":\"SCMP_ARCH_LOONGARCH64\",\"subArchitectures\":null}],"
		"\"syscalls\":[{\"names\":[\"bpf\",\"clone3\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":null,"
		"\"comment\":\"\",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"],\"arches\":[\"amd64\",\"arm64\"]"
		","
		"\"minKernel\":\"4.8\"},\"excludes\":{}}]}");

	expect(profile->default_action == (SECCOMP_RET_ERRNO | ENOSYS));
	expect(profile->n_arches == 1 && profile->arches[0] == SCMP_ARCH_X86);
	expect(profile->entries[0].includes.capabilities == (capability_set)1 << 21);
	expect(profile->entries[0].includes.major == 4 && profile->entries[0].includes.minor == 8);
	expect(profile->entries[0].includes.arches && !profile->entries[0].excludes.arches);
	seccomp_profile_free(profile);
}

static void flags(void)
{
	struct seccomp_profile *profile =
		valid("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"]}");

	expect(profile->flags == SECCOMP_FILTER_FLAG_LOG);
	seccomp_profile_free(profile);
	profile = valid("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[]}");
	expect(profile->flags == 0);
	seccomp_profile_free(profile);
	profile = valid("{\"defaultAction\":\"SCMP_ACT_ALLOW\"}");
	expect(profile->flags == SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	seccomp_profile_free(profile);
}

/* A text with one entry, so that the cases below can be short. */
#define ENTRY(rest) "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[\n{" rest "}]}"
#define READ        "\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\""

static void warnings(void)
{
	static const struct wrong cases[] = {
		{ENTRY("\"names\":[\"raed\"],\"action\":\"SCMP_ACT_ALLOW\""),
			"f:2:11: warning: syscalls[0].names[0]: no system call \"raed\" is known: the name "
			"has no "
			"effect (did you mean \"read\"?)\n"},
		{ENTRY(READ ",\"args\":[{\"index\":0,\"value\":1,\"valueTwo\":2,\"op\":\"SCMP_CMP_EQ\"}]"),
			"f:2:85: warning: syscalls[0].args[0].valueTwo: has a meaning with "
			"SCMP_CMP_MASKED_EQ only\n"},
		{"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/run/"
		 "x\",\"listenerMetadata\":\"\"}",
			"f:1:50: warning: listenerPath: known, not supported here: no listener is asked "
			"about calls\n"},
		{"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"SECCOMP_FILTER_FLAG_TSYNC\"]}",
			"f:1:44: warning: flags[0]: has no effect: a program starts with one thread, there "
			"is no other "
			"to synchronise\n"},
		{"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_"
		 "RECV\"]}",
			"f:1:44: warning: flags[0]: has no effect: it concerns SCMP_ACT_NOTIFY, which needs "
			"a "
			"listener\n"},
		/* Newer than the library, and other machines' calls: known. */
		{ENTRY("\"names\":[\"mseal\",\"uretprobe\",\"file_setattr\",\"riscv_hwprobe\",\"chown32\"],"
		       "\"action\":\"SCMP_ACT_ALLOW\""),
			""},
	};

	check_wrong(cases, array_length(cases));
}

static void errors_of_the_whole(void)
{
	static const struct wrong cases[] = {
		{"", "f: error: the file is empty\n"},
		{"[]", "f:1:1: error: a seccomp profile must be a map, not a list\n"},
		{"{}", "f:1:1: error: defaultAction: Required value (\"SCMP_ACT_ALLOW\", \"SCMP_ACT_ERRNO\", "
		       "...)\n"},
		{"{\"defaultAction\":7}", "f:1:18: error: defaultAction: must be a string, not an integer\n"},
		{"{\"defaultAction\":\"SCMP_ACT_ALOW\"}",
			"f:1:18: error: defaultAction: unknown action \"SCMP_ACT_ALOW\" (did you mean "
			"\"SCMP_ACT_ALLOW\"?)\n"},
		{"{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}",
			"f:1:18: error: defaultAction: SCMP_ACT_NOTIFY needs a listener that decides about "
			"each call, "
			"and there is none (use SCMP_ACT_ERRNO instead)\n"},
		{"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\n \"syscals\":[]}",
			"f:2:2: error: syscals: unknown field (did you mean \"syscalls\"?)\n"},
		{"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"defaultErrnoRet\":1}",
			"f:1:53: error: defaultErrnoRet: SCMP_ACT_ALLOW returns no error number\n"},
		{"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":4096}",
			"f:1:53: error: defaultErrnoRet: must be a whole number from 0 to 4095\n"},
		{"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":-1}",
			"f:1:53: error: defaultErrnoRet: must be a whole number from 0 to 4095\n"},
		{"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":1.0}",
			"f:1:53: error: defaultErrnoRet: must be a whole number from 0 to 4095\n"},
		{"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrno\":\"EPREM\"}",
			"f:1:50: error: defaultErrno: unknown error name \"EPREM\" (a name as in errno(3): "
			"\"EPERM\", "
			"\"ENOSYS\", ...)\n"},
		{"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":1,\"defaultErrno\":\"ENOSYS\"}",
			"f:1:70: error: defaultErrno: \"ENOSYS\" is 38, but defaultErrnoRet says 1\n"},
		{"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86_46\"]}",
			"f:1:52: error: architectures[0]: unknown architecture \"SCMP_ARCH_X86_46\" (did you "
			"mean "
			"\"SCMP_ARCH_X86_64\"?)\n"},
		{"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86\"],\"archMap\":["
		 "{\"architecture\":\"SCMP_ARCH_ARM\"}]}",
			"f:1:79: error: archMap: 'architectures' and 'archMap' were specified in the seccomp "
			"profile, "
			"use either\n"},
		{"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"archMap\":[{}, 3]}",
			"f:1:46: error: archMap[0].architecture: Required value\n"
			"f:1:50: error: archMap[1]: must be a map, not an integer\n"},
		{"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"SECCOMP_FILTER_FLAG_LOGS\"]}",
			"f:1:44: error: flags[0]: unknown filter flag \"SECCOMP_FILTER_FLAG_LOGS\" (did you "
			"mean "
			"\"SECCOMP_FILTER_FLAG_LOG\"?)\n"},
		{"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[3]}",
			"f:1:47: error: syscalls[0]: must be a map, not an integer\n"},
	};

	check_wrong(cases, array_length(cases));
}

static void errors_of_entries(void)
{
	static const struct wrong cases[] = {
		{ENTRY(""), "f:2:1: error: syscalls[0].names: Required value\n"
			    "f:2:1: error: syscalls[0].action: Required value (\"SCMP_ACT_ALLOW\", "
			    "\"SCMP_ACT_ERRNO\", ...)\n"},
		{ENTRY("\"name\":\"read\"," READ), "f:2:9: error: syscalls[0].name: 'name' and 'names' were "
						   "specified in the seccomp profile, use "
						   "either\n"},
		{ENTRY("\"names\":[1],\"action\":\"SCMP_ACT_ALLOW\""),
			"f:2:11: error: syscalls[0].names[0]: must be a string, not an integer\n"},
		{ENTRY(READ ",\"errnoret\":1"),
			"f:2:45: error: syscalls[0].errnoret: unknown field (did you mean \"errnoRet\"?)\n"},
		{ENTRY(READ ",\"errnoRet\":1"),
			"f:2:56: error: syscalls[0].errnoRet: SCMP_ACT_ALLOW returns no error number\n"},
		{ENTRY(READ ",\"args\":[{\"index\":6,\"value\":-1,\"op\":\"SCMP_CMP_QE\"}]"),
			"f:2:62: error: syscalls[0].args[0].index: must be a whole number from 0 to 5\n"
			"f:2:72: error: syscalls[0].args[0].value: must be a whole number from 0 to "
			"18446744073709551615\n"
			"f:2:80: error: syscalls[0].args[0].op: unknown operator \"SCMP_CMP_QE\" (did you "
			"mean "
			"\"SCMP_CMP_NE\"?)\n"},
		{ENTRY(READ ",\"args\":[{\"index\":0,\"value\":18446744073709551616}]"),
			"f:2:53: error: syscalls[0].args[0].op: Required value (\"SCMP_CMP_EQ\", ...)\n"
			"f:2:72: error: syscalls[0].args[0].value: must be a whole number from 0 to "
			"18446744073709551615\n"},
		{ENTRY(READ ",\"args\":[0]"),
			"f:2:53: error: syscalls[0].args[0]: must be a map, not an integer\n"},
		{ENTRY(READ ",\"includes\":{\"caps\":[\"SYS_ADMIN\",\"CAP_SYS_ADMN\",1],\"arche\":[]}"),
			"f:2:65: error: syscalls[0].includes.caps[0]: unknown capability \"SYS_ADMIN\" (did "
			"you mean "
			"\"CAP_SYS_ADMIN\"?)\n"
			"f:2:77: error: syscalls[0].includes.caps[1]: unknown capability \"CAP_SYS_ADMN\" "
			"(did you mean "
			"\"CAP_SYS_ADMIN\"?)\n"
			"f:2:92: error: syscalls[0].includes.caps[2]: must be a string, not an integer\n"
			"f:2:95: error: syscalls[0].includes.arche: unknown field (did you mean "
			"\"arches\"?)\n"},
		{ENTRY(READ ",\"excludes\":{\"arches\":[\"x86_64\"],\"minKernel\":\"4.8.1\"}"),
			"f:2:67: error: syscalls[0].excludes.arches[0]: unknown architecture \"x86_64\" (did "
			"you mean "
			"\"amd64\"?)\n"
			"f:2:89: error: syscalls[0].excludes.minKernel: must be a kernel's version such as "
			"\"4.8\", not "
			"\"4.8.1\"\n"},
	};

	check_wrong(cases, array_length(cases));
}

static void limits(void)
{
	struct strv parts = {0};
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);
	cleanup_free char *shown = NULL;

	(void)parts;
	fputs("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[", out);
	for (int i = 0; i < SECCOMP_MAX_NAMES + 10; i++)
		fprintf(out, "%s\n\"read\"", i ? "," : "");
	fputs("],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[", out);
	for (int i = 0; i < SECCOMP_MAX_CONDITIONS + 10; i++)
		fprintf(out, "%s\n{\"index\":0,\"value\":%d,\"op\":\"SCMP_CMP_EQ\"}", i ? "," : "", i);
	fputs("]}]}", out);
	fclose(out);
	shown = read_all(text, NULL);
	expect_text(shown, "f:4098:1: error: syscalls[0].names[4096]: the profile has more than 4096 names\n"
			   "f:4620:1: error: syscalls[0].args[512]: the profile has more than 512 conditions "
			   "(the kernel takes "
			   "4096 instructions)\n");
	free(text);
}

int main(void)
{
	group(the_posts_profile);
	group(actions_and_errnos);
	group(operators);
	group(dockers_keys);
	group(flags);
	group(warnings);
	group(errors_of_the_whole);
	group(errors_of_entries);
	group(limits);
	return unit_done();
}
