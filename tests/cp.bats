#!/usr/bin/env bats
# minirun cp: files and folders into a container, and out of one.

load helpers
teardown() { delete_pods && minirun_teardown; }

# start [CONTAINER-LINES [COMMAND-BEFORE]]: a pod called box in the background, ready. $AS is as whom.
start()
{
	simple_pod box "mkdir -p /srv && chmod 1777 /srv; ${2:-true}; touch /dev/shm/ready; exec sleep 600" \
		"    startupProbe: {exec: {command: [test, -e, /dev/shm/ready]}, periodSeconds: 2, timeoutSeconds: 60}
${1:-}" '  terminationGracePeriodSeconds: 0' >box.yaml
	"${AS[@]}" "$MINIRUN" -d --time-scale 20 box.yaml
	"${AS[@]}" "$MINIRUN" wait box --for=condition=Ready
}

in_box()
{
	"${AS[@]}" "$MINIRUN" exec box -- sh -c "$1"
}

# What is in a folder: kinds, modes, times, sizes and links.
listing()
{
	(cd "$1" && find . -printf '%P %y %m %s %T@ %l\n' | sed 's/^\(\S* d \S*\) [0-9]* /\1 /' | sort)
}

# There are so many processes in the container that copy.
copies()
{
	[[ $(in_box 'grep -lx minirun /proc/[0-9]*/comm 2>/dev/null | wc -l') -eq $1 ]]
}

AS=()

@test "cp: a folder goes in and comes out with all that is in it" {
	start
	mkdir -p tree/a/b tree/empty
	printf 'hello' >tree/a/file
	: >tree/nothing
	head -c 300000 /dev/urandom >tree/a/b/random
	truncate -s 200M tree/sparse
	printf 'end' >>tree/sparse
	chmod 0640 tree/a/file
	chmod 0500 tree/empty
	touch -d '2001-02-03 04:05:06.789' tree/a/file tree/a
	run "$MINIRUN" cp tree box:/srv/tree
	assert_status 0
	assert_equal "$output" ""
	run "$MINIRUN" cp box:/srv/tree back
	assert_status 0
	assert_equal "$(listing back)" "$(listing tree)"
	diff -r tree back
	[[ $(du -k back/sparse | cut -f1) -lt 1000 ]]
	# Into a folder that is there it goes by its name; to another name, by that; relative is to the working folder.
	"$MINIRUN" cp tree box:/srv/tree
	"$MINIRUN" cp tree/a/file default/box:/srv/other
	"$MINIRUN" cp tree/a/file box:/srv/
	"$MINIRUN" cp tree/a/file box:srv/third -c main
	in_box 'cat /srv/tree/tree/a/file /srv/other /srv/file /srv/third' | grep -qx 'hellohellohellohello'
	mkdir dir
	"$MINIRUN" cp box:/srv/other dir
	"$MINIRUN" cp box:/srv/other new
	assert_equal "$(cat dir/other new)" "hellohello"
	# Links go in as links.
	ln -s file tree/a/link
	"$MINIRUN" cp tree/. box:/srv/tree
	assert_equal "$(in_box 'readlink /srv/tree/a/link')" file
	# Neither a pipe nor a device is a place that it waits at.
	assert_equal "$("$MINIRUN" cp box:/srv/other /dev/stdout | cat)" hello
}

@test "cp: what is hostile in a container is skipped, and nothing here is written beside the copy" {
	# shellcheck disable=SC2034 # the supervisor's
	OUR_OWN=secret start '' 'ln -s /proc/self/environ /srv/env; mkdir -p /srv/d/sub; ln -s /etc/passwd /srv/d/out; ln -s .. /srv/d/up; mkfifo /srv/d/fifo; echo s >/srv/d/suid
		chmod 6755 /srv/d/suid; echo x >/srv/d/sub/f; echo y >/srv/d/g; ln -s /srv/d/g /srv/link; ln -s /proc/self/exe /srv/exe'
	run --separate-stderr "$MINIRUN" cp box:/srv/d copy
	assert_status 0
	assert_stderr_has "warning: out: skipping the symbolic link to /etc/passwd"
	assert_stderr_has "warning: fifo: skipping what is neither a file nor a folder"
	assert_equal "$(cd copy && find . | sort | xargs)" ". ./g ./sub ./sub/f ./suid"
	assert_equal "$(stat -c %a copy/suid)" 755
	# What is asked for by a link's name is found in the container.
	"$MINIRUN" cp box:/srv/link linked
	assert_equal "$(cat linked)" y
	# But not what the kernel's own links lead to: minirun's program would be there.
	run --separate-stderr "$MINIRUN" cp box:/srv/exe exe
	[[ $status -ne 0 && ! -e exe ]]
	run --separate-stderr "$MINIRUN" cp linked box:/srv/exe
	[[ $status -ne 0 ]]
	# Nor the supervisor's environment, of which the process that copies is a child.
	"$MINIRUN" cp box:/srv/env env
	[[ -s env ]]
	run ! grep -a OUR_OWN env
	# A link that is in the way here isn't followed.
	mkdir elsewhere
	rm -r copy/sub
	ln -s ../elsewhere copy/sub
	run --separate-stderr "$MINIRUN" cp box:/srv/d copy
	assert_status 1
	assert_last_error_has "cannot write copy/sub: Not a directory"
	[[ -z $(ls elsewhere) ]]
	rm copy/sub copy/g
	echo safe >elsewhere/target
	ln -s ../elsewhere/target copy/g
	run --separate-stderr "$MINIRUN" cp box:/srv/d copy
	assert_status 1
	assert_equal "$(cat elsewhere/target)" safe
	# procfs has no sizes and does without an end here and there.
	"$MINIRUN" cp box:/proc/sys/kernel/ostype ostype
	assert_equal "$(cat ostype)" Linux
	# That one ends after 256 GiB.
	run --separate-stderr timeout 120 "$MINIRUN" cp box:/proc/1/pagemap pagemap
	assert_status 1
	assert_stderr_has "it says no size and has no end: cut off at 64 MiB"
	assert_equal "$(stat -c %s pagemap)" 67108864
	run "$MINIRUN" cp box:/dev/zero zero
	assert_status 1
}

# There are copies of which the swapped name was the folder, and some of which it was the link.
seen_both()
{
	compgen -G 'copies/*/in' >/dev/null && compgen -G 'copies/*/out' >/dev/null
}

@test "cp: a folder that changes places with a link while it is copied is never followed out of what was asked for" {
	local i
	helper_programs attack
	start '' 'mkdir -p /srv/d/in /outside; echo inner >/srv/d/in/file; echo canary >/outside/file; ln -s /outside /srv/d/out'
	"$MINIRUN" cp "$WORK/helpers/attack" box:/bin/attack
	"$MINIRUN" exec box -- attack exchange /srv/d/in /srv/d/out 60 3>&- &
	mkdir copies
	for ((i = 0; i < 200; i++)); do
		# What vanishes between two looks at it is told; the rest is copied.
		"$MINIRUN" cp box:/srv/d "copies/$i" 2>>errors || true
		((i < 40)) || ! seen_both || break
	done
	kill %?exchange
	seen_both
	run ! grep -r canary copies
	# Nor is there anything in the copies but the one folder and its file.
	assert_equal "$(find copies -mindepth 2 -printf '%P\n' | sed 's|^[0-9]*/||; s|^out|in|' | sort -u | xargs)" "in in/file"
}

@test "cp: a read-only container is, and one that could trace what copies isn't copied into" {
	start '    securityContext: {readOnlyRootFilesystem: true}'
	echo hi >file
	run --separate-stderr "$MINIRUN" cp file box:/file
	assert_status 1
	assert_last_error_has "cannot write /file: Read-only file system"
	"$MINIRUN" delete box
	start '    securityContext: {capabilities: {add: [SYS_PTRACE]}}'
	run --separate-stderr "$MINIRUN" cp file box:/srv/file
	assert_last_error_has "nothing is copied where container main has SYS_PTRACE"
}

@test "cp: it has the rights of the container's user, and needs no program in it" {
	echo hi >file
	start "    securityContext: {runAsUser: 1234, runAsGroup: 4321}"
	run --separate-stderr "$MINIRUN" cp file box:/etc/file
	assert_last_error_has "cannot write /etc/file: Permission denied"
	chmod 4755 file
	"$MINIRUN" cp file box:/tmp/file
	assert_equal "$(in_box 'stat -c "%u %g %a" /tmp/file')" "1234 4321 755"
	run --separate-stderr "$MINIRUN" cp box:/etc/shadow shadow
	[[ $status -ne 0 && ! -e shadow ]]
	"$MINIRUN" delete box
	start
	"$MINIRUN" cp file box:/srv/kept
	"$MINIRUN" cp --no-preserve file box:/srv/usual
	assert_equal "$(in_box 'stat -c "%u %a" /srv/kept /srv/usual | xargs')" "0 4755 0 755"
}

@test "cp says what is wrong, and a client that is killed harms nothing" {
	start
	echo x >file
	while IFS='|' read -r arguments message; do
		run --separate-stderr "$MINIRUN" cp $arguments
		[[ $status -ne 0 ]]
		assert_last_error_has "$message"
	done <<-'END'
		file|source and destination are required
		file other|one of src or dest must be a remote file specification
		box:/a box:/b|one of src or dest must be a local file specification
		file box:|filepath can not be empty
		file :/x|filespec must match the canonical format: [[namespace/]pod:]file/path
		nofile box:/x|nofile: No such file or directory
		file nobox:/x|pods "nobox" not found
		file kube-system/box:/x|pods "box" not found
		file box:/x -c nope|container nope is not valid for pod box
		file box:/no/where|cannot write /no/where: No such file or directory
		box:/nofile here|cannot open /nofile: No such file or directory
	END
	# It stands still in the middle, as nobody reads on.
	in_box 'dd if=/dev/zero of=/srv/large bs=1M count=4 2>/dev/null'
	mkfifo pipe
	exec 9<>pipe
	"$MINIRUN" cp box:/srv/large pipe 9>&- 3>&- &
	eventually 10 copies 1
	kill -KILL $!
	wait $! || true
	exec 9>&-
	eventually 10 copies 0
	"$MINIRUN" cp file box:/srv/after
	"$MINIRUN" delete box
	run --separate-stderr "$MINIRUN" cp file box:/x
	assert_last_error_has 'pods "box" not found'
}

@test "cp as an ordinary user and in unshare -r" {
	local whom
	chmod 0777 .
	echo hi >file
	for whom in as_user in_unshare_r; do
		AS=("$whom")
		load_busybox "$whom"
		start
		"$whom" "$MINIRUN" cp file box:/srv/file
		assert_equal "$(in_box 'stat -c %u /srv/file')" 0
		"$whom" "$MINIRUN" cp box:/srv/file "back-$whom"
		assert_equal "$(cat "back-$whom")" hi
		"$whom" "$MINIRUN" delete box
	done
}
