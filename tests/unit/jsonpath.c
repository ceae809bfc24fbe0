/* JSONPath templates: what they give, by the examples of kubectl's documentation and its quirks, and what is wrong with them. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/verbs/jsonpath.h"
#include "tests/unit/unit.h"

/* The object of docs/reference/kubectl/jsonpath, as far as the examples look, and some that they don't look at. */
static const char document[] =
	"{\"kind\": \"List\", \"items\": ["
	"{\"kind\": \"None\", \"metadata\": {\"name\": \"127.0.0.1\", \"labels\": "
	"{\"kubernetes.io/hostname\": \"one\"}},"
	" \"status\": {\"capacity\": {\"cpu\": \"4\"}, \"addresses\": [{\"type\": \"LegacyHostIP\", "
	"\"address\": \"127.0.0.1\"}]}},"
	"{\"kind\": \"None\", \"metadata\": {\"name\": \"127.0.0.2\"},"
	" \"status\": {\"capacity\": {\"cpu\": \"8\"}, \"addresses\": ["
	"{\"type\": \"LegacyHostIP\", \"address\": \"127.0.0.2\"}, {\"type\": \"another\", \"address\": "
	"\"127.0.0.3\"}]}}],"
	"\"users\": [{\"name\": \"myself\", \"user\": {}},"
	" {\"name\": \"e2e\", \"user\": {\"username\": \"admin\", \"password\": \"secret\"}}],"
	"\"numbers\": [{\"n\": 1, \"ok\": true}, {\"n\": 2.5, \"ok\": false}, {\"n\": 3}],"
	"\"list\": [0, 1, 2, 3, 4], \"nothing\": null, \"z\": {\"b\": [1, \"x/y\"], \"a\": null}}";

static char *print(const char *template, struct error *err)
{
	struct json_object *object = json_tokener_parse(document);
	cleanup_jsonpath struct jsonpath jsonpath = {0};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int result = jsonpath_parse(&jsonpath, template, err);

	if (result == 0)
		result = jsonpath_print(&jsonpath, object, out, err);
	fclose(out);
	json_object_put(object);
	if (result == 0)
		return text;
	free(text);
	return NULL;
}

static void results(void)
{
	static const struct {
		const char *template, *result;
	} cases[] = {
		/* The documentation's. */
		{"{.kind}", "List"},
		{"{['kind']}", "List"},
		{"{@.kind}", "List"},
		{"{$.kind}", "List"},
		{"kind is {.kind}", "kind is List"},
		{"{.items[*].metadata.name}", "127.0.0.1 127.0.0.2"},
		{"{.items[*]['metadata.name', 'status.capacity']}",
			"127.0.0.1 127.0.0.2 {\"cpu\":\"4\"} {\"cpu\":\"8\"}"},
		{"{..password}", "secret"},
		{"{.users[0].name}", "myself"},
		{"{.users[?(@.name==\"e2e\")].user.password}", "secret"},
		{"{range .items[*]}[{.metadata.name}, {.status.capacity}] {end}",
			"[127.0.0.1, {\"cpu\":\"4\"}] [127.0.0.2, {\"cpu\":\"8\"}] "},
		{"{range .items[*]}{.metadata.name}{'\\t'}{end}", "127.0.0.1\t127.0.0.2\t"},
		{"{.items[0].metadata.labels.kubernetes\\.io/hostname}", "one"},
		{"{.items[0].metadata.labels['kubernetes\\.io/hostname']}", "one"},
		{"{range .items[*]}{.metadata.name}{\"\\t\"}{.status.capacity.cpu}{\"\\n\"}{end}",
			"127.0.0.1\t4\n127.0.0.2\t8\n"},
		/* Slices. */
		{"{.list[-1]} {.list[-2:]} {.list[:2]} {.list[1:-1]} {.list[0:4:2]} {.list[::2]}",
			"4 3 4 0 1 1 2 3 0 2 0 2 4"},
		{"{.list[0,2]} {.list[*]} {.list[5:5]}", "0 2 0 1 2 3 4 "},
		{"{.list}", "[0,1,2,3,4]"},
		/* Filters. */
		{"{.numbers[?(@.n>1)].n}", "2.5 3"},
		{"{.numbers[?(@.n<=2.5)].n}", "1 2.5"},
		{"{.numbers[?(@.n != 3)].n}", "1 2.5"},
		{"{.numbers[?(@.ok)].n}", "1 2.5"},
		{"{.numbers[?(@.ok==true)].n}", "1"},
		{"{.numbers[?( @.n >= 3 )].n}", "3"},
		{"{.items[*].status.addresses[?(@.type=='another')].address}", "127.0.0.3"},
		{"{.items[?(@.status.addresses[?(@.type==\"another\")])].metadata.name}", "127.0.0.2"},
		{"{.users[?(@.name>\"f\")].name}", "myself"},
		/* Below, and each. */
		{"{..address}", "127.0.0.1 127.0.0.2 127.0.0.3"},
		{"{.items[*].status..cpu}", "4 8"},
		{"{.z.*}", "[1,\"x/y\"] <nil>"},
		{"{.numbers[0].*}", "1 true"},
		{"{..labels.*}", "one"},
		/* What isn't there gives nothing; a null is one. */
		{"<{.gone}{.gone.deeper}{.kind.deeper}{.nothing.deeper}>", "<>"},
		{"{.nothing}", "<nil>"},
		{"{.z}", "{\"a\":null,\"b\":[1,\"x/y\"]}"},
		{"", ""},
		{"no braces }", "no braces }"},
		{"{\"a\\\\\\\"b\"}{'it\\'s'}{5}{-2.5}{true}", "a\\\"bit's5-2.5true"},
		/* Ranges in ranges, and one that isn't ended. */
		{"{range .items[*]}{.metadata.name}:{range .status.addresses[*]} {.type}{end};{end}.",
			"127.0.0.1: LegacyHostIP;127.0.0.2: LegacyHostIP another;."},
		{"{range .list[*]}<{@}>", "<0><1><2><3><4>"},
		{"{range .list[:0]}{@}{end}|{.kind}", "|List"},
	};

	for (size_t i = 0; i < array_length(cases); i++) {
		struct error err = {0};
		cleanup_free char *text = print(cases[i].template, &err);

		if (!text)
			printf("# %s: %s\n", cases[i].template, err.message);
		expect_text(text, cases[i].result);
	}
}

static void words(void)
{
	static const struct {
		const char *template, *message;
	} cases[] = {
		{"{.a", "error parsing jsonpath {.a, unclosed action"},
		{"{.a\n}", "error parsing jsonpath {.a\n}, unclosed action"},
		{"{.a[0}", "error parsing jsonpath {.a[0}, unterminated array"},
		{"{.a['b}", "error parsing jsonpath {.a['b}, unterminated array"},
		{"{.a[\"b\"]}", "error parsing jsonpath {.a[\"b\"]}, invalid array index \"b\""},
		{"{.a[b]}", "error parsing jsonpath {.a[b]}, invalid array index b"},
		{"{.a[1:2:3:4]}", "error parsing jsonpath {.a[1:2:3:4]}, invalid array index 1:2:3:4"},
		{"{.a[-]}", "error parsing jsonpath {.a[-]}, array index - is not a number"},
		{"{.a[?(@.b==1)}", "error parsing jsonpath {.a[?(@.b==1)}, unclosed array expect ]"},
		{"{.a[?(@.b}", "error parsing jsonpath {.a[?(@.b}, unrecognized character in action: "
			       "U+007D '}'"},
		{"{.a[?(@.b=1)]}", "error parsing jsonpath {.a[?(@.b=1)]}, unrecognized filter operator ="},
		{"{.a[?(@.b==one)]}",
			"error parsing jsonpath {.a[?(@.b==one)]}, unrecognized identifier one"},
		{"{\"a}", "error parsing jsonpath {\"a}, unterminated quoted string"},
		{"{'\\q'}", "error parsing jsonpath {'\\q'}, unquote string error invalid syntax: \\q"},
		{"{a}", "error parsing jsonpath {a}, unrecognized identifier a"},
		{"{.a....b}", "error parsing jsonpath {.a....b}, invalid multiple recursive descent"},
		{"{!}", "error parsing jsonpath {!}, unrecognized character in action: U+0021 '!'"},
		{"{1.2.3}", "error parsing jsonpath {1.2.3}, cannot parse number 1.2.3"},
		{"{end}", "error parsing jsonpath {end}, not in range, nothing to end"},
		{"{.list[5]}", "array index out of bounds: index 5, length 5"},
		{"{.list[-6]}", "array index out of bounds: index -1, length 5"},
		{"{.list[1:9]}", "array index out of bounds: index 8, length 5"},
		{"{.list[3:1]}", "starting index 3 is greater than ending index 1"},
		{"{.list[::0]}", "step must be > 0"},
		{"{.kind[0]}", "string is not array or slice"},
		{"{.z[?(@.a)]}", "map[string]interface {} is not array or slice and cannot be filtered"},
		{"{.users[?(@.name==1)]}", "incompatible types for comparison"},
		{"{.numbers[?(@.ok<true)]}", "invalid type for comparison"},
		{"{.items[?(@.status.addresses[*].type==\"x\")]}", "can only compare one element at a time"},
	};

	for (size_t i = 0; i < array_length(cases); i++) {
		struct error err = {0};
		cleanup_free char *text = print(cases[i].template, &err);

		expect(!text);
		expect_text(err.message, cases[i].message);
	}
}

static char *repeat(const char *what, size_t n, const char *then)
{
	char *text = xstrdup(then);

	for (size_t i = 0; i < n; i++) {
		char *longer = xasprintf("%s%s", what, text);

		free(text);
		text = longer;
	}
	return text;
}

/* Nothing that is nested, and nothing that is long, ends the program. */
static void bounds(void)
{
	static const struct {
		const char *what;
		size_t n;
		const char *then;
	} cases[] = {
		{"[?(@.a", 1000, ""},
		{"{range .list[*]}", 40, "x"},
		{"['a'", 3000, "]"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 3000, ""},
	};

	for (size_t i = 0; i < array_length(cases); i++) {
		cleanup_free char *inner = repeat(cases[i].what, cases[i].n, cases[i].then);
		cleanup_free char *template = *inner == '[' ? xasprintf("{.a%s}", inner) : xstrdup(inner);
		struct error err = {0};
		cleanup_free char *text = print(template, &err);

		expect(!text && err.class == ERROR_USAGE);
	}
	{
		/* 10000 times 10000 values. */
		cleanup_free char *each = repeat("*,", 9999, "*");
		cleanup_free char *template = xasprintf("{.items[%s].status.addresses[%s]}", each, each);
		struct error err = {0};
		cleanup_free char *text = print(template, &err);

		expect(!text);
		expect_text(err.message, "the template comes across too many values");
	}
	{
		/* 32 are taken. */
		cleanup_free char *template = repeat("{range @}", 32, "x");
		struct error err = {0};
		cleanup_free char *text = print(template, &err);

		expect_text(text, "x");
	}
}

static void relaxed(void)
{
	static const char *const same[] = {
		"{.users[1].name}", "{users[1].name}", ".users[1].name", "users[1].name"};
	static const char *const bad[] = {"", ".", "{}", "{.a}{.b}", "{.a", "a}"};
	struct json_object *object = json_tokener_parse(document);

	for (size_t i = 0; i < array_length(same); i++) {
		cleanup_jsonpath struct jsonpath jsonpath = {0};
		struct jsonpath_values values = {0};
		struct error err = {0};

		expect(jsonpath_parse_relaxed(&jsonpath, same[i], &err) == 0);
		expect(jsonpath_find(&jsonpath, object, &values, &err) == 0 && values.n == 1);
		expect_text(values.n ? json_object_get_string(values.items[0]) : "", "e2e");
		free(values.items);
	}
	for (size_t i = 0; i < array_length(bad); i++) {
		cleanup_jsonpath struct jsonpath jsonpath = {0};
		struct error err = {0};

		expect(jsonpath_parse_relaxed(&jsonpath, bad[i], &err) < 0);
		expect(!strncmp(err.message, "unexpected path string, expected a 'name1.name2' or", 50));
	}
	json_object_put(object);
}

int main(void)
{
	group(results);
	group(words);
	group(bounds);
	group(relaxed);
	return unit_done();
}
