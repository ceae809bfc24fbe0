#!/usr/bin/env bats
# Terminals: `exec -it`, containers with tty and stdin, `attach`, and the terminal that `minirun FILE` was started from.

load helpers
teardown() { delete_pods && minirun_teardown; }

# on_terminal COMMAND... <<STEPS: see tests/scripts/type; $status, and $output without the terminal's \r.
on_terminal()
{
	status=0
	output=$("$REPO/tests/scripts/type" "$@" | tr -d '\r'; exit "${PIPESTATUS[0]}") || status=$?
	# shellcheck disable=SC2034 # for the test
	mapfile -t lines <<<"$output"
}

# detach NAME 'COMMAND' [CONTAINER-LINES [SPEC-LINES]]: starts a pod of one container in the background, until it runs.
detach()
{
	simple_pod "$1" "$2" "${3:-}" "  terminationGracePeriodSeconds: 0${4:+$'\n'$4}" >"$T/$1.yaml"
	"$MINIRUN" -d --time-scale 2.5 "$T/$1.yaml"
	"$MINIRUN" wait "pod/$1" "--for=jsonpath={.status.phase}=Running" >/dev/null
}

delete()
{
	"$MINIRUN" delete --force "$1" >/dev/null 2>&1
}

# How many terminals there are in the container's devpts.
terminals()
{
	"$MINIRUN" exec "$1" -- ls /dev/pts | grep -c '^[0-9]' || true
}

@test "exec -it: a terminal of the container's, with a size, a name, signals, job control and an exit status" {
	# Another user's, where there is another user.
	local user=''
	[[ $(id -u) != 0 || $(awk '{ print $3 }' /proc/self/uid_map) == 1 ]] || user='    securityContext: {runAsUser: 1000, runAsGroup: 2000}'
	detach box 'sleep 1000' "$user"
	on_terminal "$MINIRUN" exec -it box -- sh -c 'stty size; echo $TERM; exec sh' <<-'STEPS'
		wait 24 80
		wait xterm
		type tty; : >/dev/tty && : >/dev/pts/0 && echo "its own"\r
		wait /dev/pts/0
		wait its own
		size 40 132
		type stty size\r
		wait 40 132
		type sh -c 'echo $((40+2)) go; exec sleep 100'\r
		wait 42 go
		type \x03
		wait /
		type echo "status $?"\r
		wait status 130
		type sh -c 'echo $((40+3)) go; exec sleep 100'\r
		wait 43 go
		type \x1a
		wait Stopped
		type kill -9 %1; wait; echo $((40+4))\r
		wait 44
		type echo $((40+6)); cat; echo $((40+5))\r
		wait 46
		type word\r
		wait word
		wait word
		type \x04
		wait 45
		type exit 7\r
	STEPS
	assert_status 7
	assert_lacks "job control"
	on_terminal "$MINIRUN" exec -it box -- sh -c 'trap "stty size; exit 3" WINCH; echo ready; while :; do sleep 0.1; done' <<-'STEPS'
		wait ready
		size 41 140
		wait 41 140
	STEPS
	assert_status 3
	assert_equal "$(terminals box)" 0
	delete box
}

@test "exec -it: the last output is there, whatever it is, and all bytes pass both ways" {
	detach box 'sleep 1000'
	for _ in 1 2 3 4 5; do
		on_terminal "$MINIRUN" exec -it box -- sh -c 'i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i+1)); done; echo "the end"' </dev/null
		assert_status 0
		assert_equal "${#lines[@]}" 3001
		assert_equal "${lines[3000]}" "the end"
	done
	# More typed than any buffer holds, while as much is printed.
	{ printf 'wait ready\ntype '; printf 'x%.0s' {1..30000}; printf '\\x00\\x80\\xff~\nwait ~\n'; } >"$T/steps"
	on_terminal "$MINIRUN" exec -it box -- sh -c 'stty raw -echo; echo ready; dd bs=1 count=30004 2>/dev/null | tee /tmp/got' <"$T/steps"
	assert_status 0
	assert_equal "$("$MINIRUN" exec box -- cat /tmp/got | md5sum)" "$({ printf 'x%.0s' {1..30000}; printf '\000\200\377~'; } | md5sum)"
	delete box
}

@test "exec -it: under the container's locks; what is refused is told on the terminal" {
	cat >"$T/deny.json" <<-'EOF'
		{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}
	EOF
	detach box 'sleep 1000' '    securityContext: {seccompProfile: {type: Localhost, localhostProfile: deny.json}}'
	on_terminal "$MINIRUN" exec -it box -- mkdir /new </dev/null
	assert_status 1
	assert_has 'main denied mkdir("/new", 0777) = EPERM · seccomp, rule 1 of deny.json, line 1: mkdir, mkdirat (mkdir, pid '
	# On a raw terminal a line begins at its left end.
	run "$REPO/tests/scripts/type" "$MINIRUN" exec -it box -- mkdir /other </dev/null
	[[ $output == *"denied mkdir(\"/other\""*")"$'\r'* ]]
	# Nothing but 0, 1 and 2 of it, and no terminal of this machine's, into which it could type.
	on_terminal "$MINIRUN" exec -it box -- sh -c 'stat -L -c "device %d" /proc/self/fd/0; echo $(ls /proc/self/fd)' </dev/null
	assert_has "device "
	assert_lacks "device $(stat -L -c %d /dev/pts)"
	assert_line "0 1 2 3"
	# Without a terminal too.
	run --separate-stderr "$MINIRUN" exec box -- mkdir /third
	assert_stderr_has 'main denied mkdir("/third", 0777) = EPERM'
	delete box
}

@test "exec -it: no terminal without one outside: kubectl's words, and it goes on" {
	detach box 'sleep 1000'
	run --separate-stderr bash -c "echo typed | '$MINIRUN' exec -it box -- sh -c 'tty; cat'"
	assert_equal "$output" $'not a tty\ntyped'
	assert_equal "$stderr" "Unable to use a TTY - input is not a terminal or the right kind of file"
	run --separate-stderr "$MINIRUN" exec --tty --stdin box -- cat <<<typed
	assert_equal "$output" typed
	on_terminal "$MINIRUN" exec -t box -- tty </dev/null
	assert_has "-t without -i"
	assert_has "not a tty"
	delete box
}

@test "exec -it: the user's terminal is restored after errors and signals, and nothing is left of the command" {
	detach box 'sleep 1000'
	on_terminal "$MINIRUN" exec -it box -- nosuchprogram </dev/null
	assert_status 127
	assert_has "executable file not found in \$PATH: nosuchprogram"
	for signal in TERM HUP INT; do
		on_terminal "$MINIRUN" exec -it box -- sh -c 'echo ready; sleep 4711' <<-STEPS
			wait ready
			signal $signal
		STEPS
		assert_status $((128 + $(kill -l $signal)))
		eventually 5 eval '! "$MINIRUN" exec box -- ps | grep -q "sleep 4711"'
	done
	# Of one that is killed outright nothing can be restored, but nothing stays in the container.
	on_terminal "$MINIRUN" exec -it box -- sh -c 'echo ready; sleep 4711' <<-'STEPS'
		wait ready
		signal KILL
	STEPS
	assert_status 97
	eventually 5 eval '! "$MINIRUN" exec box -- ps | grep -q "sleep 4711"'
	assert_equal "$(terminals box)" 0
	# The pod's end while somebody types.
	on_terminal bash -c '"$MINIRUN" exec -it box -- sh -c "echo ready; sleep 4711"; echo "exit $?"' <<-STEPS &
		wait ready
		wait exit
	STEPS
	local client=$!
	eventually 5 eval '"$MINIRUN" exec box -- ps | grep -q "sleep 4711"'
	delete box
	wait $client
}

@test "exec -it: a container that covers /dev/pts with something of its own gets no terminal of another" {
	detach box 'sleep 1000' '    securityContext: {privileged: true}'
	"$MINIRUN" exec box -- sh -c 'mount -t tmpfs none /dev/pts && ln -s ../zero /dev/pts/ptmx'
	on_terminal "$MINIRUN" exec -it box -- sh </dev/null
	assert_status 125
	assert_has "its /dev/pts is no devpts any more"
	"$MINIRUN" exec box -- sh -c 'rm /dev/pts/ptmx; mkfifo /dev/pts/ptmx'
	on_terminal "$MINIRUN" exec -it box -- sh </dev/null
	assert_status 125
	# Links on the way stay in the container.
	"$MINIRUN" exec box -- sh -c 'umount /dev/pts; mv /dev/ptmx /dev/old; rm -f /dev/console; ln -s /proc/1/root/dev/zero /dev/ptmx'
	on_terminal "$MINIRUN" exec -it box -- tty </dev/null
	assert_line /dev/pts/0
	delete box
}

@test "exec -i: a command that writes while it reads doesn't stand still" {
	detach box 'sleep 1000'
	assert_equal "$(seq 1 500000 | timeout 30 "$MINIRUN" exec -i box -- cat | md5sum)" "$(seq 1 500000 | md5sum)"
	delete box
}

@test "tty: true: the program has a terminal, which is /dev/console too; its output is logged as stdout" {
	detach box 'tty; ls -l /dev/console; echo out; echo err >&2; stty size; sh -c "echo \$TERM" </dev/console; sleep 1000' '    tty: true'
	eventually 5 eval '"$MINIRUN" logs box | grep -q xterm'
	run "$MINIRUN" logs box
	output=${output//$'\r'/}
	assert_line /dev/pts/0
	assert_has " 136,   0 "
	assert_line out
	assert_line err
	run ! grep -av ' stdout F ' "$MINIRUN_ROOT/box/data/logs/main/0.log"
	# A command gets another one, and the program's goes with it.
	on_terminal "$MINIRUN" exec -it box -- tty </dev/null
	assert_line /dev/pts/1
	delete box
	# In the foreground, with nobody at a terminal: by lines.
	run_shell 'tty; echo more >&2' '    tty: true'
	assert_status 0
	assert_equal "$output" $'/dev/pts/0\nmore'
}

@test "tty: true: an image that puts links in the way of the terminal gets none of another" {
	mkdir -p "$T/evil/dev/pts" "$T/evil/etc"
	ln -s /proc/self/exe "$T/evil/dev/console"
	ln -s /dev/zero "$T/evil/dev/ptmx"
	ln -s ../../etc/shadow "$T/evil/dev/pts/0"
	cp "$WORK/busybox.tar" "$T/evil.tar"
	tar -C "$T/evil" --owner=0 --group=0 -rf "$T/evil.tar" dev
	"$MINIRUN" image load "$T/evil.tar" evil
	simple_pod evil 'tty; stat -c "%t:%T %F" /dev/console; readlink /dev/ptmx' '    tty: true' | sed 's/image: busybox/image: evil/' >"$T/pod.yaml"
	run --separate-stderr "$MINIRUN" -q "$T/pod.yaml" </dev/null
	assert_status 0
	assert_equal "$(strip_prefix main <<<"$output")" $'/dev/pts/0\n88:0 character special file\npts/ptmx'
	"$MINIRUN" image rm evil
}

@test "stdin: true: open, and empty, until somebody attaches; each attach -i reaches it" {
	mkfifo "$T/in"
	exec 5<>"$T/in"
	detach box 'while read -r line; do echo "got $line"; done; echo "at the end"' '    stdin: true'
	sleep 0.2
	assert_equal "$("$MINIRUN" logs box)" ""
	for word in one two; do
		echo $word >&5
		"$MINIRUN" attach -i box >"$T/$word" 2>"$T/$word.err" <"$T/in" 5>&- &
		local client=$!
		eventually 5 grep -qx "got $word" "$T/$word"
		kill $client
		wait $client || true
	done
	assert_equal "$(<"$T/one.err")" "If you don't see a command prompt, try pressing enter."
	# Output from then on, not before.
	assert_equal "$(<"$T/two")" "got two"
	assert_equal "$("$MINIRUN" logs box)" $'got one\ngot two'
	delete box
	# Without it there is nothing to read.
	run_shell 'read x || echo "at the end"'
	assert_equal "$output" "at the end"
}

@test "stdinOnce: standard input ends with the first who has it, however that ends" {
	mkfifo "$T/in"
	exec 5<>"$T/in"
	echo word >&5
	detach box 'cat; echo "at the end"; sleep 1000' $'    stdin: true\n    stdinOnce: true'
	"$MINIRUN" attach -i box >"$T/one" 2>/dev/null <"$T/in" 5>&- &
	local client=$!
	eventually 5 grep -qx word "$T/one"
	kill -KILL $client
	wait $client || true
	eventually 5 eval '[[ $("$MINIRUN" logs box | tail -n 1) == "at the end" ]]'
	"$MINIRUN" attach -i box >/dev/null 2>"$T/two" </dev/null &
	client=$!
	eventually 5 grep -q "its standard input was another's, and ended with it (stdinOnce)" "$T/two"
	kill $client
	delete box
	detach shell 'cat; echo "at the end"; exit 0' $'    stdin: true\n    stdinOnce: true\n    tty: true'
	run --separate-stderr timeout 20 bash -c 'printf "half a line" | "$MINIRUN" attach -i shell'
	assert_status 0
	assert_has "half a line"
	assert_has "at the end"
	delete shell
}

@test "attach -it: types into the container's terminal, redraws, and says how to come back" {
	detach shell 'exec sh' $'    stdin: true\n    tty: true'
	on_terminal "$MINIRUN" attach -it shell <<-'STEPS'
		wait try pressing enter.
		type \r
		wait #
		type stty size; tty\r
		wait 24 80
		wait /dev/pts/0
		size 30 99
		type stty size\r
		wait 30 99
		signal TERM
	STEPS
	assert_status 143
	on_terminal "$MINIRUN" attach -q -it shell <<-'STEPS'
		type echo $((40+2))\r
		wait 42
		type exit 3\r
	STEPS
	assert_status 0
	assert_lacks "command prompt"
	eventually 5 eval '[[ $("$MINIRUN" get shell -o json | jq -r .status.phase) == Failed ]]'
	run --separate-stderr "$MINIRUN" attach shell
	assert_status 1
	assert_last_error_has "cannot attach a container in a completed pod; current phase is Failed"
	delete shell
}

@test "attach: kubectl's words for a container without a terminal, and for what isn't there" {
	detach box 'while :; do echo more; sleep 0.1; done'
	run --separate-stderr timeout 1 "$MINIRUN" attach -it box
	assert_stderr_has "error: Unable to use a TTY - container main did not allocate one"
	assert_stderr_has "container main: its standard input is empty: its manifest lacks stdin: true"
	assert_line more
	run --separate-stderr "$MINIRUN" attach -c mian box
	assert_last_error_has "container mian not found in pod box"
	assert_stderr_has "hint: it has main"
	run --separate-stderr "$MINIRUN" attach bix
	assert_last_error_has 'pods "bix" not found'
	delete box
}

@test "attach: several get the same; one that is killed or stands still harms neither the others nor the container" {
	mkfifo "$T/in"
	exec 5<>"$T/in"
	detach box 'while read -r x && [ "$x" != go ]; do echo "$x"; done; seq 1 200000; read x; echo "the end"' '    stdin: true'
	"$MINIRUN" attach -i box >"$T/typist" 2>/dev/null <"$T/in" 5>&- &
	local typist=$!
	"$MINIRUN" attach box >"$T/reader" 2>/dev/null 5>&- &
	local reader=$!
	"$MINIRUN" attach box >"$T/stuck" 2>"$T/stuck.err" 5>&- &
	local stuck=$!
	"$MINIRUN" attach box >"$T/killed" 2>/dev/null 5>&- &
	local killed=$!
	eventually 10 eval 'echo begin >&5; grep -q begin "$T/typist" && grep -q begin "$T/reader" && grep -q begin "$T/stuck" && grep -q begin "$T/killed"'
	kill -STOP $stuck
	kill -KILL $killed
	echo go >&5
	eventually 20 eval '[[ $(tail -n 1 "$T/reader") == 200000 ]]'
	grep -v begin "$T/reader" | cmp - <(seq 1 200000)
	grep -v begin "$T/typist" | cmp - <(seq 1 200000)
	echo go >&5
	wait $reader $typist
	assert_equal "$(tail -n 1 "$T/reader")" "the end"
	kill -CONT $stuck
	run ! wait $stuck
	grep -q "detached: no output was read for 5 s" "$T/stuck.err"
	delete box
}

@test "clients that are killed leave nothing: no process, no descriptor, no terminal, and the pod goes on" {
	mkfifo "$T/in"
	exec 5<>"$T/in"
	detach box 'echo up; exec sh' $'    stdin: true\n    tty: true'
	local supervisor clients=() before
	supervisor=$(jq .supervisor.pid "$MINIRUN_ROOT/box/status.json")
	before=$(ls "/proc/$supervisor/fd" | wc -l)
	"$MINIRUN" exec box -- sleep 4711 & clients+=($!)
	"$MINIRUN" exec -i box -- cat <"$T/in" & clients+=($!)
	"$MINIRUN" logs -f box >/dev/null & clients+=($!)
	"$MINIRUN" wait pod/box --for=delete >/dev/null & clients+=($!)
	"$MINIRUN" attach -q box >/dev/null & clients+=($!)
	"$MINIRUN" attach -q -i box <"$T/in" >/dev/null & clients+=($!)
	eventually 5 eval '"$MINIRUN" exec box -- ps | grep -q "sleep 4711"'
	kill -KILL "${clients[@]}"
	on_terminal "$MINIRUN" exec -it box -- sh -c 'echo ready; sleep 4712' <<-'STEPS'
		wait ready
		signal KILL
	STEPS
	on_terminal "$MINIRUN" attach -it box <<-'STEPS'
		type echo $((40+2))\r
		wait 42
		signal KILL
	STEPS
	wait "${clients[@]}" || true
	eventually 5 eval '! "$MINIRUN" exec box -- ps | grep -qE "sleep 471|cat"'
	eventually 5 eval '[[ $(ls "/proc/'"$supervisor"'/fd" | wc -l) == '"$before"' ]]'
	assert_equal "$(terminals box)" 1
	assert_equal "$("$MINIRUN" get box -o json | jq -r .status.phase)" Running
	delete box
}

# foreground_pod NAME 'COMMAND' [CONTAINER-LINES [RESTART-POLICY]]: a pod whose container is typed into, in $T/NAME.yaml.
foreground_pod()
{
	simple_pod "$1" "$2" "    stdin: true${3:+$'\n'$3}" '  terminationGracePeriodSeconds: 0' |
		sed "s/Never/${4:-Never}/" >"$T/$1.yaml"
}

@test "minirun FILE: the terminal is the container's, with keys, size and signals; then it is ours again" {
	foreground_pod shell 'exec sh' '    tty: true'
	on_terminal "$MINIRUN" --color never "$T/shell.yaml" <<-'STEPS'
		wait started
		wait #
		type stty size; tty\r
		wait 24 80
		wait /dev/pts/0
		size 30 99
		type stty size\r
		wait 30 99
		type sh -c 'echo $((40+2)) go; exec sleep 100'\r
		wait 42 go
		type \x03
		wait #
		type echo "status $?"; printf 'no line'; exit 3\r
		wait status 130
	STEPS
	assert_status 3
	# What minirun says begins a line of its own, and what the container says has no name before it.
	assert_has $'\nno line\nmain '
	assert_has "exited 3 after"
	run ! grep -q "^main *|" <<<"$output"
	# Between two runs it is ours.
	foreground_pod again 'read -r code; exit $code' '    tty: true' OnFailure
	on_terminal "$MINIRUN" -q "$T/again.yaml" <<-'STEPS'
		type 1\r
		wait exited 1
		type 0\r
	STEPS
	assert_status 0
}

@test "minirun FILE: whoever is killed, the terminal is restored" {
	foreground_pod shell 'echo up; exec cat' '    tty: true'
	on_terminal "$MINIRUN" --color never "$T/shell.yaml" <<-'STEPS'
		wait up
		signal KILL
	STEPS
	assert_status 137
	eventually 5 eval '[[ -z $(pod_processes) ]]'
	on_terminal "$MINIRUN" --color never "$T/shell.yaml" <<-'STEPS'
		wait up
		signal TERM
		wait ending the pod
	STEPS
	assert_status 137
	# The relay between: the container goes on, its output is shown by lines, and Ctrl-C ends the pod.
	foreground_pod shell 'echo up; while sleep 0.1; do echo more; done' '    tty: true'
	on_terminal sh -c 'trap : INT; "$MINIRUN" --color never "$T/shell.yaml"; echo "exit $?"' <<-'STEPS' >"$T/shown" &
		wait up
		wait | more
		type \x03
		wait ending the pod
		wait exit 137
	STEPS
	local typist=$!
	eventually 5 eval 'pgrep -P "$(jq .supervisor.pid "$MINIRUN_ROOT/shell/status.json")" minirun >"$T/children"'
	eventually 5 eval '[[ $(for pid in $(<"$T/children"); do readlink "/proc/$pid/fd/0"; done) == */dev/pts/* ]]'
	for pid in $(<"$T/children"); do
		[[ $(readlink "/proc/$pid/fd/0") != /dev/pts/* ]] || kill -KILL "$pid"
	done
	wait $typist
}

@test "minirun FILE: standard input that is no terminal is passed on, with its end" {
	foreground_pod pipe 'md5sum; echo "at the end"'
	seq 1 300000 >"$T/numbers"
	run --separate-stderr bash -c "cat '$T/numbers' | '$MINIRUN' -q '$T/pipe.yaml'"
	assert_status 0
	assert_has "$(md5sum <"$T/numbers")"
	run --separate-stderr "$MINIRUN" -q "$T/pipe.yaml" <"$T/numbers"
	assert_has "$(md5sum <"$T/numbers")"
	assert_has "main     | at the end"
	run --separate-stderr "$MINIRUN" -q "$T/pipe.yaml" </dev/null
	assert_has "$(md5sum </dev/null)"
	# Into a terminal, too, and while recording.
	foreground_pod tty 'cat; echo "at the end"' '    tty: true'
	run --separate-stderr "$MINIRUN" -q "$T/tty.yaml" <<<"a line"
	assert_equal "$(strip_prefix main <<<"$output")" $'a line\na line\nat the end'
	run --separate-stderr "$MINIRUN" learn --write "$T/learned.json" "$T/pipe.yaml" <"$T/numbers"
	assert_has "$(md5sum <"$T/numbers")"
	# Where there are several, the first main one that wants it has it.
	foreground_pod two 'cat; echo "first at its end"'
	sed '/^  containers:/a\  - {name: none, image: busybox, command: [cat]}' "$T/two.yaml" >"$T/more.yaml"
	run --separate-stderr "$MINIRUN" -q "$T/more.yaml" <<<"for the second"
	assert_line "main    | for the second"
}

@test "minirun FILE &: a shell's background isn't typed into, and isn't stopped" {
	foreground_pod shell 'echo up; exec cat' '    tty: true'
	on_terminal bash --norc -i <<-'STEPS'
		type "$MINIRUN" "$T/shell.yaml" &\r
		wait nothing can be typed from a shell's background: `minirun attach -i shell` does
		wait | up
		type jobs\r
		wait Running
		type kill %1; wait %1; exit 5\r
	STEPS
	assert_status 5
}
