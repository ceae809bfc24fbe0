/*
 * The image of a container as it is started: whether it is there, may be used, or has to come from its registry first.
 *
 * As the kubelet's image manager (pkg/kubelet/images/image_manager.go) sees to it before each start, restarts too: what is pulled
 * is pulled by a process of its own, and the loop goes on. A registry that failed isn't asked for the same image again for 10 s,
 * doubled each time up to 300 s; until then the container waits as ErrImagePull, then ImagePullBackOff. What has nothing to do
 * with a registry (ErrImageNeverPull, InvalidImageName) is looked at again every 10 s.
 */
#ifndef RUNNER_PULLING_H
#define RUNNER_PULLING_H

#include <stdbool.h>
#include <stdint.h>

#include "runner/pod/loop.h"
#include "runner/pod/worker.h"

struct member;

struct pulling {
	struct worker worker;
	struct watch exit; /* of the worker */
	int64_t began; /* timer_now */
	/* Of the image, kept by the first container that has it. */
	int64_t backoff; /* seconds; 0: its registry hasn't failed */
	int64_t failed_at; /* timer_now */
	char *cause;
};
#define PULLING_NONE                              \
	{                                         \
		.worker.pidfd = -1, .exit.fd = -1 \
	}

/*
 * Sees to the image of a container that is to be started. True: it is there, and item->image is what the store has now. False:
 * the container waits (MEMBER_PULLING), and is launched (member_launch) or tried again (its timer) in time.
 */
bool pulling_begin(struct member *member);

/* Whether it is being fetched just now. */
bool pulling_is_running(const struct member *member);

/* Ends the fetching, if there is any. */
void pulling_cancel(struct member *member);
void pulling_close(struct member *member);

#endif
