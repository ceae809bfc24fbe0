/*
 * The guard: nobody in a container reaches a process of ours that is on its way into it.
 *
 * Theory of operation
 *
 * A process that enters a pid namespace in which others live (exec, a probe, a container that shares the pod's) is root there until it
 * gives up what it has, and not yet in the container's root. It isn't dumpable, which keeps out all but those who have
 * CAP_SYS_PTRACE. So containers that have it and that see the namespace are held still (cgroup_hold) from before its birth until
 * its program runs under its locks. Two such ways never overlap, since the program of one might be the other's attacker: the
 * supervisor waits here, for a millisecond or so, and for some seconds at most: after that the process is killed.
 * If the supervisor itself is killed meanwhile, the sandbox ends the pod; what is frozen can be killed.
 *
 * It needs cgroup version 2. Without, and with hostPID, where a container sees the supervisor as well, the plan warns.
 */
#ifndef RUNNER_GUARD_H
#define RUNNER_GUARD_H

#include "runner/pod/launch.h"

struct member;
struct denials;

/*
 * launch_start for a process of, or into, the member's container. Where nobody has to be held that is all; else it returns when the
 * program runs, or never will: the notice is at its end then.
 */
int guard_launch(struct member *member, struct container *container, const int stdio[3],
	struct launched *launched, struct denials *denials, struct error *err);

#endif
