#!/usr/bin/env bats
# Volumes: emptyDir, hostPath, subPath, fsGroup, /etc files; and what hostile ones can't do.

# shellcheck disable=SC2016 # what \$ stands for is the container's shell's to say
# shellcheck disable=SC2154 # variables of bats

load helpers

# Two containers, one after the other, that both have the volume v at /v: in_turn SPEC-OF-V FIRST SECOND [MOUNT-LINES]
in_turn() {
	run_pod < <(
		cat <<-EOF
			apiVersion: v1
			kind: Pod
			metadata: {name: v}
			spec:
			  restartPolicy: Never
			  ${SPEC:-}
			  volumes:
			  - {name: v, $1}
			  initContainers:
			  - name: first
			    image: busybox
			    command: [sh, -c, $(jq -n --arg c "$2" '$c')]
			    volumeMounts: [{name: v, mountPath: /v}]
			  containers:
			  - name: second
			    image: busybox
			    command: [sh, -c, $(jq -n --arg c "$3" '$c')]
			    volumeMounts: [{name: v, mountPath: /v${4:-}}]
		EOF
	)
}

@test "an emptyDir is open to all, shared by the pod's containers, and starts empty" {
	in_turn 'emptyDir: {}' 'umask 077; ls -ldn /v; ls -A /v | wc -l; echo text >/v/file; chmod 644 /v/file' 'cat /v/file; grep " /v " /proc/mounts'
	assert_status 0
	assert_has "drwxrwxrwx    2 0        0 "
	assert_has "first  | 0"
	assert_has "second | text"
	assert_has "rw,nosuid,nodev"
}

@test "an emptyDir in memory is a tmpfs of its sizeLimit, shared as well" {
	in_turn 'emptyDir: {medium: Memory, sizeLimit: 1Mi}' 'echo text >/v/file' \
		'cat /v/file; grep " /v " /proc/mounts; dd if=/dev/zero of=/v/big bs=1M count=2 2>&1'
	assert_has "second | text"
	assert_has "tmpfs /v tmpfs rw,nosuid,nodev"
	assert_has "size=1024k"
	assert_has "No space left on device"
}

@test "fsGroup owns the emptyDir, and the program is in that group" {
	SPEC='securityContext: {fsGroup: 4321, runAsUser: 1000, runAsGroup: 1000}' in_turn 'emptyDir: {}' \
		'ls -ldn /v; id -G; echo x >/v/file; ls -ln /v/file' 'cat /v/file'
	assert_status 0
	assert_has "drwxrwsrwx    2 0        4321 "
	assert_has "4321"
	assert_has "1000     4321 "
}

@test "a volume hides what the image has at its path" {
	in_turn 'emptyDir: {}' 'test -s /etc/passwd' 'ls -A /etc' '}, {name: v, mountPath: /etc'
	assert_status 0
	# Only what minirun itself mounts there.
	assert_equal "$(strip_prefix second <<<"$output" | sort | tr '\n' ' ')" "hostname hosts resolv.conf "
}

@test "readOnly" {
	in_turn 'emptyDir: {}' 'echo text >/v/file' 'cat /v/file; echo x >/v/x' ', readOnly: true'
	assert_status 1
	assert_has "second | text"
	assert_has "can't create /v/x: Read-only file system"
}

@test "subPath: a folder, a file, and one that is made" {
	in_turn 'emptyDir: {}' 'mkdir /v/d; echo one >/v/d/f; echo two >/v/file' 'cat /v/f' ', subPath: d'
	assert_status 0
	assert_has "second | one"
	in_turn 'emptyDir: {}' 'echo two >/v/file' 'cat /v' ', subPath: file'
	assert_status 0
	assert_has "second | two"
	in_turn 'emptyDir: {}' 'true' 'ls -ldn /v; echo x >/v/x' ', subPath: a/b'
	assert_status 0
	assert_has "drwxrwxrwx"
}

@test "hostPath: a folder and a file of the host, and every type check in the kubelet's words" {
	mkdir "$T/folder"
	echo text >"$T/folder/file"
	mkfifo "$T/fifo"
	in_turn "hostPath: {path: $T/folder, type: Directory}" 'cat /v/file' 'echo new >/v/new'
	assert_status 0
	assert_equal "$(cat "$T/folder/new")" new
	in_turn "hostPath: {path: $T/folder/file, type: File}" 'cat /v' 'cat /v'
	assert_status 0
	while read -r path type what; do
		in_turn "hostPath: {path: $path, type: $type}" true true
		assert_status 125
		[[ $stderr == *"hostPath type check failed: $path is not $what"* ]]
	done <<-EOF
		$T/folder/file Directory a directory
		$T/folder File a file
		$T/missing Directory a directory
		$T/missing File a file
		$T/fifo Socket a socket file
		$T/folder CharDevice a character device
		$T/folder BlockDevice a block device
	EOF
	in_turn "hostPath: {path: $T/made/deep, type: DirectoryOrCreate}" true 'ls -ld /v'
	assert_status 0
	[[ -d $T/made/deep ]]
	in_turn "hostPath: {path: $T/made/file, type: FileOrCreate}" true 'test -f /v'
	assert_status 0
}

@test "a device in a volume can't be opened" {
	mkdir "$T/folder"
	mknod "$T/folder/zero" c 1 5
	in_turn "hostPath: {path: $T/folder}" 'ls -l /v/zero' 'head -c 1 /v/zero'
	assert_status 1
	assert_has "Permission denied"
}

@test "a device that the manifest names can be used" {
	in_turn "hostPath: {path: /dev/zero, type: CharDevice}" true 'head -c 3 /v | wc -c'
	assert_status 0
	assert_has "second | 3"
}

@test "CVE-2017-1002101: a subPath that is a link to the host stays in the volume" {
	in_turn 'emptyDir: {}' 'ln -s / /v/root; ln -s ../../../../../../etc /v/etc' 'ls /v' ', subPath: root'
	assert_has "second | root"
	assert_lacks "second | proc"
	in_turn 'emptyDir: {}' 'ln -s ../../../../../.. /v/up' 'ls /v' ', subPath: up'
	assert_has "second | up"
	assert_lacks "second | proc"
}

@test "CVE-2025-9566: links that an earlier container left in the volume or its root don't lead our own files out" {
	mkdir "$T/canary"
	in_turn 'emptyDir: {}' "ln -s $T/canary /v/link; ln -s $T/canary/x /v/dangling" 'ls -l /v; cat /etc/hosts >/dev/null' \
		'}, {name: v, mountPath: /w/link/deep'
	assert_status 0
	[[ -z $(ls -A "$T/canary") ]]
}

@test "CVE-2021-30465: a mount point below a shared volume, with folder and link changing places" {
	mkdir "$T/canary"
	run_pod <<-EOF
		apiVersion: v1
		kind: Pod
		metadata: {name: race}
		spec:
		  restartPolicy: Never
		  terminationGracePeriodSeconds: 0
		  volumes: [{name: v, emptyDir: {}}, {name: w, emptyDir: {}}]
		  initContainers:
		  - name: prepare
		    image: busybox
		    command: [sh, -c, "mkdir /v/swap; ln -s $T/canary /v/link"]
		    volumeMounts: [{name: v, mountPath: /v}]
		  containers:
		  - name: racer
		    image: busybox
		    command: [sh, -c, "for i in \$(seq 2000); do mv -T /v/swap /v/t; mv -T /v/link /v/swap; mv -T /v/swap /v/link; mv -T /v/t /v/swap; done"]
		    volumeMounts: [{name: v, mountPath: /v}]
		$(for i in $(seq 12); do
			echo "  - {name: c$i, image: busybox, command: [cat, /proc/mounts], volumeMounts: [{name: v, mountPath: /v}, {name: w, mountPath: /v/swap/point}]}"
		done)
	EOF
	assert_lacks "canary"
	[[ -z $(ls -A "$T/canary") ]]
}

@test "/etc/hosts, /etc/hostname and /etc/resolv.conf are the pod's, with hostAliases" {
	run_shell 'cat /etc/hosts; cat /etc/hostname; cat /etc/resolv.conf' '' \
		$'  hostname: web\n  hostAliases: [{ip: 10.1.2.3, hostnames: [foo.local, bar.local]}]'
	assert_status 0
	assert_equal "${lines[0]}" "# Kubernetes-managed hosts file."
	assert_has $'127.0.0.1\tlocalhost'
	assert_has $'127.0.0.1\tweb'
	assert_has $'# Entries added by HostAliases.\n10.1.2.3\tfoo.local\tbar.local'
	assert_has web
	assert_has "$(cat /etc/resolv.conf 2>/dev/null)"
}

@test "volumes as an ordinary user, with one id and with a range" {
	for user in $(users); do
		load_busybox $user
		simple_pod vols 'echo x >/v/f; echo y >/m/f; cat /v/f /m/f /h/f; ls -ldn /v; grep -c " /m tmpfs " /proc/mounts' \
			'    volumeMounts: [{name: v, mountPath: /v}, {name: m, mountPath: /m}, {name: h, mountPath: /h}]' \
			"  volumes: [{name: v, emptyDir: {}}, {name: m, emptyDir: {medium: Memory}}, {name: h, hostPath: {path: $T}}]" >"$T/pod.yaml"
		echo z >"$T/f"
		run --separate-stderr $user "$MINIRUN" "$T/pod.yaml"
		assert_status 0
		assert_equal "$(strip_prefix main <<<"$output" | grep -v drwx | tr '\n' ' ')" "x y z 1 "
		assert_has "drwxrwxrwx"
	done
}
