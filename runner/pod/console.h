/*
 * The user's own terminal, for as long as what is typed goes to a terminal in a container.
 *
 * It is made raw: the terminal inside turns Ctrl-C into a signal and Ctrl-D into an end of file, echoes, and makes of a newline
 * what it has to be; ours passes bytes. It is restored when that is over, also by a signal that ends us.
 */
#ifndef RUNNER_CONSOLE_H
#define RUNNER_CONSOLE_H

#include <stdbool.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "base/error.h"

struct console {
	struct termios saved;
	bool raw;
	int signals; /* readable: console_take_signal; -1 unless it is raw */
};

/* Whether our standard input is a terminal. */
bool console_is_there(void);

/* Its size; 0 by 0 where that can't be told. */
struct winsize console_size(void);

/* Makes it raw, and from then on takes SIGWINCH, SIGCONT and the signals that end us through console->signals. */
int console_open(struct console *console, struct error *err);

/* As it was before. One that isn't raw is left alone. */
void console_close(struct console *console);

/* A signal came. Returns if the size may have changed; else restores the terminal and dies of the signal. */
void console_take_signal(struct console *console);

#endif
