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
