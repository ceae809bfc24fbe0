/*
 * The containers of a manifest.
 *
 * After validateContainers, validateInitContainers and validateContainerCommon of pkg/apis/core/validation, and
 * SetDefaults_Container of pkg/apis/core/v1/defaults.go.
 */
#include "runner/manifest/manifest_parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/manifest/names.h"

#define PORT_MAX 65535

static const struct choice pull_policies[] = {
	{"Always", PULL_ALWAYS},
	{"IfNotPresent", PULL_IF_NOT_PRESENT},
	{"Never", PULL_NEVER},
};

enum protocol {
	PROTOCOL_SCTP,
	PROTOCOL_TCP,
	PROTOCOL_UDP,
};
static const struct choice protocols[] = {
	{"SCTP", PROTOCOL_SCTP},
	{"TCP", PROTOCOL_TCP},
	{"UDP", PROTOCOL_UDP},
};

void container_free(struct container_spec *container)
{
	free(container->name);
	free(container->image);
	strv_free(container->command);
	strv_free(container->args);
	strv_free(container->command_shown);
	strv_free(container->args_shown);
	string_map_free(&container->env);
	free(container->working_dir);
	free(container->termination_message_path);
	for (size_t i = 0; i < container->n_ports; i++) {
		free(container->ports[i].name);
		free(container->ports[i].protocol);
		free(container->ports[i].host_ip);
	}
	free(container->ports);
	for (size_t i = 0; i < container->n_mounts; i++) {
		free(container->mounts[i].name);
		free(container->mounts[i].mount_path);
		free(container->mounts[i].sub_path);
	}
	free(container->mounts);
	security_free(&container->security);
	handler_free(&container->liveness.handler);
	handler_free(&container->readiness.handler);
	handler_free(&container->startup.handler);
	handler_free(&container->post_start);
	handler_free(&container->pre_stop);
	restart_free(container);
}

/* Always for the tag latest, written or not, else IfNotPresent. A digest pins the image: IfNotPresent. */
static enum pull_policy default_pull_policy(const char *image)
{
	const char *slash = strrchr(image, '/'), *tag = strrchr(slash ? slash : image, ':');

	if (strchr(image, '@'))
		return PULL_IF_NOT_PRESENT;
	return tag && strcmp(tag, ":latest") != 0 ? PULL_IF_NOT_PRESENT : PULL_ALWAYS;
}

static void read_image(const struct cursor *at, struct container_spec *container)
{
	struct cursor image = cursor_get(at, "image"), policy = cursor_get(at, "imagePullPolicy");
	const char *text = cursor_string(&image);

	if (!image.node || (text && !*text))
		cursor_required(&image, NULL);
	else if (text && (isspace((unsigned char)*text) || isspace((unsigned char)text[strlen(text) - 1])))
		cursor_invalid(&image, "must not have leading or trailing whitespace");
	container->image = xstrdup(text ? text : "");
	container->pull_policy_given = policy.node != NULL;
	container->pull_policy = (enum pull_policy)cursor_choice(
		&policy, pull_policies, array_length(pull_policies), default_pull_policy(container->image));
}

/* Where a port is to be published. That of an init container isn't, but of a sidecar's, as with the kubelet. */
static void read_host_port(
	const struct cursor *at, bool init, struct container_port *port, const struct pod *pod)
{
	struct cursor number = cursor_get(at, "hostPort"), ip = cursor_get(at, "hostIP");
	const char *address = cursor_string(&ip);
	int64_t value = 0;

	if (address && *address && names_check_address(&ip))
		port->host_ip = xstrdup(address);
	if (!cursor_integer(&number, &value) || value == 0 || !names_check_range(&number, 1, PORT_MAX)) {
		if (port->host_ip)
			cursor_warn(&ip, "without a hostPort nothing is published");
		return;
	}
	if (pod->host_network && value != (int64_t)port->container_port)
		cursor_invalid(&number, "must match `containerPort` when `hostNetwork` is true");
	else if (!pod->host_network && init)
		cursor_warn(&number, "no port of an init container is published");
	else if (!pod->host_network && !strcmp(port->protocol, "SCTP"))
		cursor_add(&number, SEVERITY_ERROR, "TCP or UDP", "SCTP can't be published here");
	port->host_port = (unsigned int)value;
}

static void read_port(
	const struct cursor *at, bool init, struct container_spec *container, const struct pod *pod)
{
	struct cursor name = cursor_get(at, "name"), number = cursor_get(at, "containerPort");
	struct cursor protocol = cursor_get(at, "protocol");
	struct container_port *port = &container->ports[container->n_ports];
	const char *text = cursor_string(&name);
	int64_t value = 0;

	if (text && *text && names_check_port(&name)) {
		for (size_t i = 0; i < container->n_ports; i++)
			if (container->ports[i].name && !strcmp(container->ports[i].name, text))
				cursor_duplicate(&name);
		port->name = xstrdup(text);
	}
	cursor_integer(&number, &value);
	if (!number.node || (number.node->kind == NODE_INTEGER && value == 0))
		cursor_required(&number, NULL);
	else
		names_check_range(&number, 1, PORT_MAX);
	port->container_port = (unsigned int)value;
	port->protocol = xstrdup(
		protocols[cursor_choice(&protocol, protocols, array_length(protocols), PROTOCOL_TCP)].word);
	read_host_port(at, init, port, pod);
	container->n_ports++;
}

static bool same_place(const struct container_port *a, const struct container_port *b)
{
	return a->host_port && a->host_port == b->host_port && !strcmp(a->protocol, b->protocol) &&
	       !strcmp(a->host_ip ? a->host_ip : "", b->host_ip ? b->host_ip : "");
}

/* No two ports at the same place of the host: checkHostPortConflicts. */
static void check_host_ports(const struct cursor *list, const struct container_spec *containers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct cursor item = cursor_item(list, i), ports = cursor_get(&item, "ports");

		for (size_t j = 0; j < containers[i].n_ports; j++) {
			struct cursor entry = cursor_item(&ports, j), number = cursor_get(&entry, "hostPort");
			bool twice = false;

			for (size_t k = 0; k <= i && !twice; k++)
				for (size_t l = 0; l < (k == i ? j : containers[k].n_ports) && !twice; l++)
					twice = same_place(&containers[i].ports[j], &containers[k].ports[l]);
			if (twice)
				cursor_duplicate(&number);
		}
	}
}

/* What only a container that stays may have. */
static void check_init(const struct cursor *at)
{
	static const char *const fields[] = {"lifecycle", "livenessProbe", "readinessProbe", "startupProbe"};
	struct cursor resize = cursor_get(at, "resizePolicy");

	for (size_t i = 0; i < array_length(fields); i++) {
		struct cursor field = cursor_get(at, fields[i]);

		if (field.node)
			cursor_forbidden(
				&field, "may not be set for init containers without restartPolicy=Always");
	}
	if (cursor_items(&resize) > 0)
		cursor_invalid(&resize, "must not be set for init containers");
}

static const struct choice message_policies[] = {
	{"FallbackToLogsOnError", true},
	{"File", false},
};

static void read_directories(const struct cursor *at, struct container_spec *container)
{
	struct cursor directory = cursor_get(at, "workingDir"),
		      message = cursor_get(at, "terminationMessagePath"),
		      policy = cursor_get(at, "terminationMessagePolicy");
	const char *text = cursor_string(&directory), *path = cursor_string(&message);

	if (text && *text) {
		if (!text_starts_with(text, "/"))
			cursor_invalid(&directory, "must be an absolute path");
		container->working_dir = xstrdup(text);
	}
	if (path && *path)
		names_check_absolute(&message);
	container->message_from_log =
		cursor_choice(&policy, message_policies, array_length(message_policies), false);
	container->termination_message_path = xstrdup(path && *path ? path : "/dev/termination-log");
}

static void read_stdio(const struct cursor *at, struct container_spec *container)
{
	struct cursor in = cursor_get(at, "stdin"), once = cursor_get(at, "stdinOnce"),
		      tty = cursor_get(at, "tty");

	container->stdin_open = cursor_bool(&in, false);
	container->stdin_once = cursor_bool(&once, false);
	container->tty = cursor_bool(&tty, false);
}

static void read_container(const struct cursor *spec, const struct cursor *at, bool init,
	struct container_spec *container, const struct pod *pod)
{
	struct cursor name = cursor_get(at, "name"), ports = cursor_get(at, "ports");
	struct cursor command = cursor_get(at, "command"), args = cursor_get(at, "args");
	struct cursor security = cursor_get(at, "securityContext");
	const char *text = cursor_string(&name);

	container->line = at->node ? at->node->line : 0;
	container->column = at->node ? at->node->column : 0;
	if (!name.node || (text && !*text))
		cursor_required(&name, NULL);
	else
		names_check_label(&name);
	container->name = xstrdup(text ? text : "");
	read_image(at, container);
	read_directories(at, container);
	read_stdio(at, container);
	manifest_environment(spec, at, pod, &container->env);
	container->command = manifest_expanded(&command, &container->env, &container->command_shown);
	container->args = manifest_expanded(&args, &container->env, &container->args_shown);
	manifest_restart(at, init, container);
	container->ports = xcalloc(cursor_items(&ports), sizeof(*container->ports));
	for (size_t i = 0; i < cursor_items(&ports); i++) {
		struct cursor port = cursor_item(&ports, i);

		read_port(&port, init && !container->restart_always, container, pod);
	}
	manifest_mounts(at, container, pod);
	manifest_security(&security, &container->security);
	manifest_resources(at, &container->resources);
	if (init && !container->restart_always)
		check_init(at);
	else
		manifest_probes(spec, at, pod, container);
}

/* Whether one of the n containers has that name. */
static bool is_named(const struct container_spec *containers, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(containers[i].name, name))
			return true;
	return false;
}

static void check_names(const struct cursor *list, const struct container_spec *containers, size_t n,
	const struct container_spec *others, size_t n_others)
{
	for (size_t i = 0; i < n; i++) {
		struct cursor item = cursor_item(list, i), name = cursor_get(&item, "name");

		if (*containers[i].name && (is_named(containers, i, containers[i].name) ||
						   is_named(others, n_others, containers[i].name)))
			cursor_duplicate(&name);
	}
}

void manifest_containers(const struct cursor *spec, struct pod *pod)
{
	struct cursor init = cursor_get(spec, "initContainers"), main = cursor_get(spec, "containers");

	if (cursor_items(&main) == 0 && (!main.node || main.node->kind == NODE_LIST))
		cursor_required(&main, NULL);
	pod->init_containers = xcalloc(cursor_items(&init), sizeof(*pod->init_containers));
	for (; pod->n_init_containers < cursor_items(&init); pod->n_init_containers++) {
		struct cursor item = cursor_item(&init, pod->n_init_containers);

		read_container(spec, &item, true, &pod->init_containers[pod->n_init_containers], pod);
	}
	pod->containers = xcalloc(cursor_items(&main), sizeof(*pod->containers));
	for (; pod->n_containers < cursor_items(&main); pod->n_containers++) {
		struct cursor item = cursor_item(&main, pod->n_containers);

		read_container(spec, &item, false, &pod->containers[pod->n_containers], pod);
	}
	check_host_ports(&init, pod->init_containers, pod->n_init_containers);
	check_host_ports(&main, pod->containers, pod->n_containers);
	check_names(&main, pod->containers, pod->n_containers, NULL, 0);
	check_names(&init, pod->init_containers, pod->n_init_containers, pod->containers, pod->n_containers);
}
