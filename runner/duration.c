/* Durations as Go writes them. See duration.h. */
#include "runner/duration.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

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
