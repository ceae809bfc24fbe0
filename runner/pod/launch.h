/*
 * Launch: a struct container becomes a running process.
 *
 * The child goes through the stages of DESIGN.md; each is a function of a wing:
 *   1 clone        isolation_clone        all namespaces in one clone3
 *   2 identity     isolation_enter        joins the pod's network, ipc and uts
 *   3 mounts       isolation_enter        and pivots
 *   4 credentials  credentials_apply
 *   5 descriptors  fd_close_others        0, 1 and 2 are all that the program gets
 *   6 locks        locks_apply            no_new_privs, AppArmor
 *   7 filter, exec locks_exec             nothing comes between
 * Where refusals are named (security/denial.h), 7 has a moment when the child spins until we have its listener: it says with a
 * byte in a pipe that the moment is near, and the number of the listener stands in the page when it has come.
 * What goes wrong up to 6 is a struct error in a page that parent and child share; what goes wrong in 7 is an errno there.
 * Where the container is to have a terminal, the child makes it at the end of 3 and sends both ends to the parent, by a socket
 * that nothing waits for: the message is there before the program is.
 * That the program runs the parent sees by the end of the same pipe, whose other end closes on exec, which costs the child no
 * system call (law R0).
 */
#ifndef RUNNER_LAUNCH_H
#define RUNNER_LAUNCH_H

#include <signal.h>
#include <stdbool.h>

#include "runner/plan/container.h"

struct launch_page;

struct launched {
	pid_t pid; /* as the supervisor sees it */
	int pidfd; /* readable when it has ended */
	int notice; /* see launch_read_notice; reading it doesn't block */
	int terminal; /* where the terminal comes from; -1: there is none */
	struct launch_page *page;
};

/*
 * Starts the child. stdio are descriptors above 2 that become its 0, 1 and 2; stdio[0] may be -1 for the container's own
 * /dev/null; where container->terminal is set they are all -1. They stay the caller's. On success the caller owns what launched holds: see launch_close.
 */
int launch_start(
	const struct container *container, const int stdio[3], struct launched *launched, struct error *err);

enum launch_notice {
	NOTICE_NONE, /* nothing has come */
	NOTICE_LISTENER, /* the naming filter is loaded: *listener is the caller's; launch_go lets the program run */
	NOTICE_UNNAMED, /* the plain filter is loaded instead; *listener is an errno */
	NOTICE_END, /* the program runs, or never will: launch_result tells which */
};

/* When notice is readable. NOTICE_NONE also if the child died, or was killed for what launch_result will say. */
enum launch_notice launch_read_notice(const struct launched *launched, int *listener);
/* Somebody listens: the child may execute the program. */
void launch_go(const struct launched *launched);

/* Kills the child instead, and says why: it is what launch_result will tell. */
void launch_fail(const struct launched *launched, const struct error *err);

/*
 * After notice has ended: 0 if the program runs (or ran), else a negative number and the reason. A program that isn't under the
 * AppArmor profile that was asked for is killed.
 */
int launch_result(const struct container *container, const struct launched *launched, struct error *err);

/* The terminal of a container that has one, when its program runs: the caller's, once. */
int launch_take_terminal(struct launched *launched, struct terminal *terminal, struct error *err);

/*
 * Reaps a child that its pidfd says has ended, without waiting. False if it can't be had yet: a process that is traced is
 * its tracer's first, and a hostile tracer keeps it. SIGCHLD comes once more when the tracer lets go or dies.
 */
bool launch_reap(int pidfd, siginfo_t *info);

/* Closes and unmaps; doesn't kill. */
void launch_close(struct launched *launched);

#endif
