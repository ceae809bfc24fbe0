/*
 * The supervisor's side of one `minirun exec` or `minirun attach`: a connection (control.c), and the process that it asked for or
 * the container that it is attached to.
 */
#ifndef RUNNER_SESSION_H
#define RUNNER_SESSION_H

#include <json-c/json.h>

#include "runner/pod/supervise.h"

struct session {
	struct session *next;
	struct supervisor *supervisor;
	struct watch connection, notice, exit;
	struct container container;
	struct launched launched;
	struct denials denials;
	struct attachment attachment;
	struct member *input; /* whose standard input it alone has been given, or NULL */
	int stdio[3];
	bool held; /* the process has ended, but another one traces it and doesn't let go */
	bool closing; /* nobody waits for it any more; only its process is still to be reaped */
};

/* Out of the supervisor's list; its process, if there is one, goes on. */
void session_free(struct session *session);

/*
 * Ends the session and whatever still runs for it: nobody is there for its output any more. The process is waited for
 * by the loop: if it weren't reaped, its pid namespace, and so the container, could not end.
 */
void session_close(struct session *session);

/* The last message to the client, which is taken; then the session is closed. */
void session_answer(struct session *session, struct json_object *message);

/* Runs the command of the request. An error is the caller's to answer with. */
int session_launch(struct session *session, struct json_object *request, struct error *err);

/* {"attach": {"stdin": true?}} with two descriptors, for what the container prints. The same. */
int session_attach(struct session *session, struct json_object *request, struct error *err);

/* {"copy": {...}} with two descriptors: see copying.h. The same. */
int session_copy(struct session *session, struct json_object *request, struct error *err);

/* Its process is pidfd's, which is taken unless it fails: the end of that is the session's. */
int session_watch(struct session *session, int pidfd, struct error *err);

/* Looks again for the end of a command that is traced. */
void session_retry(struct session *session);

#endif
