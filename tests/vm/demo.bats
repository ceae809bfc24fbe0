#!/usr/bin/env bats
# The demo of AppArmor: its README tells the truth.
# image: nginx

load helpers
setup_file()
{
	vm_setup_file
	demo_store
}
teardown_file()
{
	leave_demo_store
	minirun_teardown_file
}
setup() { vm_setup; }
teardown() { vm_teardown; }

@test "each command of the README of demo/apparmor prints what it says" {
	cd "$REPO"
	PATH=$WORK/bin:$PATH run tests/scripts/console demo/apparmor/README.md
	"$MINIRUN" apparmor ls | sed -n 's/^\(lock-[a-z]*\|demo-[a-z-]*\) .*/\1/p' | xargs -r "$MINIRUN" apparmor unload
	grep -v '^ok' <<<"$output" || true
	assert_status 0
}
