/*
 * Which rule of a profile decided about a call.
 *
 * The profile is read again: what is compiled has no names left, and to keep all profiles in memory for the case that one
 * refuses something costs more than to read one when it does.
 */
#include "security/denial.h"

#include <errno.h>
#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "security/seccomp.h"

#define NAMES_SHOWN 4

static bool matches(const struct seccomp_rule *rule, const struct seccomp_data *call, bool is_32bit)
{
	for (size_t i = 0; i < rule->n_args; i++)
		if (!seccomp_arg_holds(&rule->args[i], call->args[rule->args[i].index], is_32bit))
			return false;
	return true;
}

/* The rule for a call by that name, or NULL: the first without conditions decides over all that have some. */
static const struct seccomp_rule *find_rule(
	const struct seccomp_rules *rules, size_t arch, const struct seccomp_data *call, uint32_t action)
{
	bool is_32bit = seccomp_arch_is_32bit(rules->arches[arch]);
	const struct seccomp_rule *conditional = NULL;
	cleanup_free char *name = seccomp_syscall_name(rules->arches[arch], call->nr);

	for (size_t i = 0; i < rules->n; i++) {
		const struct seccomp_rule *rule = &rules->items[i];

		if (rule->action != action || !name || strcmp(rule->name->name, name) != 0)
			continue;
		if (rule->n_args == 0)
			return rule;
		if (!conditional && matches(rule, call, is_32bit))
			conditional = rule;
	}
	return conditional;
}

/* "rule 3 of p.json, line 12: mkdir, mkdirat" */
static char *describe_entry(
	const struct seccomp_profile *profile, const struct seccomp_rule *rule, const char *name)
{
	for (size_t i = 0; i < profile->n_entries; i++) {
		const struct seccomp_entry *entry = &profile->entries[i];
		char *text, *longer;

		if (rule->name < entry->names || rule->name >= entry->names + entry->n_names)
			continue;
		text = xasprintf("rule %zu of %s, line %u:", i + 1, name, rule->name->line);
		for (size_t j = 0; j < entry->n_names && j < NAMES_SHOWN; j++) {
			/* A long list shows the one that it is about. */
			bool only = entry->n_names > NAMES_SHOWN;
			const char *shown = only ? rule->name->name : entry->names[j].name;

			longer = xasprintf("%s%s %s%s", text, j ? "," : "", shown, only ? ", ..." : "");
			free(text);
			text = longer;
			if (only)
				break;
		}
		return text;
	}
	return xasprintf("a rule of %s", name);
}

static const char *newest_name(const struct seccomp_rules *rules, size_t arch, char **owned)
{
	*owned = seccomp_syscall_name(rules->arches[arch], (int)rules->newest[arch]);
	return *owned ? *owned : "its newest";
}

static char *decide(const struct seccomp_profile *profile, const struct seccomp_rules *rules,
	const char *name, const struct seccomp_data *call, uint32_t action)
{
	bool is_x32 = call->arch == AUDIT_ARCH_X86_64 && (call->nr & X32_BIT);
	const struct seccomp_rule *rule;
	cleanup_free char *newest = NULL;

	for (size_t i = 0; i < rules->n_arches; i++) {
		bool x32_part =
			rules->arches[i] == seccomp_arch_number("SCMP_ARCH_X32", &(const char *){NULL});

		if (seccomp_arch_audit(rules->arches[i]) != call->arch || is_x32 != x32_part)
			continue;
		if (rules->newest[i] >= 0 && (uint32_t)call->nr > (uint64_t)rules->newest[i])
			return xasprintf(
				"newer than %s, the newest call of %s", newest_name(rules, i, &newest), name);
		rule = find_rule(rules, i, call, action);
		return rule ? describe_entry(profile, rule, name) : xasprintf("defaultAction of %s", name);
	}
	return xasprintf("an architecture that %s does not list", name);
}

char *denial_rule(const char *text, size_t size, const char *name, const struct seccomp_subject *subject,
	const struct seccomp_data *call, uint32_t action)
{
	struct seccomp_profile *profile;
	struct seccomp_rules rules = {0};
	struct findings findings;
	struct error ignored;
	char *rule = NULL;

	findings_init(&findings, name);
	profile = seccomp_profile_read(text, size, &findings);
	if (profile && seccomp_select(profile, subject, &rules, &findings, &ignored) == 0)
		rule = decide(profile, &rules, name, call, action);
	free(rules.items);
	seccomp_profile_free(profile);
	findings_free(&findings);
	return rule ? rule : xstrdup(name);
}
