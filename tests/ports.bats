#!/usr/bin/env bats
# Ways into a pod's network: port-forward, and hostPort by pasta.

load helpers
setup_file()
{
	minirun_setup_file
	helper_programs echo frames
	# Connects to 127.0.0.1 (or the address in $HOST), N times at once, sends SIZE bytes, ends its half, and wants them back.
	cat >"$WORK/echoed" <<'PY'
import os, socket, sys, threading
port, times, size = map(int, sys.argv[1:4])
wrong = []
def one(i):
    data = os.urandom(size)
    try:
        s = socket.create_connection((os.environ.get("HOST", "127.0.0.1"), port), 60)
        back = bytearray()
        def read():
            while piece := s.recv(65536):
                back.extend(piece)
        reader = threading.Thread(target=read)
        reader.start()
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        reader.join()
        if back != data:
            wrong.append(f"{len(back)} of {size} bytes came back")
    except OSError as e:
        wrong.append(str(e))
threads = [threading.Thread(target=one, args=(i,)) for i in range(times)]
[t.start() for t in threads]
[t.join() for t in threads]
print(f"{times - len(wrong)} echoed", *sorted(set(wrong)))
sys.exit(len(wrong) > 0)
PY
}
teardown()
{
	[[ -z ${FORWARD:-} ]] || kill "$FORWARD" 2>/dev/null || true
	delete_pods
	minirun_teardown
}

# A pod called web: an echo on 7000, named "echo", and one on 8000 of IPv6's localhost alone.
# web [PORTS [SPEC-LINES]]
web()
{
	simple_pod web 'echo up; exec /helpers/echo 7000 6:8000' \
		"    ports: [{name: echo, containerPort: 7000}, {name: dns, containerPort: 53, protocol: UDP}${1:-}]
    startupProbe: {tcpSocket: {port: echo}, periodSeconds: 2, timeoutSeconds: 60}
    volumeMounts: [{name: helpers, mountPath: /helpers, readOnly: true}]" \
		"  terminationGracePeriodSeconds: 0
  volumes: [{name: helpers, hostPath: {path: $WORK/helpers, type: Directory}}]
${2:-}"
}

# start [AS-WHOM]: web.yaml in the background, ready.
start()
{
	"$@" "$MINIRUN" -d --time-scale 20 "$T/web.yaml"
	"$@" "$MINIRUN" wait web --for=condition=Ready
}

# forward [AS-WHOM -- ]ARGUMENT...: port-forward in the background; $FORWARD is its pid, its output in $T/out and $T/err.
forward()
{
	"${as[@]}" "$MINIRUN" port-forward "$@" >"$T/out" 2>"$T/err" </dev/null 3>&- &
	FORWARD=$!
	eventually 10 forwarding
}

forwarding()
{
	grep -q '^Forwarding from \[' "$T/out" || ! kill -0 "$FORWARD" 2>/dev/null
}

# The local port that goes to a remote one.
port_of()
{
	sed -n "s/^Forwarding from 127.0.0.1:\([0-9]*\) -> $1\$/\1/p" "$T/out"
}

has_error()
{
	grep -qF -- "$1" "$T/err"
}

restarted()
{
	[[ $("$MINIRUN" get web -o json | jq '.status.containerStatuses[0] | .restartCount > 0 and .ready') == true ]]
}

# CPU time of a process in hundredths of a second.
ticks()
{
	awk '{ print $14 + $15 }' "/proc/$1/stat"
}

@test "port-forward: several ports at once, by number and by name, until Ctrl-C" {
	local as=() echo six closed
	web >web.yaml
	start
	forward pod/web :echo :8000 :9
	echo=$(port_of 7000) six=$(port_of 8000) closed=$(port_of 9)
	grep -qx "Forwarding from \[::1\]:$echo -> 7000" out
	run python3 "$WORK/echoed" "$echo" 1 100000
	assert_equal "$output" "1 echoed"
	HOST=::1 run python3 "$WORK/echoed" "$echo" 1 10
	assert_equal "$output" "1 echoed"
	grep -qx "Handling connection for $echo" out
	# Who listens on IPv6 alone is found.
	run python3 "$WORK/echoed" "$six" 1 10
	assert_equal "$output" "1 echoed"
	# Nobody listens: that is told, and the others go on.
	run python3 "$WORK/echoed" "$closed" 1 10
	assert_has "0 echoed"
	eventually 5 has_error "an error occurred forwarding $closed -> 9: error forwarding port 9 to pod web: connection refused"
	run python3 "$WORK/echoed" "$echo" 40 200000
	assert_equal "$output" "40 echoed"
	kill -INT "$FORWARD"
	wait "$FORWARD"
}

@test "port-forward: no connection costs anything while nothing comes" {
	local as=() before
	web >web.yaml
	start
	forward web :7000
	# One in use, one of which one half has ended, and one that is broken off.
	python3 - "$(port_of 7000)" <<-'PY' 3>&- &
		import socket, struct, sys, time
		a, b, c = (socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(3))
		for s in a, b, c:
		    s.sendall(b"x")
		    assert s.recv(1) == b"x"
		b.shutdown(socket.SHUT_WR)
		c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		c.close()
		open("connected", "w").close()
		time.sleep(60)
	PY
	eventually 10 test -e connected
	before=$(ticks "$FORWARD")
	sleep 1
	assert_equal "$(ticks "$FORWARD")" "$before"
	kill %?python3
	kill -KILL "$FORWARD"
	wait "$FORWARD" || true
	# The process in the pod's network goes with who asked for it.
	eventually 5 no_connector
}

# Only the supervisor and the sandbox are left of minirun's processes here.
no_connector()
{
	[[ $(pod_processes | sed 's|.*|/proc/&/comm|' | xargs grep -l '^minirun' 2>/dev/null | wc -l) -le 2 ]]
}

@test "port-forward: as many connections as there is room for; the others wait, and it is said" {
	local as=(prlimit --nofile=200:200)
	web >web.yaml
	start
	forward web :7000
	python3 - "$(port_of 7000)" <<-'PY'
		import socket, sys
		all = [socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60) for _ in range(100)]
		for s in all:
		    s.sendall(b"x")
		for s in all[:84]:
		    assert s.recv(1) == b"x"
		for s in all[:16]:
		    s.close()
		for s in all[84:]:
		    assert s.recv(1) == b"x"
	PY
	assert_equal "$(cat err)" "minirun: 84 connections are open, and more can't be: others wait until one of them ends"
	kill -TERM "$FORWARD"
	wait "$FORWARD"
}

@test "a pod takes so many commands at once; one more is told, and delete is always answered" {
	local clients=()
	web >web.yaml
	start
	for ((i = 0; i < 64; i++)); do
		"$MINIRUN" exec web -- sh -c 'echo in; exec sleep 600' </dev/null >>in 2>&1 3>&- &
		clients+=($!)
	done
	# All of them, before there is one more: else that could be the 64th, and one of these the one that is refused.
	all_in() { [[ $(grep -cx in "$T/in") -eq 64 ]]; }
	eventually 60 all_in || fail "$(sort in | uniq -c)"
	run "$MINIRUN" exec web -- true
	assert_has '64 commands (exec, attach, cp, port-forward) are at pod "web": there can'"'"'t be more'
	"$MINIRUN" top web
	timeout 60 "$MINIRUN" delete web
	wait "${clients[@]}" || true
}

@test "port-forward ends with the pod, and not with a container that is started again" {
	local as=() echo
	web | sed 's/restartPolicy: Never/restartPolicy: Always/; s/exec \(.*8000\)/\1; exit 1/' >web.yaml
	start
	forward web :7000
	echo=$(port_of 7000)
	"$MINIRUN" exec web -- killall -KILL echo || true
	eventually 20 restarted
	eventually 20 python3 "$WORK/echoed" "$echo" 1 10
	"$MINIRUN" delete web
	status=0
	wait "$FORWARD" || status=$?
	assert_status 1
	assert_equal "$(tail -n 1 err)" 'minirun: lost connection to pod "web": it has ended'
}

@test "port-forward says what is wrong with what it is asked for" {
	local as=() taken
	web >web.yaml
	run --separate-stderr "$MINIRUN" port-forward web 80
	assert_last_error_has 'pods "web" not found'
	start
	forward web :7000
	taken=$(port_of 7000)
	while IFS='|' read -r arguments message; do
		run --separate-stderr "$MINIRUN" port-forward $arguments
		assert_status 1
		assert_last_error_has "$message"
	done <<-END
		web|wants the name of a pod and at least one port of it
		web 1:2:3|invalid port format '1:2:3'
		web 80:|invalid port format '80:'
		web 80:0|remote port must be > 0
		web x:80|error parsing local port 'x'
		web 80:70000|error parsing remote port '70000'
		web 80:nosuch|Pod 'web' does not have a named port 'nosuch'
		web :dns|UDP protocol is not supported for dns
		web --address nowhere 80|--address: nowhere is not a valid IP
		web $taken:7000|unable to listen on any of the requested ports
		nosuch 80|pods "nosuch" not found
	END
	run --separate-stderr "$MINIRUN" port-forward web "$taken:7000"
	assert_stderr_has "Unable to listen on port $taken: listen 127.0.0.1:$taken: address already in use; listen [::1]:$taken: address already in use"
	# One of two ports will do.
	kill "$FORWARD"
	wait "$FORWARD" || true
	forward --address 127.0.0.1,::1 web "$taken:7000" ":7000"
	run python3 "$WORK/echoed" "$taken" 1 10
	assert_equal "$output" "1 echoed"
	"$MINIRUN" delete --force web
	simple_pod web 'true' '' '  initContainers: [{name: first, image: busybox, command: [sleep, "60"]}]
  terminationGracePeriodSeconds: 0' >web.yaml
	"$MINIRUN" -d web.yaml
	run --separate-stderr "$MINIRUN" port-forward web :7000
	assert_last_error_has "unable to forward port because pod is not running. Current status=Pending"
}

@test "port-forward as an ordinary user, in unshare -r, and to a pod with the host's network" {
	local as whom
	web >web.yaml
	for whom in as_user in_unshare_r; do
		as=("$whom")
		load_busybox "$whom"
		start "$whom"
		forward web :7000
		run python3 "$WORK/echoed" "$(port_of 7000)" 3 1000
		assert_equal "$output" "3 echoed"
		"$whom" "$MINIRUN" delete web
		wait "$FORWARD" || true
	done
	as=()
	# Of a port that is free, as everybody sees it.
	web '' '  hostNetwork: true' | sed 's/7000/17321/g; s/ 6:8000//' >web.yaml
	start
	forward web :echo
	run python3 "$WORK/echoed" "$(port_of 17321)" 1 1000
	assert_equal "$output" "1 echoed"
}

# ---- hostPort ----

free_port()
{
	python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])'
}

# The pasta that publishes a port.
pasta_of()
{
	pgrep -f "^pasta .*/$1:"
}

parent_of()
{
	awk '/^PPid:/ { print $2 }' "/proc/$1/status"
}

no_pasta()
{
	! pasta_of "$1" >/dev/null
}

# udp PORT: what the echo says to a datagram.
udp()
{
	python3 - "$1" <<-'PY'
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.settimeout(5)
		s.sendto(b"hello", ("127.0.0.1", int(sys.argv[1])))
		print(s.recvfrom(100)[0].decode())
	PY
}

# Ordinary users may use /dev/net/tun on most machines; here they may in any case.
with_tun()
{
	local tun=$WORK/tun
	if ! is_root || [[ $(stat -c %a /dev/net/tun) == 666 ]]; then
		"$@"
		return
	fi
	[[ -e $tun ]] || mknod -m 0666 "$tun" c 10 200
	export -f as_user as_ranged_user in_unshare_r become is_root
	# shellcheck disable=SC2016 # the inner shell's
	unshare -m --propagation private bash -c 'mount --bind "$1" /dev/net/tun && shift && "$@"' with_tun "$tun" "$@"
}

@test "hostPort: exactly these ports are reached, and the host's loopback is not" {
	local tcp udp bare other
	tcp=$(free_port) udp=$(free_port) bare=$(free_port) other=$(free_port)
	web ", {containerPort: 7000, hostPort: $tcp}, {containerPort: $udp, hostPort: $udp, hostIP: 127.0.0.1, protocol: UDP}" |
		sed "s|echo 7000|echo $udp $bare 7000|" >web.yaml
	"$MINIRUN" explain web.yaml | grep -F "7000/TCP, published at 0.0.0.0:$tcp, $udp/UDP, published at 127.0.0.1:$udp"
	start
	run python3 "$WORK/echoed" "$tcp" 5 100000
	assert_equal "$output" "5 echoed"
	HOST=$(hostname -I | cut -d' ' -f1) run python3 "$WORK/echoed" "$tcp" 1 1000
	assert_equal "$output" "1 echoed"
	run udp "$udp"
	assert_equal "$output" "127.0.0.1 hello"
	# It listens in the pod, and that is all.
	run python3 "$WORK/echoed" "$bare" 1 10
	assert_has "Connection refused"
	python3 -m http.server --bind 127.0.0.1 "$other" >/dev/null 2>&1 3>&- &
	eventually 10 bash -c "</dev/tcp/127.0.0.1/$other" 2>/dev/null
	run "$MINIRUN" exec web -- wget -qO /dev/null -T 5 "http://127.0.0.1:$other/"
	[[ $status -ne 0 ]]
	run "$MINIRUN" exec web -- wget -qO /dev/null -T 5 "http://10.254.0.1:$other/"
	[[ $status -ne 0 ]]
	kill %?http.server
	"$MINIRUN" describe web | grep -qE "Host Ports: +0/TCP, 0/UDP, $tcp/TCP, $udp/UDP"
	# A port that is taken is named.
	sed 's/name: web/name: second/' web.yaml >second.yaml
	run --separate-stderr "$MINIRUN" -d second.yaml
	assert_status 125
	assert_last_error_has "spec.containers[0].ports[2].hostPort: port $tcp/TCP can't be published on this machine: Address already in use"
	"$MINIRUN" delete web
	no_pasta "$tcp"
}

@test "hostPort: no frame of the pod's reaches the host's loopback, whoever wrote it" {
	local tcp other
	tcp=$(free_port) other=$(free_port)
	web ", {containerPort: 7000, hostPort: $tcp}" >web.yaml
	start
	python3 -u - "$other" >got 3>&- <<-'PY' &
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.bind(("", int(sys.argv[1])))
		print("listens")
		while True:
		    print(s.recv(100))
	PY
	eventually 10 grep -q listens got
	local address
	for address in 127.0.0.1 127.1.2.3 0.0.0.0; do
		"$MINIRUN" exec web -- /helpers/frames "$address" "$other"
	done
	# What isn't the loopback arrives, and after what was sent before.
	"$MINIRUN" exec web -- /helpers/frames "$(hostname -I | cut -d' ' -f1)" "$other"
	eventually 10 grep -q framed got
	kill %?python3
	assert_equal "$(grep -c . got)" 3
	"$MINIRUN" delete web
}

# A machine's network of its own, with routes for both families that lead nowhere: of a machine that has no IPv6, too. The
# pod, what listens on the host's loopback, and the test are all in it.
on_machine_with_ipv6()
{
	export -f eventually with_mounts
	# shellcheck disable=SC2016 # the inner shell's
	with_tun with_mounts unshare -n bash -euc '
		ip link set lo up
		ip tuntap add dev up0 mode tap
		ip address add 192.0.2.2/24 dev up0
		ip address add 2001:db8::2/64 dev up0 nodad
		ip address add fe80::2/64 dev up0 nodad
		ip link set up0 up
		ip route add default via 192.0.2.1
		ip route add default via 2001:db8::1
		"$@"
	' bash "$@"
}

# What listens, on every address of either family, to got; then the pod sends to each address.
frames_of_both()
{
	local other=$1 address
	"$MINIRUN" -d --time-scale 20 web.yaml
	"$MINIRUN" wait web --for=condition=Ready
	python3 -u - "$other" >got 3>&- <<-'PY' &
		import socket, sys
		s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
		s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
		s.bind(("::", int(sys.argv[1])))
		print("listens")
		while True:
		    print(s.recv(100))
	PY
	eventually 10 grep -q listens got
	for address in ::1 :: ::ffff:127.0.0.1 ::127.0.0.1 127.0.0.1; do
		"$MINIRUN" exec web -- /helpers/frames "$address" "$other"
	done
	cp got hostile
	# What isn't the loopback arrives, and after what was sent before.
	"$MINIRUN" exec web -- /helpers/frames 2001:db8::2 "$other"
	eventually 10 grep -q framed got
	kill %?python3
	"$MINIRUN" delete web
}

@test "hostPort: nor does one of IPv6" {
	local tcp other
	tcp=$(free_port) other=$(free_port)
	web ", {containerPort: 7000, hostPort: $tcp, hostIP: \"::1\"}" >web.yaml
	export -f frames_of_both
	on_machine_with_ipv6 frames_of_both "$other" || fail "$(cat got)"
	assert_equal "$(grep -c . got)" 2
}

@test "hostPort: pasta goes with a supervisor that is killed, and that it has ended is told" {
	local tcp
	tcp=$(free_port)
	web ", {containerPort: 7000, hostPort: $tcp}" >web.yaml
	start
	kill -KILL "$(pasta_of "$tcp")"
	eventually 10 has_event 'Warning +NetworkNotReady .* pasta has ended: the pod.s ports are not published any more'
	"$MINIRUN" exec web -- true
	"$MINIRUN" delete web
	start
	pasta_of "$tcp"
	# The supervisor is the parent of pasta's keeper.
	kill -KILL "$(parent_of "$(parent_of "$(pasta_of "$tcp")")")"
	eventually 10 no_pasta "$tcp"
	"$MINIRUN" delete web
	# Whoever inherits the dead may take its time to reap them.
	assert_machine_unchanged 10
}

has_event()
{
	"$MINIRUN" describe web | grep -qE "$1"
}

@test "hostPort: without pasta, or where it fails, the pod doesn't start, and it is said what to do" {
	local tcp
	tcp=$(free_port)
	web ", {containerPort: 7000, hostPort: $tcp}" >web.yaml
	mkdir bin
	run --separate-stderr env "PATH=$T/bin" "$MINIRUN" web.yaml
	assert_status 125
	assert_last_error_has "pasta, which publishes ports (hostPort), is not installed"
	assert_stderr_has "apt-get install passt"
	printf '#!/bin/sh\necho "Failed to send 9 bytes to syslog" >&2\necho "Failed to open tun socket in namespace" >&2\nexit 1\n' >bin/pasta
	chmod +x bin/pasta
	run --separate-stderr env "PATH=$T/bin:$PATH" "$MINIRUN" web.yaml
	assert_status 125
	assert_last_error_has "pasta can't publish the pod's ports: Failed to open tun socket in namespace"
	assert_stderr_has "chmod 0666 /dev/net/tun"
	web ", {containerPort: 7000, hostPort: $tcp, hostIP: 203.0.113.7}" >web.yaml
	run --separate-stderr "$MINIRUN" web.yaml
	assert_last_error_has "port $tcp/TCP can't be published on 203.0.113.7: Cannot assign requested address"
}

@test "hostPort as an ordinary user and in unshare -r" {
	local whom tcp
	tcp=$(free_port)
	web ", {containerPort: 7000, hostPort: $tcp, hostIP: 127.0.0.1}" >web.yaml
	for whom in as_user in_unshare_r; do
		load_busybox "$whom"
		start with_tun "$whom"
		run python3 "$WORK/echoed" "$tcp" 3 1000
		assert_equal "$output" "3 echoed"
		"$whom" "$MINIRUN" delete web
		no_pasta "$tcp"
	done
}

@test "hostPort: a port that only root may listen on is no ordinary user's" {
	web ", {containerPort: 7000, hostPort: 81, hostIP: 127.0.0.1}" >web.yaml
	load_busybox as_user
	run --separate-stderr as_user "$MINIRUN" web.yaml
	assert_last_error_has "port 81/TCP can't be published on 127.0.0.1: Permission denied"
}

@test "hostPort on a machine without a default route: the ports are its own" {
	local tcp
	tcp=$(free_port)
	web ", {containerPort: 7000, hostPort: $tcp}" >web.yaml
	# shellcheck disable=SC2016 # the inner shell's
	run with_mounts unshare -n bash -c 'ip link set lo up && "$MINIRUN" -d --time-scale 20 web.yaml && "$MINIRUN" wait web --for=condition=Ready &&
		python3 "$WORK/echoed" "$1" 1 1000' bash "$tcp"
	assert_has "1 echoed"
	has_event 'Warning +NetworkNotReady .*this machine has no default route'
}
