/* The manifest as the API server would give it back: the same object, with defaults, as JSON. */
#include <json-c/json.h>
#include <string.h>

#include "base/cleanup.h"
#include "runner/manifest/manifest_parts.h"

static struct json_object *to_json(const struct node *node)
{
	struct json_object *object;

	switch (node->kind) {
	case NODE_BOOL:
		return json_object_new_boolean(node->boolean);
	case NODE_INTEGER:
		return json_object_new_int64(node->integer);
	case NODE_DOUBLE:
		return json_object_new_double(node->number);
	case NODE_STRING:
		return json_object_new_string(node->text);
	case NODE_LIST:
		object = json_object_new_array();
		for (size_t i = 0; i < node->n; i++)
			json_object_array_add(object, to_json(node->items[i]));
		return object;
	case NODE_MAP:
		object = json_object_new_object();
		for (size_t i = 0; i < node->n; i++)
			json_object_object_add(object, node->items[i]->key, to_json(node->items[i]));
		return object;
	case NODE_NULL:
	default:
		return NULL;
	}
}

static void set_default(struct json_object *object, const char *key, struct json_object *value)
{
	if (json_object_object_get(object, key))
		json_object_put(value);
	else
		json_object_object_add(object, key, value);
}

static struct json_object *text(const char *value)
{
	return json_object_new_string(value);
}

/* fieldRef.apiVersion of variables and files. */
static void complete_field(struct json_object *holder)
{
	struct json_object *field = json_object_object_get(holder, "fieldRef");

	if (field)
		set_default(field, "apiVersion", text("v1"));
}

static void complete_fields(struct json_object *list, const char *inside)
{
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);

		complete_field(inside ? json_object_object_get(item, inside) : item);
	}
}

/* The modes of files, and what has a default in projected volumes and those of the downward API. */
static void complete_volumes(struct json_object *list)
{
	static const char *const with_mode[] = {"configMap", "secret", "projected", "downwardAPI"};

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *volume = json_object_array_get_idx(list, i);
		struct json_object *projected = json_object_object_get(volume, "projected");
		struct json_object *downward = json_object_object_get(volume, "downwardAPI");
		struct json_object *sources = json_object_object_get(projected, "sources");

		for (size_t j = 0; j < array_length(with_mode); j++) {
			struct json_object *source = json_object_object_get(volume, with_mode[j]);

			if (source)
				set_default(source, "defaultMode", json_object_new_int(0644));
		}
		complete_fields(json_object_object_get(downward, "items"), NULL);
		for (size_t j = 0; sources && j < json_object_array_length(sources); j++)
			complete_fields(json_object_object_get(
						json_object_object_get(
							json_object_array_get_idx(sources, j), "downwardAPI"),
						"items"),
				NULL);
	}
}

static void complete_containers(struct json_object *list, const struct container_spec *specs, size_t n_specs)
{
	static const char *const policies[] = {
		[PULL_ALWAYS] = "Always", [PULL_IF_NOT_PRESENT] = "IfNotPresent", [PULL_NEVER] = "Never"};

	for (size_t i = 0; i < n_specs; i++) {
		struct json_object *container = json_object_array_get_idx(list, i);

		set_default(container, "imagePullPolicy", text(policies[specs[i].pull_policy]));
		set_default(container, "resources", json_object_new_object());
		set_default(container, "terminationMessagePath", text(specs[i].termination_message_path));
		set_default(container, "terminationMessagePolicy", text("File"));
		complete_fields(json_object_object_get(container, "env"), "valueFrom");
	}
}

/* As pkg/apis/core/v1/defaults.go, as far as it is shown or looked at. */
static void complete(struct json_object *object, const struct pod *pod)
{
	static const char *const policies[] = {
		[RESTART_ALWAYS] = "Always", [RESTART_ON_FAILURE] = "OnFailure", [RESTART_NEVER] = "Never"};
	struct json_object *metadata = json_object_object_get(object, "metadata");
	struct json_object *spec = json_object_object_get(object, "spec");

	json_object_object_del(object, "status");
	json_object_object_del(metadata, "creationTimestamp");
	set_default(metadata, "namespace", text(pod->namespace));
	complete_containers(
		json_object_object_get(spec, "initContainers"), pod->init_containers, pod->n_init_containers);
	complete_containers(json_object_object_get(spec, "containers"), pod->containers, pod->n_containers);
	complete_volumes(json_object_object_get(spec, "volumes"));
	set_default(spec, "dnsPolicy", text("ClusterFirst"));
	set_default(spec, "enableServiceLinks", json_object_new_boolean(true));
	set_default(spec, "restartPolicy", text(policies[pod->restart_policy]));
	set_default(spec, "schedulerName", text("default-scheduler"));
	set_default(spec, "securityContext", json_object_new_object());
	set_default(spec, "terminationGracePeriodSeconds",
		json_object_new_int64((int64_t)pod->termination_grace_period));
}

struct json_object *manifest_object(const char *source, size_t size, const struct pod *pod)
{
	struct findings findings;
	struct json_object *object = NULL;
	struct node *documents;

	findings_init(&findings, "");
	documents = document_read_all(source, size, DOCUMENT_AUTO, &findings);
	if (documents) {
		object = to_json(manifest_find_pod(documents));
		complete(object, pod);
	}
	node_free(documents);
	findings_free(&findings);
	return object;
}
