/* `minirun exec`: asks the pod's supervisor to run a command in a container, and stands between it and the user. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "runner/verbs/catalog.h"
#include "runner/verbs/client.h"
#include "runner/command.h"
#include "runner/plan/paths.h"
#include "runner/pod/relay.h"
#include "runner/pod/wire.h"

/* kubectl's SetupTTY: a terminal inside only where there is one outside whose keys go there. Says why there is none. */
static bool wants_terminal(const struct invocation *invocation)
{
	if (!invocation->value[OPTION_TTY])
		return false;
	if (!invocation->value[OPTION_STDIN])
		fprintf(stderr, "-t without -i: the command gets no terminal, as with kubectl\n");
	else if (!console_is_there())
		fprintf(stderr, "Unable to use a TTY - input is not a terminal or the right kind of file\n");
	else
		return true;
	return false;
}

static struct json_object *make_request(const struct invocation *invocation, bool terminal)
{
	struct json_object *request = client_request(invocation);
	struct json_object *argv = json_object_new_array();

	for (int i = 1; i < invocation->n_operands; i++)
		json_object_array_add(argv, json_object_new_string(invocation->operands[i]));
	json_object_object_add(request, "argv", argv);
	if (terminal) {
		struct winsize size = console_size();
		struct json_object *window = json_object_new_object();

		json_object_object_add(window, "rows", json_object_new_int(size.ws_row));
		json_object_object_add(window, "columns", json_object_new_int(size.ws_col));
		json_object_object_add(request, "terminal", window);
	}
	return request;
}

/* The command's ends of the pipes go with the request. */
static int send_with_pipes(
	struct relay *relay, struct json_object *request, bool with_stdin, struct error *err)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, errors[2] = {-1, -1};
	int sent;

	if ((with_stdin && pipe2(in, O_CLOEXEC) < 0) || pipe2(out, O_CLOEXEC) < 0 ||
		pipe2(errors, O_CLOEXEC) < 0) {
		json_object_put(request);
		return error_set(err, ERROR_HOST, errno, "cannot make a pipe");
	}
	relay->in = in[1];
	relay->out = out[0];
	relay->err = errors[0];
	if (with_stdin)
		fcntl(in[1], F_SETFL, O_NONBLOCK);
	{
		const int fds[] = {in[0], out[1], errors[1]};

		sent = wire_send(relay->socket, request, with_stdin ? fds : fds + 1, with_stdin ? 3 : 2, err);
	}
	if (with_stdin)
		close(in[0]);
	close(out[1]);
	close(errors[1]);
	return sent;
}

/* As kubectl: on standard error, before anything of the command's. */
static void mention_default(const struct invocation *invocation, const char *root)
{
	struct record record;
	struct error ignored;

	if (invocation->value[OPTION_CONTAINER] ||
		catalog_read(root, NULL, catalog_pod_of(invocation->operands[0]), &record, &ignored) < 0)
		return;
	catalog_mention_default(record.pod);
	record_free(&record);
}

int cmd_exec(const struct invocation *invocation, struct error *err)
{
	cleanup_free char *root = NULL;
	bool with_stdin = invocation->value[OPTION_STDIN] != NULL;
	cleanup_fd int socket = -1;
	struct json_object *request;
	struct relay relay;
	bool terminal;

	if (invocation->n_operands < 2) {
		error_set(err, ERROR_USAGE, 0, "exec wants the name of a pod and a command");
		return error_hint(err, "minirun exec NAME [-c CONTAINER] -- COMMAND [ARG...]");
	}
	root = path_of_root(invocation, err);
	if (!root)
		return -1;
	socket = client_connect(
		root, catalog_namespace(invocation), catalog_pod_of(invocation->operands[0]), err);
	if (socket < 0)
		return -1;
	mention_default(invocation, root);
	/* The command may end without reading all that we have for it. */
	signal(SIGPIPE, SIG_IGN);
	relay_init(&relay, socket);
	terminal = wants_terminal(invocation);
	relay.wants_input = with_stdin;
	request = make_request(invocation, terminal);
	if ((terminal ? wire_send(socket, request, NULL, 0, err)
		      : send_with_pipes(&relay, request, with_stdin, err)) < 0)
		return -1;
	return relay_run(&relay, err);
}
