/* A container's start, and what member.c has to do with it. What others want of it is in member.h. */
#ifndef RUNNER_STARTING_H
#define RUNNER_STARTING_H

#include "runner/pod/member.h"

/* starting.c: its process on the way to execve has something to say; for the loop, with the member as data. */
void starting_on_notice(struct watch *watch, void *data);

/* member.c: its process has ended; for the loop, too. */
void member_on_exit(struct watch *watch, void *data);
/* member.c: it could not be started: that is told, and it has ended. */
void member_fail_start(struct member *member, const struct error *err);

#endif
