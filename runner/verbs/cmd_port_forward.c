/*
 * `minirun port-forward`: what comes to local ports goes to ports of a pod's localhost.
 *
 * This process listens here, as the user who started it. A process in the pod's network makes the connections (connector.h) and
 * hands over the sockets; what flows in them passes through here.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/verbs/catalog.h"
#include "runner/verbs/client.h"
#include "runner/command.h"
#include "runner/pod/connector.h"
#include "runner/verbs/forward.h"
#include "runner/plan/paths.h"
#include "runner/pod/tunnel.h"
#include "runner/pod/wire.h"

#define ADDRESSES_MAX 16
#define SPARE_FDS     32 /* for what isn't a connection: each of those has two */
#define CROSSINGS_MAX 512 /* connections at once: each may hold 128 KiB that the other side hasn't taken */

struct forwarding {
	const char *pod;
	struct loop loop;
	struct watch control, signals;
	int channel; /* where connections are asked for */
	struct listener *listeners;
	size_t n_listeners;
	size_t open, most; /* connections there are; and may be */
	bool full; /* the listeners wait for one to end */
	bool full_told;
	bool lost; /* the pod is */
	struct error why;
};

struct listener {
	struct watch watch;
	struct forwarding *forwarding;
	unsigned int local, remote;
};

/* A connection that came in, until it is over. */
struct crossing {
	struct listener *listener;
	int family; /* that is being tried: 4, then 6 */
	int errnum; /* of the first that failed */
};

static void say(const char *text)
{
	cleanup_free char *safe = text_printable(text, strlen(text));

	fprintf(stderr, "minirun: %s\n", safe);
}

static void lose(struct forwarding *forwarding)
{
	forwarding->lost = true;
	forwarding->loop.done = true;
}

/* Pauses the listeners when no more connections can be had, and lets them go on when one has ended. */
static void listen_or_wait(struct forwarding *forwarding, bool full)
{
	if (full == forwarding->full)
		return;
	forwarding->full = full;
	if (full && !forwarding->full_told) {
		cleanup_free char *text = xasprintf(
			"%zu connections are open, and more can't be: others wait until one of them ends",
			forwarding->open);

		forwarding->full_told = true;
		say(text);
	}
	for (size_t i = 0; i < forwarding->n_listeners; i++)
		loop_change(&forwarding->loop, &forwarding->listeners[i].watch, !full, false);
}

static void end_crossing(struct crossing *crossing)
{
	struct forwarding *forwarding = crossing->listener->forwarding;

	free(crossing);
	forwarding->open--;
	listen_or_wait(forwarding, false);
}

static void fail_crossing(struct crossing *crossing, int near)
{
	const struct listener *listener = crossing->listener;
	cleanup_free char *reason = text_errno(crossing->errnum);
	/* kubectl's words. */
	cleanup_free char *text = xasprintf(
		"an error occurred forwarding %u -> %u: error forwarding port %u to pod %s: %s",
		listener->local, listener->remote, listener->remote, listener->forwarding->pod, reason);

	say(text);
	close(near);
	end_crossing(crossing);
}

static void cross(struct crossing *crossing, int near);

static void on_over(void *data, int errnum, int near)
{
	struct crossing *crossing = data;

	if (near < 0) {
		end_crossing(crossing);
		return;
	}
	if (!crossing->errnum)
		crossing->errnum = errnum;
	if (crossing->family == 6) {
		fail_crossing(crossing, near);
		return;
	}
	crossing->family = 6;
	cross(crossing, near);
}

/* Connects what came in: by IPv4, and if nobody listens there by IPv6, as "localhost" means both. */
static void cross(struct crossing *crossing, int near)
{
	struct forwarding *forwarding = crossing->listener->forwarding;
	struct error err = {0};
	int errnum = 0;
	int far = connector_ask(
		forwarding->channel, crossing->listener->remote, crossing->family, &errnum, &err);

	if (far < 0 && !errnum) {
		forwarding->why = err;
		close(near);
		end_crossing(crossing);
		lose(forwarding);
		return;
	}
	if (far < 0) {
		on_over(crossing, errnum, near);
		return;
	}
	if (!tunnel_open(&forwarding->loop, near, far, on_over, crossing, &err)) {
		crossing->errnum = err.errnum;
		close(far);
		fail_crossing(crossing, near);
	}
}

static void on_listener(struct watch *watch, void *data)
{
	struct listener *listener = data;
	struct forwarding *forwarding = listener->forwarding;
	struct crossing *crossing;
	int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		/* It stays in the queue; without another that could end there would be nobody to wait for. */
		if ((errno == EMFILE || errno == ENFILE || errno == ENOMEM) && forwarding->open)
			listen_or_wait(forwarding, true);
		return;
	}
	printf("Handling connection for %u\n", listener->local);
	fflush(stdout);
	crossing = xcalloc(1, sizeof(*crossing));
	*crossing = (struct crossing){.listener = listener, .family = 4};
	forwarding->open++;
	listen_or_wait(forwarding, forwarding->open >= forwarding->most);
	cross(crossing, fd);
}

/* The supervisor says nothing more than the end: of the pod, or of the process in its network. */
static void on_control(struct watch *watch, void *data)
{
	struct forwarding *forwarding = data;
	struct json_object *message = wire_receive(watch->fd, NULL, 0, &forwarding->why);

	if (message && json_object_object_get(message, "error"))
		wire_to_error(message, &forwarding->why);
	else if (message)
		error_set(&forwarding->why, ERROR_HOST, 0, "the process in its network has ended");
	json_object_put(message);
	lose(forwarding);
}

static void on_signal(struct watch *watch, void *data)
{
	struct forwarding *forwarding = data;

	(void)watch;
	forwarding->loop.done = true;
}

/* Listens on all addresses for one port. Returns whether that will do; else it has been said why. */
static bool open_port(struct forwarding *forwarding, struct forward *forward,
	const struct forward_address *addresses, int n)
{
	cleanup_free char *errors = xstrdup("");
	bool any = false, failed = false;
	struct error err = {0};

	for (int i = 0; i < n; i++) {
		struct listener *listener = &forwarding->listeners[forwarding->n_listeners];
		int fd = forward_listen(&addresses[i], &forward->local);

		if (fd < 0) {
			cleanup_free char *reason = text_errno(errno);
			char *longer = xasprintf("%s%slisten %s:%u: %s", errors, *errors ? "; " : "",
				addresses[i].text, forward->local, reason);

			free(errors);
			errors = longer;
			failed = failed || !addresses[i].either;
			continue;
		}
		if (loop_add(&forwarding->loop, &listener->watch, fd, on_listener, listener, &err) < 0) {
			close(fd);
			continue;
		}
		listener->forwarding = forwarding;
		listener->local = forward->local;
		listener->remote = forward->remote;
		forwarding->n_listeners++;
		any = true;
		printf("Forwarding from %s:%u -> %u\n", addresses[i].text, forward->local, forward->remote);
	}
	fflush(stdout);
	if (!any || failed) {
		cleanup_free char *text =
			xasprintf("Unable to listen on port %u: %s", forward->local, errors);

		say(text);
	}
	return any && !failed;
}

static int open_ports(struct forwarding *forwarding, struct forward *forwards, int n,
	const struct invocation *invocation, struct error *err)
{
	const char *text = invocation->value[OPTION_ADDRESS];
	struct forward_address addresses[ADDRESSES_MAX];
	int n_addresses = forward_addresses(text ? text : "localhost", addresses, ADDRESSES_MAX, err);
	bool any = false;

	if (n_addresses < 0)
		return -1;
	forwarding->listeners = xcalloc((size_t)n * (size_t)n_addresses, sizeof(*forwarding->listeners));
	for (int i = 0; i < n; i++)
		any = open_port(forwarding, &forwards[i], addresses, n_addresses) || any;
	if (any)
		return 0;
	error_set(err, ERROR_HOST, 0, "unable to listen on any of the requested ports");
	return error_hint(err, ":%u takes a local port that is free", forwards[0].remote);
}

static int read_forwards(const char *root, const char *namespace, const char *name, char **operands, int n,
	struct forward *forwards, struct error *err)
{
	struct record record = {0};
	bool named = false;
	int result = 0;

	for (int i = 0; i < n; i++)
		named = named || forward_is_named(operands[i]);
	if (named && catalog_read(root, namespace, name, &record, err) < 0)
		return -1;
	for (int i = 0; i < n && result == 0; i++)
		result = forward_parse(operands[i], record.pod, &forwards[i], err);
	if (named)
		record_free(&record);
	return result;
}

/* Asks the supervisor for the process in the pod's network. Returns the control socket. */
static int connect_pod(
	const char *root, const char *namespace, const char *name, int *channel, struct error *err)
{
	struct json_object *message = json_object_new_object();
	cleanup_fd int control = client_connect(root, namespace, name, err);

	json_object_object_add(message, "portForward", json_object_new_object());
	if (control < 0) {
		json_object_put(message);
		return -1;
	}
	if (wire_send(control, message, NULL, 0, err) < 0)
		return -1;
	message = wire_receive(control, channel, 1, err);
	if (message && json_object_object_get(message, "error"))
		wire_to_error(message, err);
	else if (*channel < 0)
		error_set(err, ERROR_HOST, 0, "pod \"%s\" is just ending", name);
	json_object_put(message);
	return *channel < 0 ? -1 : steal_fd(&control);
}

static int watch_all(struct forwarding *forwarding, int control, struct error *err)
{
	struct rlimit limit = {0};
	sigset_t ours;

	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigprocmask(SIG_BLOCK, &ours, NULL);
	/* As kubectl: Ctrl-C counts also where whoever started us ignores it, as a script does for what it puts behind itself. */
	signal(SIGINT, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	forwarding->most =
		limit.rlim_cur > 4 * (rlim_t)SPARE_FDS ? (limit.rlim_cur - SPARE_FDS) / 2 : SPARE_FDS;
	if (forwarding->most > CROSSINGS_MAX)
		forwarding->most = CROSSINGS_MAX;
	if (loop_add(&forwarding->loop, &forwarding->control, control, on_control, forwarding, err) < 0)
		return -1;
	return loop_add(&forwarding->loop, &forwarding->signals, signalfd(-1, &ours, SFD_CLOEXEC), on_signal,
		forwarding, err);
}

static int forward_all(struct forwarding *forwarding, struct error *err)
{
	if (loop_run(&forwarding->loop, err) < 0)
		return -1;
	if (!forwarding->lost)
		return 0;
	if (forwarding->why.class == ERROR_NONE)
		error_set(&forwarding->why, ERROR_HOST, 0, "it has ended");
	*err = forwarding->why;
	return error_wrap(err, "lost connection to pod \"%s\"", forwarding->pod);
}

int cmd_port_forward(const struct invocation *invocation, struct error *err)
{
	struct forwarding forwarding = {.control.fd = -1, .signals.fd = -1, .channel = -1};
	cleanup_free struct forward *forwards = NULL;
	cleanup_free char *root = NULL;
	cleanup_fd int channel = -1;
	int n, control, result;
	char **operands = catalog_operands(invocation, &n);

	if (n < 2) {
		error_set(err, ERROR_USAGE, 0,
			"port-forward wants the name of a pod and at least one port of it");
		return error_hint(err, "minirun port-forward NAME [LOCAL:]REMOTE...");
	}
	forwarding.pod = catalog_pod_of(operands[0]);
	forwards = xcalloc((size_t)n - 1, sizeof(*forwards));
	root = path_of_root(invocation, err);
	if (!root || read_forwards(root, catalog_namespace(invocation), forwarding.pod, operands + 1, n - 1,
			     forwards, err) < 0)
		return -1;
	control = connect_pod(root, catalog_namespace(invocation), forwarding.pod, &channel, err);
	if (control < 0)
		return -1;
	forwarding.channel = channel;
	result = loop_init(&forwarding.loop, err);
	if (result == 0)
		result = watch_all(&forwarding, control, err);
	if (result == 0)
		result = open_ports(&forwarding, forwards, n - 1, invocation, err);
	if (result == 0)
		result = forward_all(&forwarding, err);
	/* The connections that are left end with this process. */
	free(forwarding.listeners);
	return result;
}
