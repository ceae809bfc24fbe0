/* The plan: every image, profile, id and command of a pod resolved, and nothing created yet. */
#include "runner/plan/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/plan/limits.h"
#include "security/apparmor_learned.h"

void plan_complain(
	struct findings *findings, const struct planned *item, const char *field, const struct error *err)
{
	cleanup_free char *path = xasprintf("%s.%s", item->path, field);

	findings_add(findings, SEVERITY_ERROR, item->spec->line, item->spec->column, path,
		err->hint[0] ? err->hint : NULL, "%s", err->message);
	findings_check(findings, err->check);
}

void plan_complain_profile(struct findings *findings, const struct planned *item, const char *field,
	const struct profile_choice *own, const struct profile_choice *of_pod, const struct error *err)
{
	const struct profile_choice *choice = plan_choice(own, of_pod);
	bool inherited = own->type == PROFILE_UNSET && of_pod->type != PROFILE_UNSET;
	cleanup_free char *path = xasprintf("%s.securityContext.%s", inherited ? "spec" : item->path, field);
	struct findings one;

	/* By way of a list of its own: what is wrong with the pod's choice would be said for each container. */
	findings_init(&one, findings->file);
	findings_add(&one, SEVERITY_ERROR, choice->line ? choice->line : item->spec->line,
		choice->line ? choice->column : item->spec->column, path, err->hint[0] ? err->hint : NULL,
		"%s", err->message);
	findings_check(&one, err->check);
	findings_copy(findings, &one.items[0]);
	findings_free(&one);
}

/* What the machine lacks for this manifest is worth a line of `minirun check` each. */
static int name_checks(const struct findings *findings, struct error *err)
{
	char list[sizeof(err->check)] = "";

	for (size_t i = 0; i < findings->n; i++) {
		const char *check = findings->items[i].check;

		if (*check && !strstr(list, check))
			snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", *list ? "," : "",
				check);
	}
	return error_check(err, list);
}

int plan_invalid(const struct findings *findings, const char *pod, struct error *err)
{
	const char *plural = findings->errors == 1 ? "" : "s";

	if (pod) {
		error_set(err, ERROR_MANIFEST, 0, "the Pod \"%s\" can't be run: %zu error%s in %s", pod,
			findings->errors, plural, findings->file);
		return name_checks(findings, err);
	}
	return error_set(err, ERROR_MANIFEST, 0, "the Pod is invalid: %zu error%s in %s", findings->errors,
		plural, findings->file);
}

/* A mount on or below /proc or /sys would let an image forge what the launch writes there (CVE-2019-16884). */
static void check_mounts(const struct planned *item, struct findings *findings)
{
	for (size_t i = 0; i < item->spec->n_mounts; i++) {
		const char *target = item->spec->mounts[i].mount_path;
		struct error err = {0};
		cleanup_free char *path = NULL;

		if (isolation_check_target(target, &err) == 0)
			continue;
		path = xasprintf("volumeMounts[%zu].mountPath", i);
		plan_complain(findings, item, path, &err);
	}
}

/* What has nothing to do with the image. */
static void plan_manifest(struct plan *plan, struct planned *item, const struct plan_request *request,
	struct findings *findings, FILE *warnings)
{
	item->container.name = item->spec->name;
	item->container.join_pidfd = -1;
	check_mounts(item, findings);
	plan_locks(plan, item, request, findings, warnings);
}

int plan_make(struct plan *plan, const struct pod *pod, const struct plan_request *request,
	struct findings *findings, FILE *warnings, struct error *err)
{
	struct plan_request images = *request;

	*plan = (struct plan){
		.pod = pod,
		.store.fd = -1,
		.learning = request->learning,
		.no_denials = request->no_denials,
	};
	memcpy(plan->uid, pod->uid, sizeof(plan->uid));
	if ((request->look_only ? store_look : store_open)(&plan->store, request->store_path, err) < 0)
		return -1;
	plan->single_id = !userns_maps_uid(1);
	plan->n_init = pod->n_init_containers;
	plan->n = plan->n_init + pod->n_containers;
	plan->items = xcalloc(plan->n, sizeof(*plan->items));
	plan_users(plan, findings);
	for (size_t i = 0; i < plan->n; i++) {
		struct planned *item = &plan->items[i];

		item->is_init = i < plan->n_init;
		item->spec = item->is_init ? &pod->init_containers[i] : &pod->containers[i - plan->n_init];
		item->path = item->is_init ? xasprintf("spec.initContainers[%zu]", i)
					   : xasprintf("spec.containers[%zu]", i - plan->n_init);
		plan_manifest(plan, item, request, findings, warnings);
	}
	/* Nothing is fetched for a pod that can't run all the same. */
	images.look_only |= findings->errors > 0;
	for (size_t i = 0; i < plan->n; i++) {
		plan_image(plan, &plan->items[i], &images, findings);
		plan_process(plan, &plan->items[i], findings);
	}
	if (!findings->errors && !request->look_only)
		plan_apparmor_load(plan, findings);
	if (!request->no_limits)
		limits_plan(plan, request->pids_limit);
	return findings->errors ? -1 : 0;
}

bool plan_publishes(const struct plan *plan, const struct planned *item, const struct container_port *port)
{
	return port->host_port && !plan->pod->host_network && (!item->is_init || item->spec->restart_always);
}

bool plan_has_published(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n; i++)
		for (size_t j = 0; j < plan->items[i].spec->n_ports; j++)
			if (plan_publishes(plan, &plan->items[i], &plan->items[i].spec->ports[j]))
				return true;
	return false;
}

void planned_free(struct planned *item)
{
	image_free(&item->image);
	free(item->image_failure);
	strv_free(item->container.argv);
	strv_free(item->container.env);
	strv_free(item->argv_shown);
	strv_free(item->env_shown);
	free(item->container.credentials.groups);
	free(item->user);
	free(item->learned_under);
	if (item->learned)
		apparmor_learned_free(item->learned);
	free(item->learned);
	free(item->group);
	free(item->recording);
	free(item->locks_text);
	free(item->path);
}

void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->n; i++)
		planned_free(&plan->items[i]);
	for (size_t i = 0; i < plan->n_profiles; i++) {
		seccomp_filter_free(&plan->profiles[i]->filter);
		seccomp_filter_free(&plan->profiles[i]->naming);
		seccomp_filter_free(&plan->profiles[i]->base);
		free(plan->profiles[i]->name);
		free(plan->profiles[i]->source);
		free(plan->profiles[i]->text);
		free(plan->profiles[i]);
	}
	free(plan->profiles);
	free(plan->items);
	store_close(&plan->store);
}
