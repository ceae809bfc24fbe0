/* Remedies by who started minirun, and within what. */
#include "base/caller.h"

const char *caller_by(const struct caller *caller, enum caller_hand hand)
{
	if (hand == HAND_OWN)
		return "";
	if (hand == HAND_MACHINE && caller->contained)
		return "outside of the container, as root: ";
	/* Root of a container has its files, in a user namespace too. */
	if (caller->nested)
		return "outside of this user namespace, as root: ";
	if (caller->is_root)
		return "";
	return caller->no_new_privs ? "as root, in a shell without no_new_privs: " : "as root: ";
}

const char *caller_as_root(const struct caller *caller)
{
	if (caller->nested)
		return "run minirun as root, outside of this user namespace";
	if (caller->inside)
		return "run minirun as root, outside of the container";
	if (caller->is_root)
		return caller->contained
			       ? "start the container with --privileged"
			       : "start minirun with all of root's capabilities, CAP_SYS_ADMIN among them";
	if (caller->container_weak)
		return "start the container with --privileged, and run minirun as its root";
	return caller->no_new_privs ? "run minirun as root, from a shell without no_new_privs"
				    : "run minirun as root";
}

const char *caller_allow_call(const struct caller *caller)
{
	if (caller->contained && caller->confined)
		return "start the container with --security-opt seccomp=unconfined --security-opt "
		       "apparmor=unconfined, or with --privileged";
	if (caller->container_filtered)
		return "start the container with --security-opt seccomp=unconfined, or with a profile that "
		       "allows the call";
	if (caller->filtered)
		return "start minirun without the seccomp filter around it (in a unit: SystemCallFilter=), "
		       "or allow the call there";
	if (caller->is_old)
		return "boot Linux 6.1 or later";
	if (caller->contained)
		return "run minirun outside of the container, or start that with --privileged";
	return "boot your distribution's own kernel; what stands in for one (gVisor) lacks some calls";
}
