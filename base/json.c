/*
 * JSON with positions.
 *
 * json-c reports no line or column, nor a key that stands twice, so the structure (brackets, commas, colons, white
 * space: a page of code) is walked here, and what needs judgement, strings with escapes and numbers, is cut out and
 * handed to json-c. One pass over the text; a column costs nothing extra, since places are asked for in order.
 */
#include "base/reader.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

struct json {
	struct reader *reader;
	const char *p, *end;
	const char *mark; /* line and column are those of mark, which never goes back */
	unsigned int line, column;
	struct json_tokener *tokener;
};

static struct node *read_value(struct json *json, unsigned int depth);

static void place(struct json *json, const char *at)
{
	for (; json->mark < at; json->mark++) {
		if (*json->mark == '\n') {
			json->line++;
			json->column = 1;
		} else if ((*json->mark & 0xc0) != 0x80) {
			json->column++;
		}
	}
}

static void skip_space(struct json *json)
{
	while (json->p < json->end && strchr(" \t\r\n", *json->p))
		json->p++;
	place(json, json->p);
}

/* "expected X, found Y", at p. */
static void *fail(struct json *json, const char *expected)
{
	char found[32];
	const char *hint = NULL;

	place(json, json->p);
	if (json->p == json->end) {
		snprintf(found, sizeof(found), "the end of the file");
	} else {
		int n = 1;

		while (json->p + n < json->end && (json->p[n] & 0xc0) == 0x80)
			n++;
		snprintf(found, sizeof(found), "'%.*s'", n, json->p);
		if (*json->p == '/' || *json->p == '#')
			hint = "JSON has no comments";
		else if (*json->p == '\'')
			hint = "JSON's strings stand in double quotes";
		else if (strchr("}]", *json->p) && json->p > json->reader->text) {
			const char *before = json->p - 1;

			while (before > json->reader->text && strchr(" \t\r\n", *before))
				before--;
			hint = *before == ',' ? "no comma may stand before a closing bracket" : NULL;
		}
	}
	return reader_fail(
		json->reader, json->line, json->column, hint, "expected %s, found %s", expected, found);
}

/*
 * Decodes the slice [start, p) of a string with escapes. The place of an error is where json-c stopped.
 */
static char *decode(struct json *json, const char *start)
{
	struct json_object *object;
	const char *text;
	char *copy = NULL;

	json_tokener_reset(json->tokener);
	object = json_tokener_parse_ex(json->tokener, start, (int)(json->p - start));
	if (!object) {
		place(json, start + json_tokener_get_parse_end(json->tokener));
		return reader_fail(json->reader, json->line, json->column,
			"\\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX are", "no escape of JSON");
	}
	text = json_object_get_string(object);
	if (memchr(text, '\0', (size_t)json_object_get_string_len(object)))
		reader_fail(json->reader, json->line, json->column, NULL,
			"a string can't hold the character NUL");
	else
		copy = xstrdup(text);
	json_object_put(object);
	return copy;
}

/* Reads the string at p, its opening quote, as a fresh C string. */
static char *read_string(struct json *json)
{
	const char *start = json->p++;
	bool escaped = false;

	for (; json->p < json->end && *json->p != '"'; json->p++) {
		if ((unsigned char)*json->p < 0x20) {
			place(json, json->p);
			return reader_fail(json->reader, json->line, json->column,
				"write \\n, \\t or \\u00XX",
				*json->p == '\n' ? "the line ends inside a string"
						 : "control character in a string");
		}
		if (*json->p == '\\' && json->p + 1 < json->end) {
			escaped = true;
			json->p++;
		}
	}
	if (json->p == json->end)
		return reader_fail(
			json->reader, json->line, json->column, NULL, "this string has no closing quote");
	json->p++;
	return escaped ? decode(json, start) : xstrndup(start + 1, (size_t)(json->p - start - 2));
}

static size_t digits(const char *p)
{
	return strspn(p, "0123456789");
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? : json-c would let 01 and 1. pass. */
static bool is_number(const char *text, bool *integer)
{
	const char *p = text + (*text == '-');
	size_t n = digits(p);

	if (n == 0 || (n > 1 && *p == '0'))
		return false;
	p += n;
	*integer = *p == '\0';
	if (*p == '.') {
		n = digits(++p);
		if (n == 0)
			return false;
		p += n;
	}
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '+' || *p == '-';
		n = digits(p);
		if (n == 0)
			return false;
		p += n;
	}
	return *p == '\0';
}

static int resolve_number(struct json *json, struct node *node, bool integer)
{
	struct json_object *object;

	json_tokener_reset(json->tokener);
	/* With its NUL: else json-c waits for more digits. */
	object = json_tokener_parse_ex(json->tokener, node->text, (int)strlen(node->text) + 1);
	node->number = json_object_get_double(object);
	json_object_put(object);
	node->kind = NODE_DOUBLE;
	if (integer && text_to_integer(node->text, INT64_MIN, INT64_MAX, &node->integer)) {
		node->kind = NODE_INTEGER;
		node->number = (double)node->integer;
	}
	if (isfinite(node->number))
		return 0;
	reader_fail(json->reader, node->line, node->column, NULL, "the number is out of range");
	return -1;
}

/* true, false, null or a number: whatever runs to the next delimiter. */
static struct node *read_word(struct json *json)
{
	cleanup_node struct node *node = NULL;
	const char *start = json->p;
	size_t n = 0;
	bool integer;

	while (start + n < json->end && !strchr(" \t\r\n,:[]{}\"", start[n]))
		n++;
	node = reader_node(json->reader, NODE_NULL, json->line, json->column);
	if (!node)
		return NULL;
	node->text = xstrndup(start, n);
	if (!strcmp(node->text, "true") || !strcmp(node->text, "false")) {
		node->kind = NODE_BOOL;
		node->boolean = *node->text == 't';
	} else if (is_number(node->text, &integer)) {
		if (resolve_number(json, node, integer) < 0)
			return NULL;
	} else if (strcmp(node->text, "null") != 0) {
		if (n == 0 || strchr("/#'", *start))
			return fail(json, "a value");
		return reader_fail(json->reader, json->line, json->column,
			"true, false, null, a number, or a string in double quotes", "expected a value");
	}
	json->p += n;
	return steal_pointer(&node);
}

/* "key": value, at p. */
static struct node *read_entry(struct json *json, unsigned int depth, bool first)
{
	unsigned int line = json->line, column = json->column;
	cleanup_free char *key = NULL;
	struct node *node;

	if (json->p == json->end || *json->p != '"')
		return fail(json, first ? "a key in double quotes or '}'" : "a key in double quotes");
	key = read_string(json);
	if (!key)
		return NULL;
	skip_space(json);
	if (json->p == json->end || *json->p != ':')
		return fail(json, "':' after the key");
	json->p++;
	skip_space(json);
	node = read_value(json, depth);
	if (!node)
		return NULL;
	node->key = steal_pointer(&key);
	node->key_line = line;
	node->key_column = column;
	return node;
}

static struct node *read_collection(struct json *json, bool map, unsigned int depth)
{
	cleanup_node struct node *node = NULL;
	char close = map ? '}' : ']';

	node = reader_node(json->reader, map ? NODE_MAP : NODE_LIST, json->line, json->column);
	if (!node)
		return NULL;
	if (depth > DOCUMENT_DEPTH)
		return reader_fail(json->reader, json->line, json->column, NULL,
			"nested deeper than %d levels", DOCUMENT_DEPTH);
	json->p++;
	skip_space(json);
	while (node->n > 0 || json->p == json->end || *json->p != close) {
		struct node *item =
			map ? read_entry(json, depth + 1, node->n == 0) : read_value(json, depth + 1);

		if (!item)
			return NULL;
		node_append(node, item);
		skip_space(json);
		if (json->p < json->end && *json->p == close)
			break;
		if (json->p == json->end || *json->p != ',')
			return fail(json, map ? "',' or '}'" : "',' or ']'");
		json->p++;
		skip_space(json);
	}
	json->p++;
	if (map)
		reader_check_keys(json->reader, node);
	return steal_pointer(&node);
}

static struct node *read_value(struct json *json, unsigned int depth)
{
	struct node *node;

	if (json->p < json->end && (*json->p == '{' || *json->p == '['))
		return read_collection(json, *json->p == '{', depth);
	if (json->p == json->end || *json->p != '"')
		return read_word(json);
	node = reader_node(json->reader, NODE_STRING, json->line, json->column);
	if (!node)
		return NULL;
	node->text = read_string(json);
	if (node->text)
		return node;
	node_free(node);
	return NULL;
}

/* The values one after the other, as a list. */
static struct node *read_values(struct json *json)
{
	cleanup_node struct node *list = reader_list();

	skip_space(json);
	do {
		struct node *value = read_value(json, 1);

		if (!value)
			return NULL;
		node_append(list, value);
		skip_space(json);
		if (json->reader->may_be_yaml && json->end - json->p >= 3 && !memcmp(json->p, "---", 3)) {
			json->reader->is_yaml = true;
			return NULL;
		}
	} while (!json->reader->single && json->p < json->end && *json->p == '{');
	return json->p == json->end ? steal_pointer(&list) : fail(json, "the end of the file");
}

struct node *json_read(struct reader *reader)
{
	struct json json = {
		.reader = reader,
		.p = reader->text,
		.end = reader->text + reader->size,
		.mark = reader->text,
		.line = 1,
		.column = 1,
	};
	struct node *list;

	json.tokener = json_tokener_new();
	if (!json.tokener)
		return reader_fail(reader, 0, 0, NULL, "out of memory");
	json_tokener_set_flags(json.tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	list = read_values(&json);
	json_tokener_free(json.tokener);
	return list;
}
