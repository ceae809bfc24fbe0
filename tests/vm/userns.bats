#!/usr/bin/env bats
# hostUsers: false on the oldest kernel that minirun works on: it takes no detached mount for an overlay, and has no idmapped
# mounts of tmpfs. (tests/userns.bats has the rest.)

# shellcheck disable=SC2154 # variables of bats
load helpers
setup_file()
{
	vm_setup_file
	# The store of these tests is on a tmpfs; another one is on ext4.
	mkdir "$WORK/ext4"
	truncate -s 64M "$WORK/disk"
	mkfs.ext4 -q "$WORK/disk"
	mount -o loop "$WORK/disk" "$WORK/ext4"
	"$MINIRUN" image load --store "$WORK/ext4/store" "$WORK/busybox.tar" busybox -q
	mkdir "$WORK/ext4/host"
	echo root >"$WORK/ext4/host/file"
	cat >"$WORK/pod.yaml" <<-END
		apiVersion: v1
		kind: Pod
		metadata: {name: own}
		spec:
		  restartPolicy: Never
		  hostUsers: false
		  shareProcessNamespace: true
		  initContainers:
		  - {name: first, image: busybox, command: [sh, -c, 'echo kept >/mem/file'], volumeMounts: [{name: mem, mountPath: /mem}]}
		  containers:
		  - name: main
		    image: busybox
		    command: [sh, -c, 'cat /proc/self/uid_map /mem/file; stat -c %u:%g /bin/busybox /data /data/a/b /host/file /etc/hosts; touch /new /bin/new; rm /bin/new; cd /; cd ..; ls -d minirun-vm-root 2>&1; cat /proc/self/attr/current; echo done']
		    volumeMounts: [{name: mem, mountPath: /mem}, {name: data, mountPath: /data}, {name: data, mountPath: /sub, subPath: a/b}, {name: host, mountPath: /host}]
		  - {name: other, image: busybox, command: ["true"]}
		  volumes: [{name: mem, emptyDir: {medium: Memory}}, {name: data, emptyDir: {}}, {name: host, hostPath: {path: $WORK/ext4/host}}]
	END
	touch /minirun-vm-root
}
teardown_file()
{
	umount "$WORK/ext4"
	minirun_teardown_file
}
setup() { vm_setup; }
teardown() { vm_teardown; }

run_own()
{
	run --separate-stderr "$MINIRUN" "$@" "$WORK/pod.yaml"
	echo "$stderr"
	assert_status 0
	output=$(strip_prefix main <<<"$output" | xargs)
	[[ $output =~ ^0\ [0-9]+\ 65536\ kept\ 0:0\ 0:0\ 0:0\ 0:0\ 0:0\ ls:\ minirun-vm-root:\ No\ such\ file\ or\ directory\ minirun-default\ .*done$ ]]
}

@test "with layers on ext4, through idmapped mounts" {
	run_own --store "$WORK/ext4/store"
	[[ $stderr != *"is copied"* ]]
}

@test "with layers on a tmpfs, which is said once, by a copy" {
	run_own
	assert_equal "$(grep -c "each container.s image is copied" <<<"$stderr")" 1
	run "$MINIRUN" check -o json
	jq -e '.checks[] | select(.name == "idmapped mounts" and .status != "ok")' <<<"$output"
}

@test "a privileged container makes cgroups below its own, and no other may; its limits stay" {
	local limits='
    resources: {limits: {memory: 64Mi}}'
	run_own_shell()
	{
		run_pod --store "$WORK/ext4/store" < <(simple_pod own "$1" "    securityContext: {privileged: $2}$limits" '  hostUsers: false')
		output=$(strip_prefix main <<<"$output")
	}
	run_own_shell 'cd /sys/fs/cgroup && mkdir below && sh -c "echo \$\$ >below/cgroup.procs && cat /proc/self/cgroup"; echo max >memory.max' true
	assert_has "0::/below"
	assert_stderr_has "can't create memory.max: Permission denied"
	run_own_shell 'mkdir /sys/fs/cgroup/below' false
	assert_stderr_has "Read-only file system"
}
