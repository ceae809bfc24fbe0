/* The status of a pod as JSON: a v1 PodStatus and v1 Events. */
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/plan/limits.h"
#include "runner/pod/supervise.h"

static void add_text(struct json_object *object, const char *key, const char *text)
{
	if (text)
		json_object_object_add(object, key, json_object_new_string(text));
}

static void add_number(struct json_object *object, const char *key, int64_t number)
{
	json_object_object_add(object, key, json_object_new_int64(number));
}

static void add_bool(struct json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

struct json_object *status_time(time_t time)
{
	char text[32];
	struct tm tm;

	gmtime_r(&time, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_object_new_string(text);
}

/* ---- containers ---- */

static void add_id(struct json_object *object, const char *id)
{
	cleanup_free char *text = xasprintf("minirun://%s", id);

	if (*id)
		add_text(object, "containerID", text);
}

static struct json_object *run_json(const struct run_state *run, const char *waiting)
{
	static const char *const kinds[] = {
		[RUN_WAITING] = "waiting", [RUN_RUNNING] = "running", [RUN_TERMINATED] = "terminated"};
	struct json_object *object = json_object_new_object();
	struct json_object *details = json_object_new_object();

	json_object_object_add(object, kinds[run->kind], details);
	if (run->kind == RUN_RUNNING) {
		json_object_object_add(details, "startedAt", status_time(run->started));
		return object;
	}
	if (run->kind == RUN_TERMINATED) {
		add_id(details, run->id);
		add_number(details, "exitCode", run->exit_code);
		json_object_object_add(details, "finishedAt", status_time(run->finished));
	}
	add_text(details, "message", run->message);
	add_text(details, "reason", run->reason ? run->reason : waiting);
	if (run->kind == RUN_TERMINATED) {
		if (run->signal)
			add_number(details, "signal", run->signal);
		json_object_object_add(details, "startedAt", status_time(run->started));
	}
	return object;
}

static struct json_object *container_json(const struct supervisor *supervisor, const struct member *member)
{
	const struct container_status *status = &member->status;
	const char *waiting = supervisor->plan->n_init ? "PodInitializing" : "ContainerCreating";
	struct json_object *object = json_object_new_object();
	/* An init container that has done its work is ready. */
	bool done = member->item->is_init && !member_is_sidecar(member) && status_is_initialized(member);

	add_id(object, status->id);
	add_text(object, "image", member->item->spec->image);
	/* "" until it is there, as v1 has it. */
	add_text(object, "imageID", member->item->image.digest ? member->item->image.digest : "");
	json_object_object_add(object, "lastState",
		status->last.kind == RUN_TERMINATED ? run_json(&status->last, NULL)
						    : json_object_new_object());
	add_text(object, "name", member->item->spec->name);
	add_bool(object, "ready", status->ready || done);
	add_number(object, "restartCount", member->restarts);
	add_bool(object, "started", status->started);
	json_object_object_add(object, "state", run_json(&status->state, waiting));
	return object;
}

static struct json_object *containers_json(const struct supervisor *supervisor, bool init)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < supervisor->plan->n; i++)
		if (supervisor->members[i].item->is_init == init)
			json_object_array_add(list, container_json(supervisor, &supervisor->members[i]));
	return list;
}

/* ---- the rest ---- */

static struct json_object *event_json(const struct supervisor *supervisor, const struct pod_event *event)
{
	const struct pod *pod = supervisor->plan->pod;
	struct json_object *object = json_object_new_object();
	struct json_object *involved = json_object_new_object();
	struct json_object *source = json_object_new_object();

	add_text(involved, "kind", "Pod");
	add_text(involved, "namespace", pod->namespace);
	add_text(involved, "name", pod->name);
	add_text(involved, "uid", supervisor->plan->uid);
	if (event->member) {
		cleanup_free char *path = xasprintf("spec.%s{%s}",
			event->member->item->is_init ? "initContainers" : "containers",
			event->member->item->spec->name);

		add_text(involved, "fieldPath", path);
	}
	json_object_object_add(object, "involvedObject", involved);
	add_text(object, "reason", event->reason);
	add_text(object, "message", event->message);
	add_text(source, "component", "minirun");
	json_object_object_add(object, "source", source);
	json_object_object_add(object, "firstTimestamp", status_time(event->first));
	json_object_object_add(object, "lastTimestamp", status_time(event->last));
	add_number(object, "count", event->count);
	add_text(object, "type", event->warning ? "Warning" : "Normal");
	return object;
}

static struct json_object *metadata_json(const struct supervisor *supervisor)
{
	const struct status *status = &supervisor->status;
	struct json_object *object = json_object_new_object();

	add_text(object, "uid", supervisor->plan->uid);
	json_object_object_add(object, "creationTimestamp", status_time(status->created));
	if (status->deleted) {
		json_object_object_add(
			object, "deletionTimestamp", status_time(status->deleted + status->deletion_grace));
		add_number(object, "deletionGracePeriodSeconds", status->deletion_grace);
	}
	return object;
}

static struct json_object *pod_status_json(struct supervisor *supervisor)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "phase", status_phase(supervisor));
	json_object_object_add(object, "conditions", status_conditions(supervisor));
	add_text(object, "reason", supervisor->status.reason);
	add_text(object, "message", supervisor->status.message);
	if (supervisor->plan->n_init)
		json_object_object_add(object, "initContainerStatuses", containers_json(supervisor, true));
	json_object_object_add(object, "containerStatuses", containers_json(supervisor, false));
	add_text(object, "qosClass", limits_qos_class(supervisor->plan->pod));
	json_object_object_add(object, "startTime", status_time(supervisor->status.created));
	return object;
}

static struct json_object *denials_of_all(const struct supervisor *supervisor)
{
	struct json_object *object = json_object_new_object();

	for (size_t i = 0; i < supervisor->plan->n; i++)
		if (supervisor->members[i].denials.total || supervisor->members[i].denials.would_be)
			json_object_object_add(object, supervisor->members[i].item->spec->name,
				denials_json(&supervisor->members[i].denials));
	return object;
}

struct json_object *status_json(struct supervisor *supervisor)
{
	struct json_object *object = json_object_new_object();
	struct json_object *events = json_object_new_array();
	struct json_object *self = json_object_new_object();

	for (size_t i = 0; i < supervisor->status.n_events; i++)
		json_object_array_add(events, event_json(supervisor, &supervisor->status.events[i]));
	add_number(self, "pid", getpid());
	add_bool(self, "background", supervisor->background);
	json_object_object_add(object, "metadata", metadata_json(supervisor));
	json_object_object_add(object, "status", pod_status_json(supervisor));
	json_object_object_add(object, "events", events);
	json_object_object_add(object, "denials", denials_of_all(supervisor));
	json_object_object_add(object, "supervisor", self);
	return object;
}
