/* The plan of a process: command, environment, working folder and ids, as Kubernetes combines pod, container and image. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/plan/accounts.h"
#include "runner/plan/plan.h"
#include "runner/manifest/signals.h"

/* containerd's default (internal/cri, oci.WithDefaultPathEnv). */
#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static void complain(struct findings *findings, const struct planned *item, const char *field,
	const char *hint, const char *text)
{
	cleanup_free char *path = xasprintf("%s.%s", item->path, field);

	findings_add(findings, SEVERITY_ERROR, item->spec->line, item->spec->column, path, hint, "%s", text);
}

static void append(struct strv *words, char *const *more)
{
	for (; more && *more; more++)
		strv_push(words, xstrdup(*more));
}

/*
 * command replaces Entrypoint and Cmd, args replaces Cmd alone
 * (https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/).
 */
static char **combine(const struct image_config *config, char *const *command, char *const *args)
{
	struct strv words = {0};

	append(&words, command ? command : config->entrypoint);
	if (args)
		append(&words, args);
	else if (!command)
		append(&words, config->cmd);
	return words.items ? words.items : strv_copy(NULL);
}

static void plan_command(struct planned *item, struct findings *findings)
{
	const struct container_spec *spec = item->spec;
	const struct image_config *config = &item->image.config;

	item->container.argv = combine(config, spec->command, spec->args);
	item->argv_shown = combine(config, spec->command_shown ? spec->command_shown : spec->command,
		spec->args_shown ? spec->args_shown : spec->args);
	if (!item->container.argv[0] && item->image.name)
		complain(findings, item, "command",
			"name the program in command, or load the image with --config",
			"Required value: the image says nothing of what it runs");
}

/* Sets NAME=value, replacing an earlier entry of that name. */
static void set_variable(struct strv *env, char *entry)
{
	size_t n = strcspn(entry, "=") + 1;

	for (size_t i = 0; i < env->n; i++)
		if (!strncmp(env->items[i], entry, n)) {
			free(env->items[i]);
			env->items[i] = entry;
			return;
		}
	strv_push(env, entry);
}

static char **make_environment(const struct pod *pod, const struct planned *item, bool shown)
{
	struct strv env = {0};

	set_variable(&env, xstrdup(DEFAULT_PATH));
	set_variable(&env, xasprintf("HOSTNAME=%s", pod->hostname));
	for (char *const *e = item->image.config.env; e && *e; e++)
		if (strchr(*e, '='))
			set_variable(&env, xstrdup(*e));
	for (size_t i = 0; i < item->spec->env.n; i++) {
		const struct string_pair *pair = &item->spec->env.items[i];

		set_variable(&env,
			xasprintf("%s=%s", pair->key, shown && pair->shown ? pair->shown : pair->value));
	}
	return env.items;
}

static void check_id(const struct plan *plan, struct findings *findings, const struct planned *item,
	const char *field, bool is_group, int64_t id)
{
	cleanup_free char *path = xasprintf("%s.%s", item->path, field);

	plan_check_id(plan, findings, is_group, id, path, item->spec->line, item->spec->column);
}

static struct optional_integer first_set(struct optional_integer container, struct optional_integer pod)
{
	return container.set ? container : pod;
}

/* The kubelet's check and words (pkg/kubelet/kuberuntime/security_context_others.go). user is the manifest's, image the image's. */
static void check_non_root(const struct pod *pod, const struct planned *item, struct optional_integer user,
	const struct user_words *image, struct findings *findings)
{
	const struct security_context *security = &item->spec->security;
	enum optional_bool wanted = security->run_as_non_root != OPTIONAL_UNSET
					    ? security->run_as_non_root
					    : pod->security.run_as_non_root;
	cleanup_free char *what = NULL;
	cleanup_free char *text = NULL;

	/* Of an image that is still to come nothing is known. */
	if (!user.set && !item->image.name)
		return;
	if (wanted != OPTIONAL_TRUE || (user.set ? user.value != 0 : image->uid != 0))
		return;
	if (user.set)
		what = xstrdup("container's runAsUser breaks non-root policy");
	else if (image->name)
		what = xasprintf(
			"container has runAsNonRoot and image has non-numeric user (%s), cannot verify user "
			"is non-root",
			image->name);
	else
		what = xstrdup("container has runAsNonRoot and image will run as root");
	text = xasprintf(
		"%s (pod: \"%s_%s\", container: %s)", what, pod->name, pod->namespace, item->spec->name);
	complain(findings, item, "securityContext.runAsNonRoot", "set runAsUser to an id that isn't 0", text);
}

/* Without a runAsUser the image's User counts, and its group part without a runAsGroup. */
static void plan_image_user(const struct plan *plan, struct planned *item, const struct user_words *image,
	struct optional_integer group, struct findings *findings)
{
	struct container *container = &item->container;

	if (image->has_uid)
		check_id(plan, findings, item, "image", false, image->uid);
	container->credentials.uid = image->uid;
	if (image->name)
		container->user = item->user = xstrdup(image->name);
	if (group.set)
		return;
	if (image->has_gid)
		check_id(plan, findings, item, "image", true, image->gid);
	container->credentials.gid = image->gid;
	if (image->group)
		container->group = item->group = xstrdup(image->group);
	container->gid_from_image = !image->has_gid && !image->group;
}

/* fsGroup stands before the supplementary ones, as in the kubelet (securitycontext). */
static void plan_groups(const struct pod *pod, struct credentials *credentials)
{
	credentials->groups = xcalloc(pod->n_supplemental_groups + 1, sizeof(*credentials->groups));
	if (pod->fs_group.set)
		credentials->groups[credentials->n_groups++] = (gid_t)pod->fs_group.value;
	for (size_t i = 0; i < pod->n_supplemental_groups; i++)
		credentials->groups[credentials->n_groups++] = (gid_t)pod->supplemental_groups[i];
}

static void plan_ids(const struct plan *plan, struct planned *item, struct findings *findings)
{
	const struct pod *pod = plan->pod;
	struct credentials *credentials = &item->container.credentials;
	struct optional_integer user = first_set(item->spec->security.run_as_user, pod->security.run_as_user);
	struct optional_integer group =
		first_set(item->spec->security.run_as_group, pod->security.run_as_group);
	const char *text = item->image.config.user;
	struct user_words image = {0};
	struct error err = {0};

	if (user.set)
		check_id(plan, findings, item, "securityContext.runAsUser", false, user.value);
	if (group.set)
		check_id(plan, findings, item, "securityContext.runAsGroup", true, group.value);
	credentials->uid = user.set ? (uid_t)user.value : 0;
	credentials->gid = group.set ? (gid_t)group.value : 0;
	item->container.gid_from_image = !group.set;
	item->container.set_groups = plan->own_users || userns_allows_setgroups();
	plan_groups(pod, credentials);
	if (!user.set && text && user_words_parse(text, &image, &err) < 0) {
		plan_complain(findings, item, "image", &err);
		return;
	}
	check_non_root(pod, item, user, &image, findings);
	if (!user.set)
		plan_image_user(plan, item, &image, group, findings);
	user_words_free(&image);
}

/* The volumes that the image wants, as far as their paths alone tell (CVE-2022-23648, CVE-2019-16884). */
static void plan_image_volumes(const struct planned *item, struct findings *findings)
{
	for (char *const *path = item->image.config.volumes; path && *path; path++) {
		struct error err = {0};

		if (isolation_check_target(*path, &err) == 0)
			continue;
		error_wrap(&err, "the image's volume");
		err.hint[0] = '\0'; /* it isn't the manifest's to change */
		plan_complain(findings, item, "image", &err);
	}
}

/* As for containerd an image may name it in many ways; one that nobody knows must not make a pod unstoppable. */
static void plan_stop_signal(struct planned *item, struct findings *findings)
{
	const char *text = item->image.config.stop_signal;
	int number = text ? signal_parse(text) : SIGTERM;
	cleanup_free char *path = NULL;
	cleanup_free char *safe = NULL;

	item->stop_signal = number > 0 ? number : SIGTERM;
	if (item->spec->stop_signal)
		item->stop_signal = item->spec->stop_signal;
	if (number > 0)
		return;
	path = xasprintf("%s.image", item->path);
	safe = text_printable(text, strnlen(text, 100));
	findings_add(findings, SEVERITY_WARNING, item->spec->line, item->spec->column, path, NULL,
		"the image's StopSignal \"%s\" is no signal: SIGTERM ends it", safe);
}

void plan_program(const struct pod *pod, struct planned *item, struct findings *findings)
{
	plan_command(item, findings);
	item->container.env = make_environment(pod, item, false);
	item->env_shown = make_environment(pod, item, true);
	item->container.cwd = item->spec->working_dir;
	if (!item->container.cwd)
		item->container.cwd = item->image.config.working_dir;
	if (!item->container.cwd)
		item->container.cwd = "/";
}

int plan_process(const struct plan *plan, struct planned *item, struct findings *findings)
{
	size_t before = findings->errors;

	plan_program(plan->pod, item, findings);
	plan_ids(plan, item, findings);
	plan_image_volumes(item, findings);
	plan_stop_signal(item, findings);
	return findings->errors == before ? 0 : -1;
}

int plan_process_again(const struct plan *plan, struct planned *item, struct findings *findings)
{
	struct container *container = &item->container;

	strv_free(container->argv);
	strv_free(container->env);
	free(container->credentials.groups);
	free(item->user);
	free(item->group);
	container->argv = container->env = NULL;
	container->credentials.groups = NULL;
	container->credentials.n_groups = 0;
	container->user = container->group = item->user = item->group = NULL;
	return plan_process(plan, item, findings);
}
