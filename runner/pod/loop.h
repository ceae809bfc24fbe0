/* The one epoll loop of a supervisor. */
#ifndef RUNNER_LOOP_H
#define RUNNER_LOOP_H

#include <stdbool.h>

#include "base/error.h"

/* A descriptor that is waited for. It lies in its owner's struct and must stay there while it is in the loop. */
struct watch {
	int fd; /* -1: not in the loop */
	void (*ready)(struct watch *watch, void *data);
	void *data;
};

struct loop {
	int epoll;
	bool done; /* set it to leave loop_run */
	void (*after)(void *data); /* called after each event, if set */
	void *data;
};

int loop_init(struct loop *loop, struct error *err);
void loop_close(struct loop *loop);

/* Waits for fd to be readable (or at its end); calls ready(watch, data) then. */
int loop_add(struct loop *loop, struct watch *watch, int fd, void (*ready)(struct watch *, void *),
	void *data, struct error *err);

/* Waits for it no more, but keeps it. */
void loop_pause(struct loop *loop, const struct watch *watch);

/* Waits for it to be readable, or writable, or both, or, out of the loop until the next change, for nothing. */
void loop_change(struct loop *loop, struct watch *watch, bool readable, bool writable);

/* Forgets the descriptor and hands it back. */
int loop_take(struct loop *loop, struct watch *watch);

/* Forgets the descriptor and closes it. A watch that isn't in the loop is left alone. */
void loop_remove(struct loop *loop, struct watch *watch);

/*
 * Runs until done is set. Takes one event at a time: what a handler removes can't be among those that are still to come.
 */
int loop_run(struct loop *loop, struct error *err);

#endif
