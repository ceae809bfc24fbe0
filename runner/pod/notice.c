/*
 * The naming of refusals, as it comes about: whether it can be had here, and what a process on its way to its program has to say,
 * its filter's listener above all.
 */
#include <errno.h>
#include <string.h>

#include "runner/pod/learning.h"
#include "runner/pod/supervise.h"
#include "security/denial.h"

#define WE_ARE_UNDER_ONE "minirun itself runs under a seccomp filter with a listener"

void supervisor_init_denials(
	struct supervisor *supervisor, const struct planned *item, struct denials *denials)
{
	*denials = (struct denials){
		.loop = &supervisor->loop,
		.report = supervisor->report,
		.pod = supervisor->plan->pod->name,
		.container = item->spec->name,
		.profile = item->profile,
		.recording = item->recording,
		.learning = learning_of_calls(supervisor->plan->learning),
		.watch.fd = -1,
	};
}

/* The plain filter was loaded instead. That is said once; for a recording it is the end. */
static void on_unnamed(struct supervisor *supervisor, const struct launched *launched,
	const struct denials *denials, int errnum)
{
	struct event event = {.type = "warning", .container = denials->container, .tone = TONE_NOTE};
	const char *why = errnum == EBUSY ? WE_ARE_UNDER_ONE : strerror(errnum);
	struct error err;

	if (denials->recording) {
		error_set(&err, ERROR_HOST, 0, "system calls can't be recorded here: %s", why);
		launch_fail(launched, &err);
		return;
	}
	if (supervisor->unnamed_told)
		return;
	supervisor->unnamed_told = true;
	report_event(supervisor->report, supervisor->plan->pod->name, &event,
		"what seccomp denies can't be named here: %s", why);
}

bool supervisor_take_notice(
	struct supervisor *supervisor, const struct launched *launched, struct denials *denials)
{
	struct error err;
	int listener;

	switch (launch_read_notice(launched, &listener)) {
	case NOTICE_LISTENER:
		if (denials_listen(denials, listener, launched->pid, &err) == 0)
			launch_go(launched);
		else
			launch_fail(launched, &err);
		return false;
	case NOTICE_UNNAMED:
		on_unnamed(supervisor, launched, denials, listener);
		return false;
	case NOTICE_NONE:
		return false;
	case NOTICE_END:
		break;
	}
	return true;
}

void supervisor_check_naming(struct supervisor *supervisor)
{
	struct event event = {.type = "warning", .tone = TONE_NOTE};
	struct error err;
	bool wanted = false;

	for (size_t i = 0; i < supervisor->plan->n_profiles; i++)
		wanted |= supervisor->plan->profiles[i]->naming.insns != NULL;
	if (!wanted)
		return;
	supervisor->naming = listener_check(&err) == 0;
	if (supervisor->naming)
		return;
	supervisor->unnamed_told = true;
	report_event(supervisor->report, supervisor->plan->pod->name, &event,
		"what seccomp denies can't be named here: %s", err.message);
}
