/*
 * Prints the compiled RuntimeDefault filter for containerd's fourteen capabilities, as raw BPF: what the program by
 * hand and bwrap take, so that all in the bench run under the very same program.
 */
#include <stdio.h>

#include "base/finding.h"
#include "security/security.h"

int main(void)
{
	const struct seccomp_subject subject = {.capabilities = capabilities_default()};
	struct seccomp_filter filter = {0};
	struct findings findings;
	struct error err = {0};
	unsigned int n_allowed;
	size_t size;
	const char *text = seccomp_runtime_default(&size);
	int failed;

	findings_init(&findings, "RuntimeDefault");
	failed = seccomp_compile(
		text, size, "RuntimeDefault", &subject, -1, &filter, &n_allowed, &findings, &err);
	if (failed < 0)
		fprintf(stderr, "filter: %s\n", err.message);
	else
		fwrite(filter.insns, sizeof(*filter.insns), filter.length, stdout);
	seccomp_filter_free(&filter);
	findings_free(&findings);
	return failed < 0;
}
