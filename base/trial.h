/*
 * Trials: what a machine turned out to be able to do when it was tried (`minirun check`).
 *
 * A function that tries something is called in a process of its own, which may change its namespaces, its locks and its
 * limits, and ends afterwards. It fills a struct trial, which holds no pointer, for it lies in memory that the process
 * shares with its parent. What is tried lives in the wing that it belongs to; the table of trials is runner/check/check.c.
 */
#ifndef BASE_TRIAL_H
#define BASE_TRIAL_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/caller.h"
#include "base/error.h"

enum trial_state {
	TRIAL_MISSING, /* zero: what died while it tried has not succeeded */
	TRIAL_LIMITED,
	TRIAL_OK,
};

struct trial {
	enum trial_state state;
	bool untried; /* what trying it needs is itself missing, and has a line of its own */
	char detail[512]; /* what was found, one line; while it is being tried: what */
	char mend[384]; /* the command or step that mends it; empty: the table's own */
};

/* Where and as whom things are tried. */
struct trial_place {
	const char *store; /* path of the store, which need not exist */
	int scratch; /* an empty folder on the store's file system that goes afterwards; -1: none could be made */
	const char *scratch_path; /* NULL: none */
	const struct error *scratch_error; /* why there is none */
	pid_t keeper; /* the process that removes the scratch folder; 0: none */
	int alive; /* while a process has it open, the scratch folder stays; -1: none */
	const char *ids_note; /* why there is a single id, if that is known already; or NULL */
	bool is_root; /* minirun is root without entering a user namespace */
	struct caller caller;
};

/* Fills it; mend is emptied. */
void trial_set(struct trial *trial, enum trial_state state, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* It could not be tried, for want of something that has a line of that name. */
void trial_untried(struct trial *trial, const char *what, const char *name);
/* Says how to mend it. */
void trial_mend(struct trial *trial, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same of a command, with who can give it before it. */
void trial_mend_by(struct trial *trial, const struct trial_place *place, enum caller_hand hand,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The error's message is what was found, its hint what mends it. */
void trial_fail(struct trial *trial, enum trial_state state, const struct error *err);

/*
 * fork(2) for a trial that needs a further process, which must not outlive it: what is forked inherits what keeps the
 * scratch folder. (PR_SET_PDEATHSIG is of one process, and gone when its credentials change: prctl(2).)
 */
pid_t trial_fork(void);

/* "ok", "limited", "missing" */
const char *trial_state_name(enum trial_state state);

#endif
