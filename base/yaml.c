/*
 * YAML with positions, from libfyaml's events.
 *
 * Events rather than libfyaml's documents: each becomes a node at once, and we count what aliases expand to. An
 * alias is a copy of the node that its anchor names, which must be complete: so a document can't contain itself,
 * and the limits on nodes and bytes stop a "billion laughs" early. `<<` merges maps, as kubectl's reader does.
 */
#include "base/reader.h"

#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

#define MERGE_LIMIT 1000 /* keys of one <<: each is looked for among those before it */

struct anchor {
	char *name;
	const struct node *node; /* complete; owned by the tree or by spent */
};

struct yaml {
	struct reader *reader;
	struct fy_parser *parser;
	struct fy_diag *diag;
	struct anchor *anchors;
	size_t n_anchors;
	/* A list: what the tree lacks, but an anchor may name, such as the value of a <<. */
	struct node *spent;
	unsigned int line, column; /* of the last event that has a place */
	char *printed; /* what libfyaml would have printed, or NULL */
};

/* What an event says of the node that it begins. */
struct head {
	enum fy_event_type type;
	unsigned int line, column;
	char *anchor, *tag, *text;
	bool plain;
	bool nul; /* text would hold a NUL character */
};

static void cleanup_head_fn(struct head *head)
{
	free(head->anchor);
	free(head->tag);
	free(head->text);
}
#define cleanup_head __attribute__((cleanup(cleanup_head_fn)))

static struct node *read_node(struct yaml *yaml, const struct head *head, unsigned int depth);

/* libfyaml prints some of its errors instead of collecting them; standard error is ours. */
static void keep_printed(struct fy_diag *diag, void *user, const char *text, size_t size)
{
	struct yaml *yaml = user;
	static const char mark[] = "[ERR]: ";

	(void)diag;
	if (yaml->printed)
		return;
	if (size >= strlen(mark) && !memcmp(text, mark, strlen(mark))) {
		text += strlen(mark);
		size -= strlen(mark);
	}
	yaml->printed = xstrndup(text, size);
	yaml->printed[strcspn(yaml->printed, "\n")] = '\0';
}

/* libfyaml's own words for what is wrong, the first of them: the others follow from it. */
static void *fail_syntax(struct yaml *yaml)
{
	void *iterator = NULL;
	struct fy_diag_error *error = fy_diag_errors_iterate(yaml->diag, &iterator);
	const char *tab = NULL;

	if (!error)
		return reader_fail(yaml->reader, yaml->line, yaml->column, NULL,
			"invalid YAML after this: %s", yaml->printed ? yaml->printed : "it can't be read");
	if (strstr(error->msg, "tab"))
		tab = "YAML indents with spaces";
	return reader_fail(yaml->reader, error->line > 0 ? (unsigned int)error->line : 0,
		error->column > 0 ? (unsigned int)error->column : 0, tab, "invalid YAML: %s", error->msg);
}

/* A token's text; cut at a NUL, and nul set, if it holds one. */
static char *token_text(struct fy_token *token, bool *nul)
{
	size_t n = 0;
	const char *text = token ? fy_token_get_text(token, &n) : NULL;

	if (nul)
		*nul = text && memchr(text, '\0', n);
	return text ? xstrndup(text, n) : NULL;
}

/* The tag, in full where the handle is known ("tag:yaml.org,2002:str"), or NULL. */
static char *tag_text(struct fy_token *token)
{
	return token_text(token, NULL);
}

/* Reads the next event. Returns -1 with a finding at a syntax error. */
static int next(struct yaml *yaml, struct head *head)
{
	struct fy_event *event = fy_parser_parse(yaml->parser);
	const struct fy_mark *mark;
	enum fy_scalar_style style;

	cleanup_head_fn(head);
	*head = (struct head){0};
	if (!event) {
		if (fy_parser_get_stream_error(yaml->parser) || fy_diag_got_error(yaml->diag)) {
			fail_syntax(yaml);
			return -1;
		}
		head->type = FYET_STREAM_END;
		return 0;
	}
	head->type = event->type;
	mark = fy_event_start_mark(event);
	if (mark) {
		head->line = (unsigned int)mark->line + 1;
		head->column = (unsigned int)mark->column + 1;
		yaml->line = head->line;
		yaml->column = head->column;
	}
	if (event->type == FYET_SCALAR) {
		head->anchor = token_text(event->scalar.anchor, NULL);
		head->tag = tag_text(event->scalar.tag);
		head->text = token_text(event->scalar.value, &head->nul);
		style = fy_token_scalar_style(event->scalar.value);
		head->plain = style == FYSS_PLAIN;
		/* Its mark is behind the quote. */
		if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && head->column > 1)
			head->column--;
		if (!head->text)
			head->text = xstrdup("");
	} else if (event->type == FYET_SEQUENCE_START) {
		head->anchor = token_text(event->sequence_start.anchor, NULL);
		head->tag = tag_text(event->sequence_start.tag);
	} else if (event->type == FYET_MAPPING_START) {
		head->anchor = token_text(event->mapping_start.anchor, NULL);
		head->tag = tag_text(event->mapping_start.tag);
	} else if (event->type == FYET_ALIAS) {
		head->text = token_text(event->alias.anchor, NULL);
	}
	fy_parser_event_free(yaml->parser, event);
	return 0;
}

/* A deep copy, counted against the limits; its places are those of the anchored text. */
static struct node *copy_node(struct reader *reader, const struct node *node)
{
	cleanup_node struct node *copy = reader_node(reader, node->kind, node->line, node->column);

	if (!copy)
		return NULL;
	copy->boolean = node->boolean;
	copy->integer = node->integer;
	copy->number = node->number;
	copy->text = xstrdup(node->text);
	copy->key = xstrdup(node->key);
	copy->key_line = node->key_line;
	copy->key_column = node->key_column;
	if (reader_charge(reader, (node->text ? strlen(node->text) : 0) + (node->key ? strlen(node->key) : 0),
		    node->line, node->column) < 0)
		return NULL;
	for (size_t i = 0; i < node->n; i++) {
		struct node *item = copy_node(reader, node->items[i]);

		if (!item)
			return NULL;
		node_append(copy, item);
	}
	return steal_pointer(&copy);
}

static struct node *read_alias(struct yaml *yaml, const struct head *head)
{
	const char *name = head->text ? head->text : "";

	/* The last of that name counts: an anchor may be set anew. */
	for (size_t i = yaml->n_anchors; i-- > 0;) {
		struct node *copy;

		if (strcmp(yaml->anchors[i].name, name) != 0)
			continue;
		copy = copy_node(yaml->reader, yaml->anchors[i].node);
		if (copy) {
			free(copy->key);
			copy->key = NULL;
		}
		return copy;
	}
	return reader_fail(yaml->reader, head->line, head->column, NULL,
		"the alias *%s names no anchor that is complete before it", name);
}

static struct node *read_scalar(struct yaml *yaml, const struct head *head)
{
	static const char core[] = "tag:yaml.org,2002:";
	struct node *node = reader_node(yaml->reader, NODE_STRING, head->line, head->column);
	const char *tag = head->tag;

	if (!node)
		return NULL;
	node->text = xstrdup(head->text);
	if (head->nul)
		reader_fail(yaml->reader, head->line, head->column, NULL,
			"a string can't hold the character NUL");
	if (head->nul || reader_charge(yaml->reader, strlen(node->text), head->line, head->column) < 0) {
		node_free(node);
		return NULL;
	}
	if (head->plain && !tag)
		scalar_resolve(node);
	if (!tag || !strcmp(tag, "!"))
		return node;
	tag += text_starts_with(tag, core) ? strlen(core) : 0;
	if (!strcmp(tag, "str"))
		return node;
	scalar_resolve(node);
	if ((!strcmp(tag, "int") && node->kind == NODE_INTEGER) ||
		(!strcmp(tag, "float") && (node->kind == NODE_INTEGER || node->kind == NODE_DOUBLE)) ||
		(!strcmp(tag, "bool") && node->kind == NODE_BOOL) ||
		(!strcmp(tag, "null") && node->kind == NODE_NULL))
		return node;
	reader_fail(yaml->reader, head->line, head->column,
		"only !!str, !!int, !!float, !!bool and !!null can be used", "the tag %s does not fit here",
		head->tag);
	node_free(node);
	return NULL;
}

/* The key of an entry as kubectl's reader turns it to text: `yes: 1` has the key "true". */
static char *key_text(struct yaml *yaml, const struct head *head)
{
	cleanup_node struct node *node = NULL;

	if (head->type != FYET_SCALAR && head->type != FYET_ALIAS)
		return reader_fail(
			yaml->reader, head->line, head->column, NULL, "the key of a map must be a string");
	node = head->type == FYET_ALIAS ? read_alias(yaml, head) : read_scalar(yaml, head);
	if (!node)
		return NULL;
	switch (node->kind) {
	case NODE_STRING:
	case NODE_DOUBLE:
		return xstrdup(node->text);
	case NODE_BOOL:
		return xstrdup(node->boolean ? "true" : "false");
	case NODE_INTEGER:
		return xasprintf("%lld", (long long)node->integer);
	case NODE_NULL:
	case NODE_LIST:
	case NODE_MAP:
	default:
		return reader_fail(
			yaml->reader, head->line, head->column, NULL, "the key of a map must be a string");
	}
}

/* Adds what a `<<` brings, unless the map has that key itself. */
static int merge(struct yaml *yaml, struct node *map, const struct node *source)
{
	if (source->kind == NODE_LIST && source->n > 0 && source->items[0]->kind == NODE_MAP) {
		for (size_t i = 0; i < source->n; i++)
			if (merge(yaml, map, source->items[i]) < 0)
				return -1;
		return 0;
	}
	if (source->kind != NODE_MAP) {
		reader_fail(yaml->reader, source->line, source->column, NULL,
			"<< takes a map or a list of maps, got %s", node_kind_name(source->kind));
		return -1;
	}
	if (source->n > MERGE_LIMIT) {
		reader_fail(yaml->reader, source->line, source->column, NULL,
			"<< takes a map of at most %d keys", MERGE_LIMIT);
		return -1;
	}
	for (size_t i = 0; i < source->n; i++) {
		struct node *copy;

		if (node_get(map, source->items[i]->key))
			continue;
		copy = copy_node(yaml->reader, source->items[i]);
		if (!copy)
			return -1;
		node_append(map, copy);
	}
	return 0;
}

/* Reads a node; one that isn't written at all (`key:`) has no place but that of what it belongs to. */
static struct node *read_at(
	struct yaml *yaml, struct head *head, unsigned int line, unsigned int column, unsigned int depth)
{
	if (!head->line) {
		head->line = line;
		head->column = column;
	}
	return read_node(yaml, head, depth);
}

static int read_map(struct yaml *yaml, struct node *map, unsigned int depth)
{
	cleanup_free struct node **merged = NULL;
	size_t n_merged = 0;

	for (;;) {
		cleanup_head struct head key = {0}, value = {0};
		cleanup_free char *text = NULL;
		struct node *node;

		if (next(yaml, &key) < 0)
			return -1;
		if (key.type == FYET_MAPPING_END)
			break;
		text = key_text(yaml, &key);
		if (!text || next(yaml, &value) < 0)
			return -1;
		node = read_at(yaml, &value, key.line, key.column, depth);
		if (!node)
			return -1;
		if (key.plain && !strcmp(text, "<<")) {
			node_append(yaml->spent, node);
			merged = xreallocarray(merged, n_merged + 1, sizeof(*merged));
			merged[n_merged++] = node;
			continue;
		}
		node->key = steal_pointer(&text);
		node->key_line = key.line;
		node->key_column = key.column;
		node_append(map, node);
	}
	reader_check_keys(yaml->reader, map);
	for (size_t i = 0; i < n_merged; i++)
		if (merge(yaml, map, merged[i]) < 0)
			return -1;
	return 0;
}

static int read_list(struct yaml *yaml, struct node *list, unsigned int depth)
{
	for (;;) {
		cleanup_head struct head head = {0};
		struct node *node;

		if (next(yaml, &head) < 0)
			return -1;
		if (head.type == FYET_SEQUENCE_END)
			return 0;
		node = read_at(yaml, &head, list->line, list->column, depth);
		if (!node)
			return -1;
		node_append(list, node);
	}
}

static struct node *read_collection(struct yaml *yaml, const struct head *head, unsigned int depth)
{
	bool map = head->type == FYET_MAPPING_START;
	cleanup_node struct node *node = NULL;

	if (depth > DOCUMENT_DEPTH)
		return reader_fail(yaml->reader, head->line, head->column, NULL,
			"nested deeper than %d levels", DOCUMENT_DEPTH);
	node = reader_node(yaml->reader, map ? NODE_MAP : NODE_LIST, head->line, head->column);
	if (!node || (map ? read_map(yaml, node, depth + 1) : read_list(yaml, node, depth + 1)) < 0)
		return NULL;
	return steal_pointer(&node);
}

static struct node *read_node(struct yaml *yaml, const struct head *head, unsigned int depth)
{
	struct node *node;

	if (head->type == FYET_ALIAS)
		return read_alias(yaml, head);
	if (head->type == FYET_SCALAR)
		node = read_scalar(yaml, head);
	else if (head->type == FYET_MAPPING_START || head->type == FYET_SEQUENCE_START)
		node = read_collection(yaml, head, depth);
	else
		return reader_fail(yaml->reader, head->line, head->column, NULL, "expected a value");
	if (node && head->anchor) {
		yaml->anchors = xreallocarray(yaml->anchors, yaml->n_anchors + 1, sizeof(*yaml->anchors));
		yaml->anchors[yaml->n_anchors++] = (struct anchor){xstrdup(head->anchor), node};
	}
	return node;
}

/* All documents of the stream: empty ones don't count (a file may end in ---), and there may be one other. */
static struct node *read_stream(struct yaml *yaml)
{
	cleanup_node struct node *root = NULL;
	cleanup_head struct head head = {0};

	for (;;) {
		struct node *node;

		if (next(yaml, &head) < 0)
			return NULL;
		if (head.type == FYET_STREAM_END)
			break;
		if (head.type == FYET_STREAM_START || head.type == FYET_DOCUMENT_START ||
			head.type == FYET_DOCUMENT_END)
			continue;
		node = read_node(yaml, &head, 1);
		if (!node)
			return NULL;
		if (node->kind == NODE_NULL) {
			node_append(yaml->spent, node);
			continue;
		}
		if (root) {
			node_append(yaml->spent, node);
			return reader_fail(yaml->reader, head.line, head.column,
				"put each document into a file of its own",
				"the file holds more than one YAML document");
		}
		root = node;
	}
	if (!root)
		return reader_fail(yaml->reader, 0, 0, NULL, "the file is empty");
	return steal_pointer(&root);
}

struct node *yaml_read(struct reader *reader)
{
	struct fy_diag_cfg quiet;
	struct fy_parse_cfg config = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_JSON_NONE};
	cleanup_node struct node *spent = xcalloc(1, sizeof(*spent));
	struct yaml yaml = {.reader = reader, .spent = spent};
	struct node *root = NULL;

	spent->kind = NODE_LIST;
	fy_diag_cfg_default(&quiet);
	quiet.fp = NULL;
	quiet.output_fn = keep_printed;
	quiet.user = &yaml;
	quiet.colorize = false;
	yaml.diag = fy_diag_create(&quiet);
	if (yaml.diag) {
		fy_diag_set_collect_errors(yaml.diag, true);
		config.diag = yaml.diag;
		yaml.parser = fy_parser_create(&config);
	}
	if (!yaml.parser || fy_parser_set_string(yaml.parser, reader->text, reader->size) < 0)
		reader_fail(reader, 0, 0, NULL, "libfyaml can't be started");
	else
		root = read_stream(&yaml);
	for (size_t i = 0; i < yaml.n_anchors; i++)
		free(yaml.anchors[i].name);
	free(yaml.anchors);
	free(yaml.printed);
	if (yaml.parser)
		fy_parser_destroy(yaml.parser);
	if (yaml.diag)
		fy_diag_destroy(yaml.diag);
	return root;
}
