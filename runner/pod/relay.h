/*
 * A client's part of `minirun exec` and `minirun attach`: it stands between the user and a program in a container.
 *
 * The program never gets the user's own descriptors: a terminal could be made to type (TIOCSTI, CVE-2017-5226), a file could be
 * opened again through /proc/self/fd. It has pipes or a terminal of its own, and this process carries what flows in them. No
 * write to the program waits: it may itself wait for us to read before it reads on.
 */
#ifndef RUNNER_RELAY_H
#define RUNNER_RELAY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "runner/pod/console.h"

#define RELAY_PIECE 65536

struct relay {
	int socket; /* to the supervisor */
	int in; /* where our standard input goes; -1: nowhere */
	int out, err; /* what is shown; -1: done with */
	int terminal, other; /* both ends of the program's terminal, where it has one, else -1 */
	bool wants_input; /* with a terminal: our standard input goes to it */
	bool says_end; /* the end of our standard input is told to the terminal by its character for that */
	bool cooked; /* our terminal stays as it is */
	bool redraws; /* the program was there before: it is told of a size that differs first */
	struct console console;
	char pending[RELAY_PIECE]; /* input that the program hasn't taken yet */
	size_t used, written;
	bool answered;
	int status;
};

void relay_init(struct relay *relay, int socket);

/* For one that has its descriptors already, the terminal's outer end among them: to be called before relay_run. */
int relay_start(struct relay *relay, struct error *err);

/*
 * Carries until the supervisor has told the exit status (which is returned) and all output is shown. A terminal that the
 * supervisor sends takes the place of the pipes. The user's terminal is restored in every case.
 */
int relay_run(struct relay *relay, struct error *err);

#endif
