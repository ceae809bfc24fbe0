/*
 * When a container is started again, as its manifest says, and what else its pod's readiness waits for.
 *
 * After validateContainerRestartPolicy and validateReadinessGates of pkg/apis/core/validation. Rules of containers came with
 * Kubernetes 1.34 (KEP-5307); RestartAllContainers (1.35, KEP-5532) isn't done here.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/manifest/manifest_parts.h"
#include "runner/manifest/names.h"

#define RULES_MAX 20
#define CODES_MAX 255

static const struct choice policies[] = {
	{"Always", RESTART_ALWAYS},
	{"Never", RESTART_NEVER},
	{"OnFailure", RESTART_ON_FAILURE},
};

enum action {
	ACTION_NONE,
	ACTION_RESTART,
	ACTION_RESTART_ALL,
};
static const struct choice actions[] = {
	{"Restart", ACTION_RESTART},
	{"RestartAllContainers", ACTION_RESTART_ALL},
};

static const struct choice operators[] = {
	{"In", false},
	{"NotIn", true},
};

/* A word that has to be there. */
static int read_word(const struct cursor *at, const struct choice *choices, size_t n)
{
	const char *text = cursor_string(at);

	if (!text || !*text)
		cursor_add(at, SEVERITY_ERROR, NULL,
			"Unsupported value: \"\": supported values: \"%s\", \"%s\"", choices[0].word,
			choices[1].word);
	return cursor_choice(at, choices, n, 0);
}

static void check_number(const struct cursor *at, size_t max)
{
	if (cursor_items(at) > max)
		cursor_add(at, SEVERITY_ERROR, NULL, "Too many: %zu: must have at most %zu items",
			cursor_items(at), max);
}

static void read_rule(const struct cursor *at, struct restart_rule *rule)
{
	struct cursor action = cursor_get(at, "action"), exits = cursor_get(at, "exitCodes");
	struct cursor relation = cursor_get(&exits, "operator"), values = cursor_get(&exits, "values");

	if (read_word(&action, actions, array_length(actions)) == ACTION_RESTART_ALL)
		cursor_add(&action, SEVERITY_ERROR, NULL,
			"known, not supported here: only the container itself can be started again");
	if (!exits.node) {
		cursor_required(&exits, "must be specified");
		return;
	}
	rule->not_in = read_word(&relation, operators, array_length(operators));
	check_number(&values, CODES_MAX);
	rule->codes = xcalloc(cursor_items(&values), sizeof(*rule->codes));
	for (; rule->n < cursor_items(&values); rule->n++) {
		struct cursor code = cursor_item(&values, rule->n);

		cursor_integer(&code, &rule->codes[rule->n]);
	}
}

void manifest_restart(const struct cursor *container, bool init, struct container_spec *spec)
{
	struct cursor policy = cursor_get(container, "restartPolicy");
	struct cursor rules = cursor_get(container, "restartPolicyRules");

	spec->restart_policy =
		(enum restart_policy)cursor_choice(&policy, policies, array_length(policies), RESTART_POD);
	spec->restart_always = init && spec->restart_policy == RESTART_ALWAYS;
	if (cursor_items(&rules) && !policy.node)
		cursor_required(&policy, "must specify restartPolicy when restart rules are used");
	check_number(&rules, RULES_MAX);
	spec->restart_rules = xcalloc(cursor_items(&rules), sizeof(*spec->restart_rules));
	for (; spec->n_restart_rules < cursor_items(&rules); spec->n_restart_rules++) {
		struct cursor rule = cursor_item(&rules, spec->n_restart_rules);

		read_rule(&rule, &spec->restart_rules[spec->n_restart_rules]);
	}
}

void restart_free(struct container_spec *container)
{
	for (size_t i = 0; i < container->n_restart_rules; i++)
		free(container->restart_rules[i].codes);
	free(container->restart_rules);
}

void manifest_gates(const struct cursor *spec, struct pod *pod)
{
	struct cursor gates = cursor_get(spec, "readinessGates");
	struct strv types = {0};

	for (size_t i = 0; i < cursor_items(&gates); i++) {
		struct cursor gate = cursor_item(&gates, i), type = cursor_get(&gate, "conditionType");
		const char *text = cursor_string(&type);

		names_check_label_key(&type, text ? text : "");
		strv_push(&types, xstrdup(text ? text : ""));
	}
	if (types.n)
		cursor_warn(&gates, "nobody sets conditions of pods here: the pod will never be Ready");
	pod->readiness_gates = types.items;
}
