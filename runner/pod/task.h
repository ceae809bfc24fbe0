/*
 * What a probe or a hook does, as it is done: a command in a container, a request to it, a pause.
 *
 * A command is run as `minirun exec` runs one: in the container's namespaces, under its locks. A request is made by a process
 * of our own in the pod's network (prober.h). Neither keeps the loop waiting. One whose time is over is killed.
 */
#ifndef RUNNER_TASK_H
#define RUNNER_TASK_H

#include "runner/pod/denials.h"
#include "runner/pod/launch.h"
#include "runner/manifest/manifest.h"
#include "runner/pod/timer.h"

#define TASK_TEXT 1024 /* bytes of output that are kept */

struct member;

enum task_result {
	TASK_SUCCESS,
	TASK_FAILURE, /* the command failed, the answer was no good, or its time was over */
	TASK_ERROR, /* it could not be done at all */
};

struct task {
	struct member *member;
	void (*done)(struct task *task, void *data);
	void *data;
	const struct handler *handler;
	bool running; /* done has not been called yet */
	bool dying; /* it was cancelled, or is done; its process is still to be reaped */
	enum task_result result;
	char text[TASK_TEXT + 1]; /* what the command printed, or what was wrong */
	size_t used;
	int64_t milliseconds; /* its time limit, scaled */
	int64_t seconds; /* the same for messages */
	struct timer timer;
	struct watch notice, exit, output;
	struct container container;
	struct launched launched;
	struct denials denials;
	bool held; /* its process has ended, but another one traces it and doesn't let go */
};

/* done(task, data) is called once for each task_start, unless it is cancelled; it may start the task again. */
int task_init(struct task *task, struct member *member, void (*done)(struct task *task, void *data),
	void *data, struct error *err);

/* limit: seconds of the manifest. Does nothing but fail if the process of the last time is still not gone. */
void task_start(struct task *task, const struct handler *handler, int64_t limit);

/* Ends it without calling done. */
void task_cancel(struct task *task);

/* Looks again for its end, which a tracer may have held back. */
void task_retry(struct task *task);

/* Ends it for good; its process is reaped with those of the container. */
void task_close(struct task *task);

#endif
