/* What `minirun logs` is asked for. */
#ifndef RUNNER_LOG_REQUEST_H
#define RUNNER_LOG_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "runner/command.h"

struct log_request {
	const char *root, *namespace, *selector;
	const char *pod, *container; /* NULL: those of the selector; the first */
	int64_t tail; /* -1: all */
	char since[48]; /* "": all */
	int64_t most; /* that are followed */
	bool timestamps, previous, follow, prefix, all;
};

/* Reads the command line, which must outlive it; root is the caller's to fill. Errors are of class ERROR_USAGE. */
int log_request_read(const struct invocation *invocation, struct log_request *request, struct error *err);

#endif
