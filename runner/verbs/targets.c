/* The pods that a command line means. See targets.h. */
#include "runner/verbs/targets.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/document.h"
#include "base/fd.h"
#include "base/memory.h"
#include "runner/verbs/catalog.h"
#include "runner/manifest/manifest.h"
#include "runner/verbs/selector.h"

/* Without a selector it is all pods. */
static int take_selected(const char *root, const char *selector, struct targets *targets, struct error *err)
{
	struct record *records;
	size_t n;

	if ((selector && selector_check(selector, err) < 0) ||
		catalog_list(root, targets->namespace, &records, &n, err) < 0)
		return -1;
	targets->selected = true;
	for (size_t i = 0; i < n; i++) {
		if (!selector || selector_matches(selector, json_at(records[i].pod, "metadata.labels")))
			strv_push(&targets->names, xstrdup(records[i].name));
		record_free(&records[i]);
	}
	free(records);
	return 0;
}

/* The file's own word counts, but -n mustn't contradict it. */
static int take_namespace(const struct invocation *invocation, const struct node *metadata,
	struct targets *targets, struct error *err)
{
	const struct node *node = node_get(metadata, "namespace");
	const char *own = node && node->kind == NODE_STRING && *node->text ? node->text : NULL;
	const char *asked = invocation->value[OPTION_NAMESPACE];

	if (own && asked && strcmp(own, asked) != 0)
		return error_set(err, ERROR_USAGE, 0,
			"the namespace from the provided object \"%s\" does not match the namespace \"%s\". "
			"You "
			"must pass '--namespace=%s' to perform this operation.",
			own, asked, own);
	free(targets->namespace);
	targets->namespace = xstrdup(own ? own : asked ? asked : "default");
	return 0;
}

/* Of a file only kind and name count, as with kubectl: what else is wrong with it keeps nobody from deleting its pod. */
static int take_file(
	const struct invocation *invocation, const char *file, struct targets *targets, struct error *err)
{
	cleanup_free char *text = NULL;
	cleanup_node struct node *documents = NULL;
	const struct node *metadata, *name;
	struct findings findings;
	size_t size;

	if (file_read(file, DOCUMENT_SIZE, ERROR_MANIFEST, &text, &size, err) < 0)
		return -1;
	findings_init(&findings, file);
	documents = document_read_all(text, size, DOCUMENT_AUTO, &findings);
	findings_print(&findings, stderr);
	findings_free(&findings);
	metadata = documents ? node_get(manifest_find_pod(documents), "metadata") : NULL;
	name = metadata ? node_get(metadata, "name") : NULL;
	if (!name || name->kind != NODE_STRING)
		return error_set(err, ERROR_MANIFEST, 0, "%s: there is no pod in it that has a name", file);
	strv_push(&targets->names, xstrdup(name->text));
	return take_namespace(invocation, metadata, targets, err);
}

static int check_ways(const struct invocation *invocation, int n, struct error *err)
{
	const char *selector = invocation->value[OPTION_SELECTOR];
	const char *file = invocation->value[OPTION_FILENAME];

	if (invocation->value[OPTION_ALL] && (n || selector || file))
		return error_set(err, ERROR_USAGE, 0, "--all: together with %s",
			n          ? "the name of a pod"
			: selector ? "-l"
				   : "-f");
	if (n && invocation->value[OPTION_ALL_NAMESPACES])
		return error_set(
			err, ERROR_USAGE, 0, "a resource cannot be retrieved by name across all namespaces");
	if (n && selector)
		return error_set(err, ERROR_USAGE, 0, "name cannot be provided when a selector is specified");
	if (invocation->n_operands && file)
		return error_set(err, ERROR_USAGE, 0,
			"when paths, URLs, or stdin is provided as input, you may not specify resource "
			"arguments as well");
	if (selector && file)
		return error_set(err, ERROR_USAGE, 0, "-f and -l: one of them");
	return 0;
}

int targets_read(
	const struct invocation *invocation, const char *root, struct targets *targets, struct error *err)
{
	const char *selector = invocation->value[OPTION_SELECTOR];
	const char *file = invocation->value[OPTION_FILENAME];
	int n;
	char **operands = catalog_operands(invocation, &n);

	*targets = (struct targets){.none = !n && !selector && !file && !invocation->value[OPTION_ALL]};
	if (check_ways(invocation, n, err) < 0)
		return -1;
	targets->namespace = xstrdup(catalog_namespace(invocation));
	if (selector || invocation->value[OPTION_ALL])
		return take_selected(root, selector, targets, err);
	if (file)
		return take_file(invocation, file, targets, err);
	for (int i = 0; i < n; i++)
		strv_push(&targets->names, xstrdup(catalog_pod_of(operands[i])));
	return 0;
}

void targets_free(struct targets *targets)
{
	strv_free(targets->names.items);
	free(targets->namespace);
	*targets = (struct targets){0};
}
