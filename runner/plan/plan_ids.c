/* The plan of ids: whose users and groups the pod has, and which of them the manifest may name. */
#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/plan/plan.h"
#include "runner/privilege.h"
#include "runner/starter.h"

static bool has_id(const struct plan *plan, bool is_group, int64_t id)
{
	if (plan->own_users)
		return id >= 0 && id < POD_IDS;
	return is_group ? userns_maps_gid(id) : userns_maps_uid(id);
}

static const char *describe(const struct plan *plan, bool is_group, char *buffer, size_t size)
{
	if (!plan->own_users)
		return is_group ? userns_describe_gids(buffer, size) : userns_describe_uids(buffer, size);
	snprintf(buffer, size, "0-%d", POD_IDS - 1);
	return buffer;
}

/* By how many the user's ids would have to be more: the last one that it has is the last of a range of all from 0. */
static int64_t lacking(bool is_group, int64_t id)
{
	int64_t last = 0, beyond = id;

	while (last + 1 < beyond) {
		int64_t middle = last + (beyond - last) / 2;

		if (is_group ? userns_maps_gid(middle) : userns_maps_uid(middle))
			last = middle;
		else
			beyond = middle;
	}
	return id - last;
}

/* Who has a range and wants an id beyond it. */
static char *advise_more(bool is_group, int64_t id)
{
	cleanup_free char *command = id < 0 ? NULL : ids_advice(privilege_starter(), lacking(is_group, id));
	struct caller caller;

	if (!command)
		return xstrdup("choose one of those");
	starter_find(&caller);
	return xasprintf(
		"choose one of those, or %s%s grants more", caller_by(&caller, HAND_SYSTEM), command);
}

static char *make_hint(const struct plan *plan, bool is_group, int64_t id)
{
	if (plan->own_users)
		return xstrdup(
			"a pod with hostUsers: false has no others; without it, it has all of the machine's");
	/* The note knows better: it is why there are no more ids. */
	if (privilege_note())
		return xstrdup(privilege_note());
	/* One that something else made: unshare -r, a container. */
	if (privilege_was_inside())
		return xstrdup("this user namespace has no others: run minirun outside of it");
	return advise_more(is_group, id);
}

void plan_check_id(const struct plan *plan, struct findings *findings, bool is_group, int64_t id,
	const char *path, unsigned int line, unsigned int column)
{
	cleanup_free char *hint = NULL;
	char range[128];

	if (has_id(plan, is_group, id))
		return;
	hint = make_hint(plan, is_group, id);
	findings_add(findings, SEVERITY_ERROR, line, column, path, hint,
		"Invalid value: %lld: it is not among the ids there are here (%s)", (long long)id,
		describe(plan, is_group, range, sizeof(range)));
	if (!plan->own_users)
		findings_check(findings, "user ids");
}

static void check_group(const struct plan *plan, const char *path, int64_t group, struct findings *findings)
{
	const struct pod *pod = plan->pod;

	plan_check_id(plan, findings, true, group, path, pod->security_line, pod->security_column);
}

void plan_users(struct plan *plan, struct findings *findings)
{
	const struct pod *pod = plan->pod;

	plan->own_users = pod->host_users == OPTIONAL_FALSE && !userns_inside();
	if (pod->host_users == OPTIONAL_TRUE && userns_inside())
		findings_add(findings, SEVERITY_WARNING, pod->host_users_line, pod->host_users_column,
			"spec.hostUsers", "run minirun as root for a pod with the machine's own users",
			"the pod of an ordinary user is in a user namespace all the same");
	if (pod->fs_group.set)
		check_group(plan, "spec.securityContext.fsGroup", pod->fs_group.value, findings);
	for (size_t i = 0; i < pod->n_supplemental_groups; i++) {
		cleanup_free char *path = xasprintf("spec.securityContext.supplementalGroups[%zu]", i);

		check_group(plan, path, pod->supplemental_groups[i], findings);
	}
}
