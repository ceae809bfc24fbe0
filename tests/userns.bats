#!/usr/bin/env bats
# hostUsers: false: a pod of root's in a user namespace of its own.

# shellcheck disable=SC2016 # what \$ stands for is the container's shell's to say
# shellcheck disable=SC2154 # variables of bats

load helpers

# own_users 'COMMAND' [CONTAINER-LINES [SPEC-LINES]]
own_users() { run_shell "$1" "${2:-}" "  hostUsers: false"$'\n'"${3:-}"; }

@test "its root is one of 65536 users that nobody else has, and all it sees is its own" {
	own_users 'cat /proc/self/uid_map /proc/self/gid_map; ls -lnd / /bin/busybox /etc/hosts /etc/resolv.conf /data /mem /data/a /dev/shm /dev/termination-log; touch /file /bin/file; rm /bin/file; echo to the pipe >/dev/stdout; readlink /proc/self/ns/user' \
		'    volumeMounts: [{name: data, mountPath: /data}, {name: mem, mountPath: /mem}, {name: data, mountPath: /sub, subPath: a/b}]' \
		'  volumes: [{name: data, emptyDir: {}}, {name: mem, emptyDir: {medium: Memory}}]'
	assert_status 0
	read -r inside first count <<<"${lines[0]}"
	assert_equal "$inside $count" "0 65536"
	((first >= 65536))
	assert_equal "${lines[1]}" "${lines[0]}"
	for ((i = 2; i < 11; i++)); do
		[[ ${lines[i]} =~ ^[^\ ]+\ +[0-9]+\ 0\ +0\ + ]] || { echo "not root's: ${lines[i]}"; false; }
	done
	assert_equal "${lines[11]}" "to the pipe"
	assert_lacks "$(readlink /proc/self/ns/user)"
}

@test "capabilities hold within the pod only, even those of a privileged container" {
	own_users 'grep CapEff /proc/self/status; mount -t tmpfs none /tmp && echo mounted; mknod /dev/shm/vda b 254 0 || echo no node; hostname changed && hostname; ip link add dummy0 type dummy 2>/dev/null; date -s 2020-01-01 2>&1; head -c 1 /dev/vda 2>&1' \
		'    securityContext: {privileged: true}'
	assert_has mounted
	assert_has "no node"
	assert_has changed
	assert_has "can't set date: Operation not permitted"
	[[ ! -b /dev/vda ]] || assert_has "Permission denied"
}

@test "hostPath keeps the ids that files have, and a file of root's is its root's to change" {
	mkdir "$T/host"
	echo one >"$T/host/root"
	echo two >"$T/host/user"
	chown 1234:5678 "$T/host/user"
	echo three >"$T/host/far"
	chown 70000 "$T/host/far"
	own_users 'ls -ln /host; echo more >>/host/root; touch /host/new; chown 7:8 /host/new; su -s /bin/sh nobody -c "id -u; echo no >/host/root"; touch /ro/x' \
		'    volumeMounts: [{name: host, mountPath: /host}, {name: host, mountPath: /ro, readOnly: true}]' \
		"  volumes: [{name: host, hostPath: {path: $T/host}}]"
	assert_has "1234     5678"
	assert_has "65534    0                6"
	assert_equal "$(stat -c %u:%g "$T/host/root" "$T/host/user" "$T/host/new" "$T/host/far" | xargs)" "0:0 1234:5678 7:8 70000:0"
	assert_equal "$(cat "$T/host/root")" $'one\nmore'
	assert_stderr_has "touch: /ro/x: Read-only file system"
}

@test "a hostPath onto which ids can't be mapped keeps the pod from starting" {
	own_users true '    volumeMounts: [{name: v, mountPath: /v}]' "  volumes: [{name: v, hostPath: {path: /proc/self}}]"
	assert_status 125
	assert_stderr_has "volume v: hostPath /proc/self: the pod's ids can't be mapped onto files of proc here"
	mkdir -p "$T/below/mount"
	mount --bind /proc "$T/below/mount"
	own_users true '    volumeMounts: [{name: v, mountPath: /v}]' "  volumes: [{name: v, hostPath: {path: $T/below}}]"
	umount "$T/below/mount"
	assert_status 125
	assert_stderr_has "can't be mapped onto all that is mounted below it"
}

@test "users, groups and fsGroup are the pod's" {
	own_users 'id -u; id -G; ls -lnd /data; echo x >/data/f; ls -ln /data/f; touch /root-owned' \
		'    securityContext: {runAsUser: 1000, runAsGroup: 1001}
    volumeMounts: [{name: data, mountPath: /data}]' \
		'  securityContext: {fsGroup: 2000, supplementalGroups: [65535]}
  volumes: [{name: data, emptyDir: {}}]'
	assert_equal "${lines[0]}" 1000
	assert_equal "${lines[1]}" "1001 2000 65535"
	[[ ${lines[2]} =~ ^drwxrwsrwx\ +2\ 0\ +2000 ]]
	[[ ${lines[3]} =~ ^-rw-r--r--\ +1\ 1000\ +2000 ]]
	assert_stderr_has "touch: /root-owned: Permission denied"
}

@test "ids beyond the range are errors that name it, as are the host's namespaces" {
	run_shell true '    securityContext: {runAsUser: 65536}' $'  hostUsers: false\n  hostNetwork: true'
	assert_status 125
	assert_stderr_has 'spec.hostNetwork: Forbidden: when `hostUsers` is false'
	own_users true '    securityContext: {runAsUser: 65536, runAsGroup: 70000}' '  securityContext: {fsGroup: 65536, supplementalGroups: [1, 65536]}'
	assert_status 125
	assert_stderr_has "spec.securityContext.fsGroup: Invalid value: 65536: it is not among the ids there are here (0-65535)"
	assert_stderr_has "spec.securityContext.supplementalGroups[1]: Invalid value: 65536"
	assert_stderr_has "spec.containers[0].securityContext.runAsUser: Invalid value: 65536"
	assert_stderr_has "spec.containers[0].securityContext.runAsGroup: Invalid value: 70000"
}

@test "exec, probes, sysctls, a shared pid namespace and neighbours work in it" {
	cat >"$T/pod.yaml" <<-'END'
		apiVersion: v1
		kind: Pod
		metadata: {name: own}
		spec:
		  hostUsers: false
		  shareProcessNamespace: true
		  terminationGracePeriodSeconds: 0
		  securityContext: {sysctls: [{name: kernel.shmmax, value: "12345678"}, {name: net.ipv4.tcp_syncookies, value: "0"}]}
		  containers:
		  - name: main
		    image: busybox
		    command: [sh, -c, 'mkdir /www; echo hello >/www/index.html; httpd -f -p 80 -h /www']
		    readinessProbe: {httpGet: {port: 80}, periodSeconds: 1}
		  - name: other
		    image: busybox
		    command: [sleep, "1000"]
		    readinessProbe: {exec: {command: [sh, -c, 'echo ok >/dev/stdout && test -d /proc/1']}, periodSeconds: 1}
		    securityContext: {runAsUser: 33, capabilities: {add: [SYS_PTRACE]}}
	END
	"$MINIRUN" -d "$T/pod.yaml" 2>"$T/said"
	# The hole that SYS_PTRACE is elsewhere isn't there: a process on its way in is the host's.
	[[ ! -s $T/said ]] || { cat "$T/said"; false; }
	"$MINIRUN" wait pod/own --for=condition=Ready --timeout=20s
	run -0 "$MINIRUN" exec own -c main -- sh -c 'wget -qO- localhost; cat /proc/sys/kernel/shmmax /proc/sys/net/ipv4/tcp_syncookies; cat /proc/sys/net/ipv4/ping_group_range; touch /x; stat -c %u:%g /x /proc/1; id -u; echo piped >/dev/stdout'
	assert_equal "$(xargs <<<"$output")" "hello 12345678 0 0 65535 0:0 65535:65535 0 piped"
	run -0 "$MINIRUN" exec own -c other -- sh -c 'id -u; readlink /proc/self/ns/user; grep -c httpd /proc/[0-9]*/comm | grep -c :1'
	assert_equal "${lines[0]}" 33
	[[ ${lines[1]} != "$(readlink /proc/self/ns/user)" ]]
	assert_equal "${lines[2]}" 1
	run -0 "$MINIRUN" describe pod own
	assert_has "Users and groups 0-65535 of the pod are "
	"$MINIRUN" delete pod own
}

@test "refusals are named, and learned" {
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}' >"$T/deny.json"
	own_users 'mkdir /named/here' '    securityContext: {seccompProfile: {type: Localhost, localhostProfile: deny.json}}'
	assert_stderr_has 'denied mkdir("/named/here", 0777) = EPERM'
	"$MINIRUN" learn --write "$T/learned.json" "$POD" >/dev/null 2>&1 || true
	jq -e '[.syscalls[].names[]] | any(. == "mkdir" or . == "mkdirat")' "$T/learned.json"
}

@test "pods that run together have ranges of their own, which go with them, by SIGKILL too" {
	for i in 1 2 3 4 5 6; do
		simple_pod "p$i" 'cat /proc/self/uid_map; sleep 1000' '' $'  hostUsers: false\n  terminationGracePeriodSeconds: 0' >"$T/p$i.yaml"
		"$MINIRUN" "$T/p$i.yaml" >"$T/out$i" 2>/dev/null &
		pids[i]=$!
	done
	for i in 1 2 3 4 5 6; do
		eventually 20 test -s "$T/out$i"
	done
	mapfile -t firsts < <(awk '{print $4}' "$T"/out? | sort -n | uniq)
	assert_equal "${#firsts[@]}" 6
	for i in 1 2 3 4 5; do
		((firsts[i] >= firsts[i - 1] + 65536))
	done
	# The lock is one of the kernel's: it is gone when the last process of the pod is.
	held() { grep -q "OFDLCK.* ${firsts[0]} $((firsts[0] + 65535))$" /proc/locks; }
	held
	kill -KILL "${pids[@]}"
	wait "${pids[@]}" || true
	not_held() { ! held; }
	eventually 20 not_held
	"$MINIRUN" get pods >/dev/null
}

@test "a range granted to the user minirun is taken, and one that is too small is told" {
	granted() {
		# shellcheck disable=SC2016
		unshare -m --propagation private bash -c '
			echo "$1" >"$T/subid"
			for file in subuid subgid; do mount --bind "$T/subid" "/etc/$file"; done
			"$MINIRUN" -q "$T/pod.yaml"' - "$1"
	}
	simple_pod granted 'cat /proc/self/uid_map' '' '  hostUsers: false' >"$T/pod.yaml"
	run -0 granted "minirun:3000000000:65536"
	assert_equal "$(xargs <<<"$output")" "main | 0 3000000000 65536"
	run -125 granted "minirun:3000000000:65535"
	assert_has "no range of 65536 ids is left for a pod"
}

@test "a file's capabilities, and an image's users beyond the range" {
	mkdir -p "$T/image/bin"
	cp "$(command -v busybox)" "$T/image/bin/busybox"
	cp "$T/image/bin/busybox" "$T/image/bin/cat"
	ln -s busybox "$T/image/bin/sh"
	setcap cap_chown+ep "$T/image/bin/cat"
	chown 100000 "$T/image/bin/busybox"
	chmod 0755 "$T/image/bin/busybox"
	"$MINIRUN" image load "$T/image" capable >/dev/null
	run_pod < <(simple_pod capable '/bin/cat /proc/self/status | while read -r k v; do case $k in CapEff:) echo $v;; esac; done; ls -ln /bin/busybox' \
		'    securityContext: {runAsUser: 1000}' '  hostUsers: false' | sed 's/image: busybox/image: capable/')
	assert_status 0
	assert_has 0000000000000001
	assert_has "65534    0"
	"$MINIRUN" image rm capable
}

@test "in a user namespace hostUsers: false holds, and true can't be kept" {
	simple_pod user 'cat /proc/self/uid_map' '' '  hostUsers: false' >"$T/false.yaml"
	sed 's/hostUsers: false/hostUsers: true/' "$T/false.yaml" >"$T/true.yaml"
	chmod 0644 "$T"/*.yaml
	for as in $(users); do
		load_busybox "$as"
		run -0 --separate-stderr "$as" "$MINIRUN" "$T/false.yaml"
		[[ $stderr != *warning* ]]
		run -0 --separate-stderr "$as" "$MINIRUN" "$T/true.yaml"
		[[ $stderr == *"spec.hostUsers: the pod of an ordinary user is in a user namespace all the same"* ]]
	done
}

@test "explain tells whose users a pod has" {
	simple_pod told true '' '  hostUsers: false' >"$T/pod.yaml"
	run -0 "$MINIRUN" explain "$T/pod.yaml"
	assert_has "the pod's: network, ipc, uts, user"
	assert_has "users         its own: 0-65535 are a range of the host's that nobody else has"
}
