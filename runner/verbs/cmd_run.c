/* `minirun run FILE`: reads the manifest, makes the plan, says what is wrong with either, and supervises the pod. */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/document.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/verbs/apply.h"
#include "runner/pod/background.h"
#include "runner/command.h"
#include "runner/pod/learning.h"
#include "runner/manifest/manifest.h"
#include "runner/plan/paths.h"
#include "runner/plan/plan.h"
#include "runner/pod/provision.h"
#include "runner/report.h"
#include "runner/pod/run.h"
#include "runner/pod/state.h"
#include "runner/pod/supervise.h"

#define NAME_COLUMN 24 /* longer names push their own lines only */

static void add_text(struct json_object *object, const char *key, const char *text)
{
	if (text && *text)
		json_object_object_add(object, key, json_object_new_string(text));
}

static void show_finding(
	struct report *report, const char *pod, const char *file, const struct finding *finding)
{
	struct event event = {
		.type = finding->severity == SEVERITY_ERROR ? "error" : "warning",
		.important = finding->severity == SEVERITY_ERROR,
		.more = json_object_new_object(),
	};

	add_text(event.more, "file", file);
	if (finding->line) {
		json_object_object_add(event.more, "line", json_object_new_int((int)finding->line));
		json_object_object_add(event.more, "column", json_object_new_int((int)finding->column));
	}
	add_text(event.more, "field", finding->path);
	add_text(event.more, "hint", finding->hint);
	report_event(report, pod, &event, "%s", finding->text);
	json_object_put(event.more);
}

/* All findings at once, on stderr, or as events with -o json. */
static void show(struct report *report, const char *pod, const struct findings *findings)
{
	if (!report->json) {
		if (!report->quiet || findings->errors)
			findings_print(findings, stderr);
		return;
	}
	for (size_t i = 0; i < findings->n; i++)
		show_finding(report, pod, findings->file, &findings->items[i]);
}

/* An error of the run itself, for those who read -o json alone; main() says it on stderr as well. */
static void show_error(struct report *report, const char *pod, const struct error *err)
{
	struct event event = {.type = "error", .important = true, .reason = error_class_name(err->class)};

	if (!report->json)
		return;
	event.more = json_object_new_object();
	add_text(event.more, "hint", err->hint);
	add_text(event.more, "check", err->check);
	report_event(report, pod, &event, "%s", err->message);
	json_object_put(event.more);
}

static void set_width(struct report *report, const struct plan *plan)
{
	size_t width = strlen("pod/") + strlen(plan->pod->name);

	for (size_t i = 0; i < plan->n; i++) {
		size_t n = strlen(plan->items[i].spec->name);

		width = n > width ? n : width;
	}
	report->width = width > NAME_COLUMN ? NAME_COLUMN : (int)width;
}

static bool same_locks(const struct plan *plan)
{
	for (size_t i = 1; i < plan->n; i++)
		if (strcmp(plan->items[i].locks_text, plan->items[0].locks_text) != 0)
			return false;
	return true;
}

static char *list_images(const struct plan *plan)
{
	char *list = xstrdup("");

	for (size_t i = 0; i < plan->n; i++) {
		const struct image *image = &plan->items[i].image;
		bool seen = false;
		char size[32];
		char *longer;

		for (size_t j = 0; j < i && !seen; j++)
			seen = !strcmp(plan->items[j].image.name, image->name);
		if (seen)
			continue;
		longer = xasprintf("%s%s%s stored, %s", list, *list ? "; " : "", image->name,
			text_size(image->size, size, sizeof(size)));
		free(list);
		list = longer;
	}
	return list;
}

static char *list_ports(const struct container_spec *spec)
{
	char *list = xstrdup("");

	for (size_t i = 0; i < spec->n_ports; i++) {
		const char *name = spec->ports[i].name;
		char *longer = xasprintf("%s%s%s%s%u/%s", list, i ? ", " : " · ports ", name ? name : "",
			name ? " " : "", spec->ports[i].container_port, spec->ports[i].protocol);

		free(list);
		list = longer;
	}
	return list;
}

/* What is about to run, under which locks: one line if all containers have the same, else one each. */
static void introduce(struct report *report, const struct plan *plan)
{
	struct event event = {.type = "planned"};
	cleanup_free char *images = list_images(plan);
	bool same = same_locks(plan);

	report_event(report, plan->pod->name, &event, "%s%s%s", images, same ? " · " : "",
		same ? plan->items[0].locks_text : "");
	for (size_t i = 0; i < plan->n; i++) {
		cleanup_free char *ports = list_ports(plan->items[i].spec);

		event.container = plan->items[i].spec->name;
		if (!same)
			report_event(
				report, plan->pod->name, &event, "%s%s", plan->items[i].locks_text, ports);
		else if (*ports)
			report_event(report, plan->pod->name, &event, "%s", ports + strlen(" · "));
	}
}

/* For tests: how many seconds of the rules pass in one. */
static int read_time_scale(const struct invocation *invocation, double *scale, struct error *err)
{
	const char *text = invocation->value[OPTION_TIME_SCALE];
	char *end = NULL;

	*scale = text ? strtod(text, &end) : 1;
	if (text && (*end || !(*scale >= 0.001 && *scale <= 1e6)))
		return error_set(err, ERROR_USAGE, 0, "--time-scale %s: not a number above 0", text);
	return 0;
}

/* A line for each object of the file, as kubectl has it; what it holds beside the Pod is the Pod's own here. */
static void print_objects(const struct pod *pod, const char *what)
{
	for (size_t i = 0; i < pod->n_configs; i++)
		printf("%s/%s %s\n", pod->configs[i].secret ? "secret" : "configmap", pod->configs[i].name,
			what);
	printf("pod/%s %s\n", pod->name, what);
}

/* In the background: what there is to say is said by now. */
static int run_detached(const struct plan *plan, struct supervise_options *options, struct state *state,
	struct report *report, struct error *err)
{
	struct background background;
	int result = background_start(&background, err);

	if (result < 0)
		return result;
	if (result > 0) {
		if (!report->quiet)
			print_objects(plan->pod, "created");
		return 0;
	}
	report->silent = true;
	options->ready = background_ready;
	/* cppcheck-suppress autoVariables ; this function doesn't return in the child */
	options->data = &background;
	result = supervise(plan, options, state, report, err);
	if (result < 0)
		background_failed(&background, err);
	/* The rest belongs to the process that was started. */
	_exit(result < 0 ? 125 : 0);
}

static int run_plan(const struct plan *plan, const struct invocation *invocation, const char *store,
	const char *manifest, const struct pull_options *pull, struct report *report, struct error *err)
{
	cleanup_free char *root = path_of_root(invocation, err);
	struct supervise_options options = {
		.once = invocation->value[OPTION_ONCE] != NULL || plan->learning,
		.manifest = manifest,
		.pull = pull,
	};
	struct state state;
	int status;

	if (!root || read_time_scale(invocation, &options.time_scale, err) < 0)
		return -1;
	set_width(report, plan);
	status = state_open(&state, root, store, plan->pod->name, plan->uid, err);
	if (status == 0 && invocation->value[OPTION_DETACH]) {
		status = run_detached(plan, &options, &state, report, err);
	} else if (status == 0) {
		introduce(report, plan);
		if (plan->learning)
			learning_announce(plan, report);
		if (plan->learning && plan->learning->apparmor)
			status = learning_apparmor_load(plan, err);
		if (status == 0)
			status = supervise(plan, &options, &state, report, err);
		if (plan->learning && plan->learning->apparmor)
			learning_apparmor_unload(plan);
		if (status >= 0 && plan->learning)
			status = learning_finish(plan, report, status, err);
	}
	state_close(&state);
	return status;
}

static int plan_and_run(const struct pod *pod, const char *file, const char *manifest,
	const struct invocation *invocation, struct report *report, const struct learning *learning,
	struct findings *findings, struct error *err)
{
	cleanup_free char *store = path_of_store(invocation, err);
	struct provision provision = {.report = report, .pod = pod->name};
	struct plan_request request = {
		.store_path = store,
		.manifest_path = file,
		.pids_limit = -1,
		.profile_root = invocation->value[OPTION_SECCOMP_PROFILE_ROOT],
		.no_denials = invocation->value[OPTION_NO_DENIALS] != NULL,
		.learning = learning,
		.no_limits = invocation->value[OPTION_NO_LIMITS] != NULL,
		.fetch_later = invocation->value[OPTION_DETACH] != NULL,
		.fetch = provision_fetch,
		.data = &provision,
	};
	struct plan plan;
	int status;

	if (!store || option_integer(invocation, OPTION_PIDS_LIMIT, 0, &request.pids_limit, err) < 0 ||
		pull_settings_read(invocation, &provision.settings, err) < 0)
		return -1;
	report->pod = pod->name;
	status = plan_make(&plan, pod, &request, findings, stderr, err);
	findings_sort(findings);
	show(report, pod->name, findings);
	if (status < 0 && findings->errors)
		plan_invalid(findings, pod->name, err);
	if (status == 0)
		status = run_plan(
			&plan, invocation, store, manifest, &provision.settings.options, report, err);
	plan_free(&plan);
	pull_settings_free(&provision.settings);
	return status;
}

/* `apply` lets a pod be that is as its manifest says: 1, and says so. */
static int find_unchanged(const struct invocation *invocation, const struct pod *pod,
	struct json_object *object, struct error *err)
{
	cleanup_free char *root = path_of_root(invocation, err);
	int result = root ? apply_check_name(root, pod->namespace, pod->name, err) : -1;

	if (result < 0 || strcmp(invocation->command->name, "apply") != 0)
		return result;
	result = apply_compare(root, pod->name, object, err);
	if (result <= 0 || invocation->value[OPTION_QUIET])
		return result;
	printf("pod/%s unchanged\n", pod->name);
	/* Whether they changed isn't known: of a Secret nothing is kept that it could be told by. */
	if (pod->n_configs)
		fprintf(stderr,
			"minirun: the ConfigMaps and Secrets of the file were not applied: the pod has them "
			"as they "
			"were at its start (minirun delete %s, and then apply it)\n",
			pod->name);
	return result;
}

int run_manifest(const struct invocation *invocation, struct report *report, const struct learning *learning,
	struct error *err)
{
	const char *name = invocation->command->name;
	const char *file = invocation->operands[0];
	cleanup_free char *text = NULL;
	cleanup_pod struct pod *pod = NULL;
	struct findings findings;
	size_t size;
	int status;

	if (!file || invocation->n_operands > 1) {
		error_set(err, ERROR_USAGE, 0,
			file ? "%s takes one file, not %d" : "%s wants the file of a pod", name,
			invocation->n_operands);
		return error_hint(err, "minirun %s FILE, or - for standard input", name);
	}
	if (file_read(file, DOCUMENT_SIZE, ERROR_MANIFEST, &text, &size, err) < 0)
		return -1;
	findings_init(&findings, file);
	pod = manifest_read_in(text, size, invocation->value[OPTION_NAMESPACE], &findings);
	if (pod) {
		struct json_object *object = manifest_object(text, size, pod);

		status = find_unchanged(invocation, pod, object, err);
		if (status == 0)
			status = plan_and_run(pod, file,
				json_object_to_json_string_ext(object, JSON_C_TO_STRING_NOSLASHESCAPE),
				invocation, report, learning, &findings, err);
		else if (status > 0)
			status = 0;
		json_object_put(object);
	} else {
		show(report, NULL, &findings);
		status = plan_invalid(&findings, NULL, err);
	}
	if (status < 0)
		show_error(report, pod ? pod->name : NULL, err);
	findings_free(&findings);
	return status;
}

int cmd_run(const struct invocation *invocation, struct error *err)
{
	struct report report;

	report_init(&report, wants_json(invocation), invocation->value[OPTION_QUIET] != NULL,
		invocation->value[OPTION_COLOR]);
	return run_manifest(invocation, &report, NULL, err);
}
