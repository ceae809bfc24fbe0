#!/usr/bin/env bats
# kubectl's verbs: get, describe, wait, delete.

load helpers
teardown() { delete_pods && minirun_teardown; }

# pod NAME POLICY, and then for each container a line "KIND NAME COMMAND" on standard input: init, sidecar or main.
pod()
{
	local kind name command text inits='' mains=''
	while read -r kind name command; do
		text="  - {name: $name, image: busybox, command: [sh, -c, $(jq -n --arg c "$command" '$c')]"
		[[ $kind != sidecar ]] || text+=", restartPolicy: Always"
		text+="}"$'\n'
		[[ $kind == main ]] && mains+=$text || inits+=$text
	done
	printf 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: %s\n  labels: {app: %s}\n' "$1" "$1"
	printf 'spec:\n  restartPolicy: %s\n  terminationGracePeriodSeconds: 0\n' "$2"
	[[ -z $inits ]] || printf '  initContainers:\n%s' "$inits"
	printf '  containers:\n%s' "$mains"
}

# Starts the pod on standard input in the background.
detach()
{
	cat >"$T/pod.yaml"
	"$MINIRUN" -d "$T/pod.yaml" >/dev/null
}

# The columns READY, STATUS and the number of RESTARTS.
shows()
{
	[[ $("$MINIRUN" get "$1" | awk 'NR == 2 { print $2, $3, $4 }') == "$2" ]]
}

@test "get: STATUS as kubectl has it, from Init:0/2 to Completed" {
	detach < <(pod p Never <<-'EOF'
		init a until [ -e /tmp/go ]; do sleep 0.05; done
		init b until [ -e /tmp/go ]; do sleep 0.05; done
		main c until [ -e /tmp/go ]; do sleep 0.05; done
	EOF
	)
	eventually 10 shows p "0/1 Init:0/2 0"
	eventually 10 "$MINIRUN" exec p -c a -- touch /tmp/go
	eventually 10 shows p "0/1 Init:1/2 0"
	eventually 10 "$MINIRUN" exec p -c b -- touch /tmp/go
	eventually 10 shows p "1/1 Running 0"
	"$MINIRUN" exec p -- touch /tmp/go
	eventually 10 shows p "0/1 Completed 0"
}

@test "get: STATUS of what fails: Error, CrashLoopBackOff, Init:Error, Init:CrashLoopBackOff, StartError" {
	detach < <(pod e Never <<<'main c exit 3')
	eventually 10 shows e "0/1 Error 0"
	detach < <(pod crash Always <<<'main c exit 3')
	eventually 10 shows crash "0/1 CrashLoopBackOff 1"
	"$MINIRUN" get crash | grep -qE '1 \([0-9]+s ago\)'
	detach < <(pod ie Never <<<$'init i exit 3\nmain c true')
	eventually 10 shows ie "0/1 Init:Error 0"
	detach < <(pod ic Always <<<$'init i exit 3\nmain c true')
	eventually 10 shows ic "0/1 Init:CrashLoopBackOff 1"
	detach < <(pod se Never <<<'main c true' | sed 's/\[sh, -c, "true"\]/[nosuchprogram]/')
	eventually 10 shows se "0/1 StartError 0"
	# All of them in one table, sorted by name, with kubectl's heads.
	run "$MINIRUN" get pods
	assert_equal "$(head -n 1 <<<"$output" | tr -s ' ')" "NAME READY STATUS RESTARTS AGE"
	assert_equal "$(awk 'NR > 1 { print $1 }' <<<"$output" | tr '\n' ' ')" "crash e ic ie se "
}

@test "get: sidecars count for READY, and one of two containers that has completed" {
	detach < <(pod side Never <<-'EOF'
		sidecar s sleep 60
		main c sleep 60
		main d sleep 60
	EOF
	)
	eventually 10 shows side "3/3 Running 0"
	detach < <(pod half Never <<<$'main c sleep 60\nmain d true')
	eventually 10 shows half "1/2 NotReady 0"
}

@test "get: pod NAME, pods NAME, pod/NAME and NAME are one; what isn't there is said in the API server's words" {
	detach < <(pod demo Never <<<'main c sleep 60')
	for name in "demo" "pod demo" "pods demo" "po demo" "pod/demo" "pods/demo"; do
		# shellcheck disable=SC2086 # two words
		assert_equal "$("$MINIRUN" get $name -o name)" "pod/demo"
	done
	run --separate-stderr "$MINIRUN" get nosuch
	assert_status 1
	assert_last_error_has 'pods "nosuch" not found'
	"$MINIRUN" delete demo
	run --separate-stderr "$MINIRUN" get
	assert_status 0
	assert_equal "$output" ""
	assert_stderr_has "No resources found in default namespace."
}

@test "get: -o json is a v1 Pod, -o yaml the same, -o wide has more columns, -l selects" {
	detach < <(pod one Never <<<'main c sleep 60')
	detach < <(pod two Never <<<'main c sleep 60')
	"$MINIRUN" wait one two --for=condition=Ready
	"$MINIRUN" get one -o json >"$T/one.json"
	assert_equal "$(jq -r '[.apiVersion, .kind, .metadata.name, .metadata.namespace, .spec.restartPolicy, .status.phase] | join(" ")' "$T/one.json")" \
		"v1 Pod one default Never Running"
	assert_equal "$(jq -c '.status.conditions | map([.type, .status])' "$T/one.json")" \
		'[["PodReadyToStartContainers","True"],["Initialized","True"],["Ready","True"],["ContainersReady","True"],["PodScheduled","True"]]'
	assert_equal "$(jq -c '.status.containerStatuses[0] | [.name, .ready, .started, .restartCount, .image] ' "$T/one.json")" \
		'["c",true,true,0,"busybox"]'
	jq -e '.status.containerStatuses[0] | (.containerID | test("^minirun://[0-9a-f]{64}$")) and (.imageID | test("^sha256:"))' "$T/one.json"
	# minirun itself takes what it gives, and so does a reader of YAML.
	"$MINIRUN" explain "$T/one.json" >/dev/null
	"$MINIRUN" get one -o yaml >"$T/one.yaml"
	"$MINIRUN" explain "$T/one.yaml" >/dev/null
	python3 -c 'import json, sys, yaml; assert yaml.safe_load(open(sys.argv[1])) == json.load(open(sys.argv[2]))' "$T/one.yaml" "$T/one.json"
	assert_equal "$("$MINIRUN" get -o json | jq -r '.kind, .items[].metadata.name' | tr '\n' ' ')" "List one two "
	assert_equal "$("$MINIRUN" get -l app=two -o name)" "pod/two"
	assert_equal "$("$MINIRUN" get -l 'app!=two' -o name)" "pod/one"
	assert_equal "$("$MINIRUN" get -o wide | head -n 1 | tr -s ' ')" "NAME READY STATUS RESTARTS AGE IP NODE NOMINATED NODE READINESS GATES"
	run "$MINIRUN" get -o x
	assert_status 1
}

@test "-l: labels by sets, too, and kubectl's words for what is no selector" {
	local words
	detach < <(pod one Never <<<'main c sleep 60' | sed 's/labels: .*/labels: {app: web, tier: a, level: "5"}/')
	detach < <(pod two Never <<<'main c sleep 60' | sed 's/labels: .*/labels: {app: web, tier: b}/')
	while IFS='|' read -r selector names; do
		assert_equal "$("$MINIRUN" get -l "$selector" -o name 2>/dev/null | tr '\n' ' ')" "$names"
	done <<-'END'
		tier in (a,c)|pod/one 
		tier notin (a)|pod/two 
		tier in (a, b),app==web|pod/one pod/two 
		level|pod/one 
		!level|pod/two 
		level gt 4|pod/one 
		level<5|
		x!=1|pod/one pod/two 
		tier in (),app|
	END
	while IFS='|' read -r selector words; do
		run "$MINIRUN" get -l "$selector"
		assert_status 1
		assert_has "$words"
	done <<-'END'
		tier in a|unable to parse requirement: found 'a' expected: '('
		tier in (a|unable to parse requirement: found '', expected: ',' or ')'
		tier like a|unable to parse requirement: found 'like', expected: in, notin, =, ==, !=, gt, lt
		a,|found '', expected: identifier after ','
		(a)|found '(', expected: !, identifier, or 'end of string'
		-a=b|key: Invalid value: "-a": name part must consist of alphanumeric characters
		a=b,c=-|values[0][c]: Invalid value: "-": a valid label must be an empty string or consist of
		n gt x|for 'Gt', 'Lt' operators, the value must be an integer
	END
	# The other verbs that take it.
	"$MINIRUN" wait --for=condition=ready pod -l app=web
	assert_equal "$("$MINIRUN" describe -l tier=b | grep -c '^Name: ')" 1
	assert_equal "$("$MINIRUN" delete pods -l app=web)" $'pod "one" deleted\npod "two" deleted'
	assert_equal "$("$MINIRUN" delete pods -l app=web)" "No resources found"
	run "$MINIRUN" wait --for=condition=ready pod -l app=web
	assert_status 1
	assert_has "no matching resources found"
	run "$MINIRUN" get one -l app=web
	assert_status 1
	assert_has "name cannot be provided when a selector is specified"
}

@test "apply, create: as run -d, in kubectl's words; what is there is never changed" {
	pod demo Never <<<'main c sleep 60' >demo.yaml
	assert_equal "$("$MINIRUN" apply -f demo.yaml)" "pod/demo created"
	assert_equal "$("$MINIRUN" apply -f - <demo.yaml)" "pod/demo unchanged"
	assert_equal "$("$MINIRUN" get -f demo.yaml -o name)" "pod/demo"
	# A difference is named, the first by its path; nothing happens.
	while read -r change path; do
		sed "$change" demo.yaml >other.yaml
		run --separate-stderr "$MINIRUN" apply -f other.yaml
		assert_status 1
		assert_last_error_has "The Pod \"demo\" is invalid: $path: Forbidden: "
	done <<-'END'
		s/busybox/busybox:1/ spec.containers[0].image
		s/"60"/"61"/;s/sleep.60/sleep\x2061/ spec.containers[0].command[2]
		s/app:.demo/app:\x20x/ metadata.labels.app
	END
	run --separate-stderr "$MINIRUN" create -f demo.yaml
	assert_status 1
	assert_last_error_has 'pods "demo" already exists'
	assert_equal "$("$MINIRUN" delete -f demo.yaml)" 'pod "demo" deleted'
	assert_equal "$("$MINIRUN" create -f demo.yaml)" "pod/demo created"
	# One whose supervisor was killed is made anew.
	kill -KILL "$(jq .supervisor.pid "$MINIRUN_ROOT/demo/status.json")"
	eventually 10 eval '[[ -z $(pod_processes) ]]'
	assert_equal "$("$MINIRUN" apply -f demo.yaml)" "pod/demo created"
	"$MINIRUN" delete -f demo.yaml --force --grace-period=0 2>/dev/null
	# What is wrong is said as ever; a file is wanted.
	run --separate-stderr "$MINIRUN" apply -f - <<<'{"apiVersion": "v1", "kind": "Pod", "spec": {}}'
	assert_status 1
	assert_stderr_has "spec.containers: Required value"
	run "$MINIRUN" apply demo.yaml
	assert_status 1
	assert_has "apply wants -f FILE, not demo.yaml"
	run "$MINIRUN" delete -f demo.yaml demo
	assert_status 1
	assert_has "you may not specify resource arguments as well"
}

@test "readinessGates: nobody sets their conditions, so the pod is never Ready, and that is said" {
	pod gated Never <<<'main c sleep 60' |
		sed 's/^spec:/&\n  readinessGates: [{conditionType: example.com\/up}]/' >gated.yaml
	run --separate-stderr "$MINIRUN" apply -f gated.yaml
	assert_status 0
	assert_stderr_has "spec.readinessGates: nobody sets conditions of pods here: the pod will never be Ready"
	"$MINIRUN" wait gated --for=condition=ContainersReady
	assert_equal "$("$MINIRUN" get gated -o json | jq -c '.status.conditions[] | select(.type == "Ready") | [.status, .reason, .message]')" \
		'["False","ReadinessGatesNotReady","corresponding condition of pod readiness gate \"example.com/up\" does not exist."]'
	shows gated "1/1 Running 0"
	assert_equal "$("$MINIRUN" get gated -o wide | awk 'NR == 2 { print $NF }')" "0/1"
	"$MINIRUN" describe gated | grep -A2 '^Readiness Gates:' | grep -q '^  example.com/up *<none>'
	run "$MINIRUN" wait gated --for=condition=Ready --timeout=200ms
	assert_status 1
	assert_has "timed out waiting for the condition on pods/gated"
}

@test "delete: one that isn't there keeps nobody from deleting the others" {
	detach < <(pod one Never <<<'main c sleep 60')
	detach < <(pod two Never <<<'main c sleep 60')
	run --separate-stderr "$MINIRUN" delete pods one gone two away
	assert_status 1
	assert_equal "$output" $'pod "one" deleted\npod "two" deleted'
	assert_stderr_has 'pods "gone" not found'
	assert_last_error_has 'pods "away" not found'
}

@test "get, wait, delete: --no-headers, --ignore-not-found, --all, and not -f twice" {
	detach < <(pod one Never <<<'main c sleep 60')
	detach < <(pod two Never <<<'main c sleep 60')
	"$MINIRUN" wait --all --for=condition=Ready
	assert_equal "$("$MINIRUN" get pods --no-headers | awk '{ print $1 }' | tr '\n' ' ')" "one two "
	run --separate-stderr "$MINIRUN" get one gone two --no-headers
	assert_status 1
	assert_equal "$(awk '{ print $1 }' <<<"$output" | tr '\n' ' ')" "one two "
	assert_last_error_has 'pods "gone" not found'
	run --separate-stderr "$MINIRUN" get one gone --ignore-not-found -o name
	assert_status 0
	assert_equal "$output$stderr" "pod/one"
	run --separate-stderr "$MINIRUN" get nodes
	assert_status 1
	assert_stderr_has "minirun has pods alone"
	cp "$T/pod.yaml" "$T/other.yaml"
	run --separate-stderr "$MINIRUN" delete -f "$T/pod.yaml" -f "$T/other.yaml"
	assert_status 1
	assert_last_error_has "-f was given twice"
	run --separate-stderr "$MINIRUN" get --sort-by=.x
	assert_status 1
	run --separate-stderr "$MINIRUN" delete --all one
	assert_status 1
	run --separate-stderr "$MINIRUN" delete gone --ignore-not-found
	assert_status 0
	assert_equal "$output$stderr" ""
	run --separate-stderr "$MINIRUN" delete pods --all
	assert_status 0
	assert_equal "$output" $'pod "one" deleted\npod "two" deleted'
	run --separate-stderr "$MINIRUN" delete pods --all
	assert_status 0
	assert_equal "$output" "No resources found"
}

@test "get: -w prints a line for each change" {
	detach < <(pod w Never <<<'main c until [ -e /tmp/go ]; do sleep 0.05; done')
	eventually 10 shows w "1/1 Running 0"
	"$MINIRUN" get -w w >"$T/out" &
	pid=$!
	eventually 10 grep -q Running "$T/out"
	"$MINIRUN" exec w -- touch /tmp/go
	eventually 10 grep -q Completed "$T/out"
	kill $pid
	assert_equal "$(awk '{ print $3 }' "$T/out" | tr '\n' ' ')" "STATUS Running Completed "
}

@test "describe: kubectl's layout, with events and their counts" {
	detach < <(pod d Always <<<$'init i true\nmain c exit 3')
	eventually 10 shows d "0/1 CrashLoopBackOff 1"
	run "$MINIRUN" describe pod d
	assert_status 0
	for line in 'Name:             d' 'Namespace:        default' 'Labels:           app=d' 'Init Containers:' 'Containers:' \
		'    State:          Waiting' '      Reason:       CrashLoopBackOff' '    Last State:     Terminated' \
		'      Exit Code:    3' '    Restart Count:  1' 'Conditions:' 'QoS Class:                   BestEffort' 'Events:'; do
		assert_line "$line"
	done
	grep -qE '^  Normal   Pulled +[0-9]+s \(x2 over [0-9]+s\) +minirun  spec.containers\{c\}: Container image "busybox" already present on machine$' <<<"$output"
	grep -qE '^  Warning  BackOff +[0-9]+s +minirun  spec.containers\{c\}: Back-off restarting failed container c in pod d_default\(' <<<"$output"
}

@test "describe: limits, requests, probes and seccomp profiles" {
	cat >rules.yaml <<-'YAML'
		apiVersion: v1
		kind: Pod
		metadata: {name: rules}
		spec:
		  terminationGracePeriodSeconds: 0
		  securityContext: {seccompProfile: {type: Localhost, localhostProfile: all.json}}
		  containers:
		  - name: c
		    image: busybox
		    command: [sleep, "60"]
		    resources: {limits: {cpu: 500m, memory: 64Mi}, requests: {memory: 32Mi}}
		    livenessProbe: {exec: {command: [cat, /etc/passwd]}, initialDelaySeconds: 5, periodSeconds: 3}
		    readinessProbe: {httpGet: {path: /ready, port: 80}}
		    startupProbe: {tcpSocket: {port: 80}, failureThreshold: 30}
		    securityContext: {seccompProfile: {type: Unconfined}}
	YAML
	echo '{"defaultAction": "SCMP_ACT_ALLOW"}' >all.json
	"$MINIRUN" apply -q --no-limits -f rules.yaml
	run "$MINIRUN" describe rules
	while read -r line; do
		grep -qxF -- "$line" <(sed 's/^ *//' <<<"$output") || fail "no such line: $line"
	done <<-'END'
		SeccompProfile:   Localhost
		LocalhostProfile: all.json
		SeccompProfile: Unconfined
		cpu:     500m
		memory:  64Mi
		memory:  32Mi
		Liveness:       exec [cat /etc/passwd] delay=5s timeout=1s period=3s #success=1 #failure=3
		Readiness:      http-get http://:80/ready delay=0s timeout=1s period=10s #success=1 #failure=3
		Startup:        tcp-socket :80 delay=0s timeout=1s period=10s #success=1 #failure=30
	END
	# What is limited is requested, too.
	assert_equal "$(grep -c 'cpu:     500m' <<<"$output")" 2
}

@test "describe: beneath a container stands what was refused to it, and get -o json leaves it out" {
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}' >"$T/deny.json"
	detach < <(simple_pod den 'mkdir /x; mkdir /x; until [ -e /tmp/go ]; do sleep 0.1; done; mkdir /late; sleep 60' \
		'    securityContext: {seccompProfile: {type: Localhost, localhostProfile: deny.json}}' '  terminationGracePeriodSeconds: 0')
	eventually 10 eval '"$MINIRUN" describe den | grep -q "mkdir(\"/x\", 0777) = EPERM (seccomp, mkdir, 2 times)"'
	"$MINIRUN" describe den | grep -q '^    Denials:        2$'
	# Also what comes later, when nothing else changes.
	"$MINIRUN" exec den -- touch /tmp/go
	eventually 10 eval '"$MINIRUN" describe den | grep -q "mkdir(\"/late\", 0777) = EPERM (seccomp, mkdir)"'
	assert_equal "$(jq -c '.denials.main | [.total, .denied[0].count]' "$MINIRUN_ROOT/den/status.json")" '[3,2]'
}

@test "wait: for a condition, a field, the deletion; and a timeout" {
	detach < <(pod w Never <<<$'init i sleep 0.5\nmain c sleep 60')
	assert_equal "$("$MINIRUN" wait --for=condition=Ready --timeout=20s pod/w)" "pod/w condition met"
	"$MINIRUN" wait w --for=jsonpath='{.status.phase}'=Running
	"$MINIRUN" wait w --for=jsonpath='{.status.containerStatuses[0].ready}'=true
	run "$MINIRUN" wait w --for=condition=Initialized=false --timeout=0.3s
	assert_status 1
	assert_has "timed out waiting for the condition on pods/w"
	"$MINIRUN" wait w --for=delete --timeout=20s >"$T/out" &
	pid=$!
	"$MINIRUN" delete w
	wait $pid
	assert_equal "$(<"$T/out")" "pod/w deleted"
	run "$MINIRUN" wait w --for=condition=Ready
	assert_status 1
	assert_has 'pods "w" not found'
}

@test "delete: waits for the end, with the grace period that is asked for; --force doesn't wait for anything" {
	detach < <(simple_pod deaf "trap '' TERM; while :; do sleep 0.05; done" '' '  terminationGracePeriodSeconds: 600')
	"$MINIRUN" wait deaf --for=condition=Ready
	run --separate-stderr "$MINIRUN" delete deaf --force --grace-period=0
	assert_status 0
	assert_equal "$output" 'pod "deaf" force deleted'
	assert_stderr_has "Warning: Immediate deletion does not wait"
	assert_machine_unchanged
	detach < <(simple_pod deaf "trap '' TERM; while :; do sleep 0.05; done" '' '  terminationGracePeriodSeconds: 600')
	"$MINIRUN" wait deaf --for=condition=Ready
	"$MINIRUN" delete deaf &
	pid=$!
	eventually 10 shows deaf "1/1 Terminating 0"
	# A second deletion with less time hurries the first.
	assert_equal "$("$MINIRUN" delete deaf --grace-period=1)" 'pod "deaf" deleted'
	wait $pid
	run --separate-stderr "$MINIRUN" delete deaf
	assert_status 1
	assert_last_error_has 'pods "deaf" not found'
}

@test "a client that is killed harms nothing" {
	detach < <(pod h Never <<<'main c while :; do echo line; sleep 0.01; done')
	"$MINIRUN" wait h --for=condition=Ready
	for command in "logs -f h" "exec h -- sleep 60" "wait h --for=delete" "get -w"; do
		# shellcheck disable=SC2086 # words
		"$MINIRUN" $command >/dev/null 2>&1 &
		pid=$!
		sleep 0.2
		kill -KILL $pid
		wait $pid || true
		shows h "1/1 Running 0"
	done
}
