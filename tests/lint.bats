#!/usr/bin/env bats
# minirun lint: profiles and manifests judged without running anything, by anybody.

load helpers

lint() {
	run --separate-stderr "$MINIRUN" lint "$@" </dev/null
}

# "LINE:COLUMN SEVERITY CODE" of each finding.
places() {
	sed -n 's/^[^:]*:\([0-9]*:[0-9]*\): \([a-z]*\): .*\[\([a-z0-9-]*\)\]$/\1 \2 \3/p' <<<"$output"
}

# allowing NAME... : a profile that allows these calls and refuses the others.
allowing() {
	printf '%s\n' "$@" | jq -R . | jq -s '{defaultAction: "SCMP_ACT_ERRNO", syscalls: [{names: ., action: "SCMP_ACT_ALLOW"}]}'
}

pod_with_profile() {
	simple_pod lint true "    securityContext: {seccompProfile: {type: Localhost, localhostProfile: $1}}" >"$T/pod.yaml"
}

@test "the post's profile: what its name says and what it does, and why the program could not start" {
	lint "$REPO/demo/mkdir/profiles/no-mkdir.json"
	assert_status 1
	assert_has "no-mkdir.json:16:17: error: it is called no-mkdir.json, and it allows mkdir"
	assert_has "a program linked with glibc can't start: newfstatat and pread64 are refused, as is access"
	assert_has "16:17: warning: mkdir is allowed without mkdirat"
	assert_equal "$(places | grep -c 'error')" 1
	assert_equal "$(places | sed -n 's/.* loader-calls-missing/loader/p' | wc -l)" 2
}

@test "the corrected profile of the demo has no error, and still allows some halves of families" {
	lint "$REPO/demo/mkdir/profiles/no-mkdir-corrected.json"
	assert_status 0
	[[ $output != *" error: "* && $output == *"[half-family]"* ]]
}

@test "the profile of RuntimeDefault has neither error nor warning" {
	lint "$REPO/security/runtime-default.json"
	assert_status 0
	[[ $output != *" error: "* && $output != *" warning: "* ]]
}

@test "a clean profile is silence and 0" {
	"$MINIRUN" lint "$REPO/security/runtime-default.json" >/dev/null
	allowing execve arch_prctl exit_group openat open openat2 newfstatat stat lstat fstat statx read pread64 mmap mprotect \
		close brk access faccessat faccessat2 >"$T/p.json"
	lint p.json
	assert_status 0
	assert_equal "$output" ""
	assert_equal "$stderr" ""
}

@test "no root is needed, and no store" {
	allowing mkdir >"$T/no-mkdir.json"
	pod_with_profile no-mkdir.json
	run --separate-stderr as_user env -u MINIRUN_STORE HOME=/nonexistent "$MINIRUN" lint no-mkdir.json pod.yaml
	assert_status 1
	assert_has "[execve-missing]"
	[[ ! -e /nonexistent ]]
}

@test "unknown names get a did-you-mean, with the place of the name" {
	cat >"$T/p.json" <<-'EOF'
		{"defaultAction": "SCMP_ACT_ALLOW",
		 "syscalls": [{"names": ["mkdirr"], "action": "SCMP_ACT_ERRNO"}]}
	EOF
	lint p.json
	assert_status 0
	assert_line 'p.json:2:26: warning: syscalls[0].names[0]: no system call "mkdirr" is known: the name has no effect (did you mean "mkdir"?) [unknown-name]'
}

@test "a deny list with one way left open is an error" {
	cat >"$T/p.json" <<-'EOF'
		{"defaultAction": "SCMP_ACT_ALLOW",
		 "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}
	EOF
	lint p.json
	assert_status 1
	assert_has "p.json:2:26: error: mkdir is refused, but mkdirat, which does as much, is allowed (refuse mkdirat too) [half-denied]"
}

@test "several files at once; one that can't be read doesn't keep the others, and is 125" {
	allowing mkdir >"$T/no-mkdir.json"
	lint no-mkdir.json missing.json "$REPO/security/runtime-default.json"
	assert_status 125
	assert_has "no-mkdir.json:"
	assert_last_error_has "missing.json"
}

@test "standard input is read as any file" {
	# shellcheck disable=SC2016 # the inner shell's own
	run --separate-stderr bash -c 'echo "{\"defaultAction\": \"SCMP_ACT_ALLOW\"}" | "$MINIRUN" lint -'
	assert_status 0
	assert_has "standard input:1:19: warning: the default is to allow and no rule refuses anything"
}

@test "bad syntax and other files are errors of lint, not of minirun" {
	echo '{"defaultAction": }' >"$T/syntax.json"
	lint syntax.json
	assert_status 1
	assert_has "syntax.json:1:19: error: "
	assert_has "[invalid]"
	echo '{"hello": "world"}' >"$T/other.json"
	lint other.json
	assert_status 1
	assert_has "neither a seccomp or AppArmor profile nor a Pod's manifest"
	echo 'hello' >"$T/other.yaml"
	lint other.yaml
	assert_status 1
}

@test "without a file it says what it wants" {
	lint
	assert_status 125
	assert_last_error_has "lint wants"
}

@test "-o json is one array, of findings with code, severity, place and remedy" {
	allowing execve mkdir accept4 >"$T/no-mkdir.json"
	printf 'profile x {\n  file,\n  deny /a r,\n}\n' >silent
	lint -o json no-mkdir.json silent
	assert_status 1
	assert_equal "$(jq -r 'map(select(.code == "name-contradicts")) | .[0] | "\(.file) \(.severity) \(.line) \(.column > 0) \(.message | length > 0) \(.hint | length > 0)"' <<<"$output")" \
		"no-mkdir.json error 7 true true true"
	jq -e 'all(.[]; .code and .severity and .file and .message and .line and .column)' <<<"$output"
	jq -e 'any(.[]; .severity == "info")' <<<"$output"
}

@test "-o json of a profile that is clean is an empty array" {
	cat >"$T/p.json" <<<'{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["execve"], "action": "SCMP_ACT_ALLOW"}]}'
	lint -o json p.json
	jq -e 'type == "array" and length > 0' <<<"$output"
	allowing execve arch_prctl exit_group openat open openat2 newfstatat stat lstat fstat statx read pread64 mmap mprotect \
		close brk access faccessat faccessat2 >"$T/p.json"
	lint -o json p.json
	assert_equal "$(jq -c . <<<"$output")" "[]"
}

@test "a manifest: its own mistakes, and the profiles it names, found as a run finds them" {
	mkdir "$T/root"
	allowing execve >"$T/root/p.json"
	pod_with_profile p.json
	lint --seccomp-profile-root "$T/root" pod.yaml
	assert_has "$T/root/p.json:"
	lint pod.yaml
	assert_status 1
	assert_has "pod.yaml:"
	assert_has 'cannot load seccomp profile "p.json": no such file (looked for '
	# One that is nearly called so, or lies where such files usually do, is what was meant.
	mkdir "$T/profiles"
	mv "$T/root/p.json" "$T/profiles/p.jsno"
	lint pod.yaml
	assert_has 'no such file (did you mean "profiles/p.jsno"? looked for '
	mv "$T/profiles/p.jsno" "$T/profiles/p.json"
	lint pod.yaml
	assert_has 'no such file (did you mean "profiles/p.json"? looked for '
	# An AppArmor profile may be loaded without a file: that is told, and no mistake.
	simple_pod lint true "    securityContext: {appArmorProfile: {type: Localhost, localhostProfile: no-file-has-it}}" >"$T/pod.yaml"
	lint pod.yaml
	assert_status 0
	assert_has 'declares the profile "no-file-has-it"'
	assert_has '[no-text]'
	sed -i 's/restartPolicy: Never/restartPolicy: Sometimes/' "$T/pod.yaml"
	lint pod.yaml
	assert_status 1
	assert_has 'spec.restartPolicy: Unsupported value: "Sometimes"'
}

@test "the program in the image says whether the loader's calls matter" {
	local calls=(execve arch_prctl exit_group)
	# busybox's is static.
	allowing "${calls[@]}" >"$T/p.json"
	pod_with_profile p.json
	lint pod.yaml
	assert_status 0
	[[ $output != *loader-calls-missing* ]]
	# Without the image nothing is known of it.
	sed -i 's/image: busybox/image: nothing/' "$T/pod.yaml"
	lint pod.yaml
	assert_status 0
	assert_has "warning: a program linked with glibc can't start"
	# A program of this machine's own is linked with glibc: then it is an error.
	mkdir -p "$T/image/bin"
	cp "$(readlink -f /bin/true)" "$T/image/bin/sh"
	"$MINIRUN" image load "$T/image" dynamic >/dev/null
	sed -i 's/image: nothing/image: dynamic/' "$T/pod.yaml"
	lint pod.yaml
	assert_status 1
	assert_has "error: /bin/sh, a program linked with glibc, can't start: openat"
}

@test "an image can't lead lint out of itself, nor make it wait" {
	allowing execve arch_prctl exit_group >"$T/p.json"
	mkdir -p "$T/image/bin"
	ln -s /proc/self/exe "$T/image/bin/sh"
	"$MINIRUN" image load "$T/image" linked >/dev/null
	pod_with_profile p.json
	sed -i 's/image: busybox/image: linked/' "$T/pod.yaml"
	run timeout 5 "$MINIRUN" lint pod.yaml
	assert_status 0
	[[ $output != *" error: "* ]]
	rm "$T/image/bin/sh"
	printf '#!/bin/sh\n' >"$T/image/bin/sh"
	"$MINIRUN" image load "$T/image" looped >/dev/null
	sed -i 's/image: linked/image: looped/' "$T/pod.yaml"
	run timeout 5 "$MINIRUN" lint pod.yaml
	assert_status 0
	rm "$T/image/bin/sh"
	mkfifo "$T/image/bin/sh"
	tar -C "$T/image" -cf "$T/fifo.tar" .
	"$MINIRUN" image load "$T/fifo.tar" fifo >/dev/null
	sed -i 's/image: looped/image: fifo/' "$T/pod.yaml"
	run timeout 5 "$MINIRUN" lint pod.yaml
	assert_status 0
}

@test "what lint calls fatal is fatal, and what it leaves alone runs" {
	local name
	mkdir -p "$T/image/bin" "$T/image/lib64"
	cp "$(readlink -f /bin/true)" "$T/image/bin/sh"
	# The loader and libc, each where the program expects it.
	ldd /bin/true | grep -o '/[^ ]*' | while read -r name; do
		mkdir -p "$T/image$(dirname "$name")"
		cp -L "$name" "$T/image$name"
	done
	"$MINIRUN" image load "$T/image" plain >/dev/null
	local calls=(execve openat newfstatat read pread64 mmap mprotect close arch_prctl exit_group)
	# fstat(3) is one call or the other, by glibc's version.
	[[ $(strace -e trace=fstat /bin/true 2>&1) != *fstat\(* ]] || calls[2]=fstat
	pod_with_profile p.json
	sed -i 's/image: busybox/image: plain/' "$T/pod.yaml"
	allowing "${calls[@]}" >"$T/p.json"
	lint pod.yaml
	assert_status 0
	run "$MINIRUN" --once "$T/pod.yaml"
	assert_status 0
	for name in "${calls[@]:1:8}"; do
		allowing "${calls[@]/#$name/getpid}" >"$T/p.json"
		lint pod.yaml
		assert_status 1
		assert_has "can't start: $name is refused"
		! "$MINIRUN" --once "$T/pod.yaml" >/dev/null 2>&1 || fail "it runs without $name"
	done
}

@test "every code is in the manual" {
	local code
	grep -o '{"[a-z0-9-]*", SEVERITY' "$REPO/security/lint.c" | cut -d'"' -f2 >"$T/codes"
	[[ $(wc -l <"$T/codes") -ge 14 ]]
	for code in $(<"$T/codes") unknown-name invalid ignored; do
		grep -q "^\.It Cm $code$" "$REPO/man/minirun.1" || fail "$code is not in minirun(1)"
	done
}

@test "AppArmor profiles: the syntax, silent rules, complain mode, rules that are missing" {
	cat >web <<-END
		# web's profile
		abi <abi/3.0>,
		profile web flags=(attach_disconnected) {
		  file,
		  deny /etc/shadow r,
		  audit deny /etc/gshadow r,
		}
	END
	lint web
	assert_status 0
	assert_equal "$(wc -l <<<"$output")" 1
	assert_has 'web:5:3: info: what `deny /etc/shadow r` refuses is in no record'
	assert_has "(write \`audit deny\` for what shall be named) [deny-silent]"
	printf 'profile a flags=(complain) {\n  capability,\n}\nprofile b {\n  /etc/** r,\n}\n' >two
	lint two
	assert_status 0
	assert_has "two:1:1: warning: profile a is in complain mode"
	assert_has "[file-rule-missing]"
	assert_has "two:4:1: warning: no rule of profile b permits to start a program"
	printf 'profile a {\n  file,\n  /etc/x zz,\n}\n' >bad
	lint bad
	assert_status 1
	assert_has "bad:3:1: error: syntax error, unexpected TOK_ID, expecting TOK_MODE [syntax]"
	run --separate-stderr bash -c '"$MINIRUN" lint -o json - <bad'
	assert_status 1
	jq -e '.[0].code == "syntax" and .[0].line == 3 and .[0].file == "standard input"' <<<"$output"
}

@test "the AppArmor profile of a pod is judged for its program and its volumes" {
	mkdir -p rootfs/bin profiles
	cp "$(command -v busybox)" rootfs/bin/busybox
	ln -s busybox rootfs/bin/sh
	printf '#!/bin/sh\necho hi\n' >rootfs/run
	cp /bin/true rootfs/bin/dynamic
	chmod 0755 rootfs/run
	"$MINIRUN" image load rootfs judged >/dev/null
	cat >profiles/web <<-END
		profile vm-web {
		  /bin/* rix,
		  audit deny $T/data/secret r,
		  audit deny /inside/secret r,
		  $T/data/public r,
		}
		profile not-asked {
		}
	END
	pod_of() {
		simple_pod lint true "    securityContext: {appArmorProfile: {type: Localhost, localhostProfile: vm-web}}
    volumeMounts: [{name: v, mountPath: /inside}]" "  volumes: [{name: v, hostPath: {path: $T/data}}]" |
			sed "s|image: busybox|image: judged|; s|command: .*|command: [$1]|"
	}
	pod_of /bin/sh >pod.yaml
	lint pod.yaml
	assert_status 1
	assert_has "profiles/web:3:3: error: \`audit deny $T/data/secret r\` can't match: $T/data is the machine's name for volume v, which the container sees, and AppArmor with it, at /inside (write /inside/secret) [host-path]"
	assert_has "profiles/web:5:3: warning: \`$T/data/public r\` can't match"
	assert_equal "$(wc -l <<<"$output")" 2
	pod_of /run >pod.yaml
	lint pod.yaml
	assert_status 1
	assert_has "profiles/web:1:1: error: the program /run is a script, and no rule of profile vm-web lets its interpreter read it"
	pod_of /bin/dynamic >pod.yaml
	lint pod.yaml
	assert_status 1
	assert_has "profiles/web:1:1: error: the program /bin/dynamic needs shared libraries, and no rule of profile vm-web permits to map (rm) the C library"
}
