/* `minirun attach`: shows what a running container prints from now on, and passes on what is typed. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "runner/verbs/catalog.h"
#include "runner/verbs/client.h"
#include "runner/plan/paths.h"
#include "runner/pod/relay.h"
#include "runner/pod/wire.h"

/* What the manifest says of the container that is meant. */
struct target {
	const char *name;
	bool tty;
	bool restarts; /* restartPolicy: Always */
};

static bool is_true(struct json_object *container, const char *field)
{
	return json_object_get_boolean(json_object_object_get(container, field));
}

static int find_target(const struct invocation *invocation, struct json_object *pod, struct target *target,
	struct error *err)
{
	static const char *const lists[] = {"spec.containers", "spec.initContainers"};
	const char *wanted = invocation->value[OPTION_CONTAINER];
	const char *phase = text_at(pod, "status.phase");

	if (!strcmp(phase, "Succeeded") || !strcmp(phase, "Failed"))
		return error_set(err, ERROR_HOST, 0,
			"cannot attach a container in a completed pod; current phase is %s", phase);
	for (size_t i = 0; i < array_length(lists); i++) {
		struct json_object *list = json_at(pod, lists[i]);

		for (size_t j = 0; list && j < json_object_array_length(list); j++) {
			struct json_object *container = json_object_array_get_idx(list, j);
			const char *name = text_at(container, "name");

			if (wanted && strcmp(wanted, name) != 0)
				continue;
			*target = (struct target){name, is_true(container, "tty"),
				!strcmp(text_at(pod, "spec.restartPolicy"), "Always")};
			return 0;
		}
	}
	error_set(err, ERROR_HOST, 0, "container %s not found in pod %s", wanted ? wanted : "",
		catalog_pod_of(invocation->operands[0]));
	return catalog_hint_containers(pod, err);
}

/* kubectl's words where -t can't be. Returns whether our terminal is to be raw. */
static bool check_terminal(const struct invocation *invocation, const struct target *target)
{
	bool quiet = invocation->value[OPTION_QUIET] != NULL;

	if (invocation->value[OPTION_TTY] && !target->tty && !quiet)
		fprintf(stderr, "error: Unable to use a TTY - container %s did not allocate one\n",
			target->name);
	if (!invocation->value[OPTION_STDIN] || !target->tty)
		return false;
	if (!console_is_there() && invocation->value[OPTION_TTY] && !quiet)
		fprintf(stderr, "Unable to use a TTY - input is not a terminal or the right kind of file\n");
	return console_is_there();
}

static int ask(const struct invocation *invocation, struct relay *relay, struct error *err)
{
	struct json_object *request = client_request(invocation);
	struct json_object *options = json_object_new_object();
	int out[2] = {-1, -1}, errors[2] = {-1, -1};
	int sent;

	json_object_object_add(options, "stdin", json_object_new_boolean(relay->wants_input));
	json_object_object_add(request, "attach", options);
	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0) {
		json_object_put(request);
		return error_set(err, ERROR_HOST, errno, "cannot make a pipe");
	}
	relay->out = out[0];
	relay->err = errors[0];
	sent = wire_send(relay->socket, request, (const int[]){out[1], errors[1]}, 2, err);
	close(out[1]);
	close(errors[1]);
	return sent;
}

static int attach(
	const struct invocation *invocation, const char *root, const struct target *target, struct error *err)
{
	bool quiet = invocation->value[OPTION_QUIET] != NULL;
	cleanup_fd int socket = client_connect(
		root, catalog_namespace(invocation), catalog_pod_of(invocation->operands[0]), err);
	struct relay relay;
	bool raw;
	int status;

	if (socket < 0)
		return -1;
	signal(SIGPIPE, SIG_IGN);
	relay_init(&relay, socket);
	relay.wants_input = invocation->value[OPTION_STDIN] != NULL;
	relay.redraws = true;
	raw = check_terminal(invocation, target);
	if (!quiet)
		fprintf(stderr, "If you don't see a command prompt, try pressing enter.\n");
	if (ask(invocation, &relay, err) < 0)
		return -1;
	status = relay_run(&relay, err);
	if (status >= 0 && raw && target->restarts && !quiet)
		printf("Session ended, resume using 'minirun attach %s -c %s -i -t' command when the pod is "
		       "running\n",
			catalog_pod_of(invocation->operands[0]), target->name);
	return status;
}

int cmd_attach(const struct invocation *invocation, struct error *err)
{
	cleanup_free char *root = path_of_root(invocation, err);
	struct target target = {0};
	struct record record;
	int status;

	if (invocation->n_operands != 1) {
		error_set(err, ERROR_USAGE, 0, "attach wants the name of a pod");
		return error_hint(err, "minirun attach NAME [-c CONTAINER] [-i] [-t]");
	}
	if (!root || catalog_read(root, catalog_namespace(invocation),
			     catalog_pod_of(invocation->operands[0]), &record, err) < 0)
		return -1;
	status = find_target(invocation, record.pod, &target, err);
	if (status == 0 && !invocation->value[OPTION_CONTAINER] && !invocation->value[OPTION_QUIET])
		catalog_mention_default(record.pod);
	if (status == 0)
		status = attach(invocation, root, &target, err);
	record_free(&record);
	return status;
}
