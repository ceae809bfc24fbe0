/* The filters that profiles are compiled to: how large they are, how they search, and that a wrong one is noticed. */
#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "tests/unit/compiled.h"

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
	group(too_large);
	group(wrong_filters_are_found_out);
	group(what_libseccomp_gets_wrong);
	group(what_libseccomp_hangs_on);
	group(malformed_programs);
	group(numbers_are_searched);
	group(many_ranges);
	return unit_done();
}
