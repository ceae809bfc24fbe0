#!/usr/bin/env bats
# What cgroups are for beside limits: devices, holding a container still, and `minirun top`. tests/vm/limits.bats has what needs
# version 2 with its controllers.

load helpers

setup_file()
{
	minirun_setup_file
	helper_programs attack
	mkdir -p "$WORK/evil"
	tar -C "$WORK/evil" -xf "$WORK/busybox.tar"
	cp "$WORK/helpers/attack" "$WORK/evil/bin/"
	tar -C "$WORK/evil" --owner=0 --group=0 -cf "$WORK/evil.tar" .
	rm -rf "$WORK/evil"
	"$MINIRUN" image load -q "$WORK/evil.tar" evil
}

# Runs a command where no hierarchy of version 2 is mounted.
without_unified()
{
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m sh -c 'for m in $(findmnt -nrt cgroup2 -o TARGET); do umount -l "$m"; done; exec "$@"' sh "$@"
}

# Looks for minirun's own processes in its pid namespace, with the right to trace them.
ambush()
{
	cat <<-EOF
		apiVersion: v1
		kind: Pod
		metadata: {name: $1}
		spec:
		  shareProcessNamespace: ${2:-false}
		  terminationGracePeriodSeconds: 0
		  containers:
		  - name: ambush
		    image: evil
		    command: [attack, ambush, minirun]
		    securityContext: {capabilities: {add: [SYS_PTRACE]}}
	EOF
}

reached()
{
	"$MINIRUN" logs "$1" -c ambush | grep -c reached
}

waits()
{
	"$MINIRUN" logs "$1" -c ambush | grep -q waiting
}

@test "a device that isn't a container's own is refused by its cgroup, of either version; one that the manifest mounts isn't" {
	local command way
	command='mkdir -p /mnt && mount -t tmpfs none /mnt && mknod /mnt/tun c 10 200 && mknod /mnt/zero c 1 5 && mknod /mnt/disk b 7 0 || echo bad
		head -c 1 /mnt/zero | od -c; head -c 0 /mnt/tun; head -c 1 /mnt/disk; [ ! -e /given ] || head -c 0 /given'
	mknod "$T/tun" c 10 200
	for way in env without_unified; do
		[[ $way == without_unified ]] || [[ -n ${CGROUP:-} ]] || continue
		[[ $way == env ]] || grep -q 'cgroup rw.*devices' /proc/mounts || continue
		simple_pod devices "$command" '
    securityContext: {capabilities: {add: [SYS_ADMIN]}}
    volumeMounts: [{name: given, mountPath: /given}]' '
  volumes: [{name: given, hostPath: {path: '"$T"'/tun, type: CharDevice}}]' >"$T/with.yaml"
		simple_pod devices "$command" '
    securityContext: {capabilities: {add: [SYS_ADMIN]}}' >"$T/pod.yaml"
		run --separate-stderr "$way" "$MINIRUN" "$T/pod.yaml"
		assert_lacks bad
		assert_has '0000000  \0'
		assert_has "head: /mnt/tun: Operation not permitted"
		assert_has "head: /mnt/disk: Operation not permitted"
		# tests/devices.bats has more of it.
		if [[ $way == env ]]; then
			assert_stderr_has "denied open /dev/net/tun (c 10:200: read) = EPERM"
		else
			assert_stderr_has "which devices the cgroup denies can't be named here: cgroup version 1 tells nobody"
		fi
		run --separate-stderr "$way" "$MINIRUN" "$T/with.yaml"
		assert_has "head: /mnt/disk: Operation not permitted"
		# It may have no driver, but that is another error.
		assert_lacks "/mnt/tun: Operation not permitted"
		assert_lacks "/given: Operation not permitted"
		# A privileged container may use all.
		sed 's/capabilities: .*/privileged: true}/' "$T/pod.yaml" >"$T/privileged.yaml"
		run --separate-stderr "$way" "$MINIRUN" "$T/privileged.yaml"
		assert_lacks "/mnt/tun: Operation not permitted"
	done
}

@test "where the kernel refuses to restrict devices nothing runs, and the line says why" {
	simple_pod devices 'echo ran' >"$T/pod.yaml"
	helper_programs refused
	run -125 --separate-stderr "$WORK/helpers/refused" without-bpf "$MINIRUN" "$T/pod.yaml"
	assert_lacks "| ran"
	assert_has "the container's devices can't be restricted: the kernel takes no BPF program: Operation not permitted"
}

@test "a container with SYS_PTRACE reaches no process of minirun's, by exec, a probe, or a neighbour's start; where it can't be held it is warned of" {
	local i round
	{
		ambush held true
		for i in 1 2 3 4 5; do
			printf '  - {name: n%s, image: busybox, command: [sh, -c, "exec sleep 600"]}\n' "$i"
		done
		printf '%s\n' "  - name: probed" "    image: busybox" '    command: [sleep, "600"]' \
			"    readinessProbe: {periodSeconds: 1, exec: {command: [cat, /proc/self/cgroup]}}"
	} >"$T/held.yaml"
	run -0 --separate-stderr "$MINIRUN" --time-scale 10 -d "$T/held.yaml"
	assert_lacks SYS_PTRACE
	eventually 10 waits held
	# Not i: bats' run has one of its own.
	for round in 1 2 3 4 5 6 7 8; do
		run -0 "$MINIRUN" exec held -c ambush -- echo "in $round"
		assert_equal "$output" "in $round"
		run -0 "$MINIRUN" exec held -c n1 -- true
	done
	# shellcheck disable=SC2016 # for another shell
	eventually 10 bash -c '"$MINIRUN" get held -o json | jq -e ".status.conditions[] | select(.type == \"Ready\") | .status == \"True\""'
	# What was let in counts as the container's, and goes with it.
	"$MINIRUN" exec held -- sleep 300 &
	PID=$!
	# shellcheck disable=SC2016 # for another shell
	eventually 10 bash -c '[[ $(cat "$0"/minirun-held-*/ambush/held/inside/cgroup.procs | wc -l) == 2 ]]' "$CGROUP"
	[[ -z $(find "$CGROUP" -name enter) ]]
	run reached held
	assert_equal "$output" 0
	"$MINIRUN" delete held
	wait $PID || true

	# The same attack, unhindered, succeeds.
	ambush free >"$T/free.yaml"
	run -0 --separate-stderr without_unified "$MINIRUN" -d "$T/free.yaml"
	assert_has "SYS_PTRACE lets a container reach the host"
	eventually 10 waits free
	for i in $(seq 100); do
		"$MINIRUN" exec free -- true
		[[ $(reached free) -eq 0 ]] || break
	done
	[[ $(reached free) -gt 0 ]]
	"$MINIRUN" delete free
}

@test "top shows what pods use, without a cgroup" {
	local user=as_user
	cat >"$T/pod.yaml" <<-'EOF'
		apiVersion: v1
		kind: Pod
		metadata: {name: busy, labels: {app: busy}}
		spec:
		  terminationGracePeriodSeconds: 0
		  containers:
		  - {name: spin, image: busybox, command: [sh, -c, 'while :; do :; done']}
		  - name: hold
		    image: busybox
		    command: [sh, -c, 'x=$(head -c 20000000 /dev/zero | tr "\0" x); echo held; sleep 600 & wait']
	EOF
	load_busybox as_user
	"$user" "$MINIRUN" --no-limits -d "$T/pod.yaml"
	eventually 20 logs_of_hold "$user"
	run -0 --separate-stderr "$user" "$MINIRUN" top busy
	assert_equal "$(awk '{print $1, $2, $3}' <<<"${lines[0]}")" "NAME CPU(cores) MEMORY(bytes)"
	[[ ${lines[1]} =~ ^busy\ +([0-9]+)m\ +([0-9]+)Mi ]]
	((BASH_REMATCH[1] > 50 && BASH_REMATCH[1] < 2500 && BASH_REMATCH[2] >= 19))
	run -0 --separate-stderr "$user" "$MINIRUN" top pod busy --containers -o json
	jq -e '.kind == "PodMetrics" and .metadata.name == "busy"
		and (.containers | map(.name) == ["spin", "hold"])
		and .containers[1].usage.processes == 2
		and (.containers[1].usage.memory | rtrimstr("Ki") | tonumber > 19000)' <<<"$output"
	run -0 --separate-stderr "$user" "$MINIRUN" top -l app=other
	assert_equal "$output" ""
	run --separate-stderr "$user" "$MINIRUN" top nobody
	assert_status 1
	assert_has 'pods "nobody" not found'
	"$user" "$MINIRUN" delete busy
}

@test "top shows what pods use against their limits" {
	simple_pod busy 'while :; do :; done' '    resources: {limits: {cpu: 100m, memory: 16Mi}}' '  terminationGracePeriodSeconds: 0' |
		sed 's/name: main/name: spin/; s/  name: busy/&\n  labels: {app: busy}/; /restartPolicy/d' >"$T/pod.yaml"
	"$MINIRUN" -d "$T/pod.yaml"
	"$MINIRUN" wait busy --for=condition=Ready
	run -0 --separate-stderr "$MINIRUN" top --containers
	assert_equal "$(tr -s ' ' <<<"${lines[0]}")" \
		"POD NAME CPU(cores) MEMORY(bytes) CPU-LIMIT CPU% MEMORY-LIMIT MEMORY% PROCESSES PROCESS-LIMIT"
	[[ ${lines[1]} =~ ^busy\ +spin\ +([0-9]+)m\ +([0-9]+)Mi\ +100m\ +([0-9]+)%\ +16Mi\ +[0-9]+%\ +1\ +\<none\>$ ]]
	((BASH_REMATCH[1] <= 125))
	"$MINIRUN" delete busy
}

logs_of_hold()
{
	"$1" "$MINIRUN" logs busy -c hold | grep -q held
}

@test "one that makes who enters it wait is held for some seconds, not for ever; a supervisor killed meanwhile leaves nothing" {
	# shellcheck disable=SC2016 # for the container's shell
	simple_pod lease 'cp /bin/busybox /tmp/echo; exec attack lease /tmp/echo' '
    securityContext: {capabilities: {add: [SYS_PTRACE]}}' | sed 's/image: busybox/image: evil/' >"$T/pod.yaml"
	"$MINIRUN" -d "$T/pod.yaml"
	# shellcheck disable=SC2016 # for another shell
	eventually 10 bash -c '"$MINIRUN" logs lease | grep -q leased'
	run -125 --separate-stderr "$MINIRUN" exec lease -- /tmp/echo hello
	assert_has "the container could not be entered within 5 s, while it was held still"
	run -0 "$MINIRUN" exec lease -- echo alive
	assert_equal "$output" alive
	"$MINIRUN" exec lease -- /tmp/echo hello 2>/dev/null &
	PID=$!
	# shellcheck disable=SC2016 # for another shell
	eventually 10 bash -c 'grep -q "frozen 1" "$0"/minirun-lease-*/main/held/cgroup.events' "$CGROUP"
	kill -KILL "$("$MINIRUN" get lease -o json >/dev/null; jq .supervisor.pid "$MINIRUN_ROOT/lease/status.json")"
	wait $PID || true
	# shellcheck disable=SC2016 # for another shell
	eventually 10 bash -c '[[ -z $(find "$0" -mindepth 1 -type d) ]]' "$CGROUP"
	"$MINIRUN" delete lease
}
