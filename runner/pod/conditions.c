/*
 * The phase and the conditions of a pod, which follow from what its containers do. After the kubelet's getPhase (kubelet_pods.go) and
 * status/generate.go.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/pod/supervise.h"

static void add_text(struct json_object *object, const char *key, const char *text)
{
	if (text)
		json_object_object_add(object, key, json_object_new_string(text));
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

bool status_is_initialized(const struct member *member)
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
		return member->item->is_init && !status_is_initialized(member);
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

struct json_object *status_conditions(struct supervisor *supervisor)
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
