/* The text of AppArmor profiles: rules with their places, and patterns. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "security/apparmor_pattern.h"
#include "security/apparmor_rules.h"
#include "tests/unit/unit.h"

static const char profile[] = "# a comment, with { and ,\n"
			      "abi <abi/3.0>,\n"
			      "@{DIRS}=/a /b\n"
			      "\n"
			      "profile web /usr/sbin/web flags=(attach_disconnected, complain) { # after\n"
			      "  file,\n"
			      "  audit deny owner \"/a b/{x,y}\" w,\n"
			      "  deny r @{DIRS}/** ,\n"
			      "  signal (send, receive) peer={web,db},\n"
			      "  /bin/{sh,a,b} rix -> &child, # more\n"
			      "  ^hat {\n"
			      "    capability setuid,\n"
			      "  }\n"
			      "  network,\n"
			      "}\n"
			      "/usr/bin/other { /x,y r, }\n";

static void expect_rule(
	const struct apparmor_rules *rules, size_t i, size_t of, unsigned int line, const char *text)
{
	expect(i < rules->n);
	if (i >= rules->n)
		return;
	expect(rules->items[i].profile == of);
	expect(rules->items[i].line == line);
	expect_text(rules->items[i].text, text);
}

static void finds_rules_and_profiles(void)
{
	struct apparmor_rules rules;

	apparmor_rules_read(profile, &rules);
	expect(rules.n_profiles == 3 && rules.n == 8 && !rules.incomplete);
	expect_text(rules.profiles[0].name, "web");
	expect_text(rules.profiles[0].flags, "attach_disconnected, complain");
	expect(rules.profiles[0].line == 5 && rules.profiles[0].column == 1 && !rules.profiles[0].is_child);
	expect_text(rules.profiles[1].name, "^hat");
	expect(rules.profiles[1].is_child);
	expect_text(rules.profiles[2].name, "/usr/bin/other");
	expect_rule(&rules, 0, 0, 6, "file");
	expect_rule(&rules, 1, 0, 7, "audit deny owner /a b/{x,y} w");
	expect_rule(&rules, 2, 0, 8, "deny r @{DIRS}/**");
	expect_rule(&rules, 3, 0, 9, "signal (send, receive) peer={web,db}");
	expect_rule(&rules, 4, 0, 10, "/bin/{sh,a,b} rix -> &child");
	expect_rule(&rules, 5, 1, 12, "capability setuid");
	expect_rule(&rules, 6, 0, 14, "network");
	expect_rule(&rules, 7, 2, 16, "/x,y r");
	if (rules.n == 8) {
		expect(!rules.items[0].path && !rules.items[0].rights && rules.items[0].kind == RULE_FILE);
		expect(rules.items[1].deny && rules.items[1].audit && rules.items[1].column == 3);
		expect(rules.items[2].deny && !rules.items[2].audit);
		expect_text(rules.items[2].rights, "r");
		expect(rules.items[3].kind == RULE_OTHER);
		expect_text(rules.items[4].rights, "rix");
	}
	apparmor_rules_free(&rules);
}

static void survives_nonsense(void)
{
	static const char *const texts[] = {"", "{", "}", "}}}", "profile", "profile {", "\"", "(",
		"profile x {\\", ",,,", "@{", "@{X}", "include", "include <",
		"include <../../../../etc/passwd>", "#include", "profile x { \"", "profile x { (",
		"profile x { deny, audit, }", "{{{{{{{{{{{{{{{{{{{{", "include \"/dev/zero\"\n",
		"include </dev>\n", "profile x { include <abstractions/base> }"};

	for (size_t i = 0; i < array_length(texts); i++) {
		struct apparmor_rules rules;

		apparmor_is_profile(texts[i]);
		apparmor_rules_read(texts[i], &rules);
		apparmor_rules_free(&rules);
	}
	expect(!apparmor_is_profile("{\"defaultAction\": \"SCMP_ACT_ERRNO\"}"));
	expect(!apparmor_is_profile("# a Pod\napiVersion: v1\n"));
	expect(apparmor_is_profile("\n# a profile\nprofile x {}\n"));
	expect(apparmor_is_profile("#include <tunables/global>\n"));
}

static void matches_patterns(void)
{
	static const struct {
		const char *pattern, *path;
		bool wanted;
	} cases[] = {
		{"/a/b", "/a/b", true}, {"/a/b", "/a/bc", false}, {"/a/*", "/a/b", true},
		{"/a/*", "/a/b/c", false}, {"/a/**", "/a/b/c", true}, {"/a/**", "/b", false},
		{"/a?", "/ab", true}, {"/a?", "/a/", false}, {"/[a-c]x", "/bx", true},
		{"/[^a-c]x", "/bx", false}, {"/{usr/,}bin/{sh,ls}", "/bin/ls", true},
		{"/{usr/,}bin/{sh,ls}", "/usr/bin/sh", true}, {"/{usr/,}bin/{sh,ls}", "/usr/bin/cat", false},
		{"/{a,{b,c}d}", "/cd", true}, {"/{a,{b,c}d}", "/c", false},
		{"@{PROC}/sys/**", "/proc/sys/x", true}, {"@{PROC}/sys/**", "/proc/x", false},
		{"/a\\*", "/a*", true}, {"/a\\*", "/ab", false}, {"/{a", "/a", false}, {"/[a", "/a", false},
		{"/**/**/**/**/**/**/**/**/x", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z",
			true}, /* may */
	};

	for (size_t i = 0; i < array_length(cases); i++) {
		bool got = apparmor_pattern_matches(cases[i].pattern, cases[i].path);

		if (got != cases[i].wanted)
			printf("# %s on %s\n", cases[i].pattern, cases[i].path);
		expect(got == cases[i].wanted);
	}
}

int main(void)
{
	group(finds_rules_and_profiles);
	group(survives_nonsense);
	group(matches_patterns);
	return unit_done();
}
