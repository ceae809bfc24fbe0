/*
 * Credentials: the ids and capability sets a program starts with (stage 4 of a launch).
 *
 * Theory of operation. What a program may do after execve follows from three things (capabilities(7),
 * "Transformation of capabilities during execve()"), given empty inheritable and ambient sets:
 *
 *   uid 0        permitted = effective = the bounding set
 *   another uid  permitted = effective = nothing (a file's own capabilities, at most the bounding set)
 *
 * So the bounding set alone says what the program gets, and it is trimmed first, while CAP_SETPCAP is still held.
 * Nothing has to be dropped afterwards: execve does it. That is what lets us keep CAP_SYS_ADMIN up to the seccomp
 * filter when there is no no_new_privs, and still have no system call between filter and execve (law R0).
 * tests/facts/credentials.c proves each sentence.
 */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "security/security.h"

#define BIT(number) ((capability_set)1 << (number))

/* Leaves exactly the asked set as bounding set; what is asked for and not there is an error (law R3). */
static int trim_bounding(capability_set asked, struct error *err)
{
	for (unsigned int i = 0; i < 64; i++) {
		const char *name = capability_name(i);

		if (asked & BIT(i)) {
			if (cap_get_bound((cap_value_t)i) > 0)
				continue;
			error_set(err, ERROR_HOST, 0,
				"capability %s was asked for, but is not in minirun's own bounding set",
				name ? name : "(unknown)");
			error_check(err, "capabilities");
			return error_hint(err, "start minirun with it, or take it out of the manifest");
		}
		if (cap_drop_bound((cap_value_t)i) < 0) {
			if (errno == EINVAL)
				break; /* beyond the last one this kernel knows */
			error_set(err, ERROR_HOST, errno, "cannot drop %s from the bounding set",
				name ? name : "a capability");
			error_check(err, "capabilities");
			return error_hint(err, "minirun needs CAP_SETPCAP for this");
		}
	}
	return 0;
}

static int set_ids(const struct credentials *c, bool set_groups, struct error *err)
{
	/* (uid_t)-1 means "leave it" to setresuid(2): the program would keep our own id. */
	if (c->uid == (uid_t)-1 || c->gid == (gid_t)-1)
		return error_set(err, ERROR_MANIFEST, 0, "4294967295 is no user or group id");
	if (set_groups && setgroups(c->n_groups, c->groups) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot set %zu supplementary groups", c->n_groups);
	if (setresgid(c->gid, c->gid, c->gid) < 0) {
		error_set(err, ERROR_HOST, errno, "cannot become group %u", c->gid);
		return errno == EINVAL ? error_hint(err, "the user namespace has no mapping for this id")
				       : -1;
	}
	if (setresuid(c->uid, c->uid, c->uid) < 0) {
		error_set(err, ERROR_HOST, errno, "cannot become user %u", c->uid);
		return errno == EINVAL ? error_hint(err, "the user namespace has no mapping for this id")
				       : -1;
	}
	return 0;
}

/*
 * Sets permitted and effective, and empties the inheritable set (CVE-2022-29162). The kernel takes what is not
 * inheritable out of the ambient set by itself, so there is nothing to clear there.
 */
static int set_capabilities(capability_set held, struct error *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{.effective = (uint32_t)held, .permitted = (uint32_t)held},
		{.effective = (uint32_t)(held >> 32), .permitted = (uint32_t)(held >> 32)},
	};

	if (capset(&header, data) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot set the capabilities");
	return 0;
}

int credentials_apply(const struct credentials *c, bool set_groups, bool keep_admin, struct error *err)
{
	capability_set held = c->uid == 0 ? c->capabilities : 0;
	int securebits = prctl(PR_GET_SECUREBITS);

	if (keep_admin)
		held |= BIT(CAP_SYS_ADMIN);
	/* SECBIT_NOROOT and its like, inherited from our starter, would change what execve grants. */
	if (securebits > 0 && prctl(PR_SET_SECUREBITS, 0) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot clear the secure bits 0x%x", securebits);
	if (trim_bounding(c->capabilities, err) < 0)
		return -1;
	/* Leaving uid 0 empties the permitted set unless this is set; execve clears it again. */
	if (keep_admin && c->uid != 0 && prctl(PR_SET_KEEPCAPS, 1) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot keep capabilities over a change of user");
	if (set_ids(c, set_groups, err) < 0)
		return -1;
	if (set_capabilities(held, err) < 0) {
		if (keep_admin)
			error_hint(err, "a seccomp filter without no_new_privs needs CAP_SYS_ADMIN: set "
					"allowPrivilegeEscalation: false");
		return -1;
	}
	return 0;
}
