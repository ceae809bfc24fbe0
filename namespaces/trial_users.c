/* Trial of user namespaces: whether an ordinary user gets one. */
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
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

/* Who can't have it all the same may be root; hint: a remedy that takes root's hands, or empty. */
static void mend_namespaces(const struct trial_place *place, const char *hint, struct trial *trial)
{
	const struct userns_switch *found = userns_find_switch();
	const char *as_root = place->is_root ? "" : caller_as_root(&place->caller);

	/* Root maps itself only with a right that it lacks (userns.c). */
	if (*hint && !found && strstr(hint, "CAP_SETFCAP"))
		return;
	if (found && found->is_own && place->caller.inside)
		trial_mend(trial, "as root of this user namespace: %s; or run minirun outside of %s",
			found->remedy, place->caller.nested ? "it" : "the container");
	else if (*hint)
		trial_mend_by(trial, place, HAND_MACHINE, "%s%s%s", hint, *as_root ? "; or " : "", as_root);
	else
		trial_mend(trial, "%s%s%s", place->caller.filtered ? caller_allow_call(&place->caller) : "",
			place->caller.filtered && *as_root ? "; or " : "", as_root);
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
	if (!*err.check || strcmp(err.check, "user namespaces") != 0)
		userns_explain(&err);
	if (place->is_root)
		error_wrap(&err, "not for ordinary users");
	trial_fail(trial, place->is_root ? TRIAL_LIMITED : TRIAL_MISSING, &err);
	mend_namespaces(place, err.hint, trial);
}
