#!/usr/bin/env bats
# An AppArmor profile that was asked for is what the program runs under, whatever image, volume or program try: a trick ends
# in a refusal, never in an unconfined program.

load helpers
setup_file()
{
	vm_setup_file
	# The smallest image, to be changed by the tests.
	mkdir -p "$WORK/image/bin" "$WORK/image/tmp"
	cp "$(command -v busybox)" "$WORK/image/bin/busybox"
	ln -s busybox "$WORK/image/bin/sh"
	ln -s busybox "$WORK/image/bin/cat"
}
teardown_file() { minirun_teardown_file; }
setup()
{
	vm_setup
	load_profile vm-proof <<-RULES
		file,
		capability,
		network,
		unix,
		mount,
		umount,
		signal,
		ptrace,
		audit deny /tmp/secret rw,
	RULES
}
teardown() { vm_teardown; }

LABEL='cat /proc/self/attr/apparmor/current'
PROOF='appArmorProfile: {type: Localhost, localhostProfile: vm-proof}'

# Whatever else the pod did: no program of it has said that it is unconfined, and there was a reason.
assert_refused()
{
	assert_status 125
	assert_lacks "main | unconfined"
	assert_lacks "ran under"
	assert_has "$1"
}

# A pod of the image "evil" whose program would tell what it ran under.
run_evil()
{
	rm -rf evil
	cp -a "$WORK/image" evil
	"$1"
	"$MINIRUN" image load -q ${CONFIG:+--config "$CONFIG"} evil evil >load.log 2>&1 || { cat load.log; return 1; }
	run_pod < <(simple_pod evil "echo ran under \$(cat /proc/self/attr/apparmor/current)" "    securityContext: {$PROOF}" |
		sed 's/image: busybox/image: evil/')
}

proc_link() { ln -s /tmp evil/proc; }
proc_link_up() { ln -s ../../../../tmp evil/proc; }
proc_file() { echo >evil/proc; }
proc_fake()
{
	mkdir -p evil/proc/self/attr/apparmor evil/proc/thread-self/attr/apparmor evil/proc/sys/kernel
	echo "vm-proof (enforce)" | tee evil/proc/self/attr/apparmor/{current,exec} >evil/proc/thread-self/attr/apparmor/exec
}
nothing() { :; }

@test "CVE-2019-16884, CVE-2019-19921: an image whose /proc is a link, a file, full of fakes or a volume" {
	local trick
	for trick in proc_link proc_link_up proc_file; do
		run_evil "$trick"
		assert_refused "/proc of the image is no folder"
	done
	# What lies below the real one is of no use.
	run_evil proc_fake
	assert_status 0
	assert_line "main     | ran under vm-proof (enforce)"
	local path
	for path in /proc /proc/self/attr /tmp/../proc/./self//attr; do
		echo "{\"config\": {\"Volumes\": {\"$path\": {}}}}" >config.json
		CONFIG=config.json run_evil nothing
		assert_refused "/proc and /sys are the kernel's"
	done
}

@test "CVE-2019-16884, CVE-2025-52881: a volume over /proc, over what is below it, by a link, by another volume" {
	local path
	mkdir -p "$T/fake/self/attr/apparmor"
	local paths=(/proc /proc/ /proc/self /proc/self/attr /proc/self/attr/apparmor/exec /proc/thread-self/attr /proc/sys/kernel)
	run_shell "echo ran under \$($LABEL)" "    securityContext: {$PROOF}
    volumeMounts:
$(for path in "${paths[@]}"; do
		printf '    - {name: v, mountPath: %s}\n    - {name: h, mountPath: %s}\n' "$path" "$path"
	done)" "  volumes: [{name: v, emptyDir: {}}, {name: h, hostPath: {path: $T/fake}}]"
	assert_refused "the Pod is invalid"
	for path in "${paths[@]}"; do
		assert_has "mountPath: Invalid value: \"$path\": must not be inside /proc"
	done
	run_shell "echo ran under \$($LABEL)" "    securityContext: {$PROOF}
    volumeMounts: [{name: v, mountPath: /sys/kernel/security/apparmor}]" "  volumes: [{name: v, emptyDir: {}}]"
	assert_refused "/proc and /sys are the kernel's"
	# Links in the image that lead there.
	proc_links() { ln -s /proc evil/data; ln -s /proc/self/attr evil/attr; ln -s ../proc/sys evil/knobs; }
	for path in /data /data/self/attr /attr /attr/apparmor /knobs; do
		rm -rf evil
		cp -a "$WORK/image" evil
		proc_links
		"$MINIRUN" image load -q evil evil >load.log 2>&1
		run_pod < <(simple_pod evil "echo ran under \$(cat /proc/self/attr/apparmor/current)" "    securityContext: {$PROOF}
    volumeMounts: [{name: v, mountPath: $path}]" "  volumes: [{name: v, emptyDir: {}}]" | sed 's/image: busybox/image: evil/')
		assert_refused "cannot mount on $path"
	done
	# A link that a container left in a volume, below which another volume goes; and one by subPath.
	run_shell "echo ran under \$($LABEL)" "    securityContext: {$PROOF}
    volumeMounts: [{name: v, mountPath: /v}, {name: w, mountPath: /v/link/attr}]" "  volumes: [{name: v, emptyDir: {}}, {name: w, emptyDir: {}}]
  initContainers:
  - {name: evil, image: busybox, command: [ln, -s, /proc/self, /v/link], volumeMounts: [{name: v, mountPath: /v}]}"
	assert_refused "cannot "
	run_shell "echo ran under \$($LABEL); ls /v" "    securityContext: {$PROOF}
    volumeMounts: [{name: v, mountPath: /v, subPath: link}]" "  volumes: [{name: v, emptyDir: {}}]
  initContainers:
  - {name: evil, image: busybox, command: [ln, -s, /proc/self, /v/link], volumeMounts: [{name: v, mountPath: /v}]}"
	assert_refused "subPath"
}

@test "a container that has the whole of its root can't leave its profile by /proc/self/attr, nor can what joins it" {
	local nnp
	# What a process may write there; each with the name of what there is to go to.
	cat >try <<-'TRY'
		for file in current exec apparmor/current apparmor/exec; do
			for command in "changeprofile unconfined" "exec unconfined" "stack unconfined" "permprofile unconfined" \
				"changehat 0000000000000001^none" "changeprofile vm-other" "exec vm-other" "permprofile vm-other" unconfined; do
				for process in self 1; do
					(printf '%s' "$command" >/proc/$process/attr/$file) 2>/dev/null
				done
				label=$(cat /proc/self/attr/apparmor/current)
				[ "$label" = "vm-proof (enforce)" ] || echo "out by $file, $command: $label"
				(echo >/tmp/secret) 2>/dev/null && echo "unlocked by $file, $command"
			done
		done
		mkdir -p /tmp/proc && mount -t proc proc /tmp/proc && printf 'exec unconfined' >/tmp/proc/self/attr/exec && echo "by a procfs"
		cat /proc/self/attr/apparmor/current
	TRY
	load_profile vm-other <<<"file, capability, network,"
	for nnp in true false; do
		run_shell "sleep 600 & wait" "    securityContext: {allowPrivilegeEscalation: $nnp, $PROOF,
        capabilities: {add: [SYS_ADMIN, MAC_ADMIN, MAC_OVERRIDE, SYS_PTRACE]}, seccompProfile: {type: Unconfined}}
    volumeMounts: [{name: try, mountPath: /try}]" "  terminationGracePeriodSeconds: 0
  volumes: [{name: try, hostPath: {path: $T/try}}]" &
		eventually 60 "$MINIRUN" exec "t$BATS_TEST_NUMBER" -- true >exec.log 2>&1
		run "$MINIRUN" exec "t$BATS_TEST_NUMBER" -- sh /try
		assert_equal "$(grep -v '^sh: \|^mount: ' <<<"$output")" "vm-proof (enforce)"
		assert_status 0
		pkill -KILL -fx 'sleep 600'
		wait
	done
	audit_lines | grep -q 'operation="change_profile".*profile="vm-proof"'
	# The first process of the container itself.
	run_shell ". /try" "    securityContext: {$PROOF, capabilities: {add: [SYS_ADMIN, MAC_ADMIN, MAC_OVERRIDE]}}
    volumeMounts: [{name: try, mountPath: /try}]" "  volumes: [{name: try, hostPath: {path: $T/try}}]"
	assert_equal "$(grep -v '^sh: \|^mount: ' <<<"$output")" "vm-proof (enforce)"
}

@test "each container has its own: init and main, enforce and complain, a hat, a stack, an exec; as an ordinary user too" {
	echo 'profile vm-family flags=(attach_disconnected) {
  file,
  ^hat flags=(attach_disconnected) {
    file,
    audit deny /tmp/hat w,
  }
  profile child flags=(attach_disconnected) {
    file,
    audit deny /tmp/child w,
  }
}
profile vm-loose flags=(attach_disconnected, complain) {
  /** rmix,
}' >family
	LOADED_PROFILES+=(vm-family vm-loose)
	"$MINIRUN" apparmor load family
	load_profile vm-init <<<"file, audit deny /tmp/init w,"
	local tell="$LABEL; for f in init hat child secret free; do (echo >/tmp/\$f) 2>/dev/null || echo no \$f; done"
	cat >pod.yaml <<-YAML
		apiVersion: v1
		kind: Pod
		metadata: {name: family}
		spec:
		  restartPolicy: Never
		  securityContext: {appArmorProfile: {type: Localhost, localhostProfile: vm-proof}}
		  initContainers:
		$(for profile in vm-init vm-family//hat vm-family//child 'vm-init//&vm-proof' vm-loose vm-family; do
			echo "  - {name: i$((++n)), image: busybox, command: [sh, -c, '$tell'],"
			echo "     securityContext: {appArmorProfile: {type: Localhost, localhostProfile: '$profile'}}}"
		done)
		  containers:
		  - {name: main, image: busybox, command: [sh, -c, '$tell']}
		  - {name: none, image: busybox, command: [sh, -c, '$tell'], securityContext: {appArmorProfile: {type: Unconfined}}}
	YAML
	chmod 0644 pod.yaml
	load_busybox as_user
	local who
	for who in "" as_user; do
		run --separate-stderr $who "$MINIRUN" pod.yaml
		assert_status 0
		assert_stderr_has '"vm-loose" is loaded in complain mode'
		assert_equal "$(grep '^i' <<<"$output" | tr -s ' ')" "$(printf '%s\n' 'i1 | vm-init (enforce)' 'i1 | no init' \
			'i2 | vm-family//hat (enforce)' 'i2 | no hat' 'i3 | vm-family//child (enforce)' 'i3 | no child' \
			'i4 | vm-init//&vm-proof (enforce)' 'i4 | no init' 'i4 | no secret' 'i5 | vm-loose (complain)' \
			'i6 | vm-family (enforce)')"
		# Of a stack, each that refused is named.
		[[ -n $who ]] || grep -qE '^i4 +denied mknod "/tmp/secret" .*profile vm-proof ' <<<"$stderr"
		assert_equal "$(strip_prefix main <<<"$output")" $'vm-proof (enforce)\nno secret'
		assert_equal "$(strip_prefix none <<<"$output")" "unconfined"
	done
	# With each mode of seccomp, and no_new_privs on and off, for a user as well.
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}' >some.json
	chmod 0644 some.json
	local nnp seccomp
	for nnp in true false; do
		for seccomp in 'type: Unconfined' 'type: RuntimeDefault' 'type: Localhost, localhostProfile: some.json'; do
			simple_pod user "$tell; grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status" "    securityContext:
      {allowPrivilegeEscalation: $nnp, seccompProfile: {$seccomp}, $PROOF}" >user.yaml
			run --separate-stderr as_user "$MINIRUN" -q user.yaml
			assert_status 0
			assert_line "main     | vm-proof (enforce)"
			assert_line "main     | no secret"
			assert_line "main     | NoNewPrivs:"$'\t'"$([[ $nnp == true ]] && echo 0 || echo 1)"
			assert_line "main     | Seccomp:"$'\t'"$([[ $seccomp == 'type: Unconfined' ]] && echo 0 || echo 2)"
		done
	done
}

@test "a profile that lets nobody signal its programs doesn't keep a pod from its end" {
	load_profile vm-deaf <<<"file, capability,"
	simple_pod deaf 'echo ready; sleep 600 & sleep 601' "    securityContext: {appArmorProfile: {type: Localhost, localhostProfile: vm-deaf}}" \
		'  terminationGracePeriodSeconds: 1' >pod.yaml
	chmod 0644 pod.yaml
	"$MINIRUN" pod.yaml >out 2>&1 &
	eventually 60 grep -q '| ready' out
	kill -TERM $!
	wait $! || true
	cat out
	grep -q 'AppArmor profile vm-deaf lets nobody signal its programs' out
	grep -q 'exited 137' out
	load_busybox as_user
	as_user sh -c 'echo $$; exec "$1" pod.yaml' sh "$MINIRUN" >out 2>&1 &
	eventually 60 grep -q '| ready' out
	kill -TERM "$(head -1 out)"
	wait $! || true
	cat out
	assert_equal "$(pgrep -fx 'sleep 60[01]')" ""
}
