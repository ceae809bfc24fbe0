/*
 * The proof that a compiled filter does what its profile says.
 *
 * libseccomp up to 2.6.0 weakens some filters in silence (GHSA-4q85-33p6-j5g6: merged 64-bit comparisons), and Debian
 * 12 has 2.5.4. So each new filter is run in our interpreter, over every call of every architecture and over the
 * arguments around each value that a rule names, and the answers are compared with the rules evaluated directly, by
 * the few lines below that owe nothing to the library. It costs a few milliseconds, once: the cache keeps the result.
 *
 * What the rules mean where they overlap is libseccomp's: of several without conditions the first decides, and it
 * decides over all that have conditions. Of several conditions that hold at once any may decide.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "security/seccomp.h"

#define PROBE_CALLS \
	640 /* numbers from 0 that are tried; the newest of Linux 6.18 is 470, x32's own end at 547 */
#define PROBE_TUPLES 4096 /* combinations of arguments tried for one call */

struct probe {
	const struct seccomp_rules *rules;
	const struct seccomp_filter *filter;
	uint32_t arch, audit;
	size_t arch_index;
	bool is_32bit;
	int socketcall, ipc; /* the numbers of the multiplexers, negative where there are none */
	const int *numbers; /* of each rule's call on this architecture */
};

static bool all_hold(const struct probe *p, const struct seccomp_rule *rule, const uint64_t args[6])
{
	for (size_t i = 0; i < rule->n_args; i++)
		if (!seccomp_arg_holds(&rule->args[i], args[rule->args[i].index], p->is_32bit))
			return false;
	return true;
}

/* Calls that 32-bit x86 and others also reach through one number, the first argument saying which. */
static const char *multiplexed(const struct probe *p, uint32_t nr, uint64_t first)
{
	static const char *const sockets[] = {NULL, "socket", "bind", "connect", "listen", "accept",
		"getsockname", "getpeername", "socketpair", "send", "recv", "sendto", "recvfrom", "shutdown",
		"setsockopt", "getsockopt", "sendmsg", "recvmsg", "accept4", "recvmmsg", "sendmmsg"};
	static const char *const ipcs[] = {NULL, "semop", "semget", "semctl", "semtimedop", [11] = "msgsnd",
		"msgrcv", "msgget", "msgctl", [21] = "shmat", "shmdt", "shmget", "shmctl"};

	if ((int)nr == p->socketcall && first < array_length(sockets))
		return sockets[first];
	if ((int)nr == p->ipc && first < array_length(ipcs))
		return ipcs[first];
	return NULL;
}

/* A multiplexed call's arguments lie in memory: whatever action a rule names for it may come. */
static bool is_right_multiplexed(const struct probe *p, uint32_t nr, const char *name, uint32_t got)
{
	const struct seccomp_rules *rules = p->rules;
	bool unconditional = false;

	for (size_t i = 0; i < rules->n; i++) {
		if (p->numbers[i] != (int)nr && strcmp(rules->items[i].name->name, name) != 0)
			continue;
		if (rules->items[i].action == got)
			return true;
		unconditional |= rules->items[i].n_args == 0;
	}
	return !unconditional && got == rules->default_action;
}

/* The rules, evaluated directly. */
static bool is_right(const struct probe *p, uint32_t nr, const uint64_t args[6], uint32_t got)
{
	const struct seccomp_rules *rules = p->rules;
	bool matched = false, right = false;
	const char *name;

	if (rules->newest[p->arch_index] >= 0 && nr > (uint64_t)rules->newest[p->arch_index])
		return got == (SECCOMP_RET_ERRNO | ENOSYS);
	name = multiplexed(p, nr, args[0]);
	if (name)
		return is_right_multiplexed(p, nr, name, got);
	for (size_t i = 0; i < rules->n; i++)
		if (p->numbers[i] == (int)nr && rules->items[i].n_args == 0)
			return got == rules->items[i].action;
	for (size_t i = 0; i < rules->n; i++) {
		if (p->numbers[i] != (int)nr || !all_hold(p, &rules->items[i], args))
			continue;
		matched = true;
		right |= got == rules->items[i].action;
	}
	return matched ? right : got == rules->default_action;
}

static int try(const struct probe *p, uint32_t nr, const uint64_t args[6], bool *looked, struct error *err)
{
	uint32_t got = seccomp_simulate_looking(p->filter, p->audit, (int)nr, args, 0x401000, looked);
	char *name;

	if (is_right(p, nr, args, got))
		return 0;
	name = seccomp_syscall_resolve_num_arch(p->arch, (int)nr);
	error_set(err, ERROR_INTERNAL, 0,
		"libseccomp %u.%u.%u compiled it wrongly: %s(0x%llx, 0x%llx, 0x%llx, ...), number %u on %s, "
		"gets 0x%08x",
		seccomp_version()->major, seccomp_version()->minor, seccomp_version()->micro,
		name ? name : "a call", (unsigned long long)args[0], (unsigned long long)args[1],
		(unsigned long long)args[2], nr, seccomp_arch_go_name(p->arch), got);
	free(name);
	return error_hint(err, "a newer libseccomp may mend it; simpler conditions on this call will");
}

struct values {
	uint64_t *items;
	size_t n;
};

static void add_value(struct values *values, uint64_t value)
{
	for (size_t i = 0; i < values->n; i++)
		if (values->items[i] == value)
			return;
	values->items = xreallocarray(values->items, values->n + 1, sizeof(value));
	values->items[values->n++] = value;
}

/* What could tell a right comparison from a wrong one: the value, its neighbours, the other half of the word. */
static void add_telling_values(struct values *values, const struct seccomp_arg *arg)
{
	bool masked = arg->compare == COMPARE_MASKED_EQ;
	uint64_t value = masked ? arg->value_two & arg->value : arg->value;

	add_value(values, 0);
	add_value(values, UINT64_MAX);
	add_value(values, value);
	add_value(values, value + 1);
	add_value(values, value - 1);
	add_value(values, value ^ (1ULL << 32));
	add_value(values, value + (1ULL << 32));
	add_value(values, value - (1ULL << 32));
	add_value(values, value ^ (1ULL << 63));
	add_value(values, value & UINT32_MAX);
	add_value(values, value | ~(uint64_t)UINT32_MAX);
	add_value(values, value & ~(uint64_t)UINT32_MAX);
	add_value(values, value | UINT32_MAX);
	add_value(values, ~value);
	if (!masked)
		return;
	add_value(values, value | ~arg->value);
	add_value(values, arg->value);
	for (uint64_t rest = arg->value; rest; rest &= rest - 1)
		add_value(values, value ^ (rest & -rest));
}

/* Tries all combinations, or, if there are too many, a spread of them that is the same each time. */
static int try_tuples(const struct probe *p, uint32_t nr, const struct values values[6], struct error *err)
{
	uint64_t total = 1, state = nr;
	bool looked;

	for (size_t i = 0; i < 6; i++)
		total *= total > PROBE_TUPLES || !values[i].n ? 1 : values[i].n;
	for (uint64_t tuple = 0; tuple < total && tuple < PROBE_TUPLES; tuple++) {
		uint64_t args[6], rest = tuple;

		for (size_t i = 0; i < 6; i++) {
			if (total > PROBE_TUPLES) {
				state = state * 6364136223846793005ULL + 1442695040888963407ULL;
				rest = state >> 33;
			}
			if (values[i].n) {
				args[i] = values[i].items[rest % values[i].n];
				rest /= values[i].n;
			} else {
				/* No rule names this argument, so it may be anything. */
				args[i] = tuple >> (i % 4) & 1 ? UINT64_MAX : tuple;
			}
			/* A 32-bit program's registers are 32 bits wide; x32's are not. */
			if (p->is_32bit && p->arch != SCMP_ARCH_X32)
				args[i] &= UINT32_MAX;
		}
		/* Also where no arguments were looked at: then one answer must be right for all. */
		if (try(p, nr, args, &looked, err) < 0)
			return -1;
	}
	return 0;
}

static int try_conditions(const struct probe *p, uint32_t nr, struct error *err)
{
	struct values values[6] = {0};
	int result;

	for (size_t i = 0; i < p->rules->n; i++)
		for (size_t j = 0; p->numbers[i] == (int)nr && j < p->rules->items[i].n_args; j++)
			add_telling_values(
				&values[p->rules->items[i].args[j].index], &p->rules->items[i].args[j]);
	result = try_tuples(p, nr, values, err);
	for (size_t i = 0; i < 6; i++)
		free(values[i].items);
	return result;
}

static int try_call(const struct probe *p, uint32_t nr, struct error *err)
{
	static const uint64_t plain[][6] = {
		{0},
		{1, 1, 1, 1, 1, 1},
		{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
		{0x7fff12345678, 0x10, 0x9, 0x10000000a, 0x22, 0x7},
	};
	bool looked = true;

	for (size_t i = 0; i < p->rules->n; i++)
		if (p->numbers[i] == (int)nr && p->rules->items[i].n_args)
			return try_conditions(p, nr, err);
	for (uint64_t first = 0; multiplexed(p, nr, 1) && first < 26; first++)
		if (try(p, nr, (uint64_t[6]){first, 1, 2, 3, 4, 5}, &looked, err) < 0)
			return -1;
	for (size_t i = 0; i < array_length(plain) && looked; i++)
		if (try(p, nr, plain[i], &looked, err) < 0)
			return -1;
	return 0;
}

static int verify_arch(const struct seccomp_rules *rules, const struct seccomp_filter *filter, size_t index,
	struct error *err)
{
	uint32_t arch = rules->arches[index], base = arch == SCMP_ARCH_X32 ? X32_BIT : 0;
	cleanup_free int *numbers = xcalloc(rules->n + 1, sizeof(*numbers));
	const struct probe p = {
		.rules = rules,
		.filter = filter,
		.arch = arch,
		.audit = seccomp_arch_audit(arch),
		.arch_index = index,
		.is_32bit = seccomp_arch_is_32bit(arch),
		.socketcall = seccomp_syscall_resolve_name_arch(arch, "socketcall"),
		.ipc = seccomp_syscall_resolve_name_arch(arch, "ipc"),
		.numbers = numbers,
	};

	for (size_t i = 0; i < rules->n; i++)
		numbers[i] = seccomp_syscall_number(arch, rules->items[i].name->name);
	for (uint32_t nr = base; nr < base + PROBE_CALLS; nr++)
		if (try_call(&p, nr, err) < 0)
			return -1;
	/* Numbers out of the row: arm's own begin at 0xf0000. */
	for (size_t i = 0; i < rules->n; i++)
		for (int nr = numbers[i] - 1; numbers[i] >= (int)base + PROBE_CALLS && nr <= numbers[i] + 1;
			nr++)
			if (try_call(&p, (uint32_t)nr, err) < 0)
				return -1;
	return try_call(&p, base | 0x3fffffff, err);
}

/* A call of an architecture that the profile doesn't list kills, x32 where only x86-64 is listed among them. */
static int verify_foreign(
	const struct seccomp_rules *rules, const struct seccomp_filter *filter, struct error *err)
{
	static const uint32_t audits[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64,
		AUDIT_ARCH_ARM, AUDIT_ARCH_RISCV64, AUDIT_ARCH_S390X, 0, UINT32_MAX};
	static const uint64_t args[6];

	for (size_t i = 0; i < array_length(audits); i++) {
		bool listed = false, x32 = false;

		for (size_t j = 0; j < rules->n_arches; j++) {
			listed |= seccomp_arch_audit(rules->arches[j]) == audits[i];
			x32 |= rules->arches[j] == SCMP_ARCH_X32;
		}
		if (listed && (audits[i] != AUDIT_ARCH_X86_64 || x32))
			continue;
		for (uint32_t nr = 0; nr < PROBE_CALLS; nr++) {
			uint32_t number = listed ? nr | X32_BIT : nr;
			uint32_t got = seccomp_simulate(filter, audits[i], (int)number, args, 0);

			if (got != SECCOMP_RET_KILL_THREAD && got != SECCOMP_RET_KILL_PROCESS)
				return error_set(err, ERROR_INTERNAL, 0,
					"libseccomp compiled it wrongly: call 0x%x of foreign architecture "
					"0x%x "
					"gets 0x%08x",
					number, audits[i], got);
		}
	}
	return 0;
}

int seccomp_verify(const struct seccomp_rules *rules, const struct seccomp_filter *filter, struct error *err)
{
	for (size_t i = 0; i < rules->n_arches; i++)
		if (verify_arch(rules, filter, i, err) < 0)
			return -1;
	return verify_foreign(rules, filter, err);
}
