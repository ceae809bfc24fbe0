/* Reading a JSONPath template. See jsonpath.h. */
#include "runner/verbs/jsonpath.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

#define SIZE_LIMIT  ((size_t)64 << 10) /* bytes of a template */
#define SHOWN       400 /* bytes of it, in a message */
#define DEPTH_LIMIT 32 /* filters in filters, ranges in ranges */
#define NAME_END    " \t\r\n.,[]$@{}" /* what a name ends before */
#define RELATIONS   "!<>="

/* Where a path stands, and so what ends it. */
enum place {
	IN_BRACES,
	IN_LEFT, /* of a filter's relation */
	IN_RIGHT,
	IN_KEY, /* all of a text */
};

static const struct {
	const char *end;
	const char *unclosed;
} places[] = {
	[IN_BRACES] = {"}", "unclosed action"},
	[IN_LEFT] = {RELATIONS ")", "unterminated filter"},
	[IN_RIGHT] = {")", "unterminated filter"},
	[IN_KEY] = {"", ""},
};

struct reader {
	const char *rest;
	unsigned int depth;
	struct error *err;
};

static int read_path(struct reader *reader, enum place place, struct jsonpath_path *path);

static struct jsonpath_step *add_step(struct jsonpath_path *path, enum jsonpath_kind kind)
{
	path->steps = xreallocarray(path->steps, path->n + 1, sizeof(*path->steps));
	path->steps[path->n] = (struct jsonpath_step){.kind = kind};
	return &path->steps[path->n++];
}

static int wrong(const struct reader *reader, const char *what)
{
	return error_set(reader->err, ERROR_USAGE, 0, "%s", what);
}

/* A name up to what ends it; a backslash takes the next character as it is. */
static char *read_name(struct reader *reader, enum place place)
{
	char *name = xcalloc(strlen(reader->rest) + 1, 1);
	size_t n = 0;

	while (*reader->rest && !strchr(NAME_END, *reader->rest) &&
		!strchr(places[place].end, *reader->rest)) {
		if (*reader->rest == '\\' && reader->rest[1])
			reader->rest++;
		name[n++] = *reader->rest++;
	}
	return name;
}

static int read_field(struct reader *reader, enum place place, struct jsonpath_path *path)
{
	bool each = reader->rest[0] == '*';
	char *name = read_name(reader, place);

	if (each && !name[1]) {
		add_step(path, JSONPATH_EACH);
		free(name);
	} else {
		add_step(path, JSONPATH_FIELD)->name = name;
	}
	return 0;
}

/* "range" and "end", which stand first in braces; true and false. */
static int read_word(struct reader *reader, enum place place, struct jsonpath_path *path)
{
	cleanup_free char *word = read_name(reader, place);
	bool first = place == IN_BRACES && !path->n;

	if (!strcmp(word, "true") || !strcmp(word, "false"))
		add_step(path, JSONPATH_CONSTANT)->constant = json_object_new_boolean(*word == 't');
	else if (first && !strcmp(word, "range"))
		add_step(path, JSONPATH_RANGE);
	else if (first && !strcmp(word, "end"))
		add_step(path, JSONPATH_END);
	else
		return error_set(reader->err, ERROR_USAGE, 0, "unrecognized identifier %s", word);
	return 0;
}

static int read_number(struct reader *reader, struct jsonpath_path *path)
{
	size_t sign = *reader->rest == '+' || *reader->rest == '-';
	size_t n = sign + strspn(reader->rest + sign, "0123456789.");
	cleanup_free char *text = xstrndup(reader->rest, n);
	struct json_object *constant = NULL;
	int64_t integer;
	char *end;

	reader->rest += n;
	if (text_to_integer(text + (*text == '+'), INT64_MIN, INT64_MAX, &integer)) {
		constant = json_object_new_int64(integer);
	} else {
		double number = strtod(text, &end);

		if (end == text || *end)
			return error_set(reader->err, ERROR_USAGE, 0, "cannot parse number %s", text);
		constant = json_object_new_double(number);
	}
	add_step(path, JSONPATH_CONSTANT)->constant = constant;
	return 0;
}

static int read_quoted(struct reader *reader, struct jsonpath_path *path)
{
	static const char escapes[] = "n\nt\tr\ra\ab\bf\fv\v\\\\\"\"''";
	char quote = *reader->rest++;
	cleanup_free char *text = xcalloc(strlen(reader->rest) + 1, 1);
	size_t n = 0;

	for (; *reader->rest != quote; reader->rest++) {
		const char *escape = NULL;

		if (!*reader->rest || *reader->rest == '\n')
			return wrong(reader, "unterminated quoted string");
		if (*reader->rest != '\\') {
			text[n++] = *reader->rest;
			continue;
		}
		reader->rest++;
		for (const char *p = escapes; *p && !escape; p += 2)
			escape = *p == *reader->rest ? p + 1 : NULL;
		if (!escape)
			return error_set(reader->err, ERROR_USAGE, 0,
				"unquote string error invalid syntax: \\%.1s", reader->rest);
		text[n++] = *escape;
	}
	reader->rest++;
	add_step(path, JSONPATH_CONSTANT)->constant = json_object_new_string(text);
	return 0;
}

/* A number, or none; reader->rest is behind it. */
static int read_bound(struct reader *reader, struct jsonpath_bound *bound)
{
	size_t n = *reader->rest == '-';
	cleanup_free char *text = NULL;

	n += strspn(reader->rest + n, "0123456789");
	text = xstrndup(reader->rest, n);
	reader->rest += n;
	bound->given = n > 0;
	if (n && !text_to_integer(text, INT32_MIN, INT32_MAX, &bound->value))
		return error_set(reader->err, ERROR_USAGE, 0, "array index %s is not a number", text);
	return 0;
}

static int read_slice(struct reader *reader, struct jsonpath_step *step)
{
	if (*reader->rest == '*') {
		reader->rest++;
		return 0;
	}
	if (read_bound(reader, &step->from) < 0)
		return -1;
	step->single = *reader->rest != ':';
	if (step->single) {
		step->to = (struct jsonpath_bound){true, step->from.value + 1};
		return 0;
	}
	reader->rest++;
	if (read_bound(reader, &step->to) < 0)
		return -1;
	if (*reader->rest != ':')
		return 0;
	reader->rest++;
	return read_bound(reader, &step->by);
}

/* The key in ['key'], by itself. */
static int read_key(struct reader *reader, struct jsonpath_path *path)
{
	const char *end = strchr(reader->rest + 1, '\'');
	cleanup_free char *key =
		end ? xasprintf(".%.*s", (int)(end - reader->rest - 1), reader->rest + 1) : NULL;
	struct reader inner = {.rest = key, .depth = reader->depth + 1, .err = reader->err};

	if (!end || strcspn(reader->rest, "\n") < (size_t)(end - reader->rest))
		return wrong(reader, "unterminated array");
	reader->rest = end + 1;
	return read_path(&inner, IN_KEY, path);
}

/* One of what stands between the commas in brackets. */
static int read_item(struct reader *reader, struct jsonpath_path *path)
{
	const char *start;

	reader->rest += strspn(reader->rest, " ");
	start = reader->rest;
	if (*start == '\'' ? read_key(reader, path) < 0
			   : read_slice(reader, add_step(path, JSONPATH_SLICE)) < 0)
		return -1;
	reader->rest += strspn(reader->rest, " ");
	if (*reader->rest == ']' || *reader->rest == ',')
		return 0;
	if (!strchr(start, ']'))
		return wrong(reader, "unterminated array");
	return error_set(
		reader->err, ERROR_USAGE, 0, "invalid array index %.*s", (int)strcspn(start, ",]"), start);
}

static struct jsonpath_path *add_branch(struct jsonpath_step *step)
{
	step->branches = xreallocarray(step->branches, step->n_branches + 1, sizeof(*step->branches));
	step->branches[step->n_branches] = (struct jsonpath_path){0};
	return &step->branches[step->n_branches++];
}

static int read_brackets(struct reader *reader, struct jsonpath_path *path)
{
	struct jsonpath_step *step = add_step(path, JSONPATH_UNION);

	do {
		reader->rest++;
		if (read_item(reader, add_branch(step)) < 0)
			return -1;
	} while (*reader->rest == ',');
	reader->rest++;
	return 0;
}

static int read_relation(struct reader *reader, struct jsonpath_step *step)
{
	static const char *const relations[] = {
		[JSONPATH_EQUAL] = "==",
		[JSONPATH_UNEQUAL] = "!=",
		[JSONPATH_LESS] = "<",
		[JSONPATH_AT_MOST] = "<=",
		[JSONPATH_GREATER] = ">",
		[JSONPATH_AT_LEAST] = ">=",
	};
	size_t n = strspn(reader->rest, RELATIONS);
	cleanup_free char *text = xstrndup(reader->rest, n);

	reader->rest += n;
	for (size_t i = JSONPATH_EQUAL; i < array_length(relations); i++)
		if (!strcmp(relations[i], text)) {
			step->relation = (enum jsonpath_relation)i;
			return 0;
		}
	return error_set(reader->err, ERROR_USAGE, 0, "unrecognized filter operator %s", text);
}

static int read_filter(struct reader *reader, struct jsonpath_path *path)
{
	struct jsonpath_step *step = add_step(path, JSONPATH_FILTER);

	reader->rest += strlen("[?(");
	if (++reader->depth > DEPTH_LIMIT)
		return wrong(reader, "too many filters in filters");
	if (read_path(reader, IN_LEFT, add_branch(step)) < 0)
		return -1;
	if (*reader->rest != ')' &&
		(read_relation(reader, step) < 0 || read_path(reader, IN_RIGHT, add_branch(step)) < 0))
		return -1;
	reader->depth--;
	if (reader->rest[1] != ']')
		return wrong(reader, "unclosed array expect ]");
	reader->rest += 2;
	return 0;
}

static int read_below(struct reader *reader, enum place place, struct jsonpath_path *path)
{
	if (path->n && path->steps[path->n - 1].kind == JSONPATH_BELOW)
		return wrong(reader, "invalid multiple recursive descent");
	add_step(path, JSONPATH_BELOW);
	reader->rest += 2;
	return isalnum((unsigned char)*reader->rest) || *reader->rest == '_' || *reader->rest == '*'
		       ? read_field(reader, place, path)
		       : 0;
}

/* One step, by its first character. */
static int read_step(struct reader *reader, enum place place, struct jsonpath_path *path)
{
	unsigned char c = (unsigned char)*reader->rest;

	if (text_starts_with(reader->rest, "[?("))
		return read_filter(reader, path);
	if (text_starts_with(reader->rest, ".."))
		return read_below(reader, place, path);
	if (c == '[')
		return read_brackets(reader, path);
	if (c == '"' || c == '\'')
		return read_quoted(reader, path);
	if (c == '+' || c == '-' || isdigit(c))
		return read_number(reader, path);
	if (isalpha(c) || c == '_' || c >= 0x80)
		return read_word(reader, place, path);
	if (c != '.' && c != ' ' && c != '@' && c != '$')
		return error_set(
			reader->err, ERROR_USAGE, 0, "unrecognized character in action: U+%04X '%c'", c, c);
	reader->rest++;
	return c == '.' ? read_field(reader, place, path) : 0;
}

static int read_path(struct reader *reader, enum place place, struct jsonpath_path *path)
{
	int result = 0;

	while (result == 0 && *reader->rest && !strchr(places[place].end, *reader->rest)) {
		if (*reader->rest == '\n' || *reader->rest == '\r')
			return wrong(reader, places[place].unclosed);
		result = read_step(reader, place, path);
	}
	if (result == 0 && !*reader->rest && place != IN_KEY)
		return wrong(reader, places[place].unclosed);
	return result;
}

static struct jsonpath_path *add_path(struct jsonpath *jsonpath)
{
	jsonpath->paths = xreallocarray(jsonpath->paths, jsonpath->n + 1, sizeof(*jsonpath->paths));
	jsonpath->paths[jsonpath->n] = (struct jsonpath_path){0};
	return &jsonpath->paths[jsonpath->n++];
}

/* Keeps count of the ranges that are open in reader->depth. */
static int read_template(struct reader *reader, struct jsonpath *jsonpath)
{
	while (*reader->rest) {
		struct jsonpath_path *path = add_path(jsonpath);
		size_t n = strcspn(reader->rest, "{");

		if (n) {
			add_step(path, JSONPATH_CONSTANT)->constant =
				json_object_new_string_len(reader->rest, (int)n);
			reader->rest += n;
			continue;
		}
		reader->rest++;
		if (read_path(reader, IN_BRACES, path) < 0)
			return -1;
		reader->rest++;
		if (path->n && path->steps[0].kind == JSONPATH_RANGE && ++reader->depth > DEPTH_LIMIT)
			return wrong(reader, "too many ranges in ranges");
		if (path->n && path->steps[0].kind == JSONPATH_END && reader->depth-- == 0)
			return wrong(reader, "not in range, nothing to end");
	}
	return 0;
}

int jsonpath_parse(struct jsonpath *jsonpath, const char *text, struct error *err)
{
	struct reader reader = {.rest = text, .err = err};
	cleanup_free char *why = NULL;

	*jsonpath = (struct jsonpath){0};
	if (strlen(text) > SIZE_LIMIT)
		return error_set(
			err, ERROR_USAGE, 0, "a jsonpath template has %zu bytes at most", SIZE_LIMIT);
	if (read_template(&reader, jsonpath) == 0)
		return 0;
	why = xstrdup(err->message);
	return error_set(err, ERROR_USAGE, 0, "error parsing jsonpath %.*s, %s", SHOWN, text, why);
}

int jsonpath_parse_relaxed(struct jsonpath *jsonpath, const char *text, struct error *err)
{
	size_t n = strlen(text);
	bool braces = n > 1 && text[0] == '{' && text[n - 1] == '}';
	const char *start = text + braces;
	size_t size = n - (braces ? 2 : 0);
	cleanup_free char *template = NULL;

	*jsonpath = (struct jsonpath){0};
	if (size && *start == '.') {
		start++;
		size--;
	}
	if (!size || memchr(start, '{', size) || memchr(start, '}', size))
		return error_set(err, ERROR_USAGE, 0,
			"unexpected path string, expected a 'name1.name2' or '.name1.name2' or "
			"'{name1.name2}' or '{.name1.name2}'");
	template = xasprintf("{.%.*s}", (int)size, start);
	return jsonpath_parse(jsonpath, template, err);
}
