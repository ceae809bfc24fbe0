/*
 * The limits and requests of a manifest.
 *
 * After ValidateContainerResourceRequirements and validateContainerResourceName of pkg/apis/core/validation, and
 * SetDefaults_Pod of pkg/apis/core/v1/defaults.go: a limit without a request is the request, too.
 */
#include "runner/manifest/manifest_parts.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "runner/manifest/quantity.h"

static const struct {
	const char *name;
	const char *(*parse)(const char *text, bool *negative, uint64_t *value);
} kinds[] = {
	/* as union requirements */
	{"cpu", quantity_parse_milli},
	{"memory", quantity_parse},
	{"ephemeral-storage", quantity_parse},
};

/* Kubernetes knows more names than there is something to be had of here. */
static void refuse_name(const struct cursor *at)
{
	if (text_starts_with(at->key, "hugepages-"))
		cursor_add(at, SEVERITY_ERROR, "remove it: the program can still use transparent huge pages",
			"known, not supported here: no huge pages are reserved");
	else if (strchr(at->key, '/'))
		cursor_add(at, SEVERITY_ERROR, "remove it, and mount the device as a hostPath volume",
			"known, not supported here: there are no device plugins");
	else
		cursor_invalid(at, "must be a standard resource for containers");
}

/* One entry of limits or requests; its kind, or array_length(kinds). */
static size_t read_quantity(const struct cursor *at, int64_t *value)
{
	const char *wrong, *text = at->node ? at->node->text : NULL;
	uint64_t magnitude = 0;
	bool negative = false;
	size_t kind = 0;

	while (kind < array_length(kinds) && strcmp(at->key, kinds[kind].name) != 0)
		kind++;
	if (kind == array_length(kinds)) {
		refuse_name(at);
		return kind;
	}
	if (!text || at->node->kind == NODE_BOOL)
		return array_length(kinds);
	wrong = kinds[kind].parse(text, &negative, &magnitude);
	if (wrong)
		cursor_invalid(at, "%s", wrong);
	else if (negative && magnitude > 0)
		cursor_invalid(at, "must be greater than or equal to 0");
	else if (kinds[kind].parse == quantity_parse && text[strlen(text) - 1] == 'm')
		cursor_add(at, SEVERITY_WARNING, "m is a thousandth, M a million, Mi 1024 * 1024",
			"fractional byte value \"%s\" is invalid, must be an integer", text);
	*value = (int64_t)magnitude;
	return wrong || negative ? array_length(kinds) : kind;
}

static void read_map(const struct cursor *map, bool limits, union requirements *requirements)
{
	for (size_t i = 0; i < cursor_entries(map); i++) {
		struct cursor entry = cursor_entry(map, i);
		int64_t value = 0;
		size_t kind = read_quantity(&entry, &value);
		struct requirement *requirement;

		if (kind == array_length(kinds))
			continue;
		requirement = &requirements->all[kind];
		*(limits ? &requirement->limit : &requirement->request) =
			(struct optional_integer){.set = true, .value = value};
	}
}

void manifest_resources(const struct cursor *at, union requirements *requirements)
{
	struct cursor resources = cursor_get(at, "resources");
	struct cursor limits = cursor_get(&resources, "limits"),
		      requests = cursor_get(&resources, "requests");

	read_map(&limits, true, requirements);
	read_map(&requests, false, requirements);
	for (size_t i = 0; i < array_length(kinds); i++) {
		struct requirement *requirement = &requirements->all[i];
		struct cursor limit = cursor_get(&limits, kinds[i].name);
		struct cursor request = cursor_get(&requests, kinds[i].name);

		if (requirement->limit.set && !requirement->request.set)
			requirement->request = requirement->limit;
		if (!requirement->limit.set || requirement->request.value <= requirement->limit.value)
			continue;
		request.bracket = true;
		cursor_invalid(&request, "must be less than or equal to %s limit of %s", kinds[i].name,
			limit.node->text);
	}
}
