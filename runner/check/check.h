/*
 * What `minirun check` tries, in one table: what it is called, why it matters, what mends it. A command that fails for one of
 * these reasons prints the same line.
 *
 * Theory of operation. Each trial runs in a process of its own, which may enter namespaces, lock itself up or be killed by a
 * filter around us; it tells through a shared page and has a time limit. What needs a folder gets one on the store's file
 * system. It is made and removed by a *keeper*, a process that waits for the end of us and of all that we have started (they
 * have a pipe in common), so that being killed leaves nothing behind either.
 */
#ifndef RUNNER_CHECK_H
#define RUNNER_CHECK_H

#include <stdbool.h>
#include <stdio.h>

#include "base/trial.h"

/* Whether a pod can run without it. */
enum check_need {
	NEED_NOT,
	NEED_ALWAYS,
	NEED_USERS, /* those who aren't root */
};

struct check {
	const char *group, *name; /* group: NULL for that of the one before */
	enum check_need need;
	bool as_root; /* tried by what a run would be: root, be it in a user namespace */
	void (*try)(const struct trial_place *place, struct trial *trial);
	const char *why; /* it matters */
	enum caller_hand hand;
	const char *mend; /* where the trial doesn't know better; NULL: what allows a call of the system */
};

extern const struct check checks[];
extern const size_t n_checks;

/* Whether the demo would not run without it, here. */
bool check_is_needed(const struct check *check, const struct trial_place *place);

/* ---- the scratch folder (check_scratch.c) ---- */

struct scratch {
	int fd;
	char *path;
	int alive; /* the keeper removes the folder once all copies of it are closed */
	pid_t keeper; /* its pid, 0: none */
	struct error error; /* why there is no folder */
};

/* Makes a folder on the file system of the store, whether that exists or not. On failure fd is -1 and error says why. */
void scratch_open(struct scratch *scratch, const char *store);
void scratch_close(struct scratch *scratch);

/* ---- trying (check.c) ---- */

/* Makes the scratch folder and fills place, which then points into it and to store. */
void check_begin(struct scratch *scratch, const char *store, struct trial_place *place);

/* Tries one line in a process of its own. */
void check_try(const struct check *check, const struct trial_place *place, struct trial *trial);

/* Tries all lines, into n_checks trials. */
void check_try_all(const struct trial_place *place, struct trial *trials);

/*
 * After a command failed: tries the lines that the error names, and prints on stderr which of them aren't ok. Where it names
 * none, gives no hint, and an errno by which a kernel says that it has not or allows not, tries those without which nothing runs, and
 * prints which are missing: what is only limited here stopped nothing. Whether the error's hint was among it.
 */
bool check_explain(const char *store, const struct error *err);

/* ---- what the runner tries itself ---- */

/* check_host.c */
void trial_linux(const struct trial_place *place, struct trial *trial);
void trial_configuration(const struct trial_place *place, struct trial *trial);
void trial_store(const struct trial_place *place, struct trial *trial);
void trial_container(const struct trial_place *place, struct trial *trial);
/* check_tools.c: whether the program is there and says its version. */
void trial_skopeo(const struct trial_place *place, struct trial *trial);
void trial_pasta(const struct trial_place *place, struct trial *trial);
void trial_apparmor_parser(const struct trial_place *place, struct trial *trial);
/* check_pod.c: the whole way of a pod, by this very program, with a store in the scratch folder. */
void trial_pod(const struct trial_place *place, struct trial *trial);

/* ---- printing (check_print.c) ---- */

/* One line, and below it, unless it is ok, why it matters and what mends it; with verbose also for what is ok. */
void check_print_line(
	const struct check *check, const struct trial *trial, bool verbose, bool color, FILE *out);
void check_print_all(const struct trial *trials, bool runs, bool verbose, bool color, FILE *out);
void check_print_json(const struct trial_place *place, const struct trial *trials, bool runs);

#endif
