#!/usr/bin/env bats
# What AppArmor refuses is named, and it is said whose it was.

load helpers
setup_file() { vm_setup_file; }
teardown_file() { minirun_teardown_file; }
setup() { vm_setup; }
teardown() { vm_teardown; }

# confined PROFILE: the lines of a container that has it.
confined() {
	printf '    securityContext: {appArmorProfile: {type: Localhost, localhostProfile: %s}, capabilities: {add: [SYS_ADMIN]}}\n' "$1"
}

# The events that -o json printed, those of a type.
events() {
	jq -c "select(.type == \"$1\")" <<<"$output"
}

@test "a file, capability, network, mount, ptrace and signal that is refused is named, counted, and the cause" {
	load_profile vm-audit <<-RULES
		file,
		audit deny /etc/no** w,
		audit deny /etc/passwd r,
		audit deny /data/** w,
		capability dac_override,
		signal receive,
	RULES
	local container volumes
	container="$(confined vm-audit)
    volumeMounts: [{name: data, mountPath: /data}]"
	volumes='  volumes: [{name: data, emptyDir: {}}]'
	run_shell 'cat /etc/passwd; mkdir "/etc/no
deployed"; chown 1 /etc; wget -q http://127.0.0.1/; mkdir /mnt; mount -t tmpfs x /mnt; kill -9 1; cat /proc/1/environ
for i in 1 2 3; do mkdir /data/v; done; exit 3' "$container" "$volumes"
	assert_status 3
	assert_stderr_has 'main   denied open "/etc/passwd" (r: read) · AppArmor, profile vm-audit (cat, pid '
	# What a program calls its files can't play a line of ours.
	assert_stderr_has 'denied mkdir "/etc/no\x0adeployed/" (c: create)'
	assert_stderr_has 'denied capability chown · AppArmor, profile vm-audit (chown, pid '
	assert_stderr_has 'denied network inet stream (create) · '
	assert_stderr_has 'denied mount tmpfs "x" on "/mnt/" (failed mntpnt match) · '
	assert_stderr_has 'denied signal kill to vm-audit (send) · AppArmor, profile vm-audit (sh, pid 1)'
	assert_stderr_has 'denied ptrace of vm-audit (read) · '
	# A volume's path is the container's. The first is told as it happens, all are counted.
	assert_equal "$(grep -c 'denied mkdir "/data/v/" (c: create) · ' <<<"$stderr")" 1
	assert_stderr_has 'denied 3 times mkdir "/data/v/" (c: create) (mkdir)'
	assert_last_error_has 'Failed: container main: exit 3, after AppArmor denied mkdir "/data/v/"'

	# Ever new ones don't fill the memory, nor the screen, and a flood keeps the loop from nothing.
	run_pod -o json < <(simple_pod flood \
		'i=0; while [ $i -lt 1500 ]; do echo >/data/$i; i=$((i + 1)); done 2>/dev/null; echo ready' "$container" "$volumes")
	assert_status 0
	assert_equal "$(events output | jq -r .text)" ready
	assert_equal "$(events denied | wc -l)" 9
	events denied | head -n 1 | jq -e '.lock == "AppArmor" and .class == "file" and .operation == "mknod" and
		.path == "/data/0" and .requested == "c" and .denied == "c" and .profile == "vm-audit" and
		.program == "sh" and .containerPid == 1 and .enforced'
	# Each is counted, or said to be lost.
	events denials | jq -e '.total + .others > 1000'
	if events denials | jq -e '.total < 1500'; then
		assert_has 'audit records were lost'
	fi
}

@test "what complain mode lets through would be denied, and is no cause" {
	load_profile vm-complain complain <<-RULES
		/bin/busybox rmix,
	RULES
	run_shell 'cat /etc/passwd >/dev/null; exit 4' "$(confined vm-complain)"
	assert_status 4
	assert_stderr_has 'would be denied: open "/etc/passwd" (r: read) · AppArmor, profile vm-complain in complain mode (cat, pid '
	assert_lacks 'main   denied'
	assert_last_error_has 'Failed: container main: exit 4'
	assert_lacks 'exit 4, after'
}

@test "another pod's refusals, and the machine's, are not this one's" {
	load_profile vm-shared <<-RULES
		file,
		signal,
		audit deny /etc/no** w,
	RULES
	simple_pod bystander 'trap "exit 0" TERM; while :; do sleep 0.1; done' "$(confined vm-shared)" >bystander.yaml
	"$MINIRUN" bystander.yaml >bystander.out 2>&1 &
	bystander=$!
	eventually 60 grep -q started bystander.out
	run_shell 'for i in 1 2 3; do mkdir /etc/no$i; done; : >/etc/nobody; exit 1' "$(confined vm-shared)"
	assert_status 1
	# Of a process that lives.
	assert_stderr_has 'main   denied mknod "/etc/nobody" (c: create) · AppArmor, profile vm-shared (sh, pid 1)'
	aa-exec -p vm-shared -- sh -c 'echo >/etc/nothing' || true
	eventually 30 bash -c 'dmesg | grep -q nothing'
	kill -TERM $bystander
	wait $bystander
	cat bystander.out
	# Of processes that were gone nobody can tell whose they were, with two pods under one profile: none is blamed.
	run ! grep 'main *denied' bystander.out
	run ! grep nobody bystander.out
	run ! grep '^main.*gone' <<<"$stderr"
}

@test "where the audit can't be read that is said once, with the remedy; the kernel's log will do" {
	load_profile vm-user <<-RULES
		file,
		audit deny /etc/no** w,
	RULES
	load_busybox as_user
	{
		simple_pod user 'mkdir /etc/no; exit 1' "$(confined vm-user)"
		echo '  initContainers: [{name: first, image: busybox, command: ["true"]}]'
	} | sed 's/, capabilities.*/}/' >pod.yaml
	run --separate-stderr as_user "$MINIRUN" pod.yaml
	assert_status 1
	assert_equal "$(grep -c "what AppArmor denies can't be named here" <<<"$stderr")" 1
	assert_stderr_has "(hint: run minirun as root, or let users read the kernel's log: sysctl kernel.dmesg_restrict=0)"
	sysctl -q kernel.dmesg_restrict=0
	# The kernel prints ten in five seconds, so until it does again.
	named() {
		run --separate-stderr as_user "$MINIRUN" pod.yaml
		[[ $stderr == *'denied mkdir "/etc/no/" (c: create) · AppArmor, profile vm-user'* ]]
	}
	eventually 60 named
	assert_stderr_has 'what AppArmor denies is read from /dev/kmsg'
	sysctl -q kernel.dmesg_restrict=1
}

@test "learn --apparmor writes the profile under which the same run has no denial" {
	container='    securityContext: {appArmorProfile: {type: Localhost, localhostProfile: vm-learned}, capabilities: {add: [SYS_ADMIN]}}
    volumeMounts: [{name: data, mountPath: "/data"}]'
	volumes='  volumes: [{name: data, emptyDir: {}}]'
	work='mkdir "/data/a b" /data/*x; echo hi >"/data/a b/c,d"; cat "/data/a b/c,d" /proc/self/status >/dev/null
chown 1 /data/*x; rm -r "/data/a b"; wget -q http://127.0.0.1:1/ 2>/dev/null; mkdir /mnt; mount -t tmpfs x /mnt; umount /mnt
sh -c "kill \$\$"; true & wait; sh -c "exit 0"'
	simple_pod learn "$work" "$container" "$volumes" >pod.yaml
	profiles_now=$(cat "$PROFILES")
	run --separate-stderr "$MINIRUN" learn --apparmor --write learned pod.yaml
	cat learned
	assert_status 0
	assert_stderr_has 'rules for AppArmor profile vm-learned, written to learned'
	assert_equal "$(cat "$PROFILES")" "$profiles_now"
	grep -qF '"/data/a b/c,d" rw,' learned
	grep -qF '/data/\*x/ w,' learned
	grep -qF 'capability chown,' learned
	"$MINIRUN" lint learned
	apparmor_parser --replace --skip-cache learned
	LOADED_PROFILES+=(vm-learned)
	run --separate-stderr "$MINIRUN" pod.yaml
	assert_status 0
	assert_lacks denied
	assert_lacks "Permission denied"
	# It is no more than that.
	sed -i 's/exit 0/: >\/data\/other/' pod.yaml
	run --separate-stderr "$MINIRUN" pod.yaml
	assert_stderr_has 'denied mknod "/data/other" (c: create)'
}
