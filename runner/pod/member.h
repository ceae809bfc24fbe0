/* A container of a running pod: its launch, its output, its end. */
#ifndef RUNNER_MEMBER_H
#define RUNNER_MEMBER_H

#include <time.h>

#include "runner/pod/attach.h"
#include "runner/pod/denials.h"
#include "runner/pod/device_watch.h"
#include "runner/pod/launch.h"
#include "runner/pod/loop.h"
#include "runner/pod/probing.h"
#include "runner/pod/pulling.h"
#include "runner/pod/realise.h"
#include "runner/pod/status.h"
#include "runner/pod/stdio.h"
#include "runner/pod/stream.h"
#include "runner/pod/timer.h"

enum member_phase {
	MEMBER_WAITING,
	MEMBER_PULLING, /* its image is on its way, or can't be had now: pulling.h */
	MEMBER_STARTING, /* its process is on the way to execve */
	MEMBER_RUNNING,
	MEMBER_BACKOFF, /* it has ended, and will be started again */
	MEMBER_ENDED,
};

/* How far its stopping has come; see stopping.c. */
enum stop_step {
	STOP_NO,
	STOP_HOOK, /* its preStop hook runs */
	STOP_WAITS, /* to be stopped: when its program runs, when it is its turn */
	STOP_SIGNALLED,
	STOP_KILLED,
};

struct supervisor;

struct member {
	struct supervisor *supervisor;
	const struct planned *item;
	struct prepared prepared;
	struct cgroup cgroup;
	struct device *devices; /* that the manifest mounts by their own names */
	size_t n_devices;
	struct launched launched;
	enum member_phase phase;
	bool held; /* its process has ended, but another one traces it and doesn't let go */
	bool exited; /* the process has; its streams may still hold something */
	struct stream streams[2]; /* of a container with a terminal only the first is used */
	struct stdio stdio;
	struct attachment *attachments; /* who reads its output besides; a list */
	struct logfile log; /* in the background */
	char tail[STREAM_TAIL + 1]; /* of what it wrote, for terminationMessagePolicy */
	struct watch notice, exit;
	struct denials denials;
	struct device_watch devices_watch;
	struct timespec started;
	bool was_started; /* once at least, so that what comes after it in the manifest may start */
	unsigned int restarts;
	bool must_restart; /* a probe ended it: unless the policy is Never it is started again however it exits */
	struct container_status status;
	struct probing probing;
	struct pulling pulling;
	int64_t backoff; /* seconds to wait before the next restart; 0: none, it is the first */
	int64_t backoff_set; /* when that was counted from; timer_now */
	int64_t ended_at; /* timer_now */
	struct timer timer; /* to be started again; to be killed */
	enum stop_step stop;
	int64_t stop_by; /* when its grace period is over; timer_now */
	int exit_code; /* 128+n for signal n */
	int signal;
	bool out_of_memory; /* the out-of-memory killer was in its cgroup */
	const char *reason; /* "Completed", "Error", "OOMKilled", "StartError" */
	bool failed;
	char *cause; /* what failed, for the pod's last line; NULL if nothing did */
};

void member_init(
	struct member *member, struct supervisor *supervisor, const struct planned *item, unsigned int index);

/* Starts it, as soon as its image is there. */
void member_start(struct member *member);

/*
 * Its image is there: makes its mounts and starts its process, each time in a fresh rootfs. An error is the container's failure: it is reported,
 * and the member has ended.
 */
void member_launch(struct member *member);

/* Whether it is an init container with restartPolicy Always. */
bool member_is_sidecar(const struct member *member);

/*
 * Sends a signal to its process, if it has one that runs. Returns 0 or a negative errno: -EACCES where its AppArmor profile lets
 * nobody signal it. SIGKILL arrives all the same, if need be with the whole pod.
 */
int member_signal(const struct member *member, int signal);

/* If it is held: looks again. To be called when SIGCHLD came, and when the pod is killed. */
void member_retry(struct member *member);

/* Kills its process, if there is one, and waits for its end. */
void member_kill(const struct member *member);

/* Its process is gone: lets go of all that it ran with. What is known of it stays until member_close. */
void member_stop_all(struct member *member);
void member_close(struct member *member);

#endif
