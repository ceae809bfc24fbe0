/* Trials of ids: which there are, and newuidmap's rights, by which there are more. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "namespaces/idmap.h"
#include "namespaces/namespaces.h"
#include "namespaces/trials.h"

#define TOOLS "apt-get install uidmap"

static void mend_outside(const struct trial_place *place, struct trial *trial)
{
	if (place->caller.nested)
		trial_mend(trial, "run minirun outside of this user namespace");
	else
		trial_mend(trial, "run minirun outside of the container, or start that with more ids");
}

/* The path of a program, as execvp(3) would find it; to be freed. */
static char *find_in_path(const char *name)
{
	const char *path = getenv("PATH");
	cleanup_free char *copy = xstrdup(path ? path : "/usr/bin:/bin");
	char *rest = copy;
	const char *folder;

	while ((folder = strsep(&rest, ":"))) {
		cleanup_free char *candidate = xasprintf("%s/%s", *folder ? folder : ".", name);

		if (access(candidate, X_OK) == 0)
			return steal_pointer(&candidate);
	}
	return NULL;
}

/*
 * Whether executing the file gives the capability. After a failed run we have entered a user namespace that hasn't the machine's root:
 * there that one shows as nobody, and what a file grants by capabilities not at all.
 */
static bool grants(const struct trial_place *place, const char *path, cap_value_t capability, bool *setuid)
{
	bool entered = geteuid() == 0 && !place->caller.is_root;
	uid_t root = entered ? USERNS_NOBODY : 0;
	struct stat st;
	cap_flag_value_t value = CAP_CLEAR;
	cap_t caps;

	*setuid = stat(path, &st) == 0 && (st.st_mode & S_ISUID) && st.st_uid == root;
	if (*setuid)
		return true;
	caps = cap_get_file(path);
	if (!caps)
		return entered && errno == EOVERFLOW;
	cap_get_flag(caps, capability, CAP_PERMITTED, &value);
	cap_free(caps);
	return value == CAP_SET;
}

/* Why the tool can't do its work, into trial; true if it can. */
static bool judge_tool(const struct trial_place *place, const char *name, cap_value_t capability,
	bool *setuid, struct trial *trial)
{
	cleanup_free char *path = find_in_path(name);
	const char *kind = capability == CAP_SETUID ? "setuid" : "setgid";
	struct statvfs fs;

	if (!path) {
		trial_set(trial, TRIAL_MISSING, "no %s in PATH", name);
		trial_mend_by(trial, place, HAND_SYSTEM, TOOLS);
		return false;
	}
	if (!grants(place, path, capability, setuid)) {
		trial_set(trial, TRIAL_LIMITED, "%s has neither cap_%s nor the setuid bit", path, kind);
		trial_mend_by(
			trial, place, HAND_SYSTEM, "setcap cap_%s+ep %s, or chmod u+s %s", kind, path, path);
		return false;
	}
	if (statvfs(path, &fs) == 0 && (fs.f_flag & ST_NOSUID)) {
		trial_set(trial, TRIAL_LIMITED, "%s is on a file system mounted nosuid", path);
		trial_mend_by(trial, place, HAND_SYSTEM, "remount that file system with the option suid");
		return false;
	}
	return true;
}

/* Without the right to get rights nothing else helps. */
static void add_shedding(const struct trial_place *place, struct trial *trial)
{
	size_t n = strlen(trial->mend);

	if (place->caller.no_new_privs)
		snprintf(trial->mend + n, sizeof(trial->mend) - n, "%s%s", n ? "; and then " : "",
			CALLER_SHED_NO_NEW_PRIVS);
}

void trial_newuidmap(const struct trial_place *place, struct trial *trial)
{
	char uids[128];
	bool setuid = false, alone;

	userns_describe_uids(uids, sizeof(uids));
	alone = !strpbrk(uids, "-,");
	if (place->caller.inside && (place->is_root || alone)) {
		trial_set(trial, alone ? TRIAL_LIMITED : TRIAL_OK,
			"of no use in this user namespace, which has users %s", uids);
		if (alone)
			mend_outside(place, trial);
		return;
	}
	if (!judge_tool(place, "newuidmap", CAP_SETUID, &setuid, trial) ||
		!judge_tool(place, "newgidmap", CAP_SETGID, &setuid, trial)) {
		add_shedding(place, trial);
	} else if (place->caller.no_new_privs) {
		trial_set(trial, TRIAL_LIMITED, "no_new_privs keeps it from getting its rights");
		add_shedding(place, trial);
	} else {
		trial_set(
			trial, TRIAL_OK, "with newgidmap, %s", setuid ? "setuid" : "with file capabilities");
	}
}

/* Who is root here has what this namespace has. */
static void describe_ids(const struct trial_place *place, struct trial *trial)
{
	char uids[128], gids[128];
	bool alone;

	if (!userns_inside()) {
		trial_set(trial, TRIAL_OK, "all, as root");
		return;
	}
	userns_describe_uids(uids, sizeof(uids));
	userns_describe_gids(gids, sizeof(gids));
	alone = !strcmp(uids, "0") || !strcmp(gids, "0");
	trial_set(trial, alone ? TRIAL_LIMITED : TRIAL_OK, "users %s, groups %s%s", uids, gids,
		userns_allows_setgroups() ? "" : ", no supplementary groups");
	if (alone)
		mend_outside(place, trial);
}

/* There are grants; what keeps the tools from using them? */
static void mend_tools(const struct trial_place *place, struct trial *trial)
{
	struct trial tools;

	trial_newuidmap(place, &tools);
	if (*tools.mend)
		trial_mend(trial, "%s", tools.mend);
	else if (tools.state != TRIAL_OK)
		trial_mend_by(trial, place, HAND_SYSTEM, TOOLS);
	else
		trial_mend_by(trial, place, HAND_SYSTEM,
			"correct the ranges in /etc/subuid and /etc/subgid: newuidmap takes none that hold "
			"another user's ids, or the same twice");
}

static void mend_ids(const struct trial_place *place, uid_t uid, struct trial *trial)
{
	struct idmap uids, gids;
	cleanup_free char *missing = NULL, *command = NULL, *newuidmap = NULL;

	if (place->caller.inside) {
		mend_outside(place, trial);
		return;
	}
	if (idmap_read(uid, 0, &uids, &gids, &missing)) {
		mend_tools(place, trial);
		return;
	}
	command = ids_advice(uid, 1);
	if (!command)
		return;
	newuidmap = find_in_path("newuidmap");
	trial_mend_by(trial, place, HAND_SYSTEM, "%s%s", command, newuidmap ? "" : ", and " TOOLS);
	add_shedding(place, trial);
}

void trial_ids(const struct trial_place *place, struct trial *trial)
{
	struct error err = {0};
	cleanup_free char *note = place->ids_note ? xstrdup(place->ids_note) : NULL;
	/* Who has a note is in a user namespace of our own making already. */
	uid_t uid = note ? (uid_t)userns_outer_uid(0) : geteuid();

	if (!place->is_root && userns_enter(&note, &err) < 0) {
		trial_untried(trial, "a user namespace", "user namespaces");
	} else if (note) {
		trial_set(trial, TRIAL_LIMITED, "%s", note);
		mend_ids(place, uid, trial);
	} else {
		describe_ids(place, trial);
	}
}
