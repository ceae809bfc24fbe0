/*
 * Records of AppArmor, and the lines of /dev/kmsg that they come in.
 *
 * Whatever comes, what is said of it is one line of printable UTF-8 of bounded length.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "security/apparmor_record.h"
#include "security/audit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(char *said)
{
	char *shown = said ? text_shown(said, strlen(said), 1U << 16) : NULL;

	if (said && (strlen(said) > 4000 || strcmp(said, shown) != 0))
		abort();
	free(shown);
	free(said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = xstrndup((const char *)data, size);
	struct apparmor_record record;
	uint64_t lost = 0;
	const char *text = audit_of_kmsg(line, strlen(line), &lost);

	if (!text)
		text = line;
	if (apparmor_record_parse(text, strlen(text), &record)) {
		if (!record.operation || !record.profile)
			abort();
		check(apparmor_record_what(&record));
		check(apparmor_record_rights(&record));
	}
	apparmor_record_free(&record);
	free(line);
	return 0;
}
