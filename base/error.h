/*
 * Errors are values.
 *
 * A function that can fail takes a `struct error *` last, and on failure fills it and returns a negative
 * number. On success it leaves it alone. The struct holds no pointer, so that a child can fill one that lies
 * in memory it shares with its parent (see runner/pod/launch_child.h). Only main() prints and exits.
 *
 * The text of a message is one line, without a full stop: what failed, with the path or name concerned. The
 * hint says what to do about it.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

/* Whose doing it is. main() derives the exit status from it. */
enum error_class {
	ERROR_NONE,
	ERROR_USAGE, /* the command line */
	ERROR_MANIFEST, /* the pod's file */
	ERROR_IMAGE, /* an archive, an image, the store */
	ERROR_HOST, /* this machine lacks or refuses something */
	ERROR_PROFILE, /* a seccomp or AppArmor profile */
	ERROR_PROGRAM, /* the container's program can't be run */
	ERROR_INTERNAL, /* minirun's own mistake */
};

struct error {
	enum error_class class;
	int errnum; /* errno of the call that failed, or 0 */
	char message[768]; /* includes the text of errnum */
	char hint[384]; /* empty where there is nothing to advise */
	char check[80]; /* lines of `minirun check` that try the same, with commas between; empty: none */
};

/*
 * Fills err. With errnum non-zero ": " and its text are appended.
 * Returns -1, so that a caller can `return error_set(...)`.
 */
int error_set(struct error *err, enum error_class class, int errnum, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Puts context before the message: "context: message". Returns -1. */
int error_wrap(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sets the hint, replacing an earlier one. Returns -1. */
int error_hint(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Names the line of `minirun check` that tries what failed here (runner/check/check.c has the table), in place of any named before:
 * when the command fails of it, that line is tried again and printed. Returns -1.
 */
int error_check(struct error *err, const char *check);

/* The class in one word, as `-o json` prints it: "manifest", "image", "host", ... */
const char *error_class_name(enum error_class class);

#endif
