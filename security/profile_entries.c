/* The parts of a profile that is written: its entries, those of a base among them, and its architectures. */
#include <json-c/json.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "security/profile_parts.h"
#include "security/seccomp.h"

const char *const entry_comments[ENTRIES_OURS] = {
	[ENTRY_SEEN] = "seen",
	[ENTRY_IMPLIED] = "needed, seen or not: to start, to end, to go on after a signal or a wait",
	[ENTRY_LEFT_OUT] = "left out on purpose",
};

bool action_allows(const char *action)
{
	return !strcmp(action, "SCMP_ACT_ALLOW") || !strcmp(action, "SCMP_ACT_LOG");
}

static void copy_names(struct json_object *entry, char *const *without, struct strv *names)
{
	struct json_object *list = doc_list(entry, "names");
	size_t n = list ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(list, i));

		if (!names_have(without, name))
			names_add(names, name);
	}
	/* Docker's old form has a single one. */
	if (*doc_text(entry, "name") && !names_have(without, doc_text(entry, "name")))
		names_add(names, doc_text(entry, "name"));
}

static void drop_names(struct json_object *entry, char *const *without)
{
	struct json_object *list = doc_list(entry, "names");
	struct json_object *kept = json_object_new_array();
	size_t n = list ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *name = json_object_array_get_idx(list, i);

		if (!names_have(without, json_object_get_string(name)))
			json_object_array_add(kept, json_object_get(name));
	}
	json_object_object_add(entry, "names", kept);
	if (names_have(without, doc_text(entry, "name")))
		json_object_object_del(entry, "name");
}

static bool is_empty(struct json_object *entry)
{
	struct json_object *list = doc_list(entry, "names");

	return !*doc_text(entry, "name") && (!list || !json_object_array_length(list));
}

/* Whether an entry is one that we wrote. */
static bool is_ours(struct json_object *entry, const char *comment)
{
	return !strcmp(doc_text(entry, "comment"), comment) && !doc_list(entry, "args");
}

/* The base's entries, its denied names taken out of those that allow. A fresh list; names that are ours go to `ours`. */
struct json_object *entries_remaining(
	const struct profile_plan *plan, struct json_object *base, struct strv ours[ENTRIES_OURS])
{
	struct json_object *list = doc_list(base, "syscalls");
	struct json_object *kept = json_object_new_array();
	size_t n = list ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *entry = json_object_array_get_idx(list, i);
		bool taken = false;

		if (action_allows(doc_text(entry, "action")))
			drop_names(entry, plan->deny);
		for (size_t j = 0; j < ENTRIES_OURS && ours && !taken; j++) {
			taken = is_ours(entry, entry_comments[j]);
			if (taken)
				copy_names(entry, NULL, &ours[j]);
		}
		if (!taken && !is_empty(entry))
			json_object_array_add(kept, json_object_get(entry));
	}
	return kept;
}

/* What a denied call gets: what the base's default is, if that refuses. */
struct json_object *entry_denying(struct json_object *base, char *const *names)
{
	struct json_object *entry = json_object_new_object();
	const char *action = base ? doc_text(base, "defaultAction") : "";
	struct json_object *number;
	bool refuses = *action && !action_allows(action);

	json_object_object_add(entry, "names", doc_strings(names));
	doc_put_text(entry, "action", refuses ? action : "SCMP_ACT_ERRNO");
	if (refuses && json_object_object_get_ex(base, "defaultErrnoRet", &number))
		json_object_object_add(entry, "errnoRet", json_object_get(number));
	if (refuses && *doc_text(base, "defaultErrno"))
		doc_put_text(entry, "errno", doc_text(base, "defaultErrno"));
	doc_put_text(entry, "comment", entry_comments[ENTRY_LEFT_OUT]);
	return entry;
}

struct json_object *entry_allowing(const struct strv *names, const char *comment)
{
	struct json_object *entry = json_object_new_object();

	json_object_object_add(entry, "names", doc_strings(names->items));
	doc_put_text(entry, "action", "SCMP_ACT_ALLOW");
	doc_put_text(entry, "comment", comment);
	return entry;
}

struct json_object *arches_all(void)
{
	struct json_object *list = json_object_new_array();
	const char *name;

	for (size_t i = 0; (name = seccomp_arch_of_machine(i)); i++)
		json_object_array_add(list, json_object_new_string(name));
	return list;
}

static bool was_seen(const struct profile_plan *plan, const char *arch)
{
	for (size_t i = 0; i < plan->n_recordings; i++)
		for (size_t j = 0; j < plan->recordings[i]->n_arches; j++)
			if (!strcmp(seccomp_arch_name(plan->recordings[i]->arches[j].arch), arch))
				return true;
	return false;
}

static bool lists(struct json_object *list, const char *text)
{
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		const char *item = json_object_get_string(json_object_array_get_idx(list, i));

		if (item && !strcmp(item, text))
			return true;
	}
	return false;
}

/* Docker's archMap: the list beside the machine's own architecture, which is added if it isn't there. */
static struct json_object *sub_arches(struct json_object *map, const char *native)
{
	struct json_object *item, *list;

	for (size_t i = 0; i < json_object_array_length(map); i++) {
		item = json_object_array_get_idx(map, i);
		if (strcmp(doc_text(item, "architecture"), native) != 0)
			continue;
		if (!doc_list(item, "subArchitectures"))
			json_object_object_add(item, "subArchitectures", json_object_new_array());
		return doc_list(item, "subArchitectures");
	}
	item = json_object_new_object();
	list = json_object_new_array();
	doc_put_text(item, "architecture", native);
	json_object_object_add(item, "subArchitectures", list);
	json_object_array_add(map, item);
	return list;
}

/* The machine's own first, then those that were seen beside it. */
void arches_add(const struct profile_plan *plan, struct json_object *profile)
{
	const char *native = seccomp_arch_of_machine(0), *name;
	struct json_object *map = doc_list(profile, "archMap");
	struct json_object *list;

	if (map && json_object_array_length(map)) {
		list = sub_arches(map, native);
	} else {
		if (!doc_list(profile, "architectures"))
			json_object_object_add(profile, "architectures", json_object_new_array());
		list = doc_list(profile, "architectures");
		if (!lists(list, native) && !lists(list, "SCMP_ARCH_NATIVE"))
			json_object_array_add(list, json_object_new_string(native));
	}
	for (size_t i = 1; (name = seccomp_arch_of_machine(i)); i++)
		if (was_seen(plan, name) && !lists(list, name))
			json_object_array_add(list, json_object_new_string(name));
}
