#!/usr/bin/env bats
# The manifest on the command line: what is wrong with a file is all said at once, with its place; nothing is ignored.

load helpers

# The findings on standard error, without the file's name.
findings() {
	sed -n 's/^[^:]*:\([0-9]*:[0-9]*: \(error\|warning\): \)/\1/p' <<<"$stderr"
}

# No pod was begun.
assert_nothing_made() {
	[[ ! -d $MINIRUN_ROOT || -z $(find "$MINIRUN_ROOT" -mindepth 1 -not -name '*.lock' -print -quit) ]]
}

@test "a manifest with ten mistakes reports ten, in the order of the file" {
	run_pod <<-'EOF'
		apiVersion: v1
		kind: Pod
		metadata:
		  name: Ten
		spec:
		  restartPolicy: Sometimes
		  terminationGracePeriodSeconds: -1
		  securityContext:
		    runAsUser: 4294967296
		  initContainers:
		  - name: main
		    image: busybox
		  containers:
		  - name: main
		    image: busybox
		    comand: [ls]
		    env:
		    - name: A
		      value: 1
		    securityContext:
		      capabilities: {add: [NET_ADMN]}
		    volumeMounts:
		    - {name: data, mountPath: /data}
		  volumes:
		  - name: disk
		    emptyDir: {sizeLimit: 1Gib}
	EOF
	assert_status 125
	assert_equal "$(findings | sed 's/ error: \([^:]*\):.*/ \1/')" "$(
		cat <<-'EOF'
			4:9: metadata.name
			6:18: spec.restartPolicy
			7:34: spec.terminationGracePeriodSeconds
			9:16: spec.securityContext.runAsUser
			11:11: spec.initContainers[0].name
			16:5: spec.containers[0].comand
			19:14: spec.containers[0].env[0].value
			21:28: spec.containers[0].securityContext.capabilities.add[0]
			23:14: spec.containers[0].volumeMounts[0].name
			26:27: spec.volumes[0].emptyDir.sizeLimit
		EOF
	)"
	assert_last_error_has "10 errors"
	assert_nothing_made
}

@test "a misspelt field is refused with a guess, one that stands elsewhere with its home" {
	run_pod < <(simple_pod typo true "    volumeMount: []
    runAsUser: 1000" "  initcontainers: []")
	assert_status 125
	assert_equal "$(findings)" "$(
		cat <<-'EOF'
			7:3: error: spec.initcontainers: unknown field (did you mean "initContainers"?)
			12:5: error: spec.containers[0].volumeMount: unknown field (did you mean "volumeMounts"?)
			13:5: error: spec.containers[0].runAsUser: unknown field (a field of that name belongs in spec.securityContext)
		EOF
	)"
}

@test "a field that is known and not supported is named once, and the pod runs" {
	run_pod < <(simple_pod warned 'echo ran' "    resources: {limits: {}, requests: {}}
    tty: false" "  nodeSelector: {disk: ssd}
  setHostnameAsFQDN: true")
	assert_status 0
	assert_equal "$(findings)" "$(
		cat <<-'EOF'
			7:3: warning: spec.nodeSelector: known, not supported here: there is one machine
			8:22: warning: spec.setHostnameAsFQDN: known, not supported here: the hostname has no domain
		EOF
	)"
	[[ $output == *ran* ]]
}

@test "what a program would miss is refused: variables and volumes from the cluster" {
	run_pod < <(simple_pod cluster true "    env: [{name: A, valueFrom: {fileKeyRef: {volumeName: v, path: p, key: k}}}]
    volumeMounts: [{name: config, mountPath: /config}]" "  volumes: [{name: config, nfs: {server: s, path: /}}]")
	assert_status 125
	[[ $stderr == *"spec.containers[0].env[0].valueFrom.fileKeyRef: known, not supported here"* ]]
	[[ $stderr == *"spec.volumes[0].nfs: known, not supported here: its content would be missing from container"* ]]
	assert_nothing_made
}

@test "JSON and YAML twins give the same findings and the same run" {
	cat >twin.yaml <<-'EOF'
		apiVersion: v1
		kind: Pod
		metadata: {name: twin}
		spec:
		  restartPolicy: Never
		  containers:
		  - name: main
		    image: busybox
		    command: [sh, -c, "echo '$(WHO) $$(WHO) $(NOBODY)'; hostname"]
		    env: [{name: FIRST, value: "a b"}, {name: WHO, value: $(FIRST)!}]
		    readinessProbe: {exec: {command: ["true"]}}
		  setHostnameAsFQDN: true
	EOF
	cat >twin.json <<-'EOF'
		{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "twin"}, "spec": {"restartPolicy": "Never",
		"containers": [{"name": "main", "image": "busybox", "command": ["sh", "-c",
		"echo '$(WHO) $$(WHO) $(NOBODY)'; hostname"], "env": [{"name": "FIRST", "value": "a b"}, {"name": "WHO", "value":
		"$(FIRST)!"}], "readinessProbe": {"exec": {"command": ["true"]}}}], "setHostnameAsFQDN": true}}
	EOF
	run --separate-stderr "$MINIRUN" twin.yaml
	local yaml_output=$output yaml_findings
	yaml_findings=$(findings | sed 's/^[0-9:]*//')
	assert_status 0
	run --separate-stderr "$MINIRUN" twin.json
	assert_status 0
	assert_equal "$output" "$yaml_output"
	assert_equal "$(findings | sed 's/^[0-9:]*//')" "$yaml_findings"
	[[ $yaml_findings == *setHostnameAsFQDN* ]]
	[[ $output == *"a b! \$(WHO) \$(NOBODY)"*twin* ]]
	sed -i 's/readinessProbe/readynessProbe/' twin.yaml twin.json
	for twin in twin.yaml twin.json; do
		run --separate-stderr "$MINIRUN" $twin
		assert_status 125
		[[ $stderr == *'readynessProbe: unknown field (did you mean "readinessProbe"?)'* ]]
	done
}

@test "a manifest comes from standard input, and its findings say so" {
	run --separate-stderr "$MINIRUN" - < <(simple_pod stdin 'echo from stdin')
	assert_status 0
	[[ $output == *"from stdin"* ]]
	run --separate-stderr "$MINIRUN" - <<<'{"apiVersion": "v1", "kind": "Pod",}'
	assert_status 125
	assert_equal "${stderr_lines[0]}" "standard input:1:36: error: expected a key in double quotes, found '}' (no comma\
 may stand before a closing bracket)"
}

@test "the seed's manifests are taken without a word about the manifest" {
	for file in "$REPO"/tests/fuzz/corpus/manifest/seed-{1,2,3}.yaml "$REPO"/tests/fuzz/corpus/manifest/seed-3.json; do
		# Not a run: that would pull nginx. Neither it nor the profile is there: that is all that is said.
		run --separate-stderr "$MINIRUN" explain "$file" </dev/null
		assert_equal "$(findings | grep -v ': no image nginx in the store\|: cannot load seccomp profile')" ""
		[[ $stderr == *"no image nginx"* ]]
	done
}

@test "yes and on are booleans, 0 and 010 are numbers: as in kubectl" {
	run_pod < <(simple_pod yaml11 'touch /x 2>/dev/null || echo read-only' \
		"    securityContext: {readOnlyRootFilesystem: yes}" "  terminationGracePeriodSeconds: 010")
	assert_status 0
	[[ $output == *read-only* ]]
	run "$MINIRUN" explain "$POD"
	assert_line "  grace period  8 s"
	run_pod < <(simple_pod yaml11 true "    env: [{name: A, value: on}]")
	assert_status 125
	[[ $stderr == *'env[0].value: Invalid value: true: expected string, got boolean (write it in quotes: "on")'* ]]
}

@test "a Deployment is refused with what to do" {
	run_pod <<<$'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {replicas: 2}'
	assert_status 125
	assert_equal "$(findings)" '2:7: error: kind: Unsupported value: "Deployment": supported values: "ConfigMap", "List", "Pod", "Secret" (minirun runs'\
' Pods: take metadata and spec from its spec.template)'
}

@test "files that are no manifest end in one clear error" {
	printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\nb: 2\n' >two.yaml
	printf 'spec: \xff\n' >bytes.yaml
	printf 'spec:\n\tcontainers: []\n' >tab.yaml
	head -c 5000000 /dev/zero | tr '\0' ' ' >big.yaml
	: >empty.yaml
	# A billion laughs: ten lines that expand to ten billion values.
	{
		echo 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]'
		for i in {1..9}; do
			echo "a$i: &a$i [$(printf "*a$((i - 1)), %.0s" {1..10})]"
		done
	} >laughs.yaml
	local file
	for file in "two:5:1: error: apiVersion: Required value" "bytes:1:7: error: invalid UTF-8" \
		"tab:2:1: error: invalid YAML: tab" "empty: error: the file is empty" \
		"laughs:1:22: error: the file holds more than 100000 values"; do
		run --separate-stderr "$MINIRUN" "${file%%:*}.yaml"
		assert_status 125
		[[ ${stderr_lines[0]} == "${file%%:*}.yaml:${file#*:}"* ]] || {
			echo "expected ${file%%:*}.yaml:${file#*:}"
			echo "got ${stderr_lines[0]}"
			return 1
		}
	done
	run --separate-stderr "$MINIRUN" big.yaml
	assert_status 125
	[[ $stderr == *"big.yaml is larger than the limit"* ]]
}

@test "CVE-2026-30892: a uid is a number in range, or it is refused" {
	local uid
	for uid in '"1"' 1: '":1"' '"+1"' 1a 4294967295 4294967296 2147483648 -1 1.5; do
		run_pod < <(simple_pod uid 'id -u' "    securityContext: {\"runAsUser\": $uid}")
		assert_status 125
	done
	uid=$(largest_id)
	run_pod < <(simple_pod uid 'id -u' "    securityContext: {runAsUser: $uid}")
	assert_status 0
	[[ $(tail -n 1 <<<"$output") == *"| $uid" ]]
}

@test "what a manifest holds can't write on the terminal" {
	run_pod <<<'{"apiVersion": "v1", "kind": "Pod\u001b[2J", "metadata": {"name": "x"}}'
	assert_status 125
	[[ $stderr != *$'\e'* ]]
	run_pod <<<'{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x\u001b[2J", "\u001b]0;": 1}}'
	assert_status 125
	[[ $stderr != *$'\e'* ]]
	[[ $stderr == *'\x1b'* ]]
	run_pod <<-'EOF'
		{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a\u001b[2J"}, "data": {"k\u001b": "x", "k": ""}, "binaryData": {"k\u001b": ""}}
		{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a\u001b[2J"}}
		{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [{"name": "c", "image": "i",
			"volumeMounts": [{"name": "v", "mountPath": "/v"}], "env": [{"name": "A", "valueFrom": {"configMapKeyRef":
			{"name": "a\u001b[2", "key": "k"}}}]}], "volumes": [{"name": "v", "configMap": {"name": "a\u001b[2J",
			"items": [{"key": "k", "path": "p\u001b/a"}, {"key": "k", "path": "p\u001b"}, {"key": "z", "path": "z"}]}}]}}
	EOF
	assert_status 125
	[[ $stderr != *$'\e'* ]]
	assert_has "it can't be there beside the file"
	assert_has "the file has a ConfigMap of that name"
}
