#!/usr/bin/env bats
# Which devices a container's cgroup refuses is named. That it refuses them is in cgroups.bats.

load helpers

setup_file()
{
	minirun_setup_file
	helper_programs refused
}

# pod COMMAND [SPEC-LINES]: one that may mount, with nodes of its own in /mnt and the helpers in /helpers.
pod()
{
	simple_pod devices "mkdir -p /mnt && mount -t tmpfs none /mnt && cd /mnt && mknod kmsg c 1 11 && mknod tun c 10 200 &&
		mknod disk b 7 0 && mknod zero c 1 5 || exit 9
		$1" '    volumeMounts: [{name: helpers, mountPath: /helpers}]
    securityContext: {capabilities: {add: [SYS_ADMIN]}}' "  volumes: [{name: helpers, hostPath: {path: $WORK/helpers}}]
${2:-}" >"$T/pod.yaml"
}

events()
{
	jq -c "select(.type == \"$1\")" <<<"$output"
}

@test "what is refused is named as it happens, counted, and the cause of the end; --no-denials leaves it unsaid" {
	pod 'head -c 1 zero >/dev/null; true <kmsg; for i in 1 2 3; do true <>tun; done; sh -c "head -c 1 disk; :"; true <kmsg; exit 3'
	run -3 --separate-stderr "$MINIRUN" "$T/pod.yaml"
	assert_stderr_has "main        denied open /dev/kmsg (c 1:11: read) = EPERM · devices of the container's cgroup (sh, pid 1) (hint: a hostPath volume of type CharDevice gives it one, privileged gives it all)"
	# The remedy is told once.
	grep -q "denied open /dev/net/tun (c 10:200: read, write) = EPERM · devices of the container's cgroup (sh, pid 1)\$" <<<"$stderr"
	# Of a process that is gone by then its number in the container can't be told.
	grep -Eq "denied open /dev/loop0 \(b 7:0: read\) = EPERM · devices of the container's cgroup \(head, pid [0-9]+( of the machine)?\)\$" <<<"$stderr"
	assert_stderr_has "denied 3 times open /dev/net/tun (c 10:200: read, write) = EPERM (sh)"
	assert_stderr_has "denied 2 times open /dev/kmsg (c 1:11: read) = EPERM (sh)"
	assert_equal "$(grep -c "cgroup (" <<<"$stderr")" 3
	assert_last_error_has "Failed: container main: exit 3, after the cgroup denied open /dev/kmsg (c 1:11: read)"

	run -3 --separate-stderr "$MINIRUN" -o json "$T/pod.yaml"
	events denied | head -n 1 | jq -e '.lock == "cgroup" and .operation == "open" and .device == "/dev/kmsg" and .major == 1 and
		.minor == 11 and .deviceType == "character" and .access == "read" and .errno == "EPERM" and .program == "sh" and
		.containerPid == 1 and .pid > 1 and .count == 1'
	events denials | jq -e '.total == 6 and .others == 0 and (.denied | length == 3) and .denied[0].lock == "cgroup" and
		.denied[0].operation == "open" and .denied[0].count == 3 and (has("lost") | not)'

	run -3 --separate-stderr "$MINIRUN" --no-denials "$T/pod.yaml"
	assert_has "sh: can't open kmsg: Operation not permitted"
	[[ "$stderr" != *denied* && "$stderr" != *named* ]]
}

# Whether a child of this process has ended: the container's first.
has_ended_child()
{
	local child
	for child in $(<"/proc/$1/task/$1/children"); do
		! grep -qs "^State:.Z" "/proc/$child/status" || return 0
	done
	return 1
}

refused_in_status()
{
	"$MINIRUN" get devices >/dev/null
	jq -e ".denials.main.total == $1 and .denials.main.denied[0].text == \"open /dev/kmsg (c 1:11: read) = EPERM\"" \
		"$MINIRUN_ROOT/devices/status.json"
}

# The descriptors of a process, beside 0, 1 and 2, that are not closed by execve (O_CLOEXEC is 02000000).
kept_over_exec()
{
	awk '$1 == "flags:" && $2 !~ /[2367][0-7][0-7][0-7][0-7][0-7][0-7]$/ { print FILENAME }' "/proc/$1/fdinfo"/* |
		grep -v '/[012]$'
}

@test "describe and the status have it, also of what exec runs, and of the next run" {
	local supervisor
	pod 'true <kmsg; echo tried; while [ ! -e /helpers/end ]; do sleep 0.1; done' '  terminationGracePeriodSeconds: 0'
	sed -i 's/restartPolicy: Never/restartPolicy: Always/' "$T/pod.yaml"
	"$MINIRUN" --time-scale 50 -d "$T/pod.yaml"
	eventually 10 refused_in_status 1
	"$MINIRUN" exec devices -- sh -c 'true </mnt/kmsg; true </mnt/tun; true' 2>/dev/null
	eventually 10 refused_in_status 3
	# What reads them is for no program that is started later on.
	supervisor=$(jq .supervisor.pid "$MINIRUN_ROOT/devices/status.json")
	readlink /proc/"$supervisor"/fd/* | grep -q bpf-map
	[[ -z $(kept_over_exec "$supervisor") ]]
	run -0 "$MINIRUN" describe pod devices
	assert_has "    Denials:        3"
	assert_has "      open /dev/kmsg (c 1:11: read) = EPERM (cgroup, sh, 2 times)"
	assert_has "      open /dev/net/tun (c 10:200: read) = EPERM (cgroup, sh)"
	assert_has "      the last: the cgroup denied open /dev/net/tun (c 10:200: read)"
	touch "$WORK/helpers/end"
	eventually 10 refused_in_status 4
	rm "$WORK/helpers/end"
	"$MINIRUN" delete devices
}

@test "what was refused just before the end is counted in, however late the supervisor comes to it" {
	local supervisor
	pod 'until [ -e /helpers/go ]; do sleep 0.1; done; /helpers/refused opens kmsg 1000; touch /helpers/done; exit 3'
	"$MINIRUN" -d "$T/pod.yaml"
	"$MINIRUN" wait devices --for=condition=Ready
	supervisor=$(jq .supervisor.pid "$MINIRUN_ROOT/devices/status.json")
	kill -STOP "$supervisor"
	touch "$WORK/helpers/go"
	eventually 10 test -e "$WORK/helpers/done"
	eventually 10 has_ended_child "$supervisor"
	kill -CONT "$supervisor"
	"$MINIRUN" wait devices --for=jsonpath='{.status.phase}'=Failed
	# It holds some hundreds.
	jq -e '.denials.main | .total == 1000 and .lost > 0 and .denied[0].count + .lost == 1000' \
		"$MINIRUN_ROOT/devices/status.json"
	run -0 "$MINIRUN" describe pod devices
	assert_has "    Denials:        1000"
	assert_has "      and $(jq .denials.main.lost "$MINIRUN_ROOT/devices/status.json") devices, of these or other kinds, faster than they could be read"
	assert_has "the last: the cgroup denied open /dev/kmsg (c 1:11: read)"
	"$MINIRUN" delete devices
	rm "$WORK/helpers/go" "$WORK/helpers/done"
}

@test "a flood of refusals keeps the supervisor from nothing, and all are counted, told or lost" {
	pod '/helpers/refused opens kmsg 100000 && echo flooded; sleep 600' '  terminationGracePeriodSeconds: 0'
	"$MINIRUN" -d "$T/pod.yaml"
	while ! "$MINIRUN" logs devices | grep -q flooded; do
		timeout 10 "$MINIRUN" get devices >/dev/null
	done
	# shellcheck disable=SC2016 # for another shell
	eventually 10 bash -c '[[ $(jq .denials.main.total "$MINIRUN_ROOT/devices/status.json") == 100000 ]]'
	jq -e '.denials.main | .others == 0 and (.denied | length == 1) and .denied[0].count + (.lost // 0) == 100000' \
		"$MINIRUN_ROOT/devices/status.json"
	"$MINIRUN" delete devices
	# Ever new ones are counted as one from some point on.
	# shellcheck disable=SC2016 # for the container's shell
	pod 'for i in $(seq 300 340); do mknod d$i c $i 1; true <d$i; done; sleep 0.2; echo over'
	run -0 --separate-stderr "$MINIRUN" -o json "$T/pod.yaml"
	assert_equal "$(events denied | wc -l)" 9
	events denials | jq -e '.total == 41 and .denied[0].text == "open of other devices" and .denied[0].count == 33'
}

@test "where it can't be named, that is said once, and the devices are refused all the same" {
	pod 'true <kmsg; head -c 1 zero | wc -c'
	run -0 --separate-stderr "$WORK/helpers/refused" without-maps "$MINIRUN" "$T/pod.yaml"
	assert_stderr_has "which devices the cgroup denies can't be named here: the kernel gives no BPF map for it: Operation not permitted"
	assert_has "sh: can't open kmsg: Operation not permitted"
	assert_has "main        | 1"
	[[ "$stderr" != *"denied open"* ]]
	run --separate-stderr "$WORK/helpers/refused" without-maps "$MINIRUN" check
	assert_has "by BPF; what it refuses isn't named: the kernel gives no BPF map for it: Operation not permitted"
	run --separate-stderr "$MINIRUN" check
	assert_has "by BPF; what it refuses is named"
	run -0 --separate-stderr "$WORK/helpers/refused" without-maps "$MINIRUN" explain "$T/pod.yaml"
	assert_has "  devices       the usual, and those that volumes mount by name; its cgroup refuses others, which can't be named here: the kernel gives no BPF map for it: Operation not permitted"
	run -0 --separate-stderr "$MINIRUN" explain "$T/pod.yaml"
	assert_has "its cgroup refuses others, which is named"
	"$MINIRUN" explain -o json "$T/pod.yaml" | jq -e '.containers[0].refusedDevicesNamed'
	run -0 --separate-stderr "$WORK/helpers/refused" without-maps "$MINIRUN" --no-denials "$T/pod.yaml"
	[[ "$stderr" != *named* ]]
	# A container without SYS_ADMIN doesn't come as far: its mounts refuse.
	sed 's/SYS_ADMIN/NET_ADMIN/' "$T/pod.yaml" >"$T/other.yaml"
	run -9 --separate-stderr "$WORK/helpers/refused" without-maps "$MINIRUN" "$T/other.yaml"
	[[ "$stderr" != *named* ]]
	run -0 --separate-stderr "$MINIRUN" explain "$T/other.yaml"
	assert_lacks "  devices "
	# Nor does an ordinary user's.
	load_busybox as_user
	run --separate-stderr as_user "$MINIRUN" "$T/pod.yaml"
	[[ "$stderr" != *named* ]]
}
