/* The pod's hostPorts, published by pasta as long as the pod runs (namespaces/pasta.c). */
#include <stdlib.h>

#include "base/memory.h"
#include "runner/pod/supervise.h"

/* The ports that are to be published; their paths are to be freed. */
static struct published_port *collect(const struct plan *plan, size_t *n)
{
	struct published_port *ports = NULL;

	*n = 0;
	for (size_t i = 0; i < plan->n; i++) {
		const struct planned *item = &plan->items[i];

		for (size_t j = 0; j < item->spec->n_ports; j++) {
			const struct container_port *port = &item->spec->ports[j];

			if (!plan_publishes(plan, item, port))
				continue;
			ports = xreallocarray(ports, *n + 1, sizeof(*ports));
			ports[(*n)++] = (struct published_port){
				.path = xasprintf("%s.ports[%zu].hostPort", item->path, j),
				.udp = port->protocol[0] == 'U',
				.address = port->host_ip,
				.host = port->host_port,
				.container = port->container_port,
			};
		}
	}
	return ports;
}

static void warn(struct supervisor *supervisor, const char *reason, const char *text)
{
	struct event event = {.type = "warning", .tone = TONE_NOTE, .important = true};

	status_event(supervisor, NULL, true, reason, "%s", text);
	report_event(supervisor->report, supervisor->plan->pod->name, &event, "%s", text);
}

static void on_publisher_exit(struct watch *watch, void *data)
{
	struct supervisor *supervisor = data;
	int pidfd = loop_take(&supervisor->loop, watch);

	network_unpublish(&pidfd);
	warn(supervisor, "NetworkNotReady", "pasta has ended: the pod's ports are not published any more");
}

int publishing_start(struct supervisor *supervisor, struct error *err)
{
	struct published_port *ports;
	bool local_only = false;
	size_t n;
	int pidfd = -1;
	int result = 0;

	ports = collect(supervisor->plan, &n);
	if (n)
		result = network_publish(&supervisor->sandbox, ports, n, &local_only, &pidfd, err);
	for (size_t i = 0; i < n; i++)
		free((char *)(uintptr_t)ports[i].path);
	free(ports);
	if (!n || result < 0)
		return result;
	if (loop_add(&supervisor->loop, &supervisor->publisher, pidfd, on_publisher_exit, supervisor, err) <
		0) {
		network_unpublish(&pidfd);
		return -1;
	}
	if (local_only)
		warn(supervisor, "NetworkNotReady",
			"this machine has no default route: the pod's ports are published for itself alone, "
			"and "
			"nothing goes out");
	return 0;
}

void publishing_stop(struct supervisor *supervisor)
{
	int pidfd = supervisor->publisher.fd;

	if (pidfd < 0)
		return;
	loop_take(&supervisor->loop, &supervisor->publisher);
	network_unpublish(&pidfd);
}
