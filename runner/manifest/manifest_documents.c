/*
 * What a manifest's file holds: documents and Lists, and in them one Pod, with ConfigMaps and Secrets beside it.
 *
 * As kubectl apply takes them, in any order. Of the other kinds those that run pods of their own are refused, since a part of what was asked for
 * would be missing, as is what would be a lock; what only tells a cluster where things are is named in a warning.
 */
#include "runner/manifest/manifest_parts.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/manifest/fields.h"

enum kind_use {
	KIND_POD,
	KIND_CONFIG_MAP,
	KIND_SECRET,
	KIND_LIST,
	KIND_WARN,
	KIND_REFUSE,
	KIND_UNKNOWN, /* nothing more is to be said of it */
};

#define TEMPLATE   "minirun runs Pods: take metadata and spec from its spec.template"
#define NO_CLUSTER "there is no cluster here"

static const struct {
	const char *kind;
	enum kind_use use;
	const char *note; /* KIND_WARN: what doesn't happen; KIND_REFUSE: what to do instead */
} kinds[] = {
	{"Pod", KIND_POD, NULL},
	{"ConfigMap", KIND_CONFIG_MAP, NULL},
	{"Secret", KIND_SECRET, NULL},
	{"List", KIND_LIST, NULL},
	{"PodList", KIND_LIST, NULL},
	{"ConfigMapList", KIND_LIST, NULL},
	{"SecretList", KIND_LIST, NULL},
	{"Deployment", KIND_REFUSE, TEMPLATE},
	{"ReplicaSet", KIND_REFUSE, TEMPLATE},
	{"StatefulSet", KIND_REFUSE, TEMPLATE},
	{"DaemonSet", KIND_REFUSE, TEMPLATE},
	{"Job", KIND_REFUSE, TEMPLATE},
	{"ReplicationController", KIND_REFUSE, TEMPLATE},
	{"CronJob", KIND_REFUSE,
		"minirun runs Pods: take metadata and spec from its spec.jobTemplate.spec.template"},
	{"NetworkPolicy", KIND_REFUSE, "nothing enforces it here: take it out to run the Pod without"},
	{"ClusterRole", KIND_WARN, NO_CLUSTER},
	{"ClusterRoleBinding", KIND_WARN, NO_CLUSTER},
	{"HorizontalPodAutoscaler", KIND_WARN, "nothing is scaled"},
	{"Ingress", KIND_WARN, "nothing is published by it"},
	{"LimitRange", KIND_WARN, "it limits nothing: resources of the Pod do"},
	{"Namespace", KIND_WARN, "metadata.namespace of the Pod is kept without it"},
	{"PersistentVolume", KIND_WARN, "no storage is provided: emptyDir and hostPath are there"},
	{"PersistentVolumeClaim", KIND_WARN, "no storage is provided: emptyDir and hostPath are there"},
	{"PodDisruptionBudget", KIND_WARN, NO_CLUSTER},
	{"PriorityClass", KIND_WARN, NO_CLUSTER},
	{"ResourceQuota", KIND_WARN, "it limits nothing: resources of the Pod do"},
	{"Role", KIND_WARN, NO_CLUSTER},
	{"RoleBinding", KIND_WARN, NO_CLUSTER},
	{"RuntimeClass", KIND_WARN, NO_CLUSTER},
	{"Service", KIND_WARN, "no name or address of it leads to the Pod"},
	{"ServiceAccount", KIND_WARN, "there is no API server that it would be for"},
	{"StorageClass", KIND_WARN, NO_CLUSTER},
};

static void refuse_kind(const struct cursor *kind, const char *note)
{
	static const char *const supported[] = {"ConfigMap", "List", "Pod", "Secret"};
	cleanup_free char *value = cursor_value(kind), *hint = NULL;
	const char *text = cursor_string(kind);
	const char *nearest = text ? text_nearest(text, supported, array_length(supported)) : NULL;

	if (!note && nearest)
		hint = xasprintf("did you mean \"%s\"?", nearest);
	cursor_add(kind, SEVERITY_ERROR,
		note   ? note
		: hint ? hint
		       : "minirun runs Pods",
		"Unsupported value: %s: supported values: \"ConfigMap\", \"List\", \"Pod\", \"Secret\"",
		value);
}

static enum kind_use check_version(const struct cursor *object, enum kind_use use)
{
	struct cursor version = cursor_get(object, "apiVersion");
	const char *text = cursor_string(&version);
	cleanup_free char *value = cursor_value(&version);

	if (!version.node)
		cursor_required(&version, "must be \"v1\"");
	else if (!text || strcmp(text, "v1") != 0)
		cursor_add(&version, SEVERITY_ERROR, NULL, "Unsupported value: %s: supported values: \"v1\"",
			value);
	return use;
}

/* What an object is; what is wrong with that is told. */
static enum kind_use check_kind(const struct cursor *object)
{
	struct cursor kind = cursor_get(object, "kind"), version = cursor_get(object, "apiVersion");
	const char *text = cursor_string(&kind);

	if (!object->node || object->node->kind != NODE_MAP) {
		cursor_add(object, SEVERITY_ERROR, NULL,
			"expected a map with apiVersion, kind, metadata and spec, got %s",
			object->node ? node_kind_name(object->node->kind) : "null");
		return KIND_UNKNOWN;
	}
	if (!kind.node) {
		check_version(object, KIND_UNKNOWN);
		cursor_required(&kind, "must be \"Pod\"");
		/* Without either it is hardly a manifest; with one of them it is one with a gap. */
		return version.node && node_get(object->node, "spec") ? KIND_POD : KIND_UNKNOWN;
	}
	for (size_t i = 0; text && i < array_length(kinds); i++) {
		if (strcmp(text, kinds[i].kind) != 0)
			continue;
		if (kinds[i].use == KIND_WARN)
			cursor_warn(&kind, "known, not supported here: %s", kinds[i].note);
		else if (kinds[i].use == KIND_REFUSE)
			refuse_kind(&kind, kinds[i].note);
		else
			check_version(object, kinds[i].use);
		return kinds[i].use;
	}
	refuse_kind(&kind, NULL);
	return KIND_UNKNOWN;
}

/* All objects of a file are gone through twice: references may go forwards. */
struct gathering {
	struct pod *pod;
	const struct node *pod_node; /* the Pod; NULL: none so far */
	bool wrong_kind;
};

static void gather(const struct cursor *object, struct gathering *gathering, unsigned int depth)
{
	struct cursor items = cursor_get(object, "items"), kind = cursor_get(object, "kind");
	enum kind_use use = check_kind(object);

	switch (use) {
	case KIND_POD:
		if (gathering->pod_node)
			cursor_add(&kind, SEVERITY_ERROR, "put each Pod into a file of its own",
				"minirun runs one Pod a file: there is one on line %u already",
				gathering->pod_node->line);
		else
			gathering->pod_node = object->node;
		break;
	case KIND_CONFIG_MAP:
	case KIND_SECRET:
		manifest_config(object, use == KIND_SECRET, gathering->pod);
		break;
	case KIND_LIST:
		fields_check(object, &fields_list);
		for (size_t i = 0; i < cursor_items(&items) && depth < DOCUMENT_DEPTH; i++) {
			struct cursor item = cursor_item(&items, i);

			gather(&item, gathering, depth + 1);
		}
		break;
	case KIND_REFUSE:
	case KIND_UNKNOWN:
		gathering->wrong_kind = true;
		break;
	case KIND_WARN:
	default:
		break;
	}
}

/* Reads the Pod where it lies, by a cursor that has all its parents. */
static void read_pod(const struct cursor *object, const struct gathering *gathering)
{
	struct cursor items = cursor_get(object, "items");

	if (object->node == gathering->pod_node) {
		manifest_pod(object, gathering->pod);
		return;
	}
	for (size_t i = 0; i < cursor_items(&items); i++) {
		struct cursor item = cursor_item(&items, i);

		read_pod(&item, gathering);
	}
}

void manifest_documents(const struct node *documents, struct findings *findings, struct pod *pod)
{
	const struct node *first = documents->n ? documents->items[0] : NULL;
	struct gathering gathering = {.pod = pod};

	for (size_t i = 0; i < documents->n; i++) {
		struct cursor root = {.node = documents->items[i], .findings = findings};

		gather(&root, &gathering, 0);
	}
	for (size_t i = 0; gathering.pod_node && i < documents->n; i++) {
		struct cursor root = {.node = documents->items[i], .findings = findings};

		read_pod(&root, &gathering);
	}
	if (!gathering.pod_node && !gathering.wrong_kind)
		findings_add(findings, SEVERITY_ERROR, first ? first->line : 0, first ? first->column : 0,
			NULL, "minirun runs a Pod, with the ConfigMaps and Secrets beside it",
			"there is no Pod in the file");
}

const struct node *manifest_find_pod(const struct node *documents)
{
	const struct node *kind = node_get(documents, "kind");
	const struct node *list = documents->kind == NODE_LIST ? documents : node_get(documents, "items");
	const struct node *found = kind && kind->text && !strcmp(kind->text, "Pod") ? documents : NULL;

	for (size_t i = 0; !found && list && list->kind == NODE_LIST && i < list->n; i++)
		found = manifest_find_pod(list->items[i]);
	return found;
}
