/* Signals by name, as images and manifests write them. */
#include "runner/manifest/signals.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* "RTMIN", "RTMIN+3": from is the number of what stands alone, sign leads away from it. */
static int real_time(const char *name, const char *base, int from, char sign)
{
	size_t n = strlen(base);
	int64_t distance = 0;

	if (strncasecmp(name, base, n) != 0)
		return -1;
	if (name[n] && (name[n] != sign || !text_to_integer(name + n + 1, 0, SIGRTMAX - SIGRTMIN, &distance)))
		return -1;
	return sign == '+' ? from + (int)distance : from - (int)distance;
}

int signal_parse(const char *text)
{
	const char *name = strncasecmp(text, "SIG", 3) ? text : text + 3;
	int64_t number;
	int result;

	if (text_to_integer(text, 1, SIGRTMAX, &number))
		return (int)number;
	for (int i = 1; i < SIGRTMIN; i++) {
		const char *known = sigabbrev_np(i);

		if (known && !strcasecmp(known, name))
			return i;
	}
	/* Names of old that signal(7) has besides. */
	if (!strcasecmp(name, "IOT"))
		return SIGIOT;
	if (!strcasecmp(name, "CLD"))
		return SIGCHLD;
	if (!strcasecmp(name, "IO"))
		return SIGIO;
	result = real_time(name, "RTMIN", SIGRTMIN, '+');
	return result > 0 ? result : real_time(name, "RTMAX", SIGRTMAX, '-');
}
