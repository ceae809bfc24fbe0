/* Trials of cgroups: which version, whether one can be made below ours, and what it can limit. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "namespaces/device_refusals.h"
#include "namespaces/namespaces.h"
#include "namespaces/sandbox.h"
#include "namespaces/trials.h"

#define LIST_MAX 65536

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

#define ALL ((1U << CGROUP_CONTROLLERS) - 1)

/* One trial after another has it, so that it can be found by who started them. */
static void make_own(pid_t parent, unsigned int controllers, struct cgroup *cgroup, struct error *why)
{
	cleanup_free char *name = xasprintf("minirun-check-%d", (int)parent);
	const struct cgroup_request request = {.name = name, .wanted = controllers};

	cgroup_make_pod(&request, cgroup, why);
}

static int remove_own(struct cgroup *cgroup, struct error *err)
{
	int result = 0;

	for (int i = 0; i < CGROUP_PLACES; i++)
		if (cgroup->path[i] && cgroup_remove(cgroup->path[i], err) < 0)
			result = -1;
	cgroup_close(cgroup);
	return result;
}

void trial_cgroup_sweep(pid_t parent)
{
	struct error ignored;
	struct cgroup cgroup;

	/* Where they were made there is one already, and making it again finds it. */
	make_own(parent, 0, &cgroup, &ignored);
	remove_own(&cgroup, &ignored);
	make_own(parent, ALL, &cgroup, &ignored);
	remove_own(&cgroup, &ignored);
}

/*
 * No cgroup can be made below our own. Where root of a machine with version 1 can't, it takes version 2; but for what version 1
 * does as well (either) a container may just have got it read-only.
 */
static void mend_place(const struct trial_place *place, bool either, struct trial *trial)
{
	cleanup_free char *advice = NULL;

	if (find_version() == VERSION_1 && !userns_inside()) {
		if (either && place->caller.contained)
			trial_mend(trial, "start the container with --privileged");
		return;
	}
	advice = cgroup_advice(&place->caller);
	trial_mend(trial, "%s", advice);
}

void trial_cgroup(const struct trial_place *place, struct trial *trial)
{
	enum version version = find_version();
	struct error err = {0};
	struct cgroup cgroup;
	cleanup_fd int pidfd = -1;
	pid_t pid;

	make_own(getppid(), 0, &cgroup, &err);
	if (cgroup.fd[CGROUP_UNIFIED] < 0) {
		trial_set(trial, TRIAL_LIMITED, "%s%s", versions[version],
			version >= VERSION_HYBRID ? "; none can be made below our own" : "");
		mend_place(place, false, trial);
		return;
	}
	pid = clone_process(0, cgroup.fd[CGROUP_UNIFIED], &pidfd, &err);
	if (pid == 0)
		for (;;)
			pause();
	if (pid < 0)
		trial_fail(trial, TRIAL_LIMITED, &err);
	if (remove_own(&cgroup, &err) < 0)
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

/*
 * Whether a run would move itself into a leaf of our own cgroup to have controllers. A trial has its parent and the keeper in
 * there, which a run has not, so it can't try that itself.
 */
static bool could_move(const char *own, pid_t keeper)
{
	struct error ignored;
	cleanup_free char *path = xasprintf("%s/cgroup.procs", own), *text = NULL;

	if (access(own, W_OK) < 0 || file_read(path, LIST_MAX, ERROR_HOST, &text, NULL, &ignored) < 0)
		return false;
	for (char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		pid_t pid = (pid_t)strtol(line, NULL, 10);

		if (pid != getpid() && pid != getppid() && pid != keeper)
			return false;
	}
	return true;
}

/* The controllers that our own cgroup of version 2 has; to be freed. */
static char *own_controllers(const char *own)
{
	struct error ignored;
	cleanup_free char *path = xasprintf("%s/cgroup.controllers", own);
	char *text = NULL;

	return file_read(path, LIST_MAX, ERROR_HOST, &text, NULL, &ignored) < 0 ? xstrdup("") : text;
}

/*
 * The way of a run: a cgroup below our own, or else, as an ordinary user, below one that systemd gives. A scope goes with us, its only
 * process. Returns whether it did.
 */
static bool make_with_controllers(struct cgroup *cgroup, struct error *why)
{
	cleanup_free char *name = xasprintf("minirun-check-%d", (int)getpid());
	struct error refused = {0}, ignored;
	pid_t self = getpid();

	make_own(getppid(), ALL, cgroup, why);
	if (why->class == ERROR_NONE || !userns_inside())
		return false;
	if (cgroup_enter_scope(name, &self, 1, &refused) < 0) {
		if (refused.class != ERROR_NONE)
			error_wrap(why, "%s", refused.message);
		return false;
	}
	remove_own(cgroup, &ignored);
	make_own(getppid(), ALL, cgroup, why);
	return true;
}

/* The controllers that there are, and those that aren't. */
struct found {
	char have[64], lack[64];
};

static void find_controllers(const struct cgroup *cgroup, const char *movable, struct found *found)
{
	for (enum cgroup_controller i = 0; i < CGROUP_CONTROLLERS; i++) {
		const char *name = cgroup_controller_name(i);
		char *to = cgroup->controlled[i] || has_word(movable, name) ? found->have : found->lack;

		snprintf(to + strlen(to), sizeof(found->have) - strlen(to), "%s%s", *to ? ", " : "", name);
	}
}

void trial_limits(const struct trial_place *place, struct trial *trial)
{
	bool is_2 = find_version() == VERSION_2;
	struct found found = {"", ""};
	struct error why = {0}, ignored;
	struct cgroup cgroup;
	cleanup_free char *own = cgroup_own("");
	cleanup_free char *movable =
		own && could_move(own, place->keeper) ? own_controllers(own) : xstrdup("");
	bool in_scope = false;

	trial_set(trial, TRIAL_MISSING, "making a cgroup with controllers");
	if (*movable)
		make_own(getppid(), ALL, &cgroup, &why);
	else
		in_scope = make_with_controllers(&cgroup, &why);
	find_controllers(&cgroup, movable, &found);
	remove_own(&cgroup, &ignored);
	/* The scope's, so that nothing is in systemd's way. */
	if (in_scope)
		cgroup_move_back();
	if (!*found.lack && is_2) {
		trial_set(trial, TRIAL_OK, "%s%s", found.have,
			in_scope ? ", in a cgroup that systemd gives" : "");
		return;
	}
	if (!*found.lack) {
		trial_set(trial, TRIAL_LIMITED, "%s of version 1", found.have);
		return;
	}
	trial_set(trial, *found.have ? TRIAL_LIMITED : TRIAL_MISSING, "%s%swithout %s%s%s", found.have,
		*found.have ? ", " : "", found.lack, *why.message ? ": " : "", why.message);
	mend_place(place, true, trial);
}

/* By BPF they are restricted; whether what is refused is named besides. */
static void tell_naming(const struct device_refusals *refusals, const struct error *err, struct trial *trial)
{
	if (refusals->ring < 0)
		trial_set(trial, TRIAL_LIMITED, "by BPF; what it refuses isn't named: %s", err->message);
	else if (refusals->unnoted)
		trial_set(trial, TRIAL_LIMITED,
			"by BPF; what it refuses isn't named: the kernel takes no program that notes it: %s",
			strerror(refusals->unnoted));
	else
		trial_set(trial, TRIAL_OK, "by BPF; what it refuses is named");
}

void trial_devices(const struct trial_place *place, struct trial *trial)
{
	struct device_refusals refusals;
	struct error err = {0}, ignored = {0}, unnamed = {0};
	struct cgroup cgroup;
	int result;

	make_own(getppid(), 0, &cgroup, &ignored);
	device_refusals_open(&refusals, &unnamed);
	result = cgroup_allow_devices(&cgroup, NULL, 0, &refusals, &err);
	if (result < 0)
		trial_fail(trial, TRIAL_MISSING, &err);
	else if (userns_inside())
		trial_set(trial, TRIAL_OK, "by the user namespace, in which no other can be opened");
	else if (result > 0)
		trial_set(trial, TRIAL_LIMITED, "by mounts alone, as no cgroup can be made below our own");
	else if (cgroup.fd[CGROUP_UNIFIED] < 0)
		trial_set(trial, TRIAL_OK,
			"by the controller of version 1, which tells nobody what it refuses");
	else
		tell_naming(&refusals, &unnamed, trial);
	device_refusals_close(&refusals);
	if (result > 0 && !userns_inside())
		mend_place(place, true, trial);
	remove_own(&cgroup, &ignored);
}

void trial_hold(const struct trial_place *place, struct trial *trial)
{
	struct error err = {0}, ignored = {0};
	struct cgroup pod, container = cgroup_none;

	make_own(getppid(), 0, &pod, &ignored);
	if (pod.fd[CGROUP_UNIFIED] < 0) {
		trial_set(trial, TRIAL_LIMITED, "no cgroup of version 2 can be made below our own");
		mend_place(place, false, trial);
	} else if (cgroup_make_container(&pod, "held", true, &container, &err) < 0 ||
		   cgroup_hold(&container, &err) < 0) {
		trial_fail(trial, TRIAL_LIMITED, &err);
	} else {
		trial_set(trial, TRIAL_OK, "by cgroup.freeze");
	}
	cgroup_close(&container);
	remove_own(&pod, &ignored);
}
