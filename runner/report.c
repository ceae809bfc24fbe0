/* What a person, or a program with -o json, gets to see of a run. */
#include "runner/report.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/json_out.h"

#define RESET "\033[0m"
#define BOLD  "\033[1m"

static const char *const tones[] = {
	[TONE_PLAIN] = "", [TONE_GOOD] = "\033[32m", [TONE_BAD] = "\033[31m", [TONE_NOTE] = "\033[33m"};
static const char *const palette[] = {
	"\033[36m", "\033[35m", "\033[34m", "\033[33m", "\033[32m", "\033[96m", "\033[95m", "\033[94m"};

static bool wants_color(const char *choice, int fd)
{
	const char *no_color = getenv("NO_COLOR"); /* no-color.org: set and not empty */
	const char *term = getenv("TERM");

	if (choice && !strcmp(choice, "always"))
		return true;
	if ((choice && !strcmp(choice, "never")) || (no_color && *no_color))
		return false;
	return isatty(fd) && !(term && !strcmp(term, "dumb"));
}

void report_init(struct report *report, bool json, bool quiet, const char *color)
{
	*report = (struct report){
		.json = json,
		.quiet = quiet,
		.color_out = wants_color(color, STDOUT_FILENO),
		.color_err = wants_color(color, STDERR_FILENO),
		.out = STDOUT_FILENO,
		.width = 8,
	};
}

/* One write(2) a line, so that the lines of two minirun on one terminal don't mix. */
static void put(struct report *report, int fd, const char *text, size_t size)
{
	if (report->broken && fd == report->out)
		return;
	if (fd_write_all(fd, text, size) < 0 && errno == EPIPE && fd == report->out)
		report->broken = true;
}

static const char *end_of_line(const struct report *report, int fd)
{
	return report->raw && isatty(fd) ? "\r\n" : "\n";
}

static void add_string(struct json_object *object, const char *key, const char *value)
{
	if (value)
		json_object_object_add(object, key, json_object_new_string(value));
}

static struct json_object *new_line(const char *type, const char *pod, const char *container)
{
	struct json_object *line = json_object_new_object();
	char now[48];

	text_now(now, sizeof(now), 6);
	add_string(line, "time", now);
	add_string(line, "type", type);
	add_string(line, "pod", pod);
	add_string(line, "container", container);
	return line;
}

static void put_json(struct report *report, struct json_object *line)
{
	cleanup_free char *text = json_out_text(line, JSON_C_TO_STRING_PLAIN);
	size_t size = strlen(text);

	/* In the place of the NUL: what is put has its size. */
	text[size] = '\n';
	put(report, report->out, text, size + 1);
	json_object_put(line);
}

static void event_json(struct report *report, const char *pod, const struct event *event, const char *text)
{
	struct json_object *line = new_line(event->type, pod, event->container);
	size_t n;
	/* A container's last words may be in it. */
	cleanup_free char *utf8 = text_utf8(text, strlen(text), &n);

	add_string(line, "reason", event->reason);
	if (event->has_exit)
		json_object_object_add(line, "exitCode", json_object_new_int(event->exit_code));
	if (event->signal)
		json_object_object_add(line, "signal", json_object_new_int(event->signal));
	if (event->microseconds) {
		char seconds[32];

		/* As text: a double would be printed with all its digits. */
		snprintf(seconds, sizeof(seconds), "%.6f", (double)event->microseconds / 1e6);
		json_object_object_add(line, "seconds",
			json_object_new_double_s((double)event->microseconds / 1e6, seconds));
	}
	if (event->more) {
		json_object_object_foreach(event->more, key, value)
		{
			json_object_object_add(line, key, json_object_get(value));
		}
	}
	json_object_object_add(line, "message", json_object_new_string_len(utf8, (int)n));
	put_json(report, line);
}

void report_event(struct report *report, const char *pod, const struct event *event, const char *format, ...)
{
	cleanup_free char *text = NULL;
	cleanup_free char *safe = NULL;
	cleanup_free char *name = NULL;
	cleanup_free char *line = NULL;
	const char *end;
	va_list args;

	if (report->silent || (report->quiet && !event->important))
		return;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = xstrdup("out of memory");
	va_end(args);
	if (report->json) {
		event_json(report, pod, event, text);
		return;
	}
	safe = text_printable(text, strlen(text));
	end = end_of_line(report, STDERR_FILENO);
	name = event->container ? xstrdup(event->container) : xasprintf("pod/%s", pod);
	if (report->color_err)
		line = xasprintf(BOLD "%-*s" RESET " %s%s" RESET "%s", report->width, name,
			tones[event->tone], safe, end);
	else
		line = xasprintf("%-*s %s%s", report->width, name, safe, end);
	put(report, STDERR_FILENO, line, strlen(line));
}

static void output_json(
	struct report *report, const char *container, int stream, const char *text, size_t size, bool partial)
{
	struct json_object *line = new_line("output", report->pod, container);
	size_t n;
	cleanup_free char *utf8 = text_utf8(text, size, &n);

	add_string(line, "stream", stream == 1 ? "stdout" : "stderr");
	json_object_object_add(line, "text", json_object_new_string_len(utf8, (int)n));
	if (partial)
		json_object_object_add(line, "partial", json_object_new_boolean(true));
	put_json(report, line);
}

void report_output(struct report *report, const char *container, unsigned int index, int stream,
	const char *text, size_t size, bool partial)
{
	int fd = stream == 1 ? report->out : STDERR_FILENO;
	bool color = stream == 1 && report->out == STDOUT_FILENO ? report->color_out : report->color_err;
	cleanup_free char *head = NULL;
	cleanup_free char *line = NULL;
	size_t n;

	if (report->json) {
		output_json(report, container, stream, text, size, partial);
		return;
	}
	if (color)
		head = xasprintf("%s%-*s" RESET " | ", palette[index % array_length(palette)], report->width,
			container);
	else
		head = xasprintf("%-*s | ", report->width, container);
	n = strlen(head);
	line = xcalloc(n + size + 2, 1);
	memcpy(line, head, n);
	memcpy(line + n, text, size);
	n += size;
	for (const char *c = end_of_line(report, fd); *c; c++)
		line[n++] = *c;
	put(report, fd, line, n);
}
