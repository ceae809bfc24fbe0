#!/usr/bin/env bats
# Images from a registry: Debian's docker-registry on loopback, reached by skopeo.

load helpers

setup_file()
{
	minirun_setup_file
	export REGISTRY_DATA=$WORK/registry-data REGISTRY_PIDS=$WORK/registry-pids
	# A registry on loopback speaks no TLS; that is said as a user would say it, in a file of theirs.
	mkdir -p "$HOME/.config/containers"
	export REGISTRIES=$HOME/.config/containers/registries.conf
	start_registry plain
	export REGISTRY=$HOST
	trust "$REGISTRY"
	"$REPO/tests/scripts/layout" "$WORK/layout" busybox="$(command -v busybox)" noise=300
	push "$WORK/layout" "$REGISTRY/who/what:v1"
	push "$WORK/layout" "$REGISTRY/who/what:latest"
}

teardown_file()
{
	local pid
	while read -r pid; do
		kill "$pid" 2>/dev/null || true
	done <"$REGISTRY_PIDS"
	minirun_teardown_file
}

setup()
{
	minirun_setup
	export MINIRUN_STORE=$T/store
}

image() { run --separate-stderr "$MINIRUN" image "$@"; }

# Takes registries without TLS.
trust()
{
	local host
	for host in "$@"; do
		printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$host"
	done >>"$REGISTRIES"
}

# start_registry NAME [AUTH-LINES]: one with a folder of its own on a free port; $HOST is its name.
start_registry()
{
	local port
	for _ in 1 2 3 4 5; do
		port=$((20000 + RANDOM % 10000))
		cat >"$WORK/$1.yml" <<-END
			version: 0.1
			log: {level: error, accesslog: {disabled: true}}
			storage: {filesystem: {rootdirectory: $REGISTRY_DATA/$1}, delete: {enabled: true}}
			http: {addr: 127.0.0.1:$port}
			${2:-}
		END
		docker-registry serve "$WORK/$1.yml" >"$WORK/$1.log" 2>&1 3>&- </dev/null &
		echo $! >>"$REGISTRY_PIDS"
		HOST=127.0.0.1:$port
		eventually 20 answers "$port" $! && kill -0 $! 2>/dev/null && return
	done
	cat "$WORK/$1.log"
	return 1
}

# Somebody listens there, or the process has ended.
answers()
{
	(exec 9<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null || ! kill -0 "$2" 2>/dev/null
}

push()
{
	skopeo copy -q --dest-tls-verify=false "${@:3}" "oci:$1:latest" "docker://$2"
}

# The blob of a layer in a registry's folder: blob NAME DIGEST.
blob()
{
	echo "$REGISTRY_DATA/$1/docker/registry/v2/blobs/sha256/${2:7:2}/${2:7}/data"
}

manifest() { skopeo inspect --raw "docker://$1"; }
digest() { echo "sha256:$(manifest "$1" | sha256sum | cut -d' ' -f1)"; }

pod()
{
	run_pod "${@:2}" <<-YAML
		apiVersion: v1
		kind: Pod
		metadata: {name: t$BATS_TEST_NUMBER}
		spec:
		  restartPolicy: Never
		  containers:
		  - {name: main, $1}
	YAML
}

left() { find "$MINIRUN_STORE/tmp" "$MINIRUN_STORE/layers" "$MINIRUN_STORE/images" -mindepth 1 -maxdepth 1 2>/dev/null; }

@test "an image is pulled with its layers and its configuration, and runs" {
	image pull "$REGISTRY/who/what:v1"
	assert_status 0
	[[ $output =~ ^$REGISTRY/who/what:v1\ .*\ sha256:[0-9a-f]{64}$ ]]
	assert_equal "${output##* }" "$(digest "$REGISTRY/who/what:v1")"
	assert_equal "$(grep -c unpacked <<<"$stderr")" 2
	assert_equal "$(ls -A "$MINIRUN_STORE/tmp")" ""
	pod "image: \"$REGISTRY/who/what:v1\", imagePullPolicy: Never"
	assert_status 0
	assert_has "| hello from the layout"
}

@test "what hasn't changed isn't fetched again, and a layer that the store has neither" {
	image pull "$REGISTRY/who/what:v1" -q
	assert_equal "$output$stderr" ""
	image pull "$REGISTRY/who/what:v1"
	assert_has "is up to date"
	# The first layer is gone from the registry: only who doesn't ask for it can pull.
	cp -r "$WORK/layout" more
	"$REPO/tests/scripts/layout" more noise=200
	start_registry shared
	trust "$HOST"
	push more "$HOST/more:latest"
	rm "$(blob shared "$(manifest "$HOST/more" | jq -r '.layers[0].digest')")"
	image pull "$HOST/more"
	assert_status 0
	assert_equal "$(grep -c 'stored already' <<<"$stderr")" 2
	assert_equal "$(grep -c 'unpacked' <<<"$stderr")" 1
	assert_equal "$("$MINIRUN" image ls -o json | jq '[.[].layers | length] | max')" 3
	assert_equal "$(find "$MINIRUN_STORE/layers" -mindepth 1 -maxdepth 1 | wc -l)" 3
	# --max-bytes counts what is fetched: not what is here.
	image rm "$HOST/more"
	image pull "$HOST/more" --max-bytes 250Ki
	assert_status 0
	image rm "$HOST/more"
	image pull "$HOST/more" --max-bytes 150Ki
	assert_status 125
	assert_last_error_has "its layers are larger than the limit of 150 KiB"
}

@test "a digest pins: it is pulled, stored and found by it" {
	local digest name
	digest=$(digest "$REGISTRY/who/what:v1")
	image pull "$REGISTRY/who/what@$digest"
	assert_status 0
	name=$REGISTRY/who/what:sha256-${digest:7:12}
	assert_equal "$("$MINIRUN" image ls -o json | jq -r '.[].name')" "$name"
	image pull "$REGISTRY/who/what:v7@$digest"
	assert_status 0
	pod "image: \"$REGISTRY/who/what@$digest\", imagePullPolicy: Never"
	assert_status 0
	pod "image: \"$REGISTRY/who/what:elsewhere@$digest\", imagePullPolicy: Never"
	assert_status 0
	pod "image: \"$REGISTRY/who/what@sha256:$(printf %064d 0)\", imagePullPolicy: Never"
	assert_status 125
	# Several names of one image: by digest all of them are meant.
	image rm "${digest:7:8}"
	assert_equal "$(sort <<<"$output")" "$(printf '%s removed\n' "$name" "$REGISTRY/who/what:v7" | sort)"
	assert_equal "$(left)" ""
}

@test "of an index the machine's platform is pulled, and its digest pins, too" {
	local index
	cp -r "$WORK/layout" multi
	"$REPO/tests/scripts/layout" multi index=s390x
	push multi "$REGISTRY/multi:1" --all
	index=$(digest "$REGISTRY/multi:1")
	image pull "$REGISTRY/multi:1"
	assert_status 0
	assert_equal "$("$MINIRUN" image ls -o json | jq -r '.[].layers | length')" 2
	image inspect "$REGISTRY/multi:1" -o json
	assert_equal "$(jq -r '.[].index' <<<"$output")" "$index"
	assert_equal "$(jq -r '.[].digest' <<<"$output")" "$(manifest "$REGISTRY/multi:1" | jq -r '.manifests[1].digest')"
	image pull "$REGISTRY/multi:1"
	assert_has "is up to date"
	pod "image: \"$REGISTRY/multi@$index\", imagePullPolicy: Never"
	assert_status 0
	assert_has "hello from the layout"
}

@test "an image in Docker's own format is pulled byte for byte" {
	push "$WORK/layout" "$REGISTRY/docker:1" -f v2s2
	assert_equal "$(manifest "$REGISTRY/docker:1" | jq -r .mediaType)" application/vnd.docker.distribution.manifest.v2+json
	image pull "$REGISTRY/docker:1"
	assert_status 0
	assert_equal "${output##* }" "$(digest "$REGISTRY/docker:1")"
	pod "image: \"$REGISTRY/docker:1\""
	assert_has "hello from the layout"
}

@test "a layer is unpacked while the next is on its way" {
	local pid
	# Between us and the registry: holds every blob of the size of the second layer back until a file is there.
	size=$(manifest "$REGISTRY/who/what:v1" | jq '.layers[1].size')
	python3 -u - "${REGISTRY##*:}" "$size" "$T/go" >proxy.port 2>proxy.log 3>&- <<-'EOF' &
		import os, socket, sys, threading, time
		server = socket.create_server(("127.0.0.1", 0))
		print(server.getsockname()[1], flush=True)
		mark = b"Content-Length: " + sys.argv[2].encode() + b"\r"
		def pump(a, b, holds):
		    try:
		        while data := a.recv(4096):
		            while holds and mark in data and not os.path.exists(sys.argv[3]):
		                time.sleep(0.05)
		            b.sendall(data)
		    except OSError:
		        pass
		    for s in (a, b):
		        try: s.shutdown(socket.SHUT_RDWR)
		        except OSError: pass
		while True:
		    client, _ = server.accept()
		    up = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		    threading.Thread(target=pump, args=(client, up, False), daemon=True).start()
		    threading.Thread(target=pump, args=(up, client, True), daemon=True).start()
	EOF
	echo $! >>"$REGISTRY_PIDS"
	eventually 20 test -s proxy.port
	"$MINIRUN" image pull --tls-verify=false "127.0.0.1:$(<proxy.port)/who/what:v1" >out 2>err 3>&- &
	pid=$!
	eventually 30 grep -q unpacked err
	assert_equal "$(grep -c unpacked err)" 1
	kill -0 $pid
	touch go
	wait $pid
	assert_equal "$(grep -c unpacked err)" 2
}

@test "on a terminal there is a bar for each layer, in none wider than it, and nothing is left of them" {
	local width
	for width in 100 50 30; do
		rm -rf "$MINIRUN_STORE"
		TERM=xterm run script -qec "stty cols $width rows 24; '$MINIRUN' image pull $REGISTRY/who/what:v1" typescript </dev/null
		assert_status 0
		tr '\r' '\n' <typescript | sed 's/\x1b\[[0-9]*[A-Z]//g' | grep -E '^[0-9a-f]{12}  ' >bars
		grep -q unpacked bars
		[[ $width -lt 60 ]] || grep -qF '=] ' bars
		run awk -v width=$width 'length($0) >= width' bars
		assert_equal "$output" ""
	done
}

@test "imagePullPolicy: IfNotPresent pulls what is missing, Always asks each time, Never doesn't" {
	start_registry policy
	trust "$HOST"
	push "$WORK/layout" "$HOST/app:1"
	pod "image: \"$HOST/app:1\", imagePullPolicy: Never"
	assert_status 125
	assert_stderr_has "spec.containers[0].image: Container image \"$HOST/app:1\" is not present with pull policy of Never"
	pod "image: \"$HOST/app:1\""
	assert_status 0
	assert_stderr_has "Pulling image \"$HOST/app:1\""
	assert_stderr_has "Successfully pulled image \"$HOST/app:1\" in "
	# The registry gets another image under that name.
	cp -r "$WORK/layout" other
	"$REPO/tests/scripts/layout" other noise=10 cmd='echo the other one'
	push other "$HOST/app:1"
	pod "image: \"$HOST/app:1\""
	assert_has "hello from the layout"
	assert_lacks Pulling
	pod "image: \"$HOST/app:1\", imagePullPolicy: Always"
	assert_status 0
	assert_has "the other one"
	pod "image: \"$HOST/app:1\", imagePullPolicy: Always" -o json
	assert_equal "$(jq -r 'select(.type == "pulled") | .message' <<<"$output" | sed 's/ in .*//')" "Successfully pulled image \"$HOST/app:1\""
	kill "$(tail -n 1 "$REGISTRY_PIDS")"
	pod "image: \"$HOST/app:1\", imagePullPolicy: Always"
	assert_status 125
	assert_stderr_has "spec.containers[0].image: cannot pull $HOST/app:1: the registry $HOST can't be reached"
	assert_stderr_has "imagePullPolicy: IfNotPresent runs the stored one"
	pod "image: \"$HOST/app:1\""
	assert_status 0
}

# Requests for manifests and blobs that a registry with its access log on has had: requests NAME.
requests() { grep -oE '"(GET|HEAD) /v2/[^ ]+/(manifests|blobs)/' "$WORK/$1.log" | wc -l; }

@test "imagePullPolicy not written: what was pulled as latest is asked for each time, what was loaded is used" {
	local asked
	start_registry latest
	kill "$(tail -n 1 "$REGISTRY_PIDS")"
	# Once more, with a log of what it is asked.
	sed -i 's/log: .*/log: {level: info}/' "$WORK/latest.yml"
	docker-registry serve "$WORK/latest.yml" >"$WORK/latest.log" 2>&1 3>&- </dev/null &
	echo $! >>"$REGISTRY_PIDS"
	eventually 20 answers "${HOST##*:}" $!
	trust "$HOST"
	push "$WORK/layout" "$HOST/app:latest"
	pod "image: \"$HOST/app\""
	assert_status 0
	image ls -o json
	assert_equal "$(jq -r '.[].origin' <<<"$output")" pulled
	# The same digest: one request, for the manifest.
	asked=$(requests latest)
	pod "image: \"$HOST/app\""
	assert_status 0
	assert_stderr_has "Pulling image \"$HOST/app\""
	assert_equal "$(requests latest)" $((asked + 1))
	# A tag other than latest, and a digest, don't ask.
	push "$WORK/layout" "$HOST/app:1"
	pod "image: \"$HOST/app:1\""
	asked=$(requests latest)
	pod "image: \"$HOST/app:1\""
	pod "image: \"$HOST/app@$("$MINIRUN" image ls -o json | jq -r '.[0].digest')\""
	assert_status 0
	assert_equal "$(requests latest)" "$asked"
	run --separate-stderr "$MINIRUN" explain - <<<"$(simple_pod e true | sed "s,image: busybox,image: $HOST/app,")"
	assert_has "a run asks its registry first (imagePullPolicy Always, the default of the tag latest)"
	# Without the registry that is an error, as under Kubernetes.
	kill "$(tail -n 1 "$REGISTRY_PIDS")"
	pod "image: \"$HOST/app\""
	assert_status 125
	assert_stderr_has "the registry $HOST can't be reached"
	assert_stderr_has "imagePullPolicy: IfNotPresent runs the stored one, which the tag latest alone doesn't"
	pod "image: \"$HOST/app\", imagePullPolicy: IfNotPresent"
	assert_status 0
	# One that was loaded has no registry to ask, unless that is written; nor has one of before origins were written down.
	image rm "$HOST/app"
	image load "$WORK/layout" "$HOST/app"
	pod "image: \"$HOST/app\""
	assert_status 0
	pod "image: \"$HOST/app\", imagePullPolicy: Always"
	assert_status 125
	image inspect "$HOST/app"
	assert_has "  origin        loaded from a file or folder"
	sed -i '/"origin"/d' "$MINIRUN_STORE"/images/*app.json
	pod "image: \"$HOST/app\""
	assert_status 0
	image ls
	[[ ${lines[1]} =~ \ -\ +[0-9]+s$ ]]
}

@test "a pull of what was loaded already notes that the registry has it" {
	image load "$WORK/layout" "$REGISTRY/who/what"
	image ls -o json
	assert_equal "$(jq -r '.[].origin' <<<"$output")" loaded
	image pull "$REGISTRY/who/what"
	assert_has "is up to date"
	image ls -o json
	assert_equal "$(jq -r '.[].origin' <<<"$output")" pulled
}

@test "each container whose image can't be had says why, and its registry is asked once" {
	run_pod <<-YAML
		apiVersion: v1
		kind: Pod
		metadata: {name: both}
		spec:
		  initContainers:
		  - {name: a, image: "$REGISTRY/none:1"}
		  containers:
		  - {name: b, image: "$REGISTRY/none:1"}
		  - {name: c, image: "$REGISTRY/none:2"}
	YAML
	assert_status 125
	assert_equal "$(grep -c "error: spec.*: cannot pull $REGISTRY/none:1: the registry $REGISTRY has no such image" <<<"$stderr")" 2
	assert_equal "$(grep -c 'Pulling image' <<<"$stderr")" 2
	assert_last_error_has 'the Pod "both" can'"'"'t be run: 3 errors'
}

# background NAME SCALE [LINES-OF-SPEC] <<CONTAINERS: a pod in the background.
background()
{
	{
		printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nspec:\n  terminationGracePeriodSeconds: 0\n%s\n' "$1" "${3:-}"
		sed 's/^/  /'
	} >pod.yaml
	run --separate-stderr "$MINIRUN" -d --time-scale "$2" pod.yaml
}

# What a container waits for: waiting POD CONTAINER.
waiting()
{
	"$MINIRUN" get "$1" -o json |
		jq -r --arg c "$2" '.status | (.containerStatuses + (.initContainerStatuses // []))[] | select(.name == $c) | .state.waiting.reason // "none"'
}
waits() { [[ $(waiting "$1" "$2") == "$3" ]]; }
events() { "$MINIRUN" describe pod "$1" | sed -n '/^Events/,$p'; }

@test "in the background: ErrImagePull, ImagePullBackOff, ErrImageNeverPull and InvalidImageName, until the image can be had" {
	image load "$WORK/busybox.tar" busybox
	background late 20 <<-YAML
		containers:
		- {name: a, image: "$REGISTRY/late:1", command: [sleep, "100"]}
		- {name: b, image: busybox, command: [sleep, "100"]}
		- {name: c, image: "$REGISTRY/late:1", command: [sleep, "100"]}
		- {name: d, image: "late:2", imagePullPolicy: Never, command: [sleep, "100"]}
		- {name: e, image: "LATE:1"}
	YAML
	assert_status 0
	assert_equal "$output" "pod/late created"
	eventually 10 waits late a ErrImagePull
	# Half a second later it waits for the next try.
	[[ $("$MINIRUN" get late | awk 'END { print $2, $3 }') =~ ^1/5\ (ErrImagePull|ImagePullBackOff)$ ]]
	assert_equal "$("$MINIRUN" get late -o json | jq -r .status.phase)" Pending
	# The back-off is the image's: the second container with it doesn't ask.
	eventually 10 waits late c ImagePullBackOff
	"$MINIRUN" get late -o json | jq -e '.status.containerStatuses[2].state.waiting.message |
		startswith("Back-off pulling image \"'"$REGISTRY"'/late:1\": ErrImagePull: the registry '"$REGISTRY"' has no such image")'
	waits late b none
	waits late d ErrImageNeverPull
	waits late e InvalidImageName
	eventually 10 waits late a ImagePullBackOff
	output=$(events late) stderr=
	assert_has "spec.containers{a}: Pulling image \"$REGISTRY/late:1\""
	assert_has "spec.containers{a}: Failed to pull image \"$REGISTRY/late:1\": the registry $REGISTRY has no such image"
	grep -qE "^  Warning +Failed .*spec.containers\{a\}: Error: ErrImagePull$" <<<"$output"
	grep -qE "^  Normal +BackOff .*spec.containers\{c\}: Back-off pulling image \"$REGISTRY/late:1\"$" <<<"$output"
	grep -qE '^  Warning +ErrImageNeverPull .*spec.containers\{d\}: Container image "late:2" is not present with pull policy of Never$' <<<"$output"
	grep -qE '^  Warning +InspectFailed .*spec.containers\{e\}: Failed to apply default image tag "LATE:1": ' <<<"$output"
	push "$WORK/layout" "$REGISTRY/late:1"
	image load "$WORK/busybox.tar" late:2
	eventually 30 waits late a none
	eventually 30 waits late c none
	eventually 30 waits late d none
	events late | grep -qE "spec.containers\{a\}: Successfully pulled image \"$REGISTRY/late:1\" in [0-9.]+m?s \([0-9.]+m?s including waiting\)\. Image size: [0-9]+ bytes\.$"
	assert_equal "$("$MINIRUN" exec late -c a -- echo hi)" hi
	"$MINIRUN" delete pod late
}

@test "in the background: an init container's image, one that doesn't fit the manifest, and Always at each restart" {
	background init 20 <<-YAML
		initContainers: [{name: a, image: "$REGISTRY/nowhere:1"}]
		containers: [{name: b, image: "$REGISTRY/who/what:v1"}]
	YAML
	eventually 10 waits init a ErrImagePull
	[[ $("$MINIRUN" get init | tail -n 1 | awk '{ print $3 }') =~ ^Init:(ErrImagePull|ImagePullBackOff)$ ]]
	assert_equal "$(waiting init b)" PodInitializing
	"$MINIRUN" delete pod init
	background root 20 '  securityContext: {runAsNonRoot: true}' <<-YAML
		containers: [{name: a, image: "$REGISTRY/who/what:v1"}]
	YAML
	assert_equal "$output" "pod/root created"
	eventually 20 waits root a CreateContainerConfigError
	events root | grep -qF 'container has runAsNonRoot and image will run as root'
	# What has nothing to do with the image is said at once.
	"$MINIRUN" delete pod root
	background wrong 20 '  securityContext: {seccompProfile: {type: Localhost, localhostProfile: none.json}}' <<-YAML
		containers: [{name: a, image: "$REGISTRY/who/what:v1"}]
	YAML
	assert_status 125
	assert_equal "$output" ""
	background always 20 <<-YAML
		containers: [{name: a, image: "$REGISTRY/who/what", command: ["true"]}]
	YAML
	eventually 20 eval "events always | grep -qE 'Normal +Pulling .*\(x[2-9] over .*Pulling image'"
	"$MINIRUN" delete pod always
}

@test "a pull that hangs keeps neither the pod's other work nor its deletion waiting, and nothing is left" {
	local port
	python3 -u -c 'import socket, time; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True); time.sleep(600)' >port 3>&- &
	echo $! >>"$REGISTRY_PIDS"
	eventually 20 test -s port
	port=$(<port)
	image load "$WORK/busybox.tar" busybox
	background hangs 1 <<-YAML
		containers:
		- {name: a, image: busybox, command: [sleep, "100"]}
		- {name: input, image: busybox, stdin: true, stdinOnce: true, command: [sh, -c, "cat; touch /dev/shm/over; exec sleep 100"]}
		- {name: b, image: "127.0.0.1:$port/x:1"}
	YAML
	eventually 20 pgrep -f "skopeo.*127.0.0.1:$port/x"
	assert_equal "$("$MINIRUN" exec hangs -c a -- echo hi)" hi
	# That its input has ended is seen, though the process that pulls began as a copy of the supervisor.
	"$MINIRUN" attach -i hangs -c input <<<text >/dev/null 3>&- &
	eventually 20 "$MINIRUN" exec hangs -c input -- test -e /dev/shm/over
	assert_equal "$(waiting hangs b)" ContainerCreating
	run -125 "$MINIRUN" exec hangs -c b -- true
	"$MINIRUN" delete pod hangs
	eventually 10 eval "! pgrep -f 'skopeo.*127.0.0.1:$port/x' >/dev/null"
	assert_equal "$(ls -A "$MINIRUN_STORE/tmp")" ""
}

@test "an untagged image that was loaded runs without a network, as before" {
	export MINIRUN_STORE=$WORK/store
	pod 'image: busybox, command: [echo, here]'
	assert_status 0
	assert_has here
}

@test "nothing is fetched for a pod that is wrong in another way" {
	pod "image: \"$REGISTRY/who/what:v1\", securityContext: {seccompProfile: {type: Localhost, localhostProfile: none.json}}"
	assert_status 125
	assert_lacks Pulling
	assert_equal "$(left)" ""
	pod "image: \"$REGISTRY/who/what:v1\", securityContext: {seccompProfile: {type: Localhost, localhostProfile: none.json}}"
}

@test "what the machine's policy forbids isn't stored, though all its layers were" {
	mkdir -p home/.config/containers
	cp "$REGISTRIES" home/.config/containers
	echo '{"default": [{"type": "reject"}]}' >home/.config/containers/policy.json
	HOME=$T/home image pull "$REGISTRY/who/what:v1"
	assert_status 125
	assert_stderr_has "the policy of this machine forbids it"
	assert_equal "$(left)" ""
	image load "$WORK/layout" same
	HOME=$T/home image pull "$REGISTRY/who/what:v1"
	assert_status 125
	assert_stderr_has "the policy of this machine forbids it"
	assert_equal "$("$MINIRUN" image ls -o json | jq -r '.[].name')" same
}

@test "a layer that is stored, but not as this image needs it, is fetched after all" {
	# It has no entries for its folders: what they are is a matter of the layer below.
	"$REPO/tests/scripts/layout" alone bare=1
	"$REPO/tests/scripts/layout" above busybox="$(command -v busybox)"
	"$REPO/tests/scripts/layout" above from=alone
	push above "$REGISTRY/above:1"
	image load alone alone
	assert_status 0
	image pull "$REGISTRY/above:1"
	assert_status 0
	# It is there twice, under the two names.
	assert_equal "$(find "$MINIRUN_STORE/layers" -mindepth 1 -maxdepth 1 | wc -l)" 3
	pod "image: \"$REGISTRY/above:1\", command: [ls, /etc/bare]"
	assert_status 0
	image pull "$REGISTRY/above:1" --store "$T/other"
	assert_status 0
	image rm "$REGISTRY/above:1"
	image load above kept
	# Now it is, under the name that it has above this one.
	image pull "$REGISTRY/above:1"
	assert_equal "$(grep -c 'stored already' <<<"$stderr")" 2
}

@test "a wrong password, none at all, and the right one" {
	htpasswd -Bbn user secret >"$WORK/passwords"
	start_registry locked "auth: {htpasswd: {realm: lab, path: $WORK/passwords}}"
	trust "$HOST"
	push "$WORK/layout" "$HOST/app:1" --dest-creds user:secret
	image pull "$HOST/app:1"
	assert_status 125
	assert_last_error_has "cannot pull $HOST/app:1: the registry $HOST wants to know who asks"
	assert_stderr_has "skopeo login $HOST"
	printf '{"auths": {"%s": {"auth": "%s"}}}' "$HOST" "$(printf user:wrong | base64)" >wrong.json
	image pull "$HOST/app:1" --authfile wrong.json
	assert_status 125
	assert_stderr_has "skopeo login $HOST"
	assert_equal "$(left)" ""
	printf '{"auths": {"%s": {"auth": "%s"}}}' "$HOST" "$(printf user:secret | base64)" >right.json
	image pull "$HOST/app:1" --authfile right.json
	assert_status 0
	image pull "$HOST/app:1" --authfile none.json
	assert_last_error_has "--authfile $T/none.json: No such file"
}

@test "what a registry hasn't got, and one without TLS that nobody allowed" {
	image pull "$REGISTRY/no/such:1"
	assert_status 125
	assert_last_error_has "cannot pull $REGISTRY/no/such:1: the registry $REGISTRY has no such image"
	image pull "$REGISTRY/who/what:v9"
	assert_last_error_has "has no such image"
	HOME=$T image pull "$REGISTRY/who/what:v1"
	assert_last_error_has "the registry $REGISTRY doesn't speak TLS"
	assert_stderr_has "--tls-verify=false"
	HOME=$T image pull "$REGISTRY/who/what:v1" --tls-verify=false
	assert_status 0
	image pull "$REGISTRY/who/what:v1" --tls-verify=perhaps
	assert_last_error_has "--tls-verify perhaps: it is true or false"
}

@test "a blob that isn't what its digest says leaves nothing behind" {
	local data
	start_registry evil
	trust "$HOST"
	push "$WORK/layout" "$HOST/app:1"
	data=$(blob evil "$(manifest "$HOST/app:1" | jq -r '.layers[1].digest')")
	cp "$data" kept
	printf x | dd of="$data" bs=1 seek=2000 conv=notrunc status=none
	image pull "$HOST/app:1"
	assert_status 125
	assert_last_error_has "what the registry $HOST sent isn't what its digest says"
	assert_equal "$(left)" ""
	cp kept "$data"
	image pull "$HOST/app:1"
	assert_status 0
	# The manifest.
	start_registry evil2
	trust "$HOST"
	push "$WORK/layout" "$HOST/app:1"
	digest=$(digest "$HOST/app:1")
	sed -i 's/"size"/"sise"/' "$(blob evil2 "$digest")"
	image pull "$HOST/app@$digest"
	assert_status 125
	assert_equal "$("$MINIRUN" image ls -o json | jq length)" 1
}

@test "a registry that sends a layer without an end is cut off, and fills no disk" {
	local evil
	# Its layer has 10 KiB by the manifest, 1 GiB on the wire; stopped is how far it got.
	python3 -u - >evil.port 2>evil.log 3>&- <<-'EOF' &
		import hashlib, http.server, json
		def descriptor(data, kind):
		    return {"digest": "sha256:" + hashlib.sha256(data).hexdigest(), "size": len(data),
		            "mediaType": "application/vnd.oci.image." + kind}
		layer = bytes(10240)
		l = descriptor(layer, "layer.v1.tar")
		config = json.dumps({"os": "linux", "config": {}, "rootfs": {"diff_ids": [l["digest"]]}}).encode()
		c = descriptor(config, "config.v1+json")
		kind = "application/vnd.oci.image.manifest.v1+json"
		manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": c, "layers": [l]}).encode()
		class Evil(http.server.BaseHTTPRequestHandler):
		    protocol_version = "HTTP/1.1"
		    def log_message(self, *rest): pass
		    def endless(self):
		        self.send_response(200)
		        self.send_header("Transfer-Encoding", "chunked")
		        self.end_headers()
		        sent = 0
		        try:
		            while sent < 1 << 30:
		                self.wfile.write(b"100000\r\n" + bytes(1 << 20) + b"\r\n")
		                sent += 1 << 20
		        except OSError:
		            pass
		        self.close_connection = True
		        open("stopped", "w").write(str(sent))
		    def do_GET(self):
		        if l["digest"] in self.path:
		            return self.endless()
		        data = manifest if "/manifests/" in self.path else config if "/blobs/" in self.path else b"{}"
		        self.send_response(200)
		        self.send_header("Content-Type", kind if data is manifest else "application/json")
		        self.send_header("Content-Length", str(len(data)))
		        self.end_headers()
		        if self.command == "GET":
		            self.wfile.write(data)
		    do_HEAD = do_GET
		server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Evil)
		print(server.server_port, flush=True)
		server.serve_forever()
	EOF
	evil=$!
	echo $evil >>"$REGISTRY_PIDS"
	eventually 20 test -s evil.port
	HOST=127.0.0.1:$(<evil.port)
	trust "$HOST"
	image pull "$HOST/endless:1"
	eventually 20 test -s stopped
	assert_status 125
	assert_stderr_has "the registry $HOST sends more than any of its layers has"
	(($(<stopped) < 900 << 20))
	assert_equal "$(left)" ""
	# Nor does the manifest's own word help.
	image pull "$HOST/endless:1" --max-bytes 8Ki
	kill $evil
	assert_status 125
	assert_last_error_has "its layers are larger than the limit of 8.0 KiB"
	assert_stderr_has "--max-bytes"
	assert_equal "$(left)" ""
}

@test "a connection that is cut is one clear error, and nothing is left" {
	local port=${REGISTRY##*:} proxy
	# Between us and the registry: passes 100 kB of each connection, and then nothing more.
	python3 -u - "$port" >proxy.port 2>proxy.log 3>&- <<-'EOF' &
		import socket, sys, threading
		server = socket.create_server(("127.0.0.1", 0))
		print(server.getsockname()[1], flush=True)
		def pump(a, b, limit):
		    passed = 0
		    try:
		        while data := a.recv(4096):
		            passed += len(data)
		            if limit and passed > limit:
		                break
		            b.sendall(data)
		    except OSError:
		        pass
		    for s in (a, b):
		        try: s.shutdown(socket.SHUT_RDWR)
		        except OSError: pass
		while True:
		    client, _ = server.accept()
		    up = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		    threading.Thread(target=pump, args=(client, up, 0), daemon=True).start()
		    threading.Thread(target=pump, args=(up, client, 100000), daemon=True).start()
	EOF
	proxy=$!
	echo $proxy >>"$REGISTRY_PIDS"
	eventually 20 test -s proxy.port
	HOST=127.0.0.1:$(<proxy.port)
	trust "$HOST"
	image pull "$HOST/who/what:v1"
	kill $proxy
	assert_status 125
	assert_last_error_has "cannot pull $HOST/who/what:v1: "
	assert_stderr_has "the connection to $HOST broke off"
	assert_equal "$(left)" ""
}

@test "a full disk and a limit are one clear error each, and nothing is left" {
	image pull "$REGISTRY/who/what:v1" --max-bytes 1M
	assert_status 125
	assert_stderr_has "--max-bytes"
	assert_equal "$(left)" ""
	mkdir small
	run --separate-stderr with_mounts sh -c '
		mount -t tmpfs -o size=1m,mode=755 tmpfs small || exit 1
		"$MINIRUN" image pull "$REGISTRY/who/what:v1" --store small/store
		echo "status $?"
		find small/store -mindepth 2'
	assert_equal "$output" "status 125"
	assert_stderr_has "o space left on device"
}

@test "no network: one line, and how to do without" {
	run --separate-stderr with_mounts unshare -n "$MINIRUN" image pull nginx
	assert_status 125
	assert_last_error_has "cannot pull nginx: the registry docker.io can't be reached"
	assert_stderr_has "without one: minirun image load ARCHIVE NAME"
	assert_equal "${#stderr_lines[@]}" 2
	simple_pod offline true | sed 's/busybox/nginx/' >pod.yaml
	run --separate-stderr with_mounts unshare -n "$MINIRUN" pod.yaml
	assert_status 125
	assert_stderr_has "spec.containers[0].image: cannot pull nginx: the registry docker.io can't be reached"
	assert_equal "$(left)" ""
}

@test "without skopeo it is said what to install; a misspelt name is guessed at" {
	mkdir empty
	run --separate-stderr env PATH="$T/empty" "$MINIRUN" image pull nginx
	assert_status 125
	assert_last_error_has "cannot pull nginx: skopeo, which reaches registries for minirun, is not installed"
	assert_stderr_has "apt-get install skopeo"
	image load "$WORK/busybox.tar" busybox
	simple_pod typo true | sed 's/image: busybox/image: busibox/' >pod.yaml
	run --separate-stderr env PATH="$T/empty" "$MINIRUN" pod.yaml
	assert_status 125
	assert_stderr_has "did you mean busybox?"
}

@test "Ctrl-C, SIGTERM and SIGKILL during a pull leave neither files nor a skopeo" {
	local signal pid result port
	# Never answers.
	python3 -u -c 'import socket, time; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True); time.sleep(600)' >port 3>&- &
	echo $! >>"$REGISTRY_PIDS"
	eventually 20 test -s port
	port=$(<port)
	for signal in INT TERM KILL; do
		python3 -c 'import os,signal,sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])' \
			"$MINIRUN" image pull --tls-verify=false "127.0.0.1:$port/x" 2>err 3>&- &
		pid=$!
		eventually 20 pgrep -f "skopeo.*127.0.0.1:$port/x"
		kill -$signal $pid
		result=0
		wait $pid || result=$?
		assert_equal $result $((128 + $(kill -l $signal)))
		eventually 10 eval "! pgrep -f 'skopeo.*127.0.0.1:$port/x' >/dev/null"
		[[ $signal == KILL ]] || assert_equal "$(ls -A "$MINIRUN_STORE/tmp")" ""
	done
	# What SIGKILL left goes with the next load.
	image load "$WORK/busybox.tar" busybox
	assert_equal "$(ls -A "$MINIRUN_STORE/tmp")" ""
}

@test "an ordinary user pulls into a store of their own" {
	run --separate-stderr as_user "$MINIRUN" image pull "$REGISTRY/who/what:v1" --tls-verify=false
	assert_status 0
	simple_pod mine 'echo mine' | sed "s,image: busybox,image: $REGISTRY/who/what:v1," >pod.yaml
	run --separate-stderr as_user "$MINIRUN" pod.yaml
	assert_status 0
	assert_has mine
}

@test "nothing of the environment but its settings reaches skopeo, and no name becomes an option" {
	mkdir fake
	cat >fake/skopeo <<-END
		#!/bin/sh
		{ env; printf '%s\n' "\$@"; pwd; } >"$T/seen"
		echo 'time="now" level=fatal msg="no \"such\" thing:\\\\n\\\\t* at all\\\\x1b"' >&2
		exit 1
	END
	chmod 755 fake fake/skopeo
	SECRET=hunter2 PATH=$T/fake:$PATH image pull quay.io/who/what
	assert_status 125
	assert_last_error_has 'cannot pull quay.io/who/what: skopeo: no "such" thing: * at all'
	run grep hunter2 seen
	assert_status 1
	grep -qx 'docker://quay.io/who/what:latest' seen
	grep -qx -- -- seen
	image pull -- --all
	assert_status 125
	assert_last_error_has 'is no image name'
}

@test "pulls, loads and prunes at once neither spoil the store nor wait for ever" {
	local pids=() i
	for i in 1 2 3; do
		"$MINIRUN" image pull -q "$REGISTRY/who/what:v1" 2>>err 3>&- & pids+=($!)
		"$MINIRUN" image pull -q "$REGISTRY/who/what" 2>>err 3>&- & pids+=($!)
		"$MINIRUN" image load -q "$WORK/layout" "same$i" 2>>err 3>&- & pids+=($!)
		"$MINIRUN" image prune -q 2>>err 3>&- & pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	cat err
	assert_equal "$("$MINIRUN" image ls -o json | jq length)" 5
	assert_equal "$(find "$MINIRUN_STORE/layers" -mindepth 1 -maxdepth 1 | wc -l)" 2
	assert_equal "$(ls -A "$MINIRUN_STORE/tmp")" ""
	pod "image: \"$REGISTRY/who/what\", imagePullPolicy: Never"
	assert_status 0
}

@test "ls, inspect, rm and prune, for people and as JSON" {
	local digest
	image pull "$REGISTRY/who/what:v1" "$REGISTRY/who/what"
	assert_status 0
	digest=$(digest "$REGISTRY/who/what:v1")
	image ls
	[[ ${lines[1]} =~ ^$REGISTRY/who/what\ +${digest:0:19}\ +[0-9.]+\ [KM]iB\ +2\ +pulled\ +[0-9]+s$ ]]
	image inspect "$REGISTRY/who/what:v1"
	assert_has "$digest"
	assert_has '  Cmd           ["/bin/sh","-c","echo hello from the layout"]'
	image inspect "$digest" -o json
	assert_equal "$(jq -r '.[].name' <<<"$output")" "$REGISTRY/who/what"$'\n'"$REGISTRY/who/what:v1"
	assert_equal "$(jq -r '.[0].configuration.os' <<<"$output")" linux
	image inspect none "${digest:7:12}"
	assert_status 125
	assert_last_error_has "no image none in the store"
	assert_has "$digest"
	# Of several that fail each is told.
	image rm none "$REGISTRY/who/what:v2" neither
	assert_status 125
	assert_equal "$(grep -c 'no image .* in the store' <<<"$stderr")" 3
	assert_last_error_has "no image neither in the store"
	image prune
	assert_equal "$output" "0 layers removed, 0 B freed"
	image rm "$REGISTRY/who/what" -o json
	assert_equal "$(jq -c .removed <<<"$output")" "[\"$REGISTRY/who/what\"]"
	image prune --all
	[[ ${lines[0]} == "$REGISTRY/who/what:v1 removed" ]]
	[[ ${lines[1]} =~ ^2\ layers\ removed,\ .*\ freed$ ]]
	assert_equal "$(left)" ""
	image prune -a -o json
	assert_equal "$(jq -c . <<<"$output")" '{"images":[],"layers":0,"bytes":0}'
}
