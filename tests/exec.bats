#!/usr/bin/env bats
# `minirun exec`: a command in a running container, under the same locks.

load helpers

# Runs pod "box" (two containers) in the background until both are up; `stop` ends it. With lines of a securityContext, the
# pod's and the main container's: start [POD [CONTAINER]].
start() {
	cat >"$T/pod.yaml" <<-EOF
		apiVersion: v1
		kind: Pod
		metadata: {name: box}
		spec:
		  restartPolicy: Never
		  terminationGracePeriodSeconds: 0
		  securityContext: {${1:-}}
		  containers:
		  - name: main
		    image: busybox
		    command: [sh, -c, "echo up; sleep 100"]
		    env: [{name: COLOUR, value: blue}]
		    securityContext: {${2:+$2, }allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}
		  - name: other
		    image: busybox
		    command: [sh, -c, "echo up; sleep 100"]
		    workingDir: /tmp
	EOF
	"$MINIRUN" "$T/pod.yaml" >"$T/out" 2>"$T/err" </dev/null &
	PID=$!
	eventually 10 eval '[[ $(grep -c up "$T/out") == 2 ]]'
}

stop() {
	kill -TERM "$PID"
	eventually 10 eval '! kill -0 "$PID" 2>/dev/null'
	wait || true
}

@test "exec enters the container: its root, processes, environment and folder" {
	start
	run --separate-stderr "$MINIRUN" exec box -c main -- sh -c 'echo $COLOUR; ps | grep -c "sleep 100"; cat /etc/minirun-mark'
	assert_status 0
	assert_equal "${lines[0]}" blue
	assert_equal "${lines[2]}" "$WORK"
	run --separate-stderr "$MINIRUN" exec box -c other -- pwd
	assert_equal "$output" /tmp
	stop
}

same_status() {
	"$MINIRUN" exec box -c main -- sh -c 'cat /proc/self/status' | grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp):?' >"$T/exec"
	"$MINIRUN" exec box -c main -- sh -c 'cat /proc/1/status' | grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp):?' >"$T/program"
	diff "$T/program" "$T/exec"
}

@test "the command has the capabilities, no_new_privs and filter of the container's program" {
	start
	same_status
	grep -q '^NoNewPrivs:[[:space:]]*1$' "$T/exec"
	grep -q '^Seccomp:[[:space:]]*2$' "$T/exec"
	grep -q '^CapBnd:[[:space:]]*0*$' "$T/exec"
	stop
}

@test "the command has the ids of the container's program" {
	start 'supplementalGroups: [4000]' 'runAsUser: 1000, runAsGroup: 2000'
	same_status
	grep -q '^Uid:[[:space:]]*1000[[:space:]]' "$T/exec"
	grep -q '^Groups:[[:space:]]*2000 4000 *$' "$T/exec"
	stop
}

@test "its exit status and both its streams are ours" {
	start
	run --separate-stderr "$MINIRUN" exec box -- true
	assert_equal "$stderr" 'Defaulted container "main" out of: main, other'
	run --separate-stderr "$MINIRUN" exec box -c main -- sh -c 'echo out; echo err >&2; exit 42'
	assert_status 42
	assert_equal "$output" out
	assert_equal "$stderr" err
	run "$MINIRUN" exec box -- sh -c 'kill -9 $$'
	assert_status 137
	stop
}

@test "-i passes standard input, and without it there is none" {
	start
	run --separate-stderr bash -c "seq 1 100000 | '$MINIRUN' exec -i box -- md5sum"
	assert_equal "$output" "$(seq 1 100000 | md5sum)"
	run --separate-stderr bash -c "echo hello | '$MINIRUN' exec box -- cat"
	assert_status 0
	assert_equal "$output" ""
	stop
}

@test "errors: no such pod, no such container, no such program, no command" {
	start
	run --separate-stderr "$MINIRUN" exec bix -- true
	assert_status 125
	assert_last_error_has 'pods "bix" not found'
	run --separate-stderr "$MINIRUN" exec box -c mian -- true
	assert_status 125
	assert_last_error_has "container mian is not valid for pod box"
	assert_stderr_has "hint: it has main"
	run -127 --separate-stderr "$MINIRUN" exec box -- nosuchprogram
	assert_last_error_has "executable file not found in \$PATH: nosuchprogram"
	run --separate-stderr "$MINIRUN" exec box
	assert_status 125
	stop
}

@test "pod/NAME and pods/NAME work too" {
	start
	run --separate-stderr "$MINIRUN" exec pod/box -- echo one
	assert_equal "$output" one
	run --separate-stderr "$MINIRUN" exec pods/box -- echo two
	assert_equal "$output" two
	stop
}

@test "no descriptor but 0, 1 and 2 reaches the command" {
	start
	for n in $(seq 10 60); do eval "exec $n</etc/passwd"; done
	run --separate-stderr "$MINIRUN" exec box -- ls /proc/self/fd
	for n in $(seq 10 60); do eval "exec $n<&-"; done
	assert_equal "$(tr '\n' ' ' <<<"$output")" "0 1 2 3 "
	stop
}

@test "a client that is killed takes its command with it" {
	start
	"$MINIRUN" exec box -c other -- sleep 300 &
	local client=$!
	eventually 5 eval '"$MINIRUN" exec box -c other -- ps | grep -q "sleep 300"'
	kill -KILL $client
	wait $client || true
	eventually 5 eval '! "$MINIRUN" exec box -c other -- ps | grep -q "sleep 300"'
	stop
}

@test "the end of the pod ends its commands" {
	start
	"$MINIRUN" exec box -- sleep 300 2>"$T/exec.err" &
	local client=$!
	sleep 0.3
	stop
	run wait $client
	[[ $status != 0 ]]
}

@test "many at once" {
	start
	for n in $(seq 1 20); do
		"$MINIRUN" exec box -c other -- echo "answer $n" >"$T/many.$n" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	assert_equal "$(cat "$T"/many.* | sort -V)" "$(printf 'answer %s\n' $(seq 1 20))"
	stop
}

@test "as an ordinary user" {
	load_busybox as_user
	simple_pod mine 'echo up; sleep 100' '' '  terminationGracePeriodSeconds: 0' >"$T/pod.yaml"
	as_user sh -c 'echo $$; exec "$1" "$2"' sh "$MINIRUN" "$T/pod.yaml" >"$T/out" 2>"$T/err" </dev/null &
	eventually 10 grep -q up "$T/out"
	PID=$(head -n 1 "$T/out")
	run --separate-stderr as_user "$MINIRUN" exec mine -- sh -c 'id -u; ps | grep -c "sleep 100"'
	assert_status 0
	assert_equal "${lines[0]}" 0
	stop
}
