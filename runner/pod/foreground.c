/* The terminal that `minirun FILE` was started from. See foreground.h. */
#include "runner/pod/foreground.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "runner/pod/relay.h"
#include "runner/pod/supervise.h"
#include "runner/pod/wire.h"

#define PATIENCE 5000 /* ms, for the child's end */

/* The child's ends. */
struct ends {
	int socket, in, out;
};

/* The first main container with stdin: true. An init container's is open, for attach, but nobody's here. */
static bool is_chosen(const struct member *member)
{
	const struct supervisor *supervisor = member->supervisor;

	if (supervisor->background || !member->item->spec->stdin_open)
		return false;
	for (size_t i = supervisor->plan->n_init; i < supervisor->plan->n; i++)
		if (supervisor->plan->items[i].spec->stdin_open)
			return &supervisor->members[i] == member;
	return false;
}

/* Started by a shell with &: to read would stop us, and the pod with us. */
static bool is_behind_shell(void)
{
	return isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) != getpgrp();
}

struct winsize foreground_size(const struct member *member)
{
	return is_chosen(member) && console_is_there() ? console_size() : (struct winsize){0};
}

/* Whether what it prints is shown as it is. */
static bool is_passed_through(const struct member *member)
{
	return member->item->spec->tty && console_is_there() && !member->supervisor->report->json;
}

static void run_child(const struct member *member, const struct ends *ends)
{
	const struct report *report = member->supervisor->report;
	const int keep[] = {0, 1, 2, ends->socket, ends->in, ends->out};
	struct error err = {0};
	struct relay relay;

	if (report->out != STDOUT_FILENO)
		dup2(report->out, STDOUT_FILENO);
	if (fd_close_others(keep, array_length(keep)) < 0)
		_exit(125);
	relay_init(&relay, ends->socket);
	relay.out = ends->out;
	relay.wants_input = true;
	relay.says_end = true;
	relay.cooked = ends->out < 0;
	if (member->item->spec->tty)
		relay.terminal = ends->in;
	else
		relay.in = ends->in;
	_exit(relay_start(&relay, &err) < 0 || relay_run(&relay, &err) < 0 ? 125 : 0);
}

/* What the child did to the terminal, and what it kept from the report. */
static void restore(struct supervisor *supervisor)
{
	struct foreground *foreground = &supervisor->foreground;

	if (foreground->raw) {
		signal(SIGTTOU, SIG_IGN);
		tcsetattr(STDIN_FILENO, TCSADRAIN, &foreground->saved);
		if (foreground->in_line && isatty(STDERR_FILENO))
			write(STDERR_FILENO, "\n", 1);
	}
	foreground->raw = foreground->in_line = false;
	supervisor->report->raw = false;
	foreground->member->streams[0].hidden = false;
	foreground->member = NULL;
	attach_stop(&foreground->attachment);
	loop_remove(&supervisor->loop, &foreground->exit);
	cleanup_fd_fn(&foreground->socket);
	foreground->socket = -1;
}

/* It was killed, or our terminal went away. The container goes on, with its output shown by lines. */
static void on_child_exit(struct watch *watch, void *data)
{
	siginfo_t info = {0};

	waitid(P_PIDFD, (id_t)watch->fd, &info, WEXITED | WNOHANG);
	restore(data);
}

static void on_reader_gone(struct attachment *attachment, bool stuck, void *data)
{
	(void)attachment;
	(void)stuck;
	(void)data;
}

static int watch_child(struct supervisor *supervisor, pid_t pid, struct error *err)
{
	int pidfd = pidfd_open(pid, 0);

	if (pidfd >= 0 && loop_add(&supervisor->loop, &supervisor->foreground.exit, pidfd, on_child_exit,
				  supervisor, err) == 0)
		return 0;
	error_set(err, ERROR_HOST, errno, "pidfd_open");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return -1;
}

static int start_child(struct member *member, const struct ends *ends, int out, struct error *err)
{
	struct supervisor *supervisor = member->supervisor;
	struct foreground *foreground = &supervisor->foreground;
	const int fds[] = {out, -1};
	pid_t pid = fork();

	if (pid == 0)
		run_child(member, ends);
	if (pid < 0)
		return error_set(err, ERROR_HOST, errno, "cannot fork");
	foreground->member = member;
	if (watch_child(supervisor, pid, err) < 0)
		return -1;
	if (out < 0)
		return 0;
	foreground->raw = true;
	supervisor->report->raw = true;
	member->streams[0].hidden = true;
	if (attach_start(&foreground->attachment, member, fds, on_reader_gone, foreground, err) < 0)
		return -1;
	foreground->attachment.patient = true;
	foreground->attachment.broken = &supervisor->report->broken;
	return 0;
}

static int connect_input(struct member *member, struct error *err)
{
	struct foreground *foreground = &member->supervisor->foreground;
	/* A pipe ends with the child's end of it; a terminal may be typed into by those who attach, too. */
	bool only = !member->item->spec->tty || member->item->spec->stdin_once;
	cleanup_fd int in = stdio_give_input(member, only, err);
	int sockets[2], out[2] = {-1, -1};
	int result;

	if (in < 0)
		return -1;
	tcgetattr(STDIN_FILENO, &foreground->saved);
	if (is_passed_through(member) && pipe2(out, O_CLOEXEC) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make a pipe");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets) < 0) {
		error_set(err, ERROR_HOST, errno, "cannot make a socket");
		cleanup_fd_fn(&out[0]);
		cleanup_fd_fn(&out[1]);
		return -1;
	}
	foreground->socket = sockets[0];
	result = start_child(member, &(struct ends){sockets[1], in, out[0]}, out[1], err);
	close(sockets[1]);
	cleanup_fd_fn(&out[0]);
	return result;
}

void foreground_start(struct member *member)
{
	struct supervisor *supervisor = member->supervisor;
	struct foreground *foreground = &supervisor->foreground;
	struct event event = {.type = "warning", .container = member->item->spec->name, .tone = TONE_NOTE};
	struct error err = {0};

	if (!is_chosen(member) || foreground->member)
		return;
	if (is_behind_shell()) {
		if (!foreground->told)
			report_event(supervisor->report, supervisor->plan->pod->name, &event,
				"nothing can be typed from a shell's background: `minirun attach -i %s` does",
				supervisor->plan->pod->name);
		foreground->told = true;
		return;
	}
	if (connect_input(member, &err) == 0)
		return;
	if (foreground->member)
		restore(supervisor);
	report_event(supervisor->report, supervisor->plan->pod->name, &event, "no standard input: %s",
		err.message);
}

void foreground_wrote(struct member *member, const char *text, size_t size)
{
	struct foreground *foreground = &member->supervisor->foreground;

	if (foreground->raw && foreground->member == member && size)
		foreground->in_line = text[size - 1] != '\n';
}

static void end(struct supervisor *supervisor)
{
	struct foreground *foreground = &supervisor->foreground;
	struct json_object *message = json_object_new_object();
	struct pollfd death = {.fd = foreground->exit.fd, .events = POLLIN};
	struct error ignored;
	siginfo_t info;

	attach_flush(&foreground->attachment, PATIENCE);
	attach_stop(&foreground->attachment);
	json_object_object_add(message, "exitCode", json_object_new_int(0));
	wire_send(foreground->socket, message, NULL, 0, &ignored);
	if (poll(&death, 1, PATIENCE) != 1)
		pidfd_send_signal(foreground->exit.fd, SIGKILL, NULL, 0);
	waitid(P_PIDFD, (id_t)foreground->exit.fd, &info, WEXITED);
	restore(supervisor);
}

void foreground_end(const struct member *member)
{
	if (member->supervisor->foreground.member == member)
		end(member->supervisor);
}

void foreground_close(struct supervisor *supervisor)
{
	if (supervisor->foreground.member)
		end(supervisor);
}
