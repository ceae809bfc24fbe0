/* Label selectors. See selector.h. */
#include "runner/verbs/selector.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/manifest/names.h"

enum token {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_NOT, /* ! */
	TOKEN_COMMA,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	/* Operators, in the order in which a message lists them. */
	TOKEN_IN,
	TOKEN_NOT_IN,
	TOKEN_EQUAL,
	TOKEN_EQUAL_TOO, /* == */
	TOKEN_UNEQUAL,
	TOKEN_GREATER,
	TOKEN_LESS,
};

static const struct {
	const char *text;
	enum token token;
} signs[] = {
	/* The longer of two that begin alike comes first. */
	{"==", TOKEN_EQUAL_TOO},
	{"=", TOKEN_EQUAL},
	{"!=", TOKEN_UNEQUAL},
	{"!", TOKEN_NOT},
	{",", TOKEN_COMMA},
	{"(", TOKEN_OPEN},
	{")", TOKEN_CLOSE},
	{">", TOKEN_GREATER},
	{"<", TOKEN_LESS},
};

#define WHITE "\t\n\r "
#define SIGNS "=!(),><"

struct reader {
	const char *rest;
	enum token token; /* the one at hand */
	char *text;
	struct error *err;
};

struct requirement {
	char *key;
	enum token relation; /* TOKEN_WORD: it is there; TOKEN_NOT: it isn't */
	struct strv values;
};

static void advance(struct reader *reader)
{
	const char *p = reader->rest + strspn(reader->rest, WHITE);
	size_t n = strcspn(p, WHITE SIGNS);

	free(reader->text);
	reader->token = *p ? TOKEN_WORD : TOKEN_END;
	for (size_t i = 0; !n && i < array_length(signs); i++) {
		if (!text_starts_with(p, signs[i].text))
			continue;
		reader->token = signs[i].token;
		n = strlen(signs[i].text);
		break;
	}
	reader->text = xstrndup(p, n);
	reader->rest = p + n;
}

/* "in" and the like are operators only where one is looked for: elsewhere they are names. */
static enum token operator_of(const struct reader *reader)
{
	static const struct {
		const char *text;
		enum token token;
	} words[] = {{"in", TOKEN_IN}, {"notin", TOKEN_NOT_IN}, {"gt", TOKEN_GREATER}, {"lt", TOKEN_LESS}};

	for (size_t i = 0; reader->token == TOKEN_WORD && i < array_length(words); i++)
		if (!strcmp(reader->text, words[i].text))
			return words[i].token;
	return reader->token;
}

static int unexpected(const struct reader *reader, const char *expected)
{
	return error_set(reader->err, ERROR_USAGE, 0, "found '%s', expected: %s", reader->text, expected);
}

/* "(a,b)"; a value may be empty. */
static int read_set(struct reader *reader, struct strv *values)
{
	if (reader->token != TOKEN_OPEN)
		return error_set(reader->err, ERROR_USAGE, 0, "found '%s' expected: '('", reader->text);
	advance(reader);
	for (;;) {
		bool word = reader->token == TOKEN_WORD;

		strv_push(values, xstrdup(word ? reader->text : ""));
		if (word)
			advance(reader);
		if (reader->token != TOKEN_COMMA && reader->token != TOKEN_CLOSE)
			return unexpected(reader, word ? "',' or ')'" : "',', ')' or identifier");
		word = reader->token == TOKEN_CLOSE;
		advance(reader);
		if (word)
			return 0;
	}
}

static int read_value(struct reader *reader, struct strv *values)
{
	if (reader->token == TOKEN_END || reader->token == TOKEN_COMMA) {
		strv_push(values, xstrdup(""));
		return 0;
	}
	if (reader->token != TOKEN_WORD)
		return unexpected(reader, "identifier");
	strv_push(values, xstrdup(reader->text));
	advance(reader);
	return 0;
}

static int check_values(const struct reader *reader, const struct requirement *requirement)
{
	bool number = requirement->relation == TOKEN_GREATER || requirement->relation == TOKEN_LESS;

	for (size_t i = 0; i < requirement->values.n; i++) {
		const char *value = requirement->values.items[i];
		const char *wrong = names_label_value_fault(value);
		int64_t ignored;

		if (number && !text_to_integer(value, INT64_MIN, INT64_MAX, &ignored))
			wrong = "for 'Gt', 'Lt' operators, the value must be an integer";
		if (wrong)
			return error_set(reader->err, ERROR_USAGE, 0,
				"values[%zu][%s]: Invalid value: \"%s\": %s", i, requirement->key, value,
				wrong);
	}
	return 0;
}

static int read_requirement(struct reader *reader, struct requirement *requirement)
{
	const char *wrong;
	int result;

	requirement->relation = reader->token;
	if (reader->token == TOKEN_NOT)
		advance(reader);
	if (reader->token != TOKEN_WORD)
		return unexpected(reader, "identifier");
	wrong = names_label_key_fault(reader->text);
	if (wrong)
		return error_set(
			reader->err, ERROR_USAGE, 0, "key: Invalid value: \"%s\": %s", reader->text, wrong);
	requirement->key = xstrdup(reader->text);
	advance(reader);
	if (reader->token == TOKEN_END || reader->token == TOKEN_COMMA)
		return 0;
	requirement->relation = operator_of(reader);
	if (requirement->relation < TOKEN_IN)
		return unexpected(reader, "in, notin, =, ==, !=, gt, lt");
	advance(reader);
	if (requirement->relation == TOKEN_IN || requirement->relation == TOKEN_NOT_IN)
		result = read_set(reader, &requirement->values);
	else
		result = read_value(reader, &requirement->values);
	return result < 0 ? result : check_values(reader, requirement);
}

static bool has_value(const struct requirement *requirement, const char *label)
{
	for (size_t i = 0; i < requirement->values.n; i++)
		if (!strcmp(requirement->values.items[i], label))
			return true;
	return false;
}

static bool compares(const struct requirement *requirement, const char *label)
{
	int64_t is, than;

	if (!text_to_integer(label, INT64_MIN, INT64_MAX, &is) ||
		!text_to_integer(requirement->values.items[0], INT64_MIN, INT64_MAX, &than))
		return false;
	return requirement->relation == TOKEN_GREATER ? is > than : is < than;
}

static bool is_met(const struct requirement *requirement, struct json_object *labels)
{
	struct json_object *value = json_object_object_get(labels, requirement->key);
	const char *label = value ? json_object_get_string(value) : NULL;

	switch ((int)requirement->relation) {
	case TOKEN_WORD:
		return label;
	case TOKEN_NOT:
		return !label;
	case TOKEN_NOT_IN:
	case TOKEN_UNEQUAL:
		return !label || !has_value(requirement, label);
	case TOKEN_GREATER:
	case TOKEN_LESS:
		return label && compares(requirement, label);
	default:
		return label && has_value(requirement, label);
	}
}

/* Reads it all; *matches is whether labels meet it. */
static int read_selector(struct reader *reader, struct json_object *labels, bool *matches)
{
	*matches = true;
	advance(reader);
	if (reader->token != TOKEN_END && reader->token != TOKEN_WORD && reader->token != TOKEN_NOT)
		return unexpected(reader, "!, identifier, or 'end of string'");
	while (reader->token != TOKEN_END) {
		struct requirement requirement = {0};
		int result = read_requirement(reader, &requirement);

		if (result == 0 && !is_met(&requirement, labels))
			*matches = false;
		free(requirement.key);
		strv_free(requirement.values.items);
		if (result < 0)
			return error_wrap(reader->err, "unable to parse requirement");
		if (reader->token == TOKEN_END)
			return 0;
		if (reader->token != TOKEN_COMMA)
			return unexpected(reader, "',' or 'end of string'");
		advance(reader);
		if (reader->token != TOKEN_WORD && reader->token != TOKEN_NOT)
			return unexpected(reader, "identifier after ','");
	}
	return 0;
}

int selector_check(const char *selector, struct error *err)
{
	struct reader reader = {.rest = selector, .err = err};
	bool ignored;
	int result = read_selector(&reader, NULL, &ignored);

	free(reader.text);
	return result;
}

bool selector_matches(const char *selector, struct json_object *labels)
{
	struct error err;
	struct reader reader = {.rest = selector, .err = &err};
	bool matches;
	int result = read_selector(&reader, labels, &matches);

	free(reader.text);
	return result == 0 && matches;
}
