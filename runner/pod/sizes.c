/*
 * Limits of what a pod has on disk: the sizeLimit of emptyDirs, and limits of ephemeral-storage.
 *
 * No file system enforces them, so it is looked at every few seconds, and a pod that is over a limit is evicted, as the kubelet does
 * (pkg/kubelet/eviction/eviction_manager.go, localStorageEviction), in its words and its order: an emptyDir, the pod, a container. A
 * container's use is what it wrote to its own layer, and its logs; a pod's is that of its running containers and its emptyDirs
 * on disk. An emptyDir in memory is a tmpfs of its size.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/pod/supervise.h"

#define INTERVAL    2 /* seconds; the kubelet's is 10 */
#define MAX_ENTRIES 1000000 /* files a look */
#define PAUSE \
	10 /* times what the last look took, at least, from one to the next: one who makes that long gets no more of us */
#define BEYOND (UINT64_MAX >> 8) /* bytes: more than any limit, also when some are added up */

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

/* Takes the message. */
static void evict(struct supervisor *supervisor, char *message)
{
	struct event event = {.type = "evicted", .tone = TONE_BAD, .important = true, .reason = "Evicted"};

	supervisor->eviction = message;
	supervisor->status.reason = "Evicted";
	supervisor->status.message = supervisor->eviction;
	status_event(supervisor, NULL, true, "Evicted", "%s", supervisor->eviction);
	report_event(supervisor->report, supervisor->plan->pod->name, &event, "%s", supervisor->eviction);
	supervisor_kill(supervisor);
}

/* 0 if it can't be looked at. Else what can't all be counted, as too many files or too deep, would be a way around the limit. */
static uint64_t usage_of(int folder)
{
	struct error ignored;
	uint64_t bytes = 0;
	int result = folder < 0 ? -1 : volume_usage(folder, MAX_ENTRIES, &bytes, &ignored);

	return result < 0 ? 0 : result > 0 ? BEYOND : bytes;
}

static int open_below(int dirfd, const char *name)
{
	return dirfd < 0 ? -1 : openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static uint64_t usage_of_container(const struct member *member)
{
	const struct supervisor *supervisor = member->supervisor;
	const char *name = member->item->spec->name;
	cleanup_free char *layer = rootfs_layer_name("upper", name, member->restarts);
	cleanup_fd int upper = open_below(supervisor->state->data, layer);
	cleanup_fd int logs = open_below(supervisor->logs, name);

	return usage_of(upper) + usage_of(logs);
}

/* What evicts the pod; NULL if nothing does. */
static char *judge_volumes(const struct supervisor *supervisor, uint64_t *total)
{
	const struct pod *pod = supervisor->plan->pod;

	for (size_t i = 0; i < pod->n_volumes; i++) {
		const struct volume *volume = &pod->volumes[i];
		char limit[32];
		uint64_t bytes;

		if (volume->kind != VOLUME_EMPTY_DIR || volume->memory)
			continue;
		bytes = is_limited(volume) || supervisor->plan->storage_limit
				? usage_of(supervisor->resources.volumes[i])
				: 0;
		*total += bytes;
		if (!is_limited(volume) || bytes <= volume->size_limit)
			continue;
		format_quantity(volume->size_limit, limit, sizeof(limit));
		return xasprintf(
			"Usage of EmptyDir volume \"%s\" exceeds the limit \"%s\"", volume->name, limit);
	}
	return NULL;
}

static char *judge_containers(const struct supervisor *supervisor, uint64_t total)
{
	const struct plan *plan = supervisor->plan;
	char *message = NULL;
	char limit[32];

	for (size_t i = 0; i < plan->n; i++) {
		const struct member *member = &supervisor->members[i];
		uint64_t bytes = member->phase == MEMBER_RUNNING ? usage_of_container(member) : 0;

		total += bytes;
		if (message || !plan->items[i].storage_limit || bytes <= plan->items[i].storage_limit)
			continue;
		format_quantity(plan->items[i].storage_limit, limit, sizeof(limit));
		message = xasprintf("Container %s exceeded its local ephemeral storage limit \"%s\"",
			plan->items[i].spec->name, limit);
	}
	if (total <= plan->storage_limit)
		return message;
	free(message);
	format_quantity(plan->storage_limit, limit, sizeof(limit));
	return xasprintf("Pod ephemeral local storage usage exceeds the total limit of containers %s", limit);
}

/* began: when the look did that is over. */
static void look_later(int timer, int64_t began)
{
	int64_t wait = (timer_now() - began) * PAUSE;
	struct itimerspec later;

	if (wait < INTERVAL * INT64_C(1000))
		wait = INTERVAL * INT64_C(1000);
	later = (struct itimerspec){.it_value = {wait / 1000, wait % 1000 * 1000000}};
	timerfd_settime(timer, 0, &later, NULL);
}

static void on_sizes(struct watch *watch, void *data)
{
	struct supervisor *supervisor = data;
	int64_t began = timer_now();
	uint64_t expirations, total = 0;
	char *message;

	if (read(watch->fd, &expirations, sizeof(expirations)) < 0 || supervisor->eviction)
		return;
	message = judge_volumes(supervisor, &total);
	if (!message && supervisor->plan->storage_limit)
		message = judge_containers(supervisor, total);
	look_later(watch->fd, began);
	if (message)
		evict(supervisor, message);
}

int sizes_watch(struct supervisor *supervisor, struct error *err)
{
	const struct itimerspec first = {.it_value.tv_sec = INTERVAL};
	const struct pod *pod = supervisor->plan->pod;
	bool found = supervisor->plan->storage_limit > 0;
	int fd;

	for (size_t i = 0; i < pod->n_volumes; i++)
		found |= is_limited(&pod->volumes[i]);
	if (!found)
		return 0;
	fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd < 0 || timerfd_settime(fd, 0, &first, NULL) < 0)
		return error_set(err, ERROR_HOST, errno, "timerfd");
	return loop_add(&supervisor->loop, &supervisor->sizes, fd, on_sizes, supervisor, err);
}
