/* Trials: filling what was found. */
#include "base/trial.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"

/* What has nothing to do with what was tried. */
static const struct {
	int errnum;
	const char *mend;
} shortages[] = {
	{EMFILE, "allow more open files: ulimit -n 1024"},
	{ENFILE, "allow more open files: sysctl -w fs.file-max=1000000"},
	{EAGAIN, "allow more processes: ulimit -u 4096, or pids.max of the cgroup"},
	{ENOMEM, "free memory, or allow more: memory.max of the cgroup"},
	{ENOSPC, "make room: minirun image prune, or name another place: --store DIR"},
	{EDQUOT, "make room: minirun image prune, or name another place: --store DIR"},
};

void trial_set(struct trial *trial, enum trial_state state, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(trial->detail, sizeof(trial->detail), format, args);
	va_end(args);
	trial->mend[0] = '\0';
	trial->untried = false;
	trial->state = state;
}

void trial_untried(struct trial *trial, const char *what, const char *name)
{
	trial_set(trial, TRIAL_MISSING, "not tried, for want of %s", what);
	trial_mend(trial, "see \"%s\"", name);
	trial->untried = true;
}

void trial_mend(struct trial *trial, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(trial->mend, sizeof(trial->mend), format, args);
	va_end(args);
}

void trial_mend_by(
	struct trial *trial, const struct trial_place *place, enum caller_hand hand, const char *format, ...)
{
	size_t n = (size_t)snprintf(trial->mend, sizeof(trial->mend), "%s", caller_by(&place->caller, hand));
	va_list args;

	va_start(args, format);
	vsnprintf(trial->mend + n, sizeof(trial->mend) - n, format, args);
	va_end(args);
}

void trial_fail(struct trial *trial, enum trial_state state, const struct error *err)
{
	trial_set(trial, state, "%s", err->message);
	trial_mend(trial, "%s", err->hint);
	for (size_t i = 0; i < array_length(shortages) && !err->hint[0]; i++)
		if (shortages[i].errnum == err->errnum)
			trial_mend(trial, "%s", shortages[i].mend);
}

pid_t trial_fork(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid == 0) {
		pid_t now;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* 0: as the first of a pid namespace we don't see it. */
		now = getppid();
		if (now && now != parent)
			_exit(0);
	}
	return pid;
}

const char *trial_state_name(enum trial_state state)
{
	static const char *const names[] = {
		[TRIAL_MISSING] = "missing", [TRIAL_LIMITED] = "limited", [TRIAL_OK] = "ok"};

	return (size_t)state < array_length(names) ? names[state] : "missing";
}
