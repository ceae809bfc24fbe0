/* What the files of the sandbox share: nesting, the pause, loopback, sysctls. Internal to this wing. */
#ifndef NAMESPACES_SANDBOX_H
#define NAMESPACES_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "namespaces/namespaces.h"

/* network.c: brings lo up in the network namespace of this process. */
int network_loopback_up(struct error *err);

/* sysctl.c: see sandbox_start. The defaults are tried only: a kernel or a container around minirun may lack them. */
int sysctl_apply(const struct sandbox_spec *spec, struct error *err);

/* clone.c: fills err for a clone3 or unshare that failed with errnum, with a hint. Returns -1. */
int clone_error(struct error *err, int errnum);

/* clone.c: as clone3(2) with flags, a pidfd, and cgroupfd if it isn't negative. Errors name the limit that was met. */
pid_t clone_process(uint64_t flags, int cgroupfd, int *pidfd, struct error *err);

/*
 * clone.c: the same, but the child is pid 1 of a new pid namespace inside the one of the process that outer refers
 * to. The child is a child of this process all the same. If the pod has users of its own, the child is born in their
 * namespace, with the ids that we have and that have no meaning there, and in the pod's other namespaces, which outer has.
 */
pid_t clone_nested(const struct sandbox *sandbox, int outer_pidfd, uint64_t flags, int cgroupfd, int *pidfd,
	struct error *err);

/*
 * clone.c: the same, but the child is an ordinary process in the pid namespace of the process that pidfd refers to. sandbox may
 * be NULL: then nothing is entered but that.
 */
pid_t clone_beside(const struct sandbox *sandbox, int there_pidfd, uint64_t flags, int cgroupfd, int *pidfd,
	struct error *err);

/* users.c: becomes 0 of the user namespace that was entered, with no groups, where that has a meaning. */
int users_become_root(struct error *err);

/* clone.c: the namespaces (CLONE_NEW*) that are the pod's own and that a container has to join. */
int sandbox_namespaces(const struct sandbox *sandbox);

/*
 * sandbox.c: waits for what a child has to tell through a pipe: a struct error, or that it is ready, which is one byte
 * if by_byte is set and else the pipe's end.
 */
int sandbox_report_read(int reader, bool by_byte, struct error *err);

/* pause.c: starts the pause in a pid namespace of its own inside the sandbox's. */
int pause_start(struct sandbox *sandbox, struct error *err);

/* isolation.c: what a child has from its supervisor and no program should. Leaves umask 0. */
void process_shed(void);

#endif
