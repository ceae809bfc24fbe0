/* Limits of cgroups, in either version, and what became of them. See cgroup-v2.rst and cgroup-v1/ of the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "namespaces/cgroup.h"

#define SHARES_MIN 2
#define SHARES_MAX 262144

/* What a limit is written to: "%" of text stands for the value. The first file is the one that must be there. */
struct setting {
	const char *file, *text;
};

struct knob {
	const char *name; /* in messages */
	enum cgroup_controller controller;
	struct setting unified[2], legacy[2];
};

static const struct knob memory_knob = {"memory", CGROUP_MEMORY,
	{{"memory.max", "%"}, {"memory.swap.max", "0"}},
	{{"memory.limit_in_bytes", "%"}, {"memory.memsw.limit_in_bytes", "%"}}};
static const struct knob group_knob = {"memory", CGROUP_MEMORY, {{"memory.oom.group", "1"}}, {{NULL, NULL}}};
static const struct knob quota_knob = {"cpu", CGROUP_CPU, {{"cpu.max", "% 100000"}},
	{{"cpu.cfs_quota_us", "%"}, {"cpu.cfs_period_us", "100000"}}};
static const struct knob weight_knob = {"cpu", CGROUP_CPU, {{"cpu.weight", "%"}}, {{"cpu.shares", "%"}}};
static const struct knob pids_knob = {"pids", CGROUP_PIDS, {{"pids.max", "%"}}, {{"pids.max", "%"}}};

static int write_setting(int cgroupfd, const struct setting *setting, uint64_t value)
{
	cleanup_fd int fd = openat(cgroupfd, setting->file, O_WRONLY | O_CLOEXEC);
	const char *rest = strchr(setting->text, '%');
	cleanup_free char *text =
		rest ? xasprintf("%llu%s", (unsigned long long)value, rest + 1) : xstrdup(setting->text);

	return fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0 ? 0 : errno;
}

static int write_knob(
	int fd, const struct knob *knob, bool legacy, uint64_t value, const char *path, struct error *err)
{
	for (size_t i = 0; i < array_length(knob->unified); i++) {
		const struct setting *setting = &(legacy ? knob->legacy : knob->unified)[i];
		int errnum = setting->file ? write_setting(fd, setting, value) : 0;

		/* Files beside the first depend on the kernel's configuration: no swap, no memory.swap.max. */
		if (errnum && !(i > 0 && errnum == ENOENT))
			return error_set(
				err, ERROR_HOST, errnum, "cannot write %s of cgroup %s", setting->file, path);
	}
	return 0;
}

static int set(const struct cgroup *cgroup, const struct knob *knob, uint64_t value, const struct error *why,
	struct error *err)
{
	bool legacy = cgroup->fd[knob->controller] >= 0;
	int place = legacy ? (int)knob->controller : (int)CGROUP_UNIFIED;

	if (!cgroup->controlled[knob->controller]) {
		if (why->class != ERROR_NONE)
			*err = *why;
		else
			error_set(err, ERROR_HOST, 0, "this kernel has no such controller");
		return error_wrap(err, "a limit of %s can't be set", knob->name);
	}
	if (write_knob(cgroup->fd[place], knob, legacy, value, cgroup->path[place], err) < 0)
		return -1;
	/* For programs that look what they may use. From inside it can be changed, to no avail. */
	if (cgroup->inside[place] < 0)
		return 0;
	return write_knob(cgroup->inside[place], knob, legacy, value, cgroup->path[place], err);
}

static uint64_t clamp(uint64_t value, uint64_t low, uint64_t high)
{
	return value < low ? low : value > high ? high : value;
}

/*
 * From shares, 2 to 262144, to the weight, 1 to 10000, so that the default of the one, 1024, is that of the other, 100: as runc does since
 * 1.3.2, and Kubernetes since 1.35. By the straight line before that (KEP-2254) a container had too little beside processes of the host's
 * (kubernetes/kubernetes, issue 131216).
 */
static uint64_t weight(uint64_t shares)
{
	double l = log2((double)shares);

	if (shares <= SHARES_MIN || shares >= SHARES_MAX)
		return shares <= SHARES_MIN ? 1 : 10000;
	return (uint64_t)ceil(pow(10, (l * l + 125 * l) / 612 - 7.0 / 34));
}

int cgroup_limit(const struct cgroup *cgroup, const struct cgroup_limits *limits, const struct error *why,
	struct error *err)
{
	if (limits->memory && set(cgroup, &memory_knob, limits->memory, why, err) < 0)
		return -1;
	if (limits->memory && limits->oom_group && set(cgroup, &group_knob, 1, why, err) < 0)
		return -1;
	if (limits->cpu_quota && set(cgroup, &quota_knob, limits->cpu_quota, why, err) < 0)
		return -1;
	if (limits->pids && set(cgroup, &pids_knob, limits->pids, why, err) < 0)
		return -1;
	/* A weight is no limit: where there is none to be had, nothing is lost that was promised. */
	if (limits->cpu_shares && cgroup->controlled[CGROUP_CPU]) {
		uint64_t shares = clamp(limits->cpu_shares, SHARES_MIN, SHARES_MAX);

		if (cgroup->fd[CGROUP_CPU] < 0)
			shares = weight(shares);
		return set(cgroup, &weight_knob, shares, why, err);
	}
	return 0;
}

uint64_t cgroup_read_count(int cgroupfd, const char *file, const char *key)
{
	cleanup_free char *text = cgroup_read(cgroupfd, file);
	size_t n = strlen(key);

	for (const char *line = text; line && *line;) {
		if (!strncmp(line, key, n) && line[n] == ' ')
			return strtoull(line + n, NULL, 10);
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return 0;
}

uint64_t cgroup_oom_kills(const struct cgroup *cgroup)
{
	bool legacy = cgroup->fd[CGROUP_MEMORY] >= 0;
	int place = legacy ? (int)CGROUP_MEMORY : (int)CGROUP_UNIFIED;
	const char *file = legacy ? "memory.oom_control" : "memory.events";
	const int fds[] = {cgroup->fd[place], cgroup->inside[place]};
	uint64_t most = 0;

	/* Version 1, and version 2 where it is mounted with memory_localevents, counts where the process was. */
	for (size_t i = 0; i < array_length(fds); i++) {
		uint64_t n = fds[i] >= 0 ? cgroup_read_count(fds[i], file, "oom_kill") : 0;

		most = n > most ? n : most;
	}
	return most;
}
