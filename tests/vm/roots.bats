#!/usr/bin/env bats
# On a kernel older than 6.15 a pod's volumes are mounts in a namespace of the supervisor's own, on top of its root: nothing
# of that, and of the host, is left in a container.

load helpers
setup_file() { vm_setup_file; }
teardown_file() { minirun_teardown_file; }
setup() { vm_setup; }
teardown() { vm_teardown; }

look_around()
{
	local who=$1 share
	for share in false true; do
		simple_pod roots "sleep 1000" '    volumeMounts: [{name: v, mountPath: /v}]' "  shareProcessNamespace: $share
  terminationGracePeriodSeconds: 0
  volumes: [{name: v, emptyDir: {}}, {name: m, emptyDir: {medium: Memory}}]
  initContainers:
  - {name: i, image: busybox, command: [sh, -c, 'ls /../host-was-here || echo alone'], volumeMounts: [{name: m, mountPath: /m}]}
  - {name: j, image: busybox, command: [sh, -c, 'cd /..; cd ..; ls host-was-here || echo alone; cat /proc/self/mountinfo']}" >pod.yaml
		$who "$MINIRUN" -q pod.yaml >out 2>&1 &
		eventually 60 $who "$MINIRUN" exec roots -- true >exec.log 2>&1
		assert_equal "$(grep -c '| alone' out)" 2
		run ! grep -qE '/dev/vda|host-was-here$| 9p |\.minirun-volumes| /lib/modules' out
		run $who "$MINIRUN" exec roots -- sh -c 'ls /../host-was-here || echo alone; ls /'
		assert_line alone
		assert_lacks host-was-here$'\n'
		assert_line v
		pkill -KILL -fx 'sleep 1000'
		wait
	done
}

@test "no container sees the host above its root, nor does an exec, as root and as an ordinary user" {
	mkdir /host-was-here
	look_around ""
	load_busybox as_user
	look_around as_user
	rmdir /host-was-here
}
