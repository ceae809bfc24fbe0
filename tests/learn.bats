#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2119,SC2120 # $stderr is for the assertions; arguments that some tests give
# `minirun learn` writes a profile under which the same pod runs without a denial.

load helpers
setup_file() {
	minirun_setup_file
	helper_programs refused try-syscall bare
}

# pod COMMAND-JSON [CONTAINER-LINES]: into pod.yaml, with the helpers in /helpers; and the same under p.json into enforced.yaml.
pod() {
	cat >pod.yaml <<-YAML
		apiVersion: v1
		kind: Pod
		metadata: {name: learned}
		spec:
		  restartPolicy: Never
		  terminationGracePeriodSeconds: 0
		  volumes:
		  - name: helpers
		    hostPath: {path: $WORK/helpers, type: Directory}
		  containers:
		  - name: main
		    image: busybox
		    command: $1
		    volumeMounts:
		    - {name: helpers, mountPath: /helpers, readOnly: true}
		${2:-}
	YAML
	under p.json
}

# under PROFILE: enforced.yaml is pod.yaml with that profile for all its containers.
under() {
	sed "s|^spec:|spec:\n  securityContext: {seccompProfile: {type: Localhost, localhostProfile: $1}}|" pod.yaml >enforced.yaml
}

# debian_pod NAME:COMMAND-JSON...: pod.yaml, and enforced.yaml, of the image of the demo: Debian with nginx, curl, perl.
debian_pod() {
	local container
	archive=$("$REPO/demo/images/build" nginx)
	"$MINIRUN" image load -q --config "$REPO/demo/images/nginx.config.json" "$archive" debian >/dev/null
	{
		printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: learned}\nspec:\n  restartPolicy: Never\n  containers:\n'
		for container; do
			printf '  - {name: %s, image: debian, command: %s}\n' "${container%%:*}" "${container#*:}"
		done
	} >pod.yaml
	under p.json
}

# learn [OPTION...]: of pod.yaml into p.json.
learn() {
	status=0
	"$MINIRUN" learn --write p.json "$@" pod.yaml >out 2>err </dev/null || status=$?
	output=$(<out) stderr=$(<err)
}

# The same pod under what was learned: no denial.
enforce() {
	status=0
	"$MINIRUN" "$@" enforced.yaml >out 2>err </dev/null || status=$?
	output=$(<out) stderr=$(<err)
	assert_lacks denied
}

# is_state PID LETTER: as ps(1) has it.
is_state() {
	[[ $(ps -o state= -p "$1") == "$2" ]]
}

seen() {
	jq -c '[.syscalls[] | select(.comment == "seen").names[]]' "${1:-p.json}"
}

@test "what a shell and mkdir call is learned, and they run under it without a denial" {
	pod "$(shell 'mkdir -p /tmp/a/b && echo made')"
	learn
	assert_status 0
	assert_equal "$output" 'main        | made'
	assert_stderr_has 'learning: seccomp lets all calls through; it is no boundary here'
	assert_stderr_has 'system calls, written to p.json'
	assert_equal "$(jq -r .defaultAction p.json)" SCMP_ACT_ERRNO
	assert_equal "$(jq -c .architectures p.json)" '["SCMP_ARCH_X86_64"]'
	[[ $(jq -r .comment p.json) == 'Made by `minirun learn` '*': what container main of pod learned called in one run on Linux '* ]]
	# Sorted, each once, and not more than there was.
	assert_equal "$(seen)" "$(seen | jq -c unique)"
	jq -e '[.syscalls[].names[]] | index("mkdir") and index("execve") and index("exit_group") and (index("unlink") | not)' p.json
	enforce
	assert_status 0
	assert_has made
}

@test "the same pod gives the same bytes, to a file, to standard output, and with itself as the base" {
	pod "$(shell 'mkdir /x; ls / >/dev/null; echo hello')"
	learn
	assert_status 0
	cp p.json first.json
	learn
	cmp p.json first.json
	run --separate-stderr "$MINIRUN" learn pod.yaml
	assert_status 0
	assert_equal "$output" "$(<first.json)"
	assert_stderr_has '| hello'
	learn --base p.json
	assert_stderr_has '0 of them not allowed by p.json'
	cmp p.json first.json
}

@test "nginx that serves requests, and curl that makes them" {
	local pid result mode
	debian_pod 'web:[nginx-foreground]' \
		'client:[curl, -sS, --retry, "20", --retry-connrefused, --retry-delay, "1", -o, /dev/null, -w, "%{http_code}\n", localhost]'
	for mode in learn enforce; do
		if [[ $mode == learn ]]; then
			"$MINIRUN" learn --write p.json pod.yaml >out 2>err &
		else
			"$MINIRUN" enforced.yaml >out 2>err &
		fi
		pid=$!
		eventually 30 grep -qE '^client +\| 200' out || { cat err; false; }
		eventually 10 grep -qE '^client +exited 0' err
		kill -TERM $pid
		result=0
		wait $pid || result=$?
		cat out err
		assert_equal $result 0
		run ! grep denied err
	done
	jq -e '[.syscalls[].names[]] | index("accept4") and index("connect") and index("epoll_wait")' p.json
}

@test "a program of four threads, and one that forks" {
	local mode
	for mode in threads fork; do
		pod "[/helpers/refused, $mode]"
		learn
		cp p.json learned.json
		# Nothing is refused here: the helper says so by its status, the same both times.
		local before=$status
		jq -e '[.syscalls[].names[]] | index("mkdirat")' p.json
		enforce
		assert_equal $status $before
	done
	jq -e '[.syscalls[].names[]] | index("clone") or index("clone3") or index("fork")' p.json
	pod "[/helpers/refused, threads]"
	learn
	jq -e '[.syscalls[].names[]] | index("clone3") or index("clone")' p.json
	# Whether they get into each other's way is another matter each time.
	jq -e '.syscalls[] | select(.comment | startswith("needed")).names | index("futex") and index("exit")' p.json
}

@test "perl, with children, signals, sockets and files" {
	# shellcheck disable=SC2016 # perl's; $$ is a dollar sign in a manifest
	debian_pod "main:$(jq -nc --arg c 'use Socket; $| = 1; $SIG{USR1} = sub { print "signal\n" }; kill USR1 => $$$$;
		socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0) or die; my $p = fork; if (!$p) { syswrite $b, "child\n"; exit 0 }
		sysread $a, my $line, 9; print $line; waitpid $p, 0; open my $f, ">", "/tmp/f" or die; print $f "x"; close $f;
		print -s "/tmp/f", "\n"; print `echo shell`' '["perl", "-e", $c]')"
	learn
	assert_status 0
	assert_equal "$(strip_prefix main <out)" $'signal\nchild\n1\nshell'
	enforce
	assert_status 0
	assert_equal "$(strip_prefix main <out)" $'signal\nchild\n1\nshell'
}

@test "dash and coreutils of Debian, with what the loader calls" {
	debian_pod 'main:[sh, -c, "mkdir -p /srv/a && ls -l /srv && rm -r /srv/a && sleep 0.1"]'
	learn
	assert_status 0
	enforce
	assert_status 0
	run --separate-stderr "$MINIRUN" lint p.json
	assert_lacks loader-calls-missing
}

@test "what the kernel calls for a program is allowed unseen: after a stop, after a signal" {
	local pid inner
	pod "$(shell 'trap "echo got it" USR1; echo up; sleep 987; echo end')"
	"$MINIRUN" learn --write p.json pod.yaml >out 2>err &
	pid=$!
	eventually 10 grep -q up out
	eventually 10 pgrep -n -f '^sleep 987$'
	kill -TERM $pid
	wait $pid
	assert_equal "$(jq -c '.syscalls[] | select(.comment | startswith("needed")).names' p.json)" \
		'["execve","exit_group","restart_syscall","rt_sigreturn"]'
	"$MINIRUN" enforced.yaml >out 2>err &
	pid=$!
	eventually 10 grep -q up out
	eventually 10 pgrep -n -f '^sleep 987$'
	inner=$(pgrep -n -f '^sleep 987$')
	eventually 10 is_state "$inner" S
	kill -STOP "$inner"
	eventually 10 is_state "$inner" T
	kill -CONT "$inner"
	eventually 10 is_state "$inner" S
	# Had the kernel not been allowed to go on with it, it would have ended.
	kill -USR1 "$(ps -o ppid= -p "$inner")"
	kill -TERM "$inner"
	wait $pid || true
	cat out err
	grep -q 'got it' out
	grep -q end out
	run ! grep denied err
}

@test "32-bit calls: their architecture is listed, and only then" {
	pod '[/helpers/refused, x86]'
	learn
	assert_equal "$(jq -c .architectures p.json)" '["SCMP_ARCH_X86_64","SCMP_ARCH_X86"]'
	enforce
	assert_equal "$(strip_prefix main <out)" 'x86 0'
}

@test "--deny refuses while recording, so that what comes after is learned too" {
	pod "$(shell 'mkdir /x 2>/dev/null || echo refused; ls / >/dev/null')"
	learn --deny mkdir --deny 'mkdirat, rmdir,mkdir'
	assert_status 0
	assert_has '| refused'
	assert_stderr_has 'denied mkdir("/x", 0777) = EPERM · seccomp, --deny (mkdir, pid 2)'
	assert_equal "$(jq -c '.syscalls[] | select(.action == "SCMP_ACT_ERRNO") | [.names, .comment]' p.json)" \
		'[["mkdir","mkdirat","rmdir"],"left out on purpose"]'
	jq -e '[.syscalls[] | select(.action == "SCMP_ACT_ALLOW").names[]] | index("mkdir") | not' p.json
	run "$MINIRUN" enforced.yaml
	assert_status 0
	assert_equal "$(grep -c 'denied' <<<"$output")" 1
	assert_has 'denied mkdir("/x", 0777) = EPERM'
	# Newer than all that is allowed, it would be ENOSYS if nothing named it.
	pod '[/helpers/try-syscall, mseal, "0", "0", "0"]'
	learn --deny mseal
	assert_has EPERM
	run "$MINIRUN" enforced.yaml
	assert_has 'denied mseal'
	assert_has '= EPERM'
}

@test "--base keeps what is there, refuses what it refuses, and gets what it lacks" {
	cat >base.json <<-JSON
		{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 13, "comment": "ours.",
		 "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}],
		 "syscalls": [
		  {"names": ["execve", "exit_group", "brk", "write", "chroot"], "action": "SCMP_ACT_ALLOW"},
		  {"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]},
		  {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
		  {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 30, "comment": "no folders"}]}
	JSON
	cp base.json before.json
	pod "$(shell '/helpers/try-syscall personality 8; mkdir /x 2>/dev/null || echo refused; true')"
	learn --base base.json
	assert_status 0
	assert_has '| refused'
	assert_stderr_has 'denied mkdir("/x", 0777) = EROFS · seccomp, a rule of base.json'
	cmp base.json before.json
	# All of it is there still, in its order, before what is ours.
	jq -e --slurpfile b base.json '.syscalls[:4] == $b[0].syscalls and .archMap == $b[0].archMap and .defaultErrnoRet == 13' p.json
	[[ $(jq -r .comment p.json) == 'ours. Made by `minirun learn` '*', beyond what base.json allows.' ]]
	jq -e '[.syscalls[] | select(.comment == "seen").names[]] | index("clone") and (index("write") or index("personality") or index("mkdir") | not)' p.json
	run "$MINIRUN" enforced.yaml
	assert_status 0
	assert_equal "$(grep -c denied <<<"$output")" 1
	# With other arguments than it allows, the call is one that it lacks.
	pod "$(shell '/helpers/try-syscall personality 0x20000; true')"
	learn --base base.json
	jq -e '[.syscalls[] | select(.comment == "seen").names[]] | index("personality")' p.json
	enforce
	# A base that allows nothing yet.
	echo '{"defaultAction": "SCMP_ACT_KILL"}' >empty.json
	learn --base empty.json
	assert_status 0
	jq -e '.defaultAction == "SCMP_ACT_KILL" and ([.syscalls[].names[]] | index("execve") and index("personality"))' p.json
	enforce
	# What is to be left out goes out of the base's own entries too.
	learn --base base.json --deny chroot
	jq -e '[.syscalls[] | select(.action == "SCMP_ACT_ALLOW").names[]] | index("chroot") | not' p.json
}

@test "--base with the file of --write adds one run to another" {
	pod "$(shell 'ls / >/dev/null')"
	learn
	pod "$(shell 'rmdir /srv 2>/dev/null; mkdir /x; true')"
	learn --base p.json
	pod "$(shell 'ls / >/dev/null; rmdir /srv 2>/dev/null; mkdir /x')"
	enforce
	assert_status 0
	# One entry of each kind still, sorted.
	assert_equal "$(jq '[.syscalls[] | select(.comment == "seen")] | length' p.json)" 1
	assert_equal "$(seen)" "$(seen | jq -c 'sort | unique')"
}

@test "one profile for each container, and what never ran is said" {
	cat >pod.yaml <<-YAML
		apiVersion: v1
		kind: Pod
		metadata: {name: learned}
		spec:
		  restartPolicy: Never
		  initContainers:
		  - {name: first, image: busybox, command: [mkdir, /x]}
		  - {name: second, image: busybox, command: [sh, -c, "exit 7"]}
		  containers:
		  - {name: main, image: busybox, command: [echo, hello]}
	YAML
	status=0
	"$MINIRUN" learn --write-dir profiles pod.yaml >out 2>err || status=$?
	output=$(<out) stderr=$(<err)
	assert_status 7
	assert_equal "$(ls profiles)" $'first.json\nsecond.json'
	assert_stderr_has 'main        never ran: what it calls is not in the profile'
	assert_stderr_has 'the pod failed: what it would have called after that is not in the profile'
	jq -e '[.syscalls[].names[]] | index("mkdir")' profiles/first.json
	jq -e '[.syscalls[].names[]] | index("mkdir") | not' profiles/second.json
	# Merged: init containers and main ones in one.
	sed -i 's/exit 7/exit 0/' pod.yaml
	under p.json
	learn
	assert_status 0
	jq -e '[.syscalls[].names[]] | index("mkdir")' p.json
	[[ $(jq -r .comment p.json) == *'what containers first, second and main of pod learned called'* ]]
	enforce
	assert_status 0
}

@test "a pod that doesn't end is ended by --for, by SIGTERM, by SIGINT: that is no failure" {
	local signal pid result
	pod '[sleep, "1000"]' '    lifecycle: {}'
	learn --for 300ms
	assert_status 0
	assert_stderr_has 'the time of --for is over: ending the pod'
	assert_last_error_has 'written to p.json'
	for signal in TERM INT; do
		rm -f p.json err # of the run before: it says "started", too
		"$MINIRUN" learn --write p.json pod.yaml >out 2>err &
		pid=$!
		eventually 10 grep -q started err
		kill -$signal $pid
		result=0
		wait $pid || result=$?
		assert_equal $result 0
		jq -e '[.syscalls[].names[]] | index("execve")' p.json
	done
}

@test "what exec starts is learned, too" {
	local pid
	pod '[sh, -c, "echo up; sleep 1000"]'
	"$MINIRUN" learn --write p.json pod.yaml >out 2>err &
	pid=$!
	eventually 10 grep -q up out
	"$MINIRUN" exec learned -- rmdir /srv || true
	kill -TERM $pid
	wait $pid
	jq -e '[.syscalls[].names[]] | index("rmdir")' p.json
}

@test "a profile that the manifest names needn't be there, and isn't applied" {
	pod "$(shell 'mkdir /x && echo made')" '    securityContext: {seccompProfile: {type: Localhost, localhostProfile: p.json}}'
	learn
	assert_status 0
	assert_has made
	assert_stderr_has 'seccomp recorded, and p.json not applied'
	run "$MINIRUN" pod.yaml
	assert_status 0
	assert_has made
	assert_lacks denied
}

@test "what can't be is said before anything runs, and nothing is left behind" {
	pod "$(shell 'echo ran')"
	wrong() {
		local message=$1
		shift
		run --separate-stderr "$MINIRUN" learn "$@"
		assert_status 125
		assert_lacks ran
		assert_last_error_has "$message"
	}
	wrong '--deny mkdri: no system call of that name is known' --deny mkdri pod.yaml
	assert_stderr_has 'did you mean mkdir?'
	wrong '--deny execve: no program could be started' --deny execve pod.yaml
	wrong '--for 10x: not a time' --for 10x pod.yaml
	wrong '--for : not a time' --for '' pod.yaml
	wrong 'use either' --write a.json --write-dir d pod.yaml
	wrong 'cannot write into pod.yaml: Not a directory' --write-dir pod.yaml pod.yaml
	wrong 'cannot write into pod.yaml/d: Not a directory' --write-dir pod.yaml/d pod.yaml
	wrong 'cannot write into nowhere/d: No such file or directory' --write-dir nowhere/d pod.yaml
	wrong '--write-dir: the name of a folder is empty' --write-dir '' pod.yaml
	wrong 'cannot write nowhere/p.json: No such file or directory' --write nowhere/p.json pod.yaml
	wrong 'Is a directory' --write "$T" pod.yaml
	ln -s target link.json
	wrong 'it is no regular file' --write link.json pod.yaml
	wrong 'no regular file' --write /dev/null pod.yaml
	wrong 'cannot open none.json: No such file or directory' --base none.json pod.yaml
	echo '{"defaultAction": "SCMP_ACT_ERRNO", "sycalls": []}' >wrong.json
	wrong '--base wrong.json: the profile has 1 error' --base wrong.json pod.yaml
	assert_stderr_has 'wrong.json:1:37: error: sycalls: unknown field (did you mean "syscalls"?)'
	wrong 'learn takes one file, not 2' --deny mkdir mkdirat pod.yaml
	wrong 'learn wants the file of a pod'
	assert_equal "$(ls)" $'enforced.yaml\nlink.json\npod.yaml\nwrong.json'
	# Nor where no program ran.
	sed -i 's/command: .*/command: [nowhere]/' pod.yaml
	learn
	assert_status 127
	assert_stderr_has 'no program ran under a filter: nothing was learned, nothing is written'
	[[ ! -e p.json ]]
}

@test "learn -o json, and a privileged container" {
	pod "$(shell 'mkdir /x')"
	run --separate-stderr "$MINIRUN" learn -o json --write p.json pod.yaml
	assert_status 0
	assert_equal "$(jq -r 'select(.type == "learned") | "\(.file) \(.calls > 10)"' <<<"$output")" "p.json true"
	pod "$(shell 'true')" '    securityContext: {privileged: true}'
	rm p.json
	learn
	assert_status 125
	assert_stderr_has 'a privileged container gets no seccomp filter, as in Kubernetes: it is not recorded'
	[[ ! -e p.json ]]
}

@test "where nothing can be recorded the pod does not go on, and nothing is written" {
	pod "$(shell 'sleep 1; echo ran')"
	run --separate-stderr "$WORK/helpers/refused" under-listener "$MINIRUN" learn --write p.json pod.yaml
	assert_status 125
	assert_stderr_has "system calls can't be recorded here: minirun itself runs under a seccomp filter with a listener"
	assert_lacks '| ran'
	[[ ! -e p.json ]]
	run --separate-stderr "$WORK/helpers/refused" under-filter "$MINIRUN" learn --write p.json pod.yaml
	assert_status 125
	assert_last_error_has "system calls can't be recorded here: pidfd_getfd is not possible here"
}

@test "an ordinary user learns, with a range of ids, with one, and in unshare -r" {
	local user
	pod "$(shell 'mkdir -p /tmp/a && echo made')"
	sed -i '/volumes:$/,/hostPath/d; /volumeMounts/,/helpers/d' pod.yaml
	under p.json
	chmod 0777 "$T"
	for user in $(users); do
		load_busybox $user >/dev/null
		run --separate-stderr $user "$MINIRUN" learn --write "$T/p.json" "$T/pod.yaml"
		assert_status 0
		assert_has made
		run --separate-stderr $user "$MINIRUN" "$T/enforced.yaml"
		assert_status 0
		assert_has made
		assert_lacks denied
		rm -f "$T/p.json"
	done
}
