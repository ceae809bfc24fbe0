/* A cursor: a place in a manifest, with the way that leads to it. */
#include "runner/manifest/cursor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

/* A value of a message is cut here: nobody reads a megabyte on a terminal. */
#define VALUE_SHOWN 120

static struct cursor child(const struct cursor *at, const struct node *node)
{
	return (struct cursor){
		.parent = at,
		.node = node && node->kind != NODE_NULL ? node : NULL,
		.secret = at->secret,
		.findings = at->findings,
	};
}

struct cursor cursor_get(const struct cursor *at, const char *key)
{
	struct cursor to = child(at, node_get(at->node, key));

	to.key = key;
	return to;
}

struct cursor cursor_item(const struct cursor *at, size_t index)
{
	struct cursor to = child(at, at->node && at->node->kind == NODE_LIST && index < at->node->n
					     ? at->node->items[index]
					     : NULL);

	to.index = index;
	return to;
}

struct cursor cursor_entry(const struct cursor *at, size_t index)
{
	const struct node *node =
		at->node && at->node->kind == NODE_MAP && index < at->node->n ? at->node->items[index] : NULL;
	struct cursor to = child(at, node);

	to.key = node ? node->key : "";
	to.bracket = true;
	return to;
}

size_t cursor_items(const struct cursor *at)
{
	return at->node && at->node->kind == NODE_LIST ? at->node->n : 0;
}

size_t cursor_entries(const struct cursor *at)
{
	return at->node && at->node->kind == NODE_MAP ? at->node->n : 0;
}

const char *cursor_string(const struct cursor *at)
{
	return at->node && at->node->kind == NODE_STRING ? at->node->text : NULL;
}

bool cursor_bool(const struct cursor *at, bool otherwise)
{
	return at->node && at->node->kind == NODE_BOOL ? at->node->boolean : otherwise;
}

bool cursor_integer(const struct cursor *at, int64_t *value)
{
	if (!at->node || at->node->kind != NODE_INTEGER)
		return false;
	*value = at->node->integer;
	return true;
}

int cursor_choice(const struct cursor *at, const struct choice *choices, size_t n, int otherwise)
{
	const char *word = cursor_string(at);

	if (!word || !*word)
		return otherwise;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(word, choices[i].word))
			return choices[i].value;
	cursor_unsupported(at, choices, n);
	return otherwise;
}

static void write_path(const struct cursor *at, FILE *out)
{
	cleanup_free char *key = at->key ? text_printable(at->key, strnlen(at->key, VALUE_SHOWN)) : NULL;

	if (!at->parent)
		return;
	write_path(at->parent, out);
	if (!key)
		fprintf(out, "[%zu]", at->index);
	else if (at->bracket)
		fprintf(out, "[%s]", key);
	else
		fprintf(out, "%s%s", at->parent->parent ? "." : "", key);
}

char *cursor_path(const struct cursor *at)
{
	char *path = NULL;
	size_t n;
	FILE *out = open_memstream(&path, &n);

	if (!out)
		return xstrdup("?");
	write_path(at, out);
	fclose(out);
	return path;
}

/* "text", with quotes and backslashes escaped, and cut. */
static char *quote(const char *text)
{
	size_t n = strlen(text), shown = n <= VALUE_SHOWN ? n : VALUE_SHOWN;
	cleanup_free char *escaped = xcalloc(2 * shown + 1, 1), *safe = NULL;
	char *out = escaped;

	while (shown < n && shown > 0 && (text[shown] & 0xc0) == 0x80) /* not inside a character */
		shown--;
	for (size_t i = 0; i < shown; i++) {
		if (text[i] == '\n') {
			*out++ = '\\';
			*out++ = 'n';
			continue;
		}
		if (text[i] == '"' || text[i] == '\\')
			*out++ = '\\';
		*out++ = text[i];
	}
	safe = text_printable(escaped, (size_t)(out - escaped));
	return xasprintf("\"%s%s\"", safe, shown < n ? "..." : "");
}

char *cursor_value(const struct cursor *at)
{
	if (!at->node)
		return xstrdup("null");
	if (at->secret)
		return xstrdup(SECRET_REDACTED);
	switch (at->node->kind) {
	case NODE_STRING:
		return quote(at->node->text);
	case NODE_BOOL:
		return xstrdup(at->node->boolean ? "true" : "false");
	case NODE_INTEGER:
		return xasprintf("%lld", (long long)at->node->integer);
	case NODE_DOUBLE:
		return text_printable(at->node->text, strnlen(at->node->text, VALUE_SHOWN));
	case NODE_LIST:
		return xstrdup("[...]");
	case NODE_MAP:
		return xstrdup("{...}");
	case NODE_NULL:
	default:
		return xstrdup("null");
	}
}

/* A list or map is shown by its key: what it holds may begin on the next line. */
static void add(const struct cursor *at, enum severity severity, const char *raw_hint, const char *raw)
{
	cleanup_free char *path = cursor_path(at);
	/* Names of the manifest's own are in there. */
	cleanup_free char *text = text_printable(raw, strlen(raw));
	cleanup_free char *hint = raw_hint ? text_printable(raw_hint, strlen(raw_hint)) : NULL;
	const struct cursor *shown = at;
	const struct node *node;

	while (!shown->node && shown->parent)
		shown = shown->parent;
	node = shown->node;
	if (node && node->key && (node->kind == NODE_LIST || node->kind == NODE_MAP))
		findings_add(
			at->findings, severity, node->key_line, node->key_column, path, hint, "%s", text);
	else
		findings_add(at->findings, severity, node ? node->line : 0, node ? node->column : 0, path,
			hint, "%s", text);
}

__attribute__((format(printf, 1, 0))) static char *format_text(const char *format, va_list args)
{
	char *text;

	return vasprintf(&text, format, args) < 0 ? xstrdup("out of memory") : text;
}

/* "Invalid value: "x": detail". */
static void add_value(const struct cursor *at, const char *kind, const char *hint, const char *detail)
{
	cleanup_free char *value = cursor_value(at);
	cleanup_free char *text =
		xasprintf("%s: %s%s%s", kind, value, detail ? ": " : "", detail ? detail : "");

	add(at, SEVERITY_ERROR, hint, text);
}

/* Whether an entry of the map was reported as unknown, and looks like the key. */
static bool is_misspelt(const struct cursor *map, const char *key)
{
	for (size_t i = 0; i < cursor_entries(map); i++) {
		const struct node *entry = map->node->items[i];

		if (!text_nearest(entry->key, &key, 1))
			continue;
		for (size_t j = 0; j < map->findings->n; j++) {
			const struct finding *f = &map->findings->items[j];

			if (f->line == entry->key_line && f->column == entry->key_column && f->hint &&
				strstr(f->hint, key))
				return true;
		}
	}
	return false;
}

/*
 * An entry is missing only where there is a map that could have it (what isn't one was reported for that), and only
 * if it isn't there under a misspelt name, which was reported too.
 */
void cursor_required(const struct cursor *at, const char *detail)
{
	const struct cursor *parent = at->parent;

	if (at->key && parent && (parent->node ? parent->node->kind != NODE_MAP : !parent->key))
		return;
	if (at->key && parent && !at->node && is_misspelt(parent, at->key))
		return;
	cursor_add(at, SEVERITY_ERROR, NULL, "Required value%s%s", detail ? ": " : "", detail ? detail : "");
}

void cursor_duplicate(const struct cursor *at)
{
	add_value(at, "Duplicate value", NULL, NULL);
}

void cursor_not_found(const struct cursor *at, const char *guess)
{
	cleanup_free char *hint = guess ? xasprintf("did you mean \"%s\"?", guess) : NULL;

	add_value(at, "Not found", hint, NULL);
}

void cursor_invalid(const struct cursor *at, const char *format, ...)
{
	cleanup_free char *text = NULL;
	va_list args;

	va_start(args, format);
	text = format_text(format, args);
	va_end(args);
	add_value(at, "Invalid value", NULL, text);
}

void cursor_forbidden(const struct cursor *at, const char *format, ...)
{
	cleanup_free char *text = NULL;
	va_list args;

	va_start(args, format);
	text = format_text(format, args);
	va_end(args);
	cursor_add(at, SEVERITY_ERROR, NULL, "Forbidden: %s", text);
}

void cursor_unsupported(const struct cursor *at, const struct choice *choices, size_t n)
{
	cleanup_free const char **words = xcalloc(n, sizeof(*words));
	cleanup_free char *detail = NULL, *hint = NULL;
	const char *word = cursor_string(at), *nearest;
	size_t size;
	FILE *out = open_memstream(&detail, &size);

	if (!out)
		return;
	fprintf(out, "supported values: ");
	for (size_t i = 0; i < n; i++) {
		words[i] = choices[i].word;
		fprintf(out, "%s\"%s\"", i ? ", " : "", words[i]);
	}
	fclose(out);
	nearest = word && *word ? text_nearest(word, words, n) : NULL;
	if (nearest && *nearest)
		hint = xasprintf("did you mean \"%s\"?", nearest);
	add_value(at, "Unsupported value", hint, detail);
}

void cursor_warn(const struct cursor *at, const char *format, ...)
{
	cleanup_free char *text = NULL;
	va_list args;

	va_start(args, format);
	text = format_text(format, args);
	va_end(args);
	add(at, SEVERITY_WARNING, NULL, text);
}

void cursor_add(const struct cursor *at, enum severity severity, const char *hint, const char *format, ...)
{
	cleanup_free char *text = NULL;
	va_list args;

	va_start(args, format);
	text = format_text(format, args);
	va_end(args);
	add(at, severity, hint, text);
}
