/*
 * The wing of security: what a process may do.
 *
 * The order of a launch is the law here (R0, FIELD.md section 0):
 *   credentials_apply   stage 4  groups, gid, uid, bounding set; inheritable and ambient empty
 *   (descriptors        stage 5)
 *   locks_apply         stage 6a no_new_privs, AppArmor profile for the next exec
 *   locks_exec          stage 6b the seccomp filter, and execve. Nothing comes between, in either mode:
 *                                a failed execve is told through the shared page, then a trap.
 */
#ifndef SECURITY_SECURITY_H
#define SECURITY_SECURITY_H

#include <limits.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/document.h"
#include "base/error.h"
#include "base/finding.h"
#include "security/apparmor.h"

/* ---- capabilities (capabilities.c) ---- */

typedef uint64_t capability_set; /* bit n: capability n of linux/capability.h */

/* containerd's default fourteen. */
capability_set capabilities_default(void);
/* All that this kernel knows (/proc/sys/kernel/cap_last_cap, by prctl). */
capability_set capabilities_all(void);
/* "NET_ADMIN" or "CAP_NET_ADMIN", any case, to its number; -1 if unknown; *nearest gets a suggestion or NULL. */
int capability_number(const char *name, const char **nearest);
/* "NET_ADMIN"; NULL if the number has no name. */
const char *capability_name(unsigned int number);
/* The default set, less drop, plus add; "ALL" in either; privileged is all. As containerd: ALL first, then names. */
int capabilities_choose(
	char *const *add, char *const *drop, bool privileged, capability_set *set, struct error *err);

/* ---- credentials (credentials.c) ---- */

struct credentials {
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* supplementary, the primary gid among them (CVE-2022-2989) */
	size_t n_groups;
	capability_set
		capabilities; /* the bounding set; a program of uid 0 gets it as permitted and effective */
};

/*
 * Stage 4. Should: leave exactly these ids and an empty inheritable and ambient set; keep CAP_SYS_ADMIN
 * effective but out of the bounding set if keep_admin is set and it isn't asked for, so that the filter can be
 * loaded without no_new_privs and execve itself drops it. Mustn't: open anything.
 * set_groups is false where setgroups(2) is denied (a user namespace with a single id).
 */
int credentials_apply(
	const struct credentials *credentials, bool set_groups, bool keep_admin, struct error *err);

/* ---- seccomp: the profile (seccomp_profile.c) and its filter (seccomp_compile.c) ---- */

struct seccomp_profile; /* parsed; opaque */

/*
 * Reads a profile in Docker's and OCI's format. What is wrong goes to findings; NULL if there was an error.
 */
struct seccomp_profile *seccomp_profile_read(const char *text, size_t size, struct findings *findings);
void seccomp_profile_free(struct seccomp_profile *profile);
/* Instead of a number of allowed calls: the default action is to allow (or to log, which allows too). */
#define SECCOMP_ALLOWS_BY_DEFAULT UINT_MAX
/*
 * How many distinct system calls it allows (unconditionally or by arguments), whatever includes and excludes say.
 */
unsigned int seccomp_profile_allowed(const struct seccomp_profile *profile);

/* What includes and excludes are judged by. */
struct seccomp_subject {
	capability_set capabilities; /* the container's */
};

struct seccomp_filter {
	struct sock_filter *insns; /* owned */
	unsigned short length; /* instructions */
	unsigned int flags; /* SECCOMP_FILTER_FLAG_* for seccomp(2) */
};
void seccomp_filter_free(struct seccomp_filter *filter);

/*
 * Compiles a profile: libseccomp's program with the ENOSYS stub for calls newer than the profile's newest, checked
 * by simulation against the profile itself. Forks a process for the library where the cache has nothing (and waits for it). A filter under which execve isn't allowed is an error of class
 * ERROR_PROFILE that says so. name is used in messages.
 * cachefd: a folder for compiled filters (a hit costs one read), or -1.
 * n_allowed: how many distinct calls that this architecture has are allowed for this subject, or SECCOMP_ALLOWS_BY_DEFAULT.
 * What is wrong with the text goes to findings (then err only counts it), as do warnings, also on a cache hit.
 */
int seccomp_compile(const char *text, size_t size, const char *name, const struct seccomp_subject *subject,
	int cachefd, struct seccomp_filter *filter, unsigned int *n_allowed, struct findings *findings,
	struct error *err);

/* What starts a program, as its ELF file says. */
enum loader {
	LOADER_UNKNOWN,
	LOADER_NONE, /* a static program */
	LOADER_GLIBC,
	LOADER_MUSL,
};

/* Whom a profile is judged for. */
struct lint_subject {
	capability_set capabilities; /* the container's */
	enum loader loader; /* of its program */
	const char *program; /* the program, for messages; may be NULL */
};

/*
 * Judges a profile without running anything: adds what the reader says of it, and what it says well but can't mean
 * (security/lint.h has the list), each with a code. name is the file's, which may promise something. Whether a finding is an
 * error or a warning is in findings; nothing else can fail. Findings aren't sorted.
 */
void seccomp_lint(const char *text, size_t size, const char *name, const struct lint_subject *subject,
	struct findings *findings);

/* Whether some architecture has a call of that name; if not, *nearest gets the known name nearest to it (fresh), or NULL. */
bool seccomp_call_known(const char *name, char **nearest);

/* How many calls this machine's architecture has, of those that libseccomp and we know. */
unsigned int seccomp_known_calls(void);

/* The text of the project's RuntimeDefault profile, security/runtime-default.json, built into the program. */
const char *seccomp_runtime_default(size_t *size);

/* The action the filter takes for a call (SECCOMP_RET_*, with data), by running it in our own interpreter. */
uint32_t seccomp_simulate(const struct seccomp_filter *filter, uint32_t arch, int nr, const uint64_t args[6],
	uint64_t instruction_pointer);

/* ---- locking (locks.c) ---- */

struct locks {
	bool no_new_privs;
	const char *apparmor; /* the profile to enter at exec; NULL: none asked for */
	const struct seccomp_filter *seccomp; /* NULL: unconfined */
	const struct seccomp_filter *naming; /* loaded in its place, with a listener (denial.h); NULL: none */
};

/* What the child and its parent tell each other when no system call may be made: in memory both share. */
struct exec_report {
	volatile int failed; /* errno of execve, or of loading the filter if filter_failed */
	volatile int filter_failed;
	volatile int listener; /* the child's descriptor, once the naming filter is loaded; before, -1 */
	volatile int unnamed; /* errno of loading the naming filter: the plain one was loaded */
	volatile int fetched; /* the parent has the listener: execve may come */
};

/*
 * Stage 6a. procfd is a private procfs (fsopen, fsmount) on which no image can have put anything
 * (CVE-2019-16884). Should: set no_new_privs if asked; write the AppArmor profile for the next exec. Mustn't:
 * load the filter.
 */
int locks_apply(const struct locks *locks, int procfd, struct error *err);

/*
 * Stage 6b and 7. Loads the filter and executes path. Between the two there is no system call. Doesn't return: a
 * failed execve puts errno into the report and executes a trap instruction, which no filter can refuse.
 * With locks->naming it first writes one byte to the descriptor notice: the parent is to look at the report until there is a
 * listener (or an errno), take it by pidfd_getfd(2), and set fetched, for which we wait without a system call.
 */
void locks_exec(const struct locks *locks, struct exec_report *report, int notice, const char *path,
	char *const *argv, char *const *envp) __attribute__((noreturn));

#endif
