/*
 * Naming what a seccomp filter refuses.
 *
 * Theory of operation. A container is given a naming filter: the compiled filter in which every instruction that returns
 * a refusal returns SECCOMP_RET_USER_NOTIF instead. What that filter allows is allowed by the kernel alone, as before, at
 * the same cost. What it refuses stops in the kernel until we answer; we run the compiled filter itself on the very same
 * data, in our interpreter, and carry out what it says: its errno, or its kill. The answer is never "go on", so nothing
 * that a program does to its memory meanwhile can make a refused call happen. What we read from that memory is for people
 * only. (`minirun learn` does say "go on", under a filter that is no boundary: recording.h.)
 *
 * What stays with the kernel: SCMP_ACT_TRAP, whose SIGSYS carries what only the kernel may say in a siginfo.
 *
 * See seccomp_unotify(2), seccomp(2), pidfd_getfd(2).
 */
#ifndef SECURITY_DENIAL_H
#define SECURITY_DENIAL_H

#include <linux/seccomp.h>

#include "security/security.h"

/* ---- the filter (listener.c) ---- */

/* Makes the naming filter. False if it can't be made of this one, or nothing in it refuses: then load it as it is. */
bool naming_filter(const struct seccomp_filter *plain, struct seccomp_filter *naming);

/* Whether a filter has an action that isn't named. */
bool filter_traps(const struct seccomp_filter *plain);

/* ---- the listener (listener.c) ---- */

/* Whether refusals can be named here; if not, err says why. */
int listener_check(struct error *err);

/* For each new listener: makes the kernel hand calls over faster, where it can. */
void listener_tune(int fd);

/* A refused call, waiting for its answer. */
struct refused {
	uint64_t id;
	pid_t pid; /* of the thread, as we see it */
	struct seccomp_data call;
	uint32_t action; /* what the profile says: SECCOMP_RET_* with data */
};

/*
 * Takes the next call, without waiting; action isn't filled. Returns 1; 0 if there is none, be it that its process died
 * meanwhile; -1 if there will never be one again.
 */
int listener_take(int fd, struct refused *refused);

/* The same for one that is refused. plain: the filter that decides. */
int listener_receive(int fd, const struct seccomp_filter *plain, struct refused *refused);

/* Whether the call still waits: what was read from /proc/PID before this said so was of the right process. */
bool listener_is_waiting(int fd, const struct refused *refused);

/* Lets the call go on as if there were no filter. For a recording only: it may be another call by then, see recording.h. */
void listener_let_go(int fd, const struct refused *refused);

enum carried_out {
	CARRIED_OUT, /* the errno was given, or nobody is left to give it to */
	CARRIED_OUT_KILL, /* the process was killed by SIGSYS, as the kernel would have */
	CARRIED_OUT_SIGKILL, /* by SIGKILL, because SIGSYS might not have killed it: pid 1, a handler, threads */
};

/*
 * Answers the call as the profile says. SCMP_ACT_KILL_THREAD kills the whole process, too: a single thread can't be killed
 * from outside. SCMP_ACT_TRACE is ENOSYS, as without a tracer. *process: the process (thread group) it was, if it was killed.
 */
enum carried_out listener_answer(int fd, const struct refused *refused, pid_t *process);

/* ---- the words (denial.c) ---- */

/* How the program's side is looked at. Both may be asked for anything: the arguments are the program's. */
struct denial_reader {
	/* Copies up to size bytes from an address; returns how many, or a negative number. */
	ssize_t (*read)(const void *data, uint64_t address, void *buffer, size_t size);
	/* What a descriptor refers to ("/tmp", "socket:[123]"); false if that isn't known. */
	bool (*descriptor)(const void *data, int fd, char *buffer, size_t size);
	const void *data;
};

/* Of a process by its number: its memory and its /proc/PID/fd. data points to the pid_t. */
extern const struct denial_reader denial_process_reader;

#define DENIAL_STRING 200 /* bytes shown of a string */

struct denial_text {
	char *name; /* "mkdir", or "call 471" */
	char *args[6]; /* decoded: "\"/tmp\"", "0777", "O_RDONLY|O_CLOEXEC" */
	size_t n_args;
	char *call; /* "mkdir(\"/tmp\", 0777)"; " [x86]" follows if it isn't the machine's own architecture */
};

/* Decodes a call. Pointers that say nothing are "...". denial_text_free afterwards. */
void denial_describe(
	const struct seccomp_data *call, const struct denial_reader *reader, struct denial_text *text);
void denial_text_free(struct denial_text *text);

/* What came of it: "EPERM", "0", "SIGSYS". Into buffer. */
const char *denial_result(uint32_t action, char *buffer, size_t size);

/*
 * Which rule of the profile decided, into a fresh string: "defaultAction of p.json", "rule 3 of p.json, line 12: mkdir,
 * mkdirat". Reads the text again: it is for the first call of its kind. name: the profile's, for the message.
 */
char *denial_rule(const char *text, size_t size, const char *name, const struct seccomp_subject *subject,
	const struct seccomp_data *call, uint32_t action);

#endif
