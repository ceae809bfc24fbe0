/* Trials: filling what was found. */
#include "base/trial.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/cleanup.h"

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

void trial_fail(struct trial *trial, enum trial_state state, const struct error *err)
{
	trial_set(trial, state, "%s", err->message);
	trial_mend(trial, "%s", err->hint);
}

const char *trial_state_name(enum trial_state state)
{
	static const char *const names[] = {
		[TRIAL_MISSING] = "missing", [TRIAL_LIMITED] = "limited", [TRIAL_OK] = "ok"};

	return (size_t)state < array_length(names) ? names[state] : "missing";
}
