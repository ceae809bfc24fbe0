#!/usr/bin/env bats
# Where there is little to be had: without root, without a range of ids, in a container, without overlays.

# shellcheck disable=SC2016 # what \$ stands for is the container's shell's to say
# shellcheck disable=SC2154 # variables of bats

load helpers

# A day's work, as somebody: story_as HOW...
story_as()
{
	cat >"$T/story" <<-'END'
		set -eu
		trap 'echo "not so, at line $LINENO" >&2; cat out err >&2' ERR
		cd "$1"
		m() { "$MINIRUN" "$@" >out 2>err; }
		m image load "$WORK/busybox.tar" busybox
		m run.yaml
		grep -q 'main *| hello' out
		! m deny.yaml
		grep -q 'denied mkdir("/named"' err
		m learn --write learned.json run.yaml
		jq -e '[.syscalls[].names[]] | any(startswith("mkdir"))' learned.json >out
		m -d bg.yaml
		m wait pod/day --for=condition=Ready --timeout=20s
		m get pods
		grep -q 'day *1/1 *Running' out
		m describe pod day
		m logs day
		grep -q '^up$' out
		m exec day -- sh -c 'echo in >/dev/stdout'
		grep -q '^in$' out
		m delete pod day
		m check
		m image rm busybox
		! find "${MINIRUN_STORE:-$HOME/.local/share/minirun}"/{pods,layers,images,tmp} -mindepth 1 | grep .
	END
	# What it leaves is its user's to remove, or minirun's.
	simple_pod day 'echo hello; mkdir -m 000 /data/closed; mkdir -p /closed/in; touch /closed/in/file; chown 33:33 /closed /data/closed 2>/dev/null; chmod 000 /closed; touch /data/file' \
		'    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, emptyDir: {}}]' >"$T/run.yaml"
	simple_pod day 'mkdir /named' '    securityContext: {seccompProfile: {type: Localhost, localhostProfile: deny.json}}' >"$T/deny.yaml"
	simple_pod day 'echo up; mkdir -m 0 /closed; sleep 1000' '' '  terminationGracePeriodSeconds: 0' >"$T/bg.yaml"
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}' >"$T/deny.json"
	rm -rf "$T/day"
	mkdir -m 777 "$T/day"
	cp "$T"/*.yaml "$T/deny.json" "$T/day"
	chmod -R a+rwX "$T/day"
	run "$@" bash "$T/story" "$T/day"
	assert_status 0
}

@test "all that there is for root is there for a user with a range, with one id, and in unshare -r" {
	for how in as_ranged_user as_user in_unshare_r; do
		story_as "$how"
	done
}

@test "without newuidmap, with no_new_privs, without XDG_RUNTIME_DIR" {
	mkdir "$T/path"
	for tool in bash jq grep find cat id sh env; do
		ln -s "$(command -v $tool)" "$T/path/$tool"
	done
	story_as as_ranged_user env PATH="$T/path"
	story_as as_ranged_user setpriv --no-new-privs
	story_as as_user env -u XDG_RUNTIME_DIR -u MINIRUN_ROOT -u MINIRUN_STORE
	rmdir "/tmp/minirun-65534" 2>/dev/null || true
}

@test "inside a container: of one user, read-only, without cgroups" {
	command -v bwrap
	story_as as_user bwrap --ro-bind / / --dev /dev --bind "$WORK" "$WORK" --unshare-all --proc /proc --tmpfs /sys/fs/cgroup --unsetenv XDG_RUNTIME_DIR
	# As its root, with rights there, too.
	story_as as_user bwrap --dev-bind / / --unshare-all --uid 0 --gid 0 --cap-add ALL --proc /proc
}

# Root of a container with --cap-add=SYS_ADMIN: it has what docker and podman leave to all, and may mount.
as_mounting_root()
{
	local left=chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+sys_chroot,+mknod,+setfcap
	# In a folder of its own, as its store is another than root's.
	HOME=$T XDG_RUNTIME_DIR=$T MINIRUN_STORE=$T/store MINIRUN_ROOT=$T/run \
		setpriv --inh-caps=-all --bounding-set="-all,+sys_admin,+$left" "$@"
}

@test "inside a container whose root may mount, and little else" {
	story_as as_mounting_root
}

@test "inside a container that forbids too much: the line says what" {
	simple_pod inside true >"$T/pod.yaml"
	# A part of /proc is covered: no other one may be mounted then.
	load_busybox as_user
	run -125 as_user bwrap --dev-bind / / --unshare-all --uid 1000 --gid 1000 --proc /proc --ro-bind /dev/null /proc/keys "$MINIRUN" "$T/pod.yaml"
	assert_has "something is mounted over a part of /proc or /sys here"
	assert_has "cannot make a proc file system"
	# Root without rights, which may not even map itself.
	run -125 as_user bwrap --dev-bind / / --unshare-all --uid 0 --gid 0 --cap-drop ALL --proc /proc "$MINIRUN" "$T/pod.yaml"
	assert_has "CAP_SETFCAP"
}

# leave_files ID...: a pod of the ranged user's that leaves folders of these ids in $T/left, which is the user's own.
leave_files()
{
	local id
	[[ -d $T/left ]] || as_ranged_user mkdir -m 0777 "$T/left"
	for id in "$@"; do
		simple_pod left "umask 077; mkdir -p /v/$id/in; echo >/v/$id/in/file; chmod 500 /v/$id/in" "
    securityContext: {runAsUser: $id, runAsGroup: $id}
    volumeMounts: [{name: v, mountPath: /v}]" "
  volumes: [{name: v, hostPath: {path: $T/left}}]" >"$T/left.yaml"
		as_ranged_user "$MINIRUN" -q "$T/left.yaml"
	done
}

@test "unshare: what pods leave as any id of a range is its user's to remove, or to take over" {
	chmod 0777 "$T"
	load_busybox as_ranged_user
	leave_files 1 1000 65536
	run as_ranged_user rm -r "$T/left"
	assert_has "$T/left/1000': Permission denied"
	as_ranged_user "$MINIRUN" unshare -- chown -R 0:0 "$T/left/1000"
	assert_equal "$(stat -c %u "$T/left/1000" "$T/left/1")" $'4321\n200000'
	as_ranged_user chmod -R u+w "$T/left/1000"
	as_ranged_user rm -r "$T/left/1000"
	as_ranged_user "$MINIRUN" unshare -- rm -r "$T/left"
	[[ ! -e $T/left ]]
	# Without a command it is the shell; the environment is the caller's own.
	assert_equal "$(as_ranged_user env SHELL=/bin/sh "$MINIRUN" unshare <<<'id -u; env | grep ^MINIRUN_USERNS')" 0
	run as_ranged_user "$MINIRUN" unshare -- sh -c 'exit 3'
	assert_status 3
}

@test "unshare: the whole store goes with it, or is the user's to remove after image prune, whatever is in it" {
	local store=$WORK/ranger/store
	mkdir -p layer/{closed/in,srv}
	touch layer/closed/in/file layer/srv/file
	tar -C layer --owner=33 --group=33 -cf rootfs.tar ./srv
	tar -C layer --owner=33 --group=33 --mode=0 -rf rootfs.tar ./closed
	chmod 0755 "$T"
	for how in prune unshare; do
		load_busybox as_ranged_user
		as_ranged_user "$MINIRUN" image load "$T/rootfs.tar" foreign
		simple_pod killed 'mkdir -p /d/a; touch /d/a/b; chown -R 33:44 /d; chmod 0 /d/a /d; touch /v/ready; sleep 1000' \
			'    volumeMounts: [{name: v, mountPath: /v}]' '  volumes: [{name: v, emptyDir: {}}]' >killed.yaml
		as_ranged_user "$MINIRUN" -d killed.yaml
		eventually 20 eval 'find "$store/pods" -path "*/volumes/v/ready" | grep -q .'
		# shellcheck disable=SC2046 # a list
		kill -KILL $(pod_processes)
		eventually 20 eval '[[ -z $(pod_processes) ]]'
		if [[ $how == prune ]]; then
			as_ranged_user "$MINIRUN" delete pod killed
			as_ranged_user "$MINIRUN" image prune --all
			as_ranged_user rm -r "$store"
		else
			as_ranged_user "$MINIRUN" unshare -- rm -r "$store"
			as_ranged_user "$MINIRUN" delete pod killed
		fi
		[[ ! -e $store ]]
	done
}

@test "unshare: with one id it says so" {
	run --separate-stderr as_user "$MINIRUN" unshare -- id -u
	assert_equal "$output" 0
	[[ $stderr == "minirun: warning: only one user id in containers: /etc/subuid grants none to "* ]]
}

@test "unshare: inside unshare -r, and as root, the command is just run" {
	run --separate-stderr in_unshare_r "$MINIRUN" unshare -- id -u
	assert_equal "$output$stderr" 0
	assert_equal "$("$MINIRUN" unshare -- sh -c 'id -u')" 0
	run -127 "$MINIRUN" unshare -- ./nowhere
	assert_has "cannot run ./nowhere: No such file"
	run -126 "$MINIRUN" unshare -- "$T"
	run -125 "$MINIRUN" unshare rm -r "$T"
	assert_has "comes after --, with its own options"
}

# A pod with ids far beyond any range.
far_ids()
{
	simple_pod ids true '    securityContext: {runAsUser: 100000, runAsGroup: 70000}' \
		'  securityContext: {fsGroup: 100001, supplementalGroups: [0, 100002]}' >"$T/pod.yaml"
	chmod 0644 "$T/pod.yaml"
}

@test "ids beyond a range: the errors name it, and how to get more" {
	far_ids
	run -125 as_ranged_user "$MINIRUN" "$T/pod.yaml"
	for field in 'containers[0].securityContext.runAsUser: Invalid value: 100000' 'containers[0].securityContext.runAsGroup: Invalid value: 70000' \
		'securityContext.fsGroup: Invalid value: 100001' 'securityContext.supplementalGroups[1]: Invalid value: 100002'; do
		assert_has "spec.$field: it is not among the ids there are here (0-65536) (choose one of those, or as root: usermod --add-subuids "
	done
	run -125 as_ranged_user setpriv --no-new-privs "$MINIRUN" "$T/pod.yaml"
	assert_has "(0) (only one user id in containers: newuidmap failed, since no_new_privs keeps it from its rights"
}

@test "another id than the one that a user has: the errors say who grants more" {
	far_ids
	run -125 as_user "$MINIRUN" "$T/pod.yaml"
	assert_has 'fsGroup: Invalid value: 100001: it is not among the ids there are here (0) (only one user id in containers: /etc/subuid grants none to '
}

@test "another id than the one of unshare -r: the errors say that it has no others" {
	far_ids
	run -125 in_unshare_r "$MINIRUN" "$T/pod.yaml"
	assert_has "(0) (this user namespace has no others: run minirun outside of it)"
}

@test "what a pod leaves that was killed with its sandbox goes at the next start, whoever its files belong to" {
	load_busybox as_ranged_user
	simple_pod killed 'mkdir -p /data/a/b; touch /data/a/b/c; chown -R 33:44 /data/a; chmod 000 /data/a; mkdir -m 0 /closed; chown 33 /closed; touch /data/ready; sleep 1000' \
		'    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, emptyDir: {}}]' >"$T/killed.yaml"
	simple_pod next true >"$T/next.yaml"
	as_ranged_user "$MINIRUN" -d "$T/killed.yaml"
	store=$WORK/ranger/store
	eventually 20 find "$store/pods" -path '*/volumes/data/ready' -quit
	# shellcheck disable=SC2046 # a list
	kill -KILL $(pod_processes)
	gone() { [[ -z $(pod_processes) ]]; }
	eventually 20 gone
	as_ranged_user "$MINIRUN" "$T/next.yaml"
	as_ranged_user "$MINIRUN" image rm busybox
	run find "$store/pods" "$store/layers" -mindepth 1
	assert_equal "$output" ""
	as_ranged_user "$MINIRUN" delete pod killed 2>/dev/null || true
}

# An overlay as the store's place: overlayfs takes none as an upper folder.
on_overlay()
{
	mkdir -p "$T/over"/{lower,upper,work,place}
	chmod -R 0777 "$T/over"
	cat >"$T/on_overlay" <<-END
		mount -t overlay -o lowerdir=$T/over/lower,upperdir=$T/over/upper,workdir=$T/over/work\$MINIRUN_OVERLAY overlay $T/over/place
		exec env MINIRUN_STORE=$T/over/place/store "\$@"
	END
	if [[ $1 == in_unshare_r ]]; then
		MINIRUN_OVERLAY=,userxattr in_unshare_r unshare -m bash "$T/on_overlay" "${@:2}"
	else
		MINIRUN_OVERLAY='' unshare -m bash "$T/on_overlay" "${@:2}"
	fi
}

@test "where the kernel makes no overlay each container has a copy, said once, in which all is as it would be" {
	local who command
	PYTHONPATH=$REPO/tests/evil python3 - "$WORK/busybox.tar" >"$T/layers.tar" <<-'EOF'
		import sys
		sys.dont_write_bytecode = True
		from archives import *
		base = open(sys.argv[1], "rb").read()
		sys.stdout.buffer.write(image(base,
		    layer(folder("d"), folder("d/sub"), file("d/low"), file("d/sub/low"), file("d/kept"), file("t/x/y"), folder("u"), file("u/a"), file("v"), file("w/one"), hardlink("w/two", "w/one")),
		    layer(file("d/.wh..wh..opq", b""), file("d/sub/high"), file("etc/.wh.passwd", b""), file("d/kept", b"new\n"),
		          file("t/.wh.x", b""), file(".wh.u", b""), folder("v"), file("v/in"))).tar())
	EOF
	chmod 0644 "$T/layers.tar"
	# All that tells two trees apart.
	command='cd /; for f in bin/sh bin/busybox etc/group $(find d t u v w 2>/dev/null | sort); do if [ -d $f ]; then stat -c "%n %f %u %g" $f; else stat -c "%n %f %u %g %s %h %Y %N" $f; fi; done; ls /etc; md5sum d/kept bin/busybox; head -n 1 /etc/hosts; touch /new && rm /bin/cat && echo written'
	cat >"$T/pod.yaml" <<-END
		apiVersion: v1
		kind: Pod
		metadata: {name: copied}
		spec:
		  restartPolicy: Never
		  initContainers: [{name: first, image: layers, command: [sh, -c, 'rm /bin/ls']}]
		  containers:
		  - {name: main, image: layers, command: [sh, -c, $(jq -n --arg c "$command" '$c')]}
		  - {name: closed, image: layers, command: [touch, /x], securityContext: {readOnlyRootFilesystem: true}}
	END
	"$MINIRUN" image load "$T/layers.tar" layers -q
	run -1 --separate-stderr "$MINIRUN" -q "$T/pod.yaml"
	normal=$(strip_prefix main <<<"$output")
	[[ $normal == *written* && $normal != *low* && $normal != *passwd* && $normal == *"v/in"* ]]
	"$MINIRUN" image rm layers
	for who in root in_unshare_r; do
		[[ $who != root || $(id -u) == 0 ]] || continue
		on_overlay "$who" bash -c '
			"$MINIRUN" image load "$1/layers.tar" layers -q && "$MINIRUN" -q "$1/pod.yaml" >"$1/over/out" 2>"$1/over/err"
			"$MINIRUN" image rm layers && ls "$MINIRUN_STORE/pods" "$MINIRUN_STORE/layers" | grep -v : >"$1/over/left"' - "$T" || true
		assert_equal "$(strip_prefix main <"$T/over/out")" "$normal"
		assert_equal "$(grep -c "each container's image is copied, which takes time and room: the overlay of a container (images on overlayfs" "$T/over/err")" 1
		grep -q 'closed *| touch: /x: Read-only file system' "$T/over/err"
		assert_equal "$(xargs <"$T/over/left")" ""
		rm -rf "$T/over"
	done
}
