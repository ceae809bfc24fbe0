#!/usr/bin/env bats
# What minirun itself prints never holds what a terminal would act on, whoever put it there: a container, an image.

# shellcheck disable=SC2016 # what \$ stands for is the container's shell's to say
# shellcheck disable=SC2154 # variables of bats

load helpers
teardown() { delete_pods && minirun_teardown; }

# ESC, CR, BEL and DEL, CSI as one character of UTF-8 and as the mere byte, right-to-left override, a broken character.
HOSTILE='\033[31m\r\007\177\302\233x\233x\342\200\256\303'

# is_harmless FILE...: nothing of the kind is in it.
is_harmless()
{
	python3 - "$@" <<-'PY'
		import re, sys
		for name in sys.argv[1:]:
		    data = open(name, "rb").read()
		    assert data, name + " is empty"
		    text = data.decode("utf-8", errors="strict")
		    bad = re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
		    assert not bad, "%s: %r" % (name, text[max(bad.start() - 60, 0):bad.end() + 20])
	PY
}

# harmless NAME COMMAND...: runs it, and so is what it prints; in $T/NAME.
harmless()
{
	local name=$1
	shift
	"$@" >"$T/$name" 2>&1 </dev/null || true
	is_harmless "$T/$name"
}

# A container with a name for its program, for paths that it is refused, last words and what its probe prints, all hostile.
hostile_pod()
{
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat", "symlink", "symlinkat"], "action": "SCMP_ACT_ERRNO"}]}' >"$T/deny.json"
	simple_pod hostile 'exec 2>/dev/null; h=$(printf "'"$HOSTILE"'"); cp /bin/busybox "/tmp/$h"; ln -s x "/$h"; mkdir "/$h"; cd /tmp; "./$h" mkdir "/tmp/$h/$h"; printf "%s" "$h$h" >/dev/termination-log; '"$1" \
		'    securityContext: {seccompProfile: {type: Localhost, localhostProfile: deny.json}}
    lifecycle: {postStart: {exec: {command: [sh, -c, '"'printf \"$HOSTILE\"; printf \"$HOSTILE\" >&2; exit 1'"']}}}'
}

@test "what a container chooses: names of programs, paths, last words, what hooks print" {
	local view
	hostile_pod 'exit 3' | sed '/lifecycle/d' >pod.yaml
	"$MINIRUN" -q --color never pod.yaml >out 2>err || true
	is_harmless err
	grep -q 'denied mkdir("' err
	# Its own output is its own in the foreground; in JSON it is a string of ours.
	harmless json "$MINIRUN" -o json pod.yaml
	jq -es 'map(select(.type == "exited" and (.message | contains("leaving the message: \u001b[31m")))) | length == 1' json
	harmless learn "$MINIRUN" learn -q pod.yaml
	hostile_pod 'sleep 1000' >pod.yaml
	"$MINIRUN" -d pod.yaml
	eventually 20 eval '"$MINIRUN" describe pod hostile | grep -q FailedPostStartHook'
	for view in json yaml wide name; do
		harmless "get.$view" "$MINIRUN" get pods -o "$view"
	done
	harmless describe "$MINIRUN" describe pod hostile
	grep -q 'mkdir("/' describe
	jq -e . get.json
	"$MINIRUN" delete pod hostile
	hostile_pod 'exit 3' | sed '/lifecycle/d' >pod.yaml
	"$MINIRUN" -d pod.yaml
	"$MINIRUN" wait pod/hostile --for=jsonpath='{.status.phase}'=Failed
	for view in json yaml wide name; do
		harmless "get.$view" "$MINIRUN" get pods -o "$view"
	done
	harmless columns "$MINIRUN" get pods -o custom-columns=M:.status.containerStatuses[0].state.terminated.message,S:.status
	harmless jsonpath "$MINIRUN" get pods -o 'jsonpath={.items[0].status}'
	# What is asked for by its name is what it was, in a pipe; for a terminal it isn't.
	[[ $("$MINIRUN" get pod hostile -o 'jsonpath={.status.containerStatuses[0].state.terminated.message}') == $'\e[31m'* ]]
	script -qec '"$MINIRUN" get pod hostile -o jsonpath={.status.containerStatuses[0].state.terminated.message}; echo' /dev/null </dev/null |
		tr -d '\r' >terminal
	is_harmless terminal
	grep -qF '\x1b[31m\x0d' terminal
	harmless describe "$MINIRUN" describe pod hostile
	# Read back it is what it was, as far as it was UTF-8.
	assert_equal "$(jq -r '.items[0].status.containerStatuses[0].state.terminated.message' get.json)" \
		"$(printf '\033[31m\r\007\177\302\233x\357\277\275x\342\200\256\357\277\275\033[31m\r\007\177\302\233x\357\277\275x\342\200\256\357\277\275')"
}

@test "what a container chooses: names that cp meets, interpreters that aren't there, a command's own refusals" {
	simple_pod hostile 'h=$(printf "'"$HOSTILE"'"); mkdir -p "/srv/$h"; ln -s "/$h" "/srv/$h/$h"; : >"/srv/$h/closed$h"; mkfifo "/srv/f$h"
		printf "#!/%s\n" "$h" >/bin/script; chmod +x /bin/script; touch /tmp/ready; sleep 1000' >pod.yaml
	"$MINIRUN" -d pod.yaml
	eventually 20 "$MINIRUN" exec hostile -- test -e /tmp/ready
	harmless cp "$MINIRUN" cp hostile:/srv copy
	grep -q 'skipping' cp
	harmless script "$MINIRUN" exec hostile -- /bin/script
	harmless command "$MINIRUN" exec hostile -- "$(printf '%b' "$HOSTILE")"
	harmless back "$MINIRUN" cp copy "hostile:/$(printf '%b' "$HOSTILE")/x"
}

@test "what an image chooses: its command, its user, labels, environment and names of files" {
	local h field
	h=$(printf '\033[31m\r\007\177\302\233x\342\200\256')
	for field in Cmd User WorkingDir Env StopSignal Volumes Labels; do
		jq -n --arg h "$h" --arg field "$field" '{architecture: "amd64", os: "linux", author: $h, created: $h,
			config: ({Cmd: ["true"]} + {($field): ({Cmd: [$h, $h], User: $h, WorkingDir: ("/" + $h), Env: ["A=" + $h, $h + "=B"], StopSignal: $h,
				Volumes: {("/" + $h): {}}, Labels: {($h): $h}}[$field])})}' >config.json
		simple_pod image true | sed '/command:/d; s/image: busybox/image: hostile/' >pod.yaml
		harmless "$field.load" "$MINIRUN" image load --config config.json "$WORK/busybox.tar" hostile
		harmless "$field.inspect" "$MINIRUN" image inspect hostile
		harmless "$field.json" "$MINIRUN" image inspect -o json hostile
		harmless "$field.explain" "$MINIRUN" explain pod.yaml
		harmless "$field.explain.json" "$MINIRUN" explain -o json pod.yaml
		harmless "$field.run" "$MINIRUN" pod.yaml
		harmless "$field.run.json" "$MINIRUN" -o json pod.yaml
		"$MINIRUN" image rm hostile >/dev/null 2>&1 || true
	done
	mkdir rootfs
	mkfifo "rootfs/$(printf '%b' "$HOSTILE")"
	ln -s ../../.. "rootfs/l$(printf '%b' "$HOSTILE")"
	tar -C rootfs -cf rootfs.tar . --transform='s|^\./|../|'
	harmless tar "$MINIRUN" image load rootfs.tar hostile
	harmless tar.json "$MINIRUN" image load -o json rootfs.tar hostile
}
