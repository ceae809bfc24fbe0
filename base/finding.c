/* A list of findings about a file: errors and warnings, each with its place. */
#include "base/finding.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

void findings_init(struct findings *findings, const char *file)
{
	*findings = (struct findings){.file = xstrdup(strcmp(file, "-") ? file : "standard input")};
}

void findings_free(struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++) {
		free(findings->items[i].path);
		free(findings->items[i].text);
		free(findings->items[i].hint);
	}
	free(findings->items);
	free(findings->file);
	*findings = (struct findings){0};
}

void findings_add(struct findings *findings, enum severity severity, unsigned int line, unsigned int column,
	const char *path, const char *hint, const char *format, ...)
{
	struct finding *finding;
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = xstrdup("out of memory");
	va_end(args);
	findings->items = xreallocarray(findings->items, findings->n + 1, sizeof(*findings->items));
	finding = &findings->items[findings->n++];
	*finding = (struct finding){
		.severity = severity,
		.line = line,
		.column = column,
		.path = xstrdup(path),
		.text = text,
		.hint = xstrdup(hint),
	};
	if (severity == SEVERITY_ERROR)
		findings->errors++;
}

void findings_code(struct findings *findings, const char *code)
{
	if (findings->n)
		findings->items[findings->n - 1].code = code;
}

void findings_check(struct findings *findings, const char *check)
{
	struct finding *last = findings->n ? &findings->items[findings->n - 1] : NULL;

	if (last)
		snprintf(last->check, sizeof(last->check), "%s", check);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

void findings_copy(struct findings *findings, const struct finding *finding)
{
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *f = &findings->items[i];

		if (f->line == finding->line && f->column == finding->column &&
			f->severity == finding->severity && same_text(f->path, finding->path) &&
			same_text(f->text, finding->text))
			return;
	}
	findings_add(findings, finding->severity, finding->line, finding->column, finding->path,
		finding->hint, "%s", finding->text);
	findings_code(findings, finding->code);
	findings_check(findings, finding->check);
}

const char *severity_name(enum severity severity)
{
	static const char *const names[] = {
		[SEVERITY_ERROR] = "error", [SEVERITY_WARNING] = "warning", [SEVERITY_INFO] = "info"};

	return names[severity];
}

static bool is_before(const struct finding *a, const struct finding *b)
{
	return a->line < b->line || (a->line == b->line && a->column < b->column);
}

/* Insertion sort: stable, and a file has tens of findings, not thousands. */
void findings_sort(struct findings *findings)
{
	for (size_t i = 1; i < findings->n; i++) {
		struct finding moving = findings->items[i];
		size_t j = i;

		for (; j > 0 && is_before(&moving, &findings->items[j - 1]); j--)
			findings->items[j] = findings->items[j - 1];
		findings->items[j] = moving;
	}
}

/* Names and values of a manifest or of an image may be in it. */
static void put(const char *before, const char *text, const char *after, FILE *out)
{
	cleanup_free char *safe = text_printable(text, strlen(text));

	fprintf(out, "%s%s%s", before, safe, after);
}

static void print(const struct findings *findings, bool coded, FILE *out)
{
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *f = &findings->items[i];

		fprintf(out, "%s:", findings->file);
		if (f->line)
			fprintf(out, "%u:%u:", f->line, f->column);
		fprintf(out, " %s: ", severity_name(f->severity));
		if (f->path && *f->path)
			put("", f->path, ": ", out);
		put("", f->text, "", out);
		if (f->hint)
			put(" (", f->hint, ")", out);
		if (coded && f->code)
			fprintf(out, " [%s]", f->code);
		fputc('\n', out);
	}
}

void findings_print(const struct findings *findings, FILE *out)
{
	print(findings, false, out);
}

void findings_print_coded(const struct findings *findings, FILE *out)
{
	print(findings, true, out);
}
