#!/usr/bin/env bats
# What a container can see and use: namespaces, /proc, /sys, /dev, its root; and images that lie about them.

# shellcheck disable=SC2016 # what \$ stands for is the container's shell's to say
# shellcheck disable=SC2154 # variables of bats

load helpers

# Loads the folder $T/image, with busybox put in, as an image of the test's own: evil_image; the name is in $IMAGE.
evil_image() {
	mkdir -p "$T/image/bin"
	cp /usr/bin/busybox "$T/image/bin/busybox"
	ln -sf busybox "$T/image/bin/sh"
	IMAGE=evil$BATS_TEST_NUMBER
	"$MINIRUN" image load "$T/image" "$IMAGE" >/dev/null
}

# A pod of that image: evil_pod COMMAND [CONTAINER-LINES [SPEC-LINES]]
evil_pod() {
	run_pod < <(simple_pod evil "$@" | sed "s/image: busybox/image: $IMAGE/")
	output=$(strip_prefix main <<<"$output")
}

@test "a container has namespaces of its own: pid 1, the pod's hostname, a loopback that is up" {
	run_shell 'read -r pid rest </proc/self/stat; echo $pid; hostname; ip -o addr show lo; ls -d /proc/[0-9]*; for n in mnt pid net ipc uts cgroup; do readlink /proc/self/ns/$n; done'
	assert_status 0
	assert_equal "${lines[0]}" 1
	assert_equal "${lines[1]}" "t$BATS_TEST_NUMBER"
	assert_has "127.0.0.1/8"
	assert_has "::1/128"
	for n in mnt pid net ipc uts cgroup; do
		assert_lacks "$(readlink /proc/self/ns/$n)"
	done
}

@test "containers of a pod share its network, ipc and name, and have pid namespaces of their own" {
	# Each waits for the other: the number of a namespace that has ended is given to the next.
	run_pod <<-'EOF'
		apiVersion: v1
		kind: Pod
		metadata: {name: share}
		spec:
		  restartPolicy: Never
		  initContainers:
		  - {name: init, image: busybox, command: [sh, -c, 'echo kept >/dev/shm/file']}
		  containers:
		  - {name: first, image: busybox, command: [sh, -c, 'for n in net ipc uts pid mnt; do readlink /proc/self/ns/$n; done; touch /dev/shm/first; until [ -e /dev/shm/main ]; do sleep 0.02; done']}
		  - {name: main, image: busybox, command: [sh, -c, 'for n in net ipc uts pid mnt; do readlink /proc/self/ns/$n; done; touch /dev/shm/main; until [ -e /dev/shm/first ]; do sleep 0.02; done; cat /dev/shm/file']}
	EOF
	assert_status 0
	first=$(strip_prefix first <<<"$output")
	main=$(strip_prefix main <<<"$output")
	assert_equal "$(grep -E 'net|ipc|uts' <<<"$first")" "$(grep -E 'net|ipc|uts' <<<"$main")"
	for kind in pid mnt; do
		[[ $(grep "$kind" <<<"$first") != "$(grep "$kind" <<<"$main")" ]]
	done
	assert_has kept
}

@test "/proc, /sys and /dev are there as Kubernetes has them" {
	run_shell 'cat /proc/mounts; ls -l /dev; grep -E "shared:|master:" /proc/self/mountinfo || echo private'
	assert_status 0
	assert_has "proc /proc proc rw,nosuid,nodev,noexec"
	assert_has "sysfs /sys sysfs ro,nosuid,nodev,noexec"
	assert_has "devpts /dev/pts devpts rw,nosuid,noexec"
	assert_has "/dev/shm tmpfs rw,nosuid,nodev,noexec,relatime,size=65536k"
	assert_has "mqueue /dev/mqueue mqueue rw,nosuid,nodev,noexec"
	for n in null zero full random urandom tty fd stdin stdout stderr ptmx; do
		grep -q " $n\( ->.*\)\?$" <<<"$output"
	done
	# Nothing that is shared with the host.
	assert_line private
	# Everything mounted is on a path of ours: nothing of the host's tree is left.
	assert_equal "$(awk '{ print $2 }' <<<"$output" | grep '^/' | grep -vE '^/($|proc|sys|dev|etc)' || true)" ""
}

@test "the standard devices work" {
	run_shell 'echo x >/dev/null; head -c 4 /dev/zero | wc -c; head -c 4 /dev/urandom | wc -c; echo x >/dev/full || echo full; test -c /dev/ptmx && echo ptmx; exec 3<>/dev/ptmx && ls /dev/pts'
	assert_status 0
	assert_equal "$(sort <<<"$output" | grep -v 'write error' | tr '\n' ' ')" "0 4 4 full ptmx ptmx "
}

@test "a container can't change the host's devices, not even in root's unshare -r, where it is their owner" {
	simple_pod devices 'for d in /dev/full /dev/tty /proc/keys; do chmod 666 $d && touch $d; done; echo x >/dev/null && head -c 3 /dev/zero | wc -c' >"$T/pod.yaml"
	local before
	before=$(stat -c '%n %a %z' /dev/full /dev/tty /dev/null)
	load_busybox command >/dev/null
	for inside in command "unshare -Ur"; do
		run $inside "$MINIRUN" -q "$T/pod.yaml"
		assert_status 0
		assert_has "| 3"
		assert_equal "$(stat -c '%n %a %z' /dev/full /dev/tty /dev/null)" "$before"
	done
}

@test "no device but the standard ones can be opened, though MKNOD is among the default capabilities" {
	run_shell 'for d in / /dev /dev/shm; do mknod $d/node c 1 5 && head -c 1 $d/node && echo opened; done; echo done'
	assert_lacks opened
	assert_line 'done'
}

@test "masked paths show nothing, and read-only ones can't be written" {
	run_shell 'cd /proc; cat keys timer_list interrupts sched_debug latency_stats 2>/dev/null | wc -c; ls acpi scsi asound /sys/firmware /sys/devices/virtual/powercap 2>/dev/null | grep -vc ":$\|^$"
		(echo x >/proc/sys/kernel/core_pattern; echo x >/sys/x; mkdir /sys/fs/cgroup/x) 2>&1; cat /proc/mounts'
	assert_equal "${lines[0]} ${lines[1]}" "0 0"
	assert_has "can't create /proc/sys/kernel/core_pattern: Read-only file system"
	assert_has "can't create /sys/x: Read-only file system"
	for name in bus fs irq sys sysrq-trigger; do
		[[ ! -e /proc/$name ]] || assert_has "proc /proc/$name proc ro,"
	done
	# CVE-2023-25809, as root
	assert_has "can't create directory '/sys/fs/cgroup/x': Read-only file system"
}

@test "CVE-2023-25809: /sys/fs/cgroup is read-only for an ordinary user, too" {
	load_busybox as_user
	simple_pod cgroup 'mkdir /sys/fs/cgroup/x' >"$T/pod.yaml"
	run --separate-stderr as_user "$MINIRUN" "$T/pod.yaml"
	assert_status 1
	assert_has "can't create directory '/sys/fs/cgroup/x': Read-only file system"
}

@test "readOnlyRootFilesystem" {
	run_shell 'echo x >/file; echo $?; echo y >/dev/shm/file && cat /dev/shm/file' \
		'    securityContext: {readOnlyRootFilesystem: true}'
	assert_has "can't create /file: Read-only file system"
	assert_has "y"
}

@test "privileged: nothing is masked, /sys can be written, and the host's devices are there" {
	run_shell 'head -c 1 /proc/timer_list | wc -c; grep " /sys " /proc/mounts; ls -l /dev/kmsg; cat /proc/sys/kernel/ostype >/dev/null && test -w /proc/sys/kernel/hostname && echo writable' \
		'    securityContext: {privileged: true}'
	assert_status 0
	assert_equal "${lines[0]}" 1
	assert_has "sysfs /sys sysfs rw,"
	assert_has "/dev/kmsg"
	assert_has "writable"
}

@test "hostNetwork, hostPID and hostIPC use the host's" {
	run_shell 'for n in net ipc pid; do readlink /proc/self/ns/$n; done; hostname; grep " /sys " /proc/mounts' '' \
		$'  hostNetwork: true\n  hostPID: true\n  hostIPC: true'
	assert_status 0
	for n in net ipc pid; do
		assert_has "$(readlink /proc/self/ns/$n)"
	done
	assert_has "$(hostname)"
	assert_has "/sys sysfs ro,"
}

@test "the same for an ordinary user" {
	load_busybox as_user
	simple_pod host 'for n in net ipc pid; do readlink /proc/self/ns/$n; done; hostname; cat /proc/timer_list | wc -c; mkdir /sys/x' '' \
		$'  hostNetwork: true\n  hostPID: true\n  hostIPC: true' >"$T/pod.yaml"
	run --separate-stderr as_user "$MINIRUN" "$T/pod.yaml"
	for n in net ipc pid; do
		assert_has "$(readlink /proc/self/ns/$n)"
	done
	assert_has "$(hostname)"
	grep -q "^main *| 0$" <<<"$output"
	assert_has "can't create directory '/sys/x': Read-only file system"
}

@test "shareProcessNamespace: containers see each other below a pause that has nothing to take" {
	run_pod <<-'EOF'
		apiVersion: v1
		kind: Pod
		metadata: {name: shared}
		spec:
		  restartPolicy: Never
		  shareProcessNamespace: true
		  terminationGracePeriodSeconds: 0
		  containers:
		  - {name: other, image: busybox, command: [sh, -c, 'exec sleep 3']}
		  - name: main
		    image: busybox
		    securityContext: {capabilities: {add: [SYS_PTRACE]}}
		    command: [sh, -c, 'sleep 0.3; ps -o args; grep -E "Cap(Prm|Eff|Bnd)|NoNew" /proc/1/status; ls -l /proc/1/fd /proc/1/root/ /proc/1/exe; readlink /proc/1/ns/net; readlink /proc/self/ns/net']
	EOF
	assert_status 0
	assert_has "pause"
	assert_has "sleep 3"
	assert_has $'CapPrm:\t0000000000000000'
	assert_has $'CapBnd:\t0000000000000000'
	assert_has $'NoNewPrivs:\t1'
	[[ $output != *"$WORK"* ]]
	assert_equal "$(grep -o 'net:.*' <<<"$output" | sort -u | wc -l)" 1
}

@test "sysctls of the pod's own namespaces are set; others are refused by name" {
	run_shell 'cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_unprivileged_port_start' '' \
		'  securityContext: {sysctls: [{name: net.ipv4.ip_default_ttl, value: "33"}, {name: kernel.msgmax, value: "1234"}]}'
	assert_status 0
	assert_equal "$output" $'33\n1234\n0'
	before=$(cat /proc/sys/kernel/core_pattern)
	run_shell true '' '  securityContext: {sysctls: [{name: kernel.core_pattern, value: x}]}'
	assert_status 125
	assert_equal "$(cat /proc/sys/kernel/core_pattern)" "$before"
	[[ $stderr == *"kernel.core_pattern"* ]]
}

# ---- images that lie ----

@test "CVE-2019-19921, CVE-2023-27561, CVE-2023-28642: /proc or /sys that is a link is refused by name" {
	for link in proc:bin proc:../../.. sys:.. sys:/proc; do
		rm -rf "$T/image"
		mkdir -p "$T/image"
		ln -s "${link#*:}" "$T/image/${link%%:*}"
		"$MINIRUN" image rm "evil$BATS_TEST_NUMBER" >/dev/null 2>&1 || true
		evil_image
		evil_pod 'cat /proc/mounts'
		assert_status 125
		[[ $stderr == *"/${link%%:*} of the image is no folder"* ]]
	done
}

@test "CVE-2026-41579, CVE-2026-47766: /dev that is a link to the host's folder is refused, and that folder untouched" {
	mkdir -p "$T/image" "$T/canary"
	ln -s "$T/canary" "$T/image/dev"
	evil_image
	evil_pod 'ls -l /dev'
	assert_status 125
	[[ $stderr == *"/dev of the image is no folder"* ]]
	[[ -z $(ls -A "$T/canary") ]]
}

@test "CVE-2025-31133: what masks is a device of our own, not the image's /dev/null" {
	mkdir -p "$T/image/dev"
	ln -s /proc/sys/kernel/core_pattern "$T/image/dev/null"
	evil_image
	evil_pod 'busybox ls -l /dev/null; busybox wc -c </proc/timer_list; echo x >/proc/sys/kernel/core_pattern'
	assert_has "1,   3"
	assert_line 0
	assert_has "Read-only file system"
}

@test "CVE-2025-52565: links at /dev/console, /dev/ptmx and /dev/pts/0 in the image lead nowhere" {
	mkdir -p "$T/image/dev/pts" "$T/canary"
	for name in console ptmx pts/0 shm fd; do
		ln -s "$T/canary/x" "$T/image/dev/$name"
	done
	evil_image
	evil_pod 'busybox ls /dev/ /dev/pts'
	assert_status 0
	assert_lacks console
	[[ -z $(ls -A "$T/canary") ]]
}

@test "CVE-2019-16884: a volume on /proc or /sys is refused, by name and by link" {
	mkdir -p "$T/image"
	ln -s /proc "$T/image/innocent"
	evil_image
	for path in /proc /proc/self/attr /sys/kernel /../proc; do
		evil_pod true "    volumeMounts: [{name: v, mountPath: $path}]" '  volumes: [{name: v, emptyDir: {}}]'
		[[ $status -ne 0 && $stderr == *"$path"* ]]
	done
	evil_pod true '    volumeMounts: [{name: v, mountPath: /innocent/self}]' '  volumes: [{name: v, emptyDir: {}}]'
	assert_status 125
	[[ $stderr == *"cannot mount on /innocent/self"* ]]
}

@test "CVE-2024-45310: a mount point through a dangling link is not made on the host" {
	mkdir -p "$T/image/etc" "$T/canary"
	ln -s "$T/canary/hosts" "$T/image/etc/hosts"
	ln -s "$T/canary/v" "$T/image/v"
	evil_image
	# The file is made where the link leads, but in the container's root.
	evil_pod true
	assert_status 0
	[[ -z $(ls -A "$T/canary") ]]
}

@test "CVE-2017-5226: a container is in a session of its own, and so can't push input into the caller's terminal" {
	run_shell 'ps -o pid,sid,args 2>/dev/null | head -3; cut -d" " -f6 /proc/self/stat; (echo >/dev/tty) 2>&1'
	assert_equal "$(grep -c '^1$' <<<"$output")" 1
	assert_has "can't create /dev/tty: No such device or address"
}

# ---- the end ----

@test "minirun killed with SIGKILL takes every process of the pod along, even those that ignore signals" {
	simple_pod killed "trap '' TERM INT HUP; (trap '' TERM; setsid sleep 1000) & echo up; while :; do sleep 1; done" >"$T/pod.yaml"
	"$MINIRUN" "$T/pod.yaml" >"$T/out" 2>"$T/err" &
	pid=$!
	eventually 10 grep -q up "$T/out"
	kill -KILL "$pid"
	wait "$pid" || true
	assert_machine_unchanged 10
}

@test "the same when its sandbox is killed with it" {
	simple_pod killed2 "trap '' TERM INT HUP; (trap '' TERM; setsid sleep 1000) & echo up; while :; do sleep 1; done" >"$T/pod.yaml"
	"$MINIRUN" "$T/pod.yaml" >"$T/out" 2>"$T/err" &
	pid=$!
	eventually 10 grep -q up "$T/out"
	# shellcheck disable=SC2046
	kill -KILL $(pgrep -P "$pid") "$pid"
	wait "$pid" || true
	no_process() { [[ -z $(pod_processes) ]]; }
	eventually 10 no_process
	# Nobody was left to clear the folders: the next start does.
	run_pod < <(simple_pod killed2 true)
	assert_status 0
}
