/*
 * Who started minirun, and within what: it decides which remedy helps (`minirun check`), and in whose hands that is. A command
 * that mends a thing for root mends nothing for a user who runs it, nor in a container what is the machine's.
 */
#ifndef BASE_CALLER_H
#define BASE_CALLER_H

#include <stdbool.h>

struct caller {
	bool is_root; /* user 0, in the user namespace that minirun was started in */
	bool inside; /* that one is not the machine's */
	bool nested; /* nor is it that of a container: unshare -r */
	bool contained; /* in a container */
	bool container_weak; /* whose root may not mount either */
	bool no_new_privs; /* neither sudo nor newuidmap gets its rights */
	bool filtered; /* a seccomp filter is around minirun */
	bool container_filtered; /* around all of the container */
	bool confined; /* an AppArmor profile is around minirun */
	bool is_old; /* the kernel is older than the one that minirun is written for */
};

/* Who can apply a remedy. */
enum caller_hand {
	HAND_OWN, /* whoever runs minirun: another option, another place, another shell */
	HAND_SYSTEM, /* root of this file system: packages, users, the rights of files */
	HAND_MACHINE, /* root of the machine: sysctls, modules, the boot */
};

/* "as root: " and the like, to go before a command that takes those hands; empty where the caller has them. */
const char *caller_by(const struct caller *caller, enum caller_hand hand);

/* How this caller runs minirun as root: "run minirun as root" or another step, without a full stop. */
const char *caller_as_root(const struct caller *caller);

/* What makes a call of the system possible that was refused or isn't there. */
const char *caller_allow_call(const struct caller *caller);

/* What gets rid of no_new_privs. */
#define CALLER_SHED_NO_NEW_PRIVS                                                                \
	"start minirun from a shell without no_new_privs (in a unit: NoNewPrivileges=no; in a " \
	"container: --security-opt=no-new-privileges=false, allowPrivilegeEscalation: true)"

#endif
