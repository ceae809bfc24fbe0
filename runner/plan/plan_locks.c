/* The plan of the locks: capabilities, no_new_privs, AppArmor, and the seccomp profile, found and compiled. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/plan/learning.h"
#include "runner/plan/plan.h"
#include "security/denial.h"

#define KUBELET_SECCOMP_ROOT "/var/lib/kubelet/seccomp"
#define GUESSES_MAX          500 /* entries of a folder, that are looked at */
#define PROFILE_LIMIT        (4U << 20) /* bytes of a profile's file */

char *plan_folder_of(const char *manifest)
{
	return strcmp(manifest, "-") != 0 ? path_folder(manifest) : xstrdup(".");
}

/* The regular files of root/below, as "below/NAME". */
static void list_files(const char *root, const char *below, struct strv *names)
{
	cleanup_free char *folder = xasprintf("%s/%s", root, below);
	cleanup_dir DIR *dir = opendir(folder);
	const struct dirent *entry;

	for (int i = 0; dir && i < GUESSES_MAX && (entry = readdir(dir)); i++)
		if (*entry->d_name != '.' && (entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN))
			strv_push(names,
				*below ? xasprintf("%s/%s", below, entry->d_name) : xstrdup(entry->d_name));
}

/*
 * What localhostProfile may have been meant to be: a name in a root that is near, or the same file in the folder that such
 * files are often kept in, and that was left out. NULL if there is no such.
 */
static char *guess_profile(const char *const *roots, size_t n, const char *relative)
{
	const char *base = path_base(relative);
	cleanup_free char *below =
		base == relative ? xstrdup("") : xstrndup(relative, (size_t)(base - relative - 1));
	struct strv names = {0}, bases = {0};
	const char *found = NULL;
	char *guess = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!roots[i])
			continue;
		list_files(roots[i], below, &names);
		list_files(roots[i], "profiles", &names);
		list_files(roots[i], "", &names);
	}
	for (size_t i = 0; i < names.n; i++)
		strv_push(&bases, xstrdup(path_base(names.items[i])));
	found = text_nearest(base, (const char *const *)bases.items, bases.n);
	for (size_t i = 0; found && i < names.n && !guess; i++)
		if (!strcmp(bases.items[i], found))
			guess = xstrdup(names.items[i]);
	strv_free(bases.items);
	strv_free(names.items);
	return guess;
}

int plan_find_profile(const struct plan_request *request, const char *relative, char **path, char **text,
	size_t *size, struct error *err)
{
	cleanup_free char *beside = plan_folder_of(request->manifest_path);
	const char *const roots[] = {request->profile_root, beside, KUBELET_SECCOMP_ROOT};
	cleanup_free char *looked = xstrdup("");
	cleanup_free char *guess = NULL;

	for (size_t i = 0; i < array_length(roots); i++) {
		cleanup_free char *candidate = NULL;
		char *longer;

		if (!roots[i])
			continue;
		candidate =
			!strcmp(roots[i], ".") ? xstrdup(relative) : xasprintf("%s/%s", roots[i], relative);
		if (access(candidate, F_OK) == 0) {
			*path = steal_pointer(&candidate);
			return file_read(*path, PROFILE_LIMIT, ERROR_PROFILE, text, size, err);
		}
		longer = xasprintf("%s%s%s", looked, *looked ? ", " : "", candidate);
		free(looked);
		looked = longer;
	}
	error_set(err, ERROR_PROFILE, 0, "cannot load seccomp profile \"%s\": no such file", relative);
	guess = guess_profile(roots, array_length(roots), relative);
	return error_hint(err, "%s%s%slooked for %s", guess ? "did you mean \"" : "", guess ? guess : "",
		guess ? "\"? " : "", looked);
}

/* Where compiled filters are kept; -1 does no harm but costs the compilation. */
static int open_cache(const struct store *store, const struct plan_request *request)
{
	if (request->look_only)
		return -1;
	mkdirat(store->fd, "cache", 0700);
	mkdirat(store->fd, "cache/seccomp", 0700);
	return openat(store->fd, "cache/seccomp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static const struct planned_profile *find_planned(
	const struct plan *plan, const char *name, capability_set capabilities)
{
	for (size_t i = 0; i < plan->n_profiles; i++)
		if (!strcmp(plan->profiles[i]->name, name) && plan->profiles[i]->capabilities == capabilities)
			return plan->profiles[i];
	return NULL;
}

static int compile(const struct plan *plan, struct planned_profile *profile,
	const struct plan_request *request, const char *text, size_t size, FILE *warnings, struct error *err)
{
	const struct seccomp_subject subject = {.capabilities = profile->capabilities};
	cleanup_fd int cache = open_cache(&plan->store, request);
	struct findings findings;
	int result;

	findings_init(&findings, profile->source ? profile->source : profile->name);
	result = seccomp_compile(text, size, profile->name, &subject, cache, &profile->filter,
		&profile->allowed, &findings, err);
	findings_sort(&findings);
	if (warnings)
		findings_print(&findings, warnings);
	if (result < 0 && findings.errors && err->class == ERROR_NONE)
		error_set(err, ERROR_PROFILE, 0, "seccomp profile %s has %zu error%s", profile->name,
			findings.errors, findings.errors == 1 ? "" : "s");
	findings_free(&findings);
	return result;
}

static int plan_profile(struct plan *plan, struct planned *item, const struct profile_choice *choice,
	const struct plan_request *request, FILE *warnings, struct error *err)
{
	const char *name = choice->type == PROFILE_LOCALHOST ? choice->localhost : "RuntimeDefault";
	capability_set capabilities = item->container.credentials.capabilities;
	struct planned_profile *profile;
	const char *text;
	size_t size = 0;

	item->profile = find_planned(plan, name, capabilities);
	if (item->profile)
		return 0;
	profile = xcalloc(1, sizeof(*profile));
	profile->name = xstrdup(name);
	profile->capabilities = capabilities;
	plan->profiles = xreallocarray(plan->profiles, plan->n_profiles + 1, sizeof(*plan->profiles));
	plan->profiles[plan->n_profiles++] = profile;
	item->profile = profile; /* also if it fails: explain has more to say of it */
	if (choice->type == PROFILE_LOCALHOST) {
		if (plan_find_profile(
			    request, choice->localhost, &profile->source, &profile->text, &size, err) < 0)
			return -1;
		text = profile->text;
		profile->size = size;
	} else {
		text = seccomp_runtime_default(&size);
	}
	if (compile(plan, profile, request, text, size, warnings, err) < 0)
		return -1;
	if (!request->no_denials)
		naming_filter(&profile->filter, &profile->naming);
	return 0;
}

const struct profile_choice *plan_choice(
	const struct profile_choice *container, const struct profile_choice *pod)
{
	return container->type != PROFILE_UNSET ? container : pod;
}

static void lock_with(struct locks *locks, const struct planned_profile *profile)
{
	locks->seccomp = &profile->filter;
	locks->naming = profile->naming.insns ? &profile->naming : NULL;
}

/* Unset is Unconfined, as in Kubernetes without SeccompDefault; a privileged container never has a filter there. */
static void plan_seccomp(struct plan *plan, struct planned *item, const struct plan_request *request,
	struct findings *findings, FILE *warnings)
{
	const struct profile_choice *choice =
		plan_choice(&item->spec->security.seccomp, &plan->pod->security.seccomp);
	const struct learning *learning = learning_of_calls(request->learning);
	struct error err = {0};

	if (!learning && (choice->type == PROFILE_UNSET || choice->type == PROFILE_UNCONFINED))
		return;
	if (item->privileged) {
		cleanup_free char *path = xasprintf("%s.securityContext.privileged", item->path);

		findings_add(findings, SEVERITY_WARNING, item->spec->line, item->spec->column, path, NULL,
			"a privileged container gets no seccomp filter, as in Kubernetes: %s",
			learning ? "it is not recorded" : "the profile is not applied");
		return;
	}
	if ((learning ? plan_learning(plan, item, request, &err)
		      : plan_profile(plan, item, choice, request, warnings, &err)) < 0)
		plan_complain_profile(findings, item, "seccompProfile", &item->spec->security.seccomp,
			&plan->pod->security.seccomp, &err);
	else
		lock_with(&item->locks, item->profile);
}

/*
 * A process on its way into a container (exec, a neighbour in a shared pid namespace) is a moment in its pid namespace and not
 * yet in its root. Not dumpable, it is closed to all but SYS_PTRACE; from who has that it is guarded (guard.h) where that can be.
 *
 * In a user namespace of the pod's own that capability counts for less: such a process belongs to the host's.
 */
static void judge_ptrace(const struct plan *plan, struct planned *item, struct findings *findings)
{
	cleanup_free char *path = NULL;

	if (plan->own_users)
		return;
	item->guarded = !item->privileged && !plan->pod->host_pid &&
			item->container.credentials.capabilities & 1ULL << CAP_SYS_PTRACE &&
			cgroup_can_hold();
	if (item->guarded)
		return;
	for (char *const *name = item->spec->security.add_capabilities; name && *name; name++) {
		if (strcmp(*name, "SYS_PTRACE") != 0 && strcmp(*name, "ALL") != 0)
			continue;
		path = xasprintf("%s.securityContext.capabilities.add", item->path);
		findings_add(findings, SEVERITY_WARNING, item->spec->line, item->spec->column, path, NULL,
			"SYS_PTRACE lets a container reach the host through a process that exec, or a "
			"neighbour in a "
			"shared pid namespace, starts in it: trust its image");
		return;
	}
}

bool plan_names_devices(const struct plan *plan, const struct planned *item)
{
	return !plan->no_denials && !item->privileged && !plan->own_users && !userns_inside() &&
	       item->container.credentials.capabilities & 1ULL << CAP_SYS_ADMIN;
}

void plan_locks_settle(const struct plan *plan, struct planned *item)
{
	const char *apparmor = item->locks.apparmor ? item->locks.apparmor : "unconfined";
	bool loose = item->apparmor_mode == APPARMOR_COMPLAIN || item->apparmor_mode == APPARMOR_UNCONFINED;
	cleanup_free char *seccomp = NULL;

	if (item->recording)
		seccomp = plan_learning_text(plan, item);
	else if (item->profile && item->profile->allowed == SECCOMP_ALLOWS_BY_DEFAULT)
		seccomp = xasprintf("seccomp %s (allows by default)", path_base(item->profile->name));
	else if (item->profile)
		seccomp = xasprintf("seccomp %s (%u calls allowed)", path_base(item->profile->name),
			item->profile->allowed);
	free(item->locks_text);
	item->locks_text = xasprintf("%s · no_new_privs %s · AppArmor %s%s%s%s%s",
		seccomp ? seccomp : "seccomp unconfined", item->locks.no_new_privs ? "on" : "off", apparmor,
		loose ? " (" : "", loose ? apparmor_mode_name(item->apparmor_mode) : "",
		loose ? " mode)" : "", item->privileged ? " · privileged" : "");
	item->container.locks = item->locks;
}

int plan_locks(struct plan *plan, struct planned *item, const struct plan_request *request,
	struct findings *findings, FILE *warnings)
{
	const struct security_context *security = &item->spec->security;
	size_t before = findings->errors;
	struct error err = {0};

	item->privileged = security->privileged == OPTIONAL_TRUE;
	item->read_only_root = security->read_only_root == OPTIONAL_TRUE;
	item->locks.no_new_privs = security->allow_privilege_escalation == OPTIONAL_FALSE;
	if (capabilities_choose(security->add_capabilities, security->drop_capabilities, item->privileged,
		    &item->container.credentials.capabilities, &err) < 0)
		plan_complain(findings, item, "securityContext.capabilities", &err);
	judge_ptrace(plan, item, findings);
	plan_seccomp(plan, item, request, findings, warnings);
	plan_apparmor(plan, item, request, findings);
	plan_locks_settle(plan, item);
	return findings->errors == before ? 0 : -1;
}
