#!/usr/bin/env bats
# Kubernetes' own cases of a pod's life, title by title: test/e2e/common/node/init_container.go and
# test/e2e_node/container_lifecycle_test.go. Each is checked on the order of events and on times.
#
# All pods run in setup_file, side by side; a test looks at what its pod has left: the log that its containers wrote
# (tests/scripts/lifecycle), the last status, and, where it was deleted, its events. Seconds are scaled (the third word of
# a case), so that a grace period of 30 s takes 3.
#
# The titles that can't hold here, and why:
#
#   title                                                                    why
#   -----                                                                    ---
#   should successfully restart when the image is updated... (3)             a pod is never changed here: `minirun apply` of
#   Should not start a regular container, restartPolicy=... (3)              another image is refused by name (verbs.bats)
#   should update the image when restartPolicy=... (10)
#   should not update the image when restartPolicy=... (3)
#   should not restart init container when updated with a new image... (1)
#   should not restart the init container if the image is updated... (2)
#   Should begin initializing the pod, restartPolicy=... (3)
#   should restart when updated with a new image (3)
#   should terminate gracefully when restartPolicy=... (3)
#   should handle an update during the node reboot, the kubelet restart (2)
#   should restart the containers in right order after the node reboot (2)   nothing is kept over a reboot
#   should not restart any completed init container after the kubelet        there is no kubelet: a pod whose supervisor was
#   restart, even after... (4)                                               killed is over (background.bats)
#   should not affect pod status when... (11)
#   should not continue running liveness probes for restartable init         upstream's own FIXME (KEP-4438): the kubelet does
#   containers and restart them while in preStop                             nothing else while it stops one container; here
#                                                                            the sidecars of a pod that goes on go on

load helpers

# case NAME POLICY SCALE WAIT END <CONTAINERS: runs such a pod, until WAIT (an expression of jq for its status) is so. Then
# END: "look" keeps its status; "delete [OPTIONS]" deletes it, and keeps its events; more fields of the spec may follow.
case_of()
{
	local name=$1 policy=$2 scale=$3 wait=$4 end=$5 folder=$WORK/cases/$1 pid start
	shift 5
	mkdir -p "$folder/shared"
	chmod 0777 "$folder" "$folder/shared"
	"$REPO/tests/scripts/lifecycle" pod "$name" "$policy" "$scale" "$folder/shared" "$@" >"$folder/pod.json"
	: >"$folder/shared/log"
	chmod 0666 "$folder/shared/log"
	if [[ $end == look ]]; then
		"$MINIRUN" -d --time-scale "$scale" "$folder/pod.json"
	else
		"$MINIRUN" -o json --time-scale "$scale" "$folder/pod.json" >"$folder/events" 2>&1 &
		pid=$!
	fi
	# One jq for all the looks: to start one costs more than the look does.
	: >"$folder/status.json"
	for _ in {1..1200}; do
		[[ ! -s $folder/status.json ]] || break
		"$MINIRUN" get "$name" -o json 2>/dev/null || true
		sleep 0.05
	done | jq -n "first(inputs | select(.status | $wait))" >"$folder/status.json"
	if [[ $end == look ]]; then
		"$MINIRUN" delete --force "$name" 2>/dev/null
	else
		start=$EPOCHREALTIME
		# shellcheck disable=SC2086 # words
		"$MINIRUN" $end "$name"
		wait "$pid" || true # with the status of the first that failed
		# What it took, in the manifest's seconds.
		awk -v a="$start" -v b="$EPOCHREALTIME" -v s="$scale" 'BEGIN { print (b - a) * s }' >"$folder/took"
	fi
} >"$WORK/cases.$1" 2>&1

# The same beside the others, but not more than a dozen at once.
case_beside()
{
	local containers
	containers=$(cat)
	while (($(jobs -rp | wc -l) >= 12)); do
		sleep 0.05
	done
	case_of "$@" <<<"$containers" 3>&- &
}

READY='.conditions[] | select(.type == "Ready") | .status == "True"'
OVER='.phase == "Succeeded" or .phase == "Failed"'

# A pod whose policy is Always is never over: until it has been started again so often.
over_or()
{
	[[ $1 == Always ]] && restarts "${@:2}" || echo "$OVER"
}

restarts() { echo ".$1[$2].restartCount >= $3"; }

cases()
{
	local policy name
	# ---- init_container.go ----
	case_beside init-never Never 20 "$OVER" look <<-'END'
		init init1
		init init2
		main run1
	END
	case_beside init-always Always 20 '.phase == "Running"' look <<-'END'
		init init1
		init init2
		main run1 delay=600
	END
	case_beside init-fails-always Always 20 "$(restarts initContainerStatuses 0 3)" look <<-'END'
		init init1 exit=1
		init init2
		main run1 delay=600
	END
	case_beside init-fails-never Never 20 "$OVER" look <<-'END'
		init init1
		init init2 exit=1
		main run1
	END

	# ---- regular containers, and init containers before them ----
	case_beside serially Never 4 "$OVER" look <<-'END'
		init init-1 delay=1
		init init-2 delay=1
		init init-3 delay=1
		main regular-1 start=5 delay=1 startup=started
	END
	case_beside init-fails Never 10 "$OVER" look <<-'END'
		init init-1 delay=1 exit=1
		main regular-1 delay=1
	END
	case_beside post-start Never 4 "$OVER" look <<-'END'
		init init-1 delay=1
		main regular-1 delay=10 postStart=delay:1
	END
	case_beside restarts Always 20 "$(restarts containerStatuses 0 3)" look <<-'END'
		main regular-1 delay=1 exit=1
	END
	case_beside post-start-blocks Never 4 "$OVER" look <<-'END'
		main regular-1 delay=10 postStart=delay:1
		main regular-2 delay=1
	END
	case_beside inits-stay Always 20 "$(restarts containerStatuses 0 3)" look <<-'END'
		init init-1 delay=1
		init init-2 delay=1
		init init-3 delay=1
		main regular-1 delay=10 exit=255
	END
	case_beside grace Always 10 '.phase == "Running"' delete terminationGracePeriodSeconds=30 <<-'END'
		main regular1 command=["sleep", "10000"]
	END
	case_beside grace-pre-stop Always 10 '.phase == "Running"' delete terminationGracePeriodSeconds=30 <<-'END'
		main regular1 preStop=delay:10000 command=["sleep", "10000"]
	END
	case_beside startup-fails Never 10 "$OVER" look <<-'END'
		main regular-1 delay=100 term=15 startup=fail,initialDelaySeconds:10,failureThreshold:1 preStop=delay:1
	END
	case_beside liveness-fails Never 10 "$OVER" look <<-'END'
		main regular-1 delay=100 term=15 liveness=fail,initialDelaySeconds:10,failureThreshold:1 preStop=delay:1
	END
	case_beside readiness-goes-on Never 4 "$OVER" look terminationGracePeriodSeconds=100 <<-'END'
		main regular-1 delay=100 term=15 liveness=faillog,initialDelaySeconds:10,periodSeconds:1,failureThreshold:1 readiness=log,initialDelaySeconds:1,periodSeconds:1 preStop=delay:10
	END

	# ---- restartable init containers ----
	case_beside five Never 10 "$OVER" look <<-'END'
		init init-1 delay=1
		sidecar restartable-init-1 delay=600
		init init-2 delay=1
		sidecar restartable-init-2 delay=600
		init init-3 delay=1
		main regular-1 delay=1
	END
	for policy in Never OnFailure Always; do
		name=${policy,,}
		case_beside "runs-$name" $policy 20 "$(over_or $policy containerStatuses 0 2)" look <<-'END'
			sidecar restartable-init-1 delay=600
			main regular-1 delay=1
		END
		for code in 0 1; do
			case_beside "exits-$code-$name" $policy 20 "$(over_or $policy containerStatuses 0 1)" look <<-END
				sidecar restartable-init-1 delay=5 exit=$code
				init init-1 delay=5
				main regular-1 delay=60
			END
		done
		case_beside "before-$name" $policy 20 "$OVER or ($(restarts initContainerStatuses 0 3))" look <<-'END'
			init init-1 delay=1 exit=1
			sidecar restartable-init-1 delay=600
			main regular-1 delay=600
		END
		case_beside "after-$name" $policy 20 "$OVER or ($(restarts initContainerStatuses 0 3))" look <<-'END'
			sidecar restartable-init-1 delay=5 exit=1
			init init-1 delay=1 exit=1
			main regular-1 delay=600
		END
	done
	# Nobody listens there; a pull is tried again after 10 s.
	case_beside bad-image Never 20 '.initContainerStatuses[0].state.waiting.reason == "ImagePullBackOff"' look <<-'END'
		init init1-1 delay=600 image=127.0.0.1:9/bad:1
		main regular-1 delay=1
	END
	for policy in Never OnFailure Always; do
		case_beside "bad-sidecar-${policy,,}" $policy 20 '.initContainerStatuses[0].state.waiting.reason == "ImagePullBackOff"' look <<-'END'
			sidecar restartable-init-1 delay=600 image=127.0.0.1:9/bad:1
			main regular-1 delay=1
		END
	done
	case_beside sidecars-start Never 10 "$OVER" look <<-'END'
		sidecar restartable-init-1 start=10 delay=600 startup=started
		sidecar restartable-init-2 start=10 delay=600 startup=started
		main regular-1 delay=1
	END
	case_beside sidecar-startup-fails Always 10 "$(restarts initContainerStatuses 0 2)" look <<-'END'
		sidecar restartable-init-1 delay=600 term=15 startup=fail,initialDelaySeconds:5,failureThreshold:1 preStop=delay:1
		main regular-1 delay=1
	END
	case_beside sidecar-liveness-fails Always 10 "$(restarts initContainerStatuses 0 2) and $(restarts containerStatuses 0 1)" look <<-'END'
		sidecar restartable-init-1 delay=600 term=15 liveness=fail,initialDelaySeconds:5,failureThreshold:1 preStop=delay:1
		main regular-1 delay=1
	END
	case_beside recovers Never 4 '.containerStatuses[0].state.running' look <<-'END'
		sidecar buggy-restartable-init startup=ok,initialDelaySeconds:3,periodSeconds:2,failureThreshold:10 command=["sh", "-c", "[ -f /persistent/ran ] && exec sleep 120; touch /persistent/ran; exit 1"]
		main regular-container delay=600 startup=ok,initialDelaySeconds:5,periodSeconds:5
	END

	# ---- the end of a pod with them ----
	case_beside reverse Never 4 "$OVER" look <<-'END'
		sidecar restartable-init-1 delay=600 term=5
		sidecar restartable-init-2 delay=600 term=5
		sidecar restartable-init-3 delay=600 term=5
		main regular-1 delay=5
	END
	case_beside pre-stop-loops Never 4 "$OVER" look <<-'END'
		sidecar restartable-init-1 delay=600 term=5 preStop=loop:0.2
		sidecar restartable-init-2 delay=600 term=5 preStop=loop:0.2
		sidecar restartable-init-3 delay=600 term=5 preStop=loop:0.2
		main regular-1 delay=5
	END
	case_beside pre-stop-together Never 4 "$OVER" look <<-'END'
		sidecar restartable-init-1 delay=600 term=5 preStop=delay:1
		sidecar restartable-init-2 delay=600 term=5 preStop=delay:1
		sidecar restartable-init-3 delay=600 term=5 preStop=delay:1
		main regular-1 delay=5
	END
	case_beside in-init Never 4 '.initContainerStatuses[0].state.running' 'delete --grace-period=3' <<-'END'
		init start-init delay=300
		sidecar restartable-init-1 delay=600 term=5 preStop=delay:1
		sidecar restartable-init-2 delay=600 term=5 preStop=delay:1
		sidecar restartable-init-3 delay=600 term=5 preStop=delay:1
		main regular-1 delay=5
	END
	case_beside unstarted Never 10 '.initContainerStatuses[1] | .state.running and .started == false' 'delete --grace-period=180' terminationGracePeriodSeconds=180 <<-'END'
		init init-1 delay=1 term=5
		sidecar restartable-init-2 delay=600 term=1 startup=fail,failureThreshold:600
		sidecar restartable-init-3 delay=600 term=1
		main regular-1 delay=600 term=1
	END
	# Until the containers' shells have their traps.
	case_beside non-zero Never 4 "$READY" delete <<-'END'
		sidecar restartable-init-1 delay=600 term=1 startup=soon
		sidecar restartable-init-2 delay=600 term=1 exit=1 startup=soon
		sidecar restartable-init-3 delay=600 term=1 startup=soon
		main regular-1 delay=600 term=1 startup=soon
	END
	case_beside pre-stop-non-zero Never 4 "$READY" delete <<-'END'
		sidecar restartable-init-1 delay=600 term=1 preStop=delay:1 startup=soon
		sidecar restartable-init-2 delay=600 term=1 preStop=delay:1,exit:1 startup=soon
		sidecar restartable-init-3 delay=600 term=1 preStop=delay:1 startup=soon
		main regular-1 delay=600 term=1 startup=soon
	END
	case_beside main-exceeds Never 2 "$READY" delete terminationGracePeriodSeconds=5 <<-'END'
		sidecar restartable-init-1 delay=600 term=20 startup=soon
		sidecar restartable-init-2 delay=600 term=1 startup=soon
		sidecar restartable-init-3 delay=600 term=20 startup=soon
		main regular-1 delay=600 term=20 startup=soon
	END
	case_beside sidecar-exceeds Never 2 "$READY" delete terminationGracePeriodSeconds=5 <<-'END'
		sidecar restartable-init-1 delay=600 term=1 startup=soon
		sidecar restartable-init-2 delay=600 term=20 startup=soon
		sidecar restartable-init-3 delay=600 term=1 startup=soon
		main regular-1 delay=600 term=1 startup=soon
	END
	case_beside main-pre-stop-exceeds Never 2 "$READY" delete terminationGracePeriodSeconds=5 <<-'END'
		sidecar restartable-init-1 delay=600 term=1 startup=soon
		sidecar restartable-init-2 delay=600 term=20 startup=soon
		sidecar restartable-init-3 delay=600 term=1 startup=soon
		main regular-1 delay=600 term=20 preStop=delay:20 startup=soon
	END
	case_beside sidecar-pre-stop-exceeds Never 2 "$READY" delete terminationGracePeriodSeconds=5 <<-'END'
		sidecar restartable-init-1 delay=600 term=1 preStop=delay:1 startup=soon
		sidecar restartable-init-2 delay=600 term=20 preStop=delay:30 startup=soon
		sidecar restartable-init-3 delay=600 term=1 preStop=delay:1 startup=soon
		main regular-1 delay=600 term=1 startup=soon
	END
	wait
}

setup_file()
{
	minirun_setup_file
	mkdir -p "$WORK/cases"
	chmod 0755 "$WORK/cases"
	cases
}

# ---- what a test says of its case ----

CASE=
# of NAME: the following is of that one.
of()
{
	CASE=$WORK/cases/$1
	# What went wrong, should it have.
	cat "$WORK/cases.$1"
}

# is STATEMENT NAME...: of the containers' log; see tests/scripts/lifecycle.
is()
{
	"$REPO/tests/scripts/lifecycle" check "$CASE/shared" "$@"
}

# Whether the expression of jq is true of the last status.
status_is()
{
	jq -e ".status | $1" "$CASE/status.json" >/dev/null || { jq .status "$CASE/status.json"; fail "not so: $1"; }
}

condition() { echo ".conditions[] | select(.type == \"$1\") | [.status, .reason, .message]"; }

# ended LIST: each "NAME CODE REASON" of the main and restartable containers, as the status has it.
ended()
{
	assert_equal "$(jq -r '.status | .initContainerStatuses + .containerStatuses | .[] | .state.terminated |
		"\(.exitCode) \(.reason)"' "$CASE/status.json" | tr '\n' ',')" "$1"
}

# The same of a pod that was deleted, as its events have it; sorted by name. Then what became of the pod.
ended_by_events()
{
	assert_equal "$(jq -rR 'fromjson? | select(.type == "exited") | "\(.container) \(.exitCode) \(.reason)"' "$CASE/events" |
		sort | tr '\n' ',')" "$1"
	assert_equal "$(jq -rR 'fromjson? | .type' "$CASE/events" | tail -n 1)" "$2"
}

# What the deletion took, in seconds of the manifest, is between these.
took()
{
	awk -v t="$(<"$CASE/took")" -v least="$1" -v most="$2" 'BEGIN { exit !(t >= least && t <= most) }' ||
		fail "it took $(<"$CASE/took") s"
}

# ---- InitContainer ----

@test "should invoke init containers on a RestartNever pod" {
	of init-never
	status_is '.phase == "Succeeded"'
	status_is "$(condition Initialized) | .[0] == \"True\""
	status_is '.initContainerStatuses | length == 2 and all(.ready and .state.terminated.exitCode == 0)'
	is exits_before init1 init2
	is exits_before init2 run1
}

@test "should invoke init containers on a RestartAlways pod" {
	of init-always
	status_is "$(condition Initialized) | .[0] == \"True\""
	status_is '.initContainerStatuses | length == 2 and all(.ready and .state.terminated.exitCode == 0)'
	is exits_before init1 init2
}

@test "should not start app containers if init containers fail on a RestartAlways pod" {
	of init-fails-always
	status_is '.phase == "Pending"'
	status_is "$(condition Initialized) == [\"False\", \"ContainersNotInitialized\", \"containers with incomplete status: [init1 init2]\"]"
	status_is '.containerStatuses[0].state.waiting.reason == "PodInitializing"'
	status_is '.initContainerStatuses[1].state.waiting.reason == "PodInitializing"'
	status_is '.initContainerStatuses[0].lastState.terminated.exitCode == 1'
	is doesnt_start init2
	is doesnt_start run1
}

@test "should not start app containers and fail the pod if init containers fail on a RestartNever pod" {
	of init-fails-never
	status_is '.phase == "Failed"'
	status_is "$(condition Initialized) == [\"False\", \"ContainersNotInitialized\", \"containers with incomplete status: [init2]\"]"
	status_is '.initContainerStatuses | length == 2'
	status_is '.containerStatuses[0].state.waiting'
	is exits_before init1 init2
	is doesnt_start run1
}

# ---- Running a pod with init containers and regular containers ----

@test "should launch init container serially before a regular container" {
	of serially
	is exits_before init-1 init-2
	is exits_before init-2 init-3
	is exits_before init-3 regular-1
	is lasts init-1 0.24 3
	is lasts regular-1 1.49 6
}

@test "should not launch regular containers if an init container fails" {
	of init-fails
	is exits init-1
	is doesnt_start regular-1
	status_is '.phase == "Failed"'
}

@test "should run Init container to completion before call to PostStart of regular container" {
	of post-start
	is exits_before init-1 PostStart-regular-1
	is runs_together regular-1 PostStart-regular-1
}

@test "should restart failing container when pod restartPolicy is Always" {
	of restarts
	is starts_before regular-1 regular-1
	is exits_before regular-1 regular-1
}

@test "should not launch second container before PostStart of the first container completed" {
	of post-start-blocks
	is exits_before PostStart-regular-1 regular-2
	is runs_together regular-1 regular-2
}

@test "shouldn't restart init containers upon regular container restart" {
	of inits-stay
	is exits_before init-1 init-2
	is exits_before init-2 init-3
	is exits_before init-3 regular-1
	is not_restarted init-1
	is not_restarted init-2
	is not_restarted init-3
	is restarted regular-1
}

@test "should respect termination grace period seconds" {
	of grace
	took 30 45
}

@test "should respect termination grace period seconds with long-running preStop hook" {
	of grace-pre-stop
	# And the 2 s that it has from its signal on.
	took 30 50
	is starts PreStop-regular1
}

@test "should call the container's preStop hook and terminate it if its startup probe fails" {
	of startup-fails
	is runs_together regular-1 PreStop-regular-1
	is ends_before PreStop-regular-1 regular-1
	# 10 s until the probe, the hook's 1 s, and 15 s of its own.
	is lasts regular-1 2.5 5
}

@test "should call the container's preStop hook and terminate it if its liveness probe fails" {
	of liveness-fails
	is runs_together regular-1 PreStop-regular-1
	is ends_before PreStop-regular-1 regular-1
	# 10 s until the probe, the hook's 1 s, and 15 s of its own.
	is lasts regular-1 2.5 5
}

@test "should execute readiness probe while in preStop, but not liveness" {
	of readiness-goes-on
	is runs_together_first PreStop-regular-1 Readiness-regular-1
	is not:runs_together_first PreStop-regular-1 Liveness-regular-1
}

# ---- using a Pod with restartPolicy=Never, three init container and two restartable init containers ----

@test "three and two: should finish and produce log" {
	of five
	status_is '.phase == "Succeeded"'
}

@test "three and two: should run the first init container to completion before starting first restartable init container" {
	of five
	is exits_before init-1 restartable-init-1
}

@test "three and two: should run first init container and first restartable init container together" {
	of five
	is runs_together_first restartable-init-1 init-2
}

@test "three and two: should run second init container to completion before starting second restartable init container" {
	of five
	is exits_before init-2 restartable-init-2
}

@test "three and two: should start second restartable init container before third init container" {
	of five
	is starts_before restartable-init-2 init-3
}

@test "three and two: should run both restartable init containers and third init container together" {
	of five
	is runs_together restartable-init-1 restartable-init-2
	is runs_together restartable-init-1 init-3
	is runs_together restartable-init-2 init-3
}

@test "three and two: should run third init container to completion before starting regular container" {
	of five
	is exits_before init-3 regular-1
}

@test "three and two: should run both restartable init containers and a regular container together" {
	of five
	is runs_together restartable-init-1 regular-1
	is runs_together restartable-init-2 regular-1
}

# ---- using a restartable init container in a Pod with restartPolicy=Never ----

@test "restartPolicy=Never, a restartable init container runs continuously: should complete a Pod successfully and produce log" {
	of runs-never
	status_is '.phase == "Succeeded"'
}

@test "restartPolicy=Never, a restartable init container runs continuously: should not restart a restartable init container" {
	of runs-never
	is not_restarted restartable-init-1
}

@test "restartPolicy=Never, a restartable init container runs continuously: should run a regular container to completion" {
	of runs-never
	is exits regular-1
	is ends_before regular-1 restartable-init-1
}

@test "restartPolicy=Never, it exits with exit code 0 continuously: should complete a Pod successfully and produce log" {
	of exits-0-never
	status_is '.phase == "Succeeded"'
}

@test "restartPolicy=Never, it exits with exit code 0 continuously: should restart a restartable init container before the regular container started" {
	of exits-0-never
	is starts_before restartable-init-1 regular-1
}

@test "restartPolicy=Never, it exits with exit code 0 continuously: should restart a restartable init container after the regular container started" {
	of exits-0-never
	is starts_before regular-1 restartable-init-1
}

@test "restartPolicy=Never, it exits with exit code 0 continuously: should run a regular container to completion" {
	of exits-0-never
	is exits regular-1
}

@test "restartPolicy=Never, it exits with exit code 1 continuously: should complete a Pod successfully and produce log" {
	of exits-1-never
	status_is '.phase == "Succeeded"'
}

@test "restartPolicy=Never, it exits with exit code 1 continuously: should restart a restartable init container before the regular container started" {
	of exits-1-never
	is starts_before restartable-init-1 regular-1
}

@test "restartPolicy=Never, it exits with exit code 1 continuously: should restart a restartable init container after the regular container started" {
	of exits-1-never
	is starts_before regular-1 restartable-init-1
}

@test "restartPolicy=Never, it exits with exit code 1 continuously: should run a regular container to completion" {
	of exits-1-never
	is exits regular-1
}

@test "restartPolicy=Never, an Init container before it fails: should mark a Pod as failed and produce log" {
	of before-never
	status_is '.phase == "Failed"'
}

@test "restartPolicy=Never, an Init container before it fails: should mark an Init container as failed" {
	of before-never
	is exits init-1
	status_is '.initContainerStatuses[0].state.terminated.exitCode == 1'
}

@test "restartPolicy=Never, an Init container before it fails: should not start restartable init container" {
	of before-never
	is doesnt_start restartable-init-1
}

@test "restartPolicy=Never, an Init container after it fails: should mark a Pod as failed and produce log" {
	of after-never
	status_is '.phase == "Failed"'
}

@test "restartPolicy=Never, an Init container after it fails: should mark an Init container as failed" {
	of after-never
	is exits init-1
	status_is '.initContainerStatuses[1].state.terminated.exitCode == 1'
}

@test "restartPolicy=Never, an Init container after it fails: should be running restartable init container and a failed Init container in parallel" {
	of after-never
	is runs_together restartable-init-1 init-1
}

# ---- using a restartable init container in a Pod with restartPolicy=OnFailure ----

@test "restartPolicy=OnFailure, a restartable init container runs continuously: should complete a Pod successfully and produce log" {
	of runs-onfailure
	status_is '.phase == "Succeeded"'
}

@test "restartPolicy=OnFailure, a restartable init container runs continuously: should not restart a restartable init container" {
	of runs-onfailure
	is not_restarted restartable-init-1
}

@test "restartPolicy=OnFailure, a restartable init container runs continuously: should run a regular container to completion" {
	of runs-onfailure
	is exits regular-1
	is ends_before regular-1 restartable-init-1
}

@test "restartPolicy=OnFailure, it exits with exit code 0 continuously: should complete a Pod successfully and produce log" {
	of exits-0-onfailure
	status_is '.phase == "Succeeded"'
}

@test "restartPolicy=OnFailure, it exits with exit code 0 continuously: should restart a restartable init container before the regular container started" {
	of exits-0-onfailure
	is starts_before restartable-init-1 regular-1
}

@test "restartPolicy=OnFailure, it exits with exit code 0 continuously: should restart a restartable init container after the regular container started" {
	of exits-0-onfailure
	is starts_before regular-1 restartable-init-1
}

@test "restartPolicy=OnFailure, it exits with exit code 0 continuously: should run a regular container to completion" {
	of exits-0-onfailure
	is exits regular-1
}

@test "restartPolicy=OnFailure, it exits with exit code 1 continuously: should complete a Pod successfully and produce log" {
	of exits-1-onfailure
	status_is '.phase == "Succeeded"'
}

@test "restartPolicy=OnFailure, it exits with exit code 1 continuously: should restart a restartable init container before the regular container started" {
	of exits-1-onfailure
	is starts_before restartable-init-1 regular-1
}

@test "restartPolicy=OnFailure, it exits with exit code 1 continuously: should restart a restartable init container after the regular container started" {
	of exits-1-onfailure
	is starts_before regular-1 restartable-init-1
}

@test "restartPolicy=OnFailure, it exits with exit code 1 continuously: should run a regular container to completion" {
	of exits-1-onfailure
	is exits regular-1
}

@test "restartPolicy=OnFailure, an Init container before it continuously fails: should continuously run Pod keeping it Pending" {
	of before-onfailure
	status_is '.phase == "Pending" and .initContainerStatuses[0].restartCount >= 3'
}

@test "restartPolicy=OnFailure, an Init container before it continuously fails: should have Init container restartCount greater than 0" {
	of before-onfailure
	is restarted init-1
}

@test "restartPolicy=OnFailure, an Init container before it continuously fails: should not start restartable init container" {
	of before-onfailure
	is doesnt_start restartable-init-1
}

@test "restartPolicy=OnFailure, an Init container after it fails: should continuously run Pod keeping it Pending" {
	of after-onfailure
	status_is '.phase == "Pending" and .initContainerStatuses[0].restartCount >= 3'
	is doesnt_start regular-1
}

@test "restartPolicy=OnFailure, an Init container after it fails: should have Init container restartCount greater than 0" {
	of after-onfailure
	is restarted init-1
}

@test "restartPolicy=OnFailure, an Init container after it fails: should be running restartable init container and a failed Init container in parallel" {
	of after-onfailure
	is runs_together restartable-init-1 init-1
}

# ---- using a restartable init container in a Pod with restartPolicy=Always ----

@test "restartPolicy=Always, a restartable init container runs continuously: should keep running a Pod continuously and produce log" {
	of runs-always
	status_is '.phase == "Running" and .containerStatuses[0].restartCount >= 2'
}

@test "restartPolicy=Always, a restartable init container runs continuously: should not restart a restartable init container" {
	of runs-always
	is not_restarted restartable-init-1
}

@test "restartPolicy=Always, a restartable init container runs continuously: should start a regular container" {
	of runs-always
	is restarted regular-1
}

@test "restartPolicy=Always, it exits with exit code 0 continuously: should keep running a Pod continuously and produce log" {
	of exits-0-always
	status_is '.phase == "Running" and .containerStatuses[0].restartCount >= 1'
}

@test "restartPolicy=Always, it exits with exit code 0 continuously: should restart a restartable init container before the regular container started" {
	of exits-0-always
	is starts_before restartable-init-1 regular-1
}

@test "restartPolicy=Always, it exits with exit code 0 continuously: should restart a restartable init container after the regular container started" {
	of exits-0-always
	is starts_before regular-1 restartable-init-1
}

@test "restartPolicy=Always, it exits with exit code 0 continuously: should start a regular container" {
	of exits-0-always
	is starts regular-1
}

@test "restartPolicy=Always, it exits with exit code 1 continuously: should keep running a Pod continuously and produce log" {
	of exits-1-always
	status_is '.phase == "Running" and .containerStatuses[0].restartCount >= 1'
}

@test "restartPolicy=Always, it exits with exit code 1 continuously: should restart a restartable init container before the regular container started" {
	of exits-1-always
	is starts_before restartable-init-1 regular-1
}

@test "restartPolicy=Always, it exits with exit code 1 continuously: should restart a restartable init container after the regular container started" {
	of exits-1-always
	is starts_before regular-1 restartable-init-1
}

@test "restartPolicy=Always, it exits with exit code 1 continuously: should start a regular container" {
	of exits-1-always
	is starts regular-1
}

@test "restartPolicy=Always, an Init container before it continuously fails: should continuously run Pod keeping it Pending" {
	of before-always
	status_is '.phase == "Pending" and .initContainerStatuses[0].restartCount >= 3'
}

@test "restartPolicy=Always, an Init container before it continuously fails: should have Init container restartCount greater than 0" {
	of before-always
	is restarted init-1
}

@test "restartPolicy=Always, an Init container before it continuously fails: should not start restartable init container" {
	of before-always
	is doesnt_start restartable-init-1
}

@test "restartPolicy=Always, an Init container after it fails: should continuously run Pod keeping it Pending" {
	of after-always
	status_is '.phase == "Pending" and .initContainerStatuses[0].restartCount >= 3'
	is doesnt_start regular-1
}

@test "restartPolicy=Always, an Init container after it fails: should have Init container restartCount greater than 0" {
	of after-always
	is restarted init-1
}

@test "restartPolicy=Always, an Init container after it fails: should be running restartable init container and a failed Init container in parallel" {
	of after-always
	is runs_together restartable-init-1 init-1
}

# ---- a bad image ----

@test "an init container fails to start because of a bad image: should mark a Pod as failed and produce log" {
	of bad-image
	status_is '.phase == "Pending"'
	status_is '.initContainerStatuses[0] | .state.waiting.reason == "ImagePullBackOff" and .restartCount == 0'
}

@test "an init container fails to start because of a bad image: should not start an init container" {
	of bad-image
	is doesnt_start init1-1
}

@test "an init container fails to start because of a bad image: should not start a regular container" {
	of bad-image
	is doesnt_start regular-1
}

@test "restartPolicy=Never, a restartable init container fails to start because of a bad image: should mark a Pod as failed and produce log" {
	of bad-sidecar-never
	status_is '.phase == "Pending"'
	status_is '.initContainerStatuses[0] | .state.waiting.reason == "ImagePullBackOff" and .restartCount == 0'
}

@test "restartPolicy=Never, a restartable init container fails to start because of a bad image: should not start a restartable init container" {
	of bad-sidecar-never
	is doesnt_start restartable-init-1
}

@test "restartPolicy=Never, a restartable init container fails to start because of a bad image: should not start a regular container" {
	of bad-sidecar-never
	is doesnt_start regular-1
}

@test "restartPolicy=OnFailure, a restartable init container fails to start because of a bad image: should mark a Pod as failed and produce log" {
	of bad-sidecar-onfailure
	status_is '.phase == "Pending"'
	status_is '.initContainerStatuses[0] | .state.waiting.reason == "ImagePullBackOff" and .restartCount == 0'
}

@test "restartPolicy=OnFailure, a restartable init container fails to start because of a bad image: should not start a restartable init container" {
	of bad-sidecar-onfailure
	is doesnt_start restartable-init-1
}

@test "restartPolicy=OnFailure, a restartable init container fails to start because of a bad image: should not start a regular container" {
	of bad-sidecar-onfailure
	is doesnt_start regular-1
}

@test "restartPolicy=Always, a restartable init container fails to start because of a bad image: should continuously run Pod keeping it Pending and produce log" {
	of bad-sidecar-always
	status_is '.phase == "Pending"'
	status_is '.initContainerStatuses[0] | .state.waiting.reason == "ImagePullBackOff" and .restartCount == 0'
}

@test "restartPolicy=Always, a restartable init container fails to start because of a bad image: should not start a restartable init container" {
	of bad-sidecar-always
	is doesnt_start restartable-init-1
}

@test "restartPolicy=Always, a restartable init container fails to start because of a bad image: should not start a regular container" {
	of bad-sidecar-always
	is doesnt_start regular-1
}

# ---- restartable init containers with probes and hooks ----

@test "should launch restartable init containers serially considering the startup probe" {
	of sidecars-start
	is starts_before restartable-init-1 restartable-init-2
	is starts_before restartable-init-2 regular-1
	# The probe has to see first what took 10 s.
	is not:within restartable-init-1 restartable-init-2 Starting 1
}

@test "should call the container's preStop hook and not launch next container if the restartable init container's startup probe fails" {
	of sidecar-startup-fails
	status_is '.phase == "Pending"'
	is runs_together restartable-init-1 PreStop-restartable-init-1
	is exits restartable-init-1
	is doesnt_start regular-1
}

@test "should call the container's preStop hook and start the next container if the restartable init container's liveness probe fails" {
	of sidecar-liveness-fails
	is runs_together restartable-init-1 PreStop-restartable-init-1
	is exits restartable-init-1
	is starts regular-1
}

@test "should continue probing and allow regular container to start after the restartable init container recovers" {
	of recovers
	status_is '.initContainerStatuses[0] | .restartCount > 0 and .state.running'
	status_is '.containerStatuses[0].state.running'
}

# ---- A pod with restartable init containers is terminating ----

@test "should terminate sidecars in reverse order after all main containers have exited" {
	of reverse
	ended "0 Completed,0 Completed,0 Completed,0 Completed,"
	is starts_before restartable-init-1 restartable-init-2
	is starts_before restartable-init-2 restartable-init-3
	is starts_before restartable-init-3 regular-1
	is ends_before regular-1 restartable-init-3
	is ends_before restartable-init-3 restartable-init-2
	is ends_before restartable-init-2 restartable-init-1
	# Each is told when the one before has ended: 5 s later.
	is not:within restartable-init-3 restartable-init-2 Terminating 1.2
	is not:within restartable-init-2 restartable-init-1 Terminating 1.2
}

@test "should terminate sidecars simultaneously if prestop doesn't exit" {
	of pre-stop-loops
	ended "137 Error,137 Error,137 Error,0 Completed,"
	is last_within PreStop-restartable-init-1 PreStop-restartable-init-2 Loop 0.5
	is last_within PreStop-restartable-init-1 PreStop-restartable-init-3 Loop 0.5
	# 30 s, and the 2 s from the signal to SIGKILL, at most.
	is lasts PreStop-restartable-init-1 7.2 9.5
	is lasts PreStop-restartable-init-2 7.2 9.5
	is lasts PreStop-restartable-init-3 7.2 9.5
}

@test "should call sidecar container PreStop hook simultaneously" {
	of pre-stop-together
	ended "0 Completed,0 Completed,0 Completed,0 Completed,"
	is ends_before regular-1 restartable-init-3
	is ends_before restartable-init-3 restartable-init-2
	is ends_before restartable-init-2 restartable-init-1
	is within PreStop-restartable-init-1 PreStop-restartable-init-2 Starting 0.5
	is within PreStop-restartable-init-1 PreStop-restartable-init-3 Starting 0.5
}

@test "should not hang in termination if terminated during initialization" {
	of in-init
	took 0 6
	is doesnt_start restartable-init-1
}

@test "should terminate restartable init containers gracefully if there is a non-started restartable init container" {
	of unstarted
	took 1 61
	is exits restartable-init-2
	is doesnt_start restartable-init-3
}

@test "should mark pod as succeeded if any of the restartable init containers have terminated with non-zero exit code" {
	of non-zero
	ended_by_events "regular-1 0 Completed,restartable-init-1 0 Completed,restartable-init-2 1 Error,restartable-init-3 0 Completed," succeeded
}

@test "should mark pod as succeeded if any of the restartable init containers have terminated with non-zero exit code by prestop hook" {
	of pre-stop-non-zero
	ended_by_events "regular-1 0 Completed,restartable-init-1 0 Completed,restartable-init-2 0 Completed,restartable-init-3 0 Completed," succeeded
}

@test "should mark pod as failed if regular container has exceeded its termination grace period seconds" {
	of main-exceeds
	ended_by_events "regular-1 137 Error,restartable-init-1 137 Error,restartable-init-2 0 Completed,restartable-init-3 137 Error," failed
}

@test "should mark pod as succeeded if any of the restartable init containers have exceeded its termination grace period seconds" {
	of sidecar-exceeds
	ended_by_events "regular-1 0 Completed,restartable-init-1 0 Completed,restartable-init-2 137 Error,restartable-init-3 0 Completed," succeeded
}

@test "should mark pod as failed if any of the prestop hook in regular container has exceeded its termination grace period seconds" {
	of main-pre-stop-exceeds
	ended_by_events "regular-1 137 Error,restartable-init-1 0 Completed,restartable-init-2 137 Error,restartable-init-3 0 Completed," failed
}

@test "should mark pod as succeeded if any of the prestop hook in restartable init containers have exceeded its termination grace period seconds" {
	of sidecar-pre-stop-exceeds
	ended_by_events "regular-1 0 Completed,restartable-init-1 0 Completed,restartable-init-2 137 Error,restartable-init-3 0 Completed," succeeded
}
