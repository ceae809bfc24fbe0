/*
 * Stopping a container: its stop signal, the grace period, SIGKILL.
 *
 * After killContainer of kuberuntime_container.go. When the pod ends, a sidecar waits until the main containers and the
 * sidecars after it have ended (kuberuntime_termination_order.go); it has what is left of the grace period then. A container
 * has 2 s at least from its signal to SIGKILL, unless the grace period is 0.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/pod/supervise.h"

bool member_is_sidecar(const struct member *member)
{
	return member->item->spec->restart_always;
}

static bool lives(const struct member *member)
{
	return member->phase == MEMBER_STARTING || member->phase == MEMBER_RUNNING;
}

static void tell(const struct member *member, const char *message)
{
	struct event event = {.type = "killing", .container = member->item->spec->name, .tone = TONE_NOTE};

	report_event(member->supervisor->report, member->supervisor->plan->pod->name, &event, "%s", message);
}

/* AppArmor's record of it names minirun as the process, and so is nobody's denial. */
static void say_deaf(const struct member *member)
{
	cleanup_free char *text =
		xasprintf("AppArmor profile %s lets nobody signal its programs, it lacks the "
			  "rule \"signal (receive),\": only SIGKILL will do",
			member->item->locks.apparmor);

	tell(member, text);
}

static void send_signal(struct member *member)
{
	int64_t left = member->stop_by - timer_now();
	int64_t least = supervisor_scaled(member->supervisor, LEAST_GRACE);

	member->stop = STOP_SIGNALLED;
	timer_arm(&member->timer, left < least ? least : left);
	if (member_signal(member, member->item->stop_signal) == -EACCES && member->item->locks.apparmor)
		say_deaf(member);
}

static bool has_its_turn(const struct member *member)
{
	const struct supervisor *supervisor = member->supervisor;

	if (!supervisor->ending || !member_is_sidecar(member))
		return true;
	for (const struct member *later = member + 1; later < supervisor->members + supervisor->plan->n;
		later++)
		if (lives(later))
			return false;
	return true;
}

void stopping_hook_done(struct member *member)
{
	if (has_its_turn(member)) {
		send_signal(member);
		return;
	}
	member->stop = STOP_WAITS;
	timer_arm(&member->timer, member->stop_by - timer_now());
}

/* The hooks of all run at once; only the signals wait for their turn. */
void stopping_begin(struct member *member)
{
	probing_stopping(member);
	member->stop = STOP_HOOK;
	timer_arm(&member->timer, member->stop_by - timer_now());
	/* Its time is the grace period, which our own timer watches over. */
	if (!probing_pre_stop(member, INT32_MAX))
		stopping_hook_done(member);
}

static void kill_now(struct member *member)
{
	probing_end(member);
	member->stop = STOP_KILLED;
	member_signal(member, SIGKILL);
	member_retry(member);
}

/* It is being stopped, and has less time now: a deletion with a shorter grace period. */
static void hurry(struct member *member, unsigned int grace)
{
	int64_t by = timer_now() + supervisor_scaled(member->supervisor, grace);

	if (by >= member->stop_by || member->stop == STOP_KILLED)
		return;
	member->stop_by = by;
	if (!grace)
		kill_now(member);
	else
		timer_arm(&member->timer, by - timer_now());
}

void stopping_start(struct member *member, unsigned int grace, const char *message)
{
	cleanup_free char *usual = NULL;

	if (!lives(member)) {
		/* Not started, or to be started again later: neither will happen. */
		timer_disarm(&member->timer);
		pulling_cancel(member);
		if (member->phase == MEMBER_BACKOFF || member->phase == MEMBER_PULLING)
			member->phase = MEMBER_ENDED;
		return;
	}
	if (member->stop != STOP_NO) {
		hurry(member, grace);
		return;
	}
	member->stop_by = timer_now() + supervisor_scaled(member->supervisor, grace);
	usual = xasprintf("Stopping container %s", member->item->spec->name);
	if (message)
		tell(member, message);
	status_event(member->supervisor, member, false, "Killing", "%s", message ? message : usual);
	if (!grace) {
		kill_now(member);
		return;
	}
	member->stop = STOP_WAITS;
	if (member->phase == MEMBER_RUNNING)
		stopping_begin(member);
	else
		timer_arm(&member->timer, supervisor_scaled(member->supervisor, grace));
}

void stopping_go_on(struct supervisor *supervisor)
{
	for (size_t i = supervisor->plan->n; i-- > 0;) {
		struct member *member = &supervisor->members[i];

		if (member->stop == STOP_WAITS && member->phase == MEMBER_RUNNING && has_its_turn(member))
			send_signal(member);
	}
}

void stopping_expired(struct member *member)
{
	if (member->stop == STOP_HOOK) {
		status_event(member->supervisor, member, true, "FailedPreStopHook", "PreStopHook failed");
		tell(member, "PreStopHook failed: it did not end in the grace period");
		probing_end(member);
		send_signal(member);
		return;
	}
	if (member->stop == STOP_WAITS && member->phase == MEMBER_RUNNING) {
		/* The others took all the time there was. */
		send_signal(member);
		return;
	}
	tell(member, "the grace period is over: SIGKILL");
	kill_now(member);
}
