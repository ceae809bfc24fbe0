/* Where things are kept: the store of images and the folder of running pods. */
#include "runner/plan/paths.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "namespaces/namespaces.h"
#include "runner/privilege.h"

#define MAP_LIMIT 65536 /* bytes; the kernel takes 340 lines at most */

/* Relative paths are made absolute at once: the supervisor and the sandbox change their folder. */
static char *absolute(const char *path, struct error *err)
{
	char here[PATH_MAX];

	if (path[0] == '/')
		return xstrdup(path);
	if (!getcwd(here, sizeof(here))) {
		error_set(err, ERROR_HOST, errno, "cannot tell the current folder");
		return NULL;
	}
	return xasprintf("%s/%s", here, path);
}

/* The user's id as the host sees it: inside a user namespace, what its 0 is mapped to. */
static unsigned int outer_uid(void)
{
	struct error ignored;
	cleanup_free char *map = NULL;
	char *end;
	unsigned long outer;

	if (!userns_inside() ||
		file_read("/proc/self/uid_map", MAP_LIMIT, ERROR_HOST, &map, NULL, &ignored) < 0)
		return geteuid();
	/* The first line: inside, outside, how many. */
	strtoul(map, &end, 10);
	outer = strtoul(end, NULL, 10);
	return (unsigned int)outer;
}

/* Root who may not mount enters a user namespace as others do: before it and in it the answer has to be the same. */
static bool is_host_root(void)
{
	return privilege_is_root() && !userns_inside();
}

/*
 * option, then environment, then NULL: the default is to be found. An empty variable is none, but an empty option is a mistake, of
 * a script's most likely, and the default isn't what it meant.
 */
static int choose(const struct invocation *invocation, enum option_id id, const char *name,
	const char *variable, const char **chosen, struct error *err)
{
	const char *value = invocation->value[id];

	if (value && !*value)
		return error_set(err, ERROR_USAGE, 0, "--%s: the name of a folder is empty", name);
	if (!value)
		value = getenv(variable);
	*chosen = value && *value ? value : NULL;
	return 0;
}

char *path_of_store(const struct invocation *invocation, struct error *err)
{
	const char *given = NULL;
	const char *data = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");

	if (choose(invocation, OPTION_STORE, "store", "MINIRUN_STORE", &given, err) < 0)
		return NULL;
	if (given)
		return absolute(given, err);
	if (is_host_root())
		return xstrdup("/var/lib/minirun");
	if (data && data[0] == '/')
		return xasprintf("%s/minirun", data);
	if (home && home[0] == '/')
		return xasprintf("%s/.local/share/minirun", home);
	error_set(err, ERROR_HOST, 0, "no place for images: neither HOME nor XDG_DATA_HOME is set");
	error_hint(err, "name a folder with --store or MINIRUN_STORE");
	return NULL;
}

char *path_of_root(const struct invocation *invocation, struct error *err)
{
	const char *given = NULL;
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (choose(invocation, OPTION_ROOT, "root", "MINIRUN_ROOT", &given, err) < 0)
		return NULL;
	if (given)
		return absolute(given, err);
	if (is_host_root())
		return xstrdup("/run/minirun");
	if (runtime && runtime[0] == '/' && access(runtime, W_OK) == 0)
		return xasprintf("%s/minirun", runtime);
	return xasprintf("/tmp/minirun-%u", outer_uid());
}
