/* Durations as Go writes them. See duration.h. */
#include "runner/manifest/duration.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"

#define LIMIT 1e12 /* seconds */

static const struct {
	const char *name;
	double seconds;
} units[] = {{"ms", 0.001}, {"h", 3600}, {"m", 60}, {"s", 1}};

/* The unit that text begins with, or NULL; "ms" before "m". */
static const char *take_unit(const char *text, double *seconds)
{
	for (size_t i = 0; i < array_length(units); i++)
		if (!strncmp(text, units[i].name, strlen(units[i].name))) {
			*seconds *= units[i].seconds;
			return text + strlen(units[i].name);
		}
	return NULL;
}

bool duration_parse(const char *text, int64_t *ms)
{
	bool negative = *text == '-';
	const char *p = text + negative;
	double sum = 0;

	if (!isdigit((unsigned char)*p))
		return false;
	while (*p) {
		char *end;
		double part;

		if (!isdigit((unsigned char)*p) && *p != '.')
			return false;
		part = strtod(p, &end);
		if (end == p)
			return false;
		if (*end) {
			p = take_unit(end, &part);
			if (!p)
				return false;
		} else if (sum == 0) {
			p = end;
		} else {
			return false;
		}
		sum += part;
	}
	if (sum > LIMIT)
		return false;
	*ms = (int64_t)(negative ? -sum * 1000 : sum * 1000);
	return true;
}

/* Seconds with the fraction that there is. */
static char *seconds_text(long long ms)
{
	char fraction[8];
	size_t n = (size_t)snprintf(fraction, sizeof(fraction), ".%03lld", ms % 1000);

	while (n && (fraction[n - 1] == '0' || fraction[n - 1] == '.'))
		fraction[--n] = '\0';
	return xasprintf("%lld%ss", ms / 1000, fraction);
}

char *duration_text(int64_t ms)
{
	cleanup_free char *seconds = seconds_text(ms % 60000);
	long long minutes = ms / 60000;

	if (!ms)
		return xstrdup("0s");
	if (ms < 1000)
		return xasprintf("%lldms", (long long)ms);
	if (minutes >= 60)
		return xasprintf("%lldh%lldm%s", minutes / 60, minutes % 60, seconds);
	return minutes ? xasprintf("%lldm%s", minutes, seconds) : steal_pointer(&seconds);
}
