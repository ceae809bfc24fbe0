/* Text: comparing, splitting, guessing what was meant. */
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/memory.h"

bool text_starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && strcmp(s + n - m, suffix) == 0;
}

bool text_has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; *p; p += strcspn(p, " "), p += strspn(p, " "))
		if (strcspn(p, " ") == n && !memcmp(p, word, n))
			return true;
	return false;
}

const char *text_field(const char *lines, const char *name)
{
	size_t n = strlen(name);

	for (const char *line = lines; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, n) && line[n] == ':')
			return line + n + 1;
	}
	return NULL;
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Edit distance in half steps: insert, delete, replace and swap cost 2, a change of case 1. */
static unsigned int distance(const char *a, size_t n, const char *b, size_t m)
{
	cleanup_free unsigned int *rows = xcalloc(3 * (m + 1), sizeof(*rows));
	unsigned int *before = rows, *last = rows + m + 1, *row = last + m + 1;

	for (size_t j = 0; j <= m; j++)
		last[j] = (unsigned int)(2 * j);
	for (size_t i = 1; i <= n; i++) {
		unsigned int *recycled = before;

		row[0] = (unsigned int)(2 * i);
		for (size_t j = 1; j <= m; j++) {
			unsigned int step = 2;

			if (a[i - 1] == b[j - 1])
				step = 0;
			else if (tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]))
				step = 1;
			row[j] = least(last[j - 1] + step, least(last[j], row[j - 1]) + 2);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 2);
		}
		before = last;
		last = row;
		row = recycled;
	}
	return last[m];
}

const char *text_nearest(const char *word, const char *const *candidates, size_t n)
{
	size_t length = strlen(word);
	unsigned int limit = (unsigned int)(2 * (length < 3 ? 1 : length / 3));
	const char *best = NULL;

	if (length > 256)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t other = strlen(candidates[i]);
		unsigned int d;

		if (other > length + limit || length > other + limit)
			continue;
		d = strcasecmp(word, candidates[i]) ? distance(word, length, candidates[i], other) : 1;
		if (d > limit || (best && d == limit))
			continue;
		best = candidates[i];
		limit = d;
	}
	return best;
}

bool text_to_integer(const char *s, int64_t min, int64_t max, int64_t *value)
{
	bool negative = *s == '-' && min < 0;
	const char *digits = s + negative;
	int64_t n = 0;

	if (!*digits)
		return false;
	for (const char *p = digits; *p; p++) {
		if (*p < '0' || *p > '9')
			return false;
		if (__builtin_mul_overflow(n, 10, &n) ||
			__builtin_add_overflow(n, negative ? -(*p - '0') : *p - '0', &n))
			return false;
	}
	if (n < min || n > max)
		return false;
	*value = n;
	return true;
}

const char *text_size(uint64_t bytes, char *buffer, size_t size)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double n = (double)bytes;
	size_t unit = 0;

	for (; n >= 1024 && unit + 1 < array_length(units); unit++)
		n /= 1024;
	if (unit == 0 || n >= 10)
		snprintf(buffer, size, "%.0f %s", n, units[unit]);
	else
		snprintf(buffer, size, "%.1f %s", n, units[unit]);
	return buffer;
}

/* The length of a character of UTF-8 that starts here, or 0. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
	size_t length = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;

	if (length == 1)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4 || length > n)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, and what lies past U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) ||
		(s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90))
		return 0;
	return length;
}

/* U+202A to U+202E, U+2066 to U+2069: what comes after them is shown in another order than it is written. */
static bool turns_direction(const unsigned char *s)
{
	return s[0] == 0xe2 && ((s[1] == 0x80 && s[2] >= 0xaa && s[2] <= 0xae) ||
				       (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9));
}

/*
 * The same, of a character that may be shown, or 0. C0, DEL and C1 may not: to many a terminal U+009B is what ESC [ is,
 * and to one that isn't of UTF-8 the mere byte 9b.
 */
static size_t shown_length(const unsigned char *s, size_t n)
{
	size_t length = utf8_length(s, n);

	if (length == 1)
		return s[0] >= 0x20 && s[0] != 0x7f;
	if (length == 2)
		return s[0] == 0xc2 && s[1] < 0xa0 ? 0 : 2;
	return length == 3 && turns_direction(s) ? 0 : length;
}

char *text_printable(const char *s, size_t n)
{
	char *safe = xcalloc(n + 1, 4);
	char *out = safe;

	for (size_t i = 0; i < n;) {
		size_t length = s[i] == '\t' ? 1 : shown_length((const unsigned char *)s + i, n - i);

		if (length)
			out = mempcpy(out, s + i, length);
		else
			out += sprintf(out, "\\x%02x", (unsigned char)s[i]);
		i += length ? length : 1;
	}
	*out = '\0';
	return safe;
}

char *text_utf8(const char *s, size_t n, size_t *size)
{
	static const char replacement[] = "\xef\xbf\xbd";
	char *valid = xcalloc(n + 1, 3);
	char *out = valid;

	for (size_t i = 0; i < n;) {
		size_t length = utf8_length((const unsigned char *)s + i, n - i);

		if (length)
			out = mempcpy(out, s + i, length);
		else
			out = mempcpy(out, replacement, 3);
		i += length ? length : 1;
	}
	*out = '\0';
	if (size)
		*size = (size_t)(out - valid);
	return valid;
}

/* The character of two or three bytes of UTF-8. */
static unsigned int code_point(const unsigned char *s, size_t length)
{
	return length == 2 ? (s[0] & 0x1fU) << 6 | (s[1] & 0x3fU)
			   : (s[0] & 0xfU) << 12 | (s[1] & 0x3fU) << 6 | (s[2] & 0x3fU);
}

char *text_json(const char *json, size_t n)
{
	char *safe = xcalloc(n + 1, 6);
	char *out = safe;

	for (size_t i = 0; i < n;) {
		const unsigned char *s = (const unsigned char *)json + i;
		size_t length = utf8_length(s, n - i);

		/* White space between its values; in a string json-c has escaped it. */
		if (length && (s[0] == '\n' || s[0] == '\t' || shown_length(s, n - i)))
			out = mempcpy(out, s, length);
		else if (length)
			out += sprintf(out, "\\u%04x", length == 1 ? s[0] : code_point(s, length));
		else
			out += sprintf(out, "\\ufffd");
		i += length ? length : 1;
	}
	*out = '\0';
	return safe;
}

static char *show(const char *s, size_t n, size_t max, bool quotes)
{
	size_t end = n < max ? n : max;
	char *shown = xcalloc(end + 2, 4);
	char *out = shown;

	if (quotes)
		*out++ = '"';
	for (size_t i = 0; i < end;) {
		size_t length = shown_length((const unsigned char *)s + i, n - i);

		if (quotes && (s[i] == '"' || s[i] == '\\'))
			*out++ = '\\';
		if (length) {
			memcpy(out, s + i, length);
			out += length;
		} else {
			out += sprintf(out, "\\x%02x", (unsigned char)s[i]);
		}
		i += length ? length : 1;
	}
	if (quotes)
		*out++ = '"';
	if (n > max)
		memcpy(out, "...", 3);
	return shown;
}

char *text_shown(const char *s, size_t n, size_t max)
{
	return show(s, n, max, false);
}

char *text_quoted(const char *s, size_t n, size_t max)
{
	return show(s, n, max, true);
}

size_t text_now(char *buffer, size_t size, int digits)
{
	struct timespec now;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(buffer, size, "%Y-%m-%dT%H:%M:%S", &tm);
	return n + (size_t)snprintf(buffer + n, size - n, ".%0*ldZ", digits,
			   digits == 9 ? now.tv_nsec : now.tv_nsec / 1000);
}

char *text_errno(int errnum)
{
	char *text = xstrdup(strerror(errnum));

	text[0] = (char)tolower((unsigned char)text[0]);
	return text;
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *path_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}
