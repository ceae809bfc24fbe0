/*
 * The order of a pod's life: which container is started next, which once more and when, and when the pod is over.
 *
 * Theory of operation
 *
 * Containers are started in the order of the manifest, init containers first. A regular init container must succeed before
 * the next is started, a sidecar (an init container with restartPolicy Always) must have been started. Main containers don't
 * wait for each other, but for a postStart hook of the one before, and while the one before has its image fetched.
 * What has ended is started again as the kubelet would (podutil.ContainerShouldRestart: the first of the container's rules that
 * is for its exit code, then its own policy, then the pod's; kuberuntime computeInitContainerActions): the first time at once,
 * then after 10 s from its end, doubled each time up to 300 s, and
 * from the beginning again when it has run for more than 10 minutes (client-go's flowcontrol.Backoff).
 * When no main container runs or will run the pod is over, and its sidecars are ended.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/manifest/duration.h"
#include "runner/pod/supervise.h"

#define BACKOFF_FIRST 10 /* seconds; all as kubelet.go: initial, maximum, and when it is forgotten */
#define BACKOFF_MAX   300
#define BACKOFF_RESET 600

/* The container's own, or the pod's. An init container's work is done when it succeeds: there Always is OnFailure. */
static enum restart_policy policy_of(const struct member *member)
{
	const struct supervisor *supervisor = member->supervisor;
	const struct container_spec *spec = member->item->spec;
	enum restart_policy policy = spec->restart_policy == RESTART_POD
					     ? supervisor->plan->pod->restart_policy
					     : spec->restart_policy;

	if (supervisor->once)
		return RESTART_NEVER;
	return member->item->is_init && policy == RESTART_ALWAYS ? RESTART_ON_FAILURE : policy;
}

/* Whether one of its rules is for that exit. */
static bool has_rule_for(const struct member *member, int exit_code)
{
	const struct container_spec *spec = member->item->spec;

	for (size_t i = 0; i < spec->n_restart_rules; i++) {
		const struct restart_rule *rule = &spec->restart_rules[i];
		bool listed = false;

		for (size_t j = 0; j < rule->n && !listed; j++)
			listed = rule->codes[j] == exit_code;
		if (listed != rule->not_in)
			return true;
	}
	return false;
}

/* Whether the container after this one may be started. */
static bool is_out_of_the_way(const struct member *member)
{
	if (member_is_sidecar(member))
		return member->was_started;
	return member->phase == MEMBER_ENDED && !member->failed;
}

/* Main containers don't wait for each other, but for a hook of the one before, or its image, which the kubelet waits for. */
static bool holds_up(const struct member *member)
{
	return member->probing.waits || pulling_is_running(member) ||
	       (member->item->is_init && !is_out_of_the_way(member));
}

void sequence_advance(struct supervisor *supervisor)
{
	while (!supervisor->ending && supervisor->next < supervisor->plan->n) {
		if (supervisor->next > 0 && holds_up(&supervisor->members[supervisor->next - 1]))
			return;
		member_start(&supervisor->members[supervisor->next++]);
	}
}

bool sequence_will_restart(const struct member *member)
{
	enum restart_policy policy = policy_of(member);

	if (member_is_sidecar(member))
		return true;
	/* What an init container had to do is done. */
	if (member->item->is_init && !member->failed)
		return false;
	if (!member->supervisor->once && has_rule_for(member, member->exit_code))
		return true;
	if (policy == RESTART_NEVER)
		return false;
	return policy == RESTART_ALWAYS || member->failed || member->must_restart;
}

/* How long to wait from the end of the last run, in ms; counts this restart. */
static int64_t next_delay(struct supervisor *supervisor, struct member *member)
{
	int64_t now = timer_now();
	int64_t wait = 0;

	if (member->backoff && now - member->backoff_set > supervisor_scaled(supervisor, BACKOFF_RESET))
		member->backoff = 0;
	if (member->backoff) {
		wait = supervisor_scaled(supervisor, member->backoff);
		member->backoff *= 2;
	} else {
		member->backoff = BACKOFF_FIRST;
	}
	if (member->backoff > BACKOFF_MAX)
		member->backoff = BACKOFF_MAX;
	/* The kubelet remembers when it started the container again, not when it ended. */
	member->backoff_set = now + wait;
	return wait;
}

static void tell_backoff(struct supervisor *supervisor, struct member *member, int64_t seconds)
{
	const struct pod *pod = supervisor->plan->pod;
	const char *name = member->item->spec->name;
	cleanup_free char *duration = duration_text(seconds * 1000);
	cleanup_free char *whole = xasprintf("%s_%s(%s)", pod->name, pod->namespace, supervisor->plan->uid);
	cleanup_free char *message =
		xasprintf("back-off %s restarting failed container=%s pod=%s", duration, name, whole);
	struct event event = {
		.type = "back-off", .container = name, .tone = TONE_NOTE, .reason = "CrashLoopBackOff"};

	status_waiting(member, "CrashLoopBackOff", message);
	status_event(supervisor, member, true, "BackOff", "Back-off restarting failed container %s in pod %s",
		name, whole);
	report_event(supervisor->report, pod->name, &event,
		"Back-off restarting failed container %s in pod %s: again in %lld s", name, whole,
		(long long)seconds);
}

static void start_again(struct supervisor *supervisor, struct member *member)
{
	int64_t seconds = member->backoff;
	int64_t wait = next_delay(supervisor, member);

	member->phase = MEMBER_BACKOFF;
	if (wait)
		tell_backoff(supervisor, member, seconds);
	timer_arm(&member->timer, wait);
}

void sequence_timer(void *data)
{
	struct member *member = data;

	if (member->phase == MEMBER_BACKOFF || member->phase == MEMBER_PULLING)
		member_start(member);
	else if (member->stop != STOP_NO)
		stopping_expired(member);
}

static bool is_over(const struct supervisor *supervisor)
{
	for (size_t i = supervisor->plan->n_init; i < supervisor->plan->n; i++)
		if (supervisor->members[i].phase != MEMBER_ENDED)
			return false;
	return true;
}

void supervisor_member_ended(struct supervisor *supervisor, struct member *member)
{
	if (!supervisor->ending && sequence_will_restart(member))
		start_again(supervisor, member);
	else if (!supervisor->ending && ((member->item->is_init && member->failed) || is_over(supervisor)))
		/* What is left are sidecars. */
		supervisor_end(supervisor, supervisor->plan->pod->termination_grace_period);
	else if (supervisor->ending)
		stopping_go_on(supervisor);
	else
		sequence_advance(supervisor);
	supervisor_leave_if_over(supervisor);
}

void supervisor_member_running(struct supervisor *supervisor, struct member *member)
{
	/* What came while it was on its way went to minirun's own code, which as pid 1 didn't hear it. */
	if (supervisor->killing) {
		member_signal(member, SIGKILL);
		return;
	}
	if (member->stop != STOP_NO)
		stopping_begin(member);
	else
		probing_begin(member);
}

void supervisor_member_started(struct supervisor *supervisor, struct member *member, bool ready)
{
	member->was_started = true;
	member->status.started = true;
	member->status.ready = ready;
	status_changed(supervisor);
	sequence_advance(supervisor);
}

const struct member *sequence_failure(const struct supervisor *supervisor)
{
	const struct member *first = NULL;

	for (size_t i = 0; i < supervisor->plan->n; i++) {
		const struct member *member = &supervisor->members[i];

		/* A sidecar's end is nobody's failure. */
		if (!member->failed || member_is_sidecar(member))
			continue;
		/* A recording that is stopped is complete, however the containers take it. */
		if (supervisor->plan->learning && supervisor->stopped_at &&
			member->ended_at >= supervisor->stopped_at)
			continue;
		if (!first || member->ended_at < first->ended_at)
			first = member;
	}
	return first;
}
