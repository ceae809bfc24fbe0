# What the bats files share. A file starts with
#
#	load helpers
#
# and, where it needs more than that, with a setup_file, teardown_file, setup or teardown of its own, which calls minirun_setup_file
# and so on. It has from then on
#	$MINIRUN         the program under test: a copy of ./minirun (or of what MINIRUN named), readable for everyone
#	$WORK            a folder of the file's own, mode 0755, that goes at the end
#	$MINIRUN_STORE   a store of the file's own below it, with the image "busybox" loaded
#	$MINIRUN_ROOT    where its running pods are kept, below it too
#	$T               an empty folder for the test at hand, below $WORK, mode 0755
#	run_pod, as_user, as_ranged_user, in_unshare_r, eventually, assert_*   below
#
# A test that can't hold for everybody who runs the suite is left out by a line in tests/modes.table, never by a skip.
#
# After each test the machine is as it was before it, or the test fails: no process, mount, cgroup or folder of a pod
# is left (minirun_teardown; a test that needs it earlier calls assert_machine_unchanged itself).

# shellcheck shell=bash
# shellcheck disable=SC2154 # status, output and stderr are bats'
# shellcheck disable=SC2119,SC2120 # arguments that only the bats files give

bats_require_minimum_version 1.5.0

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export REPO

# ---- a file's surroundings ----

setup_file() { minirun_setup_file; }
teardown_file() { minirun_teardown_file; }
setup() { minirun_setup; }
teardown() { minirun_teardown; }

minirun_setup_file()
{
	local binary=${MINIRUN:-$REPO/minirun}
	[[ -x $binary ]] || {
		echo "no program at $binary: run make first" >&2
		return 1
	}
	# Not in bats' own temporary folder: that one is closed to the ordinary users that tests become.
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/minirun-test.XXXXXX")
	chmod 0755 "$WORK"
	mkdir -p "$WORK/bin" "$WORK/tests"
	install -m 0755 "$binary" "$WORK/bin/minirun"
	MINIRUN=$WORK/bin/minirun
	MINIRUN_STORE=$WORK/store
	MINIRUN_ROOT=$WORK/run
	HOME=$WORK/home
	mkdir -p "$HOME" "$WORK/runtime"
	chmod 0700 "$WORK/runtime"
	XDG_RUNTIME_DIR=$WORK/runtime
	# Colours and the caller's own settings would change what is printed.
	unset XDG_DATA_HOME XDG_CACHE_HOME XDG_STATE_HOME XDG_CONFIG_HOME CLICOLOR_FORCE SHELL
	enter_cgroup
	read_modes_table
	export WORK MINIRUN MINIRUN_STORE MINIRUN_ROOT HOME XDG_RUNTIME_DIR CGROUP LC_ALL=C.UTF-8
	busybox_archive >/dev/null
	"$MINIRUN" image load "$WORK/busybox.tar" busybox >"$WORK/load.log" 2>&1 || {
		cat "$WORK/load.log" >&2
		return 1
	}
}

minirun_teardown_file()
{
	[[ -n ${WORK:-} ]] || return 0
	# Whoever ends the tests wants just this, whole.
	trap '' INT
	# A failed test may have left a pod; its processes are known by their mark.
	pod_processes | xargs -r kill -KILL 2>/dev/null || true
	leave_cgroup
	umount -R -l "$WORK" 2>/dev/null || true
	remove "$WORK"
}

minirun_setup()
{
	leave_out_by_table
	T=$WORK/tests/${BATS_TEST_NUMBER:-0}
	mkdir -m 0755 "$T"
	export T
	cd "$T" || return
	"$REPO/tests/scripts/machine" save
}

minirun_teardown()
{
	local result=0
	# Left out.
	[[ -n ${T:-} ]] || return 0
	cd / || return
	# Only a test that passed can be blamed for a mess; for one that failed the first failure says more. What is left then must
	# not be counted against the next test.
	if [[ -z ${BATS_TEST_COMPLETED:-} ]]; then
		pod_processes | xargs -r kill -KILL 2>/dev/null || true
	elif ! assert_machine_unchanged; then
		result=1
		pod_processes | xargs -r kill -KILL 2>/dev/null || true
	fi
	remove "$T" || result=1
	return $result
}

# Images that were unpacked with a range of ids belong to these: `minirun image rm` removes them, or who maps the ids.
remove()
{
	rm -rf --one-file-system "$1" 2>/dev/null || unshare --map-root-user --map-auto rm -rf --one-file-system "$1"
}

# The busybox rootfs with this file's mark in it (etc/minirun-mark), by which pod_processes knows its containers.
busybox_archive()
{
	if [[ ! -s $WORK/busybox.tar ]]; then
		# Where there is one of this script and this busybox already, it is taken.
		mkdir -p "$WORK/cache"
		cp "$REPO"/demo/cache/busybox.tar{,.key} "$WORK/cache/" 2>/dev/null || true
		"$REPO/demo/images/build" busybox "$WORK/cache" >/dev/null
		mkdir -p "$WORK/mark/etc"
		echo "$WORK" >"$WORK/mark/etc/minirun-mark"
		cp "$WORK/cache/busybox.tar" "$WORK/busybox.tar.new"
		tar -C "$WORK/mark" --owner=0 --group=0 -rf "$WORK/busybox.tar.new" etc/minirun-mark
		mv "$WORK/busybox.tar.new" "$WORK/busybox.tar"
		chmod 0644 "$WORK/busybox.tar"
	fi
	echo "$WORK/busybox.tar"
}

# helper_programs NAME...: programs of tests/helpers, to $WORK/helpers, readable for everyone: as make has built them, or built now.
helper_programs()
{
	local name from
	mkdir -p "$WORK/helpers"
	for name; do
		from=build/tests/helpers/$name
		if ! make -q -C "$REPO" BUILD=build "$from" 2>/dev/null; then
			make -s -C "$REPO" BUILD="$WORK/build" "$WORK/$from" >&2 || return
			from=$WORK/$from
		fi
		(cd "$REPO" && install -m 0755 "$from" "$WORK/helpers/$name")
	done
}

# The pods that a test left that failed, or had nothing more to say of them: for teardown, before minirun_teardown.
delete_pods()
{
	compgen -G "$MINIRUN_ROOT/*/" >/dev/null || return 0
	"$MINIRUN" delete -A --all --force >/dev/null 2>&1 || true
}

# ---- what can't hold here ----
#
# The suite runs as root, as an ordinary user with a range of ids, and in `unshare -r` with one id (tests/scripts/mode). What
# can't hold in one of them, or on one kind of machine, stands in tests/modes.table with the reason. Nothing else skips a test.

# What is so here, of the words that the table uses.
modes()
{
	local map words=()
	map=$(</proc/self/uid_map)
	read -ra map <<<"$map"
	if [[ ${#map[@]} -eq 3 && ${map[2]} -eq 1 ]]; then
		words+=(one-id)
	elif [[ $(id -u) == 0 ]]; then
		words+=(root)
	elif grep -q "^$(id -un):" /etc/subuid; then
		words+=(range)
	else
		words+=(one-id)
	fi
	[[ $(cat /sys/module/apparmor/parameters/enabled 2>/dev/null) != Y ]] || words+=(apparmor)
	[[ -n ${CGROUP:-} ]] || words+=(no-cgroup2)
	[[ $(uname -m) == x86_64 ]] || words+=(not-x86-64)
	[[ $(</proc/sys/net/ipv4/ip_unprivileged_port_start) -gt 1023 ]] || words+=(low-ports)
	echo "${words[*]}"
}

# modes_table [FILE]: the table (or FILE) as lines "MODE TAB BATS-FILE TAB TITLE TAB REASON".
modes_table()
{
	awk '
		/^[ \t]*(#|$)/ { next }
		/^[^\t]/ { n = split(substr($0, 1, index($0, ":") - 1), modes, " "); reason = substr($0, index($0, ":") + 2); next }
		{
			sub(/^\t/, "")
			for (i = 1; i <= n; i++)
				print modes[i] "\t" substr($0, 1, index($0, ":") - 1) "\t" substr($0, index($0, ":") + 2) "\t" reason
		}' "${1:-$REPO/tests/modes.table}"
}

# Reads what concerns this file, once: LEFT_OUT is lines "TITLE TAB REASON". With MINIRUN_TESTS=MODE only those run that are left
# out in that mode, be it in it (tests/scripts/modes-check) or as somebody else.
read_modes_table()
{
	MODES=$(modes)
	LEFT_OUT=$(rows_for "$MODES")
	ONLY=$(rows_for "${MINIRUN_TESTS:-}")
	export MODES LEFT_OUT ONLY
}

rows_for()
{
	modes_table | awk -F'\t' -v modes=" $1 " -v file="${BATS_TEST_FILENAME##*/tests/}" \
		'index(modes, " " $1 " ") && $2 == file { print $3 "\t" $4 }'
}

# has_row ROWS: whether this test, or all of its file, is in them; REASON is then why.
has_row()
{
	local rows=$'\n'$1 title
	for title in "$BATS_TEST_DESCRIPTION" "*"; do
		[[ $rows == *$'\n'"$title"$'\t'* ]] || continue
		REASON=${rows#*$'\n'"$title"$'\t'}
		REASON=${REASON%%$'\n'*}
		return 0
	done
	return 1
}

# All of this file is left out, so that there is nothing to set up for.
file_is_left_out()
{
	[[ $LEFT_OUT == "*"$'\t'* && " $MODES " != *" ${MINIRUN_TESTS:-none} "* ]]
}

leave_out_by_table()
{
	if [[ -n ${MINIRUN_TESTS:-} ]]; then
		has_row "$ONLY" || skip "not asked for"
		[[ " $MODES " != *" $MINIRUN_TESTS "* ]] || return 0
	fi
	! has_row "$LEFT_OUT" || skip "$REASON"
}

# ---- running ----

# run_pod [OPTION...] <<YAML: writes standard input to $POD and runs it in the foreground, with $status, $output
# (standard output), $stderr, $lines and $stderr_lines as bats' `run --separate-stderr` leaves them.
run_pod()
{
	POD=$T/pod.yaml
	cat >"$POD"
	chmod 0644 "$POD"
	# Not by bats' run, which has a warning of its own for the exit status 127.
	status=0
	"$MINIRUN" "$@" "$POD" >"$T/.stdout" 2>"$T/.stderr" </dev/null || status=$?
	output=$(<"$T/.stdout") stderr=$(<"$T/.stderr")
	# shellcheck disable=SC2034 # for the test
	mapfile -t lines <<<"$output"
	# shellcheck disable=SC2034 # for the test
	mapfile -t stderr_lines <<<"$stderr"
	export POD
	# bats shows $output of a failed test by itself; standard error is where minirun's reason is.
	[[ $status -eq 0 || -z $stderr ]] || printf 'exit %s, standard error:\n%s\n' "$status" "$stderr"
}

# The shortest pod: one container that runs a shell command. `simple_pod NAME 'COMMAND' >pod.yaml`; further lines of
# the container can follow as a third argument, further lines of the spec as a fourth (indented by the caller).
simple_pod()
{
	cat <<YAML
apiVersion: v1
kind: Pod
metadata:
  name: $1
spec:
  restartPolicy: Never
${4:-}
  containers:
  - name: main
    image: busybox
    command: $(shell "$2")
${3:-}
YAML
}

# run_shell 'COMMAND' [CONTAINER-LINES [SPEC-LINES]]: runs it in a pod called as the test's number, $output is what it
# printed, without the container's prefix.
run_shell()
{
	run_pod < <(simple_pod "t${BATS_TEST_NUMBER:-0}" "$@")
	output=$(strip_prefix main <<<"$output")
	# shellcheck disable=SC2034 # for the test
	mapfile -t lines <<<"$output"
}

# shell 'COMMAND': a container's command, in YAML's flow form, that has a shell run it.
shell()
{
	jq -nc --arg c "$1" '["sh", "-c", $c]'
}

# hog [COMMAND]: a pod of two, of which one needs too much memory: a program of its, or the shell itself by COMMAND.
hog()
{
	cat <<-EOF
		apiVersion: v1
		kind: Pod
		metadata: {name: hog}
		spec:
		  restartPolicy: Never
		  containers:
		  - name: hog
		    image: busybox
		    command: $(shell "${1:-dd if=/dev/zero of=/dev/null bs=64M count=1}; echo survived")
		    resources: {limits: {memory: 16Mi}}
		  - {name: calm, image: busybox, command: [sh, -c, 'sleep 2; echo fine']}
	EOF
}

assert_hog_killed()
{
	assert_status 137
	assert_has fine
	[[ $output != *survived* ]]
	assert_last_error_has "container hog: OOMKilled (killed by signal 9, Killed): it needed more than its memory limit of 16 MiB"
}

# Keeps the lines that a container printed, without "NAME | " before them.
strip_prefix()
{
	sed -n "s/^$1 *| \{0,1\}//p"
}

# eventually SECONDS COMMAND...: waits until the command succeeds.
eventually()
{
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		if ((SECONDS >= end)); then
			echo "not so after waiting: $*"
			return 1
		fi
		sleep 0.05
	done
}

# ---- other users ----
#
# Each has a home, a store and a runtime folder of its own in $WORK. Only root can become another one: for the others, and in
# `unshare -r`, the command then runs as who they are.

is_root()
{
	[[ " $MODES " == *" root "* ]]
}

# A user with nothing in /etc/subuid.
as_user()
{
	become 65534 "$WORK/nobody" "$@"
}

# A user called ranger with 65536 ids in /etc/subuid and /etc/subgid. The machine's own files stay as they are: the
# changed ones are bound over them in a mount namespace that only the command sees.
as_ranged_user()
{
	local etc=$WORK/ranger.etc
	if ! is_root; then
		become 4321 "$WORK/ranger" "$@"
		return
	fi
	if [[ ! -d $etc ]]; then
		mkdir -p "$etc"
		{ cat /etc/passwd; echo "ranger:x:4321:4321::$WORK/ranger/home:/bin/sh"; } >"$etc/passwd"
		{ cat /etc/group; echo "ranger:x:4321:"; } >"$etc/group"
		echo "ranger:200000:65536" >"$etc/subuid"
		echo "ranger:200000:65536" >"$etc/subgid"
		chmod 0644 "$etc"/*
	fi
	export -f become is_root
	# shellcheck disable=SC2016 # the inner shell's own variables
	unshare -m --propagation private bash -c '
		etc=$1
		shift
		for file in passwd group subuid subgid; do
			[[ -e /etc/$file ]] || { echo "no /etc/$file to bind over" >&2; exit 125; }
			mount --bind "$etc/$file" "/etc/$file" || exit 125
		done
		become 4321 "$WORK/ranger" "$@"
	' as_ranged_user "$etc" "$@"
}

# Root of a user namespace that something else made, as in a rootless container or `unshare -r`.
in_unshare_r()
{
	become 65534 "$WORK/unshared" unshare -Ur "$@"
}

# The users that there are here, of these three: for a test that does the same for each.
users()
{
	case $MODES in
	*root*) echo as_user as_ranged_user in_unshare_r ;;
	*range*) echo as_ranged_user in_unshare_r ;;
	*) echo as_user in_unshare_r ;;
	esac
}

# Somebody else, whom the tests otherwise never are: root makes one, a range has some. With one id there is nobody.
as_somebody_else()
{
	local lend=()
	is_root || lend=(unshare --map-root-user --map-auto)
	"${lend[@]}" setpriv --reuid=4444 --regid=4444 --clear-groups "$@"
}

# The largest id that a container can have here: root's is Kubernetes' own bound, a range of 65536 follows id 0.
largest_id()
{
	case $MODES in
	*root*) echo 2147483647 ;;
	*range*) awk -F: -v name="$(id -un)" '$1 == name { print $3; exit }' /etc/subuid ;;
	*) echo 0 ;;
	esac
}

# In a mount namespace of the command's own, and with the right to mount there: an ordinary user gets that with a user namespace.
with_mounts()
{
	local user=()
	case $(id -u),$MODES in
	0,*) ;;
	*,*range*) user=(--map-root-user --map-auto) ;;
	*) user=(--map-root-user) ;;
	esac
	unshare "${user[@]}" -m --propagation private "$@"
}

# in_image_layers NAME COMMAND...: with the joined layers of an image in $MINIRUN_STORE as the working folder.
in_image_layers()
{
	local lowers options=
	lowers=$(jq -r --arg s "$MINIRUN_STORE" '[.layers | reverse[] | $s + "/layers/" + . + "/rootfs"] | join(":")' \
		"$MINIRUN_STORE/images/$1.json")
	mkdir -p "$T/empty" "$T/merged"
	shift
	# What hides is marked by an attribute that a user may set.
	is_root || options=,userxattr
	# shellcheck disable=SC2016 # the inner shell's own variables
	with_mounts sh -c '
		mount -t overlay overlay -o "lowerdir=$1:$2$4" "$3" && cd "$3" && shift 4 && "$@"
	' sh "$lowers" "$T/empty" "$T/merged" "$options" "$@"
}

# Loads busybox into the store of such a user: `load_busybox as_user`.
load_busybox()
{
	"$1" "$MINIRUN" image load "$WORK/busybox.tar" busybox
}

# become UID FOLDER COMMAND...
become()
{
	local uid=$1 folder=$2 switch=()
	shift 2
	if [[ ! -d $folder ]]; then
		mkdir -p "$folder"/{home,runtime}
		chmod 0700 "$folder/runtime"
		! is_root || chown -R "$uid:$uid" "$folder"
	fi
	! is_root || switch=(setpriv "--reuid=$uid" "--regid=$uid" --clear-groups)
	env USER="$(basename "$folder")" HOME="$folder/home" XDG_RUNTIME_DIR="$folder/runtime" \
		MINIRUN_STORE="$folder/store" MINIRUN_ROOT="$folder/run" "${switch[@]}" "$@"
}

# ---- the machine is as it was ----

# What there is of this file's pods on the machine: tests/scripts/machine says of each what belongs to it.
pod_processes() { "$REPO/tests/scripts/machine" processes; }
pod_folders() { "$REPO/tests/scripts/machine" folders; }
cgroups() { "$REPO/tests/scripts/machine" cgroups; }

# The cgroup that this file's processes are in; what minirun makes is below it. Empty where there is none to be had.
enter_cgroup()
{
	local base path
	path=$(sed -n 's/^0:://p' /proc/self/cgroup)
	for base in /sys/fs/cgroup/unified /sys/fs/cgroup; do
		CGROUP=${base}${path%/}/test-$(basename "$WORK")
		[[ -f $base/cgroup.procs ]] && mkdir "$CGROUP" 2>/dev/null && echo $BASHPID >"$CGROUP/cgroup.procs" && return
	done
	CGROUP=
}

leave_cgroup()
{
	[[ -n ${CGROUP:-} ]] || return 0
	echo $BASHPID >"$(dirname "$CGROUP")/cgroup.procs"
	# A process that has ended is in its cgroup for a moment more.
	for _ in $(seq 50); do
		find "$CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null
		[[ -d $CGROUP ]] || return 0
		sleep 0.1
	done
	echo "the cgroup $CGROUP can't be removed: $(find "$CGROUP" -name cgroup.procs -exec cat {} +)"
	return 1
}

# Waits up to SECONDS (default 1, for what the kernel itself does a little later) until nothing of a pod is left.
assert_machine_unchanged()
{
	local end=$((SECONDS + ${1:-1} + 1)) left
	until left=$("$REPO/tests/scripts/machine" unchanged); do
		if ((SECONDS >= end)); then
			echo "left behind:"
			echo "$left"
			return 1
		fi
		sleep 0.05
	done
}

# ---- assertions: they say what there was instead ----

assert_status()
{
	[[ $status -eq $1 ]] || fail "exit status $status, expected $1"
}

# In either stream, as plain text, not a pattern.
assert_has()
{
	[[ $output == *"$1"* || ${stderr:-} == *"$1"* ]] || fail "nowhere in the output: $1"
}

assert_lacks()
{
	[[ $output != *"$1"* && ${stderr:-} != *"$1"* ]] || fail "unexpected in the output: $1"
}

assert_stderr_has()
{
	[[ $stderr == *"$1"* ]] || fail "not on standard error: $1"
}

# A whole line of standard output.
assert_line()
{
	grep -qxF -- "$1" <<<"$output" || fail "no such line: $1"
}

assert_equal()
{
	[[ $1 == "$2" ]] || fail "got:      $1"$'\n'"expected: $2"
}

# Law R3: the last line of standard error carries the cause (a hint may follow it).
assert_last_error_has()
{
	local last
	last=$(grep -v '^ *hint: ' <<<"$stderr" | tail -n 1)
	[[ $last == *"$1"* ]] || fail "the last line on standard error lacks: $1"
}

fail()
{
	echo "$1"
	echo "--- standard output"
	echo "${output:-}"
	if [[ -n ${stderr:-} ]]; then
		echo "--- standard error"
		echo "$stderr"
	fi
	return 1
}
