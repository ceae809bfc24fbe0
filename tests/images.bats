#!/usr/bin/env bats
# The store of images: loading, listing, removing, and what hostile or broken archives can't do.

load helpers
setup_file()
{
	minirun_setup_file
	export EVIL=$WORK/evil OUTSIDE=$WORK/outside
	mkdir -p "$EVIL" "$OUTSIDE"
	echo untouched >"$OUTSIDE/canary"
	{
		"$REPO/tests/evil/make" "$EVIL" "$OUTSIDE"
		"$REPO/tests/evil/make-images" "$EVIL" "$OUTSIDE"
	} >"$WORK/evil.list"
	export GOOD=$WORK/good
	mkdir -p "$GOOD"/{bin,etc,tmp,"with space"}
	echo hello >"$GOOD/etc/file"
	chmod 4755 "$GOOD/bin"
	printf x >"$GOOD/bin/setuid"
	chmod 4711 "$GOOD/bin/setuid"
	chmod 1777 "$GOOD/tmp"
	ln "$GOOD/etc/file" "$GOOD/etc/second"
	ln -s ../etc/file "$GOOD/bin/link"
	mkfifo "$GOOD/etc/fifo"
	truncate -s 5M "$GOOD/etc/sparse"
	printf end >>"$GOOD/etc/sparse"
	touch "$GOOD/with space/ünï" -d 2001-02-03T04:05:06
	touch -d 1999-01-01 "$GOOD/etc" "$GOOD/tmp" "$GOOD/with space" "$GOOD"
	tar -C "$GOOD" --owner=0 --group=0 -cf "$WORK/good.tar" .
}
setup()
{
	minirun_setup
	export MINIRUN_STORE=$T/store
}

image() { run --separate-stderr "$MINIRUN" image "$@"; }

# What a tree is, one line a file: kind and mode, owner, links, size, time, path, target.
describe()
{
	(cd "$1" && find . ! -type d -printf '%M %U:%G %n %s %Ts %p %l\n' -o -type d -printf '%M %U:%G %Ts %p\n' | sort -k 5)
	(cd "$1" && find . -type f -exec sha256sum {} + | sort)
}

rootfs() { echo "$MINIRUN_STORE"/layers/*/rootfs; }

stored() { find "$MINIRUN_STORE" -mindepth 2 -maxdepth 2 2>/dev/null | sort; }

@test "an archive is unpacked exactly as it was packed, in each compression" {
	local compress
	for compress in cat gzip bzip2 xz zstd; do
		$compress <"$WORK/good.tar" >good.tar
		rm -rf "$MINIRUN_STORE"
		image load good.tar good
		assert_status 0
		assert_equal "$(describe "$(rootfs)")" "$(describe "$GOOD")"
	done
}

@test "names are bytes: no locale, no accent and no character set changes them" {
	local format locale
	mkdir -p names/etc
	touch names/etc/$'caf\xc3\xa9' names/etc/$'cafe\xcc\x81' names/etc/$'latin\xe9' names/etc/$'bad\xff' names/etc/$'new\nline'
	ln names/etc/$'cafe\xcc\x81' names/etc/$'h\xc3\xa9'
	ln -s $'cafe\xcc\x81' names/etc/link
	for format in gnu posix; do
		tar --format=$format -C names -cf names.tar .
		for locale in C C.UTF-8; do
			LC_ALL=$locale image load names.tar names
			assert_status 0
			assert_equal "$stderr" ""
			assert_equal "$(LC_ALL=C ls -lbgo --time-style=+ "$(rootfs)/etc")" "$(LC_ALL=C ls -lbgo --time-style=+ names/etc)"
			"$MINIRUN" image rm names
		done
	done
}

@test "a folder is copied exactly, and gives the same digest twice" {
	image load "$GOOD" one
	assert_status 0
	assert_equal "$(describe "$(rootfs)")" "$(describe "$GOOD")"
	image load "$GOOD" two
	assert_status 0
	assert_equal "$(find "$MINIRUN_STORE/layers" -mindepth 1 -maxdepth 1 | wc -l)" 1
	echo changed >>"$GOOD/etc/file"
	image load "$GOOD" three
	echo hello >"$GOOD/etc/file"
	assert_equal "$(find "$MINIRUN_STORE/layers" -mindepth 1 -maxdepth 1 | wc -l)" 2
}

@test "standard input is read, and the digest is that of the archive's bytes" {
	run --separate-stderr sh -c '"$MINIRUN" image load - good -o json <"$WORK/good.tar"'
	assert_status 0
	assert_equal "$(jq -r .digest <<<"$output")" "sha256:$(sha256sum <"$WORK/good.tar" | cut -d' ' -f1)"
	assert_equal "$(jq -r .name <<<"$output")" good
}

@test "image load prints one line, image ls aligned columns, image rm takes it away whole" {
	image load "$WORK/good.tar" quay.io/who/what:v1
	assert_status 0
	[[ $output =~ ^quay.io/who/what:v1\ \ [0-9.]+\ [KM]?i?B\ \ [0-9,]+\ entries\ \ sha256:[0-9a-f]{64}$ ]]
	image load "$WORK/good.tar" docker.io/library/good:latest
	image ls
	[[ ${lines[0]} =~ ^NAME\ +DIGEST\ +SIZE\ +LAYERS\ +ORIGIN\ +AGE$ ]]
	[[ ${lines[1]} =~ ^good\ +sha256:[0-9a-f]{12}\  ]]
	[[ ${lines[2]} =~ ^quay.io/who/what:v1\ +sha256: ]]
	image rm library/good quay.io/who/what:v1
	assert_status 0
	assert_equal "$(stored)" ""
	image ls -o json
	assert_equal "$(jq -c . <<<"$output")" "[]"
}

@test "mistakes on the command line are named" {
	image
	assert_status 125
	assert_has "wants to know what to do"
	image lod x y
	assert_has "did you mean \`minirun image load\`?"
	image load a b c
	assert_last_error_has "takes a source and perhaps a name, not 3 operands"
	image load "$WORK/good.tar"
	assert_last_error_has "it doesn't say what its image is called"
	assert_has "give it a name: minirun image load ARCHIVE NAME"
	image load "$WORK/good.tar" good --max-ratio 0
	assert_last_error_has "--max-ratio 0"
	image load "$WORK/good.tar" good --max-bytes 5Q
	assert_last_error_has "--max-bytes 5Q"
	image load "$WORK/good.tar" good --max-memory much
	assert_last_error_has "--max-memory much"
	# An empty name of a store, out of a script's empty variable, isn't the default one.
	image ls --store ''
	assert_status 125
	assert_last_error_has "--store: the name of a folder is empty"
	run --separate-stderr "$MINIRUN" get --root ''
	assert_last_error_has "--root: the name of a folder is empty"
	image load "$WORK/good.tar" Good
	assert_last_error_has "a repository must be lower case"
	image load "$WORK/good.tar" ../x
	assert_last_error_has '"../x" is no image name'
	image load "$T/none.tar" good
	assert_last_error_has "$T/none.tar: cannot open it: No such file or directory"
	image load "$WORK/good.tar" nginx
	image rm ngixn
	assert_status 125
	assert_has "did you mean nginx?"
	assert_last_error_has "no image ngixn in the store"
	# Who removes one, or looks at it, wants none fetched.
	image inspect nothing-like-it
	assert_has "hint: \`minirun image ls\` lists what is there"
	[[ $output$stderr != *pull* ]]
}

@test "no hostile or broken archive touches anything outside, or leaves anything behind" {
	local name verdict text options before outside wrong=0
	image load "$WORK/good.tar" kept
	outside=$(find "$OUTSIDE" -printf '%p %M %u %s %T@ %n\n'; cat "$OUTSIDE/canary")
	before=$(stored)
	while IFS=$'\t' read -r name verdict text options; do
		# A sanitizer's own memory counts too: such a build sets no limit.
		[[ $name != memory-* ]] || ! grep -q __asan_init "$MINIRUN" || continue
		# shellcheck disable=SC2086 # options are words
		image load "$EVIL/$name" evil $options
		[[ $verdict != refuse || $status -eq 125 ]] || { echo "$name: not refused"; wrong=1; }
		[[ $verdict != contain || $status -eq 0 ]] || { echo "$name: refused: $stderr"; wrong=1; }
		[[ $output$stderr == *"$text"* ]] || { echo "$name: lacks '$text': $stderr"; wrong=1; }
		[[ $(find "$OUTSIDE" -printf '%p %M %u %s %T@ %n\n'; cat "$OUTSIDE/canary") == "$outside" ]] ||
			{ echo "$name: touched what is outside"; wrong=1; }
		[[ $status -ne 0 ]] || "$MINIRUN" image rm evil -q
		[[ $(stored) == "$before" ]] || { echo "$name: left something behind: $(stored)"; wrong=1; }
	done <"$WORK/evil.list"
	[[ $(wc -l <"$WORK/evil.list") -ge 190 && $wrong -eq 0 ]]
}

@test "attributes that would steer overlayfs don't get into a layer" {
	image load "$EVIL/overlay-redirect" evil
	assert_status 0
	run python3 -c 'import os, sys; print(os.listxattr(sys.argv[1]))' "$(rootfs)/d"
	assert_equal "$output" "[]"
}

@test "an archive cut anywhere is refused" {
	local size at
	# Behind the end mark a tar is only filled up.
	size=$(($(stat -c %s "$WORK/good.tar") - 9 * 1024))
	gzip -c "$WORK/good.tar" >good.gz
	zstd -qc "$WORK/good.tar" >good.zst
	for at in 1 100 511 512 513 5000 $((size / 2)) $((size / 2 + 100)); do
		head -c "$at" "$WORK/good.tar" >"cut"
		image load cut cut
		assert_status 125
	done
	for at in 1 2 7 8 9 50 400; do
		head -c "-$at" good.gz >"cut"
		image load cut cut
		assert_status 125
		head -c "-$at" good.zst >"cut"
		image load cut cut
		assert_status 125
	done
	assert_equal "$(stored)" ""
}

@test "killed with SIGKILL at any moment, a load leaves the store as it was, and the next one clears up" {
	local delay
	head -c 20000000 /dev/urandom >"$T/noise"
	tar -cf big.tar -C "$T" noise -C "$GOOD" .
	rm "$T/noise"
	image load "$WORK/good.tar" kept
	for delay in 0.002 0.01 0.02 0.03 0.05 0.08 0.12; do
		"$MINIRUN" image load big.tar big -q &
		sleep "$delay"
		kill -KILL $! 2>/dev/null || true
		wait $! 2>/dev/null || true
		"$MINIRUN" image ls -o json | jq -e '[.[].name] - ["kept", "big"] == []' >/dev/null
		[[ ! -e $MINIRUN_STORE/images/big.json || -d $MINIRUN_STORE/layers/$(jq -r '.layers[0]' "$MINIRUN_STORE/images/big.json")/rootfs ]]
	done
	"$MINIRUN" image rm big -q 2>/dev/null || true
	image load "$WORK/good.tar" kept
	assert_status 0
	assert_equal "$(find "$MINIRUN_STORE/tmp" -mindepth 1)" ""
	assert_equal "$(find "$MINIRUN_STORE/layers" -mindepth 1 -maxdepth 1 | wc -l)" 1
}

@test "two loads of one name at once both work" {
	local i pids=()
	gzip -c "$WORK/good.tar" >other.tar.gz
	for i in 1 2 3; do
		"$MINIRUN" image load "$WORK/good.tar" same -q & pids+=($!)
		"$MINIRUN" image load other.tar.gz same -q & pids+=($!)
		"$MINIRUN" image load "$GOOD" same -q & pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	image ls -o json
	assert_equal "$(jq length <<<"$output")" 1
	[[ -d $MINIRUN_STORE/layers/$(jq -r '.[0].layers[0]' <<<"$output")/rootfs/etc ]]
	image rm same
	assert_equal "$(stored)" ""
}

@test "a full disk is one clear error, and nothing is left" {
	head -c 3000000 /dev/urandom >noise
	tar -cf big.tar noise
	mkdir small
	run --separate-stderr with_mounts sh -c '
		mount -t tmpfs -o size=1m,mode=755 tmpfs small || exit 1
		"$MINIRUN" image load big.tar big --store small/store
		echo "status $?"
		find small/store -mindepth 2'
	assert_line "status 125"
	assert_equal "${#lines[@]}" 1
	assert_has "entry noise: cannot write: No space left on device"
}

@test "without libarchive the package is named" {
	local library
	library=$(ldconfig -p | sed -n 's/.*libarchive.so.13 .*=> //p' | head -n 1)
	[[ -n $library ]]
	: >empty
	run --separate-stderr with_mounts sh -c 'mount --bind empty "$1" && "$MINIRUN" image load "$WORK/good.tar" good' sh "$library"
	assert_status 125
	assert_has "apt-get install libarchive13"
}

# owned.tar: a file of other owners', with bits that go with them, and a device.
owned_archive()
{
	/usr/bin/python3 - owned.tar <<-'PYTHON'
		import io, sys, tarfile
		with tarfile.open(sys.argv[1], "w") as tar:
		    theirs, null = tarfile.TarInfo("etc/theirs"), tarfile.TarInfo("dev/null")
		    theirs.size, theirs.mode, theirs.uid, theirs.gid = 2, 0o6755, 1234, 4321
		    null.type, null.devmajor, null.devminor = tarfile.CHRTYPE, 1, 3
		    tar.addfile(theirs, io.BytesIO(b"x\n"))
		    tar.addfile(null)
	PYTHON
	chmod 644 owned.tar
}

@test "an ordinary user's load keeps what it can and counts the rest" {
	local user
	owned_archive
	for user in as_user in_unshare_r; do
		run --separate-stderr $user "$MINIRUN" image load owned.tar owned
		assert_status 0
		assert_stderr_has "1 device node left out: an ordinary user can't make it (dev/null)"
		assert_stderr_has "1 owner not kept, it became root"
		assert_stderr_has "1 setuid or setgid bit dropped"
	done
}

@test "with a range of ids owners are kept" {
	owned_archive
	run --separate-stderr as_ranged_user "$MINIRUN" image load owned.tar owned
	assert_status 0
	assert_stderr_has "1 device node left out"
	assert_lacks "not kept"
	assert_lacks "setuid"
	as_ranged_user "$MINIRUN" image rm owned
}

@test "who reads an archive has no rights left: two descriptors, no_new_privs, a filter; it ends with who waits for it" {
	local loader reader
	mkfifo archive
	"$MINIRUN" image load - slow <archive >out 2>err 3>&- &
	loader=$!
	exec 9>archive
	head -c 700000 "$WORK/busybox.tar" >&9
	# The command, its worker, and the process that reads.
	reads() { reader=$(pgrep -P "$(pgrep -P "$loader")") && grep -q '^Seccomp:[[:space:]]2' "/proc/$reader/status"; }
	eventually 20 reads
	grep -q '^NoNewPrivs:[[:space:]]1' "/proc/$reader/status"
	[[ $(id -u) != 0 ]] || assert_equal "$(ls "/proc/$reader/fd" | wc -l)" 2
	kill -TERM "$loader"
	wait "$loader" || true
	eventually 10 eval "! kill -0 $reader 2>/dev/null"
	exec 9>&-
	assert_equal "$(ls -A "$MINIRUN_STORE/tmp")" ""
}

@test "an image that a pod uses can't be removed" {
	export MINIRUN_STORE=$WORK/store
	simple_pod user 'echo up; exec sleep 600' '' '  terminationGracePeriodSeconds: 0' >pod.yaml
	"$MINIRUN" pod.yaml >out 2>err </dev/null &
	local pid=$!
	eventually 10 grep -q up out
	image rm busybox
	kill -TERM "$pid"
	wait "$pid" || true
	assert_status 125
	assert_last_error_has "the image busybox is used by a running pod"
	image ls
	assert_has busybox
}

@test "an image's configuration is kept, and what it says in vain is named" {
	echo '{"config": {"Cmd": ["sh"], "Env": ["A=1"], "WorkingDir": "/tmp", "User": "1", "Volumes": {"/data": {}},
		"StopSignal": "SIGQUIT", "Labels": {"a": "b"}, "Healthcheck": {"Test": ["CMD", "true"]}}}' >config.json
	image load "$WORK/good.tar" good --config config.json -o json
	assert_status 0
	assert_equal "$(jq -c '.config' <<<"$output")" \
		'{"Entrypoint":null,"Cmd":["sh"],"Env":["A=1"],"Volumes":["/data"],"WorkingDir":"/tmp","User":"1","StopSignal":"SIGQUIT"}'
	assert_equal "$stderr" "minirun: warning: config.json: config.Healthcheck is known, not used here"
	echo '{"config": {"Cmmd": ["sh"], "Env": ["B=1"]}}' >config.json
	image load "$WORK/good.tar" good --config config.json -o json
	assert_status 0
	assert_stderr_has "config.Cmmd: unknown field (did you mean Cmd?)"
	echo '{"config": {"Env": ["A"]}}' >config.json
	image load "$WORK/good.tar" good --config config.json
	assert_last_error_has "config.Env[0]: must be NAME=VALUE"
	for wrong in '{"User": 1}' '{"Volumes": "/data"}' '{"StopSignal": 3}' '{"WorkingDir": "tmp"}' '{"Cmd": "sh"}'; do
		echo "{\"config\": $wrong}" >config.json
		image load "$WORK/good.tar" good --config config.json
		assert_status 125
		assert_last_error_has "$(jq -r 'keys[0]' <<<"$wrong"): must be"
	done
}

@test "Ctrl-C and SIGTERM during a load leave nothing behind, and are what it dies of" {
	# A reader that never gets more: the load waits for ever.
	mkfifo "$T/fifo"
	for signal in INT TERM; do
		python3 -c 'import os,signal,sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])' \
			"$MINIRUN" image load "$T/fifo" endless 2>"$T/err" &
		pid=$!
		exec 9>"$T/fifo"
		head -c 100000 "$WORK/busybox.tar" >&9
		eventually 10 eval '[[ -n $(ls -A "$MINIRUN_STORE/tmp") ]]'
		kill -$signal $pid
		local result=0
		wait $pid || result=$?
		exec 9>&-
		assert_equal $result $((128 + $(kill -l $signal)))
		assert_equal "$(ls -A "$MINIRUN_STORE/tmp")" ""
	done
}

@test "a device is no archive: an endless one doesn't keep us for ever" {
	run --separate-stderr timeout 10 "$MINIRUN" image load /dev/zero endless
	assert_status 125
	assert_last_error_has "cannot load /dev/zero: this is a device"
}

@test "zip and cpio are archives as good as tar" {
	mkdir tree && tar -C tree -xf "$WORK/busybox.tar"
	(cd tree && find . | busybox cpio -o -H newc 2>/dev/null) >tree.cpio
	python3 - <<-'EOF'
		import stat, zipfile
		with zipfile.ZipFile("tree.zip", "w", zipfile.ZIP_DEFLATED) as z:
		    for name, mode, data in (
		        ("bin/busybox", stat.S_IFREG | 0o755, open("tree/bin/busybox", "rb").read()),
		        ("bin/sh", stat.S_IFLNK | 0o777, b"busybox"),
		        ("bin/cat", stat.S_IFLNK | 0o777, b"busybox"),
		        ("etc/minirun-mark", stat.S_IFREG | 0o644, open("tree/etc/minirun-mark", "rb").read()),
		    ):
		        entry = zipfile.ZipInfo(name)
		        entry.create_system = 3
		        entry.external_attr = mode << 16
		        z.writestr(entry, data)
	EOF
	for format in cpio zip; do
		run --separate-stderr "$MINIRUN" image load tree.$format from-$format
		assert_status 0
		simple_pod packed 'cat /etc/minirun-mark' | sed "s/image: busybox/image: from-$format/" >pod.yaml
		run --separate-stderr "$MINIRUN" -q pod.yaml
		assert_status 0
		assert_has "$WORK"
	done
}

@test "what only looks makes no store" {
	local word
	mkdir empty
	for word in ls "inspect x" "rm x" prune; do
		# shellcheck disable=SC2086 # words
		image $word --store "$T/misspelt"
		[[ ! -e misspelt ]]
		[[ $word != *x ]] || assert_last_error_has "no image x in the store $T/misspelt"
		[[ $word != ls ]] || assert_equal "$stderr" "No images in $T/misspelt"
		# shellcheck disable=SC2086 # words
		[[ $word == prune ]] || image $word --store "$T/empty"
	done
	assert_equal "$(ls -A empty)" ""
}

@test "an option of another word's is no option of this one" {
	local case word rest
	image load "$GOOD" kept
	assert_status 0
	for case in "ls --all|prune" "ls --config=x|load" "ls --max-bytes=5|load" "inspect kept --tls-verify=false|pull" \
		"rm kept --all|prune" "prune --authfile=x|pull" "load --authfile=x $GOOD a|pull" "pull --config=x a|load"; do
		word=${case#*|} rest=${case%|*}
		# shellcheck disable=SC2086 # words
		image $rest
		assert_status 125
		assert_last_error_has "minirun image ${rest%% *} takes no option --"
		assert_stderr_has "hint: it is one of \`minirun image $word\`"
	done
	image ls -o json
	assert_equal "$(jq -r '.[].name' <<<"$output")" kept
}
