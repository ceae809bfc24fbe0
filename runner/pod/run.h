/* Running the pod of a manifest in the foreground: for `minirun run`, and for `minirun learn`, which has more to do. */
#ifndef RUNNER_RUN_H
#define RUNNER_RUN_H

#include "runner/command.h"
#include "runner/report.h"

struct learning;

/*
 * Reads the manifest that is the one operand, plans, says what is wrong with either, and supervises the pod. learning: what to
 * record and to write, or NULL. Returns the exit status, or a negative number with err filled.
 */
int run_manifest(const struct invocation *invocation, struct report *report, const struct learning *learning,
	struct error *err);

#endif
