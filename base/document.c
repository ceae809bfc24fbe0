/* A document: a tree of values, each with its place in the text, read from JSON or YAML. */
#include "base/document.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/reader.h"
#include "base/text.h"

/* Recursion is safe: no tree is deeper than DOCUMENT_DEPTH and a few. */
void node_free(struct node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->n; i++)
		node_free(node->items[i]);
	free(node->items);
	free(node->text);
	free(node->key);
	free(node);
}

struct node *node_get(const struct node *node, const char *key)
{
	if (!node || node->kind != NODE_MAP)
		return NULL;
	for (size_t i = 0; i < node->n; i++)
		if (!strcmp(node->items[i]->key, key))
			return node->items[i];
	return NULL;
}

const char *node_kind_name(enum node_kind kind)
{
	static const char *const names[] = {
		[NODE_NULL] = "null",
		[NODE_BOOL] = "boolean",
		[NODE_INTEGER] = "integer",
		[NODE_DOUBLE] = "number",
		[NODE_STRING] = "string",
		[NODE_LIST] = "list",
		[NODE_MAP] = "map",
	};

	return names[kind];
}

void *reader_fail(struct reader *reader, unsigned int line, unsigned int column, const char *hint,
	const char *format, ...)
{
	cleanup_free char *text = NULL, *safe = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = xstrdup("out of memory");
	va_end(args);
	safe = text_printable(text, strlen(text));
	findings_add(reader->findings, SEVERITY_ERROR, line, column, NULL, hint, "%s", safe);
	return NULL;
}

struct node *reader_node(struct reader *reader, enum node_kind kind, unsigned int line, unsigned int column)
{
	struct node *node;

	if (++reader->nodes > DOCUMENT_NODES)
		return reader_fail(
			reader, line, column, NULL, "the file holds more than %d values", DOCUMENT_NODES);
	node = xcalloc(1, sizeof(*node));
	node->kind = kind;
	node->line = line;
	node->column = column;
	return node;
}

struct node *reader_list(void)
{
	struct node *list = xcalloc(1, sizeof(*list));

	list->kind = NODE_LIST;
	return list;
}

int reader_charge(struct reader *reader, size_t bytes, unsigned int line, unsigned int column)
{
	reader->bytes += bytes;
	if (reader->bytes <= 2 * (size_t)DOCUMENT_SIZE)
		return 0;
	reader_fail(reader, line, column, NULL, "the file's aliases expand to more than %u MiB",
		2 * DOCUMENT_SIZE >> 20);
	return -1;
}

void node_append(struct node *parent, struct node *item)
{
	/* Grows at 1, 2, 4, 8, ...: a power of two is full. */
	if ((parent->n & (parent->n - 1)) == 0)
		parent->items =
			xreallocarray(parent->items, parent->n ? parent->n * 2 : 1, sizeof(struct node *));
	parent->items[parent->n++] = item;
}

static int compare_keys(const void *a, const void *b)
{
	const struct node *x = *(struct node *const *)a, *y = *(struct node *const *)b;
	int order = strcmp(x->key, y->key);

	if (order)
		return order;
	if (x->key_line != y->key_line)
		return x->key_line < y->key_line ? -1 : 1;
	return x->key_column < y->key_column ? -1 : x->key_column > y->key_column;
}

void reader_check_keys(struct reader *reader, const struct node *map)
{
	cleanup_free struct node **sorted = NULL;

	if (map->n < 2)
		return;
	sorted = xcalloc(map->n, sizeof(*sorted));
	memcpy(sorted, map->items, map->n * sizeof(*sorted));
	qsort(sorted, map->n, sizeof(*sorted), compare_keys);
	for (size_t i = 1; i < map->n; i++) {
		const struct node *first = sorted[i - 1], *twin = sorted[i];

		if (!strcmp(first->key, twin->key))
			reader_fail(reader, twin->key_line, twin->key_column, NULL,
				"duplicate key \"%s\": it stands on line %u already", twin->key,
				first->key_line);
	}
}

/* The length of the UTF-8 character at p, or 0 if there is none (RFC 3629: no overlong form, no surrogate). */
static size_t utf8_length(const unsigned char *p, size_t left)
{
	size_t n = p[0] < 0x80   ? 1
		   : p[0] < 0xc2 ? 0
		   : p[0] < 0xe0 ? 2
		   : p[0] < 0xf0 ? 3
		   : p[0] < 0xf5 ? 4
				 : 0;

	if (n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
		(p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

/* Both formats are UTF-8 without NUL bytes; what reads them may rely on it. */
static int check_characters(struct reader *reader)
{
	const unsigned char *p = (const unsigned char *)reader->text, *end = p + reader->size;
	unsigned int line = 1, column = 1;

	while (p < end) {
		size_t n = utf8_length(p, (size_t)(end - p));

		if (n == 0) {
			reader_fail(reader, line, column, "save the file as UTF-8",
				"invalid UTF-8: byte 0x%02x", *p);
			return -1;
		}
		if (*p == '\0') {
			reader_fail(reader, line, column, "is this a text file?", "NUL byte");
			return -1;
		}
		column++;
		if (*p == '\n') {
			line++;
			column = 1;
		}
		p += n;
	}
	return 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct node *read_all(struct reader *reader, enum document_format format)
{
	size_t errors = reader->findings->errors, start = 0;
	struct node *list = NULL;

	if (reader->size > DOCUMENT_SIZE)
		return reader_fail(reader, 0, 0, NULL, "the file is larger than %u MiB", DOCUMENT_SIZE >> 20);
	if (reader->size >= 3 &&
		!memcmp(reader->text, "\xef\xbb\xbf", 3)) { /* a byte order mark, from an editor on Windows */
		reader->text += 3;
		reader->size -= 3;
	}
	if (check_characters(reader) < 0)
		return NULL;
	while (start < reader->size && is_space(reader->text[start]))
		start++;
	if (start == reader->size)
		return reader_fail(reader, 0, 0, NULL, "the file is empty");
	reader->may_be_yaml = format == DOCUMENT_AUTO;
	if (format == DOCUMENT_AUTO)
		format = strchr("{[", reader->text[start]) ? DOCUMENT_JSON : DOCUMENT_YAML;
	if (format == DOCUMENT_JSON)
		list = json_read(reader);
	if (format == DOCUMENT_YAML || reader->is_yaml) {
		reader->nodes = reader->bytes = 0;
		list = yaml_read(reader);
	}
	if (reader->findings->errors == errors && list)
		return list;
	node_free(list);
	return NULL;
}

struct node *document_read_all(
	const char *text, size_t size, enum document_format format, struct findings *findings)
{
	struct reader reader = {.text = text, .size = size, .findings = findings};

	return read_all(&reader, format);
}

struct node *document_read(
	const char *text, size_t size, enum document_format format, struct findings *findings)
{
	struct reader reader = {.text = text, .size = size, .findings = findings, .single = true};
	cleanup_node struct node *list = read_all(&reader, format);

	return list ? list->items[--list->n] : NULL;
}
