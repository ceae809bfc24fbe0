/* The compiler of seccomp profiles: what each call gets, what is refused, and that a wrong filter is noticed. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "security/seccomp.h"
#include "tests/unit/unit.h"

#define X32_BIT   0x40000000
#define NO_ACTION 0xdeadbeef
#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif

struct compiled {
	struct seccomp_filter filter;
	struct findings findings;
	struct error err;
	unsigned int n_allowed;
	int result;
};

static void compile_for(struct compiled *c, const char *text, capability_set capabilities)
{
	const struct seccomp_subject subject = {capabilities};

	*c = (struct compiled){0};
	findings_init(&c->findings, "f");
	c->result = seccomp_compile(
		text, strlen(text), "p.json", &subject, -1, &c->filter, &c->n_allowed, &c->findings, &c->err);
	if (c->result < 0 && c->err.class == ERROR_INTERNAL)
		printf("# %s\n", c->err.message);
}

static void done(struct compiled *c)
{
	seccomp_filter_free(&c->filter);
	findings_free(&c->findings);
}

static void compile(struct compiled *c, const char *text)
{
	compile_for(c, text, capabilities_default());
}

static uint32_t on(const struct compiled *c, uint32_t arch, long nr, uint64_t first, uint64_t second)
{
	const uint64_t args[6] = {first, second};

	return c->filter.length ? seccomp_simulate(&c->filter, arch, (int)nr, args, 0) : NO_ACTION;
}

static uint32_t of(const struct compiled *c, long nr)
{
	return on(c, NATIVE, nr, 0, 0);
}

#define ERRNO(e) (SECCOMP_RET_ERRNO | (e))
#define ALLOW    SECCOMP_RET_ALLOW
/* One entry beside the execve that a profile needs. */
#define PROFILE(more)                                                                                       \
	"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"execve\",\"statx\"],\"action\":" \
	"\"SCMP_ACT_ALLOW\"}" more "]}"
#define IF(index, op, value, two) \
	"{\"index\":" #index ",\"value\":" #value ",\"valueTwo\":" #two ",\"op\":\"SCMP_CMP_" #op "\"}"

static void plain_rules(void)
{
	struct compiled c;

	compile(&c, PROFILE(",{\"names\":[\"read\",\"close\"],\"action\":\"SCMP_ACT_ALLOW\"},"
			    "{\"names\":[\"mkdirat\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":30},"
			    "{\"names\":[\"ptrace\"],\"action\":\"SCMP_ACT_TRACE\",\"errnoRet\":7},"
			    "{\"names\":[\"chroot\"],\"action\":\"SCMP_ACT_KILL_PROCESS\"},"
			    "{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_TRAP\"},"
			    "{\"names\":[\"umount2\"],\"action\":\"SCMP_ACT_LOG\"},"
			    "{\"names\":[\"unlinkat\"],\"action\":\"SCMP_ACT_ERRNO\"}"));
	expect(c.result == 0 && c.findings.n == 0);
	expect(c.n_allowed == 5); /* execve statx read close umount2 */
	expect(c.filter.flags == SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	expect(of(&c, SYS_read) == ALLOW && of(&c, SYS_execve) == ALLOW);
	expect(of(&c, SYS_write) == ERRNO(EPERM) && of(&c, SYS_unlinkat) == ERRNO(EPERM));
	expect(of(&c, SYS_mkdirat) == ERRNO(EROFS));
	expect(of(&c, SYS_ptrace) == (SECCOMP_RET_TRACE | 7));
	expect(of(&c, SYS_chroot) == SECCOMP_RET_KILL_PROCESS);
	expect(of(&c, SYS_mount) == SECCOMP_RET_TRAP);
	expect(of(&c, SYS_umount2) == SECCOMP_RET_LOG);
	done(&c);
}

static void every_operator(void)
{
	static const struct {
		const char *condition;
		uint64_t allowed[3], refused[3];
	} cases[] = {
		{IF(0, EQ, 4294967298, 0), {4294967298}, {2, 4294967297, 4294967299}},
		{IF(0, NE, 4294967298, 0), {2, 4294967297, UINT64_MAX}, {4294967298, 4294967298, 4294967298}},
		{IF(0, LT, 4294967298, 0), {0, 4294967297, 2}, {4294967298, UINT64_MAX, 8589934592}},
		{IF(0, LE, 4294967298, 0), {0, 4294967298, 5}, {4294967299, UINT64_MAX, 8589934592}},
		{IF(0, GT, 4294967298, 0), {4294967299, UINT64_MAX, 8589934592}, {0, 4294967298, 5}},
		{IF(0, GE, 4294967298, 0), {4294967298, UINT64_MAX, 8589934592}, {0, 4294967297, 5}},
		{IF(0, MASKED_EQ, 4026531840, 268435456), {0x10000000, 0x1fffffff, 0xffffffff1abcdef0},
			{0, 0x30000000, 0x20000000}},
		{IF(0, EQ, 18446744073709551615, 0), {UINT64_MAX, UINT64_MAX, UINT64_MAX},
			{UINT32_MAX, 0, 0xffffffff00000000}},
	};

	for (size_t i = 0; i < array_length(cases); i++) {
		struct compiled c;
		cleanup_free char *text = xasprintf(
			PROFILE(",{\"names\":[\"personality\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[%s]}"),
			cases[i].condition);

		compile(&c, text);
		expect(c.result == 0 && c.n_allowed == 3);
		for (size_t j = 0; j < 3; j++) {
			if (cases[i].allowed[j])
				expect(on(&c, NATIVE, SYS_personality, cases[i].allowed[j], 0) == ALLOW);
			expect(on(&c, NATIVE, SYS_personality, cases[i].refused[j], 0) == ERRNO(EPERM));
		}
		done(&c);
	}
}

static void conditions_together(void)
{
	struct compiled c;

	/* On different arguments: all must hold. */
	compile(&c, PROFILE(",{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[" IF(
			    0, EQ, 2, 0) "," IF(1, EQ, 1, 0) "]}"));
	expect(on(&c, NATIVE, SYS_socket, 2, 1) == ALLOW);
	expect(on(&c, NATIVE, SYS_socket, 2, 2) == ERRNO(EPERM));
	expect(on(&c, NATIVE, SYS_socket, 1, 1) == ERRNO(EPERM));
	done(&c);
	/* Two on the same argument: each is a rule of its own, as under runc. */
	compile(&c, PROFILE(",{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[" IF(
			    0, EQ, 2, 0) "," IF(0, EQ, 10, 0) "," IF(1, EQ, 3, 0) "]}"));
	expect(on(&c, NATIVE, SYS_socket, 2, 9) == ALLOW);
	expect(on(&c, NATIVE, SYS_socket, 10, 9) == ALLOW);
	expect(on(&c, NATIVE, SYS_socket, 9, 3) == ALLOW);
	expect(on(&c, NATIVE, SYS_socket, 9, 9) == ERRNO(EPERM));
	done(&c);
}

static void newer_calls_get_enosys(void)
{
	struct compiled c;

	/* statx (332 on x86-64, 291 on arm64) is the newest here. */
	compile(&c, PROFILE(""));
	expect(of(&c, SYS_statx) == ALLOW);
	expect(of(&c, SYS_statx - 1) == ERRNO(EPERM));
	expect(of(&c, SYS_statx + 1) == ERRNO(ENOSYS));
	expect(of(&c, 9999) == ERRNO(ENOSYS));
	done(&c);
	/* An entry that the default makes superfluous counts too: its author knew the call. */
	compile(&c, PROFILE(",{\"names\":[\"clone3\"],\"action\":\"SCMP_ACT_ERRNO\"}"));
	expect(of(&c, SYS_clone3) == ERRNO(EPERM));
	expect(of(&c, SYS_clone3 + 1) == ERRNO(ENOSYS));
	done(&c);
	/* Where the default lets through, or kills, or answers by itself. */
	compile(&c, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mkdirat\"],"
		    "\"action\":\"SCMP_ACT_ERRNO\"}]}");
	expect(c.n_allowed == SECCOMP_ALLOWS_BY_DEFAULT);
	expect(of(&c, 9999) == ALLOW && of(&c, SYS_mkdirat) == ERRNO(EPERM));
	done(&c);
	compile(&c, "{\"defaultAction\":\"SCMP_ACT_KILL_PROCESS\",\"syscalls\":[{\"names\":[\"execve\"],"
		    "\"action\":\"SCMP_ACT_ALLOW\"}]}");
	expect(of(&c, SYS_execve - 1) == SECCOMP_RET_KILL_PROCESS);
	expect(of(&c, SYS_execve + 1) == ERRNO(ENOSYS));
	done(&c);
}

static void calls_the_library_does_not_know(void)
{
	struct compiled c;

	compile(&c,
		PROFILE(",{\"names\":[\"mseal\",\"file_setattr\"],\"action\":\"SCMP_ACT_ALLOW\"},"
			"{\"names\":[\"lsm_set_self_attr\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":13}"));
	expect(c.result == 0 && c.findings.n == 0 && c.n_allowed == 4);
	expect(of(&c, 462) == ALLOW && of(&c, 469) == ALLOW);
	expect(of(&c, 460) == ERRNO(EACCES));
	expect(of(&c, 461) == ERRNO(EPERM));
	expect(of(&c, 470) == ERRNO(ENOSYS));
	done(&c);
	/* With conditions too: on either half of a 64-bit argument, and the first rule without any decides. */
	compile(&c, PROFILE(",{\"names\":[\"mseal\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[" IF(
			    0, GT, 4294967298, 0) "," IF(1, NE, 7,
			    0) "]},"
			       "{\"names\":[\"mseal\"],\"action\":\"SCMP_ACT_LOG\",\"args\":[" IF(
				       0, MASKED_EQ, 255, 3) "]}"));
	expect(c.result == 0);
	expect(on(&c, NATIVE, 462, 4294967299, 1) == ALLOW && on(&c, NATIVE, 462, UINT64_MAX, 1) == ALLOW);
	expect(on(&c, NATIVE, 462, 4294967299, 7) == SECCOMP_RET_LOG);
	expect(on(&c, NATIVE, 462, 4294967298, 1) == ERRNO(EPERM) &&
		on(&c, NATIVE, 462, 3, 7) == SECCOMP_RET_LOG);
	expect(on(&c, NATIVE, 463, 0, 0) == ERRNO(ENOSYS));
	done(&c);
}

#if defined(__x86_64__)
static void architectures(void)
{
	struct compiled c;

	/* Without a list: the machine's own, and nothing else lives. */
	compile(&c, PROFILE(""));
	expect(on(&c, AUDIT_ARCH_I386, 11, 0, 0) == SECCOMP_RET_KILL_THREAD);
	expect(on(&c, NATIVE, X32_BIT | 520, 0, 0) == SECCOMP_RET_KILL_THREAD);
	done(&c);
	compile(&c, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_X86\",\"SCMP_ARCH_"
		    "X32\","
		    "\"SCMP_ARCH_AARCH64\"],\"syscalls\":[{\"names\":[\"execve\",\"socket\",\"chown32\","
		    "\"mseal\"],"
		    "\"action\":\"SCMP_ACT_ALLOW\"}]}");
	expect(c.result == 0);
	expect(of(&c, SYS_execve) == ALLOW);
	expect(on(&c, AUDIT_ARCH_I386, 11, 0, 0) == ALLOW);
	expect(on(&c, AUDIT_ARCH_I386, 212, 0, 0) == ALLOW); /* chown32 */
	expect(on(&c, AUDIT_ARCH_I386, 359, 0, 0) == ALLOW); /* socket, directly */
	expect(on(&c, AUDIT_ARCH_I386, 102, 1, 0) == ALLOW); /* socket, through socketcall */
	expect(on(&c, AUDIT_ARCH_I386, 102, 2, 0) == ERRNO(EPERM));
	expect(on(&c, AUDIT_ARCH_I386, 462, 0, 0) == ALLOW);
	expect(on(&c, AUDIT_ARCH_I386, 463, 0, 0) == ERRNO(ENOSYS));
	expect(on(&c, NATIVE, X32_BIT | 520, 0, 0) == ALLOW); /* x32 has an execve of its own */
	expect(on(&c, NATIVE, X32_BIT | 462, 0, 0) == ALLOW);
	expect(on(&c, NATIVE, X32_BIT | 548, 0, 0) == ERRNO(ENOSYS));
	expect(on(&c, NATIVE, X32_BIT | 1, 0, 0) == ERRNO(EPERM));
	expect(on(&c, AUDIT_ARCH_AARCH64, 221, 0, 0) == SECCOMP_RET_KILL_THREAD); /* can't happen here */
	done(&c);
}
#endif

static void includes_and_excludes(void)
{
	static const char text[] = PROFILE(
		",{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"caps\":[\"CAP_SYS_"
		"ADMIN\"]}},"
		"{\"names\":[\"umount2\"],\"action\":\"SCMP_ACT_ALLOW\",\"excludes\":{\"caps\":[\"CAP_SYS_"
		"ADMIN\"]}},"
		"{\"names\":[\"bpf\"],\"action\":\"SCMP_ACT_ALLOW\","
		"\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\",\"CAP_BPF\"]}},"
		"{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"arches\":[\"amd64\","
		"\"arm64\"]}},"
		"{\"names\":[\"write\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"arches\":[\"s390x\"]}},"
		"{\"names\":[\"close\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"minKernel\":\"4.8\"}},"
		"{\"names\":[\"dup\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"minKernel\":\"999.0\"}},"
		"{\"names\":[\"fsync\"],\"action\":\"SCMP_ACT_ALLOW\",\"excludes\":{\"minKernel\":\"4.8\"}}");
	const capability_set admin = (capability_set)1 << 21;
	struct compiled c;

	compile_for(&c, text, 0);
	expect(of(&c, SYS_mount) == ERRNO(EPERM) && of(&c, SYS_umount2) == ALLOW);
	expect(of(&c, SYS_read) == ALLOW && of(&c, SYS_write) == ERRNO(EPERM));
	expect(of(&c, SYS_close) == ALLOW && of(&c, SYS_dup) == ERRNO(EPERM));
	expect(of(&c, SYS_fsync) == ERRNO(EPERM));
	expect(c.n_allowed == 5);
	done(&c);
	compile_for(&c, text, admin);
	expect(of(&c, SYS_mount) == ALLOW && of(&c, SYS_umount2) == ERRNO(EPERM));
	expect(of(&c, SYS_bpf) == ERRNO(EPERM)); /* all that are included must be there */
	done(&c);
	compile_for(&c, text, admin | (capability_set)1 << 39);
	expect(of(&c, SYS_bpf) == ALLOW);
	done(&c);
}

static void execve_is_needed(void)
{
	struct compiled c;

	compile(&c, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\",\"execveat\"],"
		    "\"action\":\"SCMP_ACT_ALLOW\"}]}");
	expect(c.result < 0 && c.err.class == ERROR_PROFILE && !c.filter.insns);
	expect_text(c.err.message,
		"seccomp profile p.json: it does not allow execve, so no program could be started under it");
	expect(strstr(c.err.hint, "execve"));
	done(&c);
	compile(&c, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"execve\"],"
		    "\"action\":\"SCMP_ACT_ERRNO\"}]}");
	expect(c.result < 0);
	done(&c);
	/* With conditions it may come off: the program's own business. */
	compile(&c, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"execve\"],"
		    "\"action\":\"SCMP_ACT_ALLOW\",\"args\":[" IF(2, NE, 0, 0) "]}]}");
	expect(c.result == 0);
	done(&c);
	compile(&c, "{\"defaultAction\":\"SCMP_ACT_LOG\"}");
	expect(c.result == 0);
	done(&c);
}

static void rules_that_contradict(void)
{
	struct compiled c;

	/* Without conditions the first decides, and the other is named. */
	compile(&c, PROFILE(",\n{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"},\n"
			    "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_KILL\"}"));
	expect(c.result == 0 && of(&c, SYS_read) == ALLOW);
	expect(c.findings.n == 1 && c.findings.items[0].line == 3);
	expect_text(c.findings.items[0].text,
		"this rule for read has no effect: line 2 decides every call of it (SCMP_ACT_ALLOW)");
	done(&c);
	/* A condition is lost beside a rule without. */
	compile(&c, PROFILE(",\n{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_KILL\",\"args\":[" IF(
			    0, EQ, 40, 0) "]},\n"
					  "{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\"}"));
	expect(c.result == 0 && on(&c, NATIVE, SYS_socket, 40, 0) == ALLOW);
	expect(c.findings.n == 1 && c.findings.items[0].line == 2);
	done(&c);
	/* The same condition with two actions can't be compiled. */
	compile(&c, PROFILE(",\n{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_KILL\",\"args\":[" IF(0, EQ, 40,
			    0) "]},\n"
			       "{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[" IF(
				       0, EQ, 40, 0) "]}"));
	expect(c.result < 0 &&
		strstr(c.err.message, "line 3: the rule for socket contradicts an earlier one"));
	done(&c);
}

static void errors_are_counted(void)
{
	struct compiled c;

	compile(&c, PROFILE(",{\"names\":3,\"actoin\":1}"));
	expect(c.result < 0 && c.err.class == ERROR_PROFILE && c.findings.errors >= 3);
	expect(strstr(c.err.message, "seccomp profile p.json: it has "));
	done(&c);
}

struct written {
	char *start;
	size_t size;
};

/* A profile to be written to, rule by rule, that lets execve be called. */
static FILE *open_profile(struct written *text, const char *members)
{
	FILE *out = open_memstream(&text->start, &text->size);

	fprintf(out, "{%s,\"syscalls\":[{\"names\":[\"execve\"],\"action\":\"SCMP_ACT_ALLOW\"}", members);
	return out;
}

static void compile_written(struct compiled *c, FILE *out, struct written *text)
{
	fputs("]}", out);
	fclose(out);
	compile(c, text->start);
	free(text->start);
}

/* More instructions than the kernel takes. */
static void too_large(void)
{
	struct compiled c;
	struct written text;
	FILE *out = open_profile(&text, "\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_"
					"X86\",\"SCMP_ARCH_X32\"]");

	for (int i = 0; i < 500; i++)
		fprintf(out,
			",{\"names\":[\"personality\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":%d,"
			"\"args\":["
			"{\"index\":%d,\"value\":%llu,\"valueTwo\":%llu,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}",
			i + 2, i % 6, ~0ULL - (unsigned int)i,
			((unsigned long long)i + 1) << 33 | (unsigned int)i * 7919U);
	compile_written(&c, out, &text);
	expect(c.result < 0 && c.err.class == ERROR_PROFILE);
	expect(strstr(c.err.message, "instructions, and the kernel takes 4096"));
	done(&c);
}

/* Every single instruction turned into a wrong one must be found out, or make no difference to any call. */
static void wrong_filters_are_found_out(void)
{
	static const char text[] = PROFILE(
		",{\"names\":[\"read\",\"close\",\"mkdirat\"],\"action\":\"SCMP_ACT_ALLOW\"},"
		"{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[" IF(0, EQ, 4294967298,
			0) "]},"
			   "{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[" IF(0, MASKED_EQ,
				   2114060288, 0) "]},"
						  "{\"names\":[\"personality\"],\"action\":\"SCMP_ACT_"
						  "ALLOW\",\"args\":[" IF(0, GE, 77309411328, 0) "]}");
	static const struct sock_filter decided[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_personality, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, ERRNO(EPERM)),
	};
	struct findings findings;
	struct seccomp_profile *profile;
	const struct seccomp_subject subject = {0};
	struct seccomp_filter blind;
	struct seccomp_rules rules;
	struct compiled c;
	struct error err;
	size_t missed = 0;

	findings_init(&findings, "f");
	profile = seccomp_profile_read(text, strlen(text), &findings);
	expect(seccomp_select(profile, &subject, &rules, &findings, &err) == 0);
	compile_for(&c, text, 0);
	expect(seccomp_verify(&rules, &c.filter, &err) == 0);
	for (size_t i = 0; i < c.filter.length; i++) {
		struct sock_filter *insn = &c.filter.insns[i], right = *insn;

		if (BPF_CLASS(insn->code) == BPF_RET)
			insn->k = insn->k == ALLOW ? ERRNO(EPERM) : ALLOW;
		else if (BPF_CLASS(insn->code) == BPF_JMP && BPF_OP(insn->code) != BPF_JA &&
			 insn->jt != insn->jf) {
			insn->jt = right.jf;
			insn->jf = right.jt;
		} else {
			continue;
		}
		if (seccomp_verify(&rules, &c.filter, &err) == 0) {
			printf("# instruction %zu, changed, makes no difference\n", i);
			missed++;
		} else {
			expect(err.class == ERROR_INTERNAL);
		}
		*insn = right;
	}
	expect(missed == 0);
	/* The number alone decides, where a condition is to be looked at. */
	blind = c.filter;
	blind.insns = xcalloc(c.filter.length + array_length(decided), sizeof(*blind.insns));
	memcpy(blind.insns, decided, sizeof(decided));
	memcpy(blind.insns + array_length(decided), c.filter.insns, c.filter.length * sizeof(*blind.insns));
	blind.length += array_length(decided);
	expect(seccomp_verify(&rules, &blind, &err) < 0 && strstr(err.message, "personality"));
	seccomp_filter_free(&blind);
	done(&c);
	free(rules.items);
	seccomp_profile_free(profile);
	findings_free(&findings);
}

/*
 * GHSA-4q85-33p6-j5g6 and its kin: libseccomp up to 2.6.0 merges these comparisons into a filter that does something
 * else. It is noticed, and the conditions are then compiled without the library.
 */
static void what_libseccomp_gets_wrong(void)
{
	struct compiled c;

	compile(&c, PROFILE(",{\"names\":[\"semget\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[" IF(
			    0, LT, 4294967295, 0) "," IF(0, LT, 9223372036854775807, 0) "]}"));
	expect(c.result == 0 && c.err.class == ERROR_NONE);
	expect(on(&c, NATIVE, SYS_semget, UINT32_MAX, 0) == ALLOW);
	expect(on(&c, NATIVE, SYS_semget, INT64_MAX, 0) == ERRNO(EPERM));
	expect(of(&c, SYS_execve) == ALLOW && of(&c, SYS_read) == ERRNO(EPERM));
	done(&c);
	/* This one weakens the filter: clone(0, 2) must not be allowed. */
	compile(&c, PROFILE(",{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[" IF(
			    1, GT, 4294967298, 0) "," IF(0, MASKED_EQ, 18446744073709551615,
			    18446744069414584320) "," IF(1, LT, 0, 0) "]}"));
	expect(c.result == 0);
	expect(on(&c, NATIVE, SYS_clone, 0, 2) == ERRNO(EPERM));
	expect(on(&c, NATIVE, SYS_clone, 0, 4294967299) == ALLOW);
	expect(on(&c, NATIVE, SYS_clone, 0xffffffff00000000, 2) == ALLOW);
	done(&c);
}

#define TWO(a, b)      "\"args\":[" a "," b "]"
#define THREE(a, b, c) "\"args\":[" a "," b "," c "]"

/* libseccomp 2.5.4 never returns from these: its process is ended, after three seconds, and we do without it. */
static void what_libseccomp_hangs_on(void)
{
	struct compiled c;

	compile(&c,
		PROFILE(",{\"names\":[\"ipc\"],\"action\":\"SCMP_ACT_ALLOW\"," THREE(IF(0, GT, 8589934593, 0),
			IF(2, EQ, 5, 0),
			IF(0, NE, 4294967298,
				0)) "},"
				    "{\"names\":[\"ipc\"],\"action\":\"SCMP_ACT_ALLOW\"," THREE(
					    IF(2, NE, 1, 0), IF(0, NE, 2147483648, 0),
					    IF(1, GT, 8589934593,
						    0)) "},"
							"{\"names\":[\"ipc\"],\"action\":\"SCMP_ACT_ERRNO\","
							"\"errnoRet\":5," TWO(IF(0, NE, 2147483648, 0),
								IF(2, LT, 2, 0)) "}"));
	expect(c.result == 0 && c.err.class == ERROR_NONE);
	expect(of(&c, SYS_execve) == ALLOW && of(&c, SYS_read) == ERRNO(EPERM));
	done(&c);
}

static void malformed_programs(void)
{
	static const uint64_t args[6];
	struct sock_filter cases[][2] = {
		{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), BPF_STMT(BPF_RET | BPF_A, 0)},
		{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), BPF_STMT(BPF_RET | BPF_A, 0)},
		{BPF_STMT(BPF_LD | BPF_MEM, 16), BPF_STMT(BPF_RET | BPF_K, ALLOW)},
		{BPF_STMT(BPF_ST, 16), BPF_STMT(BPF_RET | BPF_K, ALLOW)},
		{BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX), BPF_STMT(BPF_RET | BPF_K, ALLOW)},
		{BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, ALLOW)},
		{BPF_STMT(BPF_LD | BPF_IMM, 0), BPF_STMT(BPF_LD | BPF_IMM, 0)},
	};

	for (size_t i = 0; i < array_length(cases); i++) {
		const struct seccomp_filter filter = {cases[i], 2, 0};

		expect(seccomp_simulate(&filter, NATIVE, 0, args, 0) == SECCOMP_RET_KILL_PROCESS);
	}
}

static void runtime_default(void)
{
	size_t size;
	const char *text = seccomp_runtime_default(&size);
	struct compiled c;

	expect(strlen(text) == size);
	compile(&c, text);
	expect(c.result == 0 && c.findings.n == 0);
	expect(c.n_allowed > 270 && c.n_allowed < seccomp_known_calls()); /* not of other architectures */
	expect(of(&c, SYS_execve) == ALLOW && of(&c, SYS_openat) == ALLOW && of(&c, SYS_wait4) == ALLOW);
	expect(of(&c, SYS_mount) == ERRNO(EPERM) && of(&c, SYS_bpf) == ERRNO(EPERM));
	expect(of(&c, SYS_clone3) == ERRNO(ENOSYS) && of(&c, 9999) == ERRNO(ENOSYS));
	expect(of(&c, SYS_io_uring_setup) == ERRNO(EPERM) && of(&c, SYS_keyctl) == ERRNO(EPERM));
	expect(on(&c, NATIVE, SYS_clone, 0x1200011, 0) == ALLOW); /* fork */
	expect(on(&c, NATIVE, SYS_clone, 0x3d0f00, 0) == ALLOW); /* pthread_create */
	expect(on(&c, NATIVE, SYS_clone, 0x10000011, 0) == ERRNO(EPERM)); /* CLONE_NEWUSER */
	expect(on(&c, NATIVE, SYS_unshare, 0x200, 0) == ALLOW); /* CLONE_FS */
	expect(on(&c, NATIVE, SYS_unshare, 0x10000000, 0) == ERRNO(EPERM));
	expect(on(&c, NATIVE, SYS_unshare, 0x80, 0) == ERRNO(EPERM)); /* CLONE_NEWTIME */
	expect(on(&c, NATIVE, SYS_socket, 2, 1) == ALLOW);
	expect(on(&c, NATIVE, SYS_socket, 38, 5) == ERRNO(ENOSYS)); /* AF_ALG */
	expect(on(&c, NATIVE, SYS_socket, 40, 1) == ERRNO(ENOSYS)); /* AF_VSOCK */
	expect(on(&c, NATIVE, SYS_socket, 0x100000028, 1) ==
		ERRNO(ENOSYS)); /* the kernel looks at the low half */
	expect(on(&c, NATIVE, SYS_personality, 0x20008, 0) == ALLOW);
	expect(on(&c, NATIVE, SYS_personality, 0x40000, 0) == ERRNO(ENOSYS));
	done(&c);
	compile_for(&c, text, capabilities_all());
	expect(c.result == 0 && c.findings.n == 0);
	expect(of(&c, SYS_mount) == ALLOW && of(&c, SYS_clone3) == ALLOW && of(&c, SYS_setns) == ALLOW);
	expect(on(&c, NATIVE, SYS_clone, 0x10000011, 0) == ALLOW);
	expect(of(&c, SYS_kexec_load) == ERRNO(EPERM));
	done(&c);
	compile_for(&c, text, 0);
	expect(c.result == 0 && c.findings.n == 0 && of(&c, SYS_chroot) == ERRNO(EPERM));
	done(&c);
}

/* How many instructions the kernel runs to learn, as it loads a filter, what becomes of a call; 0 if that depends on arguments. */
static unsigned int steps_of(const struct seccomp_filter *filter, uint32_t arch, uint32_t nr)
{
	unsigned int steps = 1;
	uint32_t a = 0;

	for (size_t i = 0; i < filter->length; i++, steps++) {
		const struct sock_filter *insn = &filter->insns[i];

		if (BPF_CLASS(insn->code) == BPF_RET)
			return steps;
		if (BPF_CLASS(insn->code) == BPF_LD)
			a = insn->k == offsetof(struct seccomp_data, nr) ? nr : arch;
		if (BPF_CLASS(insn->code) == BPF_LD && insn->k > offsetof(struct seccomp_data, arch))
			return 0;
		if (BPF_CLASS(insn->code) != BPF_JMP)
			continue;
		if (BPF_OP(insn->code) == BPF_JA)
			i += insn->k;
		else if (BPF_OP(insn->code) == BPF_JEQ   ? a == insn->k
			 : BPF_OP(insn->code) == BPF_JGT ? a > insn->k
			 : BPF_OP(insn->code) == BPF_JGE ? a >= insn->k
							 : a & insn->k)
			i += insn->jt;
		else
			i += insn->jf;
	}
	return 0;
}

/* Loading a filter takes as long as it takes the kernel to run it for every call. */
static void numbers_are_searched(void)
{
	size_t size;
	const char *text = seccomp_runtime_default(&size);
	struct compiled c;

	compile(&c, text);
	expect(c.result == 0);
	for (uint32_t nr = 0; nr < 600; nr++) {
		unsigned int steps = steps_of(&c.filter, NATIVE, nr);

		if (of(&c, nr) == ALLOW)
			expect(steps <= 24);
		expect(steps <= 64);
	}
	done(&c);
}

/* Every other call: more ranges than a short jump leads over. */
static void many_ranges(void)
{
	struct compiled c;
	struct written text;
	FILE *out = open_profile(&text, "\"defaultAction\":\"SCMP_ACT_KILL_PROCESS\"");

	for (int nr = 0; nr < 450; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);

		if (name && nr != SYS_execve)
			fprintf(out, ",{\"names\":[\"%s\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":%d}",
				name, nr + 1);
		free(name);
	}
	compile_written(&c, out, &text);
	expect(c.result == 0 && of(&c, SYS_execve) == ALLOW);
	for (int nr = 0; nr < 450; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);

		if (nr != SYS_execve)
			expect(of(&c, nr) == (name ? ERRNO((uint32_t)nr + 1) : SECCOMP_RET_KILL_PROCESS));
		free(name);
	}
	done(&c);
}

int main(void)
{
	group(plain_rules);
	group(every_operator);
	group(conditions_together);
	group(newer_calls_get_enosys);
	group(calls_the_library_does_not_know);
#if defined(__x86_64__)
	group(architectures);
#endif
	group(includes_and_excludes);
	group(execve_is_needed);
	group(rules_that_contradict);
	group(errors_are_counted);
	group(too_large);
	group(wrong_filters_are_found_out);
	group(what_libseccomp_gets_wrong);
	group(what_libseccomp_hangs_on);
	group(malformed_programs);
	group(runtime_default);
	group(numbers_are_searched);
	group(many_ranges);
	return unit_done();
}
