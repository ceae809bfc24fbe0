/* Text: comparing, splitting, guessing what was meant. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool text_starts_with(const char *s, const char *prefix);
bool text_ends_with(const char *s, const char *suffix);
/* Whether a word is one of a list, "a b c". What has a space in it is none. */
bool text_has_word(const char *list, const char *word);
/* Of lines "NAME:\tVALUE", as in /proc/PID/status: what follows the colon of the first with that name, to the end of the text; or NULL. */
const char *text_field(const char *lines, const char *name);

/*
 * The candidate nearest to word by edit distance (transpositions count one, case half), or NULL if none is near
 * enough to suggest: at most a third of the word's length, at least one; or only its case differs.
 */
const char *text_nearest(const char *word, const char *const *candidates, size_t n);

/*
 * Parses a decimal number in [min, max]; the whole string must be digits (one leading '-' if min < 0): no
 * white space, '+', hex. Returns false otherwise and leaves *value alone. (CVE-2026-30892: "1" read as 0.)
 */
bool text_to_integer(const char *s, int64_t min, int64_t max, int64_t *value);

/* "142 MiB", "9.5 KiB", "0 B": a size for people. Returns buffer. */
const char *text_size(uint64_t bytes, char *buffer, size_t size);

/*
 * The time now as RFC 3339 has it, "2026-11-24T12:00:00.123456Z", with 6 or 9 digits of the second's fraction. Returns its length;
 * buffer has room for it.
 */
size_t text_now(char *buffer, size_t size, int digits);

/* What errno means, as Go has it: "connection refused", in lower case. A fresh string. */
char *text_errno(int errnum);

/* What follows a path's last slash; the path itself if there is none. */
const char *path_base(const char *path);
/* The folder that a path's last part is in: "." for a name alone. To be freed. */
char *path_folder(const char *path);

/*
 * Makes text from outside safe to print on a terminal: control characters (C0 but tab, DEL, C1), characters that turn the
 * direction of what follows, and what isn't UTF-8 become \xNN. Returns a fresh string.
 */
char *text_printable(const char *s, size_t n);

/* Text from outside as UTF-8, as JSON and YAML have to be: what isn't becomes U+FFFD. size, if not NULL: of the fresh string. */
char *text_utf8(const char *s, size_t n, size_t *size);

/*
 * Serialised JSON for a terminal: of the characters that text_printable takes out those that json-c leaves as they are (DEL, C1, what
 * turns the direction) become \uNNNN, and what isn't UTF-8 \ufffd. A fresh string.
 */
char *text_json(const char *json, size_t n);

/*
 * As text_printable where it must be UTF-8 as well, as JSON must: what isn't becomes \xNN too, as do C1 controls. At most max bytes
 * of it are shown, then "...". text_quoted puts it in double quotes, and a backslash before each '"' and '\' in it.
 */
char *text_shown(const char *s, size_t n, size_t max);
char *text_quoted(const char *s, size_t n, size_t max);

#endif
