#!/usr/bin/env bats
# The virtual machine is what the tests in it take it for, and the kernel does what we rely on it for.

load helpers
setup_file() { vm_setup_file; }
teardown_file() { minirun_teardown_file; }
setup() { vm_setup; }
teardown() { vm_teardown; }

@test "AppArmor is on, and every controller of cgroup v2 is there" {
	assert_equal "$(cat /sys/module/apparmor/parameters/enabled)" Y
	assert_equal "$(cat /proc/self/attr/apparmor/current)" unconfined
	for controller in cpuset cpu io memory pids; do
		[[ " $(cat "$CGROUP/cgroup.controllers") " == *" $controller "* ]] || fail "no controller $controller"
	done
	assert_equal "$(grep -c . /proc/self/cgroup)" 1
}

@test "the kernel facts hold here too" {
	local fact
	for fact in "$REPO"/tests/facts/*.c; do
		run "$REPO/build/tests/facts/$(basename "$fact" .c)"
		assert_status 0
	done
}

@test "a profile that is loaded refuses, says so in the kernel's log, and an explicit deny doesn't" {
	load_profile vm-facts <<-RULES
		file,
		capability,
		deny /etc/shadow r,
		audit deny /etc/gshadow r,
	RULES
	assert_equal "$(profile_mode vm-facts)" enforce
	run aa-exec -p vm-facts -- cat /etc/shadow
	assert_status 1
	assert_has "Permission denied"
	run aa-exec -p vm-facts -- cat /etc/gshadow
	assert_status 1
	audit_lines >log
	cat log
	grep -q 'apparmor="DENIED" operation="open".*profile="vm-facts" name="/etc/gshadow"' log
	run ! grep -q '"/etc/shadow"' log
}

@test "a pod runs here, as root and as an ordinary user" {
	run_shell 'cat /proc/self/attr/apparmor/current'
	assert_status 0
	assert_equal "$output" "minirun-default (enforce)"
	load_busybox as_user
	simple_pod user 'id -u' >pod.yaml
	run as_user "$MINIRUN" -q pod.yaml
	assert_status 0
	assert_equal "$output" "main     | 0"
}
