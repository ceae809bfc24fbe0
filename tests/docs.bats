#!/usr/bin/env bats
# What is written down is so: the README's commands, the man pages, the help, what is installed.

load helpers

@test "each command of the README prints what it says" {
	mkdir -p repo/demo
	# Where the README's commands are typed: the repository's top, but nothing is to be built or written there.
	cp -r "$REPO/demo/images" "$REPO/demo/cache" repo/demo/ 2>/dev/null || cp -r "$REPO/demo/images" repo/demo/
	cp "$MINIRUN" repo/minirun
	printf 'all:\n' >repo/Makefile
	cd repo
	run "$REPO/tests/scripts/console" "$REPO/README.md"
	assert_status 0
}

commands()
{
	"$MINIRUN" help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }'
}

@test "the man page has every command and every option that the help has" {
	local command option
	for command in $(commands); do
		grep -qE "^\.(Nm|It|Cm) .*\b$command|^\.It Oo Cm $command|^\.Cm $command" "$REPO/man/minirun.1"
		for option in $("$MINIRUN" help "$command" | grep -oE -- '--[a-z-]+' | sort -u); do
			grep -qF -- "Fl ${option#-}" "$REPO/man/minirun.1" || fail "minirun.1 lacks $option of $command"
		done
	done
}

@test "the man page has no option that the help hasn't" {
	local option command
	for command in $(commands); do
		"$MINIRUN" help "$command"
	done >helps
	for option in $(grep -oE 'Fl -[a-z-]+' "$REPO/man/minirun.1" | sed 's/Fl -/--/' | sort -u); do
		grep -qF -- "$option" helps || fail "no command has $option"
	done
}

@test "the man pages are without fault, the fields' table included" {
	sed -e "/^@FIELDS@\$/{r /dev/stdin" -e 'd}' "$REPO/man/minirun-pod.5.in" <<<"$("$MINIRUN" help --fields)" >pod.5
	mandoc -Tlint -Wwarning "$REPO/man/minirun.1" pod.5
	mandoc -Tutf8 pod.5 | sed 's/.\x08//g' >pod.txt
	for field in terminationGracePeriodSeconds localhostProfile subPath livenessProbe topologySpreadConstraints; do
		grep -q "^ *$field" pod.txt || fail "minirun-pod(5) lacks $field"
	done
}

@test "minirun help explains each command that it lists" {
	local command
	for command in $(commands); do
		run "$MINIRUN" help "$command"
		assert_status 0
		assert_has "Usage: minirun $command"
		run "$MINIRUN" "$command" --help
		assert_status 0
		assert_has "Usage: minirun $command"
	done
	run "$MINIRUN" help descibe
	assert_status 125
	assert_has "did you mean describe?"
}

@test "CVE-2020-5291: what make installs is setuid for nobody" {
	mkdir -p build/man
	cp "$REPO/man/minirun.1" build/man/
	"$MINIRUN" help --fields | sed -e "/^@FIELDS@\$/{r /dev/stdin" -e 'd}' "$REPO/man/minirun-pod.5.in" >build/man/minirun-pod.5
	make -s -C "$REPO" -o all install DESTDIR="$T/root" PREFIX=/usr BINARY="$MINIRUN" BUILD="$T/build" 2>&1
	assert_equal "$(stat -c '%a' "$T/root/usr/bin/minirun")" 755
	assert_equal "$(find "$T/root" -perm /6000)" ""
	assert_equal "$(getcap -r "$T/root")" ""
	[[ -s $T/root/usr/share/man/man1/minirun.1 && -s $T/root/usr/share/man/man5/minirun-pod.5 ]]
	make -s -C "$REPO" uninstall DESTDIR="$T/root" PREFIX=/usr
	assert_equal "$(find "$T/root" -type f)" ""
}

@test "make help lists every target that has something to say" {
	run make -s -C "$REPO" help
	for target in all check check-asan check-unit check-facts bench demo deps fuzz tidy format-check install clean; do
		grep -qE "^$target +[a-z]" <<<"$output" || fail "make help lacks $target"
	done
}

@test "what is left out somewhere is in one table, each row with a reason and a test that there is; nothing else skips" {
	local mode file title reason
	modes_table >rows
	[[ -s rows ]]
	while IFS=$'\t' read -r mode file title reason; do
		[[ " root range one-id no-cgroup2 apparmor low-ports not-x86-64 " == *" $mode "* ]] || fail "what is $mode?"
		[[ ${#reason} -gt 20 ]] || fail "no reason for $file: $title"
		[[ $title == "*" ]] || grep -qF -- "@test \"${title//\$/\\$}\" {" "$REPO/tests/$file" || fail "$file has no test \"$title\""
		[[ -e $REPO/tests/$file ]] || fail "no $file"
	done <rows
	assert_equal "$(sort rows | uniq -d)" ""
	run grep -nE '(^|[^a-z-])skip( |$)' "$REPO"/tests/*.bats "$REPO"/tests/vm/*.bats "$REPO/tests/vm/helpers.bash"
	assert_equal "$(grep -v 'grep -nE' <<<"$output")" ""
	# Nor does a test end before its end.
	run awk '/^@test/ { on = 1 } /^}/ { on = 0 } on && /^\t(.* (\|\||&&) )?return( 0)?$/ { print FILENAME ": " $0 }' "$REPO"/tests/*.bats "$REPO"/tests/vm/*.bats
	assert_equal "$output" ""
}
