/* The supervisor's side of `minirun exec`: the control socket, and the sessions that come by it. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/connector.h"
#include "runner/supervise.h"
#include "runner/wire.h"

#define MAX_SESSIONS 64 /* each holds a few descriptors of the supervisor */

/* One `minirun exec`: a connection, and the process it asked for. */
struct session {
	struct session *next;
	struct supervisor *supervisor;
	struct watch connection, notice, exit;
	struct container container;
	struct launched launched;
	struct denials denials;
	int stdio[3];
	bool held; /* the process has ended, but another one traces it and doesn't let go */
	bool closing; /* nobody waits for it any more; only its process is still to be reaped */
};

static void close_stdio(struct session *session)
{
	for (int i = 0; i < 3; i++) {
		if (session->stdio[i] >= 0)
			close(session->stdio[i]);
		session->stdio[i] = -1;
	}
}

static void session_free(struct session *session)
{
	struct loop *loop = &session->supervisor->loop;
	struct session **link = &session->supervisor->sessions;

	while (*link != session)
		link = &(*link)->next;
	*link = session->next;
	loop_remove(loop, &session->connection);
	loop_remove(loop, &session->notice);
	loop_remove(loop, &session->exit);
	denials_close(&session->denials);
	session->launched.notice = -1; /* the loop closed it */
	launch_close(&session->launched);
	close_stdio(session);
	strv_free(session->container.argv);
	free(session);
}

static void on_session_exit(struct watch *watch, void *data);

/*
 * Ends the session and whatever still runs for it: nobody is there for its output any more. The process is waited for
 * by the loop: if it weren't reaped, its pid namespace, and so the container, could not end.
 */
static void session_close(struct session *session)
{
	struct loop *loop = &session->supervisor->loop;
	struct error ignored;

	loop_remove(loop, &session->connection);
	loop_remove(loop, &session->notice);
	session->launched.notice = -1;
	session->closing = true;
	if (session->exit.fd < 0 && session->launched.pidfd >= 0)
		loop_add(loop, &session->exit, steal_fd(&session->launched.pidfd), on_session_exit, session,
			&ignored);
	if (session->exit.fd < 0)
		session_free(session);
	else
		pidfd_send_signal(session->exit.fd, SIGKILL, NULL, 0);
}

static void answer(struct session *session, struct json_object *message)
{
	struct error ignored;

	wire_send(session->connection.fd, message, NULL, 0, &ignored);
	session_close(session);
}

static void on_session_exit(struct watch *watch, void *data)
{
	struct session *session = data;
	struct json_object *message;
	siginfo_t info;

	if (!launch_reap(watch->fd, &info)) {
		session->held = true;
		loop_pause(&session->supervisor->loop, watch);
		return;
	}
	loop_remove(&session->supervisor->loop, watch);
	if (session->closing) {
		session_free(session);
		return;
	}
	if (info.si_code != CLD_EXITED && info.si_status == SIGKILL && session->denials.main_killed)
		info.si_status = SIGSYS;
	denials_summarise(&session->denials);
	message = json_object_new_object();
	json_object_object_add(message, "exitCode",
		json_object_new_int(info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status));
	answer(session, message);
}

static void on_session_notice(struct watch *watch, void *data)
{
	struct session *session = data;
	struct error err = {0};
	int result;

	if (!supervisor_take_notice(session->supervisor, &session->launched, &session->denials))
		return;
	result = launch_result(&session->container, &session->launched, &err);
	loop_remove(&session->supervisor->loop, watch);
	close_stdio(session);
	if (result < 0) {
		answer(session, wire_error(&err));
		return;
	}
	/* Only now is its end of interest: before, the end of the notice tells more. */
	if (loop_add(&session->supervisor->loop, &session->exit, steal_fd(&session->launched.pidfd),
		    on_session_exit, session, &err) < 0)
		answer(session, wire_error(&err));
}

static const struct member *find_member(
	const struct supervisor *supervisor, const char *name, struct error *err)
{
	const struct plan *plan = supervisor->plan;

	for (size_t i = 0; i < plan->n; i++) {
		const struct member *member = &supervisor->members[i];

		if (name ? strcmp(plan->items[i].spec->name, name) != 0 : i != plan->n_init)
			continue;
		if (member->phase == MEMBER_RUNNING && member->exit.fd >= 0)
			return member;
		error_set(err, ERROR_HOST, 0, "container \"%s\" is not running", plan->items[i].spec->name);
		if (member->phase == MEMBER_PULLING)
			error_hint(
				err, "its image is still to come: minirun describe pod %s", plan->pod->name);
		else if (member->phase == MEMBER_WAITING)
			error_hint(err, "it has not been started yet: -c names another container");
		return NULL;
	}
	/* kubectl's words. */
	error_set(err, ERROR_HOST, 0, "container %s is not valid for pod %s", name, plan->pod->name);
	return NULL;
}

static int read_argv(struct json_object *request, struct session *session, struct error *err)
{
	struct json_object *list = json_object_object_get(request, "argv");
	struct strv argv = {0};
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++)
		strv_push(&argv, xstrdup(json_object_get_string(json_object_array_get_idx(list, i))));
	session->container.argv = argv.items;
	return n ? 0 : error_set(err, ERROR_USAGE, 0, "no command to execute");
}

static int session_launch(struct session *session, struct json_object *request, struct error *err)
{
	struct supervisor *supervisor = session->supervisor;
	struct json_object *name = json_object_object_get(request, "container");
	const struct member *member =
		find_member(supervisor, name ? json_object_get_string(name) : NULL, err);

	if (!member)
		return -1;
	if (session->stdio[1] < 0 || session->stdio[2] < 0)
		return error_set(err, ERROR_USAGE, 0, "no descriptors for the command's output");
	session->container = member->item->container;
	session->container.argv = NULL;
	session->container.join_pidfd = member->exit.fd;
	session->container.isolation.cgroup = &member->cgroup;
	session->container.isolation.sandbox = &supervisor->sandbox;
	if (!supervisor->naming)
		session->container.locks.naming = NULL;
	supervisor_init_denials(supervisor, member->item, &session->denials);
	if (read_argv(request, session, err) < 0 ||
		launch_start(&session->container, session->stdio, &session->launched, err) < 0)
		return -1;
	return loop_add(&supervisor->loop, &session->notice, session->launched.notice, on_session_notice,
		session, err);
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
	answer(session, message);
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
	if (loop_add(&supervisor->loop, &session->exit, pidfd, on_session_exit, session, err) < 0) {
		session->launched.pidfd = pidfd;
		return -1;
	}
	return wire_send(session->connection.fd, json_object_new_object(), &channel, 1, err);
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
	if (!request || session->launched.page || session->exit.fd >= 0) {
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
	result = json_object_object_get(request, "portForward") ? session_forward(session, &err)
								: session_launch(session, request, &err);
	json_object_put(request);
	if (result < 0)
		answer(session, wire_error(&err));
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
	size_t n = 0;
	int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	for (session = supervisor->sessions; session; session = session->next)
		n++;
	if (!is_allowed(fd) || n >= MAX_SESSIONS) {
		close(fd);
		return;
	}
	session = xcalloc(1, sizeof(*session));
	*session = (struct session){
		.next = supervisor->sessions,
		.supervisor = supervisor,
		.notice.fd = -1,
		.exit.fd = -1,
		.launched = {.pidfd = -1, .notice = -1},
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
		if (session->held)
			on_session_exit(&session->exit, session);
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
