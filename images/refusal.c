/*
 * What skopeo's errors mean, and what to do about them. Its text is that of Go's libraries, and a registry's own words are in
 * it: so it is cut to what says something, made printable, and told apart by phrases that have been stable for years.
 */
#include "images/refusal.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "images/store.h"

#define DETAIL 300 /* bytes of it that are shown */

/* The first that fits counts. %s in a hint is the registry's host. */
static const struct {
	const char *phrase;
	enum error_class class;
	const char *what; /* before the detail; NULL: the detail says it */
	const char *hint;
} refusals[] = {
	{"server gave HTTP response to HTTPS client", ERROR_HOST, "the registry %s doesn't speak TLS",
		"--tls-verify=false, or insecure = true for it in /etc/containers/registries.conf, takes it "
		"as it is"},
	{"x509: ", ERROR_HOST, "the certificate of %s isn't trusted here",
		"its CA's certificate goes into /etc/containers/certs.d/%s/ca.crt or --cert-dir DIR"},
	{"policy.json: no such file", ERROR_HOST, "skopeo has no policy that says whom to trust",
		"apt-get install golang-github-containers-common, or write /etc/containers/policy.json"},
	{"Source image rejected", ERROR_IMAGE, "the policy of this machine forbids it",
		"/etc/containers/policy.json says which signatures are asked for: containers-policy.json(5)"},
	{"toomanyrequests", ERROR_IMAGE, "the registry %s has had too many requests from here",
		"wait, or log in: skopeo login %s"},
	{"invalid username/password", ERROR_IMAGE,
		"the registry %s doesn't take the user name and password that it was given",
		"log in again: skopeo login %s"},
	{"unauthorized", ERROR_IMAGE, "the registry %s wants to know who asks, or has no such image",
		"log in: skopeo login %s; or look at the name"},
	{"authentication required", ERROR_IMAGE,
		"the registry %s wants to know who asks, or has no such image",
		"log in: skopeo login %s; or look at the name"},
	{"requested access to the resource is denied", ERROR_IMAGE,
		"the registry %s has no such image, or not for everybody",
		"look at the name; or log in: skopeo login %s"},
	{"manifest unknown", ERROR_IMAGE, "the registry %s has no such image",
		"look at the name and its tag"},
	{"name unknown", ERROR_IMAGE, "the registry %s has no such image", "look at the name"},
	{"repository name not known", ERROR_IMAGE, "the registry %s has no such image", "look at the name"},
	{"not found", ERROR_IMAGE, "the registry %s has no such image", "look at the name and its tag"},
	{"no image found in manifest list", ERROR_IMAGE, "the image isn't made for this machine",
		"look for another tag"},
	{"igest did not match", ERROR_IMAGE, "what the registry %s sent isn't what its digest says",
		"try again; if it stays so, the image there is broken, or somebody changes it on the way"},
	{"does not match", ERROR_IMAGE, "what the registry %s sent isn't what its digest says",
		"try again; if it stays so, the image there is broken, or somebody changes it on the way"},
	{"no space left on device", ERROR_HOST, NULL, STORE_FULL},
	{"unexpected EOF", ERROR_HOST, "the connection to %s broke off", "try again"},
	{"connection reset", ERROR_HOST, "the connection to %s broke off", "try again"},
	{"broken pipe", ERROR_HOST, "the connection to %s broke off", "try again"},
	{"dial tcp", ERROR_HOST, "the registry %s can't be reached",
		"is there a network? without one: minirun image load ARCHIVE NAME"},
	{"no such host", ERROR_HOST, "the registry %s can't be reached",
		"is there a network? without one: minirun image load ARCHIVE NAME"},
	{"imeout", ERROR_HOST, "the registry %s doesn't answer",
		"is there a network? without one: minirun image load ARCHIVE NAME"},
	{": EOF", ERROR_HOST, "the connection to %s broke off", "try again"},
};

/* The value of msg="..." of the last line that has one, with the escapes of Go's quoting taken off, as one line. To be freed. */
static char *last_message(const char *text)
{
	const char *found = NULL;
	char *message;
	size_t used = 0;

	for (const char *p = text; (p = strstr(p, "msg=\"")); p++)
		found = p + strlen("msg=\"");
	if (!found) {
		size_t n = strlen(text);

		/* Not a log line: the last that isn't empty. */
		while (n && text[n - 1] == '\n')
			n--;
		found = text + n;
		while (found > text && found[-1] != '\n')
			found--;
		return xstrndup(found, (size_t)(text + n - found));
	}
	message = xcalloc(strlen(found) + 1, 1);
	for (; *found && *found != '"' && *found != '\n'; found++) {
		bool escaped = *found == '\\' && found[1];

		found += escaped;
		/* A list of several errors has lines and tabs of its own: one line here, a space between. */
		if (!escaped || !strchr("ntr", *found))
			message[used++] = *found;
		else if (used && message[used - 1] != ' ')
			message[used++] = ' ';
	}
	return message;
}

/* What comes before says again which image it is about. */
static const char *skip_preamble(const char *message)
{
	static const char *const preambles[] = {"Error parsing image name \"", "parsing image \"",
		"Error initializing source docker://", "initializing source docker://",
		"determining manifest MIME type for docker://",
		"Error retrieving manifest for image: ", "Error reading config blob", "reading config"};

	for (bool again = true; again;) {
		again = false;
		for (size_t i = 0; i < array_length(preambles) && !again; i++) {
			const char *end;

			if (!text_starts_with(message, preambles[i]))
				continue;
			end = strstr(message, ": ");
			if (!end)
				continue;
			message = end + 2;
			again = true;
		}
	}
	return message;
}

/* Puts the host where a phrase of the table has %s. */
static char *with_host(const char *phrase, const char *host)
{
	const char *place = strstr(phrase, "%s");

	if (!place)
		return xstrdup(phrase);
	return xasprintf("%.*s%s%s", (int)(place - phrase), phrase, host, place + 2);
}

int refusal_explain(const char *text, const char *name, const char *host, struct error *err)
{
	cleanup_free char *message = last_message(text);
	const char *detail = skip_preamble(message);
	cleanup_free char *safe = text_printable(detail, strnlen(detail, DETAIL));

	for (size_t i = 0; i < array_length(refusals); i++) {
		cleanup_free char *what = NULL;
		cleanup_free char *hint = NULL;

		if (!strstr(message, refusals[i].phrase))
			continue;
		what = refusals[i].what ? with_host(refusals[i].what, host) : NULL;
		hint = with_host(refusals[i].hint, host);
		error_set(err, refusals[i].class, 0, "%s%s%s%s", what ? what : "", what ? " (" : "", safe,
			what ? ")" : "");
		return error_hint(err, "%s", hint);
	}
	error_set(err, ERROR_HOST, 0, "skopeo: %s", *safe ? safe : "it failed without a word");
	return error_hint(err, "skopeo inspect docker://%s shows the same by itself", name);
}
