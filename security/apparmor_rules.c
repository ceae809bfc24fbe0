/* The text of an AppArmor profile as a list of rules. See apparmor_rules.h. */
#include "security/apparmor_rules.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"

#define INCLUDE_ROOT  "/etc/apparmor.d"
#define INCLUDE_LIMIT (1U << 20) /* bytes of a file */
#define INCLUDE_DEPTH 8
#define MOST_RULES    20000
#define MOST_WORDS    64 /* of a rule; beyond that they don't matter here */

struct scanner {
	const char *at;
	unsigned int line;
	const char *line_start;
	struct apparmor_rules *rules;
	size_t stack[16]; /* of profiles that are open */
	size_t depth;
	int included; /* how deep */
};

/* The words of a statement, and where it begins. */
struct statement {
	char *words[MOST_WORDS];
	size_t n;
	unsigned int line, column;
	char end; /* what ended it: ',' '{' '}' '\n', or 0 at the end of the text */
};

static void statement_free(struct statement *statement)
{
	for (size_t i = 0; i < statement->n; i++)
		free(statement->words[i]);
	statement->n = 0;
}

static void advance(struct scanner *scanner)
{
	if (*scanner->at == '\n') {
		scanner->line++;
		scanner->line_start = scanner->at + 1;
	}
	scanner->at++;
}

static bool is_include(const char *at)
{
	at += *at == '#';
	return text_starts_with(at, "include") && strchr(" \t<\"", at[7]) && at[7];
}

/* Comments, too; "#include" is none. Stops at the end of a line where lines count. */
static void skip_space(struct scanner *scanner, bool lines_count)
{
	for (;;) {
		if (*scanner->at == '#' && !is_include(scanner->at))
			while (*scanner->at && *scanner->at != '\n')
				advance(scanner);
		else if (isspace((unsigned char)*scanner->at) && !(lines_count && *scanner->at == '\n'))
			advance(scanner);
		else
			return;
	}
}

static bool ends_word(const char *at, int braces)
{
	if (!*at || isspace((unsigned char)*at))
		return true;
	if (*at == ',')
		return braces == 0 && (isspace((unsigned char)at[1]) || !at[1] || at[1] == '#');
	return *at == '}' && braces == 0;
}

/* To the character that closes what is open here, or the end. */
static void skip_to(struct scanner *scanner, char close)
{
	do {
		if (*scanner->at == '\\' && scanner->at[1])
			advance(scanner);
		advance(scanner);
	} while (*scanner->at && *scanner->at != close);
	if (*scanner->at)
		advance(scanner);
}

/* A word: a pattern with its braces, something in quotes or in parentheses whole. Quotes are left out of it. */
static char *take_word(struct scanner *scanner)
{
	const char *start = scanner->at;
	int braces = 0;
	char *word, *out;

	while (!ends_word(scanner->at, braces)) {
		if (*scanner->at == '"' || *scanner->at == '(') {
			skip_to(scanner, *scanner->at == '"' ? '"' : ')');
			continue;
		}
		braces += *scanner->at == '{';
		braces -= *scanner->at == '}';
		if (*scanner->at == '\\' && scanner->at[1])
			advance(scanner);
		advance(scanner);
	}
	word = out = xstrndup(start, (size_t)(scanner->at - start));
	for (const char *in = word; *in; in++)
		if (*in != '"')
			*out++ = *in;
	*out = '\0';
	return word;
}

/* "@{X} = a b", "$x = true", "include <a>" are ended by the end of their line. */
static bool ends_by_line(const struct statement *statement, const struct scanner *scanner)
{
	const char *first = statement->n ? statement->words[0] : "";
	const char *last = statement->n ? statement->words[statement->n - 1] : "";

	if (!strcmp(first, "include") || !strcmp(first, "#include") || text_starts_with(first, "include<") ||
		text_starts_with(first, "#include<"))
		return true;
	if (*first == '$')
		return true;
	if (!text_starts_with(first, "@{"))
		return false;
	if (statement->n < 2)
		return strchr(first, '=') || text_starts_with(scanner->at, "+=") || *scanner->at == '=';
	return strchr(first, '=') || *last == '=' || text_starts_with(last, "+=") ||
	       *statement->words[1] == '=' || text_starts_with(statement->words[1], "+=");
}

/* Reads one. False at the end of the text. */
static bool next_statement(struct scanner *scanner, struct statement *statement)
{
	*statement = (struct statement){0};
	skip_space(scanner, false);
	statement->line = scanner->line;
	statement->column = (unsigned int)(scanner->at - scanner->line_start) + 1;
	for (;;) {
		bool by_line = ends_by_line(statement, scanner);
		char *word;

		skip_space(scanner, by_line);
		statement->end = *scanner->at;
		if (!*scanner->at)
			return statement->n > 0;
		if (by_line && *scanner->at == '\n')
			return true;
		if (*scanner->at == ',' || *scanner->at == '}' ||
			(*scanner->at == '{' &&
				(isspace((unsigned char)scanner->at[1]) || !scanner->at[1]))) {
			advance(scanner);
			return true;
		}
		word = take_word(scanner);
		if (statement->n < MOST_WORDS)
			statement->words[statement->n++] = word;
		else
			free(word);
	}
}

static char *join(char *const *words, size_t n)
{
	char *text = xstrdup("");

	for (size_t i = 0; i < n; i++) {
		char *longer = xasprintf("%s%s%s", text, i ? " " : "", words[i]);

		free(text);
		text = longer;
	}
	return text;
}

/* "profile NAME [PATH] [flags=(...)]", "hat NAME", "^NAME", "/path". */
static void open_profile(struct scanner *scanner, const struct statement *statement)
{
	struct apparmor_rules *rules = scanner->rules;
	size_t first = statement->n > 1 &&
		       (!strcmp(statement->words[0], "profile") || !strcmp(statement->words[0], "hat"));
	struct apparmor_section *section;
	const char *flags = NULL;

	for (size_t i = 0; i < statement->n; i++)
		if (text_starts_with(statement->words[i], "flags=") || *statement->words[i] == '(')
			flags = strchr(statement->words[i], '(');
	rules->profiles = xreallocarray(rules->profiles, rules->n_profiles + 1, sizeof(*rules->profiles));
	section = &rules->profiles[rules->n_profiles];
	*section = (struct apparmor_section){
		.name = xstrdup(statement->n > first ? statement->words[first] : ""),
		.flags = flags ? xstrndup(flags + 1, strcspn(flags + 1, ")")) : xstrdup(""),
		.line = statement->line,
		.column = statement->column,
		.is_child = scanner->depth > 0,
	};
	if (scanner->depth < array_length(scanner->stack))
		scanner->stack[scanner->depth++] = rules->n_profiles;
	rules->n_profiles++;
}

static bool is_path(const char *word)
{
	return *word == '/' || text_starts_with(word, "@{");
}

static bool is_rights(const char *word)
{
	return *word && word[strspn(word, "rwaxmlkdiucpPCU")] == '\0';
}

/* What stands behind the qualifiers: "[file] [RIGHTS] PATH [RIGHTS] [-> TARGET]", or "file". */
static void read_file_rule(struct apparmor_rule *rule, char *const *words, size_t n)
{
	size_t i = n && !strcmp(words[0], "file");

	if (n == 1 && (i || !strcmp(words[0], "all"))) {
		rule->kind = RULE_FILE;
		return;
	}
	if (i < n && is_rights(words[i]) && i + 1 < n && is_path(words[i + 1])) {
		rule->rights = xstrdup(words[i]);
		rule->path = xstrdup(words[i + 1]);
	} else if (i < n && is_path(words[i])) {
		rule->path = xstrdup(words[i]);
		rule->rights = xstrdup(i + 1 < n && is_rights(words[i + 1]) ? words[i + 1] : "");
	}
	if (rule->path)
		rule->kind = RULE_FILE;
}

static void add_rule(struct scanner *scanner, const struct statement *statement)
{
	struct apparmor_rules *rules = scanner->rules;
	struct apparmor_rule rule = {
		.kind = RULE_OTHER,
		.included = scanner->included > 0,
		.profile = scanner->stack[scanner->depth - 1],
		.line = statement->line,
		.column = statement->column,
	};
	size_t i = 0;

	for (; i < statement->n; i++) {
		const char *word = statement->words[i];

		if (!strcmp(word, "deny"))
			rule.deny = true;
		else if (!strcmp(word, "audit"))
			rule.audit = true;
		else if (strcmp(word, "allow") != 0 && strcmp(word, "owner") != 0 &&
			 strcmp(word, "other") != 0 && strcmp(word, "quiet") != 0 &&
			 !text_starts_with(word, "priority="))
			break;
	}
	if (i == statement->n)
		return;
	if (rules->n >= MOST_RULES) {
		rules->incomplete = true;
		return;
	}
	read_file_rule(&rule, statement->words + i, statement->n - i);
	rule.text = join(statement->words, statement->n);
	rules->items = xreallocarray(rules->items, rules->n + 1, sizeof(*rules->items));
	rules->items[rules->n++] = rule;
}

static void scan(struct scanner *scanner);

static void include_file(const struct scanner *scanner, const char *path, bool optional)
{
	struct scanner inner = *scanner;
	cleanup_free char *text = NULL;
	struct error ignored;

	if (file_read(path, INCLUDE_LIMIT, ERROR_PROFILE, &text, NULL, &ignored) < 0) {
		scanner->rules->incomplete |= !optional;
		return;
	}
	inner.at = inner.line_start = text;
	inner.line = 1;
	inner.included++;
	scan(&inner);
}

/* "include [if exists] <abstractions/base>", or "a path in quotes"; of a folder, all files. */
static void include(const struct scanner *scanner, const struct statement *statement)
{
	const char *last = statement->words[statement->n - 1];
	const char *bracket = strchr(last, '<');
	bool optional = statement->n > 2 && !strcmp(statement->words[1], "if");
	cleanup_free char *name = bracket ? xstrndup(bracket + 1, strcspn(bracket + 1, ">")) : xstrdup(last);
	cleanup_free char *path = *name == '/' ? xstrdup(name) : xasprintf("%s/%s", INCLUDE_ROOT, name);
	cleanup_dir DIR *dir = NULL;
	const struct dirent *entry;
	struct stat st;

	if (scanner->included >= INCLUDE_DEPTH || stat(path, &st) < 0 ||
		(!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))) {
		scanner->rules->incomplete |= !optional;
		return;
	}
	if (S_ISREG(st.st_mode)) {
		include_file(scanner, path, optional);
		return;
	}
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		cleanup_free char *file = xasprintf("%s/%s", path, entry->d_name);

		if (*entry->d_name != '.' && stat(file, &st) == 0 && S_ISREG(st.st_mode))
			include_file(scanner, file, optional);
	}
}

static void scan(struct scanner *scanner)
{
	struct statement statement;

	while (next_statement(scanner, &statement)) {
		bool by_line = ends_by_line(&statement, scanner);

		if (by_line && statement.n && strstr(statement.words[0], "include"))
			include(scanner, &statement);
		else if (statement.end == '{')
			open_profile(scanner, &statement);
		else if (!by_line && scanner->depth && statement.n)
			add_rule(scanner, &statement);
		if (statement.end == '}' && scanner->depth)
			scanner->depth--;
		statement_free(&statement);
	}
}

void apparmor_rules_read(const char *text, struct apparmor_rules *rules)
{
	struct scanner scanner = {.at = text, .line = 1, .line_start = text, .rules = rules};

	*rules = (struct apparmor_rules){0};
	scan(&scanner);
}

void apparmor_rules_free(struct apparmor_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++) {
		free(rules->items[i].path);
		free(rules->items[i].rights);
		free(rules->items[i].text);
	}
	for (size_t i = 0; i < rules->n_profiles; i++) {
		free(rules->profiles[i].name);
		free(rules->profiles[i].flags);
	}
	free(rules->items);
	free(rules->profiles);
	*rules = (struct apparmor_rules){0};
}

bool apparmor_is_profile(const char *text)
{
	struct scanner scanner = {.at = text, .line = 1, .line_start = text};
	static const char *const starts[] = {
		"profile ", "profile\t", "abi ", "alias ", "@{", "/", "hat ", "^"};

	skip_space(&scanner, false);
	if (is_include(scanner.at))
		return true;
	for (size_t i = 0; i < array_length(starts); i++)
		if (text_starts_with(scanner.at, starts[i]))
			return true;
	return false;
}
