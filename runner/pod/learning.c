/* What `minirun learn` does around a run: it says what it does, ends the pod in time, and writes the profile. */
#include "runner/pod/learning.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/plan/plan.h"
#include "runner/pod/supervise.h"
#include "runner/version.h"
#include "security/recording.h"

#define EXIT_NOTHING 125
#define MODE         0644 /* of a profile: who enforces it must be able to read it */

void learning_announce(const struct plan *plan, struct report *report)
{
	struct event event = {.type = "learning", .tone = TONE_NOTE};

	if (plan->learning->apparmor) {
		report_event(report, plan->pod->name, &event,
			"learning: AppArmor is in complain mode, lets everything through and is no boundary "
			"here; "
			"containers run once");
		return;
	}
	report_event(report, plan->pod->name, &event,
		"learning: seccomp lets all calls through%s; it is no boundary here; each container runs "
		"once",
		plan->learning->deny   ? " but those that are left out"
		: plan->learning->base ? " but those that a rule of the base refuses"
				       : "");
}

char *learning_rule(const struct learning *learning, const char *call)
{
	for (char *const *name = learning->deny; name && *name; name++)
		if (!strcmp(*name, call))
			return xstrdup("--deny");
	return learning->base_path ? xasprintf("a rule of %s", path_base(learning->base_path))
				   : xstrdup("--deny");
}

/* ---- the end in time ---- */

static void on_limit(void *data)
{
	struct supervisor *supervisor = data;
	struct event event = {.type = "terminating", .tone = TONE_NOTE};

	if (supervisor->ending)
		return;
	report_event(supervisor->report, supervisor->plan->pod->name, &event,
		"the time of --for is over: ending the pod");
	supervisor->stopped_at = timer_now();
	supervisor_end(supervisor, supervisor->plan->pod->termination_grace_period);
}

int learning_limit(struct supervisor *supervisor, struct error *err)
{
	const struct learning *learning = supervisor->plan->learning;

	if (!learning || !learning->milliseconds)
		return 0;
	if (timer_init(&supervisor->loop, &supervisor->limit, on_limit, supervisor, err) < 0)
		return -1;
	timer_arm(&supervisor->limit, learning->milliseconds);
	return 0;
}

/* ---- the profile ---- */

static char *join(char *const *words)
{
	char *text = xstrdup("");

	for (size_t i = 0; words && words[i]; i++) {
		char *longer = xasprintf("%s%s%s", text, !i ? "" : words[i + 1] ? ", " : " and ", words[i]);

		free(text);
		text = longer;
	}
	return text;
}

static bool was_recorded(const struct planned *item)
{
	return item->recording && item->recording->ran;
}

/* How a profile was made, the same each time: neither the hour nor how often a call came. */
static char *comment_of(const struct plan *plan, const struct planned *const *items, size_t n)
{
	const char *base = plan->learning->base_path;
	cleanup_free char *containers = NULL;
	cleanup_free char *beyond = NULL;
	struct strv names = {0};
	struct utsname system = {0};
	size_t version;

	for (size_t i = 0; i < n; i++)
		strv_push(&names, xstrdup(items[i]->spec->name));
	containers = join(names.items);
	strv_free(names.items);
	beyond = base ? xasprintf(", beyond what %s allows", path_base(base)) : xstrdup("");
	uname(&system);
	/* "6.1" of "6.1.0-18-amd64": what comes after it changes no call. */
	version = strcspn(system.release, ".");
	version += system.release[version] == '.';
	version += strspn(system.release + version, "0123456789");
	return xasprintf(PROFILE_MADE_BY
		" " MINIRUN_VERSION ": what container%s %s of pod %s called in one run on Linux %.*s, %s%s.",
		n == 1 ? "" : "s", containers, plan->pod->name, (int)version, system.release, system.machine,
		beyond);
}

static void say_nameless(const struct plan *plan, struct report *report, const struct profile_made *made)
{
	struct event event = {.type = "warning", .tone = TONE_NOTE};
	cleanup_free char *numbers = join(made->nameless);

	if (*numbers)
		report_event(report, plan->pod->name, &event,
			"no name is known for system call %s: a profile can't allow it", numbers);
}

static void say_made(const struct plan *plan, struct report *report, const struct profile_made *made,
	const char *container, const char *file)
{
	struct event event = {.type = "learned", .container = container, .tone = TONE_GOOD};
	cleanup_free char *added = NULL;

	if (plan->learning->base_path)
		added = xasprintf(", %zu of them not allowed by %s", made->n_added,
			path_base(plan->learning->base_path));
	event.more = json_object_new_object();
	json_object_object_add(event.more, "calls", json_object_new_int64((int64_t)made->n_seen));
	if (file)
		json_object_object_add(event.more, "file", json_object_new_string(file));
	report_event(report, plan->pod->name, &event, "learned %zu system calls%s%s%s", made->n_seen,
		added ? added : "", file ? ", written to " : "", file ? file : "");
	json_object_put(event.more);
}

/* Makes the profile of some containers and writes it. container: the only one it is of, or NULL. */
static int write_profile(const struct plan *plan, const struct planned *const *items, size_t n,
	const char *container, const char *file, struct report *report, struct error *err)
{
	const struct learning *learning = plan->learning;
	cleanup_free const struct recording **recordings = xcalloc(n, sizeof(struct recording *));
	cleanup_free char *comment = comment_of(plan, items, n);
	cleanup_free char *text = NULL;
	const struct profile_plan parts = {
		.comment = comment,
		.base = learning->base,
		.base_size = learning->base_size,
		.deny = learning->deny,
		.recordings = recordings,
		.n_recordings = n,
	};
	struct profile_made made;
	int result;

	for (size_t i = 0; i < n; i++)
		recordings[i] = items[i]->recording;
	text = profile_write(&parts, &made);
	if (file)
		result = file_write(file, MODE, text, strlen(text), err);
	else if (fd_write_all(STDOUT_FILENO, text, strlen(text)) < 0)
		result = error_set(err, ERROR_HOST, errno, "cannot write the profile to standard output");
	else
		result = 0;
	if (result == 0) {
		say_nameless(plan, report, &made);
		say_made(plan, report, &made, container, file);
	}
	profile_made_free(&made);
	return result;
}

static int write_each(const struct plan *plan, const struct planned *const *items, size_t n,
	struct report *report, struct error *err)
{
	const char *folder = plan->learning->write_dir;

	if (mkdir(folder, 0755) < 0 && errno != EEXIST)
		return error_set(err, ERROR_HOST, errno, "cannot make %s", folder);
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *file = xasprintf("%s/%s.json", folder, items[i]->spec->name);

		if (write_profile(plan, &items[i], 1, items[i]->spec->name, file, report, err) < 0)
			return -1;
	}
	return 0;
}

/* What isn't in the profile, though it is in the pod. */
static void say_missing(const struct plan *plan, struct report *report, int status)
{
	struct event event = {.type = "warning", .tone = TONE_NOTE};

	for (size_t i = 0; i < plan->n; i++) {
		event.container = plan->items[i].spec->name;
		if (plan->items[i].recording && !was_recorded(&plan->items[i]))
			report_event(report, plan->pod->name, &event,
				"never ran: what it calls is not in the profile");
	}
	event.container = NULL;
	if (status)
		report_event(report, plan->pod->name, &event,
			"the pod failed: what it would have called after that is not in the profile");
}

int learning_finish(const struct plan *plan, struct report *report, int status, struct error *err)
{
	const struct learning *learning = plan->learning;
	cleanup_free const struct planned **items = xcalloc(plan->n, sizeof(struct planned *));
	struct event event = {.type = "warning", .tone = TONE_NOTE, .important = true};
	size_t n = 0;
	int result;

	if (learning->apparmor)
		return learning_apparmor_finish(plan, report, status, err);
	for (size_t i = 0; i < plan->n; i++)
		if (was_recorded(&plan->items[i]))
			items[n++] = &plan->items[i];
	if (!n) {
		report_event(report, plan->pod->name, &event,
			"no program ran under a filter: nothing was learned, nothing is written");
		return status ? status : EXIT_NOTHING;
	}
	say_missing(plan, report, status);
	if (learning->write_dir)
		result = write_each(plan, items, n, report, err);
	else
		result = write_profile(plan, items, n, NULL, learning->write, report, err);
	return result < 0 ? result : status;
}
