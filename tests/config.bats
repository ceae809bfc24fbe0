#!/usr/bin/env bats
# ConfigMaps and Secrets in the Pod's file: as variables, as files, told by explain and describe; what is secret stays so.

# shellcheck disable=SC2016 # what $ stands for is the container's shell's to say, or Kubernetes'
# shellcheck disable=SC2154 # variables of bats

load helpers

config_map() {
	cat <<-'EOF'
		---
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: site}
		data:
		  COLOUR: blue
		  index.html: |
		    <h1>It works</h1>
		binaryData: {blob: AAEC}
		---
		# nothing
	EOF
}

secret() {
	cat <<-'EOF'
		---
		apiVersion: v1
		kind: Secret
		metadata: {name: db}
		data: {password: aHVudGVyMg==}
		stringData: {user: root}
	EOF
}

# config_pod NAME 'COMMAND' [SPEC-LINES]: a file of several documents, in no order, whose container runs a shell command.
config_pod() {
	config_map
	cat <<-EOF
		---
		apiVersion: v1
		kind: Pod
		metadata: {name: $1, labels: {app: web, tier: front}}
		spec:
		  restartPolicy: Never
		  terminationGracePeriodSeconds: 0
		${3:-}
		  containers:
		  - name: main
		    image: busybox
		    command: [sh, -c, $(jq -n --arg c "$2" '$c'), sh, \$(PASSWORD)]
		    envFrom:
		    - configMapRef: {name: site}
		    - {secretRef: {name: db}, prefix: DB_}
		    env:
		    - {name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}
		    - {name: URL, value: "db://\$(DB_user):\$(PASSWORD)@host"}
		    - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
		    - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
		    - {name: ABSENT, valueFrom: {configMapKeyRef: {name: none, key: k, optional: true}}}
		    volumeMounts:
		    - {name: site, mountPath: /site}
		    - {name: site, mountPath: /page, subPath: index.html}
		    - {name: db, mountPath: /db}
		    - {name: all, mountPath: /all}
		    - {name: me, mountPath: /me}
		  volumes:
		  - name: site
		    configMap: {name: site}
		  - name: db
		    secret: {secretName: db, defaultMode: 0400, items: [{key: password, path: deep/password, mode: 0440}]}
		  - name: all
		    projected:
		      sources:
		      - configMap: {name: site, items: [{key: COLOUR, path: colour}]}
		      - secret: {name: db}
		      - configMap: {name: none, optional: true}
		  - name: me
		    downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}
	EOF
	secret
}

# What the container prints in each of the worlds that minirun runs in.
SHOWN='echo $COLOUR, $DB_user, $URL, $POD, $CPU, $1, ${ABSENT-unset}; cat /page /me/labels; echo
	for f in /db/deep/password /all/password /all/colour /all/user; do echo $(cat $f); done
	cd /site; echo $(ls -A | sed "s/20[0-9_]*[.][0-9]*/TIME/"); { readlink index.html; readlink ..data; } | sed "s/20[0-9_]*[.][0-9]*/TIME/"
	stat -L -c "%a %u" /db/deep/password /site/index.html /db /db/deep
	touch new || rm ..data || (: >index.html) || echo read-only'

assert_shown() {
	assert_status 0
	assert_equal "$(strip_prefix main <<<"$output" | cat)" "$(
		cat <<-EOF
			blue, root, db://root:hunter2@host, $1, $(nproc), hunter2, unset
			<h1>It works</h1>
			app="web"
			tier="front"
			hunter2
			hunter2
			blue
			root
			..TIME ..data COLOUR blob index.html
			..data/index.html
			..TIME
			440 0
			644 0
			1777 0
			755 0
			read-only
		EOF
	)"
}

@test "variables and volumes of ConfigMaps and Secrets, laid out as by the kubelet" {
	run_pod < <(config_pod shown "$SHOWN")
	assert_shown shown
}

@test "the same without root, with a range of ids and without, and in unshare -r" {
	local who
	config_pod other "$SHOWN" >pod.yaml
	for who in as_user as_ranged_user in_unshare_r; do
		load_busybox "$who"
		run --separate-stderr "$who" "$MINIRUN" "$T/pod.yaml"
		assert_shown other
	done
}

@test "a JSON List, JSON values one after the other, and YAML behind JSON run as well" {
	local map pod file
	map='{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"k": "It works"}}'
	pod='{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "json"}, "spec": {"restartPolicy": "Never", "containers":
		[{"name": "main", "image": "busybox", "command": ["sh", "-c", "echo $k"], "envFrom": [{"configMapRef": {"name": "m"}}]}]}}'
	printf '{"apiVersion": "v1", "kind": "List", "items": [%s, %s]}' "$pod" "$map" >list.json
	printf '%s\n%s' "$map" "$pod" >stream.json
	printf '%s\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {k: It works}\n' "$pod" >both.json
	for file in list.json stream.json both.json; do
		run --separate-stderr "$MINIRUN" -q "$file"
		assert_status 0
		assert_equal "$(strip_prefix main <<<"$output")" "It works"
	done
}

@test "all mistakes of all documents are told together, in the order of the file" {
	run_pod <<-'EOF'
		apiVersion: v1
		kind: Secret
		metadata: {name: Db}
		data: {password: hunter2}
		stringData: {pin: 12345}
		---
		apiVersion: v1
		kind: Pod
		metadata: {name: p}
		spec:
		  containers:
		  - name: c
		    image: busybox
		    env: [{name: A, valueFrom: {secretKeyRef: {name: db, key: password}}}]
		    envFrom: [{configMapRef: {name: sit}}]
		    volumeMounts: [{name: v, mountPath: /v}]
		  volumes: [{name: v, configMap: {name: site, items: [{key: indexhtml, path: x}]}}]
		---
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: site}
		data: {index.html: x}
		immutabel: true
		---
		kind: Service
	EOF
	assert_status 125
	assert_equal "$(sed -n 's/^[^:]*:\([0-9]*:[0-9]*: [a-z]*: [^:]*\): .*/\1/p' <<<"$stderr")" "$(
		cat <<-'EOF'
			3:18: error: metadata.name
			4:18: error: data[password]
			5:19: error: stringData[pin]
			14:54: error: spec.containers[0].env[0].valueFrom.secretKeyRef.name
			15:37: error: spec.containers[0].envFrom[0].configMapRef.name
			17:61: error: spec.volumes[0].configMap.items[0].key
			23:1: error: immutabel
			25:7: warning: kind
		EOF
	)"
	assert_has 'configmap "sit" not found (did you mean "site"?)'
	assert_has 'references non-existent config key: indexhtml (did you mean "index.html"?)'
	assert_lacks hunter2
	assert_lacks 12345
	assert_last_error_has "7 errors"
}

@test "explain, lint and learn take the file; none shows what is secret" {
	config_pod told 'echo $COLOUR' >pod.yaml
	run --separate-stderr "$MINIRUN" explain pod.yaml
	assert_status 0
	assert_has "site  configMap in memory, 3 files"
	assert_has "  index.html  0644, 18 B: configmap site, key index.html"
	assert_has "  deep/password  0440, 7 B: secret db, key password"
	assert_has "/db  volume db, read-only"
	assert_has "PASSWORD from secret db"
	assert_lacks hunter2
	run --separate-stderr "$MINIRUN" explain -o json pod.yaml
	assert_status 0
	assert_lacks hunter2
	assert_equal "$(jq -c '.containers[0].argv[4], (.containers[0].env[] | select(startswith("URL")))' <<<"$output")" \
		$'"<set to the key \'password\' in secret \'db\'>"\n"URL=db://<set to the key \'user\' in secret \'db\'>:<set to the key \'password\' in secret \'db\'>@host"'
	run --separate-stderr "$MINIRUN" lint pod.yaml
	assert_status 0
	run --separate-stderr "$MINIRUN" learn --write learned.json pod.yaml
	assert_status 0
	assert_has "| blue"
	assert_lacks hunter2
}

@test "in the background: described as by kubectl, given back as a Pod, and secret on disk as in the lists" {
	config_pod bg 'sleep 60' >pod.yaml
	run --separate-stderr "$MINIRUN" apply -f pod.yaml
	assert_status 0
	assert_equal "$output" $'configmap/site created\nsecret/db created\npod/bg created'
	"$MINIRUN" wait pod/bg --for=condition=Ready --timeout=20s
	run --separate-stderr "$MINIRUN" describe pod bg
	local line
	for line in "    Environment Variables from:" "      site  ConfigMap                 Optional: false" \
		"      db    Secret with prefix 'DB_'  Optional: false" \
		"      PASSWORD:  <set to the key 'password' in secret 'db'>  Optional: false" \
		"      POD:       bg (v1:metadata.name)" "      CPU:       node allocatable (limits.cpu)" \
		"      ABSENT:    <set to the key 'k' of config map 'none'>  Optional: true" \
		"      /db from db (rw)" "    Type:        Secret (a volume populated by a Secret)" "    SecretName:  db" \
		"    Type:      ConfigMap (a volume populated by a ConfigMap)" \
		"    Type:           Projected (a volume that contains injected data from multiple sources)" \
		"    Type:  DownwardAPI (a volume populated by information about the pod)" "      metadata.labels -> labels"; do
		assert_has "$line"
	done
	assert_lacks hunter2
	run --separate-stderr "$MINIRUN" get pod bg -o json
	assert_lacks hunter2
	assert_equal "$(jq -c '.spec.volumes[0].configMap, .spec.containers[0].env[2].valueFrom' <<<"$output")" \
		$'{"name":"site","defaultMode":420}\n{"fieldRef":{"fieldPath":"metadata.name","apiVersion":"v1"}}'
	# Given back, with the ConfigMap and the Secret beside it, it is a file that runs.
	{ echo "$output"; config_map; secret; } >again.yaml
	run --separate-stderr "$MINIRUN" explain again.yaml
	assert_status 0
	# Nothing of it is in what minirun writes: neither in the run folder nor in the store.
	! grep -r -l -e hunter2 -e aHVudGVyMg "$MINIRUN_ROOT" "$MINIRUN_STORE/pods" || fail "a secret is on disk"
	run --separate-stderr "$MINIRUN" apply -f pod.yaml
	assert_equal "$output" "pod/bg unchanged"
	assert_has "the ConfigMaps and Secrets of the file were not applied"
	"$MINIRUN" delete -f pod.yaml --force --grace-period=0
}

@test "a pod with users of its own may read what is its root's" {
	run_pod < <(config_pod users 'id -u; cat /db/deep/password; echo; stat -L -c "%u %g" /db /db/deep /db/deep/password /page' \
		"  hostUsers: false
  securityContext: {runAsUser: 1000, runAsGroup: 1000, fsGroup: 2000}")
	assert_status 0
	assert_equal "$(strip_prefix main <<<"$output" | tr '\n' ' ')" "1000 hunter2 0 2000 0 2000 0 2000 0 2000 "
}

@test "fsGroup may read what is secret, and nobody else" {
	run_pod < <(config_pod group 'id -u; cat /db/deep/password; echo; stat -L -c "%a %g" /db /db/deep /db/deep/password /all/user' \
		"  securityContext: {runAsUser: 1000, runAsGroup: 1000, fsGroup: 4321}")
	assert_status 0
	assert_equal "$(strip_prefix main <<<"$output" | tr '\n' ' ')" "1000 hunter2 3777 4321 2755 4321 440 4321 644 4321 "
	run_pod < <(config_pod nogroup 'cat /db/deep/password' "  securityContext: {runAsUser: 1000, runAsGroup: 1000}")
	assert_status 1
	assert_has "Permission denied"
}

@test "CVE-2025-9566: links of an image and of a container lead no file of a ConfigMap onto the host" {
	mkdir -p "$T/host" "$T/rootfs$T/host"
	echo canary >"$T/host/index.html"
	# The image has links to the host's folder and file where the volume is to be mounted.
	tar -C "$T/rootfs" -xf "$WORK/busybox.tar"
	ln -s "$T/host" "$T/rootfs/site"
	ln -s "$T/host/index.html" "$T/rootfs/page"
	"$MINIRUN" image load "$T/rootfs" evil >/dev/null
	run_pod < <(config_pod image 'cat /site/index.html; cat /page' | sed 's/image: busybox/image: evil/')
	assert_status 0
	assert_has "It works"
	# A privileged container makes the volume writable, and has links there when it is started again: they stay in the volume,
	# so that nothing can be mounted from where they lead to.
	run_pod --time-scale 100 < <(config_pod again 'mount -o remount,rw,bind /site && rm /site/index.html /site/..data &&
			ln -s '"$T/host"' /site/..data && ln -s '"$T/host/index.html"' /site/index.html && exit 3' \
		'  activeDeadlineSeconds: 100' |
		sed 's/restartPolicy: Never/restartPolicy: OnFailure/; s/^    image: busybox/&\n    securityContext: {privileged: true}/')
	assert_has "exited 3"
	assert_has 'failed to prepare subPath "index.html" of a volume'
	assert_equal "$(<"$T/host/index.html")" canary
	assert_equal "$(ls "$T/host")" index.html
	assert_lacks canary
}

@test "each command of demo/config's README prints what it says" {
	cd "$REPO"
	PATH=$WORK/bin:$PATH run tests/scripts/console demo/config/README.md
	assert_status 0
}
