/* Label selectors: what they mean, and what none is. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "runner/verbs/selector.h"
#include "tests/unit/unit.h"

static void meanings(void)
{
	static const struct {
		const char *selector;
		bool matches;
	} cases[] = {
		{"", true},
		{"app", true},
		{"app=web", true},
		{" app == web , tier in ( a , b ) ", true},
		{"app!=web", false},
		{"!app", false},
		{"!gone", true},
		{"gone!=x", true},
		{"gone notin (x)", true},
		{"gone in (x)", false},
		{"tier notin (a,b)", false},
		{"empty=", true},
		{"empty in ()", true},
		{"empty in (x,,y)", true},
		{"empty", true},
		{"app=", false},
		{"level gt 4,level lt 6,level>4,level<6", true},
		{"level gt 5", false},
		{"app gt 1", false},
		{"in=in,in in (in,notin)", true},
	};
	struct json_object *labels = json_tokener_parse(
		"{\"app\": \"web\", \"tier\": \"a\", \"empty\": \"\", \"level\": \"5\", \"in\": \"in\"}");

	for (size_t i = 0; i < array_length(cases); i++) {
		struct error err = {0};

		expect(selector_check(cases[i].selector, &err) == 0);
		if (selector_matches(cases[i].selector, labels) != cases[i].matches)
			printf("# %s\n", cases[i].selector);
		expect(selector_matches(cases[i].selector, labels) == cases[i].matches);
	}
	json_object_put(labels);
	expect(!selector_matches("app", NULL));
	expect(selector_matches("!app", NULL));
}

static void words(void)
{
	static const struct {
		const char *selector, *message;
	} cases[] = {
		{",", "found ',', expected: !, identifier, or 'end of string'"},
		{"a,", "found '', expected: identifier after ','"},
		{"a,,b", "found ',', expected: identifier after ','"},
		{"!", "unable to parse requirement: found '', expected: identifier"},
		{"a=b c", "found 'c', expected: ',' or 'end of string'"},
		{"a==(b", "unable to parse requirement: found '(', expected: identifier"},
		{"a in b", "unable to parse requirement: found 'b' expected: '('"},
		{"a in (b", "unable to parse requirement: found '', expected: ',' or ')'"},
		{"a in (=", "unable to parse requirement: found '=', expected: ',', ')' or identifier"},
		{"a is b", "unable to parse requirement: found 'is', expected: in, notin, =, ==, !=, gt, lt"},
		{"a gt b", "unable to parse requirement: values[0][a]: Invalid value: \"b\": for 'Gt', 'Lt' "
			   "operators, the value must be an integer"},
		{"/a", "unable to parse requirement: key: Invalid value: \"/a\": prefix part must be "
		       "non-empty"},
	};

	for (size_t i = 0; i < array_length(cases); i++) {
		struct error err = {0};

		expect(selector_check(cases[i].selector, &err) < 0);
		expect_text(err.message, cases[i].message);
	}
}

int main(void)
{
	group(meanings);
	group(words);
	return unit_done();
}
