/*
 * Kubernetes' quantities: a decimal number, then a suffix: a power of 1024 (Ki to Ei), a power of 1000 (n, u, m, none,
 * k to E), or an exponent (e3, E-2).
 *
 * The number's first 60 bits or so are scaled in 128 bits, so that no rounding of a double comes in; further digits
 * only count as "a little more", which rounds up.
 */
#include "runner/manifest/quantity.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

typedef unsigned __int128 wide;

#define MALFORMED \
	"quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
#define NO_SUFFIX "unable to parse quantity's suffix"

struct suffix {
	const char *text;
	int base2, base10; /* exponents */
};

static const struct suffix suffixes[] = {
	{"", 0, 0},
	{"n", 0, -9},
	{"u", 0, -6},
	{"m", 0, -3},
	{"k", 0, 3},
	{"M", 0, 6},
	{"G", 0, 9},
	{"T", 0, 12},
	{"P", 0, 15},
	{"E", 0, 18},
	{"Ki", 10, 0},
	{"Mi", 20, 0},
	{"Gi", 30, 0},
	{"Ti", 40, 0},
	{"Pi", 50, 0},
	{"Ei", 60, 0},
};

/* Fills exponents from a suffix. An exponent of more than three digits scales beyond any value: it is clamped. */
static bool parse_suffix(const char *text, int *base2, int *base10)
{
	int64_t exponent;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (strcmp(text, suffixes[i].text) != 0)
			continue;
		*base2 = suffixes[i].base2;
		*base10 = suffixes[i].base10;
		return true;
	}
	if (*text != 'e' && *text != 'E')
		return false;
	text++;
	text += *text == '+';
	if (!text_to_integer(text, INT32_MIN, INT32_MAX, &exponent))
		return false;
	*base10 = exponent > 999 ? 999 : exponent < -999 ? -999 : (int)exponent;
	return true;
}

static const char *parse(const char *text, int scale, bool *negative, uint64_t *value)
{
	const char *p = text + (*text == '+' || *text == '-');
	size_t digits = strspn(p, "0123456789."), dots = 0;
	int base2 = 0, base10 = 0;
	bool behind = false, rest = false;
	wide n = 0;

	for (size_t i = 0; i < digits; i++)
		dots += p[i] == '.';
	if (digits == dots || dots > 1 ||
		strspn(p + digits, "eEinumkKMGTP+-0123456789") != strlen(p + digits))
		return MALFORMED;
	if (!parse_suffix(p + digits, &base2, &base10))
		return NO_SUFFIX;
	base10 += scale;
	*negative = *text == '-';
	for (size_t i = 0; i < digits; i++) {
		if (p[i] == '.') {
			behind = true;
		} else if (n > (wide)1 << 60) { /* enough digits: the others only scale, or round up */
			rest = rest || p[i] != '0';
			base10 += !behind;
		} else {
			n = n * 10 + (wide)(p[i] - '0');
			base10 -= behind;
		}
	}
	for (; base2 > 0 && n <= (wide)1 << 124; base2--)
		n *= 2;
	for (; base10 > 0 && n > 0 && n <= (wide)1 << 124; base10--)
		n *= 10;
	/* Scaled down last: what was multiplied stays exact, and what falls off rounds up. */
	for (; base10 < 0 && n > 0; base10++) {
		rest = rest || n % 10 != 0;
		n /= 10;
	}
	n += rest;
	*value = n > INT64_MAX ? INT64_MAX : (uint64_t)n;
	return NULL;
}

const char *quantity_parse(const char *text, bool *negative, uint64_t *value)
{
	return parse(text, 0, negative, value);
}

const char *quantity_parse_milli(const char *text, bool *negative, uint64_t *value)
{
	return parse(text, 3, negative, value);
}
