/*
 * The command line: one table of commands and one of options, from which the parser, `minirun help` and the
 * synopses of the man page are made.
 */
#ifndef RUNNER_COMMAND_H
#define RUNNER_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"

enum option_id {
	OPTION_STORE,
	OPTION_ROOT,
	OPTION_OUTPUT,
	OPTION_NAMESPACE,
	OPTION_ALL_NAMESPACES,
	OPTION_COLOR,
	OPTION_QUIET,
	OPTION_VERBOSE,
	OPTION_DETACH,
	OPTION_ONCE,
	OPTION_TIME_SCALE,
	OPTION_SECCOMP_PROFILE_ROOT,
	OPTION_NO_DENIALS,
	OPTION_WRITE,
	OPTION_WRITE_DIR,
	OPTION_BASE,
	OPTION_DENY,
	OPTION_NO_LIMITS,
	OPTION_PIDS_LIMIT,
	OPTION_APPARMOR,
	OPTION_CONTAINER,
	OPTION_ALL_CONTAINERS,
	OPTION_CONTAINERS,
	OPTION_FOLLOW,
	OPTION_PREVIOUS,
	OPTION_TAIL,
	OPTION_SINCE,
	OPTION_SINCE_TIME,
	OPTION_PREFIX,
	OPTION_MAX_LOG_REQUESTS,
	OPTION_TIMESTAMPS,
	OPTION_WATCH,
	OPTION_NO_HEADERS,
	OPTION_SHOW_LABELS,
	OPTION_LABEL_COLUMNS,
	OPTION_SORT_BY,
	OPTION_SELECTOR,
	OPTION_FILENAME,
	OPTION_IGNORE_NOT_FOUND,
	OPTION_FOR,
	OPTION_TIMEOUT,
	OPTION_GRACE_PERIOD,
	OPTION_FORCE,
	OPTION_NOW,
	OPTION_WAIT,
	OPTION_STDIN,
	OPTION_TTY,
	OPTION_ADDRESS,
	OPTION_NO_PRESERVE,
	OPTION_CONFIG,
	OPTION_MAX_BYTES,
	OPTION_MAX_ENTRIES,
	OPTION_MAX_RATIO,
	OPTION_MAX_MEMORY,
	OPTION_AUTHFILE,
	OPTION_CERT_DIR,
	OPTION_TLS_VERIFY,
	OPTION_ALL,
	OPTION_FIELDS,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_COUNT,
};

/* What the user typed, taken apart. */
struct invocation {
	const struct command *command;
	const char
		*value[OPTION_COUNT]; /* NULL: not given; a flag is "", but --wait "false": it is on anyway */
	char **operands; /* after the command's own name, NULL-terminated */
	int n_operands;
	char **argv; /* all of it, for starting again (seal.c) */
	char **words; /* the same, reordered: operands points into it */
	struct strv joined; /* values of options that were given more than once */
};

/* Whether a command needs to be root, be it in a user namespace, before it runs (privilege.c). */
enum privilege {
	PRIVILEGE_NONE,
	PRIVILEGE_ROOT, /* enters a user namespace for an ordinary user */
	PRIVILEGE_SEALED, /* the same, from a read-only copy of the program that no container can write to */
};

struct command {
	const char *name;
	const char *synopsis; /* operands and options, without "minirun NAME" */
	const char *summary; /* one line */
	const char *details; /* paragraphs for `minirun help NAME`, or NULL */
	enum privilege privilege;
	/* Returns the exit status, or a negative number with err filled. */
	int (*run)(const struct invocation *invocation, struct error *err);
};

/* An option, as the parser, the help text and the man page's test know it. */
struct option_spec {
	const char *name;
	char letter; /* 0: none */
	const char *
		argument; /* NULL: a flag; a list, "NAME,...", may be given more than once: it is joined by commas */
	const char *commands; /* which commands take it, by name; NULL: all */
	const char *help; /* NULL: for tests, not shown */
};

extern const struct option_spec option_specs[OPTION_COUNT];
extern const struct command commands[];
extern const size_t n_commands;

/*
 * invocation.c: parses argv. Errors are of class ERROR_USAGE, with a did-you-mean. To be freed whatever comes of it; argv must
 * outlive it.
 */
int invocation_parse(int argc, char **argv, struct invocation *invocation, struct error *err);
void invocation_free(struct invocation *invocation);

const struct command *command_find(const char *name);

/* Whether a command takes an option. */
bool command_takes(const struct command *command, enum option_id id);

/*
 * The exit status of a command that failed of itself. kubectl's verbs have kubectl's 1, which is what scripts look for; run, exec
 * and the like, whose exit status is a program's own, 125.
 */
int command_failure(const struct command *command);

/* Prints the overview, or one command's page. */
void help_overview(FILE *out);
void help_command(const struct command *command, FILE *out);

/* -o was given, which is json but for get (cmd_get.c); another value is an error that invocation_parse has reported. */
bool wants_json(const struct invocation *invocation);

/* The number that an option was given, if it was: *value stays as it is without. What is no number from min on is an error. */
int option_integer(const struct invocation *invocation, enum option_id id, int64_t min, int64_t *value,
	struct error *err);

/*
 * The same for kubectl's options, in its words (pflag's, with Go's reasons): any number; a duration, in milliseconds. The caller
 * looks whether it is in range.
 */
int option_number(const struct invocation *invocation, enum option_id id, int64_t *value, struct error *err);
int option_duration(const struct invocation *invocation, enum option_id id, int64_t *ms, struct error *err);

/* `invalid argument "x" for "-f, --follow" flag: ` and why: an error of class ERROR_USAGE. Returns -1. */
int option_invalid(enum option_id id, const char *text, struct error *err, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

int cmd_run(const struct invocation *invocation, struct error *err);
int cmd_apply(const struct invocation *invocation, struct error *err);
int cmd_get(const struct invocation *invocation, struct error *err);
int cmd_describe(const struct invocation *invocation, struct error *err);
int cmd_logs(const struct invocation *invocation, struct error *err);
int cmd_wait(const struct invocation *invocation, struct error *err);
int cmd_delete(const struct invocation *invocation, struct error *err);
int cmd_attach(const struct invocation *invocation, struct error *err);
int cmd_top(const struct invocation *invocation, struct error *err);
int cmd_exec(const struct invocation *invocation, struct error *err);
int cmd_cp(const struct invocation *invocation, struct error *err);
int cmd_port_forward(const struct invocation *invocation, struct error *err);
int cmd_image(const struct invocation *invocation, struct error *err);
int cmd_lint(const struct invocation *invocation, struct error *err);
int cmd_learn(const struct invocation *invocation, struct error *err);
int cmd_explain(const struct invocation *invocation, struct error *err);
int cmd_check(const struct invocation *invocation, struct error *err);
int cmd_unshare(const struct invocation *invocation, struct error *err);
int cmd_apparmor(const struct invocation *invocation, struct error *err);
int cmd_help(const struct invocation *invocation, struct error *err);

#endif
