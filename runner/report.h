/*
 * What a person, or a program with -o json, gets to see of a run.
 *
 * Plain: each line has the container's name (or pod/NAME) before it. What containers write to stdout goes to stdout, what they
 * write to stderr and what minirun has to say goes to stderr, so that `minirun pod.yaml | grep` sees the program alone.
 * JSON: everything is one object a line on stdout.
 */
#ifndef RUNNER_REPORT_H
#define RUNNER_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct json_object;

struct report {
	bool json, quiet;
	bool silent; /* nothing is said at all: in the background */
	bool color_out, color_err; /* by stream: one may be a terminal and the other not */
	int out; /* what standard output is for containers and JSON: 1, or 2 where ours has something else to carry */
	int width; /* of the column of names */
	const char *pod; /* its name, for what containers print; NULL until it is known */
	bool raw; /* our terminal is raw: a line's end has to lead back to its beginning */
	bool broken; /* nobody reads out any more (EPIPE) */
};

enum tone {
	TONE_PLAIN,
	TONE_GOOD,
	TONE_BAD,
	TONE_NOTE,
};

/* One thing that happened. Unset fields are zero. */
struct event {
	const char *type; /* "started", "exited", "warning", "failed", ... */
	const char *container; /* NULL: the pod itself */
	enum tone tone;
	bool important; /* shown with --quiet too */
	bool has_exit;
	int exit_code; /* 128+n for signal n */
	int signal; /* 0: none */
	int64_t microseconds; /* how long it ran; 0: doesn't apply */
	const char *reason; /* "Error", "Completed", "StartError", ... or NULL */
	struct json_object *more; /* an object with further members of the JSON line, or NULL */
};

void report_init(struct report *report, bool json, bool quiet, const char *color);

/* Says the event, with a text of one line. pod is the pod's name. */
void report_event(struct report *report, const char *pod, const struct event *event, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Passes on a piece of what a container wrote: a line without its newline, or, if partial, a piece of a line that was too long
 * to wait for. index chooses the colour. stream is 1 or 2.
 */
void report_output(struct report *report, const char *container, unsigned int index, int stream,
	const char *text, size_t size, bool partial);

#endif
