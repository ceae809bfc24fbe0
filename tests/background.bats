#!/usr/bin/env bats
# A pod in the background: minirun -d, its state folder, its logs, its end, and what is left when somebody is killed.

load helpers
setup_file() { minirun_setup_file; }
teardown_file() { minirun_teardown_file; }
setup() { minirun_setup; }
teardown()
{
	# What a failed test left running.
	"$MINIRUN" get -o name 2>/dev/null | xargs -r "$MINIRUN" delete --force >/dev/null 2>&1 || true
	minirun_teardown
}

# detach NAME 'COMMAND' [CONTAINER-LINES [SPEC-LINES]]: starts a pod of one container in the background.
detach()
{
	simple_pod "$@" >"$T/$1.yaml"
	chmod 0644 "$T/$1.yaml"
	assert_equal "$("$MINIRUN" -d "$T/$1.yaml")" "pod/$1 created"
}

status_of()
{
	"$MINIRUN" get "$1" -o json | jq -r "$2"
}

is_phase()
{
	[[ $(status_of "$1" .status.phase) == "$2" ]]
}

supervisor_of()
{
	jq .supervisor.pid "$MINIRUN_ROOT/$1/status.json"
}

@test "-d says that the pod is created, and returns while it runs" {
	detach demo "trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done"
	eventually 10 is_phase demo Running
	pid=$(supervisor_of demo)
	# It has no terminal, no folder and no descriptor of ours, and a session of its own.
	assert_equal "$(readlink "/proc/$pid/cwd")" /
	assert_equal "$(readlink "/proc/$pid/fd/0" "/proc/$pid/fd/1" "/proc/$pid/fd/2" | sort -u)" /dev/null
	assert_equal "$(ps -o sid= -p "$pid" | tr -d ' ')" "$pid"
	assert_equal "$("$MINIRUN" delete demo)" 'pod "demo" deleted'
}

@test "-d doesn't hold what the caller has open" {
	# bats' own descriptor 3, and a pipe whose end somebody waits for.
	simple_pod pipe 'sleep 60' '' '  terminationGracePeriodSeconds: 0' >"$T/pod.yaml"
	timeout 20 bash -c "exec 9>&1; '$MINIRUN' -d '$T/pod.yaml'" | cat
	"$MINIRUN" delete pipe
}

@test "what is wrong with the manifest or the start comes to the caller, with 125, and nothing is left" {
	simple_pod bad 'true' '    comand: [x]' >"$T/pod.yaml"
	run --separate-stderr "$MINIRUN" -d "$T/pod.yaml"
	assert_status 125
	assert_stderr_has 'did you mean "command"?'
	simple_pod typed true '    volumeMounts: [{name: v, mountPath: /v}]' \
		'  volumes: [{name: v, hostPath: {path: /nowhere, type: File}}]' >"$T/pod.yaml"
	run --separate-stderr "$MINIRUN" -d "$T/pod.yaml"
	assert_status 125
	assert_equal "$output" ""
	assert_last_error_has "volume v: hostPath type check failed: /nowhere is not a file"
	run --separate-stderr "$MINIRUN" get
	assert_equal "$output" ""
}

@test "a pod that is over stays to be looked at until it is deleted" {
	detach over 'echo done; exit 3'
	eventually 10 is_phase over Failed
	assert_equal "$("$MINIRUN" logs over)" "done"
	assert_equal "$(status_of over '.status.containerStatuses[0].state.terminated | [.exitCode, .reason] | @csv')" '3,"Error"'
	# Its processes, its cgroup and its layers are gone; its supervisor, its status and its logs are left.
	eventually 10 eval "[[ \$(ls '$MINIRUN_STORE'/pods/over-*/) == logs ]]"
	assert_equal "$(pod_processes | wc -l)" 1
	assert_equal "$(cgroups)" "$(<"$WORK/cgroups.before")"
	run "$MINIRUN" -d "$T/over.yaml"
	assert_status 125
	assert_has 'pods "over" already exists'
	"$MINIRUN" delete over
	assert_machine_unchanged
}

@test "logs: byte for byte what the container wrote, whatever it is" {
	detach bytes 'printf "a\n\n\000\377b\n"; head -c 100000 /dev/zero | tr "\000" x; printf "\r\n\ttail"'
	eventually 10 is_phase bytes Succeeded
	{ printf 'a\n\n\000\377b\n'; head -c 100000 /dev/zero | tr '\000' x; printf '\r\n\ttail'; } | cmp - <("$MINIRUN" logs bytes)
	# On disk it is CRI's format.
	run ! grep -avE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}Z std(out|err) [FP] ' \
		"$MINIRUN_ROOT/bytes/data/logs/main/0.log"
	"$MINIRUN" delete bytes
}

@test "logs: both streams, --timestamps, --tail, --since" {
	detach lines 'for i in 1 2 3; do echo line $i; done; echo error >&2'
	eventually 10 is_phase lines Succeeded
	assert_equal "$("$MINIRUN" logs lines | sort)" $'error\nline 1\nline 2\nline 3'
	assert_equal "$("$MINIRUN" logs --timestamps lines | grep -cE '^[0-9T:.-]+Z (line|error)')" 4
	assert_equal "$("$MINIRUN" logs --tail 2 lines | wc -l)" 2
	assert_equal "$("$MINIRUN" logs --tail=0 lines)" ""
	assert_equal "$("$MINIRUN" logs --since 1h pod/lines | wc -l)" 4
	run "$MINIRUN" logs --since soon lines
	assert_status 1
	"$MINIRUN" delete lines
}

@test "logs: -f goes on until the container ends" {
	detach follow 'for i in 1 2 3 4 5; do echo $i; sleep 0.2; done'
	assert_equal "$(timeout 20 "$MINIRUN" logs -f follow | tr '\n' ' ')" "1 2 3 4 5 "
	"$MINIRUN" delete follow
}

@test "logs: -p is the run before" {
	simple_pod again 'echo $(cat /v/n 2>/dev/null); echo x >>/v/n; exit 1' '    volumeMounts: [{name: v, mountPath: /v}]' \
		'  volumes: [{name: v, emptyDir: {}}]' | sed 's/Never/Always/' >"$T/pod.yaml"
	"$MINIRUN" -d "$T/pod.yaml"
	eventually 10 eval '[[ $(status_of again ".status.containerStatuses[0].state.waiting.reason") == CrashLoopBackOff ]]'
	assert_equal "$("$MINIRUN" logs again)" "x"
	assert_equal "$("$MINIRUN" logs -p again)" ""
	"$MINIRUN" delete --force again 2>/dev/null
}

@test "logs: 30 MB arrive complete and in order, through the rotation, and no more than 5 files of 10 MiB stay" {
	detach much 'seq 1 450000; sleep 0.5; seq 450001 900000'
	"$MINIRUN" logs -f much >"$T/out" &
	reader=$!
	eventually 60 is_phase much Succeeded
	wait $reader
	cmp "$T/out" <(seq 1 900000)
	[[ $(find "$MINIRUN_ROOT/much/data/logs/main" -name '0.log*' | wc -l) -le 5 ]]
	[[ -z $(find "$MINIRUN_ROOT/much/data/logs/main/" -size +10240k) ]]
	cmp <("$MINIRUN" logs --tail 1000 much) <(seq 899001 900000)
	"$MINIRUN" delete much
}

@test "logs: of a pod in the foreground there are none, and that is said" {
	simple_pod front "trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done" >"$T/pod.yaml"
	"$MINIRUN" "$T/pod.yaml" >"$T/out" 2>&1 &
	pid=$!
	eventually 10 grep -q up "$T/out"
	run "$MINIRUN" logs front
	assert_status 1
	assert_has "runs in the foreground"
	# But it can be looked at, and deleted.
	eventually 10 is_phase front Running
	"$MINIRUN" delete front
	wait $pid
}

@test "a supervisor that was killed: get shows it, logs are there, delete clears it" {
	detach victim "echo up; sleep 60"
	eventually 10 is_phase victim Running
	kill -KILL "$(supervisor_of victim)"
	# Its sandbox ends what ran.
	eventually 10 eval '[[ -z $(pod_processes) ]]'
	run "$MINIRUN" get victim
	assert_has "ContainerStatusUnknown"
	assert_has "0/1"
	assert_equal "$(status_of victim '.status.phase, .status.containerStatuses[0].state.terminated.exitCode' | tr '\n' ' ')" "Unknown 137 "
	assert_equal "$("$MINIRUN" logs victim)" "up"
	assert_equal "$("$MINIRUN" delete victim)" 'pod "victim" deleted'
	assert_machine_unchanged
}

@test "a supervisor that was killed: the next start clears it as well" {
	detach victim "echo up; sleep 60"
	eventually 10 is_phase victim Running
	kill -KILL "$(supervisor_of victim)"
	eventually 10 eval '[[ -z $(pod_processes) ]]'
	run_shell 'echo next'
	assert_status 0
	assert_machine_unchanged
}

@test "a supervisor that is killed at any moment leaves nothing after delete" {
	local pid
	for delay in 0 0.005 0.01 0.02 0.03 0.05 0.08 0.1 0.15 0.2 0.3; do
		simple_pod victim 'exit 1' | sed 's/Never/Always/' >"$T/pod.yaml"
		"$MINIRUN" -d --time-scale 1000 "$T/pod.yaml" >/dev/null
		pid=$(supervisor_of victim)
		sleep $delay
		kill -KILL "$pid"
		eventually 10 eval '[[ -z $(pod_processes) ]]'
		"$MINIRUN" delete victim
		assert_machine_unchanged 5
	done
}

@test "SIGTERM to the supervisor ends the pod for good" {
	detach term "trap 'exit 0' TERM; while :; do sleep 0.1; done"
	eventually 10 is_phase term Running
	kill -TERM "$(supervisor_of term)"
	eventually 10 eval '[[ -z $(pod_processes) ]]'
	assert_machine_unchanged
}

@test "an idle supervisor doesn't wake up, and has less than 1 MiB of its own" {
	detach idle 'sleep 600' '' '  terminationGracePeriodSeconds: 0'
	eventually 10 is_phase idle Running
	sleep 0.5
	pid=$(supervisor_of idle)
	before=$(awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$pid/status")
	sleep 1
	assert_equal "$(awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$pid/status")" "$before"
	# The sanitizers' own memory is not the supervisor's.
	grep -q __asan_init "$MINIRUN" ||
		[[ $(awk '/^Private_Dirty/ { print $2 }' "/proc/$pid/smaps_rollup") -lt 1024 ]]
	"$MINIRUN" delete idle
}

@test "an ordinary user's pods in the background" {
	local user
	for user in as_user as_ranged_user; do
		load_busybox $user >/dev/null
		simple_pod mine "trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done" >"$T/pod.yaml"
		chmod 0644 "$T/pod.yaml"
		assert_equal "$($user "$MINIRUN" -d "$T/pod.yaml" 2>/dev/null)" "pod/mine created"
		$user "$MINIRUN" wait mine --for=condition=Ready
		eventually 10 eval "[[ \$($user '$MINIRUN' logs mine) == up ]]"
		assert_equal "$($user "$MINIRUN" exec mine -- cat /proc/1/comm)" sh
		$user "$MINIRUN" delete mine
	done
}
