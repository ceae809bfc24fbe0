/* The parts of a profile's entry that say when it counts: args, includes and excludes. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "security/seccomp_reader.h"

static void read_arg(struct profile_reader *r, const struct node *map, struct seccomp_entry *entry)
{
	static const char *const keys[] = {"index", "value", "valueTwo", "op"};
	struct seccomp_arg arg = {0};
	const struct node *op = profile_get(r, map, "op", NODE_STRING);
	uint64_t index = 0;
	const char *nearest = NULL;
	int compare;

	profile_check_keys(r, map, keys, array_length(keys));
	/* Go's decoder takes a missing number for 0, and profiles rely on it. */
	profile_number(r, map, "index", 5, &index);
	profile_number(r, map, "value", UINT64_MAX, &arg.value);
	profile_number(r, map, "valueTwo", UINT64_MAX, &arg.value_two);
	if (!op) {
		if (!node_get(map, "op") || node_get(map, "op")->kind == NODE_NULL)
			profile_complain(r, map, "op", "\"SCMP_CMP_EQ\", ...", "Required value");
		return;
	}
	compare = seccomp_compare_number(op->text, &nearest);
	if (compare < 0) {
		cleanup_free char *hint = profile_did_you_mean(nearest);

		profile_complain(r, op, "op", hint, "unknown operator \"%s\"", op->text);
		return;
	}
	if (compare != COMPARE_MASKED_EQ && arg.value_two)
		profile_warn(r, node_get(map, "valueTwo"), "valueTwo", NULL,
			"has a meaning with SCMP_CMP_MASKED_EQ only");
	if (++r->n_conditions > SECCOMP_MAX_CONDITIONS) {
		if (r->n_conditions == SECCOMP_MAX_CONDITIONS + 1)
			profile_complain(r, map, "", "the kernel takes 4096 instructions",
				"the profile has more than %d conditions", SECCOMP_MAX_CONDITIONS);
		return;
	}
	arg.index = (unsigned int)index;
	arg.compare = (enum seccomp_compare)compare;
	entry->args = xreallocarray(entry->args, entry->n_args + 1, sizeof(*entry->args));
	entry->args[entry->n_args++] = arg;
}

void profile_args(struct profile_reader *r, const struct node *entry_map, struct seccomp_entry *entry)
{
	const struct node *list = profile_get(r, entry_map, "args", NODE_LIST);

	for (size_t i = 0; list && i < list->n; i++) {
		const struct node *item = list->items[i];
		size_t mark = profile_enter(r, "args[%zu].", i);

		if (item->kind == NODE_MAP)
			read_arg(r, item, entry);
		else
			profile_complain(r, item, "", NULL, "must be a map, not %s %s",
				profile_article(item->kind), node_kind_name(item->kind));
		profile_leave(r, mark);
	}
}

/* "4.8": two numbers, as Docker has it. */
static void read_kernel(struct profile_reader *r, const struct node *node, struct seccomp_clause *clause)
{
	cleanup_free char *major = xstrdup(node->text);
	char *minor = strchr(major, '.');
	int64_t a, b;

	if (minor)
		*minor++ = '\0';
	if (!minor || !text_to_integer(major, 0, 65535, &a) || !text_to_integer(minor, 0, 65535, &b)) {
		profile_complain(r, node, "minKernel", NULL,
			"must be a kernel's version such as \"4.8\", not \"%s\"", node->text);
		return;
	}
	clause->has_kernel = true;
	clause->major = (unsigned int)a;
	clause->minor = (unsigned int)b;
}

static void read_capability(
	struct profile_reader *r, const struct node *node, const char *leaf, struct seccomp_clause *clause)
{
	cleanup_free char *hint = NULL;
	const char *nearest = NULL;
	int number = capability_number(node->text, &nearest);

	/* Docker compares the text: it must have its prefix. */
	if (number >= 0 && text_starts_with(node->text, "CAP_")) {
		clause->capabilities |= (capability_set)1 << number;
		return;
	}
	if (number >= 0)
		nearest = capability_name((unsigned int)number);
	if (nearest)
		hint = xasprintf("did you mean \"CAP_%s\"?", nearest);
	profile_complain(r, node, leaf, hint, "unknown capability \"%s\"", node->text);
}

static void read_clause_arch(
	struct profile_reader *r, const struct node *node, const char *leaf, struct seccomp_clause *clause)
{
	struct strv list = {clause->arches, 0};
	const char *nearest = NULL;

	if (!seccomp_arch_go_name_known(node->text, &nearest)) {
		cleanup_free char *hint = profile_did_you_mean(nearest);

		profile_complain(r, node, leaf, hint, "unknown architecture \"%s\"", node->text);
	}
	while (list.items && list.items[list.n])
		list.n++;
	strv_push(&list, xstrdup(node->text));
	clause->arches = list.items;
}

/* Calls read for each string of a list. */
static void read_strings(struct profile_reader *r, const struct node *map, const char *key,
	struct seccomp_clause *clause,
	void (*read)(struct profile_reader *, const struct node *, const char *, struct seccomp_clause *))
{
	const struct node *list = profile_get(r, map, key, NODE_LIST);
	char leaf[32];

	for (size_t i = 0; list && i < list->n; i++) {
		snprintf(leaf, sizeof(leaf), "%s[%zu]", key, i);
		if (list->items[i]->kind == NODE_STRING)
			read(r, list->items[i], leaf, clause);
		else
			profile_complain(r, list->items[i], leaf, NULL, "must be a string, not %s %s",
				profile_article(list->items[i]->kind), node_kind_name(list->items[i]->kind));
	}
}

void profile_clause(struct profile_reader *r, const struct node *entry_map, const char *key,
	struct seccomp_clause *clause)
{
	static const char *const keys[] = {"caps", "arches", "minKernel"};
	const struct node *map = profile_get(r, entry_map, key, NODE_MAP);
	const struct node *kernel;
	size_t mark;

	if (!map)
		return;
	mark = profile_enter(r, "%s.", key);
	profile_check_keys(r, map, keys, array_length(keys));
	read_strings(r, map, "caps", clause, read_capability);
	read_strings(r, map, "arches", clause, read_clause_arch);
	kernel = profile_get(r, map, "minKernel", NODE_STRING);
	if (kernel && *kernel->text)
		read_kernel(r, kernel, clause);
	profile_leave(r, mark);
}
