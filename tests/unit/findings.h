/* What the reader of manifests finds, for its tests. */
#ifndef TESTS_UNIT_FINDINGS_H
#define TESTS_UNIT_FINDINGS_H

#include <stdio.h>
#include <string.h>

#include "runner/manifest/manifest.h"
#include "tests/unit/unit.h"

/* The findings of a text, as findings_print shows them; *pod, unless that is NULL, is what became of it. Both to be freed. */
static inline char *read_findings(const char *text, struct pod **pod)
{
	struct findings findings;
	char *shown = NULL;
	size_t n;
	FILE *out = open_memstream(&shown, &n);
	struct pod *read;

	findings_init(&findings, "f");
	read = manifest_read(text, strlen(text), &findings);
	expect(!read == (findings.errors > 0));
	findings_print(&findings, out);
	fclose(out);
	findings_free(&findings);
	if (pod)
		*pod = read;
	else
		pod_free(read);
	return shown;
}

#endif
