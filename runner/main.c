/* minirun: reads the command line, runs the command, and is the one place that prints an error and exits. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"
#include "runner/check/check.h"
#include "runner/command.h"
#include "runner/plan/paths.h"
#include "runner/privilege.h"

#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND  127

/* As the shell and docker have it: 127 not found, 126 there but not to be run, else what is the command's own. */
static int exit_status(const struct command *command, const struct error *err)
{
	if (err->class == ERROR_PROGRAM)
		return err->errnum == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
	return command_failure(command);
}

/* An image's paths and a registry's words may be in it. */
static void say(const char *what, const char *text)
{
	cleanup_free char *safe = text_printable(text, strlen(text));

	fprintf(stderr, "minirun: %s%s\n", what, safe);
}

/*
 * The last line on stderr carries the cause (law R3): upper layers show nothing else. So what `minirun check` says of it and
 * the hint come first.
 */
static int fail(const struct invocation *invocation, const struct error *err)
{
	struct error ignored;
	const struct command *command = invocation->command;
	/* What names no line may be anything; of what runs pods, something that pods need. */
	bool ask = command && (err->check[0] || command->privilege == PRIVILEGE_SEALED);
	cleanup_free char *store = ask ? path_of_store(invocation, &ignored) : NULL;
	bool told = store && check_explain(store, err);

	if (err->hint[0] && !told)
		say("hint: ", err->hint);
	say("", err->message);
	return exit_status(command, err);
}

static int run(const struct invocation *invocation, struct error *err)
{
	if (invocation->value[OPTION_HELP]) {
		help_command(invocation->command, stdout);
		return 0;
	}
	if (privilege_acquire(invocation, err) < 0)
		return -1;
	return invocation->command->run(invocation, err);
}

/*
 * 0, 1 and 2 are there, whoever started us: else the next file that is opened, or a folder of the pod's, would be what
 * messages are written to.
 */
static int claim_stdio(struct error *err)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			return error_set(err, ERROR_HOST, errno, "cannot open /dev/null");
	return 0;
}

int main(int argc, char **argv)
{
	struct invocation invocation = {0};
	struct error err = {0};
	int status = -1;

	if (claim_stdio(&err) == 0 && invocation_parse(argc, argv, &invocation, &err) == 0)
		status = run(&invocation, &err);
	/* Buffered output that could not be written is a failure too (a full disk, a closed pipe). */
	if (status >= 0 && (fflush(stdout) != 0 || ferror(stdout)))
		status = error_set(&err, ERROR_HOST, errno, "cannot write to standard output");
	if (status < 0)
		status = fail(&invocation, &err);
	invocation_free(&invocation);
	return status;
}
