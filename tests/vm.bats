#!/usr/bin/env bats
# The virtual machine that the tests in tests/vm run in: what comes back from it, what ends it, what it leaves.

load helpers
setup_file()
{
	minirun_setup_file
	! file_is_left_out || return 0
	mkdir "$WORK/tmp"
}

vm()
{
	TMPDIR=$WORK/tmp "$REPO/tests/vm/run" "$@"
}

# The machines of this file: the folder they have their files in is in their command lines.
machines()
{
	pgrep -f "^qemu-system.*$WORK/tmp/"
}

no_machine()
{
	! machines >/dev/null
}

none_is_left()
{
	eventually 20 no_machine
	assert_equal "$(ls "$WORK/tmp")" ""
}

@test "a command's output, error, status, folder and environment are its own; what it writes is gone" {
	chmod 0755 "$T"
	echo before >file
	echo untouched >"$WORK/tmp.file"
	# shellcheck disable=SC2016 # the machine's own
	SOME="two words" run --separate-stderr vm -- bash -c '
		pwd; echo "$SOME"; cat file; echo after >file; cat file; echo x >/etc/vm-was-here
		uname -n; id -u; grep -c cgroup2 /proc/mounts; cat /sys/module/apparmor/parameters/enabled
		echo problem >&2; yes | head -c 300000 | wc -c; exit 37'
	assert_status 37
	assert_equal "$output" "$T"$'\n'"two words"$'\nbefore\nafter\nvm\n0\n1\nY\n300000'
	assert_equal "$stderr" "problem"
	assert_equal "$(cat file)" before
	[[ ! -e /etc/vm-was-here ]]
	none_is_left
}

@test "a time limit ends a machine that hangs" {
	run --separate-stderr vm --timeout 5 -- sleep 600
	assert_status 124
	assert_stderr_has "no end within 5 s"
	none_is_left
}

@test "a machine that dies early is told from a command that fails" {
	run --separate-stderr vm -- bash -c 'echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger; sleep 60'
	assert_status 125
	assert_stderr_has "ended early"
	assert_stderr_has "write_sysrq_trigger"
	none_is_left
}

@test "output comes as it is printed, and a machine goes with whoever started it, even when that is killed" {
	TMPDIR=$WORK/tmp "$REPO/tests/vm/run" -- bash -c 'echo started; sleep 600' >out 2>&1 3>&- &
	local starter=$!
	eventually 60 grep -qx started out
	kill -KILL "$starter"
	wait "$starter" || true
	eventually 20 no_machine
	rm -r "$WORK/tmp"/*
}
