#!/usr/bin/env bats
# Images with layers on the oldest kernel that minirun works on: it takes no long lists of layers, and its tmpfs keeps no
# attributes of ordinary users. (tests/layers.bats has the rest.)

load helpers
setup_file()
{
	vm_setup_file
	PYTHONPATH=$REPO/tests/evil python3 - "$WORK" <<-'EOF'
		import sys
		sys.dont_write_bytecode = True
		from archives import *
		work = sys.argv[1]
		base = open(work + "/busybox.tar", "rb").read()
		def put(name, *layers):
		    open("%s/%s.tar" % (work, name), "wb").write(image(*layers).tar())
		put("deep", base, *[layer(file("n/%03d" % i), file("top", b"%d\n" % i), file("n/.wh.%03d" % (i - 3), b"")) for i in range(150)])
		put("hides", base, layer(folder("d"), folder("d/sub"), file("d/low"), file("d/sub/low"), file("d/kept")),
		    layer(file("d/.wh..wh..opq", b""), file("d/sub/high"), file("etc/.wh.passwd", b""), file("d/kept", b"new\n")))
	EOF
	chmod 644 "$WORK"/*.tar
}
teardown_file() { minirun_teardown_file; }
setup() { vm_setup; }
teardown() { vm_teardown; }

in_image()
{
	local name=$1 command=$2
	shift 2
	simple_pod layered "$command" | sed "s|image: busybox|image: $name|" >pod.yaml
	chmod 644 pod.yaml
	run --separate-stderr "$@" "$MINIRUN" -q pod.yaml
	assert_status 0
}

@test "an image of 151 layers runs, for root and for an ordinary user" {
	local who
	for who in env as_user; do
		"$who" "$MINIRUN" image load "$WORK/deep.tar" deep -q
		in_image deep 'cat /top; ls /n | xargs' "$who"
		assert_has 149
		assert_has "147 148 149"
	done
}

@test "whiteouts and opaque folders hide, where attributes can't say so too" {
	local who
	for who in env as_user in_unshare_r; do
		"$who" "$MINIRUN" image load "$WORK/hides.tar" hides -q
		in_image hides 'cd /d && find . -type f | sort | xargs; cat kept; ls /etc/passwd 2>&1 || true' "$who"
		assert_has "./kept ./sub/high"
		assert_has new
		assert_has "No such file"
		[[ $output != *low* ]]
	done
}
