/* What `minirun check` prints: lines for people, one document for tools. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/check/check.h"
#include "runner/json_out.h"

#define NAME_COLUMN  9 /* after the group */
#define STATE_COLUMN 26
#define TEXT_COLUMN  34
#define NOTE_COLUMN  11 /* of the lines below */
#define WIDTH_MIN    60

static const char *const colours[] = {
	[TRIAL_MISSING] = "\033[31m", [TRIAL_LIMITED] = "\033[33m", [TRIAL_OK] = "\033[32m"};

/* The columns there are; 0 where it isn't a terminal, and a line shall stay one. */
static size_t width_of(FILE *out)
{
	struct winsize size;

	if (!isatty(fileno(out)))
		return 0;
	if (ioctl(fileno(out), TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return 80;
	return size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col;
}

/* Prints words up to the width, and goes on below, at column indent, where the first line began. */
static void print_wrapped(const char *text, size_t indent, FILE *out)
{
	size_t width = width_of(out), column = indent;

	while (*text) {
		size_t word = strcspn(text, " ");

		if (width && column > indent && column + 1 + word > width) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", (int)word, text);
		column += word;
		text += word + (text[word] == ' ');
	}
	fputc('\n', out);
}

static void print_note(const char *kind, const char *text, FILE *out)
{
	fprintf(out, "%*s%s: ", NOTE_COLUMN, "", kind);
	print_wrapped(text, NOTE_COLUMN + strlen(kind) + 2, out);
}

void check_print_line(
	const struct check *check, const struct trial *trial, bool verbose, bool color, FILE *out)
{
	const char *state = trial_state_name(trial->state);
	cleanup_free char *detail = text_printable(trial->detail, strlen(trial->detail));
	cleanup_free char *mend = text_printable(trial->mend, strlen(trial->mend));

	fprintf(out, "%-*s%-*s%s%-*s%s", NAME_COLUMN, check->group ? check->group : "",
		STATE_COLUMN - NAME_COLUMN, check->name, color ? colours[trial->state] : "",
		TEXT_COLUMN - STATE_COLUMN, state, color ? "\033[0m" : "");
	print_wrapped(detail, TEXT_COLUMN, out);
	if (verbose || (trial->state != TRIAL_OK && !trial->untried))
		print_note("why", check->why, out);
	if (!trial->untried && trial->state != TRIAL_OK && *mend)
		print_note("mend", mend, out);
}

void check_print_all(const struct trial *trials, bool runs, bool verbose, bool color, FILE *out)
{
	for (size_t i = 0; i < n_checks; i++)
		check_print_line(&checks[i], &trials[i], verbose, color, out);
	fprintf(out, "%s\n", runs ? "The demo would run here." : "The demo would not run here.");
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	if (text && *text)
		json_object_object_add(object, key, json_object_new_string(text));
}

static const char *group_of(const struct check *check)
{
	while (!check->group)
		check--;
	return check->group;
}

void check_print_json(const struct trial_place *place, const struct trial *trials, bool runs)
{
	struct json_object *all = json_object_new_object();
	struct json_object *list = json_object_new_array();

	json_object_object_add(all, "runs", json_object_new_boolean(runs));
	add_text(all, "store", place->store);
	for (size_t i = 0; i < n_checks; i++) {
		struct json_object *one = json_object_new_object();

		add_text(one, "group", group_of(&checks[i]));
		add_text(one, "name", checks[i].name);
		add_text(one, "state", trial_state_name(trials[i].state));
		json_object_object_add(
			one, "needed", json_object_new_boolean(check_is_needed(&checks[i], place)));
		add_text(one, "detail", trials[i].detail);
		add_text(one, "why", checks[i].why);
		if (trials[i].state != TRIAL_OK)
			add_text(one, "mend", trials[i].mend);
		json_object_array_add(list, one);
	}
	json_object_object_add(all, "checks", list);
	json_out_print(all, stdout);
	json_object_put(all);
}
