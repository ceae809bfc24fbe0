/* Noting what a container calls. Theory of operation: recording.h. */
#include "security/recording.h"

#include <linux/sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "security/seccomp.h"

void learning_filter(const struct seccomp_filter *refusing, struct seccomp_filter *learning)
{
	*learning = (struct seccomp_filter){.length = refusing->length, .flags = refusing->flags};
	learning->insns = xcalloc(refusing->length, sizeof(*learning->insns));
	memcpy(learning->insns, refusing->insns, refusing->length * sizeof(*learning->insns));
	for (size_t i = 0; i < learning->length; i++) {
		struct sock_filter *insn = &learning->insns[i];

		if (BPF_CLASS(insn->code) == BPF_RET &&
			(insn->k & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_TRAP)
			insn->k = SECCOMP_RET_USER_NOTIF;
	}
}

static bool call_set_has(const struct call_set *set, int nr)
{
	if (nr >= 0 && nr < RECORDING_CALLS)
		return set->bits[nr / 64] >> (nr % 64) & 1;
	for (size_t i = 0; i < set->n_outliers; i++)
		if (set->outliers[i] == nr)
			return true;
	return false;
}

/* Outliers beyond what there is room for are numbers that mean nothing: a program tries them out. */
static void call_set_add(struct call_set *set, int nr)
{
	if (nr >= 0 && nr < RECORDING_CALLS)
		set->bits[nr / 64] |= UINT64_C(1) << (nr % 64);
	else if (set->n_outliers < RECORDING_OUTLIERS && !call_set_has(set, nr))
		set->outliers[set->n_outliers++] = nr;
}

static struct recorded_arch *arch_of(struct recording *recording, const struct seccomp_data *call)
{
	uint32_t arch = seccomp_arch_of_call(call->arch, call->nr);

	for (size_t i = 0; i < recording->n_arches; i++)
		if (recording->arches[i].arch == arch)
			return &recording->arches[i];
	if (!arch || recording->n_arches == array_length(recording->arches))
		return NULL;
	recording->arches[recording->n_arches] = (struct recorded_arch){
		.arch = arch,
		.clone = seccomp_syscall_number(arch, "clone") & ~X32_BIT,
		.clone3 = seccomp_syscall_number(arch, "clone3") & ~X32_BIT,
	};
	return &recording->arches[recording->n_arches++];
}

static bool is_allowed(uint32_t action)
{
	action &= SECCOMP_RET_ACTION_FULL;
	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

uint32_t recording_take(struct recording *recording, const struct seccomp_data *call)
{
	struct recorded_arch *arch = arch_of(recording, call);
	int nr = arch && arch->arch == SCMP_ARCH_X32 ? call->nr & ~X32_BIT : call->nr;
	bool refusing_looked, base_looked = false;
	bool known = false;
	uint64_t args[6];
	uint32_t action;

	/* What clone3 is asked for stands in memory: glibc starts threads by it, and processes by clone. */
	if (arch && (nr == arch->clone3 || (nr == arch->clone && (call->args[0] & CLONE_THREAD))))
		recording->threads = true;
	if (arch && call_set_has(&arch->settled, nr))
		return SECCOMP_RET_ALLOW;
	memcpy(args, call->args, sizeof(args));
	action = seccomp_simulate_looking(
		recording->refusing, call->arch, call->nr, args, call->instruction_pointer, &refusing_looked);
	if (!is_allowed(action))
		return action;
	if (!arch)
		return SECCOMP_RET_ALLOW;
	call_set_add(&arch->seen, nr);
	if (recording->base)
		known = is_allowed(seccomp_simulate_looking(recording->base, call->arch, call->nr, args,
			call->instruction_pointer, &base_looked));
	if (!known)
		call_set_add(&arch->missing, nr);
	/* It is known to be missing, or other arguments would make no difference. */
	if (!refusing_looked && (!known || !base_looked))
		call_set_add(&arch->settled, nr);
	return SECCOMP_RET_ALLOW;
}
