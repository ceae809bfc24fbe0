/* Where cgroups can be made: the hierarchies that are mounted, and our own place in each. See cgroups(7) and proc(5). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "namespaces/cgroup.h"

#define PROC_FILE_LIMIT (1U << 20)

static const char *const controllers[CGROUP_PLACES] = {
	[CGROUP_CPU] = "cpu",
	[CGROUP_MEMORY] = "memory",
	[CGROUP_PIDS] = "pids",
	[CGROUP_UNIFIED] = "",
	[CGROUP_DEVICES] = "devices",
};

const char *cgroup_controller_name(enum cgroup_controller controller)
{
	return controllers[controller];
}

const char *cgroup_place_name(int place)
{
	return controllers[place];
}

/* Whether name is one of the items of a list. Nothing is one of an empty list. */
static bool is_listed(const char *list, const char *name)
{
	size_t length = strlen(name);

	while (*list) {
		size_t n = strcspn(list, ",");

		if (n == length && !memcmp(list, name, n))
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

/* The next line of *text, NUL-terminated in place, or NULL. */
static char *next_line(char **text)
{
	char *line = *text;

	if (!*line)
		return NULL;
	*text += strcspn(line, "\n");
	if (**text)
		*(*text)++ = '\0';
	return line;
}

static char *read_proc(const char *path)
{
	struct error ignored = {0};
	char *text = NULL;

	return file_read(path, PROC_FILE_LIMIT, ERROR_HOST, &text, NULL, &ignored) < 0 ? NULL : text;
}

/* Our path in the hierarchy of a controller ("": version 2), as our cgroup namespace shows it; to be freed. */
static char *path_in(const char *controller)
{
	cleanup_free char *text = read_proc("/proc/self/cgroup");
	char *rest = text, *line;

	while (rest && (line = next_line(&rest))) {
		char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		names++;
		/* One that is outside the root of our cgroup namespace shows as "/..". */
		if ((*controller ? is_listed(names, controller) : !*names) && path[0] == '/' &&
			!text_starts_with(path, "/.."))
			return xstrdup(path);
	}
	return NULL;
}

/* A mount of the hierarchy: which folder of it is mounted (root), and where (point). Both are to be freed. */
static bool find_mount(const char *controller, char **root, char **point)
{
	cleanup_free char *text = read_proc("/proc/self/mountinfo");
	char *rest = text, *line;

	while (rest && (line = next_line(&rest))) {
		char *type = strstr(line, " - ");
		char fields[2][256], kind[32], options[512];

		if (!type || sscanf(type, " - %31s %*s %511s", kind, options) != 2 ||
			sscanf(line, "%*s %*s %*s %255s %255s", fields[0], fields[1]) != 2)
			continue;
		if (*controller ? strcmp(kind, "cgroup") != 0 || !is_listed(options, controller)
				: strcmp(kind, "cgroup2") != 0)
			continue;
		*root = xstrdup(fields[0]);
		*point = xstrdup(fields[1]);
		return true;
	}
	return false;
}

char *cgroup_own(const char *controller)
{
	cleanup_free char *path = path_in(controller), *root = NULL, *point = NULL;
	const char *below = path;
	size_t n;

	if (!path || !find_mount(controller, &root, &point))
		return NULL;
	/* In a container without a cgroup namespace, what is mounted is often only the container's part. */
	n = strcmp(root, "/") != 0 ? strlen(root) : 0;
	if (n && !strncmp(path, root, n) && (path[n] == '/' || path[n] == '\0'))
		below = path + n;
	return xasprintf("%s%s", point, strcmp(below, "/") != 0 ? below : "");
}

char *cgroup_mount_point(void)
{
	cleanup_free char *root = NULL;
	char *point = NULL;

	return find_mount("", &root, &point) ? point : NULL;
}
