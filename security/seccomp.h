/* What the files of the seccomp reader, compiler, verifier and cache share; nobody else includes this. */
#ifndef SECURITY_SECCOMP_H
#define SECURITY_SECCOMP_H

#include "security/security.h"

/*
 * Limits of a profile. The kernel takes 4,096 instructions (BPF_MAXINSNS); a comparison costs at least two of
 * them, so what is beyond these limits could not be loaded anyway, and libseccomp 2.5 never gets to see a program
 * near 65,536 instructions, where it corrupts its heap (GHSA-46fr-jh49-xvhx).
 */
#define SECCOMP_MAX_NAMES      4096
#define SECCOMP_MAX_CONDITIONS 512

enum seccomp_compare {
	COMPARE_NE,
	COMPARE_LT,
	COMPARE_LE,
	COMPARE_EQ,
	COMPARE_GE,
	COMPARE_GT,
	COMPARE_MASKED_EQ, /* (argument & value) == (value_two & value) */
};

/* A condition on one argument of a call. */
struct seccomp_arg {
	unsigned int index; /* 0 to 5 */
	enum seccomp_compare compare;
	uint64_t value, value_two;
};

/* When an entry counts (includes) or doesn't (excludes). */
struct seccomp_clause {
	capability_set capabilities;
	char **arches; /* as Go's libseccomp calls them: "amd64", "arm64", ...; NULL: none */
	bool has_kernel;
	unsigned int major, minor;
};

struct seccomp_name {
	char *name;
	unsigned int line, column;
};

/* One element of "syscalls". */
struct seccomp_entry {
	struct seccomp_name *names;
	size_t n_names;
	uint32_t action; /* SECCOMP_RET_* with its data */
	struct seccomp_arg *args;
	size_t n_args;
	struct seccomp_clause includes, excludes;
};

struct seccomp_profile {
	uint32_t default_action; /* SECCOMP_RET_* with its data */
	uint32_t *arches; /* SCMP_ARCH_*, as listed; those of archMap only for this machine */
	size_t n_arches;
	unsigned int flags; /* SECCOMP_FILTER_FLAG_* */
	struct seccomp_entry *entries;
	size_t n_entries;
};

/* One rule: a system call, what must hold of its arguments (all of it), and what then happens. */
struct seccomp_rule {
	const struct seccomp_name *name;
	uint32_t action;
	const struct seccomp_arg *args;
	size_t n_args;
};

/* A profile, as it counts for one subject on this machine. */
struct seccomp_rules {
	uint32_t default_action;
	unsigned int flags;
	uint32_t arches[4]; /* SCMP_ARCH_*, the machine's own first */
	int64_t newest[4]; /* the profile's newest call there; -1 where nothing is to become ENOSYS */
	size_t n_arches;
	struct seccomp_rule *items;
	size_t n;
	bool own_conditions; /* the library failed at the conditions: the stub decides the calls that have any */
};

/* ---- seccomp_names.c ---- */

struct seccomp_action_name {
	const char *name;
	uint32_t action;
	bool has_errno; /* whether errnoRet has a meaning */
};
extern const struct seccomp_action_name seccomp_action_names[];
extern const size_t seccomp_n_action_names;
/* "SCMP_ACT_ERRNO" for SECCOMP_RET_ERRNO with any data. */
const char *seccomp_action_text(uint32_t action);

/* "SCMP_CMP_EQ" to COMPARE_EQ, or -1. */
int seccomp_compare_number(const char *name, const char **nearest);
/* "SCMP_ARCH_X86_64" to SCMP_ARCH_X86_64, or 0. */
uint32_t seccomp_arch_number(const char *name, const char **nearest);
/* SCMP_ARCH_X86_64 to "SCMP_ARCH_X86_64", or NULL. */
const char *seccomp_arch_name(uint32_t arch);
/* The name that includes and excludes call an architecture by, or NULL. */
const char *seccomp_arch_go_name(uint32_t arch);
bool seccomp_arch_go_name_known(const char *name, const char **nearest);
/* AUDIT_ARCH_*: what struct seccomp_data carries. x32 has that of x86-64. */
uint32_t seccomp_arch_audit(uint32_t arch);
/* Whether the machine's kernel can see calls of that architecture. */
bool seccomp_arch_possible(uint32_t arch);
/* Whether arguments are 32 bits wide there. */
bool seccomp_arch_is_32bit(uint32_t arch);
/* The architectures whose calls this machine's kernel can see, by number from 0, its own first; NULL past the last. */
const char *seccomp_arch_of_machine(size_t index);
/* SCMP_ARCH_* of a call by its struct seccomp_data; 0 if it is none that we know. */
uint32_t seccomp_arch_of_call(uint32_t audit, int nr);

#define X32_BIT 0x40000000 /* in the number of an x32 call, whose AUDIT_ARCH_* is that of x86-64 */

#define SYSCALL_UNKNOWN INT32_MIN
/*
 * The number of a call on an architecture: libseccomp's, or for a call newer than the library, from our table.
 * Negative (libseccomp's pseudo numbers) where the architecture lacks it; SYSCALL_UNKNOWN if nobody knows it.
 */
int seccomp_syscall_number(uint32_t arch, const char *name);
/* The name of a number, libseccomp's or from our table, into a fresh string; NULL if nobody knows it. */
char *seccomp_syscall_name(uint32_t arch, int number);
/* Whether libseccomp knows it; else the compiler has to add the rule itself. */
bool seccomp_syscall_in_library(const char *name);
/* The known name nearest to a misspelt one, into a fresh string, or NULL. */
char *seccomp_syscall_nearest(const char *name);
/* "EPERM" to 1, or -1. */
int seccomp_errno_number(const char *name);

/* ---- seccomp_select.c ---- */

/*
 * Flattens a profile to the rules that count for the subject: includes and excludes are judged, rules whose
 * action is the default action are left out. A rule that another one makes void is a warning. Borrows from profile.
 */
int seccomp_select(const struct seccomp_profile *profile, const struct seccomp_subject *subject,
	struct seccomp_rules *rules, struct findings *findings, struct error *err);
/* How many distinct calls of this machine's architecture the rules allow; SECCOMP_ALLOWS_BY_DEFAULT if the default is to allow. */
unsigned int seccomp_rules_allowed(const struct seccomp_rules *rules);
/* Whether execve can be allowed, at least with some arguments: what comes of them isn't known before. */
bool seccomp_rules_may_execve(const struct seccomp_rules *rules);
/* Whether it holds of an argument's value; of a 32-bit program's only the low half counts. */
bool seccomp_arg_holds(const struct seccomp_arg *arg, uint64_t is, bool is_32bit);

/* ---- seccomp_stub.c ---- */

/* Whether the rules for a call are compiled by us, and not given to libseccomp. */
bool seccomp_is_own(const struct seccomp_rules *rules, const char *name);

/* Whether the rule has no conditions and what it names is decided by the number of the call alone: not libseccomp's either. */
bool seccomp_is_plain(const struct seccomp_rules *rules, const struct seccomp_rule *rule);

/*
 * The instructions that go before libseccomp's: ENOSYS for calls newer than the profile's newest, the rules that are ours, and
 * all that the number of a call decides alone.
 */
void seccomp_stub(const struct seccomp_rules *rules, struct sock_filter **insns, size_t *n);

/* ---- seccomp_simulate.c ---- */

/* As seccomp_simulate; looked: whether the arguments had a say, or number and architecture decided alone. */
uint32_t seccomp_simulate_looking(const struct seccomp_filter *filter, uint32_t arch, int nr,
	const uint64_t args[6], uint64_t instruction_pointer, bool *looked);

/* ---- seccomp_verify.c ---- */

/* Runs the filter over all calls and telling arguments, and compares it with the rules themselves. */
int seccomp_verify(const struct seccomp_rules *rules, const struct seccomp_filter *filter, struct error *err);

/* ---- seccomp_cache.c ---- */

struct seccomp_cache_key {
	uint8_t digest[32];
};

/* What a filter depends on: the text, the subject, this machine, libseccomp, and this build of minirun. */
void seccomp_cache_key(
	const char *text, size_t size, const struct seccomp_subject *subject, struct seccomp_cache_key *key);
/* Whether there is a sound entry; fills filter and n_allowed, and repeats the warnings it was compiled with. */
bool seccomp_cache_get(int cachefd, const struct seccomp_cache_key *key, struct seccomp_filter *filter,
	unsigned int *n_allowed, struct findings *findings);
/* Stores one, atomically; oldest entries beyond SECCOMP_CACHE_ENTRIES go. A failure only costs time later. */
void seccomp_cache_put(int cachefd, const struct seccomp_cache_key *key, const struct seccomp_filter *filter,
	unsigned int n_allowed, const struct findings *findings, size_t first_finding);
#define SECCOMP_CACHE_ENTRIES 64

#endif
