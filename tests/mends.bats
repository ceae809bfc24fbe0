#!/usr/bin/env bats
# What `minirun check` says mends a thing: that it does, and for whom; and that a run says it too, where it is about that.

# shellcheck disable=SC2154 # variables of bats

load helpers
load check-lines
setup_file()
{
	minirun_setup_file
	helper_programs filtered
}

SHED="start minirun from a shell without no_new_privs"

# Everybody there is here: who runs the suite, and the users that it can be.
everybody()
{
	echo env
	users | tr ' ' '\n'
}

# A command as root in an /etc that is thrown away: what usermod and useradd write. Prepared by the functions below.
in_etc()
{
	export -f become is_root
	rm -rf "${T:?}/etc" "$T/work"
	mkdir "$T/etc" "$T/work"
	# shellcheck disable=SC2016 # the inner shell's own variables
	unshare -m --propagation private bash -c '
		mount -t overlay -o "lowerdir=/etc,upperdir=$T/etc,workdir=$T/work" overlay /etc && bash -euc "$1"
	' in_etc "$1"
}

# What root is told to do.
command_of()
{
	local mend=$1
	[[ $mend == *"as root: "* ]] || fail "not for root: $mend"
	echo "${mend#*as root: }"
}

@test "ids for a user who has none: what usermod is told to do gives them" {
	check_json as_user "$MINIRUN"
	command=$(command_of "$(field "user ids" mend)")
	[[ $command == "usermod --add-subuids "*" --add-subgids "*" nobody" ]]
	simple_pod ids 'id -u' '    securityContext: {runAsUser: 1000}' >"$T/pod.yaml"
	load_busybox as_user
	run -0 in_etc "$command
		become 65534 $WORK/nobody $MINIRUN check -o json >$T/check.json
		become 65534 $WORK/nobody $MINIRUN -q $T/pod.yaml"
	assert_state "user ids" ok
	assert_has "1000"
	# Of one kind alone: no second range of the other.
	run -0 in_etc "
		echo nobody:300000:65536 >>/etc/subuid
		become 65534 $WORK/nobody $MINIRUN check -o json >$T/check.json"
	command=$(command_of "$(field "user ids" mend)")
	[[ $command =~ ^usermod\ --add-subgids\ [0-9]+-[0-9]+\ nobody$ ]]
	# Where somebody else has all there are, none are made up.
	run -0 in_etc "
		echo other:1:4294967294 >>/etc/subuid
		become 65534 $WORK/nobody $MINIRUN check -o json >$T/check.json"
	assert_equal "$(command_of "$(field "user ids" mend)")" "grant ids in /etc/subuid and /etc/subgid, and apt-get install uidmap"
}

@test "a user whom nothing names gets ids with a name" {
	local as=(setpriv --reuid=4444 --regid=4444 --clear-groups env "HOME=$T/home" "MINIRUN_STORE=$T/home/store")
	mkdir -m 0777 "$T/home"
	check_json "${as[@]}" "$MINIRUN"
	command=$(command_of "$(field "user ids" mend)")
	[[ $command == "useradd --uid 4444 NAME, "* ]]
	command=${command%%,*}
	run -0 in_etc "${command/NAME/name}
		${as[*]} $MINIRUN check -o json >$T/check.json"
	assert_state "user ids" ok
}

@test "an id beyond a user's range: the error says what grants more, and that does" {
	local setting="echo ranger:x:4321:4321::$WORK/ranger/home:/bin/sh >>/etc/passwd
		echo ranger:200000:65536 >>/etc/subuid; echo ranger:200000:65536 >>/etc/subgid
		as_ranger() { become 4321 $WORK/ranger \"\$@\"; }"
	load_busybox as_ranged_user
	simple_pod far 'id -u; id -g' '    securityContext: {runAsUser: 100000, runAsGroup: 100}' >"$T/pod.yaml"
	run -125 in_etc "$setting
		as_ranger $MINIRUN $T/pod.yaml"
	[[ $output =~ "not among the ids there are here (0-65536) (choose one of those, or as root: "(usermod [a-z0-9 -]*)" grants more)" ]]
	command=${BASH_REMATCH[1]}
	run -0 in_etc "$setting
		$command
		as_ranger $MINIRUN -q $T/pod.yaml"
	assert_has 100000
	# What no range will ever have isn't promised.
	simple_pod far id '    securityContext: {runAsUser: 2000000000}' >"$T/pod.yaml"
	run -125 as_ranged_user "$MINIRUN" "$T/pod.yaml"
	assert_has "2000000000: it is not among the ids there are here (0-65536) (choose one of those)"
}

@test "tools that lack their rights: what the line says gives them, of one and then of the other" {
	local command
	mkdir "$T/bin"
	cp /usr/bin/newuidmap /usr/bin/newgidmap "$T/bin"
	chmod 0755 "$T/bin"/*
	for tool in newuidmap newgidmap; do
		check_json as_ranged_user env PATH="$T/bin:$PATH" "$MINIRUN"
		command=$(command_of "$(field newuidmap mend)")
		assert_equal "$(field "user ids" mend)" "as root: $command"
		[[ $command == "setcap cap_set${tool:3:1}id+ep $T/bin/$tool, or chmod u+s $T/bin/$tool" ]]
		${command##*, or }
	done
	check_json as_ranged_user env PATH="$T/bin:$PATH" "$MINIRUN"
	assert_state newuidmap ok
	assert_state "user ids" ok
}

# A command as root among mounts that are thrown away.
in_mounts()
{
	export -f become is_root as_user as_ranged_user
	unshare -m --propagation private bash -euc "$1"
}

@test "tools on a file system without setuid: what the line says gives them their rights" {
	mkdir "$T/bin"
	run -0 in_mounts "
		mount -t tmpfs -o nosuid,mode=0755 none $T/bin
		cp /usr/bin/newuidmap /usr/bin/newgidmap $T/bin
		chmod 4755 $T/bin/*
		as_ranged_user env PATH=$T/bin:$PATH $MINIRUN check -o json >$T/check.json || :
		mount -o remount,suid $T/bin
		as_ranged_user env PATH=$T/bin:$PATH $MINIRUN check -o json >$T/mended.json"
	assert_not_ok newuidmap "$T/bin/newuidmap is on a file system mounted nosuid"
	for name in newuidmap "user ids"; do
		assert_equal "$(field "$name" mend)" "as root: remount that file system with the option suid"
	done
	mv "$T/mended.json" "$T/check.json"
	assert_state newuidmap ok
	assert_state "user ids" ok
}

@test "a user's pasta without its device: what the line says gives it" {
	run -0 in_mounts "
		mount -t tmpfs -o mode=0755 none /dev/net
		as_user $MINIRUN check -o json >$T/none.json
		mknod -m 0600 /dev/net/tun c 10 200
		as_user $MINIRUN check -o json >$T/closed.json
		chmod 0666 /dev/net/tun
		as_user $MINIRUN check -o json >$T/check.json"
	assert_state pasta ok
	mv "$T/closed.json" "$T/check.json"
	assert_not_ok pasta "it can't open /dev/net/tun: Permission denied"
	assert_equal "$(field pasta mend)" "as root: chmod 0666 /dev/net/tun"
	mv "$T/none.json" "$T/check.json"
	assert_not_ok pasta "it can't open /dev/net/tun: No such file or directory"
	# A container has its devices from who starts it.
	if [[ $(field container state) == ok ]]; then
		assert_equal "$(field pasta mend)" "as root: modprobe tun; chmod 0666 /dev/net/tun"
	else
		assert_equal "$(field pasta mend)" "start the container with --device /dev/net/tun"
	fi
}

@test "no_new_privs: nothing helps without another shell, and the lines say so" {
	check_json as_ranged_user setpriv --no-new-privs "$MINIRUN"
	for name in "user ids" newuidmap no_new_privs; do
		[[ $(field "$name" mend) == "$SHED"* ]] || fail "$name: $(field "$name" mend)"
	done
	[[ $(field "idmapped mounts" mend) == *"from a shell without no_new_privs" ]]
	check_json as_ranged_user "$MINIRUN"
	assert_state "user ids" ok
	load_busybox as_ranged_user
	simple_pod ids id '    securityContext: {runAsUser: 1000}' >"$T/pod.yaml"
	assert_same_line "user ids" as_ranged_user setpriv --no-new-privs "$MINIRUN"
}

@test "no_new_privs: who has no range needs that, too" {
	check_json as_user setpriv --no-new-privs "$MINIRUN"
	[[ $(field "user ids" mend) == "as root, in a shell without no_new_privs: usermod "*" nobody; and then $SHED"* ]]
}

@test "in unshare -r: what its maker has outside of it is what helps" {
	check_json as_ranged_user unshare -r "$MINIRUN"
	for name in "user ids" newuidmap; do
		assert_equal "$(field "$name" mend)" "run minirun outside of this user namespace"
	done
	assert_equal "$(field "idmapped mounts" mend)" "run minirun as root, outside of this user namespace"
	check_json as_ranged_user "$MINIRUN"
	assert_state "user ids" ok
	assert_state newuidmap ok
}

@test "in unshare -r what root has to do is done outside of it, and of its own limits there is its own root" {
	check_json in_unshare_r env PATH=/nowhere "$MINIRUN"
	assert_equal "$(field skopeo mend)" "outside of this user namespace, as root: apt-get install skopeo"
	cat >"$T/forbidden" <<-'END'
		#!/bin/sh
		# What is to be said, then what is to be done.
		number=$1; shift
		echo "$number" >/proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all,+setfcap --inh-caps=-all "$@"
	END
	chmod 0755 "$T/forbidden"
	check_json in_unshare_r "$T/forbidden" 0 "$MINIRUN"
	assert_status 1
	assert_equal "$(field "user namespaces" mend)" "as root of this user namespace: sysctl -w user.max_user_namespaces=15000; or run minirun outside of it"
	check_json in_unshare_r "$T/forbidden" 15000 "$MINIRUN"
	assert_state "user namespaces" ok
	assert_status 0
}

@test "in a container that has a user namespace of its own" {
	command -v bwrap
	check_json as_user bwrap --dev-bind / / --unshare-all --uid 0 --gid 0 --cap-add ALL --proc /proc env container=bwrap "$MINIRUN"
	assert_not_ok container "minirun is in one"
	for name in "user ids" newuidmap; do
		assert_equal "$(field "$name" mend)" "run minirun outside of the container, or start that with more ids"
	done
	assert_equal "$(field "idmapped mounts" mend)" "run minirun as root, outside of the container"
	# What changes the machine is done there; what changes the files is done here, by its root.
	jq -r '.checks[] | select(.mend) | .mend' "$T/check.json" | grep -E 'boot (with|a kernel)' >"$T/boots" || true
	[[ -z $(grep -v 'outside of the container, as root: boot' "$T/boots") ]]
	check_json as_user bwrap --dev-bind / / --unshare-all --uid 0 --gid 0 --cap-add ALL --proc /proc env container=bwrap PATH=/nowhere "$MINIRUN"
	assert_equal "$(field skopeo mend)" "apt-get install skopeo"
}

@test "root without CAP_SYS_ADMIN isn't told to be root" {
	# shellcheck disable=SC2016
	check_json env HOME="$T" MINIRUN_STORE="$T/store" capsh --drop=cap_sys_admin -- -c '"$0" "$@"' "$MINIRUN"
	[[ $(field "idmapped mounts" mend) =~ CAP_SYS_ADMIN|^"start the container with --privileged"$ ]]
	[[ $(jq -r '.checks[] | .mend // ""' "$T/check.json") != *"run minirun as root"* ]]
	command=$(field "user ids" mend)
	[[ $command == "usermod --add-subuids "*" root" ]]
	run -0 in_etc "$command
		HOME=$T MINIRUN_STORE=$T/store capsh --drop=cap_sys_admin -- -c '$MINIRUN check -o json >$T/check.json'"
	assert_state "user ids" ok
}

# in_weak_container BOUNDING-SET COMMAND...: process 1 has no more capabilities than these, as in docker's and podman's.
in_weak_container()
{
	local set=$1
	shift
	export -f become is_root
	# A shell of its own stays process 1.
	# shellcheck disable=SC2016
	unshare --pid --fork --mount-proc setpriv --inh-caps=-all --bounding-set="$set" \
		bash -c '"$@"; exit' in_weak_container "$@"
}

@test "in a container whose root may not mount: being root of it doesn't help, another container does" {
	check_json in_weak_container -sys_admin env HOME="$T" MINIRUN_STORE="$T/store" "$MINIRUN"
	assert_equal "$(field "idmapped mounts" mend)" "start the container with --privileged"
	check_json in_weak_container -sys_admin become 65534 "$WORK/nobody" "$MINIRUN"
	assert_equal "$(field "idmapped mounts" mend)" "start the container with --privileged, and run minirun as its root"
	check_json in_weak_container +all become 65534 "$WORK/nobody" "$MINIRUN"
	assert_equal "$(field "idmapped mounts" mend)" "run minirun as root"
}

@test "cgroups of version 1 that a container has read-only are had with more rights" {
	# shellcheck disable=SC2016
	check_json unshare -m --propagation private sh -c 'mount -t tmpfs none /sys/fs/cgroup && exec "$@"' sh env container=x "$MINIRUN"
	for name in limits devices; do
		assert_equal "$(field "$name" mend)" "start the container with --privileged"
	done
}

@test "a filter around minirun: the line says where it is, to everybody" {
	local who
	for who in $(everybody); do
		check_json "$who" "$FILTERED" pivot_root "$MINIRUN"
		assert_state mounts missing
		[[ $(field mounts mend) == *"seccomp filter around it"*"SystemCallFilter="* || $(field mounts mend) == *"--security-opt seccomp=unconfined"* ]]
		assert_equal "$(field "seccomp filter" mend)" "$(field mounts mend)"
	done
}

@test "a store without room: how much it takes, and what makes it" {
	cat >"$T/small" <<-END
		#!/bin/sh
		mkdir -p $T/place && mount -t tmpfs -o size=\$1 tmpfs $T/place && shift && exec "\$@"
	END
	chmod 0755 "$T/small"
	check_json with_mounts "$T/small" 300m env MINIRUN_STORE="$T/place/store" "$MINIRUN"
	assert_status 0
	assert_not_ok store " free of the 512 MiB that a larger image takes"
	# There is no image yet that could go.
	assert_equal "$(field store mend)" "make room on its file system; or name another place: --store DIR, or MINIRUN_STORE"
	check_json with_mounts "$T/small" 100m env MINIRUN_STORE="$T/place/store" "$MINIRUN"
	assert_status 1
	assert_state store missing
	assert_not_ok store " free of the 192 MiB that the demo's image takes"
	assert_state "a pod" ok
	# It is there already; and another place is one.
	check_json with_mounts "$T/small" 100m env MINIRUN_STORE="$T/place/store" sh -c "'$MINIRUN' image load -q '$WORK/busybox.tar' nginx && exec '$MINIRUN' check -o json" ignored
	assert_status 0
	assert_state store limited
	[[ $(field store mend) == "make room: minirun image rm NAME, or prune "*" --store DIR, or MINIRUN_STORE" ]]
	check_json with_mounts "$T/small" 100m env MINIRUN_STORE="$T/place/store" "$MINIRUN" --store "$T/other"
	assert_state store ok
}

# No line of check's, nor what stands below one.
assert_no_line()
{
	[[ -z $(grep -E '(limited|missing) |^ *(why|mend): ' <<<"$stderr") ]] || fail "$stderr"
}

@test "an error that isn't about the machine brings no line of it" {
	local as=()
	simple_pod other id >"$T/pod.yaml"
	# It has a remedy of its own; and whoever refuses a call does not say that a file isn't there.
	run -125 --separate-stderr "$FILTERED" pivot_root "$MINIRUN" --root /sys/none "$T/pod.yaml"
	assert_last_error_has "/sys/none: "
	assert_no_line
	run --separate-stderr "$FILTERED" pivot_root "$MINIRUN" learn --write-dir /proc/none/more "$T/pod.yaml"
	assert_last_error_has "/proc/none/more: No such file or directory"
	assert_no_line
	# Refused is what belongs to somebody else; the store has little room, which is a line of its own.
	simple_pod other id '    volumeMounts: [{name: closed, mountPath: /closed}]' \
		'  volumes: [{name: closed, hostPath: {path: /root/closed}}]' >"$T/pod.yaml"
	cat >"$T/small" <<-END
		#!/bin/sh
		mkdir -p $T/place && mount -t tmpfs -o size=300m,mode=1777 tmpfs $T/place && exec "\$@"
	END
	chmod 0755 "$T/small"
	! is_root || as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	run -125 --separate-stderr with_mounts "$T/small" "${as[@]}" env MINIRUN_STORE="$T/place/store" MINIRUN_ROOT="$T/place/run" \
		sh -c "'$MINIRUN' image load -q '$WORK/busybox.tar' busybox && '$MINIRUN' '$T/pod.yaml'"
	assert_last_error_has "cannot open the hostPath /root/closed: Permission denied"
	assert_no_line
}

@test "the exit status says whether a pod runs, to everybody; and JSON says what the lines say" {
	local who
	simple_pod both 'echo it ran' '    securityContext: {seccompProfile: {type: RuntimeDefault}}' >"$T/pod.yaml"
	for who in $(everybody); do
		echo "as $who"
		[[ $who == env ]] || load_busybox "$who" >/dev/null
		check_json "$who" "$MINIRUN"
		assert_status 0
		assert_equal "$(jq .runs "$T/check.json")" true
		run -0 "$who" "$MINIRUN" -q "$T/pod.yaml"
		assert_has "it ran"
		"$who" "$MINIRUN" check --color never | awk 'substr($0, 27, 8) ~ /^(ok|limited|missing) *$/ { print substr($0, 10, 17) "|" substr($0, 27, 8) "|" substr($0, 35) } / (why|mend): / { sub(/^ *(why|mend): /, ""); print }' >"$T/text"
		jq -r '.checks[] | "\(.name)|\(.state)|\(.detail)", (if .state != "ok" and (.detail | startswith("not tried") | not) then .why, .mend // empty else empty end)' "$T/check.json" >"$T/json"
		# But for what is measured.
		assert_equal "$(sed 's/ *|/|/g; s/[0-9]//g' "$T/text")" "$(sed 's/[0-9]//g' "$T/json")"
		for call in mount_setattr seccomp openat2; do
			check_json "$who" "$FILTERED" "$call" "$MINIRUN"
			assert_status 1
			assert_equal "$(jq .runs "$T/check.json")" false
			run -125 "$who" "$FILTERED" "$call" "$MINIRUN" -q "$T/pod.yaml"
			assert_lacks "it ran"
			assert_same_line "$(jq -r '[.checks[] | select(.needed and .state == "missing")][0].name' "$T/check.json")" "$who" "$FILTERED" "$call" "$MINIRUN"
		done
	done
}
