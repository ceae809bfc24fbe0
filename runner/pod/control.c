/* The control socket, and the sessions that come by it. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/pod/connector.h"
#include "runner/pod/session.h"
#include "runner/pod/wire.h"

#define MAX_SESSIONS 64 /* each holds a few descriptors of the supervisor */
#define SPARE \
	16 /* connections beside: who asks for one more is told, and delete and top are always answered */

static size_t count_sessions(const struct supervisor *supervisor)
{
	size_t n = 0;

	for (const struct session *session = supervisor->sessions; session; session = session->next)
		n++;
	return n;
}

/* {"delete": {"gracePeriodSeconds": N}}; without N, the pod's own. Answered at once: that it is gone shows on disk. */
static void take_deletion(struct session *session, struct json_object *options)
{
	struct supervisor *supervisor = session->supervisor;
	struct json_object *grace = json_object_object_get(options, "gracePeriodSeconds");
	int64_t seconds = grace ? json_object_get_int64(grace)
				: (int64_t)supervisor->plan->pod->termination_grace_period;
	struct json_object *message = json_object_new_object();

	json_object_object_add(message, "exitCode", json_object_new_int(0));
	session_answer(session, message);
	supervisor_delete(supervisor, seconds < 0 || seconds > INT_MAX ? 0 : (unsigned int)seconds);
}

/* {"portForward": {}}: answered with a channel to a process in the pod's network, which lives as long as the connection. */
static int session_forward(struct session *session, struct error *err)
{
	struct supervisor *supervisor = session->supervisor;
	const char *phase = status_phase(supervisor);
	cleanup_fd int channel = -1;
	int pidfd;

	/* kubectl's words. */
	if (strcmp(phase, "Running") != 0 || supervisor->sandbox.pidfd < 0)
		return error_set(err, ERROR_HOST, 0,
			"unable to forward port because pod is not running. Current status=%s", phase);
	if (connector_start(&supervisor->sandbox, &channel, &pidfd, err) < 0)
		return -1;
	if (session_watch(session, pidfd, err) < 0) {
		session->launched.pidfd = pidfd;
		return -1;
	}
	return wire_send(session->connection.fd, json_object_new_object(), &channel, 1, err);
}

static int begin(struct session *session, struct json_object *request, struct error *err)
{
	if (count_sessions(session->supervisor) > MAX_SESSIONS)
		return error_set(err, ERROR_HOST, 0,
			"%d commands (exec, attach, cp, port-forward) are at pod \"%s\": there can't be more",
			MAX_SESSIONS, session->supervisor->plan->pod->name);
	if (json_object_object_get(request, "portForward"))
		return session_forward(session, err);
	if (json_object_object_get(request, "copy"))
		return session_copy(session, request, err);
	if (json_object_object_get(request, "attach"))
		return session_attach(session, request, err);
	return session_launch(session, request, err);
}

/* Something came on a session's connection: its one request, or, after that, its end. */
static void on_connection(struct watch *watch, void *data)
{
	struct session *session = data;
	struct error err = {0};
	struct json_object *request;
	int fds[3];
	int result;

	request = wire_receive(watch->fd, fds, array_length(fds), &err);
	if (!request || session->launched.page || session->exit.fd >= 0 || session->attachment.member) {
		json_object_put(request);
		for (size_t i = 0; request && i < array_length(fds); i++)
			if (fds[i] >= 0)
				close(fds[i]);
		session_close(session);
		return;
	}
	/* stdin may be left out: then there are two. */
	session->stdio[0] = fds[2] >= 0 ? fds[0] : -1;
	session->stdio[1] = fds[2] >= 0 ? fds[1] : fds[0];
	session->stdio[2] = fds[2] >= 0 ? fds[2] : fds[1];
	if (json_object_object_get(request, "delete")) {
		take_deletion(session, json_object_object_get(request, "delete"));
		json_object_put(request);
		return;
	}
	if (json_object_object_get(request, "top")) {
		json_object_put(request);
		session_answer(session, metering_json(session->supervisor));
		return;
	}
	result = begin(session, request, &err);
	json_object_put(request);
	if (result < 0)
		session_answer(session, wire_error(&err));
}

/* The folder is ours alone; this is the second line. In a user namespace we are 0, and so is who started us. */
static bool is_allowed(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

static void on_control(struct watch *watch, void *data)
{
	struct supervisor *supervisor = data;
	struct session *session;
	struct error ignored;
	int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (!is_allowed(fd) || count_sessions(supervisor) >= MAX_SESSIONS + SPARE) {
		close(fd);
		return;
	}
	session = xcalloc(1, sizeof(*session));
	*session = (struct session){
		.next = supervisor->sessions,
		.supervisor = supervisor,
		.notice.fd = -1,
		.exit.fd = -1,
		.launched = {.pidfd = -1, .notice = -1, .terminal = -1},
		.denials.watch.fd = -1,
		.stdio = {-1, -1, -1},
	};
	supervisor->sessions = session;
	if (loop_add(&supervisor->loop, &session->connection, fd, on_connection, session, &ignored) < 0) {
		close(fd);
		session_close(session);
	}
}

int control_open(struct supervisor *supervisor, struct error *err)
{
	int fd = wire_listen(supervisor->state->run, CONTROL_NAME, err);

	if (fd < 0)
		return -1;
	return loop_add(&supervisor->loop, &supervisor->control, fd, on_control, supervisor, err);
}

void control_retry(struct supervisor *supervisor)
{
	struct session *next;

	for (struct session *session = supervisor->sessions; session; session = next) {
		next = session->next;
		session_retry(session);
	}
}

void control_end_sessions(struct supervisor *supervisor)
{
	struct session *next;

	/* Their processes are reaped with the containers' own. */
	for (struct session *session = supervisor->sessions; session; session = next) {
		next = session->next;
		if (session->exit.fd >= 0)
			pidfd_send_signal(session->exit.fd, SIGKILL, NULL, 0);
		else if (session->launched.pidfd >= 0)
			pidfd_send_signal(session->launched.pidfd, SIGKILL, NULL, 0);
		session_free(session);
	}
}

void control_close(struct supervisor *supervisor)
{
	control_end_sessions(supervisor);
	loop_remove(&supervisor->loop, &supervisor->control);
}
