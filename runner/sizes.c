/*
 * sizeLimit of emptyDirs on disk: no file system enforces it, so it is looked at every few seconds, and a pod that is over its
 * limit is evicted, as the kubelet does (pkg/kubelet/eviction, localStorageEviction). One in memory is a tmpfs of that size.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/supervise.h"

#define INTERVAL    2 /* seconds; the kubelet's is 10 */
#define MAX_ENTRIES 200000 /* files a look: a volume with more is judged by these */

static bool is_limited(const struct volume *volume)
{
	return volume->kind == VOLUME_EMPTY_DIR && !volume->memory && volume->size_limit;
}

/* As a quantity of Kubernetes, "2Mi", in the largest unit that divides it. */
static void format_quantity(uint64_t bytes, char *buffer, size_t size)
{
	static const char *const units[] = {"", "Ki", "Mi", "Gi", "Ti"};
	size_t unit = 0;

	while (unit + 1 < array_length(units) && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	snprintf(buffer, size, "%llu%s", (unsigned long long)bytes, units[unit]);
}

static void evict(struct supervisor *supervisor, const struct volume *volume)
{
	struct event event = {.type = "evicted", .tone = TONE_BAD, .important = true, .reason = "Evicted"};
	char limit[32];

	format_quantity(volume->size_limit, limit, sizeof(limit));
	supervisor->eviction =
		xasprintf("Usage of EmptyDir volume \"%s\" exceeds the limit \"%s\"", volume->name, limit);
	supervisor->status.reason = "Evicted";
	supervisor->status.message = supervisor->eviction;
	status_event(supervisor, NULL, true, "Evicted", "%s", supervisor->eviction);
	report_event(supervisor->report, supervisor->plan->pod->name, &event, "%s", supervisor->eviction);
	supervisor_kill(supervisor);
}

static void on_sizes(struct watch *watch, void *data)
{
	struct supervisor *supervisor = data;
	const struct pod *pod = supervisor->plan->pod;
	uint64_t expirations;

	if (read(watch->fd, &expirations, sizeof(expirations)) < 0 || supervisor->eviction)
		return;
	for (size_t i = 0; i < pod->n_volumes && !supervisor->eviction; i++) {
		struct error ignored;
		uint64_t bytes = 0;

		if (is_limited(&pod->volumes[i]) &&
			volume_usage(supervisor->resources.volumes[i], MAX_ENTRIES, &bytes, &ignored) >= 0 &&
			bytes > pod->volumes[i].size_limit)
			evict(supervisor, &pod->volumes[i]);
	}
}

int sizes_watch(struct supervisor *supervisor, struct error *err)
{
	const struct itimerspec every = {.it_value.tv_sec = INTERVAL, .it_interval.tv_sec = INTERVAL};
	const struct pod *pod = supervisor->plan->pod;
	bool found = false;
	int fd;

	for (size_t i = 0; i < pod->n_volumes; i++)
		found |= is_limited(&pod->volumes[i]);
	if (!found)
		return 0;
	fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd < 0 || timerfd_settime(fd, 0, &every, NULL) < 0)
		return error_set(err, ERROR_HOST, errno, "timerfd");
	return loop_add(&supervisor->loop, &supervisor->sizes, fd, on_sizes, supervisor, err);
}
