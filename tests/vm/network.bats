#!/usr/bin/env bats
# What AppArmor has to do with cp, and with the pasta that publishes ports.

load helpers
setup_file() { vm_setup_file; }
teardown_file() { minirun_teardown_file; }
setup() { vm_setup; }
teardown()
{
	"$MINIRUN" delete --force box >/dev/null 2>&1 || true
	vm_teardown
}

@test "cp is under the container's AppArmor profile, and pasta publishes under its own" {
	load_profile vm-copy <<-RULES
		file,
		capability,
		signal,
		network,
		deny /etc/secret rw,
	RULES
	apparmor_parser --replace --skip-cache /etc/apparmor.d/usr.bin.passt
	LOADED_PROFILES+=(passt)
	ip link set lo up
	simple_pod box 'echo up >/tmp/index.html; exec httpd -f -p 80 -h /tmp' '    ports: [{containerPort: 80, hostPort: 18080}]
    securityContext: {appArmorProfile: {type: Localhost, localhostProfile: vm-copy}}' '  terminationGracePeriodSeconds: 0' >box.yaml
	"$MINIRUN" -d box.yaml
	"$MINIRUN" wait box --for=condition=Ready
	echo hi >file
	"$MINIRUN" cp file box:/etc/open
	"$MINIRUN" cp box:/etc/open back
	assert_equal "$(cat back)" hi
	run --separate-stderr "$MINIRUN" cp file box:/etc/secret
	assert_status 1
	assert_last_error_has "cannot write /etc/secret: Permission denied"
	eventually 30 busybox wget -qO page http://127.0.0.1:18080/
	assert_equal "$(cat page)" up
	grep -qx 'passt (enforce)' <(cat "/proc/$(pgrep -f '^pasta ')/attr/current")
}
