/*
 * The reader of seccomp profiles, in the format of Docker, of containers/common and of the OCI runtime spec.
 *
 * Sources: the runtime spec's config-linux.md ("Seccomp"); Docker's profiles (names, archMap, includes and excludes,
 * minKernel); containers/common (errno and defaultErrno by name). All of it is read strictly: a key that nobody knows
 * is an error, so that a misspelt "errnoRet" doesn't become EPERM in silence (law R2).
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "security/seccomp_reader.h"

#define ERRNO_MAX 4095 /* what the kernel takes for SECCOMP_RET_ERRNO; it would cut off more in silence */
#define TRACE_MAX 65535

/* The keys of an action: its name, its errno's number, its errno's name. */
struct action_keys {
	const char *action, *number, *name;
};

static const struct seccomp_action_name *find_action(
	struct profile_reader *r, const struct node *map, const char *key)
{
	const struct node *node = profile_get(r, map, key, NODE_STRING);
	const char *names[16];
	cleanup_free char *hint = NULL;

	if (!node) {
		if (!node_get(map, key) || node_get(map, key)->kind == NODE_NULL)
			profile_complain(
				r, map, key, "\"SCMP_ACT_ALLOW\", \"SCMP_ACT_ERRNO\", ...", "Required value");
		return NULL;
	}
	for (size_t i = 0; i < seccomp_n_action_names; i++) {
		names[i] = seccomp_action_names[i].name;
		if (!strcmp(node->text, names[i]))
			return &seccomp_action_names[i];
	}
	hint = profile_did_you_mean(text_nearest(node->text, names, seccomp_n_action_names));
	profile_complain(r, node, key, hint, "unknown action \"%s\"", node->text);
	return NULL;
}

static bool read_errno_name(
	struct profile_reader *r, const struct node *map, const char *key, uint64_t *value)
{
	const struct node *node = profile_get(r, map, key, NODE_STRING);
	int number;

	if (!node || !*node->text)
		return false;
	number = seccomp_errno_number(node->text);
	if (number < 0) {
		profile_complain(r, node, key, "a name as in errno(3): \"EPERM\", \"ENOSYS\", ...",
			"unknown error name \"%s\"", node->text);
		return false;
	}
	*value = (uint64_t)number;
	return true;
}

/* Reads an action and its errno into SECCOMP_RET_* with data. Without an errno EPERM, as in the runtime spec. */
static uint32_t read_action(struct profile_reader *r, const struct node *map, const struct action_keys *keys)
{
	const struct seccomp_action_name *action = find_action(r, map, keys->action);
	uint64_t number = EPERM, named = 0;
	bool has_number, has_name;

	if (!action)
		return SECCOMP_RET_KILL_PROCESS; /* never used: the profile has an error */
	if (action->action == SECCOMP_RET_USER_NOTIF)
		profile_complain(r, node_get(map, keys->action), keys->action, "use SCMP_ACT_ERRNO instead",
			"SCMP_ACT_NOTIFY needs a listener that decides about each call, and there is none");
	has_number = profile_number(
		r, map, keys->number, action->action == SECCOMP_RET_TRACE ? TRACE_MAX : ERRNO_MAX, &number);
	has_name = read_errno_name(r, map, keys->name, &named);
	if (has_number && has_name && number != named)
		profile_complain(r, node_get(map, keys->name), keys->name, NULL,
			"\"%s\" is %d, but %s says %d", node_get(map, keys->name)->text, (int)named,
			keys->number, (int)number);
	if ((has_number || has_name) && !action->has_errno) {
		const char *key = has_number ? keys->number : keys->name;

		profile_complain(
			r, node_get(map, key), key, NULL, "%s returns no error number", action->name);
	}
	if (!action->has_errno)
		return action->action;
	return action->action | (uint32_t)(has_name ? named : number);
}

static void read_name(
	struct profile_reader *r, const struct node *node, const char *leaf, struct seccomp_entry *entry)
{
	if (node->kind != NODE_STRING) {
		profile_complain(r, node, leaf, NULL, "must be a string, not %s %s",
			profile_article(node->kind), node_kind_name(node->kind));
		return;
	}
	if (++r->n_names > SECCOMP_MAX_NAMES) {
		if (r->n_names == SECCOMP_MAX_NAMES + 1)
			profile_complain(
				r, node, leaf, NULL, "the profile has more than %d names", SECCOMP_MAX_NAMES);
		return;
	}
	/* Another kernel may well know it, so a profile that has it must still run. */
	if (!seccomp_syscall_in_library(node->text) &&
		seccomp_syscall_number(0, node->text) == SYSCALL_UNKNOWN) {
		cleanup_free char *nearest = seccomp_syscall_nearest(node->text);
		cleanup_free char *hint = profile_did_you_mean(nearest);

		profile_warn(r, node, leaf, hint, "no system call \"%s\" is known: the name has no effect",
			node->text);
		findings_code(r->findings, "unknown-name");
		return;
	}
	entry->names = xreallocarray(entry->names, entry->n_names + 1, sizeof(*entry->names));
	entry->names[entry->n_names++] = (struct seccomp_name){xstrdup(node->text), node->line, node->column};
}

static void read_names(struct profile_reader *r, const struct node *map, struct seccomp_entry *entry)
{
	const struct node *list = profile_get(r, map, "names", NODE_LIST);
	const struct node *single = profile_get(r, map, "name", NODE_STRING);
	char leaf[32];

	/* Docker's words. */
	if (list && list->n && single && *single->text)
		profile_complain(r, single, "name", NULL,
			"'name' and 'names' were specified in the seccomp profile, use either");
	else if (single && *single->text)
		read_name(r, single, "name", entry);
	else if (!list || !list->n)
		profile_complain(r, list ? list : map, "names", NULL, "Required value");
	for (size_t i = 0; list && i < list->n; i++) {
		snprintf(leaf, sizeof(leaf), "names[%zu]", i);
		read_name(r, list->items[i], leaf, entry);
	}
}

static void read_entry(struct profile_reader *r, const struct node *map, struct seccomp_profile *profile)
{
	static const char *const keys[] = {
		"names", "name", "action", "args", "errnoRet", "errno", "comment", "includes", "excludes"};
	struct seccomp_entry *entry;

	if (map->kind != NODE_MAP) {
		profile_complain(r, map, "", NULL, "must be a map, not %s %s", profile_article(map->kind),
			node_kind_name(map->kind));
		return;
	}
	profile->entries = xreallocarray(profile->entries, profile->n_entries + 1, sizeof(*profile->entries));
	entry = &profile->entries[profile->n_entries++];
	*entry = (struct seccomp_entry){0};
	profile_check_keys(r, map, keys, array_length(keys));
	profile_get(r, map, "comment", NODE_STRING);
	read_names(r, map, entry);
	entry->action = read_action(r, map, &(struct action_keys){"action", "errnoRet", "errno"});
	profile_args(r, map, entry);
	profile_clause(r, map, "includes", &entry->includes);
	profile_clause(r, map, "excludes", &entry->excludes);
}

/* SCMP_ARCH_*, or 0 for none that is known. */
static uint32_t read_arch(struct profile_reader *r, const struct node *node, const char *leaf)
{
	cleanup_free char *hint = NULL;
	const char *nearest = NULL;
	uint32_t arch;

	if (node->kind != NODE_STRING) {
		profile_complain(r, node, leaf, NULL, "must be a string, not %s %s",
			profile_article(node->kind), node_kind_name(node->kind));
		return 0;
	}
	arch = seccomp_arch_number(node->text, &nearest);
	if (arch)
		return arch;
	hint = profile_did_you_mean(nearest);
	profile_complain(r, node, leaf, hint, "unknown architecture \"%s\"", node->text);
	return 0;
}

static void read_arch_list(struct profile_reader *r, const struct node *map, const char *key, bool wanted,
	struct seccomp_profile *profile)
{
	const struct node *list = profile_get(r, map, key, NODE_LIST);
	char leaf[48];

	for (size_t i = 0; list && i < list->n; i++) {
		uint32_t arch;

		snprintf(leaf, sizeof(leaf), "%s[%zu]", key, i);
		arch = read_arch(r, list->items[i], leaf);
		if (!arch || !wanted)
			continue;
		profile->arches =
			xreallocarray(profile->arches, profile->n_arches + 1, sizeof(*profile->arches));
		profile->arches[profile->n_arches++] = arch;
	}
}

/* Docker's archMap: of it counts what stands beside the machine's own architecture. */
static void read_arch_map(struct profile_reader *r, const struct node *map, struct seccomp_profile *profile)
{
	static const char *const keys[] = {"architecture", "subArchitectures"};
	const struct node *arch;
	bool native;

	if (map->kind != NODE_MAP) {
		profile_complain(r, map, "", NULL, "must be a map, not %s %s", profile_article(map->kind),
			node_kind_name(map->kind));
		return;
	}
	profile_check_keys(r, map, keys, array_length(keys));
	arch = node_get(map, "architecture");
	if (!arch) {
		profile_complain(r, map, "architecture", NULL, "Required value");
		return;
	}
	native = read_arch(r, arch, "architecture") == seccomp_arch_number("SCMP_ARCH_NATIVE", NULL);
	read_arch_list(r, map, "subArchitectures", native, profile);
}

static void read_arches(struct profile_reader *r, const struct node *root, struct seccomp_profile *profile)
{
	const struct node *list = profile_get(r, root, "architectures", NODE_LIST);
	const struct node *map = profile_get(r, root, "archMap", NODE_LIST);

	if (list && list->n && map && map->n)
		profile_complain(r, map, "archMap", NULL,
			"'architectures' and 'archMap' were specified in the seccomp profile, use either");
	read_arch_list(r, root, "architectures", true, profile);
	for (size_t i = 0; map && i < map->n; i++) {
		size_t mark = profile_enter(r, "archMap[%zu].", i);

		read_arch_map(r, map->items[i], profile);
		profile_leave(r, mark);
	}
}

static void read_flags(struct profile_reader *r, const struct node *root, struct seccomp_profile *profile)
{
	static const char *const names[] = {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_LOG",
		"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
	static const struct {
		unsigned int flag;
		const char *ignored; /* why, if it is */
	} flags[] = {
		{SECCOMP_FILTER_FLAG_SPEC_ALLOW, NULL},
		{SECCOMP_FILTER_FLAG_LOG, NULL},
		{0, "has no effect: a program starts with one thread, there is no other to synchronise"},
		{0, "has no effect: it concerns SCMP_ACT_NOTIFY, which needs a listener"},
	};
	const struct node *list = profile_get(r, root, "flags", NODE_LIST);
	char leaf[32];

	/* As runc and crun: where nothing is said, no mitigation of Spectre v4 slows the program down. */
	if (!list)
		profile->flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	for (size_t i = 0; list && i < list->n; i++) {
		const struct node *item = list->items[i];
		const char *text = item->kind == NODE_STRING ? item->text : "";
		size_t j = 0;

		snprintf(leaf, sizeof(leaf), "flags[%zu]", i);
		while (j < array_length(names) && strcmp(text, names[j]))
			j++;
		if (j == array_length(names)) {
			cleanup_free char *hint =
				profile_did_you_mean(text_nearest(text, names, array_length(names)));

			profile_complain(r, item, leaf, hint, "unknown filter flag \"%s\"", text);
			continue;
		}
		profile->flags |= flags[j].flag;
		if (flags[j].ignored)
			profile_warn(r, item, leaf, NULL, "%s", flags[j].ignored);
	}
}

static void read_root(struct profile_reader *r, const struct node *root, struct seccomp_profile *profile)
{
	static const char *const keys[] = {"defaultAction", "defaultErrnoRet", "defaultErrno",
		"architectures", "archMap", "syscalls", "flags", "listenerPath", "listenerMetadata",
		"comment"};
	static const char *const listener_keys[] = {"listenerPath", "listenerMetadata"};
	const struct node *syscalls;

	profile_check_keys(r, root, keys, array_length(keys));
	/* Not in the runtime spec, where what isn't known is ignored; `minirun learn` says there how a profile was made. */
	profile_get(r, root, "comment", NODE_STRING);
	profile->default_action = read_action(
		r, root, &(struct action_keys){"defaultAction", "defaultErrnoRet", "defaultErrno"});
	read_arches(r, root, profile);
	read_flags(r, root, profile);
	for (size_t i = 0; i < array_length(listener_keys); i++) {
		const struct node *node = profile_get(r, root, listener_keys[i], NODE_STRING);

		if (node && *node->text)
			profile_warn(r, node, listener_keys[i], NULL,
				"known, not supported here: no listener is asked about calls");
	}
	syscalls = profile_get(r, root, "syscalls", NODE_LIST);
	for (size_t i = 0; syscalls && i < syscalls->n; i++) {
		size_t mark = profile_enter(r, "syscalls[%zu].", i);

		read_entry(r, syscalls->items[i], profile);
		profile_leave(r, mark);
	}
}

struct seccomp_profile *seccomp_profile_read(const char *text, size_t size, struct findings *findings)
{
	struct profile_reader r = {.findings = findings};
	size_t errors = findings->errors;
	cleanup_node struct node *root = document_read(text, size, DOCUMENT_JSON, findings);
	struct seccomp_profile *profile;

	if (!root)
		return NULL;
	if (root->kind != NODE_MAP) {
		profile_complain(&r, root, "", NULL, "a seccomp profile must be a map, not %s %s",
			profile_article(root->kind), node_kind_name(root->kind));
		return NULL;
	}
	profile = xcalloc(1, sizeof(*profile));
	read_root(&r, root, profile);
	if (findings->errors == errors)
		return profile;
	seccomp_profile_free(profile);
	return NULL;
}

void seccomp_profile_free(struct seccomp_profile *profile)
{
	if (!profile)
		return;
	for (size_t i = 0; i < profile->n_entries; i++) {
		struct seccomp_entry *entry = &profile->entries[i];

		for (size_t j = 0; j < entry->n_names; j++)
			free(entry->names[j].name);
		free(entry->names);
		free(entry->args);
		strv_free(entry->includes.arches);
		strv_free(entry->excludes.arches);
	}
	free(profile->entries);
	free(profile->arches);
	free(profile);
}
