/*
 * The probes of a container, and its hooks.
 *
 * Each probe is a worker as in the kubelet (pkg/kubelet/prober/worker.go): it begins after its initial delay, asks once a
 * period, and has a result when so many answers in a row were the same. Until the startup probe has succeeded the others
 * don't begin.
 */
#ifndef RUNNER_PROBING_H
#define RUNNER_PROBING_H

#include "runner/pod/task.h"

enum probe_kind {
	PROBE_STARTUP,
	PROBE_LIVENESS,
	PROBE_READINESS,
	PROBE_COUNT,
};

struct probe_worker {
	enum probe_kind kind;
	const struct probe *probe;
	struct task task;
	struct timer timer;
	bool last; /* the last answer */
	unsigned int run; /* how often it was that */
};

/* What a container has of them; made once, for all of its runs. */
struct probing {
	struct probe_worker *workers[PROBE_COUNT]; /* NULL: no such probe */
	struct task *post_start, *pre_stop; /* NULL: no such hook */
	int64_t began; /* timer_now of the container's start */
	bool waits; /* for the postStart hook, and the next container with it */
};

int probing_init(struct member *member, struct error *err);
void probing_close(struct member *member);

/* Its program runs: runs the postStart hook, then starts the probes. Calls supervisor_member_started when it has started. */
void probing_begin(struct member *member);

/* It is being stopped: only readiness is still asked for. */
void probing_stopping(struct member *member);

/* It has ended. */
void probing_end(struct member *member);

/* Runs the preStop hook with that many seconds, and calls stopping_hook_done. False: there is none. */
bool probing_pre_stop(struct member *member, int64_t limit);

/* A process that has ended was held by a tracer: looks again. */
void probing_retry(struct member *member);

#endif
