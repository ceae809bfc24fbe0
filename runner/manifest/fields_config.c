/* The fields of what may stand beside the Pod: ConfigMap, Secret, List; and of what refers to the pod's own. */
#include "runner/manifest/fields.h"

#include "base/cleanup.h"

#define NOTHING_CHANGES "nothing changes it here"

/* Of what metadata says, the name and the namespace count; all of it is checked. */
static const struct field metadata_rows[] = {
	ROW("name", FIELD_STRING, SHAPE_ONE, USE_ACT, "its name, of kinds of its own", NULL, NULL),
	ROW("namespace", FIELD_STRING, SHAPE_ONE, USE_ACT, "must be the pod's; default \"default\"", NULL,
		NULL),
	PART_MAP("annotations", FIELD_STRING),
	PART("creationTimestamp", FIELD_TIME),
	PART("deletionGracePeriodSeconds", FIELD_INT64),
	PART("deletionTimestamp", FIELD_TIME),
	PART_LIST("finalizers", FIELD_STRING),
	PART("generateName", FIELD_STRING),
	PART("generation", FIELD_INT64),
	PART_MAP("labels", FIELD_STRING),
	PART("managedFields", FIELD_ANY),
	PART("ownerReferences", FIELD_ANY),
	PART("resourceVersion", FIELD_STRING),
	PART("selfLink", FIELD_STRING),
	PART("uid", FIELD_STRING),
};
static const struct object metadata = OBJECT("ObjectMeta", metadata_rows);

static const struct field config_map_rows[] = {
	ROW("apiVersion", FIELD_STRING, SHAPE_ONE, USE_ACT, "must be v1", NULL, NULL),
	ROW("binaryData", FIELD_STRING, SHAPE_MAP, USE_ACT, "bytes in base64; for volumes alone", NULL, NULL),
	ROW("data", FIELD_STRING, SHAPE_MAP, USE_ACT, "texts", NULL, NULL),
	ROW("immutable", FIELD_BOOL, SHAPE_ONE, USE_SILENT, NOTHING_CHANGES, NULL, NULL),
	ROW("kind", FIELD_STRING, SHAPE_ONE, USE_ACT, "ConfigMap", NULL, NULL),
	ROW("metadata", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "its name", NULL, &metadata),
};
const struct object fields_config_map = OBJECT("ConfigMap", config_map_rows);

static const struct field secret_rows[] = {
	ROW("apiVersion", FIELD_STRING, SHAPE_ONE, USE_ACT, "must be v1", NULL, NULL),
	ROW("data", FIELD_SECRET, SHAPE_MAP, USE_ACT, "bytes in base64", NULL, NULL),
	ROW("immutable", FIELD_BOOL, SHAPE_ONE, USE_SILENT, NOTHING_CHANGES, NULL, NULL),
	ROW("kind", FIELD_STRING, SHAPE_ONE, USE_ACT, "Secret", NULL, NULL),
	ROW("metadata", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "its name", NULL, &metadata),
	ROW("stringData", FIELD_SECRET, SHAPE_MAP, USE_ACT, "texts; they go before those of data", NULL,
		NULL),
	ROW("type", FIELD_STRING, SHAPE_ONE, USE_ACT, "what keys there must be; default Opaque", NULL, NULL),
};
const struct object fields_secret = OBJECT("Secret", secret_rows);

static const struct field list_rows[] = {
	PART("apiVersion", FIELD_STRING),
	ROW("items", FIELD_ANY, SHAPE_LIST, USE_ACT, "each like a document of its own", NULL, NULL),
	PART("kind", FIELD_STRING),
	PART("metadata", FIELD_ANY),
};
const struct object fields_list = OBJECT("List", list_rows);

static const struct field field_ref_rows[] = {
	ROW("apiVersion", FIELD_STRING, SHAPE_ONE, USE_ACT, "v1", NULL, NULL),
	ROW("fieldPath", FIELD_STRING, SHAPE_ONE, USE_ACT,
		"metadata.name, .namespace, .uid, .labels['KEY'], .annotations['KEY']; in volumes also "
		"metadata.labels and metadata.annotations; in variables also spec.nodeName, "
		"spec.serviceAccountName, status.hostIP, status.hostIPs, status.podIP and status.podIPs",
		NULL, NULL),
};
const struct object fields_field_ref = OBJECT("ObjectFieldSelector", field_ref_rows);

static const struct field resource_ref_rows[] = {
	ROW("containerName", FIELD_STRING, SHAPE_ONE, USE_ACT, "in variables, by default their container",
		NULL, NULL),
	ROW("divisor", FIELD_QUANTITY, SHAPE_ONE, USE_ACT, "default 1; what is left rounds up", NULL, NULL),
	ROW("resource", FIELD_STRING, SHAPE_ONE, USE_ACT,
		"limits. or requests. and cpu, memory or ephemeral-storage; a limit that isn't given is what "
		"the machine has",
		NULL, NULL),
};
const struct object fields_resource_ref = OBJECT("ResourceFieldSelector", resource_ref_rows);
