/*
 * The plan of AppArmor: which profile a container gets, and whether it is there.
 *
 * The choice is Kubernetes': the container's field, its annotation (folded into it by the manifest's reader), the pod's
 * field. Without any of them the runtime decides; we do as containerd does: its default profile where AppArmor is
 * enabled, none for a privileged container. What was asked for and can't be had keeps the pod from starting (law
 * R3). What wasn't, an ordinary user's pod does without, with a warning: only root can load profiles.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "namespaces/namespaces.h"
#include "runner/plan/learning.h"
#include "runner/plan/plan.h"

#define FIELD       "appArmorProfile"
#define FILE_MAX    (256U << 10) /* bytes of a file that may be a profile's */
#define ENTRIES_MAX 500 /* of a folder, that are looked at */

/* The kernel takes profiles from root of the machine alone. */
static bool may_load(void)
{
	return geteuid() == 0 && !userns_inside();
}

/* Whether the file of a folder declares a profile of that name. */
static bool holds(const char *path, const char *name)
{
	cleanup_free char *text = NULL;
	struct error ignored;
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= (off_t)FILE_MAX &&
	       file_read(path, FILE_MAX, ERROR_PROFILE, &text, NULL, &ignored) == 0 &&
	       apparmor_declares(text, name);
}

/* A file in the folder that holds the profile; NULL if none does. To be freed. */
static char *search(const char *folder, const char *name)
{
	cleanup_dir DIR *dir = opendir(folder);
	const struct dirent *entry;

	for (int i = 0; dir && i < ENTRIES_MAX && (entry = readdir(dir)); i++) {
		cleanup_free char *path = *entry->d_name == '.'  ? NULL
					  : !strcmp(folder, ".") ? xstrdup(entry->d_name)
								 : xasprintf("%s/%s", folder, entry->d_name);

		if (path && holds(path, name))
			return steal_pointer(&path);
	}
	return NULL;
}

char *plan_find_apparmor(const struct plan_request *request, const char *name)
{
	static const char *const below[] = {"profiles", "apparmor", "apparmor.d"};
	cleanup_free char *folder = plan_folder_of(request->manifest_path);
	char *found = search(folder, name);

	for (size_t i = 0; i < array_length(below) && !found; i++) {
		cleanup_free char *path =
			!strcmp(folder, ".") ? xstrdup(below[i]) : xasprintf("%s/%s", folder, below[i]);

		found = search(path, name);
	}
	return found ? found : search("/etc/apparmor.d", name);
}

/* A file called as the profile, beside the manifest, that must be meant; for a hint. NULL if there is none. */
static char *find_namesake(const struct plan_request *request, const char *name)
{
	cleanup_free char *folder = plan_folder_of(request->manifest_path);
	cleanup_free char *path = xasprintf("%s/%s", folder, name);
	struct stat st;

	return !strchr(name, '/') && stat(path, &st) == 0 && S_ISREG(st.st_mode) ? steal_pointer(&path)
										 : NULL;
}

/* How to mend that a profile isn't loaded, where a file says so. */
static void hint_file(const struct plan_request *request, const char *name, struct error *err)
{
	cleanup_free char *file = plan_find_apparmor(request, name);
	cleanup_free char *namesake = file ? NULL : find_namesake(request, name);

	if (file)
		error_hint(err, "%s holds it: `%sminirun apparmor load %s` loads it", file,
			may_load() ? "" : "sudo ", file);
	else if (namesake)
		error_hint(err, "%s lies beside the manifest, but there is no \"profile %s\" in it", namesake,
			name);
}

static void warn(const struct planned *item, struct findings *findings, const char *hint, const char *text)
{
	cleanup_free char *path = xasprintf("%s.securityContext." FIELD, item->path);

	findings_add(
		findings, SEVERITY_WARNING, item->spec->line, item->spec->column, path, hint, "%s", text);
}

static void complain(const struct plan *plan, const struct planned *item, struct findings *findings,
	const struct error *err)
{
	plan_complain_profile(
		findings, item, FIELD, &item->spec->security.apparmor, &plan->pod->security.apparmor, err);
}

static void warn_if_loose(const struct planned *item, struct findings *findings)
{
	cleanup_free char *text = NULL;

	if (item->apparmor_mode != APPARMOR_COMPLAIN && item->apparmor_mode != APPARMOR_UNCONFINED)
		return;
	text = xasprintf("AppArmor profile \"%s\" is loaded in %s mode: it refuses nothing%s",
		item->locks.apparmor, apparmor_mode_name(item->apparmor_mode),
		item->apparmor_mode == APPARMOR_COMPLAIN ? ", the kernel only records what it would refuse"
							 : "");
	warn(item, findings, "take the flag out of the profile and load it again", text);
}

/* Once a pod: for each container it would be the same. */
static void do_without(
	struct plan *plan, struct planned *item, const struct error *err, struct findings *findings)
{
	cleanup_free char *text =
		xasprintf("the pod runs without AppArmor's default profile: %s", err->message);

	item->locks.apparmor = NULL;
	if (!plan->apparmor_missed)
		warn(item, findings, err->hint[0] ? err->hint : NULL, text);
	plan->apparmor_missed = true;
}

static void plan_default(struct plan *plan, struct planned *item, struct findings *findings)
{
	enum apparmor_mode mode = apparmor_loaded(APPARMOR_DEFAULT);
	struct error err = {0};

	/* Where securityfs isn't to be seen, as in most containers, containerd takes AppArmor for not enabled. */
	if (!item->apparmor_asked && mode == APPARMOR_UNKNOWN)
		return;
	item->locks.apparmor = APPARMOR_DEFAULT;
	item->apparmor_mode = mode;
	warn_if_loose(item, findings);
	/* Where it was asked for and the list can't be read the kernel decides, at exec. */
	if (mode != APPARMOR_NOT_LOADED || may_load())
		return;
	error_set(&err, ERROR_PROFILE, 0,
		"Cannot enforce AppArmor: profile \"" APPARMOR_DEFAULT
		"\" is not loaded, and only root can load it");
	error_hint(&err, "`sudo minirun apparmor load` does, until the machine stops");
	if (item->apparmor_asked)
		complain(plan, item, findings, &err);
	else
		do_without(plan, item, &err, findings);
}

static void plan_localhost(const struct plan *plan, struct planned *item, const char *name,
	const struct plan_request *request, struct findings *findings)
{
	struct error err = {0};

	item->locks.apparmor = name;
	item->apparmor_mode = apparmor_loaded(name);
	if (apparmor_check(name, &err) == 0) {
		warn_if_loose(item, findings);
		return;
	}
	if (item->apparmor_mode == APPARMOR_NOT_LOADED && strcmp(name, "unconfined") != 0)
		hint_file(request, name, &err);
	complain(plan, item, findings, &err);
}

void plan_apparmor(struct plan *plan, struct planned *item, const struct plan_request *request,
	struct findings *findings)
{
	const struct profile_choice *own = &item->spec->security.apparmor;
	const struct profile_choice *choice =
		own->type != PROFILE_UNSET ? own : &plan->pod->security.apparmor;
	bool by_annotation = choice->type != PROFILE_UNSET && !choice->line;
	struct error err = {0};

	item->apparmor_asked = choice->type != PROFILE_UNSET;
	if (request->learning && request->learning->apparmor) {
		plan_learning_apparmor(plan, item);
		return;
	}
	if (choice->type == PROFILE_UNCONFINED)
		return;
	if (!apparmor_available()) {
		if (!item->apparmor_asked)
			return;
		apparmor_explain_absence(&err);
		if (!err.hint[0])
			error_hint(&err, "take %s out of the manifest, or set %s",
				by_annotation ? "the annotation" : "appArmorProfile",
				by_annotation ? "it to unconfined" : "its type to Unconfined");
		complain(plan, item, findings, &err);
		item->locks.apparmor =
			choice->type == PROFILE_LOCALHOST ? choice->localhost : APPARMOR_DEFAULT;
	} else if (choice->type == PROFILE_LOCALHOST) {
		plan_localhost(plan, item, choice->localhost, request, findings);
	} else if (!item->privileged) {
		plan_default(plan, item, findings);
	} else if (item->apparmor_asked) {
		warn(item, findings, "type: Localhost is applied",
			"a privileged container gets no AppArmor profile by RuntimeDefault, as under "
			"containerd");
	}
}

void plan_apparmor_load(struct plan *plan, struct findings *findings)
{
	struct error err = {0};
	bool tried = false;
	int result = 0;

	for (size_t i = 0; i < plan->n; i++) {
		struct planned *item = &plan->items[i];

		if (!item->locks.apparmor || strcmp(item->locks.apparmor, APPARMOR_DEFAULT) != 0 ||
			!may_load())
			continue;
		if (!tried)
			result = apparmor_load_default(false, &err);
		tried = true;
		if (result == 0)
			item->apparmor_mode = apparmor_loaded(APPARMOR_DEFAULT);
		else if (item->apparmor_asked)
			complain(plan, item, findings, &err);
		else
			do_without(plan, item, &err, findings);
		plan_locks_settle(plan, item);
	}
}

/* What is to be said of a profile beside its name. */
static const char *caveat(const struct planned *item, bool is_default)
{
	if (!apparmor_available())
		return ", which can't be had: AppArmor is not enabled here";
	switch (item->apparmor_mode) {
	case APPARMOR_UNKNOWN:
		return ", if it is loaded: that can't be seen here";
	case APPARMOR_NOT_LOADED:
		return is_default && may_load() ? ", loaded by the first start" : ", which is not loaded";
	case APPARMOR_COMPLAIN:
	case APPARMOR_UNCONFINED:
		return ", which refuses nothing in the mode it is in";
	case APPARMOR_ENFORCE:
		break;
	}
	return "";
}

char *plan_apparmor_told(const struct planned *item, enum profile_type type)
{
	bool is_default = type != PROFILE_LOCALHOST;

	if (item->locks.apparmor)
		return xasprintf("%s%s%s", item->locks.apparmor, is_default ? ", the default profile" : "",
			caveat(item, is_default));
	if (type != PROFILE_UNSET)
		return xstrdup("unconfined");
	return xasprintf("unconfined: no appArmorProfile is given%s",
		!apparmor_available() ? ""
		: item->privileged    ? ", and the container is privileged"
				      : ", and the default profile is not loaded");
}
