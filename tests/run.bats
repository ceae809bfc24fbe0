#!/usr/bin/env bats
# A pod in the foreground: order, output, exit statuses, the end.

load helpers

# A pod of several containers: `pod NAME` and then for each `init NAME COMMAND` or `main NAME COMMAND` on standard input.
pod() {
	local kind name command text inits='' mains=''
	while read -r kind name command; do
		text="  - {name: $name, image: busybox, command: [sh, -c, $(jq -n --arg c "$command" '$c')]}"$'\n'
		[[ $kind == init ]] && inits+=$text || mains+=$text
	done
	printf 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: %s\nspec:\n  restartPolicy: Never\n' "$1"
	printf '  terminationGracePeriodSeconds: %s\n' "${2:-30}"
	[[ -z $inits ]] || printf '  initContainers:\n%s' "$inits"
	printf '  containers:\n%s' "$mains"
}

# Starts $T/pod.yaml in the background; its output is in $T/out and $T/err, its pid in $PID.
start() {
	"$MINIRUN" "$T/pod.yaml" >"$T/out" 2>"$T/err" </dev/null &
	PID=$!
}

# Waits for $PID, whose exit status shall be $1.
assert_ends_with() {
	local result=0
	wait "$PID" || result=$?
	assert_equal $result "$1"
}

@test "init containers run strictly in order, then the main container" {
	run_pod < <(pod order <<-'EOF'
		init first sleep 0.2; echo one
		init second echo two
		main third echo three
	EOF
	)
	assert_status 0
	assert_equal "$(sed 's/ *| / /' <<<"$output")" $'first one\nsecond two\nthird three'
	assert_last_error_has "Succeeded"
}

@test "main containers run together" {
	run_pod --once < <(pod together <<-'EOF'
		main a sleep 0.3; echo a
		main b sleep 0.3; echo b
	EOF
	)
	assert_status 0
	# Both are started before either ends.
	assert_equal "$(grep -n 'started\|exited' <<<"$stderr" | sed 's/.*\(started\|exited\).*/\1/' | tr '\n' ' ')" \
		"started started exited exited "
}

@test "a failed init container ends the pod with its exit status, and nothing after it runs" {
	run_pod < <(pod failing <<-'EOF'
		init good true
		init bad echo before; exit 3
		init never echo never
		main main echo main
	EOF
	)
	assert_status 3
	assert_has "before"
	assert_lacks "never"
	assert_lacks "main  "
	assert_last_error_has "Failed: init container bad: exit 3"
}

@test "a failed main container leaves the others running, and its status is the pod's" {
	run_pod < <(pod one-fails <<-'EOF'
		main quick exit 7
		main slow sleep 0.3; echo still here
	EOF
	)
	assert_status 7
	assert_has "still here"
	assert_last_error_has "Failed: container quick: exit 7"
}

@test "a signal's exit status is 128 and its number" {
	run_shell 'sleep 5 & kill -SEGV $!; wait $!; exit $?'
	assert_status 139
	run_pod < <(simple_pod killed 'sh -c "kill -9 \$\$"; exit $?')
	assert_status 137
}

@test "the statuses 127 and 126: not found, and not to be run" {
	run_pod <<-'EOF'
		{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "missing"}, "spec": {"restartPolicy": "Never",
		 "containers": [{"name": "c", "image": "busybox", "command": ["nosuchprogram"]}]}}
	EOF
	assert_status 127
	assert_last_error_has "executable file not found in \$PATH: nosuchprogram"
	run_pod <<-'EOF'
		{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "notrun"}, "spec": {"restartPolicy": "Never",
		 "containers": [{"name": "c", "image": "busybox", "command": ["/etc/passwd"]}]}}
	EOF
	assert_status 126
	assert_last_error_has "cannot run /etc/passwd"
}

@test "125 is minirun's own: no file, no image, nonsense" {
	run --separate-stderr "$MINIRUN" nosuchfile.yaml
	assert_status 125
	assert_last_error_has "cannot open nosuchfile.yaml: No such file or directory"
	run --separate-stderr "$MINIRUN" run ""
	assert_status 125
	assert_last_error_has "the name of a file is empty"
	touch "$T/hello.yaml"
	for path in "$T/hallo.yaml" "$T/hello.yml"; do
		run -125 --separate-stderr "$MINIRUN" "$path"
		assert_stderr_has "hint: did you mean $T/hello.yaml?"
		assert_last_error_has "cannot open $path: No such file or directory"
	done
	run_pod <<-'EOF'
		{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"},
		 "spec": {"containers": [{"name": "c", "image": "busybix"}]}}
	EOF
	assert_status 125
	assert_stderr_has "spec.containers[0].image"
	assert_stderr_has "busybox"
	run --separate-stderr "$MINIRUN" rum
	assert_status 125
	assert_stderr_has "did you mean \`minirun run\`?"
}

@test "what a container writes to stdout and stderr goes to ours, each line with its name" {
	run_shell 'echo out; echo err >&2'
	assert_status 0
	assert_equal "$output" "out"
	grep -q '^main *| err$' <<<"$stderr"
}

@test "a line without an end, an empty one, a long one and bytes that are no text are passed on whole" {
	run_pod < <(simple_pod bytes 'printf "a\n\nb\000\377c"')
	assert_status 0
	"$MINIRUN" --quiet "$POD" >"$T/out" 2>/dev/null
	assert_equal "$(sed 's/^[^|]*| //' "$T/out" | od -An -c | tr -s ' \n' ' ')" ' a \n \n b \0 377 c \n '
	simple_pod long 'head -c 100000 /dev/zero | tr "\000" x' >"$T/pod.yaml"
	"$MINIRUN" --quiet "$T/pod.yaml" >"$T/out"
	assert_equal "$(sed 's/^[^|]*| //' "$T/out" | tr -d '\n' | wc -c)" 100000
}

@test "a megabyte of output arrives in order and complete" {
	simple_pod much 'seq 1 150000' >"$T/pod.yaml"
	"$MINIRUN" --quiet "$T/pod.yaml" | sed 's/^[^|]*| //' | cmp - <(seq 1 150000)
}

@test "-o json prints one object a line, events and output" {
	run_pod -o json < <(simple_pod json 'echo hello; printf "\377"; exit 4')
	assert_status 4
	jq -es 'map(.type) | index("planned") != null and index("started") != null' <<<"$output"
	assert_equal "$(jq -r 'select(.type == "output") | .text' <<<"$output")" $'hello\n\xef\xbf\xbd'
	assert_equal "$(jq -c 'select(.type == "exited") | [.container, .exitCode, .reason]' <<<"$output")" '["main",4,"Error"]'
	assert_equal "$(jq -r 'select(.type == "failed") | .message' <<<"$output")" "Failed: container main: exit 4"
	assert_equal "$stderr" ""
}

@test "-o json has what went wrong too: findings with their place, and errors of the run" {
	run_pod -o json <<-'EOF'
		{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"},
		 "spec": {"containers": [{"name": "c", "image": "busybox", "comand": ["true"]}]}}
	EOF
	assert_status 125
	assert_equal "$(jq -c 'select(.type == "error" and .field != null) | [.line, .column, .field, .hint]' <<<"$output")" \
		'[2,60,"spec.containers[0].comand","did you mean \"command\"?"]'
	run_pod -o json < <(simple_pod typed true '    volumeMounts: [{name: v, mountPath: /v}]' \
		'  volumes: [{name: v, hostPath: {path: /nowhere, type: File}}]')
	assert_status 125
	assert_equal "$(jq -r 'select(.type == "error") | .message' <<<"$output")" \
		"volume v: hostPath type check failed: /nowhere is not a file"
	assert_last_error_has "hostPath type check failed"
}

@test "colour is for terminals, and plain text for pipes" {
	simple_pod color 'echo hello' >"$T/pod.yaml"
	"$MINIRUN" "$T/pod.yaml" >"$T/out" 2>&1
	run ! grep -q $'\033' "$T/out"
	script -qec "'$MINIRUN' '$T/pod.yaml'" /dev/null </dev/null >"$T/out" 2>&1
	grep -q $'\033' "$T/out"
	NO_COLOR=1 script -qec "'$MINIRUN' '$T/pod.yaml'" /dev/null </dev/null >"$T/out" 2>&1
	run ! grep -q $'\033' "$T/out"
	"$MINIRUN" --color always "$T/pod.yaml" >"$T/out" 2>&1
	grep -q $'\033' "$T/out"
}

@test "the termination message is shown with the exit" {
	run_shell 'echo "disk on fire" >/dev/termination-log; exit 1'
	assert_status 1
	assert_stderr_has "exited 1 after"
	assert_stderr_has "leaving the message: disk on fire"
}

@test "SIGTERM ends the pod gracefully: its handler runs, its status is the pod's" {
	pod graceful <<<"main main trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.1; done" >"$T/pod.yaml"
	start
	eventually 10 grep -q up "$T/out"
	kill -TERM $PID
	assert_ends_with 5
	grep -q bye "$T/out"
}

@test "SIGKILL follows after the grace period" {
	pod stubborn 1 <<<"main main trap '' TERM; echo up; while :; do sleep 0.1; done" >"$T/pod.yaml"
	start
	eventually 10 grep -q up "$T/out"
	kill -TERM $PID
	assert_ends_with 137
	grep -q "SIGKILL after 2 s" "$T/err" # the least there is
	grep -q "the grace period is over: SIGKILL" "$T/err"
}

@test "a second Ctrl-C doesn't wait for the grace period" {
	pod twice 60 <<<"main main trap '' TERM; echo up; while :; do sleep 0.1; done" >"$T/pod.yaml"
	# Background jobs of a script ignore SIGINT; this one shall not.
	python3 -c 'import os,signal,sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])' \
		"$MINIRUN" "$T/pod.yaml" >"$T/out" 2>"$T/err" </dev/null &
	PID=$!
	eventually 10 grep -q up "$T/out"
	kill -INT $PID
	eventually 5 grep -q "ending the pod" "$T/err"
	kill -INT $PID
	assert_ends_with 137
}

@test "a terminal's Ctrl-C ends the pod, and only once" {
	pod ctrlc 20 <<<"main main trap 'echo bye; exit 0' TERM; trap 'echo direct' INT; echo up; while :; do sleep 0.1; done" >"$T/pod.yaml"
	# script's pty sends SIGINT to the whole foreground group: the containers must not be in it. With exec, as dash,
	# which script takes where $SHELL is unset, would stay in front of minirun and die of the same SIGINT.
	(
		eventually 10 grep -q $'up\r$' "$T/typescript"
		printf '\003'
		eventually 20 grep -q "Succeeded" "$T/typescript"
	) | script -qefc "exec '$MINIRUN' '$T/pod.yaml'" "$T/typescript" >/dev/null 2>&1
	grep -q bye "$T/typescript"
	run ! grep -q direct "$T/typescript"
}

@test "SIGTERM while an init container runs ends the pod, and the next isn't started" {
	pod early 1 <<-'EOF' >"$T/pod.yaml"
		init first echo up; sleep 60
		main second echo second
	EOF
	start
	eventually 10 grep -q up "$T/out"
	kill -TERM $PID
	assert_ends_with 137
	run ! grep -q second "$T/out"
}

@test "a reader that goes away ends the pod" {
	pod reader 1 <<<"main main while :; do echo line; sleep 0.01; done" >"$T/pod.yaml"
	timeout 20 "$MINIRUN" "$T/pod.yaml" 2>"$T/err" | head -n 1 >"$T/out"
	grep -q line "$T/out"
	grep -q "standard output was closed" "$T/err"
}

@test "killing minirun with SIGKILL at any moment leaves nothing" {
	pod victim <<-'EOF' >"$T/pod.yaml"
		init first sleep 0.01
		main a sleep 60 & sleep 60
		main b setsid sh -c "sleep 60 & sleep 60"; sleep 60
	EOF
	# From before the first system call until all containers run.
	for delay in 0 0.002 0.004 0.006 0.008 0.01 0.012 0.015 0.02 0.025 0.03 0.04 0.05 0.1 0.2; do
		start
		sleep $delay
		kill -KILL $PID 2>/dev/null || true
		wait $PID 2>/dev/null || true
		assert_machine_unchanged 5
	done
}

@test "what even the sandbox could not clear, the next start clears" {
	pod victim <<<"main main echo up; sleep 60" >"$T/pod.yaml"
	start
	eventually 10 grep -q up "$T/out"
	# All of minirun's processes at once: nobody is left to clear up.
	pod_processes >"$T/pids"
	xargs kill -STOP <"$T/pids"
	xargs kill -KILL <"$T/pids"
	wait $PID 2>/dev/null || true
	[[ -d $MINIRUN_ROOT/victim ]]
	run_shell 'echo next'
	assert_status 0
	[[ ! -e $MINIRUN_ROOT/victim ]]
	assert_equal "$(ls "$MINIRUN_STORE/pods")" ""
}

@test "a pod of a name that runs already is refused" {
	pod twin <<<"main main echo up; sleep 60" >"$T/pod.yaml"
	start
	eventually 10 grep -q up "$T/out"
	run --separate-stderr "$MINIRUN" "$T/pod.yaml"
	assert_status 125
	assert_last_error_has 'pods "twin" already exists'
	kill -TERM $PID
	kill -TERM $PID
	assert_ends_with 137
}

@test "no descriptor but 0, 1 and 2 reaches a program started from a shell that holds 100" {
	simple_pod fds 'ls /proc/self/fd' >"$T/pod.yaml"
	for n in $(seq 10 110); do eval "exec $n</etc/passwd"; done
	run --separate-stderr "$MINIRUN" "$T/pod.yaml"
	for n in $(seq 10 110); do eval "exec $n<&-"; done
	assert_status 0
	# ls itself opens the folder as 3.
	assert_equal "$(strip_prefix main <<<"$output" | tr '\n' ' ')" "0 1 2 3 "
}

@test "the manifest can come by standard input" {
	run --separate-stderr bash -c "'$MINIRUN' - < <(cat)" < <(simple_pod input 'echo read')
	assert_status 0
	assert_has "read"
}

@test "the same pod gives the same output as root, as a user with a range, as one with a single id, and in unshare -r" {
	simple_pod same 'id -u; id -g; hostname; pwd; ls -d /* | tr "\n" " "; echo; cat /proc/sys/kernel/hostname; mkdir /x && echo made; echo $PATH $HOME; cat /etc/hosts' >"$T/pod.yaml"
	chmod 0644 "$T/pod.yaml"
	"$MINIRUN" "$T/pod.yaml" >"$T/root"
	for user in $(users); do
		load_busybox $user >/dev/null
		$user "$MINIRUN" "$T/pod.yaml" >"$T/$user" 2>"$T/$user.err" || { cat "$T/$user.err"; false; }
		diff "$T/root" "$T/$user"
	done
}
