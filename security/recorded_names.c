/* What was recorded, by name; and what follows from it that needn't have been seen. */
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "security/profile_parts.h"
#include "security/seccomp.h"

#define A_THREAD "a thread"

/*
 * What comes with something else, now or another time. NULL: always. How it turns out that two threads get into each other's
 * way, that a signal comes, that a wait is interrupted, is another matter in each run.
 */
static const struct {
	const char *after, *call;
	bool only_32bit;
} implications[] = {
	{NULL, "execve", false},
	{NULL, "exit_group", false},
	{A_THREAD, "futex", false},
	{A_THREAD, "futex_time64", true},
	{A_THREAD, "restart_syscall", false},
	/* What glibc and musl call when a thread ends: the program may end before it or after it. */
	{A_THREAD, "rt_sigprocmask", false},
	{A_THREAD, "madvise", false},
	{A_THREAD, "munmap", false},
	{A_THREAD, "exit", false},
	{"rt_sigaction", "rt_sigreturn", false},
	{"rt_sigaction", "sigreturn", true},
	{"sigaction", "sigreturn", true},
	{"signal", "sigreturn", true},
	/* Those that wait for a time: after SIGSTOP and SIGCONT the kernel goes on with the time that is left. */
	{"clock_nanosleep", "restart_syscall", false},
	{"clock_nanosleep_time64", "restart_syscall", false},
	{"futex", "restart_syscall", false},
	{"futex_time64", "restart_syscall", false},
	{"nanosleep", "restart_syscall", false},
	{"poll", "restart_syscall", false},
};

static void name_set(uint32_t arch, const struct call_set *set, struct strv *names, struct strv *nameless)
{
	for (int nr = 0; nr < RECORDING_CALLS + (int)set->n_outliers; nr++) {
		bool is_outlier = nr >= RECORDING_CALLS;
		int number = is_outlier ? set->outliers[nr - RECORDING_CALLS] : nr;
		cleanup_free char *name = NULL;

		if (!is_outlier && !(set->bits[nr / 64] >> (nr % 64) & 1))
			continue;
		name = seccomp_syscall_name(arch, arch == SCMP_ARCH_X32 ? number | X32_BIT : number);
		if (name) {
			names_add(names, name);
		} else if (nameless) {
			cleanup_free char *text = xasprintf("%d (%s)", number, seccomp_arch_go_name(arch));

			names_add(nameless, text);
		}
	}
}

void recorded_names(const struct profile_plan *plan, struct recorded_names *names)
{
	for (size_t i = 0; i < plan->n_recordings; i++)
		for (size_t j = 0; j < plan->recordings[i]->n_arches; j++) {
			const struct recorded_arch *arch = &plan->recordings[i]->arches[j];

			name_set(arch->arch, &arch->seen, &names->seen, &names->nameless);
			name_set(arch->arch, &arch->missing, &names->missing, NULL);
		}
	strv_sort(&names->seen);
	strv_sort(&names->nameless);
}

/* Whether a call was seen on an architecture where what it implies exists. */
static bool leads_on(const struct profile_plan *plan, const char *call, bool only_32bit)
{
	for (size_t i = 0; i < plan->n_recordings; i++)
		for (size_t j = 0; j < plan->recordings[i]->n_arches; j++) {
			const struct recorded_arch *arch = &plan->recordings[i]->arches[j];
			struct strv names = {0};
			bool found = plan->recordings[i]->threads && !strcmp(call, A_THREAD);

			if (only_32bit && (arch->arch == SCMP_ARCH_X32 || !seccomp_arch_is_32bit(arch->arch)))
				continue;
			name_set(arch->arch, &arch->seen, &names, NULL);
			found |= names_have(names.items, call);
			strv_free(names.items);
			if (found)
				return true;
		}
	return false;
}

/* Whether the base allows a call, whatever its arguments. */
static bool base_allows(const struct profile_plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->n_recordings; i++) {
		const struct seccomp_filter *base = plan->recordings[i]->base;
		int number = seccomp_syscall_number(seccomp_arch_native(), name);
		const uint64_t args[6] = {0};
		uint32_t action;

		if (!base || number < 0)
			return false;
		action = seccomp_simulate(base, seccomp_arch_audit(seccomp_arch_native()), number, args, 0) &
			 SECCOMP_RET_ACTION_FULL;
		if (action != SECCOMP_RET_ALLOW && action != SECCOMP_RET_LOG)
			return false;
	}
	return plan->n_recordings > 0;
}

void recorded_implied(const struct profile_plan *plan, char *const *denied, struct strv *implied)
{
	for (size_t i = 0; i < array_length(implications); i++) {
		const char *call = implications[i].call;

		if (implications[i].after &&
			!leads_on(plan, implications[i].after, implications[i].only_32bit))
			continue;
		if (!names_have(denied, call) && !base_allows(plan, call))
			names_add(implied, call);
	}
}
