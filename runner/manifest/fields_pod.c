/* The fields of a pod: the root of the table. */
#include "runner/manifest/fields.h"

#include "base/cleanup.h"

#define SERVER      "written by the API server"
#define ONE_MACHINE "there is one machine"

static const struct field owner_rows[] = {
	PART("apiVersion", FIELD_STRING),
	PART("blockOwnerDeletion", FIELD_BOOL),
	PART("controller", FIELD_BOOL),
	PART("kind", FIELD_STRING),
	PART("name", FIELD_STRING),
	PART("uid", FIELD_STRING),
};
static const struct object owner = OBJECT("OwnerReference", owner_rows);

static const struct field metadata_rows[] = {
	ROW("annotations", FIELD_STRING, SHAPE_MAP, USE_ACT, "kept; the AppArmor ones are obeyed", NULL,
		NULL),
	ROW("creationTimestamp", FIELD_TIME, SHAPE_ONE, USE_SILENT, SERVER, NULL, NULL),
	ROW("deletionGracePeriodSeconds", FIELD_INT64, SHAPE_ONE, USE_SILENT, SERVER, NULL, NULL),
	ROW("deletionTimestamp", FIELD_TIME, SHAPE_ONE, USE_SILENT, SERVER, NULL, NULL),
	ROW("finalizers", FIELD_STRING, SHAPE_LIST, USE_WARN, "nothing waits for them", NULL, NULL),
	ROW("generateName", FIELD_STRING, SHAPE_ONE, USE_WARN, "the pod's name is metadata.name", NULL, NULL),
	ROW("generation", FIELD_INT64, SHAPE_ONE, USE_SILENT, SERVER, NULL, NULL),
	ROW("labels", FIELD_STRING, SHAPE_MAP, USE_ACT, "kept", NULL, NULL),
	ROW("managedFields", FIELD_ANY, SHAPE_ONE, USE_SILENT, SERVER, NULL, NULL),
	ROW("name", FIELD_STRING, SHAPE_ONE, USE_ACT, "the pod's name", NULL, NULL),
	ROW("namespace", FIELD_STRING, SHAPE_ONE, USE_ACT, "kept; default \"default\"", NULL, NULL),
	ROW("ownerReferences", FIELD_OBJECT, SHAPE_LIST, USE_SILENT, "nothing else owns a pod here", NULL,
		&owner),
	ROW("resourceVersion", FIELD_STRING, SHAPE_ONE, USE_SILENT, SERVER, NULL, NULL),
	ROW("selfLink", FIELD_STRING, SHAPE_ONE, USE_SILENT, SERVER, NULL, NULL),
	ROW("uid", FIELD_STRING, SHAPE_ONE, USE_SILENT, SERVER, NULL, NULL),
};
const struct object fields_metadata = OBJECT("ObjectMeta", metadata_rows);

static const struct field alias_rows[] = {
	ROW("hostnames", FIELD_STRING, SHAPE_LIST, USE_ACT, "the names of that address", NULL, NULL),
	ROW("ip", FIELD_STRING, SHAPE_ONE, USE_ACT, "an address", NULL, NULL),
};
static const struct object alias = OBJECT("HostAlias", alias_rows);

static const struct field dns_option_rows[] = {
	PART("name", FIELD_STRING),
	PART("value", FIELD_STRING),
};
static const struct object dns_option = OBJECT("PodDNSConfigOption", dns_option_rows);

static const struct field dns_rows[] = {
	PART_LIST("nameservers", FIELD_STRING),
	PART_OBJECTS("options", &dns_option),
	PART_LIST("searches", FIELD_STRING),
};
static const struct object dns = OBJECT("PodDNSConfig", dns_rows);

static const struct field os_rows[] = {
	ROW("name", FIELD_STRING, SHAPE_ONE, USE_REFUSE, "minirun runs Linux containers", "linux", NULL),
};
static const struct object os = OBJECT("PodOS", os_rows);

static const struct field gate_rows[] = {
	ROW("conditionType", FIELD_STRING, SHAPE_ONE, USE_ACT, "its type", NULL, NULL),
};
static const struct object gate = OBJECT("PodReadinessGate", gate_rows);

static const struct field claim_rows[] = {
	PART("name", FIELD_STRING),
	PART("resourceClaimName", FIELD_STRING),
	PART("resourceClaimTemplateName", FIELD_STRING),
};
static const struct object claim = OBJECT("PodResourceClaim", claim_rows);

static const struct field group_rows[] = {
	PART("podGroupName", FIELD_STRING),
};
static const struct object scheduling_group = OBJECT("PodSchedulingGroup", group_rows);

static const struct field spec_rows[] = {
	ROW("activeDeadlineSeconds", FIELD_INT64, SHAPE_ONE, USE_ACT, "the pod fails after this time", NULL,
		NULL),
	ROW("affinity", FIELD_OBJECT, SHAPE_ONE, USE_WARN, ONE_MACHINE, NULL, &fields_affinity),
	ROW("automountServiceAccountToken", FIELD_BOOL, SHAPE_ONE, USE_WARN, "there is no service account",
		"false", NULL),
	ROW("containers", FIELD_OBJECT, SHAPE_LIST, USE_ACT, "run together, after the init containers", NULL,
		&fields_container),
	ROW("dnsConfig", FIELD_OBJECT, SHAPE_ONE, USE_WARN, "the host's resolv.conf is used", NULL, &dns),
	ROW("dnsPolicy", FIELD_STRING, SHAPE_ONE, USE_WARN, "the host's resolv.conf is used",
		"ClusterFirst|ClusterFirstWithHostNet|Default", NULL),
	ROW("enableServiceLinks", FIELD_BOOL, SHAPE_ONE, USE_SILENT, "there are no services", NULL, NULL),
	ROW("ephemeralContainers", FIELD_OBJECT, SHAPE_LIST, USE_REFUSE, "use minirun exec", NULL,
		&fields_ephemeral_container),
	ROW("hostAliases", FIELD_OBJECT, SHAPE_LIST, USE_ACT, "lines of /etc/hosts", NULL, &alias),
	ROW("hostIPC", FIELD_BOOL, SHAPE_ONE, USE_ACT, "shares the host's ipc namespace", NULL, NULL),
	ROW("hostNetwork", FIELD_BOOL, SHAPE_ONE, USE_ACT, "shares the host's network", NULL, NULL),
	ROW("hostPID", FIELD_BOOL, SHAPE_ONE, USE_ACT, "shares the host's processes", NULL, NULL),
	ROW("hostUsers", FIELD_BOOL, SHAPE_ONE, USE_ACT,
		"false: a user namespace of the pod's own, as an ordinary user's pod always has", NULL, NULL),
	ROW("hostname", FIELD_STRING, SHAPE_ONE, USE_ACT, "the hostname; default the pod's name", NULL, NULL),
	ROW("hostnameOverride", FIELD_STRING, SHAPE_ONE, USE_WARN, "use hostname", NULL, NULL),
	ROW("imagePullSecrets", FIELD_OBJECT, SHAPE_LIST, USE_WARN, "credentials are those of skopeo login",
		NULL, &fields_name),
	ROW("initContainers", FIELD_OBJECT, SHAPE_LIST, USE_ACT, "run one after the other, first", NULL,
		&fields_container),
	ROW("nodeName", FIELD_STRING, SHAPE_ONE, USE_SILENT, ONE_MACHINE, NULL, NULL),
	ROW("nodeSelector", FIELD_STRING, SHAPE_MAP, USE_WARN, ONE_MACHINE, NULL, NULL),
	ROW("os", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "linux", NULL, &os),
	ROW("overhead", FIELD_QUANTITY, SHAPE_MAP, USE_SILENT, SERVER, NULL, NULL),
	ROW("preemptionPolicy", FIELD_STRING, SHAPE_ONE, USE_SILENT, ONE_MACHINE, NULL, NULL),
	ROW("priority", FIELD_INT32, SHAPE_ONE, USE_SILENT, ONE_MACHINE, NULL, NULL),
	ROW("priorityClassName", FIELD_STRING, SHAPE_ONE, USE_SILENT, ONE_MACHINE, NULL, NULL),
	ROW("readinessGates", FIELD_OBJECT, SHAPE_LIST, USE_ACT,
		"nobody sets conditions here: the pod is never Ready, and that is said", NULL, &gate),
	ROW("resourceClaims", FIELD_OBJECT, SHAPE_LIST, USE_WARN, "no device is allocated", NULL, &claim),
	ROW("resources", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "limits and requests", NULL, &fields_resources),
	ROW("restartPolicy", FIELD_STRING, SHAPE_ONE, USE_ACT, "Always, OnFailure or Never", NULL, NULL),
	ROW("runtimeClassName", FIELD_STRING, SHAPE_ONE, USE_REFUSE, "minirun is the only runtime", NULL,
		NULL),
	ROW("schedulerName", FIELD_STRING, SHAPE_ONE, USE_SILENT, ONE_MACHINE, NULL, NULL),
	ROW("schedulingGates", FIELD_OBJECT, SHAPE_LIST, USE_WARN, "the pod starts at once", NULL,
		&fields_name),
	ROW("schedulingGroup", FIELD_OBJECT, SHAPE_ONE, USE_WARN, ONE_MACHINE, NULL, &scheduling_group),
	ROW("securityContext", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "the locks on all containers", NULL,
		&fields_pod_security_context),
	ROW("serviceAccount", FIELD_STRING, SHAPE_ONE, USE_WARN, "there is no service account", "default",
		NULL),
	ROW("serviceAccountName", FIELD_STRING, SHAPE_ONE, USE_WARN, "there is no service account", "default",
		NULL),
	ROW("setHostnameAsFQDN", FIELD_BOOL, SHAPE_ONE, USE_WARN, "the hostname has no domain", NULL, NULL),
	ROW("shareProcessNamespace", FIELD_BOOL, SHAPE_ONE, USE_ACT, "one pid namespace for all containers",
		NULL, NULL),
	ROW("subdomain", FIELD_STRING, SHAPE_ONE, USE_WARN, "the hostname has no domain", NULL, NULL),
	ROW("terminationGracePeriodSeconds", FIELD_INT64, SHAPE_ONE, USE_ACT,
		"from SIGTERM to SIGKILL; default 30", NULL, NULL),
	ROW("tolerations", FIELD_OBJECT, SHAPE_LIST, USE_SILENT, ONE_MACHINE, NULL, &fields_toleration),
	ROW("topologySpreadConstraints", FIELD_OBJECT, SHAPE_LIST, USE_WARN, ONE_MACHINE, NULL,
		&fields_topology_spread),
	ROW("volumes", FIELD_OBJECT, SHAPE_LIST, USE_ACT, "what the containers can mount", NULL,
		&fields_volume),
};
static const struct object spec = OBJECT("PodSpec", spec_rows);

static const struct field pod_rows[] = {
	ROW("apiVersion", FIELD_STRING, SHAPE_ONE, USE_ACT, "v1", NULL, NULL),
	ROW("kind", FIELD_STRING, SHAPE_ONE, USE_ACT, "Pod", NULL, NULL),
	ROW("metadata", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "the pod's name and labels", NULL,
		&fields_metadata),
	ROW("spec", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "what to run", NULL, &spec),
	ROW("status", FIELD_ANY, SHAPE_ONE, USE_SILENT, SERVER, NULL, NULL),
};
const struct object fields_pod = OBJECT("Pod", pod_rows);
