/* The guard. Theory of operation: guard.h. */
#include "runner/pod/guard.h"

#include <poll.h>

#include "base/cleanup.h"
#include "runner/pod/supervise.h"

#define PATIENCE 5000 /* ms from its birth to its program; and again, from SIGKILL to its end */

/* Whether member is to be held while a process enters the container of target, or comes to life as that container. */
static bool is_concerned(const struct member *member, const struct member *target, bool entering)
{
	const struct supervisor *supervisor = target->supervisor;

	if (!member->item->guarded || !member->cgroup.held)
		return false;
	return member == target ? entering : supervisor->plan->pod->share_process_namespace;
}

static void release(const struct member *target, bool entering, size_t n)
{
	const struct supervisor *supervisor = target->supervisor;

	for (size_t i = 0; i < n; i++)
		if (is_concerned(&supervisor->members[i], target, entering))
			cgroup_release(&supervisor->members[i].cgroup);
}

/* Returns how many are held, or a negative number and none is. */
static int hold(const struct member *target, bool entering, struct error *err)
{
	const struct supervisor *supervisor = target->supervisor;
	int held = 0;

	for (size_t i = 0; i < supervisor->plan->n; i++) {
		const struct member *member = &supervisor->members[i];

		if (!is_concerned(member, target, entering))
			continue;
		if (cgroup_hold(&member->cgroup, err) < 0) {
			release(target, entering, i);
			return error_wrap(err, "container %s", member->item->spec->name);
		}
		held++;
	}
	return held;
}

/* What is refused on the way is told here, too: the loop doesn't run. */
static void await_program(
	struct supervisor *supervisor, const struct launched *launched, struct denials *denials)
{
	int64_t until = timer_now() + PATIENCE;
	bool killed = false;

	for (;;) {
		struct pollfd fds[] = {{.fd = launched->notice, .events = POLLIN},
			{.fd = denials->watch.fd, .events = POLLIN}};
		int64_t left = until - timer_now();

		if (left <= 0) {
			struct error late;

			if (killed)
				return;
			error_set(&late, ERROR_HOST, 0,
				"the container could not be entered within %d s, while it was held still",
				PATIENCE / 1000);
			launch_fail(launched, &late);
			killed = true;
			until = timer_now() + PATIENCE;
			continue;
		}
		poll(fds, array_length(fds), (int)left);
		if (fds[1].revents && denials->watch.fd >= 0)
			denials->watch.ready(&denials->watch, denials->watch.data);
		if (fds[0].revents && supervisor_take_notice(supervisor, launched, denials))
			return;
	}
}

int guard_launch(struct member *member, struct container *container, const int stdio[3],
	struct launched *launched, struct denials *denials, struct error *err)
{
	struct supervisor *supervisor = member->supervisor;
	bool entering = container->join_pidfd >= 0;
	struct cgroup entry = cgroup_none;
	int held = hold(member, entering, err);
	int result;

	if (held < 0)
		return -1;
	/* Its own is held. */
	if (entering && is_concerned(member, member, true)) {
		if (cgroup_make_entry(&member->cgroup, &entry, err) < 0) {
			cgroup_end_entry(&entry, &member->cgroup);
			release(member, entering, supervisor->plan->n);
			return -1;
		}
		container->isolation.cgroup = &entry;
	}
	result = launch_start(container, stdio, launched, err);
	if (result == 0 && held)
		await_program(supervisor, launched, denials);
	cgroup_end_entry(&entry, &member->cgroup);
	if (held)
		release(member, entering, supervisor->plan->n);
	/* Of that one there is nothing left. */
	container->isolation.cgroup = &member->cgroup;
	return result;
}
