/*
 * The log of one run of a container, in CRI's format: a line is "TIME STREAM TAG TEXT", TAG F for a line and P for a piece of
 * one that goes on. LOGS/CONTAINER/RUN.log, and when that has 10 MiB RUN.log.1 (the newest of the older ones) to RUN.log.4:
 * five files, as the kubelet's containerLogMaxSize and containerLogMaxFiles. Of the runs before only the last one's are kept.
 */
#ifndef RUNNER_LOGFILE_H
#define RUNNER_LOGFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

#define LOGS_NAME  "logs"
#define LOG_LIMIT  ((off_t)10 << 20) /* bytes */
#define LOG_FILES  5
#define LOG_PIECES 16384 /* bytes of the longest TEXT */

struct logfile {
	int folder; /* of the container; -1: nothing is logged */
	int fd;
	unsigned int run;
	off_t size;
};

/* Starts the log of a run below dirfd (the folder LOGS), and removes those of the run before the last. */
int logfile_open(struct logfile *log, int dirfd, const char *container, unsigned int run, struct error *err);
void logfile_close(struct logfile *log);

/*
 * Writes what the container wrote to a stream (1 or 2): whole lines, and, if the text is longer than LOG_PIECES or at the
 * stream's end, what is left as a piece. Returns how many bytes were taken; the rest is the beginning of a line.
 */
size_t logfile_write(struct logfile *log, int stream, const char *text, size_t size, bool end);

#endif
