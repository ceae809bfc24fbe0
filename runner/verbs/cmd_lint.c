/* `minirun lint FILE...`: judges seccomp and AppArmor profiles, and manifests with the profiles that they name. Runs nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/document.h"
#include "base/fd.h"
#include "base/memory.h"
#include "runner/command.h"
#include "runner/verbs/lint.h"
#include "runner/manifest/manifest.h"
#include "runner/plan/paths.h"
#include "runner/plan/plan.h"
#include "security/apparmor_lint.h"
#include "security/apparmor_rules.h"

/* All files that were looked into, each with what was found: a profile that two containers share is one. */
struct linting {
	const struct invocation *invocation;
	struct findings *files;
	size_t n;
};

static struct findings *findings_of(struct linting *linting, const char *file)
{
	for (size_t i = 0; i < linting->n; i++)
		if (!strcmp(linting->files[i].file, file))
			return &linting->files[i];
	linting->files = xreallocarray(linting->files, linting->n + 1, sizeof(*linting->files));
	findings_init(&linting->files[linting->n], file);
	return &linting->files[linting->n++];
}

/* The manifest's own findings come and go as an array grows: so by the manifest's name, never by pointer. */
static void complain(struct linting *linting, const char *manifest, const struct planned *item,
	const char *field, const struct profile_choice *choice, const struct error *err)
{
	cleanup_free char *path = xasprintf("%s.securityContext.%s", item->path, field);
	bool placed = choice && choice->line;

	findings_add(findings_of(linting, manifest), SEVERITY_ERROR, placed ? choice->line : item->spec->line,
		placed ? choice->column : item->spec->column, path, err->hint[0] ? err->hint : NULL, "%s",
		err->message);
}

/* Whether it is loaded is for the run: lint looks at files. */
static void say_missing(struct linting *linting, const char *manifest, const struct planned *item,
	const struct profile_choice *choice)
{
	cleanup_free char *path = xasprintf("%s.securityContext.appArmorProfile", item->path);

	findings_add(findings_of(linting, manifest), SEVERITY_INFO,
		choice->line ? choice->line : item->spec->line,
		choice->line ? choice->column : item->spec->column, path, NULL,
		"no file beside the manifest or in /etc/apparmor.d declares the profile \"%s\": nothing is "
		"known "
		"of what it says",
		choice->localhost);
	findings_code(findings_of(linting, manifest), "no-text");
}

/* The AppArmor profile that a container names, if its file is where minirun would look for it. */
static void lint_apparmor(struct linting *linting, const struct pod *pod, const struct store *store,
	const struct plan_request *request, const struct planned *item)
{
	const struct profile_choice *choice = item->spec->security.apparmor.type != PROFILE_UNSET
						      ? &item->spec->security.apparmor
						      : &pod->security.apparmor;
	cleanup_free char *path =
		choice->type == PROFILE_LOCALHOST ? plan_find_apparmor(request, choice->localhost) : NULL;
	cleanup_free char *text = NULL;
	struct error ignored;

	if (path && file_read(path, DOCUMENT_SIZE, ERROR_PROFILE, &text, NULL, &ignored) == 0)
		lint_apparmor_of(pod, store, item, choice->localhost, path, text, findings_of(linting, path));
	else if (choice->type == PROFILE_LOCALHOST && strcmp(choice->localhost, "unconfined") != 0)
		say_missing(linting, request->manifest_path, item, choice);
}

static void lint_container(struct linting *linting, const struct pod *pod, const struct store *store,
	const struct plan_request *request, struct planned *item)
{
	const struct security_context *security = &item->spec->security;
	const struct profile_choice *choice =
		plan_choice(&item->spec->security.seccomp, &pod->security.seccomp);
	cleanup_free char *path = NULL;
	cleanup_free char *text = NULL;
	struct error err = {0};
	size_t size;

	if (capabilities_choose(security->add_capabilities, security->drop_capabilities,
		    security->privileged == OPTIONAL_TRUE, &item->container.credentials.capabilities,
		    &err) < 0)
		complain(linting, request->manifest_path, item, "capabilities", NULL, &err);
	if (choice->type != PROFILE_LOCALHOST)
		return;
	if (security->privileged == OPTIONAL_TRUE) {
		cleanup_free char *field = xasprintf("%s.securityContext.privileged", item->path);

		findings_add(findings_of(linting, request->manifest_path), SEVERITY_WARNING, item->spec->line,
			item->spec->column, field, NULL,
			"a privileged container gets no seccomp filter, as in Kubernetes: the profile is not "
			"applied");
		return;
	}
	if (plan_find_profile(request, choice->localhost, &path, &text, &size, &err) < 0) {
		complain(linting, request->manifest_path, item, "seccompProfile", choice, &err);
		return;
	}
	lint_profile_of(store, item, path, text, size, findings_of(linting, path));
}

static void lint_pod(struct linting *linting, const struct pod *pod, const char *file)
{
	struct error ignored = {0};
	cleanup_free char *store_path = path_of_store(linting->invocation, &ignored);
	const struct plan_request request = {
		.store_path = store_path,
		.manifest_path = file,
		.no_limits = true,
		.profile_root = linting->invocation->value[OPTION_SECCOMP_PROFILE_ROOT],
		.look_only = true,
	};
	struct store store = {.fd = -1};

	/* What the image would tell isn't known then, no more. */
	if (store_path)
		store_look(&store, store_path, &ignored);
	for (size_t i = 0; i < pod->n_init_containers + pod->n_containers; i++) {
		bool is_init = i < pod->n_init_containers;
		size_t index = is_init ? i : i - pod->n_init_containers;
		struct planned item = {
			.spec = is_init ? &pod->init_containers[index] : &pod->containers[index],
			.is_init = is_init,
			.path = xasprintf("spec.%s[%zu]", is_init ? "initContainers" : "containers", index),
		};

		if (store.fd >= 0)
			image_find(&store, item.spec->image, &item.image, &ignored);
		plan_program(pod, &item, findings_of(linting, file));
		lint_container(linting, pod, &store, &request, &item);
		lint_apparmor(linting, pod, &store, &request, &item);
		planned_free(&item);
	}
	store_close(&store);
}

/* Whether one of the documents is a map with one of the keys. */
static bool has_any(const struct node *documents, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < documents->n * n; i++)
		if (node_get(documents->items[i / n], keys[i % n]))
			return true;
	return false;
}

static void lint_text(struct linting *linting, const char *file, const char *text, size_t size)
{
	static const char *const of_profiles[] = {
		"defaultAction", "syscalls", "defaultErrnoRet", "archMap", "architectures"};
	static const char *const of_manifests[] = {"apiVersion", "kind", "metadata", "spec"};
	const struct lint_subject anybody = {.capabilities = capabilities_default()};
	const char *shown = strcmp(file, "-") ? file : "standard input";
	struct findings *findings = findings_of(linting, shown);
	struct findings syntax;
	cleanup_node struct node *documents = NULL;
	cleanup_pod struct pod *pod = NULL;

	if (apparmor_is_profile(text)) {
		apparmor_lint(text, shown == file ? file : NULL, NULL, findings);
		return;
	}
	findings_init(&syntax, shown);
	documents = document_read_all(text, size, DOCUMENT_AUTO, &syntax);
	for (size_t i = 0; !documents && i < syntax.n; i++)
		findings_copy(findings, &syntax.items[i]);
	findings_free(&syntax);
	if (!documents)
		return;
	if (has_any(documents, of_profiles, array_length(of_profiles))) {
		seccomp_lint(text, size, shown, &anybody, findings);
	} else if (has_any(documents, of_manifests, array_length(of_manifests))) {
		pod = manifest_read(text, size, findings);
		if (pod)
			lint_pod(linting, pod, file);
	} else {
		findings_add(findings, SEVERITY_ERROR, documents->items[0]->line, documents->items[0]->column,
			NULL, "a seccomp profile has a defaultAction, a Pod apiVersion and kind",
			"this is neither a seccomp or AppArmor profile nor a Pod's manifest");
	}
}

static int lint_file(struct linting *linting, const char *file, struct error *err)
{
	cleanup_free char *text = NULL;
	size_t size;

	if (file_read(file, DOCUMENT_SIZE, ERROR_PROFILE, &text, &size, err) < 0)
		return -1;
	lint_text(linting, file, text, size);
	return 0;
}

/* Returns how many errors there are. */
static size_t print(struct linting *linting)
{
	struct json_object *json = wants_json(linting->invocation) ? json_object_new_array() : NULL;
	size_t errors = 0;

	for (size_t i = 0; i < linting->n; i++) {
		struct findings *findings = &linting->files[i];

		errors += findings->errors;
		findings_sort(findings);
		lint_complete_codes(findings);
		if (json)
			lint_add_json(json, findings);
		else
			findings_print_coded(findings, stdout);
	}
	if (json)
		lint_print_json(json);
	return errors;
}

int cmd_lint(const struct invocation *invocation, struct error *err)
{
	struct linting linting = {.invocation = invocation};
	int unread = 0;
	size_t errors;

	if (!invocation->n_operands) {
		error_set(err, ERROR_USAGE, 0, "lint wants a profile or a pod's manifest");
		return error_hint(err, "minirun lint FILE...");
	}
	/* One that can't be read doesn't keep the others; the first error is the one that is told. */
	for (int i = 0; i < invocation->n_operands; i++) {
		struct error latest = {0};

		if (lint_file(&linting, invocation->operands[i], &latest) < 0 && unread++ == 0)
			*err = latest;
	}
	errors = print(&linting);
	for (size_t i = 0; i < linting.n; i++)
		findings_free(&linting.files[i]);
	free(linting.files);
	if (unread)
		return -1;
	return errors ? 1 : 0;
}
