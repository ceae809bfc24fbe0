#!/usr/bin/env bats
# What seccomp refuses is named, and the program sees exactly what its profile says.

load helpers
setup_file() {
	minirun_setup_file
	helper_programs refused try-syscall
}
setup() {
	minirun_setup
	profile '{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}'
}

# profile RULE...: p.json, which allows all but what the rules say.
profile() {
	local IFS=,
	printf '{"defaultAction": "SCMP_ACT_ALLOW",\n "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],\n "syscalls": [\n%s]}\n' "$*" >"$T/p.json"
}

# pod COMMAND-JSON: a container under p.json, with the helpers in /helpers.
pod() {
	cat <<-YAML
		apiVersion: v1
		kind: Pod
		metadata: {name: refused}
		spec:
		  restartPolicy: Never
		  terminationGracePeriodSeconds: 1
		  volumes:
		  - name: helpers
		    hostPath: {path: $WORK/helpers, type: Directory}
		  containers:
		  - name: main
		    image: busybox
		    command: $1
		    volumeMounts:
		    - {name: helpers, mountPath: /helpers, readOnly: true}
		    securityContext: {seccompProfile: {type: Localhost, localhostProfile: p.json}}
	YAML
}

# refused [OPTION...] -- COMMAND-JSON; $output is then what the program printed.
refused() {
	local options=()
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	run_pod "${options[@]}" < <(pod "$2")
	json=$output
	output=$(strip_prefix main <<<"$output")
}

# The events of a type, out of what -o json printed.
events() {
	jq -c "select(.type == \"$1\")" <<<"$json"
}

start() {
	"$MINIRUN" "$T/pod.yaml" >"$T/out" 2>"$T/err" </dev/null &
	PID=$!
}

@test "a refused call is told with its arguments, its errno, the rule, the program; and so is the failure" {
	refused -- "$(shell 'mkdir /usr/share/html; exit 3')"
	assert_status 3
	grep -qxE 'main +denied mkdir\("/usr/share/html", 0777\) = EPERM · seccomp, rule 1 of p.json, line 4: mkdir, mkdirat \(mkdir, pid 2\)' <<<"$stderr"
	assert_last_error_has 'Failed: container main: exit 3, after seccomp denied mkdir("/usr/share/html", 0777)'
	refused -o json -- "$(shell 'mkdir /usr/share/html; exit 3')"
	assert_equal "$(events denied | jq -c '[.container, .call, .args, .errno, .program, .containerPid, .rule, .count]')" \
		'["main","mkdir",["\"/usr/share/html\"","0777"],"EPERM","mkdir",2,"rule 1 of p.json, line 4: mkdir, mkdirat",1]'
	assert_equal "$(events failed | jq -r .message)" \
		'Failed: container main: exit 3, after seccomp denied mkdir("/usr/share/html", 0777)'
}

@test "the same call of the same program is told once, and counted" {
	refused -- "$(shell 'for i in 1 2 3 4 5; do mkdir /x; done; mkdir /y; true')"
	assert_status 0
	assert_equal "$(grep -c 'denied mkdir' <<<"$stderr")" 2
	grep -qE 'denied 5 times mkdir\("/x", 0777\) = EPERM \(mkdir\)' <<<"$stderr"
	assert_last_error_has Succeeded
}

@test "--no-denials loads the plain filter, and names nothing" {
	refused --no-denials -- "$(shell 'mkdir /x; exit 3')"
	assert_status 3
	assert_stderr_has "can't create directory '/x': Operation not permitted"
	assert_lacks denied
	assert_last_error_has 'Failed: container main: exit 3'
}

@test "what a hostile program passes can't reach the terminal" {
	# shellcheck disable=SC2016 # for the container's shell
	refused -- "$(shell 'mkdir "$(printf "a\033[31m\n\"b\377")"; true')"
	assert_stderr_has 'denied mkdir("a\x1b[31m\x0a\"b\xff", 0777) = EPERM'
}

# Writes table.N and the profiles for it: every call of this machine, in two halves, for what is told is limited.
tables() {
	echo '#include <sys/syscall.h>' | "${CC:-gcc}" -E -dM - | sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9]*\)$/\1 \2/p' >"$T/numbers"
	"$REPO/tests/scripts/calls" tables "$T" "$WORK/helpers"
}

@test "every system call of this machine, refused one at a time, is named with its errno" {
	local half
	tables
	: >"$T/checked"
	for half in 0 1; do
		cp "$T/p$half.json" "$T/p.json"
		refused -o json -- "[/helpers/refused, each, /helpers/table$half]"
		assert_status 0
		printf '%s\n' "$json" >"$T/json"
		"$REPO/tests/scripts/calls" check "$T/expected$half" "$T/json" >>"$T/checked" || fail "see above"
	done
	[[ $(wc -l <"$T/checked") -ge 330 ]] || fail "only $(wc -l <"$T/checked") calls"
}

@test "the default action's refusals, those newer than the profile, and RuntimeDefault's are named" {
	jq -n '{defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 13, syscalls: [{action: "SCMP_ACT_ALLOW", names:
		"execve brk arch_prctl set_tid_address set_robust_list rseq prlimit64 readlink readlinkat mprotect getrandom newfstatat fstat write exit_group ioctl statx" | split(" ") | [{names: .}] | .[0].names}]}' >"$T/p.json"
	refused -- '[/helpers/try-syscall, chroot, "=/a"]'
	assert_equal "$output" EACCES
	assert_stderr_has 'denied chroot("/a") = EACCES · seccomp, defaultAction of p.json (try-syscall, pid 1)'
	refused -- '[/helpers/try-syscall, clone3, "0", "88"]'
	assert_equal "$output" ENOSYS
	assert_stderr_has 'denied clone3(NULL, 88) = ENOSYS · seccomp, newer than rseq, the newest call of p.json'
	run_shell 'unshare -m true; exit 4' '    securityContext: {seccompProfile: {type: RuntimeDefault}}'
	assert_status 4
	assert_last_error_has 'exit 4, after seccomp denied unshare(CLONE_NEWNS)'
	assert_stderr_has 'of RuntimeDefault'
}

@test "KILL_PROCESS and KILL end a program with SIGSYS, named, in the container's first process and below it" {
	local action
	for action in KILL_PROCESS KILL KILL_THREAD; do
		profile "{\"names\": [\"mkdirat\"], \"action\": \"SCMP_ACT_$action\"}"
		refused -- '[/helpers/try-syscall, mkdirat, "-100", "=/x", "0"]'
		assert_status 159
		assert_stderr_has 'denied mkdirat(AT_FDCWD, "/x", 00), killed by SIGSYS · seccomp, rule 1 of p.json'
		assert_stderr_has 'exited 159 (signal 31, Bad system call)'
		assert_last_error_has 'killed by signal 31, Bad system call, after seccomp denied mkdirat(AT_FDCWD, "/x", 00)'
		# The parent sees what it would see without us.
		refused -- "$(shell '/helpers/try-syscall mkdirat -100 =/x 0; echo "child $?"; true')"
		assert_status 0
		assert_equal "$output" 'child 159'
	done
}

@test "a handler for SIGSYS does not survive a kill" {
	profile '{"names": ["mkdirat"], "action": "SCMP_ACT_KILL_PROCESS"}'
	refused -- '[/helpers/refused, handler]'
	assert_status 159
	refused -- "$(shell '/helpers/refused handler; echo "child $?"; true')"
	assert_lacks survived
	assert_has 'child 1'
}

@test "a kill ends all threads before the one that called takes another step" {
	profile '{"names": ["mkdirat"], "action": "SCMP_ACT_KILL_PROCESS"}'
	refused -- '[/helpers/refused, thread]'
	assert_status 159
	assert_lacks survived
	assert_stderr_has 'killed by SIGSYS · seccomp, rule 1 of p.json, line 4: mkdirat (refused, pid 1)'
	# It's a race below process 1: one of these twenty would be enough.
	refused -- "$(shell 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do /helpers/refused thread; done; echo through')"
	assert_lacks survived
	assert_has through
}

@test "TRAP stays the kernel's, and its death is told as such; TRACE is ENOSYS and named" {
	profile '{"names": ["mkdirat"], "action": "SCMP_ACT_TRAP"}'
	refused -- '[/helpers/try-syscall, mkdirat, "-100", "=/x", "0"]'
	assert_status 159
	assert_last_error_has "as SCMP_ACT_TRAP of seccomp profile p.json does (minirun can't name its calls)"
	# A handler gets it, and the program goes on.
	refused -- '[/helpers/refused, handler]'
	assert_status 0
	assert_has survived
	profile '{"names": ["mkdirat"], "action": "SCMP_ACT_TRACE", "errnoRet": 5}'
	refused -- '[/helpers/try-syscall, mkdirat, "-100", "=/x", "0"]'
	assert_equal "$output" ENOSYS
	assert_stderr_has 'denied mkdirat(AT_FDCWD, "/x", 00) = ENOSYS · seccomp, rule 1 of p.json'
}

@test "an execve that the profile refuses for its arguments is named, and told as a failed start" {
	profile '{"names": ["execve"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13, "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_NE"}]}'
	refused -- '[/helpers/try-syscall, getpid]'
	assert_status 126
	assert_stderr_has 'denied execve("/helpers/try-syscall", ..., ...) = EACCES · seccomp, rule 1 of p.json'
	assert_last_error_has 'after seccomp denied execve("/helpers/try-syscall"'
	sed -i 's/SCMP_ACT_ERRNO/SCMP_ACT_KILL_PROCESS/; s/"errnoRet": 13, //' "$T/p.json"
	refused -- '[/helpers/try-syscall, getpid]'
	assert_status 159
	assert_last_error_has 'after seccomp denied execve("/helpers/try-syscall"'
}

@test "32-bit and x32 calls are named by their own tables" {
	refused -- '[/helpers/refused, x86]'
	assert_equal "$output" 'x86 EPERM'
	assert_stderr_has 'denied mkdir("/x", 0777) [x86] = EPERM'
	refused -- '[/helpers/refused, x32]'
	assert_equal "$output" 'x32 EPERM'
	assert_stderr_has 'denied mkdir("/x", 0777) [x32] = EPERM'
	# Not listed: the kernel's answer is a kill, and it is named too.
	sed -i '/architectures/d' "$T/p.json"
	refused -- '[/helpers/refused, x86]'
	assert_status 159
	assert_stderr_has 'denied mkdir("/x", 0777) [x86], killed by SIGSYS · seccomp, an architecture that p.json does not list'
}

@test "children, threads, and a filter of the program's own" {
	refused -- '[/helpers/refused, fork]'
	assert_status 0
	assert_equal "$output" $'0 EPERM\n1 EPERM\n2 EPERM'
	assert_stderr_has 'denied 3 times mkdirat(AT_FDCWD, "/x", 0777) = EPERM (refused)'
	refused -- '[/helpers/refused, threads]'
	assert_status 0
	assert_stderr_has 'denied 400 times mkdirat(AT_FDCWD, "/x", 0777) = EPERM (refused)'
	refused -- '[/helpers/refused, filter]'
	assert_equal "$output" $'mkdirat EPERM\nunlinkat EXDEV'
	assert_stderr_has 'denied mkdirat('
	assert_lacks 'denied unlinkat'
	# There is one listener for a tree of filters: the program is told so, and --no-denials leaves it to the program.
	refused -- '[/helpers/refused, listener]'
	assert_equal "$output" $'load EBUSY\nmkdirat EPERM\nunlinkat ENOENT'
	refused --no-denials -- '[/helpers/refused, listener]'
	assert_equal "$output" $'mkdirat EPERM\nunlinkat EXDEV'
}

@test "a signal that comes once a call is taken doesn't show" {
	refused -- '[/helpers/refused, signals]'
	assert_status 0
	# One that comes before, in the microseconds until the supervisor runs, shows as EINTR: the kernel knows no other way.
	local wrong signals
	read -r wrong signals <<<"$output"
	((signals > 100 && wrong < signals)) || fail "$wrong wrong of $signals signals"
}

@test "a process that is killed while its call waits harms nobody" {
	pod '[/helpers/refused, pause]' >"$T/pod.yaml"
	local pid result=0
	start
	eventually 10 grep -q waiting "$T/out"
	pid=$(pgrep -f '^/helpers/refused pause$' -n)
	kill -STOP $PID
	kill -USR1 "$pid"
	# It waits in the kernel for an answer that doesn't come.
	eventually 5 grep -q seccomp "/proc/$pid/wchan" "/proc/$pid/stack" || true
	kill -KILL "$pid"
	kill -CONT $PID
	wait $PID || result=$?
	assert_equal $result 137
	grep -q 'killed by signal 9' "$T/err"
}

@test "a quarter of a million refused calls neither grow the supervisor nor keep it from anything" {
	pod "$(shell '/helpers/refused flood 250000; sleep 1000')" >"$T/pod.yaml"
	local before after
	start
	eventually 20 grep -q 'denied mkdirat' "$T/err"
	before=$(awk '/^RssAnon/ { print $2 }' /proc/$PID/status)
	# It answers while the flood goes on.
	run --separate-stderr timeout 20 "$MINIRUN" exec refused -- echo here
	assert_status 0
	assert_equal "$output" here
	run ! grep -q "done" "$T/out"
	# To the end: ten seconds, on a slow machine some more.
	eventually 900 grep -q "done" "$T/out"
	after=$(awk '/^RssAnon/ { print $2 }' /proc/$PID/status)
	# AddressSanitizer keeps 256 MiB of what was freed, and its own notes of that: as much as 500 MiB were seen.
	grep -q __asan_init "$MINIRUN" && before=$((before + (900 << 10)))
	# Half a byte a call: whatever was kept of each would be more.
	echo "$before, then $after KiB"
	[[ $((after - before)) -le 128 ]] || fail "from $before to $after KiB"
	kill -TERM $PID
	timeout 20 tail --pid=$PID -f /dev/null
	wait $PID || true
	grep -qE 'denied 250000 times mkdirat' "$T/err"
	[[ $(wc -l <"$T/err") -lt 20 ]]
}

@test "ever new arguments are counted as one after some" {
	refused -- '[/helpers/refused, vary, "5000"]'
	assert_status 0
	assert_equal "$output" "done"
	assert_stderr_has 'denied mkdirat(...) with other arguments · seccomp'
	assert_stderr_has 'denied 4992 times mkdirat(...) with other arguments (refused)'
	[[ $(wc -l <<<"$stderr") -lt 20 ]]
}

@test "what an exec session is refused is named, too" {
	pod '[sh, -c, "echo up; sleep 60"]' >"$T/pod.yaml"
	start
	eventually 10 grep -q up "$T/out"
	run --separate-stderr "$MINIRUN" exec refused -- mkdir /of-exec
	assert_status 1
	assert_stderr_has "can't create directory"
	eventually 5 grep -q 'denied mkdir("/of-exec", 0777) = EPERM · seccomp, rule 1 of p.json' "$T/err"
	# Several at once, each with its own listener.
	for i in 1 2 3; do "$MINIRUN" exec refused -- mkdir "/n$i" 2>/dev/null & done
	wait %2 %3 %4 || true
	for i in 1 2 3; do eventually 5 grep -q "denied mkdir(\"/n$i\"" "$T/err"; done
	kill -TERM $PID
	wait $PID || true
}

@test "an ordinary user's refusals are named, with a range of ids, with one, and in unshare -r" {
	local user
	pod "$(shell 'mkdir /x; exit 3')" | sed '/volumes:$/,/hostPath/d; /volumeMounts/,/helpers/d' >"$T/pod.yaml"
	for user in $(users); do
		load_busybox $user >/dev/null
		run --separate-stderr $user "$MINIRUN" "$T/pod.yaml"
		assert_status 3
		assert_stderr_has 'denied mkdir("/x", 0777) = EPERM'
		assert_last_error_has 'after seccomp denied mkdir("/x", 0777)'
	done
}

@test "where refusals can't be named the plain filter is loaded, and that is said once" {
	pod "$(shell 'mkdir /x; exit 3')" >"$T/pod.yaml"
	# Inside something that has a listener already, and where pidfd_getfd is refused.
	run --separate-stderr "$WORK/helpers/refused" under-listener "$MINIRUN" "$T/pod.yaml"
	assert_status 3
	assert_equal "$(grep -c "what seccomp denies can't be named here: minirun itself runs under a seccomp filter with a listener" <<<"$stderr")" 1
	assert_lacks 'denied mkdir'
	assert_stderr_has "can't create directory '/x': Operation not permitted"
	assert_last_error_has 'Failed: container main: exit 3'
	run --separate-stderr "$WORK/helpers/refused" under-filter "$MINIRUN" "$T/pod.yaml"
	assert_status 3
	assert_equal "$(grep -c "what seccomp denies can't be named here: pidfd_getfd is not possible here: Operation not permitted" <<<"$stderr")" 1
	assert_lacks 'denied mkdir'
	assert_stderr_has "can't create directory '/x': Operation not permitted"
}
