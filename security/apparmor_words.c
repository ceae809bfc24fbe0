/* A record of the kernel's audit about AppArmor in words that are safe to print. See apparmor_record.h. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "security/apparmor_record.h"

#define SHOWN 200 /* bytes of a name */

static char *shown(const char *hostile)
{
	return text_shown(hostile, strlen(hostile), SHOWN);
}

/* Appends to list, which it frees: "a b" of "a" and "b"; nothing if word is NULL. */
static char *append(char *list, const char *word)
{
	cleanup_free char *safe = word ? shown(word) : NULL;
	char *longer;

	if (!word || !*word)
		return list;
	longer = xasprintf("%s%s%s", list, *list ? " " : "", safe);
	free(list);
	return longer;
}

static char *append_quoted(char *list, const char *before, const char *name)
{
	cleanup_free char *quoted = name ? text_quoted(name, strlen(name), SHOWN) : NULL;
	char *longer;

	if (!name)
		return list;
	longer = xasprintf("%s%s%s", list, before, quoted);
	free(list);
	return longer;
}

/* Either side's profile can refuse a signal. */
static const char *direction_of(const struct apparmor_record *record)
{
	return record->denied && !strcmp(record->denied, "receive") ? "from" : "to";
}

char *apparmor_record_what(const struct apparmor_record *record)
{
	cleanup_free char *operation = shown(record->operation);
	char *what;

	switch (record->class) {
	case APPARMOR_CAPABILITY:
		return append(xstrdup("capability"), record->name);
	case APPARMOR_NETWORK:
		what = append(xstrdup("network"), record->family);
		what = append(what, record->sock_type);
		/* "ip", number 0, stands for whatever the socket's type implies. */
		return record->protocol && !strcmp(record->protocol, "ip") ? what
									   : append(what, record->protocol);
	case APPARMOR_SIGNAL:
		what = append(xstrdup("signal"), record->signal);
		return append(append(what, record->peer ? direction_of(record) : NULL), record->peer);
	case APPARMOR_PTRACE:
		return append(append(xstrdup("ptrace"), record->peer ? "of" : NULL), record->peer);
	case APPARMOR_MOUNT:
		what = append(steal_pointer(&operation), record->fstype);
		what = append_quoted(what, " ", record->source);
		return append_quoted(what, record->source || record->fstype ? " on " : " ", record->name);
	case APPARMOR_FILE:
	case APPARMOR_OTHER:
	default:
		what = append_quoted(steal_pointer(&operation), " ", record->name);
		/* The profiles that complain mode makes up for what a profile has no exec rule for say nothing. */
		return record->target && strstr(record->target, "//null-")
			       ? what
			       : append_quoted(what, " -> ", record->target);
	}
}

/* The letters of a file's rights in words: "read, write". NULL if one of them isn't known. */
static char *words_of(const char *letters)
{
	static const char *const words[256] = {
		['r'] = "read",
		['w'] = "write",
		['a'] = "append",
		['c'] = "create",
		['d'] = "delete",
		['x'] = "execute",
		['m'] = "map as code",
		['k'] = "lock",
		['l'] = "link",
	};
	char *list = xstrdup("");

	for (const char *c = letters; *c; c++) {
		const char *word = words[(unsigned char)*c];
		char *longer = word ? xasprintf("%s%s%s", list, *list ? ", " : "", word) : NULL;

		free(list);
		if (!longer)
			return NULL;
		list = longer;
	}
	return list;
}

char *apparmor_record_rights(const struct apparmor_record *record)
{
	cleanup_free char *denied = NULL;
	cleanup_free char *asked = NULL;
	cleanup_free char *words = NULL;
	cleanup_free char *info = record->info ? shown(record->info) : NULL;

	if (!record->denied || !*record->denied)
		return steal_pointer(&info);
	denied = shown(record->denied);
	if (record->requested && strcmp(record->requested, record->denied) != 0)
		asked = shown(record->requested);
	if (record->class == APPARMOR_FILE)
		words = words_of(record->denied);
	return xasprintf("%s%s%s%s%s%s%s%s", denied, words ? ": " : "", words ? words : "",
		asked ? ", of " : "", asked ? asked : "", asked ? " asked for" : "", info ? "; " : "",
		info ? info : "");
}
