/* The fields that choose a machine. There is one machine: they are known, so that a misspelt one is noticed. */
#include "runner/manifest/fields.h"

#include "base/cleanup.h"

static const struct field requirement_rows[] = {
	PART("key", FIELD_STRING),
	PART("operator", FIELD_STRING),
	PART_LIST("values", FIELD_STRING),
};
static const struct object requirement = OBJECT("LabelSelectorRequirement", requirement_rows);

static const struct field selector_rows[] = {
	PART_OBJECTS("matchExpressions", &requirement),
	PART_MAP("matchLabels", FIELD_STRING),
};
const struct object fields_label_selector = OBJECT("LabelSelector", selector_rows);

static const struct field node_term_rows[] = {
	PART_OBJECTS("matchExpressions", &requirement),
	PART_OBJECTS("matchFields", &requirement),
};
static const struct object node_term = OBJECT("NodeSelectorTerm", node_term_rows);

static const struct field node_selector_rows[] = {
	PART_OBJECTS("nodeSelectorTerms", &node_term),
};
static const struct object node_selector = OBJECT("NodeSelector", node_selector_rows);

static const struct field node_preferred_rows[] = {
	PART_OBJECT("preference", &node_term),
	PART("weight", FIELD_INT32),
};
static const struct object node_preferred = OBJECT("PreferredSchedulingTerm", node_preferred_rows);

#define REQUIRED  "requiredDuringSchedulingIgnoredDuringExecution"
#define PREFERRED "preferredDuringSchedulingIgnoredDuringExecution"

static const struct field node_affinity_rows[] = {
	PART_OBJECTS(PREFERRED, &node_preferred),
	PART_OBJECT(REQUIRED, &node_selector),
};
static const struct object node_affinity = OBJECT("NodeAffinity", node_affinity_rows);

static const struct field pod_term_rows[] = {
	PART_OBJECT("labelSelector", &fields_label_selector),
	PART_LIST("matchLabelKeys", FIELD_STRING),
	PART_LIST("mismatchLabelKeys", FIELD_STRING),
	PART_OBJECT("namespaceSelector", &fields_label_selector),
	PART_LIST("namespaces", FIELD_STRING),
	PART("topologyKey", FIELD_STRING),
};
static const struct object pod_term = OBJECT("PodAffinityTerm", pod_term_rows);

static const struct field pod_preferred_rows[] = {
	PART_OBJECT("podAffinityTerm", &pod_term),
	PART("weight", FIELD_INT32),
};
static const struct object pod_preferred = OBJECT("WeightedPodAffinityTerm", pod_preferred_rows);

static const struct field pod_affinity_rows[] = {
	PART_OBJECTS(PREFERRED, &pod_preferred),
	PART_OBJECTS(REQUIRED, &pod_term),
};
static const struct object pod_affinity = OBJECT("PodAffinity", pod_affinity_rows);

static const struct field affinity_rows[] = {
	PART_OBJECT("nodeAffinity", &node_affinity),
	PART_OBJECT("podAffinity", &pod_affinity),
	PART_OBJECT("podAntiAffinity", &pod_affinity),
};
const struct object fields_affinity = OBJECT("Affinity", affinity_rows);

static const struct field toleration_rows[] = {
	PART("effect", FIELD_STRING),
	PART("key", FIELD_STRING),
	PART("operator", FIELD_STRING),
	PART("tolerationSeconds", FIELD_INT64),
	PART("value", FIELD_STRING),
};
const struct object fields_toleration = OBJECT("Toleration", toleration_rows);

static const struct field spread_rows[] = {
	PART_OBJECT("labelSelector", &fields_label_selector),
	PART_LIST("matchLabelKeys", FIELD_STRING),
	PART("maxSkew", FIELD_INT32),
	PART("minDomains", FIELD_INT32),
	PART("nodeAffinityPolicy", FIELD_STRING),
	PART("nodeTaintsPolicy", FIELD_STRING),
	PART("topologyKey", FIELD_STRING),
	PART("whenUnsatisfiable", FIELD_STRING),
};
const struct object fields_topology_spread = OBJECT("TopologySpreadConstraint", spread_rows);
