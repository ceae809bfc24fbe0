/*
 * YAML with positions, from libfyaml's events (base/yaml_events.c).
 *
 * Events rather than libfyaml's documents: each becomes a node at once, and we count what aliases expand to. An
 * alias is a copy of the node that its anchor names, which must be complete: so a document can't contain itself,
 * and the limits on nodes and bytes stop a "billion laughs" early. `<<` merges maps, as kubectl's reader does.
 */
#include "base/yaml_events.h"

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
	struct yaml_events events;
	struct anchor *anchors;
	size_t n_anchors;
	/* A list: what the tree lacks, but an anchor may name, such as the value of a <<. */
	struct node *spent;
};

static struct node *read_node(struct yaml *yaml, const struct yaml_event *event, unsigned int depth);

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

static struct node *read_alias(struct yaml *yaml, const struct yaml_event *event)
{
	static const char hint[] = "a string that begins with * stands in quotes";
	const char *name = event->text ? event->text : "";

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
	return reader_fail(yaml->reader, event->line, event->column, hint,
		"the alias names no anchor that is complete before it");
}

/* As kubectl's reader gives it, whose text for it is "json: unsupported value: +Inf". Returns -1. */
static int refuse_unwritable(struct yaml *yaml, const struct yaml_event *event)
{
	reader_fail(yaml->reader, event->line, event->column, "a string like this stands in quotes",
		"infinity and NaN can't be written in JSON, which this YAML stands for");
	return -1;
}

static struct node *read_scalar(struct yaml *yaml, const struct yaml_event *event)
{
	static const char core[] = "tag:yaml.org,2002:";
	struct node *node = reader_node(yaml->reader, NODE_STRING, event->line, event->column);
	const char *tag = event->tag;

	if (!node)
		return NULL;
	node->text = xstrdup(event->text);
	if (event->nul)
		reader_fail(yaml->reader, event->line, event->column, NULL,
			"a string can't hold the character NUL");
	if (event->nul || reader_charge(yaml->reader, strlen(node->text), event->line, event->column) < 0 ||
		(event->plain && !tag && scalar_is_unwritable(node->text) &&
			refuse_unwritable(yaml, event) < 0)) {
		node_free(node);
		return NULL;
	}
	if (event->plain && !tag)
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
	reader_fail(yaml->reader, event->line, event->column,
		"!!str, !!int, !!float, !!bool and !!null are known; a string that begins with ! stands in "
		"quotes",
		"this tag does not fit here");
	node_free(node);
	return NULL;
}

/* The key of an entry as kubectl's reader turns it to text: `yes: 1` has the key "true". */
static char *key_text(struct yaml *yaml, const struct yaml_event *event)
{
	cleanup_node struct node *node = NULL;

	if (event->type != FYET_SCALAR && event->type != FYET_ALIAS)
		return reader_fail(
			yaml->reader, event->line, event->column, NULL, "the key of a map must be a string");
	node = event->type == FYET_ALIAS ? read_alias(yaml, event) : read_scalar(yaml, event);
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
			yaml->reader, event->line, event->column, NULL, "the key of a map must be a string");
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
static struct node *read_at(struct yaml *yaml, struct yaml_event *event, unsigned int line,
	unsigned int column, unsigned int depth)
{
	if (!event->line) {
		event->line = line;
		event->column = column;
	}
	return read_node(yaml, event, depth);
}

static int read_map(struct yaml *yaml, struct node *map, unsigned int depth)
{
	cleanup_free struct node **merged = NULL;
	size_t n_merged = 0;

	for (;;) {
		cleanup_yaml_event struct yaml_event key = {0}, value = {0};
		cleanup_free char *text = NULL;
		struct node *node;

		if (yaml_events_next(&yaml->events, &key) < 0)
			return -1;
		if (key.type == FYET_MAPPING_END)
			break;
		text = key_text(yaml, &key);
		if (!text || yaml_events_next(&yaml->events, &value) < 0)
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
		cleanup_yaml_event struct yaml_event event = {0};
		struct node *node;

		if (yaml_events_next(&yaml->events, &event) < 0)
			return -1;
		if (event.type == FYET_SEQUENCE_END)
			return 0;
		node = read_at(yaml, &event, list->line, list->column, depth);
		if (!node)
			return -1;
		node_append(list, node);
	}
}

static struct node *read_collection(struct yaml *yaml, const struct yaml_event *event, unsigned int depth)
{
	bool map = event->type == FYET_MAPPING_START;
	cleanup_node struct node *node = NULL;

	if (depth > DOCUMENT_DEPTH)
		return reader_fail(yaml->reader, event->line, event->column, NULL,
			"nested deeper than %d levels", DOCUMENT_DEPTH);
	node = reader_node(yaml->reader, map ? NODE_MAP : NODE_LIST, event->line, event->column);
	if (!node || (map ? read_map(yaml, node, depth + 1) : read_list(yaml, node, depth + 1)) < 0)
		return NULL;
	return steal_pointer(&node);
}

static struct node *read_node(struct yaml *yaml, const struct yaml_event *event, unsigned int depth)
{
	struct node *node;

	if (event->type == FYET_ALIAS)
		return read_alias(yaml, event);
	if (event->type == FYET_SCALAR)
		node = read_scalar(yaml, event);
	else if (event->type == FYET_MAPPING_START || event->type == FYET_SEQUENCE_START)
		node = read_collection(yaml, event, depth);
	else
		return reader_fail(yaml->reader, event->line, event->column, NULL, "expected a value");
	if (node && event->anchor) {
		yaml->anchors = xreallocarray(yaml->anchors, yaml->n_anchors + 1, sizeof(*yaml->anchors));
		yaml->anchors[yaml->n_anchors++] = (struct anchor){xstrdup(event->anchor), node};
	}
	return node;
}

/* An anchor is known in its own document. */
static void forget_anchors(struct yaml *yaml)
{
	for (size_t i = 0; i < yaml->n_anchors; i++)
		free(yaml->anchors[i].name);
	yaml->n_anchors = 0;
}

/* All documents of the stream: empty ones don't count, for a file may begin or end in ---. */
static struct node *read_stream(struct yaml *yaml)
{
	cleanup_node struct node *list = reader_list();
	cleanup_yaml_event struct yaml_event event = {0};

	for (;;) {
		struct node *node;

		if (yaml_events_next(&yaml->events, &event) < 0)
			return NULL;
		if (event.type == FYET_STREAM_END)
			break;
		if (event.type == FYET_DOCUMENT_START)
			forget_anchors(yaml);
		if (event.type == FYET_STREAM_START || event.type == FYET_DOCUMENT_START ||
			event.type == FYET_DOCUMENT_END)
			continue;
		node = read_node(yaml, &event, 1);
		if (!node)
			return NULL;
		if (node->kind == NODE_NULL) {
			node_append(yaml->spent, node);
			continue;
		}
		node_append(list, node);
		if (yaml->reader->single && list->n > 1)
			return reader_fail(yaml->reader, event.line, event.column,
				"put each document into a file of its own",
				"the file holds more than one YAML document");
	}
	return list->n ? steal_pointer(&list) : reader_fail(yaml->reader, 0, 0, NULL, "the file is empty");
}

struct node *yaml_read(struct reader *reader)
{
	cleanup_node struct node *spent = reader_list();
	struct yaml yaml = {.reader = reader, .spent = spent};
	struct node *list = NULL;

	if (yaml_events_start(&yaml.events, reader) == 0)
		list = read_stream(&yaml);
	yaml_events_stop(&yaml.events);
	forget_anchors(&yaml);
	free(yaml.anchors);
	return list;
}
