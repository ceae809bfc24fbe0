/* What happened to a container more than once, in a few lines at its end: beside denials.c, which counts it. */
#include <inttypes.h>
#include <stdlib.h>

#include "runner/pod/denials.h"

#define SUMMARY_LINES 10

static const char *const lock_names[] = {
	[LOCK_SECCOMP] = "seccomp",
	[LOCK_APPARMOR] = "AppArmor",
	[LOCK_CGROUP] = "cgroup",
};

static void add_string(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

static int by_count(const void *a, const void *b)
{
	const struct denial_kind *x = a, *y = b;

	return x->count < y->count ? 1 : x->count > y->count ? -1 : 0;
}

struct json_object *denials_json(const struct denials *denials)
{
	struct json_object *object = json_object_new_object();
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < denials->n; i++) {
		const struct denial_kind *kind = &denials->kinds[i];
		struct json_object *item = json_object_new_object();

		add_string(item, "lock", lock_names[kind->lock]);
		add_string(item, kind->lock == LOCK_SECCOMP ? "call" : "operation", kind->name);
		add_string(item, "text", kind->what);
		add_string(item, "program", kind->program);
		json_object_object_add(item, "count", json_object_new_int64((int64_t)kind->count));
		if (kind->would_be)
			json_object_object_add(item, "enforced", json_object_new_boolean(false));
		json_object_array_add(list, item);
	}
	json_object_object_add(object, "denied", list);
	if (denials_last(denials))
		add_string(object, "last", denials_last(denials));
	json_object_object_add(object, "total", json_object_new_int64((int64_t)denials->total));
	if (denials->would_be)
		json_object_object_add(
			object, "wouldBeDenied", json_object_new_int64((int64_t)denials->would_be));
	json_object_object_add(object, "others", json_object_new_int64((int64_t)denials->beyond));
	if (denials->lost)
		json_object_object_add(object, "lost", json_object_new_int64((int64_t)denials->lost));
	return object;
}

void denials_summarise(struct denials *denials)
{
	struct event event = {.type = "denials", .container = denials->container, .tone = TONE_NOTE};
	uint64_t all = denials->total + denials->would_be;
	size_t repeated = 0;

	/* What happened once was told when it did. */
	if (!all || (all == denials->n && !denials->report->json))
		return;
	qsort(denials->kinds, denials->n, sizeof(*denials->kinds), by_count);
	if (denials->report->json) {
		event.more = denials_json(denials);
		report_event(denials->report, denials->pod, &event, "denied %" PRIu64 " calls in all",
			denials->total);
		json_object_put(event.more);
		return;
	}
	for (size_t i = 0; i < denials->n && denials->kinds[i].count > 1; i++)
		if (++repeated <= SUMMARY_LINES)
			report_event(denials->report, denials->pod, &event, "%s %" PRIu64 " times %s (%s)",
				denials->kinds[i].would_be ? "would be denied" : "denied",
				denials->kinds[i].count, denials->kinds[i].what, denials->kinds[i].program);
	if (repeated > SUMMARY_LINES)
		report_event(denials->report, denials->pod, &event, "and %zu more kinds of calls repeatedly",
			repeated - SUMMARY_LINES);
	if (denials->beyond)
		report_event(denials->report, denials->pod, &event,
			"denied %" PRIu64 " calls of more kinds than are told apart", denials->beyond);
	if (denials->lost)
		report_event(denials->report, denials->pod, &event,
			"denied %" PRIu64
			" more devices, or the same more often, faster than it could be read",
			denials->lost);
}
