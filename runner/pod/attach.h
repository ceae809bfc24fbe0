/*
 * The readers of a container's output besides its log or the report: `minirun attach`, and the terminal that `minirun FILE`
 * was started from.
 *
 * Theory of operation
 *
 * Each reader has a pipe for each stream. What it doesn't take at once is queued here; a reader that is behind by more than
 * ATTACH_BEHIND bytes makes the container's streams wait, as a pipe would, so that nobody misses a byte. But a reader that has
 * taken nothing at all for ATTACH_PATIENCE seconds is let go, and is told so: no container stands still for one that is stuck.
 */
#ifndef RUNNER_ATTACH_H
#define RUNNER_ATTACH_H

#include <stddef.h>

#include "runner/pod/loop.h"
#include "runner/pod/timer.h"

#define ATTACH_BEHIND   ((size_t)64 * 1024) /* bytes */
#define ATTACH_PATIENCE 5 /* seconds */

struct attachment;
struct member;

/* One of its pipes. */
struct outlet {
	struct attachment *attachment;
	struct watch watch;
	char *data;
	size_t used, room;
};

struct attachment {
	struct attachment *next;
	struct member *member; /* NULL: it isn't attached */
	struct outlet outlets[2]; /* of standard output and error; watch.fd is -1 where there is none */
	struct timer timer;
	bool patient; /* it is never let go */
	bool *broken; /* is set when it closes a pipe; may be NULL */
	bool ending; /* the container has ended; what is queued is still to be taken */
	void (*done)(struct attachment *attachment, bool stuck, void *data);
	void *data;
};

/*
 * Attaches a reader, from the next output on. fds (one may be -1) become the attachment's. done(attachment, stuck, data) is
 * called, once, when the container has ended and all is taken, or the reader is let go; it is detached by then.
 */
int attach_start(struct attachment *attachment, struct member *member, const int fds[2],
	void (*done)(struct attachment *, bool stuck, void *), void *data, struct error *err);

/* Detaches without calling done. One that isn't attached is left alone. */
void attach_stop(struct attachment *attachment);

/* Waits until all that is queued is taken, no longer than that many milliseconds without progress. */
void attach_flush(struct attachment *attachment, int milliseconds);

/* The container wrote that to a stream (1 or 2). */
void attach_write(struct member *member, int number, const char *text, size_t size);

/* The container has ended, and this was all. */
void attach_end(struct member *member);

#endif
