/*
 * Kubernetes' JSONPath templates, as kubectl takes them for -o jsonpath=, --sort-by and the like: text, and in braces paths into an
 * object. "{range .items[*]}{.metadata.name}{"\t"}{.status.containerStatuses[?(@.ready==true)].name}{"\n"}{end}"
 *
 * After k8s.io/client-go/util/jsonpath, whose words the errors have; of what it does some may surprise:
 *   - "$" and "@" are both the object at hand, which in a range is the item; a field that is missing gives nothing, and no error.
 *   - The key in ['a.b'] is a path too, and a dot in a key is written "\.": ['app\.kubernetes\.io/name'].
 *   - A filter compares what is of one type, and one value at a time.
 * A template, its nesting and the number of values that it gives are bounded.
 */
#ifndef RUNNER_JSONPATH_H
#define RUNNER_JSONPATH_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

enum jsonpath_kind {
	JSONPATH_CONSTANT, /* text, a number, a boolean */
	JSONPATH_FIELD, /* .name */
	JSONPATH_EACH, /* .* */
	JSONPATH_BELOW, /* .. */
	JSONPATH_SLICE, /* [1], [*], [-2:], [0:4:2] */
	JSONPATH_UNION, /* ['a','b'], [0,2] */
	JSONPATH_FILTER, /* [?(@.a==1)], [?(@.a)] */
	JSONPATH_RANGE, /* first of its path */
	JSONPATH_END,
};

enum jsonpath_relation {
	JSONPATH_EXISTS,
	JSONPATH_EQUAL,
	JSONPATH_UNEQUAL,
	JSONPATH_LESS,
	JSONPATH_AT_MOST,
	JSONPATH_GREATER,
	JSONPATH_AT_LEAST,
};

struct jsonpath_bound {
	bool given;
	int64_t value;
};

struct jsonpath_step {
	enum jsonpath_kind kind;
	char *name; /* FIELD */
	struct json_object *constant;
	struct jsonpath_bound from, to, by; /* SLICE */
	bool single; /* [1]: to is from + 1 */
	enum jsonpath_relation relation; /* FILTER: of the first branch to the second */
	struct jsonpath_path *branches; /* UNION, FILTER */
	size_t n_branches;
};

struct jsonpath_path {
	struct jsonpath_step *steps;
	size_t n;
};

/* Text between braces is a path of one constant. */
struct jsonpath {
	struct jsonpath_path *paths;
	size_t n;
};

/* jsonpath_parse.c: reads a template. Errors are of class ERROR_USAGE, `error parsing jsonpath {.a, unclosed action`. */
int jsonpath_parse(struct jsonpath *jsonpath, const char *text, struct error *err);

/*
 * The same for what --sort-by, custom-columns= and --for=jsonpath= take, which is one path, and may do without the braces and the
 * first dot: "{.a.b}", "{a.b}", ".a.b", "a.b".
 */
int jsonpath_parse_relaxed(struct jsonpath *jsonpath, const char *text, struct error *err);

void jsonpath_free(struct jsonpath *jsonpath);
static inline void cleanup_jsonpath_fn(struct jsonpath *jsonpath)
{
	jsonpath_free(jsonpath);
}
#define cleanup_jsonpath __attribute__((cleanup(cleanup_jsonpath_fn)))

/* What a path leads to: parts of the object, or of the template, which keep belonging to them. */
struct jsonpath_values {
	struct json_object **items;
	size_t n;
};

/*
 * The values of the template's first path; to be freed by free(values->items), also after an error. Errors are of class ERROR_HOST:
 * "array index out of bounds: index 3, length 1".
 */
int jsonpath_find(const struct jsonpath *jsonpath, struct json_object *object, struct jsonpath_values *values,
	struct error *err);

/* The same for one of the paths. *seen counts the values that a template has come across, in all its paths: there is a limit. */
int jsonpath_eval(const struct jsonpath_path *path, struct json_object *object, size_t *seen,
	struct jsonpath_values *values, struct error *err);

/* jsonpath_print.c: prints the template: values with a space between, text as it is, objects and lists as JSON on one line. */
int jsonpath_print(const struct jsonpath *jsonpath, struct json_object *object, FILE *out, struct error *err);

/* A value as jsonpath_print prints it. To be freed. */
char *jsonpath_text(struct json_object *value);

#endif
