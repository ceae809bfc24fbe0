/*
 * Fuzzes the way of a seccomp profile: text, rules, filter, and back out of a cache entry.
 *
 *	make fuzz                        builds it with clang and lets it run for a minute
 *	build-fuzz/profile FILE          reads one input again
 *
 * What it looks for beyond crashes and leaks: a profile where there are errors, or none where there are none; findings
 * without a text; a failure without a message.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "security/seccomp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_findings(const struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		if (!findings->items[i].text || !*findings->items[i].text)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const struct seccomp_subject subject = {size % 2 ? capabilities_default() : ~(capability_set)0};
	struct seccomp_filter filter;
	struct findings findings;
	struct error err = {0};
	unsigned int n_allowed;
	int result;

	findings_init(&findings, "fuzz");
	result = seccomp_compile(text, size, "fuzz", &subject, -1, &filter, &n_allowed, &findings, &err);
	check_findings(&findings);
	if (result < 0 && (!*err.message || filter.insns))
		abort();
	if (result == 0 && (findings.errors || !filter.length || filter.length > BPF_MAXINSNS))
		abort();
	/* What libseccomp gets wrong the compiler finds out; anything else internal is our own mistake. */
	if (result < 0 && err.class == ERROR_INTERNAL && !strstr(err.message, "libseccomp"))
		abort();
	seccomp_filter_free(&filter);
	findings_free(&findings);
	return 0;
}
