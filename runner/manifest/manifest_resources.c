/*
 * The limits and requests of a manifest.
 *
 * After ValidateContainerResourceRequirements and validateContainerResourceName of pkg/apis/core/validation, and
 * SetDefaults_Pod of pkg/apis/core/v1/defaults.go: a limit without a request is the request, too.
 */
#include "runner/manifest/manifest_parts.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
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

/*
 * What Kubernetes sees of a quantity once YAML has become JSON: 0x10, 010 and 1_000 are the numbers 16, 8 and 1000 by then, and its
 * reader of quantities (Quantity.UnmarshalJSON) doesn't mind white space around. NULL if it is none; to be freed.
 */
static char *quantity_text(const struct node *node)
{
	const char *white = " \t\r\n", *text;
	char *copy, *to;
	size_t n;

	if (!node || !node->text || node->kind == NODE_BOOL)
		return NULL;
	if (node->kind == NODE_INTEGER)
		return xasprintf("%" PRId64, node->integer);
	text = node->text + strspn(node->text, white);
	n = strlen(text);
	while (n > 0 && strchr(white, text[n - 1]))
		n--;
	copy = to = xstrndup(text, n);
	/* Of a number; a string that has one is malformed. */
	for (const char *p = copy; node->kind == NODE_DOUBLE && *p; p++)
		if (*p != '_')
			*to++ = *p;
	if (node->kind == NODE_DOUBLE)
		*to = '\0';
	return copy;
}

/* Whether there are thousandths of a byte in it. What is too large to be counted in them has none. */
static bool is_fractional(const char *text)
{
	uint64_t thousandths = 0;
	bool negative;

	return !quantity_parse_milli(text, &negative, &thousandths) && thousandths < INT64_MAX &&
	       thousandths % 1000 != 0;
}

/* One entry of limits or requests; its kind, or array_length(kinds). */
static size_t read_quantity(const struct cursor *at, int64_t *value)
{
	cleanup_free char *text = quantity_text(at->node);
	const char *wrong;
	uint64_t magnitude = 0;
	bool negative = false;
	size_t kind = 0;

	while (kind < array_length(kinds) && strcmp(at->key, kinds[kind].name) != 0)
		kind++;
	if (kind == array_length(kinds)) {
		refuse_name(at);
		return kind;
	}
	if (!text)
		return array_length(kinds);
	wrong = kinds[kind].parse(text, &negative, &magnitude);
	if (wrong)
		cursor_invalid(at, "%s", wrong);
	else if (negative && magnitude > 0)
		cursor_invalid(at, "must be greater than or equal to 0");
	else if (kinds[kind].parse == quantity_parse && is_fractional(text))
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
		cleanup_free char *most = quantity_text(limit.node);

		if (requirement->limit.set && !requirement->request.set)
			requirement->request = requirement->limit;
		if (!requirement->limit.set || requirement->request.value <= requirement->limit.value)
			continue;
		request.bracket = true;
		cursor_invalid(&request, "must be less than or equal to %s limit of %s", kinds[i].name, most);
	}
}
