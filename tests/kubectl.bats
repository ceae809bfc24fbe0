#!/usr/bin/env bats
# The flags of kubectl's verbs: what somebody types who knows kubectl. What the verbs themselves do is in verbs.bats.

load helpers
setup_file() { minirun_setup_file; }
teardown_file() { minirun_teardown_file; }
setup() { minirun_setup; }
teardown()
{
	"$MINIRUN" get -o name 2>/dev/null | xargs -r "$MINIRUN" delete --force >/dev/null 2>&1 || true
	minirun_teardown
}

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
