/* The fields of a container: what is run, and how it is watched. */
#include "runner/manifest/fields.h"

#include "base/cleanup.h"

static const struct field port_rows[] = {
	ROW("containerPort", FIELD_INT32, SHAPE_ONE, USE_ACT, "shown; published by hostPort alone", NULL,
		NULL),
	ROW("hostIP", FIELD_STRING, SHAPE_ONE, USE_ACT, "where hostPort is published; all of IPv4", NULL,
		NULL),
	ROW("hostPort", FIELD_INT32, SHAPE_ONE, USE_ACT, "published on the host by pasta", NULL, NULL),
	ROW("name", FIELD_STRING, SHAPE_ONE, USE_ACT, "shown", NULL, NULL),
	ROW("protocol", FIELD_STRING, SHAPE_ONE, USE_ACT, "TCP, UDP or SCTP; shown", NULL, NULL),
};
static const struct object port = OBJECT("ContainerPort", port_rows);

static const struct field key_rows[] = {
	ROW("key", FIELD_STRING, SHAPE_ONE, USE_ACT, "which of its keys", NULL, NULL),
	ROW("name", FIELD_STRING, SHAPE_ONE, USE_ACT, "of the ConfigMap or Secret in the same file", NULL,
		NULL),
	ROW("optional", FIELD_BOOL, SHAPE_ONE, USE_ACT,
		"if it or the key isn't there, there is no variable; else that is an error", NULL, NULL),
};
static const struct object config_key = OBJECT("ConfigMapKeySelector", key_rows);
static const struct object secret_key = OBJECT("SecretKeySelector", key_rows);

static const struct field file_key_rows[] = {
	PART("key", FIELD_STRING),
	PART("optional", FIELD_BOOL),
	PART("path", FIELD_STRING),
	PART("volumeName", FIELD_STRING),
};
static const struct object file_key = OBJECT("FileKeySelector", file_key_rows);

static const struct field env_source_rows[] = {
	ROW("configMapKeyRef", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "a key of a ConfigMap", NULL, &config_key),
	ROW("fieldRef", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "something of the pod", NULL, &fields_field_ref),
	ROW("fileKeyRef", FIELD_OBJECT, SHAPE_ONE, USE_REFUSE,
		"no file is read for variables: use configMapKeyRef or secretKeyRef", NULL, &file_key),
	ROW("resourceFieldRef", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "a limit or request of a container", NULL,
		&fields_resource_ref),
	ROW("secretKeyRef", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "a key of a Secret", NULL, &secret_key),
};
static const struct object env_source = OBJECT("EnvVarSource", env_source_rows);

static const struct field env_rows[] = {
	ROW("name", FIELD_STRING, SHAPE_ONE, USE_ACT, "the variable's name", NULL, NULL),
	ROW("value", FIELD_STRING, SHAPE_ONE, USE_ACT,
		"its value; $(NAME) of an earlier variable is expanded", NULL, NULL),
	ROW("valueFrom", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "where its value comes from, instead", NULL,
		&env_source),
};
static const struct object env = OBJECT("EnvVar", env_rows);

static const struct field env_ref_rows[] = {
	ROW("name", FIELD_STRING, SHAPE_ONE, USE_ACT, "of the ConfigMap or Secret in the same file", NULL,
		NULL),
	ROW("optional", FIELD_BOOL, SHAPE_ONE, USE_ACT, "it need not be there", NULL, NULL),
};
static const struct object config_env = OBJECT("ConfigMapEnvSource", env_ref_rows);
static const struct object secret_env = OBJECT("SecretEnvSource", env_ref_rows);

static const struct field env_from_rows[] = {
	ROW("configMapRef", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "a variable for each key of data", NULL,
		&config_env),
	ROW("prefix", FIELD_STRING, SHAPE_ONE, USE_ACT, "stands before each name", NULL, NULL),
	ROW("secretRef", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "a variable for each key", NULL, &secret_env),
};
static const struct object env_from = OBJECT("EnvFromSource", env_from_rows);

static const struct field mount_rows[] = {
	ROW("bindMountOptions", FIELD_STRING, SHAPE_LIST, USE_REFUSE, "the mount has none of these options",
		NULL, NULL),
	ROW("mountPath", FIELD_STRING, SHAPE_ONE, USE_ACT, "where the container sees the volume", NULL, NULL),
	ROW("mountPropagation", FIELD_STRING, SHAPE_ONE, USE_WARN,
		"no mount passes between host and container", "None", NULL),
	ROW("name", FIELD_STRING, SHAPE_ONE, USE_ACT, "the volume's name", NULL, NULL),
	ROW("readOnly", FIELD_BOOL, SHAPE_ONE, USE_ACT, "mounts it read-only", NULL, NULL),
	ROW("recursiveReadOnly", FIELD_STRING, SHAPE_ONE, USE_ACT,
		"readOnly holds for all that is mounted below it", NULL, NULL),
	ROW("subPath", FIELD_STRING, SHAPE_ONE, USE_ACT,
		"a folder or file inside the volume, instead of its root", NULL, NULL),
	ROW("subPathExpr", FIELD_STRING, SHAPE_ONE, USE_REFUSE, "write the path as subPath", NULL, NULL),
};
static const struct object mount = OBJECT("VolumeMount", mount_rows);

static const struct field device_rows[] = {
	PART("devicePath", FIELD_STRING),
	PART("name", FIELD_STRING),
};
static const struct object device = OBJECT("VolumeDevice", device_rows);

static const struct field exec_rows[] = {
	ROW("command", FIELD_STRING, SHAPE_LIST, USE_ACT, "run in the container, under its locks", NULL,
		NULL),
};
static const struct object exec = OBJECT("ExecAction", exec_rows);

static const struct field header_rows[] = {
	ROW("name", FIELD_STRING, SHAPE_ONE, USE_ACT, "of a header of the request", NULL, NULL),
	ROW("value", FIELD_STRING, SHAPE_ONE, USE_ACT, "its value", NULL, NULL),
};
static const struct object header = OBJECT("HTTPHeader", header_rows);

static const struct field http_rows[] = {
	ROW("host", FIELD_STRING, SHAPE_ONE, USE_ACT, "default the pod itself, 127.0.0.1 in its network",
		NULL, NULL),
	ROW("httpHeaders", FIELD_OBJECT, SHAPE_LIST, USE_ACT, "headers of the request", NULL, &header),
	ROW("path", FIELD_STRING, SHAPE_ONE, USE_ACT, "default /", NULL, NULL),
	ROW("port", FIELD_INT_OR_STRING, SHAPE_ONE, USE_ACT, "a number, or the name of a port", NULL, NULL),
	ROW("scheme", FIELD_STRING, SHAPE_ONE, USE_ACT, "HTTP; HTTPS is an error", NULL, NULL),
};
static const struct object http = OBJECT("HTTPGetAction", http_rows);

static const struct field tcp_rows[] = {
	ROW("host", FIELD_STRING, SHAPE_ONE, USE_ACT, "default the pod itself, 127.0.0.1 in its network",
		NULL, NULL),
	ROW("port", FIELD_INT_OR_STRING, SHAPE_ONE, USE_ACT, "a number, or the name of a port", NULL, NULL),
};
static const struct object tcp = OBJECT("TCPSocketAction", tcp_rows);

static const struct field grpc_rows[] = {
	PART("port", FIELD_INT32),
	PART("service", FIELD_STRING),
};
static const struct object grpc = OBJECT("GRPCAction", grpc_rows);

static const struct field sleep_rows[] = {
	ROW("seconds", FIELD_INT64, SHAPE_ONE, USE_ACT, "how long", NULL, NULL),
};
static const struct object sleep_action = OBJECT("SleepAction", sleep_rows);

static const struct field probe_rows[] = {
	ROW("exec", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "a command that exits with 0", NULL, &exec),
	ROW("failureThreshold", FIELD_INT32, SHAPE_ONE, USE_ACT, "failures in a row; default 3", NULL, NULL),
	ROW("grpc", FIELD_OBJECT, SHAPE_ONE, USE_REFUSE, "no gRPC is spoken: use httpGet, tcpSocket or exec",
		NULL, &grpc),
	ROW("httpGet", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "a request that is answered with 200 to 399", NULL,
		&http),
	ROW("initialDelaySeconds", FIELD_INT32, SHAPE_ONE, USE_ACT, "from the start; default 0", NULL, NULL),
	ROW("periodSeconds", FIELD_INT32, SHAPE_ONE, USE_ACT, "default 10", NULL, NULL),
	ROW("successThreshold", FIELD_INT32, SHAPE_ONE, USE_ACT, "successes in a row; default 1", NULL, NULL),
	ROW("tcpSocket", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "a connection", NULL, &tcp),
	ROW("terminationGracePeriodSeconds", FIELD_INT64, SHAPE_ONE, USE_ACT,
		"instead of the pod's, when this probe ends the container", NULL, NULL),
	ROW("timeoutSeconds", FIELD_INT32, SHAPE_ONE, USE_ACT, "default 1", NULL, NULL),
};
static const struct object probe = OBJECT("Probe", probe_rows);

static const struct field hook_rows[] = {
	ROW("exec", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "a command", NULL, &exec),
	ROW("httpGet", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "a request", NULL, &http),
	ROW("sleep", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "a pause", NULL, &sleep_action),
	ROW("tcpSocket", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "an error: Kubernetes doesn't run it either", NULL,
		&tcp),
};
static const struct object hook = OBJECT("LifecycleHandler", hook_rows);

static const struct field lifecycle_rows[] = {
	ROW("postStart", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "after the start, before the next container", NULL,
		&hook),
	ROW("preStop", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "before the stop signal", NULL, &hook),
	ROW("stopSignal", FIELD_STRING, SHAPE_ONE, USE_ACT, "the stop signal; default the image's, SIGTERM",
		NULL, NULL),
};
static const struct object lifecycle = OBJECT("Lifecycle", lifecycle_rows);

static const struct field claim_rows[] = {
	PART("name", FIELD_STRING),
	PART("request", FIELD_STRING),
};
static const struct object claim = OBJECT("ResourceClaim", claim_rows);

static const struct field resources_rows[] = {
	ROW("claims", FIELD_OBJECT, SHAPE_LIST, USE_REFUSE, "no device is allocated", NULL, &claim),
	ROW("limits", FIELD_QUANTITY, SHAPE_MAP, USE_ACT,
		"cpu and memory, by cgroups; ephemeral-storage: who exceeds it is evicted", NULL, NULL),
	ROW("requests", FIELD_QUANTITY, SHAPE_MAP, USE_ACT, "cpu: the weight against others; the QoS class",
		NULL, NULL),
};
const struct object fields_resources = OBJECT("ResourceRequirements", resources_rows);

static const struct field resize_rows[] = {
	PART("resourceName", FIELD_STRING),
	PART("restartPolicy", FIELD_STRING),
};
static const struct object resize = OBJECT("ContainerResizePolicy", resize_rows);

static const struct field exit_codes_rows[] = {
	ROW("operator", FIELD_STRING, SHAPE_ONE, USE_ACT, "In or NotIn", NULL, NULL),
	ROW("values", FIELD_INT32, SHAPE_LIST, USE_ACT, "exit codes", NULL, NULL),
};
static const struct object exit_codes = OBJECT("ContainerRestartRuleOnExitCodes", exit_codes_rows);

static const struct field restart_rule_rows[] = {
	ROW("action", FIELD_STRING, SHAPE_ONE, USE_ACT, "Restart", NULL, NULL),
	ROW("exitCodes", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "after which", NULL, &exit_codes),
};
static const struct object restart_rule = OBJECT("ContainerRestartRule", restart_rule_rows);

/* An ephemeral container has the same fields, and one more. */
#define CONTAINER_ROWS                                                                                       \
	ROW("args", FIELD_STRING, SHAPE_LIST, USE_ACT, "arguments; $(NAME) of env is expanded", NULL, NULL), \
		ROW("command", FIELD_STRING, SHAPE_LIST, USE_ACT, "the program, instead of the image's",     \
			NULL, NULL),                                                                         \
		ROW("env", FIELD_OBJECT, SHAPE_LIST, USE_ACT, "environment variables", NULL, &env),          \
		ROW("envFrom", FIELD_OBJECT, SHAPE_LIST, USE_ACT,                                            \
			"variables from ConfigMaps and Secrets, "                                            \
			"before those of env",                                                               \
			NULL, &env_from),                                                                    \
		ROW("image", FIELD_STRING, SHAPE_ONE, USE_ACT, "the image's name in the store", NULL, NULL), \
		ROW("imagePullPolicy", FIELD_STRING, SHAPE_ONE, USE_ACT,                                     \
			"Always (the default for the tag latest, unless the image was loaded from a file), " \
			"IfNotPresent or Never",                                                             \
			NULL, NULL),                                                                         \
		ROW("lifecycle", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "hooks", NULL, &lifecycle),               \
		ROW("livenessProbe", FIELD_OBJECT, SHAPE_ONE, USE_ACT,                                       \
			"failing, the container is started again", NULL, &probe),                            \
		ROW("name", FIELD_STRING, SHAPE_ONE, USE_ACT, "the container's name", NULL, NULL),           \
		ROW("ports", FIELD_OBJECT, SHAPE_LIST, USE_ACT, "what it listens on", NULL, &port),          \
		ROW("readinessProbe", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "whether the container is ready",    \
			NULL, &probe),                                                                       \
		ROW("resizePolicy", FIELD_OBJECT, SHAPE_LIST, USE_SILENT, "nothing is resized", NULL,        \
			&resize),                                                                            \
		ROW("resources", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "limits and requests", NULL,              \
			&fields_resources),                                                                  \
		ROW("restartPolicy", FIELD_STRING, SHAPE_ONE, USE_ACT,                                       \
			"instead of the pod's; Always makes an init container a sidecar", NULL, NULL),       \
		ROW("restartPolicyRules", FIELD_OBJECT, SHAPE_LIST, USE_ACT,                                 \
			"exit codes after which it is started again; RestartAllContainers is refused", NULL, \
			&restart_rule),                                                                      \
		ROW("securityContext", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "the locks on the program", NULL,   \
			&fields_security_context),                                                           \
		ROW("startupProbe", FIELD_OBJECT, SHAPE_ONE, USE_ACT,                                        \
			"whether it has started; the others wait", NULL, &probe),                            \
		ROW("stdin", FIELD_BOOL, SHAPE_ONE, USE_ACT,                                                 \
			"its standard input stays open for attach; else it is empty", NULL, NULL),           \
		ROW("stdinOnce", FIELD_BOOL, SHAPE_ONE, USE_ACT,                                             \
			"standard input ends with the first who attaches to it", NULL, NULL),                \
		ROW("terminationMessagePath", FIELD_STRING, SHAPE_ONE, USE_ACT,                              \
			"the file for a last message; default /dev/termination-log", NULL, NULL),            \
		ROW("terminationMessagePolicy", FIELD_STRING, SHAPE_ONE, USE_ACT,                            \
			"File or FallbackToLogsOnError", NULL, NULL),                                        \
		ROW("tty", FIELD_BOOL, SHAPE_ONE, USE_ACT, "it gets a terminal of its own", NULL, NULL),     \
		ROW("volumeDevices", FIELD_OBJECT, SHAPE_LIST, USE_REFUSE, "no block device is passed on",   \
			NULL, &device),                                                                      \
		ROW("volumeMounts", FIELD_OBJECT, SHAPE_LIST, USE_ACT, "where it sees the pod's volumes",    \
			NULL, &mount),                                                                       \
		ROW("workingDir", FIELD_STRING, SHAPE_ONE, USE_ACT, "the working directory", NULL, NULL)

static const struct field container_rows[] = {CONTAINER_ROWS};
const struct object fields_container = OBJECT("Container", container_rows);

static const struct field ephemeral_rows[] = {
	CONTAINER_ROWS,
	PART("targetContainerName", FIELD_STRING),
};
const struct object fields_ephemeral_container = OBJECT("EphemeralContainer", ephemeral_rows);
