/* A list of findings about a file: errors and warnings, each with its place. All are collected, then shown. */
#ifndef BASE_FINDING_H
#define BASE_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum severity {
	SEVERITY_ERROR,
	SEVERITY_WARNING,
	SEVERITY_INFO, /* worth knowing, and often meant so */
};

struct finding {
	enum severity severity;
	unsigned int line, column; /* from 1; 0 where there is no place */
	char *path; /* "spec.containers[0].image", or NULL */
	char *text; /* "Required value", without the path and without a full stop */
	char *hint; /* "did you mean ...?", or NULL */
	char check[24]; /* the line of `minirun check` that is about it, or empty */
	const char
		*code; /* a literal such as "unknown-name", for tools to select by; NULL where it has none */
};

struct findings {
	char *file; /* as the user typed it; "-" is shown as "standard input" */
	struct finding *items;
	size_t n;
	size_t errors; /* how many of the n are errors */
};

void findings_init(struct findings *findings, const char *file);
void findings_free(struct findings *findings);

/* Adds one. path may be NULL; hint may be NULL; text is a format. */
void findings_add(struct findings *findings, enum severity severity, unsigned int line, unsigned int column,
	const char *path, const char *hint, const char *format, ...) __attribute__((format(printf, 7, 8)));

/* Gives the finding that was added last its code, a literal. */
void findings_code(struct findings *findings, const char *code);

/* Names, for the finding that was added last, the line of `minirun check` that is about it. */
void findings_check(struct findings *findings, const char *check);

/* Adds a copy of one, unless the same is there already (at the same place, in the same words). */
void findings_copy(struct findings *findings, const struct finding *finding);

/* Orders by line and column, errors and warnings together; equal places keep their order. */
void findings_sort(struct findings *findings);

/* One line each: "FILE:LINE:COLUMN: error: PATH: TEXT (HINT)". */
void findings_print(const struct findings *findings, FILE *out);
/* The same, with " [CODE]" at the end of those that have one. */
void findings_print_coded(const struct findings *findings, FILE *out);

/* "error", "warning" or "info". */
const char *severity_name(enum severity severity);

#endif
