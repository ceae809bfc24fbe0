#!/usr/bin/env bats
# The flags of kubectl's verbs: what somebody types who knows kubectl. What the verbs themselves do is in verbs.bats.

load helpers
teardown() { delete_pods && minirun_teardown; }

# A pod that does COMMAND; further arguments are lines of its metadata.
pod()
{
	printf 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: %s\n' "$1"
	[[ $# -lt 3 ]] || printf '  %s\n' "${@:3}"
	printf 'spec:\n  restartPolicy: Never\n  terminationGracePeriodSeconds: 0\n  containers:\n'
	printf '  - {name: main, image: busybox, command: [sh, -c, %s]}\n' "$(jq -n --arg c "$2" '$c')"
}

detach()
{
	pod "$@" >"$T/pod.yaml"
	"$MINIRUN" -d "$T/pod.yaml" >/dev/null
}

@test "flags take values as kubectl's do, and what is none is said in its words" {
	detach demo 'echo up; sleep 60'
	"$MINIRUN" wait pod/demo --for=condition=Ready
	assert_equal "$("$MINIRUN" logs --follow=false --tail=1 demo)" up
	assert_equal "$("$MINIRUN" get pods --no-headers=true -o=name)" pod/demo
	while IFS='|' read -r line words; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr "$MINIRUN" $line
		assert_status 1
		assert_last_error_has "$words"
	done <<-'END'
		logs --follow=maybe demo|invalid argument "maybe" for "-f, --follow" flag: strconv.ParseBool: parsing "maybe": invalid syntax
		logs --tail=x demo|invalid argument "x" for "--tail" flag: strconv.ParseInt: parsing "x": invalid syntax
		logs --tail=-5 demo|--tail must be greater than or equal to -1
		logs --since=-5s demo|--since must be greater than 0
		logs --since=soon demo|invalid argument "soon" for "--since" flag: time: invalid duration "soon"
		wait --for=delete --timeout=x demo|invalid argument "x" for "--timeout" flag: time: invalid duration "x"
		delete --grace-period=now demo|invalid argument "now" for "--grace-period" flag: strconv.ParseInt: parsing "now": invalid syntax
		delete --force=2 demo|invalid argument "2" for "--force" flag: strconv.ParseBool: parsing "2": invalid syntax
	END
	# --force=false isn't --force, and a negative grace period is the pod's own.
	assert_equal "$("$MINIRUN" delete --force=false --grace-period=-1 demo)" 'pod "demo" deleted'
}

@test "a pod's misspelt name gets a guess, from every verb" {
	detach demo 'sleep 60'
	for verb in get describe logs delete "exec demmo -- true" "port-forward demmo 80" "cp demmo:/etc/passwd x" \
		attach top "wait demmo --for=condition=Ready"; do
		[[ $verb == *demmo* ]] || verb+=" demmo"
		# shellcheck disable=SC2086 # words
		run --separate-stderr "$MINIRUN" $verb
		[[ $status -ne 0 ]]
		assert_last_error_has 'pods "demmo" not found'
		assert_stderr_has "hint: did you mean demo?"
	done
}

@test "get: -o jsonpath, of one pod and of a list" {
	detach one 'sleep 60' 'labels: {app.kubernetes.io/name: web, tier: a}'
	detach two 'sleep 60' 'labels: {tier: b}'
	"$MINIRUN" wait --all --for=condition=Ready
	while IFS='|' read -r template result; do
		assert_equal "$("$MINIRUN" get pod one -o "jsonpath=$template")" "$result"
	done <<-'END'
		{.metadata.name}|one
		{.metadata.name} is {.status.phase}.|one is Running.
		{.status.conditions[?(@.type=="Ready")].status}|True
		{.metadata.labels.app\.kubernetes\.io/name}|web
		{.metadata.labels}|{"app.kubernetes.io/name":"web","tier":"a"}
		{.spec.containers[*]['name','image']}|main busybox
		{.status.containerStatuses[-1].restartCount}{" "}{.status.gone}|0 
	END
	assert_equal "$("$MINIRUN" get pods -o=jsonpath='{.items[*].metadata.name}')" "one two"
	assert_equal "$("$MINIRUN" get -o jsonpath='{range .items[*]}{.metadata.name}{"\t"}{.status.phase}{"\n"}{end}')" \
		$'one\tRunning\ntwo\tRunning'
	while IFS='|' read -r format words; do
		run --separate-stderr "$MINIRUN" get one -o "$format"
		assert_status 1
		assert_last_error_has "$words"
		assert_equal "$output" ""
	done <<-'END'
		jsonpath={.a|error parsing jsonpath {.a, unclosed action
		jsonpath={.spec.containers[3]}|error executing jsonpath: array index out of bounds: index 3, length 1
		jsonpath|template format specified but no template given
		jsonpath=|template format specified but no template given
		custom-columns=NAME|unexpected custom-columns spec: NAME, expected <header>:<json-path-expr>
		go-template={{.}}|unable to match a printer suitable for the output format "go-template={{.}}", allowed formats are: 
	END
}

@test "get: custom-columns, --show-labels, -L, --sort-by" {
	detach b2 'sleep 60' 'labels: {tier: x, example.com/app: web}'
	detach b10 'sleep 60'
	detach a 'sleep 60' 'labels: {tier: a}'
	"$MINIRUN" wait --all --for=condition=Ready
	assert_equal "$("$MINIRUN" get -o custom-columns=POD:.metadata.name,TIER:metadata.labels.tier,IMAGES:'{.spec.containers[*].image}')" \
		$'POD   TIER     IMAGES\na     a        busybox\nb10   <none>   busybox\nb2    x        busybox'
	assert_equal "$("$MINIRUN" get b2 --no-headers -o custom-columns=:.metadata.name,:.spec.restartPolicy)" "b2   Never"
	assert_equal "$("$MINIRUN" get --show-labels | awk '{ print $1, $NF }')" \
		$'NAME LABELS\na tier=a\nb10 <none>\nb2 example.com/app=web,tier=x'
	assert_equal "$("$MINIRUN" get -L tier,example.com/app -L gone | head -n 1 | tr -s ' ')" "NAME READY STATUS RESTARTS AGE TIER APP GONE"
	assert_equal "$("$MINIRUN" get b2 -L tier -L example.com/app --no-headers | awk '{ print $6, $7 }')" "x web"
	assert_equal "$("$MINIRUN" get --sort-by=.metadata.labels.tier -o name | tr '\n' ' ')" "pod/b10 pod/a pod/b2 "
	# By number in a name, as kubectl, and not by letter.
	assert_equal "$("$MINIRUN" get --sort-by='{.metadata.name}' -o name | tr '\n' ' ')" "pod/a pod/b2 pod/b10 "
	[[ $("$MINIRUN" get --sort-by=.metadata.creationTimestamp -o name | wc -l) == 3 ]]
	run --separate-stderr "$MINIRUN" get --sort-by=.gone
	assert_status 1
	assert_last_error_has "couldn't find any field with path \".gone\" in the list of objects"
}

@test "wait: --for=jsonpath, with filters and without a value" {
	detach demo 'sleep 60'
	for path in '{.status.phase}=Running' '.status.phase=Running' '{.status.phase}="Running"' '{.status.startTime}' \
		'{.status.conditions[?(@.type=="Ready")].status}=True' '{.status.containerStatuses[0].ready}=true'; do
		assert_equal "$("$MINIRUN" wait pod demo --for=jsonpath="$path" --timeout=10s)" "pod/demo condition met"
	done
	while IFS='|' read -r path words; do
		run --separate-stderr "$MINIRUN" wait demo --for=jsonpath="$path" --timeout=100ms
		assert_status 1
		assert_last_error_has "$words"
	done <<-'END'
		{.status.phase}=Failed|timed out waiting for the condition on pods/demo
		{.gone}|timed out waiting for the condition on pods/demo
		{.status.phase}=|jsonpath wait has to have a value
		{.status.conditions[*].type}=Ready|given jsonpath expression matches more than one value
		{.status.conditions}=Ready|jsonpath leads to a nested object or list which is not supported
		{.status.phase|unexpected path string, expected a 'name1.name2'
	END
}

@test "-n, -A: pods are shown, and ended, by their namespaces" {
	detach here 'sleep 60'
	detach there 'echo from there; sleep 60' 'namespace: lab' 'labels: {app: x}'
	pod asked 'sleep 60' >asked.yaml
	assert_equal "$("$MINIRUN" apply -n lab -f asked.yaml)" "pod/asked created"
	"$MINIRUN" wait -A --all --for=condition=Ready
	assert_equal "$("$MINIRUN" get -o name)" pod/here
	assert_equal "$("$MINIRUN" get -n lab -o name)" $'pod/asked\npod/there'
	assert_equal "$("$MINIRUN" get pods --namespace=lab --no-headers -l app=x | awk '{ print $1 }')" there
	assert_equal "$("$MINIRUN" get -A | awk '{ print $1, $2, $4 }')" \
		$'NAMESPACE NAME STATUS\nlab asked Running\ndefault here Running\nlab there Running'
	assert_equal "$("$MINIRUN" get --all-namespaces -o jsonpath='{.items[*].metadata.namespace}')" "lab default lab"
	run --separate-stderr "$MINIRUN" get -n other
	assert_status 0
	assert_equal "$output$stderr" "No resources found in other namespace."
	# By name in the wrong one it isn't there, for any verb; where it is is said.
	for words in "get there" "describe there" "logs there" "exec there -- true" "attach there" "port-forward there :80" "top there" \
		"wait there --for=condition=Ready" "delete there" "cp there:/etc/passwd copy" "get here -n lab" "logs -n other there"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr "$MINIRUN" $words
		# exec's is the command's own, or minirun's; the others' is kubectl's.
		assert_status "$([[ $words == exec* ]] && echo 125 || echo 1)"
		assert_last_error_has '" not found'
		assert_stderr_has "there is one in another namespace: -n "
	done
	assert_equal "$("$MINIRUN" logs -n lab there)" "from there"
	"$MINIRUN" exec -n lab there -- true
	"$MINIRUN" cp lab/there:/etc/passwd copy
	"$MINIRUN" cp -n lab there:/etc/passwd copy
	"$MINIRUN" describe -n lab there | grep -qE '^Namespace: +lab$'
	assert_equal "$("$MINIRUN" describe -A | grep -c ^Name:)" 3
	assert_equal "$("$MINIRUN" top -A | awk '{ print $1, $2 }')" $'NAMESPACE NAME\nlab asked\ndefault here\nlab there'
	assert_equal "$("$MINIRUN" top there -n lab -o json | jq -r .metadata.namespace)" lab
	# Pods are kept by their names, and one in another namespace is in the way.
	for verb in apply create; do
		run --separate-stderr "$MINIRUN" $verb -f asked.yaml
		assert_status 1
		assert_last_error_has 'pods "asked" already exists in namespace "lab"'
	done
	# A file knows its namespace.
	run --separate-stderr "$MINIRUN" apply -n other -f "$T/pod.yaml"
	assert_status 1
	assert_stderr_has 'metadata.namespace: the namespace from the provided object "lab" does not match the namespace "other"'
	run --separate-stderr "$MINIRUN" delete -n other -f "$T/pod.yaml"
	assert_status 1
	assert_last_error_has 'the namespace from the provided object "lab" does not match the namespace "other"'
	assert_equal "$("$MINIRUN" delete -f "$T/pod.yaml")" 'pod "there" deleted'
	run --separate-stderr "$MINIRUN" delete -A here
	assert_status 1
	assert_last_error_has "a resource cannot be retrieved by name across all namespaces"
	run --separate-stderr "$MINIRUN" apply -n Lab_ -f asked.yaml
	assert_status 1
	assert_last_error_has "--namespace Lab_: "
	# All is all of one namespace.
	assert_equal "$("$MINIRUN" delete pods --all)" 'pod "here" deleted'
	assert_equal "$("$MINIRUN" delete pods --all)" "No resources found"
	assert_equal "$("$MINIRUN" delete pods --all -n lab)" 'pod "asked" deleted'
}

@test "-n: a ConfigMap beside the pod comes into the same namespace" {
	{
		printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: v}\n---\n'
		pod user 'echo $K $NS' |
			sed 's/image: busybox/&, env: [{name: K, valueFrom: {configMapKeyRef: {name: c, key: k}}}, {name: NS, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}]/'
	} >user.yaml
	run "$MINIRUN" run -n lab -q user.yaml
	assert_status 0
	assert_has "v lab"
}

@test "delete: --now, --wait=false, -o name" {
	local n
	for n in one two; do
		"$MINIRUN" -d <(pod $n 'trap "" TERM; while :; do sleep 0.1; done' |
			sed 's/PeriodSeconds: 0/PeriodSeconds: 600/') >/dev/null
	done
	"$MINIRUN" wait --all --for=condition=Ready
	# It is told to end, and is there still.
	assert_equal "$("$MINIRUN" delete one --wait=false -o name)" pod/one
	assert_equal "$("$MINIRUN" get one --no-headers | awk '{ print $3 }')" Terminating
	assert_equal "$("$MINIRUN" delete --now one)" 'pod "one" deleted'
	assert_equal "$("$MINIRUN" delete --now --wait=true two)" 'pod "two" deleted'
	while IFS='|' read -r line words; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr "$MINIRUN" delete $line
		assert_status 1
		assert_last_error_has "$words"
	done <<-'END'
		--now --grace-period=5 one|--now and --grace-period cannot be specified together
		-o json one|unexpected -o output mode: json. We only support '-o name'
	END
}

@test "logs: -l, --prefix, --since-time, --max-log-requests" {
	local early late
	detach one 'seq 1 12; echo last' 'labels: {app: x}'
	detach two 'echo hello' 'labels: {app: x}'
	detach other 'echo other'
	"$MINIRUN" wait --all --for=jsonpath='{.status.phase}'=Succeeded
	# With a selector 10 lines each, if not said otherwise.
	assert_equal "$("$MINIRUN" logs -l app=x | tr '\n' ' ')" "4 5 6 7 8 9 10 11 12 last hello "
	assert_equal "$("$MINIRUN" logs -l app=x --tail=-1 | wc -l)" 14
	assert_equal "$("$MINIRUN" logs -l app=x --prefix --tail=1)" $'[pod/one/main] last\n[pod/two/main] hello'
	assert_equal "$("$MINIRUN" logs -l app=x --all-containers --tail=1 -f)" $'last\nhello'
	"$MINIRUN" logs --prefix --timestamps two | grep -qE '^\[pod/two/main\] [0-9T:.-]+Z hello$'
	run --separate-stderr "$MINIRUN" logs -l app=gone
	assert_status 0
	assert_equal "$output$stderr" "No resources found in default namespace."
	early=$(date -u -d '-1 hour' +%Y-%m-%dT%H:%M:%SZ) late=$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%SZ)
	assert_equal "$("$MINIRUN" logs two --since-time="$early")" hello
	assert_equal "$("$MINIRUN" logs two --since-time="$late")" ""
	# The same times elsewhere.
	assert_equal "$("$MINIRUN" logs two --since-time="${early%Z}.5+00:00")" hello
	assert_equal "$("$MINIRUN" logs two --since-time="${late%Z}+02:00")" hello
	assert_equal "$("$MINIRUN" logs two --since-time="${early%Z}-02:00")" ""
	while IFS='|' read -r line words; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr "$MINIRUN" logs $line
		assert_status 1
		assert_last_error_has "$words"
	done <<-'END'
		-f -l app=x --max-log-requests=1|you are attempting to follow 2 log streams, but maximum allowed concurrency is 1, use --max-log-requests to increase the limit
		one -l app=x|only a selector (-l) or a POD name is allowed
		one main -c main|only one of -c or an inline [CONTAINER] arg is allowed
		one -c main --all-containers|--all-containers=true should not be specified with container name main
		one --since=5s --since-time=2026-11-24T12:00:00Z|at most one of `sinceTime` or `sinceSeconds` may be specified
		one --since-time=yesterday|parsing time "yesterday"
		one -c mian|container mian is not valid for pod one
		one --since-time=2026-11-24T12:00:00|parsing time "2026-11-24T12:00:00"
		--prefix|logs wants the name of a pod
	END
	run --separate-stderr "$MINIRUN" logs one mian
	assert_stderr_has "hint: it has main"
}
