/*
 * The status of a pod: what `get`, `describe`, `logs` and `wait` know of it.
 *
 * The supervisor keeps it in memory, in its members and in struct status, and writes it down on each change, at most fifty
 * times a second. A reader never sees half of it: the file is replaced (base/fd.h). Format of ROOT/NAME:
 *
 *   (flock)        the supervisor holds the folder's lock as long as it lives
 *   manifest.json  the v1 Pod as it was applied, with defaults, without status
 *   status.json    {"metadata": what the API server would add: uid, creationTimestamp, deletionTimestamp, ...,
 *                   "status": a v1 PodStatus, "events": [v1 Event], "denials": {CONTAINER: see denials_json},
 *                   "supervisor": {"pid": N, "background": BOOL}}
 *   control        the socket that takes requests (wire.h)
 *   data           a link to STORE/pods/NAME-UID; below it logs/CONTAINER/RUN.log, RUN.log.1, ... (logfile.h)
 *
 * runner/verbs/catalog.h reads it. Phases, conditions and states are those of the kubelet (pkg/kubelet/kubelet_pods.go getPhase,
 * pkg/kubelet/status/generate.go).
 */
#ifndef RUNNER_STATUS_H
#define RUNNER_STATUS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <time.h>

#include "runner/pod/timer.h"

#define STATUS_NAME     "status.json"
#define MANIFEST_NAME   "manifest.json"
#define DATA_NAME       "data"
#define STATUS_EVENTS   128 /* the oldest go */
#define CONTAINER_ID_NO 64 /* hexadecimal digits */

struct supervisor;
struct member;

enum run_kind {
	RUN_WAITING,
	RUN_RUNNING,
	RUN_TERMINATED,
};

/* state or lastState of a container. */
struct run_state {
	enum run_kind kind;
	const char *
		reason; /* "CrashLoopBackOff", "Completed", ...; NULL while waiting: what the kubelet would say */
	char *message; /* or NULL */
	time_t started, finished;
	int exit_code; /* 128+n for signal n */
	int signal;
	char id[CONTAINER_ID_NO + 1]; /* of the run that has ended */
};

struct container_status {
	struct run_state state, last; /* last.kind is RUN_TERMINATED or, if it never ended, RUN_WAITING */
	bool started, ready;
	char id[CONTAINER_ID_NO + 1]; /* of the present run, or the last; "" before the first */
};

struct pod_event {
	bool warning;
	const char *reason; /* a constant */
	char *message;
	const struct member *member; /* NULL: the pod */
	unsigned int count;
	time_t first, last;
};

enum condition {
	CONDITION_SANDBOX, /* PodReadyToStartContainers */
	CONDITION_INITIALIZED,
	CONDITION_READY,
	CONDITION_CONTAINERS_READY,
	CONDITION_SCHEDULED,
	CONDITION_COUNT,
};

struct status {
	struct pod_event *events;
	size_t n_events;
	bool was[CONDITION_COUNT]; /* as last written, and since when */
	time_t since[CONDITION_COUNT];
	time_t created; /* the pod */
	time_t deleted; /* when its deletion was asked for; 0: not */
	unsigned int deletion_grace;
	const char *reason; /* of the pod: "Evicted", "DeadlineExceeded"; NULL */
	const char *message;
	bool sandboxed; /* the pod's sandbox is ready */
	bool dirty, counted;
	int64_t written; /* timer_now */
	struct timer timer;
};

/* To be called once the state folder is there; writes the manifest (a JSON text) and the first status. */
int status_open(struct supervisor *supervisor, const char *manifest, struct error *err);
void status_close(struct supervisor *supervisor);

/* Something that the status shows has changed: it is written soon. */
void status_changed(struct supervisor *supervisor);
/* So has what is only counted, and may go on changing all the time: it is written a little later. */
void status_counted(struct supervisor *supervisor);
/* Writes it now, if it has changed. */
void status_flush(struct supervisor *supervisor);

/* Tells an event of a container, or of the pod (NULL). The same one again is counted. */
void status_event(struct supervisor *supervisor, const struct member *member, bool warning,
	const char *reason, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The steps of a container's life. */
void status_started(struct member *member);
void status_terminated(struct member *member, const char *reason, const char *message);
/* The program could not be run: as containerd has it, StartError with 128, whatever minirun exits with. */
void status_start_failed(struct member *member, const char *message);
void status_waiting(struct member *member, const char *reason, const char *message);
void status_new_run(struct member *member);

/* status_json.c: the whole file. To be put. */
struct json_object *status_json(struct supervisor *supervisor);
/* conditions.c: "Pending", "Running", "Succeeded", "Failed". */
const char *status_phase(const struct supervisor *supervisor);
/* conditions.c: whether the condition holds. */
bool status_condition(const struct supervisor *supervisor, enum condition condition);
/* conditions.c: all of them, as v1 has them, with the reason of those that don't hold; notes when one has changed. To be put. */
struct json_object *status_conditions(struct supervisor *supervisor);
/* conditions.c: of an init container, whether it has done its work, or as a sidecar has started. */
bool status_is_initialized(const struct member *member);

/* "2026-11-24T12:00:00Z" */
struct json_object *status_time(time_t time);

#endif
