/* ConfigMaps and Secrets beside the Pod: what is found wrong with them, and what variables and volumes become. */
#include <stdlib.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/manifest/manifest.h"
#include "tests/unit/findings.h"
#include "tests/unit/unit.h"

struct file_case {
	const char *text, *findings;
};

static void check_files(const struct file_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *shown = read_findings(cases[i].text, NULL);

		expect_text(shown, cases[i].findings);
	}
}
#define CHECK_FILES(cases) check_files(cases, sizeof(cases) / sizeof((cases)[0]))

/* The Pod stands first, on lines 1 to 8; what is added to its container begins on line 8, to the file after ---. */
#define POD                                                                                                \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {a: b}, annotations: {note: \"x\\ty\"}}\n" \
	"spec:\n  containers:\n  - name: c\n    image: i:1\n"
#define MAP    "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\n"
#define SECRET "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"

static void base64(void)
{
	static const struct {
		const char *text, *data;
		size_t at;
	} cases[] = {
		{"", "", 0},
		{"aA==", "h", 0},
		{"aGk=", "hi", 0},
		{"aGkh", "hi!", 0},
		{"aG\r\nkh\n", "hi!", 0},
		{"aGkhaA=\n=\n", "hi!h", 0},
		{"aGk", NULL, 0},
		{"aGkha", NULL, 4},
		{"aG h", NULL, 2},
		{"aG-_", NULL, 2},
		{"=", NULL, 0},
		{"a===", NULL, 1},
		{"aA=", NULL, 3},
		{"aA=x", NULL, 2},
		{"aA==x", NULL, 4},
		{"aGk=aGk=", NULL, 4},
	};

	for (size_t i = 0; i < array_length(cases); i++) {
		cleanup_free char *data = NULL;
		size_t size = 0, at = 0;
		int result = base64_decode(cases[i].text, &data, &size, &at);

		expect((result == 0) == (cases[i].data != NULL));
		if (cases[i].data) {
			expect_text(data, cases[i].data);
			expect(size == strlen(cases[i].data));
		} else if (at != cases[i].at) {
			printf("# %s: at %zu, expected %zu\n", cases[i].text, at, cases[i].at);
			expect(at == cases[i].at);
		}
	}
}

static void documents(void)
{
	static const struct file_case cases[] = {
		{"---\n# nothing\n---\n" POD "---\n---\n", ""},
		{"{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{\"apiVersion\": \"v1\", "
		 "\"kind\": "
		 "\"ConfigMap\", \"metadata\": {\"name\": \"m\"}}, {\"apiVersion\": \"v1\", \"kind\": "
		 "\"Pod\", "
		 "\"metadata\": {\"name\": \"p\"}, \"spec\": {\"containers\": [{\"name\": \"c\", \"image\": "
		 "\"i\", \"envFrom\": [{\"configMapRef\": {\"name\": \"m\"}}]}]}}]}",
			""},
		{"{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"m\"}}\n"
		 "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"p\"}, \"spec\": "
		 "{\"containers\": [{\"name\": \"c\", \"image\": \"i\"}]}}\n",
			""},
		{"{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": "
		 "\"m\"}}\n---\n" POD,
			""},
		{"apiVersion: v1\nkind: List\nitmes: []\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: "
		 "{name: P}\n  spec: {containers: [{name: c, image: i}]}\n",
			"f:3:1: error: itmes: unknown field (did you mean \"items\"?)\n"
			"f:7:20: error: items[0].metadata.name: Invalid value: \"P\": a lowercase RFC 1123 "
			"subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
			"start and end with an alphanumeric character (e.g. 'example.com', regex used for "
			"validation is "
			"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')\n"},
		{POD "---\n" POD,
			"f:10:7: error: kind: minirun runs one Pod a file: there is one on line 1 already "
			"(put each Pod into a file of its own)\n"},
		{MAP, "f:2:1: error: there is no Pod in the file (minirun runs a Pod, with the ConfigMaps "
		      "and "
		      "Secrets beside it)\n"},
		{POD "---\napiVersion: v1\nkind: Service\nmetadata: {name: x}\n",
			"f:10:7: warning: kind: known, not supported here: no name or address of it leads to "
			"the Pod\n"},
		{POD "---\napiVersion: apps/v1\nkind: Deployment\n",
			"f:10:7: error: kind: Unsupported value: \"Deployment\": supported values: "
			"\"ConfigMap\", "
			"\"List\", \"Pod\", \"Secret\" (minirun runs Pods: take metadata and spec from its "
			"spec.template)\n"},
		{POD "---\napiVersion: v1\nkind: Configmap\n---\n- 1\n",
			"f:10:7: error: kind: Unsupported value: \"Configmap\": supported values: "
			"\"ConfigMap\", "
			"\"List\", \"Pod\", \"Secret\" (did you mean \"ConfigMap\"?)\n"
			"f:12:1: error: expected a map with apiVersion, kind, metadata and spec, got list\n"},
		/* An anchor ends with its document. */
		{POD "    env: [{name: A, value: &x y}]\n" MAP "data: {a: *x}\n",
			"f:13:12: error: the alias names no anchor that is complete before it (a string that "
			"begins "
			"with * stands in quotes)\n"},
	};

	CHECK_FILES(cases);
}

#define KEY_WORDS                                                                                            \
	"a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or " \
	"'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"

static void config_maps(void)
{
	static const struct file_case cases[] = {
		{POD MAP "data: {a: x, B_1.c-d: z, o: null}\nbinaryData: {b: AAE=}\nimmutable: true\n", ""},
		{POD MAP "data: {a: 1, \"a b\": x, ..: x, \".\": x, ..data: x, \"\": x}\n",
			"f:12:11: error: data[a]: Invalid value: 1: expected string, got integer (write it "
			"in quotes: "
			"\"1\")\n"
			"f:12:21: error: data[a b]: Invalid value: \"a b\": " KEY_WORDS "\n"
			"f:12:28: error: data[..]: Invalid value: \"..\": must not be '..'\n"
			"f:12:36: error: data[.]: Invalid value: \".\": must not be '.'\n"
			"f:12:47: error: data[..data]: Invalid value: \"..data\": must not start with '..'\n"
			"f:12:54: error: data[]: Invalid value: \"\": " KEY_WORDS "\n"},
		{POD MAP "binaryData: {a: AAE=, b: hunter}\ndata: {a: x}\ndta: {}\n",
			"f:12:17: error: binaryData[a]: Invalid value: \"a\": duplicate of key present in "
			"data\n"
			"f:12:26: error: binaryData[b]: Invalid value: illegal base64 data at input byte 4 "
			"(`base64 "
			"-w0` encodes it; a plain text belongs into data)\n"
			"f:14:1: error: dta: unknown field (did you mean \"data\"?)\n"},
		{POD MAP MAP, "f:15:18: error: metadata.name: Duplicate value: \"m\": the file has a "
			      "ConfigMap of that "
			      "name on line 9 already\n"},
	};

	CHECK_FILES(cases);
}

/* What is written in a Secret is in none of the messages. */
static void secrets(void)
{
	static const struct file_case cases[] = {
		{POD SECRET "data: {a: aGk=}\nstringData: {a: b}\ntype: my/own\n", ""},
		{POD SECRET "data: {a: hunter2, b: 12345, c: {d: hunter2}}\nstringData: {e: 12345, f: on}\n",
			"f:12:11: error: data[a]: Invalid value: illegal base64 data at input byte 4 "
			"(`base64 -w0` "
			"encodes it; a plain text belongs into stringData)\n"
			"f:12:23: error: data[b]: Invalid value: <secret contents redacted>: expected "
			"string, got "
			"integer (write it in quotes)\n"
			"f:12:30: error: data[c]: Invalid value: <secret contents redacted>: expected "
			"string, got "
			"map\n"
			"f:13:17: error: stringData[e]: Invalid value: <secret contents redacted>: expected "
			"string, "
			"got integer (write it in quotes)\n"
			"f:13:27: error: stringData[f]: Invalid value: <secret contents redacted>: expected "
			"string, "
			"got boolean (write it in quotes)\n"},
		{POD SECRET "data: hunter2\n",
			"f:12:7: error: data: Invalid value: <secret contents redacted>: "
			"expected map, got string\n"},
		{POD SECRET "stringData: {a: !hunter2 x}\n",
			"f:12:26: error: this tag does not fit here (!!str, !!int, !!float, !!bool and "
			"!!null are "
			"known; a string that begins with ! stands in quotes)\n"},
		{POD SECRET "type: kubernetes.io/tls\nstringData: {tls.crt: x}\n",
			"f:9:1: error: data[tls.key]: Required value\n"},
		{POD SECRET "type: kubernetes.io/basic-auth\nstringData: {password: x}\n", ""},
		{POD SECRET "type: kubernetes.io/ssh-auth\ndata: {ssh-privatekey: \"\"}\n",
			"f:13:24: error: data[ssh-privatekey]: Required value\n"},
		{POD SECRET "type: kubernetes.io/dockerconfigjson\nstringData: {.dockerconfigjson: "
			    "\"{hunter2\"}\n",
			"f:9:1: error: data[.dockerconfigjson]: Invalid value: \"<secret contents "
			"redacted>\": it is "
			"no JSON\n"},
	};

	CHECK_FILES(cases);
}

static void size_limits(void)
{
	static const size_t sizes[] = {1 << 20, (1 << 20) + 1};

	for (size_t i = 0; i < array_length(sizes); i++) {
		cleanup_free char *data = xcalloc(sizes[i] + 1, 1), *map = NULL, *secret = NULL;

		memset(data, 'x', sizes[i]);
		map = xasprintf(POD MAP "data: {a: %s}\n", data);
		secret = xasprintf(POD SECRET "stringData: {a: %s}\n", data);
		{
			cleanup_free char *of_map = read_findings(map, NULL);
			cleanup_free char *of_secret = read_findings(secret, NULL);

			expect_text(of_map,
				i ? "f:9:1: error: Too long: may not be more than 1048576 bytes\n" : "");
			expect_text(of_secret,
				i ? "f:9:1: error: data: Too long: may not be more than 1048576 bytes\n"
				  : "");
		}
	}
}

static void references(void)
{
	static const struct file_case cases[] = {
		{POD "    envFrom:\n    - configMapRef: {name: mm}\n    - {secretRef: {name: x, optional: "
		     "true}}\n"
		     "    - {}\n    - {secretRef: {}, prefix: \"a=\"}\n" MAP,
			"f:9:28: error: spec.containers[0].envFrom[0].configMapRef.name: configmap \"mm\" "
			"not found "
			"(did you mean \"m\"?)\n"
			"f:11:7: error: spec.containers[0].envFrom[2]: Invalid value: \"\": must specify one "
			"of: "
			"`configMapRef` or `secretRef`\n"
			"f:12:8: error: spec.containers[0].envFrom[3].secretRef.name: Required value\n"
			"f:12:31: error: spec.containers[0].envFrom[3].prefix: Invalid value: \"a=\": a "
			"valid "
			"environment variable name must consist only of printable ASCII characters other "
			"than "
			"'='\n"},
		{POD "    env:\n"
		     "    - {name: A, value: x, valueFrom: {configMapKeyRef: {name: m, key: k}}}\n"
		     "    - {name: B, valueFrom: {}}\n"
		     "    - {name: C, valueFrom: {configMapKeyRef: {name: m, key: kez}}}\n"
		     "    - {name: D, valueFrom: {configMapKeyRef: {name: m, key: bin}}}\n"
		     "    - {name: E, valueFrom: {secretKeyRef: {name: s, key: nul}}}\n"
		     "    - {name: F, valueFrom: {secretKeyRef: {name: s}, fieldRef: {fieldPath: x}}}\n"
		     "    - {name: G, valueFrom: {secretKeyRef: {name: t, key: k}}}\n" MAP
		     "data: {key: x}\nbinaryData: {bin: AAE=}\n" SECRET "data: {nul: AAE=}\n---\napiVersion: "
		     "v1\nkind: Secret\nmetadata: {name: t, namespace: other}\n",
			"f:9:27: error: spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not be "
			"specified "
			"when `value` is not empty\n"
			"f:10:17: error: spec.containers[0].env[1].valueFrom: Invalid value: \"\": must "
			"specify one "
			"of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or "
			"`fileKeyRef`\n"
			"f:11:61: error: spec.containers[0].env[2].valueFrom.configMapKeyRef.key: couldn't "
			"find key "
			"kez in ConfigMap default/m (did you mean \"key\"?)\n"
			"f:12:61: error: spec.containers[0].env[3].valueFrom.configMapKeyRef.key: couldn't "
			"find key "
			"bin in ConfigMap default/m (it is binary: mount it as a volume)\n"
			"f:13:58: error: spec.containers[0].env[4].valueFrom.secretKeyRef.key: secret \"s\", "
			"key "
			"\"nul\": it holds a NUL byte, which no environment variable can (mount it as a "
			"volume)\n"
			"f:14:17: error: spec.containers[0].env[5].valueFrom: Invalid value: \"\": may not "
			"have more "
			"than one field specified at a time\n"
			"f:15:50: error: spec.containers[0].env[6].valueFrom.secretKeyRef.name: secret \"t\" "
			"not found "
			"(the Secret on line 28 is in namespace \"other\", the Pod in \"default\")\n"},
		{POD "    env:\n"
		     "    - {name: A, valueFrom: {fieldRef: {fieldPath: metadata.nam}}}\n"
		     "    - {name: B, valueFrom: {fieldRef: {fieldPath: metadata.labels}}}\n"
		     "    - {name: C, valueFrom: {fieldRef: {fieldPath: \"spec.x['y']\"}}}\n"
		     "    - {name: D, valueFrom: {fieldRef: {apiVersion: v2, fieldPath: metadata.name}}}\n"
		     "    - {name: E, valueFrom: {resourceFieldRef: {resource: limits.cpus}}}\n"
		     "    - {name: F, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 2}}}\n"
		     "    - {name: G, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: "
		     "1024}}}\n"
		     "    - {name: H, valueFrom: {resourceFieldRef: {resource: limits.cpu, containerName: "
		     "x}}}\n",
			"f:9:51: error: spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid "
			"value: "
			"\"metadata.nam\": error converting fieldPath: field label not supported: "
			"metadata.nam (did "
			"you mean \"metadata.name\"?)\n"
			"f:10:51: error: spec.containers[0].env[1].valueFrom.fieldRef.fieldPath: Unsupported "
			"value: "
			"\"metadata.labels\": supported values: \"metadata.name\", \"metadata.namespace\", "
			"\"metadata.uid\", \"spec.nodeName\", \"spec.serviceAccountName\", "
			"\"status.hostIP\", "
			"\"status.hostIPs\", \"status.podIP\", \"status.podIPs\" (did you mean "
			"\"metadata.name\"?)\n"
			"f:11:51: error: spec.containers[0].env[2].valueFrom.fieldRef.fieldPath: Invalid "
			"value: "
			"\"spec.x['y']\": error converting fieldPath: field label does not support "
			"subscript: "
			"spec.x['y']\n"
			"f:12:67: error: spec.containers[0].env[3].valueFrom.fieldRef.fieldPath: Invalid "
			"value: "
			"\"metadata.name\": error converting fieldPath: unsupported pod version: v2\n"
			"f:13:58: error: spec.containers[0].env[4].valueFrom.resourceFieldRef.resource: "
			"Unsupported "
			"value: \"limits.cpus\": supported values: \"limits.cpu\", "
			"\"limits.ephemeral-storage\", "
			"\"limits.memory\", \"requests.cpu\", \"requests.ephemeral-storage\", "
			"\"requests.memory\" (did "
			"you mean \"limits.cpu\"?)\n"
			"f:14:79: error: spec.containers[0].env[5].valueFrom.resourceFieldRef.divisor: "
			"Invalid value: "
			"\"limits.cpu\": only divisor's values 1m and 1 are supported with the cpu resource\n"
			"f:15:82: error: spec.containers[0].env[6].valueFrom.resourceFieldRef.divisor: "
			"Invalid value: "
			"\"limits.memory\": only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, "
			"1Ti, 1Pi, "
			"1Ei are supported with the memory resource\n"
			"f:16:85: error: spec.containers[0].env[7].valueFrom.resourceFieldRef.containerName: "
			"Not "
			"found: \"x\"\n"},
	};

	CHECK_FILES(cases);
}

static void volume_sources(void)
{
#define MOUNT POD "    volumeMounts: [{name: v, mountPath: /v}]\n  volumes:\n"
	static const struct file_case cases[] = {
		{MOUNT "  - name: v\n    configMap:\n      name: m\n      defaultMode: 644\n      items:\n"
		       "      - {key: k, path: ../x}\n      - {key: k, path: /x}\n      - {key: k, path: "
		       "..x}\n"
		       "      - {key: k, path: x, mode: -1}\n      - {key: quite, path: z}\n      - {key: "
		       "k}\n"
		       "      - {key: k, path: x/y}\n" MAP "data: {k: x}\n",
			"f:13:20: error: spec.volumes[0].configMap.defaultMode: Invalid value: 644: must be "
			"a number "
			"between 0 and 0777 (octal), both inclusive (it is decimal: in YAML 0 before it "
			"makes it "
			"octal)\n"
			"f:15:24: error: spec.volumes[0].configMap.items[0].path: Invalid value: \"../x\": "
			"must not "
			"contain '..'\n"
			"f:16:24: error: spec.volumes[0].configMap.items[1].path: Invalid value: \"/x\": "
			"must be a "
			"relative path\n"
			"f:17:24: error: spec.volumes[0].configMap.items[2].path: Invalid value: \"..x\": "
			"must not start "
			"with '..'\n"
			"f:18:33: error: spec.volumes[0].configMap.items[3].mode: Invalid value: -1: must be "
			"a number "
			"between 0 and 0777 (octal), both inclusive\n"
			"f:19:15: error: spec.volumes[0].configMap.items[4].key: references non-existent "
			"config key: quite "
			"(it has k)\n"
			"f:20:9: error: spec.volumes[0].configMap.items[5].path: Required value\n"
			"f:21:24: error: spec.volumes[0].configMap.items[6].path: Invalid value: \"x/y\": it "
			"can't be "
			"there beside the file \"x\"\n"},
		{MOUNT "  - {name: v, secret: {}}\n  - {name: w, configMap: {name: gone}}\n",
			"f:10:15: error: spec.volumes[0].secret.secretName: Required value\n"},
		{MOUNT "  - name: v\n    projected:\n      sources:\n"
		       "      - {secret: {name: s}, configMap: {name: m}}\n"
		       "      - serviceAccountToken: {path: token}\n"
		       "      - configMap: {name: m, items: [{key: k, path: x}]}\n"
		       "      - secret: {name: s, items: [{key: k, path: x}]}\n"
		       "      - downwardAPI: {items: [{path: x, fieldRef: {fieldPath: status.podIP}}, {path: "
		       "z}]}\n" MAP "data: {k: x}\n" SECRET "data: {k: aGk=}\n",
			"f:13:29: error: spec.volumes[0].projected.sources[0].configMap: Forbidden: may not "
			"specify more "
			"than 1 volume type\n"
			"f:14:9: error: spec.volumes[0].projected.sources[1].serviceAccountToken: known, not "
			"supported "
			"here: there is no API server that a token would be for\n"
			"f:16:50: error: spec.volumes[0].projected.sources[3].secret.items[0].path: Invalid "
			"value: "
			"\"x\": conflicting duplicate paths\n"
			"f:17:38: error: spec.volumes[0].projected.sources[4].downwardAPI.items[0].path: "
			"Invalid value: "
			"\"x\": conflicting duplicate paths\n"
			"f:17:63: error: "
			"spec.volumes[0].projected.sources[4].downwardAPI.items[0].fieldRef.fieldPath: "
			"Unsupported value: \"status.podIP\": supported values: \"metadata.annotations\", "
			"\"metadata.labels\", \"metadata.name\", \"metadata.namespace\", \"metadata.uid\"\n"
			"f:17:79: error: spec.volumes[0].projected.sources[4].downwardAPI.items[1]: Required "
			"value: one "
			"of fieldRef and resourceFieldRef is required\n"},
		{POD "    volumeMounts: [{name: v, mountPath: /v, subPath: x}]\n  volumes:\n"
		     "  - {name: v, configMap: {name: m}}\n" MAP "data: {k: x}\n",
			"f:8:54: warning: spec.containers[0].volumeMounts[0].subPath: the volume has no such "
			"file: an "
			"empty folder is mounted in its place\n"},
	};

	CHECK_FILES(cases);
}

static void values(void)
{
	static const char text[] = POD
		"    resources: {limits: {cpu: 1500m, memory: 100M}}\n"
		"    command: [x, $(PW), $(A)]\n"
		"    args: [plain]\n"
		"    envFrom: [{configMapRef: {name: m}}, {secretRef: {name: s}, prefix: S_}]\n"
		"    env:\n"
		"    - {name: PW, valueFrom: {secretKeyRef: {name: s, key: k}}}\n"
		"    - {name: URL, value: \"a $(PW) $(S_k) $(k) $$(k)\"}\n"
		"    - {name: A, valueFrom: {fieldRef: {fieldPath: \"metadata.annotations['note']\"}}}\n"
		"    - {name: CPU, valueFrom: {resourceFieldRef: {resource: requests.cpu}}}\n"
		"    - {name: MEM, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}\n"
		"    - {name: gone, valueFrom: {configMapKeyRef: {name: m, key: q, optional: true}}}\n"
		"    - {name: k, value: new}\n"
		"    volumeMounts: [{name: v, mountPath: /v}]\n"
		"  volumes:\n"
		"  - name: v\n    projected:\n      defaultMode: 0600\n      sources:\n"
		"      - downwardAPI: {items: [{path: ./d//a, mode: 0400, fieldRef: {fieldPath: "
		"metadata.annotations}}]}\n"
		"      - configMap: {name: m}\n      - secret: {name: s}\n" MAP "data: {k: $(PW)}\n" SECRET
		"stringData: {k: hunter2}\n";
	struct pod *pod;
	cleanup_free char *shown = read_findings(text, &pod);
	const struct container_spec *container = pod ? pod->containers : NULL;
	static const char *const env[][3] = {
		{"k", "new", NULL},
		{"S_k", "hunter2", "<set to the key 'k' in secret 's'>"},
		{"PW", "hunter2", "<set to the key 'k' in secret 's'>"},
		{"URL", "a hunter2 hunter2 $(PW) $(k)",
			"a <set to the key 'k' in secret 's'> <set to the key 'k' in secret 's'> $(PW) $(k)"},
		{"A", "x\ty", NULL},
		{"CPU", "2", NULL},
		{"MEM", "96", NULL},
	};

	expect_text(shown, "");
	if (!container)
		return;
	expect(container->env.n == array_length(env));
	for (size_t i = 0; i < array_length(env) && i < container->env.n; i++) {
		expect_text(container->env.items[i].key, env[i][0]);
		expect_text(container->env.items[i].value, env[i][1]);
		expect(!container->env.items[i].shown == !env[i][2]);
		if (env[i][2] && container->env.items[i].shown)
			expect_text(container->env.items[i].shown, env[i][2]);
	}
	expect_text(container->command[1], "hunter2");
	expect_text(container->command_shown[1], "<set to the key 'k' in secret 's'>");
	expect_text(container->command_shown[2], "x\ty");
	expect(!container->args_shown);
	expect(pod->volumes[0].n_entries == 2);
	expect_text(pod->volumes[0].entries[0].path, "d/a");
	expect_text(pod->volumes[0].entries[0].data, "note=\"x\\ty\"");
	expect(pod->volumes[0].entries[0].mode == 0400);
	expect_text(pod->volumes[0].entries[1].data, "hunter2");
	expect(pod->volumes[0].entries[1].mode == 0600);
	pod_free(pod);
}

int main(void)
{
	group(base64);
	group(documents);
	group(config_maps);
	group(secrets);
	group(size_limits);
	group(references);
	group(volume_sources);
	group(values);
	return unit_done();
}
