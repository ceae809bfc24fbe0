#!/usr/bin/env bats
# What an image says of how it is run: Entrypoint and Cmd, Env, WorkingDir, User, Volumes, StopSignal.

load helpers
setup_file()
{
	minirun_setup_file
	mkdir -p "$WORK/tree"
	tar -C "$WORK/tree" -xf "$WORK/busybox.tar"
	cd "$WORK/tree" || return
	mkdir -p etc data home/app
	cat >etc/passwd <<-END
		root:x:0:0::/root:/bin/sh
		4294967296:x:0:0::/evil:/bin/sh
		app:x:101:102::/home/app:/bin/sh
	END
	cat >etc/group <<-END
		root:x:0:
		app:x:102:
		extra:x:200:other,app
		tape:x:300:app
	END
	echo content >data/file
	chmod 0770 data
	printf '#!/bin/sh\necho entry "$@"\n' >bin/entry
	chmod 0755 bin/entry
	tar --owner=0 --group=0 --format=gnu -cf "$WORK/tree.tar" .
	chmod 0644 "$WORK/tree.tar"
}

# image '{"User": "app"}' [TAR]: loads it as image:N, where N is new each time, and sets $IMAGE.
image()
{
	N=$((${N:-0} + 1))
	IMAGE=image$N-$BATS_TEST_NUMBER
	echo "{\"config\": $1}" >config.json
	chmod 0644 config.json
	"$MINIRUN" image load "${2:-$WORK/tree.tar}" "$IMAGE" --config config.json -q
}

# pod [CONTAINER-LINES [SPEC-LINES]] <config: runs $IMAGE; $output is what it printed.
pod()
{
	run_pod <<-YAML
		apiVersion: v1
		kind: Pod
		metadata: {name: t$BATS_TEST_NUMBER}
		spec:
		  restartPolicy: Never
		  ${2:-}
		  containers:
		  - name: main
		    image: $IMAGE
		    ${1:-}
	YAML
	output=$(strip_prefix main <<<"$output")
}

# $(id) with the image's User and the container lines given.
id_of()
{
	image "{\"User\": \"$1\"}"
	pod "$(printf 'command: [sh, -c, "id -u; id -g; id -G; echo $HOME"]\n    %s' "${2:-}")"
	output=${output//$'\n'/|}
}

@test "command and args combine with Entrypoint and Cmd as in Kubernetes' table" {
	image '{"Entrypoint": ["/bin/entry", "ep"], "Cmd": ["cmd"]}'
	pod
	assert_equal "$output" "entry ep cmd"
	pod 'args: [args]'
	assert_equal "$output" "entry ep args"
	pod 'command: [/bin/echo, command]'
	assert_equal "$output" "command"
	pod 'command: [/bin/echo, command]
    args: [args]'
	assert_equal "$output" "command args"
	image '{"Cmd": ["/bin/entry", "cmd"]}'
	pod
	assert_equal "$output" "entry cmd"
	pod 'args: [/bin/echo, args]'
	assert_equal "$output" "args"
	image '{}'
	pod
	assert_status 125
	assert_stderr_has "Required value: the image says nothing of what it runs"
}

@test "Env is the program's, the manifest's variables win, and WorkingDir is made if it is missing" {
	image '{"Env": ["A=image", "B=image", "PATH=/bin:/x", "A=again"], "WorkingDir": "/made/for it", "Cmd": ["sh", "-c", "echo $A $B $PATH; pwd"]}'
	pod 'env: [{name: B, value: "manifest"}]'
	assert_equal "$output" "again manifest /bin:/x"$'\n'"/made/for it"
	pod 'securityContext: {readOnlyRootFilesystem: true}'
	assert_equal "$output" "again image /bin:/x"$'\n'"/made/for it"
	pod 'workingDir: /data'
	assert_has "/data"
}

@test "User is a name, a uid, uid:gid or name:group, with the groups that the image gives the name" {
	id_of ""
	assert_equal "$output" "0|0|0|/root"
	id_of app
	assert_equal "$output" "101|102|102 200 300|/home/app"
	id_of 101
	assert_equal "$output" "101|102|102 200 300|/home/app"
	id_of 101:50
	assert_equal "$output" "101|50|50 200 300|/home/app"
	id_of app:extra
	assert_equal "$output" "101|200|200 300|/home/app"
	id_of 7:tape
	assert_equal "$output" "7|300|300|/"
	id_of :5
	assert_equal "$output" "0|5|5|/root"
	id_of app:
	assert_equal "$output" "101|102|102 200 300|/home/app"
	id_of "$(largest_id)"
	assert_equal "$output" "$(largest_id)|0|0|/"
}

@test "runAsUser and runAsGroup win over the image's User" {
	id_of app:extra 'securityContext: {runAsUser: 5}'
	assert_equal "$output" "5|0|0|/"
	id_of app:extra 'securityContext: {runAsGroup: 9}'
	assert_equal "$output" "101|9|9 200 300|/home/app"
	id_of nobody-here 'securityContext: {runAsUser: 5, runAsGroup: 6}'
	assert_equal "$output" "5|6|6|/"
	id_of 4294967296 'securityContext: {runAsUser: 5}'
	assert_equal "$output" "5|0|0|/"
}

@test "a user that is no user is refused, however the image translates it" {
	local user
	for user in 4294967296 2147483648 4294967295 99999999999999999999; do
		id_of $user
		assert_status 125
		assert_stderr_has "spec.containers[0].image: the image's user \"$user\" has an id above 2147483647"
	done
	id_of 1:4294967296
	assert_stderr_has "has an id above"
	id_of 1:2:3
	assert_stderr_has "more than one colon"
	for user in 1a +1 -1 " 1" nobody-here; do
		id_of "$user"
		assert_status 125
		assert_stderr_has "unable to find user $user: no matching entries in passwd file"
	done
	id_of root:nogroup
	assert_status 125
	assert_stderr_has "unable to find group nogroup: no matching entries in group file"
	id_of 'a\u001b[31m'
	assert_stderr_has "has a control character in it"
}

@test "runAsNonRoot is held against the image's User, in the kubelet's words" {
	local context='securityContext: {runAsNonRoot: true}'
	id_of "" "$context"
	assert_status 125
	assert_stderr_has 'container has runAsNonRoot and image will run as root (pod: "t'
	id_of 0:5 "$context"
	assert_stderr_has "container has runAsNonRoot and image will run as root"
	id_of app "$context"
	assert_stderr_has "container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root"
	id_of 4294967296 "$context"
	assert_status 125
	id_of 101 'securityContext: {runAsNonRoot: true, runAsUser: 0}'
	assert_stderr_has "container's runAsUser breaks non-root policy"
}

@test "runAsNonRoot lets an image's User be that isn't root" {
	id_of 101 'securityContext: {runAsNonRoot: true}'
	assert_equal "$output" "101|102|102 200 300|/home/app"
}

@test "the image's passwd isn't trusted: a FIFO, a link out, a huge file are nobody's" {
	local kind
	for kind in fifo link huge; do
		rm -rf evil && mkdir evil && tar -C evil -xf "$WORK/busybox.tar"
		rm -f evil/etc/passwd
		case $kind in
		fifo) mkfifo evil/etc/passwd ;;
		link) ln -s /proc/kmsg evil/etc/passwd ;;
		huge) truncate -s 1G evil/etc/passwd ;;
		esac
		image '{"User": "root", "Cmd": ["id"]}' evil
		pod
		assert_status 125
		assert_stderr_has "unable to find user root: no matching entries in passwd file"
		"$MINIRUN" image rm "$IMAGE" -q
	done
}

@test "exec runs as the image's user, too" {
	image '{"User": "app:extra", "Cmd": ["sh", "-c", "echo up; sleep 60"]}'
	printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: lives}\nspec:\n  terminationGracePeriodSeconds: 0\n  containers: [{name: main, image: %s}]\n' "$IMAGE" >pod.yaml
	"$MINIRUN" --once pod.yaml >out 2>err </dev/null &
	local pid=$!
	eventually 20 grep -q up out
	run "$MINIRUN" exec lives -- id -G
	kill -TERM $pid
	wait $pid || true
	assert_equal "$output" "200 300"
}

@test "an ordinary user with one id can't be the image's user, and is told so before anything runs" {
	load_busybox as_user
	echo '{"config": {"User": "101", "Cmd": ["id"]}}' >config.json
	as_user "$MINIRUN" image load "$WORK/tree.tar" numeric -q --config "$T/config.json" 2>/dev/null
	echo '{"config": {"User": "app", "Cmd": ["id"]}}' >config.json
	as_user "$MINIRUN" image load "$WORK/tree.tar" named -q --config "$T/config.json" 2>/dev/null
	simple_pod one true | sed 's/image: busybox/image: numeric/' >pod.yaml
	run --separate-stderr as_user "$MINIRUN" "$T/pod.yaml"
	assert_status 125
	assert_stderr_has "spec.containers[0].image: Invalid value: 101: it is not among the ids there are here (0)"
	simple_pod one true | sed 's/image: busybox/image: named/' >pod.yaml
	run --separate-stderr as_user "$MINIRUN" "$T/pod.yaml"
	assert_status 125
	assert_has "the image's user app is 101, which is not among the ids there are here"
}

@test "a volume of the image is a writable folder of the container's own, with the image's content" {
	image '{"Volumes": {"/data": {}, "/not/there": {}, "/given/": {}},
		"Cmd": ["sh", "-c", "cat /data/file; echo x >/data/new && echo y >/not/there/new && ls /data /not/there /given; awk \"{print \\$2}\" /proc/mounts | grep -x -e /data -e /not/there -e /given; touch /data/../outside"]}'
	pod 'securityContext: {readOnlyRootFilesystem: true}
    volumeMounts: [{name: v, mountPath: /given}]' 'volumes: [{name: v, emptyDir: {}}]'
	assert_equal "$(head -n 1 <<<"$output")" content
	assert_has $'/data:\nfile\nnew\n'
	assert_has $'/not/there:\nnew\n'
	assert_line /data
	assert_line /not/there
	assert_equal "$(grep -cx /given <<<"$output")" 1
	assert_has "Read-only file system"
	# The next container has a folder of its own.
	pod
	assert_has $'/data:\nfile\nnew\n'
	"$MINIRUN" explain "$POD" | grep -q "/not/there  a volume of the image"
}

@test "a volume of the image on /proc, on the root or on no path is refused; one that climbs stays in the root" {
	local path
	for path in /proc /sys/x / "" ../.. /../../ data; do
		image "{\"Volumes\": {\"$path\": {}}, \"Cmd\": [\"true\"]}"
		pod
		assert_status 125
		assert_stderr_has "spec.containers[0].image: the image's volume: cannot mount on $path: "
	done
	image '{"Volumes": {"/a/../../etc": {}, "/tmp/../../../tmp/canary-of-minirun": {}}, "Cmd": ["sh", "-c", "touch /etc/x; ls /etc"]}'
	pod
	assert_status 0
	assert_has minirun-mark
	[[ ! -e /tmp/canary-of-minirun ]]
	rm -rf evil && mkdir evil && tar -C evil -xf "$WORK/busybox.tar"
	ln -s /proc evil/link
	ln -s / evil/top
	for path in /link /link/self /top; do
		image "{\"Volumes\": {\"$path\": {}}, \"Cmd\": [\"true\"]}" evil
		pod
		assert_status 125
		assert_last_error_has "a link in the image leads it to the root, /proc or /sys"
	done
}

@test "the image's StopSignal ends it, by name, by number or as a real-time one" {
	local signal pid result
	for signal in SIGQUIT 10 SIGRTMIN+3; do
		image "{\"StopSignal\": \"$signal\", \"Cmd\": [\"sh\", \"-c\", \"for s in QUIT USR1 RTMIN+3 TERM 37; do trap \\\"echo got \$s; exit 0\\\" \$s 2>/dev/null; done; echo up; while :; do sleep 0.1; done\"]}"
		printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: ends}\nspec: {containers: [{name: main, image: %s}]}\n' "$IMAGE" >pod.yaml
		rm -f out # of the turn before
		"$MINIRUN" --once pod.yaml >out 2>err </dev/null &
		pid=$!
		eventually 20 grep -qs up out
		kill -TERM $pid
		result=0
		wait $pid || result=$?
		cat out err
		assert_equal $result 0
		grep -q "ending the pod: each container's stop signal now" err
		case $signal in
		SIGQUIT) grep -q 'got QUIT' out ;;
		10) grep -q 'got USR1' out ;;
		*) grep -qE 'got (37|RTMIN\+3)' out ;;
		esac
	done
	image '{"StopSignal": "SIGNAL", "Cmd": ["true"]}'
	pod
	assert_status 0
	assert_stderr_has "the image's StopSignal \"SIGNAL\" is no signal: SIGTERM ends it"
}
