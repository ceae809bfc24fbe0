/*
 * The manifest: the text of a v1 Pod becomes a struct pod, or a list of all that is wrong with it.
 *
 * Beside the Pod the file may hold the ConfigMaps and Secrets that it refers to, in any order: as documents or as the items of a
 * List. All references are resolved here, so that a struct pod is complete. What comes of a Secret is in memory alone, and
 * each string it went into has another form that may be shown (struct string_pair).
 *
 * The fields, their types and what we do with each (act, warn, refuse) are one table, runner/manifest/fields.c; the
 * validation rules and their wording are the API server's (pkg/apis/core/validation).
 * Defaults (pkg/apis/core/v1/defaults.go) are applied here: what reads a struct pod never meets an unset enum.
 */
#ifndef RUNNER_MANIFEST_H
#define RUNNER_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/document.h"
#include "base/finding.h"

/* A field that may be absent, where absence means something else than any value. */
struct optional_integer {
	bool set;
	int64_t value;
};

enum optional_bool {
	OPTIONAL_UNSET,
	OPTIONAL_FALSE,
	OPTIONAL_TRUE,
};

struct json_object;

struct string_pair {
	char *key, *value;
	char *shown; /* what is shown of a value that has something of a Secret in it; NULL: the value itself */
	char *source; /* "secret db", "metadata.name": of a variable that isn't the manifest's own text; else NULL */
};

struct string_map {
	struct string_pair *items;
	size_t n;
};

enum profile_type {
	PROFILE_UNSET,
	PROFILE_UNCONFINED,
	PROFILE_RUNTIME_DEFAULT,
	PROFILE_LOCALHOST,
};

/* seccompProfile or appArmorProfile. */
struct profile_choice {
	enum profile_type type;
	char *localhost; /* localhostProfile: a relative path (seccomp) or a profile's name (AppArmor) */
	unsigned int line,
		column; /* of the choice in the manifest, for messages; 0 if it came by annotation */
};

/* securityContext of a container. Absent fields fall back to the pod's; plan.c does that. */
struct security_context {
	char **add_capabilities; /* as written, "ALL" among them, "CAP_" prefix removed, upper case; NULL if none */
	char **drop_capabilities; /* likewise */
	enum optional_bool privileged, allow_privilege_escalation, read_only_root, run_as_non_root;
	struct optional_integer run_as_user, run_as_group;
	struct profile_choice seccomp, apparmor;
};

/* One kind of resource: what is asked for, and what it may not exceed. A request that isn't given is the limit. */
struct requirement {
	struct optional_integer request, limit;
};

union requirements {
	struct {
		struct requirement cpu; /* in thousandths of a processor */
		struct requirement memory; /* in bytes */
		struct requirement storage; /* ephemeral-storage, in bytes */
	};
	struct requirement all[3];
};

struct volume_mount {
	char *name; /* of the volume */
	char *mount_path; /* absolute */
	char *sub_path; /* relative, without ".."; NULL if none */
	bool read_only;
	size_t volume; /* index into struct pod's volumes */
};

struct container_port {
	char *name; /* or NULL */
	unsigned int container_port;
	char *protocol; /* "TCP", "UDP" or "SCTP" */
	unsigned int host_port; /* to be published as; 0: not */
	char *host_ip; /* where; NULL: on all addresses */
};

enum pull_policy {
	PULL_ALWAYS,
	PULL_IF_NOT_PRESENT,
	PULL_NEVER,
};

enum handler_kind {
	HANDLER_NONE,
	HANDLER_EXEC,
	HANDLER_HTTP,
	HANDLER_TCP,
	HANDLER_SLEEP,
};

/* What a probe or a hook does. */
struct handler {
	enum handler_kind kind;
	char **command; /* HANDLER_EXEC */
	char *host; /* NULL: the pod */
	unsigned int port;
	char *path; /* HANDLER_HTTP */
	struct string_map headers;
	int64_t seconds; /* HANDLER_SLEEP */
};

struct probe {
	struct handler handler; /* HANDLER_NONE: there is no such probe */
	unsigned int initial_delay, timeout, period; /* seconds */
	unsigned int success, failure; /* thresholds */
	struct optional_integer grace; /* terminationGracePeriodSeconds of its own */
};

enum restart_policy {
	RESTART_ALWAYS,
	RESTART_ON_FAILURE,
	RESTART_NEVER,
	RESTART_POD, /* of a container: what the pod says */
};

/* An item of restartPolicyRules, whose action is Restart: it holds if the exit code is one of these, or isn't. */
struct restart_rule {
	bool not_in;
	int64_t *codes;
	size_t n;
};

struct container_spec {
	char *name, *image;
	enum pull_policy pull_policy;
	bool pull_policy_given; /* it stands in the manifest */
	char **command, **args; /* NULL if absent; $(VAR) is expanded already, against env */
	char **command_shown, **args_shown; /* the same without what comes of Secrets */
	/* Of envFrom, then of env, in order; $(VAR) is expanded already, $$ is $; a later name replaces an earlier. */
	struct string_map env;
	char *working_dir; /* or NULL */
	char *termination_message_path; /* default /dev/termination-log */
	struct container_port *ports;
	size_t n_ports;
	struct volume_mount *mounts;
	size_t n_mounts;
	struct security_context security;
	union requirements resources;
	struct probe liveness, readiness, startup;
	struct handler post_start, pre_stop;
	int stop_signal; /* 0: the image's */
	bool stdin_open, stdin_once, tty; /* stdin, stdinOnce, tty */
	bool message_from_log; /* terminationMessagePolicy is FallbackToLogsOnError */
	bool restart_always; /* an init container with restartPolicy: Always (a sidecar) */
	enum restart_policy restart_policy; /* RESTART_POD where the container has none of its own */
	struct restart_rule *restart_rules; /* the first that holds counts; then the policy */
	size_t n_restart_rules;
	unsigned int line, column;
};

enum volume_kind {
	VOLUME_EMPTY_DIR,
	VOLUME_HOST_PATH,
	VOLUME_CONFIG_MAP,
	VOLUME_SECRET,
	VOLUME_DOWNWARD,
	VOLUME_PROJECTED,
	VOLUME_UNSUPPORTED, /* a known source that is not supported here: an error at validation if it is mounted */
};

enum host_path_type {
	HOST_PATH_UNCHECKED, /* type "" or absent */
	HOST_PATH_DIRECTORY_OR_CREATE,
	HOST_PATH_DIRECTORY,
	HOST_PATH_FILE_OR_CREATE,
	HOST_PATH_FILE,
	HOST_PATH_SOCKET,
	HOST_PATH_CHAR_DEVICE,
	HOST_PATH_BLOCK_DEVICE,
};

/* A file of a volume that is made of ConfigMaps, Secrets and what is known of the pod. */
struct volume_entry {
	char *path; /* below the volume, relative, without ".." */
	const char *data; /* the key's own, or owned */
	char *owned; /* what isn't a key's; NULL else */
	size_t size;
	unsigned int mode; /* permissions */
	char *source; /* "configmap site, key index.html", for people */
};

struct volume {
	char *name;
	enum volume_kind kind;
	bool memory; /* emptyDir.medium is Memory */
	uint64_t size_limit; /* emptyDir.sizeLimit in bytes; 0: none */
	char *host_path;
	enum host_path_type host_path_type;
	struct volume_entry *entries; /* of the kinds that have them; empty while no container mounts it */
	size_t n_entries;
};

/* Whether a volume is made of entries; it is read-only then, as in Kubernetes. */
static inline bool volume_has_entries(const struct volume *volume)
{
	return volume->kind >= VOLUME_CONFIG_MAP && volume->kind <= VOLUME_PROJECTED;
}

/* One key of a ConfigMap or Secret. */
struct config_entry {
	char *key;
	char *data; /* a NUL follows it */
	size_t size;
	bool binary; /* of binaryData: in volumes only */
};

/* A ConfigMap or Secret of the file. */
struct config {
	bool secret;
	char *name, *namespace;
	struct config_entry *entries; /* in the order of the text */
	size_t n;
	unsigned int line; /* where it begins */
};

struct host_alias {
	char *ip;
	char **hostnames;
};

struct pod {
	char *name, *namespace; /* namespace defaults to "default" */
	const char *namespace_asked; /* while it is read: see manifest_read_in; not owned */
	struct string_map labels, annotations;
	struct container_spec *init_containers, *containers;
	size_t n_init_containers, n_containers;
	struct volume *volumes;
	size_t n_volumes;
	struct config *configs; /* in the order of the file */
	size_t n_configs;
	char uid[37]; /* a random UUID, as the API server gives every pod */
	char *service_account; /* default "default" */

	/* pod.spec.securityContext; its run_as_*, seccomp and apparmor are the containers' defaults. */
	struct security_context security;
	int64_t *supplemental_groups;
	size_t n_supplemental_groups;
	struct optional_integer fs_group;
	unsigned int security_line, security_column; /* of spec.securityContext; 0 if there is none */
	struct string_map sysctls;
	union requirements resources; /* of spec.resources: of all containers together */

	char *hostname; /* defaults to the pod's name, cut to 63 characters */
	struct host_alias *host_aliases;
	size_t n_host_aliases;
	bool host_network, host_pid, host_ipc, share_process_namespace;
	enum optional_bool host_users;
	unsigned int host_users_line, host_users_column; /* 0 if it isn't given */
	unsigned int termination_grace_period; /* seconds, default 30 */
	unsigned int active_deadline; /* seconds; 0: none */
	enum restart_policy restart_policy; /* never RESTART_POD */
	char **readiness_gates; /* types of conditions; NULL: none */
};

/*
 * Reads the text of a manifest. All errors and warnings go to findings, sorted by place. Returns the pod, which
 * the caller frees with pod_free, or NULL if there was at least one error.
 * The AppArmor annotations are folded into each container's security.apparmor (FIELD F9, F10), the field first.
 */
struct pod *manifest_read(const char *text, size_t size, struct findings *findings);

/*
 * The same into a namespace, as kubectl's -n has it: that of objects that name none, and another one that an object names is an
 * error. NULL: as above.
 */
struct pod *manifest_read_in(const char *text, size_t size, const char *namespace, struct findings *findings);

/* The first Pod among documents and the items of Lists in them; NULL if there is none. */
const struct node *manifest_find_pod(const struct node *documents);

/* The same text as the API server would give it back, with defaults; it has been read without an error. To be put. */
struct json_object *manifest_object(const char *source, size_t size, const struct pod *pod);

void pod_free(struct pod *pod);
static inline void cleanup_pod_fn(struct pod **pod)
{
	pod_free(*pod);
}
#define cleanup_pod __attribute__((cleanup(cleanup_pod_fn)))

/* Prints the table of all fields of the v1 Pod schema as mdoc/man source for minirun-pod(5). */
void manifest_print_fields(FILE *out);

#endif
