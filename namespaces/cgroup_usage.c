/* What a container uses, by its cgroup or its processes. See cgroup-v2.rst, cgroup-v1/ and proc(5). */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "namespaces/cgroup.h"

/* A file that holds one number. */
static bool read_number(int cgroupfd, const char *name, uint64_t *value)
{
	cleanup_free char *text = cgroupfd < 0 ? NULL : cgroup_read(cgroupfd, name);
	char *end;

	if (!text)
		return false;
	*value = strtoull(text, &end, 10);
	return end != text;
}

static void read_cpu(const struct cgroup *cgroup, struct usage *usage)
{
	int unified = cgroup->fd[CGROUP_UNIFIED];
	uint64_t nanoseconds;

	/* It is there without the controller, too. */
	if (unified >= 0 && faccessat(unified, "cpu.stat", R_OK, 0) == 0) {
		usage->cpu = cgroup_read_count(unified, "cpu.stat", "usage_usec");
		usage->has_cpu = true;
	} else if (read_number(cgroup->fd[CGROUP_CPU], "cpuacct.usage", &nanoseconds)) {
		usage->cpu = nanoseconds / 1000;
		usage->has_cpu = true;
	}
}

static void read_memory(const struct cgroup *cgroup, struct usage *usage)
{
	bool legacy = cgroup->fd[CGROUP_MEMORY] >= 0;
	int fd = cgroup->fd[legacy ? (int)CGROUP_MEMORY : (int)CGROUP_UNIFIED];
	uint64_t inactive;

	if (!read_number(fd, legacy ? "memory.usage_in_bytes" : "memory.current", &usage->memory))
		return;
	inactive = cgroup_read_count(fd, "memory.stat", legacy ? "total_inactive_file" : "inactive_file");
	usage->memory -= inactive < usage->memory ? inactive : usage->memory;
	usage->has_memory = true;
}

/* ---- processes ---- */

struct process {
	pid_t pid, parent;
	uint64_t ticks; /* of its own and of its children that are gone */
	bool counts;
};

struct processes {
	struct process *items;
	size_t n;
};

/* From /proc/PID/stat, "PID (NAME) STATE PARENT ...", where the name may hold anything. */
static bool read_process(const char *name, struct process *process)
{
	cleanup_free char *path = xasprintf("/proc/%s/stat", name), *text = NULL;
	struct error ignored = {0};
	/* What comes behind the state: proc(5)'s fields 4 to 17, ppid the first, utime, stime, cutime, cstime the last four. */
	uint64_t fields[14];
	char *rest, *end;

	if (file_read(path, 4096, ERROR_HOST, &text, NULL, &ignored) < 0)
		return false;
	rest = strrchr(text, ')');
	if (!rest || strlen(rest) < 4)
		return false;
	rest += 3;
	for (size_t i = 0; i < array_length(fields); i++, rest = end) {
		fields[i] = strtoull(rest, &end, 10);
		if (end == rest)
			return false;
	}
	*process = (struct process){
		.pid = (pid_t)strtol(name, NULL, 10),
		.parent = (pid_t)fields[0],
		.ticks = fields[10] + fields[11] + fields[12] + fields[13],
	};
	return true;
}

static void list(struct processes *processes)
{
	cleanup_dir DIR *dir = opendir("/proc");
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		struct process process;

		if (entry->d_name[0] < '0' || entry->d_name[0] > '9' ||
			!read_process(entry->d_name, &process))
			continue;
		processes->items =
			xreallocarray(processes->items, processes->n + 1, sizeof(*processes->items));
		processes->items[processes->n++] = process;
	}
}

/* Those that descend from main. Pids come round: a child's may be smaller than its parent's, so until nothing changes. */
static void choose(struct processes *processes, pid_t main)
{
	bool changed = true;

	for (size_t i = 0; i < processes->n; i++)
		processes->items[i].counts = processes->items[i].pid == main;
	while (changed) {
		changed = false;
		for (size_t i = 0; i < processes->n; i++)
			for (size_t j = 0; !processes->items[i].counts && j < processes->n; j++)
				if (processes->items[j].counts &&
					processes->items[j].pid == processes->items[i].parent)
					changed = processes->items[i].counts = true;
	}
}

static uint64_t anonymous_memory(pid_t pid)
{
	cleanup_free char *path = xasprintf("/proc/%d/statm", (int)pid), *text = NULL;
	struct error ignored = {0};
	uint64_t pages[3] = {0}; /* size, resident, shared */
	char *rest;

	if (file_read(path, 4096, ERROR_HOST, &text, NULL, &ignored) < 0)
		return 0;
	rest = text;
	for (size_t i = 0; i < array_length(pages); i++)
		pages[i] = strtoull(rest, &rest, 10);
	return pages[1] > pages[2] ? (pages[1] - pages[2]) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void read_processes(pid_t main, struct usage *usage)
{
	struct processes processes = {0};
	uint64_t ticks = 0, memory = 0, n = 0;

	list(&processes);
	choose(&processes, main);
	for (size_t i = 0; i < processes.n; i++) {
		if (!processes.items[i].counts)
			continue;
		n++;
		ticks += processes.items[i].ticks;
		memory += anonymous_memory(processes.items[i].pid);
	}
	free(processes.items);
	if (!n)
		return;
	if (!usage->has_cpu)
		usage->cpu = ticks * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
	if (!usage->has_memory)
		usage->memory = memory;
	usage->has_cpu = usage->has_memory = true;
	usage->processes = usage->processes ? usage->processes : n;
}

void cgroup_usage(const struct cgroup *cgroup, pid_t main, struct usage *usage)
{
	*usage = (struct usage){0};
	read_cpu(cgroup, usage);
	read_memory(cgroup, usage);
	if (!read_number(cgroup->fd[CGROUP_PIDS], "pids.current", &usage->processes))
		read_number(cgroup->fd[CGROUP_UNIFIED], "pids.current", &usage->processes);
	if ((!usage->has_cpu || !usage->has_memory || !usage->processes) && main > 0)
		read_processes(main, usage);
}
