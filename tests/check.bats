#!/usr/bin/env bats
# What this machine can do: `minirun check` tries it, and a run that fails for such a reason prints the same line.

# shellcheck disable=SC2154 # variables of bats

load helpers
load check-lines
setup_file()
{
	minirun_setup_file
	helper_programs filtered
}

# A pod under a seccomp profile.
profiled_pod()
{
	simple_pod "$1" 'echo ran' '    securityContext: {seccompProfile: {type: RuntimeDefault}}' >"$T/pod.yaml"
	chmod 0644 "$T/pod.yaml"
}

@test "a machine that runs pods: each line, exit 0, and the last line is a pod that ran" {
	check_json "$MINIRUN"
	assert_status 0
	assert_equal "$(jq -r '[.checks[].name] | join(" ")' "$T/check.json")" "Linux configuration openat2 pidfd namespaces mounts AppArmor AppArmor notices seccomp seccomp notices user namespaces user ids newuidmap store overlayfs users' overlayfs idmapped mounts version limits devices holding still skopeo pasta apparmor_parser container capabilities no_new_privs seccomp filter a pod"
	for name in openat2 pidfd namespaces mounts seccomp store overlayfs 'a pod'; do
		assert_state "$name" ok
		assert_equal "$(field "$name" needed)" true
	done
	assert_equal "$(jq .runs "$T/check.json")" true
	assert_equal "$(field Linux detail)" "$(uname -r), $(uname -m)"
	[[ $(field 'a pod' detail) == "two containers ran"* ]]
	# What isn't ok says why it matters and what mends it.
	assert_equal "$(jq '[.checks[] | select(.state != "ok") | select(.why == null or .mend == null)] | length' "$T/check.json")" 0
}

@test "for people: one line each, and below what isn't ok why it matters and what mends it; -v also for what is" {
	run "$MINIRUN" check
	assert_status 0
	assert_line "The demo would run here."
	[[ $output =~ overlayfs\ +ok\ +on ]]
	assert_lacks $'\e'
	[[ $(grep -c 'why: ' <<<"$output") == "$(grep -E '^.{26}(limited|missing) ' <<<"$output" | grep -vc 'not tried')" ]]
	run "$MINIRUN" check -v --color always
	assert_has $'\e[32mok'
	assert_has "why: paths in images and volumes are resolved by it"
	# On a terminal nothing is wider than it.
	script -qc "stty cols 80; '$MINIRUN' check" /dev/null </dev/null >"$T/typescript"
	assert_equal "$(sed $'s/\e\\[[0-9]*m//g; s/\r$//' "$T/typescript" | awk 'length > 80' | grep -v 'mend:.*[^ ]\{40\}' || true)" ""
	grep -q $'\e\\[3[123]m' "$T/typescript"
}

@test "a store that isn't there is not made, nor is anything else left" {
	export MINIRUN_STORE=$T/none/store
	check_json "$MINIRUN"
	assert_status 0
	[[ $(field store detail) == "$T/none/store, made when first used, "* ]]
	assert_equal "$(ls -A "$T")" check.json
	mkdir "$T/none"
	check_json "$MINIRUN"
	assert_equal "$(ls -A "$T/none")" ""
}

@test "an ordinary user with a single id: the demo would run, and the line says how to get more" {
	check_json as_user "$MINIRUN"
	assert_status 0
	assert_not_ok "user ids" "only one user id in containers: /etc/subuid grants none to"
	[[ $(field "user ids" mend) == "as root: usermod --add-subuids "* ]]
	for name in "user namespaces" namespaces mounts overlayfs "a pod"; do
		assert_state "$name" ok
	done
	assert_equal "$(field "user namespaces" needed)" true
	[[ ! -e $WORK/nobody/store ]]
	load_busybox as_user
	simple_pod ids id '    securityContext: {runAsUser: 1000}' >"$T/pod.yaml"
	assert_same_line "user ids" as_user "$MINIRUN"
}

@test "an ordinary user with a range has its ids" {
	check_json as_ranged_user "$MINIRUN"
	assert_status 0
	assert_state "user ids" ok
	assert_equal "$(field "user ids" detail)" "users 0-65536, groups 0-65536"
	assert_state newuidmap ok
	assert_state "a pod" ok
}

@test "in unshare -r: root of one id" {
	check_json in_unshare_r "$MINIRUN"
	assert_status 0
	assert_not_ok "user ids" "users 0, groups 0, no supplementary groups"
	assert_state "a pod" ok
}

@test "a call that a filter around minirun refuses is found, whether by an errno or by death" {
	local call name
	while read -r call name; do
		# An ordinary user's first namespace is one of users.
		[[ $(id -u) == 0 ]] || name=${name/#namespaces@/user namespaces@}
		name=${name%@}
		check_json "$FILTERED" "$call" "$MINIRUN"
		echo "$call: $(field "$name" detail)"
		assert_status 1
		assert_state "$name" missing
		assert_state "a pod" missing
		assert_not_ok "$name" ""
		assert_not_ok "seccomp filter" "1 around minirun"
		[[ $(field "$name" detail) == *"Operation not permitted"* || $(field "$name" detail) == *"not implemented"* ||
			$(field "$name" detail) == *"a seccomp filter around minirun kills whoever tries it" ]]
	done <<-'END'
		openat2 openat2
		openat2=ENOSYS openat2
		clone3=kill pidfd
		clone3=ENOSYS namespaces
		unshare namespaces@
		pidfd_open pidfd
		pidfd_getfd=kill pidfd
		fsopen=ENOSYS mounts
		fsopen=kill overlayfs
		mount_setattr mounts
		pivot_root=kill mounts
		seccomp seccomp
		sethostname namespaces
	END
}

@test "a run that fails of it prints the very same line" {
	local call name
	profiled_pod same
	while read -r call name; do
		[[ $(id -u) == 0 ]] || name=${name/#namespaces@/user namespaces@}
		name=${name%@}
		echo "$call: $name"
		assert_same_line "$name" "$FILTERED" "$call" "$MINIRUN"
	done <<-'END'
		openat2=ENOSYS openat2
		clone3=ENOSYS namespaces
		unshare namespaces@
		pidfd_open pidfd
		mount_setattr mounts
		pivot_root mounts
		seccomp seccomp
		sethostname namespaces
	END
}

@test "so it does for a capability that the machine hasn't" {
	simple_pod caps id '    securityContext: {capabilities: {add: [SYS_TIME]}}' >"$T/pod.yaml"
	assert_same_line capabilities capsh --drop=cap_sys_time,cap_sys_boot -- -c '"$0" "$@"' "$MINIRUN"
	assert_has "SYS_TIME"
	assert_has "all but SYS_BOOT, "
}

@test "so it does where there is no AppArmor" {
	simple_pod armoured id '    securityContext: {appArmorProfile: {type: RuntimeDefault}}' >"$T/pod.yaml"
	assert_same_line AppArmor "$MINIRUN"
}

@test "user namespaces that a sysctl forbids: the line names it, and so does a run" {
	simple_pod forbidden id >"$T/pod.yaml"
	cat >"$T/forbidden" <<-'END'
		#!/bin/sh
		# In a user namespace of its own the limit is ours to set; without capabilities we are like an ordinary user.
		echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all --inh-caps=-all "$@"
	END
	chmod 0755 "$T/forbidden"
	check_json in_unshare_r "$T/forbidden" "$MINIRUN"
	assert_status 1
	assert_state "user namespaces" missing
	[[ $(field "user namespaces" mend) == *"sysctl -w user.max_user_namespaces=15000"* ]]
	assert_equal "$(field mounts detail)" "not tried, for want of a user namespace"
	assert_same_line "user namespaces" in_unshare_r "$T/forbidden" "$MINIRUN"
}

@test "no_new_privs: newuidmap can't do its work, and the pod has one id" {
	check_json as_ranged_user setpriv --no-new-privs "$MINIRUN"
	assert_status 0
	assert_not_ok no_new_privs "set by whoever started minirun"
	assert_not_ok newuidmap no_new_privs
	assert_not_ok "user ids" "newuidmap failed"
}

@test "root without CAP_SYS_ADMIN goes the way of an ordinary user, its store as well" {
	mkdir "$T/home"
	unset MINIRUN_STORE
	# shellcheck disable=SC2016
	check_json env HOME="$T/home" capsh --drop=cap_sys_admin -- -c '"$0" "$@"' "$MINIRUN"
	assert_status 0
	assert_equal "$(jq -r .store "$T/check.json")" "$T/home/.local/share/minirun"
	assert_state "a pod" ok
	# shellcheck disable=SC2016
	run env HOME="$T/home" capsh --drop=cap_sys_admin -- -c '"$0" "$@"' "$MINIRUN" image load -q "$WORK/busybox.tar" busybox
	assert_status 0
	[[ -d $T/home/.local/share/minirun/images ]]
}

@test "so does root without another capability that every pod takes" {
	for cap in cap_net_admin cap_sys_ptrace cap_setgid cap_setpcap; do
		# shellcheck disable=SC2016
		check_json env MINIRUN_STORE="$T/$cap" capsh --drop=$cap -- -c '"$0" "$@"' "$MINIRUN"
		assert_status 0
		assert_state "a pod" ok
		assert_state "capabilities" ok
	done
}

@test "programs that aren't in PATH, or that fail" {
	mkdir "$T/bin"
	printf '#!/bin/sh\necho broken; exit 3\n' >"$T/bin/pasta"
	chmod 0755 "$T/bin/pasta"
	check_json env PATH="$T/bin" "$MINIRUN"
	assert_status 0
	assert_not_ok skopeo "no skopeo in PATH"
	assert_equal "$(field skopeo state)" missing
	[[ $(field skopeo mend) == *"apt-get install skopeo" ]]
	[[ $(field newuidmap detail) == "no newuidmap in PATH" || $(field newuidmap detail) == "of no use in this user namespace"* ]]
	assert_not_ok pasta "pasta --version fails: broken"
	printf '#!/bin/sh\necho "Warning: no configuration"; echo "skopeo version 9.9"; echo "and more"\n' >"$T/bin/skopeo"
	chmod 0755 "$T/bin/skopeo"
	check_json env PATH="$T/bin" "$MINIRUN"
	assert_state skopeo ok
	assert_equal "$(field skopeo detail)" "version 9.9"
}

@test "a pull, or a run that has to pull, says of skopeo what check says" {
	local said
	mkdir "$T/empty"
	said=$(env PATH="$T/empty" "$MINIRUN" check --color never | lines_of skopeo)
	[[ $said == *"no skopeo in PATH"*"apt-get install skopeo" ]]
	run --separate-stderr env PATH="$T/empty" "$MINIRUN" image pull quay.io/nobody/nothing
	assert_status 125
	assert_equal "$(lines_of skopeo <<<"$stderr")" "$said"
	simple_pod puller id | sed 's|image: busybox|image: quay.io/nobody/nothing|' >"$T/pod.yaml"
	run --separate-stderr env PATH="$T/empty" "$MINIRUN" "$T/pod.yaml"
	assert_status 125
	assert_equal "$(lines_of skopeo <<<"$stderr")" "$said"
}

@test "a newuidmap without its rights" {
	mkdir "$T/bin"
	cp /usr/bin/newuidmap /usr/bin/newgidmap "$T/bin"
	chmod 0755 "$T/bin"/*
	check_json as_ranged_user env PATH="$T/bin:$PATH" "$MINIRUN"
	assert_status 0
	assert_not_ok newuidmap "$T/bin/newuidmap has neither cap_setuid nor the setuid bit"
	assert_not_ok "user ids" "newuidmap failed"
}

@test "a store that can't be: no right to the folder, or others may write to it" {
	simple_pod store id >"$T/pod.yaml"
	# Closed for root of a user namespace, too.
	check_json as_user env MINIRUN_STORE=/usr/store "$MINIRUN"
	assert_status 1
	assert_not_ok store "cannot make a folder in /usr: Permission denied"
	assert_equal "$(field overlayfs detail)" "not tried, for want of a folder"
	mkdir "$T/open"
	chmod 0777 "$T/open"
	check_json env MINIRUN_STORE="$T/open" "$MINIRUN"
	assert_status 1
	assert_not_ok store "others may write to the store"
	assert_same_line store env MINIRUN_STORE="$T/open" "$MINIRUN"
}

@test "an overlay that the store's file system refuses" {
	mkdir "$T/l" "$T/u" "$T/w" "$T/m"
	# Overlayfs on overlayfs: as an upper layer the kernel takes none.
	cat >"$T/inside" <<-END
		#!/bin/sh
		mount -t overlay -o lowerdir=$T/l,upperdir=$T/u,workdir=$T/w overlay $T/m && exec "\$@"
	END
	chmod 0755 "$T/inside"
	check_json with_mounts "$T/inside" env MINIRUN_STORE="$T/m/store" "$MINIRUN"
	# A pod's containers have copies of their images then.
	assert_status 0
	assert_not_ok overlayfs "its own files on overlayfs"
	[[ $(field overlayfs mend) == *--store* ]]
	assert_equal "$(ls -A "$T/u")" ""
	rm -rf "$T/w"
}

@test "a kernel whose configuration can't be read, no /sys, no /sys/fs/cgroup" {
	cat >"$T/bare" <<-END
		#!/bin/sh
		[ ! -e /proc/config.gz ] || mount --bind /dev/null /proc/config.gz
		mount -t tmpfs tmpfs /sys
		mount -t tmpfs tmpfs /boot
		exec "\$@"
	END
	chmod 0755 "$T/bare"
	check_json with_mounts "$T/bare" "$MINIRUN"
	assert_not_ok configuration "can be read"
	assert_not_ok version "none mounted at /sys/fs/cgroup"
	assert_state "a pod" ok
	assert_status 0
}

@test "the kernel's configuration says what isn't built in" {
	printf 'CONFIG_SECCOMP=y\n# CONFIG_SECCOMP_FILTER is not set\nCONFIG_NAMESPACES=y\n' | gzip >"$T/config.gz"
	printf '#!/bin/sh\nmount --bind "%s/config.gz" /proc/config.gz && exec "$@"\n' "$T" >"$T/inside"
	chmod 0755 "$T/inside"
	[[ -e /proc/config.gz ]] || printf '#!/bin/sh\nmount -t tmpfs tmpfs /boot && cp "%s/config.gz" /boot/config-$(uname -r) && exec "$@"\n' "$T" >"$T/inside"
	check_json with_mounts "$T/inside" "$MINIRUN"
	assert_state configuration missing
	[[ $(field configuration detail) == "without CONFIG_SECCOMP_FILTER, USER_NS, "* ]]
	# It tries rather than reads: what works, works.
	assert_status 0
}

@test "in a container of ours: it says so, and what the container forbids" {
	cat >"$T/pod.yaml" <<-END
		apiVersion: v1
		kind: Pod
		metadata: {name: inner}
		spec:
		  restartPolicy: Never
		  containers:
		  - name: main
		    image: busybox
		    command: [/work/bin/minirun, check, --store, /tmp/store]
		    volumeMounts:
		    - {name: usr, mountPath: /usr, readOnly: true}
		    - {name: lib, mountPath: /lib, readOnly: true}
		    - {name: lib64, mountPath: /lib64, readOnly: true}
		    - {name: work, mountPath: /work, readOnly: true}
		  volumes:
		  - {name: usr, hostPath: {path: /usr}}
		  - {name: lib, hostPath: {path: $(realpath /lib)}}
		  - {name: lib64, hostPath: {path: $(realpath /lib64)}}
		  - {name: work, hostPath: {path: $WORK}}
	END
	run --separate-stderr "$MINIRUN" "$T/pod.yaml"
	output=$(strip_prefix main <<<"$output")
	assert_status 1
	assert_has "minirun is in one"
	[[ $output =~ mounts\ +missing ]]
	assert_has "mend: "
	assert_has "The demo would not run here."
}

@test "killed at any moment it leaves nothing" {
	local i
	for i in 01 03 05 08 12 16 20 30; do
		timeout -s KILL "0.$i" "$MINIRUN" check >/dev/null 2>&1 || true
	done
	is_swept() { [[ -z $(find "$WORK" -name '.minirun-check*') && -z $(cgroups | grep check) ]]; }
	eventually 20 is_swept
	assert_machine_unchanged 10
}

@test "the lines that errors name are there" {
	local name
	check_json "$MINIRUN"
	sed -nE 's/.*(error_check|findings_check)\([^"]*"([^"]*)"\).*/\2/p' "$REPO"/*/*.c | sort -u >"$T/named"
	[[ $(wc -l <"$T/named") -ge 8 ]]
	while read -r name; do
		jq -e --arg n "$name" '.checks[] | select(.name == $n)' "$T/check.json" >/dev/null || fail "no line $name"
	done <"$T/named"
}

@test "check takes no operand" {
	run --separate-stderr "$MINIRUN" check pod.yaml
	assert_status 125
	assert_last_error_has "check takes no operand, not pod.yaml"
}
