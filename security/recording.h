/*
 * What a container was seen to call, and the profile that this makes: for `minirun learn`.
 *
 * Theory of operation. The container is given a filter that hands every call to us (learning_filter). What its profile shall
 * refuse on purpose (--deny, a rule of the base profile) is refused now already, with the same errno, so that what the program
 * does then is recorded too. All else is noted and let go on, by SECCOMP_USER_NOTIF_FLAG_CONTINUE. That makes it a recording and
 * not a boundary: between our look at a call and the kernel's, a second thread may change what its pointers point to
 * (seccomp_unotify(2)). Only numbers and registers, which no one can change, decide anything here.
 *
 * A filter can't be made weaker once it is loaded, so each call costs a round trip to us, also one that is known already. What
 * can be saved is all work beyond that: a call of which nothing more can be learnt is one bit, looked up by its number.
 */
#ifndef SECURITY_RECORDING_H
#define SECURITY_RECORDING_H

#include <linux/seccomp.h>

#include "security/security.h"

#define RECORDING_CALLS    1024 /* numbers of an architecture that have a bit */
#define RECORDING_OUTLIERS 16 /* others, arm's own for example, that are remembered one by one */

/* A set of calls of one architecture. */
struct call_set {
	uint64_t bits[RECORDING_CALLS / 64]; /* by number, x32's without its bit */
	int outliers[RECORDING_OUTLIERS];
	size_t n_outliers;
};

struct recorded_arch {
	uint32_t arch; /* SCMP_ARCH_* */
	int clone, clone3; /* their numbers, x32's without its bit */
	struct call_set seen; /* all that was let through */
	struct call_set missing; /* of those, what the base doesn't allow with the arguments that it had */
	struct call_set settled; /* nothing more can be learnt of these */
};

struct recording {
	const struct seccomp_filter *refusing; /* lets all through but what is to be refused */
	const struct seccomp_filter *base; /* what is allowed already, or NULL */
	struct recorded_arch arches[4];
	size_t n_arches;
	bool threads; /* there was a thread beside the first of a process */
	bool ran; /* a program was started: set by who knows */
};

/* The filter that hands all calls to a listener, but for those that refusing leaves to the kernel (SCMP_ACT_TRAP). */
void learning_filter(const struct seccomp_filter *refusing, struct seccomp_filter *learning);

/*
 * Notes a call. Returns what to answer: SECCOMP_RET_ALLOW lets it go on, any other action is a refusal (and the call isn't
 * noted).
 */
uint32_t recording_take(struct recording *recording, const struct seccomp_data *call);

/* ---- the profile (profile_writer.c) ---- */

#define PROFILE_MADE_BY "Made by `minirun learn`" /* what such a comment begins with */

/* What a profile is made of. */
struct profile_plan {
	const char *comment; /* how it is made, in our words; NULL in refusing_profile */
	const char *
		base; /* the text of a profile, of which all is kept but the names that are denied; NULL: none */
	size_t base_size;
	char *const *deny; /* names to leave out, NULL-terminated; NULL: none */
	const struct recording *const *recordings;
	size_t n_recordings;
};

/* What became of it, for messages. */
struct profile_made {
	size_t n_seen; /* distinct names */
	size_t n_added; /* of those, what the base lacks */
	char **nameless; /* numbers that no name is known for ("x86_64 9999"); NULL-terminated */
};
void profile_made_free(struct profile_made *made);

/*
 * The profile that allows what was seen, as JSON text with a newline at its end; the same recordings give the same bytes. An
 * entry of its own has what the program needs and may be seen to call or not, as it turns out (recorded_names.c): execve,
 * exit_group, rt_sigreturn, futex where there are threads. A fresh string.
 */
char *profile_write(const struct profile_plan *plan, struct profile_made *made);

/*
 * The profile to record under: allows all of every architecture but what is denied or the base refuses by a rule. For
 * recording.refusing. A fresh string.
 */
char *refusing_profile(const struct profile_plan *plan);

/*
 * The base without what is denied: for recording.base. starts: completed by an execve that no program makes, so that it can be
 * compiled though it allows none. A fresh string; NULL if the base is no JSON that can be written back.
 */
char *remaining_profile(const struct profile_plan *plan, bool starts);

#endif
