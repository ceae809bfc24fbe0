/*
 * Limits of what a pod has on disk: the sizeLimit of emptyDirs, and limits of ephemeral-storage.
 *
 * No file system enforces them, so it is looked at every few seconds, and a pod that is over a limit is evicted, as the kubelet does
 * (pkg/kubelet/eviction/eviction_manager.go, localStorageEviction), in its words and its order: an emptyDir, the pod, a container. A
 * container's use is what it wrote to its own layer, and its logs; a pod's is that of its running containers, its emptyDirs
 * on disk, and the files that it was given. What was removed and is open still is on disk, and isn't found: as with du(1). An emptyDir in memory is a tmpfs of its size.
 *
 * Who fills a volume with files decides how long a look takes. So it is taken in a child of ours, one at a time, while we go on
 * answering; it ends with the pod. What it finds is that of the moment when it was started. Where there is no child to be had, or
 * somebody killed it, the look is taken here, and all else waits: there is no way around a limit.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "runner/pod/supervise.h"

#define INTERVAL    2 /* seconds; the kubelet's is 10 */
#define MAX_ENTRIES 1000000 /* files a look */
#define PAUSE \
	10 /* times what the last look cost, at least, from one to the next: one who makes that much gets no more of us */
#define NICENESS 10 /* of the child, above ours */
#define BEYOND   (UINT64_MAX >> 8) /* bytes: more than any limit, also when some are added up */
#define OVER     (-2) /* what a look returns if a limit is exceeded; the error's message is then the kubelet's */

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

/*
 * The files in the pod's folder itself: /etc/hosts and its like, and the containers' messages. A container can write to them, and to
 * nothing else of ours; the kubelet counts /etc/hosts since CVE-2020-8557.
 */
static uint64_t usage_of_files(const struct supervisor *supervisor)
{
	int fd = open_below(supervisor->state->data, ".");
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	uint64_t bytes = 0;
	struct stat st;

	if (!dir)
		cleanup_fd_fn(&fd);
	while (dir && (entry = readdir(dir)))
		if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			bytes += (uint64_t)st.st_blocks * 512;
	return bytes;
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

	total += usage_of_files(supervisor);
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

/* ms of processor time that this process has had: others may keep it from running, that is not the look's cost. */
static int64_t spent(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Returns what it cost, in ms; or OVER, with the message. */
static int look(const struct supervisor *supervisor, struct error *err)
{
	int64_t began = spent();
	uint64_t total = 0;
	cleanup_free char *message = judge_volumes(supervisor, &total);

	if (!message && supervisor->plan->storage_limit)
		message = judge_containers(supervisor, total);
	if (!message)
		return (int)(spent() - began);
	error_set(err, ERROR_HOST, 0, "%s", message);
	return OVER;
}

/*
 * In the child. It has copies of all our descriptors: the end of a container's input, say, which nobody would see as long as it
 * lives. Ctrl-C in a terminal is for us.
 */
static int look_aside(void *data, struct error *err)
{
	const struct supervisor *supervisor = data;
	size_t n = supervisor->resources.n_volumes;
	cleanup_free int *keep = xcalloc(n + 5, sizeof(*keep));
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (size_t i = 0; i < n; i++)
		keep[i] = supervisor->resources.volumes[i];
	keep[n] = supervisor->state->data;
	keep[n + 1] = supervisor->logs;
	for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
		keep[n + 2 + (size_t)i] = i;
	if (fd_close_others(keep, n + 5) < 0)
		return error_set(err, ERROR_HOST, errno, "close_range");
	nice(NICENESS);
	return look(supervisor, err);
}

/* result: of a look. */
static void act(struct supervisor *supervisor, int result, const struct error *err)
{
	int64_t wait = (int64_t)result * PAUSE;
	struct itimerspec later;

	if (result == OVER) {
		evict(supervisor, xstrdup(err->message));
		return;
	}
	if (wait < INTERVAL * INT64_C(1000))
		wait = INTERVAL * INT64_C(1000);
	later = (struct itimerspec){.it_value = {wait / 1000, wait % 1000 * 1000000}};
	timerfd_settime(supervisor->sizes.timer.fd, 0, &later, NULL);
}

static void on_looked(struct watch *watch, void *data)
{
	struct supervisor *supervisor = data;
	struct error err = {0};
	int result;

	loop_remove(&supervisor->loop, watch);
	result = worker_finish(&supervisor->sizes.worker, NULL, &err);
	if (result < 0 && result != OVER)
		result = look(supervisor, &err);
	act(supervisor, result, &err);
}

static void on_timer(struct watch *watch, void *data)
{
	struct supervisor *supervisor = data;
	struct sizes *sizes = &supervisor->sizes;
	uint64_t expirations;
	struct error err = {0};

	if (read(watch->fd, &expirations, sizeof(expirations)) < 0)
		return;
	if (worker_start(&sizes->worker, look_aside, supervisor, &err) == 0 &&
		loop_add(&supervisor->loop, &sizes->looked, sizes->worker.pidfd, on_looked, supervisor,
			&err) == 0) {
		sizes->worker.pidfd = -1; /* the loop's */
		return;
	}
	worker_stop(&sizes->worker, NULL);
	act(supervisor, look(supervisor, &err), &err);
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
	return loop_add(&supervisor->loop, &supervisor->sizes.timer, fd, on_timer, supervisor, err);
}

void sizes_close(struct supervisor *supervisor)
{
	struct sizes *sizes = &supervisor->sizes;

	loop_remove(&supervisor->loop, &sizes->timer);
	loop_remove(&supervisor->loop, &sizes->looked);
	worker_stop(&sizes->worker, NULL);
}
