/* The probes of a container, and its hooks. Theory of operation: probing.h. */
#include "runner/pod/probing.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/pod/supervise.h"

#define HOOK_LIMIT INT32_MAX /* seconds: a postStart hook has no time limit */

static const char *const names[PROBE_COUNT] = {
	[PROBE_STARTUP] = "Startup", [PROBE_LIVENESS] = "Liveness", [PROBE_READINESS] = "Readiness"};

static struct probe_worker *worker_of(const struct member *member, enum probe_kind kind)
{
	return member->probing.workers[kind];
}

static void unhealthy(const struct probe_worker *worker)
{
	struct member *member = worker->task.member;
	const char *name = names[worker->kind];
	struct event event = {.type = "unhealthy",
		.container = member->item->spec->name,
		.tone = TONE_NOTE,
		.reason = "Unhealthy"};
	const char *verb =
		worker->task.result == TASK_ERROR ? "errored and resulted in unknown state" : "failed";

	status_event(member->supervisor, member, true, "Unhealthy", "%s probe %s: %s", name, verb,
		worker->task.text);
	report_event(member->supervisor->report, member->supervisor->plan->pod->name, &event,
		"%s probe %s: %s", name, verb, worker->task.text);
}

static void start_worker(struct probe_worker *worker)
{
	struct member *member = worker->task.member;
	int64_t delay = supervisor_scaled(member->supervisor, worker->probe->initial_delay);

	worker->run = 0;
	timer_arm(&worker->timer, member->probing.began + delay - timer_now());
}

/* Its liveness or its startup says that it is no good. */
static void give_up(const struct probe_worker *worker)
{
	struct member *member = worker->task.member;
	cleanup_free char *message = xasprintf("Container %s failed %s probe, will be restarted",
		member->item->spec->name, worker->kind == PROBE_STARTUP ? "startup" : "liveness");
	unsigned int grace = worker->probe->grace.set
				     ? (unsigned int)worker->probe->grace.value
				     : member->supervisor->plan->pod->termination_grace_period;

	member->must_restart = true;
	stopping_start(member, grace, message);
}

static void has_started(struct member *member)
{
	struct probe_worker *liveness = worker_of(member, PROBE_LIVENESS);
	struct probe_worker *readiness = worker_of(member, PROBE_READINESS);

	if (liveness)
		start_worker(liveness);
	if (readiness)
		start_worker(readiness);
	supervisor_member_started(member->supervisor, member, !readiness);
}

static void take_result(struct probe_worker *worker, bool good)
{
	struct member *member = worker->task.member;

	switch (worker->kind) {
	case PROBE_STARTUP:
		timer_disarm(&worker->timer);
		if (good)
			has_started(member);
		else
			give_up(worker);
		break;
	case PROBE_LIVENESS:
		if (!good)
			give_up(worker);
		break;
	case PROBE_READINESS:
		if (member->status.ready == good)
			break;
		member->status.ready = good;
		status_changed(member->supervisor);
		break;
	case PROBE_COUNT:
	default:
		break;
	}
}

static void on_answer(struct task *task, void *data)
{
	struct probe_worker *worker = data;
	bool good = task->result == TASK_SUCCESS;

	if (!good)
		unhealthy(worker);
	/* As in the kubelet one that could not be asked has no result. */
	if (task->result == TASK_ERROR)
		return;
	worker->run = worker->run && worker->last == good ? worker->run + 1 : 1;
	worker->last = good;
	if (worker->run >= (good ? worker->probe->success : worker->probe->failure))
		take_result(worker, good);
}

static void on_period(void *data)
{
	struct probe_worker *worker = data;

	timer_arm(&worker->timer, supervisor_scaled(worker->task.member->supervisor, worker->probe->period));
	if (!worker->task.running)
		task_start(&worker->task, &worker->probe->handler, worker->probe->timeout);
}

/* ---- hooks ---- */

static void begin_probes(struct member *member)
{
	struct probe_worker *startup = worker_of(member, PROBE_STARTUP);

	member->probing.waits = false;
	if (startup)
		start_worker(startup);
	else
		has_started(member);
	sequence_advance(member->supervisor);
}

static void tell_hook(struct member *member, const char *reason, const char *message, const char *why)
{
	struct event event = {
		.type = "hook", .container = member->item->spec->name, .tone = TONE_BAD, .reason = reason};

	status_event(member->supervisor, member, true, reason, "%s", message);
	report_event(member->supervisor->report, member->supervisor->plan->pod->name, &event, "%s%s%s",
		message, *why ? ": " : "", why);
}

static void on_post_start(struct task *task, void *data)
{
	struct member *member = data;

	if (task->result == TASK_SUCCESS) {
		begin_probes(member);
		return;
	}
	tell_hook(member, "FailedPostStartHook", "PostStartHook failed", task->text);
	member->probing.waits = false;
	stopping_start(
		member, member->supervisor->plan->pod->termination_grace_period, "FailedPostStartHook");
	sequence_advance(member->supervisor);
}

static void on_pre_stop(struct task *task, void *data)
{
	struct member *member = data;

	if (task->result != TASK_SUCCESS)
		tell_hook(member, "FailedPreStopHook", "PreStopHook failed", task->text);
	stopping_hook_done(member);
}

bool probing_pre_stop(struct member *member, int64_t limit)
{
	if (!member->probing.pre_stop)
		return false;
	task_start(member->probing.pre_stop, &member->item->spec->pre_stop, limit);
	return true;
}

/* ---- all of them ---- */

static int make_worker(
	struct member *member, enum probe_kind kind, const struct probe *probe, struct error *err)
{
	struct probe_worker *worker;

	if (probe->handler.kind == HANDLER_NONE)
		return 0;
	worker = xcalloc(1, sizeof(*worker));
	member->probing.workers[kind] = worker;
	worker->kind = kind;
	worker->probe = probe;
	worker->timer.watch.fd = -1;
	if (task_init(&worker->task, member, on_answer, worker, err) < 0)
		return -1;
	return timer_init(&member->supervisor->loop, &worker->timer, on_period, worker, err);
}

static int make_hook(struct member *member, const struct handler *handler, struct task **task,
	void (*done)(struct task *, void *), struct error *err)
{
	if (handler->kind == HANDLER_NONE)
		return 0;
	*task = xcalloc(1, sizeof(**task));
	return task_init(*task, member, done, member, err);
}

int probing_init(struct member *member, struct error *err)
{
	const struct container_spec *spec = member->item->spec;

	if (make_worker(member, PROBE_STARTUP, &spec->startup, err) < 0 ||
		make_worker(member, PROBE_LIVENESS, &spec->liveness, err) < 0 ||
		make_worker(member, PROBE_READINESS, &spec->readiness, err) < 0)
		return -1;
	if (make_hook(member, &spec->post_start, &member->probing.post_start, on_post_start, err) < 0)
		return -1;
	return make_hook(member, &spec->pre_stop, &member->probing.pre_stop, on_pre_stop, err);
}

void probing_close(struct member *member)
{
	struct probing *probing = &member->probing;

	for (int i = 0; i < PROBE_COUNT; i++) {
		struct probe_worker *worker = probing->workers[i];

		if (!worker)
			continue;
		task_close(&worker->task);
		timer_close(&member->supervisor->loop, &worker->timer);
		free(worker);
	}
	if (probing->post_start)
		task_close(probing->post_start);
	if (probing->pre_stop)
		task_close(probing->pre_stop);
	free(probing->post_start);
	free(probing->pre_stop);
	*probing = (struct probing){0};
}

void probing_begin(struct member *member)
{
	member->probing.began = timer_now();
	if (member->probing.post_start)
		task_start(member->probing.post_start, &member->item->spec->post_start, HOOK_LIMIT);
	else
		begin_probes(member);
}

static void stop_worker(struct probe_worker *worker)
{
	if (!worker)
		return;
	timer_disarm(&worker->timer);
	task_cancel(&worker->task);
}

void probing_stopping(struct member *member)
{
	stop_worker(worker_of(member, PROBE_STARTUP));
	stop_worker(worker_of(member, PROBE_LIVENESS));
	if (member->probing.post_start)
		task_cancel(member->probing.post_start);
	member->probing.waits = false;
}

void probing_end(struct member *member)
{
	probing_stopping(member);
	stop_worker(worker_of(member, PROBE_READINESS));
	if (member->probing.pre_stop)
		task_cancel(member->probing.pre_stop);
}

void probing_retry(struct member *member)
{
	for (int i = 0; i < PROBE_COUNT; i++)
		if (member->probing.workers[i])
			task_retry(&member->probing.workers[i]->task);
	if (member->probing.post_start)
		task_retry(member->probing.post_start);
	if (member->probing.pre_stop)
		task_retry(member->probing.pre_stop);
}
