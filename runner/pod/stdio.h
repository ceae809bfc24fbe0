/*
 * What a container's 0, 1 and 2 are: pipes, or a terminal of its own (tty: true); standard input is /dev/null unless the
 * manifest says stdin: true.
 */
#ifndef RUNNER_STDIO_H
#define RUNNER_STDIO_H

#include <stdbool.h>
#include <sys/ioctl.h>

#include "base/error.h"

struct member;

struct stdio {
	int in; /* the end of its standard input that is written to; -1: it is a terminal, or closed */
	int slave; /* the program's end of its terminal, held so that it never seems to be at its end; -1: none */
	bool taken; /* stdinOnce: somebody has it, or had it */
};

/* Before a run: ends become the program's 0, 1 and 2, to be closed by the caller; all -1 where it will have a terminal. */
int stdio_open(struct member *member, int ends[3], struct error *err);

/* The program runs: takes its terminal, if it has one. */
int stdio_take_terminal(struct member *member, struct error *err);

/* Whether somebody may still write to its standard input. why, if not NULL, is set if not. */
bool stdio_has_input(const struct member *member, const char **why);

/*
 * A descriptor for whoever writes to its standard input from now on: the pipe's end, or the terminal. only: nobody else may
 * from now on, as with stdinOnce, and a pipe is at its end when that descriptor is closed. Returns it, or -1.
 */
int stdio_give_input(struct member *member, bool only, struct error *err);

/* Who had it alone has gone: a terminal is told of the end, which a pipe tells by itself. */
void stdio_input_ended(const struct member *member);

void stdio_close(struct member *member);

#endif
