/* What is written about AppArmor's profiles: the label of a process, the text of a profile's file. */
#include "security/apparmor.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

/* The end of a label's names: before its " (MODE)", if it has one. */
static const char *end_of_names(const char *label)
{
	const char *end = label + strcspn(label, "\n");
	const char *mode = memrchr(label, '(', (size_t)(end - label));

	return mode && mode > label && end > mode && end[-1] == ')' && mode[-1] == ' ' ? mode - 1 : end;
}

static bool has_one(const char *label, const char *end, const char *name, size_t length)
{
	while (label < end) {
		const char *next = memmem(label, (size_t)(end - label), "//&", strlen("//&"));
		const char *stop = next ? next : end;

		if (stop - label == (ptrdiff_t)length && !strncmp(label, name, length))
			return true;
		label = next ? next + strlen("//&") : end;
	}
	return false;
}

bool apparmor_label_has(const char *label, const char *name)
{
	const char *end = end_of_names(label);

	for (;;) {
		const char *next = strstr(name, "//&");

		if (!has_one(label, end, name, next ? (size_t)(next - name) : strlen(name)))
			return false;
		if (!next)
			return true;
		name = next + strlen("//&");
	}
}

bool apparmor_label_is_unconfined(const char *label)
{
	const char *end = end_of_names(label);

	return text_starts_with(end, " (unconfined)") ||
	       (end - label == (ptrdiff_t)strlen("unconfined") && text_starts_with(label, "unconfined"));
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* One word, quoted or not; returns what comes after it. */
static const char *take_word(const char *text, const char **word, size_t *length)
{
	bool quoted = *text == '"';

	*word = text + quoted;
	*length = strcspn(*word, quoted ? "\"\n" : " \t\n{#");
	text = *word + *length;
	return quoted && *text == '"' ? text + 1 : text;
}

/* After a profile's name come an attachment, flags, and the bracket, be it on a line that follows. */
static bool opens_profile(const char *text)
{
	for (; *text; text++) {
		if (*text == '#')
			text += strcspn(text, "\n");
		/* "{a,b}" is an alternative in a path; a profile's bracket has space or the line's end after it. */
		if (*text == '{' && (!text[1] || isspace((unsigned char)text[1]) || text[1] == '}'))
			return true;
		if (!*text || (*text == ',' && text[1] == '\n'))
			return false;
	}
	return false;
}

static bool line_declares(const char *line, const char *name)
{
	const char *word, *rest;
	size_t length;
	bool keyword;

	line = skip_blanks(line);
	keyword = text_starts_with(line, "profile") && (line[7] == ' ' || line[7] == '\t');
	if (keyword)
		line = skip_blanks(line + strlen("profile"));
	/* Without the keyword a profile is named by its path. */
	else if (*line != '/' && *line != '"')
		return false;
	rest = take_word(line, &word, &length);
	return length == strlen(name) && !strncmp(word, name, length) && (keyword || *word == '/') &&
	       opens_profile(rest);
}

bool apparmor_declares(const char *text, const char *name)
{
	while (*text) {
		const char *end = strchrnul(text, '\n');

		if (line_declares(text, name))
			return true;
		text = *end ? end + 1 : end;
	}
	return false;
}
