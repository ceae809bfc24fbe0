#!/usr/bin/env bats
# minirun explain: the plan of a pod, told before anything runs, and nothing made.

load helpers

explain() {
	run --separate-stderr "$MINIRUN" explain "$@" </dev/null
}

full_pod() {
	cat >"$T/p.json" <<<'{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["execve", "arch_prctl", "exit_group"], "action": "SCMP_ACT_ALLOW"}]}'
	cat >"$T/pod.yaml" <<-'EOF'
		apiVersion: v1
		kind: Pod
		metadata: {name: told}
		spec:
		  restartPolicy: Never
		  hostNetwork: true
		  terminationGracePeriodSeconds: 7
		  securityContext: {fsGroup: 7, supplementalGroups: [8]}
		  volumes:
		  - {name: disk, emptyDir: {}}
		  - {name: memory, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
		  - {name: host, hostPath: {path: /usr}}
		  initContainers:
		  - name: first
		    image: busybox
		    command: [sh, -c, "echo it's"]
		    volumeMounts: [{name: disk, mountPath: /data}]
		  containers:
		  - name: main
		    image: busybox
		    command: [sleep, "1"]
		    workingDir: /tmp
		    env: [{name: COLOUR, value: secret}]
		    ports: [{containerPort: 80}]
		    securityContext:
		      runAsUser: 1000
		      runAsGroup: 1001
		      allowPrivilegeEscalation: false
		      readOnlyRootFilesystem: true
		      capabilities: {drop: [ALL], add: [NET_ADMIN]}
		      seccompProfile: {type: Localhost, localhostProfile: p.json}
		    volumeMounts:
		    - {name: memory, mountPath: /memory, readOnly: true}
		    - {name: host, mountPath: /host, subPath: bin}
		  - name: other
		    image: busybox
		    command: ["true"]
		    securityContext: {privileged: true}
	EOF
}

@test "the whole plan, in the order of the pod's life" {
	full_pod
	explain pod.yaml
	assert_status 0
	assert_equal "$(grep -n '^[a-z]' <<<"$output" | cut -d: -f2)" "$(
		cat <<-'EOF'
			pod told
			init container first, to its end before the next
			container main, together with the others
			container other, together with the others
		EOF
	)"
	assert_line "  network       the host's"
	assert_line "  grace period  7 s"
	assert_line "                memory  emptyDir in memory, 1.0 MiB"
	assert_line "                host  hostPath /usr"
	assert_line "  command       sh -c 'echo it'\\''s'"
	assert_line "                /data  volume disk"
	assert_line "  in            /tmp"
	assert_line "  environment   3 variables: PATH, HOSTNAME, COLOUR"
	assert_has "  user          1000"
	assert_has ", group 1001, supplementary groups 7, 8"
	assert_line "  mounts        /  the image, read-only"
	assert_line "                /memory  volume memory, read-only"
	assert_line "                /host  volume host/bin, the host's /usr"
	assert_line "  ports         80/TCP"
	assert_line "  capabilities  NET_ADMIN"
	assert_line "  no_new_privs  on: allowPrivilegeEscalation is false"
	# Where AppArmor is enabled, what it comes to is for tests/vm.
	if [[ -e /sys/module/apparmor/parameters/enabled ]]; then
		assert_has "  AppArmor      "
	else
		assert_line "  AppArmor      unconfined: no appArmorProfile is given"
	fi
	assert_line "                found at p.json"
	assert_has "  seccomp       p.json allows 3 calls by name"
	assert_has "  privileged    yes"
	assert_has "the host's: network"
	assert_has "busybox, "
	assert_lacks "secret"
}

@test "nothing is made: no store, no run folder, no cache" {
	full_pod
	sed -i '/fsGroup\|runAs/d' pod.yaml
	before=$(find "$WORK" -path "$T" -prune -o -printf '%p %T@\n' | sort)
	explain pod.yaml
	assert_status 0
	assert_equal "$(find "$WORK" -path "$T" -prune -o -printf '%p %T@\n' | sort)" "$before"
	explain --store "$T/no/store" pod.yaml
	assert_status 0
	assert_stderr_has "warning: spec.containers[0].image: no image busybox in the store $T/no/store: a run pulls it first"
	[[ ! -e $T/no ]]
}

@test "beside a profile stands what lint says of it, once for all containers that share it" {
	mkdir "$T/profiles"
	cp "$REPO/demo/mkdir/profiles/no-mkdir.json" "$T/profiles"
	sed 's/image: nginx/image: busybox/' "$REPO/demo/mkdir/blocked.yaml" >"$T/pod.yaml"
	sed -i 's/^  - image: busybox$/&\n    command: ["true"]/; ' "$T/pod.yaml"
	sed -i '/command: \["true"\]/{N;N;/command: \["sh"/s/ *command: \["true"\]\n//}' "$T/pod.yaml"
	explain pod.yaml
	assert_status 0
	assert_equal "$(grep -c 'it is called no-mkdir.json, and it allows mkdir' <<<"$output")" 1
	assert_equal "$(grep -c 'what lint says of it: see mkdir' <<<"$output")" 2
	assert_has "profiles/no-mkdir.json allows 51 calls by name"
	# busybox's program is static: nothing is said of loaders.
	assert_lacks loader-calls-missing
}

@test "what can't work is said as in a run, and the rest is told all the same" {
	cat >"$T/pod.yaml" <<-'EOF'
		apiVersion: v1
		kind: Pod
		metadata: {name: broken}
		spec:
		  restartPolicy: Never
		  containers:
		  - name: main
		    image: nothing
		    command: ["true"]
		    securityContext: {seccompProfile: {type: Localhost, localhostProfile: none.json}}
	EOF
	run --separate-stderr "$MINIRUN" pod.yaml
	local in_run=$stderr
	explain pod.yaml
	assert_status 125
	assert_equal "$stderr" "$in_run"
	assert_line "  image         nothing, not in the store"
	assert_line "  seccomp       none.json, which wasn't found"
	sed -i 's/name: broken/nam: broken/' "$T/pod.yaml"
	explain pod.yaml
	assert_status 125
	assert_equal "$output" ""
	assert_stderr_has "metadata.nam"
}

@test "a profile that can't be compiled is told with its mistakes" {
	full_pod
	sed -i 's/"execve"/"getpid"/' "$T/p.json"
	explain pod.yaml
	assert_status 125
	assert_line "  seccomp       p.json, which can't be used"
	assert_has "[execve-missing]"
	sed -i 's/SCMP_ACT_ALLOW/SCMP_ACT_ALOW/' "$T/p.json"
	explain pod.yaml
	assert_status 125
	assert_has 'unknown action "SCMP_ACT_ALOW"'
}

@test "-o json tells the same to tools" {
	full_pod
	explain -o json pod.yaml
	assert_status 0
	assert_equal "$(jq -r '.pod, .restartPolicy, .terminationGracePeriodSeconds' <<<"$output" | paste -sd' ')" "told Never 7"
	assert_equal "$(jq -c '[.containers[] | [.name, .init]]' <<<"$output")" '[["first",true],["main",false],["other",false]]'
	assert_equal "$(jq -c '.containers[1] | [.argv, .workingDir, .capabilities, .noNewPrivs, .readOnlyRootFilesystem, .user.uid, .user.gid, .user.supplementalGroups]' <<<"$output")" \
		'[["sleep","1"],"/tmp",["NET_ADMIN"],true,true,1000,1001,[7,8]]'
	assert_equal "$(jq -c '.containers[1].seccomp | [.type, .profile, .source, .usable, .allowed]' <<<"$output")" '["Localhost","p.json","p.json",true,3]'
	assert_equal "$(jq -c '.containers[2].seccomp.type, .containers[2].privileged' <<<"$output" | paste -sd' ')" '"Unconfined" true'
	jq -e '.containers[0].namespaces | (.new | index("pid")) and (.host | index("network"))' <<<"$output"
	jq -e '.containers[0].image | .stored and (.digest | startswith("sha256:"))' <<<"$output"
	jq -e '.findings | type == "array"' <<<"$output"
	sed -i 's/busybox/nothing/' "$T/pod.yaml"
	explain -o json pod.yaml
	assert_status 0
	jq -e '.findings | length == 3 and all(.[]; .severity == "warning" and (.message | contains("a run pulls it first")))' <<<"$output"
}

@test "a plan has the ids that there are: one" {
	full_pod
	run --separate-stderr as_user "$MINIRUN" explain --store "$T/none" pod.yaml
	assert_status 125
	assert_stderr_has "runAsUser: Invalid value: 1000: it is not among the ids there are here (0)"
}

@test "a plan has the ids that there are: those of a range" {
	full_pod
	run --separate-stderr as_ranged_user "$MINIRUN" explain --store "$T/none" pod.yaml
	assert_status 0
	assert_line "  user          1000 (the host's 200999), group 1001, supplementary groups 7, 8"
	[[ $stderr != *runAsUser* ]]
}

@test "one file, no less and no more" {
	explain
	assert_status 125
	assert_last_error_has "explain wants"
	explain a b
	assert_status 125
	assert_last_error_has "one file"
}
