/*
 * From what was seen to a profile. Theory of operation: recording.h.
 *
 * Written with json-c, so that all that a base has, also what we have no use for, stays as it is. Three entries are ours, each
 * with a comment that says why its names are there; a base that has them already (it is of ours) has them completed.
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "security/profile_parts.h"
#include "security/seccomp.h"

/* A base's own words stay before ours; what we said of it last time goes. */
static char *comment_of(struct json_object *base, const char *comment)
{
	const char *old = base ? doc_text(base, "comment") : "";
	const char *ours = strstr(old, PROFILE_MADE_BY);
	size_t n = ours ? (size_t)(ours - old) : strlen(old);

	return xasprintf("%.*s%s%s", (int)n, old, n && old[n - 1] != ' ' ? " " : "", comment);
}

/* All that the base has but for what we write anew, after a comment; without a base, what a profile begins with. */
static struct json_object *begin(const struct profile_plan *plan, struct json_object *base)
{
	struct json_object *profile = json_object_new_object();
	cleanup_free char *comment = plan->comment ? comment_of(base, plan->comment) : NULL;

	if (comment)
		doc_put_text(profile, "comment", comment);
	if (!base) {
		doc_put_text(profile, "defaultAction", "SCMP_ACT_ERRNO");
		return profile;
	}
	json_object_object_foreach(base, key, value)
	{
		if (strcmp(key, "syscalls") != 0 && (strcmp(key, "comment") != 0 || !comment))
			json_object_object_add(profile, key, json_object_get(value));
	}
	return profile;
}

static char **take(struct strv *names)
{
	char **items = names->items ? names->items : strv_copy(NULL);

	*names = (struct strv){0};
	return items;
}

static void add_ours(const struct profile_plan *plan, struct json_object *base, struct json_object *entries,
	struct strv ours[ENTRIES_OURS], struct profile_made *made)
{
	struct recorded_names names = {0};

	recorded_names(plan, &names);
	for (size_t i = 0; i < names.missing.n; i++)
		names_add(&ours[ENTRY_SEEN], names.missing.items[i]);
	for (char *const *name = plan->deny; name && *name; name++)
		names_add(&ours[ENTRY_LEFT_OUT], *name);
	recorded_implied(plan, ours[ENTRY_LEFT_OUT].items, &ours[ENTRY_IMPLIED]);
	names_drop(&ours[ENTRY_SEEN], ours[ENTRY_IMPLIED].items);
	for (size_t i = 0; i < ENTRIES_OURS; i++) {
		strv_sort(&ours[i]);
		if (!ours[i].n)
			continue;
		json_object_array_add(entries, i == ENTRY_LEFT_OUT
						       ? entry_denying(base, ours[i].items)
						       : entry_allowing(&ours[i], entry_comments[i]));
	}
	made->n_seen = names.seen.n;
	made->n_added = names.missing.n;
	made->nameless = take(&names.nameless);
	strv_free(names.seen.items);
	strv_free(names.missing.items);
}

char *profile_write(const struct profile_plan *plan, struct profile_made *made)
{
	struct json_object *base = plan->base ? doc_parse(plan->base, plan->base_size) : NULL;
	struct json_object *profile = begin(plan, base);
	struct json_object *entries;
	struct strv ours[ENTRIES_OURS] = {{0}};
	char *text;

	*made = (struct profile_made){0};
	entries = base ? entries_remaining(plan, base, ours) : json_object_new_array();
	arches_add(plan, profile);
	add_ours(plan, base, entries, ours, made);
	json_object_object_add(profile, "syscalls", entries);
	/* With a base of ours that has it all already the same bytes come out again. */
	if (!made->n_added && !plan->deny && base && strstr(doc_text(base, "comment"), PROFILE_MADE_BY))
		doc_put_text(profile, "comment", doc_text(base, "comment"));
	text = doc_print(profile);
	for (size_t i = 0; i < array_length(ours); i++)
		strv_free(ours[i].items);
	json_object_put(profile);
	json_object_put(base);
	return text;
}

void profile_made_free(struct profile_made *made)
{
	strv_free(made->nameless);
	*made = (struct profile_made){0};
}

char *refusing_profile(const struct profile_plan *plan)
{
	struct json_object *base = plan->base ? doc_parse(plan->base, plan->base_size) : NULL;
	struct json_object *list = base ? doc_list(base, "syscalls") : NULL;
	struct json_object *profile = json_object_new_object();
	struct json_object *entries = json_object_new_array();
	size_t n = list ? json_object_array_length(list) : 0;
	char *text;

	doc_put_text(profile, "defaultAction", "SCMP_ACT_ALLOW");
	json_object_object_add(profile, "architectures", arches_all());
	if (plan->deny && *plan->deny)
		json_object_array_add(entries, entry_denying(base, plan->deny));
	for (size_t i = 0; i < n; i++) {
		struct json_object *entry = json_object_array_get_idx(list, i);

		if (!action_allows(doc_text(entry, "action")))
			json_object_array_add(entries, json_object_get(entry));
	}
	json_object_object_add(profile, "syscalls", entries);
	text = doc_print(profile);
	json_object_put(profile);
	json_object_put(base);
	return text;
}

char *remaining_profile(const struct profile_plan *plan, bool starts)
{
	static const char start[] = "{\"names\": [\"execve\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": "
				    "[{\"index\": 0, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"}]}";
	struct json_object *entries;
	struct json_object *base = doc_parse(plan->base, plan->base_size);
	struct json_object *profile;
	char *text;

	if (!base)
		return NULL;
	profile = begin(plan, base);
	entries = entries_remaining(plan, base, NULL);
	if (starts)
		json_object_array_add(entries, doc_parse(start, sizeof(start) - 1));
	json_object_object_add(profile, "syscalls", entries);
	text = doc_print(profile);
	json_object_put(profile);
	json_object_put(base);
	return text;
}
