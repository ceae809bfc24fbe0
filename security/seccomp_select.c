/* From a profile to rules: what of it counts for this container, on this machine. */
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "security/seccomp.h"

/* Of "6.1.0-18-amd64" the first two numbers. */
static void kernel_version(unsigned int *major, unsigned int *minor)
{
	struct utsname name;
	char *end;

	*major = *minor = 0;
	if (uname(&name) < 0)
		return;
	*major = (unsigned int)strtoul(name.release, &end, 10);
	if (*end == '.')
		*minor = (unsigned int)strtoul(end + 1, NULL, 10);
}

static bool names_arch(char *const *arches, const char *arch)
{
	for (; arches && *arches; arches++)
		if (!strcmp(*arches, arch))
			return true;
	return false;
}

static bool kernel_reaches(const struct seccomp_clause *clause)
{
	unsigned int major, minor;

	kernel_version(&major, &minor);
	return major > clause->major || (major == clause->major && minor >= clause->minor);
}

/*
 * Docker's rules (profiles/seccomp): an entry counts if this architecture is among those included, all capabilities
 * included are there and the kernel is new enough; and if nothing that is excluded is there.
 */
static bool entry_counts(const struct seccomp_entry *entry, const struct seccomp_subject *subject)
{
	const struct seccomp_clause *in = &entry->includes, *ex = &entry->excludes;
	const char *arch = seccomp_arch_go_name(seccomp_arch_native());

	if (!arch)
		arch = "";
	if (in->arches && !names_arch(in->arches, arch))
		return false;
	if (in->capabilities & ~subject->capabilities)
		return false;
	if (in->has_kernel && !kernel_reaches(in))
		return false;
	if (names_arch(ex->arches, arch) || (ex->capabilities & subject->capabilities))
		return false;
	return !ex->has_kernel || !kernel_reaches(ex);
}

static void add_rule(struct seccomp_rules *rules, const struct seccomp_name *name, uint32_t action,
	const struct seccomp_arg *args, size_t n_args)
{
	rules->items = xreallocarray(rules->items, rules->n + 1, sizeof(*rules->items));
	rules->items[rules->n++] = (struct seccomp_rule){name, action, args, n_args};
}

/*
 * As runc's patchbpf: what is newer than the newest call that the profile mentions, its author can't have known. A
 * program that tries it should see what an older kernel would say. Unless the default lets such calls through.
 */
static void note_newest(struct seccomp_rules *rules, const struct seccomp_entry *entry)
{
	uint32_t action = rules->default_action & SECCOMP_RET_ACTION_FULL;

	if (action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG || action == SECCOMP_RET_TRACE)
		return;
	for (size_t i = 0; i < rules->n_arches; i++)
		for (size_t j = 0; j < entry->n_names; j++) {
			int number = seccomp_syscall_number(rules->arches[i], entry->names[j].name);

			if (number > 0 && number > rules->newest[i])
				rules->newest[i] = number;
		}
}

static void add_entry(struct seccomp_rules *rules, const struct seccomp_entry *entry)
{
	unsigned int seen = 0;
	bool twice = false;

	note_newest(rules, entry);
	/* As runc: a rule that says what the default says anyway is left out (libseccomp refuses it). */
	if (entry->action == rules->default_action)
		return;
	for (size_t i = 0; i < entry->n_args; i++) {
		twice |= seen >> entry->args[i].index & 1;
		seen |= 1U << entry->args[i].index;
	}
	for (size_t i = 0; i < entry->n_names; i++) {
		if (!twice) {
			add_rule(rules, &entry->names[i], entry->action, entry->args, entry->n_args);
			continue;
		}
		/*
		 * Conditions of one entry must all hold. But as soon as two concern the same argument, each
		 * becomes a rule of its own: libseccomp took no second one when the format was made, and the
		 * runtime spec and runc have kept to it.
		 */
		for (size_t j = 0; j < entry->n_args; j++)
			add_rule(rules, &entry->names[i], entry->action, &entry->args[j], 1);
	}
}

static void choose_arches(const struct seccomp_profile *profile, struct seccomp_rules *rules)
{
	/* The machine's own is always in, as under runc: without it the program couldn't even start. */
	rules->arches[rules->n_arches++] = seccomp_arch_native();
	for (size_t i = 0; i < profile->n_arches; i++) {
		bool known = false;

		for (size_t j = 0; j < rules->n_arches; j++)
			known |= rules->arches[j] == profile->arches[i];
		/* No call of another family can reach this kernel: a filter for it would only cost time. */
		if (!known && seccomp_arch_possible(profile->arches[i]) &&
			rules->n_arches < array_length(rules->arches))
			rules->arches[rules->n_arches++] = profile->arches[i];
	}
	for (size_t i = 0; i < rules->n_arches; i++)
		rules->newest[i] = -1;
}

/* Which rule decides a call that more than one names: libseccomp takes the first without conditions, if any. */
static void warn_of_void_rules(const struct seccomp_rules *rules, struct findings *findings)
{
	for (size_t i = 0; i < rules->n; i++) {
		const struct seccomp_rule *deciding = &rules->items[i];
		bool is_first = true;

		for (size_t j = 0; j < i && deciding->n_args == 0; j++)
			is_first &= rules->items[j].n_args ||
				    strcmp(rules->items[j].name->name, deciding->name->name);
		for (size_t j = 0; j < rules->n && deciding->n_args == 0 && is_first; j++) {
			const struct seccomp_rule *rule = &rules->items[j];

			if (rule->action == deciding->action ||
				strcmp(rule->name->name, deciding->name->name))
				continue;
			findings_add(findings, SEVERITY_WARNING, rule->name->line, rule->name->column, NULL,
				NULL, "this rule for %s has no effect: line %u decides every call of it (%s)",
				rule->name->name, deciding->name->line,
				seccomp_action_text(deciding->action));
		}
	}
}

int seccomp_select(const struct seccomp_profile *profile, const struct seccomp_subject *subject,
	struct seccomp_rules *rules, struct findings *findings, struct error *err)
{
	size_t conditions = 0;

	*rules = (struct seccomp_rules){.default_action = profile->default_action, .flags = profile->flags};
	choose_arches(profile, rules);
	for (size_t i = 0; i < profile->n_entries; i++)
		if (entry_counts(&profile->entries[i], subject))
			add_entry(rules, &profile->entries[i]);
	for (size_t i = 0; i < rules->n; i++)
		conditions += rules->items[i].n_args;
	/* An entry's conditions count once for each of its names. */
	if (conditions > SECCOMP_MAX_CONDITIONS)
		return error_set(err, ERROR_PROFILE, 0,
			"it has %zu conditions on arguments, more than the limit of %d", conditions,
			SECCOMP_MAX_CONDITIONS);
	warn_of_void_rules(rules, findings);
	return 0;
}

static bool allows(uint32_t action)
{
	action &= SECCOMP_RET_ACTION_FULL;
	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

unsigned int seccomp_rules_allowed(const struct seccomp_rules *rules)
{
	uint32_t native = seccomp_arch_native();
	unsigned int n = 0;

	if (allows(rules->default_action))
		return SECCOMP_ALLOWS_BY_DEFAULT;
	for (size_t i = 0; i < rules->n; i++) {
		bool counted = !allows(rules->items[i].action) ||
			       seccomp_syscall_number(native, rules->items[i].name->name) < 0;

		for (size_t j = 0; j < i && !counted; j++)
			counted = allows(rules->items[j].action) &&
				  !strcmp(rules->items[i].name->name, rules->items[j].name->name);
		n += !counted;
	}
	return n;
}

bool seccomp_rules_may_execve(const struct seccomp_rules *rules)
{
	bool may = allows(rules->default_action);

	for (size_t i = 0; i < rules->n; i++) {
		if (strcmp(rules->items[i].name->name, "execve"))
			continue;
		if (rules->items[i].n_args == 0)
			return allows(rules->items[i].action);
		may |= allows(rules->items[i].action);
	}
	return may;
}

unsigned int seccomp_profile_allowed(const struct seccomp_profile *profile)
{
	struct seccomp_rules rules = {.default_action = profile->default_action};
	unsigned int n;

	for (size_t i = 0; i < profile->n_entries; i++)
		for (size_t j = 0; j < profile->entries[i].n_names; j++)
			add_rule(&rules, &profile->entries[i].names[j], profile->entries[i].action, NULL, 0);
	n = seccomp_rules_allowed(&rules);
	free(rules.items);
	return n;
}

bool seccomp_arg_holds(const struct seccomp_arg *arg, uint64_t is, bool is_32bit)
{
	uint64_t mask = is_32bit ? UINT32_MAX : UINT64_MAX;
	uint64_t value = arg->value & mask;

	is &= mask;
	switch (arg->compare) {
	case COMPARE_NE:
		return is != value;
	case COMPARE_LT:
		return is < value;
	case COMPARE_LE:
		return is <= value;
	case COMPARE_EQ:
		return is == value;
	case COMPARE_GE:
		return is >= value;
	case COMPARE_GT:
		return is > value;
	case COMPARE_MASKED_EQ:
		return (is & value) == (arg->value_two & value);
	}
	return false;
}
