/*
 * Plain YAML scalars as kubectl reads them.
 *
 * kubectl turns YAML into JSON through sigs.k8s.io/yaml, whose reader (go-yaml v2) resolves plain scalars by
 * YAML 1.1: yes, no, on, off, y and n are booleans, 0644 is octal, 1_000 is a thousand. Timestamps stay strings. A
 * float that has an integral value is an integer to whatever reads that JSON (1e3 is written 1000). Infinity and NaN, which
 * JSON can't hold, are an error there.
 */
#include "base/reader.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"

struct word {
	const char *text;
	enum node_kind kind;
	bool boolean;
};

static const struct word words[] = {
	{"", NODE_NULL, false},
	{"~", NODE_NULL, false},
	{"null", NODE_NULL, false},
	{"Null", NODE_NULL, false},
	{"NULL", NODE_NULL, false},
	{"true", NODE_BOOL, true},
	{"True", NODE_BOOL, true},
	{"TRUE", NODE_BOOL, true},
	{"y", NODE_BOOL, true},
	{"Y", NODE_BOOL, true},
	{"yes", NODE_BOOL, true},
	{"Yes", NODE_BOOL, true},
	{"YES", NODE_BOOL, true},
	{"on", NODE_BOOL, true},
	{"On", NODE_BOOL, true},
	{"ON", NODE_BOOL, true},
	{"false", NODE_BOOL, false},
	{"False", NODE_BOOL, false},
	{"FALSE", NODE_BOOL, false},
	{"n", NODE_BOOL, false},
	{"N", NODE_BOOL, false},
	{"no", NODE_BOOL, false},
	{"No", NODE_BOOL, false},
	{"NO", NODE_BOOL, false},
	{"off", NODE_BOOL, false},
	{"Off", NODE_BOOL, false},
	{"OFF", NODE_BOOL, false},
};

static const char *const unwritable[] = {
	".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"};

bool scalar_is_unwritable(const char *text)
{
	for (size_t i = 0; i < array_length(unwritable); i++)
		if (!strcmp(text, unwritable[i]))
			return true;
	return false;
}

/* The text without its underscores, which YAML 1.1 allows between digits. */
static char *without_underscores(const char *text)
{
	char *plain = xstrdup(text), *out = plain;

	for (const char *p = text; *p; p++)
		if (*p != '_')
			*out++ = *p;
	*out = '\0';
	return plain;
}

/* Go's strconv.ParseInt with base 0: 0x, 0o, 0b, a leading 0 for octal, else decimal; a sign before. */
static bool resolve_integer(const char *plain, int64_t *value)
{
	bool negative = *plain == '-';
	const char *p = plain + (*plain == '-' || *plain == '+');
	int base = 10;
	uint64_t n;
	char *end;

	if (*p == '0' && p[1]) {
		char mark = (char)(p[1] | 0x20);

		base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
		p += mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1;
	}
	/* strtoull takes white space, signs and another 0x, which are no digits here. */
	if (!*p || strspn(p, "0123456789abcdefABCDEF") != strlen(p))
		return false;
	errno = 0;
	n = strtoull(p, &end, base);
	if (errno || *end || n > (uint64_t)INT64_MAX + negative)
		return false;
	*value = negative ? (int64_t)(0 - n) : (int64_t)n;
	return true;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool is_float(const char *p)
{
	size_t whole, fraction = 0;

	p += *p == '-' || *p == '+';
	whole = strspn(p, "0123456789");
	p += whole;
	if (*p == '.') {
		fraction = strspn(++p, "0123456789");
		p += fraction;
	}
	if (whole + fraction == 0)
		return false;
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '-' || *p == '+';
		if (!strspn(p, "0123456789"))
			return false;
		p += strspn(p, "0123456789");
	}
	return *p == '\0';
}

void scalar_resolve(struct node *node)
{
	cleanup_free char *plain = NULL;

	for (size_t i = 0; i < array_length(words); i++) {
		if (strcmp(node->text, words[i].text) != 0)
			continue;
		node->kind = words[i].kind;
		node->boolean = words[i].boolean;
		return;
	}
	if (!strchr("+-.0123456789", *node->text))
		return;
	/* But not in what begins with a point. */
	plain = *node->text == '.' ? xstrdup(node->text) : without_underscores(node->text);
	if (resolve_integer(plain, &node->integer)) {
		node->kind = NODE_INTEGER;
		node->number = (double)node->integer;
		return;
	}
	if (!is_float(plain))
		return;
	node->number = strtod(plain, NULL);
	if (!isfinite(node->number))
		return;
	node->kind = NODE_DOUBLE;
	/* Below 2^53 every integral double is exact. */
	if (fabs(node->number) < 9007199254740992.0 && node->number == floor(node->number)) {
		node->kind = NODE_INTEGER;
		node->integer = (int64_t)node->number;
	}
}
