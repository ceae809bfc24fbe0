/*
 * The text of AppArmor profiles: the first line is a path that the rules' patterns are tried on.
 *
 * Whatever comes, each rule is of a profile that is there, and has its text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "security/apparmor_pattern.h"
#include "security/apparmor_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	char *rest = strchr(text, '\n');
	struct apparmor_rules rules;

	if (rest && !strstr(rest, "include")) {
		*rest = '\0';
		apparmor_is_profile(rest + 1);
		apparmor_rules_read(rest + 1, &rules);
		for (size_t i = 0; i < rules.n; i++) {
			if (rules.items[i].profile >= rules.n_profiles || !rules.items[i].text)
				abort();
			if (rules.items[i].path)
				apparmor_pattern_matches(rules.items[i].path, text);
		}
		apparmor_rules_free(&rules);
	}
	free(text);
	return 0;
}
