/*
 * What the names of files and the comments of entries promise: "no-mkdir.json", "denies mkdir and rmdir".
 *
 * A word that denies or allows counts for the calls that follow it at once: at the first word that is neither a call nor
 * one of the few that stand between calls the promise ends. So "mkdir is not needed" promises nothing.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "security/lint.h"

#define LONGEST_CALL 4 /* words: "restart_syscall" has two, "rt_sigqueueinfo" two, "io_uring_enter" three */

static const char *const denying[] = {"no", "not", "deny", "denies", "denied", "denying", "block", "blocks",
	"blocked", "blocking", "forbid", "forbids", "refuse", "refuses", "without", "never", "disallow",
	"disallows", "drop", "drops", NULL};
static const char *const allowing[] = {"allow", "allows", "allowed", "allowing", "permit", "permits", NULL};
static const char *const turning[] = {
	"except", "but", "excluding", NULL}; /* what follows is the other way round */
static const char *const between[] = {
	"and", "or", "the", "a", "any", "all", "call", "calls", "syscall", "syscalls", "to", "of", "s", NULL};

/* Words that people use for calls. */
static const struct {
	const char *word, *call;
} known_as[] = {
	{"net", "socket"},
	{"network", "socket"},
	{"networking", "socket"},
	{"sockets", "socket"},
	{"mounts", "mount"},
	{"forks", "fork"},
};

enum promise {
	PROMISE_NONE,
	PROMISE_DENIED,
	PROMISE_ALLOWED,
};

/* What is told when a promise is broken. */
struct promiser {
	const struct lint *lint;
	const char *who; /* "it is called no-mkdir.json" */
	const char *call; /* as promised */
	const struct seccomp_entry *entry; /* whose calls alone the words can be about; NULL: any */
};

static bool is_among(const char *const *list, const char *word)
{
	for (; *list; list++)
		if (!strcmp(*list, word))
			return true;
	return false;
}

static bool is_denying(const char *word)
{
	return is_among(denying, word) || text_ends_with(word, "n't");
}

/* Words in lower case. An underscore parts words too: "no_mkdir" is two, and "init_module" is put together again. */
static char **split(const char *text)
{
	struct strv words = {0};

	while (*text) {
		size_t n = 0;
		char *word;

		while (*text && !isalnum((unsigned char)*text))
			text++;
		while (isalnum((unsigned char)text[n]) || (n && text[n] == '\''))
			n++;
		if (!n)
			break;
		word = xstrndup(text, n);
		for (size_t i = 0; i < n; i++)
			word[i] = (char)tolower((unsigned char)word[i]);
		strv_push(&words, word);
		text += n;
	}
	return words.items ? words.items : strv_copy(NULL);
}

/* The call that starts at words[0], of as many words as can be, or NULL; *n gets how many. */
static char *call_at(char *const *words, size_t *n)
{
	char *candidates[LONGEST_CALL] = {NULL};
	char *found = NULL;
	size_t most = 0;

	for (; most < LONGEST_CALL && words[most]; most++)
		candidates[most] =
			most ? xasprintf("%s_%s", candidates[most - 1], words[most]) : xstrdup(words[0]);
	for (size_t i = most; i-- > 0;) {
		if (!found && (seccomp_syscall_in_library(candidates[i]) ||
				      seccomp_syscall_number(0, candidates[i]) != SYSCALL_UNKNOWN)) {
			found = xstrdup(candidates[i]);
			*n = i + 1;
		}
		free(candidates[i]);
	}
	for (size_t i = 0; !found && i < array_length(known_as); i++)
		if (!strcmp(words[0], known_as[i].word)) {
			found = xstrdup(known_as[i].call);
			*n = 1;
		}
	return found;
}

/* "no open files" in a comment says nothing of open, unless the entry is about open. */
static bool is_meant(const struct promiser *promiser, const char *call)
{
	const struct seccomp_entry *entry = promiser->entry;

	for (size_t i = 0; entry && i < entry->n_names; i++)
		if (!strcmp(entry->names[i].name, call))
			return true;
	return !entry;
}

static void check_denied(void *data, const char *call)
{
	struct promiser *promiser = data;
	struct verdict verdict = lint_verdict(promiser->lint, call);
	bool itself = !strcmp(call, promiser->call);
	cleanup_free char *hint = NULL;

	if (!verdict.exists || !verdict.allowed || !is_meant(promiser, call))
		return;
	/* A promise not to make folders is broken by mkdirat too. */
	hint = verdict.rule ? xasprintf("take %s out of the list", call)
			    : xasprintf("add a rule that refuses %s", call);
	lint_add(promiser->lint, LINT_NAME_CONTRADICTS, lint_place(promiser->lint, &verdict), hint,
		"%s, and it allows %s%s%s", promiser->who, call, itself ? "" : ", which does as much as ",
		itself ? "" : promiser->call);
}

static void check_allowed(const struct promiser *promiser)
{
	struct verdict verdict = lint_verdict(promiser->lint, promiser->call);
	cleanup_free char *hint = xasprintf("allow %s, or say it otherwise", promiser->call);

	if (verdict.exists && verdict.refused && is_meant(promiser, promiser->call))
		lint_add(promiser->lint, LINT_NAME_CONTRADICTS, lint_place(promiser->lint, &verdict), hint,
			"%s, and it refuses %s", promiser->who, promiser->call);
}

static void check_promises(struct promiser *promiser, const char *text)
{
	cleanup_strv char **words = split(text);
	enum promise promise = PROMISE_NONE;

	for (size_t i = 0; words[i];) {
		size_t n = 1;
		cleanup_free char *call = promise == PROMISE_NONE ? NULL : call_at(&words[i], &n);

		if (is_denying(words[i])) {
			promise = PROMISE_DENIED;
		} else if (is_among(allowing, words[i])) {
			/* "not allowed: mkdir", "don't allow mkdir" */
			promise = promise == PROMISE_DENIED ? PROMISE_DENIED : PROMISE_ALLOWED;
		} else if (is_among(turning, words[i])) {
			promise = promise == PROMISE_DENIED    ? PROMISE_ALLOWED
				  : promise == PROMISE_ALLOWED ? PROMISE_DENIED
							       : PROMISE_NONE;
		} else if (call) {
			promiser->call = call;
			if (promise == PROMISE_DENIED)
				lint_each_alike(call, check_denied, promiser);
			else
				check_allowed(promiser);
		} else if (!is_among(between, words[i])) {
			promise = PROMISE_NONE;
		}
		i += n;
	}
}

static bool has_clause(const struct seccomp_clause *clause)
{
	return clause->capabilities || clause->arches || clause->has_kernel;
}

/* An entry's comment speaks of its own calls, in so far as it counts for all. */
static void lint_comments(const struct lint *lint)
{
	const struct node *syscalls = node_get(lint->root, "syscalls");

	for (size_t i = 0; syscalls && i < lint->profile->n_entries && i < syscalls->n; i++) {
		const struct seccomp_entry *entry = &lint->profile->entries[i];
		const struct node *comment = node_get(syscalls->items[i], "comment");
		cleanup_free char *who = NULL;
		struct promiser promiser = {.lint = lint, .entry = entry};

		if (!comment || comment->kind != NODE_STRING || has_clause(&entry->includes) ||
			has_clause(&entry->excludes) || entry->n_args)
			continue;
		who = xasprintf("the comment on line %u is \"%.60s%s\"", comment->line, comment->text,
			strlen(comment->text) > 60 ? "..." : "");
		promiser.who = who;
		check_promises(&promiser, comment->text);
	}
}

void lint_words(const struct lint *lint)
{
	const char *base = path_base(lint->name);
	cleanup_free char *who = xasprintf("it is called %s", base);
	struct promiser promiser = {.lint = lint, .who = who};

	check_promises(&promiser, base);
	lint_comments(lint);
}
