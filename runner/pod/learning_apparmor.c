/*
 * `minirun learn --apparmor`: each container runs under a profile of its own in complain mode, called minirun-learn-PID-N, so that
 * each record says whose it is, also when its process is gone. What the kernel recorded becomes one profile.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "namespaces/namespaces.h"
#include "runner/pod/learning.h"
#include "runner/plan/plan.h"
#include "runner/version.h"
#include "security/apparmor.h"
#include "security/apparmor_learned.h"
#include "security/audit.h"

#define EXIT_NOTHING 125
#define MODE         0644

int learning_apparmor_check(struct error *err)
{
	struct audit_source *source;
	bool is_kmsg;

	if (!apparmor_available())
		return apparmor_explain_absence(err);
	if (geteuid() != 0 || userns_inside()) {
		error_set(err, ERROR_HOST, 0, "only root may load the profile to learn under");
		return error_hint(err, "run it as root");
	}
	source = xcalloc(1, sizeof(*source));
	if (audit_open(source, err) < 0) {
		free(source);
		return -1;
	}
	is_kmsg = source->is_kmsg;
	audit_close(source);
	free(source);
	if (!is_kmsg)
		return 0;
	error_set(err, ERROR_HOST, 0,
		"the audit's own records can't be read, and the kernel's log leaves most out");
	return error_hint(err, "run it as root of the machine, outside of containers");
}

/* What a learner left that was killed: profiles of a process that isn't there any more. */
static void unload_stale(void)
{
	cleanup_free char *list = apparmor_list();
	char *rest = list;
	char *line;

	while (rest && (line = strsep(&rest, "\n"))) {
		char *end = line;
		long pid = 0;
		struct error ignored;

		if (!strncmp(line, LEARNING_PREFIX, strlen(LEARNING_PREFIX)))
			pid = strtol(line + strlen(LEARNING_PREFIX), &end, 10);
		if (pid <= 0 || *end != '-' || kill((pid_t)pid, 0) == 0 || errno != ESRCH)
			continue;
		line[strcspn(line, " ")] = '\0';
		apparmor_unload(line, &ignored);
	}
}

int learning_apparmor_load(const struct plan *plan, struct error *err)
{
	unload_stale();
	for (size_t i = 0; i < plan->n; i++) {
		cleanup_free char *text = apparmor_learning_text(plan->items[i].learned_under);
		/* Not closed on exec: apparmor_parser is to read it. */
		cleanup_fd int fd = memfd_create("profile", 0);
		cleanup_free char *path = xasprintf("/proc/self/fd/%d", fd);
		cleanup_strv char **names = NULL;

		if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0)
			return error_set(err, ERROR_HOST, errno, "cannot make a file in memory");
		if (apparmor_load_file(path, &names, err) < 0)
			return error_wrap(err, "cannot load the profile to learn under");
	}
	return 0;
}

void learning_apparmor_unload(const struct plan *plan)
{
	struct error ignored;

	for (size_t i = 0; i < plan->n; i++)
		apparmor_unload(plan->items[i].learned_under, &ignored);
}

bool learning_take_record(const struct plan *plan, const struct apparmor_record *record)
{
	if (!plan->learning || !plan->learning->apparmor || record->namespace)
		return false;
	for (size_t i = 0; i < plan->n; i++) {
		const struct planned *item = &plan->items[i];

		if (item->learned_under && !strcmp(record->profile, item->learned_under)) {
			apparmor_learned_add(item->learned, record, item->learned_under);
			return true;
		}
	}
	return false;
}

/* ---- the profile ---- */

/* As the manifest calls it, or after the pod. */
static char *name_of(const struct plan *plan, const struct planned *item)
{
	const struct profile_choice *choice = item->spec->security.apparmor.type != PROFILE_UNSET
						      ? &item->spec->security.apparmor
						      : &plan->pod->security.apparmor;

	if (choice->type == PROFILE_LOCALHOST)
		return xstrdup(choice->localhost);
	return plan->learning->write_dir ? xasprintf("%s-%s", plan->pod->name, item->spec->name)
					 : xstrdup(plan->pod->name);
}

static char *comment_of(const struct plan *plan, const char *containers)
{
	struct utsname system = {0};
	size_t version;

	uname(&system);
	/* "6.1" of "6.1.0-18-amd64" */
	version = strcspn(system.release, ".");
	version += system.release[version] == '.';
	version += strspn(system.release + version, "0123456789");
	return xasprintf("Made by `minirun learn --apparmor` " MINIRUN_VERSION
			 ": what %s of pod %s did in one run on Linux %.*s.",
		containers, plan->pod->name, (int)version, system.release);
}

static void say(const struct plan *plan, struct report *report, const struct apparmor_learned *learned,
	const char *container, const char *name, const char *file)
{
	struct event event = {.type = "learned", .container = container, .tone = TONE_GOOD};

	report_event(report, plan->pod->name, &event, "learned %zu rules for AppArmor profile %s%s%s",
		learned->n, name, file ? ", written to " : "", file ? file : "");
	event = (struct event){.type = "warning", .container = container, .tone = TONE_NOTE};
	if (learned->unknown)
		report_event(report, plan->pod->name, &event, "the profile can't be made to permit this: %s",
			learned->unknown);
	if (learned->beyond)
		report_event(report, plan->pod->name, &event,
			"there was more than %d rules hold: write patterns by hand", LEARNED_RULES);
}

static int put(const struct plan *plan, struct report *report, const struct apparmor_learned *learned,
	const struct planned *item, const char *file, struct error *err)
{
	bool is_only = plan->learning->write_dir != NULL;
	cleanup_free char *name = name_of(plan, item);
	cleanup_free char *containers =
		is_only ? xasprintf("container %s", item->spec->name) : xstrdup("the containers");
	cleanup_free char *comment = comment_of(plan, containers);
	cleanup_free char *text = apparmor_learned_text(learned, name, comment);

	if (file && file_write(file, MODE, text, strlen(text), err) < 0)
		return -1;
	if (!file && fd_write_all(STDOUT_FILENO, text, strlen(text)) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot write the profile to standard output");
	say(plan, report, learned, is_only ? item->spec->name : NULL, name, file);
	return 0;
}

static int put_each(const struct plan *plan, struct report *report, struct error *err)
{
	const char *folder = plan->learning->write_dir;

	if (mkdir(folder, 0755) < 0 && errno != EEXIST)
		return error_set(err, ERROR_HOST, errno, "cannot make %s", folder);
	for (size_t i = 0; i < plan->n; i++) {
		const struct planned *item = &plan->items[i];
		cleanup_free char *file = xasprintf("%s/%s", folder, item->spec->name);

		if (put(plan, report, item->learned, item, file, err) < 0)
			return -1;
	}
	return 0;
}

int learning_apparmor_finish(const struct plan *plan, struct report *report, int status, struct error *err)
{
	struct event event = {.type = "warning", .tone = TONE_NOTE, .important = true};
	struct apparmor_learned all = {0};
	const struct planned *named =
		plan->n ? &plan->items[plan->n_init < plan->n ? plan->n_init : 0] : NULL;
	int result;

	for (size_t i = 0; i < plan->n; i++)
		apparmor_learned_merge(&all, plan->items[i].learned);
	if (!all.records) {
		report_event(report, plan->pod->name, &event,
			"nothing was recorded: nothing was learned, nothing is written");
		return status ? status : EXIT_NOTHING;
	}
	if (status)
		report_event(report, plan->pod->name, &event,
			"the pod failed: what it would have done after that is not in the profile");
	result = plan->learning->write_dir ? put_each(plan, report, err)
					   : put(plan, report, &all, named, plan->learning->write, err);
	apparmor_learned_free(&all);
	return result < 0 ? result : status;
}
