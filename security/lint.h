/*
 * What the files of the judge of seccomp profiles share; nobody else includes this.
 *
 * The reader (seccomp_profile.c) says what is wrong with a profile's text. What is found here is right as text, but
 * isn't what its author can have meant: lint.c has the table of codes, lint_calls.c the calls that programs can't do
 * without and those that only make sense together, lint_rules.c what entries do to each other, lint_words.c what names
 * and comments promise.
 */
#ifndef SECURITY_LINT_H
#define SECURITY_LINT_H

#include "base/document.h"
#include "security/seccomp.h"

enum lint_code {
	LINT_EXECVE_MISSING,
	LINT_LOADER_CALLS_MISSING,
	LINT_NAME_CONTRADICTS,
	LINT_HALF_FAMILY,
	LINT_HALF_DENIED,
	LINT_CLONE3_EPERM,
	LINT_RULE_NEVER_MATCHES,
	LINT_RULE_REDUNDANT,
	LINT_EITHER_CONDITION,
	LINT_DUPLICATE_NAME,
	LINT_CONTRADICTION,
	LINT_ARCH_MISSING,
	LINT_ACTION_LOG,
	LINT_DEFAULT_ALLOW,
};

struct lint {
	const char *name; /* the file's */
	const struct lint_subject *subject;
	const struct node *root; /* the text, for places and comments */
	const struct seccomp_profile *profile;
	struct seccomp_rules rules; /* as they count for the subject */
	struct findings *findings;
};

/* Where something stands. */
struct place {
	unsigned int line, column;
};

/* What a profile does with a call on the machine's own architecture. */
struct verdict {
	bool exists; /* here; if not, nothing else counts */
	bool allowed; /* whatever the arguments */
	bool refused; /* whatever the arguments */
	bool is_enosys; /* refused as a kernel would that hasn't got it: programs then do without */
	uint32_t action; /* if no condition holds */
	const struct seccomp_name
		*rule; /* that decides; NULL: the default action, or the call is too new for the profile */
};
struct verdict lint_verdict(const struct lint *lint, const char *call);

/* Whether an action lets the call through. */
bool lint_allows(uint32_t action);

/* Of the rule that decides, or of the default action. */
struct place lint_place(const struct lint *lint, const struct verdict *verdict);
struct place lint_place_of(const struct node *node);
/* The profile's defaultAction. */
struct place lint_default_place(const struct lint *lint);

/* Adds a finding, as severe as the table of codes says; hint may be NULL. */
void lint_add(const struct lint *lint, enum lint_code code, struct place place, const char *hint,
	const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The same, of another severity than the table's. */
void lint_add_as(const struct lint *lint, enum severity severity, enum lint_code code, struct place place,
	const char *hint, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* "a, b and c" from "a" and so on: appends word to list, which it frees. n words follow. */
char *lint_list(char *list, const char *word, const char *last_joint, size_t n_following);

/* lint_calls.c */
void lint_loader(const struct lint *lint);
void lint_families(const struct lint *lint);
void lint_clone3(const struct lint *lint);
/* Calls each for the calls that do what this call does, itself first, which need not have others. */
void lint_each_alike(const char *call, void (*each)(void *data, const char *alike), void *data);

/* lint_rules.c */
void lint_rules(const struct lint *lint);

/* lint_words.c */
void lint_words(const struct lint *lint);

#endif
