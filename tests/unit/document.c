/* The readers of JSON and YAML: values, places, and what is refused, with its place and words. */
#include "base/document.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "tests/unit/unit.h"

/* All findings as findings_print shows them; the document, if wanted. */
static char *read_all(const char *text, size_t size, enum document_format format, struct node **root)
{
	struct findings findings;
	char *shown = NULL;
	size_t n;
	FILE *out = open_memstream(&shown, &n);
	struct node *node;

	findings_init(&findings, "f");
	node = document_read(text, size, format, &findings);
	expect(!node == (findings.errors > 0));
	findings_print(&findings, out);
	fclose(out);
	findings_free(&findings);
	if (root)
		*root = node;
	else
		node_free(node);
	return shown;
}

static struct node *valid(const char *text)
{
	struct node *root;
	cleanup_free char *shown = read_all(text, strlen(text), DOCUMENT_AUTO, &root);

	expect_text(shown, "");
	return root;
}

struct wrong {
	const char *text, *findings;
};

static void check_wrong(const struct wrong *cases, size_t n, enum document_format format)
{
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *shown = read_all(cases[i].text, strlen(cases[i].text), format, NULL);

		expect_text(shown, cases[i].findings);
	}
}

static void json_values(void)
{
	cleanup_node struct node *root = valid(
		"{\n\t\"a\": [1, -2.5, true, null, \"x\\u00e9\\n\"],\n"
		"  \"\xc3\xa9\": {\"c\" : 9223372036854775807}, \"d\":1e3, \"e\": \"\xc3\xa9\", \"f\": 0}");
	const struct node *a = node_get(root, "a"), *c = node_get(node_get(root, "\xc3\xa9"), "c");

	expect(root && root->kind == NODE_MAP && root->n == 5 + 0 && root->line == 1 && root->column == 1);
	expect(a && a->kind == NODE_LIST && a->n == 5 && a->line == 2 && a->column == 7);
	expect(a->key_line == 2 && a->key_column == 2);
	expect(a->items[0]->kind == NODE_INTEGER && a->items[0]->integer == 1);
	expect(a->items[1]->kind == NODE_DOUBLE && a->items[1]->number == -2.5 && a->items[1]->column == 11);
	expect(a->items[2]->kind == NODE_BOOL && a->items[2]->boolean);
	expect(a->items[3]->kind == NODE_NULL);
	expect_text(a->items[4]->text, "x\xc3\xa9\n");
	expect(c && c->kind == NODE_INTEGER && c->integer == INT64_MAX && c->line == 3 && c->column == 15);
	/* 1e3 is no integer to a reader of JSON; and a column counts characters, not bytes. */
	expect(node_get(root, "d")->kind == NODE_DOUBLE);
	expect(node_get(root, "f")->column == 61);
	expect(!node_get(root, "g") && !node_get(NULL, "g") && !node_get(a, "g"));
}

static void json_errors(void)
{
	static const struct wrong cases[] = {
		{"", "f: error: the file is empty\n"},
		{" \n", "f: error: the file is empty\n"},
		{"{\"a\": 1,}",
			"f:1:9: error: expected a key in double quotes, found '}' (no comma may stand "
			"before a closing bracket)\n"},
		{"[1,]", "f:1:4: error: expected a value, found ']' (no comma may stand before a closing "
			 "bracket)\n"},
		{"{\"a\" 1}", "f:1:6: error: expected ':' after the key, found '1'\n"},
		{"{\"a\": }", "f:1:7: error: expected a value, found '}'\n"},
		{"{\n \"a\": 1\n \"b\": 2}", "f:3:2: error: expected ',' or '}', found '\"'\n"},
		{"[1 2]", "f:1:4: error: expected ',' or ']', found '2'\n"},
		{"{a: 1}", "f:1:2: error: expected a key in double quotes or '}', found 'a'\n"},
		{"{'a': 1}",
			"f:1:2: error: expected a key in double quotes or '}', found ''' (JSON's strings "
			"stand in double quotes)\n"},
		{"{\"a\": yes}", "f:1:7: error: expected a value (true, false, null, a number, or a string "
				 "in double quotes)\n"},
		{"{\"a\": NaN}", "f:1:7: error: expected a value (true, false, null, a number, or a string "
				 "in double quotes)\n"},
		{"[01]", "f:1:2: error: expected a value (true, false, null, a number, or a string in double "
			 "quotes)\n"},
		{"[1.]", "f:1:2: error: expected a value (true, false, null, a number, or a string in double "
			 "quotes)\n"},
		{"[+1]", "f:1:2: error: expected a value (true, false, null, a number, or a string in double "
			 "quotes)\n"},
		{"[1e999]", "f:1:2: error: the number is out of range\n"},
		{"{\"a\": 1 // x\n}",
			"f:1:9: error: expected ',' or '}', found '/' (JSON has no comments)\n"},
		{"[/* x */]", "f:1:2: error: expected a value, found '/' (JSON has no comments)\n"},
		{"{\"a\": \"b}", "f:1:7: error: this string has no closing quote\n"},
		{"{\"a\": \"b\n\"}",
			"f:1:9: error: the line ends inside a string (write \\n, \\t or \\u00XX)\n"},
		{"[\"\\q\"]", "f:1:4: error: no escape of JSON (\\\" \\\\ \\/ \\b \\f \\n \\r \\t and "
			      "\\uXXXX are)\n"},
		{"[\"a\\u0000\"]", "f:1:2: error: a string can't hold the character NUL\n"},
		{"{\"a\": 1", "f:1:8: error: expected ',' or '}', found the end of the file\n"},
		{"{\"a\": 1} x", "f:1:10: error: expected the end of the file, found 'x'\n"},
		{"{\"a\": 1,\n \"b\": 2,\n \"a\": 3,\n \"b\": {\"c\": 1, \"c\": 2}}",
			"f:4:16: error: duplicate key \"c\": it stands on line 4 already\n"
			"f:3:2: error: duplicate key \"a\": it stands on line 1 already\n"
			"f:4:2: error: duplicate key \"b\": it stands on line 2 already\n"},
	};

	check_wrong(cases, sizeof(cases) / sizeof(cases[0]), DOCUMENT_JSON);
}

static void yaml_values(void)
{
	cleanup_node struct node *root =
		valid("# a comment\nkind: Pod\nspec:\n  list:\n  - a\n  - \"b\\n\"\n"
		      "  text: |\n    one\n    two\n  empty:\n  none: ~\n  map: {x: 1}\n"
		      "  date: 2001-01-01\n  string: !!str 12\n");
	const struct node *spec = node_get(root, "spec"), *list = node_get(spec, "list");

	expect(root && root->line == 2 && root->column == 1);
	expect_text(node_get(root, "kind")->text, "Pod");
	expect(node_get(root, "kind")->line == 2 && node_get(root, "kind")->column == 7);
	expect(spec && spec->key_line == 3 && spec->line == 4 && spec->column == 3);
	expect(list && list->n == 2 && list->items[1]->line == 6 && list->items[1]->column == 5);
	expect_text(list->items[1]->text, "b\n");
	expect_text(node_get(spec, "text")->text, "one\ntwo\n");
	expect(node_get(spec, "empty")->kind == NODE_NULL && node_get(spec, "empty")->line == 10);
	expect(node_get(spec, "none")->kind == NODE_NULL);
	expect(node_get(node_get(spec, "map"), "x")->integer == 1);
	expect(node_get(spec, "date")->kind == NODE_STRING);
	expect(node_get(spec, "string")->kind == NODE_STRING);
}

/* go-yaml v2, which kubectl reads with, resolves plain scalars by YAML 1.1. */
static void yaml_scalars(void)
{
	static const struct {
		const char *text;
		enum node_kind kind;
		int64_t integer; /* or boolean */
	} cases[] = {
		{"yes", NODE_BOOL, 1},
		{"On", NODE_BOOL, 1},
		{"y", NODE_BOOL, 1},
		{"true", NODE_BOOL, 1},
		{"no", NODE_BOOL, 0},
		{"OFF", NODE_BOOL, 0},
		{"N", NODE_BOOL, 0},
		{"\"yes\"", NODE_STRING, 0},
		{"'1'", NODE_STRING, 0},
		{"tRue", NODE_STRING, 0},
		{"0644", NODE_INTEGER, 420},
		{"0o17", NODE_INTEGER, 15},
		{"0x1F", NODE_INTEGER, 31},
		{"0b11", NODE_INTEGER, 3},
		{"-12", NODE_INTEGER, -12},
		{"+12", NODE_INTEGER, 12},
		{"1_000", NODE_INTEGER, 1000},
		{"089", NODE_INTEGER, 89},
		{"1e3", NODE_INTEGER, 1000},
		{"1.0", NODE_INTEGER, 1},
		{"-9223372036854775808", NODE_INTEGER, INT64_MIN},
		{"9223372036854775808", NODE_DOUBLE, 0},
		{"010", NODE_INTEGER, 8},
		{"-010", NODE_INTEGER, -8},
		{"0_10", NODE_INTEGER, 8},
		{"00", NODE_INTEGER, 0},
		{"0O17", NODE_INTEGER, 15},
		{"0b12", NODE_STRING, 0},
		{"-0b11", NODE_INTEGER, -3},
		{"_1", NODE_STRING, 0},
		{"1_", NODE_INTEGER, 1},
		{"0x_F", NODE_INTEGER, 15},
		{"1e400", NODE_STRING, 0},
		{"1e-3", NODE_DOUBLE, 0},
		{"1_0.5", NODE_DOUBLE, 0},
		{".5_0", NODE_STRING, 0},
		{"'.inf'", NODE_STRING, 0},
		{".Infinity", NODE_STRING, 0},
		{"2001-01-01", NODE_STRING, 0},
		{"2001-1-1", NODE_STRING, 0},
		{"2001-12-14T21:59:43.1Z", NODE_STRING, 0},
		{"~", NODE_NULL, 0},
		{"NULL", NODE_NULL, 0},
		{"nULL", NODE_STRING, 0},
		{"yEs", NODE_STRING, 0},
		{"'n'", NODE_STRING, 0},
		{"1.5", NODE_DOUBLE, 0},
		{".5", NODE_DOUBLE, 0},
		{"100m", NODE_STRING, 0},
		{"1.5Gi", NODE_STRING, 0},
		{"0x", NODE_STRING, 0},
		{"0x 1", NODE_STRING, 0},
		{"0x-1", NODE_STRING, 0},
		{"1.2.3", NODE_STRING, 0},
		{"-", NODE_STRING, 0},
		{"12:30", NODE_STRING, 0},
		{"Null", NODE_NULL, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup_free char *text =
			xasprintf("a: %s\n", strcmp(cases[i].text, "-") ? cases[i].text : "\"-\"");
		cleanup_node struct node *root = valid(text);
		const struct node *a = node_get(root, "a");

		if (!a || a->kind != cases[i].kind ||
			(a->kind == NODE_INTEGER && a->integer != cases[i].integer) ||
			(a->kind == NODE_BOOL && a->boolean != !!cases[i].integer)) {
			printf("# %s is %s\n", cases[i].text, a ? node_kind_name(a->kind) : "nothing");
			unit_failures++;
		}
	}
}

static void yaml_anchors(void)
{
	cleanup_node struct node *root = valid("a: &x {k: 1, yes: 2}\nb: *x\nc:\n  <<: *x\n  k: 3\n"
					       "d: &y s\ne: [*y, *y]\n");

	expect(node_get(node_get(root, "b"), "k")->integer == 1);
	expect(node_get(node_get(root, "b"), "true")->integer == 2);
	expect(node_get(node_get(root, "c"), "k")->integer == 3);
	expect(node_get(node_get(root, "c"), "true")->integer == 2);
	expect_text(node_get(root, "e")->items[1]->text, "s");
	/* The value of a << has no place in the tree, but its anchor holds. */
	node_free(root);
	root = valid("a:\n  <<: &x {k: 1}\nb: *x\n");
	expect(node_get(node_get(root, "b"), "k")->integer == 1);
}

static void yaml_errors(void)
{
	static const struct wrong cases[] = {
		{"---\n", "f: error: the file is empty\n"},
		{"# nothing\n", "f: error: the file is empty\n"},
		{"a: 1\n---\nb: 1\n", "f:3:1: error: the file holds more than one YAML document (put each "
				      "document into a file of its own)\n"},
		{"a: b\n  c: d\n", "f:1:4: error: invalid YAML: invalid multiline plain key\n"},
		{"a:\n\tb: 1\n", "f:2:1: error: invalid YAML: tab character may not be used as indentation "
				 "(YAML indents with spaces)\n"},
		{"a: [1, 2\nb: 1\n", "f:3:1: error: invalid YAML: flow sequence without a closing bracket\n"},
		{"a: \"x\n", "f:1:5: error: invalid YAML: double-quoted scalar without closing quote\n"},
		{"a: 1\nb: 2\na: 3\n", "f:3:1: error: duplicate key \"a\": it stands on line 1 already\n"},
		{"yes: 1\ntrue: 2\n", "f:2:1: error: duplicate key \"true\": it stands on line 1 already\n"},
		{"a: .inf\n", "f:1:4: error: infinity and NaN can't be written in JSON, which this YAML "
			      "stands for (a string "
			      "like this stands in quotes)\n"},
		{"a: \"\\0x\"\n", "f:1:4: error: a string can't hold the character NUL\n"},
		{"a: *x\n", "f:1:5: error: the alias names no anchor that is complete before it (a string "
			    "that begins with * stands in quotes)\n"},
		{"a: &x [*x]\n", "f:1:9: error: the alias names no anchor that is complete before it (a "
				 "string that begins with * stands in quotes)\n"},
		{"a: !!int b\n",
			"f:1:10: error: this tag does not fit here (!!str, !!int, !!float, !!bool and !!null "
			"are known; a string that begins with ! stands in quotes)\n"},
		{"? [a]\n: 1\n", "f:1:3: error: the key of a map must be a string\n"},
		{"a: 1\nb: |0\n  x\n", "f:2:1: error: invalid YAML after this: indentation indicator 0\n"},
		{"~: 1\n", "f:1:1: error: the key of a map must be a string\n"},
		{"a:\n  <<: 1\n", "f:2:7: error: << takes a map or a list of maps, got integer\n"},
	};

	check_wrong(cases, sizeof(cases) / sizeof(cases[0]), DOCUMENT_AUTO);
}

/* Every alias doubles ten times what the one before it holds. */
static void yaml_billion_laughs(void)
{
	cleanup_free char *text = NULL, *shown = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	fprintf(out, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 10; i++) {
		fprintf(out, "a%d: &a%d [", i, i);
		for (int j = 0; j < 10; j++)
			fprintf(out, "%s*a%d", j ? "," : "", i - 1);
		fprintf(out, "]\n");
	}
	fclose(out);
	shown = read_all(text, n, DOCUMENT_YAML, NULL);
	expect_text(shown, "f:1:18: error: the file holds more than 100000 values\n");
}

static void yaml_long_alias(void)
{
	cleanup_free char *text = NULL, *shown = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	fprintf(out, "a: &a %01000000d\nb: [", 1);
	for (int i = 0; i < 1000; i++)
		fprintf(out, "*a,");
	fprintf(out, "]\n");
	fclose(out);
	shown = read_all(text, n, DOCUMENT_YAML, NULL);
	expect_text(shown, "f:1:7: error: the file's aliases expand to more than 8 MiB\n");
}

static void limits(void)
{
	cleanup_free char *deep = xcalloc(200, 1), *big = xcalloc(DOCUMENT_SIZE + 2, 1);
	char *shown;

	memset(deep, '[', 100);
	shown = read_all(deep, 100, DOCUMENT_JSON, NULL);
	expect_text(shown, "f:1:65: error: nested deeper than 64 levels\n");
	free(shown);
	shown = read_all(deep, 100, DOCUMENT_YAML, NULL);
	expect(strstr(shown, "1:65: error: "));
	free(shown);
	memset(deep + 64, ']', 64);
	deep[128] = '\0';
	node_free(valid(deep));
	memset(big, ' ', DOCUMENT_SIZE + 1);
	shown = read_all(big, DOCUMENT_SIZE + 1, DOCUMENT_AUTO, NULL);
	expect_text(shown, "f: error: the file is larger than 4 MiB\n");
	free(shown);
	memset(big, '0', DOCUMENT_SIZE);
	for (size_t i = 1; i < DOCUMENT_SIZE; i += 2)
		big[i] = ',';
	big[0] = '[';
	shown = read_all(big, DOCUMENT_SIZE, DOCUMENT_AUTO, NULL);
	expect(strstr(shown, "expected a value"));
	free(shown);
	for (size_t i = 1; i < DOCUMENT_SIZE; i++)
		big[i] = i % 2 ? '0' : ',';
	shown = read_all(big, DOCUMENT_SIZE, DOCUMENT_AUTO, NULL);
	expect(strstr(shown, "the file holds more than 100000 values"));
	free(shown);
}

static void characters(void)
{
	static const struct {
		const char *text;
		size_t size;
		const char *findings;
	} cases[] = {
		{"a: \0", 4, "f:1:4: error: NUL byte (is this a text file?)\n"},
		{"a: 1\nb: \xff", 9, "f:2:4: error: invalid UTF-8: byte 0xff (save the file as UTF-8)\n"},
		{"\xc0\x80", 2, "f:1:1: error: invalid UTF-8: byte 0xc0 (save the file as UTF-8)\n"},
		{"\xed\xa0\x80", 3, "f:1:1: error: invalid UTF-8: byte 0xed (save the file as UTF-8)\n"},
		{"\xc3", 1, "f:1:1: error: invalid UTF-8: byte 0xc3 (save the file as UTF-8)\n"},
		{"\xef\xbb\xbf{\"a\": 1}", 11, ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup_free char *shown = read_all(cases[i].text, cases[i].size, DOCUMENT_AUTO, NULL);

		expect_text(shown, cases[i].findings);
	}
}

int main(void)
{
	group(json_values);
	group(json_errors);
	group(yaml_values);
	group(yaml_scalars);
	group(yaml_anchors);
	group(yaml_errors);
	group(yaml_billion_laughs);
	group(yaml_long_alias);
	group(limits);
	group(characters);
	return unit_done();
}
