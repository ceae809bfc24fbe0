#!/usr/bin/env bats
# A pod in the background: minirun -d, its state folder, its logs, its end, and what is left when somebody is killed.

load helpers
teardown() { delete_pods && minirun_teardown; }

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

@test "logs: -f of a pod that is deleted ends, and misses nothing" {
	detach gone 'trap "echo bye; exit 0" TERM; echo hello; while :; do sleep 0.05; done'
	timeout 20 "$MINIRUN" logs -f gone >"$T/out" 2>"$T/errors" &
	pid=$!
	eventually 10 grep -q hello "$T/out"
	"$MINIRUN" delete --grace-period=10 gone
	wait $pid
	assert_equal "$(<"$T/out")" $'hello\nbye'
	assert_equal "$(<"$T/errors")" ""
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

# The numbers of the lines of a file with nothing else in it, of 16 bytes each, are these and those between.
are_lines()
{
	python3 - "$@" <<-'END'
		import sys
		name, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
		with open(name, "rb") as file:
		    for number in range(first, last + 1):
		        line = file.readline()
		        assert line == b"%015d\n" % number, (number, line)
		    assert not file.readline()
	END
}

@test "logs: a container that prints as fast as it can loses nothing, and the supervisor does its other work" {
	local last=8000000 first start
	mkdir -p data
	chmod 0777 data
	# 128 MB, which a program reads faster than it could make them.
	seq -f %015.0f $last >data/lines
	cat >loud.yaml <<-YAML
		apiVersion: v1
		kind: Pod
		metadata: {name: loud}
		spec:
		  restartPolicy: Never
		  terminationGracePeriodSeconds: 0
		  volumes: [{name: data, hostPath: {path: $T/data}}]
		  containers:
		  - name: loud
		    image: busybox
		    command: [sh, -c, "until [ -e /data/go ]; do sleep 0.01; done; cat /data/lines; sleep 60"]
		    volumeMounts: [{name: data, mountPath: /data}]
		  - name: beside
		    image: busybox
		    command: [sh, -c, "while :; do echo tick; sleep 0.05; done"]
		    volumeMounts: [{name: data, mountPath: /data}]
		    readinessProbe: {exec: {command: [sh, -c, "echo >>/data/probes"]}, periodSeconds: 1, timeoutSeconds: 60}
	YAML
	"$MINIRUN" apply -q -f loud.yaml --time-scale 5
	"$MINIRUN" wait loud --for=condition=Ready
	"$MINIRUN" logs -f loud -c loud >followed 2>missing &
	wc -l <data/probes >before
	touch data/go
	start=$EPOCHREALTIME
	until [[ $("$MINIRUN" logs --tail 1 loud -c loud 2>/dev/null) == *"$last" ]]; do
		# Asked for, it answers.
		assert_equal "$(timeout 5 "$MINIRUN" exec loud -c beside -- echo here)" here
	done
	awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.0f MB/s, with all that is looked at\n", 128 / (b - a) }'
	# What is on disk is the end of it, byte for byte, and as much as the files hold: 5 of 10 MiB, of 57 bytes for 16.
	"$MINIRUN" logs loud -c loud >kept
	first=$((last - $(wc -l <kept) + 1))
	are_lines kept $first $last
	[[ $(stat -c %s kept) -ge $((4 * 10 * 1024 * 1024 * 16 / 64)) ]]
	"$MINIRUN" logs --timestamps loud -c beside >beside
	# Who follows has all of it, or was told what is missing.
	"$MINIRUN" delete --force loud 2>/dev/null
	wait
	grep -q "lines are missing" missing || are_lines followed 1 $last
	[[ $(tail -n 1 followed) == *"$last" ]]
	# The probes went on, and so did the neighbour's log, which is stamped by the supervisor.
	[[ $(wc -l <data/probes) -gt $(<before) ]]
	python3 - <<-'END'
		from datetime import datetime
		times = [datetime.fromisoformat(line.split(" ")[0][:26]).timestamp() for line in open("beside")]
		longest = max(b - a for a, b in zip(times, times[1:]))
		assert longest < 3, longest
	END
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

# A pod that lives fast: init container, sidecar with a hook, probes, a main container that ends and is started again, and
# one that takes its time to end.
busy_pod()
{
	cat <<-YAML
		apiVersion: v1
		kind: Pod
		metadata: {name: $1}
		spec:
		  terminationGracePeriodSeconds: 10
		  volumes: [{name: v, emptyDir: {}}, {name: m, emptyDir: {medium: Memory}}]
		  initContainers:
		  - {name: init, image: busybox, command: [sh, -c, "echo init; sleep 0.05"], volumeMounts: [{name: v, mountPath: /v}]}
		  - name: side
		    image: busybox
		    restartPolicy: Always
		    command: [sh, -c, "while :; do echo side; sleep 0.02; done"]
		    lifecycle: {postStart: {exec: {command: [sleep, "0.05"]}}, preStop: {exec: {command: [sleep, "0.1"]}}}
		    livenessProbe: {exec: {command: ["true"]}, periodSeconds: 1}
		  containers:
		  - {name: main, image: busybox, command: [sh, -c, "echo main; sleep 0.1; exit 1"], volumeMounts: [{name: m, mountPath: /m}]}
		  - name: slow
		    image: busybox
		    command: [sh, -c, "trap 'sleep 0.2; exit 0' TERM; while :; do sleep 0.01; done"]
		    readinessProbe: {exec: {command: [test, -e, /proc/1]}, periodSeconds: 1}
	YAML
}

# kill_one NAME MOMENT: starts the pod, and kills its supervisor so many milliseconds later. From 100 on the pod is in the
# background, and that time less 100 is counted from its start; from 1000 on it is being deleted, for so many more of them.
kill_one()
{
	local pid
	# Not in one folder with the others: the next start would clear it, not delete.
	export MINIRUN_ROOT=$WORK/$1/run
	mkdir -p "$WORK/$1"
	busy_pod "$1" >"$T/$1.yaml"
	if (($2 < 100)); then
		"$MINIRUN" --time-scale 20 "$T/$1.yaml" >/dev/null </dev/null &
		pid=$!
		sleep "0.$(printf %03d "$2")"
	else
		"$MINIRUN" -d --time-scale 20 "$T/$1.yaml" >/dev/null
		pid=$(supervisor_of "$1")
		sleep "0.$(printf %03d $((($2 - 100) % 900)))"
		if (($2 >= 1000)); then
			"$MINIRUN" delete "$1" >/dev/null &
			sleep "0.$(printf %03d $(($2 - 1000)))"
		fi
	fi
	kill -KILL "$pid" || true
	wait
}

@test "a supervisor that is killed at 100 random moments of a pod's life leaves nothing after delete" {
	local i j left=0 moments=()
	# A third of the way up to its first program, a third of its life, a third of its end; what failed can be had again.
	RANDOM=${SEED:-$((SECONDS + $$))}
	echo "SEED=${SEED:-$((SECONDS + $$))}"
	for i in {1..34}; do
		moments+=($((RANDOM % 60)) $((100 + RANDOM % 600)) $((1000 + RANDOM % 400)))
	done
	for ((i = 0; i < ${#moments[@]}; i += 17)); do
		echo "moments: ${moments[*]:i:17}"
		for ((j = i; j < i + 17; j++)); do
			kill_one "victim-$j" "${moments[j]}" 3>&- 2>/dev/null &
		done
		wait
		# Its sandbox ends what ran.
		eventually 20 eval '[[ -z $(pod_processes) ]]'
		left=$((left + $(pod_folders | wc -l)))
		for ((j = i; j < i + 17; j++)); do
			"$MINIRUN" --root "$WORK/victim-$j/run" delete "victim-$j" >/dev/null 2>&1 || true
		done
		assert_machine_unchanged 5
	done
	# There was something to clear.
	echo "$left files and folders"
	[[ $left -gt 100 ]]
}

@test "delete clears what a supervisor left that was killed before it wrote a word" {
	mkdir -p "$MINIRUN_ROOT/half" "$MINIRUN_STORE/pods/half-uid/upper-0"
	chmod 0700 "$MINIRUN_ROOT" "$MINIRUN_ROOT/half" "$MINIRUN_STORE/pods" "$MINIRUN_STORE/pods/half-uid"
	ln -s "$MINIRUN_STORE/pods/half-uid" "$MINIRUN_ROOT/half/data"
	assert_equal "$("$MINIRUN" delete half)" 'pod "half" deleted'
	[[ ! -e $MINIRUN_ROOT/half && ! -e $MINIRUN_STORE/pods/half-uid ]]
	run "$MINIRUN" delete half
	assert_status 1
	run "$MINIRUN" delete ../store
	assert_status 1
	[[ -d $MINIRUN_STORE/images ]]
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

@test "200 pods at once: no supervisor wakes up, none has 1 MiB of its own, nothing is left of them" {
	local pids before after largest
	export MINIRUN T
	simple_pod many 'sleep 600' '' '  terminationGracePeriodSeconds: 0' | sed 's/name: many/&\n  labels: {app: many}/' >"$T/many.yaml"
	seq 200 | xargs -P 8 -I{} bash -c 'sed "s/name: many/name: many-{}/" "$T/many.yaml" | "$MINIRUN" apply -q -f -'
	"$MINIRUN" wait --for=condition=Ready pod -l app=many --timeout=60s | sort -u >"$T/ready"
	assert_equal "$(wc -l <"$T/ready")" 200
	pids=$(jq .supervisor.pid "$MINIRUN_ROOT"/many-*/status.json)
	# shellcheck disable=SC2046,SC2086 # words
	switches() { awk '/ctxt_switches/ { n += $2 } END { print n }' $(printf '/proc/%s/status ' $pids); }
	eventually 20 eval 'before=$(switches); sleep 1; [[ $(switches) == "$before" ]]'
	before=$(switches)
	sleep 2
	after=$(switches)
	assert_equal "$after" "$before"
	# shellcheck disable=SC2046,SC2086 # words
	largest=$(awk '/^Private_(Dirty|Clean)/ { n[FILENAME] += $2 } END { for (f in n) if (n[f] > m) m = n[f]; print m }' \
		$(printf '/proc/%s/smaps_rollup ' $pids))
	echo "the largest has $largest KiB of its own"
	# The sanitizers' own memory is not the supervisor's.
	grep -q __asan_init "$MINIRUN" || [[ $largest -lt 1024 ]]
	"$MINIRUN" get -o name | xargs -P 8 -n 25 "$MINIRUN" delete >"$T/deleted"
	assert_equal "$(wc -l <"$T/deleted")" 200
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
