/*
 * The judge of seccomp profiles: the first line is the file's name, the rest its text.
 *
 * Whatever comes, each finding has its words, and a code if the text as such was right.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "security/security.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *end = size ? memchr(text, '\n', size) : NULL;
	size_t length = end ? (size_t)(end - text) : 0;
	const struct lint_subject subject = {
		.capabilities = size % 2 ? capabilities_default() : ~(capability_set)0,
		.loader = (enum loader)(size % 4),
		.program = size % 3 ? "/bin/sh" : NULL,
	};
	struct findings findings;
	char name[256];

	if (length >= sizeof(name))
		return 0;
	memcpy(name, text, length);
	name[length] = '\0';
	findings_init(&findings, "fuzz");
	seccomp_lint(text + length, size - length, name, &subject, &findings);
	findings_sort(&findings);
	for (size_t i = 0; i < findings.n; i++)
		if (!findings.items[i].text || !*findings.items[i].text ||
			(!findings.errors && !findings.items[i].line && findings.items[i].code))
			abort();
	findings_free(&findings);
	return 0;
}
