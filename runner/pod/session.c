/* The supervisor's side of one exec or attach. See session.h. */
#include "runner/pod/session.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/pod/copying.h"
#include "runner/pod/guard.h"
#include "runner/pod/wire.h"

static void close_stdio(struct session *session)
{
	for (int i = 0; i < 3; i++) {
		if (session->stdio[i] >= 0)
			close(session->stdio[i]);
		session->stdio[i] = -1;
	}
}

void session_free(struct session *session)
{
	struct loop *loop = &session->supervisor->loop;
	struct session **link = &session->supervisor->sessions;

	while (*link != session)
		link = &(*link)->next;
	*link = session->next;
	attach_stop(&session->attachment);
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

void session_close(struct session *session)
{
	struct loop *loop = &session->supervisor->loop;
	struct error ignored;

	loop_remove(loop, &session->connection);
	loop_remove(loop, &session->notice);
	session->launched.notice = -1;
	session->closing = true;
	/* Of a run that is over there may be another by now, whose input isn't ours to end. */
	if (session->input && !session->attachment.ending)
		stdio_input_ended(session->input);
	if (session->exit.fd < 0 && session->launched.pidfd >= 0)
		loop_add(loop, &session->exit, steal_fd(&session->launched.pidfd), on_session_exit, session,
			&ignored);
	if (session->exit.fd < 0)
		session_free(session);
	else
		pidfd_send_signal(session->exit.fd, SIGKILL, NULL, 0);
}

void session_answer(struct session *session, struct json_object *message)
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
	session_answer(session, message);
}

/* The terminal is the client's alone: if that dies, it is gone, and its session is hung up. */
static int hand_over_terminal(struct session *session, struct error *err)
{
	struct json_object *message = json_object_new_object();
	struct terminal terminal;
	int result;

	json_object_object_add(message, "terminal", json_object_new_boolean(true));
	json_object_object_add(message, "saysEnd", json_object_new_boolean(true));
	if (launch_take_terminal(&session->launched, &terminal, err) < 0) {
		json_object_put(message);
		return -1;
	}
	result = wire_send(
		session->connection.fd, message, (const int[]){terminal.master, terminal.slave}, 2, err);
	terminal_close(&terminal);
	return result;
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
	if (result == 0 && session->container.terminal)
		result = hand_over_terminal(session, &err);
	if (result < 0) {
		session_answer(session, wire_error(&err));
		return;
	}
	/* Only now is its end of interest: before, the end of the notice tells more. */
	if (loop_add(&session->supervisor->loop, &session->exit, steal_fd(&session->launched.pidfd),
		    on_session_exit, session, &err) < 0)
		session_answer(session, wire_error(&err));
}

static struct member *find_member(
	const struct supervisor *supervisor, struct json_object *request, struct error *err)
{
	const struct plan *plan = supervisor->plan;
	const char *name = json_object_get_string(json_object_object_get(request, "container"));
	cleanup_free char *names = xstrdup("");

	for (size_t i = 0; i < plan->n; i++) {
		struct member *member = &supervisor->members[i];

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
	for (size_t i = 0; i < plan->n; i++) {
		char *longer = xasprintf("%s%s%s", names, i ? ", " : "", plan->items[i].spec->name);

		free(names);
		names = longer;
	}
	error_hint(err, "it has %s", names);
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

/* Who ran the command is told what it was refused, wherever the pod's own messages go. Nothing waits for a client. */
static void tell_client(void *data, const char *line)
{
	const struct session *session = data;
	struct json_object *message = json_object_new_object();
	cleanup_free char *safe = text_printable(line, strlen(line));
	cleanup_free char *text = xasprintf("%s %s", session->denials.container, safe);
	struct error ignored;

	json_object_object_add(message, "told", json_object_new_string(text));
	wire_send(session->connection.fd, message, NULL, 0, &ignored);
}

int session_launch(struct session *session, struct json_object *request, struct error *err)
{
	struct supervisor *supervisor = session->supervisor;
	struct json_object *terminal = json_object_object_get(request, "terminal");
	struct member *member = find_member(supervisor, request, err);

	if (!member)
		return -1;
	if (!terminal && (session->stdio[1] < 0 || session->stdio[2] < 0))
		return error_set(err, ERROR_USAGE, 0, "no descriptors for the command's output");
	session->container = member->item->container;
	session->container.argv = NULL;
	session->container.terminal = terminal != NULL;
	session->container.window = (struct winsize){
		.ws_row = (unsigned short)json_object_get_int(json_object_object_get(terminal, "rows")),
		.ws_col = (unsigned short)json_object_get_int(json_object_object_get(terminal, "columns")),
	};
	session->container.join_pidfd = member->exit.fd;
	session->container.isolation.cgroup = &member->cgroup;
	session->container.isolation.sandbox = &supervisor->sandbox;
	if (!supervisor->naming)
		session->container.locks.naming = NULL;
	supervisor_init_denials(supervisor, member->item, &session->denials);
	session->denials.told = tell_client;
	session->denials.data = session;
	if (read_argv(request, session, err) < 0 || guard_launch(member, &session->container, session->stdio,
							    &session->launched, &session->denials, err) < 0)
		return -1;
	return loop_add(&supervisor->loop, &session->notice, session->launched.notice, on_session_notice,
		session, err);
}

/*
 * Who has CAP_SYS_PTRACE and sees the process that copies could enter it before it has given up what it came with; it stays too
 * long for the guard (guard.h), and copying is no need.
 */
static int check_unseen(const struct member *target, struct error *err)
{
	const struct supervisor *supervisor = target->supervisor;

	for (size_t i = 0; i < supervisor->plan->n; i++) {
		const struct member *member = &supervisor->members[i];

		/* Privileged it is as good as the host's root; with users of its own it has no right to the supervisor's. */
		if (member->item->privileged || supervisor->plan->own_users ||
			!(member->item->container.credentials.capabilities & 1ULL << CAP_SYS_PTRACE) ||
			(member != target && !supervisor->plan->pod->share_process_namespace))
			continue;
		error_set(err, ERROR_HOST, 0,
			"nothing is copied where container %s has SYS_PTRACE: it could look into the process "
			"that "
			"copies",
			member->item->spec->name);
		return error_hint(err, "minirun exec -i POD -- sh -c 'cat >FILE', or a volume");
	}
	return 0;
}

int session_copy(struct session *session, struct json_object *request, struct error *err)
{
	struct supervisor *supervisor = session->supervisor;
	const struct member *member = find_member(supervisor, request, err);
	int pidfd, result;

	if (!member || check_unseen(member, err) < 0)
		return -1;
	session->container = member->item->container;
	session->container.argv = NULL;
	session->container.join_pidfd = member->exit.fd;
	session->container.isolation.cgroup = &member->cgroup;
	session->container.isolation.sandbox = &supervisor->sandbox;
	result = copying_start(&session->container, json_object_object_get(request, "copy"),
		session->stdio + 1, &pidfd, err);
	close_stdio(session);
	if (result < 0)
		return -1;
	if (session_watch(session, pidfd, err) == 0)
		return 0;
	session->launched.pidfd = pidfd;
	return -1;
}

static void on_detached(struct attachment *attachment, bool stuck, void *data)
{
	struct session *session = data;
	struct json_object *message;
	struct error err;

	(void)attachment;
	if (stuck) {
		error_set(&err, ERROR_HOST, 0, "detached: no output was read for %d s", ATTACH_PATIENCE);
		message = wire_error(&err);
	} else {
		message = json_object_new_object();
		json_object_object_add(message, "exitCode", json_object_new_int(0));
	}
	session_answer(session, message);
}

/* Sends the way to the container's standard input; or says why there is none, which is no reason not to show its output. */
static int give_input(struct session *session, struct member *member, struct error *err)
{
	bool only = member->item->spec->stdin_once, terminal = member->item->spec->tty;
	struct json_object *message = json_object_new_object();
	cleanup_free char *text = NULL;
	cleanup_fd int fd = -1;
	const char *why;

	if (!stdio_has_input(member, &why)) {
		text = xasprintf("container %s: %s", member->item->spec->name, why);
		json_object_object_add(message, "told", json_object_new_string(text));
		return wire_send(session->connection.fd, message, NULL, 0, err);
	}
	fd = stdio_give_input(member, only, err);
	if (fd < 0) {
		json_object_put(message);
		return -1;
	}
	if (only)
		session->input = member;
	json_object_object_add(message, terminal ? "terminal" : "stdin", json_object_new_boolean(true));
	json_object_object_add(message, "saysEnd", json_object_new_boolean(only));
	return wire_send(session->connection.fd, message, &fd, 1, err);
}

int session_attach(struct session *session, struct json_object *request, struct error *err)
{
	struct json_object *options = json_object_object_get(request, "attach");
	struct member *member = find_member(session->supervisor, request, err);
	const int fds[] = {session->stdio[1], session->stdio[2]};

	if (!member)
		return -1;
	session->stdio[1] = session->stdio[2] = -1;
	if (attach_start(&session->attachment, member, fds, on_detached, session, err) < 0)
		return -1;
	return json_object_get_boolean(json_object_object_get(options, "stdin"))
		       ? give_input(session, member, err)
		       : 0;
}

int session_watch(struct session *session, int pidfd, struct error *err)
{
	return loop_add(&session->supervisor->loop, &session->exit, pidfd, on_session_exit, session, err);
}

void session_retry(struct session *session)
{
	if (session->held)
		on_session_exit(&session->exit, session);
}
