/* A client's part of exec and attach. See relay.h. */
#include "runner/pod/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "namespaces/namespaces.h"
#include "runner/pod/wire.h"

#define LINGER_MS \
	200 /* how long output is waited for after the exit, where a background process holds it open */

/*
 * Reads of an output after the exit. What the command itself wrote is in the pipe by then, which holds 1 MiB at most (see
 * fs.pipe-max-size), or on its terminal: a process that outlives it and goes on writing isn't listened to for ever.
 */
#define LATE_READS    32
#define TERMINAL_READ 4096 /* bytes; the kernel gives no more at once */
#define LATE_TERMINAL ((size_t)1024 * 1024)

enum { SOCKET, OUT, ERR, INPUT, IN, SIGNALS, POLLED };

void relay_init(struct relay *relay, int socket)
{
	*relay = (struct relay){
		.socket = socket,
		.in = -1,
		.out = -1,
		.err = -1,
		.terminal = -1,
		.other = -1,
		.console.signals = -1,
	};
}

static void close_in(struct relay *relay)
{
	cleanup_fd_fn(&relay->in);
	relay->in = -1;
	relay->used = 0;
}

/* Carries one piece of output. Returns 1, 0 at its end or where nothing is there now, -1 if nobody reads what we show. */
static int carry(int from, int to)
{
	char piece[RELAY_PIECE];
	ssize_t n = read(from, piece, sizeof(piece));

	if (n < 0)
		return errno == EINTR;
	if (n == 0)
		return 0;
	return fd_write_all(to, piece, (size_t)n) < 0 ? -1 : 1;
}

static void carry_pipe(int *from, int to)
{
	if (carry(*from, to) > 0)
		return;
	close(*from);
	*from = -1;
}

/* The terminal is never at its end, for we have its other end too: what is there is there. */
static int carry_terminal(const struct relay *relay, struct error *err)
{
	if (carry(relay->out, STDOUT_FILENO) >= 0)
		return 0;
	return error_set(err, ERROR_HOST, errno, "cannot write to standard output");
}

/* What the program wrote to its terminal before it ended. */
static void carry_rest(const struct relay *relay)
{
	for (size_t n = 0; n < LATE_TERMINAL; n += TERMINAL_READ)
		if (carry(relay->out, STDOUT_FILENO) <= 0)
			return;
}

static void write_pending(struct relay *relay)
{
	ssize_t n = write(relay->in, relay->pending + relay->written, relay->used - relay->written);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		close_in(relay);
		return;
	}
	relay->written += n > 0 ? (size_t)n : 0;
	if (relay->written == relay->used)
		relay->used = relay->written = 0;
}

/* At the end of our standard input. */
static void end_input(struct relay *relay)
{
	if (relay->says_end)
		terminal_say_end(relay->terminal);
	close_in(relay);
}

/* Our standard input to the program's; at its end, or when the program doesn't read any more, that is closed. */
static void carry_input(struct relay *relay)
{
	ssize_t n = read(STDIN_FILENO, relay->pending, sizeof(relay->pending));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		end_input(relay);
		return;
	}
	relay->used = (size_t)n;
	relay->written = 0;
	write_pending(relay);
}

static void resize(const struct relay *relay)
{
	struct winsize size = console_size();

	if (relay->terminal >= 0)
		ioctl(relay->terminal, TIOCSWINSZ, &size);
}

/* No write to it waits; so none of ours has to, either. */
static int set_input(struct relay *relay, int fd, struct error *err)
{
	relay->in = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (relay->in < 0 || fcntl(relay->in, F_SETFL, fcntl(relay->in, F_GETFL) | O_NONBLOCK) < 0)
		return error_set(err, ERROR_INTERNAL, errno, "fcntl");
	return 0;
}

/* The program's terminal is there: from now on ours is raw, if it is one. */
static int take_terminal(struct relay *relay, struct error *err)
{
	if (fcntl(relay->terminal, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return error_set(err, ERROR_INTERNAL, errno, "fcntl");
	if (relay->other >= 0)
		relay->out = fcntl(relay->terminal, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (relay->wants_input && set_input(relay, relay->terminal, err) < 0)
		return -1;
	if (!relay->wants_input || relay->cooked || !console_is_there())
		return 0;
	if (console_open(&relay->console, err) < 0)
		return -1;
	if (relay->redraws) {
		struct winsize size = console_size();

		/* As kubectl does: a size that differs makes a program that was there before draw its screen anew. */
		size.ws_row++;
		size.ws_col++;
		ioctl(relay->terminal, TIOCSWINSZ, &size);
	}
	resize(relay);
	return 0;
}

/* What minirun itself has to say of the program: a call that was refused. */
static void show_line(const struct relay *relay, const char *text)
{
	bool bare = relay->console.raw && isatty(STDERR_FILENO);
	cleanup_free char *line = xasprintf("%s%s\n", text, bare ? "\r" : "");

	fd_write_all(STDERR_FILENO, line, strlen(line));
}

static int take_message(struct relay *relay, struct error *err)
{
	int fds[2] = {-1, -1};
	struct json_object *message = wire_receive(relay->socket, fds, array_length(fds), err);
	struct json_object *code, *told;
	int result = 0;

	if (!message)
		return err->class == ERROR_NONE
			       ? error_set(err, ERROR_HOST, 0, "the pod ended, and the command with it")
			       : -1;
	code = json_object_object_get(message, "exitCode");
	told = json_object_object_get(message, "told");
	if (code) {
		relay->answered = true;
		relay->status = json_object_get_int(code);
	} else if (told) {
		show_line(relay, json_object_get_string(told));
	} else if (json_object_object_get(message, "terminal")) {
		relay->terminal = steal_fd(&fds[0]);
		relay->other = steal_fd(&fds[1]);
		relay->says_end = json_object_get_boolean(json_object_object_get(message, "saysEnd"));
		result = take_terminal(relay, err);
	} else if (json_object_object_get(message, "stdin")) {
		result = set_input(relay, fds[0], err);
	} else {
		result = wire_to_error(message, err);
	}
	json_object_put(message);
	cleanup_fd_fn(&fds[0]);
	cleanup_fd_fn(&fds[1]);
	return result;
}

/* Which descriptors are of interest now. */
static void choose(const struct relay *relay, struct pollfd *polled)
{
	bool input = relay->in >= 0 && !relay->answered;

	polled[SOCKET] = (struct pollfd){.fd = relay->answered ? -1 : relay->socket, .events = POLLIN};
	polled[OUT] = (struct pollfd){.fd = relay->out, .events = POLLIN};
	polled[ERR] = (struct pollfd){.fd = relay->err, .events = POLLIN};
	polled[INPUT] = (struct pollfd){.fd = input && !relay->used ? STDIN_FILENO : -1, .events = POLLIN};
	polled[IN] = (struct pollfd){.fd = input && relay->used ? relay->in : -1, .events = POLLOUT};
	polled[SIGNALS] = (struct pollfd){.fd = relay->console.signals, .events = POLLIN};
}

static int carry_ready(struct relay *relay, const struct pollfd *polled, struct error *err)
{
	if (polled[SIGNALS].revents) {
		console_take_signal(&relay->console);
		resize(relay);
	}
	if (polled[OUT].revents && relay->other >= 0 && carry_terminal(relay, err) < 0)
		return -1;
	if (polled[OUT].revents && relay->other < 0)
		carry_pipe(&relay->out, STDOUT_FILENO);
	if (polled[ERR].revents)
		carry_pipe(&relay->err, STDERR_FILENO);
	if (polled[INPUT].revents)
		carry_input(relay);
	if (polled[IN].revents)
		write_pending(relay);
	return polled[SOCKET].revents ? take_message(relay, err) : 0;
}

static int carry_all(struct relay *relay, struct error *err)
{
	int late = 0;

	while (!relay->answered || relay->out >= 0 || relay->err >= 0) {
		struct pollfd polled[POLLED];
		int n;

		if (relay->answered && relay->other >= 0) {
			carry_rest(relay);
			break;
		}
		choose(relay, polled);
		n = poll(polled, array_length(polled), relay->answered ? LINGER_MS : -1);
		if (n < 0 && errno != EINTR)
			return error_set(err, ERROR_HOST, errno, "poll");
		if (n == 0 || (relay->answered && late++ >= LATE_READS))
			break;
		if (n > 0 && carry_ready(relay, polled, err) < 0)
			return -1;
	}
	return relay->status;
}

int relay_start(struct relay *relay, struct error *err)
{
	int in = relay->in;
	int result;

	if (relay->terminal >= 0)
		return take_terminal(relay, err);
	result = set_input(relay, in, err);
	close(in);
	return result;
}

int relay_run(struct relay *relay, struct error *err)
{
	int status = carry_all(relay, err);
	int *const fds[] = {&relay->in, &relay->out, &relay->err, &relay->terminal, &relay->other};

	console_close(&relay->console);
	for (size_t i = 0; i < array_length(fds); i++) {
		cleanup_fd_fn(fds[i]);
		*fds[i] = -1;
	}
	return status;
}
