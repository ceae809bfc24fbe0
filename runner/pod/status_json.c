/* The status of a pod as JSON: a v1 PodStatus and v1 Events. After the kubelet's getPhase and status/generate.go. */
#include <string.h>
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

/* ---- phase ---- */

struct tally {
	unsigned int initializing, failed_init, running, waiting, stopped, succeeded;
	unsigned int final; /* failed init containers that are not started again */
	unsigned int coming; /* main containers that have ended, and are */
};

static bool has_ended(const struct container_status *status)
{
	return status->last.kind == RUN_TERMINATED;
}

/* Whether what has ended is started again: it is on its way already, or will be. */
static bool is_coming(const struct member *member)
{
	return member->phase != MEMBER_ENDED || sequence_will_restart(member);
}

static void count_init(const struct member *member, struct tally *tally)
{
	const struct container_status *status = &member->status;
	bool waits = status->state.kind == RUN_WAITING;

	if (member_is_sidecar(member)) {
		if (status->state.kind == RUN_RUNNING)
			tally->running++;
		if ((status->state.kind == RUN_RUNNING && !status->started) || (waits && !has_ended(status)))
			tally->initializing++;
		return;
	}
	if (status->state.kind == RUN_TERMINATED) {
		tally->failed_init += status->state.exit_code != 0;
		tally->final += status->state.exit_code != 0 && !is_coming(member);
	} else if (waits && has_ended(status))
		tally->failed_init += status->last.exit_code != 0;
	else
		tally->initializing++;
}

static void count_main(const struct member *member, struct tally *tally)
{
	const struct container_status *status = &member->status;

	if (status->state.kind == RUN_RUNNING) {
		tally->running++;
	} else if (status->state.kind == RUN_TERMINATED) {
		tally->stopped++;
		tally->succeeded += status->state.exit_code == 0;
		tally->coming += is_coming(member);
	} else if (has_ended(status)) {
		tally->stopped++;
		tally->coming++;
	} else {
		tally->waiting++;
	}
}

static const char *phase_of(const struct supervisor *supervisor, const struct tally *tally)
{
	if (supervisor->status.reason || tally->final)
		return "Failed";
	if (tally->initializing || tally->failed_init || tally->waiting)
		return "Pending";
	if (tally->running)
		return "Running";
	if (tally->coming && !supervisor->ending)
		return "Running";
	return tally->stopped == tally->succeeded ? "Succeeded" : "Failed";
}

const char *status_phase(const struct supervisor *supervisor)
{
	struct tally tally = {0};

	for (size_t i = 0; i < supervisor->plan->n; i++)
		if (supervisor->members[i].item->is_init)
			count_init(&supervisor->members[i], &tally);
		else
			count_main(&supervisor->members[i], &tally);
	return phase_of(supervisor, &tally);
}

/* ---- conditions ---- */

static bool is_initialized(const struct member *member)
{
	const struct container_status *status = &member->status;

	if (member_is_sidecar(member))
		return status->started;
	return status->state.kind == RUN_TERMINATED && status->state.exit_code == 0;
}

/* Whether it counts for the condition, and doesn't satisfy it. */
static bool lacks(const struct member *member, enum condition condition)
{
	if (condition == CONDITION_INITIALIZED)
		return member->item->is_init && !is_initialized(member);
	return (!member->item->is_init || member_is_sidecar(member)) && !member->status.ready;
}

static bool is_final(const char *phase)
{
	return !strcmp(phase, "Succeeded") || !strcmp(phase, "Failed");
}

bool status_condition(const struct supervisor *supervisor, enum condition condition)
{
	const char *phase = status_phase(supervisor);

	if (condition == CONDITION_SCHEDULED)
		return true;
	if (condition == CONDITION_SANDBOX)
		return supervisor->status.sandboxed;
	if (condition == CONDITION_INITIALIZED && !strcmp(phase, "Succeeded"))
		return true;
	if (condition != CONDITION_INITIALIZED && is_final(phase))
		return false;
	for (size_t i = 0; i < supervisor->plan->n; i++)
		if (lacks(&supervisor->members[i], condition))
			return false;
	/* Nobody sets the conditions that they are for. */
	return condition != CONDITION_READY || !supervisor->plan->pod->readiness_gates;
}

/* As GeneratePodReadyCondition has it, once the containers are ready. */
static void explain_gates(const struct supervisor *supervisor, struct json_object *object)
{
	cleanup_free char *message = NULL;

	for (char *const *gate = supervisor->plan->pod->readiness_gates; *gate; gate++) {
		char *longer =
			xasprintf("%s%scorresponding condition of pod readiness gate \"%s\" does not exist.",
				message ? message : "", message ? ", " : "", *gate);

		free(message);
		message = longer;
	}
	add_text(object, "reason", "ReadinessGatesNotReady");
	add_text(object, "message", message);
}

/* "containers with unready status: [a b]" */
static char *list_of(const struct supervisor *supervisor, enum condition condition)
{
	char *text = xasprintf("containers with %s status: [",
		condition == CONDITION_INITIALIZED ? "incomplete" : "unready");
	const char *space = "";

	for (size_t i = 0; i < supervisor->plan->n; i++) {
		char *longer;

		if (!lacks(&supervisor->members[i], condition))
			continue;
		longer = xasprintf("%s%s%s", text, space, supervisor->members[i].item->spec->name);
		free(text);
		text = longer;
		space = " ";
	}
	space = text;
	text = xasprintf("%s]", space);
	free((void *)(uintptr_t)space);
	return text;
}

static void explain_condition(
	const struct supervisor *supervisor, enum condition condition, bool value, struct json_object *object)
{
	const char *phase = status_phase(supervisor);
	cleanup_free char *list = NULL;

	if (condition == CONDITION_SANDBOX || condition == CONDITION_SCHEDULED)
		return;
	if (!strcmp(phase, "Succeeded")) {
		add_text(object, "reason", "PodCompleted");
		return;
	}
	if (value)
		return;
	if (!strcmp(phase, "Failed") && condition != CONDITION_INITIALIZED) {
		add_text(object, "reason", "PodFailed");
		return;
	}
	if (condition == CONDITION_READY && status_condition(supervisor, CONDITION_CONTAINERS_READY)) {
		explain_gates(supervisor, object);
		return;
	}
	list = list_of(supervisor, condition);
	add_text(object, "reason",
		condition == CONDITION_INITIALIZED ? "ContainersNotInitialized" : "ContainersNotReady");
	add_text(object, "message", list);
}

static struct json_object *conditions_json(struct supervisor *supervisor)
{
	static const char *const names[CONDITION_COUNT] = {
		[CONDITION_SANDBOX] = "PodReadyToStartContainers",
		[CONDITION_INITIALIZED] = "Initialized",
		[CONDITION_READY] = "Ready",
		[CONDITION_CONTAINERS_READY] = "ContainersReady",
		[CONDITION_SCHEDULED] = "PodScheduled",
	};
	struct status *status = &supervisor->status;
	struct json_object *list = json_object_new_array();

	for (int i = 0; i < CONDITION_COUNT; i++) {
		struct json_object *object = json_object_new_object();
		bool value = status_condition(supervisor, (enum condition)i);

		if (value != status->was[i])
			status->since[i] = time(NULL);
		status->was[i] = value;
		add_text(object, "type", names[i]);
		add_text(object, "status", value ? "True" : "False");
		json_object_object_add(object, "lastProbeTime", NULL);
		json_object_object_add(object, "lastTransitionTime", status_time(status->since[i]));
		explain_condition(supervisor, (enum condition)i, value, object);
		json_object_array_add(list, object);
	}
	return list;
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
	bool done = member->item->is_init && !member_is_sidecar(member) && is_initialized(member);

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
	json_object_object_add(object, "conditions", conditions_json(supervisor));
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
