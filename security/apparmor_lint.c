/* The judge of AppArmor profiles. What it looks for stands in apparmor_lint.h. */
#include "security/apparmor_lint.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "security/apparmor_pattern.h"
#include "security/apparmor_rules.h"

#define OUTPUT_LIMIT (1U << 20) /* bytes of what apparmor_parser says */
#define NOT_FOUND    127

struct judge {
	const struct apparmor_rules *rules;
	const struct apparmor_subject *subject;
	size_t profile; /* the one that is judged */
	struct findings *findings;
};

static void add(const struct judge *judge, enum severity severity, const char *code, unsigned int line,
	unsigned int column, const char *hint, const char *format, ...) __attribute__((format(printf, 7, 8)));

static void add(const struct judge *judge, enum severity severity, const char *code, unsigned int line,
	unsigned int column, const char *hint, const char *format, ...)
{
	cleanup_free char *text = NULL;
	cleanup_free char *shown = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = xstrdup("out of memory");
	va_end(args);
	shown = text_printable(text, strlen(text)); /* it quotes the profile */
	findings_add(judge->findings, severity, line, column, NULL, hint, "%s", shown);
	findings_code(judge->findings, code);
}

/* ---- the syntax, by apparmor_parser ---- */

/* In the child. */
static __attribute__((noreturn)) void execute_parser(const char *path, int output)
{
	static const char *const places[] = {
		"/usr/sbin/apparmor_parser", "/sbin/apparmor_parser", "/usr/local/sbin/apparmor_parser"};
	static const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL};
	/* -Q: into no kernel; -T: whatever is in its cache; -K: and nothing new goes there. */
	const char *const arguments[] = {"apparmor_parser", "-QTK", "--", path, NULL};

	if (dup2(output, 1) < 0 || dup2(output, 2) < 0)
		_exit(126);
	for (size_t i = 0; i < array_length(places); i++)
		execve(places[i], (char *const *)arguments, (char *const *)environment);
	_exit(errno == ENOENT ? NOT_FOUND : 126);
}

/* Its exit status, or -1; *said is what it printed. */
static int run_parser(const char *path, char **said)
{
	cleanup_fd int output = memfd_create("output", MFD_CLOEXEC);
	struct error ignored;
	int status = -1;
	pid_t pid = output < 0 ? -1 : fork();

	if (pid == 0)
		execute_parser(path, output);
	if (pid < 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (lseek(output, 0, SEEK_SET) < 0 ||
		fd_read_all(output, "output", OUTPUT_LIMIT, ERROR_HOST, said, NULL, &ignored) < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* "AppArmor parser error for F in profile F at line 5: syntax error, ...": the line, if it is the file's own. */
static void add_said(const struct judge *judge, const char *line, const char *path)
{
	static const char error[] = "AppArmor parser error for ";
	const char *where = strstr(line, " in profile ");
	const char *at = where ? strstr(where, " at line ") : NULL;
	char *message = NULL;
	unsigned long number = at ? strtoul(at + strlen(" at line "), &message, 10) : 0;
	cleanup_free char *file =
		at ? xstrndup(where + strlen(" in profile "), (size_t)(at - where) - strlen(" in profile "))
		   : NULL;

	if (text_starts_with(line, error) && file && message && *message == ':' && number) {
		message += strspn(message, ": ");
		if (!strcmp(file, path))
			add(judge, SEVERITY_ERROR, "syntax", (unsigned int)number, 1, NULL, "%s", message);
		else
			add(judge, SEVERITY_ERROR, "syntax", 0, 0, NULL, "%s, line %lu: %s", file, number,
				message);
		return;
	}
	add(judge, SEVERITY_ERROR, "syntax", 0, 0, NULL, "%s", line);
}

/* Lines that say nothing of the profile: this machine has no AppArmor, and there is no cache. */
static bool is_noise(const char *line)
{
	return !*line || text_starts_with(line, "Cache ") || text_starts_with(line, "Warning") ||
	       text_starts_with(line, "ERROR processing regexs");
}

/* Whether it found nothing. */
static bool lint_syntax(const struct judge *judge, const char *text, const char *path)
{
	cleanup_fd int copy = path ? -1 : memfd_create("profile", 0);
	cleanup_free char *own = path ? xstrdup(path) : xasprintf("/proc/self/fd/%d", copy);
	cleanup_free char *said = NULL;
	size_t before = judge->findings->errors;
	int status;
	char *rest;
	char *line;

	if (!path && (copy < 0 || fd_write_all(copy, text, strlen(text)) < 0))
		return true;
	status = run_parser(own, &said);
	if (status == NOT_FOUND)
		add(judge, SEVERITY_INFO, "not-compiled", 0, 0, "install the package apparmor",
			"whether the syntax is right was not looked at: there is no apparmor_parser");
	if (status <= 0 || status == NOT_FOUND || !said)
		return true;
	rest = said;
	while ((line = strsep(&rest, "\n")))
		if (!is_noise(line))
			add_said(judge, line, own);
	if (judge->findings->errors == before)
		add(judge, SEVERITY_ERROR, "syntax", 0, 0, NULL,
			"apparmor_parser refuses it (exit status %d)", status);
	return false;
}

/* ---- the rules ---- */

static const struct apparmor_section *section_of(const struct judge *judge)
{
	return &judge->rules->profiles[judge->profile];
}

/* Whether a rule permits something on a path (NULL: on any): all of these rights. */
static bool permits(const struct judge *judge, const char *path, const char *rights)
{
	for (size_t i = 0; i < judge->rules->n; i++) {
		const struct apparmor_rule *rule = &judge->rules->items[i];
		bool has_all = true;

		if (rule->profile != judge->profile || rule->kind != RULE_FILE || rule->deny)
			continue;
		for (const char *c = rights; *c; c++)
			has_all &= !rule->rights || strchr(rule->rights, *c);
		if (has_all && (!rule->path || !path || apparmor_pattern_matches(rule->path, path)))
			return true;
	}
	return false;
}

static void lint_deny(const struct judge *judge)
{
	for (size_t i = 0; i < judge->rules->n; i++) {
		const struct apparmor_rule *rule = &judge->rules->items[i];

		if (rule->profile == judge->profile && rule->deny && !rule->audit && !rule->included)
			add(judge, SEVERITY_INFO, "deny-silent", rule->line, rule->column,
				"write `audit deny` for what shall be named",
				"what `%s` refuses is in no record of the kernel's: minirun can't name it",
				rule->text);
	}
}

static void lint_mode(const struct judge *judge)
{
	const struct apparmor_section *section = section_of(judge);

	if (strstr(section->flags, "complain"))
		add(judge, SEVERITY_WARNING, "complain-mode", section->line, section->column,
			"take flags=(complain) out when it has been tried",
			"profile %s is in complain mode: it refuses nothing, and what it would refuse is "
			"only "
			"recorded",
			section->name);
	else if (strstr(section->flags, "unconfined"))
		add(judge, SEVERITY_WARNING, "complain-mode", section->line, section->column,
			"take flags=(unconfined) out",
			"profile %s is in unconfined mode: it is a name, and refuses nothing", section->name);
}

static bool has_library(const struct judge *judge)
{
	static const char *const places[] = {"/usr/lib/x86_64-linux-gnu/libc.so.6",
		"/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/aarch64-linux-gnu/libc.so.6",
		"/lib/aarch64-linux-gnu/libc.so.6", "/usr/lib64/libc.so.6", "/lib64/libc.so.6",
		"/usr/lib/libc.so.6", "/lib/libc.so.6"};

	for (size_t i = 0; i < array_length(places); i++)
		if (permits(judge, places[i], "rm"))
			return true;
	return false;
}

/* What a program needs before its first own instruction. */
static void lint_entrypoint(const struct judge *judge)
{
	const struct apparmor_subject *subject = judge->subject;
	const struct apparmor_section *section = section_of(judge);

	if (!subject || !subject->program)
		return;
	if (subject->is_script && !permits(judge, subject->program, "r"))
		add(judge, SEVERITY_ERROR, "entrypoint-refused", section->line, section->column,
			"add `file,`, or a rule with r for it",
			"the program %s is a script, and no rule of profile %s lets its interpreter read it",
			subject->program, section->name);
	if (subject->loader == LOADER_GLIBC && !has_library(judge))
		add(judge, SEVERITY_ERROR, "entrypoint-refused", section->line, section->column,
			"add `file,`, or `/{usr/,}lib{,64}/** rm,`",
			"the program %s needs shared libraries, and no rule of profile %s permits to map "
			"(rm) the "
			"C library",
			subject->program, section->name);
}

static void lint_files(const struct judge *judge)
{
	const struct apparmor_section *section = section_of(judge);

	if (judge->rules->incomplete)
		return;
	if (!permits(judge, NULL, "")) {
		add(judge, SEVERITY_WARNING, "file-rule-missing", section->line, section->column,
			"add `file,` for all files, or rules for those that it needs",
			"no rule of profile %s permits any file: not even a shared library", section->name);
	} else if (!permits(judge, NULL, "x")) {
		add(judge, SEVERITY_WARNING, "exec-rule-missing", section->line, section->column,
			"add `file,`, or a rule such as `/{usr/,}bin/* rix,`",
			"no rule of profile %s permits to start a program: all that a shell or a script "
			"calls is "
			"refused",
			section->name);
	}
	lint_entrypoint(judge);
}

/* Whether the part of a pattern that is fixed leads to the folder, or below it. */
static bool leads_below(const char *pattern, const char *folder)
{
	size_t fixed = strcspn(pattern, "*?[{@\\");
	size_t n = strlen(folder);

	return n > 1 && fixed >= n && !strncmp(pattern, folder, n) &&
	       (pattern[n] == '\0' || pattern[n] == '/');
}

static void lint_host_paths(const struct judge *judge, const struct apparmor_mount *mount)
{
	for (size_t i = 0; i < judge->rules->n; i++) {
		const struct apparmor_rule *rule = &judge->rules->items[i];
		cleanup_free char *hint = NULL;

		if (rule->profile != judge->profile || rule->included || !rule->path ||
			!leads_below(rule->path, mount->host) || leads_below(rule->path, mount->inside))
			continue;
		hint = xasprintf("write %s%s", mount->inside, rule->path + strlen(mount->host));
		add(judge, rule->deny ? SEVERITY_ERROR : SEVERITY_WARNING, "host-path", rule->line,
			rule->column, hint,
			"`%s` can't match: %s is the machine's name for volume %s, which the container sees, "
			"and "
			"AppArmor with it, at %s",
			rule->text, mount->host, mount->volume, mount->inside);
	}
}

static void lint_profile(const struct judge *judge)
{
	const struct apparmor_subject *subject = judge->subject;

	lint_mode(judge);
	lint_deny(judge);
	lint_files(judge);
	for (size_t i = 0; subject && i < subject->n_mounts; i++)
		if (!subject->mounts[i].image_has_host)
			lint_host_paths(judge, &subject->mounts[i]);
}

void apparmor_lint(
	const char *text, const char *path, const struct apparmor_subject *subject, struct findings *findings)
{
	struct apparmor_rules rules;
	struct judge judge = {.rules = &rules, .subject = subject, .findings = findings};
	bool is_right = lint_syntax(&judge, text, path);

	apparmor_rules_read(text, &rules);
	if (!rules.n_profiles && is_right)
		add(&judge, SEVERITY_WARNING, "file-rule-missing", 0, 0, "profile NAME { ... }",
			"there is no profile in it");
	for (; judge.profile < rules.n_profiles; judge.profile++)
		if (!rules.profiles[judge.profile].is_child &&
			(!subject || !subject->profile ||
				!strcmp(rules.profiles[judge.profile].name, subject->profile)))
			lint_profile(&judge);
	apparmor_rules_free(&rules);
}
