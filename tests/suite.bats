#!/usr/bin/env bats
# tests/scripts/suite: what becomes of tests when it is ended.

load helpers

@test "ended with its process group it ends its tests, which take down what they have set up" {
	local suite
	mkdir "$T/tmp"
	# A line that began with @test would be one of this file's.
	sed 's/^case/@test/' >"$T/inner.bats" <<-'EOF'
		setup_file() { setsid sleep 1000 >/dev/null 2>&1 3>&- & echo $! >"$T/pid"; }
		teardown_file() { kill "$(<"$T/pid")"; touch "$T/down"; }
		case "long" {
			touch "$T/up"
			sleep 1000
		}
	EOF
	# As from a shell: nothing of this bats', and with a group of its own.
	# (bats puts a program of that name before the one to be called.)
	env -i PATH="${PATH#*/bats-core:}" T="$T" TMPDIR="$T/tmp" setsid "$REPO/tests/scripts/suite" "$T/inner.bats" >"$T/out" 2>&1 3>&- &
	suite=$!
	eventually 60 test -e "$T/up"
	kill -TERM -- "-$suite"
	status=0
	wait "$suite" || status=$?
	assert_status 130
	[[ -e $T/down ]]
	# shellcheck disable=SC2016 # eval's
	eventually 10 eval '! kill -0 "$(<"$T/pid")" 2>/dev/null'
	[[ -z $(find "$T/tmp" -mindepth 1) ]] || fail "$(find "$T/tmp")"
}
