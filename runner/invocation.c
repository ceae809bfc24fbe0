/* A command line, parsed by the tables of command.c. */
#include "runner/command.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/manifest/duration.h"
#include "runner/manifest/names.h"

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
			/* A flag may have its value after "=": --follow=false. */
			.has_arg = option_specs[id].argument ? required_argument : optional_argument,
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
	size_t n = 0;
	char letter[] = {'-', (char)optopt, '\0'};

	/* A letter may be any of its word's, which getopt has behind it only after the last. */
	if (optopt > 0 && optopt < 256)
		word = letter;
	for (int id = 0; id < OPTION_COUNT; id++)
		if (command_takes(command, (enum option_id)id))
			names[n++] = option_specs[id].name;
	error_set(err, ERROR_USAGE, 0, "unknown option %s", word);
	nearest = text_starts_with(word, "--") ? text_nearest(word + 2, names, n) : NULL;
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

/* As strconv.ParseBool has it. */
static bool parse_bool(const char *text, bool *value)
{
	*value = text_has_word("1 t T TRUE true True", text);
	return *value || text_has_word("0 f F FALSE false False", text);
}

/* The value of such a flag, until the command is known. */
static const char given_as_false[] = "false";

static int take_flag(struct invocation *invocation, enum option_id id, const char *text, struct error *err)
{
	bool on = true;

	if (text && (!*text || !parse_bool(text, &on)))
		return option_invalid(
			id, text, err, "strconv.ParseBool: parsing \"%s\": invalid syntax", text);
	invocation->value[id] = on ? "" : given_as_false;
	return 0;
}

static int take_argument(
	struct invocation *invocation, enum option_id id, const char *text, struct error *err)
{
	const char *before = invocation->value[id];

	invocation->value[id] = text;
	if (before && id == OPTION_FILENAME)
		return two_files(err);
	if (before && text_ends_with(option_specs[id].argument, ",...")) {
		strv_push(&invocation->joined, xasprintf("%s,%s", before, text));
		invocation->value[id] = invocation->joined.items[invocation->joined.n - 1];
	}
	return 0;
}

/* Flags that are set unless they are given as false. */
static const enum option_id set_anyway[] = {OPTION_WAIT};

/* From here on a flag has a value if it is set. */
static void settle_flags(struct invocation *invocation)
{
	for (size_t i = 0; i < array_length(set_anyway); i++)
		if (!invocation->value[set_anyway[i]] && command_takes(invocation->command, set_anyway[i]))
			invocation->value[set_anyway[i]] = "";
	for (int id = 0; id < OPTION_COUNT; id++)
		if (invocation->value[id] == given_as_false)
			invocation->value[id] = NULL;
}

/* What helps who gave a command an option of another's. */
static int hint_of_other(const struct command *command, enum option_id id, struct error *err)
{
	/* -f by habit, where the file is the operand. */
	if (id == OPTION_FOLLOW && text_has_word("run explain learn lint", command->name))
		return error_hint(err, "the file stands alone, without -f: minirun %s FILE", command->name);
	return error_hint(err, "`minirun help %s` lists what it takes", command->name);
}

/* A flag that is given as false is given. */
static int check_taken(const struct invocation *invocation, struct error *err)
{
	for (int id = 0; id < OPTION_COUNT; id++)
		if (invocation->value[id] && !command_takes(invocation->command, (enum option_id)id)) {
			error_set(err, ERROR_USAGE, 0, "minirun %s takes no option --%s",
				invocation->command->name, option_specs[id].name);
			return hint_of_other(invocation->command, (enum option_id)id, err);
		}
	return 0;
}

/*
 * What is called "" is a variable of a script's that is empty: no file, and not the folder that we are in. What else may be empty
 * (a selector, a namespace, as with kubectl) is for the command to judge.
 */
static int check_names(const struct invocation *invocation, struct error *err)
{
	for (int id = 0; id < OPTION_COUNT; id++) {
		const char *argument = option_specs[id].argument;

		if (!argument || !invocation->value[id] || *invocation->value[id])
			continue;
		if (!strcmp(argument, "DIR"))
			return error_set(err, ERROR_USAGE, 0, "--%s: the name of a folder is empty",
				option_specs[id].name);
		if (text_has_word("FILE PROFILE", argument))
			return error_set(err, ERROR_USAGE, 0, "--%s: the name of a file is empty",
				option_specs[id].name);
	}
	return 0;
}

static int check_values(const struct invocation *invocation, struct error *err)
{
	const char *output = invocation->value[OPTION_OUTPUT];
	const char *color = invocation->value[OPTION_COLOR];
	const char *namespace = invocation->value[OPTION_NAMESPACE];

	if (namespace && *namespace && !names_is_label(namespace))
		return error_set(err, ERROR_USAGE, 0,
			"--namespace %s: the name of a namespace has lower case letters, digits and '-'",
			namespace);
	if (output && !strcmp(invocation->command->name, "delete")) {
		if (strcmp(output, "name") != 0)
			return error_set(err, ERROR_USAGE, 0,
				"unexpected -o output mode: %s. We only support '-o name'", output);
		return 0;
	}
	if (output && strcmp(output, "json") != 0 && strcmp(invocation->command->name, "get") != 0)
		return error_set(
			err, ERROR_USAGE, 0, "-o %s: %s takes json", output, invocation->command->name);
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
	const char *version = invocation->value[OPTION_VERSION];

	invocation->command = command_find((version && version != given_as_false) || !first ? "help" : "run");
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

/* Takes what getopt has found. word: the one that it was in. */
static int take_option(struct invocation *invocation, int result, const char *word, struct error *err)
{
	int id = result >= 256 ? result - 256 : option_of_letter(invocation->command, result);

	if (id < 0)
		return error_set(err, ERROR_INTERNAL, 0, "option %d is in no table", result);
	if (!option_specs[id].argument)
		return take_flag(invocation, (enum option_id)id, optarg, err);
	/* "-o=json" is "-o json", as with kubectl; getopt leaves the "=". */
	if (result < 256 && optarg != word && *optarg == '=')
		optarg++;
	return take_argument(invocation, (enum option_id)id, optarg, err);
}

int invocation_parse(int argc, char **argv, struct invocation *invocation, struct error *err)
{
	struct option longs[OPTION_COUNT + 1] = {0};
	char shorts[2 * OPTION_COUNT + 2];
	const struct command *guess = guess_command(argc, argv);
	char **words = xcalloc((size_t)argc + 1, sizeof(*words));
	int result;

	/* The command until it is known better: for what options mean, and the exit status of what is wrong with them. */
	*invocation = (struct invocation){.argv = argv, .words = words, .command = guess};
	make_getopt_table(guess, longs, shorts);
	/* getopt reorders; the original order is kept for starting again. */
	memcpy(words, argv, (size_t)argc * sizeof(*words));
	opterr = 0;
	optind = 0; /* it has been called before, maybe */
	while ((result = getopt_long(argc, words, shorts, longs, NULL)) != -1) {
		if (result == '?')
			return unknown_option(guess, words[optind - 1], err);
		if (result == ':')
			return error_set(
				err, ERROR_USAGE, 0, "option %s wants an argument", words[optind - 1]);
		if (take_option(invocation, result, words[optind - 1], err) < 0)
			return -1;
	}
	invocation->operands = words + optind;
	invocation->n_operands = argc - optind;
	if (choose_command(invocation, err) < 0 || check_taken(invocation, err) < 0)
		return -1;
	settle_flags(invocation);
	return check_names(invocation, err) < 0 ? -1 : check_values(invocation, err);
}

void invocation_free(struct invocation *invocation)
{
	free(invocation->words);
	strv_free(invocation->joined.items);
	*invocation = (struct invocation){0};
}

bool wants_json(const struct invocation *invocation)
{
	return invocation->value[OPTION_OUTPUT] != NULL;
}

int option_invalid(enum option_id id, const char *text, struct error *err, const char *format, ...)
{
	const struct option_spec *spec = &option_specs[id];
	char letter[] = {'-', spec->letter, ',', ' ', '\0'};
	cleanup_free char *why = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&why, format, args) < 0)
		why = NULL;
	va_end(args);
	return error_set(err, ERROR_USAGE, 0, "invalid argument \"%s\" for \"%s--%s\" flag: %s", text,
		spec->letter ? letter : "", spec->name, why ? why : "");
}

int option_integer(const struct invocation *invocation, enum option_id id, int64_t min, int64_t *value,
	struct error *err)
{
	const char *text = invocation->value[id];

	if (!text || text_to_integer(text, min, INT64_MAX, value))
		return 0;
	return error_set(err, ERROR_USAGE, 0, "--%s %s: a number from %lld on", option_specs[id].name, text,
		(long long)min);
}

int option_number(const struct invocation *invocation, enum option_id id, int64_t *value, struct error *err)
{
	const char *text = invocation->value[id];
	bool digits = text && strspn(text + (*text == '-'), "0123456789") == strlen(text + (*text == '-'));

	if (!text || text_to_integer(text, INT64_MIN, INT64_MAX, value))
		return 0;
	return option_invalid(id, text, err, "strconv.ParseInt: parsing \"%s\": %s", text,
		digits && strpbrk(text, "0123456789") ? "value out of range" : "invalid syntax");
}

int option_duration(const struct invocation *invocation, enum option_id id, int64_t *ms, struct error *err)
{
	const char *text = invocation->value[id];

	if (!text || duration_parse(text, ms))
		return 0;
	return option_invalid(id, text, err, "time: invalid duration \"%s\"", text);
}
