/* The status of a pod: keeping it, and writing it down. Theory of operation: status.h. */
#include "runner/pod/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/pod/supervise.h"

#define INTERVAL    20 /* ms between two writes */
#define COUNTED     300 /* ms until counts are written: a program may be refused something all the time */
#define START_ERROR 128

static void write_down(struct supervisor *supervisor)
{
	struct status *status = &supervisor->status;
	struct json_object *object = status_json(supervisor);
	struct error ignored;
	size_t size;
	const char *text = json_object_to_json_string_length(
		object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &size);

	/* A full disk is no reason to end the pod; what is there stays as it was. */
	file_replace(supervisor->state->run, STATUS_NAME, 0600, text, size, &ignored);
	json_object_put(object);
	status->dirty = false;
	status->counted = false;
	status->written = timer_now();
}

static void on_timer(void *data)
{
	status_flush(data);
}

void status_flush(struct supervisor *supervisor)
{
	timer_disarm(&supervisor->status.timer);
	if ((supervisor->status.dirty || supervisor->status.counted) && supervisor->state->run >= 0)
		write_down(supervisor);
}

void status_changed(struct supervisor *supervisor)
{
	struct status *status = &supervisor->status;
	int64_t due;

	if (status->dirty || status->timer.watch.fd < 0)
		return;
	status->dirty = true;
	/* Not at once even if it may: more is likely to happen in the same turn of the loop. */
	due = status->written + INTERVAL - timer_now();
	timer_arm(&status->timer, due < 1 ? 1 : due);
}

void status_counted(struct supervisor *supervisor)
{
	struct status *status = &supervisor->status;

	if (status->dirty || status->counted || status->timer.watch.fd < 0)
		return;
	status->counted = true;
	timer_arm(&status->timer, COUNTED);
}

int status_open(struct supervisor *supervisor, const char *manifest, struct error *err)
{
	struct status *status = &supervisor->status;

	if (file_replace(supervisor->state->run, MANIFEST_NAME, 0600, manifest, strlen(manifest), err) < 0 ||
		timer_init(&supervisor->loop, &status->timer, on_timer, supervisor, err) < 0)
		return -1;
	status->created = time(NULL);
	for (size_t i = 0; i < array_length(status->since); i++)
		status->since[i] = status->created;
	status->dirty = true;
	status_flush(supervisor);
	return 0;
}

static void free_run(struct run_state *run)
{
	free(run->message);
	*run = (struct run_state){0};
}

void status_close(struct supervisor *supervisor)
{
	struct status *status = &supervisor->status;

	timer_close(&supervisor->loop, &status->timer);
	for (size_t i = 0; i < status->n_events; i++)
		free(status->events[i].message);
	free(status->events);
	status->events = NULL;
	status->n_events = 0;
	for (size_t i = 0; i < supervisor->plan->n; i++) {
		free_run(&supervisor->members[i].status.state);
		free_run(&supervisor->members[i].status.last);
	}
}

static struct pod_event *find_event(
	struct status *status, const struct member *member, const char *reason, const char *message)
{
	for (size_t i = status->n_events; i-- > 0;) {
		struct pod_event *event = &status->events[i];

		if (event->member == member && !strcmp(event->reason, reason) &&
			!strcmp(event->message, message))
			return event;
	}
	return NULL;
}

static struct pod_event *add_event(struct status *status)
{
	if (!status->events)
		status->events = xcalloc(STATUS_EVENTS, sizeof(*status->events));
	if (status->n_events == STATUS_EVENTS) {
		free(status->events[0].message);
		memmove(status->events, status->events + 1, (STATUS_EVENTS - 1) * sizeof(*status->events));
		status->n_events--;
	}
	return &status->events[status->n_events++];
}

void status_event(struct supervisor *supervisor, const struct member *member, bool warning,
	const char *reason, const char *format, ...)
{
	struct status *status = &supervisor->status;
	cleanup_free char *text = NULL;
	cleanup_free char *message = NULL;
	struct pod_event *event;
	time_t now = time(NULL);
	size_t size;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = xstrdup("out of memory");
	va_end(args);
	size = strnlen(text, 1024); /* as the API server cuts it */
	/* What a probe's command has printed ends with one; kubectl shows none either. */
	while (size && text[size - 1] == '\n')
		size--;
	message = text_printable(text, size);
	event = find_event(status, member, reason, message);
	if (!event) {
		event = add_event(status);
		*event = (struct pod_event){warning, reason, steal_pointer(&message), member, 0, now, now};
	}
	event->count++;
	event->last = now;
	status_changed(supervisor);
}

/* A container's last words may be any bytes. */
static char *copy_message(const char *message)
{
	return message ? text_utf8(message, strlen(message), NULL) : NULL;
}

static void make_id(char id[CONTAINER_ID_NO + 1])
{
	unsigned char bytes[CONTAINER_ID_NO / 2] = {0};

	getrandom(bytes, sizeof(bytes), 0);
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(id + 2 * i, 3, "%02x", bytes[i]);
}

/* What has ended becomes the last state. */
static void move_on(struct container_status *status)
{
	if (status->state.kind == RUN_TERMINATED) {
		free_run(&status->last);
		status->last = status->state;
	} else {
		free(status->state.message);
	}
	status->state = (struct run_state){0};
}

void status_new_run(struct member *member)
{
	/* Until it runs, what is shown is how the run before ended, as with the kubelet. */
	make_id(member->status.id);
	member->status.started = member->status.ready = false;
	status_changed(member->supervisor);
}

void status_started(struct member *member)
{
	move_on(&member->status);
	member->status.state = (struct run_state){.kind = RUN_RUNNING, .started = time(NULL)};
	status_changed(member->supervisor);
}

void status_terminated(struct member *member, const char *reason, const char *message)
{
	struct run_state *state = &member->status.state;
	time_t now = time(NULL);
	time_t started = state->kind == RUN_RUNNING ? state->started : now;

	move_on(&member->status);
	*state = (struct run_state){
		.kind = RUN_TERMINATED,
		.reason = reason,
		.message = copy_message(message),
		.started = started,
		.finished = now,
		.exit_code = member->exit_code,
		.signal = member->signal,
	};
	memcpy(state->id, member->status.id, sizeof(state->id));
	member->status.started = member->status.ready = false;
	status_changed(member->supervisor);
}

void status_start_failed(struct member *member, const char *message)
{
	status_terminated(member, "StartError", message);
	member->status.state.exit_code = START_ERROR;
	member->status.state.signal = 0;
}

void status_waiting(struct member *member, const char *reason, const char *message)
{
	move_on(&member->status);
	member->status.state =
		(struct run_state){.kind = RUN_WAITING, .reason = reason, .message = copy_message(message)};
	status_changed(member->supervisor);
}
