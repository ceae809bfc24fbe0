#!/usr/bin/env bats
# Images with layers: what is taken, what is shared, how layers become one tree. Images are put together here, byte by
# byte (tests/evil/archives.py); those that other tools make are the business of tests/tools.bats.

load helpers
setup_file()
{
	minirun_setup_file
	# A busybox as a lowest layer, of which programs below run.
	cp "$WORK/busybox.tar" "$WORK/base.tar"
}
setup()
{
	minirun_setup
	export MINIRUN_STORE=$T/store
}

image() { run --separate-stderr "$MINIRUN" image "$@"; }

# Standard error has how far it came, at most.
assert_no_warning() { [[ ${stderr:-} != *warning* ]] || fail "a warning: $stderr"; }

# make_images <<PY: Python, with tests/evil/archives.py at hand and the bytes of the busybox archive as `base`.
make_images()
{
	{
		cat <<-'EOF'
			import gzip, lzma, os, subprocess, sys
			sys.dont_write_bytecode = True
			from archives import *
			base = open(os.environ["WORK"] + "/base.tar", "rb").read()
			def put(name, data):
			    open(name, "wb").write(data)
			def platform(descriptor, **platform):
			    return {**descriptor, "platform": platform}
			def named(descriptor, name, key="org.opencontainers.image.ref.name"):
			    return {**descriptor, "annotations": {key: name}}
		EOF
		cat
	} >make.py
	PYTHONPATH=$REPO/tests/evil python3 make.py
}

layers() { find "$MINIRUN_STORE/layers" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort; }

stored() { find "$MINIRUN_STORE"/{images,layers,tmp} -mindepth 1 -maxdepth 1 2>/dev/null | sort; }

# Runs `COMMAND` in a container of the image: in_image NAME 'COMMAND' [WRAPPER...].
in_image()
{
	local name=$1 command=$2
	shift 2
	simple_pod layered "$command" | sed "s|image: busybox|image: $name|" >pod.yaml
	chmod 644 pod.yaml
	run --separate-stderr "$@" "$MINIRUN" -q pod.yaml
}

@test "whiteouts and opaque folders hide what is below, and nothing of their own layer, whatever the order" {
	make_images <<-'EOF'
		low = layer(*[folder(d) for d in ("a", "b", "c", "d", "e", "f")], *[file(d + "/low") for d in "abcdef"],
		            file("gone"), file("kept"), folder("tree"), folder("tree/deep"), file("tree/deep/low"), file("swap"))
		high = layer(
		    file(".wh.gone", b""),
		    file("a/.wh.low", b""),                                            # one name
		    file("b/.wh..wh..opq", b""), file("b/high"),                       # opaque, then content
		    folder("c"), file("c/high"), file("c/.wh..wh..opq", b""),          # content, then opaque
		    file(".wh.d", b""), folder("d"), file("d/high"),                   # hidden, then made anew
		    folder("e"), file("e/high"), file(".wh.e", b""),                   # the other way
		    file(".wh.f", b""), file("f/high"),                                # made anew without an entry
		    file(".wh.tree", b""), file("tree/deep/high"),
		    file(".wh.swap", b""), file("swap", b"new\n"),
		    file(".wh.never", b""))
		put("image.tar", image(low, high).tar())
	EOF
	image load image.tar whiteouts
	assert_status 0
	assert_no_warning
	run in_image_layers whiteouts find . ! -type d -printf '%P\n'
	assert_equal "$(sort <<<"$output" | tr '\n' ' ')" "b/high c/high d/high e/high f/high kept swap tree/deep/high "
	run in_image_layers whiteouts cat swap
	assert_equal "$output" new
}

@test "a layer that hides all of its root leaves the layers below out" {
	make_images <<-'EOF'
		put("image.tar", image(layer(folder("etc"), file("etc/low")), layer(file(".wh..wh..opq", b""), file("middle")), layer(file("high"))).tar())
	EOF
	image load image.tar opaque
	assert_status 0
	run in_image_layers opaque find . ! -type d -printf '%P\n'
	assert_equal "$(sort <<<"$output" | tr '\n' ' ')" "high middle "
	assert_equal "$(layers | wc -l)" 2
}

@test "an ordinary user's layers hide as well" {
	make_images <<-'EOF'
		put("image.tar", image(base, layer(folder("etc"), file("etc/.wh.passwd", b""), file("tmp/.wh..wh..opq", b""), folder("closed", mode=0o555),
		                                   file("closed/x")), layer(file("closed/y"), file(".wh.home", b""))).tar())
	EOF
	chmod 644 image.tar
	local who
	for who in $(users); do
		run --separate-stderr "$who" "$MINIRUN" image load image.tar hides
		assert_status 0
		in_image hides 'ls /etc/passwd /home 2>&1 | wc -l; ls /closed | xargs; stat -c %a /closed' "$who"
		assert_status 0
		[[ $output == *"2"*"x y"*"555"* ]]
		"$who" "$MINIRUN" image rm hides -q
		[[ -z $("$who" sh -c 'ls -A "$MINIRUN_STORE/layers" "$MINIRUN_STORE/tmp" | grep -v :') ]]
	done
}

@test "a folder without an entry of its own is what it is in the layers below" {
	make_images <<-'EOF'
		below = [layer(folder("opt", mode=0o700, uid=7, gid=8), folder("opt/in", mode=0o1777, uid=9), file("opt/in/low")),
		         layer(folder("opt", mode=0o711), folder("opt/in", mode=0o750, gid=5))]
		high = layer(file("opt/in/high"), file("new/deep/high"))
		for i in range(2):
		    put("image%d.tar" % i, image(below[i], high).tar())
		put("hidden.tar", image(below[0], layer(file(".wh.opt", b"")), high).tar())
	EOF
	image load image0.tar first
	image load image1.tar second
	image load hidden.tar third
	run in_image_layers first stat -c '%a %u %g %Y' opt opt/in new new/deep
	assert_equal "$(head -n 2 <<<"$output")" $'700 7 8 0\n1777 9 0 0'
	assert_equal "$(tail -n 2 <<<"$output" | cut -d' ' -f1-3)" $'755 0 0\n755 0 0'
	run in_image_layers second stat -c '%a %u %g' opt opt/in
	assert_equal "$output" $'711 0 0\n750 0 5'
	run in_image_layers third stat -c '%a %u %g' opt opt/in
	assert_equal "$output" $'755 0 0\n755 0 0'
	# The same file in a plain archive, and a layer that has its folders' entries, are shared; this one can't be.
	assert_equal "$(layers | wc -l)" 6
}

@test "a layer is unpacked once: another image that has it doesn't even read it" {
	make_images <<-'EOF'
		high = [layer(file("high%d" % i)) for i in range(2)]
		for i in range(2):
		    layout = image(base, high[i])
		    if i:
		        del layout.files["blobs/sha256/" + sha256(base)]
		    layout.write("image%d" % i)
		packed = gzip.compress(base)
		layout = image(packed, high[0], diff_ids=["sha256:" + sha256(base), "sha256:" + sha256(high[0])])
		layout.write("packed")
		put("base.sha", sha256(base).encode())
	EOF
	image load image0 first
	assert_status 0
	ls -di "$MINIRUN_STORE/layers/$(<base.sha)/rootfs/bin" >before
	image load image1 second
	assert_status 0
	# It is the content that counts, not how it was compressed, nor whether it came as an image.
	image load packed third
	assert_status 0
	image load "$WORK/base.tar" fourth
	assert_status 0
	assert_equal "$(ls -di "$MINIRUN_STORE/layers/$(<base.sha)/rootfs/bin")" "$(<before)"
	assert_equal "$(layers | wc -l)" 3
	"$MINIRUN" image rm first third fourth -q
	assert_equal "$(layers | wc -l)" 2
	image rm second
	assert_equal "$(stored)" ""
}

@test "of a multi-platform image this machine's is taken, from nested indexes too" {
	local arch
	arch=$(uname -m)
	arch=${arch/x86_64/amd64} arch=${arch/aarch64/arm64}
	export arch
	make_images <<-'EOF'
		arch = os.environ["arch"]
		layout = Layout()
		def one(name, **what):
		    return platform(layout.manifest([layer(file(name))], config={"architecture": what["architecture"]}), **what)
		inner = layout.blob({"manifests": [one("plan9", os="plan9", architecture=arch), one("vax", os="linux", architecture="vax"),
		                                   one("v99", os="linux", architecture=arch, variant="v99"), one("mine", os="linux", architecture=arch),
		                                   one("unknown", os="unknown", architecture="unknown")]}, INDEX)
		outer = layout.blob({"manifests": [inner]}, INDEX)
		put("image.tar", layout.index(named(outer, "localhost/multi:v1")).tar())
	EOF
	image load image.tar -o json
	assert_status 0
	assert_equal "$(jq -r .name <<<"$output")" localhost/multi:v1
	[[ -e $MINIRUN_STORE/layers/$(jq -r '.layers[0]' <<<"$output")/rootfs/mine ]]
}

@test "an image is named by its archive, unless a name is given" {
	make_images <<-'EOF'
		data = layer(file("x"))
		def with_name(file, *names, key="org.opencontainers.image.ref.name"):
		    layout = Layout()
		    put(file, layout.index(*[named(layout.manifest([layer(globals()["file"](name.replace("/", "-")))]), name, key) for name in names]).tar())
		with_name("ref", "quay.io/who/what:v2")
		with_name("containerd", "docker.io/library/nginx:1.25", key="io.containerd.image.name")
		with_name("mere-tag", "latest")
		with_name("two", "docker.io/library/one:latest", "docker.io/library/two:latest")
		put("saved", saved([data], tags=["docker.io/library/old:3", "other"]))
		put("saved-nameless", saved([data], tags=[]))
	EOF
	image load ref -q && image load containerd -q && image load saved -q
	image ls -o json
	assert_equal "$(jq -rc '[.[].name]' <<<"$output")" '["nginx:1.25","old:3","other","quay.io/who/what:v2"]'
	image load mere-tag
	assert_status 125
	assert_last_error_has "cannot load mere-tag: it only says that its image is \"latest\""
	image load saved-nameless
	assert_last_error_has "it doesn't say what its image is called"
	image load two
	assert_last_error_has "the layout holds 2 images, and one must be chosen"
	assert_stderr_has "it has: docker.io/library/one:latest, docker.io/library/two:latest"
	image load two three
	assert_last_error_has "the layout holds no image called three"
	image load two two
	assert_status 0
	image load saved renamed
	assert_status 0
}

@test "compressed with gzip, zstd or xz, in a folder, a tar, a compressed tar or a pipe, an image is the same" {
	make_images <<-'EOF'
		low = layer(folder("etc"), file("etc/x", os.urandom(300000)))
		high = layer(file("etc/y"), file(".wh.nothing", b""))
		def run(*command):
		    return lambda data: subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout
		ids = ["sha256:" + sha256(low), "sha256:" + sha256(high)]
		for name, pack in {"plain": lambda data: data, "gzip": gzip.compress, "zstd": run("zstd", "-q"), "xz": lzma.compress}.items():
		    image(pack(low), pack(high), diff_ids=ids).write(name)
		    put(name + ".tar", image(pack(low), pack(high), diff_ids=ids).tar())
		    put(name + ".saved", saved([low, high]))
	EOF
	local kind archive first=
	for kind in plain gzip zstd xz; do
		tar -czf $kind.tar.gz -C $kind .
		for archive in $kind $kind.tar $kind.tar.gz $kind.saved -; do
			rm -rf "$MINIRUN_STORE"
			run --separate-stderr "$MINIRUN" image load $archive same <$kind.tar
			assert_status 0
			assert_no_warning
			[[ -n $first ]] || first=$(layers)
			assert_equal "$(layers)" "$first"
			[[ -z $(ls -A "$MINIRUN_STORE/tmp") ]]
		done
	done
}

@test "an image of 200 layers runs" {
	make_images <<-'EOF'
		put("image.tar", image(base, *[layer(file("n/%03d" % i, b"%d\n" % i), file("top", b"%d\n" % i), file("n/.wh.%03d" % (i - 3), b""))
		                               for i in range(199)]).tar())
	EOF
	image load image.tar deep
	assert_status 0
	in_image deep 'cat /top; ls /n | xargs'
	assert_status 0
	assert_has $'198\n'
	assert_has "196 197 198"
}

@test "the same layer may stand in an image twice, and an empty one anywhere" {
	make_images <<-'EOF'
		empty, x, y = layer(), layer(file("x", b"first\n")), layer(file("x", b"second\n"))
		put("image.tar", image(base, empty, x, empty, y, x, empty).tar())
		put("nothing.tar", image(base, b"").tar())
	EOF
	image load image.tar twice
	assert_status 0
	in_image twice 'cat /x'
	assert_has first
	image load nothing.tar nothing
	assert_status 0
}

@test "a layer's end mark may be missing, and its headers may be of any kind of tar" {
	make_images <<-'EOF'
		put("cut.tar", image(layer(file("x"))[:-1024]).tar())
	EOF
	image load cut.tar cut
	assert_status 0
	local format
	mkdir -p tree/"$(printf 'long%.0s' {1..40})"/"$(printf 'name%.0s' {1..50})"
	truncate -s 30M tree/sparse && printf end >>tree/sparse
	setfattr -n user.note -v kept tree/sparse 2>/dev/null || true
	cp /bin/true tree/capable
	# What only root of the machine has.
	! is_root || setcap cap_net_raw=ep tree/capable
	! is_root || mknod tree/null c 1 3
	ln tree/sparse tree/hard
	for format in gnu posix; do
		tar --format=$format --sparse --xattrs --xattrs-include='*' -C tree -cf layer.tar .
		[[ $format == posix ]] || tar --format=$format --sparse -C tree -cf layer.tar .
		make_images <<-'EOF'
			put("image.tar", image(open("layer.tar", "rb").read()).tar())
		EOF
		remove "$MINIRUN_STORE"
		image load image.tar formats
		assert_status 0
		run in_image_layers formats find . -printf '%M %U:%G %n %s %Ts %P\n'
		assert_equal "$(sort <<<"$output" | grep -v ' $')" \
			"$(cd tree && find . -printf '%M %U:%G %n %s %Ts %P\n' | sort | grep -v ' $')"
		run in_image_layers formats stat -c '%b' sparse
		[[ $output -lt 2000 ]]
	done
	run in_image_layers formats getcap capable
	! is_root || assert_has cap_net_raw=ep
}

@test "a kill at any moment leaves the store as it was, and the next load carries on" {
	make_images <<-'EOF'
		put("image.tar", image(base, *[layer(file("noise%d" % i, os.urandom(4 << 20))) for i in range(6)]).tar())
		put("kept.tar", image(base, layer(file("kept"))).tar())
	EOF
	local i before
	image load kept.tar kept
	before=$(stored)
	for i in {1..12}; do
		"$MINIRUN" image load image.tar big -q &
		sleep "0.0$((RANDOM % 9))$((RANDOM % 9))"
		kill -KILL $! 2>/dev/null || true
		wait $! 2>/dev/null || true
		if [[ -e $MINIRUN_STORE/images/big.json ]]; then
			[[ $(jq -r '.layers[]' "$MINIRUN_STORE/images/big.json" | while read -r id; do
				[[ -d $MINIRUN_STORE/layers/$id/rootfs ]] || echo missing
			done) == "" ]]
			"$MINIRUN" image rm big -q
		fi
	done
	# What the last one killed had begun is cleared once its processes are gone.
	cleared() { "$MINIRUN" image load kept.tar kept -q && [[ $(stored) == "$before" ]]; }
	eventually 10 cleared
	image load image.tar big
	assert_status 0
	in_image big 'ls -l /noise5 /bin/sh | wc -l'
	assert_has 2
}

@test "a full disk leaves the store as it was, wherever it fills up" {
	make_images <<-'EOF'
		put("image.tar", image(*[layer(file("noise%d" % i, os.urandom(1 << 20))) for i in range(3)]).tar())
		put("kept.tar", image(layer(file("kept"))).tar())
		put("wide.tar", image(layer(*[file("f%d" % i, b"") for i in range(3000)])).tar())
	EOF
	mkdir small
	local size
	for size in 300k 1500k 2800k 3080k 3088k; do
		run --separate-stderr with_mounts sh -c '
			mount -t tmpfs -o "size=$1,mode=755" tmpfs small || exit 1
			"$MINIRUN" image load kept.tar kept -q --store small/store || exit 1
			find small/store -mindepth 2 | sort >before
			"$MINIRUN" image load image.tar big --store small/store
			echo "status $?"
			find small/store -mindepth 2 | sort | diff before -' sh $size
		assert_status 0
		assert_equal "$output" "status 125"
		assert_has "No space left on device"
	done
	run --separate-stderr with_mounts sh -c '
		mount -t tmpfs -o nr_inodes=200,mode=755 tmpfs small || exit 1
		"$MINIRUN" image load kept.tar kept -q --store small/store || exit 1
		find small/store -mindepth 2 | sort >before
		"$MINIRUN" image load wide.tar wide --store small/store
		echo "status $?"
		find small/store -mindepth 2 | sort | diff before -'
	assert_equal "$output" "status 125"
	assert_has "No space left on device"
	# The record comes last: without it the layers are no image's.
	run --separate-stderr with_mounts sh -c '
		"$MINIRUN" image load kept.tar kept -q --store last || exit 1
		find last -mindepth 2 | sort >before
		mount --bind last/images last/images && mount -o remount,bind,ro last/images || exit 1
		"$MINIRUN" image load image.tar big --store last
		echo "status $?"
		"$MINIRUN" image load "$WORK/base.tar" plain --store last
		echo "status $?"
		find last -mindepth 2 | sort | diff before -'
	assert_equal "$output" "status 125"$'\n'"status 125"
	assert_has "cannot write"
}

@test "loads, removals and pods at once neither corrupt the store nor wait for ever" {
	make_images <<-'EOF'
		for i in range(4):
		    put("image%d.tar" % i, image(base, layer(folder("common"), file("common/x")), layer(file("own%d" % i, os.urandom(1 << 20)))).tar())
	EOF
	local i pids=()
	for i in 0 1 2 3; do
		(
			for _ in 1 2 3; do
				timeout 120 "$MINIRUN" image load image$i.tar shared$i -q || exit 1
				simple_pod "pod$i" "cat /common/x; ls /own$i" | sed "s|image: busybox|image: shared$i|" >pod$i.yaml
				timeout 120 "$MINIRUN" -q pod$i.yaml >out$i 2>&1 || { cat out$i; exit 1; }
				timeout 120 "$MINIRUN" image rm shared$i -q || exit 1
			done
		) & pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	image load image0.tar last -q
	assert_equal "$(layers | wc -l)" 3
	"$MINIRUN" image rm last -q
	assert_equal "$(stored)" ""
}

@test "a docker-archive's image is stored under all of its names, or the one that is given" {
	make_images <<-'EOF'
		put("image.tar", saved([layer(folder("etc"), file("etc/low"))], tags=("who/what:1", "who/what:2", "quay.io/x/y")))
	EOF
	image load image.tar
	assert_status 0
	assert_equal "$(cut -d' ' -f1 <<<"$output" | tr '\n' ' ')" "who/what:1 who/what:2 quay.io/x/y "
	assert_equal "$("$MINIRUN" image ls -o json | jq -c '[.[] | .name]')" '["quay.io/x/y","who/what:1","who/what:2"]'
	assert_equal "$("$MINIRUN" image load -o json image.tar | jq -c '[.name, .otherNames]')" '["who/what:1",["who/what:2","quay.io/x/y"]]'
	image rm who/what:1 who/what:2
	image inspect quay.io/x/y
	assert_status 0
	image rm quay.io/x/y
	image load image.tar mine
	assert_equal "$("$MINIRUN" image ls -o json | jq -c '[.[] | .name]')" '["mine"]'
}

@test "a container's / has the owner and mode that the topmost layer with an entry for it says" {
	make_images <<-'EOF'
		put("low.tar", image(base, layer(folder(".", mode=0o1751, uid=12, gid=34)), layer(file("etc/high"))).tar())
		put("none.tar", image(base, layer(file("etc/high"))).tar())
	EOF
	local user
	image load none.tar none
	in_image none 'stat -c "%a %u %g" /'
	assert_has "| 755 0 0"
	chmod 644 low.tar
	for user in env $(users); do
		"$user" "$MINIRUN" image load low.tar low
		in_image low 'stat -c "%a %u %g" /' "$user"
		# One id owns all.
		if [[ $user == as_ranged_user || $user == env && $MODES != *one-id* ]]; then
			assert_has "| 1751 12 34"
		else
			assert_has "| 1751 0 0"
		fi
	done
}
