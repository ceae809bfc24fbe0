/* `minirun help`: the overview, one command's page, the table of fields. And the version. */
#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/command.h"
#include "runner/manifest/manifest.h"
#include "runner/version.h"

int cmd_help(const struct invocation *invocation, struct error *err)
{
	cleanup_free const char **names = xcalloc(n_commands, sizeof(*names));
	const char *name = invocation->operands[0];
	const char *nearest;

	if (invocation->value[OPTION_VERSION]) {
		printf("minirun %s\n", MINIRUN_VERSION);
		return 0;
	}
	if (invocation->value[OPTION_FIELDS]) {
		manifest_print_fields(stdout);
		return 0;
	}
	if (!name) {
		help_overview(stdout);
		return 0;
	}
	if (command_find(name)) {
		help_command(command_find(name), stdout);
		return 0;
	}
	for (size_t i = 0; i < n_commands; i++)
		names[i] = commands[i].name;
	error_set(err, ERROR_USAGE, 0, "minirun has no command %s", name);
	nearest = text_nearest(name, names, n_commands);
	return nearest ? error_hint(err, "did you mean %s?", nearest) : -1;
}
