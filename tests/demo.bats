#!/usr/bin/env bats
# The demo: its manifests are the post's, and its README tells the truth.

load helpers

# A store of the suite's own, with both images. The archive of nginx comes from demo/cache, or from Debian's mirror.
setup_file()
{
	minirun_setup_file
	local archive
	archive=$("$REPO/demo/images/build" nginx)
	"$MINIRUN" image load -q --config "$REPO/demo/images/nginx.config.json" "$archive" nginx >/dev/null
	cp -r "$REPO/demo/mkdir" "$WORK/mkdir"
	chmod -R a+rX "$WORK/mkdir"
}

# In a mount namespace with a /var/lib of its own: the post writes its profile to the kubelet's folder, and says sudo.
with_own_var_lib()
{
	local maps=()
	if [[ $(id -u) != 0 ]]; then
		maps=(--map-root-user)
		! grep -q "^$(id -un):" /etc/subuid || maps+=(--map-auto)
	fi
	mkdir -p "$T/bin"
	printf '#!/bin/sh\nexec "$@"\n' >"$T/bin/sudo"
	chmod 0755 "$T/bin/sudo"
	# shellcheck disable=SC2016 # the inner shell's own
	PATH=$T/bin:$WORK/bin:$PATH unshare -m --propagation private "${maps[@]}" \
		bash -c 'mount -t tmpfs tmpfs /var/lib && exec "$@"' with_own_var_lib "$@"
}

@test "each command of the demo's README prints what it says" {
	cd "$REPO"
	run with_own_var_lib tests/scripts/console demo/mkdir/README.md
	echo "$output"
	assert_status 0
}

@test "demo/run shows what it says, as root" {
	run "$REPO/demo/run"
	assert_status 0
	assert_has "cannot read file data: Operation not permitted"
	assert_has "mkdir: cannot create directory '/usr/share/nginx/html': Operation not permitted"
	assert_has "<html><body><h1>Made Directory</h1></body></html>"
}

@test "the JSON manifests say what the YAML ones say" {
	cd "$WORK/mkdir"
	for pod in blocked corrected; do
		for form in yaml json; do
			status=0
			"$MINIRUN" --once "$pod.$form" >"$T/out" 2>&1 || status=$?
			{ echo "$status"; sed 's/after [0-9]* ms//' "$T/out"; } >"$T/$pod.$form"
		done
		diff "$T/$pod.yaml" "$T/$pod.json"
	done
}

@test "the README's pods and profile are the post's, word for word" {
	# The blocks as they are typed, without prompts.
	sed -n 's/^> //p' "$REPO/demo/mkdir/README.md" >"$T/typed"
	awk '/^{$/ { on = 1 } on { print } /^}$/ { exit }' "$T/typed" | cmp - "$WORK/mkdir/profiles/no-mkdir.json"
	awk -v n=1 '/^apiVersion/ { i++ } i == n && /^EOF$/ { exit } i == n' "$T/typed" >"$T/first.yaml"
	awk -v n=2 '/^apiVersion/ { i++ } i == n && /^EOF$/ { exit } i == n' "$T/typed" >"$T/second.yaml"
	diff <(sed 's, *$,,' "$WORK/mkdir/blocked.yaml") "$T/first.yaml"
	diff <(sed 's, *$,,' "$WORK/mkdir/allowed.yaml") "$T/second.yaml"
}

@test "the profile is the post's: 51 names, mkdir among them" {
	cd "$WORK/mkdir/profiles"
	assert_equal "$(jq '[.syscalls[].names[]] | length' no-mkdir.json)" 51
	assert_equal "$(jq -c '[.syscalls[].names[]] | unique - (unique - ["mkdir", "mkdirat"])' no-mkdir.json)" '["mkdir"]'
	# The corrected one: the post's, less mkdir, and without mkdirat.
	assert_equal "$(jq -c --slurpfile c no-mkdir-corrected.json '[.syscalls[].names[]] - [$c[0].syscalls[].names[]]' no-mkdir.json)" \
		'["mkdir"]'
	assert_equal "$(jq -c '[.syscalls[].names[]] | map(select(startswith("mkdir")))' no-mkdir-corrected.json)" '[]'
}

# Serves the page with the users that there are. The image's files belong to ids that a single-id user hasn't.
serves_the_page()
{
	local page='' pid status=0
	"$1" "$MINIRUN" image load -q --config "$REPO_CONFIG" "$ARCHIVE" nginx >"$T/load" 2>&1 || { cat "$T/load"; return 1; }
	"$1" "$MINIRUN" --once "$WORK/mkdir/allowed.yaml" >"$T/out" 2>&1 &
	pid=$!
	for _ in {1..100}; do
		page=$("$1" "$MINIRUN" exec demo -c demo -- curl -s localhost 2>/dev/null) && [[ -n $page ]] && break
		sleep 0.1
	done
	# The user's shells stand between.
	kill -TERM "$(pgrep -o -fx "$MINIRUN --once $WORK/mkdir/allowed.yaml")"
	wait "$pid" || status=$?
	cat "$T/out"
	assert_equal "$page" '<html><body><h1>Made Directory</h1></body></html>'
	assert_equal "$status" 0
}

share_the_image()
{
	ARCHIVE=$WORK/nginx.tar.gz REPO_CONFIG=$WORK/nginx.config.json
	cp "$("$REPO/demo/images/build" nginx)" "$ARCHIVE"
	cp "$REPO/demo/images/nginx.config.json" "$REPO_CONFIG"
	chmod 0644 "$ARCHIVE" "$REPO_CONFIG"
}

@test "an ordinary user with a range of ids serves the page" {
	share_the_image
	serves_the_page as_ranged_user
}

@test "an ordinary user with a single id serves the page" {
	share_the_image
	serves_the_page as_user
}

@test "the profiles block an ordinary user's pod as they block root's" {
	share_the_image
	as_user "$MINIRUN" image load -q --config "$REPO_CONFIG" "$ARCHIVE" nginx >/dev/null 2>&1
	run -127 as_user "$MINIRUN" --once "$WORK/mkdir/blocked.yaml"
	assert_has "cannot read file data: Operation not permitted"
	run as_user "$MINIRUN" --once "$WORK/mkdir/corrected.yaml"
	assert_status 1
	assert_has "mkdir: cannot create directory '/usr/share/nginx/html': Operation not permitted"
}
