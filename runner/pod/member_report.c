/* The end of a container in words: for the report, the status, the pod's last line. */
#include "runner/pod/member_report.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/pod/audit_watch.h"
#include "runner/pod/supervise.h"
#include "runner/check/check.h"
#include "security/denial.h"

#define MESSAGE_LINES 80

/* How the container ended, for the pod's last line; to be freed. */
static char *describe_end(const struct member *member)
{
	cleanup_free char *how = member->signal ? xasprintf("killed by signal %d, %s", member->signal,
							  strsignal(member->signal))
						: xasprintf("exit %d", member->exit_code);
	const struct cgroup_limits *limits = &member->item->limits;
	char size[32];

	if (!member->out_of_memory)
		return steal_pointer(&how);
	return xasprintf("OOMKilled (%s): it needed more than %s%s", how,
		limits->memory ? "its memory limit of " : "the pod may have",
		limits->memory ? text_size(limits->memory, size, sizeof(size)) : "");
}

/* A SIGSYS that we know no call for: the kernel's own for SCMP_ACT_TRAP, or the program sent it. */
static char *trap_cause(const struct member *member, const char *end)
{
	const struct planned_profile *profile = member->item->profile;

	if (!profile || !filter_traps(&profile->filter))
		return xstrdup(end);
	return xasprintf("%s, as SCMP_ACT_TRAP of seccomp profile %s does (minirun can't name its calls)",
		end, profile->name);
}

void member_find_cause(struct member *member)
{
	cleanup_free char *how = describe_end(member);

	if (member->signal == SIGSYS && !denials_last(&member->denials))
		member->cause = trap_cause(member, how);
	else
		member->cause = denials_cause(&member->denials, how);
}

/* The container could not be started: the exit statuses are the shell's (127 not found, 126 there but not to be run). */
void member_report_failure(struct member *member, const struct error *err)
{
	struct event event = {
		.type = "failed",
		.container = member->item->spec->name,
		.tone = TONE_BAD,
		.important = true,
		.has_exit = true,
		.reason = "StartError",
	};

	audit_watch_settle(member->supervisor);
	member->reason = "StartError";
	member->failed = true;
	member->exit_code = err->class != ERROR_PROGRAM ? 125 : err->errnum == ENOENT ? 127 : 126;
	member->cause = denials_cause(&member->denials, err->message);
	event.exit_code = member->exit_code;
	status_event(member->supervisor, member, true, "Failed", "Error: %s", member->cause);
	status_start_failed(member, member->cause);
	denials_summarise(&member->denials);
	report_event(member->supervisor->report, member->supervisor->plan->pod->name, &event,
		"failed to start: %s%s%s%s", member->cause, err->hint[0] ? " (hint: " : "", err->hint,
		err->hint[0] ? ")" : "");
	check_explain(member->supervisor->plan->store.path, err);
}

/* "9 ms", "1.4 s", "3 min 20 s" */
static void format_duration(int64_t microseconds, char *buffer, size_t size)
{
	if (microseconds < 1000000)
		snprintf(buffer, size, "%lld ms", (long long)microseconds / 1000);
	else if (microseconds < 60000000)
		snprintf(buffer, size, "%.1f s", (double)microseconds / 1e6);
	else
		snprintf(buffer, size, "%lld min %lld s", (long long)microseconds / 60000000,
			(long long)microseconds / 1000000 % 60);
}

/* What it left in its termination message file; or, if it failed and its policy says so, what it printed last. */
static char *last_words(const struct member *member)
{
	char *message = termination_message(&member->prepared, member->item->spec->name);
	const char *stop = member->tail + strlen(member->tail);
	const char *from;
	unsigned int lines = 0;

	if (message || !member->failed)
		return message;
	while (stop > member->tail && stop[-1] == '\n')
		stop--;
	/* The kubelet's limits: 2048 bytes (STREAM_TAIL), 80 lines. */
	for (from = stop; from > member->tail && (from[-1] != '\n' || ++lines < MESSAGE_LINES); from--)
		;
	return from < stop ? xstrndup(from, (size_t)(stop - from)) : NULL;
}

void member_report_exit(struct member *member, int64_t ran)
{
	cleanup_free char *message = last_words(member);
	cleanup_free char *killed = NULL;
	char duration[48];
	struct event event = {
		.type = "exited",
		.container = member->item->spec->name,
		.tone = member->failed ? TONE_BAD : TONE_PLAIN,
		.important = member->failed,
		.has_exit = true,
		.exit_code = member->exit_code,
		.signal = member->signal,
		.microseconds = ran,
		.reason = member->reason,
	};

	status_terminated(member, member->reason, message);
	format_duration(ran, duration, sizeof(duration));
	if (member->signal)
		killed = xasprintf(" (signal %d, %s)", member->signal, strsignal(member->signal));
	report_event(member->supervisor->report, member->supervisor->plan->pod->name, &event,
		"exited %d%s%s after %s%s%s", member->exit_code, killed ? killed : "",
		member->out_of_memory ? ", OOMKilled" : "", duration,
		message ? ", leaving the message: " : "", message ? message : "");
}
