/*
 * `minirun exec`: asks the pod's supervisor to run a command in a container, and stands between it and the user.
 *
 * The command never gets the user's own descriptors: a terminal could be made to type (TIOCSTI, CVE-2017-5226), a file could be
 * opened again through /proc/self/fd. It gets pipes, and this process carries what flows in them.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "runner/catalog.h"
#include "runner/client.h"
#include "runner/command.h"
#include "runner/paths.h"
#include "runner/wire.h"

#define PIECE 65536
#define LINGER_MS \
	200 /* how long output is waited for after the exit, where a background process holds it open */

/*
 * Reads of an output after the exit. What the command itself wrote is in the pipe by then, which holds 1 MiB at most (see
 * fs.pipe-max-size): a process that outlives it and goes on writing isn't listened to for ever.
 */
#define LATE_READS 32

/* The client's ends of the three pipes; -1 when done with. */
struct relay {
	int in, out, err;
};

static struct json_object *make_request(const struct invocation *invocation)
{
	struct json_object *request = json_object_new_object();
	struct json_object *argv = json_object_new_array();

	for (int i = 1; i < invocation->n_operands; i++)
		json_object_array_add(argv, json_object_new_string(invocation->operands[i]));
	if (invocation->value[OPTION_CONTAINER])
		json_object_object_add(
			request, "container", json_object_new_string(invocation->value[OPTION_CONTAINER]));
	json_object_object_add(request, "argv", argv);
	return request;
}

static int send_request(
	const struct invocation *invocation, int socket, struct relay *relay, struct error *err)
{
	bool with_stdin = invocation->value[OPTION_STDIN] != NULL;
	int in[2] = {-1, -1}, out[2] = {-1, -1}, errors[2] = {-1, -1};
	int sent;

	if ((with_stdin && pipe2(in, O_CLOEXEC) < 0) || pipe2(out, O_CLOEXEC) < 0 ||
		pipe2(errors, O_CLOEXEC) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make a pipe");
	*relay = (struct relay){in[1], out[0], errors[0]};
	{
		const int fds[] = {in[0], out[1], errors[1]};

		sent = wire_send(socket, make_request(invocation), with_stdin ? fds : fds + 1,
			with_stdin ? 3 : 2, err);
	}
	if (with_stdin)
		close(in[0]);
	close(out[1]);
	close(errors[1]);
	return sent;
}

/* Carries one piece from a descriptor to another; closes from at its end. Returns false when it is closed. */
static void carry(int *from, int to)
{
	static const int closed = -1;
	char piece[PIECE];
	ssize_t n = read(*from, piece, sizeof(piece));

	if (n < 0 && errno == EINTR)
		return;
	if (n > 0 && fd_write_all(to, piece, (size_t)n) == 0)
		return;
	close(*from);
	*from = closed;
}

/* Our standard input to the command's; at its end, or when the command doesn't read any more, the pipe is closed. */
static void carry_input(struct relay *relay, bool *open)
{
	char piece[PIECE];
	ssize_t n = read(STDIN_FILENO, piece, sizeof(piece));

	if (n < 0 && errno == EINTR)
		return;
	if (n > 0 && fd_write_all(relay->in, piece, (size_t)n) == 0)
		return;
	*open = false;
	close(relay->in);
	relay->in = -1;
}

static int read_answer(int socket, int *status, struct error *err)
{
	struct json_object *answer = wire_receive(socket, NULL, 0, err);
	struct json_object *code;
	int result = 0;

	if (!answer)
		return err->class == ERROR_NONE
			       ? error_set(err, ERROR_HOST, 0, "the pod ended, and the command with it")
			       : -1;
	code = json_object_object_get(answer, "exitCode");
	if (code)
		*status = json_object_get_int(code);
	else
		result = wire_to_error(answer, err);
	json_object_put(answer);
	return result;
}

/* Until the answer is there and both outputs are at their end. */
static int relay_all(int socket, struct relay *relay, struct error *err)
{
	bool answered = false;
	bool input = relay->in >= 0;
	int status = 0;
	int result = 0;
	int late = 0;

	while (!answered || relay->out >= 0 || relay->err >= 0) {
		struct pollfd polled[] = {
			{.fd = answered ? -1 : socket, .events = POLLIN},
			{.fd = relay->out, .events = POLLIN},
			{.fd = relay->err, .events = POLLIN},
			{.fd = input && !answered ? STDIN_FILENO : -1, .events = POLLIN},
		};
		int n = poll(polled, array_length(polled), answered ? LINGER_MS : -1);

		if (n < 0 && errno != EINTR)
			return error_set(err, ERROR_HOST, errno, "poll");
		if (n == 0 || (answered && late++ >= LATE_READS))
			break;
		if (n < 0)
			continue;
		if (polled[1].revents)
			carry(&relay->out, STDOUT_FILENO);
		if (polled[2].revents)
			carry(&relay->err, STDERR_FILENO);
		if (polled[3].revents)
			carry_input(relay, &input);
		if (polled[0].revents) {
			result = read_answer(socket, &status, err);
			answered = true;
		}
	}
	return result < 0 ? result : status;
}

int cmd_exec(const struct invocation *invocation, struct error *err)
{
	cleanup_free char *root = NULL;
	cleanup_fd int socket = -1;
	struct relay relay = {-1, -1, -1};

	if (invocation->value[OPTION_TTY]) {
		error_set(err, ERROR_USAGE, 0, "exec -t: a terminal for the command is not supported yet");
		return error_hint(err, "leave -t out: `minirun exec NAME -- COMMAND`");
	}
	if (invocation->n_operands < 2) {
		error_set(err, ERROR_USAGE, 0, "exec wants the name of a pod and a command");
		return error_hint(err, "minirun exec NAME [-c CONTAINER] -- COMMAND [ARG...]");
	}
	root = path_of_root(invocation, err);
	if (!root)
		return -1;
	socket = client_connect(root, catalog_pod_of(invocation->operands[0]), err);
	if (socket < 0)
		return -1;
	/* The command may end without reading all that we have for it. */
	signal(SIGPIPE, SIG_IGN);
	if (send_request(invocation, socket, &relay, err) < 0)
		return -1;
	return relay_all(socket, &relay, err);
}
