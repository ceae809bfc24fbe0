/* Label selectors. See selector.h. */
#include "runner/selector.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"

int selector_check(const char *selector, struct error *err)
{
	if (!strpbrk(selector, "() \t"))
		return 0;
	error_set(err, ERROR_USAGE, 0, "-l %s: only =, ==, != and names of labels are supported", selector);
	return error_hint(err, "conditions are separated by commas: -l app=web,tier!=db");
}

static bool matches_one(char *condition, struct json_object *labels)
{
	char *equals = strchr(condition, '=');
	bool negated = condition[0] == '!' || (equals && equals > condition && equals[-1] == '!');
	struct json_object *label;

	if (!equals) {
		label = json_object_object_get(labels, condition + negated);
		return (label != NULL) != negated;
	}
	equals[negated ? -1 : 0] = '\0';
	equals += equals[1] == '=' ? 2 : 1;
	label = json_object_object_get(labels, condition);
	return (label && !strcmp(json_object_get_string(label), equals)) != negated;
}

bool selector_matches(const char *selector, struct json_object *labels)
{
	cleanup_free char *copy = xstrdup(selector);
	char *rest = copy;

	for (char *condition = strsep(&rest, ","); condition; condition = strsep(&rest, ","))
		if (*condition && !matches_one(condition, labels))
			return false;
	return true;
}
