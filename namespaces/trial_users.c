/* Trials of users: whether an ordinary one gets a user namespace, and with which ids. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "namespaces/mounts.h"
#include "namespaces/namespaces.h"
#include "namespaces/trials.h"

#define NOBODY 65534

/* Root is no judge of what others may do: it becomes one of them. */
static int become_ordinary(const struct trial_place *place, struct error *err)
{
	if (!place->is_root || !userns_maps_uid(NOBODY) || !userns_maps_gid(NOBODY) ||
		!userns_allows_setgroups())
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
		setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot become user %d to try it", NOBODY);
	/* Else what is in /proc/self belongs to root, the maps among it. */
	prctl(PR_SET_DUMPABLE, 1);
	return 0;
}

int trial_become_user(const struct trial_place *place, struct error *err)
{
	if (become_ordinary(place, err) < 0)
		return -1;
	return userns_enter(NULL, err);
}

void trial_user_namespaces(const struct trial_place *place, struct trial *trial)
{
	struct error err = {0};
	cleanup_fd int mount = -1;

	trial_set(trial, TRIAL_MISSING, "making a user namespace");
	/* Where AppArmor restricts them, one can be made, and then no right in it be used. */
	if (trial_become_user(place, &err) == 0)
		mount = mount_new("tmpfs", NULL, 0, MOUNT_HARMLESS, &err);
	if (mount >= 0) {
		trial_set(trial, TRIAL_OK, "an ordinary user can make them");
		return;
	}
	/* But for that one what it says is nearer the cause than what a mount says. */
	if (!strstr(err.hint, "CAP_SETFCAP"))
		userns_explain(&err);
	if (place->is_root)
		error_wrap(&err, "not for ordinary users");
	trial_fail(trial, place->is_root ? TRIAL_LIMITED : TRIAL_MISSING, &err);
}

/* Who is root here has what this namespace has. */
static void describe_ids(struct trial *trial)
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
		trial_mend(trial, "run minirun outside of this user namespace");
}

/* "why (what mends it)" */
static void take_note(const char *note, struct trial *trial)
{
	const char *mend = strstr(note, " (as root: ");
	size_t n = mend ? strlen(mend) : 0;

	trial_set(trial, TRIAL_LIMITED, "%.*s", (int)(strlen(note) - n), note);
	if (n > 3)
		trial_mend(trial, "%.*s", (int)(n - 3), mend + 2);
}

void trial_ids(const struct trial_place *place, struct trial *trial)
{
	struct error err = {0};
	cleanup_free char *note = place->ids_note ? xstrdup(place->ids_note) : NULL;

	if (!place->is_root && userns_enter(&note, &err) < 0)
		trial_fail(trial, TRIAL_MISSING, &err);
	else if (note)
		take_note(note, trial);
	else
		describe_ids(trial);
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

/* Whether executing the file gives the capability. */
static bool grants(const char *path, cap_value_t capability, bool *setuid)
{
	struct stat st;
	cap_flag_value_t value = CAP_CLEAR;
	cap_t caps;

	*setuid = stat(path, &st) == 0 && (st.st_mode & S_ISUID) && st.st_uid == 0;
	if (*setuid)
		return true;
	caps = cap_get_file(path);
	if (!caps)
		return false;
	cap_get_flag(caps, capability, CAP_PERMITTED, &value);
	cap_free(caps);
	return value == CAP_SET;
}

/* Why the tool can't do its work, into trial; true if it can. */
static bool judge_tool(const char *name, cap_value_t capability, bool *setuid, struct trial *trial)
{
	cleanup_free char *path = find_in_path(name);
	const char *kind = capability == CAP_SETUID ? "setuid" : "setgid";
	struct statvfs fs;

	if (!path) {
		trial_set(trial, TRIAL_MISSING, "no %s in PATH", name);
		return false;
	}
	if (!grants(path, capability, setuid)) {
		trial_set(trial, TRIAL_LIMITED, "%s has neither cap_%s nor the setuid bit", path, kind);
		trial_mend(trial, "as root: setcap cap_%s+ep %s, or chmod u+s %s", kind, path, path);
		return false;
	}
	if (statvfs(path, &fs) == 0 && (fs.f_flag & ST_NOSUID)) {
		trial_set(trial, TRIAL_LIMITED, "%s is on a file system mounted nosuid", path);
		trial_mend(trial, "as root: remount that file system with the option suid");
		return false;
	}
	return true;
}

void trial_newuidmap(const struct trial_place *place, struct trial *trial)
{
	bool setuid = false;

	(void)place;
	if (!judge_tool("newuidmap", CAP_SETUID, &setuid, trial) ||
		!judge_tool("newgidmap", CAP_SETGID, &setuid, trial))
		return;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) {
		trial_set(trial, TRIAL_LIMITED, "no_new_privs keeps it from getting its rights");
		trial_mend(trial, "start minirun from a shell without no_new_privs");
		return;
	}
	trial_set(trial, TRIAL_OK, "with newgidmap, %s", setuid ? "setuid" : "with file capabilities");
}
