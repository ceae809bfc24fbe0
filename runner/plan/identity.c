/* Who a container's process is: the ids of the plan, completed by what its image says of the user. */
#include "runner/plan/identity.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/plan/accounts.h"

static bool has_group(const struct credentials *credentials, gid_t gid)
{
	for (size_t i = 0; i < credentials->n_groups; i++)
		if (credentials->groups[i] == gid)
			return true;
	return false;
}

static void add_group(struct credentials *credentials, gid_t gid)
{
	if (has_group(credentials, gid))
		return;
	credentials->groups =
		xreallocarray(credentials->groups, credentials->n_groups + 1, sizeof(*credentials->groups));
	credentials->groups[credentials->n_groups++] = gid;
}

/* A name that only the image can translate may mean an id that isn't there, or nothing. */
static int check_name(
	const char *kind, const char *name, int64_t id, bool found, bool is_mapped, struct error *err)
{
	cleanup_free char *safe = text_printable(name, strnlen(name, 100));

	if (!found)
		return error_set(err, ERROR_IMAGE, 0, "unable to find %s %s: no matching entries in %s file",
			kind, safe, !strcmp(kind, "user") ? "passwd" : "group");
	if (is_mapped)
		return 0;
	error_set(err, ERROR_HOST, 0, "the image's %s %s is %lld, which is not among the ids there are here",
		kind, safe, (long long)id);
	return error_hint(err,
		"minirun as root has all ids, an ordinary user those of a range in /etc/subuid and "
		"/etc/subgid, with newuidmap (package uidmap)");
}

/* Who a container that names its user or group is, in its image's own words. */
static int look_up_names(const struct container *container, int rootfd, struct account *account,
	struct credentials *credentials, struct error *err)
{
	bool found;

	if (container->user) {
		account_lookup_name(rootfd, container->user, account);
		if (check_name("user", container->user, account->uid, account->found,
			    userns_maps_uid(account->uid), err) < 0)
			return -1;
		credentials->uid = account->uid;
	} else {
		account_lookup(rootfd, credentials->uid, account);
	}
	if (!container->group)
		return 0;
	found = account_group(rootfd, container->group, &credentials->gid);
	return check_name("group", container->group, credentials->gid, found,
		found && userns_maps_gid(credentials->gid), err);
}

int identity_complete(const struct container *container, int rootfd, struct credentials *credentials,
	char **home, struct error *err)
{
	struct account account = {0};

	*credentials = container->credentials;
	credentials->groups = NULL;
	credentials->n_groups = 0;
	if (look_up_names(container, rootfd, &account, credentials, err) < 0) {
		account_free(&account);
		return -1;
	}
	if (container->gid_from_image && account.found && userns_maps_gid(account.gid))
		credentials->gid = account.gid;
	add_group(credentials, credentials->gid);
	for (size_t i = 0; i < container->credentials.n_groups; i++)
		add_group(credentials, container->credentials.groups[i]);
	for (size_t i = 0; i < account.n_groups; i++)
		if (userns_maps_gid(account.groups[i]))
			add_group(credentials, account.groups[i]);
	*home = xstrdup(account.home ? account.home : "/");
	account_free(&account);
	return 0;
}
