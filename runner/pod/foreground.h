/*
 * The terminal, or the standard input, that `minirun FILE` was started with, for the first main container that has stdin: true.
 *
 * Theory of operation
 *
 * A child of the supervisor, a relay as `minirun attach` is one, carries what is typed; so the supervisor waits for nobody, and
 * should it be killed, the child still restores the terminal. If the container has a terminal and so have we, ours is raw
 * and the child shows that container's output as it is, instead of the report by lines. The end of our standard input is passed
 * on. The child is made when the container's program runs and ends with it, so that between two runs the terminal is as ever.
 */
#ifndef RUNNER_FOREGROUND_H
#define RUNNER_FOREGROUND_H

#include <stdbool.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "runner/pod/attach.h"
#include "runner/pod/loop.h"

struct member;
struct supervisor;

struct foreground {
	struct member *member; /* who has our standard input now; NULL: nobody */
	struct attachment attachment;
	struct watch exit; /* of the child */
	int socket; /* to it */
	bool raw; /* it makes our terminal raw */
	bool told; /* that there is nothing to be typed here has been said */
	bool in_line; /* what was shown last has not ended its line */
	struct termios saved;
};

/* The size that a container's terminal has from the beginning: ours, if it is to be typed into from there, else 0 by 0. */
struct winsize foreground_size(const struct member *member);

/* The program of a container runs. */
void foreground_start(struct member *member);

/* It wrote something. */
void foreground_wrote(struct member *member, const char *text, size_t size);

/* It has ended, and all it wrote is passed on: waits until that is shown, and the terminal is as it was. */
void foreground_end(const struct member *member);

/* The same for the end of the supervisor. */
void foreground_close(struct supervisor *supervisor);

#endif
