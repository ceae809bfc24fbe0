/*
 * Probes and hooks of a container.
 *
 * After validateProbe, validateHandler and validateLifecycle of pkg/apis/core/validation, and SetDefaults_Probe and
 * SetDefaults_HTTPGetAction of pkg/apis/core/v1/defaults.go.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/manifest/manifest_parts.h"
#include "runner/manifest/names.h"
#include "runner/manifest/signals.h"

#define PORT_MAX 65535

static const struct choice schemes[] = {{"HTTP", 0}, {"HTTPS", 1}};

void handler_free(struct handler *handler)
{
	strv_free(handler->command);
	free(handler->host);
	free(handler->path);
	string_map_free(&handler->headers);
	*handler = (struct handler){0};
}

static void read_command(const struct cursor *exec, struct handler *handler)
{
	struct cursor list = cursor_get(exec, "command");
	struct strv words = {0};

	if (!cursor_items(&list))
		cursor_required(&list, NULL);
	for (size_t i = 0; i < cursor_items(&list); i++) {
		struct cursor item = cursor_item(&list, i);
		const char *word = cursor_string(&item);

		strv_push(&words, xstrdup(word ? word : ""));
	}
	handler->kind = HANDLER_EXEC;
	handler->command = words.items ? words.items : strv_copy(NULL);
}

/* A number, or the name of one of the container's ports. */
static void read_port(
	const struct cursor *at, const struct container_spec *container, struct handler *handler)
{
	struct cursor port = cursor_get(at, "port"), host = cursor_get(at, "host");
	const char *name = cursor_string(&port), *host_text = cursor_string(&host);
	int64_t number = 0;

	handler->host = host_text && *host_text ? xstrdup(host_text) : NULL;
	if (!port.node) {
		cursor_required(&port, NULL);
		return;
	}
	if (cursor_integer(&port, &number) && names_check_range(&port, 1, PORT_MAX))
		handler->port = (unsigned int)number;
	if (!name || !names_check_port(&port))
		return;
	for (size_t i = 0; i < container->n_ports; i++)
		if (container->ports[i].name && !strcmp(container->ports[i].name, name))
			handler->port = container->ports[i].container_port;
	if (!handler->port)
		cursor_invalid(&port, "no port of this container has that name");
}

static void read_http(
	const struct cursor *at, const struct container_spec *container, struct handler *handler)
{
	struct cursor path = cursor_get(at, "path"), scheme = cursor_get(at, "scheme");
	struct cursor headers = cursor_get(at, "httpHeaders");
	const char *text = cursor_string(&path);

	handler->kind = HANDLER_HTTP;
	handler->path = xstrdup(text && *text ? text : "/");
	if (strpbrk(handler->path, " \r\n"))
		cursor_invalid(&path, "must not contain spaces or line breaks");
	if (cursor_choice(&scheme, schemes, array_length(schemes), 0) == 1)
		cursor_add(&scheme, SEVERITY_ERROR, NULL, "known, not supported here: only HTTP is spoken");
	read_port(at, container, handler);
	for (size_t i = 0; i < cursor_items(&headers); i++) {
		struct cursor header = cursor_item(&headers, i);
		struct cursor name = cursor_get(&header, "name"), value = cursor_get(&header, "value");
		const char *name_text = cursor_string(&name), *value_text = cursor_string(&value);

		if (!name_text || !*name_text) {
			cursor_required(&name, NULL);
			continue;
		}
		if (strpbrk(name_text, " :\r\n"))
			cursor_invalid(&name,
				"a valid HTTP header must consist of alphanumeric characters or "
				"'-' (e.g. 'X-Header-Name', regex used for validation is "
				"'[-A-Za-z0-9]+')");
		if (value_text && strpbrk(value_text, "\r\n"))
			cursor_invalid(&value, "must not contain line breaks");
		string_map_add(&handler->headers, xstrdup(name_text), xstrdup(value_text ? value_text : ""));
	}
}

static void read_sleep(const struct cursor *at, const struct pod *pod, struct handler *handler)
{
	struct cursor seconds = cursor_get(at, "seconds");
	int64_t value = 0;

	handler->kind = HANDLER_SLEEP;
	cursor_integer(&seconds, &value);
	if (value < 0 || value > (int64_t)pod->termination_grace_period)
		cursor_invalid(&seconds,
			"must be non-negative and less than or equal to terminationGracePeriodSeconds (%u). "
			"Got %lld",
			pod->termination_grace_period, (long long)value);
	handler->seconds = value < 0 ? 0 : value;
}

/* Exactly one of them. */
static void read_handler(const struct cursor *at, const struct container_spec *container,
	const struct pod *pod, bool hook, struct handler *handler)
{
	static const char *const kinds[] = {"exec", "httpGet", "tcpSocket", "grpc", "sleep"};
	unsigned int n = 0;

	for (size_t i = 0; i < array_length(kinds); i++) {
		struct cursor entry = cursor_get(at, kinds[i]);

		/* What only the other has is an unknown field, which has been said. */
		if (!entry.node || !strcmp(kinds[i], hook ? "grpc" : "sleep"))
			continue;
		if (n++) {
			cursor_forbidden(&entry, "may not specify more than 1 handler type");
			continue;
		}
		if (i == 0) {
			read_command(&entry, handler);
		} else if (i == 1) {
			read_http(&entry, container, handler);
		} else if (i == 2) {
			handler->kind = HANDLER_TCP;
			read_port(&entry, container, handler);
		} else if (i == 4) {
			read_sleep(&entry, pod, handler);
		}
	}
	if (!n)
		cursor_required(at, "must specify a handler type");
}

static unsigned int read_number(
	const struct cursor *probe, const char *name, int64_t least, unsigned int otherwise)
{
	struct cursor at = cursor_get(probe, name);
	int64_t value = 0;

	if (!cursor_integer(&at, &value) || !names_check_range(&at, least, INT64_MAX) || value == 0)
		return otherwise;
	return value > INT_MAX ? INT_MAX : (unsigned int)value;
}

static void read_probe(const struct cursor *container_at, const char *name,
	const struct container_spec *container, const struct pod *pod, struct probe *probe)
{
	struct cursor at = cursor_get(container_at, name);
	struct cursor grace = cursor_get(&at, "terminationGracePeriodSeconds");
	struct cursor success = cursor_get(&at, "successThreshold");
	bool readiness = !strcmp(name, "readinessProbe");

	if (!at.node)
		return;
	read_handler(&at, container, pod, false, &probe->handler);
	probe->initial_delay = read_number(&at, "initialDelaySeconds", 0, 0);
	probe->timeout = read_number(&at, "timeoutSeconds", 0, 1);
	probe->period = read_number(&at, "periodSeconds", 0, 10);
	probe->success = read_number(&at, "successThreshold", 0, 1);
	probe->failure = read_number(&at, "failureThreshold", 0, 3);
	if (probe->success != 1 && !readiness)
		cursor_invalid(&success, "must be 1");
	if (grace.node && readiness)
		cursor_invalid(&grace, "must not be set for readinessProbes");
	else if (grace.node && cursor_integer(&grace, &probe->grace.value))
		probe->grace.set = names_check_range(&grace, 1, INT_MAX);
}

static void read_hook(const struct cursor *lifecycle, const char *name,
	const struct container_spec *container, const struct pod *pod, struct handler *handler)
{
	struct cursor at = cursor_get(lifecycle, name);

	if (!at.node)
		return;
	read_handler(&at, container, pod, true, handler);
	if (handler->kind == HANDLER_TCP)
		cursor_add(&at, SEVERITY_ERROR, NULL,
			"known, not supported here: Kubernetes itself runs no tcpSocket hooks");
}

static void read_stop_signal(
	const struct cursor *spec, const struct cursor *lifecycle, struct container_spec *container)
{
	struct cursor at = cursor_get(lifecycle, "stopSignal"), os = cursor_get(spec, "os");
	struct cursor os_name = cursor_get(&os, "name");
	const char *text = cursor_string(&at);

	if (!text || !*text)
		return;
	if (!cursor_string(&os_name))
		cursor_forbidden(&at, "may not be set for containers with empty `spec.os.name`");
	container->stop_signal = strncmp(text, "SIG", 3) ? -1 : signal_parse(text);
	if (container->stop_signal > 0)
		return;
	container->stop_signal = 0;
	cursor_invalid(&at, "not the name of a signal, such as SIGTERM or SIGUSR1");
}

void manifest_probes(const struct cursor *spec, const struct cursor *at, const struct pod *pod,
	struct container_spec *container)
{
	struct cursor lifecycle = cursor_get(at, "lifecycle");

	read_probe(at, "livenessProbe", container, pod, &container->liveness);
	read_probe(at, "readinessProbe", container, pod, &container->readiness);
	read_probe(at, "startupProbe", container, pod, &container->startup);
	read_hook(&lifecycle, "postStart", container, pod, &container->post_start);
	read_hook(&lifecycle, "preStop", container, pod, &container->pre_stop);
	read_stop_signal(spec, &lifecycle, container);
}
