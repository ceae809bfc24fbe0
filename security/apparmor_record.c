/* A record of the kernel's audit about AppArmor, as text, taken apart. Theory of operation: apparmor_record.h. */
#include "security/apparmor_record.h"

#include <aalogparse/aalogparse.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

#define RECORD_LIMIT 9000 /* bytes; the kernel's own limit is 8970, MAX_AUDIT_MESSAGE_LENGTH */

enum value_form {
	FORM_TEXT, /* "in quotes", or hexadecimal */
	FORM_QUOTED, /* in quotes: hexadecimal is lost on libapparmor here, and stops it */
	FORM_NUMBER,
	FORM_WORD,
};

/*
 * The keys that libapparmor is given, and as what: those of newer kernels that mean the same have the old one's name. Once
 * each, and in the form that the kernel writes: what its parser doesn't expect it gives up on, and leaks.
 */
static const struct record_key {
	const char *key, *known;
	enum value_form form;
} keys[] = {
	{"operation", "operation", FORM_QUOTED},
	{"info", "info", FORM_QUOTED},
	{"namespace", "namespace", FORM_TEXT},
	{"profile", "profile", FORM_TEXT},
	{"name", "name", FORM_TEXT},
	{"pid", "pid", FORM_NUMBER},
	{"comm", "comm", FORM_TEXT},
	{"requested_mask", "requested_mask", FORM_QUOTED},
	{"denied_mask", "denied_mask", FORM_QUOTED},
	{"requested", "requested_mask", FORM_QUOTED},
	{"denied", "denied_mask", FORM_QUOTED},
	{"fsuid", "fsuid", FORM_NUMBER},
	{"ouid", "ouid", FORM_NUMBER},
	{"target", "target", FORM_QUOTED},
	{"capname", "name", FORM_TEXT},
	{"family", "family", FORM_QUOTED},
	{"sock_type", "sock_type", FORM_QUOTED},
	{"protocol", "protocol", FORM_NUMBER},
	{"fstype", "fstype", FORM_QUOTED},
	{"srcname", "srcname", FORM_QUOTED},
	{"flags", "flags", FORM_QUOTED},
	{"signal", "signal", FORM_WORD},
	{"peer", "peer", FORM_QUOTED},
};

/* A "key=value" of a record; the value with its quotes, if it has any. */
struct token {
	const char *key, *value;
	size_t key_size, value_size;
};

/* Takes the next one; false at the end, or where the text was cut off in a value. The kernel never puts '"' into quotes. */
static bool next_token(const char **at, const char *end, struct token *token)
{
	const char *p = *at;
	const char *close;

	while (p < end && *p == ' ')
		p++;
	token->key = p;
	while (p < end && *p != '=' && *p != ' ')
		p++;
	token->key_size = (size_t)(p - token->key);
	if (p == end || *p != '=')
		return false;
	token->value = ++p;
	if (p < end && *p == '"') {
		close = memchr(p + 1, '"', (size_t)(end - p - 1));
		if (!close)
			return false;
		p = close + 1;
	} else {
		while (p < end && *p != ' ')
			p++;
	}
	token->value_size = (size_t)(p - token->value);
	*at = p;
	return true;
}

static bool token_is(const struct token *token, const char *key, const char *value)
{
	return strlen(key) == token->key_size && !memcmp(token->key, key, token->key_size) &&
	       (!value || (strlen(value) == token->value_size &&
				  !memcmp(token->value, value, token->value_size)));
}

static bool is_all(const char *s, size_t n, int (*is_one)(int))
{
	for (size_t i = 0; i < n; i++)
		if (!is_one((unsigned char)s[i]))
			return false;
	return n > 0;
}

static int is_lower(int c)
{
	return islower(c) || isdigit(c) || c == '_';
}

static bool has_form(const struct token *token, enum value_form form)
{
	const char *s = token->value;
	size_t n = token->value_size;

	if (form == FORM_NUMBER)
		return n < 16 && is_all(s, n, isdigit);
	if (form == FORM_WORD)
		return is_all(s, n, is_lower);
	/* The kernel has no escapes in quotes, and libapparmor has: a backslash there would keep the quotes from ending. */
	if (n >= 2 && *s == '"')
		return n == 2 ||
		       (is_all(s + 1, n - 2, isprint) && (form == FORM_TEXT || !memchr(s, '\\', n)));
	return form == FORM_TEXT && n % 2 == 0 && is_all(s, n, isxdigit);
}

/* A value as it was meant: without its quotes, or from hexadecimal. */
static char *decode(const struct token *token)
{
	size_t n = token->value_size / 2;
	char *text;

	if (*token->value == '"')
		return xstrndup(token->value + 1, token->value_size - 2);
	text = xcalloc(n + 1, 1);
	for (size_t i = 0; i < n; i++) {
		const char digits[3] = {token->value[2 * i], token->value[2 * i + 1]};

		text[i] = (char)strtoul(digits, NULL, 16);
	}
	return text;
}

/* What programs choose, and libapparmor takes only in quotes and without a backslash. */
static void take_odd(struct apparmor_record *record, const struct token *token)
{
	const struct {
		const char *key;
		char **field;
	} fields[] = {
		{"target", &record->target},
		{"srcname", &record->source},
		{"fstype", &record->fstype},
		{"flags", &record->flags},
		{"peer", &record->peer},
	};

	for (size_t i = 0; i < array_length(fields); i++)
		if (token_is(token, fields[i].key, NULL) && !*fields[i].field && has_form(token, FORM_TEXT) &&
			!has_form(token, FORM_QUOTED))
			*fields[i].field = decode(token);
}

/* The key as libapparmor knows it; NULL for one that it doesn't, or that *seen says was there before. */
static const char *known_key(const struct token *token, uint32_t *seen)
{
	for (size_t i = 0; i < array_length(keys); i++) {
		uint32_t bit = 0;

		if (!token_is(token, keys[i].key, NULL))
			continue;
		for (size_t j = 0; !bit; j++)
			if (!strcmp(keys[j].known, keys[i].known))
				bit = 1U << j;
		if ((*seen & bit) || !has_form(token, keys[i].form))
			return NULL;
		*seen |= bit;
		return keys[i].known;
	}
	return NULL;
}

/* "audit(1700000000.123:45): ", and what comes behind it; NULL if that isn't how it begins. */
static const char *skip_stamp(const char *text)
{
	char after;
	int n = 0;

	if (sscanf(text, "audit(%*10[0-9].%*3[0-9]:%*10[0-9]):%n%c", &n, &after) != 1 || after != ' ')
		return NULL;
	return text + n;
}

/* A name with a backslash goes in hexadecimal. Returns how much was written. */
static size_t put_token(char *out, size_t room, const char *key, const struct token *token)
{
	size_t n = (size_t)snprintf(out, room, " %s=", key);

	if (*token->value != '"' || !memchr(token->value, '\\', token->value_size))
		return n + (size_t)snprintf(out + n, room - n, "%.*s", (int)token->value_size, token->value);
	for (size_t i = 1; i + 1 < token->value_size; i++)
		n += (size_t)snprintf(out + n, room - n, "%02X", (unsigned char)token->value[i]);
	return n;
}

/* The record in the words of libapparmor's oldest version: `type=AVC msg=audit(...): apparmor="DENIED" ...`. */
static bool normalise(const char *text, size_t size, char *out, size_t room, struct apparmor_record *record)
{
	const char *end = text + size;
	const char *at = skip_stamp(text);
	const char *stamp_end = at;
	struct token token;
	uint32_t seen = 0;
	size_t n;

	if (!at || !next_token(&at, end, &token))
		return false;
	record->complain = token_is(&token, "apparmor", "\"ALLOWED\"");
	record->audited = token_is(&token, "apparmor", "\"AUDIT\"");
	/* "KILLED" is a refusal by a profile in kill mode. */
	if (!record->complain && !record->audited && !token_is(&token, "apparmor", "\"DENIED\"") &&
		!token_is(&token, "apparmor", "\"KILLED\""))
		return false;
	n = (size_t)snprintf(out, room, "type=AVC msg=%.*s apparmor=\"%s\"", (int)(stamp_end - text), text,
		record->complain ? "ALLOWED" : "DENIED");
	while (next_token(&at, end, &token)) {
		const char *key = known_key(&token, &seen);

		if (!key)
			take_odd(record, &token);
		if (!key || 2 * token.value_size + strlen(key) + 3 > room - n)
			continue;
		n += put_token(out + n, room - n, key, &token);
	}
	return true;
}

/* What a record is about: of old kernels it has no class. */
static enum apparmor_class class_of(const struct apparmor_record *record)
{
	static const struct {
		const char *operation;
		enum apparmor_class class;
	} operations[] = {
		{"capable", APPARMOR_CAPABILITY},
		{"mount", APPARMOR_MOUNT},
		{"umount", APPARMOR_MOUNT},
		{"pivotroot", APPARMOR_MOUNT},
		{"ptrace", APPARMOR_PTRACE},
		{"signal", APPARMOR_SIGNAL},
		{"change_profile", APPARMOR_OTHER},
		{"change_onexec", APPARMOR_OTHER},
		{"change_hat", APPARMOR_OTHER},
		{"stack", APPARMOR_OTHER},
		{"stack_onexec", APPARMOR_OTHER},
		{"setrlimit", APPARMOR_OTHER},
	};

	for (size_t i = 0; i < array_length(operations); i++)
		if (!strcmp(record->operation, operations[i].operation))
			return operations[i].class;
	if (record->family)
		return APPARMOR_NETWORK;
	/* A file whose path can't be told has an empty name, or none ("Failed name lookup"). */
	return record->name ? APPARMOR_FILE : APPARMOR_OTHER;
}

static void take_field(char **field, char **parsed)
{
	if (!*field)
		*field = steal_pointer(parsed);
}

static void take(struct apparmor_record *record, aa_log_record *parsed)
{
	record->pid = (pid_t)parsed->pid;
	record->owner = parsed->fsuid == parsed->ouid;
	record->operation = steal_pointer(&parsed->operation);
	record->profile = steal_pointer(&parsed->profile);
	record->namespace = steal_pointer(&parsed->namespace);
	record->program = steal_pointer(&parsed->comm);
	record->name = steal_pointer(&parsed->name);
	take_field(&record->target, &parsed->name2);
	record->requested = steal_pointer(&parsed->requested_mask);
	record->denied = steal_pointer(&parsed->denied_mask);
	record->info = steal_pointer(&parsed->info);
	take_field(&record->peer, &parsed->peer);
	record->signal = steal_pointer(&parsed->signal);
	record->family = steal_pointer(&parsed->net_family);
	record->sock_type = steal_pointer(&parsed->net_sock_type);
	record->protocol = steal_pointer(&parsed->net_protocol);
	take_field(&record->fstype, &parsed->fs_type);
	take_field(&record->source, &parsed->src_name);
	take_field(&record->flags, &parsed->flags);
}

bool apparmor_record_parse(const char *text, size_t size, struct apparmor_record *record)
{
	char known[2 * RECORD_LIMIT + 64];
	cleanup_free char *line = NULL;
	aa_log_record *parsed;
	bool is_refusal;

	*record = (struct apparmor_record){0};
	size = strnlen(text, size);
	if (size > RECORD_LIMIT)
		return false;
	line = xstrndup(text, size);
	if (!normalise(line, size, known, sizeof(known), record))
		return false;
	parsed = parse_record(known);
	if (!parsed)
		return false;
	is_refusal = (parsed->event == AA_RECORD_DENIED || parsed->event == AA_RECORD_ALLOWED) &&
		     parsed->operation && parsed->profile;
	if (is_refusal) {
		take(record, parsed);
		record->class = class_of(record);
	}
	free_record(parsed);
	return is_refusal;
}

void apparmor_record_free(struct apparmor_record *record)
{
	char **const strings[] = {&record->operation, &record->profile, &record->namespace, &record->program,
		&record->name, &record->target, &record->requested, &record->denied, &record->info,
		&record->peer, &record->signal, &record->family, &record->sock_type, &record->protocol,
		&record->fstype, &record->source, &record->flags};

	for (size_t i = 0; i < array_length(strings); i++) {
		char **string = strings[i];

		free(*string);
		*string = NULL;
	}
}
