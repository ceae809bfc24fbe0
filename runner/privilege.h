/* Becoming what a command needs to be: root, in a user namespace if need be, from a program nobody can write to. */
#ifndef RUNNER_PRIVILEGE_H
#define RUNNER_PRIVILEGE_H

#include <stdbool.h>
#include <sys/types.h>

#include "runner/command.h"

/*
 * Makes this process what the invocation's command needs (enum privilege). It may start minirun again, with the same
 * arguments, and then doesn't return. Errors are of class ERROR_HOST.
 */
int privilege_acquire(const struct invocation *invocation, struct error *err);

/* Whether this process is root with the capabilities that every pod takes, here or in a user namespace that it is in already. */
bool privilege_is_root(void);

/*
 * Becomes root of a user namespace of its own unless privilege_is_root, with a mount namespace that may be mounted in.
 * Errors are of class ERROR_HOST.
 */
int privilege_become_root(struct error *err);

/* The user that started minirun, and whether in a user namespace that something else had made: as it was before privilege_become_root. */
uid_t privilege_starter(void);
bool privilege_was_inside(void);

/* Why an ordinary user has a single id, or NULL: the note of userns_enter, for the message that needs it. */
const char *privilege_note(void);

/* Takes what minirun tells itself out of the environment: before another program gets that. */
void privilege_forget(void);

#endif
