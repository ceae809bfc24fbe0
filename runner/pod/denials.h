/*
 * The refusals of one container, or of one `minirun exec`: what seccomp refuses is taken from its listener and answered, what
 * AppArmor refuses comes from the kernel's audit (audit_watch.h), which devices the cgroup refuses from a program of ours in it
 * (device_watch.h); all are told once, and counted.
 *
 * One call is handled for each event of the loop, so that a program that makes a million of them can't keep it from
 * anything else. What is remembered of them has an upper bound: DENIALS_KINDS kinds, of which a program's same call with
 * other arguments makes at most DENIALS_VARIANTS; what comes beyond is only counted.
 */
#ifndef RUNNER_DENIALS_H
#define RUNNER_DENIALS_H

#include <json-c/json.h>

#include "runner/pod/loop.h"
#include "runner/plan/plan.h"
#include "runner/report.h"

struct learning;
struct recording;

#define DENIALS_KINDS    256
#define DENIALS_VARIANTS 8

enum denial_lock {
	LOCK_SECCOMP,
	LOCK_APPARMOR,
	LOCK_CGROUP, /* its devices */
};

struct denial_kind {
	uint32_t hash; /* of program and what */
	enum denial_lock lock;
	bool would_be; /* denied, were the profile not in complain mode */
	char *program; /* the thread's name */
	char *name; /* of the call, or the operation: AppArmor's, "open" or "mknod" of a device */
	char *what; /* "mkdir(\"/x\", 0777) = EPERM" */
	uint64_t count;
};

struct denials {
	struct loop *loop;
	struct report *report;
	const char *pod, *container;
	const struct planned_profile *profile; /* NULL: nothing is refused */
	struct recording *recording; /* of `minirun learn`, which gets all calls; or NULL */
	const struct learning *learning; /* likewise */
	struct watch watch; /* the listener */
	pid_t main; /* the container's first process, as we see it */
	bool main_killed; /* by us, by SIGKILL, where the profile says SIGSYS */
	void (*before)(void *data); /* called before a refusal is told, or NULL */
	void (*counted)(void *data); /* called after each refusal, or NULL */
	void (*told)(void *data, const char *line); /* with each kind's first, as it is reported */
	void *data;
	struct denial_kind *kinds; /* DENIALS_KINDS; NULL while there are none */
	size_t n;
	uint64_t total, beyond; /* all refusals; those of no kind that is remembered */
	uint64_t would_be; /* what complain mode let through; not in total */
	uint64_t lost; /* devices that were refused faster than we read; in total */
	char *last; /* "seccomp denied mkdir(\"/x\", 0777)": the last refusal that isn't ENOSYS */
	char *last_enosys;
	pid_t process; /* the container's first, while it lives: what audit_watch.c knows its processes by; 0: none */
	uint64_t mount_namespace; /* its inode */
};

/* The container has a process: from now on what AppArmor refuses in its mount namespace is its own. */
void denials_of_process(struct denials *denials, pid_t process);

/* Watches the listener fd, which it owns from then on. */
int denials_listen(struct denials *denials, int fd, pid_t main, struct error *err);

/* What was refused last; NULL if nothing was. */
const char *denials_last(const struct denials *denials);

/* The end of a container as the last line tells it: "exit 1, after seccomp denied mkdir(...)". A fresh string. */
char *denials_cause(const struct denials *denials, const char *end);

/* One refusal, for denials_count. */
struct denial_note {
	enum denial_lock lock;
	bool would_be;
	const char *program, *name, *what; /* as in struct denial_kind */
	const char *others; /* what stands for ever new ones: "mkdir(...) with other arguments" */
};

/* Counts a refusal, and returns its kind if it is the first of it. For those who tell it: denials.c, denials_apparmor.c. */
const struct denial_kind *denials_count(struct denials *denials, const struct denial_note *note);
/* Remembers what was refused last, "seccomp denied x"; minor: a refusal that programs are used to (ENOSYS). */
void denials_remember(struct denials *denials, bool minor, const char *text);
/* Its number in its own pid namespace; 0 if that can't be told. */
int denials_inner_pid(pid_t pid);
/* denials_apparmor.c: "sh, pid 7", or "sh, pid 71 of the machine" if inner is 0; note: more to be said of it, or NULL. A fresh string. */
char *denials_process(const char *program, int inner, pid_t pid, const char *note);

struct apparmor_record;

/* denials_apparmor.c: counts what AppArmor refused, and tells it if it is new. note: what is to be said of the process, or NULL. */
void denials_add_record(struct denials *denials, const struct apparmor_record *record, const char *note);

struct device_refusal;

/* denials_devices.c: counts a device that the container was refused by its cgroup, and tells it if it is new. */
void denials_add_device(struct denials *denials, const struct device_refusal *refusal);
/* denials_devices.c: counts those of which no more is known. */
void denials_add_lost(struct denials *denials, uint64_t n);

/*
 * denials_summary.c: {"denied": [{"call": "mkdir", "text": "mkdir(\"/x\", 0777) = EPERM", "program": "sh", "count": 2}, ...], "total": N,
 * "others": how many are of kinds that aren't remembered, "lost": of which nothing is known}. To be put.
 */
struct json_object *denials_json(const struct denials *denials);

/* denials_summary.c: tells what happened more than once, and how much there was in all. */
void denials_summarise(struct denials *denials);

/* The container is started once more: what was refused last is of another run; the kinds go on being counted. */
void denials_restart(struct denials *denials);

void denials_close(struct denials *denials);

#endif
