/*
 * The environment of a container, and Kubernetes' expansion of $(NAME).
 *
 * After k8s.io/kubernetes/third_party/forked/golang/expansion and the kubelet's makeEnvironmentVariables: a value sees
 * the variables before it, command and args see all. What isn't known stays as it is written, $$ is a $.
 */
#include "runner/manifest_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/names.h"

const char *string_map_get(const struct string_map *map, const char *key)
{
	for (size_t i = map->n; i-- > 0;)
		if (!strcmp(map->items[i].key, key))
			return map->items[i].value;
	return NULL;
}

void string_map_add(struct string_map *map, char *owned_key, char *owned_value)
{
	map->items = xreallocarray(map->items, map->n + 1, sizeof(*map->items));
	map->items[map->n].key = owned_key;
	map->items[map->n].value = owned_value;
	map->n++;
}

void string_map_free(struct string_map *map)
{
	for (size_t i = 0; i < map->n; i++) {
		free(map->items[i].key);
		free(map->items[i].value);
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
	const char *value = string_map_get(env, key);

	if (value)
		return append(text, value, strlen(value));
	return append(text, "$(", 2) && append(text, name, n) && append(text, ")", 1);
}

char *expansion(const char *input, const struct string_map *env)
{
	cleanup_free char *owned = NULL;
	struct text text = {0};
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
	return fits ? steal_pointer(&owned) : NULL;
}

/* Expands the string at a cursor; what is too long for the kernel is reported, and NULL returned. */
static char *expand_at(const struct cursor *at, const struct string_map *env)
{
	const char *text = cursor_string(at);
	char *expanded = expansion(text ? text : "", env);

	if (!expanded)
		cursor_add(at, SEVERITY_ERROR, NULL,
			"Too long: may not be more than %d bytes once $(NAME) is expanded", STRING_LIMIT);
	return expanded;
}

char **manifest_expanded(const struct cursor *list, const struct string_map *env)
{
	struct strv strings = {0};

	/* An empty list is as good as none: Kubernetes then takes the image's. */
	for (size_t i = 0; i < cursor_items(list); i++) {
		struct cursor item = cursor_item(list, i);
		char *text = expand_at(&item, env);

		if (text)
			strv_push(&strings, text);
	}
	return strings.items;
}

static void set_variable(struct string_map *env, const char *name, char *owned_value)
{
	for (size_t i = 0; i < env->n; i++) {
		if (strcmp(env->items[i].key, name) != 0)
			continue;
		free(env->items[i].value);
		env->items[i].value = owned_value;
		return;
	}
	string_map_add(env, xstrdup(name), owned_value);
}

void manifest_environment(const struct cursor *container, struct string_map *env)
{
	struct cursor list = cursor_get(container, "env");

	for (size_t i = 0; i < cursor_items(&list); i++) {
		struct cursor item = cursor_item(&list, i);
		struct cursor name = cursor_get(&item, "name"), value = cursor_get(&item, "value");
		const char *text = cursor_string(&name);
		char *expanded;

		if (!name.node || (text && !*text))
			cursor_required(&name, NULL);
		else
			names_check_environment(&name);
		expanded = expand_at(&value, env);
		if (text && *text && expanded)
			set_variable(env, text, expanded);
		else
			free(expanded);
	}
}
