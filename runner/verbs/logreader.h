/* Reading the log of a run (logfile.h), through its rotations, as it grows. */
#ifndef RUNNER_LOGREADER_H
#define RUNNER_LOGREADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/error.h"

struct logreader {
	int folder; /* of the container's logs */
	unsigned int run;
	int age; /* of the file that is read; 0: the one that grows */
	int fd;
	char *buffer;
	size_t used;
	int64_t skip; /* lines that are not to be shown */
	const char *since; /* a time as in the log: what is older is not shown; or NULL */
	bool timestamps;
	const char *prefix; /* before each line; or NULL */
	bool middle; /* of a line */
	unsigned int gaps; /* how often what was to be read next had been rotated away */
};

/* Opens the log of a run below the folder, from its oldest file on. tail: the last lines only, -1 for all. */
int logreader_open(struct logreader *reader, int folder, unsigned int run, int64_t tail, struct error *err);
void logreader_close(struct logreader *reader);

/* Prints what is there by now. Returns whether there was a line. reader->gaps counts what it came too late for. */
bool logreader_print(struct logreader *reader, FILE *out);

#endif
