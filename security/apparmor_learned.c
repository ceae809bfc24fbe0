/* What programs were seen to do, as an AppArmor profile. Theory of operation: apparmor_learned.h. */
#include "security/apparmor_learned.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

#define LETTERS "rwamklx"
#define ABI     "abi/3.0"
#define FLAGS   "attach_disconnected,mediate_deleted"

void apparmor_learned_free(struct apparmor_learned *learned)
{
	for (size_t i = 0; i < learned->n; i++)
		free(learned->rules[i].text);
	free(learned->rules);
	free(learned->unknown);
	*learned = (struct apparmor_learned){0};
}

/* ---- what a record becomes ---- */

/* The letters of a record as those of a profile: making and removing a file is writing. */
static uint32_t rights_of(const char *letters)
{
	uint32_t rights = 0;

	for (const char *c = letters; *c; c++) {
		const char *letter = strchr(LETTERS, *c == 'c' || *c == 'd' ? 'w' : *c);

		if (letter)
			rights |= 1U << (letter - LETTERS);
	}
	return rights;
}

/* Behind the number of a process in a path: "/proc/12" of "/proc/12/stat"; NULL if that isn't what it is. */
static const char *skip_process(const char *path)
{
	size_t digits;

	if (!text_starts_with(path, "/proc/"))
		return NULL;
	path += strlen("/proc/");
	digits = strspn(path, "0123456789");
	return digits && (path[digits] == '/' || !path[digits]) ? path + digits : NULL;
}

/* A path as the language has it: in quotes if need be, with a backslash before what would be a pattern. */
static char *quoted_path(const char *path)
{
	const char *rest = skip_process(path);
	bool quotes = false;
	char *quoted, *out;

	quoted = out = xcalloc(4 * strlen(path) + 32, 1);
	*out++ = '"';
	if (rest) {
		out += sprintf(out, "/proc/[0-9]*");
		path = rest;
	}
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;

		if (c < 0x20 || c == 0x7f) {
			out += sprintf(out, "\\%03o", c);
			quotes = true;
			continue;
		}
		quotes |= isspace(c) || c == ',' || c == '"' || c == '#';
		if (strchr("*?[]{}^\"\\", c))
			*out++ = '\\';
		*out++ = (char)c;
	}
	*out = '"';
	if (quotes)
		return quoted;
	*out = '\0';
	memmove(quoted, quoted + 1, strlen(quoted));
	return quoted;
}

/* A name that stands in a rule as it is; NULL if it has anything that could be taken for more. */
static const char *plain(const char *name)
{
	for (const char *c = name; c && *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_-./:@", *c))
			return NULL;
	return name && *name ? name : NULL;
}

/* The other side's profile, as part of a rule; "" for any. The profile that is learned under is the one that is made. */
static char *peer_text(const struct apparmor_record *record, const char *own)
{
	if (!plain(record->peer))
		return xstrdup("");
	return strcmp(record->peer, own) != 0 ? xasprintf(" peer=%s", record->peer)
					      : xstrdup(" peer=@{profile_name}");
}

/* "send, receive" of what the record says, in words. */
static char *access_text(const struct apparmor_record *record)
{
	const char *asked = record->denied && *record->denied ? record->denied : record->requested;
	char *text = xstrdup("");
	cleanup_free char *words = xstrdup(asked ? asked : "");
	char *rest = words;
	char *word;

	while ((word = strsep(&rest, " "))) {
		char *longer;

		if (!plain(word))
			continue;
		longer = xasprintf("%s%s%s", text, *text ? ", " : "", word);
		free(text);
		text = longer;
	}
	return text;
}

static char *mount_text(const struct apparmor_record *record)
{
	cleanup_free char *name = quoted_path(record->name ? record->name : "/");
	cleanup_free char *type = NULL;

	if (!strcmp(record->operation, "umount"))
		return xasprintf("umount %s", name);
	if (!strcmp(record->operation, "pivotroot"))
		return xstrdup("pivot_root");
	/* Its options and its source are left open: the kernel writes both of them in ways that the language hasn't. */
	type = plain(record->fstype) ? xasprintf(" fstype=%s", record->fstype) : xstrdup("");
	return xasprintf("mount%s -> %s", type, name);
}

/* The rule, without its comma; NULL if there is none for it. */
static char *rule_text(const struct apparmor_record *record, const char *own)
{
	cleanup_free char *peer = peer_text(record, own);
	cleanup_free char *access = access_text(record);

	switch (record->class) {
	case APPARMOR_FILE:
		return record->name && *record->name == '/' ? quoted_path(record->name) : NULL;
	case APPARMOR_CAPABILITY:
		return plain(record->name) ? xasprintf("capability %s", record->name) : NULL;
	case APPARMOR_NETWORK:
		if (!plain(record->family))
			return NULL;
		return plain(record->sock_type)
			       ? xasprintf("network %s %s", record->family, record->sock_type)
			       : xasprintf("network %s", record->family);
	case APPARMOR_MOUNT:
		return mount_text(record);
	case APPARMOR_PTRACE:
		return *access ? xasprintf("ptrace (%s)%s", access, peer) : NULL;
	case APPARMOR_SIGNAL:
		if (!*access)
			return NULL;
		return plain(record->signal)
			       ? xasprintf("signal (%s) set=(%s)%s", access, record->signal, peer)
			       : xasprintf("signal (%s)%s", access, peer);
	case APPARMOR_OTHER:
	default:
		return NULL;
	}
}

/* ---- the rules ---- */

static int compare(const struct learned_rule *rule, enum apparmor_class class, const char *text)
{
	if (rule->class != class)
		return rule->class < class ? -1 : 1;
	return strcmp(rule->text, text);
}

/* Takes the text. */
static void add_rule(struct apparmor_learned *learned, enum apparmor_class class, char *text, uint32_t rights)
{
	size_t low = 0, high = learned->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&learned->rules[middle], class, text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < learned->n && compare(&learned->rules[low], class, text) == 0) {
		learned->rules[low].rights |= rights;
		free(text);
		return;
	}
	if (learned->n == LEARNED_RULES) {
		learned->beyond++;
		free(text);
		return;
	}
	learned->rules = xreallocarray(learned->rules, learned->n + 1, sizeof(*learned->rules));
	memmove(&learned->rules[low + 1], &learned->rules[low], (learned->n - low) * sizeof(*learned->rules));
	learned->rules[low] = (struct learned_rule){class, text, rights};
	learned->n++;
}

void apparmor_learned_add(
	struct apparmor_learned *learned, const struct apparmor_record *record, const char *own)
{
	const char *letters = record->denied && *record->denied ? record->denied : record->requested;
	uint32_t rights = record->class == APPARMOR_FILE ? rights_of(letters ? letters : "") : 0;
	char *text = rule_text(record, own);

	/* Only the r of it is recorded: the ix of the profile to learn under has m in it. */
	if (rights &&
		(!strcmp(record->operation, "file_mmap") || !strcmp(record->operation, "file_mprotect")))
		rights |= rights_of("rm");
	learned->records++;
	if (!text || (record->class == APPARMOR_FILE && !rights)) {
		free(text);
		if (!learned->unknown)
			learned->unknown = apparmor_record_what(record);
		return;
	}
	add_rule(learned, record->class, text, rights);
}

void apparmor_learned_merge(struct apparmor_learned *learned, const struct apparmor_learned *other)
{
	for (size_t i = 0; i < other->n; i++)
		add_rule(learned, other->rules[i].class, xstrdup(other->rules[i].text),
			other->rules[i].rights);
	learned->records += other->records;
	learned->beyond += other->beyond;
	if (other->unknown && !learned->unknown)
		learned->unknown = xstrdup(other->unknown);
}

/* ---- the texts ---- */

/* "rwkix"; a file that is written needs no a besides. */
static void put_rights(FILE *out, uint32_t rights)
{
	if (rights & (1U << (strchr(LETTERS, 'w') - LETTERS)))
		rights &= ~(1U << (strchr(LETTERS, 'a') - LETTERS));
	for (size_t i = 0; i < strlen(LETTERS); i++)
		if (rights & (1U << i))
			fprintf(out, "%s%c", LETTERS[i] == 'x' ? "i" : "", LETTERS[i]);
}

static void put_head(FILE *out, const char *comment)
{
	if (comment)
		fprintf(out, "# %s\n", comment);
	/* Without a word on it, apparmor_parser takes rules to mean what they mean to the newest kernel that it knows. */
	if (access("/etc/apparmor.d/" ABI, R_OK) == 0)
		fprintf(out, "abi <" ABI ">,\n\n");
}

char *apparmor_learned_text(const struct apparmor_learned *learned, const char *name, const char *comment)
{
	static const enum apparmor_class order[] = {APPARMOR_CAPABILITY, APPARMOR_NETWORK, APPARMOR_MOUNT,
		APPARMOR_SIGNAL, APPARMOR_PTRACE, APPARMOR_FILE};
	cleanup_free char *quoted = quoted_path(name);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	put_head(out, comment);
	fprintf(out, "profile %s flags=(" FLAGS ") {\n", quoted);
	/* Whoever runs it must be able to end it. */
	fprintf(out, "  signal (receive) peer=unconfined,\n");
	for (size_t i = 0; i < array_length(order); i++) {
		bool is_first = true;

		for (size_t j = 0; j < learned->n; j++) {
			const struct learned_rule *rule = &learned->rules[j];

			if (rule->class != order[i])
				continue;
			fprintf(out, "%s  %s", is_first ? "\n" : "", rule->text);
			is_first = false;
			if (rule->class == APPARMOR_FILE) {
				fputc(' ', out);
				put_rights(out, rule->rights);
			}
			fprintf(out, ",\n");
		}
	}
	fprintf(out, "}\n");
	fclose(out);
	return text;
}

char *apparmor_learning_text(const char *name)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	put_head(out, NULL);
	fprintf(out, "profile %s flags=(complain," FLAGS ") {\n  audit /** ix,\n}\n", name);
	fclose(out);
	return text;
}
