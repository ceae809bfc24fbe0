/* How far a load or a pull is: bars on a terminal, plain lines elsewhere. On standard error. */
#ifndef RUNNER_PROGRESS_H
#define RUNNER_PROGRESS_H

#include <stdbool.h>
#include <time.h>

#include "images/images.h"

struct progress_bar;

struct progress {
	const char *name; /* of the image */
	bool is_quiet; /* nothing, warnings neither */
	bool is_plain; /* standard error is no terminal */
	struct progress_bar *bars; /* a layer each, or one for all */
	size_t n;
	size_t shown; /* lines of ours on the terminal, above the cursor */
	unsigned int width; /* which they were made for */
};

/* wanted: it is to be shown at all, on a terminal as bars. */
void progress_init(struct progress *progress, const char *name, bool wanted);

/* For a struct load_watcher, whose data is the struct progress. */
void progress_warn(void *data, const char *line);
void progress_show(void *data, const struct load_progress *now);

/* Takes the bars off the terminal. */
void progress_end(struct progress *progress);

#endif
