/* `minirun explain FILE`: makes the plan of a run, tells it with what lint has to say, and runs nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "runner/command.h"
#include "runner/verbs/explain.h"
#include "runner/verbs/lint.h"
#include "runner/plan/paths.h"

static void judge(const struct plan *plan, struct findings *findings)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct planned *item = &plan->items[i];
		const struct planned_profile *profile = item->profile;

		findings_init(&findings[i], profile && profile->source ? profile->source : "");
		if (!profile || !profile->text)
			continue;
		lint_profile_of(
			&plan->store, item, profile->source, profile->text, profile->size, &findings[i]);
		lint_complete_codes(&findings[i]);
	}
}

/* With json, the document that becomes theirs, they are part of it; else they come first, on standard error, as in a run. */
static void tell_findings(struct json_object *json, struct findings *findings)
{
	struct json_object *list;

	if (!json) {
		findings_print(findings, stderr);
		return;
	}
	list = json_object_new_array();
	lint_complete_codes(findings);
	lint_add_json(list, findings);
	json_object_object_add(json, "findings", list);
	lint_print_json(json);
}

static void tell(const struct invocation *invocation, const struct plan *plan, struct findings *findings)
{
	struct explanation explanation = {
		.plan = plan, .findings = xcalloc(plan->n, sizeof(*explanation.findings))};

	judge(plan, explanation.findings);
	tell_findings(wants_json(invocation) ? explain_json(&explanation) : NULL, findings);
	if (!wants_json(invocation))
		explain_text(&explanation, stdout);
	for (size_t i = 0; i < plan->n; i++)
		findings_free(&explanation.findings[i]);
	free(explanation.findings);
}

static int plan_and_tell(const struct invocation *invocation, const struct pod *pod, const char *file,
	struct findings *findings, struct error *err)
{
	cleanup_free char *store = path_of_store(invocation, err);
	struct plan_request request = {
		.store_path = store,
		.manifest_path = file,
		.pids_limit = -1,
		.profile_root = invocation->value[OPTION_SECCOMP_PROFILE_ROOT],
		.look_only = true,
	};
	struct plan plan;
	int result;

	if (!store || option_integer(invocation, OPTION_PIDS_LIMIT, 0, &request.pids_limit, err) < 0)
		return -1;
	/* What is said of a profile is told beside the container: not printed on the way. */
	result = plan_make(&plan, pod, &request, findings, NULL, err);
	findings_sort(findings);
	if (result == 0 || findings->errors)
		tell(invocation, &plan, findings);
	if (result < 0 && findings->errors)
		plan_invalid(findings, pod->name, err);
	plan_free(&plan);
	return result;
}

/* A manifest of which no plan can be made: its findings alone. */
static int tell_invalid(const struct invocation *invocation, struct findings *findings, struct error *err)
{
	tell_findings(wants_json(invocation) ? json_object_new_object() : NULL, findings);
	return plan_invalid(findings, NULL, err);
}

int cmd_explain(const struct invocation *invocation, struct error *err)
{
	const char *file = invocation->operands[0];
	cleanup_free char *text = NULL;
	cleanup_pod struct pod *pod = NULL;
	struct findings findings;
	size_t size;
	int result;

	if (!file || invocation->n_operands > 1) {
		error_set(err, ERROR_USAGE, 0,
			file ? "explain takes one file, not %d" : "explain wants the file of a pod",
			invocation->n_operands);
		return error_hint(err, "minirun explain FILE, or - for standard input");
	}
	if (file_read(file, DOCUMENT_SIZE, ERROR_MANIFEST, &text, &size, err) < 0)
		return -1;
	findings_init(&findings, file);
	pod = manifest_read(text, size, &findings);
	result = pod ? plan_and_tell(invocation, pod, file, &findings, err)
		     : tell_invalid(invocation, &findings, err);
	findings_free(&findings);
	return result;
}
