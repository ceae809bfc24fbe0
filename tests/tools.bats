#!/usr/bin/env bats
# Images that other tools made, Debian's buildah, umoci, skopeo and podman, load and run; and what minirun unpacks is what
# umoci unpacks.

load helpers
setup_file()
{
	minirun_setup_file
	! file_is_left_out || return 0
	"$REPO/tests/scripts/deps" tools
	# Storage of their own, that is gone with $WORK; vfs needs no mount.
	export STORAGE_DRIVER=vfs CONTAINERS_STORAGE_CONF=$WORK/storage.conf CONTAINERS_REGISTRIES_CONF=$WORK/registries.conf
	printf '[storage]\ndriver = "vfs"\ngraphroot = "%s"\nrunroot = "%s"\n' "$WORK/containers" "$WORK/containers-run" >"$CONTAINERS_STORAGE_CONF"
	: >"$CONTAINERS_REGISTRIES_CONF"
	mkdir -p "$WORK/made"
	build_image >"$WORK/made/log" 2>&1 || { cat "$WORK/made/log"; return 1; }
}
teardown_file()
{
	minirun_teardown_file
}
setup()
{
	minirun_setup
	export MINIRUN_STORE=$T/store
}

# Three layers: busybox; all that is hard to keep; and what takes away from both.
build_image()
{
	local c m
	c=$(buildah from scratch)
	buildah add -q "$c" "$WORK/busybox.tar" /
	buildah config --cmd '["sh", "-c", "echo made by $MAKER as $(id -u) in $(pwd); cat /etc/kind"]' --env MAKER=buildah \
		--workingdir /work --user 12:34 "$c"
	buildah commit -q "$c" base
	m=$(buildah mount "$c")
	mkdir -p "$m/hard/deep" "$m/work" "$m/gone" "$m/emptied"
	echo tools >"$m/etc/kind"
	echo linked >"$m/hard/one"
	ln "$m/hard/one" "$m/hard/two"
	ln -s ../etc/kind "$m/hard/link"
	mkfifo "$m/hard/fifo"
	mknod "$m/hard/null" c 1 3
	cp /bin/true "$m/hard/capable"
	setcap cap_net_raw,cap_chown=ep "$m/hard/capable"
	install -m 4751 -o 7 -g 8 /dev/null "$m/hard/setuid"
	install -d -m 2775 -o 9 -g 10 "$m/hard/setgid"
	truncate -s 20M "$m/hard/sparse"
	echo end >>"$m/hard/sparse"
	touch -d '2001-02-03 04:05:06.789' "$m/hard/old" "$m/hard/deep"
	touch "$m/hard/$(printf 'long%.0s' {1..60})" "$m/hard/ünï" "$m/gone/x" "$m/emptied/x"
	setfattr -n user.note -v kept "$m/hard/one" || true
	buildah commit -q "$c" middle
	buildah unmount "$c"
	# A further layer starts from the image.
	buildah rm "$c"
	c=$(buildah from localhost/middle)
	m=$(buildah mount "$c")
	rm -r "$m/gone" "$m/bin/vi" "$m/emptied/x"
	rm -r "$m/hard/deep" && mkdir -m 700 "$m/hard/deep" && touch "$m/hard/deep/anew"
	buildah commit -q "$c" top
	buildah rm "$c"
}

# With nothing of its own in /run.
podman_() { podman --root "$WORK/containers" --runroot "$WORK/containers-run" --tmpdir "$WORK/containers-tmp" --events-backend=none "$@"; }

image() { run --separate-stderr "$MINIRUN" image "$@"; }

# Standard error has how far it came, at most.
assert_no_warning() { [[ ${stderr:-} != *warning* ]] || fail "a warning: $stderr"; }

runs()
{
	simple_pod tools x | sed "s|image: busybox|image: $1|; /command:/d" >pod.yaml
	run --separate-stderr "$MINIRUN" -q pod.yaml
	assert_status 0
	assert_has "made by buildah as 12 in /work"
	assert_has tools
}

# What a command sees in its working folder: kind and mode, owner, links, size, time, path, target; capabilities, attributes.
describe()
{
	# shellcheck disable=SC2016 # the inner shell's own variables
	"$@" bash -c '
		find . -mindepth 1 ! -type d -printf "%y%m %U:%G %n %s %Ts %P %l\n" -o -mindepth 1 -type d -printf "%y%m %U:%G %Ts %P\n" | sort -k 5
		find . -type f -exec sha256sum {} + | sort
		find . -type f -links +1 -printf "%i %P\n" | sort | awk "{ if (!(\$1 in n)) n[\$1] = ++k; print n[\$1], \$2 }"
		find . -type c -exec stat -c "%t:%T %n" {} +
		getcap -r . | sort
		getfattr -R -d -m "^user" --absolute-names . 2>/dev/null | sort'
}

@test "what buildah, skopeo and podman write is loaded, and runs" {
	local kind
	buildah push -q top "oci:$T/layout:quay.io/made/top:v1"
	buildah push -q top "oci-archive:$T/oci.tar:localhost/top:latest"
	buildah push -q --format v2s2 top "docker-archive:$T/docker.tar:localhost/top:latest"
	podman_ save -q --format oci-archive -o podman-oci.tar localhost/top
	podman_ save -q --format docker-archive -o podman-docker.tar localhost/top
	podman_ save -q --format oci-dir -o podman-dir localhost/top
	skopeo copy -q "oci:$T/layout:quay.io/made/top:v1" "docker-archive:$T/skopeo-docker.tar:localhost/top:latest"
	skopeo copy -q --dest-compress-format zstd --dest-compress "oci:$T/layout:quay.io/made/top:v1" "oci:$T/skopeo-zstd:localhost/top:latest"
	for kind in layout oci.tar docker.tar podman-oci.tar podman-docker.tar podman-dir skopeo-docker.tar skopeo-zstd; do
		echo "# $kind"
		rm -rf "$MINIRUN_STORE"
		image load $kind -o json
		assert_status 0
		assert_no_warning
		case $kind in
		layout) assert_equal "$(jq -r .name <<<"$output")" quay.io/made/top:v1 ;;
		podman-dir) ;;
		*) assert_equal "$(jq -r .name <<<"$output")" localhost/top ;;
		esac
		runs "$(jq -r .name <<<"$output")"
	done
}

@test "what minirun unpacks equals what umoci unpacks of it" {
	buildah push -q top "oci:$T/layout:top"
	umoci unpack --image "$T/layout:top" bundle
	image load layout top
	assert_status 0
	assert_no_warning
	describe env -C bundle/rootfs >theirs
	describe in_image_layers top >ours
	[[ $(wc -l <ours) -gt 300 ]]
	run diff theirs ours
	assert_equal "$output" ""
	assert_status 0
}

@test "layers that umoci makes, with folders that have no entry of their own, load, run and equal its own" {
	buildah push -q middle "oci:$T/layout:top"
	umoci unpack --image "$T/layout:top" bundle
	echo more >bundle/rootfs/hard/setgid/more
	rm -r bundle/rootfs/emptied
	mkdir bundle/rootfs/emptied
	chown 77:78 bundle/rootfs/hard
	umoci repack --image "$T/layout:again" bundle
	umoci config --image "$T/layout:again" --config.env MAKER=umoci
	umoci unpack --image "$T/layout:again" again
	image load layout again
	assert_status 0
	describe env -C again/rootfs >theirs
	describe in_image_layers again >ours
	run diff theirs ours
	assert_equal "$output" ""
	simple_pod tools 'echo $MAKER; cat /hard/setgid/more' | sed "s|image: busybox|image: again|" >pod.yaml
	run --separate-stderr "$MINIRUN" -q pod.yaml
	assert_status 0
	assert_has umoci
	assert_has more
}
