/* The reader of manifests: what is found wrong, where and in which words; what a good one becomes. */
#include "runner/manifest/manifest.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/manifest/manifest_parts.h"
#include "runner/manifest/quantity.h"
#include "tests/unit/findings.h"
#include "tests/unit/unit.h"

static struct pod *valid(const char *text)
{
	struct pod *pod;
	cleanup_free char *shown = read_findings(text, &pod);

	expect_text(shown, "");
	return pod;
}

/* A pod whose spec, from line 4 on, is that of the case; its one container is on line 5 if the case gives none. */
struct spec_case {
	const char *spec, *findings;
};

#define HEAD      "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n"
#define CONTAINER "  containers:\n  - name: c\n    image: i:1\n"

static void check_specs(const struct spec_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *text = xasprintf(HEAD "%s", cases[i].spec);
		cleanup_free char *shown = read_findings(text, NULL);

		expect_text(shown, cases[i].findings);
	}
}
#define CHECK_SPECS(cases) check_specs(cases, sizeof(cases) / sizeof((cases)[0]))

#define LABEL_WORDS                                                                                          \
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "    \
	"start"                                                                                              \
	" and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation " \
	"is"                                                                                                 \
	" '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
#define SUBDOMAIN_WORDS                                                                                     \
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "   \
	"and "                                                                                              \
	"must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation " \
	"is "                                                                                               \
	"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"

static void kinds(void)
{
	static const struct spec_case cases[] = {
		{"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n",
			"f:2:7: error: kind: Unsupported value: \"Deployment\": supported values: "
			"\"ConfigMap\", \"List\", \"Pod\", \"Secret\" "
			"(minirun runs "
			"Pods: take metadata and spec from its spec.template)\n"},
		{"apiVersion: v1\nkind: List\nitems: []\n",
			"f:1:1: error: there is no Pod in the file (minirun runs a Pod, with the ConfigMaps "
			"and Secrets beside it)\n"},
		{"kind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: c, image: i}]}\n",
			"f:1:1: error: apiVersion: Required value: must be \"v1\"\n"},
		{"apiVersion: v2\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: c, image: "
		 "i}]}\n",
			"f:1:13: error: apiVersion: Unsupported value: \"v2\": supported values: \"v1\"\n"},
		{"apiVersion: v1\nkind: pod\n", "f:2:7: error: kind: Unsupported value: \"pod\": supported "
						"values: \"ConfigMap\", \"List\", \"Pod\", "
						"\"Secret\" (did you mean \"Pod\"?)\n"},
		{"[1]\n",
			"f:1:1: error: expected a map with apiVersion, kind, metadata and spec, got list\n"},
		{"hello\n", "f:1:1: error: expected a map with apiVersion, kind, metadata and spec, got "
			    "string\n"},
		{"", "f: error: the file is empty\n"},
		{"apiVersion: v1\nkind: Pod\n", "f:1:1: error: metadata.name: Required value\n"
						"f:1:1: error: spec.containers: Required value\n"},
		{"apiVersion: v1\nkind: Pod\nmetadata: {name: \"\"}\nspec: {containers: []}\n",
			"f:3:18: error: metadata.name: Required value\n"
			"f:4:8: error: spec.containers: Required value\n"},
		{"apiVersion: v1\nkind: Pod\nmetadata: {name: Demo_1, namespace: a.b}\nspec: {containers: "
		 "[{name: c, "
		 "image: i}]}\n",
			"f:3:18: error: metadata.name: Invalid value: \"Demo_1\": " SUBDOMAIN_WORDS "\n"
			"f:3:37: error: metadata.namespace: Invalid value: \"a.b\": must not contain dots\n"},
	};

	for (size_t i = 0; i < array_length(cases); i++) {
		cleanup_free char *shown = read_findings(cases[i].spec, NULL);

		expect_text(shown, cases[i].findings);
	}
}

static void unknown_fields(void)
{
	static const struct spec_case cases[] = {
		{CONTAINER "    volumeMount: []\n", "f:8:5: error: spec.containers[0].volumeMount: unknown "
						    "field (did you mean \"volumeMounts\"?)\n"},
		{CONTAINER "    imagePullPolcy: Never\n",
			"f:8:5: error: spec.containers[0].imagePullPolcy: unknown field (did you mean "
			"\"imagePullPolicy\"?)\n"},
		{CONTAINER "  initcontainers: []\n", "f:8:3: error: spec.initcontainers: unknown field (did "
						     "you mean \"initContainers\"?)\n"},
		{CONTAINER "  securityContext:\n    privileged: true\n",
			"f:9:5: error: spec.securityContext.privileged: unknown field (a field of that name "
			"belongs in "
			"spec.containers[].securityContext)\n"},
		{CONTAINER "    runAsUser: 5\n", "f:8:5: error: spec.containers[0].runAsUser: unknown field "
						 "(a field of that name belongs in "
						 "spec.securityContext)\n"},
		{CONTAINER "    florb: 5\n", "f:8:5: error: spec.containers[0].florb: unknown field\n"},
		{CONTAINER "    livenessProbe: {httpGet: {pth: /, port: 80}}\n",
			"f:8:31: error: spec.containers[0].livenessProbe.httpGet.pth: unknown field (did you "
			"mean "
			"\"path\"?)\n"},
		/* A required field that is there under a misspelt name is one mistake, not two. */
		{"  containers:\n  - name: c\n    imag: i:1\n",
			"f:7:5: error: spec.containers[0].imag: unknown field (did you mean \"image\"?)\n"},
		{CONTAINER "    \"a\\u001b[31mb\": 1\n",
			"f:8:5: error: spec.containers[0].a\\x1b[31mb: unknown field\n"},
	};

	CHECK_SPECS(cases);
}

static void types(void)
{
	static const struct spec_case cases[] = {
		{"  containers: {a: b}\n",
			"f:5:3: error: spec.containers: Invalid value: {...}: expected list, got map\n"},
		{"  containers: [null, x]\n", "f:5:3: error: spec.containers[0]: Required value\n"
					      "f:5:22: error: spec.containers[1]: Invalid value: \"x\": "
					      "expected map, got string\n"},
		{CONTAINER "    env: [{name: A, value: 1}, {name: B, value: on}, {name: C, value: 1.5}]\n",
			"f:8:28: error: spec.containers[0].env[0].value: Invalid value: 1: expected string, "
			"got integer "
			"(write it in quotes: \"1\")\n"
			"f:8:49: error: spec.containers[0].env[1].value: Invalid value: true: expected "
			"string, got "
			"boolean (write it in quotes: \"on\")\n"
			"f:8:71: error: spec.containers[0].env[2].value: Invalid value: 1.5: expected "
			"string, got number "
			"(write it in quotes: \"1.5\")\n"},
		{CONTAINER "    stdin: \"true\"\n    command: ls\n",
			"f:8:12: error: spec.containers[0].stdin: Invalid value: \"true\": expected boolean, "
			"got string "
			"(write it without quotes)\n"
			"f:9:14: error: spec.containers[0].command: Invalid value: \"ls\": expected list, "
			"got string\n"},
		{CONTAINER "  terminationGracePeriodSeconds: \"5\"\n",
			"f:8:34: error: spec.terminationGracePeriodSeconds: Invalid value: \"5\": expected "
			"integer, got "
			"string (write it without quotes)\n"},
		{CONTAINER "    ports: [{containerPort: 4294967376}]\n",
			"f:8:29: error: spec.containers[0].ports[0].containerPort: Invalid value: "
			"4294967376: must be "
			"between -2147483648 and 2147483647, inclusive\n"
			"f:8:29: error: spec.containers[0].ports[0].containerPort: Invalid value: "
			"4294967376: must be "
			"between 1 and 65535, inclusive\n"},
		/* null is absent, whatever the type; so is what 'kubectl create --dry-run' leaves empty. */
		{CONTAINER "    command: null\n    resources: {}\n    env: ~\n  securityContext: {}\n  "
			   "volumes: null\n"
			   "  hostNetwork: null\n  dnsPolicy: ClusterFirst\n  nodeSelector: {}\n  hostname: "
			   "\"\"\n",
			""},
	};

	CHECK_SPECS(cases);
}

static void known_fields(void)
{
	static const struct spec_case cases[] = {
		{CONTAINER "    readinessProbe:\n      exec: {command: [x]}\n    resources: {limits: {cpu: "
			   "100m}}\n",
			""},
		{CONTAINER "    resources: {limits: {ephemeral-storage: 1Gi}, requests: {ephemeral-storage: "
			   "1}}\n",
			""},
		{CONTAINER "    resources:\n      limits: {cpu: 100m, memory: -1Gi, disk: 1, "
			   "hugepages-2Mi: 4Mi,\n        nvidia.com/gpu: 1, ephemeral-storage: 1x}\n"
			   "      requests: {cpu: 0.2, memory: 128974848m}\n",
			"f:9:35: error: spec.containers[0].resources.limits[memory]: Invalid value: "
			"\"-1Gi\": "
			"must be greater than or equal to 0\n"
			"f:9:47: error: spec.containers[0].resources.limits[disk]: Invalid value: 1: must be "
			"a standard resource for containers\n"
			"f:9:65: error: spec.containers[0].resources.limits[hugepages-2Mi]: known, not "
			"supported here: no huge pages are reserved (remove it: the program can still use "
			"transparent huge pages)\n"
			"f:10:25: error: spec.containers[0].resources.limits[nvidia.com/gpu]: known, not "
			"supported here: there are no device plugins (remove it, and mount the device as a "
			"hostPath volume)\n"
			"f:10:47: error: spec.containers[0].resources.limits[ephemeral-storage]: Invalid "
			"value: \"1x\": quantities must match the regular expression "
			"'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'\n"
			"f:11:23: error: spec.containers[0].resources.requests[cpu]: Invalid value: 0.2: "
			"must "
			"be less than or equal to cpu limit of 100m\n"
			"f:11:36: warning: spec.containers[0].resources.requests[memory]: fractional byte "
			"value \"128974848m\" is invalid, must be an integer (m is a thousandth, M a "
			"million, "
			"Mi 1024 * 1024)\n"},
		{CONTAINER
			"    resources: {limits: {cpu: 0x10, memory: 1_000, ephemeral-storage: \" 1Gi \"}}\n",
			""},
		{CONTAINER "    resources: {limits: {cpu: 010, memory: 1_0.0}, requests: {cpu: 9, memory: "
			   "11}}\n",
			"f:8:68: error: spec.containers[0].resources.requests[cpu]: Invalid value: 9: must "
			"be "
			"less than or equal to cpu limit of 8\n"
			"f:8:79: error: spec.containers[0].resources.requests[memory]: Invalid value: 11: "
			"must "
			"be less than or equal to memory limit of 10\n"},
		{CONTAINER "    resources: {limits: {cpu: 1_0.5}}\n", ""},
		{CONTAINER "    resources: {limits: {memory: 0.5}}\n",
			"f:8:34: warning: spec.containers[0].resources.limits[memory]: fractional byte value "
			"\"0.5\" is invalid, must be an integer (m is a thousandth, M a million, Mi 1024 * "
			"1024)\n"},
		{CONTAINER "    resources: {limits: {}}\n    tty: false\n    terminationMessagePolicy: File\n"
			   "  tolerations: [{key: a, operator: Exists}]\n  serviceAccountName: default\n"
			   "  enableServiceLinks: true\n  automountServiceAccountToken: false\n  nodeName: "
			   "node-1\n"
			   "  hostUsers: true\n  os: {name: linux}\n  schedulerName: default-scheduler\n",
			""},
		{CONTAINER "  hostUsers: false\n  os: {name: windows}\n  runtimeClassName: gvisor\n",
			"f:9:14: error: spec.os.name: known, not supported here: minirun runs Linux "
			"containers\n"
			"f:10:21: error: spec.runtimeClassName: known, not supported here: minirun is the "
			"only runtime\n"},
		{CONTAINER "  hostUsers: false\n  hostNetwork: true\n  hostPID: true\n  hostIPC: true\n",
			"f:9:16: error: spec.hostNetwork: Forbidden: when `hostUsers` is false\n"
			"f:10:12: error: spec.hostPID: Forbidden: when `hostUsers` is false\n"
			"f:11:12: error: spec.hostIPC: Forbidden: when `hostUsers` is false\n"},
		{CONTAINER "  hostUsers: true\n  hostNetwork: true\n", ""},
		{CONTAINER "    restartPolicyRules: [{action: Restart, exitCodes: {operator: In}}]\n",
			"f:6:5: error: spec.containers[0].restartPolicy: Required value: must specify "
			"restartPolicy when restart rules are used\n"},
	};

	CHECK_SPECS(cases);
}

static void containers(void)
{
	static const struct spec_case cases[] = {
		{"  containers: [{}]\n", "f:5:16: error: spec.containers[0].name: Required value\n"
					 "f:5:16: error: spec.containers[0].image: Required value\n"},
		{CONTAINER "  - name: c\n    image: \" i\"\n",
			"f:8:11: error: spec.containers[1].name: Duplicate value: \"c\"\n"
			"f:9:12: error: spec.containers[1].image: Invalid value: \" i\": must not have "
			"leading or trailing "
			"whitespace\n"},
		{CONTAINER "  initContainers:\n  - {name: c, image: i:1}\n  - {name: A, image: i:1}\n",
			"f:9:12: error: spec.initContainers[0].name: Duplicate value: \"c\"\n"
			"f:10:12: error: spec.initContainers[1].name: Invalid value: \"A\": " LABEL_WORDS
			"\n"},
		{CONTAINER "    imagePullPolicy: never\n",
			"f:8:22: error: spec.containers[0].imagePullPolicy: Unsupported value: \"never\": "
			"supported "
			"values: \"Always\", \"IfNotPresent\", \"Never\" (did you mean \"Never\"?)\n"},
		{CONTAINER
			"    ports: [{containerPort: 0}, {containerPort: 70000, protocol: tcp, name: a--b}, "
			"{containerPort: 80, name: http}, {containerPort: 81, name: http}]\n",
			"f:8:29: error: spec.containers[0].ports[0].containerPort: Required value\n"
			"f:8:49: error: spec.containers[0].ports[1].containerPort: Invalid value: 70000: "
			"must be between 1 "
			"and 65535, inclusive\n"
			"f:8:66: error: spec.containers[0].ports[1].protocol: Unsupported value: \"tcp\": "
			"supported "
			"values: \"SCTP\", \"TCP\", \"UDP\" (did you mean \"TCP\"?)\n"
			"f:8:77: error: spec.containers[0].ports[1].name: Invalid value: \"a--b\": must not "
			"contain "
			"consecutive hyphens\n"
			"f:8:143: error: spec.containers[0].ports[3].name: Duplicate value: \"http\"\n"},
		{CONTAINER "    ports: [{containerPort: 80, hostPort: 81}, {containerPort: 80, hostPort: 81, "
			   "protocol: UDP},\n"
			   "      {containerPort: 80, hostPort: 81, hostIP: 127.0.0.1}, {containerPort: 9, "
			   "hostIP: '::1'},\n"
			   "      {containerPort: 82, hostPort: 81, protocol: TCP}, {containerPort: 1, "
			   "hostPort: 70000},\n"
			   "      {containerPort: 1, hostPort: 1, protocol: SCTP}, {containerPort: 1, "
			   "hostPort: 2, hostIP: here}]\n"
			   "  initContainers:\n"
			   "  - {name: i, image: i:1, ports: [{containerPort: 80, hostPort: 83}]}\n",
			"f:9:88: warning: spec.containers[0].ports[3].hostIP: without a hostPort nothing is "
			"published\n"
			"f:10:37: error: spec.containers[0].ports[4].hostPort: Duplicate value: 81\n"
			"f:10:86: error: spec.containers[0].ports[5].hostPort: Invalid value: 70000: must be "
			"between 1 and 65535, inclusive\n"
			"f:11:36: error: spec.containers[0].ports[6].hostPort: SCTP can't be published here "
			"(TCP or "
			"UDP)\n"
			"f:11:96: error: spec.containers[0].ports[7].hostIP: Invalid value: \"here\": must "
			"be a "
			"valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)\n"
			"f:13:65: warning: spec.initContainers[0].ports[0].hostPort: no port of an init "
			"container "
			"is published\n"},
		{CONTAINER
			"    ports: [{containerPort: 80, hostPort: 81}, {containerPort: 80, hostPort: 80}]\n"
			"  hostNetwork: true\n",
			"f:8:43: error: spec.containers[0].ports[0].hostPort: Invalid value: 81: must match "
			"`containerPort` when `hostNetwork` is true\n"},
		{CONTAINER "  initContainers:\n  - name: i\n    image: i:1\n    startupProbe: {}\n    "
			   "lifecycle: {}\n"
			   "  - {name: s, image: i:1, restartPolicy: Always, lifecycle: {}}\n",
			"f:11:5: error: spec.initContainers[0].startupProbe: Forbidden: may not be set for "
			"init containers "
			"without restartPolicy=Always\n"
			"f:12:5: error: spec.initContainers[0].lifecycle: Forbidden: may not be set for init "
			"containers "
			"without restartPolicy=Always\n"},
		{CONTAINER "    workingDir: tmp\n    terminationMessagePath: ../x\n",
			"f:8:17: error: spec.containers[0].workingDir: Invalid value: \"tmp\": must be an "
			"absolute path\n"
			"f:9:29: error: spec.containers[0].terminationMessagePath: Invalid value: \"../x\": "
			"must be an "
			"absolute path\n"
			"f:9:29: error: spec.containers[0].terminationMessagePath: Invalid value: \"../x\": "
			"must not "
			"contain '..'\n"},
		{CONTAINER "    env: [{value: x}, {name: \"A=B\"}, {name: \"\"}]\n",
			"f:8:11: error: spec.containers[0].env[0].name: Required value\n"
			"f:8:30: error: spec.containers[0].env[1].name: Invalid value: \"A=B\": a valid "
			"environment "
			"variable name must consist only of printable ASCII characters other than '='\n"
			"f:8:45: error: spec.containers[0].env[2].name: Required value\n"},
	};

	CHECK_SPECS(cases);
}

static void security(void)
{
	static const struct spec_case cases[] = {
		{CONTAINER "    securityContext: {runAsUser: 2147483648, runAsGroup: -1}\n"
			   "  securityContext: {fsGroup: 4294967296, supplementalGroups: [0, -5]}\n",
			"f:8:34: error: spec.containers[0].securityContext.runAsUser: Invalid value: "
			"2147483648: must be "
			"between 0 and 2147483647, inclusive\n"
			"f:8:58: error: spec.containers[0].securityContext.runAsGroup: Invalid value: -1: "
			"must be between 0 "
			"and 2147483647, inclusive\n"
			"f:9:30: error: spec.securityContext.fsGroup: Invalid value: 4294967296: must be "
			"between 0 and "
			"2147483647, inclusive\n"
			"f:9:66: error: spec.securityContext.supplementalGroups[1]: Invalid value: -5: must "
			"be between 0 "
			"and 2147483647, inclusive\n"},
		/* CVE-2026-30892: a uid is a number, and what isn't one is no uid. */
		{CONTAINER "    securityContext: {runAsUser: \"1\", runAsGroup: 1a}\n",
			"f:8:34: error: spec.containers[0].securityContext.runAsUser: Invalid value: \"1\": "
			"expected "
			"integer, got string (write it without quotes)\n"
			"f:8:51: error: spec.containers[0].securityContext.runAsGroup: Invalid value: "
			"\"1a\": expected "
			"integer, got string (write it without quotes)\n"},
		{CONTAINER "    securityContext: {allowPrivilegeEscalation: false, privileged: true}\n",
			"f:8:49: error: spec.containers[0].securityContext.allowPrivilegeEscalation: Invalid "
			"value: false: "
			"cannot set `allowPrivilegeEscalation` to false and `privileged` to true\n"},
		{CONTAINER "    securityContext: {allowPrivilegeEscalation: false, capabilities: {add: "
			   "[CAP_SYS_ADMIN]}}\n",
			"f:8:49: error: spec.containers[0].securityContext.allowPrivilegeEscalation: Invalid "
			"value: false: "
			"cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` "
			"CAP_SYS_ADMIN\n"
			"f:8:77: warning: spec.containers[0].securityContext.capabilities.add[0]: Kubernetes "
			"takes the "
			"name without CAP_: write SYS_ADMIN\n"},
		{CONTAINER "    securityContext: {capabilities: {add: [NET_ADMN, \"21\", \"\"], drop: [all, "
			   "net_raw]}}\n",
			"f:8:44: error: spec.containers[0].securityContext.capabilities.add[0]: Invalid "
			"value: "
			"\"NET_ADMN\": unknown capability (did you mean \"NET_ADMIN\"?)\n"
			"f:8:54: error: spec.containers[0].securityContext.capabilities.add[1]: Invalid "
			"value: \"21\": "
			"unknown capability\n"
			"f:8:60: error: spec.containers[0].securityContext.capabilities.add[2]: Invalid "
			"value: \"\": "
			"unknown capability\n"},
		{CONTAINER "    securityContext: {procMount: Unmasked, seLinuxOptions: {level: s0}}\n",
			"f:8:34: error: spec.containers[0].securityContext.procMount: known, not supported "
			"here: /proc is "
			"always masked\n"
			"f:8:44: error: spec.containers[0].securityContext.seLinuxOptions: known, not "
			"supported here: "
			"minirun sets no SELinux label\n"},
		{CONTAINER "  securityContext:\n    sysctls:\n    - {name: Kernel.x, value: \"1\"}\n"
			   "    - {name: net.ipv4.ip_forward, value: \"1\"}\n    - {name: "
			   "net.ipv4.ip_forward, value: \"0\"}\n"
			   "    - {name: kernel.shmmax, value: 1}\n    - {value: \"1\"}\n",
			"f:10:14: error: spec.securityContext.sysctls[0].name: Invalid value: \"Kernel.x\": "
			"must have at most "
			"253 characters and match regex "
			"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$\n"
			"f:12:14: error: spec.securityContext.sysctls[2].name: Duplicate value: "
			"\"net.ipv4.ip_forward\"\n"
			"f:13:36: error: spec.securityContext.sysctls[3].value: Invalid value: 1: expected "
			"string, got "
			"integer (write it in quotes: \"1\")\n"
			"f:14:7: error: spec.securityContext.sysctls[4].name: Required value\n"},
		{CONTAINER "  hostNetwork: true\n  hostIPC: true\n  securityContext: {sysctls: [{name: "
			   "net.core.x, value: "
			   "\"1\"}, {name: kernel.msgmax, value: \"1\"}]}\n",
			"f:10:38: error: spec.securityContext.sysctls[0].name: Invalid value: "
			"\"net.core.x\": may not be "
			"specified when 'hostNetwork' is true\n"
			"f:10:70: error: spec.securityContext.sysctls[1].name: Invalid value: "
			"\"kernel.msgmax\": may not be "
			"specified when 'hostIPC' is true\n"},
	};

	CHECK_SPECS(cases);
}

static void profiles(void)
{
	static const struct spec_case cases[] = {
		{CONTAINER "  securityContext: {seccompProfile: {}, appArmorProfile: {type: \"\"}}\n",
			"f:8:21: error: spec.securityContext.seccompProfile.type: Required value: type is "
			"required when "
			"seccompProfile is set\n"
			"f:8:65: error: spec.securityContext.appArmorProfile.type: Required value: type is "
			"required when "
			"appArmorProfile is set\n"},
		{CONTAINER "  securityContext: {seccompProfile: {type: localhost}}\n",
			"f:8:44: error: spec.securityContext.seccompProfile.type: Unsupported value: "
			"\"localhost\": "
			"supported values: \"Localhost\", \"RuntimeDefault\", \"Unconfined\" (did you mean "
			"\"Localhost\"?)\n"},
		{CONTAINER "  securityContext: {seccompProfile: {type: Localhost}, appArmorProfile: {type: "
			   "Localhost}}\n",
			"f:8:21: error: spec.securityContext.seccompProfile.localhostProfile: Required "
			"value: must be set "
			"when seccomp type is Localhost\n"
			"f:8:56: error: spec.securityContext.appArmorProfile.localhostProfile: Required "
			"value: must be set "
			"when AppArmor type is Localhost\n"},
		{CONTAINER "    securityContext: {seccompProfile: {type: Unconfined, localhostProfile: a}}\n",
			"f:8:76: error: spec.containers[0].securityContext.seccompProfile.localhostProfile: "
			"Invalid value: "
			"\"a\": can only be set when seccomp type is Localhost\n"},
		{CONTAINER "    securityContext: {seccompProfile: {type: Localhost, localhostProfile: "
			   "/a/../b}}\n",
			"f:8:75: error: spec.containers[0].securityContext.seccompProfile.localhostProfile: "
			"Invalid value: "
			"\"/a/../b\": must be a relative path\n"
			"f:8:75: error: spec.containers[0].securityContext.seccompProfile.localhostProfile: "
			"Invalid value: "
			"\"/a/../b\": must not contain '..'\n"},
		{CONTAINER "    securityContext: {appArmorProfile: {type: Localhost, localhostProfile: \" "
			   "a\"}}\n",
			"f:8:76: error: spec.containers[0].securityContext.appArmorProfile.localhostProfile: "
			"Invalid value: "
			"\" a\": must not be padded with whitespace\n"},
	};

	CHECK_SPECS(cases);
}

static void volumes(void)
{
	static const struct spec_case cases[] = {
		{CONTAINER "    volumeMounts:\n    - {name: dta, mountPath: /x}\n  volumes: [{name: data}]\n",
			"f:9:14: error: spec.containers[0].volumeMounts[0].name: Not found: \"dta\" "
			"(did you mean \"data\"?)\n"},
		{CONTAINER "    volumeMounts:\n    - {name: nope, mountPath: /x}\n    - {name: v, mountPath: "
			   "/x, subPath: "
			   "../a}\n    - {name: v, mountPath: /x}\n    - {name: v}\n  volumes: [{name: v}]\n",
			"f:9:14: error: spec.containers[0].volumeMounts[0].name: Not found: \"nope\"\n"
			"f:10:28: error: spec.containers[0].volumeMounts[1].mountPath: Invalid value: "
			"\"/x\": must be "
			"unique\n"
			"f:10:41: error: spec.containers[0].volumeMounts[1].subPath: Invalid value: "
			"\"../a\": must not contain "
			"'..'\n"
			"f:11:28: error: spec.containers[0].volumeMounts[2].mountPath: Invalid value: "
			"\"/x\": must be "
			"unique\n"
			"f:12:7: error: spec.containers[0].volumeMounts[3].mountPath: Required value\n"},
		{CONTAINER "    volumeMounts:\n    - {name: v, mountPath: \"/a:b\"}\n    - {name: v, "
			   "mountPath: /a/../b}\n"
			   "    - {name: v, mountPath: /}\n    - {name: v, mountPath: //./proc/self}\n    - "
			   "{name: v, "
			   "mountPath: /process}\n  volumes: [{name: v}]\n",
			"f:9:28: error: spec.containers[0].volumeMounts[0].mountPath: Invalid value: "
			"\"/a:b\": must not "
			"contain ':'\n"
			"f:10:28: error: spec.containers[0].volumeMounts[1].mountPath: Invalid value: "
			"\"/a/../b\": must not "
			"contain '..'\n"
			"f:11:28: error: spec.containers[0].volumeMounts[2].mountPath: Invalid value: \"/\": "
			"must not be the "
			"root of the container\n"
			"f:12:28: error: spec.containers[0].volumeMounts[3].mountPath: Invalid value: "
			"\"//./proc/self\": "
			"must not be inside /proc\n"},
		{CONTAINER "  volumes:\n  - {name: V}\n  - {name: a, emptyDir: {}, hostPath: {path: /}}\n  - "
			   "{name: a}\n  - "
			   "{emptyDir: {}}\n",
			"f:9:12: error: spec.volumes[0].name: Invalid value: \"V\": " LABEL_WORDS "\n"
			"f:10:29: error: spec.volumes[1].hostPath: Forbidden: may not specify more than 1 "
			"volume type\n"
			"f:11:12: error: spec.volumes[2].name: Duplicate value: \"a\"\n"
			"f:12:5: error: spec.volumes[3].name: Required value\n"},
		{CONTAINER "  volumes:\n  - {name: a, emptyDir: {medium: memory, sizeLimit: 1Gib}}\n  - "
			   "{name: b, emptyDir: "
			   "{sizeLimit: -1Gi}}\n  - {name: c, hostPath: {path: a/../b, type: Folder}}\n  - "
			   "{name: d, hostPath: "
			   "{}}\n",
			"f:9:34: error: spec.volumes[0].emptyDir.medium: Unsupported value: \"memory\": "
			"supported values: "
			"\"\", \"Memory\" (did you mean \"Memory\"?)\n"
			"f:9:53: error: spec.volumes[0].emptyDir.sizeLimit: Invalid value: \"1Gib\": "
			"quantities must match "
			"the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'\n"
			"f:10:37: error: spec.volumes[1].emptyDir.sizeLimit: Forbidden: SizeLimit field must "
			"be a valid "
			"resource quantity\n"
			"f:11:32: error: spec.volumes[2].hostPath.path: Invalid value: \"a/../b\": must be "
			"an absolute path\n"
			"f:11:32: error: spec.volumes[2].hostPath.path: Invalid value: \"a/../b\": must not "
			"contain '..'\n"
			"f:11:46: error: spec.volumes[2].hostPath.type: Unsupported value: \"Folder\": "
			"supported values: "
			"\"\", \"BlockDevice\", \"CharDevice\", \"Directory\", \"DirectoryOrCreate\", "
			"\"File\", "
			"\"FileOrCreate\", \"Socket\"\n"
			"f:12:15: error: spec.volumes[3].hostPath.path: Required value\n"},
		{CONTAINER "    volumeMounts: [{name: cm, mountPath: /etc/x}, {name: kube-api-access-x, "
			   "mountPath: /y}]\n"
			   "  volumes:\n  - {name: cm, configMap: {name: x}}\n  - {name: s, secret: "
			   "{secretName: x}}\n"
			   "  - {name: kube-api-access-x, projected: {sources: []}}\n",
			"f:10:34: error: spec.volumes[0].configMap.name: configmap \"x\" not found (put the "
			"ConfigMap into this file, as a document of its own, or say optional: true here)\n"
			"f:12:31: error: spec.volumes[2].projected: known, not supported here: its content "
			"would be missing "
			"from container \"c\" (the cluster added this volume: remove it and its "
			"volumeMounts)\n"},
	};

	CHECK_SPECS(cases);
}

static void read_only_mounts(void)
{
	static const struct spec_case cases[] = {
		{CONTAINER "    volumeMounts:\n    - {name: v, mountPath: /a, readOnly: true, "
			   "recursiveReadOnly: Enabled}\n"
			   "    - {name: v, mountPath: /b, readOnly: true, recursiveReadOnly: IfPossible}\n"
			   "  volumes: [{name: v}]\n",
			""},
		{CONTAINER "    volumeMounts:\n    - {name: v, mountPath: /a, recursiveReadOnly: enabled}\n"
			   "    - {name: v, mountPath: /b, bindMountOptions: [noexec]}\n  volumes: [{name: "
			   "v}]\n",
			"f:9:51: error: spec.containers[0].volumeMounts[0].recursiveReadOnly: Unsupported "
			"value: \"enabled\": "
			"supported values: \"Disabled\", \"Enabled\", \"IfPossible\" (did you mean "
			"\"Enabled\"?)\n"
			"f:9:51: error: spec.containers[0].volumeMounts[0].recursiveReadOnly: Forbidden: may "
			"only be specified "
			"when readOnly is true\n"
			"f:10:32: error: spec.containers[0].volumeMounts[1].bindMountOptions: known, not "
			"supported here: the "
			"mount has none of these options\n"},
	};

	CHECK_SPECS(cases);
}

static void pods(void)
{
	static const struct spec_case cases[] = {
		{CONTAINER
			"  restartPolicy: Sometimes\n  terminationGracePeriodSeconds: -1\n  hostname: A.b\n",
			"f:8:18: error: spec.restartPolicy: Unsupported value: \"Sometimes\": supported "
			"values: "
			"\"Always\", \"OnFailure\", \"Never\"\n"
			"f:9:34: error: spec.terminationGracePeriodSeconds: Invalid value: -1: must be "
			"greater than or equal "
			"to 0\n"
			"f:10:13: error: spec.hostname: Invalid value: \"A.b\": " LABEL_WORDS "\n"},
		{CONTAINER "  shareProcessNamespace: true\n  hostPID: true\n",
			"f:8:26: error: spec.shareProcessNamespace: Invalid value: true: "
			"ShareProcessNamespace and HostPID "
			"cannot both be enabled\n"},
		{CONTAINER
			"  hostAliases: [{ip: 1.2.3, hostnames: [a, B]}, {hostnames: []}, {ip: \"::1\"}]\n",
			"f:8:22: error: spec.hostAliases[0].ip: Invalid value: \"1.2.3\": must be a valid IP "
			"address, (e.g. "
			"10.9.8.7 or 2001:db8::ffff)\n"
			"f:8:44: error: spec.hostAliases[0].hostnames[1]: Invalid value: "
			"\"B\": " SUBDOMAIN_WORDS "\n"
			"f:8:49: error: spec.hostAliases[1].ip: Required value\n"},
	};

	CHECK_SPECS(cases);
}

/* All that a pod becomes, from JSON, with the defaults beside it. */
static void good_pod(void)
{
	cleanup_pod struct pod *pod = valid(
		"{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"a.b\", "
		"\"creationTimestamp\": null,"
		"\"labels\": {\"run\": \"demo\"}}, \"status\": {\"phase\": \"Running\"}, \"spec\": {"
		"\"securityContext\": {\"runAsUser\": 0, \"fsGroup\": 5, \"supplementalGroups\": [7, 8],"
		"\"seccompProfile\": {\"type\": \"Localhost\", \"localhostProfile\": \"profiles/x.json\"}},"
		"\"initContainers\": [{\"name\": \"i\", \"image\": \"r:5000/x\", \"restartPolicy\": "
		"\"Always\"}],"
		"\"containers\": [{\"name\": \"c\", \"image\": \"x:1\", \"command\": [\"a\", \"$(B) $$(B) "
		"$(C)\"],"
		"\"env\": [{\"name\": \"A\", \"value\": \"1\"}, {\"name\": \"B\", \"value\": \"$(A)2$(C)\"}, "
		"{\"name\": "
		"\"A\"}],"
		"\"securityContext\": {\"privileged\": false, \"capabilities\": {\"add\": [\"net_admin\"], "
		"\"drop\": "
		"[\"ALL\"]}},"
		"\"ports\": [{\"containerPort\": 80}], \"volumeMounts\": [{\"name\": \"w\", \"mountPath\": "
		"\"m\", "
		"\"subPath\": \"s/t\", \"readOnly\": true}]}],"
		"\"volumes\": [{\"name\": \"v\", \"hostPath\": {\"path\": \"/x\", \"type\": \"Directory\"}}, "
		"{\"name\": "
		"\"w\", \"emptyDir\": {\"medium\": \"Memory\", \"sizeLimit\": \"1.5Ki\"}}],"
		"\"hostAliases\": [{\"ip\": \"1.2.3.4\", \"hostnames\": [\"h\"]}]}}");
	const struct container_spec *c = pod ? pod->containers : NULL;

	if (!pod)
		return;
	expect_text(pod->name, "a.b");
	expect_text(pod->namespace, "default");
	expect_text(pod->hostname, "a.b");
	expect_text(string_map_get(&pod->labels, "run"), "demo");
	expect(pod->restart_policy == RESTART_ALWAYS && pod->termination_grace_period == 30);
	expect(pod->security.run_as_user.set && pod->security.run_as_user.value == 0);
	expect(!pod->security.run_as_group.set && pod->fs_group.set && pod->fs_group.value == 5);
	expect(pod->n_supplemental_groups == 2 && pod->supplemental_groups[1] == 8);
	expect(pod->security.seccomp.type == PROFILE_LOCALHOST && pod->security.seccomp.line == 1);
	expect_text(pod->security.seccomp.localhost, "profiles/x.json");
	expect(pod->n_init_containers == 1 && pod->init_containers[0].restart_always);
	expect(pod->init_containers[0].pull_policy == PULL_ALWAYS && !pod->init_containers[0].command);
	expect(pod->n_containers == 1 && c->pull_policy == PULL_IF_NOT_PRESENT && !c->args);
	expect_text(c->command[1], "12$(C) $(B) $(C)");
	expect(c->env.n == 2);
	expect_text(string_map_get(&c->env, "A"), "");
	expect_text(string_map_get(&c->env, "B"), "12$(C)");
	expect_text(c->termination_message_path, "/dev/termination-log");
	expect(c->security.privileged == OPTIONAL_FALSE && c->security.run_as_non_root == OPTIONAL_UNSET);
	expect_text(c->security.add_capabilities[0], "NET_ADMIN");
	expect_text(c->security.drop_capabilities[0], "ALL");
	expect(c->n_ports == 1 && c->ports[0].container_port == 80);
	expect_text(c->ports[0].protocol, "TCP");
	expect(c->n_mounts == 1 && c->mounts[0].volume == 1 && c->mounts[0].read_only);
	expect_text(c->mounts[0].mount_path, "/m");
	expect_text(c->mounts[0].sub_path, "s/t");
	expect(pod->n_volumes == 2 && pod->volumes[0].host_path_type == HOST_PATH_DIRECTORY);
	expect(pod->volumes[1].memory && pod->volumes[1].size_limit == 1536);
	expect(pod->n_host_aliases == 1);
	expect_text(pod->host_aliases[0].hostnames[0], "h");
}

static void pull_policies(void)
{
	static const struct {
		const char *image;
		enum pull_policy policy;
	} cases[] = {
		{"nginx", PULL_ALWAYS},
		{"nginx:latest", PULL_ALWAYS},
		{"nginx:1.2", PULL_IF_NOT_PRESENT},
		{"localhost:5000/nginx", PULL_ALWAYS},
		{"localhost:5000/nginx:1", PULL_IF_NOT_PRESENT},
		{"nginx@sha256:00", PULL_IF_NOT_PRESENT},
	};

	for (size_t i = 0; i < array_length(cases); i++) {
		cleanup_free char *text =
			xasprintf(HEAD "  containers: [{name: c, image: \"%s\"}]\n", cases[i].image);
		cleanup_pod struct pod *pod = valid(text);

		expect(pod && pod->containers[0].pull_policy == cases[i].policy);
	}
}

#define ANNOTATED(annotation, context)                                          \
	"apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations:\n    " \
	"container.apparmor.security.beta.kubernetes.io/c: " annotation         \
	"\nspec:\n  containers:\n  - name: c\n    image: i:1\n    securityContext: {" context "}\n"
#define ANNOTATION "metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]"

static void apparmor_annotations(void)
{
	static const struct spec_case cases[] = {
		{ANNOTATED("localhost/x", ""), ""},
		{ANNOTATED("localhost/x", "appArmorProfile: {type: Localhost, localhostProfile: x}"), ""},
		{ANNOTATED("localhost/x", "appArmorProfile: {type: Localhost, localhostProfile: z}"),
			"f:11:76: error: spec.containers[0].securityContext.appArmorProfile.localhostProfile"
			": Forbidden: apparmor profile in annotation and field must match\n"},
		{ANNOTATED("unconfined", "appArmorProfile: {type: RuntimeDefault}"),
			"f:11:47: error: spec.containers[0].securityContext.appArmorProfile.type"
			": Forbidden: apparmor type in annotation and field must match\n"},
		{ANNOTATED("x", ""), "f:6:55: error: " ANNOTATION
				     ": Invalid value: \"x\": invalid AppArmor profile name: \"x\"\n"},
		{ANNOTATED(
			 "unconfined\n    container.apparmor.security.beta.kubernetes.io/d: unconfined", ""),
			"f:7:55: error: "
			"metadata.annotations[container.apparmor.security.beta.kubernetes.io/d]: Invalid "
			"value: "
			"\"unconfined\": container not found\n"},
		{ANNOTATED("unconfined\n    seccomp.security.alpha.kubernetes.io/pod: localhost/x", ""),
			"f:7:47: warning: metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: "
			"known, not supported "
			"here: Kubernetes ignores it since 1.27; use securityContext.seccompProfile\n"},
	};
	cleanup_pod struct pod *pod = valid(ANNOTATED("localhost/x", ""));

	for (size_t i = 0; i < array_length(cases); i++) {
		cleanup_free char *shown = read_findings(cases[i].spec, NULL);

		expect_text(shown, cases[i].findings);
	}
	expect(pod && pod->containers[0].security.apparmor.type == PROFILE_LOCALHOST);
	expect(pod && pod->containers[0].security.apparmor.line == 0);
	expect_text(pod ? pod->containers[0].security.apparmor.localhost : NULL, "x");
}

/* The cases of Kubernetes' own TestMapReference and TestMapping. */
static void expansions(void)
{
	static const char *const cases[][2] = {
		{"$(VAR_A)", "A"},
		{"___$(VAR_B)___", "___B___"},
		{"___$(VAR_C)", "___C"},
		{"$(VAR_A)-$(VAR_B)", "A-B"},
		{"$(VAR_Z)", "$(VAR_Z)"},
		{"$$(VAR_A)", "$(VAR_A)"},
		{"$$$(VAR_A)", "$A"},
		{"$$$$(VAR_A)", "$$(VAR_A)"},
		{"$$$$$(VAR_A)", "$$A"},
		{"$VAR_A", "$VAR_A"},
		{"$(VAR_A", "$(VAR_A"},
		{"$VAR_A)", "$VAR_A)"},
		{"$()", "$()"},
		{"$", "$"},
		{"$$", "$"},
		{"foo$", "foo$"},
		{"f000-$$VAR_A", "f000-$VAR_A"},
		{"foo\\$(VAR_C)bar", "foo\\Cbar"},
		{"foo\\\\$(VAR_C)bar", "foo\\\\Cbar"},
		{"$(VAR_A$(VAR_B))", "$(VAR_A$(VAR_B))"},
		{"$(VAR_DNE)", "$(VAR_DNE)"},
		{"$?_boo_$!", "$?_boo_$!"},
		{"$(VAR_EMPTY)", ""},
		{"", ""},
	};
	struct string_map env = {0};

	string_map_add(&env, xstrdup("VAR_A"), xstrdup("A"));
	string_map_add(&env, xstrdup("VAR_B"), xstrdup("B"));
	string_map_add(&env, xstrdup("VAR_C"), xstrdup("C"));
	string_map_add(&env, xstrdup("VAR_EMPTY"), xstrdup(""));
	for (size_t i = 0; i < array_length(cases); i++) {
		cleanup_free char *shown = NULL;
		cleanup_free char *got = expansion(cases[i][0], &env, &shown);

		expect_text(got, cases[i][1]);
	}
	string_map_free(&env);
}

/* Each variable doubles the one before it: 2^40 bytes if nothing stopped it. */
static void expansion_bomb(void)
{
	cleanup_free char *text = NULL, *shown = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	fprintf(out, HEAD CONTAINER "    env:\n    - {name: V0, value: xx}\n");
	for (int i = 1; i < 40; i++)
		fprintf(out, "    - {name: V%d, value: \"$(V%d)$(V%d)\"}\n", i, i - 1, i - 1);
	fclose(out);
	shown = read_findings(text, NULL);
	expect(strstr(shown,
		"spec.containers[0].env[16].value: Too long: may not be more than 131071 bytes once "
		"$(NAME) is expanded"));
}

static void quantities(void)
{
	static const struct {
		const char *text;
		uint64_t value;
		bool negative;
	} cases[] = {
		{"0", 0, false},
		{"1", 1, false},
		{"1Ki", 1024, false},
		{"1.5Gi", 1610612736, false},
		{"1.00000000000000000000000000Ki", 1024, false},
		{"128M", 128000000, false},
		{"1e3", 1000, false},
		{"1E3", 1000, false},
		{"1E", 1000000000000000000, false},
		{"100m", 1, false},
		{"1500m", 2, false},
		{"1n", 1, false},
		{".5Ki", 512, false},
		{"5.", 5, false},
		{"+5", 5, false},
		{"-5", 5, true},
		{"1e-3", 1, false},
		{"1e-999999999", 1, false},
		{"0e999999999", 0, false},
		{"1e999999999", INT64_MAX, false},
		{"9223372036854775807", INT64_MAX, false},
		{"9223372036854775808", INT64_MAX, false},
		{"99999999999999999999999999999999999999999999999", INT64_MAX, false},
		{"8Ei", INT64_MAX, false},
		{"7Ei", (uint64_t)7 << 60, false},
	};
	static const char *const wrong[] = {"", "Gi", "1Gib", "1 Gi", "1gi", "1.2.3", "1e", "1e1.5", "0x10",
		"1KiB", "--1", ".", "1e3Ki", "1e99999999999", "1mm", "1\xc2\xb5"};
	uint64_t value;
	bool negative;

	for (size_t i = 0; i < array_length(cases); i++) {
		const char *error = quantity_parse(cases[i].text, &negative, &value);

		if (error || value != cases[i].value || negative != cases[i].negative) {
			printf("# %s: %s, %llu\n", cases[i].text, error ? error : "ok",
				(unsigned long long)value);
			unit_failures++;
		}
	}
	for (size_t i = 0; i < array_length(wrong); i++) {
		if (!quantity_parse(wrong[i], &negative, &value)) {
			printf("# %s is taken\n", wrong[i]);
			unit_failures++;
		}
	}
}

static void milli(void)
{
	static const struct {
		const char *text;
		uint64_t value;
	} cases[] = {{"100m", 100}, {"0.1", 100}, {"1", 1000}, {"1.5", 1500}, {"1k", 1000000}, {"0.0001", 1},
		{"250e-3", 250}, {"10Ei", INT64_MAX}};
	uint64_t value;
	bool negative;

	for (size_t i = 0; i < array_length(cases); i++) {
		if (quantity_parse_milli(cases[i].text, &negative, &value) || value != cases[i].value) {
			printf("# %s in thousandths: %llu\n", cases[i].text, (unsigned long long)value);
			unit_failures++;
		}
	}
}

static void too_much(void)
{
	cleanup_free char *text = NULL, *shown = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	fprintf(out, HEAD CONTAINER "    args: [");
	for (int i = 0; i < 20000; i++)
		fprintf(out, "a,");
	fprintf(out, "]\n");
	fclose(out);
	shown = read_findings(text, NULL);
	expect_text(shown, "f:1:1: error: the manifest holds more than 10000 values\n");
}

/* A string of a megabyte isn't repeated in the message. */
static void long_value(void)
{
	cleanup_free char *name = xcalloc(1000001, 1), *text = NULL, *shown = NULL;

	memset(name, 'A', 1000000);
	text = xasprintf(HEAD "  containers: [{name: %s, image: i}]\n", name);
	shown = read_findings(text, NULL);
	expect(strstr(shown, "AAA...\": must be no more than 63 bytes"));
	expect(strlen(shown) < 2000);
}

int main(void)
{
	group(kinds);
	group(unknown_fields);
	group(types);
	group(known_fields);
	group(containers);
	group(security);
	group(profiles);
	group(volumes);
	group(read_only_mounts);
	group(pods);
	group(good_pod);
	group(pull_policies);
	group(apparmor_annotations);
	group(expansions);
	group(expansion_bomb);
	group(quantities);
	group(milli);
	group(too_much);
	group(long_value);
	return unit_done();
}
