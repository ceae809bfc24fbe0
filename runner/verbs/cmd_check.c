/* `minirun check`: tries what a pod needs of this machine, and says how to mend what it hasn't. */
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/check/check.h"
#include "runner/command.h"
#include "runner/plan/paths.h"
#include "runner/report.h"

static bool would_run(const struct trial_place *place, const struct trial *trials)
{
	for (size_t i = 0; i < n_checks; i++)
		if (check_is_needed(&checks[i], place) && trials[i].state == TRIAL_MISSING)
			return false;
	return true;
}

int cmd_check(const struct invocation *invocation, struct error *err)
{
	cleanup_free char *store = path_of_store(invocation, err);
	cleanup_free struct trial *trials = xcalloc(n_checks, sizeof(*trials));
	struct trial_place place;
	struct scratch scratch;
	struct report report;
	bool runs;

	if (invocation->n_operands)
		return error_set(
			err, ERROR_USAGE, 0, "check takes no operand, not %s", invocation->operands[0]);
	if (!store)
		return -1;
	check_begin(&scratch, store, &place);
	check_try_all(&place, trials);
	scratch_close(&scratch);
	runs = would_run(&place, trials);
	if (wants_json(invocation)) {
		check_print_json(&place, trials, runs);
	} else {
		report_init(&report, false, false, invocation->value[OPTION_COLOR]);
		check_print_all(
			trials, runs, invocation->value[OPTION_VERBOSE] != NULL, report.color_out, stdout);
	}
	return runs ? 0 : 1;
}
