/*
 * What programs were seen to do under a profile in complain mode, and the AppArmor profile that this makes: for
 * `minirun learn --apparmor`.
 *
 * Theory of operation. The profile to learn under permits to start programs, and records it; all else it would refuse, so that
 * complain mode records it and lets it through. One program starts another under the same profile (ix): a profile that goes
 * with each program is more than one run can tell. Each record becomes a rule or adds rights to one: a path's letters,
 * a capability, a kind of socket, a mount, a signal, a trace. Numbers of processes below /proc become a pattern.
 */
#ifndef SECURITY_APPARMOR_LEARNED_H
#define SECURITY_APPARMOR_LEARNED_H

#include <stdint.h>

#include "security/apparmor_record.h"

#define LEARNED_RULES 20000 /* what comes beyond isn't remembered, and counted */

struct learned_rule {
	enum apparmor_class class;
	char *text; /* a path as the language has it, or all of another rule; they are sorted by class and text */
	uint32_t rights; /* of a path: a bit for each letter of "rwamklx" */
};

struct apparmor_learned {
	struct learned_rule *rules;
	size_t n;
	uint64_t records, beyond;
	char *unknown; /* an operation that no rule was made of, or NULL */
};

void apparmor_learned_free(struct apparmor_learned *learned);

/* Notes a record. own: the name of the profile that is learned under, which the record may call its peer. */
void apparmor_learned_add(
	struct apparmor_learned *learned, const struct apparmor_record *record, const char *own);
/* Adds what another has. */
void apparmor_learned_merge(struct apparmor_learned *learned, const struct apparmor_learned *other);

/* The profile that permits it, called name, as text; comment is a line for its top. The same records give the same text. */
char *apparmor_learned_text(const struct apparmor_learned *learned, const char *name, const char *comment);

/* The profile to learn under, of the name. A fresh string. */
char *apparmor_learning_text(const char *name);

#endif
