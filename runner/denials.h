/*
 * The refusals of one container, or of one `minirun exec`: taken from its listener, answered, told once, and counted.
 *
 * One call is handled for each event of the loop, so that a program that makes a million of them can't keep it from
 * anything else. What is remembered of them has an upper bound: DENIALS_KINDS kinds, of which a program's same call with
 * other arguments makes at most DENIALS_VARIANTS; what comes beyond is only counted.
 */
#ifndef RUNNER_DENIALS_H
#define RUNNER_DENIALS_H

#include <json-c/json.h>

#include "runner/loop.h"
#include "runner/plan.h"
#include "runner/report.h"

#define DENIALS_KINDS    256
#define DENIALS_VARIANTS 8

struct denial_kind {
	uint32_t hash; /* of program and what */
	char *program; /* the thread's name */
	char *name; /* of the call */
	char *what; /* "mkdir(\"/x\", 0777) = EPERM" */
	uint64_t count;
};

struct denials {
	struct loop *loop;
	struct report *report;
	const char *pod, *container;
	const struct planned_profile *profile; /* NULL: nothing is refused */
	struct watch watch; /* the listener */
	pid_t main; /* the container's first process, as we see it */
	bool main_killed; /* by us, by SIGKILL, where the profile says SIGSYS */
	void (*before)(void *data); /* called before a refusal is told, or NULL */
	void *data;
	struct denial_kind *kinds; /* DENIALS_KINDS; NULL while there are none */
	size_t n;
	uint64_t total, beyond; /* all calls; those of no kind that is remembered */
	char *last; /* "mkdir(\"/x\", 0777)": the last refusal that isn't ENOSYS */
	char *last_enosys;
};

/* Watches the listener fd, which it owns from then on. */
int denials_listen(struct denials *denials, int fd, pid_t main, struct error *err);

/* What was refused last; NULL if nothing was. */
const char *denials_last(const struct denials *denials);

/* The end of a container as the last line tells it: "exit 1, after seccomp denied mkdir(...)". A fresh string. */
char *denials_cause(const struct denials *denials, const char *end);

/* Tells what happened more than once, and how much there was in all. */
void denials_summarise(struct denials *denials);

/* The container is started once more: what was refused last is of another run; the kinds go on being counted. */
void denials_restart(struct denials *denials);

void denials_close(struct denials *denials);

#endif
