/* What the entries of a profile do to each other: duplicates, contradictions, and what can never happen. */
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "security/lint.h"
#include "security/profile_parts.h"

/* A name of an entry. */
struct mention {
	const struct seccomp_entry *entry;
	const struct seccomp_name *name;
};

static bool same_arches(char *const *a, char *const *b)
{
	if (!a || !b)
		return a == b;
	for (; *a && *b; a++, b++)
		if (strcmp(*a, *b))
			return false;
	return !*a && !*b;
}

static bool same_clause(const struct seccomp_clause *a, const struct seccomp_clause *b)
{
	return a->capabilities == b->capabilities && same_arches(a->arches, b->arches) &&
	       a->has_kernel == b->has_kernel && a->major == b->major && a->minor == b->minor;
}

/* Whether the two entries count for the same containers and machines. */
static bool same_clauses(const struct seccomp_entry *a, const struct seccomp_entry *b)
{
	return a == b || (same_clause(&a->includes, &b->includes) && same_clause(&a->excludes, &b->excludes));
}

static bool same_conditions(const struct seccomp_entry *a, const struct seccomp_entry *b)
{
	if (a->n_args != b->n_args)
		return false;
	for (size_t i = 0; i < a->n_args; i++)
		if (a->args[i].index != b->args[i].index || a->args[i].compare != b->args[i].compare ||
			a->args[i].value != b->args[i].value || a->args[i].value_two != b->args[i].value_two)
			return false;
	return true;
}

/* The later of two mentions of one call, seen from the earlier. */
static void compare(const struct lint *lint, const struct mention *first, const struct mention *second)
{
	const struct seccomp_entry *a = first->entry, *b = second->entry;
	struct place place = {second->name->line, second->name->column};
	struct place void_place = place;
	unsigned int deciding = first->name->line;

	if (!same_clauses(a, b))
		return;
	if (same_conditions(a, b)) {
		if (a->action == b->action)
			lint_add(lint, LINT_DUPLICATE_NAME, place, "take one of the two out",
				"%s stands on line %u already", second->name->name, first->name->line);
		else
			lint_add(lint, LINT_CONTRADICTION, place, "take one of the two out",
				"%s has %s here and %s on line %u", second->name->name,
				seccomp_action_text(b->action), seccomp_action_text(a->action),
				first->name->line);
		return;
	}
	if (a->n_args && b->n_args)
		return;
	/* The one without conditions decides, wherever it stands; unless it says what the default says (and isn't there). */
	if (b->n_args == 0) {
		void_place = (struct place){first->name->line, first->name->column};
		deciding = second->name->line;
	}
	if ((a->n_args ? b : a)->action != lint->profile->default_action)
		lint_add(lint, LINT_RULE_NEVER_MATCHES, void_place,
			"take one of the two out, or give both conditions",
			"this rule for %s has no effect: line %u decides every call of it (%s)",
			second->name->name, deciding, seccomp_action_text((a->n_args ? b : a)->action));
}

static int by_name(const void *x, const void *y)
{
	const struct mention *a = x, *b = y;
	int order = strcmp(a->name->name, b->name->name);

	if (order)
		return order;
	if (a->name->line != b->name->line)
		return a->name->line < b->name->line ? -1 : 1;
	return a->name->column < b->name->column ? -1 : a->name->column > b->name->column;
}

static void lint_mentions(const struct lint *lint)
{
	const struct seccomp_profile *profile = lint->profile;
	cleanup_free struct mention *mentions = NULL;
	size_t n = 0;

	for (size_t i = 0; i < profile->n_entries; i++) {
		const struct seccomp_entry *entry = &profile->entries[i];

		mentions = xreallocarray(mentions, n + entry->n_names + 1, sizeof(*mentions));
		for (size_t j = 0; j < entry->n_names; j++)
			mentions[n++] = (struct mention){entry, &entry->names[j]};
	}
	if (!n)
		return;
	qsort(mentions, n, sizeof(*mentions), by_name);
	for (size_t i = 0; i < n; i++) {
		/* A name that stands a thousand times is told of a thousand times, not half a million. */
		for (size_t j = i + 1; j < n && j < i + 16; j++) {
			size_t found = lint->findings->n;

			if (strcmp(mentions[i].name->name, mentions[j].name->name))
				break;
			compare(lint, &mentions[i], &mentions[j]);
			if (lint->findings->n > found)
				break;
		}
	}
}

static bool is_subset(char *const *some, char *const *of)
{
	for (; *some; some++) {
		bool found = false;

		for (char *const *other = of; *other && !found; other++)
			found = !strcmp(*some, *other);
		if (!found)
			return false;
	}
	return true;
}

/* Why an entry counts nowhere, or NULL. */
static const char *never_counts(const struct seccomp_entry *entry)
{
	const struct seccomp_clause *in = &entry->includes, *ex = &entry->excludes;

	if (in->capabilities & ex->capabilities)
		return "the same capability is among includes and excludes";
	if (in->arches && ex->arches && is_subset(in->arches, ex->arches))
		return "all architectures of includes are among excludes";
	if (in->has_kernel && ex->has_kernel &&
		(in->major > ex->major || (in->major == ex->major && in->minor >= ex->minor)))
		return "kernels that includes.minKernel lets in are all excluded by excludes.minKernel";
	return NULL;
}

static bool never_holds(const struct seccomp_arg *arg)
{
	return (arg->compare == COMPARE_LT && arg->value == 0) ||
	       (arg->compare == COMPARE_GT && arg->value == UINT64_MAX);
}

static void lint_conditions(
	const struct lint *lint, const struct seccomp_entry *entry, const struct node *node)
{
	const struct node *args = node_get(node, "args");
	unsigned int seen = 0, twice = 0;

	for (size_t i = 0; args && i < entry->n_args && i < args->n; i++) {
		const struct seccomp_arg *arg = &entry->args[i];

		twice |= seen & 1U << arg->index;
		seen |= 1U << arg->index;
		if (never_holds(arg))
			lint_add(lint, LINT_RULE_NEVER_MATCHES, lint_place_of(args->items[i]),
				"SCMP_CMP_LE or SCMP_CMP_GE has the value itself in it",
				"no argument can be %s than %llu: this condition never holds",
				arg->compare == COMPARE_LT ? "less" : "greater",
				(unsigned long long)arg->value);
	}
	for (unsigned int index = 0; index < 6; index++)
		if (twice >> index & 1 && lint_allows(entry->action))
			lint_add(lint, LINT_EITHER_CONDITION, lint_place_of(args),
				"if both must hold, name them in one SCMP_CMP_MASKED_EQ; else make two "
				"entries, to say so",
				"two conditions on argument %u: any single condition of this entry is then "
				"enough to allow the call",
				index);
}

/* What `minirun learn` leaves out is named, so that it gets the default action and not ENOSYS, newer or not. */
static bool is_left_out(const struct node *entry)
{
	const struct node *comment = node_get(entry, "comment");

	return comment && comment->kind == NODE_STRING &&
	       !strcmp(comment->text, entry_comments[ENTRY_LEFT_OUT]);
}

static void lint_entry(const struct lint *lint, const struct seccomp_entry *entry, const struct node *node)
{
	const struct node *action = node_get(node, "action");
	const char *why = never_counts(entry);

	if (why)
		lint_add(lint, LINT_RULE_NEVER_MATCHES, lint_place_of(node), "take one of the two out",
			"this entry never counts: %s", why);
	else if (entry->action == lint->profile->default_action && !is_left_out(node))
		lint_add(lint, LINT_RULE_REDUNDANT, lint_place_of(action),
			"leave the entry out, or give it another action",
			"this entry says what the default says: it has no effect");
	lint_conditions(lint, entry, node);
}

void lint_rules(const struct lint *lint)
{
	const struct node *syscalls = node_get(lint->root, "syscalls");

	for (size_t i = 0; syscalls && i < lint->profile->n_entries && i < syscalls->n; i++)
		lint_entry(lint, &lint->profile->entries[i], syscalls->items[i]);
	lint_mentions(lint);
}
