#!/usr/bin/env bats
# `minirun learn` writes a profile under which the same pod runs without a denial.

load helpers
# shellcheck disable=SC2034,SC2119,SC2120 # $stderr is for the assertions; arguments that some tests give

setup_file() {
	minirun_setup_file
	make -s -C "$REPO" BUILD="$WORK/build" "$WORK"/build/tests/helpers/{refused,try-syscall,bare} >&2
	mkdir "$WORK/helpers"
	cp "$WORK"/build/tests/helpers/{refused,try-syscall,bare} "$WORK/helpers"
	chmod -R a+rX "$WORK/helpers"
}
teardown_file() { minirun_teardown_file; }
setup() { minirun_setup; }
teardown() { minirun_teardown; }

# pod COMMAND-JSON [CONTAINER-LINES]: into pod.yaml, with the helpers in /helpers; and the same under p.json into enforced.yaml.
pod() {
	cat >pod.yaml <<-YAML
		apiVersion: v1
		kind: Pod
		metadata: {name: learned}
		spec:
		  restartPolicy: Never
		  terminationGracePeriodSeconds: 2
		  volumes:
		  - name: helpers
		    hostPath: {path: $WORK/helpers, type: Directory}
		  containers:
		  - name: main
		    image: busybox
		    command: $1
		    volumeMounts:
		    - {name: helpers, mountPath: /helpers, readOnly: true}
		${2:-}
	YAML
	under p.json
}

# under PROFILE: enforced.yaml is pod.yaml with that profile for all its containers.
under() {
	sed "s|^spec:|spec:\n  securityContext: {seccompProfile: {type: Localhost, localhostProfile: $1}}|" pod.yaml >enforced.yaml
}

shell() {
	jq -nc --arg c "$1" '["sh", "-c", $c]'
}

# learn [OPTION...]: of pod.yaml into p.json.
learn() {
	status=0
	"$MINIRUN" learn --write p.json "$@" pod.yaml >out 2>err </dev/null || status=$?
	output=$(<out) stderr=$(<err)
}

# The same pod under what was learned: no denial.
enforce() {
	status=0
	"$MINIRUN" "$@" enforced.yaml >out 2>err </dev/null || status=$?
	output=$(<out) stderr=$(<err)
	assert_lacks denied
}

seen() {
	jq -c '[.syscalls[] | select(.comment == "seen").names[]]' "${1:-p.json}"
}

@test "what a shell and mkdir call is learned, and they run under it without a denial" {
	pod "$(shell 'mkdir -p /tmp/a/b && echo made')"
	learn
	assert_status 0
	assert_equal "$output" 'main        | made'
	assert_stderr_has 'learning: seccomp lets all calls through and is no boundary here'
	assert_stderr_has 'system calls, written to p.json'
	assert_equal "$(jq -r .defaultAction p.json)" SCMP_ACT_ERRNO
	assert_equal "$(jq -c .architectures p.json)" '["SCMP_ARCH_X86_64"]'
	[[ $(jq -r .comment p.json) == 'Made by `minirun learn` '*': what container main of pod learned called in one run on Linux '* ]]
	# Sorted, each once, and not more than there was.
	assert_equal "$(seen)" "$(seen | jq -c unique)"
	jq -e '[.syscalls[].names[]] | index("mkdir") and index("execve") and index("exit_group") and (index("unlink") | not)' p.json
	enforce
	assert_status 0
	assert_has made
}

@test "the same pod gives the same bytes, to a file, to standard output, and with itself as the base" {
	pod "$(shell 'mkdir /x; ls / >/dev/null; echo hello')"
	learn
	assert_status 0
	cp p.json first.json
	learn
	cmp p.json first.json
	run --separate-stderr "$MINIRUN" learn pod.yaml
	assert_status 0
	assert_equal "$output" "$(<first.json)"
	assert_stderr_has '| hello'
	learn --base p.json
	assert_stderr_has '0 of them not allowed by p.json'
	cmp p.json first.json
}
