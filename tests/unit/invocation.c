/* Command lines: flags and their values as pflag takes them, and its words for what it doesn't. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "runner/command.h"
#include "tests/unit/unit.h"

/* A command line that is taken apart at its blanks. */
struct line {
	char *text;
	char *argv[16];
	int argc;
	struct invocation invocation;
	struct error err;
};

static int parse(const char *text, struct line *line)
{
	*line = (struct line){.text = xasprintf("minirun %s", text)};
	for (char *rest = line->text, *word; (word = strsep(&rest, " "));)
		line->argv[line->argc++] = word;
	return invocation_parse(line->argc, line->argv, &line->invocation, &line->err);
}

static void line_free(struct line *line)
{
	invocation_free(&line->invocation);
	free(line->text);
}

static void flags(void)
{
	static const struct {
		const char *text;
		bool on;
	} cases[] = {
		{"logs --follow demo", true},
		{"logs -f demo", true},
		{"logs --follow=true demo", true},
		{"logs --follow=T demo", true},
		{"logs demo --follow=1", true},
		{"logs --follow=false demo", false},
		{"logs --follow=F demo", false},
		{"logs demo -f --follow=0", false},
	};

	for (size_t i = 0; i < array_length(cases); i++) {
		struct line line;

		expect(parse(cases[i].text, &line) == 0);
		expect((line.invocation.value[OPTION_FOLLOW] != NULL) == cases[i].on);
		expect(line.invocation.n_operands == 1);
		line_free(&line);
	}
}

/* --wait is on unless it is said to be off; another command's flag is an error, whatever is said of it. */
static void flags_that_are_on(void)
{
	static const struct {
		const char *text;
		bool on;
	} cases[] = {
		{"delete demo", true},
		{"delete --wait demo", true},
		{"delete --wait=false --wait demo", true},
		{"delete --wait=false demo", false},
		{"delete demo --wait --wait=0", false},
		{"get demo", false},
		{"get -l delete", false},
	};
	struct line line;

	for (size_t i = 0; i < array_length(cases); i++) {
		expect(parse(cases[i].text, &line) == 0);
		expect((line.invocation.value[OPTION_WAIT] != NULL) == cases[i].on);
		line_free(&line);
	}
	expect(parse("get --wait=false", &line) < 0);
	expect(strcmp(line.err.message, "minirun get takes no option --wait") == 0);
	line_free(&line);
	expect(parse("get --force=false", &line) < 0);
	line_free(&line);
}

static void arguments(void)
{
	static const struct {
		const char *text;
		enum option_id id;
		const char *value;
	} cases[] = {
		{"logs -c web demo", OPTION_CONTAINER, "web"},
		{"logs -cweb demo", OPTION_CONTAINER, "web"},
		{"logs -c=web demo", OPTION_CONTAINER, "web"},
		{"logs -c =web demo", OPTION_CONTAINER, "=web"},
		{"logs -fc=web demo", OPTION_CONTAINER, "web"},
		{"logs --tail=5 demo", OPTION_TAIL, "5"},
		{"logs demo --tail -1", OPTION_TAIL, "-1"},
		{"get demo -o=json", OPTION_OUTPUT, "json"},
		{"learn --deny mkdir,rmdir --deny=mount --deny=x demo", OPTION_DENY, "mkdir,rmdir,mount,x"},
	};

	for (size_t i = 0; i < array_length(cases); i++) {
		struct line line;

		expect(parse(cases[i].text, &line) == 0);
		expect_text(line.invocation.value[cases[i].id], cases[i].value);
		expect_text(line.invocation.operands[0], "demo");
		line_free(&line);
	}
}

static void words(void)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"logs --follow=maybe demo",
			"invalid argument \"maybe\" for \"-f, --follow\" flag: strconv.ParseBool: parsing "
			"\"maybe\": invalid syntax"},
		{"logs --timestamps= demo",
			"invalid argument \"\" for \"--timestamps\" flag: strconv.ParseBool: parsing \"\": "
			"invalid syntax"},
		{"logs demo --tail", "option --tail wants an argument"},
		{"logs --nosuch demo", "unknown option --nosuch"},
		{"delete -f a.yaml -fb.yaml", "-f was given twice"},
		{"get --follow", "minirun get takes no option --follow"},
		/* The letter is named, wherever in its word it stands. */
		{"exec -zi demo", "unknown option -z"},
		{"exec -iz demo", "unknown option -z"},
		{"get demo -Azw", "unknown option -z"},
		{"run --authfile= demo", "--authfile: the name of a file is empty"},
		{"run --seccomp-profile-root= demo", "--seccomp-profile-root: the name of a folder is empty"},
		{"learn --base= demo", "--base: the name of a file is empty"},
		{"apply --filename=", "--filename: the name of a file is empty"},
	};

	for (size_t i = 0; i < array_length(cases); i++) {
		struct line line;

		expect(parse(cases[i].text, &line) < 0);
		expect_text(line.err.message, cases[i].message);
		line_free(&line);
	}
}

/* A guess at a misspelt option is one that the command takes. */
static void guesses(void)
{
	static const struct {
		const char *text, *hint;
	} cases[] = {
		{"logs --folow demo", "did you mean --follow?"},
		{"unshare --foo", "the command that is to be run comes after --, with its own options"},
		{"get --onec", "`minirun help get` lists what it takes"},
		{"run -f demo", "the file stands alone, without -f: minirun run FILE"},
		{"get --follow", "`minirun help get` lists what it takes"},
	};

	for (size_t i = 0; i < array_length(cases); i++) {
		struct line line;

		expect(parse(cases[i].text, &line) < 0);
		expect_text(line.err.hint, cases[i].hint);
		line_free(&line);
	}
}

static void numbers(void)
{
	struct invocation invocation = {0};
	struct error err;
	int64_t value = 7;

	expect(option_number(&invocation, OPTION_TAIL, &value, &err) == 0 && value == 7);
	invocation.value[OPTION_TAIL] = "-3";
	expect(option_number(&invocation, OPTION_TAIL, &value, &err) == 0 && value == -3);
	invocation.value[OPTION_TAIL] = "x";
	expect(option_number(&invocation, OPTION_TAIL, &value, &err) < 0);
	expect_text(err.message, "invalid argument \"x\" for \"--tail\" flag: strconv.ParseInt: parsing "
				 "\"x\": invalid syntax");
	invocation.value[OPTION_TAIL] = "99999999999999999999";
	expect(option_number(&invocation, OPTION_TAIL, &value, &err) < 0);
	expect_text(err.message,
		"invalid argument \"99999999999999999999\" for \"--tail\" flag: strconv.ParseInt: parsing "
		"\"99999999999999999999\": value out of range");
	invocation.value[OPTION_SINCE] = "soon";
	expect(option_duration(&invocation, OPTION_SINCE, &value, &err) < 0);
	expect_text(err.message,
		"invalid argument \"soon\" for \"--since\" flag: time: invalid duration \"soon\"");
}

int main(void)
{
	group(flags);
	group(flags_that_are_on);
	group(arguments);
	group(words);
	group(guesses);
	group(numbers);
	return unit_done();
}
