#!/usr/bin/env bats
# Which AppArmor profile a container gets, whether it is under it, and what is said where it can't be.

load helpers
setup_file() { vm_setup_file; }
teardown_file() { minirun_teardown_file; }
setup() { vm_setup; }
teardown() { vm_teardown; }

LABEL='cat /proc/self/attr/apparmor/current'
STAMP=/run/minirun-default.apparmor

# What stands in a container's securityContext for a profile.
localhost()
{
	echo "appArmorProfile: {type: Localhost, localhostProfile: '$1'}"
}

unload_default()
{
	"$MINIRUN" apparmor unload minirun-default 2>/dev/null || true
	rm -f "$STAMP"
}

loads_of_default()
{
	audit_lines | grep -c 'operation="profile_\(load\|replace\)".*name="minirun-default"'
}

@test "a Localhost profile is entered by root and by an ordinary user, with each no_new_privs and seccomp mode, by exec too" {
	local nnp seccomp
	load_profile vm-strict <<-RULES
		file,
		capability,
		network,
		audit deny /tmp/secret rw,
	RULES
	for nnp in true false; do
		for seccomp in Unconfined RuntimeDefault; do
			run_shell "$LABEL; echo >/tmp/secret" "    securityContext: {allowPrivilegeEscalation: $nnp,
        seccompProfile: {type: $seccomp}, $(localhost vm-strict)}"
			assert_status 1
			assert_line "vm-strict (enforce)"
			assert_has "can't create /tmp/secret: Permission denied"
		done
	done
	run_shell "$LABEL" "    securityContext: {runAsUser: 1000, $(localhost vm-strict)}"
	assert_equal "$output" "vm-strict (enforce)"
	# A program that is over at once is looked at all the same.
	run_pod < <(simple_pod quick true "    securityContext: {$(localhost vm-strict)}" | sed 's/command:.*/command: ["busybox", "true"]/')
	assert_status 0

	load_busybox as_user
	simple_pod user "$LABEL; echo ready; sleep 600" \
		"    securityContext: {$(localhost vm-strict)}" '  terminationGracePeriodSeconds: 1' >pod.yaml
	as_user sh -c 'echo $$; exec "$1" pod.yaml' sh "$MINIRUN" >out 2>err &
	eventually 60 grep -q ready out
	run as_user "$MINIRUN" exec user -- cat /proc/self/attr/apparmor/current
	assert_equal "$output" "vm-strict (enforce)"
	run as_user "$MINIRUN" exec user -- touch /tmp/secret
	assert_status 1
	assert_has "Permission denied"
	# What joins the container is under its profile, or doesn't.
	"$MINIRUN" apparmor unload vm-strict
	LOADED_PROFILES=()
	run as_user "$MINIRUN" exec user -- true
	assert_status 125
	assert_has 'cannot enter AppArmor profile "vm-strict": No such file or directory'
	kill -TERM "$(head -1 out)"
	wait $! || true
	grep -q 'main *| vm-strict (enforce)' out
}

@test "RuntimeDefault and no profile at all are minirun-default, loaded once, again when its text is another; privileged is not" {
	unload_default
	# Four at once load it once.
	local i
	for i in 1 2 3 4; do
		simple_pod "p$i" "$LABEL" >"p$i.yaml"
		"$MINIRUN" -q "p$i.yaml" >"out$i" &
	done
	wait
	assert_equal "$(cat out1 out2 out3 out4 | strip_prefix main)" "$(yes "minirun-default (enforce)" | head -4)"
	assert_equal "$(loads_of_default)" 1

	run_shell "$LABEL; mkdir -p /tmp; mount -t tmpfs t /tmp; echo -n 'changeprofile unconfined' >/proc/self/attr/apparmor/current
		sleep 9 & kill \$! && echo killed; echo 5 >/proc/self/oom_score_adj && echo adjusted
		cat /proc/1/environ >/dev/null && echo traced" '    securityContext: {appArmorProfile: {type: RuntimeDefault},
        capabilities: {add: [SYS_ADMIN]}}'
	assert_line "minirun-default (enforce)"
	assert_line killed
	assert_line adjusted
	assert_line traced
	audit_lines | grep -q 'operation="mount".*profile="minirun-default"'
	audit_lines | grep -q 'operation="change_profile".*profile="minirun-default".*target="unconfined"'
	# What a privileged container would reach, for one that isn't but has the pieces.
	run aa-exec -p minirun-default -- sh -c "cat /sys/kernel/security/apparmor/profiles; echo >/proc/sys/kernel/domainname
		echo >/sys/kernel/mm/ksm/run; echo >/proc/sysrq-trigger; kill -0 $$; cat /proc/sys/kernel/osrelease"
	assert_equal "$(grep -ci 'denied\|not permitted' <<<"$output")" 5
	assert_has "$(uname -r)"

	run_shell "$LABEL" '    securityContext: {appArmorProfile: {type: Unconfined}}'
	assert_equal "$output" unconfined
	run_shell "$LABEL" '    securityContext: {privileged: true}'
	assert_equal "$output" unconfined
	run_shell "$LABEL" '    securityContext: {privileged: true, appArmorProfile: {type: RuntimeDefault}}'
	assert_equal "$output" unconfined
	assert_stderr_has "a privileged container gets no AppArmor profile by RuntimeDefault"
	assert_equal "$(loads_of_default)" 1

	echo "of an older minirun" >"$STAMP"
	run_shell "$LABEL"
	assert_equal "$output" "minirun-default (enforce)"
	assert_equal "$(loads_of_default)" 2
	# Somebody else's of that name is theirs.
	unload_default
	echo 'profile minirun-default flags=(attach_disconnected,complain) { }' | apparmor_parser --replace --skip-cache
	run_shell "$LABEL"
	assert_stderr_has 'AppArmor profile "minirun-default" is loaded in complain mode: it refuses nothing'
	assert_equal "$(loads_of_default)" 3
	run "$MINIRUN" apparmor load
	assert_equal "$output" "minirun-default loaded, enforce mode"
	# The text changed under a container: none of it left unloaded.
	assert_equal "$(profile_mode minirun-default)" enforce
}

@test "an ordinary user's pod does without minirun-default where it isn't loaded, but not where it is asked for" {
	unload_default
	load_busybox as_user
	simple_pod user "$LABEL" >unset.yaml
	simple_pod user "$LABEL" '    securityContext: {appArmorProfile: {type: RuntimeDefault}}' >asked.yaml
	run --separate-stderr as_user "$MINIRUN" unset.yaml
	assert_status 0
	assert_has "| unconfined"
	assert_stderr_has "the pod runs without AppArmor's default profile"
	assert_stderr_has "sudo minirun apparmor load"
	run as_user "$MINIRUN" asked.yaml
	assert_status 125
	assert_has 'Cannot enforce AppArmor: profile "minirun-default" is not loaded, and only root can load it'
	run as_user "$MINIRUN" apparmor load
	assert_status 125
	assert_has "only root may load profiles"
	run as_user "$MINIRUN" explain asked.yaml
	assert_status 125
	assert_has "AppArmor      minirun-default, the default profile, which is not loaded"
	run "$MINIRUN" explain asked.yaml
	assert_has "AppArmor      minirun-default, the default profile, loaded by the first start"
	assert_equal "$(profile_mode minirun-default)" ""

	"$MINIRUN" apparmor load
	run --separate-stderr as_user "$MINIRUN" asked.yaml
	assert_status 0
	assert_has "| minirun-default (enforce)"
	run --separate-stderr as_user "$MINIRUN" unset.yaml
	assert_has "| minirun-default (enforce)"
	[[ $stderr != *warning* ]]
	run as_user "$MINIRUN" apparmor ls
	assert_status 0
	assert_line "minirun-default (enforce)"
}

@test "a profile that isn't loaded is refused with the names near it and the file beside the manifest, which apparmor load takes" {
	mkdir -p lab/profiles
	simple_pod lab "$LABEL" "    securityContext: {$(localhost vm-web)}" >lab/pod.yaml
	load_profile vm-webs <<<"file,"
	run "$MINIRUN" lab/pod.yaml
	assert_status 125
	assert_has 'Cannot enforce AppArmor: profile "vm-web" is not loaded (loaded are vm-webs; as root, `minirun apparmor load FILE`'
	echo 'profile vm-other { }' >lab/vm-web
	run "$MINIRUN" lab/pod.yaml
	assert_has 'lab/vm-web lies beside the manifest, but there is no "profile vm-web" in it'
	printf 'profile vm-web flags=(attach_disconnected) {\n  file,\n  profile worker {\n    file,\n  }\n}\nprofile vm-loose flags=(complain) {\n}\n' >lab/profiles/web.txt
	run "$MINIRUN" lab/pod.yaml
	assert_has 'lab/profiles/web.txt holds it: `minirun apparmor load lab/profiles/web.txt` loads it'
	run as_user "$MINIRUN" explain lab/pod.yaml
	assert_has '`sudo minirun apparmor load lab/profiles/web.txt` loads it'

	LOADED_PROFILES+=(vm-web vm-loose)
	run "$MINIRUN" apparmor load lab/profiles/web.txt
	assert_status 0
	assert_line "vm-web loaded, enforce mode"
	assert_line "vm-loose loaded, complain mode"
	run "$MINIRUN" -q lab/pod.yaml
	assert_equal "$(strip_prefix main <<<"$output")" "vm-web (enforce)"
	run_shell "$LABEL" "    securityContext: {$(localhost vm-loose)}"
	assert_status 0
	assert_stderr_has 'AppArmor profile "vm-loose" is loaded in complain mode'
	# The field of the container before the annotation, that before the pod's.
	sed 's/^  name: lab/&\n  annotations: {container.apparmor.security.beta.kubernetes.io\/main: localhost\/vm-webs}/
		s/^    securityContext.*//' lab/pod.yaml >annotated.yaml
	run "$MINIRUN" -q annotated.yaml
	assert_equal "$(strip_prefix main <<<"$output")" "vm-webs (enforce)"
	run_shell "$LABEL" "    securityContext: {$(localhost vm-web)}" "  securityContext: {$(localhost vm-webs)}"
	assert_equal "$output" "vm-web (enforce)"
	run_shell "$LABEL" '' "  securityContext: {$(localhost vm-webs)}"
	assert_equal "$output" "vm-webs (enforce)"
	assert_equal "$("$MINIRUN" explain -o json "$POD" | jq -c '.containers[0].appArmor')" \
		'{"type":"Localhost","profile":"vm-webs","mode":"enforce"}'
	# A child profile, a stack of two, and names that are none.
	run_shell "$LABEL" "    securityContext: {$(localhost vm-web//worker)}"
	assert_equal "$output" "vm-web//worker (enforce)"
	run_shell "$LABEL" "    securityContext: {$(localhost 'vm-web//&vm-webs')}"
	assert_equal "$output" "vm-web//&vm-webs (enforce)"
	# What the kernel doesn't do, whatever the plan: a program under no profile isn't taken for one under its own.
	run "$REPO/build/tests/unit/apparmor"
	assert_status 0
	local name
	for name in unconfined '&vm-web' ':none:vm-web' 'vm-web//none' 'vm-web//&none' 'vm-web (enforce)'; do
		run_shell "$LABEL" "    securityContext: {$(localhost "$name")}"
		assert_status 125
		assert_stderr_has "Cannot enforce AppArmor: "
		assert_equal "$output" ""
	done

	echo 'profile vm-broken { nonsense }' >broken
	run "$MINIRUN" apparmor load broken
	assert_status 125
	assert_has "cannot load broken: apparmor_parser says: "
	"$MINIRUN" apparmor unload vm-web
	run "$MINIRUN" apparmor unload vm-web
	assert_has 'profile "vm-web" is not loaded'
	run "$MINIRUN" lab/pod.yaml
	assert_status 125
}

@test "a minirun that is confined stacks the profile on its own, and says which rule it would need" {
	local rules='file, capability, network, unix, signal, ptrace, mount, umount, pivot_root,' nnp
	load_profile vm-strict <<-RULES
		file,
		audit deny /tmp/secret rw,
	RULES
	load_profile vm-outer <<<"$rules change_profile -> &vm-strict, change_profile -> &minirun-default, audit deny /tmp/outer rw,"
	load_profile vm-closed <<<"$rules"
	load_profile vm-named unconfined </dev/null
	for nnp in true false; do
		simple_pod inner "$LABEL; echo >/tmp/secret; echo >/tmp/outer" "    securityContext: {allowPrivilegeEscalation: $nnp,
        seccompProfile: {type: RuntimeDefault}, $(localhost vm-strict)}" >pod.yaml
		run aa-exec -p vm-outer -- "$MINIRUN" -q pod.yaml
		assert_has "| vm-outer//&vm-strict (enforce)"
		assert_has "can't create /tmp/secret: Permission denied"
		run aa-exec -p vm-closed -- "$MINIRUN" pod.yaml
		assert_status 125
		assert_has 'minirun itself is confined, by "vm-closed (enforce)", which does not let it stack this one: it lacks the rule "change_profile -> &vm-strict,"'
		# Confined by name only, as Ubuntu does it to let programs make user namespaces.
		run aa-exec -p vm-named -- "$MINIRUN" -q pod.yaml
		assert_has "| vm-strict (enforce)"
	done
	simple_pod inner "$LABEL; echo >/tmp/outer; sleep 9 & kill \$! && echo killed" >pod.yaml
	run aa-exec -p vm-outer -- "$MINIRUN" -q pod.yaml
	assert_has "| minirun-default//&vm-outer (enforce)"
	assert_has "can't create /tmp/outer: Permission denied"
	assert_has "| killed"
	# And it ends what it started.
	simple_pod inner "echo ready; sleep 600" '    securityContext: {allowPrivilegeEscalation: false}' '  terminationGracePeriodSeconds: 1' >pod.yaml
	aa-exec -p vm-outer -- "$MINIRUN" pod.yaml >out 2>&1 &
	eventually 60 grep -q ready out
	kill -TERM $!
	wait $! || true
	grep -q 'pod/inner' out
}
