#!/usr/bin/env bats
# Limits under cgroup v2, as root and in a cgroup that was delegated to a user.

load helpers
setup_file() { vm_setup_file; }
teardown_file() { minirun_teardown_file; }
setup() { vm_setup; }
teardown() { vm_teardown; }

# A pod of two, of which one needs too much memory.
hog()
{
	cat <<-EOF
		apiVersion: v1
		kind: Pod
		metadata: {name: hog}
		spec:
		  restartPolicy: Never
		  containers:
		  - name: hog
		    image: busybox
		    command: [sh, -c, 'dd if=/dev/zero of=/dev/null bs=64M; echo survived']
		    resources: {limits: {memory: 16Mi}}
		  - {name: calm, image: busybox, command: [sh, -c, 'sleep 2; echo fine']}
	EOF
}

assert_hog_killed()
{
	assert_status 137
	assert_has fine
	[[ $output != *survived* ]]
	assert_last_error_has "container hog: OOMKilled (killed by signal 9, Killed): it needed more than its memory limit of 16 MiB"
}

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
		    command: [sh, -c, 'timeout 10 sh -c "while :; do :; done"; cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu.stat']
		    resources: {limits: {cpu: 200m}, requests: {cpu: 100m}}
	EOF
	assert_has "20000 100000"
	# 10 s at a fifth of a processor are 2 s, of which 0.2 s are allowed for, and a period at either end.
	usage=$(sed -n 's/.*usage_usec //p' <<<"$output" | head -n 1)
	echo "used $usage us"
	((usage < 2400000))
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

@test "an ordinary user with a delegated cgroup has limits, and without one is told how to get it" {
	load_busybox as_user
	hog >"$T/pod.yaml"
	chmod 0644 "$T/pod.yaml"
	run -125 --separate-stderr as_user "$MINIRUN" "$T/pod.yaml"
	[[ $stderr == *"spec.containers[0].resources.limits.memory can't be set here: "* ]]
	[[ $stderr == *"systemd-run --user --scope -p Delegate=yes"* ]]

	echo "+memory +pids +cpu" >/sys/fs/cgroup/cgroup.subtree_control
	mkdir /sys/fs/cgroup/delegated
	chown -R 65534:65534 /sys/fs/cgroup/delegated
	status=0
	# By exec alone, so that nobody else is in it.
	HOME=$WORK/nobody/home XDG_RUNTIME_DIR=$WORK/nobody/runtime MINIRUN_STORE=$WORK/nobody/store \
		MINIRUN_ROOT=$WORK/nobody/run sh -c 'echo $$ >/sys/fs/cgroup/delegated/cgroup.procs; exec "$@"' sh \
		setpriv --reuid=65534 --regid=65534 --clear-groups "$MINIRUN" "$T/pod.yaml" >"$T/out" 2>"$T/err" ||
		status=$?
	output=$(<"$T/out") stderr=$(<"$T/err")
	cat "$T/err"
	assert_hog_killed
	[[ -z $(find /sys/fs/cgroup/delegated -mindepth 1 -type d) ]]
	rmdir /sys/fs/cgroup/delegated
}
