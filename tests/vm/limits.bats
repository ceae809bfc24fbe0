#!/usr/bin/env bats
# Limits under cgroup v2, as root and in a cgroup that was delegated to a user.

load helpers
setup_file() { vm_setup_file; }
teardown_file() { minirun_teardown_file; }
setup() { vm_setup; }
teardown() { vm_teardown; }

pod_cgroups()
{
	find /sys/fs/cgroup -name 'minirun*' -type d
}

@test "a memory hog is OOMKilled and the pod goes on, a fork bomb stops at the pids limit, and nothing is left" {
	run_pod < <(hog)
	assert_hog_killed
	# shellcheck disable=SC2016 # for the container's shell
	run_shell 'for i in $(seq 80); do sleep 30 & done; echo all' '' ''
	assert_has all
	# shellcheck disable=SC2016 # for the container's shell
	run_pod --pids-limit 50 < <(simple_pod bomb 'for i in $(seq 80); do sleep 30 & done; echo all')
	[[ $status -ne 0 && $output != *all* && $stderr == *"can't fork"* ]]
	[[ -z $(pod_cgroups) ]]
}

# Linux 6.1 counts them where the process is, later ones where the limit is.
refused_forks()
{
	find /sys/fs/cgroup/minirun-bomb-* -name pids.events -exec cat {} + | awk '/^max / { n += $2 } END { print n }'
}

@test "while a fork bomb is at its pids limit the machine answers, and the bomb goes with its pod" {
	make_evil
	simple_pod bomb 'exec attack bomb' | sed 's/image: busybox/image: evil/' >"$T/bomb.yaml"
	"$MINIRUN" -d --pids-limit 50 "$T/bomb.yaml"
	# shellcheck disable=SC2016 # eval's
	eventually 60 eval '[[ $(cat /sys/fs/cgroup/minirun-bomb-*/pids.current) -eq 50 ]]'
	# It was refused more than it got; and it is still trying.
	before=$(refused_forks)
	run -0 timeout 60 "$MINIRUN" get bomb
	assert_has Running
	run_shell 'echo another pod runs'
	assert_has "another pod runs"
	after=$(refused_forks)
	echo "refused $before, then $after"
	((before > 50 && after > before))
	assert_equal "$(cat /sys/fs/cgroup/minirun-bomb-*/pids.current)" 50
	run -0 timeout 60 "$MINIRUN" delete --now bomb
	[[ -z $(pod_cgroups) ]]
	[[ -z $(pgrep -f 'attack bomb') ]]
}

@test "cpu limits hold within ten per cent; the pod has 4096 processes without a word" {
	run_pod <<-'EOF'
		apiVersion: v1
		kind: Pod
		metadata: {name: spin}
		spec:
		  restartPolicy: Never
		  containers:
		  - name: spin
		    image: busybox
		    command: [sh, -c, 'timeout 10 sh -c "while :; do :; done"; cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu.weight /sys/fs/cgroup/cpu.stat']
		    resources: {limits: {cpu: 200m}, requests: {cpu: 100m}}
	EOF
	assert_has "20000 100000"
	# Of a tenth of a processor, where a whole one has the default of 100.
	assert_has "| 17"
	# Each period of 100 ms has 20 ms; the first and the last may have begun earlier or be unfinished.
	usage=$(sed -n 's/.*usage_usec //p' <<<"$output" | head -n 1)
	periods=$(sed -n 's/.*nr_periods //p' <<<"$output" | head -n 1)
	echo "used $usage us in $periods periods"
	((periods >= 80 && usage * 10 >= (periods - 2) * 20000 * 9 && usage * 10 <= (periods + 2) * 20000 * 11))
	start_pod_of_pids
}

# The pod's own limit, seen from outside.
start_pod_of_pids()
{
	simple_pod pids 'echo up; sleep 60' >"$T/pids.yaml"
	"$MINIRUN" "$T/pids.yaml" >"$T/out" 2>&1 &
	PID=$!
	eventually 30 grep -q up "$T/out"
	assert_equal "$(cat /sys/fs/cgroup/minirun-pids-*/pids.max)" 4096
	kill -TERM $PID
	wait $PID || true
}

# The machine mounts cgroup2 as that is by itself, without nsdelegate. Then who owns a cgroup may write its limits, though it be the
# root of its namespace.
@test "who mounts the own cgroup lifts no limit: as root, in a pod of an ordinary user's, and entered" {
	make_evil
	greedy >"$T/pod.yaml"
	chmod 0644 "$T/pod.yaml"
	run_greedy "$MINIRUN"
	[[ -z $(pod_cgroups) ]]

	as_user "$MINIRUN" image load -q "$T/root" evil
	delegate
	run_greedy in_delegated
	delegated_is_empty
	rmdir /sys/fs/cgroup/delegated

	# Entered, and held still meanwhile or not.
	for capability in SYS_PTRACE KILL; do
		simple_pod entered 'sleep 600' "
    securityContext: {capabilities: {add: [$capability]}, appArmorProfile: {type: Unconfined}}
    resources: {limits: {memory: 16Mi, cpu: 300m}}" | sed 's/image: busybox/image: evil/' >"$T/entered.yaml"
		"$MINIRUN" -d "$T/entered.yaml"
		"$MINIRUN" wait entered --for=condition=Ready
		run -0 "$MINIRUN" exec entered -- attack limits
		assert_line "memory.max written"
		assert_equal "$(cat /sys/fs/cgroup/minirun-entered-*/main/{memory,cpu}.max)" $'16777216\n30000 100000'
		run -137 "$MINIRUN" exec entered -- dd if=/dev/zero of=/dev/null bs=64M count=1
		"$MINIRUN" delete entered
	done
}

# Beside one without a limit, so that the pod as a whole has none.
greedy()
{
	cat <<-EOF
		apiVersion: v1
		kind: Pod
		metadata: {name: greedy}
		spec:
		  restartPolicy: Never
		  securityContext: {appArmorProfile: {type: Unconfined}}
		  containers:
		  - name: main
		    image: evil
		    command: [sh, -c, 'attack limits; dd if=/dev/zero of=/dev/null bs=64M count=1; echo survived']
		    resources: {limits: {memory: 16Mi, cpu: 900m}}
		  - {name: calm, image: evil, command: ["true"]}
	EOF
}

run_greedy()
{
	status=0
	"$@" "$T/pod.yaml" >"$T/out" 2>"$T/err" || status=$?
	output=$(<"$T/out") stderr=$(<"$T/err")
	cat "$T/out" "$T/err"
	assert_has "memory.max written"
	assert_lacks "../cgroup.procs written"
	assert_lacks survived
	assert_status 137
	assert_last_error_has "it needed more than its memory limit of 16 MiB"
}

# An image with what attacks.
make_evil()
{
	mkdir "$T/root"
	tar -C "$T/root" -xf "$WORK/busybox.tar"
	cp "$REPO/build/tests/helpers/attack" "$T/root/bin/"
	"$MINIRUN" image load -q "$T/root" evil
}

# A cgroup that is the ordinary user's.
delegate()
{
	echo "+memory +pids +cpu" >/sys/fs/cgroup/cgroup.subtree_control
	mkdir /sys/fs/cgroup/delegated
	chown -R 65534:65534 /sys/fs/cgroup/delegated
}

# On the oldest kernel that minirun works on; tests/cgroups.bats has more.
@test "in the container its cgroup is the root, read-only; devices are refused by BPF, which is named; one with SYS_PTRACE is held while others enter" {
	make_evil
	cat >"$T/pod.yaml" <<-'EOF'
		apiVersion: v1
		kind: Pod
		metadata: {name: held}
		spec:
		  terminationGracePeriodSeconds: 0
		  containers:
		  - name: main
		    image: evil
		    command:
		    - sh
		    - -c
		    - |
		      cat /proc/self/cgroup; mkdir /sys/fs/cgroup/x; echo 1 >/sys/fs/cgroup/memory.max
		      mkdir -p /mnt; mount -t tmpfs none /mnt; mknod /mnt/mem c 1 1; cat /mnt/mem; mknod /mnt/zero c 1 5; head -c 1 /mnt/zero | od -c
		      exec attack ambush minirun
		    securityContext: {capabilities: {add: [SYS_PTRACE, SYS_ADMIN, SYS_RAWIO]}, appArmorProfile: {type: Unconfined}}
		    resources: {limits: {memory: 64Mi}}
	EOF
	run -0 --separate-stderr "$MINIRUN" -d "$T/pod.yaml"
	assert_lacks SYS_PTRACE
	# shellcheck disable=SC2016 # for another shell
	eventually 30 bash -c '"$MINIRUN" logs held | grep -q waiting'
	for _ in 1 2 3; do
		run -0 --separate-stderr "$MINIRUN" exec held -- \
			sh -c 'until grep -qx 0::/ /proc/self/cgroup; do :; done; cat /proc/self/cgroup /sys/fs/cgroup/memory.max'
		assert_equal "$output" $'0::/\n67108864'
	done
	"$MINIRUN" exec held -- sh -c 'true </mnt/mem; true' 2>/dev/null
	run "$MINIRUN" describe pod held
	assert_has "open /dev/mem (c 1:1: read) = EPERM (cgroup, cat)"
	assert_has "open /dev/mem (c 1:1: read) = EPERM (cgroup, sh)"
	run "$MINIRUN" logs held
	assert_line "0::/"
	assert_has "mkdir: can't create directory '/sys/fs/cgroup/x': Read-only file system"
	assert_has "/sys/fs/cgroup/memory.max: Read-only file system"
	assert_has "can't open '/mnt/mem': Operation not permitted"
	assert_has '0000000  \0'
	assert_lacks reached
	run -0 "$MINIRUN" top held
	assert_has 64Mi
	"$MINIRUN" delete held
	[[ -z $(pod_cgroups) ]]
}

@test "an ordinary user with a delegated cgroup has limits, and without one is told how to get it" {
	load_busybox as_user
	hog >"$T/pod.yaml"
	chmod 0644 "$T/pod.yaml"
	run -125 --separate-stderr as_user "$MINIRUN" "$T/pod.yaml"
	[[ $stderr == *"spec.containers[0].resources.limits.memory can't be set here: "* ]]
	[[ $stderr == *"no systemd of yours to ask"*"mend: run minirun as root; or "* || $stderr == *"mend: run minirun as root; or "*"no systemd of yours to ask"* ]]

	delegate
	status=0
	in_delegated "$T/pod.yaml" >"$T/out" 2>"$T/err" || status=$?
	output=$(<"$T/out") stderr=$(<"$T/err")
	cat "$T/err"
	assert_hog_killed
	[[ -z $(find /sys/fs/cgroup/delegated -mindepth 1 -type d) ]]

	# Killed in the foreground, at any time of its start, it leaves nothing.
	simple_pod killed 'echo up; sleep 600' '    resources: {limits: {memory: 64Mi}}' >"$T/killed.yaml"
	chmod 0644 "$T/killed.yaml"
	for name in minirun-supervisor main inside; do
		# shellcheck disable=SC2016 # for the inner shell
		HOME=$WORK/nobody/home XDG_RUNTIME_DIR=$WORK/nobody/runtime MINIRUN_STORE=$WORK/nobody/store \
			MINIRUN_ROOT=$WORK/nobody/run sh -c 'echo $$ >/sys/fs/cgroup/delegated/cgroup.procs; exec "$@"' sh \
			setpriv --reuid=65534 --regid=65534 --clear-groups "$MINIRUN" "$T/killed.yaml" >"$T/out" 2>&1 &
		PID=$!
		eventually 30 delegated_has "$name"
		kill -KILL $PID
		wait $PID || true
		eventually 30 delegated_is_empty
	done
	[[ -z $(cat /sys/fs/cgroup/delegated/cgroup.subtree_control) ]]

	# Killed, it leaves a cgroup in which another one can start; killed with its sandbox, it does when it was deleted.
	simple_pod killed 'sleep 600' '    resources: {limits: {memory: 64Mi}}' >"$T/killed.yaml"
	chmod 0644 "$T/killed.yaml"
	in_delegated -d "$T/killed.yaml"
	[[ -d /sys/fs/cgroup/delegated/minirun-supervisor ]]
	kill -KILL "$(jq .supervisor.pid "$WORK/nobody/run/killed/status.json")"
	eventually 30 delegated_is_empty
	in_delegated -d "$T/killed.yaml"
	# shellcheck disable=SC2046 # a number each
	kill -KILL $(cat /sys/fs/cgroup/delegated/minirun-supervisor/cgroup.procs)
	eventually 30 bash -c '! grep -q . /sys/fs/cgroup/delegated/minirun-supervisor/cgroup.procs'
	as_user "$MINIRUN" delete killed
	delegated_is_empty
	[[ -z $(cat /sys/fs/cgroup/delegated/cgroup.subtree_control) ]]
	rmdir /sys/fs/cgroup/delegated
}

delegated_has()
{
	[[ -n $(find /sys/fs/cgroup/delegated -mindepth 1 -type d -name "$1") ]]
}

delegated_is_empty()
{
	[[ -z $(find /sys/fs/cgroup/delegated -mindepth 1 -type d) ]]
}

# Runs minirun as the ordinary user in the delegated cgroup: by exec alone, so that nobody else is in it.
in_delegated()
{
	# shellcheck disable=SC2016 # for the inner shell
	HOME=$WORK/nobody/home XDG_RUNTIME_DIR=$WORK/nobody/runtime MINIRUN_STORE=$WORK/nobody/store \
		MINIRUN_ROOT=$WORK/nobody/run sh -c 'echo $$ >/sys/fs/cgroup/delegated/cgroup.procs; exec "$@"' sh \
		setpriv --reuid=65534 --regid=65534 --clear-groups "$MINIRUN" "$@"
}

# A manager of the user's as systemd starts one for a session, without one of the system.
@test "an ordinary user's limits are had from systemd, without a word, in the foreground and with -d" {
	local user=/sys/fs/cgroup/user
	mkdir -p /run/systemd/system
	load_busybox as_user
	echo "+memory +pids +cpu" >/sys/fs/cgroup/cgroup.subtree_control
	mkdir "$user" && echo "+memory +pids" >"$user/cgroup.subtree_control"
	mkdir "$user/session" "$user/manager"
	chown -R 65534:65534 "$user"
	as_session() {
		as_root_in "$user/session" as_user "$@"
	}
	as_root_in "$user/manager" as_user /lib/systemd/systemd --user --unit=basic.target >"$T/systemd.log" 2>&1 3>&- &
	eventually 60 as_user busctl --user status org.freedesktop.systemd1

	hog >"$T/pod.yaml"
	chmod 0644 "$T/pod.yaml"
	run --separate-stderr as_session "$MINIRUN" "$T/pod.yaml"
	assert_hog_killed
	assert_lacks systemd
	simple_pod scope 'sleep 600' '    resources: {limits: {memory: 64Mi}}' >"$T/scope.yaml"
	run -0 --separate-stderr as_session "$MINIRUN" -d "$T/scope.yaml"
	assert_equal "$(cat "$user"/manager/app.slice/minirun-scope-*.scope/minirun-scope-*/main/memory.max)" $((64 << 20))
	run -0 as_user "$MINIRUN" top scope
	assert_has 64Mi
	as_user "$MINIRUN" delete scope
	# check goes that way, too, and says what else the machine's systemd is to pass on; then it is there.
	run -0 as_session "$MINIRUN" check -o json
	[[ $(jq -r '.checks[] | select(.name == "limits") | .state + " " + .detail' <<<"$output") == "limited memory, pids, without cpu"* ]]
	[[ $(jq -r '.checks[] | select(.name == "limits") | .mend' <<<"$output") == *"or as root: systemctl edit user@.service, with the lines [Service] and Delegate=cpu memory pids, and log in again" ]]
	echo "+cpu" >"$user/cgroup.subtree_control"
	as_user systemctl --user daemon-reexec
	# And to a manager that a shell of su doesn't know.
	run -0 as_session "$MINIRUN" check -o json
	assert_equal "$(jq -r '.checks[] | select(.name == "limits") | .state + " " + .detail' <<<"$output")" "ok cpu, memory, pids, in a cgroup that systemd gives"
	mkdir -p /run/user
	ln -s "$WORK/nobody/runtime" /run/user/65534
	run as_session env -u XDG_RUNTIME_DIR "$MINIRUN" check -o json
	assert_equal "$(jq -r '.checks[] | select(.name == "limits") | .state + " " + .mend' <<<"$output")" \
		"missing export XDG_RUNTIME_DIR=/run/user/65534: your systemd is there, and gives minirun a cgroup"
	run -0 as_session env XDG_RUNTIME_DIR=/run/user/65534 "$MINIRUN" check -o json
	assert_equal "$(jq -r '.checks[] | select(.name == "limits") | .state' <<<"$output")" ok
	rm /run/user/65534
	eventually 30 bash -c '[[ -z $(find "$0" -name "minirun*") ]]' "$user"
	as_user systemctl --user exit || true
	wait
	find "$user" -depth -type d -exec rmdir {} +
	rm -rf "$WORK"/nobody/runtime/*
	rmdir /run/systemd/system
}

# as_root_in CGROUP COMMAND...: in that cgroup.
as_root_in()
(
	echo "$BASHPID" >"$1/cgroup.procs"
	shift
	"$@"
)
