/* The compiler of seccomp profiles: what each call gets, and what is refused. */
#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "tests/unit/compiled.h"

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
	group(runtime_default);
	return unit_done();
}
