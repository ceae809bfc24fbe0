/* What `minirun lint` and `minirun explain` say of profiles, for people and for tools. */
#include "runner/verbs/lint.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "runner/json_out.h"
#include "runner/manifest/loader.h"

void lint_profile_of(const struct store *store, const struct planned *item, const char *path,
	const char *text, size_t size, struct findings *findings)
{
	struct lint_subject subject = {.capabilities = item->container.credentials.capabilities};
	const char *name = item->container.argv ? item->container.argv[0] : NULL;
	cleanup_free char *program = NULL;
	struct findings found;

	if (item->image.name && name && store->fd >= 0)
		subject.loader = loader_find(
			store, &item->image, name, item->container.env, item->container.cwd, &program, NULL);
	subject.program = program;
	findings_init(&found, path);
	seccomp_lint(text, size, path, &subject, &found);
	for (size_t i = 0; i < found.n; i++)
		findings_copy(findings, &found.items[i]);
	findings_sort(findings);
	findings_free(&found);
}

void lint_complete_codes(struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		if (!findings->items[i].code)
			findings->items[i].code =
				findings->items[i].severity == SEVERITY_ERROR ? "invalid" : "ignored";
}

static void add_string(struct json_object *json, const char *key, const char *value)
{
	if (value && *value)
		json_object_object_add(json, key, json_object_new_string(value));
}

void lint_add_json(struct json_object *array, const struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *f = &findings->items[i];
		struct json_object *json = json_object_new_object();

		add_string(json, "file", findings->file);
		if (f->line) {
			json_object_object_add(json, "line", json_object_new_int64(f->line));
			json_object_object_add(json, "column", json_object_new_int64(f->column));
		}
		add_string(json, "severity", severity_name(f->severity));
		add_string(json, "code", f->code);
		add_string(json, "path", f->path);
		add_string(json, "message", f->text);
		add_string(json, "hint", f->hint);
		json_object_array_add(array, json);
	}
}

void lint_print_json(struct json_object *json)
{
	json_out_print(json, stdout);
	json_object_put(json);
}
