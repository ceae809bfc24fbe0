/*
 * Fuzzes the way of a manifest: bytes, JSON or YAML, the table of fields, the struct pod.
 *
 *	make fuzz                                    builds it with clang and lets it run for a minute
 *	build-fuzz/tests/fuzz/manifest FILE          reads one input again
 *
 * An odd size has the text read as JSON too, an even one as YAML, whatever it begins with, so that YAML's own
 * brackets are met too. What it looks for beyond crashes and leaks: a pod where there are errors, or none where there
 * are none, and findings without a text.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/document.h"
#include "runner/manifest/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libfyaml 0.7.12 forgets some kilobytes over a quoted scalar with many escapes. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:fy_atom_iter_grow_chunk";
}

static void read_as(const char *text, size_t size, enum document_format format)
{
	struct findings findings;
	struct node *node;

	findings_init(&findings, "fuzz");
	node = document_read(text, size, format, &findings);
	if (!node != (findings.errors > 0))
		abort();
	node_free(node);
	findings_free(&findings);
	findings_init(&findings, "fuzz");
	node = document_read_all(text, size, format, &findings);
	if (!node != (findings.errors > 0) || (node && !node->n))
		abort();
	node_free(node);
	findings_free(&findings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct findings findings;
	struct pod *pod;

	read_as(text, size, size % 2 ? DOCUMENT_JSON : DOCUMENT_YAML);
	findings_init(&findings, "fuzz");
	pod = manifest_read(text, size, &findings);
	if (!pod != (findings.errors > 0))
		abort();
	for (size_t i = 0; i < findings.n; i++)
		if (!findings.items[i].text || !*findings.items[i].text)
			abort();
	pod_free(pod);
	findings_free(&findings);
	return 0;
}
