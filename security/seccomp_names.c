/*
 * Names in seccomp profiles: actions, operators, architectures, system calls, errnos.
 *
 * Profiles carry names of kernels newer than our libseccomp. A name that we took for a misspelling would be dropped,
 * and the call be denied although the profile allows it. So what is newer stands in a table here; since Linux 5.0
 * a new call has the same number on every architecture (from 424 on), which makes the table short.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "security/seccomp.h"

const struct seccomp_action_name seccomp_action_names[] = {
	{"SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD, false},
	{"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD, false},
	{"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS, false},
	{"SCMP_ACT_TRAP", SECCOMP_RET_TRAP, false},
	{"SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO, true},
	{"SCMP_ACT_TRACE", SECCOMP_RET_TRACE, true},
	{"SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW, false},
	{"SCMP_ACT_LOG", SECCOMP_RET_LOG, false},
	{"SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF, false},
};
const size_t seccomp_n_action_names = array_length(seccomp_action_names);

const char *seccomp_action_text(uint32_t action)
{
	for (size_t i = 1; i < seccomp_n_action_names; i++)
		if (seccomp_action_names[i].action == (action & SECCOMP_RET_ACTION_FULL))
			return seccomp_action_names[i].name;
	return "an unknown action";
}

static const char *const compare_names[] = {
	[COMPARE_NE] = "SCMP_CMP_NE",
	[COMPARE_LT] = "SCMP_CMP_LT",
	[COMPARE_LE] = "SCMP_CMP_LE",
	[COMPARE_EQ] = "SCMP_CMP_EQ",
	[COMPARE_GE] = "SCMP_CMP_GE",
	[COMPARE_GT] = "SCMP_CMP_GT",
	[COMPARE_MASKED_EQ] = "SCMP_CMP_MASKED_EQ",
};

int seccomp_compare_number(const char *name, const char **nearest)
{
	for (size_t i = 0; i < array_length(compare_names); i++)
		if (!strcmp(name, compare_names[i]))
			return (int)i;
	*nearest = text_nearest(name, compare_names, array_length(compare_names));
	return -1;
}

/* OCI's name, Go's name, the library's number, what the kernel puts into struct seccomp_data, the family. */
static const struct {
	const char *name, *go_name;
	uint32_t number, audit, family;
	bool is_32bit;
} arches[] = {
	{"SCMP_ARCH_X86_64", "amd64", SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64, false},
	{"SCMP_ARCH_X86", "x86", SCMP_ARCH_X86, AUDIT_ARCH_I386, SCMP_ARCH_X86_64, true},
	/* libseccomp compares the low halves of x32's arguments only; the kernel's own handlers do so too. */
	{"SCMP_ARCH_X32", "x32", SCMP_ARCH_X32, AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64, true},
	{"SCMP_ARCH_AARCH64", "arm64", SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64, SCMP_ARCH_AARCH64, false},
	{"SCMP_ARCH_ARM", "arm", SCMP_ARCH_ARM, AUDIT_ARCH_ARM, SCMP_ARCH_AARCH64, true},
	{"SCMP_ARCH_RISCV64", "riscv64", SCMP_ARCH_RISCV64, AUDIT_ARCH_RISCV64, SCMP_ARCH_RISCV64, false},
	{"SCMP_ARCH_PPC64LE", "ppc64le", SCMP_ARCH_PPC64LE, AUDIT_ARCH_PPC64LE, SCMP_ARCH_PPC64LE, false},
	{"SCMP_ARCH_PPC64", "ppc64", SCMP_ARCH_PPC64, AUDIT_ARCH_PPC64, SCMP_ARCH_PPC64, false},
	{"SCMP_ARCH_PPC", "ppc", SCMP_ARCH_PPC, AUDIT_ARCH_PPC, SCMP_ARCH_PPC64, true},
	{"SCMP_ARCH_S390X", "s390x", SCMP_ARCH_S390X, AUDIT_ARCH_S390X, SCMP_ARCH_S390X, false},
	{"SCMP_ARCH_S390", "s390", SCMP_ARCH_S390, AUDIT_ARCH_S390, SCMP_ARCH_S390X, true},
	{"SCMP_ARCH_MIPS", "mips", SCMP_ARCH_MIPS, AUDIT_ARCH_MIPS, SCMP_ARCH_MIPS64, true},
	{"SCMP_ARCH_MIPS64", "mips64", SCMP_ARCH_MIPS64, AUDIT_ARCH_MIPS64, SCMP_ARCH_MIPS64, false},
	{"SCMP_ARCH_MIPS64N32", "mips64n32", SCMP_ARCH_MIPS64N32, AUDIT_ARCH_MIPS64N32, SCMP_ARCH_MIPS64,
		true},
	{"SCMP_ARCH_MIPSEL", "mipsel", SCMP_ARCH_MIPSEL, AUDIT_ARCH_MIPSEL, SCMP_ARCH_MIPSEL64, true},
	{"SCMP_ARCH_MIPSEL64", "mipsel64", SCMP_ARCH_MIPSEL64, AUDIT_ARCH_MIPSEL64, SCMP_ARCH_MIPSEL64,
		false},
	{"SCMP_ARCH_MIPSEL64N32", "mipsel64n32", SCMP_ARCH_MIPSEL64N32, AUDIT_ARCH_MIPSEL64N32,
		SCMP_ARCH_MIPSEL64, true},
	{"SCMP_ARCH_PARISC", "parisc", SCMP_ARCH_PARISC, AUDIT_ARCH_PARISC, SCMP_ARCH_PARISC, true},
	{"SCMP_ARCH_PARISC64", "parisc64", SCMP_ARCH_PARISC64, AUDIT_ARCH_PARISC64, SCMP_ARCH_PARISC64,
		false},
};
/* In OCI's list, but not in Debian 12's libseccomp: no machine of ours is one, so to know the name is enough. */
static const char *const foreign_arches[] = {
	"SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K", "SCMP_ARCH_SH", "SCMP_ARCH_SHEB"};
#define FOREIGN_ARCH 1U

uint32_t seccomp_arch_number(const char *name, const char **nearest)
{
	const char *names[array_length(arches)];

	if (!strcmp(name, "SCMP_ARCH_NATIVE"))
		return seccomp_arch_native();
	for (size_t i = 0; i < array_length(arches); i++) {
		if (!strcmp(name, arches[i].name))
			return arches[i].number;
		names[i] = arches[i].name;
	}
	for (size_t i = 0; i < array_length(foreign_arches); i++)
		if (!strcmp(name, foreign_arches[i]))
			return FOREIGN_ARCH;
	*nearest = text_nearest(name, names, array_length(names));
	return 0;
}

const char *seccomp_arch_name(uint32_t arch)
{
	for (size_t i = 0; i < array_length(arches); i++)
		if (arches[i].number == arch)
			return arches[i].name;
	return NULL;
}

const char *seccomp_arch_go_name(uint32_t arch)
{
	for (size_t i = 0; i < array_length(arches); i++)
		if (arches[i].number == arch)
			return arches[i].go_name;
	return NULL;
}

bool seccomp_arch_go_name_known(const char *name, const char **nearest)
{
	const char *names[array_length(arches)];

	for (size_t i = 0; i < array_length(arches); i++) {
		if (!strcmp(name, arches[i].go_name))
			return true;
		names[i] = arches[i].go_name;
	}
	*nearest = text_nearest(name, names, array_length(names));
	if (!strcmp(name, "x86_64"))
		*nearest = "amd64";
	if (!strcmp(name, "aarch64"))
		*nearest = "arm64";
	return !strcmp(name, "loong64") || !strcmp(name, "loongarch64") || !strcmp(name, "m68k") ||
	       !strcmp(name, "sh") || !strcmp(name, "sheb");
}

uint32_t seccomp_arch_audit(uint32_t arch)
{
	for (size_t i = 0; i < array_length(arches); i++)
		if (arches[i].number == arch)
			return arches[i].audit;
	return 0;
}

bool seccomp_arch_is_32bit(uint32_t arch)
{
	for (size_t i = 0; i < array_length(arches); i++)
		if (arches[i].number == arch)
			return arches[i].is_32bit;
	return false;
}

bool seccomp_arch_possible(uint32_t arch)
{
	uint32_t native = seccomp_arch_native();

	for (size_t i = 0; i < array_length(arches); i++)
		if (arches[i].number == arch)
			return arch == native || arches[i].family == native;
	return false;
}

const char *seccomp_arch_of_machine(size_t index)
{
	uint32_t native = seccomp_arch_native();

	if (index == 0)
		return seccomp_arch_name(native);
	for (size_t i = 0; i < array_length(arches); i++)
		if (arches[i].number != native && arches[i].family == native && --index == 0)
			return arches[i].name;
	return NULL;
}

uint32_t seccomp_arch_of_call(uint32_t audit, int nr)
{
	if (audit == AUDIT_ARCH_X86_64 && nr >= X32_BIT)
		return SCMP_ARCH_X32;
	for (size_t i = 0; i < array_length(arches); i++)
		if (arches[i].audit == audit)
			return arches[i].number;
	return 0;
}

/* Newer than some libseccomp that we build with: Debian 12's ends at 452. arch 0: everywhere. */
static const struct {
	const char *name;
	int number;
	uint32_t arch;
} newer[] = {
	{"uretprobe", 335, SCMP_ARCH_X86_64},
	{"uprobe", 336, SCMP_ARCH_X86_64},
	{"futex_waitv", 449, 0},
	{"set_mempolicy_home_node", 450, 0},
	{"cachestat", 451, 0},
	{"fchmodat2", 452, 0},
	{"map_shadow_stack", 453, 0},
	{"futex_wake", 454, 0},
	{"futex_wait", 455, 0},
	{"futex_requeue", 456, 0},
	{"statmount", 457, 0},
	{"listmount", 458, 0},
	{"lsm_get_self_attr", 459, 0},
	{"lsm_set_self_attr", 460, 0},
	{"lsm_list_modules", 461, 0},
	{"mseal", 462, 0},
	{"setxattrat", 463, 0},
	{"getxattrat", 464, 0},
	{"listxattrat", 465, 0},
	{"removexattrat", 466, 0},
	{"open_tree_attr", 467, 0},
	{"file_getattr", 468, 0},
	{"file_setattr", 469, 0},
	{"listns", 470, 0},
	{"rseq_slice_yield", 471, 0},
	/* Of other architectures only. */
	{"riscv_hwprobe", -20000, 0},
	{"riscv_flush_icache", -20001, 0},
};

/*
 * On 32-bit x86 libseccomp names these by a number of its own, as they can also be reached through socketcall and ipc.
 * These are the direct ones (arch/x86/entry/syscalls/syscall_32.tbl).
 */
static const struct {
	const char *name;
	int number;
} x86_direct[] = {
	{"recvmmsg", 337},
	{"sendmmsg", 345},
	{"socket", 359},
	{"socketpair", 360},
	{"bind", 361},
	{"connect", 362},
	{"listen", 363},
	{"accept4", 364},
	{"getsockopt", 365},
	{"setsockopt", 366},
	{"getsockname", 367},
	{"getpeername", 368},
	{"sendto", 369},
	{"sendmsg", 370},
	{"recvfrom", 371},
	{"recvmsg", 372},
	{"shutdown", 373},
	{"semget", 393},
	{"semctl", 394},
	{"shmget", 395},
	{"shmctl", 396},
	{"shmat", 397},
	{"shmdt", 398},
	{"msgget", 399},
	{"msgsnd", 400},
	{"msgrcv", 401},
	{"msgctl", 402},
};

bool seccomp_syscall_in_library(const char *name)
{
	return seccomp_syscall_resolve_name(name) != __NR_SCMP_ERROR;
}

int seccomp_syscall_number(uint32_t arch, const char *name)
{
	int number = seccomp_syscall_resolve_name_arch(arch, name);

	for (size_t i = 0; arch == SCMP_ARCH_X86 && number < 0 && i < array_length(x86_direct); i++)
		if (!strcmp(name, x86_direct[i].name))
			return x86_direct[i].number;
	if (number != __NR_SCMP_ERROR)
		return number;
	for (size_t i = 0; i < array_length(newer); i++) {
		if (strcmp(name, newer[i].name))
			continue;
		if (newer[i].number < 0 || (newer[i].arch && newer[i].arch != arch))
			return -20000;
		return arch == SCMP_ARCH_X32 ? newer[i].number | X32_BIT : newer[i].number;
	}
	return SYSCALL_UNKNOWN;
}

char *seccomp_syscall_name(uint32_t arch, int number)
{
	char *known = number < 0 ? NULL : seccomp_syscall_resolve_num_arch(arch, number);
	int plain = arch == SCMP_ARCH_X32 ? number & ~X32_BIT : number;

	for (size_t i = 0; arch == SCMP_ARCH_X86 && !known && i < array_length(x86_direct); i++)
		if (x86_direct[i].number == number)
			return xstrdup(x86_direct[i].name);
	for (size_t i = 0; !known && i < array_length(newer); i++)
		if (newer[i].number == plain && (!newer[i].arch || newer[i].arch == arch))
			return xstrdup(newer[i].name);
	return known;
}

char *seccomp_syscall_nearest(const char *name)
{
	struct strv known = {0};
	const char *nearest;
	char *copy;

	for (int number = 0; number < 600; number++) {
		char *native = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
		char *x86 = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86, number);

		if (native)
			strv_push(&known, native);
		if (x86)
			strv_push(&known, x86);
	}
	for (size_t i = 0; i < array_length(newer); i++)
		strv_push(&known, xstrdup(newer[i].name));
	nearest = text_nearest(name, (const char *const *)known.items, known.n);
	copy = xstrdup(nearest);
	strv_free(known.items);
	return copy;
}

bool seccomp_call_known(const char *name, char **nearest)
{
	bool known = seccomp_syscall_in_library(name) || seccomp_syscall_number(0, name) != SYSCALL_UNKNOWN;

	*nearest = known ? NULL : seccomp_syscall_nearest(name);
	return known;
}

int seccomp_errno_number(const char *name)
{
	for (int number = 1; number < 4096; number++) {
		const char *known = strerrorname_np(number);

		if (known && !strcmp(known, name))
			return number;
	}
	/* Aliases that glibc gives no name of their own. */
	if (!strcmp(name, "EWOULDBLOCK"))
		return EWOULDBLOCK;
	if (!strcmp(name, "EDEADLOCK"))
		return EDEADLOCK;
	if (!strcmp(name, "ENOTSUP") || !strcmp(name, "EOPNOTSUPP"))
		return ENOTSUP;
	return -1;
}
