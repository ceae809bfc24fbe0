/*
 * The text of an AppArmor profile as a list of rules, with places: for what apparmor_parser(8) doesn't say, as it holds a
 * profile that is right to be a good one. See apparmor.d(5). What isn't understood is left out of the list, never an error:
 * whether the text is right is apparmor_parser's to say.
 *
 * Includes are followed (abstractions have rules that count), variables aren't: a path with one may be any path.
 */
#ifndef SECURITY_APPARMOR_RULES_H
#define SECURITY_APPARMOR_RULES_H

#include <stdbool.h>
#include <stddef.h>

enum apparmor_rule_kind {
	RULE_FILE, /* a path, or "file," for all of them with all rights */
	RULE_OTHER, /* capability, network, mount, ... */
};

struct apparmor_rule {
	enum apparmor_rule_kind kind;
	bool deny, audit;
	bool included; /* stands in another file */
	size_t profile; /* which it is of */
	unsigned int line, column;
	char *path; /* a pattern; NULL: any path */
	char *rights; /* "rw", "rix"; NULL: all */
	char *text; /* as written: "deny /etc/shadow r" */
};

struct apparmor_section {
	char *name; /* of the profile, or hat */
	char *flags; /* "attach_disconnected,complain"; "" for none */
	unsigned int line, column;
	bool is_child; /* a hat, or a profile within one */
};

struct apparmor_rules {
	struct apparmor_section *profiles;
	size_t n_profiles;
	struct apparmor_rule *items;
	size_t n;
	bool incomplete; /* an include could not be read, or there is too much: more rules than these may be there */
};

/* Whether a text looks like AppArmor profiles, and not like JSON or YAML. */
bool apparmor_is_profile(const char *text);

void apparmor_rules_read(const char *text, struct apparmor_rules *rules);
void apparmor_rules_free(struct apparmor_rules *rules);

#endif
