/*
 * The security contexts of a manifest.
 *
 * After ValidateSecurityContext, validatePodSpecSecurityContext, validateSeccompProfileField and
 * validateAppArmorProfileField of pkg/apis/core/validation, with their words. Capability names, which the API server
 * takes unseen and the container runtime refuses later, are checked here.
 */
#include "runner/manifest/manifest_parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/manifest/names.h"

#define ID_MAX            INT32_MAX /* IsValidUserID, IsValidGroupID */
#define APPARMOR_NAME_MAX 4095

#define APPARMOR_ANNOTATION  "container.apparmor.security.beta.kubernetes.io/"
#define SECCOMP_ANNOTATION_1 "seccomp.security.alpha.kubernetes.io/pod"
#define SECCOMP_ANNOTATION_2 "container.seccomp.security.alpha.kubernetes.io/"

static const struct choice profile_types[] = {
	{"Localhost", PROFILE_LOCALHOST},
	{"RuntimeDefault", PROFILE_RUNTIME_DEFAULT},
	{"Unconfined", PROFILE_UNCONFINED},
};

void security_free(struct security_context *security)
{
	strv_free(security->add_capabilities);
	strv_free(security->drop_capabilities);
	free(security->seccomp.localhost);
	free(security->apparmor.localhost);
}

static enum optional_bool read_bool(const struct cursor *at, const char *key)
{
	struct cursor to = cursor_get(at, key);

	if (!to.node)
		return OPTIONAL_UNSET;
	return cursor_bool(&to, false) ? OPTIONAL_TRUE : OPTIONAL_FALSE;
}

static struct optional_integer read_id(const struct cursor *at, const char *key)
{
	struct cursor to = cursor_get(at, key);
	struct optional_integer id = {0};

	id.set = cursor_integer(&to, &id.value);
	names_check_range(&to, 0, ID_MAX);
	return id;
}

/* What both kinds of profile have in common; which is "seccomp" or "AppArmor". */
static void read_profile(const struct cursor *at, const char *which, struct profile_choice *profile)
{
	struct cursor type = cursor_get(at, "type"), localhost = cursor_get(at, "localhostProfile");
	const char *word = cursor_string(&type), *path = cursor_string(&localhost);
	bool is_apparmor = !strcmp(which, "AppArmor");

	if (!at->node)
		return;
	profile->line = at->node->line;
	profile->column = at->node->column;
	if (!type.node || (word && !*word)) {
		cursor_required(&type, is_apparmor ? "type is required when appArmorProfile is set"
						   : "type is required when seccompProfile is set");
		return;
	}
	profile->type = (enum profile_type)cursor_choice(
		&type, profile_types, array_length(profile_types), PROFILE_UNSET);
	if (profile->type == PROFILE_UNSET)
		return;
	if (profile->type != PROFILE_LOCALHOST) {
		if (localhost.node)
			cursor_invalid(&localhost, "can only be set when %s type is Localhost", which);
		return;
	}
	if (!localhost.node || (path && !*path)) {
		cleanup_free char *detail = xasprintf("must be set when %s type is Localhost", which);

		cursor_required(&localhost, detail);
		return;
	}
	if (!is_apparmor)
		names_check_descending(&localhost);
	else if (path && (isspace((unsigned char)*path) || isspace((unsigned char)path[strlen(path) - 1])))
		cursor_invalid(&localhost, "must not be padded with whitespace");
	else if (path && strlen(path) > APPARMOR_NAME_MAX)
		cursor_invalid(&localhost, "must be no more than %d bytes", APPARMOR_NAME_MAX);
	profile->localhost = xstrdup(path);
}

/* A capability's name as libcap spells it, in upper case and without CAP_; or NULL after a finding. */
static char *read_capability(const struct cursor *at)
{
	const char *text = cursor_string(at), *names[64], *nearest;
	const char *word = text && !strncasecmp(text, "CAP_", 4) ? text + 4 : text;
	cleanup_free char *full = NULL, *hint = NULL, *value = NULL;
	char *upper;
	cap_value_t known;
	size_t n = 0;

	if (!word)
		return NULL;
	upper = xstrdup(word);
	for (char *p = upper; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	full = xasprintf("cap_%s", word);
	if (!strcmp(upper, "ALL") || (!isdigit((unsigned char)*word) && cap_from_name(full, &known) == 0)) {
		if (word != text)
			cursor_warn(at, "Kubernetes takes the name without CAP_: write %s", upper);
		return upper;
	}
	names[n++] = "ALL";
	for (cap_value_t i = 0; i <= CAP_LAST_CAP && n < array_length(names); i++) {
		char *name = cap_to_name(i);

		if (name) {
			for (char *p = name; *p; p++)
				*p = (char)toupper((unsigned char)*p);
			names[n++] = xstrdup(name + strlen("cap_"));
			cap_free(name);
		}
	}
	nearest = text_nearest(upper, names, n);
	if (nearest)
		hint = xasprintf("did you mean \"%s\"?", nearest);
	for (size_t i = 1; i < n; i++)
		free((char *)names[i]);
	value = cursor_value(at);
	cursor_add(at, SEVERITY_ERROR, hint, "Invalid value: %s: unknown capability", value);
	free(upper);
	return NULL;
}

static char **read_capabilities(const struct cursor *context, const char *which)
{
	struct cursor capabilities = cursor_get(context, "capabilities");
	struct cursor list = cursor_get(&capabilities, which);
	struct strv names = {0};

	for (size_t i = 0; i < cursor_items(&list); i++) {
		struct cursor item = cursor_item(&list, i);
		char *name = read_capability(&item);

		if (name)
			strv_push(&names, name);
	}
	return names.items;
}

/* What no_new_privs would break. */
static void check_escalation(const struct cursor *context, const struct security_context *security)
{
	struct cursor escalation = cursor_get(context, "allowPrivilegeEscalation");
	struct cursor capabilities = cursor_get(context, "capabilities"),
		      add = cursor_get(&capabilities, "add");

	if (security->allow_privilege_escalation != OPTIONAL_FALSE)
		return;
	if (security->privileged == OPTIONAL_TRUE)
		cursor_invalid(&escalation,
			"cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
	for (size_t i = 0; i < cursor_items(&add); i++) {
		struct cursor item = cursor_item(&add, i);
		const char *name = cursor_string(&item);

		/* The API server looks for this spelling alone. */
		if (name && !strcmp(name, "CAP_SYS_ADMIN"))
			cursor_invalid(&escalation, "cannot set `allowPrivilegeEscalation` to false and "
						    "`capabilities.Add` CAP_SYS_ADMIN");
	}
}

static void read_common(const struct cursor *context, struct security_context *security)
{
	struct cursor seccomp = cursor_get(context, "seccompProfile");
	struct cursor apparmor = cursor_get(context, "appArmorProfile");

	security->run_as_user = read_id(context, "runAsUser");
	security->run_as_group = read_id(context, "runAsGroup");
	security->run_as_non_root = read_bool(context, "runAsNonRoot");
	read_profile(&seccomp, "seccomp", &security->seccomp);
	read_profile(&apparmor, "AppArmor", &security->apparmor);
}

void manifest_security(const struct cursor *context, struct security_context *security)
{
	read_common(context, security);
	security->privileged = read_bool(context, "privileged");
	security->allow_privilege_escalation = read_bool(context, "allowPrivilegeEscalation");
	security->read_only_root = read_bool(context, "readOnlyRootFilesystem");
	security->add_capabilities = read_capabilities(context, "add");
	security->drop_capabilities = read_capabilities(context, "drop");
	check_escalation(context, security);
}

/* The namespace that a sysctl lives in (pkg/kubelet/sysctl, which needs it for the same check). */
static bool is_ipc_sysctl(const char *name)
{
	return text_starts_with(name, "kernel.shm") || text_starts_with(name, "kernel.msg") ||
	       !strcmp(name, "kernel.sem") || text_starts_with(name, "fs.mqueue.");
}

static void read_sysctls(const struct cursor *context, struct pod *pod)
{
	struct cursor list = cursor_get(context, "sysctls");

	for (size_t i = 0; i < cursor_items(&list); i++) {
		struct cursor item = cursor_item(&list, i);
		struct cursor name = cursor_get(&item, "name"), value = cursor_get(&item, "value");
		const char *text = cursor_string(&name), *setting = cursor_string(&value);

		if (!name.node || (text && !*text)) {
			cursor_required(&name, NULL);
			continue;
		}
		if (!text || !names_check_sysctl(&name))
			continue;
		if (string_map_get(&pod->sysctls, text))
			cursor_duplicate(&name);
		if (pod->host_network && text_starts_with(text, "net."))
			cursor_invalid(&name, "may not be specified when 'hostNetwork' is true");
		if (pod->host_ipc && is_ipc_sysctl(text))
			cursor_invalid(&name, "may not be specified when 'hostIPC' is true");
		string_map_add(&pod->sysctls, xstrdup(text), xstrdup(setting ? setting : ""));
	}
}

void manifest_pod_security(const struct cursor *spec, struct pod *pod)
{
	struct cursor context = cursor_get(spec, "securityContext");
	struct cursor groups = cursor_get(&context, "supplementalGroups");

	read_common(&context, &pod->security);
	pod->fs_group = read_id(&context, "fsGroup");
	pod->security_line = context.node ? context.node->key_line : 0;
	pod->security_column = context.node ? context.node->key_column : 0;
	pod->supplemental_groups = xcalloc(cursor_items(&groups), sizeof(*pod->supplemental_groups));
	for (size_t i = 0; i < cursor_items(&groups); i++) {
		struct cursor item = cursor_item(&groups, i);

		if (names_check_range(&item, 0, ID_MAX) &&
			cursor_integer(&item, &pod->supplemental_groups[pod->n_supplemental_groups]))
			pod->n_supplemental_groups++;
	}
	read_sysctls(&context, pod);
}

static struct container_spec *find_container(struct pod *pod, const char *name)
{
	for (size_t i = 0; i < pod->n_init_containers; i++)
		if (pod->init_containers[i].name && !strcmp(pod->init_containers[i].name, name))
			return &pod->init_containers[i];
	for (size_t i = 0; i < pod->n_containers; i++)
		if (pod->containers[i].name && !strcmp(pod->containers[i].name, name))
			return &pod->containers[i];
	return NULL;
}

/* "runtime/default", "unconfined", "localhost/NAME" or "". */
static bool parse_annotation(const char *text, struct profile_choice *profile)
{
	if (!*text)
		return true;
	if (!strcmp(text, "runtime/default"))
		profile->type = PROFILE_RUNTIME_DEFAULT;
	else if (!strcmp(text, "unconfined"))
		profile->type = PROFILE_UNCONFINED;
	else if (text_starts_with(text, "localhost/") && text[strlen("localhost/")])
		profile->type = PROFILE_LOCALHOST;
	else
		return false;
	if (profile->type == PROFILE_LOCALHOST)
		profile->localhost = xstrdup(text + strlen("localhost/"));
	return true;
}

/* Reports, at the container's field, that it and its annotation disagree. */
static void report_mismatch(const struct cursor *root, const struct pod *pod,
	const struct container_spec *container, const char *field, const char *words)
{
	bool init = pod->n_init_containers > 0 && container >= pod->init_containers &&
		    container < pod->init_containers + pod->n_init_containers;
	struct cursor spec = cursor_get(root, "spec");
	struct cursor list = cursor_get(&spec, init ? "initContainers" : "containers");
	struct cursor item =
		cursor_item(&list, (size_t)(container - (init ? pod->init_containers : pod->containers)));
	struct cursor context = cursor_get(&item, "securityContext");
	struct cursor profile = cursor_get(&context, "appArmorProfile"), at = cursor_get(&profile, field);

	cursor_forbidden(&at, "%s", words);
}

static void fold_annotation(const struct cursor *root, const struct cursor *entry, struct pod *pod)
{
	const char *name = entry->key + strlen(APPARMOR_ANNOTATION), *text = cursor_string(entry);
	struct container_spec *container = find_container(pod, name);
	struct profile_choice annotated = {0}, *field;

	if (!container)
		cursor_invalid(entry, "container not found");
	if (!text)
		return;
	if (!parse_annotation(text, &annotated)) {
		cleanup_free char *shown = cursor_value(entry);

		cursor_invalid(entry, "invalid AppArmor profile name: %s", shown);
		return;
	}
	if (!container || annotated.type == PROFILE_UNSET) {
		free(annotated.localhost);
		return;
	}
	field = container->security.apparmor.type ? &container->security.apparmor : &pod->security.apparmor;
	if (field->type && field->type != annotated.type)
		report_mismatch(
			root, pod, container, "type", "apparmor type in annotation and field must match");
	else if (field->type == PROFILE_LOCALHOST && field->localhost &&
		 strcmp(field->localhost, annotated.localhost) != 0)
		report_mismatch(root, pod, container, "localhostProfile",
			"apparmor profile in annotation and field must match");
	if (container->security.apparmor.type)
		free(annotated.localhost);
	else
		container->security.apparmor = annotated;
}

void manifest_apparmor(const struct cursor *root, struct pod *pod)
{
	struct cursor metadata = cursor_get(root, "metadata"), list = cursor_get(&metadata, "annotations");

	for (size_t i = 0; i < cursor_entries(&list); i++) {
		struct cursor entry = cursor_entry(&list, i);

		if (text_starts_with(entry.key, APPARMOR_ANNOTATION))
			fold_annotation(root, &entry, pod);
		else if (!strcmp(entry.key, SECCOMP_ANNOTATION_1) ||
			 text_starts_with(entry.key, SECCOMP_ANNOTATION_2))
			cursor_warn(&entry,
				"known, not supported here: Kubernetes ignores it since 1.27; use "
				"securityContext.seccompProfile");
	}
}
