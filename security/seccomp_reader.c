/* Tools of the profile reader: the path to where it is, complaints with their place, values of a kind. */
#include "security/seccomp_reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

size_t profile_enter(struct profile_reader *r, const char *format, ...)
{
	size_t mark = strlen(r->path);
	va_list args;

	va_start(args, format);
	vsnprintf(r->path + mark, sizeof(r->path) - mark, format, args);
	va_end(args);
	return mark;
}

void profile_leave(struct profile_reader *r, size_t mark)
{
	r->path[mark] = '\0';
}

__attribute__((format(printf, 6, 0))) static void add(struct profile_reader *r, enum severity severity,
	const struct node *node, const char *leaf, const char *hint, const char *format, va_list args)
{
	cleanup_free char *path = xasprintf("%s%s", r->path, leaf);
	cleanup_free char *text = NULL;
	cleanup_free char *shown = NULL;
	size_t length = strlen(path);

	if (vasprintf(&text, format, args) < 0)
		text = xstrdup("out of memory");
	/* The text may quote the profile. */
	shown = text_printable(text, strlen(text));
	if (length && path[length - 1] == '.')
		path[length - 1] = '\0';
	findings_add(r->findings, severity, node->line, node->column, *path ? path : NULL, hint, "%s", shown);
}

void profile_complain(struct profile_reader *r, const struct node *node, const char *leaf, const char *hint,
	const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(r, SEVERITY_ERROR, node, leaf, hint, format, args);
	va_end(args);
}

void profile_warn(struct profile_reader *r, const struct node *node, const char *leaf, const char *hint,
	const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(r, SEVERITY_WARNING, node, leaf, hint, format, args);
	va_end(args);
}

char *profile_did_you_mean(const char *nearest)
{
	return nearest ? xasprintf("did you mean \"%s\"?", nearest) : NULL;
}

void profile_check_keys(struct profile_reader *r, const struct node *map, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct node *item = map->items[i];
		/* The place of an unknown key is its own, not its value's. */
		const struct node key = {.line = item->key_line, .column = item->key_column};
		cleanup_free char *hint = NULL;
		cleanup_free char *shown = NULL;
		bool known = false;

		for (size_t j = 0; j < n && !known; j++)
			known = !strcmp(item->key, keys[j]);
		if (known)
			continue;
		shown = text_printable(item->key, strlen(item->key));
		hint = profile_did_you_mean(text_nearest(item->key, keys, n));
		profile_complain(r, &key, shown, hint, "unknown field");
	}
}

const struct node *profile_get(
	struct profile_reader *r, const struct node *map, const char *key, enum node_kind kind)
{
	const struct node *node = node_get(map, key);

	if (!node || node->kind == NODE_NULL)
		return NULL;
	if (node->kind == kind)
		return node;
	profile_complain(r, node, key, NULL, "must be a %s, not %s %s", node_kind_name(kind),
		profile_article(node->kind), node_kind_name(node->kind));
	return NULL;
}

bool profile_number(
	struct profile_reader *r, const struct node *map, const char *key, uint64_t max, uint64_t *value)
{
	const struct node *node = node_get(map, key);

	if (!node || node->kind == NODE_NULL)
		return false;
	/* The text decides: the tree's integers end at 2^63 - 1, a filter's at 2^64 - 1. */
	if ((node->kind == NODE_INTEGER || node->kind == NODE_DOUBLE) && node->text) {
		uint64_t number;
		char *end;

		errno = 0;
		number = strtoull(node->text, &end, 10);
		if (node->text[0] >= '0' && node->text[0] <= '9' && !*end && !errno && number <= max) {
			*value = number;
			return true;
		}
	}
	profile_complain(
		r, node, key, NULL, "must be a whole number from 0 to %llu", (unsigned long long)max);
	return false;
}
