/* What the paths of a JSONPath template lead to. See jsonpath.h. */
#include "runner/verbs/jsonpath.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"

#define VALUES_LIMIT (1 << 20) /* that one template comes across: "..[*]..[*]" would go on for ages */

struct evaluation {
	size_t seen; /* values so far */
	struct error *err;
};

static int eval_path(struct evaluation *evaluation, const struct jsonpath_path *path,
	const struct jsonpath_values *in, struct jsonpath_values *out);

static int wrong(const struct evaluation *evaluation, const char *what)
{
	return error_set(evaluation->err, ERROR_HOST, 0, "%s", what);
}

static int add(struct evaluation *evaluation, struct jsonpath_values *values, struct json_object *value)
{
	if (++evaluation->seen > VALUES_LIMIT)
		return wrong(evaluation, "the template comes across too many values");
	/* There is room for the next power of two. */
	if (!(values->n & (values->n - 1)))
		values->items = xreallocarray(
			values->items, values->n ? 2 * values->n : 1, sizeof(struct json_object *));
	values->items[values->n++] = value;
	return 0;
}

static int add_all(
	struct evaluation *evaluation, struct jsonpath_values *values, const struct jsonpath_values *more)
{
	for (size_t i = 0; i < more->n; i++)
		if (add(evaluation, values, more->items[i]) < 0)
			return -1;
	return 0;
}

/* What Go calls it, for messages. */
static const char *type_name(struct json_object *value)
{
	static const char *const names[] = {
		[json_type_boolean] = "bool",
		[json_type_double] = "float64",
		[json_type_int] = "int64",
		[json_type_object] = "map[string]interface {}",
		[json_type_array] = "[]interface {}",
		[json_type_string] = "string",
	};
	const char *name = names[json_object_get_type(value)];

	return name ? name : "<nil>";
}

static int eval_field(
	struct evaluation *evaluation, const char *name, struct json_object *at, struct jsonpath_values *out)
{
	struct json_object *value;

	/* A null is a value. */
	if (!json_object_is_type(at, json_type_object) || !json_object_object_get_ex(at, name, &value))
		return 0;
	return add(evaluation, out, value);
}

/* What an object or a list holds. */
static int eval_each(struct evaluation *evaluation, struct json_object *at, struct jsonpath_values *out)
{
	size_t n = json_object_is_type(at, json_type_array) ? json_object_array_length(at) : 0;

	for (size_t i = 0; i < n; i++)
		if (add(evaluation, out, json_object_array_get_idx(at, i)) < 0)
			return -1;
	if (!json_object_is_type(at, json_type_object))
		return 0;
	json_object_object_foreach(at, key, value)
	{
		(void)key;
		if (add(evaluation, out, value) < 0)
			return -1;
	}
	return 0;
}

/* The value itself and all that is below it, as far as that holds anything. As deep as the object, which the reader bounds. */
static int eval_below(struct evaluation *evaluation, struct json_object *at, struct jsonpath_values *out)
{
	struct jsonpath_values inner = {0};
	int result = eval_each(evaluation, at, &inner);

	if (result == 0 && inner.n)
		result = add(evaluation, out, at);
	for (size_t i = 0; i < inner.n && result == 0; i++)
		result = eval_below(evaluation, inner.items[i], out);
	free(inner.items);
	return result;
}

static int out_of_bounds(const struct evaluation *evaluation, int64_t index, int64_t length)
{
	return error_set(evaluation->err, ERROR_HOST, 0, "array index out of bounds: index %lld, length %lld",
		(long long)index, (long long)length);
}

static int eval_slice(struct evaluation *evaluation, const struct jsonpath_step *step, struct json_object *at,
	struct jsonpath_values *out)
{
	int64_t from = step->from.given ? step->from.value : 0, to = step->to.value, length;
	int64_t by = step->by.given ? step->by.value : 1;

	if (!at)
		return 0;
	if (!json_object_is_type(at, json_type_array))
		return error_set(evaluation->err, ERROR_HOST, 0, "%s is not array or slice", type_name(at));
	length = (int64_t)json_object_array_length(at);
	if (!step->to.given)
		to = length;
	else if (to < 0 || (step->single && to == 0))
		to += length;
	if (from < 0)
		from += length;
	if (from == to)
		return 0;
	if (from < 0 || from >= length)
		return out_of_bounds(evaluation, from, length);
	if (to < 0 || to > length)
		return out_of_bounds(evaluation, to - 1, length);
	if (from > to)
		return error_set(evaluation->err, ERROR_HOST, 0,
			"starting index %lld is greater than ending index %lld", (long long)from,
			(long long)to);
	if (by <= 0)
		return wrong(evaluation, "step must be > 0");
	for (int64_t i = from; i < to; i += by)
		if (add(evaluation, out, json_object_array_get_idx(at, (size_t)i)) < 0)
			return -1;
	return 0;
}

/* One branch after the other, each of all that there is so far. */
static int eval_union(struct evaluation *evaluation, const struct jsonpath_step *step,
	const struct jsonpath_values *in, struct jsonpath_values *out)
{
	int result = 0;

	for (size_t i = 0; i < step->n_branches && result == 0; i++) {
		struct jsonpath_values values = {0};

		result = eval_path(evaluation, &step->branches[i], in, &values);
		if (result == 0)
			result = add_all(evaluation, out, &values);
		free(values.items);
	}
	return result;
}

/* -1, 0 or 1; -2: that can't be compared. */
static int compare(struct json_object *a, struct json_object *b, bool *ordered)
{
	enum json_type x = json_object_get_type(a), y = json_object_get_type(b);
	bool numbers = (x == json_type_int || x == json_type_double) &&
		       (y == json_type_int || y == json_type_double);

	*ordered = numbers || x == json_type_string;
	if (numbers && x == json_type_int && y == json_type_int) {
		int64_t m = json_object_get_int64(a), n = json_object_get_int64(b);

		return m < n ? -1 : m > n;
	}
	if (numbers) {
		double m = json_object_get_double(a), n = json_object_get_double(b);

		return m < n ? -1 : m > n;
	}
	if (x == json_type_string && y == json_type_string) {
		int order = strcmp(json_object_get_string(a), json_object_get_string(b));

		return order < 0 ? -1 : order > 0;
	}
	if (x == json_type_boolean && y == json_type_boolean)
		return json_object_get_boolean(a) != json_object_get_boolean(b);
	return -2;
}

static int relate(const struct evaluation *evaluation, enum jsonpath_relation relation, struct json_object *a,
	struct json_object *b, bool *holds)
{
	bool ordered;
	int order = compare(a, b, &ordered);

	if (order == -2)
		return wrong(evaluation, "incompatible types for comparison");
	if (!ordered && relation != JSONPATH_EQUAL && relation != JSONPATH_UNEQUAL)
		return wrong(evaluation, "invalid type for comparison");
	*holds = relation == JSONPATH_EQUAL     ? order == 0
		 : relation == JSONPATH_UNEQUAL ? order != 0
		 : relation == JSONPATH_LESS    ? order < 0
		 : relation == JSONPATH_AT_MOST ? order <= 0
		 : relation == JSONPATH_GREATER ? order > 0
						: order >= 0;
	return 0;
}

/* Whether the filter lets an item through. */
static int passes(struct evaluation *evaluation, const struct jsonpath_step *step, struct json_object *item,
	bool *holds)
{
	const struct jsonpath_values in = {&item, 1};
	struct jsonpath_values left = {0}, right = {0};
	int result = eval_path(evaluation, &step->branches[0], &in, &left);

	*holds = result == 0 && step->relation == JSONPATH_EXISTS && left.n;
	if (result == 0 && step->relation != JSONPATH_EXISTS && left.n) {
		result = eval_path(evaluation, &step->branches[1], &in, &right);
		if (result == 0 && (left.n > 1 || right.n != 1))
			result = wrong(evaluation, "can only compare one element at a time");
		if (result == 0)
			result = relate(evaluation, step->relation, left.items[0], right.items[0], holds);
	}
	free(left.items);
	free(right.items);
	return result;
}

static int eval_filter(struct evaluation *evaluation, const struct jsonpath_step *step,
	struct json_object *at, struct jsonpath_values *out)
{
	if (!json_object_is_type(at, json_type_array))
		return error_set(evaluation->err, ERROR_HOST, 0,
			"%s is not array or slice and cannot be filtered", type_name(at));
	for (size_t i = 0; i < json_object_array_length(at); i++) {
		struct json_object *item = json_object_array_get_idx(at, i);
		bool holds;

		if (passes(evaluation, step, item, &holds) < 0 || (holds && add(evaluation, out, item) < 0))
			return -1;
	}
	return 0;
}

static int eval_step(struct evaluation *evaluation, const struct jsonpath_step *step, struct json_object *at,
	struct jsonpath_values *out)
{
	switch (step->kind) {
	case JSONPATH_CONSTANT:
		return add(evaluation, out, step->constant);
	case JSONPATH_FIELD:
		return eval_field(evaluation, step->name, at, out);
	case JSONPATH_EACH:
		return eval_each(evaluation, at, out);
	case JSONPATH_BELOW:
		return eval_below(evaluation, at, out);
	case JSONPATH_SLICE:
		return eval_slice(evaluation, step, at, out);
	case JSONPATH_FILTER:
		return eval_filter(evaluation, step, at, out);
	case JSONPATH_UNION: /* eval_path's */
	case JSONPATH_RANGE:
	case JSONPATH_END:
	default:
		return add(evaluation, out, at);
	}
}

static int eval_path(struct evaluation *evaluation, const struct jsonpath_path *path,
	const struct jsonpath_values *in, struct jsonpath_values *out)
{
	int result = add_all(evaluation, out, in);

	for (size_t i = 0; i < path->n && result == 0; i++) {
		const struct jsonpath_step *step = &path->steps[i];
		struct jsonpath_values before = *out;

		*out = (struct jsonpath_values){0};
		if (step->kind == JSONPATH_UNION)
			result = eval_union(evaluation, step, &before, out);
		for (size_t j = 0; step->kind != JSONPATH_UNION && j < before.n && result == 0; j++)
			result = eval_step(evaluation, step, before.items[j], out);
		free(before.items);
	}
	return result;
}

int jsonpath_eval(const struct jsonpath_path *path, struct json_object *object, size_t *seen,
	struct jsonpath_values *values, struct error *err)
{
	struct evaluation evaluation = {.seen = *seen, .err = err};
	int result;

	*values = (struct jsonpath_values){0};
	result = eval_path(&evaluation, path, &(struct jsonpath_values){&object, 1}, values);
	*seen = evaluation.seen;
	return result;
}

int jsonpath_find(const struct jsonpath *jsonpath, struct json_object *object, struct jsonpath_values *values,
	struct error *err)
{
	size_t seen = 0;

	*values = (struct jsonpath_values){0};
	return jsonpath->n ? jsonpath_eval(&jsonpath->paths[0], object, &seen, values, err) : 0;
}

static void path_free(struct jsonpath_path *path)
{
	for (size_t i = 0; i < path->n; i++) {
		struct jsonpath_step *step = &path->steps[i];

		free(step->name);
		json_object_put(step->constant);
		for (size_t j = 0; j < step->n_branches; j++)
			path_free(&step->branches[j]);
		free(step->branches);
	}
	free(path->steps);
	*path = (struct jsonpath_path){0};
}

void jsonpath_free(struct jsonpath *jsonpath)
{
	for (size_t i = 0; i < jsonpath->n; i++)
		path_free(&jsonpath->paths[i]);
	free(jsonpath->paths);
	*jsonpath = (struct jsonpath){0};
}
