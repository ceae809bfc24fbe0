/* The patterns of AppArmor's path rules, matched against paths: "*", "**", "?", "[a-z]", "{a,b}" of apparmor.d(5). */
#include "security/apparmor_pattern.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"

#define MOST_STEPS 100000 /* of matching one pattern */

/* Behind the brace that closes the one at pattern; NULL if none does. commas: where it is to stop as well. */
static const char *skip_group(const char *pattern, bool at_comma)
{
	int depth = 0;

	for (const char *p = pattern; *p; p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (*p == '{')
			depth++;
		else if ((*p == '}' && --depth == 0) || (*p == ',' && depth == 1 && at_comma))
			return p + 1;
	}
	return NULL;
}

static bool in_set(const char *set, const char *end, char c)
{
	bool negated = *set == '^' || *set == '!';
	bool found = false;

	for (const char *p = set + negated; p < end; p++) {
		if (p + 2 < end && p[1] == '-') {
			found |= p[0] <= c && c <= p[2];
			p += 2;
		} else {
			found |= *p == c;
		}
	}
	return found != negated && c != '/';
}

static bool match(const char *pattern, const char *path, int *steps);

/* Each of the alternatives, with what comes behind them. */
static bool match_group(const char *pattern, const char *path, int *steps)
{
	const char *behind = skip_group(pattern, false);
	const char *start = pattern + 1;

	if (!behind)
		return false;
	while (start && start < behind) {
		cleanup_free char *group = xasprintf("{%s", start);
		const char *next = skip_group(group, true);
		size_t n = next ? (size_t)(next - group) - 2 : 0;
		cleanup_free char *expanded = xasprintf("%.*s%s", (int)n, start, behind);

		if (match(expanded, path, steps))
			return true;
		start += n + 1;
	}
	return false;
}

static bool match_stars(const char *pattern, const char *path, bool crosses, int *steps)
{
	for (;; path++) {
		if (match(pattern, path, steps))
			return true;
		if (!*path || (*path == '/' && !crosses))
			return false;
	}
}

static bool match(const char *pattern, const char *path, int *steps)
{
	const char *end;

	for (; *pattern; pattern++, path++) {
		if (--*steps < 0)
			return true; /* it may */
		switch (*pattern) {
		case '@':
			end = pattern[1] == '{' ? strchr(pattern, '}') : NULL;
			if (end)
				return match_stars(end + 1, path, true, steps);
			break;
		case '*':
			if (pattern[1] == '*')
				return match_stars(pattern + 2, path, true, steps);
			return match_stars(pattern + 1, path, false, steps);
		case '{':
			return match_group(pattern, path, steps);
		case '[':
			end = strchr(pattern, ']');
			if (!end || !*path || !in_set(pattern + 1, end, *path))
				return false;
			pattern = end;
			continue;
		case '?':
			if (!*path || *path == '/')
				return false;
			continue;
		case '\\':
			pattern += pattern[1] != '\0';
			break;
		default:
			break;
		}
		if (*pattern != *path)
			return false;
	}
	return !*path;
}

bool apparmor_pattern_matches(const char *pattern, const char *path)
{
	int steps = MOST_STEPS;

	return match(pattern, path, &steps);
}
