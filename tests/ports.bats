#!/usr/bin/env bats
# Ways into a pod's network: port-forward.

load helpers
setup_file()
{
	minirun_setup_file
	make -s -C "$REPO" BUILD="$WORK/build" "$WORK/build/tests/helpers/echo" >&2
	mkdir "$WORK/helpers"
	cp "$WORK/build/tests/helpers/echo" "$WORK/helpers"
	chmod -R a+rX "$WORK/helpers"
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
teardown_file() { minirun_teardown_file; }
setup() { minirun_setup; }
teardown()
{
	[[ -z ${FORWARD:-} ]] || kill "$FORWARD" 2>/dev/null || true
	"$MINIRUN" get -o name 2>/dev/null | xargs -r "$MINIRUN" delete --force >/dev/null 2>&1 || true
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
	assert_status 125
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
		assert_status 125
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
