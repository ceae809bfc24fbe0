/*
 * `minirun unshare`: runs a command as root of the user namespace that an ordinary user's pods have.
 *
 * What a container writes to a hostPath as another id than its root belongs on the machine to an id of the user's range, which the
 * user themself can't remove. unshare(1) of util-linux leaves one id of the range out, and knows one range alone.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "runner/command.h"
#include "runner/privilege.h"

/* By then privilege.c has made the namespace, unless we are root already. */
int cmd_unshare(const struct invocation *invocation, struct error *err)
{
	const char *note = privilege_note(), *shell = getenv("SHELL");
	char *const alone[] = {(char *)(uintptr_t)(shell && *shell ? shell : "/bin/sh"), NULL};
	char *const *argv = invocation->n_operands ? invocation->operands : alone;

	if (note) {
		cleanup_free char *safe = text_printable(note, strlen(note));

		fprintf(stderr, "minirun: warning: %s (`minirun check` says what gives more)\n", safe);
	}
	privilege_forget();
	execvp(argv[0], argv);
	error_set(err, ERROR_PROGRAM, errno, "cannot run %s", argv[0]);
	return -1;
}
