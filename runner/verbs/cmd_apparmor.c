/* `minirun apparmor load|ls|unload`: the profiles that the kernel holds, with apparmor_parser(8) doing the compiling. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/command.h"
#include "security/apparmor.h"

static void tell_loaded(const char *name)
{
	cleanup_free char *list = apparmor_list();

	printf("%s loaded, %s mode\n", name,
		apparmor_mode_name(list ? apparmor_listed(list, name) : APPARMOR_UNKNOWN));
}

/* All files are tried; the last error is what is returned. */
static int load(const struct invocation *invocation, struct error *err)
{
	int result = 0;

	if (invocation->n_operands == 1) {
		if (apparmor_load_default(true, err) < 0)
			return -1;
		tell_loaded(APPARMOR_DEFAULT);
		return 0;
	}
	for (int i = 1; i < invocation->n_operands; i++) {
		cleanup_strv char **names = NULL;
		struct error one = {0};

		if (apparmor_load_file(invocation->operands[i], &names, &one) == 0) {
			for (char **name = names; *name; name++)
				tell_loaded(*name);
			continue;
		}
		if (result < 0)
			fprintf(stderr, "minirun: %s\n", err->message);
		*err = one;
		result = -1;
	}
	return result;
}

static int list_loaded(const struct invocation *invocation, struct error *err)
{
	cleanup_free char *text = NULL;

	if (invocation->n_operands > 1)
		return error_set(err, ERROR_USAGE, 0, "apparmor ls takes no operands");
	if (!apparmor_available())
		return apparmor_explain_absence(err);
	text = apparmor_list();
	if (!text) {
		error_set(err, ERROR_HOST, 0, "the kernel's list of profiles can't be read");
		return error_hint(err, "is securityfs mounted at /sys/kernel/security?");
	}
	fputs(text, stdout);
	return 0;
}

static int unload(const struct invocation *invocation, struct error *err)
{
	if (invocation->n_operands < 2) {
		error_set(err, ERROR_USAGE, 0, "apparmor unload wants the name of a profile");
		return error_hint(err, "`minirun apparmor ls` lists them");
	}
	for (int i = 1; i < invocation->n_operands; i++)
		if (apparmor_unload(invocation->operands[i], err) < 0)
			return -1;
	return 0;
}

int cmd_apparmor(const struct invocation *invocation, struct error *err)
{
	const char *word = invocation->n_operands ? invocation->operands[0] : "";

	if (!strcmp(word, "load"))
		return load(invocation, err);
	if (!strcmp(word, "ls"))
		return list_loaded(invocation, err);
	if (!strcmp(word, "unload"))
		return unload(invocation, err);
	error_set(err, ERROR_USAGE, 0,
		*word ? "apparmor %s: there is no such command" : "apparmor wants a command%s", word);
	return error_hint(err, "minirun apparmor load [FILE...] | ls | unload NAME...");
}
