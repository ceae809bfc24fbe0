#!/usr/bin/env bats
# `minirun check` on Debian's own kernel: AppArmor's lines, those of cgroup v2, and the sysctls that forbid user namespaces.

# shellcheck disable=SC2154 # variables of bats

load helpers
load ../check-lines
setup_file() { vm_setup_file; }
teardown_file() { minirun_teardown_file; }
setup() { vm_setup; }
teardown() {
	sysctl -qw kernel.unprivileged_userns_clone=1 user.max_user_namespaces="${before:-10000}"
	vm_teardown
}

line()
{
	jq -r --arg n "$1" '.checks[] | select(.name == $n) | "\(.state) \(.detail)"' "$T/check.json"
}

@test "AppArmor with a profile, cgroup v2 with its controllers, and a pod; and what confines minirun itself" {
	load_profile vm-check <<-RULES
		file,
		capability,
		network,
		mount,
		umount,
		pivot_root,
		signal,
		ptrace,
		unix,
		dbus,
	RULES
	check_json "$MINIRUN"
	assert_status 0
	assert_equal "$(line AppArmor)" "ok enabled, $(grep -c . "$PROFILES") profile$( (($(grep -c . "$PROFILES") == 1)) || echo s) loaded"
	assert_equal "$(line 'AppArmor notices')" "ok from the kernel's audit"
	assert_equal "$(line version)" "ok version 2"
	assert_equal "$(line limits)" "ok cpu, memory, pids"
	assert_equal "$(line devices)" "ok by BPF; what it refuses is named"
	assert_equal "$(line 'holding still')" "ok by cgroup.freeze"
	assert_equal "$(line capabilities)" "ok all"
	[[ $(line 'a pod') == "ok two containers ran"* ]]
	check_json aa-exec -p vm-check -- "$MINIRUN"
	assert_equal "$(line AppArmor)" 'limited enabled; minirun itself is confined by profile "vm-check"'
}

@test "each sysctl that forbids user namespaces is named, to users and to root, and by a run that fails of it" {
	local sysctl
	before=$(sysctl -n user.max_user_namespaces)
	simple_pod forbidden id >pod.yaml
	for sysctl in kernel.unprivileged_userns_clone user.max_user_namespaces; do
		sysctl -qw "$sysctl=0"
		check_json as_user "$MINIRUN"
		assert_status 1
		[[ $(line 'user namespaces') == "missing cannot make a user namespace: "* ]]
		[[ $(field 'user namespaces' mend) == *"sysctl -w $sysctl="* ]]
		run --separate-stderr as_user "$MINIRUN" pod.yaml
		assert_status 125
		assert_has "mend: $(field 'user namespaces' mend)"
		assert_last_error_has "cannot make a user namespace"
		check_json "$MINIRUN"
		assert_status 0
		[[ $(line 'user namespaces') == "limited not for ordinary users: "* ]]
		[[ $(field 'user namespaces' mend) == *"sysctl -w $sysctl="* ]]
		sysctl -qw kernel.unprivileged_userns_clone=1 user.max_user_namespaces="$before"
	done
}

# delegate: a cgroup that belongs to the user of as_user, as systemd gives one with Delegate=yes.
delegate()
{
	mkdir /sys/fs/cgroup/vm-own
	chown 65534:65534 /sys/fs/cgroup/vm-own /sys/fs/cgroup/vm-own/cgroup.{procs,threads,subtree_control}
}

undelegate()
{
	find /sys/fs/cgroup/vm-own -depth -type d -exec rmdir {} +
}

# within COMMAND...: as that user, in that cgroup, with whoever is in there already.
within()
{
	# shellcheck disable=SC2016
	run --separate-stderr sh -c 'echo $$ >/sys/fs/cgroup/vm-own/cgroup.procs && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"' \
		sh env HOME="$WORK/nobody/home" MINIRUN_STORE="$WORK/nobody/store" MINIRUN_ROOT="$WORK/nobody/run" "$@"
}

@test "limits: a user has them in a cgroup of its own; in one with others a run says what check says" {
	local said sleeper
	echo "+cpu +memory +pids" >/sys/fs/cgroup/cgroup.subtree_control
	load_busybox as_user
	simple_pod limited 'echo ran' '    resources: {limits: {memory: 32Mi}}' >pod.yaml
	delegate
	within "$MINIRUN" check -o json
	assert_equal "$(jq -r '.checks[] | select(.name == "limits") | "\(.state) \(.detail)"' <<<"$output")" "ok cpu, memory, pids"
	within "$MINIRUN" pod.yaml
	undelegate
	assert_status 0

	delegate
	sleep 300 3>&- &
	sleeper=$!
	echo "$sleeper" >/sys/fs/cgroup/vm-own/cgroup.procs
	within "$MINIRUN" check --color never
	said=$(lines_of limits <<<"$output")
	within "$MINIRUN" pod.yaml
	kill "$sleeper"
	wait "$sleeper" || true
	undelegate
	assert_status 125
	[[ $said == *" missing without cpu, memory, pids"* ]] || fail "$said"
	[[ $said == *"no bus in \$XDG_RUNTIME_DIR"*"in which other processes are, too"* ]]
	# As the first run above was.
	[[ $said == *"mend: run minirun as root; or have root start it alone (by exec) in a cgroup of which you own the folder, "* ]]
	assert_equal "$(lines_of limits <<<"$stderr")" "$said"
	assert_equal "$(grep -c 'have root start it' <<<"$stderr")" 1

	# With a systemd on the machine it is a login that helps; with a manager of the user's that is not found, its name.
	mkdir -p /run/systemd/system
	check_json as_user "$MINIRUN"
	# On a tmpfs of this kernel neither root nor another place alone would do.
	assert_equal "$(field "idmapped mounts" mend)" "run minirun as root, with the store on ext4, xfs, btrfs or, since Linux 6.3, tmpfs"
	[[ $(field limits mend) == "log in by ssh or on a console, "*"as root: loginctl enable-linger nobody, and then export XDG_RUNTIME_DIR=/run/user/65534; or run minirun as root" ]]
	mkdir -p /run/user/65534
	touch /run/user/65534/bus
	check_json as_user "$MINIRUN"
	assert_equal "$(field limits mend)" "export XDG_RUNTIME_DIR=/run/user/65534: your systemd is there, and gives minirun a cgroup"
	# One that doesn't answer.
	touch "$WORK/nobody/runtime/bus"
	check_json as_user "$MINIRUN"
	assert_not_ok limits "systemd gives no cgroup: "
	assert_equal "$(field limits mend)" "run minirun as root; or log in again, as your systemd doesn't do it"
	rm /run/user/65534/bus "$WORK/nobody/runtime/bus"
	rmdir /run/user/65534 /run/systemd/system
}

@test "a memory limit in which nothing can run says so, and nothing of a store that has little room" {
	mkdir "$T/place"
	mount -t tmpfs -o size=300m tmpfs "$T/place"
	export MINIRUN_STORE=$T/place/store
	"$MINIRUN" image load -q "$WORK/busybox.tar" busybox
	check_json "$MINIRUN"
	[[ $(line store) == "limited "* ]]
	for limit in 4Ki 100m; do
		simple_pod low 'echo ran' "    resources: {limits: {memory: $limit}}" >pod.yaml
		run --separate-stderr "$MINIRUN" pod.yaml
		[[ $status -ne 0 ]]
		assert_lacks ran
		[[ -z $(grep -E '(limited|missing) |^ *(why|mend): ' <<<"$stderr") ]] || fail "$stderr"
		[[ $stderr == *"the memory limit is too low for anything to run in it"* ]] || fail "$stderr"
	done
	umount "$T/place"
}
