/* The plan of a pod, told to people: in the order of the pod's life, a paragraph a container. */
#include "runner/verbs/explain.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/plan/limits.h"

const struct profile_choice *explain_seccomp_choice(const struct explanation *explanation, size_t index)
{
	const struct plan *plan = explanation->plan;

	return plan_choice(&plan->items[index].spec->security.seccomp, &plan->pod->security.seccomp);
}

const struct profile_choice *explain_apparmor_choice(const struct explanation *explanation, size_t index)
{
	const struct plan *plan = explanation->plan;

	return plan_choice(&plan->items[index].spec->security.apparmor, &plan->pod->security.apparmor);
}

static void append(const char **list, const char *name)
{
	while (*list)
		list++;
	*list = name;
}

void explain_namespaces(const struct pod *pod, struct namespaces_told *told)
{
	*told = (struct namespaces_told){{NULL}, {NULL}, {NULL}};
	append(told->own, "mount");
	append(told->own, "cgroup");
	append(pod->host_pid ? told->host : pod->share_process_namespace ? told->pod : told->own, "pid");
	append(pod->host_network ? told->host : told->pod, "network");
	append(pod->host_ipc ? told->host : told->pod, "ipc");
	append(told->pod, "uts");
	append(userns_inside() || pod->host_users == OPTIONAL_FALSE ? told->pod : told->host, "user");
}

static void print_words(const char *const *words, FILE *out)
{
	for (size_t i = 0; words[i]; i++)
		fprintf(out, "%s%s", i ? ", " : "", words[i]);
}

void explain_label(const char *name, FILE *out)
{
	fprintf(out, "  %-13s ", name);
}

/* A word of a command, quoted as a shell would want it. */
static void print_argument(const char *word, FILE *out)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@%";
	cleanup_free char *shown = text_printable(word, strlen(word));

	if (*shown && strspn(shown, plain) == strlen(shown)) {
		fputs(shown, out);
		return;
	}
	putc('\'', out);
	for (const char *p = shown; *p; p++) {
		if (*p == '\'')
			fputs("'\\''", out);
		else
			putc(*p, out);
	}
	putc('\'', out);
}

static void print_image(const struct planned *item, FILE *out)
{
	const struct image *image = &item->image;

	explain_label("image", out);
	if (image->name) {
		char size[32];

		fprintf(out, "%s, %s, %s\n", image->name, text_size(image->size, size, sizeof(size)),
			image->digest);
		if (plan_pull_policy(item->spec, image) == PULL_ALWAYS) {
			explain_label("", out);
			fprintf(out, "a run asks its registry first (imagePullPolicy Always%s)\n",
				item->spec->pull_policy_given ? "" : ", the default of the tag latest");
		}
	} else {
		fprintf(out, "%s, not in the store\n", item->spec->image);
	}
}

/* Where a variable comes from, if it is from elsewhere than the manifest's text; or NULL. */
static const char *source_of(const struct container_spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->env.n; i++)
		if (!strcmp(spec->env.items[i].key, name))
			return spec->env.items[i].source;
	return NULL;
}

static void print_process(const struct planned *item, FILE *out)
{
	const struct container *container = &item->container;
	size_t n = 0;

	explain_label("command", out);
	for (size_t i = 0; item->argv_shown && item->argv_shown[i]; i++) {
		if (i)
			putc(' ', out);
		print_argument(item->argv_shown[i], out);
	}
	if (!item->argv_shown || !item->argv_shown[0])
		fputs("not known", out);
	putc('\n', out);
	explain_label("in", out);
	print_argument(container->cwd, out);
	putc('\n', out);
	if (item->spec->stdin_open || item->spec->tty) {
		explain_label("terminal", out);
		fprintf(out, "%s; standard input %s\n", item->spec->tty ? "its own" : "none",
			!item->spec->stdin_open  ? "empty"
			: item->spec->stdin_once ? "open for the first who attaches"
						 : "open for those who attach");
	}
	explain_label("environment", out);
	while (container->env && container->env[n])
		n++;
	fprintf(out, "%zu variable%s: ", n, n == 1 ? "" : "s");
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *name = text_printable(container->env[i], strcspn(container->env[i], "="));
		const char *source = source_of(item->spec, name);

		fprintf(out, "%s%s%s%s", i ? ", " : "", name, source ? " from " : "", source ? source : "");
	}
	putc('\n', out);
}

static void print_group(const struct container *container, FILE *out)
{
	if (container->group)
		fprintf(out, ", group %s, as the image's /etc/group has it", container->group);
	else if (container->gid_from_image)
		fprintf(out, ", group as the image's /etc/passwd has it%s",
			container->user ? "" : ", else 0");
	else
		fprintf(out, ", group %u", (unsigned)container->credentials.gid);
}

static void print_user(const struct planned *item, FILE *out)
{
	const struct credentials *credentials = &item->container.credentials;
	int64_t outer = userns_outer_uid(credentials->uid);

	explain_label("user", out);
	if (item->container.user) {
		fprintf(out, "%s, the image's", item->container.user);
	} else {
		fprintf(out, "%u", (unsigned)credentials->uid);
		if (userns_inside() && outer >= 0)
			fprintf(out, " (the host's %lld)", (long long)outer);
	}
	print_group(&item->container, out);
	for (size_t i = 0; i < credentials->n_groups; i++)
		fprintf(out, "%s%u", i ? ", " : ", supplementary groups ", (unsigned)credentials->groups[i]);
	putc('\n', out);
}

static void print_namespaces(const struct pod *pod, FILE *out)
{
	struct namespaces_told told;

	explain_namespaces(pod, &told);
	explain_label("namespaces", out);
	fputs("new: ", out);
	print_words(told.own, out);
	if (told.pod[0]) {
		fputs("; the pod's: ", out);
		print_words(told.pod, out);
	}
	if (told.host[0]) {
		fputs("; the host's: ", out);
		print_words(told.host, out);
	}
	putc('\n', out);
}

static void print_mounts(const struct pod *pod, const struct planned *item, FILE *out)
{
	explain_label("mounts", out);
	fprintf(out, "/  the image, %s\n",
		item->read_only_root ? "read-only" : "writable in a layer of the container's own");
	for (size_t i = 0; i < item->spec->n_mounts; i++) {
		const struct volume_mount *mount = &item->spec->mounts[i];
		const struct volume *volume = &pod->volumes[mount->volume];

		explain_label("", out);
		fprintf(out, "%s  volume %s%s%s%s%s%s\n", mount->mount_path, mount->name,
			mount->sub_path ? "/" : "", mount->sub_path ? mount->sub_path : "",
			volume->kind == VOLUME_HOST_PATH ? ", the host's " : "",
			volume->kind == VOLUME_HOST_PATH ? volume->host_path : "",
			mount->read_only || volume_has_entries(volume) ? ", read-only" : "");
	}
	for (char *const *path = item->image.config.volumes; path && *path; path++) {
		explain_label("", out);
		print_argument(*path, out);
		fputs("  a volume of the image, the container's own unless another is mounted there\n", out);
	}
	explain_label("", out);
	fprintf(out, "/etc/hosts, /etc/hostname, /etc/resolv.conf, %s  minirun's own\n",
		item->spec->termination_message_path);
	explain_label("", out);
	fprintf(out, "/proc, /dev, /sys%s\n",
		item->privileged ? "  the host's devices, /sys writable, nothing masked" : "");
}

static void print_ports(const struct plan *plan, const struct planned *item, FILE *out)
{
	if (!item->spec->n_ports)
		return;
	explain_label("ports", out);
	for (size_t i = 0; i < item->spec->n_ports; i++) {
		const struct container_port *port = &item->spec->ports[i];

		fprintf(out, "%s%u/%s", i ? ", " : "", port->container_port, port->protocol);
		if (plan_publishes(plan, item, port))
			fprintf(out, ", published at %s:%u", port->host_ip ? port->host_ip : "0.0.0.0",
				port->host_port);
	}
	putc('\n', out);
}

static void print_pod(const struct plan *plan, FILE *out)
{
	const struct pod *pod = plan->pod;
	cleanup_free char *limits = limits_describe(&plan->limits, plan->storage_limit);
	static const char *const policies[] = {
		[RESTART_ALWAYS] = "Always", [RESTART_ON_FAILURE] = "OnFailure", [RESTART_NEVER] = "Never"};

	fprintf(out, "pod %s\n", pod->name);
	explain_label("namespace", out);
	fprintf(out, "%s\n", pod->namespace);
	explain_label("hostname", out);
	fprintf(out, "%s\n", pod->host_network ? "the host's" : pod->hostname);
	explain_label("network", out);
	fputs(pod->host_network ? "the host's\n"
		: plan_has_published(plan)
			? "its own: loopback, and by pasta what goes out and the published ports\n"
			: "its own: loopback alone\n",
		out);
	if (plan->own_users) {
		explain_label("users", out);
		fprintf(out, "its own: 0-%d are a range of the host's that nobody else has\n", POD_IDS - 1);
	}
	explain_label("restarts", out);
	fprintf(out, "%s\n", policies[pod->restart_policy]);
	explain_label("grace period", out);
	fprintf(out, "%u s\n", pod->termination_grace_period);
	explain_label("QoS class", out);
	fprintf(out, "%s\n", limits_qos_class(pod));
	explain_label("limits", out);
	fprintf(out, "%s%s\n", limits,
		plan->optional_controllers ? " where cgroup v2 counts them: --pids-limit" : "");
	for (size_t i = 0; i < pod->sysctls.n; i++) {
		explain_label(i ? "" : "sysctls", out);
		fprintf(out, "%s = %s\n", pod->sysctls.items[i].key, pod->sysctls.items[i].value);
	}
	explain_volumes(pod, out);
}

void explain_text(const struct explanation *explanation, FILE *out)
{
	const struct plan *plan = explanation->plan;

	print_pod(plan, out);
	for (size_t i = 0; i < plan->n; i++) {
		const struct planned *item = &plan->items[i];

		fprintf(out, "\n%s %s%s\n", item->is_init ? "init container" : "container", item->spec->name,
			item->is_init                ? ", to its end before the next"
			: plan->n - plan->n_init > 1 ? ", together with the others"
						     : "");
		print_image(item, out);
		print_process(item, out);
		print_user(item, out);
		print_namespaces(plan->pod, out);
		print_mounts(plan->pod, item, out);
		print_ports(explanation->plan, item, out);
		explain_locks(explanation, i, out);
	}
}
