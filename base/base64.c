/* Base64 (RFC 4648), as Go's encoding/json reads it. */
#include "base/base64.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"

/* -1: not of the alphabet. */
static int digit_of(char c)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c ? strchr(alphabet, c) : NULL;

	return p ? (int)(p - alphabet) : -1;
}

static size_t skip_breaks(const char *text, size_t i)
{
	while (text[i] == '\n' || text[i] == '\r')
		i++;
	return i;
}

/* What follows the first = at i - 1, after `digits` of a group of four: another one if need be, then the end. */
static int read_padding(const char *text, size_t i, unsigned int digits, size_t *at)
{
	*at = i - 1;
	if (digits < 2)
		return -1;
	if (digits == 2) {
		size_t first = i - 1;

		i = skip_breaks(text, i);
		*at = text[i] ? first : i;
		if (text[i] != '=')
			return -1;
		i++;
	}
	*at = skip_breaks(text, i);
	return text[*at] ? -1 : 0;
}

int base64_decode(const char *text, char **data, size_t *size, size_t *at)
{
	cleanup_free char *bytes = xcalloc(strlen(text) / 4 * 3 + 4, 1);
	unsigned int group = 0, digits = 0;
	size_t n = 0, i = 0;

	for (i = skip_breaks(text, 0); text[i]; i = skip_breaks(text, i)) {
		char c = text[i++];
		int digit = digit_of(c);

		*at = i - 1;
		if (c == '=') {
			if (read_padding(text, i, digits, at) < 0)
				return -1;
			for (unsigned int k = 1; k < digits; k++)
				bytes[n++] = (char)(group << 6 * (4 - digits) >> (24 - 8 * k));
			digits = 0;
			break;
		}
		if (digit < 0)
			return -1;
		group = group << 6 | (unsigned int)digit;
		if (++digits < 4)
			continue;
		for (int shift = 16; shift >= 0; shift -= 8)
			bytes[n++] = (char)(group >> shift);
		group = digits = 0;
	}
	*at = i - digits;
	if (digits)
		return -1;
	bytes[n] = '\0';
	*data = steal_pointer(&bytes);
	*size = n;
	return 0;
}
