/* A command line, parsed by the tables of command.c. */
#include "runner/command.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

/*
 * The command, as far as it can be told before the options are: a letter may mean one thing to one command and another to the
 * next (-f follows logs, and is apply's file), and what takes an argument depends on it.
 */
static const struct command *guess_command(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (command_find(argv[i]))
			return command_find(argv[i]);
	return command_find("run");
}

/* Whether the letter is another option's for this command. */
static bool is_taken(const struct command *command, int id)
{
	for (int other = 0; other < OPTION_COUNT; other++)
		if (other != id && option_specs[other].letter == option_specs[id].letter &&
			command_takes(command, (enum option_id)other))
			return true;
	return false;
}

/* The option that a letter stands for; -1: none. */
static int option_of_letter(const struct command *command, int letter)
{
	for (int id = 0; id < OPTION_COUNT; id++)
		if (option_specs[id].letter == letter && !is_taken(command, id))
			return id;
	return -1;
}

/* What getopt_long calls a table, made from ours. Its val is the option's id plus 256, past all letters. */
static void make_getopt_table(const struct command *command, struct option *longs, char *shorts)
{
	*shorts++ = ':'; /* tells a missing argument from an unknown option */
	for (int id = 0; id < OPTION_COUNT; id++) {
		longs[id] = (struct option){
			.name = option_specs[id].name,
			.has_arg = option_specs[id].argument ? required_argument : no_argument,
			.val = 256 + id,
		};
		if (!option_specs[id].letter || option_of_letter(command, option_specs[id].letter) != id)
			continue;
		*shorts++ = option_specs[id].letter;
		if (option_specs[id].argument)
			*shorts++ = ':';
	}
	*shorts = '\0';
}

static int unknown_option(const struct command *command, const char *word, struct error *err)
{
	const char *names[OPTION_COUNT];
	const char *nearest;

	for (int id = 0; id < OPTION_COUNT; id++)
		names[id] = option_specs[id].name;
	error_set(err, ERROR_USAGE, 0, "unknown option %s", word);
	nearest = text_starts_with(word, "--") ? text_nearest(word + 2, names, OPTION_COUNT) : NULL;
	if (nearest)
		return error_hint(err, "did you mean --%s?", nearest);
	if (text_has_word("exec unshare", command->name))
		return error_hint(err, "the command that is to be run comes after --, with its own options");
	return error_hint(err, "`minirun help %s` lists what it takes", command->name);
}

/* Never the last one alone: the others' pods would be forgotten in silence. */
static int two_files(struct error *err)
{
	error_set(err, ERROR_USAGE, 0, "-f was given twice");
	return error_hint(err, "one file at a time: `for file in ...; do minirun ... -f $file; done`");
}

static int check_values(const struct invocation *invocation, struct error *err)
{
	const char *output = invocation->value[OPTION_OUTPUT];
	const char *color = invocation->value[OPTION_COLOR];

	for (int id = 0; id < OPTION_COUNT; id++)
		if (invocation->value[id] && !command_takes(invocation->command, (enum option_id)id)) {
			error_set(err, ERROR_USAGE, 0, "minirun %s takes no option --%s",
				invocation->command->name, option_specs[id].name);
			return error_hint(
				err, "`minirun help %s` lists what it takes", invocation->command->name);
		}
	if (output && strcmp(output, "json") != 0 &&
		(strcmp(invocation->command->name, "get") != 0 || !text_has_word("wide yaml name", output)))
		return error_set(err, ERROR_USAGE, 0, "-o %s: %s takes json%s", output,
			invocation->command->name,
			strcmp(invocation->command->name, "get") ? "" : ", yaml, wide and name");
	if (color && strcmp(color, "auto") && strcmp(color, "always") && strcmp(color, "never"))
		return error_set(err, ERROR_USAGE, 0, "--color %s: it is auto, always or never", color);
	return 0;
}

/* Finds the command: the first operand if it names one, else `run` with that operand as its file. */
static int choose_command(struct invocation *invocation, struct error *err)
{
	const char *first = invocation->operands[0];
	cleanup_free const char **names = xcalloc(n_commands, sizeof(*names));
	const char *nearest;

	invocation->command = command_find(invocation->value[OPTION_VERSION] || !first ? "help" : "run");
	if (!first)
		return 0;
	if (command_find(first)) {
		invocation->command = command_find(first);
		invocation->operands++;
		invocation->n_operands--;
		return 0;
	}
	/* A file, unless it looks like a word and no such file is there: then it is a command misspelt. */
	if (strpbrk(first, "./-") || access(first, F_OK) == 0)
		return 0;
	for (size_t i = 0; i < n_commands; i++)
		names[i] = commands[i].name;
	error_set(err, ERROR_USAGE, 0, "%s is no command of minirun, and no such file is here", first);
	nearest = text_nearest(first, names, n_commands);
	if (nearest)
		return error_hint(err, "did you mean `minirun %s`?", nearest);
	return error_hint(err, "`minirun FILE` runs a pod; `minirun help` lists the commands");
}

int invocation_parse(int argc, char **argv, struct invocation *invocation, struct error *err)
{
	struct option longs[OPTION_COUNT + 1] = {0};
	char shorts[2 * OPTION_COUNT + 2];
	char **copy = xcalloc((size_t)argc + 1, sizeof(*copy));
	const struct command *guess = guess_command(argc, argv);
	int result;

	/* Until it is known better, for the exit status of what is wrong with the options. */
	*invocation = (struct invocation){.argv = argv, .command = guess};
	make_getopt_table(guess, longs, shorts);
	/* getopt reorders; the original order is kept for starting again. The copy lives as long as the process. */
	memcpy(copy, argv, (size_t)argc * sizeof(*copy));
	opterr = 0;
	optind = 1;
	while ((result = getopt_long(argc, copy, shorts, longs, NULL)) != -1) {
		int id;

		if (result == '?')
			return unknown_option(guess, copy[optind - 1], err);
		if (result == ':')
			return error_set(
				err, ERROR_USAGE, 0, "option %s wants an argument", copy[optind - 1]);
		id = result >= 256 ? result - 256 : option_of_letter(guess, result);
		if (id < 0)
			return error_set(err, ERROR_INTERNAL, 0, "option %d is in no table", result);
		if (invocation->value[id] && option_specs[id].argument &&
			text_ends_with(option_specs[id].argument, ",..."))
			optarg = xasprintf(
				"%s,%s", invocation->value[id], optarg); /* as long as the process */
		else if (invocation->value[id] && id == OPTION_FILENAME)
			return two_files(err);
		invocation->value[id] = optarg ? optarg : "";
	}
	invocation->operands = copy + optind;
	invocation->n_operands = argc - optind;
	if (choose_command(invocation, err) < 0)
		return -1;
	return check_values(invocation, err);
}
