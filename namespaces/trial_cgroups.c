/* Trials of cgroups: which version, whether one can be made below ours, and what it can limit. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "namespaces/namespaces.h"
#include "namespaces/sandbox.h"
#include "namespaces/trials.h"

#define LIST_MAX 65536

static const char *const wanted[] = {"cpu", "memory", "pids"};

enum version {
	VERSION_NONE,
	VERSION_1,
	VERSION_HYBRID, /* version 1, and version 2 without controllers beside it */
	VERSION_2,
};

static enum version find_version(void)
{
	struct statfs fs, unified;

	if (statfs("/sys/fs/cgroup", &fs) < 0)
		return VERSION_NONE;
	if (fs.f_type == CGROUP2_SUPER_MAGIC)
		return VERSION_2;
	if (statfs("/sys/fs/cgroup/unified", &unified) == 0 && unified.f_type == CGROUP2_SUPER_MAGIC)
		return VERSION_HYBRID;
	return fs.f_type == TMPFS_MAGIC ? VERSION_1 : VERSION_NONE;
}

static const char *const versions[] = {
	[VERSION_NONE] = "none mounted at /sys/fs/cgroup",
	[VERSION_1] = "version 1",
	[VERSION_HYBRID] = "version 2 beside version 1 (hybrid)",
	[VERSION_2] = "version 2",
};

/* One trial after another has it, so that it can be found by who started them. */
static int make_own(pid_t parent, char **path)
{
	char name[64];

	snprintf(name, sizeof(name), "minirun-check-%d", (int)parent);
	return cgroup_make(name, path);
}

void trial_cgroup_sweep(pid_t parent)
{
	struct error ignored;
	cleanup_free char *path = NULL;
	cleanup_fd int fd = make_own(parent, &path);

	if (fd >= 0)
		cgroup_remove(path, &ignored);
}

static void mend_delegation(const struct trial_place *place, struct trial *trial)
{
	if (!place->is_root || userns_inside())
		trial_mend(trial, "start it by: systemd-run --user --scope -p Delegate=yes minirun ...");
	else
		trial_mend(trial, "mount -o remount,rw /sys/fs/cgroup, where this is a container");
}

void trial_cgroup(const struct trial_place *place, struct trial *trial)
{
	enum version version = find_version();
	struct error err = {0};
	cleanup_free char *path = NULL;
	cleanup_fd int fd = make_own(getppid(), &path);
	cleanup_fd int pidfd = -1;
	pid_t pid;

	if (fd < 0) {
		trial_set(trial, TRIAL_LIMITED, "%s%s", versions[version],
			version >= VERSION_HYBRID ? "; none can be made below our own" : "");
		if (version >= VERSION_HYBRID)
			mend_delegation(place, trial);
		return;
	}
	pid = clone_process(0, fd, &pidfd, &err);
	if (pid == 0)
		for (;;)
			pause();
	if (pid < 0)
		trial_fail(trial, TRIAL_LIMITED, &err);
	if (cgroup_remove(path, &err) < 0)
		trial_fail(trial, TRIAL_LIMITED, &err);
	else if (pid > 0)
		trial_set(trial, TRIAL_OK, "%s", versions[version]);
	if (pid > 0)
		process_await(pidfd);
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; *p; p += strcspn(p, " \n,"), p += strspn(p, " \n,"))
		if (!strncmp(p, word, n) && strchr(" \n,", p[n]))
			return true;
	return false;
}

/* The controllers of version 1 that we may make cgroups of, from lines "4:memory:/path". */
static char *list_version_1(void)
{
	struct error ignored;
	cleanup_free char *text = NULL;
	char *list = xstrdup("");

	if (file_read("/proc/self/cgroup", LIST_MAX, ERROR_HOST, &text, NULL, &ignored) < 0)
		return list;
	for (char *line = text, *next; line && *line; line = next) {
		char *names = strchr(line, ':');
		char *path = names ? strchr(names + 1, ':') : NULL;
		cleanup_free char *folder = NULL;
		char *longer;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!path || names + 1 == path || names[1] == 'n')
			continue;
		*path++ = '\0';
		folder = xasprintf("/sys/fs/cgroup/%s%s", names + 1, path);
		if (access(folder, W_OK) < 0)
			continue;
		longer = xasprintf("%s%s%s", list, *list ? "," : "", names + 1);
		free(list);
		list = longer;
	}
	return list;
}

/* The controllers of our own cgroup, if we may pass them on: to one below, which is made and goes. */
static char *list_version_2(void)
{
	struct error err;
	char *text = NULL;
	cleanup_free char *path = NULL;
	cleanup_fd int fd = make_own(getppid(), &path);
	cleanup_fd int file = fd < 0 ? -1 : openat(fd, "../cgroup.controllers", O_RDONLY | O_CLOEXEC);

	if (file >= 0 && faccessat(fd, "../cgroup.subtree_control", W_OK, AT_EACCESS) == 0 &&
		fd_read_all(file, "cgroup.controllers", LIST_MAX, ERROR_HOST, &text, NULL, &err) < 0)
		text = NULL;
	if (path)
		cgroup_remove(path, &err);
	return text ? text : xstrdup("");
}

void trial_limits(const struct trial_place *place, struct trial *trial)
{
	enum version version = find_version();
	bool is_2 = version == VERSION_2;
	cleanup_free char *list = is_2 ? list_version_2() : list_version_1();
	char have[64] = "", lack[64] = "";

	for (size_t i = 0; i < array_length(wanted); i++) {
		char *to = has_word(list, wanted[i]) ? have : lack;

		snprintf(to + strlen(to), sizeof(have) - strlen(to), "%s%s", *to ? ", " : "", wanted[i]);
	}
	if (!*lack) {
		trial_set(trial, is_2 ? TRIAL_OK : TRIAL_LIMITED, "%s%s", have, is_2 ? "" : " of version 1");
		if (!is_2)
			trial_mend(trial, "boot with systemd.unified_cgroup_hierarchy=1");
		return;
	}
	trial_set(trial, *have ? TRIAL_LIMITED : TRIAL_MISSING, "%s%swithout %s", have, *have ? ", " : "",
		lack);
	if (is_2)
		mend_delegation(place, trial);
}
