/* `minirun apply -f FILE` and `minirun create -f FILE`: kubectl's words for a pod in the background. */
#include "runner/command.h"
#include "runner/report.h"
#include "runner/pod/run.h"

int cmd_apply(const struct invocation *invocation, struct error *err)
{
	char *operands[] = {(char *)(uintptr_t)invocation->value[OPTION_FILENAME], NULL};
	struct invocation detached = *invocation;
	struct report report;

	if (invocation->n_operands || !operands[0]) {
		error_set(err, ERROR_USAGE, 0, "%s wants -f FILE%s%s", invocation->command->name,
			invocation->n_operands ? ", not " : "",
			invocation->n_operands ? invocation->operands[0] : "");
		return error_hint(
			err, "minirun %s -f FILE, or -f - for standard input", invocation->command->name);
	}
	detached.value[OPTION_DETACH] = "";
	detached.operands = operands;
	detached.n_operands = 1;
	report_init(&report, false, invocation->value[OPTION_QUIET] != NULL, NULL);
	return run_manifest(&detached, &report, NULL, err);
}
