/*
 * Kubernetes' expansion of $(NAME).
 *
 * After k8s.io/kubernetes/third_party/forked/golang/expansion. What isn't known stays as it is written, $$ is a $. A string
 * into which something of a Secret went has a twin that may be shown.
 */
#include "runner/manifest/manifest_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/manifest/names.h"

static const struct string_pair *find_pair(const struct string_map *map, const char *key)
{
	for (size_t i = map->n; i-- > 0;)
		if (!strcmp(map->items[i].key, key))
			return &map->items[i];
	return NULL;
}

const char *string_map_get(const struct string_map *map, const char *key)
{
	const struct string_pair *pair = find_pair(map, key);

	return pair ? pair->value : NULL;
}

void string_map_add(struct string_map *map, char *owned_key, char *owned_value)
{
	map->items = xreallocarray(map->items, map->n + 1, sizeof(*map->items));
	map->items[map->n] = (struct string_pair){0};
	map->items[map->n].key = owned_key;
	map->items[map->n].value = owned_value;
	map->n++;
}

void string_map_free(struct string_map *map)
{
	for (size_t i = 0; i < map->n; i++) {
		free(map->items[i].key);
		free(map->items[i].value);
		free(map->items[i].shown);
		free(map->items[i].source);
	}
	free(map->items);
	*map = (struct string_map){0};
}

void string_map_read(const struct cursor *at, struct string_map *map)
{
	for (size_t i = 0; i < cursor_entries(at); i++) {
		struct cursor entry = cursor_entry(at, i);
		const char *value = cursor_string(&entry);

		string_map_add(map, xstrdup(entry.key), xstrdup(value ? value : ""));
	}
}

struct text {
	char *data;
	size_t n;
	bool shown; /* takes the variables as they are shown */
	bool secret; /* one of them isn't shown as it is */
};

/* Returns false, and adds nothing, when the text would grow beyond the limit: $(A)$(A) doubles at every step. */
static bool append(struct text *text, const char *more, size_t n)
{
	if (text->n + n > STRING_LIMIT)
		return false;
	text->data = xreallocarray(text->data, text->n + n + 1, 1);
	memcpy(text->data + text->n, more, n);
	text->n += n;
	text->data[text->n] = '\0';
	return true;
}

static bool append_reference(struct text *text, const char *name, size_t n, const struct string_map *env)
{
	cleanup_free char *key = xstrndup(name, n);
	const struct string_pair *pair = find_pair(env, key);
	const char *value = pair && pair->shown && text->shown ? pair->shown : pair ? pair->value : NULL;

	text->secret = text->secret || (pair && pair->shown);
	if (value)
		return append(text, value, strlen(value));
	return append(text, "$(", 2) && append(text, name, n) && append(text, ")", 1);
}

static char *expand(const char *input, const struct string_map *env, bool shown, bool *secret)
{
	cleanup_free char *owned = NULL;
	struct text text = {.shown = shown};
	bool fits = append(&text, "", 0);

	for (const char *p = input; *p && fits;) {
		size_t plain = strcspn(p, "$");
		const char *end;

		if (plain > 0 || !p[1]) {
			/* A $ at the very end is itself. */
			plain += !plain;
			fits = append(&text, p, plain);
			p += plain;
		} else if (p[1] == '$') {
			fits = append(&text, "$", 1);
			p += 2;
		} else if (p[1] == '(' && (end = strchr(p + 2, ')'))) {
			fits = append_reference(&text, p + 2, (size_t)(end - p - 2), env);
			p = end + 1;
		} else {
			fits = append(&text, p, 2);
			p += 2;
		}
	}
	owned = text.data;
	*secret = text.secret;
	return fits ? steal_pointer(&owned) : NULL;
}

char *expansion(const char *input, const struct string_map *env, char **shown)
{
	bool secret = false;
	char *text = expand(input, env, false, &secret);

	*shown = text && secret ? expand(input, env, true, &secret) : NULL;
	if (text && secret && !*shown)
		*shown = xstrdup(SECRET_REDACTED);
	return text;
}

char *manifest_expand(const struct cursor *at, const struct string_map *env, char **shown)
{
	const char *text = cursor_string(at);
	char *expanded = expansion(text ? text : "", env, shown);

	if (!expanded)
		cursor_add(at, SEVERITY_ERROR, NULL,
			"Too long: may not be more than %d bytes once $(NAME) is expanded", STRING_LIMIT);
	return expanded;
}

char **manifest_expanded(const struct cursor *list, const struct string_map *env, char ***shown)
{
	struct strv strings = {0}, twins = {0};
	bool secret = false;

	/* An empty list is as good as none: Kubernetes then takes the image's. */
	for (size_t i = 0; i < cursor_items(list); i++) {
		struct cursor item = cursor_item(list, i);
		char *twin, *text = manifest_expand(&item, env, &twin);

		if (!text)
			continue;
		secret = secret || twin;
		strv_push(&twins, twin ? twin : xstrdup(text));
		strv_push(&strings, text);
	}
	*shown = secret ? twins.items : NULL;
	if (!secret)
		strv_free(twins.items);
	return strings.items;
}
