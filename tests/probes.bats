#!/usr/bin/env bats
# Probes, hooks and deadlines of a pod. Time is scaled by --time-scale.

load helpers
teardown() { delete_pods && minirun_teardown; }

# pod NAME POLICY 'COMMAND' [CONTAINER-LINES [SPEC-LINES]]: of one container, main.
pod()
{
	simple_pod "$1" "$3" "${4:-}" "  terminationGracePeriodSeconds: 600
${5:-}" | sed "s/restartPolicy: Never/restartPolicy: $2/"
}

# start [OPTION...]: starts $T/pod.yaml in the foreground; its output is in $T/out and $T/err, its pid in $PID.
start()
{
	"$MINIRUN" "$@" "$T/pod.yaml" >"$T/out" 2>"$T/err" </dev/null &
	PID=$!
}

stop()
{
	kill -TERM $PID
	wait $PID || true
}

has_lines()
{
	[[ $(grep -c -- "$3" "$T/$1") -ge $2 ]]
}

ready()
{
	[[ $("$MINIRUN" get "$1" -o json | jq -r '.status.containerStatuses[0] | [.started, .ready] | join(" ")') == "$2" ]]
}

event()
{
	"$MINIRUN" describe "$1" | grep -qE "$2"
}

LOOP="trap 'exit 0' TERM; while :; do sleep 0.05; done"

@test "readiness, exec: the container is ready when the command succeeds, and not when it fails so many times" {
	pod r Never "$LOOP" '    readinessProbe: {timeoutSeconds: 60, exec: {command: [cat, /tmp/ready]}, periodSeconds: 2, failureThreshold: 2}' >"$T/pod.yaml"
	"$MINIRUN" -d --time-scale 10 "$T/pod.yaml"
	eventually 10 ready r "true false"
	eventually 10 event r 'Warning +Unhealthy .*spec.containers\{main\}: Readiness probe failed: cat: .*: No such file or directory$'
	"$MINIRUN" exec r -- touch /tmp/ready
	"$MINIRUN" wait r --for=condition=Ready
	ready r "true true"
	"$MINIRUN" exec r -- rm /tmp/ready
	"$MINIRUN" wait r --for=condition=Ready=false
	# It isn't started again for that.
	assert_equal "$("$MINIRUN" get r -o json | jq '.status.containerStatuses[0].restartCount')" 0
	"$MINIRUN" delete r
}

@test "liveness, exec: after failureThreshold failures the container is started again" {
	pod l Always "touch /tmp/alive; $LOOP" '    livenessProbe: {timeoutSeconds: 60, exec: {command: [sh, -c, "cat /tmp/alive"]}, periodSeconds: 2, failureThreshold: 3}' >"$T/pod.yaml"
	"$MINIRUN" -d --time-scale 10 "$T/pod.yaml"
	"$MINIRUN" wait l --for=condition=Ready
	"$MINIRUN" exec l -- rm /tmp/alive
	eventually 20 eval '[[ $("$MINIRUN" get l -o json | jq ".status.containerStatuses[0].restartCount") == 1 ]]'
	event l "Unhealthy +.* \(x3 over .*Liveness probe failed: cat: can't open '/tmp/alive': No such file or directory"
	event l 'Normal +Killing .*Container main failed liveness probe, will be restarted'
	"$MINIRUN" delete l
}

@test "liveness: with restartPolicy OnFailure it is started again though it exits with 0" {
	pod o OnFailure "$LOOP" '    livenessProbe: {timeoutSeconds: 60, exec: {command: [test, -e, /tmp/fine]}, initialDelaySeconds: 5, periodSeconds: 1, failureThreshold: 1}' >"$T/pod.yaml"
	start --time-scale 10
	eventually 20 has_lines err 2 '^main  *started$'
	grep -q "main .*exited 0" "$T/err"
	stop
}

@test "liveness: a timeout is a failure, with the probe's own grace period" {
	pod t Never "trap '' TERM; while :; do sleep 0.05; done" '    livenessProbe: {exec: {command: [sleep, "60"]}, timeoutSeconds: 2, periodSeconds: 3, failureThreshold: 1, terminationGracePeriodSeconds: 3}' >"$T/pod.yaml"
	start --time-scale 10
	wait $PID || true
	grep -q 'Liveness probe failed: command timed out: "sleep 60" timed out after 2s' "$T/err"
	grep -q "the grace period is over: SIGKILL" "$T/err"
	grep -q "main .*exited 137" "$T/err"
}

@test "startup: the other probes wait for it, and so does the next container" {
	cat >"$T/pod.yaml" <<-EOF
		apiVersion: v1
		kind: Pod
		metadata: {name: s}
		spec:
		  restartPolicy: Never
		  terminationGracePeriodSeconds: 100
		  initContainers:
		  - name: side
		    image: busybox
		    restartPolicy: Always
		    command: [sh, -c, "$LOOP"]
		    startupProbe: {timeoutSeconds: 60, exec: {command: [test, -e, /tmp/up]}, periodSeconds: 1, failureThreshold: 1000}
		    livenessProbe: {timeoutSeconds: 60, exec: {command: ["false"]}, periodSeconds: 1, failureThreshold: 1000}
		  containers:
		  - {name: main, image: busybox, command: [sh, -c, "$LOOP"]}
	EOF
	"$MINIRUN" -d --time-scale 10 "$T/pod.yaml"
	eventually 10 event s 'Startup probe failed'
	run "$MINIRUN" describe s
	assert_lacks "Liveness probe"
	assert_equal "$("$MINIRUN" get s | awk 'NR == 2 { print $2, $3 }')" "0/2 Init:0/1"
	"$MINIRUN" exec s -c side -- touch /tmp/up
	"$MINIRUN" wait s --for=condition=Ready
	eventually 10 event s 'Liveness probe failed'
	"$MINIRUN" delete s
}

@test "startup: one that fails has the container started again" {
	pod sf Always "$LOOP" '    startupProbe: {timeoutSeconds: 60, exec: {command: ["false"]}, periodSeconds: 1, failureThreshold: 2}' >"$T/pod.yaml"
	start --time-scale 10
	eventually 20 has_lines err 2 '^main  *started$'
	grep -q "Container main failed startup probe, will be restarted" "$T/err"
	stop
}

@test "initialDelaySeconds and successThreshold" {
	pod d Never "$LOOP" '    readinessProbe: {timeoutSeconds: 60, exec: {command: [sh, -c, "echo x >>/tmp/n"]}, initialDelaySeconds: 10, periodSeconds: 5, successThreshold: 3}' >"$T/pod.yaml"
	"$MINIRUN" -d --time-scale 10 "$T/pod.yaml"
	"$MINIRUN" wait d --for=condition=Ready
	[[ $("$MINIRUN" exec d -- cat /tmp/n | wc -l) -ge 3 ]]
	"$MINIRUN" delete d
}

@test "httpGet and tcpSocket reach the pod's own network: refused, then a server, then its statuses" {
	# busybox's httpd: a page that is there is 200, one that isn't is 404.
	pod h Never "mkdir -p /www; until [ -e /tmp/go ]; do sleep 0.05; done; httpd -p 8080 -h /www; $LOOP" "    ports: [{name: web, containerPort: 8080}]
    readinessProbe: {httpGet: {path: /page, port: web}, periodSeconds: 2, failureThreshold: 1}
    livenessProbe: {tcpSocket: {port: 8080}, periodSeconds: 2, failureThreshold: 10000}" >"$T/pod.yaml"
	"$MINIRUN" -d --time-scale 10 "$T/pod.yaml"
	eventually 10 event h 'Readiness probe failed: Get "http://127.0.0.1:8080/page": dial tcp 127.0.0.1:8080: connect: connection refused'
	eventually 10 event h 'Liveness probe failed: dial tcp 127.0.0.1:8080: connect: connection refused'
	"$MINIRUN" exec h -- touch /tmp/go
	eventually 10 event h 'Readiness probe failed: HTTP probe failed with statuscode: 404'
	"$MINIRUN" exec h -- sh -c 'echo ok >/www/page'
	"$MINIRUN" wait h --for=condition=Ready
	"$MINIRUN" delete h
}

@test "a server that never answers: the probe's time is over, and nothing else waits for it" {
	pod mute Never "nc -l -p 8080 & $LOOP" '    readinessProbe: {httpGet: {port: 8080}, periodSeconds: 20, timeoutSeconds: 5, failureThreshold: 1}' >"$T/pod.yaml"
	"$MINIRUN" -d --time-scale 10 "$T/pod.yaml"
	eventually 20 event mute 'Readiness probe failed: Get "http://127.0.0.1:8080/": (context deadline exceeded|dial)'
	"$MINIRUN" exec mute -- true
	"$MINIRUN" delete mute
}

@test "probes of an ordinary user's pod" {
	load_busybox as_user >/dev/null
	pod u Never "mkdir -p /www; echo ok >/www/index.html; httpd -p 8080 -h /www; $LOOP" '    readinessProbe: {httpGet: {port: 8080}, periodSeconds: 1}
    livenessProbe: {timeoutSeconds: 60, exec: {command: ["true"]}, periodSeconds: 1}' >"$T/pod.yaml"
	chmod 0644 "$T/pod.yaml"
	as_user "$MINIRUN" -d --time-scale 10 "$T/pod.yaml" 2>/dev/null
	as_user "$MINIRUN" wait u --for=condition=Ready
	as_user "$MINIRUN" delete u
}

@test "grpc and HTTPS are refused by name, and what the API server refuses" {
	run_pod < <(pod x Never true "    livenessProbe: {grpc: {port: 80}}
    readinessProbe: {httpGet: {port: 80, scheme: HTTPS}, terminationGracePeriodSeconds: 3}
    startupProbe: {timeoutSeconds: 60, exec: {command: [x]}, tcpSocket: {port: 0}, successThreshold: 2, periodSeconds: -1}
    lifecycle: {postStart: {}, preStop: {sleep: {seconds: 1000}}, stopSignal: SIGUSR1}" '  activeDeadlineSeconds: 0')
	assert_status 125
	for text in 'livenessProbe.grpc: known, not supported here: no gRPC is spoken' \
		'readinessProbe.httpGet.scheme: known, not supported here: only HTTP is spoken' \
		'readinessProbe.terminationGracePeriodSeconds: Invalid value: 3: must not be set for readinessProbes' \
		'startupProbe.tcpSocket: Forbidden: may not specify more than 1 handler type' \
		'startupProbe.successThreshold: Invalid value: 2: must be 1' \
		'startupProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0' \
		'lifecycle.postStart: Required value: must specify a handler type' \
		'lifecycle.preStop.sleep.seconds: Invalid value: 1000: must be non-negative and less than or equal to' \
		'lifecycle.stopSignal: Forbidden: may not be set for containers with empty `spec.os.name`' \
		'spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive'; do
		assert_stderr_has "$text"
	done
}

@test "postStart runs in the container, before the next one is started" {
	cat >"$T/manifest" <<-EOF
		apiVersion: v1
		kind: Pod
		metadata: {name: ps}
		spec:
		  restartPolicy: Never
		  volumes: [{name: v, emptyDir: {}}]
		  containers:
		  - name: first
		    image: busybox
		    command: [sh, -c, "until [ -e /v/second ]; do sleep 0.05; done; cat /v/hook"]
		    lifecycle: {postStart: {exec: {command: [sh, -c, "sleep 0.5; echo hooked >/v/hook"]}}}
		    volumeMounts: [{name: v, mountPath: /v}]
		  - name: second
		    image: busybox
		    command: [sh, -c, "cat /v/hook; touch /v/second"]
		    volumeMounts: [{name: v, mountPath: /v}]
	EOF
	run_pod <"$T/manifest"
	assert_status 0
	assert_has "second | hooked"
	assert_has "first  | hooked"
}

@test "postStart: one that fails has the container killed, and started again" {
	pod pf Always "$LOOP" '    lifecycle: {postStart: {exec: {command: [sh, -c, "echo oh no; exit 3"]}}}' >"$T/pod.yaml"
	start --time-scale 10
	eventually 20 has_lines err 2 '^main  *started$'
	grep -q "main .*PostStartHook failed: oh no" "$T/err"
	stop
}

@test "preStop runs before the stop signal, within the grace period" {
	pod pre Never "trap 'echo signalled; exit 0' TERM; echo up; while :; do sleep 0.05; done" \
		'    lifecycle: {preStop: {exec: {command: [sh, -c, "echo hook >/proc/1/fd/1; sleep 0.3; echo done >/proc/1/fd/1"]}}}' >"$T/pod.yaml"
	start
	eventually 20 grep -q up "$T/out"
	kill -TERM $PID
	wait $PID
	assert_equal "$(strip_prefix main <"$T/out" | tr '\n' ' ')" "up hook done signalled "
}

@test "preStop: one that takes too long or fails doesn't keep the container" {
	pod slow Never "trap 'echo signalled; exit 0' TERM; echo up; while :; do sleep 0.05; done" \
		'    lifecycle: {preStop: {exec: {command: [sleep, "600"]}}}' | sed 's/PeriodSeconds: 600/PeriodSeconds: 5/' >"$T/pod.yaml"
	start --time-scale 10
	eventually 20 grep -q up "$T/out"
	kill -TERM $PID
	wait $PID
	grep -q "PreStopHook failed" "$T/err"
	grep -q signalled "$T/out"
}

@test "preStop: sleep" {
	pod sl Never "trap 'echo signalled; exit 0' TERM; echo up; while :; do sleep 0.05; done" \
		'    lifecycle: {preStop: {sleep: {seconds: 5}}}' >"$T/pod.yaml"
	start --time-scale 10
	eventually 20 grep -q up "$T/out"
	start_ms=$(date +%s%3N)
	kill -TERM $PID
	wait $PID
	[[ $(($(date +%s%3N) - start_ms)) -ge 500 ]]
	grep -q signalled "$T/out"
}

@test "lifecycle.stopSignal" {
	pod sig Never "trap 'echo usr1; exit 0' USR1; trap 'echo term' TERM; echo up; while :; do sleep 0.05; done" \
		'    lifecycle: {stopSignal: SIGUSR1}' '  os: {name: linux}' >"$T/pod.yaml"
	start
	eventually 20 grep -q up "$T/out"
	kill -TERM $PID
	wait $PID
	assert_equal "$(strip_prefix main <"$T/out" | tr '\n' ' ')" "up usr1 "
}

@test "activeDeadlineSeconds: the pod fails with DeadlineExceeded" {
	pod dl Always "$LOOP" '' '  activeDeadlineSeconds: 10' >"$T/pod.yaml"
	"$MINIRUN" -d --time-scale 20 "$T/pod.yaml"
	"$MINIRUN" wait dl --for=jsonpath='{.status.phase}'=Failed
	assert_equal "$("$MINIRUN" get dl -o json | jq -r '.status | .reason + ": " + .message')" \
		"DeadlineExceeded: Pod was active on the node longer than the specified deadline"
	"$MINIRUN" delete dl
	start --time-scale 20
	result=0
	wait $PID || result=$?
	assert_equal $result 137
	tail -n 1 "$T/err" | grep -q "Failed: DeadlineExceeded: Pod was active on the node longer"
}

@test "terminationMessagePolicy FallbackToLogsOnError: what it printed last is its message" {
	pod msg Never 'echo first; echo the end >&2; exit 1' '    terminationMessagePolicy: FallbackToLogsOnError' >"$T/pod.yaml"
	"$MINIRUN" -d "$T/pod.yaml"
	"$MINIRUN" wait msg --for=jsonpath='{.status.phase}'=Failed
	assert_equal "$("$MINIRUN" get msg -o json | jq -r '.status.containerStatuses[0].state.terminated.message' | sort)" $'first\nthe end'
	"$MINIRUN" delete msg
}

@test "50 probes: no descriptor more, and no process is left" {
	pod many Never "$LOOP" '    livenessProbe: {exec: {command: [sleep, "60"]}, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 100000}
    readinessProbe: {tcpSocket: {port: 1}, periodSeconds: 1}' >"$T/pod.yaml"
	start --time-scale 20
	eventually 20 has_lines err 6 'Liveness probe failed'
	before=$(for _ in {1..50}; do ls "/proc/$PID/fd" | wc -l; sleep 0.01; done | sort -n | head -n 1)
	eventually 60 has_lines err 50 'Liveness probe failed'
	after=$(for _ in {1..50}; do ls "/proc/$PID/fd" | wc -l; sleep 0.01; done | sort -n | head -n 1)
	[[ $after -le $before ]]
	[[ $(pod_processes | wc -l) -le 8 ]]
	stop
}
