/* The image of a container as it is started. Theory of operation: pulling.h. */
#include "runner/pod/pulling.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/manifest/duration.h"
#include "runner/pod/supervise.h"

#define BACKOFF_FIRST \
	10 /* seconds, all as kubelet.go: initial, maximum, and when it is forgotten (client-go's Backoff) */
#define BACKOFF_MAX   300
#define BACKOFF_RESET 600
#define LOOK_AGAIN \
	10 /* seconds until a pod that could not be synchronised is looked at again (pod_workers.go) */
#define SHOW_ERROR 5 /* seconds of a back-off for which its cause is what is shown */

/* What the worker is given. */
struct job {
	const struct store *store;
	const char *name;
	const struct pull_options *options;
};

static int pull(void *data, struct error *err)
{
	const struct job *job = data;
	cleanup_image struct image image = {0};
	bool is_unchanged;

	/* It may last, and whoever waits for the end of one of the supervisor's pipes waits for all copies of it. */
	if (fd_close_others((const int[]){0, 1, 2, job->store->fd}, 4) < 0)
		return error_set(err, ERROR_HOST, errno, "close_range");
	return image_pull(job->store, job->name, job->options, &image, &is_unchanged, err);
}

static const struct store *store_of(const struct member *member)
{
	return &member->supervisor->plan->store;
}

static const char *name_of(const struct member *member)
{
	return member->item->spec->image;
}

/* The plan's own, which gets the image. */
static struct planned *planned_of(const struct member *member)
{
	return &member->supervisor->plan->items[member - member->supervisor->members];
}

/* The back-off is the image's, and not the container's, as the kubelet's key has it. */
static struct pulling *owner_of(const struct member *member)
{
	struct member *first = member->supervisor->members;

	while (strcmp(name_of(first), name_of(member)) != 0)
		first++;
	return &first->pulling;
}

/* An event, and, for who watches in the foreground, a line. */
__attribute__((format(printf, 5, 6))) static void tell(const struct member *member, bool warning,
	const char *reason, const char *type, const char *format, ...)
{
	struct supervisor *supervisor = member->supervisor;
	struct event event = {.type = type,
		.container = member->item->spec->name,
		.tone = warning ? TONE_BAD : TONE_PLAIN,
		.reason = reason};
	cleanup_free char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = xstrdup("out of memory");
	va_end(args);
	status_event(supervisor, member, warning, reason, "%s", text);
	report_event(supervisor->report, supervisor->plan->pod->name, &event, "%s", text);
}

static void tell_present(const struct member *member)
{
	status_event(member->supervisor, member, false, "Pulled",
		"Container image \"%s\" already present on machine", name_of(member));
}

/* The container waits, seconds of Kubernetes' time. Returns false, for who was asked whether the image is there. */
static bool wait_again(struct member *member, const char *reason, const char *message, int64_t milliseconds)
{
	member->phase = MEMBER_PULLING;
	status_waiting(member, reason, message);
	status_event(member->supervisor, member, true, "Failed", "Error: %s", reason);
	timer_arm(&member->timer, milliseconds);
	return false;
}

static int64_t look_again(const struct member *member)
{
	return supervisor_scaled(member->supervisor, LOOK_AGAIN);
}

/* "cause (hint: what to do)", without what the event says already. */
static char *cause_of(const struct member *member, const struct error *err)
{
	cleanup_free char *preamble = xasprintf("cannot pull %.250s: ", name_of(member));
	const char *message = err->message;

	if (text_starts_with(message, preamble))
		message += strlen(preamble);
	return xasprintf(
		"%s%s%s%s", message, err->hint[0] ? " (hint: " : "", err->hint, err->hint[0] ? ")" : "");
}

/* The name is none, or the store can't be read. */
static bool wait_unusable(
	struct member *member, const char *reason, const char *what, const struct error *err)
{
	cleanup_free char *cause = cause_of(member, err);
	cleanup_free char *message = xasprintf("%s \"%s\": %s", what, name_of(member), cause);

	tell(member, true, "InspectFailed", "failed", "%s", message);
	return wait_again(member, reason, message, look_again(member));
}

static bool wait_never(struct member *member, const struct error *missing)
{
	cleanup_free char *text =
		xasprintf("Container image \"%s\" is not present with pull policy of Never", name_of(member));
	cleanup_free char *message = xasprintf("%s (hint: %s)", text, missing->hint);

	tell(member, true, "ErrImageNeverPull", "failed", "%s", text);
	return wait_again(member, "ErrImageNeverPull", message, look_again(member));
}

/* What is wrong with the image for this container: CreateContainerConfigError, as of the kubelet's own checks. */
static bool wait_unfit(struct member *member, const struct findings *findings)
{
	const struct finding *first = findings->items;
	cleanup_free char *message = NULL;

	while (first->severity != SEVERITY_ERROR)
		first++;
	message = xasprintf("%s: %s%s%s%s", first->path, first->text, first->hint ? " (hint: " : "",
		first->hint ? first->hint : "", first->hint ? ")" : "");
	tell(member, true, "Failed", "failed", "Error: %s", message);
	return wait_again(member, "CreateContainerConfigError", message, look_again(member));
}

/* Takes the image over, and makes the plan of the process with it. */
static bool take(struct member *member, struct image *image)
{
	struct planned *item = planned_of(member);
	struct findings findings;
	bool fits;

	if (item->image.name && item->image.loaded == image->loaded &&
		!strcmp(item->image.digest, image->digest)) {
		image_free(image);
		return true;
	}
	image_free(&item->image);
	item->image = *image;
	findings_init(&findings, "");
	plan_process_again(member->supervisor->plan, item, &findings);
	for (size_t i = 0; i < findings.n; i++)
		if (findings.items[i].severity != SEVERITY_ERROR)
			tell(member, true, "ImageConfig", "warning", "%s", findings.items[i].text);
	fits = !findings.errors;
	if (!fits) {
		image_free(&item->image);
		wait_unfit(member, &findings);
	}
	item->image_later = !fits;
	findings_free(&findings);
	return fits;
}

/* flowcontrol.Backoff.Next. */
static void count_failure(const struct supervisor *supervisor, struct pulling *owner, char *cause)
{
	int64_t now = timer_now();

	if (owner->backoff && now - owner->failed_at > supervisor_scaled(supervisor, BACKOFF_RESET))
		owner->backoff = 0;
	owner->backoff = owner->backoff ? owner->backoff * 2 : BACKOFF_FIRST;
	if (owner->backoff > BACKOFF_MAX)
		owner->backoff = BACKOFF_MAX;
	owner->failed_at = now;
	free(owner->cause);
	owner->cause = cause;
}

static void fail(struct member *member, struct error *err)
{
	struct error missing = {0};
	struct image stored;
	struct pulling *owner = owner_of(member);
	char *cause;

	if (image_find(store_of(member), name_of(member), &stored, &missing) == 0)
		image_free(&stored);
	plan_explain_image(store_of(member), member->item->spec, &missing, err);
	cause = cause_of(member, err);
	count_failure(member->supervisor, owner, cause);
	tell(member, true, "Failed", "failed", "Failed to pull image \"%s\": %s", name_of(member), cause);
	wait_again(member, "ErrImagePull", cause, supervisor_scaled(member->supervisor, SHOW_ERROR));
}

static bool back_off(struct member *member, const struct pulling *owner, int64_t left)
{
	cleanup_free char *text = xasprintf("Back-off pulling image \"%s\"", name_of(member));
	cleanup_free char *message = xasprintf("%s: ErrImagePull: %s", text, owner->cause);

	tell(member, false, "BackOff", "back-off", "%s", text);
	return wait_again(member, "ImagePullBackOff", message, left);
}

/* The registry has been asked, and has given what it has. */
static void arrive(struct member *member, struct image *image)
{
	cleanup_free char *took = duration_text(timer_now() - member->pulling.began);

	tell(member, false, "Pulled", "pulled",
		"Successfully pulled image \"%s\" in %s (%s including waiting). Image size: %" PRIu64
		" bytes.",
		name_of(member), took, took, image->size);
	if (take(member, image))
		member_launch(member);
}

static void on_exit_ready(struct watch *watch, void *data)
{
	struct member *member = data;
	struct supervisor *supervisor = member->supervisor;
	struct image image;
	struct error err = {0};
	int result;

	loop_remove(&supervisor->loop, watch);
	result = worker_finish(&member->pulling.worker, store_of(member), &err);
	if (result == 0)
		result = image_find(store_of(member), name_of(member), &image, &err);
	if (result == 0)
		arrive(member, &image);
	else
		fail(member, &err);
	/* Whether it can be had or not, it is the next one's turn. */
	sequence_advance(supervisor);
}

static bool start(struct member *member)
{
	struct supervisor *supervisor = member->supervisor;
	struct pulling *pulling = &member->pulling;
	const struct pulling *owner = owner_of(member);
	struct job job = {store_of(member), name_of(member), supervisor->pull};
	int64_t left = owner->failed_at + supervisor_scaled(supervisor, owner->backoff) - timer_now();
	struct error err = {0};

	if (owner->backoff && left > 0)
		return back_off(member, owner, left);
	tell(member, false, "Pulling", "pulling", "Pulling image \"%s\"", name_of(member));
	member->phase = MEMBER_PULLING;
	pulling->began = timer_now();
	if (worker_start(&pulling->worker, pull, &job, &err) < 0 ||
		loop_add(&supervisor->loop, &pulling->exit, steal_fd(&pulling->worker.pidfd), on_exit_ready,
			member, &err) < 0) {
		worker_stop(&pulling->worker, store_of(member));
		fail(member, &err);
	}
	return false;
}

bool pulling_begin(struct member *member)
{
	const struct planned *item = member->item;
	struct error err = {0};
	struct image image;
	enum pull_policy policy;
	int found;

	if (!item->image_later && !*member->status.id) {
		/* The plan has seen to it right now. */
		tell_present(member);
		return true;
	}
	if (image_check_name(name_of(member), &err) < 0)
		return wait_unusable(member, "InvalidImageName", "Failed to apply default image tag", &err);
	found = image_find(store_of(member), name_of(member), &image, &err);
	if (found < 0 && err.errnum != ENOENT)
		return wait_unusable(member, "ImageInspectError", "Failed to inspect image", &err);
	policy = plan_pull_policy(item->spec, &image);
	if (found < 0)
		return policy == PULL_NEVER ? wait_never(member, &err) : start(member);
	if (policy == PULL_ALWAYS) {
		image_free(&image);
		return start(member);
	}
	tell_present(member);
	return take(member, &image);
}

bool pulling_is_running(const struct member *member)
{
	return member->pulling.exit.fd >= 0;
}

void pulling_cancel(struct member *member)
{
	loop_remove(&member->supervisor->loop, &member->pulling.exit);
	worker_stop(&member->pulling.worker, store_of(member));
}

void pulling_close(struct member *member)
{
	pulling_cancel(member);
	free(member->pulling.cause);
	member->pulling.cause = NULL;
}
