# The history of the field's holes, against the real program: a hostile image, a hostile volume, a hostile neighbour.
#
# Rows that other files have: CVE-2019-16884, 19921, 2023-25809, 27561, 28642, 2024-45310, 2025-31133, 52565, 2026-41579, 47766
# and 2017-5226 in namespaces.bats; CVE-2017-1002101, 2021-30465 and 2025-9566 in volumes.bats; CVE-2022-29162 in security.bats;
# CVE-2026-30892 in manifest.bats; hostile archives in images.bats; hostile names in unit/images.c; CVE-2024-9676 also in
# unit/accounts.c, the filters' simulation (libseccomp's GHSA-4q85-33p6-j5g6) in unit/seccomp_compile.c.

load helpers

setup_file() { minirun_setup_file; }
teardown_file() { minirun_teardown_file; }
setup() { minirun_setup; }
teardown() { minirun_teardown; }

# The attacking program, with what a container may need beside it.
evil()
{
	[[ -e $WORK/evil-loaded ]] && return
	make -s -C "$REPO" BUILD="$WORK/build" "$WORK/build/tests/helpers/attack"
	# shellcheck disable=SC2016 # evaluated there
	evil_image evil 'cp "$WORK/build/tests/helpers/attack" bin/attack; ln bin/attack bin/victim'
	touch "$WORK/evil-loaded"
}

# evil_image NAME 'COMMANDS': loads an image from an archive of busybox' rootfs in which the commands ran, at its root.
evil_image()
{
	local root=$T/$1.root
	mkdir -p "$root"
	tar -C "$root" -xf "$WORK/busybox.tar"
	(cd "$root" && set -e && eval "$2")
	tar -C "$root" --owner=0 --group=0 -cf "$T/$1.tar" .
	"$MINIRUN" image load "$T/$1.tar" "$1" >"$T/load.log" 2>&1 || fail "$(cat "$T/load.log")"
	rm -rf "$root"
}

@test "CVE-2024-21626: a program's path, interpreter or folder through minirun's descriptors leads nowhere" {
	local n
	mkdir "$T/host"
	cp "$(command -v busybox)" "$T/host/sh"
	# shellcheck disable=SC2016 # evaluated there
	evil_image evil '
		for n in $(seq 3 40); do
			printf "#!/proc/self/fd/%s/../../../../../../../..$T/host/sh\n echo escaped\n" "$n" >"script$n"
			chmod 0755 "script$n"
			ln -s "/proc/self/fd/$n/../../../../../../../..$T/host/sh" "link$n"
		done'
	run_pod < <(
		simple_pod fds 'exit 0'
		for n in $(seq 3 40); do
			echo "  - {name: s$n, image: evil, command: [/script$n]}"
			echo "  - {name: l$n, image: evil, command: [/link$n, -c, echo escaped]}"
			echo "  - {name: w$n, image: evil, workingDir: /proc/self/fd/$n, command: [sh, -c, echo escaped]}"
		done
	)
	assert_lacks "| escaped"
	assert_has "cannot run /script9"
	assert_has "no such file in the image: /link9"
	assert_equal "$(grep -c "failed to start: workingDir: cannot open .*/proc/self/fd" <<<"$stderr")" 38
	assert_equal "$(grep -c "failed to start: " <<<"$stderr")" $((3 * 38))
}

# start_pod <<YAML: in the background, $SUPERVISOR is its pid, standard output and error in $T/out and $T/err.
start_pod()
{
	cat >"$T/pod.yaml"
	"$MINIRUN" "$T/pod.yaml" >"$T/out" 2>"$T/err" </dev/null 3>&- &
	SUPERVISOR=$!
}

@test "a tracer that keeps the dead holds neither minirun, nor exec, nor the end of the pod" {
	evil
	start_pod < <(simple_pod held 'exec attack trace victim' '' '  terminationGracePeriodSeconds: 1' | sed s/busybox/evil/)
	eventually 5 grep -q tracing "$T/out"
	run timeout 2 "$MINIRUN" exec held -- victim wait 1
	assert_status 124
	grep -q seized "$T/out"
	run timeout 5 "$MINIRUN" exec held -- echo alive
	assert_equal "$output" alive
	kill -TERM "$SUPERVISOR"
	eventually 5 bash -c "! kill -0 $SUPERVISOR 2>/dev/null"
}

@test "a tracer in a shared pid namespace can't hold another container's end past the pod's" {
	evil
	start_pod < <(simple_pod held 'attack trace victim & exec tail -f /dev/null' '
  - {name: other, image: evil, command: [sh, -c, "usleep 300000; exec victim wait 1"]}' '
  terminationGracePeriodSeconds: 1
  shareProcessNamespace: true' | sed s/busybox/evil/)
	eventually 5 grep -q seized "$T/out"
	sleep 0.3
	kill -TERM "$SUPERVISOR"
	eventually 5 bash -c "! kill -0 $SUPERVISOR 2>/dev/null"
	grep -q "^other .*exited 137" "$T/err"
}

@test "a process that outlives its container and floods its output holds nobody" {
	run timeout -s KILL 10 "$MINIRUN" - < <(simple_pod flood 'yes & usleep 100000; exit 3' '' '  shareProcessNamespace: true')
	assert_status 3
}
