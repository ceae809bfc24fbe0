/*
 * The instructions before libseccomp's program.
 *
 * They do what the library doesn't: answer ENOSYS to calls newer than the profile's newest (containers/common#954 and
 * runc's patchbpf tell why: a libc falls back to an older call on ENOSYS, but not on EPERM), decide the calls that the
 * library is too old to know, and, where it fails at a profile's conditions on arguments, the calls that have any.
 *
 * And they decide the calls of which the number is all that counts, which are nearly all, by a binary search among ranges of
 * numbers. To load a filter the kernel runs it for every call that there is, and the library has one comparison after another
 * for each: RuntimeDefault would take 0.7 ms to load, at each start of a container, and takes a fifth of that.
 *
 * Per architecture:
 *
 *	    load architecture
 *	    is it this one? else to the next
 *	    load number
 *	    (x86-64: bit 30 set? then to x32's part)
 *	    number == N?  conditions, return ACTION   for each call that isn't the library's
 *	    number > newest?  return ENOSYS
 *	    number < N?  ...              until a range is found: return ACTION, or go to the filter
 *
 * The library's program loads what it needs itself.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "security/seccomp.h"

#define TO_FILTER    UINT32_MAX /* a jump's distance until the end is known */
#define TO_NEXT_RULE (UINT32_MAX - 1)
#define LOAD(what) \
	((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, what)))
#define RETURN(action)        ((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (action)))
#define GO(distance)          ((struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (distance)))
#define UNLESS(test, k, skip) ((struct sock_filter)BPF_JUMP(BPF_JMP | (test) | BPF_K, (k), 0, (skip)))

/* Numbers of calls, from the first of an architecture, that are looked at; arm's own are beyond, and the library's. */
#define ROW 1024

struct code {
	struct sock_filter *insns;
	size_t n;
};

static uint32_t base_of(uint32_t arch)
{
	return arch == SCMP_ARCH_X32 ? X32_BIT : 0;
}

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

/* Leaves the rule: where to is known when all of it is emitted. */
static void fail(struct code *code)
{
	emit(code, GO(TO_NEXT_RULE));
}

/* Loads one half of an argument. */
static void load_half(struct code *code, const struct seccomp_arg *arg, bool high)
{
	size_t offset = offsetof(struct seccomp_data, args) + arg->index * sizeof(uint64_t);

	if (high == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__))
		offset += sizeof(uint32_t);
	emit(code, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void emit_equal(struct code *code, uint32_t value)
{
	emit(code, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0));
	fail(code);
}

/* A condition on half an argument is all of it where arguments are 32 bits wide. */
static void emit_narrow(struct code *code, const struct seccomp_arg *arg)
{
	static const struct {
		unsigned short test;
		bool wanted;
	} tests[] = {
		[COMPARE_NE] = {BPF_JEQ, false},
		[COMPARE_LT] = {BPF_JGE, false},
		[COMPARE_LE] = {BPF_JGT, false},
		[COMPARE_EQ] = {BPF_JEQ, true},
		[COMPARE_GE] = {BPF_JGE, true},
		[COMPARE_GT] = {BPF_JGT, true},
		[COMPARE_MASKED_EQ] = {BPF_JEQ, true},
	};
	bool masked = arg->compare == COMPARE_MASKED_EQ, wanted = tests[arg->compare].wanted;
	uint32_t value = (uint32_t)(masked ? arg->value_two & arg->value : arg->value);

	load_half(code, arg, false);
	if (masked)
		emit(code, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (uint32_t)arg->value));
	emit(code, (struct sock_filter)BPF_JUMP(BPF_JMP | tests[arg->compare].test | BPF_K, value,
			   wanted ? 1 : 0, wanted ? 0 : 1));
	fail(code);
}

/* The high half decides, and if it is equal, the low one. What follows the condition is where it holds. */
static void emit_wide(struct code *code, const struct seccomp_arg *arg)
{
	uint32_t high = (uint32_t)(arg->value >> 32);
	size_t decided;

	load_half(code, arg, true);
	switch (arg->compare) {
	case COMPARE_MASKED_EQ:
		emit(code, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, high));
		emit_equal(code, (uint32_t)((arg->value_two & arg->value) >> 32));
		emit_narrow(code, arg);
		return;
	case COMPARE_EQ:
		emit_equal(code, high);
		emit_narrow(code, arg);
		return;
	case COMPARE_NE:
		decided = emit(code, UNLESS(BPF_JEQ, high, 0));
		emit_narrow(code, arg);
		code->insns[decided].jf = (uint8_t)(code->n - decided - 1);
		return;
	case COMPARE_GT:
	case COMPARE_GE:
		decided = emit(code, UNLESS(BPF_JGT, high, 0));
		emit_equal(code, high);
		emit_narrow(code, arg);
		code->insns[decided].jt = (uint8_t)(code->n - decided - 1);
		return;
	case COMPARE_LT:
	case COMPARE_LE:
		decided = emit(code, UNLESS(BPF_JGE, high, 0));
		emit_equal(code, high);
		emit_narrow(code, arg);
		code->insns[decided].jf = (uint8_t)(code->n - decided - 1);
	}
}

static void emit_rule(struct code *code, const struct seccomp_rule *rule, bool narrow)
{
	size_t begin = code->n;

	for (size_t i = 0; i < rule->n_args; i++)
		if (narrow)
			emit_narrow(code, &rule->args[i]);
		else
			emit_wide(code, &rule->args[i]);
	emit(code, RETURN(rule->action));
	for (size_t i = begin; i < code->n; i++)
		if (code->insns[i].code == (BPF_JMP | BPF_JA) && code->insns[i].k == TO_NEXT_RULE)
			land(code, i);
}

/* All rules for one call, which all have conditions. */
static void emit_call(struct code *code, const struct seccomp_rules *rules, const char *name, bool narrow)
{
	for (size_t i = 0; i < rules->n; i++)
		if (!strcmp(rules->items[i].name->name, name))
			emit_rule(code, &rules->items[i], narrow);
	emit(code, RETURN(rules->default_action));
}

/* Whether a rule for it has no conditions: that one then decides alone, as with libseccomp. */
static bool is_unconditional(const struct seccomp_rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->n; i++)
		if (!rules->items[i].n_args && !strcmp(rules->items[i].name->name, name))
			return true;
	return false;
}

/* Calls of 32-bit x86 that have no number of their own there, or one number for many: the library's, whatever the rules are. */
static bool is_multiplexer(const char *name)
{
	return !strcmp(name, "socketcall") || !strcmp(name, "ipc");
}

bool seccomp_is_plain(const struct seccomp_rules *rules, const struct seccomp_rule *rule)
{
	const char *name = rule->name->name;

	if (rule->n_args)
		return false;
	for (size_t i = 0; i < rules->n_arches; i++) {
		int number = seccomp_syscall_number(rules->arches[i], name);

		if (number >= 0 && (uint32_t)number - base_of(rules->arches[i]) >= ROW)
			return false;
		if (rules->arches[i] == SCMP_ARCH_X86 &&
			(is_multiplexer(name) || seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, name) < 0))
			return false;
	}
	return true;
}

/* From first to where the next begins. */
struct range {
	uint32_t first, action;
	bool is_library; /* not decided by the number */
};

/* The range of one number, as if it had no neighbours. The first rule without conditions decides. */
static struct range decide(
	const struct seccomp_rules *rules, size_t arch, const int *numbers, uint32_t number)
{
	struct range range = {.first = number, .action = rules->default_action};

	for (size_t i = 0; i < rules->n; i++) {
		if (numbers[i] != (int)number)
			continue;
		if (rules->items[i].n_args == 0) {
			range.action = rules->items[i].action;
			range.is_library = false;
			break;
		}
		range.is_library = true;
	}
	if (rules->arches[arch] == SCMP_ARCH_X86)
		range.is_library |=
			number == (uint32_t)seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, "socketcall") ||
			number == (uint32_t)seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, "ipc");
	return range;
}

/* Finds the one of n ranges that the number is in, which is known to be in one. */
static void emit_search(struct code *code, const struct range *ranges, size_t n)
{
	bool is_far = n > UINT8_MAX; /* a half has at most as many instructions as both have ranges */
	size_t half, over;

	if (n == 1) {
		emit(code, ranges->is_library ? GO(TO_FILTER) : RETURN(ranges->action));
		return;
	}
	half = emit(code, UNLESS(BPF_JGE, ranges[n / 2].first, is_far));
	over = is_far ? emit(code, GO(0)) : 0;
	emit_search(code, ranges, n / 2);
	if (is_far)
		land(code, over);
	else
		code->insns[half].jt = (uint8_t)(code->n - half - 1);
	emit_search(code, ranges + n / 2, n - n / 2);
}

/*
 * Adds the next number's, or has it be a part of the last. The library, too, has the default action for what no rule names: so a
 * range of that beside one of the library's is not worth a comparison.
 */
static void add_range(const struct seccomp_rules *rules, struct range *ranges, size_t *n, struct range next)
{
	struct range *last = *n ? &ranges[*n - 1] : NULL;
	bool is_default = !next.is_library && next.action == rules->default_action;

	if (last && last->is_library && (next.is_library || is_default))
		return;
	if (last && !last->is_library && !next.is_library && last->action == next.action)
		return;
	if (last && !last->is_library && next.is_library && last->action == rules->default_action)
		last->is_library = true;
	else
		ranges[(*n)++] = next;
}

static void emit_ranges(struct code *code, const struct seccomp_rules *rules, size_t arch)
{
	uint32_t base = base_of(rules->arches[arch]), end = base + ROW;
	struct range *ranges = xcalloc(ROW + 1, sizeof(*ranges));
	int *numbers = xcalloc(rules->n + 1, sizeof(*numbers));
	size_t n = 0;

	for (size_t i = 0; i < rules->n; i++)
		numbers[i] = seccomp_syscall_number(rules->arches[arch], rules->items[i].name->name);
	/* What is newer has its answer. */
	if (rules->newest[arch] >= base && rules->newest[arch] < end)
		end = (uint32_t)rules->newest[arch] + 1;
	for (uint32_t number = base; number < end; number++)
		add_range(rules, ranges, &n, decide(rules, arch, numbers, number));
	if (end == base + ROW)
		add_range(rules, ranges, &n, (struct range){.first = end, .is_library = true});
	emit_search(code, ranges, n);
	free(ranges);
	free(numbers);
}

/* The part of one architecture. */
static void emit_part(struct code *code, const struct seccomp_rules *rules, size_t arch)
{
	for (size_t i = 0; i < rules->n; i++) {
		const char *name = rules->items[i].name->name;
		int number = seccomp_syscall_number(rules->arches[arch], name);
		bool is_first = true;
		size_t over;

		for (size_t j = 0; j < i && is_first; j++)
			is_first = strcmp(rules->items[j].name->name, name) != 0;
		/* What number alone decides comes below. */
		if (number < 0 || !is_first || !seccomp_is_own(rules, name) || is_unconditional(rules, name))
			continue;
		emit(code, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 1, 0));
		over = emit(code, GO(0));
		emit_call(code, rules, name, seccomp_arch_is_32bit(rules->arches[arch]));
		land(code, over);
	}
	if (rules->newest[arch] >= 0) {
		emit(code, UNLESS(BPF_JGT, (uint32_t)rules->newest[arch], 1));
		emit(code, RETURN(SECCOMP_RET_ERRNO | ENOSYS));
	}
	emit_ranges(code, rules, arch);
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

bool seccomp_is_own(const struct seccomp_rules *rules, const char *name)
{
	if (!seccomp_syscall_in_library(name))
		return true;
	/* It decides alone, and the library knows all the numbers that a call has on 32-bit x86. */
	return rules->own_conditions && !is_unconditional(rules, name);
}

void seccomp_stub(const struct seccomp_rules *rules, struct sock_filter **insns, size_t *n)
{
	struct code code = {0};

	emit(&code, LOAD(arch));
	/* x32 has no part of its own: the kernel gives it x86-64's number, and the machine is x86-64. */
	for (size_t i = 0; i < rules->n_arches; i++)
		if (rules->arches[i] != SCMP_ARCH_X32)
			emit_arch(&code, rules, i);
	for (size_t i = 0; i < code.n; i++)
		if (code.insns[i].code == (BPF_JMP | BPF_JA) && code.insns[i].k == TO_FILTER)
			land(&code, i);
	*insns = code.insns;
	*n = code.n;
}
