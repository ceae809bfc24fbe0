/* The judge of seccomp profiles: its codes, its verdicts, and what the root of a profile says. */
#include "security/lint.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

/* An error is what makes a profile useless for what it is there for; minirun(1) explains each. */
static const struct {
	const char *code;
	enum severity severity;
} codes[] = {
	[LINT_EXECVE_MISSING] = {"execve-missing", SEVERITY_ERROR},
	[LINT_LOADER_CALLS_MISSING] = {"loader-calls-missing", SEVERITY_WARNING},
	[LINT_NAME_CONTRADICTS] = {"name-contradicts", SEVERITY_ERROR},
	[LINT_HALF_FAMILY] = {"half-family", SEVERITY_WARNING},
	[LINT_HALF_DENIED] = {"half-denied", SEVERITY_ERROR},
	[LINT_CLONE3_EPERM] = {"clone3-eperm", SEVERITY_WARNING},
	[LINT_RULE_NEVER_MATCHES] = {"rule-never-matches", SEVERITY_WARNING},
	[LINT_RULE_REDUNDANT] = {"rule-redundant", SEVERITY_INFO},
	[LINT_EITHER_CONDITION] = {"either-condition", SEVERITY_WARNING},
	[LINT_DUPLICATE_NAME] = {"duplicate-name", SEVERITY_WARNING},
	[LINT_CONTRADICTION] = {"contradiction", SEVERITY_ERROR},
	[LINT_ARCH_MISSING] = {"arch-missing", SEVERITY_WARNING},
	[LINT_ACTION_LOG] = {"action-log", SEVERITY_WARNING},
	[LINT_DEFAULT_ALLOW] = {"default-allow", SEVERITY_WARNING},
};

__attribute__((format(printf, 6, 0))) static void add(const struct lint *lint, enum severity severity,
	enum lint_code code, struct place place, const char *hint, const char *format, va_list args)
{
	cleanup_free char *text = NULL;
	cleanup_free char *shown = NULL;

	if (vasprintf(&text, format, args) < 0)
		text = xstrdup("out of memory");
	shown = text_printable(text, strlen(text)); /* it may quote the profile */
	findings_add(lint->findings, severity, place.line, place.column, NULL, hint, "%s", shown);
	findings_code(lint->findings, codes[code].code);
}

void lint_add(const struct lint *lint, enum lint_code code, struct place place, const char *hint,
	const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(lint, codes[code].severity, code, place, hint, format, args);
	va_end(args);
}

void lint_add_as(const struct lint *lint, enum severity severity, enum lint_code code, struct place place,
	const char *hint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(lint, severity, code, place, hint, format, args);
	va_end(args);
}

char *lint_list(char *list, const char *word, const char *last_joint, size_t n_following)
{
	char *longer = xasprintf("%s%s%s", list ? list : "",
		!list         ? ""
		: n_following ? ", "
			      : last_joint,
		word);

	free(list);
	return longer;
}

struct place lint_place_of(const struct node *node)
{
	return node ? (struct place){node->line, node->column} : (struct place){0};
}

struct place lint_default_place(const struct lint *lint)
{
	return lint_place_of(node_get(lint->root, "defaultAction"));
}

struct place lint_place(const struct lint *lint, const struct verdict *verdict)
{
	if (verdict->rule)
		return (struct place){verdict->rule->line, verdict->rule->column};
	return lint_default_place(lint);
}

bool lint_allows(uint32_t action)
{
	action &= SECCOMP_RET_ACTION_FULL;
	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

/* As the compiler and seccomp_verify.c have it: the first rule without conditions decides, if there is one. */
struct verdict lint_verdict(const struct lint *lint, const char *call)
{
	const struct seccomp_rules *rules = &lint->rules;
	int number = seccomp_syscall_number(rules->arches[0], call);
	struct verdict verdict = {.exists = number >= 0, .action = rules->default_action};
	bool sometimes_allowed = false, sometimes_refused = false;

	if (rules->newest[0] >= 0 && number > rules->newest[0])
		verdict.action = SECCOMP_RET_ERRNO | ENOSYS;
	for (size_t i = 0; i < rules->n; i++) {
		const struct seccomp_rule *rule = &rules->items[i];

		if (strcmp(rule->name->name, call))
			continue;
		if (rule->n_args == 0) {
			verdict.action = rule->action;
			verdict.rule = rule->name;
			sometimes_allowed = sometimes_refused = false;
			break;
		}
		sometimes_allowed |= lint_allows(rule->action);
		sometimes_refused |= !lint_allows(rule->action);
	}
	verdict.allowed = lint_allows(verdict.action) && !sometimes_refused;
	verdict.refused = !lint_allows(verdict.action) && !sometimes_allowed;
	verdict.is_enosys = verdict.action == (SECCOMP_RET_ERRNO | ENOSYS);
	return verdict;
}

unsigned int seccomp_known_calls(void)
{
	unsigned int n = 0;

	for (int number = 0; number < 600; number++) {
		char *name = seccomp_syscall_name(seccomp_arch_native(), number);

		n += name != NULL;
		free(name);
	}
	return n;
}

static void lint_execve(const struct lint *lint)
{
	struct verdict verdict = lint_verdict(lint, "execve");

	if (!verdict.refused)
		return;
	lint_add(lint, LINT_EXECVE_MISSING, lint_place(lint, &verdict),
		"allow execve: the filter is there before the program is started, and governs that too",
		"execve is refused: no program can be started under this profile");
}

/* An own architecture that isn't named counts here all the same, but the profile was made for another machine. */
static void lint_arches(const struct lint *lint)
{
	uint32_t native = seccomp_arch_native();
	const struct node *list = node_get(lint->root, "architectures");
	const struct node *map = node_get(lint->root, "archMap");
	const struct node *where = list && list->n ? list : map;
	const char *name = seccomp_arch_name(native);
	cleanup_free char *hint = NULL;
	const char *nearest;

	if (!where || !where->n || !name)
		return;
	for (size_t i = 0; i < where->n; i++) {
		const struct node *item =
			where == map ? node_get(where->items[i], "architecture") : where->items[i];

		if (item && item->kind == NODE_STRING && seccomp_arch_number(item->text, &nearest) == native)
			return;
	}
	hint = xasprintf("add %s%s", name,
		where == map ? "" : "; minirun and runc do so by themselves, but the list is for others too");
	lint_add(lint, LINT_ARCH_MISSING, lint_place_of(where), hint,
		"this machine's architecture, %s, is not among those that the profile is for", name);
}

static bool refuses_something(const struct seccomp_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		if (!lint_allows(rules->items[i].action))
			return true;
	return false;
}

static void lint_actions(const struct lint *lint)
{
	const struct node *syscalls = node_get(lint->root, "syscalls");
	uint32_t action = lint->profile->default_action & SECCOMP_RET_ACTION_FULL;
	bool refuses = refuses_something(&lint->rules);

	if (action == SECCOMP_RET_ALLOW)
		lint_add(lint, LINT_DEFAULT_ALLOW, lint_default_place(lint),
			"SCMP_ACT_ERRNO by default, and the calls that are needed with SCMP_ACT_ALLOW",
			refuses ? "the default is to allow: every call that no rule names goes through, "
				  "those of "
				  "newer kernels too"
				: "the default is to allow and no rule refuses anything: the profile has no "
				  "effect");
	if (action == SECCOMP_RET_LOG)
		lint_add(lint, LINT_ACTION_LOG, lint_default_place(lint),
			"SCMP_ACT_ERRNO, when the recording is done",
			"the default is SCMP_ACT_LOG: every call that no rule names goes through, and is "
			"only "
			"written to the kernel's log");
	for (size_t i = 0; syscalls && i < syscalls->n; i++) {
		const struct node *node = node_get(syscalls->items[i], "action");

		if (node && node->kind == NODE_STRING && !strcmp(node->text, "SCMP_ACT_LOG"))
			lint_add(lint, LINT_ACTION_LOG, lint_place_of(node),
				"SCMP_ACT_ALLOW or SCMP_ACT_ERRNO, when the recording is done",
				"SCMP_ACT_LOG lets these calls through, and only writes them to the kernel's "
				"log");
	}
}

/* What the selection says of rules that another makes void, where lint_rules hasn't said it. */
static void take_selection(const struct lint *lint, const struct findings *selection, size_t from)
{
	for (size_t i = 0; i < selection->n; i++) {
		const struct finding *f = &selection->items[i];
		bool known = false;

		for (size_t j = from; j < lint->findings->n && !known; j++)
			known = lint->findings->items[j].line == f->line &&
				lint->findings->items[j].column == f->column;
		if (!known)
			lint_add(lint, LINT_RULE_NEVER_MATCHES, (struct place){f->line, f->column},
				"take one of the two out", "%s", f->text);
	}
}

static void judge(struct lint *lint)
{
	struct findings selection;
	struct error err = {0};
	size_t from = lint->findings->n;

	findings_init(&selection, "");
	if (seccomp_select(lint->profile, &(struct seccomp_subject){lint->subject->capabilities},
		    &lint->rules, &selection, &err) < 0) {
		findings_add(lint->findings, SEVERITY_ERROR, 0, 0, NULL, NULL, "%s", err.message);
	} else {
		lint_actions(lint);
		lint_arches(lint);
		lint_execve(lint);
		lint_loader(lint);
		lint_clone3(lint);
		lint_families(lint);
		lint_words(lint);
		lint_rules(lint);
		take_selection(lint, &selection, from);
	}
	free(lint->rules.items);
	findings_free(&selection);
}

void seccomp_lint(const char *text, size_t size, const char *name, const struct lint_subject *subject,
	struct findings *findings)
{
	struct seccomp_profile *profile = seccomp_profile_read(text, size, findings);
	struct lint lint = {.name = name, .subject = subject, .profile = profile, .findings = findings};
	/* A second reading, for places and comments: a profile has no use for them. It can't fail after the first. */
	cleanup_node struct node *root = profile ? document_read(text, size, DOCUMENT_JSON, findings) : NULL;

	lint.root = root;
	if (root)
		judge(&lint);
	seccomp_profile_free(profile);
}
