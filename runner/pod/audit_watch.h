/*
 * What AppArmor refuses the containers of a pod: taken from the kernel's audit, given to the container it belongs to.
 *
 * A record has the number of the process, as the initial pid namespace sees it, and the profile. The process, or the next of
 * its ancestors that does, tells the container: by being its first, or by being in its mount namespace. One that is gone when
 * the record is read is known by its profile alone: it is the container's if no other container, and no process outside
 * the pod, has that profile; if it can't be told, the pod says it and nobody is blamed.
 *
 * Another pod's refusals, and the machine's, come here as well, and are left alone.
 */
#ifndef RUNNER_AUDIT_WATCH_H
#define RUNNER_AUDIT_WATCH_H

#include <stdbool.h>

struct supervisor;
struct audit_watch;

/*
 * Opens the source, if a container is to have a profile; says once, with the remedy, that it can't. Before the first
 * container is started.
 */
void audit_watch_open(struct supervisor *supervisor);

/* Takes all that has happened until now. To be called at the end of a container, before its process is reaped. */
void audit_watch_settle(struct supervisor *supervisor);

/* Says what was lost and whom nothing belonged to; closes. */
void audit_watch_close(struct supervisor *supervisor);

#endif
