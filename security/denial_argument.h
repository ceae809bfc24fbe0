/* What a refused call's arguments are in words; for denial.c. */
#ifndef SECURITY_DENIAL_ARGUMENT_H
#define SECURITY_DENIAL_ARGUMENT_H

#include "security/denial.h"

/* A call while it is decoded. */
struct denial_call {
	const struct seccomp_data *data;
	const struct denial_reader *reader;
	const char *signature; /* a letter for each argument: denial_signatures.c */
	size_t n;
	bool is_32bit; /* registers are */
};

/* ---- denial_argument.c ---- */

/* The argument's number i, as a string that is to be freed. */
char *denial_argument(const struct denial_call *call, size_t i);
/* As it stands in the register. */
uint64_t denial_argument_value(const struct denial_call *call, size_t i);
/* Whether it isn't looked at: open's mode, unless a file may be made. */
bool denial_argument_is_void(const struct denial_call *call, size_t i);

/* ---- denial_signatures.c ---- */

/* The kinds of a call's arguments, a letter each (see there), or NULL for an unknown call. */
const char *denial_signature(const char *name, size_t *n);

/* ---- denial_flags.c, denial_constants.c ---- */

struct denial_bit {
	uint64_t value;
	const char *name;
};
struct denial_set {
	const struct denial_bit *items;
	size_t n;
	bool is_flags; /* may be combined; else exactly one */
};
#define DENIAL_NAMED(x)           \
	{                         \
		(uint64_t)(x), #x \
	}
#define DENIAL_SET(letter, table, flags) [letter] = {table, array_length(table), flags}

/* The names for a letter, or NULL: of either kind, of flags, of constants. */
const struct denial_set *denial_names(char letter);
const struct denial_set *denial_flags(char letter);
const struct denial_set *denial_constants(char letter);

#endif
