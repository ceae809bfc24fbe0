/* Becoming what a command needs to be: root, in a user namespace if need be, from a program nobody can write to. */
#ifndef RUNNER_PRIVILEGE_H
#define RUNNER_PRIVILEGE_H

#include "runner/command.h"

/*
 * Makes this process what the invocation's command needs (enum privilege). It may start minirun again, with the same
 * arguments, and then doesn't return. Errors are of class ERROR_HOST.
 */
int privilege_acquire(const struct invocation *invocation, struct error *err);

/* Why an ordinary user has a single id, or NULL: the note of userns_enter, for the message that needs it. */
const char *privilege_note(void);

#endif
