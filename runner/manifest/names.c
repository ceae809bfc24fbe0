/* The forms of names and numbers that Kubernetes knows. */
#include "runner/manifest/names.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

#define LABEL_LENGTH     63
#define SUBDOMAIN_LENGTH 253
#define PORT_LENGTH      15
#define SYSCTL_LENGTH    253

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

/* n characters: those at the ends of `ends`, those between of `inside`; at least one. */
static bool is_segment(const char *s, size_t n, const char *ends, const char *inside)
{
	if (n == 0 || !is_one_of(s[0], ends) || !is_one_of(s[n - 1], ends))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_one_of(s[i], inside))
			return false;
	return true;
}

/* Segments between separators, each as above. */
static bool is_segmented(const char *s, const char *separators, const char *ends, const char *inside)
{
	for (;;) {
		size_t n = strcspn(s, separators);

		if (!is_segment(s, n, ends, inside))
			return false;
		if (!s[n])
			return true;
		s += n + 1;
	}
}

#define LABEL_WORDS                                                                                         \
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "   \
	"start "                                                                                            \
	"and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation " \
	"is "                                                                                               \
	"'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"

#define SUBDOMAIN_WORDS                                                                                     \
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "   \
	"and "                                                                                              \
	"must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation " \
	"is "                                                                                               \
	"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"

static bool is_subdomain(const char *name)
{
	return is_segmented(name, ".", LOWER DIGIT, LOWER DIGIT "-");
}

bool names_is_label(const char *name)
{
	size_t n = strlen(name);

	return n <= LABEL_LENGTH && is_segment(name, n, LOWER DIGIT, LOWER DIGIT "-");
}

bool names_check_label(const struct cursor *at)
{
	const char *name = cursor_string(at);
	bool good = true;

	if (!name)
		return true;
	if (strlen(name) > LABEL_LENGTH) {
		cursor_invalid(at, "must be no more than %d bytes", LABEL_LENGTH);
		good = false;
	}
	if (is_segment(name, strlen(name), LOWER DIGIT, LOWER DIGIT "-"))
		return good;
	if (is_subdomain(name))
		cursor_invalid(at, "must not contain dots");
	else
		cursor_invalid(at, LABEL_WORDS);
	return false;
}

bool names_check_subdomain(const struct cursor *at)
{
	const char *name = cursor_string(at);
	bool good = true;

	if (!name)
		return true;
	if (strlen(name) > SUBDOMAIN_LENGTH) {
		cursor_invalid(at, "must be no more than %d bytes", SUBDOMAIN_LENGTH);
		good = false;
	}
	if (!is_subdomain(name)) {
		cursor_invalid(at, SUBDOMAIN_WORDS);
		good = false;
	}
	return good;
}

bool names_check_port(const struct cursor *at)
{
	const char *name = cursor_string(at);
	size_t n = name ? strlen(name) : 0;
	const char *wrong = NULL;

	if (!name)
		return true;
	if (n > PORT_LENGTH)
		wrong = "must be no more than 15 bytes";
	else if (strspn(name, LOWER DIGIT "-") != n)
		wrong = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
	else if (strcspn(name, LOWER) == n)
		wrong = "must contain at least one letter (a-z)";
	else if (strstr(name, "--"))
		wrong = "must not contain consecutive hyphens";
	else if (name[0] == '-' || name[n - 1] == '-')
		wrong = "must not begin or end with a hyphen";
	if (wrong)
		cursor_invalid(at, "%s", wrong);
	return !wrong;
}

bool names_check_environment(const struct cursor *at)
{
	const char *name = cursor_string(at);

	for (const char *p = name; p && *p; p++) {
		if (*p >= 0x20 && *p < 0x7f && *p != '=')
			continue;
		cursor_invalid(at, "a valid environment variable name must consist only of printable ASCII "
				   "characters other than '='");
		return false;
	}
	return true;
}

bool names_check_config_key(const struct cursor *at)
{
	const char *key = at->bracket ? at->key : cursor_string(at);
	cleanup_free char *shown = key ? text_printable(key, strnlen(key, 120)) : NULL;
	const char *wrong = NULL;

	if (!key)
		return true;
	if (strlen(key) > SUBDOMAIN_LENGTH)
		wrong = "must be no more than 253 bytes";
	else if (!*key || strspn(key, LOWER UPPER DIGIT "-._") != strlen(key))
		wrong = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
			"'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
			"'[-._a-zA-Z0-9]+')";
	else if (!strcmp(key, "."))
		wrong = "must not be '.'";
	else if (!strcmp(key, ".."))
		wrong = "must not be '..'";
	else if (text_starts_with(key, ".."))
		wrong = "must not start with '..'";
	if (wrong)
		cursor_add(at, SEVERITY_ERROR, NULL, "Invalid value: \"%s\": %s", shown, wrong);
	return !wrong;
}

bool names_check_sysctl(const struct cursor *at)
{
	const char *name = cursor_string(at);

	if (!name ||
		(strlen(name) <= SYSCTL_LENGTH && is_segmented(name, "./", LOWER DIGIT, LOWER DIGIT "-_")))
		return true;
	cursor_invalid(at,
		"must have at most %d characters and match regex "
		"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$",
		SYSCTL_LENGTH);
	return false;
}

bool names_check_address(const struct cursor *at)
{
	const char *address = cursor_string(at);
	unsigned char binary[sizeof(struct in6_addr)];

	if (!address || inet_pton(AF_INET, address, binary) == 1 || inet_pton(AF_INET6, address, binary) == 1)
		return true;
	cursor_invalid(at, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
	return false;
}

static bool is_qualified_part(const char *s, size_t n)
{
	return is_segment(s, n, LOWER UPPER DIGIT, LOWER UPPER DIGIT "-_.");
}

static void report_key(const struct cursor *map, const char *key, const char *words)
{
	cleanup_free char *safe = text_printable(key, strnlen(key, 120));

	cursor_add(map, SEVERITY_ERROR, NULL, "Invalid value: \"%s\": %s", safe, words);
}

const char *names_label_key_fault(const char *key)
{
	const char *slash = strchr(key, '/'), *name = slash ? slash + 1 : key;

	if (slash && strchr(name, '/'))
		return "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must "
		       "start and "
		       "end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', "
		       "regex used for "
		       "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS "
		       "subdomain prefix "
		       "and '/' (e.g. 'example.com/MyName')";
	if (slash == key)
		return "prefix part must be non-empty";
	if (slash) {
		cleanup_free char *prefix = xstrndup(key, (size_t)(slash - key));

		if (!is_subdomain(prefix) || strlen(prefix) > SUBDOMAIN_LENGTH)
			return "prefix part " SUBDOMAIN_WORDS;
	}
	if (!*name)
		return "name part must be non-empty";
	if (strlen(name) > LABEL_LENGTH)
		return "name part must be no more than 63 bytes";
	if (!is_qualified_part(name, strlen(name)))
		return "name part must consist of alphanumeric characters, '-', '_' or '.', and must start "
		       "and end with "
		       "an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used "
		       "for validation "
		       "is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
	return NULL;
}

const char *names_label_value_fault(const char *value)
{
	if (strlen(value) > LABEL_LENGTH)
		return "must be no more than 63 bytes";
	if (*value && !is_qualified_part(value, strlen(value)))
		return "a valid label must be an empty string or consist of alphanumeric characters, '-', "
		       "'_' or '.', and "
		       "must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
		       "or '12345', "
		       "regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
	return NULL;
}

bool names_check_label_key(const struct cursor *map, const char *key)
{
	const char *wrong = names_label_key_fault(key);

	if (wrong)
		report_key(map, key, wrong);
	return !wrong;
}

bool names_check_label_value(const struct cursor *map, const struct cursor *value)
{
	const char *text = cursor_string(value);
	const char *wrong = text ? names_label_value_fault(text) : NULL;

	if (wrong)
		report_key(map, text, wrong);
	return !wrong;
}

bool names_check_range(const struct cursor *at, int64_t min, int64_t max)
{
	int64_t value;

	if (!cursor_integer(at, &value) || (value >= min && value <= max))
		return true;
	if (max == INT64_MAX)
		cursor_invalid(at, "must be greater than or equal to %lld", (long long)min);
	else
		cursor_invalid(
			at, "must be between %lld and %lld, inclusive", (long long)min, (long long)max);
	return false;
}

bool names_has_backsteps(const char *path)
{
	for (const char *p = path;;) {
		size_t n = strcspn(p, "/");

		if (n == 2 && p[0] == '.' && p[1] == '.')
			return true;
		if (!p[n])
			return false;
		p += n + 1;
	}
}

bool names_check_descending(const struct cursor *at)
{
	const char *path = cursor_string(at);
	bool good = true;

	if (path && *path == '/') {
		cursor_invalid(at, "must be a relative path");
		good = false;
	}
	if (path && names_has_backsteps(path)) {
		cursor_invalid(at, "must not contain '..'");
		good = false;
	}
	return good;
}

bool names_check_absolute(const struct cursor *at)
{
	const char *path = cursor_string(at);
	bool good = true;

	if (path && *path != '/') {
		cursor_invalid(at, "must be an absolute path");
		good = false;
	}
	if (path && names_has_backsteps(path)) {
		cursor_invalid(at, "must not contain '..'");
		good = false;
	}
	return good;
}
