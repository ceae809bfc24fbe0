/* What gives whoever runs us a cgroup of version 2 with controllers, where we found none. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "namespaces/cgroup.h"
#include "namespaces/namespaces.h"

#define CONTROLLERS "Delegate=cpu memory pids"

/* Of root: it may write wherever the hierarchy is, unless that is mounted read-only, as in a container. */
static char *advise_root(const struct caller *caller)
{
	cleanup_free char *top = cgroup_mount_point();
	struct statvfs fs;

	if (!top)
		return xasprintf("%smount -t cgroup2 none /sys/fs/cgroup", caller_by(caller, HAND_SYSTEM));
	if (statvfs(top, &fs) == 0 && (fs.f_flag & ST_RDONLY))
		return xasprintf("%smount -o remount,bind,rw %s%s", caller_by(caller, HAND_SYSTEM), top,
			caller->contained ? ", or start the container with --privileged" : "");
	if (caller->contained)
		return xstrdup(
			"start the container with --cgroupns=host --privileged, or run minirun outside "
			"of it");
	return xstrdup("give minirun a cgroup of its own: systemd-run --scope -p Delegate=yes minirun ...");
}

/* Whether we are in what cgroup_enter_scope was given. */
static bool is_in_scope(void)
{
	cleanup_free char *own = cgroup_own("");

	return own && strstr(own, "/minirun-") && strstr(own, ".scope");
}

/*
 * Of a user: what systemd gives needs the user's own manager, which a login starts, and su and sudo don't. Where there is one
 * and it gave a cgroup, which lacks controllers, then those are what the machine's systemd doesn't pass on to it.
 */
static char *advise_user(const struct caller *caller)
{
	int64_t uid = userns_outer_uid(0);
	const struct passwd *user = uid >= 0 ? getpwuid((uid_t)uid) : NULL;
	cleanup_free char *runtime = xasprintf("/run/user/%lld", (long long)uid);
	cleanup_free char *bus = xasprintf("%s/bus", runtime);
	const char *by = caller_by(caller, HAND_SYSTEM), *as_root = caller_as_root(caller);
	cleanup_free char *name = user ? xstrdup(user->pw_name) : xasprintf("%lld", (long long)uid);

	if (!cgroup_has_controllers())
		return xasprintf("%s; or %sboot with systemd.unified_cgroup_hierarchy=1", as_root,
			caller_by(caller, HAND_MACHINE));
	if (cgroup_has_bus() && !is_in_scope())
		return xasprintf("%s; or log in again, as your systemd doesn't do it", as_root);
	if (cgroup_has_bus())
		return xasprintf(
			"%s; or %ssystemctl edit user@.service, with the lines [Service] and " CONTROLLERS
			", and log in again",
			as_root, by);
	if (access(bus, F_OK) == 0)
		return xasprintf(
			"export XDG_RUNTIME_DIR=%s: your systemd is there, and gives minirun a cgroup",
			runtime);
	if (access("/run/systemd/system", F_OK) == 0)
		return xasprintf(
			"log in by ssh or on a console, as su and sudo give you no systemd of yours; "
			"or %sloginctl enable-linger %s, and then export XDG_RUNTIME_DIR=%s; or %s",
			by, name, runtime, as_root);
	return xasprintf("%s; or have root start it alone (by exec) in a cgroup of which you own the folder, "
			 "cgroup.procs and cgroup.subtree_control",
		as_root);
}

char *cgroup_advice(const struct caller *caller)
{
	return userns_inside() ? advise_user(caller) : advise_root(caller);
}
