#!/usr/bin/env bats
# Limits by cgroups, of whichever version this machine has; version 2 with all controllers is tested in the VM, too.

load helpers

# limited RESOURCES 'COMMAND': a pod of one container.
limited()
{
	simple_pod limited "$2" "    resources: $1" '  terminationGracePeriodSeconds: 0'
}

# The folder of a running container's cgroup that has the file; the pod is called as limited() calls it.
cgroup_file()
{
	find /sys/fs/cgroup -path "*/minirun-limited-*/main/$1" 2>/dev/null | head -n 1
}

@test "a container that needs more memory than its limit is OOMKilled, and the pod goes on" {
	# Under version 1 of cgroups the kernel kills processes, not containers.
	# shellcheck disable=SC2016 # the container's
	run_pod < <(hog 'x=$(head -c 200000000 /dev/zero | tr "\0" x)')
	assert_hog_killed
	[[ $stderr == *"hog     exited 137 (signal 9, Killed), OOMKilled after "* ]]
}

# Of version 2, where it has controllers, tests/vm/limits.bats tells more.
@test "who mounts the hierarchy that has the own limits, and writes what it finds there, lifts none" {
	helper_programs attack
	mkdir "$T/root"
	tar -C "$T/root" -xf "$WORK/busybox.tar"
	cp "$WORK/helpers/attack" "$T/root/bin/"
	"$MINIRUN" image load -q "$T/root" greedy
	run_pod <<-'EOF'
		apiVersion: v1
		kind: Pod
		metadata: {name: greedy}
		spec:
		  restartPolicy: Never
		  containers:
		  - name: greedy
		    image: greedy
		    command: [sh, -c, 'attack limits; exec dd if=/dev/zero of=/dev/null bs=64M count=1']
		    securityContext: {appArmorProfile: {type: Unconfined}}
		    resources: {limits: {memory: 16Mi}}
		  - {name: calm, image: greedy, command: ["true"]}
	EOF
	# It got as far as that; what may be written depends on the hierarchy, and on how it is mounted.
	assert_has "greedy     | memory.max "
	assert_status 137
	assert_last_error_has "it needed more than its memory limit of 16 MiB"
}

@test "-o json says OOMKilled as the reason; an init container some of which was killed has failed" {
	POD=$T/pod.yaml
	limited '{limits: {memory: 32Mi}}' '(x=$(head -c 200000000 /dev/zero | tr "\0" x)); exit 0' |
		sed 's/  containers:/  initContainers:/' >"$POD"
	printf '  containers:\n  - {name: after, image: busybox, command: [echo, after]}\n' >>"$POD"
	run -125 "$MINIRUN" --pids-limit no "$POD"
	run --separate-stderr "$MINIRUN" -o json "$POD"
	[[ $status -ne 0 ]]
	[[ $output != *'"text":"after"'* ]]
	jq -es 'map(select(.type == "exited"))[0].reason == "OOMKilled"' <<<"$output"
}

@test "what the cgroup is told is what the kubelet would tell it" {
	limited '{limits: {memory: 64Mi, cpu: 250m}}' 'echo up; sleep 60' >"$T/pod.yaml"
	"$MINIRUN" --pids-limit 100 "$T/pod.yaml" >"$T/out" 2>"$T/err" &
	PID=$!
	eventually 20 grep -q up "$T/out"
	if [[ -n $(cgroup_file memory.max) ]]; then
		grep -qx $((64 << 20)) "$(cgroup_file memory.max)"
		grep -qx 0 "$(cgroup_file memory.swap.max)"
		grep -qx 1 "$(cgroup_file memory.oom.group)"
		grep -qx '25000 100000' "$(cgroup_file cpu.max)"
		grep -qx 35 "$(cgroup_file cpu.weight)"
		grep -qx 100 "$(dirname "$(cgroup_file pids.max)")/../pids.max"
	else
		grep -qx $((64 << 20)) "$(cgroup_file memory.limit_in_bytes)"
		grep -qx 25000 "$(cgroup_file cpu.cfs_quota_us)"
		grep -qx 100000 "$(cgroup_file cpu.cfs_period_us)"
		grep -qx 256 "$(cgroup_file cpu.shares)"
		grep -qx 100 "$(dirname "$(cgroup_file pids.max)")/../pids.max"
	fi
	kill -TERM $PID
	wait $PID || true
	[[ -z $(find /sys/fs/cgroup -name 'minirun-limited-*' 2>/dev/null) ]]
}

@test "a fork bomb stops at the pids limit" {
	limited '{}' 'for i in $(seq 200); do sleep 30 & done; echo all' >"$T/pod.yaml"
	run --separate-stderr "$MINIRUN" --pids-limit 50 "$T/pod.yaml"
	[[ $status -ne 0 && $output != *all* ]]
	[[ $stderr == *"can't fork"* ]]
}

@test "exec is held to the container's limits" {
	limited '{limits: {memory: 32Mi}}' 'echo up; sleep 60' >"$T/pod.yaml"
	"$MINIRUN" "$T/pod.yaml" >"$T/out" 2>"$T/err" &
	PID=$!
	eventually 20 grep -q up "$T/out"
	run "$MINIRUN" exec limited -- sh -c 'x=$(head -c 200000000 /dev/zero | tr "\0" x); echo survived'
	[[ $status -ne 0 && $output != *survived* ]]
	kill -TERM $PID
	wait $PID || true
}

@test "a limit that can't be set is refused by name before anything runs; --no-limits runs without" {
	# In a mount namespace without any cgroup hierarchy.
	limited '{limits: {memory: 64Mi}}' 'echo ran' >"$T/pod.yaml"
	run -125 --separate-stderr unshare -m sh -c 'umount -l /sys/fs/cgroup; exec "$@"' sh "$MINIRUN" "$T/pod.yaml"
	[[ $output != *ran* ]]
	[[ $stderr == *"spec.containers[0].resources.limits.memory can't be set here: no hierarchy of cgroups has the controller"* ]]
	run -0 --separate-stderr unshare -m sh -c 'umount -l /sys/fs/cgroup; exec "$@"' sh "$MINIRUN" --no-limits "$T/pod.yaml"
	[[ $output == *ran* ]]
}

@test "a memory limit too low for anything is what the last line says" {
	limited '{limits: {memory: 4Ki}}' 'echo ran' >"$T/pod.yaml"
	run -125 --separate-stderr "$MINIRUN" "$T/pod.yaml"
	assert_last_error_has "container main: the memory limit is too low for anything to run in it"
	[[ -z $(grep "^[a-z ]*store .*free" <<<"$stderr") ]]
}

@test "an ordinary user without a delegated cgroup is told so, and how to get one" {
	load_busybox as_user
	limited '{limits: {memory: 64Mi}}' 'echo ran' >"$T/pod.yaml"
	run -125 --separate-stderr as_user "$MINIRUN" "$T/pod.yaml"
	[[ $stderr == *"spec.containers[0].resources.limits.memory can't be set here: "* ]]
	[[ $stderr == *"run as root"* ]]
	run -0 --separate-stderr as_user "$MINIRUN" --no-limits "$T/pod.yaml"
	[[ $output == *ran* ]]
}

@test "what a container leaves running ends with it" {
	run_pod <<-'EOF'
		apiVersion: v1
		kind: Pod
		metadata: {name: leaves}
		spec:
		  restartPolicy: Never
		  shareProcessNamespace: true
		  containers:
		  - {name: one, image: busybox, command: [sh, -c, 'setsid sleep 4321 & sleep 0.5']}
		  - {name: two, image: busybox, command: [sh, -c, 'while pgrep -f "sleep 0.[5]" >/dev/null; do :; done; for i in $(seq 100); do pgrep -f "sleep 432[1]" >/dev/null || exec echo gone; sleep 0.1; done; echo stayed']}
	EOF
	assert_status 0
	[[ $output == *gone* ]]
}

@test "explain shows the limits and the QoS class" {
	limited '{limits: {memory: 64Mi, cpu: 250m}}' true >"$T/pod.yaml"
	run -0 --separate-stderr "$MINIRUN" explain --pids-limit 7 "$T/pod.yaml"
	[[ $output == *"QoS class     Guaranteed"* ]]
	[[ $output == *"limits        memory 64 MiB, cpu 250m, 7 processes"* ]]
	[[ $output == *"limits        memory 64 MiB, cpu 250m" ]]
	run -0 --separate-stderr "$MINIRUN" explain -o json "$T/pod.yaml"
	jq -e '.qosClass == "Guaranteed" and .containers[0].limits == {memory: 67108864, milliCPU: 250}' <<<"$output"
	limited '{limits: {ephemeral-storage: 1Mi}}' true >"$T/pod.yaml"
	run -0 --separate-stderr "$MINIRUN" explain -o json "$T/pod.yaml"
	jq -e '[.limits, .containers[0].limits | .ephemeralStorage] == [1048576, 1048576]' <<<"$output"
}

@test "get and describe show the QoS class, and what ended a container" {
	# shellcheck disable=SC2016 # for the shell in the container
	limited '{limits: {memory: 32Mi, cpu: 500m}}' 'x=$(head -c 200000000 /dev/zero | tr "\0" x); echo survived' >"$T/pod.yaml"
	"$MINIRUN" -d "$T/pod.yaml"
	eventually 30 bash -c '"$MINIRUN" get limited -o json | jq -e ".status.phase == \"Failed\""'
	"$MINIRUN" get limited -o json >"$T/json"
	jq -e '.status.qosClass == "Guaranteed"' "$T/json"
	jq -e '.status.containerStatuses[0].state.terminated | .reason == "OOMKilled" and .exitCode == 137' "$T/json"
	run "$MINIRUN" describe limited
	assert_has "Guaranteed"
	assert_has "OOMKilled"
	run "$MINIRUN" get limited
	assert_has "OOMKilled"
	"$MINIRUN" delete limited
}

@test "a pod that has more on disk than its limits is evicted, in the kubelet's words" {
	local name
	limited '{limits: {ephemeral-storage: 1Mi}}' 'head -c 3000000 /dev/zero >/file; sleep 60' >"$T/container.yaml"
	# Each within its own limit, but not the pod.
	simple_pod limited 'head -c 3000000 /dev/zero >/v/file; sleep 60' '
    resources: {limits: {ephemeral-storage: 2Mi}}
    volumeMounts: [{name: v, mountPath: /v}]' '
  volumes: [{name: v, emptyDir: {}}]' >"$T/pod.yaml"
	simple_pod limited 'head -c 3000000 /dev/zero >/v/file; sleep 60' '
    volumeMounts: [{name: v, mountPath: /v}]' '
  volumes: [{name: v, emptyDir: {sizeLimit: 2Mi}}]' >"$T/volume.yaml"
	# What minirun itself gives it to write to (CVE-2020-8557).
	limited '{limits: {ephemeral-storage: 1Mi}}' 'head -c 3000000 /dev/zero >>/etc/hosts; sleep 60' >"$T/hosts.yaml"
	limited '{limits: {ephemeral-storage: 1Mi}}' 'head -c 3000000 /dev/zero >/dev/termination-log; sleep 60' >"$T/message.yaml"
	limited '{limits: {ephemeral-storage: 64Mi}}' 'head -c 3000000 /dev/zero >/file; sleep 3; echo fine' >"$T/fine.yaml"
	# A container whose limit is above what the pod has as a whole is the pod's case: so one that is below it.
	sed -i 's/ephemeral-storage: 1Mi}}/&\n  - {name: other, image: busybox, command: [sleep, "60"], resources: {limits: {ephemeral-storage: 64Mi}}}/' "$T/container.yaml"
	# What lies too deep to be counted is no way around the limit.
	# shellcheck disable=SC2016 # the container's
	sed 's|head|cd /v; for i in $(seq 140); do mkdir d; cd d; done; head|; s|>/v/file|>file|' "$T/volume.yaml" >"$T/deep.yaml"
	for name in container pod volume deep hosts message fine; do
		sed -i "s/name: limited/name: $name/" "$T/$name.yaml"
		"$MINIRUN" "$T/$name.yaml" >"$T/$name.out" 2>"$T/$name.err" </dev/null &
	done
	wait
	grep -qxF 'pod/container Failed: Evicted: Container main exceeded its local ephemeral storage limit "1Mi"' "$T/container.err"
	grep -qxF 'pod/pod Failed: Evicted: Pod ephemeral local storage usage exceeds the total limit of containers 2Mi' "$T/pod.err"
	grep -qxF 'pod/volume Failed: Evicted: Usage of EmptyDir volume "v" exceeds the limit "2Mi"' "$T/volume.err"
	grep -qxF 'pod/deep Failed: Evicted: Usage of EmptyDir volume "v" exceeds the limit "2Mi"' "$T/deep.err"
	for name in hosts message; do
		grep -qxF "pod/$name Failed: Evicted: Pod ephemeral local storage usage exceeds the total limit of containers 1Mi" "$T/$name.err"
	done
	grep -q 'fine$' "$T/fine.out"
}

# The processes that measure for a pod: children of its supervisor that are nicer than it is (their third field after the name
# is the parent, the seventeenth their niceness).
measurers()
{
	local supervisor
	supervisor=$(jq .supervisor.pid "$MINIRUN_ROOT/$1/status.json")
	cat /proc/[0-9]*/stat 2>/dev/null | sed 's/(.*)/()/' |
		awk -v parent="$supervisor" '$4 == parent && $19 == 10 { print $1, $3 }'
}

# Stops one while it is at it.
hold_measurer()
{
	local pid
	pid=$(measurers "$1" | cut -d' ' -f1)
	[[ -n $pid ]] && kill -STOP "$pid" && [[ $(measurers "$1") == "$pid T" ]]
}

@test "measuring what a pod has on disk keeps nothing else waiting, and ends with the pod" {
	local pid
	# Enough files for the look at them to be met.
	# shellcheck disable=SC2016 # the container's
	simple_pod measured 'cd /v; i=0; while [ $i -lt 20000 ]; do : >$i; i=$((i + 1)); done
		echo made; while [ ! -e /v/more ]; do sleep 0.1; done; head -c 20000000 /dev/zero >/v/file; sleep 1000' '
    volumeMounts: [{name: v, mountPath: /v}]' '
  terminationGracePeriodSeconds: 0
  volumes: [{name: v, emptyDir: {sizeLimit: 15Mi}}]' >"$T/pod.yaml"
	"$MINIRUN" -d "$T/pod.yaml"
	eventually 60 bash -c '[[ $("$MINIRUN" logs measured) == made ]]'
	eventually 60 hold_measurer measured
	pid=$(measurers measured)
	# The supervisor answers; and has one look at a time.
	timeout 60 "$MINIRUN" exec measured -- touch /v/more
	timeout 60 "$MINIRUN" top measured
	eventually 60 bash -c '[[ $("$MINIRUN" exec measured -- stat -c %s /v/file) == 20000000 ]]'
	assert_equal "$(measurers measured)" "$pid"
	# What it sees when it goes on, or at the next look, is over the limit.
	kill -CONT "${pid% T}"
	eventually 60 bash -c '"$MINIRUN" get measured -o json | jq -e ".status.reason == \"Evicted\""'
	"$MINIRUN" delete measured
	# One that is killed is no way around the limit; nor does one that hangs hold the end of the pod up.
	"$MINIRUN" -d "$T/pod.yaml"
	eventually 60 hold_measurer measured
	"$MINIRUN" exec measured -- sh -c 'head -c 20000000 /dev/zero >/v/file'
	pid=$(measurers measured)
	kill -KILL "${pid% T}"
	eventually 60 bash -c '"$MINIRUN" get measured -o json | jq -e ".status.reason == \"Evicted\""'
	"$MINIRUN" delete measured
	"$MINIRUN" -d "$T/pod.yaml"
	eventually 60 hold_measurer measured
	pid=$(measurers measured)
	timeout 60 "$MINIRUN" delete measured
	[[ ! -e /proc/${pid% T} ]]
}

@test "an emptyDir in memory is no larger than the pod's memory limit" {
	run_shell 'grep " /v " /proc/mounts' '
    resources: {limits: {memory: 16Mi}}
    volumeMounts: [{name: v, mountPath: /v}]' '
  volumes: [{name: v, emptyDir: {medium: Memory, sizeLimit: 64Mi}}]'
	assert_has "size=16384k"
}
