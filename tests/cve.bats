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

# device_pod VOLUME: one container makes a device in it, the other has that as a subPath.
device_pod()
{
	cat <<YAML
apiVersion: v1
kind: Pod
metadata: {name: device}
spec:
  restartPolicy: Never
  volumes: [{name: v, $1}]
  initContainers:
  - {name: make, image: busybox, command: [mknod, /v/data, c, "1", "5"], volumeMounts: [{name: v, mountPath: /v}]}
  containers:
  - {name: main, image: busybox, command: [sh, -c, "ls -l /data && head -c 1 /data"],
     volumeMounts: [{name: v, mountPath: /data, subPath: data}]}
YAML
}

@test "a device that a container leaves in a volume can't be opened through a subPath either" {
	needs_root
	mkdir "$T/host"
	for volume in "hostPath: {path: $T/host}" "emptyDir: {}" "emptyDir: {medium: Memory}"; do
		run_pod < <(device_pod "$volume")
		assert_status 1
		assert_has "crw-r--r--"
		assert_has "head: /data: Permission denied"
	done
}

@test "a device in the host's /dev/shm can't be opened" {
	needs_root
	run_shell "mknod /dev/shm/${WORK##*/} c 1 3 && echo made && echo x >/dev/shm/${WORK##*/}; rm -f /dev/shm/${WORK##*/}" \
		'' '  hostIPC: true'
	assert_line made
	assert_has "can't create /dev/shm/${WORK##*/}: Permission denied"
}

# squatter FOLDER: another user's folder at a place that would be ours, with a socket that answers like a supervisor.
squatter()
{
	cat >"$T/squat.py" <<-'PYTHON'
		import fcntl, os, socket, sys
		os.makedirs(sys.argv[1] + "/demo")
		fd = os.open(sys.argv[1] + "/demo", os.O_RDONLY)
		fcntl.flock(fd, fcntl.LOCK_EX)
		listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		listener.bind(sys.argv[1] + "/demo/control")
		os.chmod(sys.argv[1] + "/demo/control", 0o777)
		listener.listen()
		print("ready", flush=True)
		print("overheard:", listener.accept()[0].recv(65536), flush=True)
	PYTHON
	setpriv --reuid=4444 --regid=4444 --clear-groups /usr/bin/python3 "$T/squat.py" "$1" >"$T/overheard" 3>&- &
	SQUATTER=$!
	eventually 5 grep -q ready "$T/overheard"
}

@test "another user's folder in the place of ours is neither used nor listened to" {
	needs_root
	mkdir -m 1777 "$T/tmp"
	squatter "$T/tmp/minirun"
	MINIRUN_ROOT=$T/tmp/minirun run --separate-stderr "$MINIRUN" exec demo -- echo secret
	assert_status 125
	assert_last_error_has "folder $T/tmp/minirun is not yours alone"
	simple_pod squat true >"$T/pod.yaml"
	MINIRUN_ROOT=$T/tmp/minirun run --separate-stderr "$MINIRUN" "$T/pod.yaml"
	assert_status 125
	assert_last_error_has "folder $T/tmp/minirun is not yours alone"
	kill "$SQUATTER"
	assert_equal "$(cat "$T/overheard")" ready
}

@test "the termination message can't spoil a line of JSON, nor reach the terminal raw" {
	run_pod -o json < <(simple_pod message 'printf "a\377b\033[31mc\"" >/dev/termination-log; exit 1')
	assert_equal "$(jq -r 'select(.type == "exited").message' <<<"$output")" "$(printf 'exited 1 after %s ms, leaving the message: a\xef\xbf\xbdb\033[31mc"' \
		"$(sed -n 's/.*exited 1 after \([0-9]*\) ms.*/\1/p' <<<"$output")")"
	run_pod < <(simple_pod message 'printf "a\377b\033[31mc" >/dev/termination-log; exit 1')
	assert_lacks $'\033'
}

@test "descriptors 0, 1 and 2 that are closed at the start become nobody's" {
	simple_pod closed 'ls -l /proc/self/fd; echo out; echo err >&2; exit 7' >"$T/pod.yaml"
	for closed in '<&-' '>&-' '2>&-' '<&- >&- 2>&-'; do
		run eval '"$MINIRUN" "$T/pod.yaml"' "$closed"
		assert_status 7
	done
	run bash -c '"$MINIRUN" "$T/pod.yaml" <&- 2>&-'
	assert_line "main       | out"
}
