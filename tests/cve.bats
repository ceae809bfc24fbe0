# The history of the field's holes, against the real program: a hostile image, a hostile volume, a hostile neighbour.
#
# Rows that other files have: CVE-2019-16884, 19921, 2023-25809, 27561, 28642, 2024-45310, 2025-31133, 52565, 2026-41579, 47766
# and 2017-5226 in namespaces.bats; CVE-2017-1002101, 2021-30465 and 2025-9566 in volumes.bats; CVE-2022-29162 in security.bats;
# CVE-2026-30892 in manifest.bats; hostile archives in images.bats; hostile names in unit/images.c; CVE-2024-9676 also in
# unit/accounts.c, the filters' simulation (libseccomp's GHSA-4q85-33p6-j5g6) in unit/seccomp_compile.c.

load helpers

# The attacking program, with what a container may need beside it.
evil()
{
	[[ -e $WORK/evil-loaded ]] && return
	helper_programs attack
	# shellcheck disable=SC2016 # evaluated there
	evil_image evil 'cp "$WORK/helpers/attack" bin/attack; ln bin/attack bin/victim'
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
	# By its own end where a cgroup takes the tracer along with its container, else by force.
	grep -Eq "^other .*exited 1(37|43)" "$T/err"
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

@test "nor does one that outlives a command of exec" {
	start_pod < <(simple_pod flood 'exec sleep 30' '' '  terminationGracePeriodSeconds: 0')
	eventually 5 grep -q started "$T/err"
	"$MINIRUN" exec flood -- sh -c 'yes & head -c 60000 /dev/zero >&2; exit 5' >/dev/null 2>"$T/zeros" &
	local client=$! code=0
	eventually 5 bash -c "! kill -0 $client 2>/dev/null"
	wait "$client" || code=$?
	assert_equal "$code" 5
	assert_equal "$(stat -c %s "$T/zeros")" 60000
	kill -TERM "$SUPERVISOR"
	wait "$SUPERVISOR" || true
}

@test "a device that a container leaves in a volume can't be opened through a subPath either" {
	mkdir "$T/host"
	for volume in "hostPath: {path: $T/host}" "emptyDir: {}" "emptyDir: {medium: Memory}"; do
		run_pod < <(device_pod "$volume")
		assert_status 1
		assert_has "crw-r--r--"
		assert_has "head: /data: Permission denied"
	done
}

@test "a device in the host's /dev/shm can't be opened" {
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
		print(os.getpid(), "ready", flush=True)
		print("overheard:", listener.accept()[0].recv(65536), flush=True)
	PYTHON
	as_somebody_else /usr/bin/python3 "$T/squat.py" "$1" >"$T/overheard" 3>&- &
	eventually 5 grep -q ready "$T/overheard"
	SQUATTER=$(cut -d' ' -f1 "$T/overheard")
}

@test "another user's folder in the place of ours is neither used nor listened to" {
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
	assert_equal "$(cat "$T/overheard")" "$SQUATTER ready"
}

@test "a folder that others may write to is not believed, and delete follows no link in it" {
	mkdir -m 0700 "$T/root"
	mkdir -p "$T/root/bait" "$T/mine/kept"
	echo '{"metadata": {"name": "bait"}}' >"$T/root/bait/manifest.json"
	echo '{"metadata": {}, "status": {}}' >"$T/root/bait/status.json"
	ln -s "$T/mine/kept" "$T/root/bait/data"
	chmod 1777 "$T/root"
	for verb in "delete bait" "get pods" "logs bait" "describe pod bait"; do
		# shellcheck disable=SC2086 # words
		MINIRUN_ROOT=$T/root run --separate-stderr "$MINIRUN" $verb
		assert_status 1
		assert_last_error_has "folder $T/root is not yours alone"
	done
	[[ -d $T/mine/kept ]]
}

@test "no name or message of a container's reaches the terminal as control characters of UTF-8, nor spoils JSON or YAML" {
	local command='printf "a\302\233b\342\200\256c\377" >/dev/termination-log; mkdir "$(printf "/x\302\233y")"; exit 1'
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}' >deny.json
	simple_pod message "$command" \
		"    securityContext: {seccompProfile: {type: Localhost, localhostProfile: deny.json}}" >pod.yaml
	run --separate-stderr "$MINIRUN" pod.yaml
	assert_stderr_has 'a\xc2\x9bb\xe2\x80\xaec'
	assert_stderr_has 'denied mkdir("/x\xc2\x9by", 0777)'
	"$MINIRUN" -d pod.yaml
	"$MINIRUN" wait pod/message --for=jsonpath='{.status.phase}'=Failed
	run --separate-stderr "$MINIRUN" describe pod message
	[[ $output == *'a\xc2\x9bb\xe2\x80\xaec'* ]]
	"$MINIRUN" get pod message -o json | iconv -f UTF-8 -t UTF-8 | jq -e .status >/dev/null
	"$MINIRUN" get pod message -o yaml | iconv -f UTF-8 -t UTF-8 >/dev/null
	"$MINIRUN" delete pod message
}

@test "no word of an image's reaches the terminal as a control character, by errors, findings or explain" {
	local e='\u001b[31m\u009b' control=$'[\x01-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' word
	load_image() { "$MINIRUN" image load "$WORK/busybox.tar" odd --config config.json >load.log 2>&1; }
	simple_pod odd true | sed 's/image: .*/image: odd/' >pod.yaml
	for word in "\"WorkingDir\": \"/w$e\"" "\"Env\": [\"E$e=1\"]" "\"Volumes\": {\"/proc/$e\": {}}" \
		"\"WorkingDir\": \"/etc/passwd/$e\"" "\"User\": \"u$e\"" "\"Labels\": {\"$e\": \"$e\"}" "\"X$e\": 1"; do
		echo "{\"config\": {$word}}" >config.json
		load_image || true
		{ cat load.log; "$MINIRUN" image inspect odd; "$MINIRUN" explain pod.yaml; "$MINIRUN" pod.yaml; } >all 2>&1 || true
		run ! env LC_ALL=C grep -aP "$control" all
		grep -qF '\x1b[31m\xc2\x9b' all
	done
	# A docker-archive whose manifest names its configuration so.
	echo "[{\"Config\": \"$e/x\", \"RepoTags\": [\"a:1\"], \"Layers\": [\"x\"]}]" >manifest.json
	tar -cf saved.tar manifest.json
	run --separate-stderr "$MINIRUN" image load saved.tar
	assert_status 125
	run ! env LC_ALL=C grep -aP "$control" <<<"$stderr"
	"$MINIRUN" image rm odd
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

# own_program: $MINIRUN becomes a copy that the attacked user owns, and $BEFORE its digest.
own_program()
{
	cp "$MINIRUN" "$T/minirun"
	chmod 0755 "$T/minirun"
	# Without root it is ours anyhow.
	[[ -z ${1:-} ]] || ! is_root || chown "$1:$1" "$T/minirun"
	MINIRUN=$T/minirun
	BEFORE=$(sha256sum <"$MINIRUN")
}

# What a container does to the program that starts it: has it executed as its own, with a loader that keeps it running; opens
# it for writing through every process that it sees; and again by descriptors that name it, when nothing runs it any more.
overwrite_pod()
{
	cat <<YAML
apiVersion: v1
kind: Pod
metadata: {name: overwrite}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  shareProcessNamespace: true
  containers:
  - {name: shebang, image: overwrite, command: [/shebang]}
  - {name: exe, image: overwrite, command: [/proc/self/exe]}
  - {name: loader, image: overwrite, command: [/loader]}
  - name: main
    image: overwrite
    command: [attack, overwrite, "2"]
${1:-}
YAML
}

overwrite_image()
{
	helper_programs bare
	local LOADER
	# shellcheck disable=SC2034 # used there
	LOADER=$(LC_ALL=C readelf -l "$MINIRUN" | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
	# shellcheck disable=SC2016 # evaluated there
	evil_image overwrite '
		cp "$WORK/helpers/attack" bin/attack
		printf "#!/proc/self/exe\n" >shebang
		chmod 0755 shebang
		echo "int main(void) { return 0; }" >loader.c
		gcc -Wl,--dynamic-linker=/proc/self/exe -o loader loader.c
		mkdir -p ".${LOADER%/*}"
		cp "$WORK/helpers/bare" ".$LOADER"'
}

# try_to_overwrite POD-LINES COMMAND...
try_to_overwrite()
{
	local pod i
	overwrite_pod "$1" >"$T/pod.yaml"
	chmod 0644 "$T/pod.yaml"
	shift
	# shellcheck disable=SC2016 # evaluated there
	"$@" sh -c 'echo $$ && exec "$0" "$1"' "$MINIRUN" "$T/pod.yaml" >"$T/out" 2>"$T/err" </dev/null 3>&- &
	pod=$!
	eventually 5 grep -q "main .*started" "$T/err"
	for i in 1 2 3; do
		"$@" timeout 0.2 "$MINIRUN" exec overwrite -c main -- /shebang "$i" || true
	done
	eventually 10 grep -q tried "$T/out"
	kill -TERM "$(head -n 1 "$T/out")"
	wait "$pod" || true
	run cat "$T/out" "$T/err"
	assert_lacks "overwrote"
	assert_lacks "changed"
	# It did see it.
	grep -q "tried [1-9]" "$T/out" || fail "never seen"
	assert_equal "$(sha256sum <"$MINIRUN")" "$BEFORE"
}

@test "CVE-2019-5736: minirun's own program can't be overwritten through /proc/self/exe" {
	evil
	overwrite_image
	own_program
	try_to_overwrite "" env
}

@test "CVE-2019-5736: nor when it belongs to the ordinary user who is root in there" {
	evil
	overwrite_image
	own_program 65534
	as_user "$MINIRUN" image load "$T/overwrite.tar" overwrite
	try_to_overwrite "" as_user
}

@test "CVE-2019-5736: nor when that user's container is privileged" {
	evil
	overwrite_image
	own_program 65534
	as_user "$MINIRUN" image load "$T/overwrite.tar" overwrite
	try_to_overwrite '    securityContext: {privileged: true}' as_user
}

@test "CVE-2016-9962: while containers start and commands enter, another one finds nothing of the host's in /proc" {
	local i
	evil
	echo canary >"$T/canary"
	start_pod < <(
		simple_pod roots "exec timeout 3 attack roots $T/canary" '' '  shareProcessNamespace: true' | sed s/busybox/evil/
		for i in $(seq 10); do
			echo "  - {name: c$i, image: busybox, command: ['true']}"
		done
	)
	eventually 5 grep -q looking "$T/out"
	for i in $(seq 10); do
		"$MINIRUN" exec roots -c main -- true || true
	done
	wait "$SUPERVISOR" || true
	run ! grep found "$T/out"
}

@test "CVE-2022-2989, CVE-2022-2990, CVE-2022-2995, CVE-2022-36109: the primary group is among the supplementary ones" {
	run_shell 'id -G; grep Groups /proc/self/status' '    securityContext: {runAsUser: 1234, runAsGroup: 3000}' \
		'  securityContext: {supplementalGroups: [4000]}'
	assert_line "3000 4000"
	assert_has "Groups:	3000 4000"
	# So a mode that keeps the group out keeps this one out.
	run_pod < <(
		cat <<-YAML
			apiVersion: v1
			kind: Pod
			metadata: {name: group}
			spec:
			  restartPolicy: Never
			  volumes: [{name: v, emptyDir: {}}]
			  initContainers:
			  - {name: make, image: busybox, command: [sh, -c, "echo secret >/v/f; chmod 0604 /v/f; chown 0:3000 /v/f"], volumeMounts: [{name: v, mountPath: /v}]}
			  containers:
			  - name: main
			    image: busybox
			    command: [cat, /v/f]
			    securityContext: {runAsUser: 1234, runAsGroup: 3000}
			    volumeMounts: [{name: v, mountPath: /v}]
		YAML
	)
	assert_status 1
	assert_has "can't open '/v/f': Permission denied"
}

@test "CVE-2024-40635, CVE-2026-46680: a number is a number, whatever the image's passwd calls by that name" {
	evil_image names '
		printf "1000:x:0:0::/root:/bin/sh\n4294967296:x:4294967296:0::/:\nbig:x:1001:4294967296::/:\n" >etc/passwd
		printf "1000:x:0:1000\nwheel:x:0:1000\nbig:x:4294967296:1000\n" >etc/group'
	for uid in 1000 1001 $(largest_id); do
		run_pod < <(simple_pod names 'id -u; id -g; id -G' "    securityContext: {runAsUser: $uid, runAsNonRoot: true}" |
			sed 's/image: busybox/image: names/')
		assert_status 0
		assert_has "main      | $uid"
	done
	for uid in 2147483648 4294967295 4294967296 -1; do
		run_pod < <(simple_pod names 'id -u' "    securityContext: {runAsUser: $uid}" | sed 's/image: busybox/image: names/')
		assert_status 125
		assert_has "runAsUser"
	done
}

@test "CVE-2024-9676: a passwd that is a pipe, endless, or a link to a device or to /proc holds nobody up" {
	# shellcheck disable=SC2016 # evaluated there
	evil_image pipe 'rm etc/passwd etc/group; mkfifo etc/passwd etc/group'
	evil_image sparse 'truncate -s 8M etc/passwd etc/group'
	evil_image device 'ln -sf /dev/zero etc/passwd; ln -sf /dev/zero etc/group'
	evil_image kmsg 'ln -sf /proc/kmsg etc/passwd; ln -sf /proc/kmsg etc/group'
	evil_image terminal 'ln -sf /proc/self/fd/0 etc/passwd; ln -sf /dev/tty etc/group'
	for image in pipe sparse device kmsg terminal; do
		# shellcheck disable=SC2016 # evaluated there
		simple_pod passwd 'echo $HOME' "    securityContext: {runAsUser: 0}" | sed "s/image: busybox/image: $image/" >"$T/pod.yaml"
		run timeout 5 "$MINIRUN" "$T/pod.yaml"
		assert_status 0
		assert_has "| /"
	done
}

@test "CVE-2021-25741: a subPath that changes places with a link to the host while containers start stays in the volume" {
	local i
	evil
	mkdir "$T/host"
	echo canary >"$T/host/canary"
	start_pod < <(
		cat <<-YAML
			apiVersion: v1
			kind: Pod
			metadata: {name: race}
			spec:
			  restartPolicy: Never
			  terminationGracePeriodSeconds: 0
			  volumes: [{name: v, emptyDir: {}}]
			  initContainers:
			  - name: prepare
			    image: evil
			    command: [sh, -c, "mkdir -p /v/real/sub && ln -s ../../../../../../../../../..$T/host /v/link"]
			    volumeMounts: [{name: v, mountPath: /v}]
			  containers:
			  - name: swap
			    image: evil
			    command: [attack, exchange, /v/real, /v/link, "4"]
			    volumeMounts: [{name: v, mountPath: /v}]
		YAML
		for i in $(seq 200); do
			printf '  - {name: c%s, image: busybox, command: [sh, -c, "ls /m; echo evil >/m/planted"], ' "$i"
			echo 'volumeMounts: [{name: v, mountPath: /m, subPath: real}]}'
		done
	)
	wait "$SUPERVISOR" || true
	run ! grep -q '| canary' "$T/out"
	assert_equal "$(cat "$T/host/canary")" canary
	assert_equal "$(ls "$T/host")" canary
	# Some of each: it was a race.
	[[ $(grep -c '^c[0-9]* *started' "$T/err") -gt 20 ]]
}

@test "CVE-2024-1753, CVE-2024-9407, CVE-2024-9341: links in a hostPath are followed in it alone once they are a subPath" {
	mkdir -p "$T/host/volume" "$T/host/secret"
	echo canary >"$T/host/secret/canary"
	ln -s "$T/host/secret" "$T/host/volume/absolute"
	ln -s ../secret "$T/host/volume/relative"
	ln -s /proc/self/root "$T/host/volume/magic"
	for sub in absolute relative magic; do
		run_pod < <(simple_pod link 'cat /m/canary; find /m -name canary; echo x >/m/new' \
			"    volumeMounts: [{name: v, mountPath: /m, subPath: $sub}]" \
			"  volumes: [{name: v, hostPath: {path: $T/host/volume}}]")
		assert_lacks "| canary"
		assert_lacks "/m/canary"$'\n'
	done
	assert_equal "$(ls "$T/host/secret")" canary
	[[ ! -e /new ]]
}

@test "CVE-2020-15257: no abstract socket is made, and the control socket is its owner's alone" {
	local before
	start_pod < <(simple_pod sockets 'exec sleep 30' '' '  {hostNetwork: true, terminationGracePeriodSeconds: 0}' |
		sed 's/^  {\(.*\), \(.*\)}$/  \1\n  \2/')
	eventually 5 test -S "$MINIRUN_ROOT/sockets/control"
	eventually 5 grep -q started "$T/err"
	run ! grep -qi '@.*minirun' /proc/net/unix
	run ls -l "/proc/$SUPERVISOR/ns/net"
	assert_equal "$(stat -c %a "$MINIRUN_ROOT")" 700
	assert_equal "$(stat -c %a "$MINIRUN_ROOT/sockets")" 700
	kill -TERM "$SUPERVISOR"
	wait "$SUPERVISOR" || true
}

@test "CVE-2020-15257: somebody else can't reach the control socket" {
	start_pod < <(simple_pod sockets 'exec sleep 30' '' '  terminationGracePeriodSeconds: 0')
	eventually 5 grep -q started "$T/err"
	run as_somebody_else env MINIRUN_ROOT="$MINIRUN_ROOT" "$MINIRUN" exec sockets -- true
	assert_status 125
	assert_has "Permission denied"
	kill -TERM "$SUPERVISOR"
	wait "$SUPERVISOR" || true
}

@test "CVE-2021-43784: nonsense on the control socket ends the connection, not the pod" {
	start_pod < <(simple_pod nonsense 'exec sleep 30' '' '  terminationGracePeriodSeconds: 0')
	eventually 5 grep -q started "$T/err"
	/usr/bin/python3 - "$MINIRUN_ROOT/nonsense/control" <<-'PYTHON'
		import array, os, socket, sys
		null = os.open("/dev/null", os.O_RDWR)
		def send(data, fds=()):
		    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		    s.settimeout(2)
		    s.connect(sys.argv[1])
		    s.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else [])
		    try:
		        return s.recv(65536)
		    except (ConnectionResetError, TimeoutError):
		        return b""
		for data in [b"x", b"[]", b"{}", b"null", b'{"argv": "sh"}', b'{"argv": []}', b'{"argv": [[], {}, null, 1]}', b"[" * 60000,
		             b'{"argv": ["true"], "container": {}}', b'{"argv": ["true"], "container": "' + b"a" * 50000 + b'"}', b"\0" * 70000]:
		    send(data)
		    send(data, [null] * 3)
		    send(data, [null] * 200)
		idle = []
		for _ in range(70):
		    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		    s.connect(sys.argv[1])
		    idle.append(s)
	PYTHON
	eventually 5 "$MINIRUN" exec nonsense -- true
	# Nothing is kept of all that: three for its own 0, 1, 2 and the pod's.
	# shellcheck disable=SC2016 # the inner shell's own
	eventually 30 bash -c '[[ $(find "/proc/$1/fd" -type l | wc -l) -lt 60 ]]' descriptors "$SUPERVISOR"
	kill -TERM "$SUPERVISOR"
	wait "$SUPERVISOR" || true
}

@test "CVE-2025-52881: what is written to /proc goes to the kernel's, whatever the image and the volumes have there" {
	local before
	before=$(cat /proc/sys/kernel/{core_pattern,hostname,shm_rmid_forced} /proc/sys/net/ipv4/ip_default_ttl)
	evil_image fake 'rmdir proc; mkdir -p proc/sys/net/ipv4 proc/self/attr proc/1/attr; ln -s /proc/sysrq-trigger proc/sys/net/ipv4/ip_default_ttl
		ln -s /proc/sys/kernel/core_pattern proc/self/attr/exec'
	run_pod < <(simple_pod fake 'cat /proc/sys/net/ipv4/ip_default_ttl; stat -f -c %T /proc' '' '
  securityContext: {sysctls: [{name: net.ipv4.ip_default_ttl, value: "77"}]}' | sed 's/image: busybox/image: fake/')
	assert_status 0
	assert_has "| 77"
	assert_has "| proc"
	for path in /proc/self/attr /proc/sys /proc/sys/kernel /proc/thread-self/attr/exec; do
		run_pod < <(simple_pod fake true "    volumeMounts: [{name: v, mountPath: $path}]" '  volumes: [{name: v, emptyDir: {}}]')
		assert_status 125
		assert_has "must not be inside /proc"
	done
	assert_equal "$(cat /proc/sys/kernel/{core_pattern,hostname,shm_rmid_forced} /proc/sys/net/ipv4/ip_default_ttl)" "$before"
}

@test "core_pattern, sysrq, the host's keys and release_agent are out of reach" {
	# shellcheck disable=SC2016 # evaluated there
	run_shell '
		for file in /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sysrq-trigger /proc/sys/fs/binfmt_misc/register \
			/sys/kernel/uevent_helper /sys/fs/cgroup/cgroup.procs; do
			(echo x >$file) 2>/dev/null && echo "wrote $file"
		done
		mount -t cgroup -o memory none /tmp 2>/dev/null && echo mounted
		mount -o remount,rw /sys 2>/dev/null && echo remounted
		unshare -U -r -m sh -c "mount -t proc none /tmp || mount -o remount,bind,rw /proc/sys || mount -o remount,bind,rw /sys || umount /proc/keys" 2>/dev/null &&
			echo "undone in a user namespace"
		cat /proc/keys /proc/kcore /proc/timer_list | head -c 1 | grep -q . && echo unmasked
		echo done'
	assert_equal "$output" "done"
}

@test "cgroups that a container makes in its own, however deep, go with the pod" {
	evil
	run_pod < <(simple_pod deep 'attack cgroups 300; echo done' | sed 's/image: busybox/image: evil/')
	assert_status 0
	assert_has "| done"
	assert_lacks "could not clear up"
}
