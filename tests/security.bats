#!/usr/bin/env bats
# What a program may do: capabilities, no_new_privs, seccomp and AppArmor, as the program finds them.

load helpers
setup_file() {
	minirun_setup_file
	# Static programs that make one call, or none; see their sources.
	helper_programs bare try-syscall
}

HELPERS_VOLUME='  volumes:
  - name: helpers
    hostPath: {path: %s, type: Directory}'
HELPERS_MOUNT='    volumeMounts:
    - {name: helpers, mountPath: /helpers, readOnly: true}'

# run_helper COMMAND-JSON [SECURITY-CONTEXT]: runs one of the helpers by itself, without a shell.
run_helper() {
	local volume
	# shellcheck disable=SC2059
	volume=$(printf "$HELPERS_VOLUME" "$WORK/helpers")
	run_pod <<-YAML
		apiVersion: v1
		kind: Pod
		metadata: {name: helper}
		spec:
		  restartPolicy: Never
		$volume
		  containers:
		  - name: main
		    image: busybox
		    command: $1
		$HELPERS_MOUNT
		    securityContext: ${2:-{\}}
	YAML
	# shellcheck disable=SC2034
	output=$(strip_prefix main <<<"$output")
}

# profile FILE DEFAULT-ACTION NAME...: a profile that allows the names, beside the manifest.
profile() {
	local file=$1 action=$2
	shift 2
	jq -n --arg a "$action" '{defaultAction: $a, syscalls: [{names: $ARGS.positional, action: "SCMP_ACT_ALLOW"}]}' \
		--args "$@" >"$T/$file"
}

LOCALHOST='{type: Localhost, localhostProfile: p.json}'

# A field of /proc/self/status, out of $output.
field() {
	sed -n "s/^$1:[[:space:]]*//p" <<<"$output"
}

status_pod() {
	run_shell 'cat /proc/self/status' "    securityContext: $1"
	assert_status 0
}

# The default fourteen, as this machine can give them.
default_set() {
	local bounding=$((16#$(sed -n 's/^CapBnd:[[:space:]]*//p' /proc/self/status)))
	printf '%016x\n' $((0xa80425fb & bounding))
}

# combinations UID EFFECTIVE: of no_new_privs and seccomp, with the effective capabilities that are expected.
combinations() {
	local escalation type
	for escalation in true false; do
		for type in RuntimeDefault Unconfined; do
			status_pod "{runAsUser: $1, allowPrivilegeEscalation: $escalation, seccompProfile: {type: $type}}"
			assert_equal "$(field CapInh)" 0000000000000000
			assert_equal "$(field CapAmb)" 0000000000000000
			assert_equal "$(field CapBnd)" "$(default_set)"
			assert_equal "$(field CapPrm)" "$2"
			assert_equal "$(field CapEff)" "$2"
			assert_equal "$(field NoNewPrivs)" "$([[ $escalation == true ]] && echo 0 || echo 1)"
			assert_equal "$(field Seccomp)" "$([[ $type == Unconfined ]] && echo 0 || echo 2)"
		done
	done
}

@test "capabilities, no_new_privs and seccomp are what was asked for, in every combination" {
	combinations 0 "$(default_set)"
}

@test "so they are for a user who isn't root" {
	combinations 1000 0000000000000000
}

@test "capabilities are added and dropped as under containerd" {
	status_pod '{capabilities: {drop: [ALL]}}'
	assert_equal "$(field CapBnd)" 0000000000000000
	status_pod '{capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}'
	assert_equal "$(field CapEff)" 0000000000000400
	status_pod '{capabilities: {drop: [ALL], add: [SYS_ADMIN]}, seccompProfile: {type: RuntimeDefault}}'
	assert_equal "$(field CapEff)" 0000000000200000
}

@test "a capability that doesn't exist is refused, with what may have been meant" {
	run_shell true '    securityContext: {capabilities: {add: [NET_ADMN]}}'
	assert_status 125
	assert_stderr_has 'capabilities.add[0]: Invalid value: "NET_ADMN": unknown capability (did you mean "NET_ADMIN"?)'
}

@test "a capability that minirun lacks itself is refused by name" {
	POD=$T/pod.yaml
	simple_pod lacking true '    securityContext: {capabilities: {add: [SYS_BOOT]}}' >"$POD"
	run --separate-stderr setpriv --bounding-set=-sys_boot "$MINIRUN" "$POD"
	assert_status 125
	assert_stderr_has 'SYS_BOOT is not in minirun'
}

@test "CVE-2022-29162: capabilities that the caller can inherit don't reach the program" {
	POD=$T/pod.yaml
	simple_pod inherit 'cat /proc/self/status' '    securityContext: {runAsUser: 1000}' >"$POD"
	run --separate-stderr setpriv --inh-caps=+chown,+net_raw --ambient-caps=+chown "$MINIRUN" "$POD"
	assert_status 0
	output=$(strip_prefix main <<<"$output")
	assert_equal "$(field CapInh)" 0000000000000000
	assert_equal "$(field CapAmb)" 0000000000000000
	assert_equal "$(field CapEff)" 0000000000000000
}

@test "a profile that allows execve and nothing else starts the program" {
	local escalation
	profile p.json SCMP_ACT_ERRNO execve
	for escalation in true false; do
		run_helper '[/helpers/bare]' "{allowPrivilegeEscalation: $escalation, seccompProfile: $LOCALHOST}"
		# Its own trap, since it may not even exit.
		assert_status 133
		assert_last_error_has 'killed by signal 5'
	done
}

# killed_for UID
killed_for() {
	local escalation
	profile q.json SCMP_ACT_KILL_PROCESS execve exit_group
	jq '.syscalls += [{names: ["pause", "ppoll"], action: "SCMP_ACT_ERRNO"}]' "$T/q.json" >"$T/p.json"
	for escalation in true false; do
		run_helper '[/helpers/bare]' "{runAsUser: $1, allowPrivilegeEscalation: $escalation, seccompProfile: $LOCALHOST}"
		# It got as far as its own exit_group(0).
		assert_status 0
	done
}

@test "what the profile kills for, minirun itself never does between filter and program" {
	killed_for 0
}

@test "nor does it on the way to another user" {
	killed_for 1000
}

@test "a profile without execve is refused, with a message that says so" {
	profile p.json SCMP_ACT_ERRNO read write exit_group
	run_helper '[/helpers/bare]' "{seccompProfile: $LOCALHOST}"
	assert_status 125
	assert_stderr_has 'does not allow execve, so no program could be started under it'
}

@test "a program that isn't there is told, whatever the profile refuses" {
	profile p.json SCMP_ACT_KILL_PROCESS execve
	run_helper '[/helpers/nothing]' "{seccompProfile: $LOCALHOST}"
	assert_status 127
	# One that can't be executed is found out by execve itself, under the filter.
	printf 'neither a program nor a script\n' >"$WORK/helpers/text"
	chmod 0755 "$WORK/helpers/text"
	run_helper '[/helpers/text]' "{seccompProfile: $LOCALHOST}"
	assert_status 126
}

@test "each call gets the answer that the profile has for it" {
	# Not by jq: it has no integers of 64 bits.
	cat >"$T/p.json" <<-'JSON'
		{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{"names": ["mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 30},
		{"names": ["chroot"], "action": "SCMP_ACT_ERRNO"},
		{"names": ["mseal"], "action": "SCMP_ACT_ERRNO", "errno": "ENOTTY"},
		{"names": ["personality"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5, "args": [
			{"index": 0, "value": 18446744069414584320, "valueTwo": 4294967296, "op": "SCMP_CMP_MASKED_EQ"}]},
		{"names": ["getppid"], "action": "SCMP_ACT_KILL_PROCESS"}]}
	JSON
	run_helper '[/helpers/try-syscall, mkdirat, "-100", "=/x", "0777"]' "{seccompProfile: $LOCALHOST}"
	assert_equal "$output" EROFS
	run_helper '[/helpers/try-syscall, chroot, "=/"]' "{seccompProfile: $LOCALHOST}"
	assert_equal "$output" EPERM
	run_helper '[/helpers/try-syscall, mseal]' "{seccompProfile: $LOCALHOST}"
	assert_equal "$output" ENOTTY
	run_helper '[/helpers/try-syscall, personality, "0x1deadbeef"]' "{seccompProfile: $LOCALHOST}"
	assert_equal "$output" EIO
	run_helper '[/helpers/try-syscall, personality, "0xffffffff"]' "{seccompProfile: $LOCALHOST}"
	assert_equal "$output" 0
	run_helper '[/helpers/try-syscall, getppid]' "{seccompProfile: $LOCALHOST}"
	assert_status 159
}

@test "a call newer than the profile's newest is answered with ENOSYS" {
	# All that the static helper needs, statx the newest.
	profile p.json SCMP_ACT_ERRNO execve brk arch_prctl set_tid_address set_robust_list readlink readlinkat mprotect \
		prlimit64 getrandom newfstatat fstat write exit_group ioctl statx
	run_helper '[/helpers/try-syscall, clone3]' "{seccompProfile: $LOCALHOST}"
	assert_equal "$output" ENOSYS
	run_helper '[/helpers/try-syscall, mkdirat, "-100", "=/x", "0777"]' "{seccompProfile: $LOCALHOST}"
	assert_equal "$output" EPERM
}

@test "RuntimeDefault refuses what it says, and ordinary programs run under it" {
	local default='{seccompProfile: {type: RuntimeDefault}}'
	run_helper '[/helpers/try-syscall, mount, "=x", "=/tmp", "=tmpfs"]' "$default"
	assert_equal "$output" EPERM
	run_helper '[/helpers/try-syscall, unshare, "0x10000000"]' "$default"
	assert_equal "$output" EPERM
	run_helper '[/helpers/try-syscall, unshare, "0x200"]' "$default"
	assert_equal "$output" 0
	run_helper '[/helpers/try-syscall, clone3]' "$default"
	assert_equal "$output" ENOSYS
	run_helper '[/helpers/try-syscall, socket, "40", "1"]' "$default"
	assert_equal "$output" ENOSYS
	run_helper '[/helpers/try-syscall, io_uring_setup]' "$default"
	assert_equal "$output" EPERM
	run_shell 'mkdir /a && touch /a/b && ls /a && ps >/dev/null && (sleep 0.1 & wait) && echo done' \
		"    securityContext: $default"
	assert_status 0
	assert_equal "$output" $'b\ndone'
}

@test "every mistake in a profile is reported with its place" {
	printf '%s\n' '{' ' "defaultAction": "SCMP_ACT_ERNO",' ' "syscals": [],' \
		' "syscalls": [{"names": ["execve"], "action": "SCMP_ACT_ALLOW", "errnoret": 1}]' '}' >"$T/p.json"
	run_helper '[/helpers/bare]' "{seccompProfile: $LOCALHOST}"
	assert_status 125
	assert_stderr_has 'p.json:2:19: error: defaultAction: unknown action "SCMP_ACT_ERNO" (did you mean "SCMP_ACT_ERRNO"?)'
	assert_stderr_has 'p.json:3:2: error: syscals: unknown field (did you mean "syscalls"?)'
	assert_stderr_has 'p.json:4:65: error: syscalls[0].errnoret: unknown field (did you mean "errnoRet"?)'
}

@test "a warning about a profile is repeated when its filter comes out of the cache" {
	profile p.json SCMP_ACT_ALLOW raed
	for _ in 1 2; do
		run_helper '[/helpers/try-syscall, getpid]' "{seccompProfile: $LOCALHOST}"
		assert_status 0
		assert_stderr_has 'no system call "raed" is known'
		assert_stderr_has 'did you mean "read"?'
	done
}

@test "a spoilt entry of the cache is not believed" {
	local entry
	jq -n '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [
		{names: ["mkdirat", "mkdir"], action: "SCMP_ACT_ERRNO", errnoRet: 13}]}' >"$T/p.json"
	run_helper '[/helpers/try-syscall, mkdirat, "-100", "=/x", "0777"]' "{seccompProfile: $LOCALHOST}"
	assert_equal "$output" EACCES
	for entry in "$MINIRUN_STORE"/cache/seccomp/*.bpf; do
		[[ -s $entry ]] || fail "there is no entry"
		printf '\xff' | dd of="$entry" bs=1 seek=120 conv=notrunc status=none
	done
	run_helper '[/helpers/try-syscall, mkdirat, "-100", "=/x", "0777"]' "{seccompProfile: $LOCALHOST}"
	assert_equal "$output" EACCES
}

@test "an AppArmor profile that was asked for is refused where there is no AppArmor, in the kubelet's words" {
	local type
	for type in '{type: Localhost, localhostProfile: k8s-deny-write}' '{type: RuntimeDefault}'; do
		run_shell true "    securityContext: {appArmorProfile: $type}"
		assert_status 125
		assert_stderr_has 'Cannot enforce AppArmor: AppArmor is not enabled on the host (take appArmorProfile out of the manifest, or set its type to Unconfined)'
	done
	run_shell 'echo runs' '    securityContext: {appArmorProfile: {type: Unconfined}}'
	assert_status 0
}

@test "an ordinary user's container has what was asked for, too" {
	load_busybox as_user
	simple_pod rootless 'cat /proc/self/status' \
		'    securityContext: {seccompProfile: {type: RuntimeDefault}, capabilities: {drop: [KILL]}}' >"$T/pod.yaml"
	run --separate-stderr as_user "$MINIRUN" "$T/pod.yaml"
	assert_status 0
	output=$(strip_prefix main <<<"$output")
	assert_equal "$(field CapBnd)" 00000000a80425db
	assert_equal "$(field CapEff)" 00000000a80425db
	assert_equal "$(field CapInh)" 0000000000000000
	assert_equal "$(field NoNewPrivs)" 0
	assert_equal "$(field Seccomp)" 2
}

@test "an ordinary user with a range of ids gets another user's capabilities right" {
	load_busybox as_ranged_user
	simple_pod ranged 'id -u; cat /proc/self/status' \
		'    securityContext: {runAsUser: 1000, seccompProfile: {type: RuntimeDefault}, capabilities: {add: [SYS_RESOURCE]}}' \
		>"$T/pod.yaml"
	run --separate-stderr as_ranged_user "$MINIRUN" "$T/pod.yaml"
	assert_status 0
	output=$(strip_prefix main <<<"$output")
	assert_line 1000
	assert_equal "$(field CapBnd)" 00000000a90425fb
	assert_equal "$(field CapEff)" 0000000000000000
	assert_equal "$(field Seccomp)" 2
}

@test "runAsNonRoot: root is refused, in the kubelet's words" {
	run_shell true '' '  securityContext: {runAsNonRoot: true}'
	assert_status 125
	assert_stderr_has "container has runAsNonRoot and image will run as root"
	run_shell true '    securityContext: {runAsUser: 0}' '  securityContext: {runAsNonRoot: true}'
	assert_status 125
	assert_stderr_has "container's runAsUser breaks non-root policy"
}

@test "runAsNonRoot: another id runs" {
	run_shell 'id -u' '' '  securityContext: {runAsNonRoot: true, runAsUser: 1000}'
	assert_status 0
	assert_line 1000
}

@test "AppArmor asked for, by the field or by the old annotation, on a host without it: refused in the kubelet's words" {
	run_shell true '    securityContext: {appArmorProfile: {type: Localhost, localhostProfile: x}}'
	assert_status 125
	assert_stderr_has "Cannot enforce AppArmor: AppArmor is not enabled on the host"
	run_pod < <(simple_pod old true | sed 's#^  name: old#&\n  annotations: {container.apparmor.security.beta.kubernetes.io/main: localhost/x}#')
	assert_status 125
	assert_stderr_has "Cannot enforce AppArmor: AppArmor is not enabled on the host"
	run_pod < <(simple_pod old true | sed 's#^  name: old#&\n  annotations: {container.apparmor.security.beta.kubernetes.io/main: unconfined}#')
	assert_status 0
	# The pod's field is what containers without one of their own get.
	run_shell true '' '  securityContext: {appArmorProfile: {type: Localhost, localhostProfile: x}}'
	assert_status 125
	assert_stderr_has "spec.securityContext.appArmorProfile: Cannot enforce AppArmor"
	run_shell 'echo runs' '    securityContext: {appArmorProfile: {type: Unconfined}}' \
		'  securityContext: {appArmorProfile: {type: Localhost, localhostProfile: x}}'
	assert_status 0
	assert_equal "$output" runs
}

@test "apparmor load, ls and unload say what they miss: a command, a file, a name, AppArmor" {
	run "$MINIRUN" apparmor
	assert_status 125
	assert_has "apparmor wants a command"
	run "$MINIRUN" apparmor lod x
	assert_status 125
	assert_has "apparmor lod: there is no such command"
	run "$MINIRUN" apparmor load "$T/none" "$T/either"
	assert_status 125
	assert_has "cannot load $T/none: No such file or directory"
	assert_has "cannot load $T/either: No such file or directory"
	run "$MINIRUN" apparmor unload
	assert_status 125
	assert_has "apparmor unload wants the name of a profile"
	if [[ ! -e /sys/module/apparmor/parameters/enabled ]]; then
		local words
		for words in load "load $REPO/security/minirun-default.apparmor" ls "unload x"; do
			# shellcheck disable=SC2086 # two words
			run "$MINIRUN" apparmor $words
			assert_status 125
			assert_has "Cannot enforce AppArmor: AppArmor is not enabled on the host"
			[[ $output != *"the manifest"* ]] # there is none
		done
		[[ ! -e /run/minirun-default.apparmor ]]
	fi
}
