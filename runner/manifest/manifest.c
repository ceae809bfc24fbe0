/* The manifest: the text of a v1 Pod becomes a struct pod, or a list of all that is wrong with it. */
#include "runner/manifest/manifest.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/manifest/fields.h"
#include "runner/manifest/manifest_parts.h"
#include "runner/manifest/names.h"

/* A pod has some hundred values. Beyond this a file is a mistake or an attack, and our quadratic checks would show. */
#define MANIFEST_VALUES      10000
#define ANNOTATIONS_LIMIT    (256UL * 1024) /* bytes of keys and values, as in the API server */
#define HOSTNAME_LIMIT       63
#define DEFAULT_GRACE_PERIOD 30

static const struct choice restart_policies[] = {
	{"Always", RESTART_ALWAYS},
	{"OnFailure", RESTART_ON_FAILURE},
	{"Never", RESTART_NEVER},
};

void pod_free(struct pod *pod)
{
	if (!pod)
		return;
	free(pod->name);
	free(pod->namespace);
	string_map_free(&pod->labels);
	string_map_free(&pod->annotations);
	for (size_t i = 0; i < pod->n_init_containers; i++)
		container_free(&pod->init_containers[i]);
	free(pod->init_containers);
	for (size_t i = 0; i < pod->n_containers; i++)
		container_free(&pod->containers[i]);
	free(pod->containers);
	for (size_t i = 0; i < pod->n_volumes; i++)
		volume_free(&pod->volumes[i]);
	free(pod->volumes);
	for (size_t i = 0; i < pod->n_configs; i++)
		config_free(&pod->configs[i]);
	free(pod->configs);
	free(pod->service_account);
	security_free(&pod->security);
	free(pod->supplemental_groups);
	string_map_free(&pod->sysctls);
	free(pod->hostname);
	strv_free(pod->readiness_gates);
	for (size_t i = 0; i < pod->n_host_aliases; i++) {
		free(pod->host_aliases[i].ip);
		strv_free(pod->host_aliases[i].hostnames);
	}
	free(pod->host_aliases);
	free(pod);
}

static size_t count_values(const struct node *node)
{
	size_t n = 1;

	for (size_t i = 0; i < node->n; i++)
		n += count_values(node->items[i]);
	return n;
}

static void check_labels(const struct cursor *labels)
{
	for (size_t i = 0; i < cursor_entries(labels); i++) {
		struct cursor entry = cursor_entry(labels, i);

		names_check_label_key(labels, entry.key);
		names_check_label_value(labels, &entry);
	}
}

static void check_annotations(const struct cursor *annotations)
{
	size_t bytes = 0;

	for (size_t i = 0; i < cursor_entries(annotations); i++) {
		struct cursor entry = cursor_entry(annotations, i);
		const char *value = cursor_string(&entry);

		names_check_label_key(annotations, entry.key);
		bytes += strlen(entry.key) + (value ? strlen(value) : 0);
	}
	if (bytes > ANNOTATIONS_LIMIT)
		cursor_add(annotations, SEVERITY_ERROR, NULL, "Too long: may not be more than %lu bytes",
			ANNOTATIONS_LIMIT);
}

void manifest_metadata(
	const struct cursor *object, const char *asked, char **owned_name, char **owned_namespace)
{
	struct cursor metadata = cursor_get(object, "metadata");
	struct cursor name = cursor_get(&metadata, "name"), namespace = cursor_get(&metadata, "namespace");
	struct cursor labels = cursor_get(&metadata, "labels"),
		      annotations = cursor_get(&metadata, "annotations");
	const char *name_text = cursor_string(&name), *namespace_text = cursor_string(&namespace);

	if (!name.node || (name_text && !*name_text))
		cursor_required(&name, NULL);
	else
		names_check_subdomain(&name);
	if (namespace_text && *namespace_text)
		names_check_label(&namespace);
	else
		namespace_text = asked ? asked : "default";
	if (asked && namespace_text && strcmp(asked, namespace_text) != 0)
		cursor_add(&namespace, SEVERITY_ERROR, NULL,
			"the namespace from the provided object \"%s\" does not match the namespace \"%s\"; "
			"you must pass '--namespace=%s'",
			namespace_text, asked, namespace_text);
	check_labels(&labels);
	check_annotations(&annotations);
	*owned_name = xstrdup(name_text ? name_text : "");
	*owned_namespace = xstrdup(namespace_text);
}

static void read_metadata(const struct cursor *root, struct pod *pod)
{
	struct cursor metadata = cursor_get(root, "metadata");
	struct cursor labels = cursor_get(&metadata, "labels"),
		      annotations = cursor_get(&metadata, "annotations");

	manifest_metadata(root, pod->namespace_asked, &pod->name, &pod->namespace);
	string_map_read(&labels, &pod->labels);
	string_map_read(&annotations, &pod->annotations);
}

/* The pod's name, cut to 63 characters, and not ending in what a hostname may not end in. */
static char *default_hostname(const char *name)
{
	size_t n = strnlen(name, HOSTNAME_LIMIT);

	while (n > 0 && (name[n - 1] == '-' || name[n - 1] == '.'))
		n--;
	return xstrndup(name, n);
}

static void read_aliases(const struct cursor *spec, struct pod *pod)
{
	struct cursor list = cursor_get(spec, "hostAliases");

	pod->host_aliases = xcalloc(cursor_items(&list), sizeof(*pod->host_aliases));
	for (size_t i = 0; i < cursor_items(&list); i++) {
		struct cursor item = cursor_item(&list, i), ip = cursor_get(&item, "ip");
		struct cursor names = cursor_get(&item, "hostnames");
		const char *text = cursor_string(&ip);
		struct strv hostnames = {0};

		if (!ip.node)
			cursor_required(&ip, NULL);
		names_check_address(&ip);
		for (size_t j = 0; j < cursor_items(&names); j++) {
			struct cursor name = cursor_item(&names, j);

			names_check_subdomain(&name);
			if (cursor_string(&name))
				strv_push(&hostnames, xstrdup(cursor_string(&name)));
		}
		pod->host_aliases[pod->n_host_aliases++] = (struct host_alias){
			xstrdup(text ? text : ""), hostnames.items ? hostnames.items : strv_copy(NULL)};
	}
}

/* As validateHostUsers of pkg/apis/core/validation. */
static void read_users(const struct cursor *spec, struct pod *pod)
{
	static const char *const others[] = {"hostNetwork", "hostPID", "hostIPC"};
	struct cursor users = cursor_get(spec, "hostUsers");

	if (!users.node)
		return;
	pod->host_users = cursor_bool(&users, true) ? OPTIONAL_TRUE : OPTIONAL_FALSE;
	pod->host_users_line = users.node->line;
	pod->host_users_column = users.node->column;
	for (size_t i = 0; pod->host_users == OPTIONAL_FALSE && i < array_length(others); i++) {
		struct cursor other = cursor_get(spec, others[i]);

		if (cursor_bool(&other, false))
			cursor_forbidden(&other, "when `hostUsers` is false");
	}
}

static void read_namespaces(const struct cursor *spec, struct pod *pod)
{
	struct cursor network = cursor_get(spec, "hostNetwork"), pid = cursor_get(spec, "hostPID");
	struct cursor ipc = cursor_get(spec, "hostIPC"), shared = cursor_get(spec, "shareProcessNamespace");

	pod->host_network = cursor_bool(&network, false);
	pod->host_pid = cursor_bool(&pid, false);
	pod->host_ipc = cursor_bool(&ipc, false);
	pod->share_process_namespace = cursor_bool(&shared, false);
	read_users(spec, pod);
	if (pod->share_process_namespace && pod->host_pid)
		cursor_invalid(&shared, "ShareProcessNamespace and HostPID cannot both be enabled");
}

static void read_service_account(const struct cursor *spec, struct pod *pod)
{
	struct cursor name = cursor_get(spec, "serviceAccountName"), old = cursor_get(spec, "serviceAccount");
	const char *text = cursor_string(&name), *old_text = cursor_string(&old);

	text = text && *text ? text : old_text;
	pod->service_account = xstrdup(text && *text ? text : "default");
}

static void read_spec(const struct cursor *root, struct pod *pod)
{
	struct cursor spec = cursor_get(root, "spec"), hostname = cursor_get(&spec, "hostname");
	struct cursor grace = cursor_get(&spec, "terminationGracePeriodSeconds");
	struct cursor policy = cursor_get(&spec, "restartPolicy");
	struct cursor deadline = cursor_get(&spec, "activeDeadlineSeconds");
	const char *text = cursor_string(&hostname);
	int64_t seconds = DEFAULT_GRACE_PERIOD;

	read_namespaces(&spec, pod);
	if (text && *text)
		names_check_label(&hostname);
	pod->hostname = text && *text ? xstrdup(text) : default_hostname(pod->name);
	read_aliases(&spec, pod);
	read_service_account(&spec, pod);
	cursor_integer(&grace, &seconds);
	if (names_check_range(&grace, 0, INT64_MAX))
		pod->termination_grace_period = seconds > INT_MAX ? INT_MAX : (unsigned int)seconds;
	pod->restart_policy = (enum restart_policy)cursor_choice(
		&policy, restart_policies, array_length(restart_policies), RESTART_ALWAYS);
	manifest_gates(&spec, pod);
	manifest_resources(&spec, &pod->resources);
	if (cursor_integer(&deadline, &seconds) && names_check_range(&deadline, 1, INT_MAX))
		pod->active_deadline = (unsigned int)seconds;
	manifest_pod_security(&spec, pod);
	manifest_volumes(&spec, pod);
	manifest_containers(&spec, pod);
	manifest_sources(&spec, pod);
}

void manifest_pod(const struct cursor *root, struct pod *pod)
{
	fields_check(root, &fields_pod);
	read_metadata(root, pod);
	read_spec(root, pod);
	manifest_apparmor(root, pod);
}

/* A random UUID (RFC 4122, version 4). */
static bool make_uid(char uid[37])
{
	unsigned char b[16];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		return false;
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	snprintf(uid, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
	return true;
}

struct pod *manifest_read(const char *text, size_t size, struct findings *findings)
{
	return manifest_read_in(text, size, NULL, findings);
}

struct pod *manifest_read_in(const char *text, size_t size, const char *namespace, struct findings *findings)
{
	cleanup_node struct node *documents = document_read_all(text, size, DOCUMENT_AUTO, findings);
	cleanup_pod struct pod *pod = xcalloc(1, sizeof(*pod));

	pod->namespace_asked = namespace;
	if (documents && count_values(documents) > MANIFEST_VALUES)
		findings_add(findings, SEVERITY_ERROR, 1, 1, NULL, NULL,
			"the manifest holds more than %d values", MANIFEST_VALUES);
	else if (!make_uid(pod->uid))
		findings_add(
			findings, SEVERITY_ERROR, 0, 0, NULL, NULL, "this machine gives no random numbers");
	else if (documents)
		manifest_documents(documents, findings, pod);
	pod->namespace_asked = NULL;
	findings_sort(findings);
	return findings->errors ? NULL : steal_pointer(&pod);
}
