/*
 * An interpreter for seccomp filters: what would the kernel answer to this call?
 *
 * Classic BPF as seccomp takes it (Documentation/networking/filter.rst, seccomp(2)): 32-bit loads from struct
 * seccomp_data at multiples of four, arithmetic on A and X, forward jumps, a scratch memory of sixteen words. The
 * kernel refuses any other program. Here one ends in SECCOMP_RET_KILL_PROCESS, as the strictest answer.
 */
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

#include "security/seccomp.h"

#define MALFORMED SECCOMP_RET_KILL_PROCESS

struct machine {
	uint32_t a, x, memory[BPF_MEMWORDS];
	struct seccomp_data data;
	bool looked; /* at more than the number and the architecture */
};

static bool load(const struct sock_filter *insn, struct machine *m, uint32_t *target)
{
	switch (BPF_MODE(insn->code)) {
	case BPF_ABS:
		if (BPF_CLASS(insn->code) != BPF_LD || insn->k % 4 || insn->k > sizeof(m->data) - 4)
			return false;
		m->looked |= insn->k >= offsetof(struct seccomp_data, instruction_pointer);
		memcpy(target, (const char *)&m->data + insn->k, 4);
		return true;
	case BPF_IMM:
		*target = insn->k;
		return true;
	case BPF_LEN:
		*target = sizeof(m->data);
		return true;
	case BPF_MEM:
		if (insn->k >= BPF_MEMWORDS)
			return false;
		*target = m->memory[insn->k];
		return true;
	default:
		return false;
	}
}

static bool compute(const struct sock_filter *insn, struct machine *m)
{
	uint32_t operand = BPF_SRC(insn->code) == BPF_X ? m->x : insn->k;

	switch (BPF_OP(insn->code)) {
	case BPF_ADD:
		m->a += operand;
		return true;
	case BPF_SUB:
		m->a -= operand;
		return true;
	case BPF_MUL:
		m->a *= operand;
		return true;
	case BPF_DIV:
		if (!operand)
			return false;
		m->a /= operand;
		return true;
	case BPF_AND:
		m->a &= operand;
		return true;
	case BPF_OR:
		m->a |= operand;
		return true;
	case BPF_XOR:
		m->a ^= operand;
		return true;
	case BPF_LSH:
		m->a = operand < 32 ? m->a << operand : 0;
		return true;
	case BPF_RSH:
		m->a = operand < 32 ? m->a >> operand : 0;
		return true;
	case BPF_NEG:
		m->a = -m->a;
		return true;
	default:
		return false;
	}
}

/* Returns how many instructions to skip, or -1. */
static int64_t jump(const struct sock_filter *insn, const struct machine *m)
{
	uint32_t operand = BPF_SRC(insn->code) == BPF_X ? m->x : insn->k;

	switch (BPF_OP(insn->code)) {
	case BPF_JA:
		return insn->k;
	case BPF_JEQ:
		return m->a == operand ? insn->jt : insn->jf;
	case BPF_JGT:
		return m->a > operand ? insn->jt : insn->jf;
	case BPF_JGE:
		return m->a >= operand ? insn->jt : insn->jf;
	case BPF_JSET:
		return (m->a & operand) ? insn->jt : insn->jf;
	default:
		return -1;
	}
}

static uint32_t run(const struct seccomp_filter *filter, struct machine *m)
{
	/* Jumps only lead forwards, so it ends. */
	for (size_t at = 0; at < filter->length; at++) {
		const struct sock_filter *insn = &filter->insns[at];
		int64_t skip;

		switch (BPF_CLASS(insn->code)) {
		case BPF_LD:
			if (!load(insn, m, &m->a))
				return MALFORMED;
			break;
		case BPF_LDX:
			if (!load(insn, m, &m->x))
				return MALFORMED;
			break;
		case BPF_ST:
		case BPF_STX:
			if (insn->k >= BPF_MEMWORDS)
				return MALFORMED;
			m->memory[insn->k] = BPF_CLASS(insn->code) == BPF_ST ? m->a : m->x;
			break;
		case BPF_ALU:
			if (!compute(insn, m))
				return MALFORMED;
			break;
		case BPF_JMP:
			skip = jump(insn, m);
			if (skip < 0)
				return MALFORMED;
			at += (size_t)skip;
			break;
		case BPF_RET:
			return BPF_RVAL(insn->code) == BPF_A ? m->a : insn->k;
		default: /* BPF_MISC */
			if (BPF_MISCOP(insn->code) == BPF_TAX)
				m->x = m->a;
			else
				m->a = m->x;
		}
	}
	return MALFORMED;
}

uint32_t seccomp_simulate_looking(const struct seccomp_filter *filter, uint32_t arch, int nr,
	const uint64_t args[6], uint64_t instruction_pointer, bool *looked)
{
	struct machine m = {.data = {.nr = nr, .arch = arch, .instruction_pointer = instruction_pointer}};
	uint32_t action;

	for (size_t i = 0; i < 6; i++)
		m.data.args[i] = args[i];
	action = run(filter, &m);
	*looked = m.looked;
	return action;
}

uint32_t seccomp_simulate(const struct seccomp_filter *filter, uint32_t arch, int nr, const uint64_t args[6],
	uint64_t instruction_pointer)
{
	bool looked;

	return seccomp_simulate_looking(filter, arch, nr, args, instruction_pointer, &looked);
}
