#!/usr/bin/env bats
# The life of a pod: what is started again and when, sidecars, the order of the end. Time is scaled by --time-scale.

load helpers

# pod NAME POLICY, and then for each container a line "KIND NAME COMMAND" on standard input: init, sidecar or main.
# Further lines of the spec can follow as a third argument.
pod()
{
	local kind name command text inits='' mains=''
	while read -r kind name command; do
		text="  - {name: $name, image: busybox, command: [sh, -c, $(jq -n --arg c "$command" '$c')]"
		[[ $kind != sidecar ]] || text+=", restartPolicy: Always"
		[[ ${3:-} != *volumes* ]] || text+=", volumeMounts: [{name: v, mountPath: /v}]"
		text+="}"$'\n'
		[[ $kind == main ]] && mains+=$text || inits+=$text
	done
	printf 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: %s\nspec:\n  restartPolicy: %s\n' "$1" "$2"
	# Scaled as everything is; a test that doesn't wait for it shall not meet it.
	[[ ${3:-} == *GracePeriod* ]] || printf '  terminationGracePeriodSeconds: 60000\n'
	[[ -z ${3:-} ]] || printf '%s\n' "$3"
	[[ -z $inits ]] || printf '  initContainers:\n%s' "$inits"
	printf '  containers:\n%s' "$mains"
}

# start [OPTION...]: starts $T/pod.yaml; its output is in $T/out and $T/err, its pid in $PID.
start()
{
	"$MINIRUN" "$@" "$T/pod.yaml" >"$T/out" 2>"$T/err" </dev/null &
	PID=$!
}

# Waits for $PID, whose exit status shall be $1.
assert_ends_with()
{
	local result=0
	wait "$PID" || result=$?
	[[ $result -eq $1 ]] || { cat "$T/out" "$T/err"; fail "exit status $result, expected $1"; }
}

# Whether $T/FILE has at least N lines that match.
has_lines()
{
	[[ $(grep -c -- "$3" "$T/$1") -ge $2 ]]
}

# The events of a run with -o json, as "TYPE CONTAINER" lines, of the types given.
events()
{
	jq -r --arg types "$*" 'select(.type as $t | $types | split(" ") | index($t)) | "\(.type) \(.container)"' "$T/out"
}

@test "restartPolicy Always starts a container again, whether it failed or not, until the pod is ended" {
	pod always Always <<-'EOF' >"$T/pod.yaml"
		main bad echo run; exit 3
		main good true
	EOF
	start --time-scale 1000
	eventually 20 has_lines err 4 '^bad .*started'
	eventually 20 has_lines err 4 '^good .*started'
	kill -TERM $PID
	assert_ends_with 3
	grep -q "^pod/always Failed: container bad: exit 3" "$T/err"
}

@test "restartPolicy OnFailure starts again what failed, and the pod ends when all have succeeded" {
	pod onfailure OnFailure '  volumes: [{name: v, emptyDir: {}}]' <<-'EOF' >"$T/manifest"
		main third echo x >>/v/runs; [ $(wc -l </v/runs) -ge 3 ]
		main once echo once
	EOF
	run_pod --time-scale 1000 <"$T/manifest"
	assert_status 0
	assert_equal "$(grep -c '^third .*started' <<<"$stderr")" 3
	assert_equal "$(grep -c '^once .*started' <<<"$stderr")" 1
	assert_last_error_has "Succeeded"
}

@test "restartPolicy Never and --once start nothing again" {
	pod never Never <<<'main bad exit 3' >"$T/manifest"
	run_pod --time-scale 1000 <"$T/manifest"
	assert_status 3
	assert_equal "$(grep -c started <<<"$stderr")" 1
	sed -i 's/Never/Always/' "$T/manifest"
	run_pod --once --time-scale 1000 <"$T/manifest"
	assert_status 3
	assert_equal "$(grep -c started <<<"$stderr")" 1
}

@test "an init container that fails is started again, and the next waits for its success" {
	pod inits OnFailure '  volumes: [{name: v, emptyDir: {}}]' <<-'EOF' >"$T/manifest"
		init first echo x >>/v/runs; [ $(wc -l </v/runs) -ge 3 ]
		init second echo second after $(wc -l </v/runs)
		main third echo third
	EOF
	run_pod --time-scale 1000 <"$T/manifest"
	assert_status 0
	assert_equal "$(sed 's/ *| / /' <<<"$output")" $'second second after 3\nthird third'
}

@test "back-off: the first restart is at once, then 10 s, 20 s and so on up to 300 s" {
	pod backoff Always <<<'main c exit 1' >"$T/pod.yaml"
	start --time-scale 300
	eventually 60 has_lines err 8 'Back-off restarting failed container c in pod backoff_default('
	kill -TERM $PID
	assert_ends_with 1
	assert_equal "$(sed -n 's/.*Back-off .*: again in \(.*\) s$/\1/p' "$T/err" | head -n 8 | tr '\n' ' ')" \
		"10 20 40 80 160 300 300 300 "
	# Nothing is said before the first one.
	assert_equal "$(grep -n 'started\|Back-off' "$T/err" | sed 's/.*\(started\|Back-off\).*/\1/' | head -n 4 | tr '\n' ' ')" \
		"started started Back-off started "
}

@test "back-off: the times are kept" {
	pod times Always <<<'main c exit 1' >"$T/pod.yaml"
	start -o json --time-scale 50
	eventually 30 has_lines out 5 '"type":"started"'
	kill -TERM $PID
	assert_ends_with 1
	# From the end of one run to the start of the next: 10 s and 20 s of the rules' time, at 50 a second.
	python3 - "$T/out" <<-'EOF'
		import json, sys
		from datetime import datetime
		at = lambda e: datetime.fromisoformat(e["time"].replace("Z", "+00:00")).timestamp()
		events = [json.loads(line) for line in open(sys.argv[1])]
		starts = [at(e) for e in events if e["type"] == "started"]
		ends = [at(e) for e in events if e["type"] == "exited"]
		waits = [s - e for e, s in zip(ends, starts[1:])]
		assert waits[0] < 0.2, waits
		assert waits[1] >= 0.199, waits
		assert waits[2] >= 0.399, waits
	EOF
}

@test "back-off: it starts from the beginning after a run of more than 10 minutes" {
	pod reset Always <<<'main c sleep 0.7; exit 1' >"$T/pod.yaml"
	start --time-scale 1000
	# 0.7 s are 700 s of the rules' time: each restart is the first.
	eventually 30 has_lines err 4 'started'
	kill -TERM $PID
	wait $PID || true
	run ! grep -q Back-off "$T/err"
}

@test "each restart has a fresh rootfs, and keeps the volumes" {
	pod fresh Always '  volumes: [{name: v, emptyDir: {}}]' <<<'main c ls /mine 2>/dev/null; touch /mine; echo x >>/v/x; echo count $(wc -l </v/x)' >"$T/pod.yaml"
	start --time-scale 1000
	eventually 20 grep -q "count 4" "$T/out"
	run ! grep -q /mine "$T/out"
	# Of the layers before none is left.
	assert_equal "$(find "$MINIRUN_STORE"/pods/fresh-*/ -maxdepth 1 -name 'upper-*' | wc -l)" 1
	kill -TERM $PID
	assert_ends_with 0
}

# How many descriptors the supervisor has between two runs: it has more while a container runs.
fewest_descriptors()
{
	for _ in {1..50}; do
		ls "/proc/$PID/fd" | wc -l
		sleep 0.01
	done | sort -n | head -n 1
}

@test "50 restarts: no descriptor more, and less than 1 MiB" {
	pod many Always <<<'main c exit 1' >"$T/pod.yaml"
	start --time-scale 2000
	eventually 60 has_lines err 5 'exited'
	fewest_descriptors >"$T/fds"
	eventually 120 has_lines err 60 'exited'
	[[ $(fewest_descriptors) -le $(<"$T/fds") ]]
	# The sanitizers' own memory is not the supervisor's.
	grep -q __asan_init "$MINIRUN" ||
		[[ $(awk '/^Private_Dirty/ { n += $2 } END { print n }' "/proc/$PID/smaps_rollup") -lt 1024 ]]
	kill -TERM $PID
	assert_ends_with 1
}

@test "the crash of one container leaves the others running" {
	pod others Always <<-'EOF' >"$T/pod.yaml"
		main bad exit 1
		main good trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done
	EOF
	start --time-scale 1000
	eventually 20 has_lines err 4 '^bad .*started'
	assert_equal "$(grep -c '^good .*started' "$T/err")" 1
	kill -TERM $PID
	assert_ends_with 1
	grep -q "^good .*exited 0" "$T/err"
}

# rule_pod POLICY CONTAINERS: a pod whose containers are items of YAML's flow form.
rule_pod()
{
	printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: rules}\nspec:\n  restartPolicy: %s\n%s\n' "$1" "$2"
	printf '  volumes: [{name: v, emptyDir: {}}]\n'
}

# one NAME COMMAND [MORE]: such an item; COMMAND counts its runs in /v/NAME.
one()
{
	printf '  - {name: %s, image: busybox, command: [sh, -c, %s], volumeMounts: [{name: v, mountPath: /v}]%s}\n' "$1" \
		"$(jq -n --arg c "echo x >>/v/$1; n=\$(wc -l </v/$1); $2" '$c')" "${3:-}"
}

@test "restartPolicy of a container counts before the pod's" {
	rule_pod Always "  initContainers:
$(one first '[ $n -ge 2 ]' ', restartPolicy: OnFailure')
  containers:
$(one never 'exit 0' ', restartPolicy: Never')
$(one once 'exit 7' ', restartPolicy: Never')
$(one until '[ $n -ge 3 ]' ', restartPolicy: OnFailure')" >"$T/pod.yaml"
	start --time-scale 1000
	assert_ends_with 7
	assert_equal "$(grep -c '^never .*started' "$T/err") $(grep -c '^once .*started' "$T/err")" "1 1"
	assert_equal "$(grep -c '^first .*started' "$T/err") $(grep -c '^until .*started' "$T/err")" "2 3"
	# And the other way round: an init container that may not be started again fails the pod.
	rule_pod Always "  initContainers:
$(one first 'exit 5' ', restartPolicy: Never')
  containers:
$(one main 'exit 0')" >"$T/pod.yaml"
	start --time-scale 1000
	assert_ends_with 5
	assert_equal "$(grep -c started "$T/err")" 1
	rule_pod Never "  containers:
$(one main '[ $n -lt 4 ] || sleep 60' ', restartPolicy: Always')" >"$T/pod.yaml"
	start --time-scale 1000
	eventually 20 has_lines err 4 '^main .*started'
	kill -TERM $PID
	wait $PID || true
}

@test "restartPolicyRules: the first that is for the exit code, then the container's policy" {
	local rules='restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [3, 42]}}]'
	rule_pod Never "  containers:
$(one main 'case $n in 1) exit 3;; 2) exit 42;; *) exit 4;; esac' ", restartPolicy: Never, $rules")" >"$T/pod.yaml"
	start --time-scale 1000
	assert_ends_with 4
	assert_equal "$(grep -c started "$T/err")" 3
	rule_pod Never "  initContainers:
$(one first 'exit $((3 - n))' ', restartPolicy: Never, restartPolicyRules: [{action: Restart, exitCodes: {operator: NotIn, values: [7]}}]')
  containers:
$(one main 'exit 0')" >"$T/pod.yaml"
	start --time-scale 1000
	assert_ends_with 0
	assert_equal "$(grep -c '^first .*started' "$T/err")" 3
	# With --once there are none, as there is no policy but Never.
	start --once
	assert_ends_with 2
}

@test "restartPolicyRules: what is wrong with them, in the API server's words" {
	rule_pod Never "  containers:
$(one a 'exit 0' ', restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [1]}}]')
$(one b 'exit 0' ', restartPolicy: Never, restartPolicyRules: [{action: Stop}, {action: Restart, exitCodes: {operator: Is}}]')
$(one c 'exit 0' ', restartPolicy: Never, restartPolicyRules: [{action: RestartAllContainers, exitCodes: {operator: In}}]')" >"$T/pod.yaml"
	run "$MINIRUN" explain "$T/pod.yaml"
	assert_status 125
	assert_has 'spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used'
	assert_has 'spec.containers[1].restartPolicyRules[0].action: Unsupported value: "Stop": supported values: "Restart", "RestartAllContainers"'
	assert_has 'spec.containers[1].restartPolicyRules[0].exitCodes: Required value: must be specified'
	assert_has 'spec.containers[1].restartPolicyRules[1].exitCodes.operator: Unsupported value: "Is": supported values: "In", "NotIn"'
	assert_has 'spec.containers[2].restartPolicyRules[0].action: known, not supported here'
}

@test "a program that can't be run is tried again, too" {
	pod missing Always <<<'main c true' | sed 's/\[sh, -c, "true"\]/[nosuchprogram]/' >"$T/pod.yaml"
	start --time-scale 1000
	eventually 20 has_lines err 3 'failed to start: '
	kill -TERM $PID
	assert_ends_with 127
}

@test "Ctrl-C during a back-off ends the pod at once" {
	pod waiting Always <<<'main c exit 4' >"$T/pod.yaml"
	start
	eventually 20 grep -q "again in 10 s" "$T/err"
	kill -TERM $PID
	assert_ends_with 4
}

@test "sidecars: the next container starts when one has been started, and they end after the main ones, in reverse" {
	pod side Never <<-'EOF' >"$T/pod.yaml"
		init first true
		sidecar one trap 'echo bye; exit 0' TERM; while :; do sleep 0.05; done
		sidecar two trap 'echo bye; exit 0' TERM; while :; do sleep 0.05; done
		init last true
		main main sleep 0.3
	EOF
	start -o json
	assert_ends_with 0
	assert_equal "$(events started exited | tr '\n' ',')" \
		"started first,exited first,started one,started two,started last,exited last,started main,exited main,exited two,exited one,"
}

@test "sidecars: they are started again whatever the pod's policy, and don't count for how it ended" {
	pod again Never <<-'EOF' >"$T/pod.yaml"
		sidecar side exit 9
		main main sleep 1
	EOF
	start --time-scale 1000
	assert_ends_with 0
	[[ $(grep -c '^side .*started' "$T/err") -ge 3 ]]
	grep -q "^pod/again Succeeded" "$T/err"
}

@test "sidecars: a failed init container ends the pod and them with it" {
	pod failing Never <<-'EOF' >"$T/pod.yaml"
		sidecar side trap 'exit 0' TERM; while :; do sleep 0.05; done
		init bad sleep 0.2; exit 5
		main main echo never
	EOF
	start
	assert_ends_with 5
	grep -q "^side .*exited 0" "$T/err"
	grep -q "Failed: init container bad: exit 5" "$T/err"
}

@test "sidecars: at the pod's end they are told after the main containers have ended" {
	pod order Never <<-'EOF' >"$T/pod.yaml"
		sidecar one trap 'exit 0' TERM; while :; do sleep 0.05; done
		sidecar two trap 'exit 0' TERM; while :; do sleep 0.05; done
		main main trap 'sleep 0.5; exit 0' TERM; echo up; while :; do sleep 0.05; done
	EOF
	start -o json
	eventually 20 grep -q '"text":"up"' "$T/out"
	kill -TERM $PID
	assert_ends_with 0
	assert_equal "$(events exited | tr '\n' ',')" "exited main,exited two,exited one,"
}

@test "sidecars: one that ignores its signal is killed when the grace period is over" {
	pod deaf Never '  terminationGracePeriodSeconds: 5' <<-'EOF' >"$T/pod.yaml"
		sidecar side trap '' TERM; while :; do sleep 0.05; done
		main main true
	EOF
	start --time-scale 10
	assert_ends_with 0
	grep -q "^side .*the grace period is over: SIGKILL" "$T/err"
	grep -q "^side .*exited 137" "$T/err"
}
