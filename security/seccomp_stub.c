/*
 * The instructions before libseccomp's program.
 *
 * They do what the library doesn't: answer ENOSYS to calls newer than the profile's newest (containers/common#954 and
 * runc's patchbpf tell why: a libc falls back to an older call on ENOSYS, but not on EPERM), and decide the calls that
 * the library is too old to know. Per architecture:
 *
 *	    load architecture
 *	    is it this one? else to the next
 *	    load number
 *	    (x86-64: bit 30 set? then to x32's part)
 *	    number == N?  return ACTION          for each call unknown to the library
 *	    number > newest?  return ENOSYS
 *	    go to the filter
 *
 * The library's program loads what it needs itself.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/memory.h"
#include "security/seccomp.h"

#define X32_BIT   0x40000000
#define TO_FILTER UINT32_MAX /* a jump's distance until the end is known */
#define LOAD(what) \
	((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, what)))
#define RETURN(action)        ((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (action)))
#define GO(distance)          ((struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (distance)))
#define UNLESS(test, k, skip) ((struct sock_filter)BPF_JUMP(BPF_JMP | (test) | BPF_K, (k), 0, (skip)))

struct code {
	struct sock_filter *insns;
	size_t n;
};

static size_t emit(struct code *code, struct sock_filter insn)
{
	code->insns = xreallocarray(code->insns, code->n + 1, sizeof(*code->insns));
	code->insns[code->n] = insn;
	return code->n++;
}

/* Makes a jump emitted before lead to the next instruction. */
static void land(struct code *code, size_t jump)
{
	code->insns[jump].k = (uint32_t)(code->n - jump - 1);
}

/* The part of one architecture. */
static void emit_part(struct code *code, const struct seccomp_rules *rules, size_t arch)
{
	for (size_t i = 0; i < rules->n; i++) {
		const struct seccomp_rule *rule = &rules->items[i];
		int number;

		if (seccomp_syscall_in_library(rule->name->name))
			continue;
		number = seccomp_syscall_number(rules->arches[arch], rule->name->name);
		if (number < 0)
			continue;
		emit(code, UNLESS(BPF_JEQ, (uint32_t)number, 1));
		emit(code, RETURN(rule->action));
	}
	if (rules->newest[arch] >= 0) {
		emit(code, UNLESS(BPF_JGT, (uint32_t)rules->newest[arch], 1));
		emit(code, RETURN(SECCOMP_RET_ERRNO | ENOSYS));
	}
	emit(code, GO(TO_FILTER));
}

static void emit_arch(struct code *code, const struct seccomp_rules *rules, size_t arch)
{
	uint32_t audit = seccomp_arch_audit(rules->arches[arch]);
	size_t next, x32 = rules->n_arches;

	emit(code, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, audit, 1, 0));
	next = emit(code, GO(0));
	emit(code, LOAD(nr));
	if (audit == AUDIT_ARCH_X86_64) {
		size_t to_x32;

		for (size_t i = 0; i < rules->n_arches; i++)
			if (rules->arches[i] == SCMP_ARCH_X32)
				x32 = i;
		emit(code, UNLESS(BPF_JSET, X32_BIT, 1));
		to_x32 = emit(code, GO(0));
		emit_part(code, rules, arch);
		land(code, to_x32);
		if (x32 < rules->n_arches)
			emit_part(code, rules, x32);
		else
			emit(code, GO(TO_FILTER));
	} else {
		emit_part(code, rules, arch);
	}
	land(code, next);
}

static bool is_needed(const struct seccomp_rules *rules)
{
	for (size_t i = 0; i < rules->n_arches; i++)
		if (rules->newest[i] >= 0)
			return true;
	for (size_t i = 0; i < rules->n; i++)
		if (!seccomp_syscall_in_library(rules->items[i].name->name))
			return true;
	return false;
}

void seccomp_stub(const struct seccomp_rules *rules, struct sock_filter **insns, size_t *n)
{
	struct code code = {0};

	if (is_needed(rules)) {
		emit(&code, LOAD(arch));
		/* x32 has no part of its own: the kernel gives it x86-64's number, and the machine is x86-64. */
		for (size_t i = 0; i < rules->n_arches; i++)
			if (rules->arches[i] != SCMP_ARCH_X32)
				emit_arch(&code, rules, i);
	}
	for (size_t i = 0; i < code.n; i++)
		if (code.insns[i].code == (BPF_JMP | BPF_JA) && code.insns[i].k == TO_FILTER)
			land(&code, i);
	*insns = code.insns;
	*n = code.n;
}
