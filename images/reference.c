/*
 * Image names.
 *
 * The grammar (distribution/reference): [DOMAIN/]PATH[:TAG][@DIGEST]. The first component is a domain if it has a dot
 * or a colon in it or is "localhost". Docker's short forms: no domain means docker.io, where a single component
 * means library/; no tag means latest. We keep the short form, since it is what people write.
 */
#include "images/reference.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

#define MAX_NAME 240 /* with its tag: ".json" behind it must fit a file name */
#define MAX_TAG  128

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* A component of a path: words of [a-z0-9]+ between separators, which are one '.', '_' or '__', or any '-'. */
static bool is_component(const char *s, size_t n)
{
	size_t i = 0;

	for (;;) {
		size_t word = i, separator;

		while (i < n && is_lower_or_digit(s[i]))
			i++;
		if (i == word)
			return false;
		if (i == n)
			return true;
		separator = i;
		while (i < n && !is_lower_or_digit(s[i]))
			i++;
		for (size_t j = separator; j < i; j++)
			if (s[j] != s[separator])
				return false;
		if (s[separator] == '.'       ? i - separator > 1
			: s[separator] == '_' ? i - separator > 2
					      : s[separator] != '-')
			return false;
	}
}

/* Host names, addresses and "[::1]" with a port: letters, digits, '.', '-', ':' and brackets. */
static bool is_domain(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && !memchr(".-:[]", s[i], 5))
			return false;
	return n > 0 && s[0] != '.' && s[0] != '-' && s[n - 1] != ':';
}

static bool is_tag(const char *s)
{
	size_t n = strlen(s);

	if (n < 1 || n > MAX_TAG || (!isalnum((unsigned char)s[0]) && s[0] != '_'))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && !memchr("_.-", s[i], 3))
			return false;
	return true;
}

static bool is_digest(const char *s)
{
	return text_starts_with(s, "sha256:") && strlen(s) == 7 + 64 &&
	       strspn(s + 7, "0123456789abcdef") == 64;
}

static int refuse(struct error *err, const char *text, const char *why)
{
	cleanup_free char *safe = text_printable(text, strnlen(text, 300));

	error_set(err, ERROR_IMAGE, 0, "\"%s\" is no image name: %s", safe, why);
	return error_hint(err, "names look like nginx, nginx:1.25 or quay.io/who/what:tag");
}

static int check_path(const char *path, const char *text, struct error *err)
{
	for (const char *p = path;; p++) {
		size_t n = strcspn(p, "/");

		if (n == 0)
			return refuse(err, text, "a part of it is empty");
		if (!is_component(p, n)) {
			for (size_t i = 0; i < n; i++)
				if (isupper((unsigned char)p[i]))
					return refuse(err, text, "a repository must be lower case");
			return refuse(err, text,
				"a part must be of a-z and 0-9, with '.', '_', '__' or '-' between them");
		}
		p += n;
		if (!*p)
			return 0;
	}
}

/* Cuts the domain off, and docker.io's forms with it; returns the domain's length with its slash, or 0. */
static size_t domain_length(const char *name)
{
	const char *slash = strchr(name, '/');
	size_t n = slash ? (size_t)(slash - name) : 0;

	if (!n)
		return 0;
	if (memchr(name, '.', n) || memchr(name, ':', n) || (n == 9 && !strncmp(name, "localhost", 9)))
		return n + 1;
	return 0;
}

/* The name without tag and digest, to its short form. */
static int shorten(const char *name, const char *text, char **shortened, struct error *err)
{
	size_t domain = domain_length(name);
	const char *path = name + domain;
	bool docker =
		!domain || text_starts_with(name, "docker.io/") || text_starts_with(name, "index.docker.io/");

	if (domain && !is_domain(name, domain - 1))
		return refuse(err, text, "its host name has a sign that none may have");
	if (check_path(path, text, err) < 0)
		return -1;
	if (docker && text_starts_with(path, "library/") && !strchr(path + 8, '/'))
		path += 8;
	*shortened = xstrdup(docker ? path : name);
	return 0;
}

int reference_parse(struct reference *reference, const char *text, struct error *err)
{
	cleanup_free char *name = xstrndup(text, strlen(text));
	cleanup_free char *shortened = NULL;
	char *at = strchr(name, '@');
	char *tag;

	*reference = (struct reference){0};
	if (!*text)
		return refuse(err, text, "it is empty");
	if (at) {
		*at++ = '\0';
		if (!is_digest(at))
			return refuse(err, text, "after '@' comes sha256: and 64 hexadecimal digits");
	}
	tag = strrchr(name, ':');
	/* A colon before a slash belongs to a port. */
	if (tag && strchr(tag, '/'))
		tag = NULL;
	if (tag) {
		*tag++ = '\0';
		if (!is_tag(tag))
			return refuse(err, text, "a tag is up to 128 letters, digits, '_', '.' and '-'");
	}
	if (shorten(name, text, &shortened, err) < 0 || !shortened)
		return -1;
	if (strlen(shortened) + (tag ? strlen(tag) + 1 : 0) > MAX_NAME)
		return refuse(err, text, "it is longer than 240 characters");
	if (tag && strcmp(tag, "latest"))
		reference->name = xasprintf("%s:%s", shortened, tag);
	else
		reference->name = steal_pointer(&shortened);
	reference->digest = xstrdup(at);
	return 0;
}

void reference_free(struct reference *reference)
{
	free(reference->name);
	free(reference->digest);
	*reference = (struct reference){0};
}

bool reference_is_same(const char *a, const char *b)
{
	cleanup_reference struct reference first = {0}, second = {0};
	struct error ignored;

	return reference_parse(&first, a, &ignored) == 0 && reference_parse(&second, b, &ignored) == 0 &&
	       first.name && second.name && !strcmp(first.name, second.name);
}

char *reference_file(const char *name)
{
	char *file = xasprintf("%s.json", name);

	for (char *p = file; *p; p++) {
		if (*p == '/')
			*p = '+';
		else if (*p == ':')
			*p = '=';
	}
	return file;
}

/* Where the tag begins, or NULL: a colon before a slash belongs to a port. */
static const char *tag_of(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon && !strchr(colon, '/') ? colon : NULL;
}

char *reference_repository(const char *name)
{
	const char *tag = tag_of(name);
	size_t n = tag ? (size_t)(tag - name) : strlen(name);
	bool is_official = !memchr(name, '/', n);

	if (domain_length(name))
		return xstrndup(name, n);
	return xasprintf("docker.io/%s%.*s", is_official ? "library/" : "", (int)n, name);
}

char *reference_stored(const struct reference *reference, const char *text)
{
	cleanup_free char *name = xstrndup(text, strcspn(text, "@"));
	const char *hex = reference->digest ? strchr(reference->digest, ':') : NULL;

	if (!hex || tag_of(name))
		return xstrdup(reference->name);
	return xasprintf("%s:sha256-%.12s", reference->name, hex + 1);
}
