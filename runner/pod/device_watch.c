/* The devices that a container is refused by its cgroup. Theory of operation: device_watch.h. */
#include "runner/pod/device_watch.h"

#include <linux/capability.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "runner/pod/supervise.h"

#define AT_ONCE         32 /* notes for each event of the loop */
#define SETTLE_REFUSALS 4096 /* at the end of a run: others in a shared pid namespace may go on making them */

const struct device_watch device_watch_none = {.refusals = {.ring = -1, .lost = -1}, .watch.fd = -1};

static void tell_unnamed(struct supervisor *supervisor, const char *why)
{
	struct event event = {.type = "warning", .tone = TONE_NOTE};

	if (supervisor->unnoted_told)
		return;
	supervisor->unnoted_told = true;
	report_event(supervisor->report, supervisor->plan->pod->name, &event,
		"which devices the cgroup denies can't be named here: %s", why);
}

/* Returns what next did last. */
static int take(struct member *member, int limit)
{
	struct device_refusals *refusals = &member->devices_watch.refusals;
	struct device_refusal refusal;
	int result = 1;

	for (int i = 0; i < limit; i++) {
		result = device_refusals_next(refusals, &refusal);
		if (result <= 0)
			break;
		denials_add_device(&member->denials, &refusal);
	}
	denials_add_lost(&member->denials, device_refusals_lost(refusals));
	return result;
}

static void on_refusal(struct watch *watch, void *data)
{
	struct member *member = data;

	if (member->denials.before)
		member->denials.before(member->denials.data);
	/* That may have been the end of it. */
	if (watch->fd >= 0 && take(member, AT_ONCE) < 0)
		loop_remove(&member->supervisor->loop, watch);
}

void device_watch_open(struct member *member)
{
	struct supervisor *supervisor = member->supervisor;
	struct device_watch *devices = &member->devices_watch;
	struct error err;

	if (devices->refusals.ring >= 0 || !plan_names_devices(supervisor->plan, member->item))
		return;
	if (member->cgroup.fd[CGROUP_UNIFIED] < 0) {
		if (member->cgroup.fd[CGROUP_DEVICES] >= 0)
			tell_unnamed(supervisor, "cgroup version 1 tells nobody");
		return;
	}
	if (device_refusals_open(&devices->refusals, &err) < 0) {
		tell_unnamed(supervisor, err.message);
		return;
	}
	/* The ring stays ours: the loop has a copy to close. */
	if (loop_add(&supervisor->loop, &devices->watch, fcntl(devices->refusals.ring, F_DUPFD_CLOEXEC, 3),
		    on_refusal, member, &err) < 0) {
		device_refusals_close(&devices->refusals);
		tell_unnamed(supervisor, err.message);
	}
}

void device_watch_check(struct member *member)
{
	const struct device_refusals *refusals = &member->devices_watch.refusals;

	if (refusals->ring >= 0 && refusals->unnoted)
		tell_unnamed(member->supervisor, "the kernel takes no program that notes them");
}

void device_watch_settle(struct member *member)
{
	if (member->devices_watch.refusals.ring >= 0)
		take(member, SETTLE_REFUSALS);
}

void device_watch_close(struct member *member)
{
	loop_remove(&member->supervisor->loop, &member->devices_watch.watch);
	device_refusals_close(&member->devices_watch.refusals);
}
