/* libfyaml's events, with their places and texts in our own terms. */
#include "base/yaml_events.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void yaml_event_clear(struct yaml_event *event)
{
	free(event->anchor);
	free(event->tag);
	free(event->text);
	*event = (struct yaml_event){0};
}

/* libfyaml prints some of its errors instead of collecting them; standard error is ours. */
static void keep_printed(struct fy_diag *diag, void *user, const char *text, size_t size)
{
	static const char mark[] = "[ERR]: ";
	struct yaml_events *events = user;

	(void)diag;
	if (events->printed)
		return;
	if (size >= strlen(mark) && !memcmp(text, mark, strlen(mark))) {
		text += strlen(mark);
		size -= strlen(mark);
	}
	events->printed = xstrndup(text, size);
	events->printed[strcspn(events->printed, "\n")] = '\0';
}

int yaml_events_start(struct yaml_events *events, struct reader *reader)
{
	struct fy_parse_cfg config = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_JSON_NONE};
	struct fy_diag_cfg quiet;

	events->reader = reader;
	fy_diag_cfg_default(&quiet);
	quiet.fp = NULL;
	quiet.output_fn = keep_printed;
	quiet.user = events;
	quiet.colorize = false;
	events->diag = fy_diag_create(&quiet);
	if (events->diag) {
		fy_diag_set_collect_errors(events->diag, true);
		config.diag = events->diag;
		events->parser = fy_parser_create(&config);
	}
	if (events->parser && fy_parser_set_string(events->parser, reader->text, reader->size) == 0)
		return 0;
	reader_fail(reader, 0, 0, NULL, "libfyaml can't be started");
	return -1;
}

void yaml_events_stop(struct yaml_events *events)
{
	if (events->parser)
		fy_parser_destroy(events->parser);
	if (events->diag)
		fy_diag_destroy(events->diag);
	free(events->printed);
}

/* libfyaml's own words for what is wrong, the first of them: the others follow from it. */
static void report_syntax(struct yaml_events *events)
{
	void *iterator = NULL;
	struct fy_diag_error *error = fy_diag_errors_iterate(events->diag, &iterator);

	if (!error) {
		reader_fail(events->reader, events->line, events->column, NULL, "invalid YAML after this: %s",
			events->printed ? events->printed : "it can't be read");
		return;
	}
	reader_fail(events->reader, error->line > 0 ? (unsigned int)error->line : 0,
		error->column > 0 ? (unsigned int)error->column : 0,
		strstr(error->msg, "tab") ? "YAML indents with spaces" : NULL, "invalid YAML: %s",
		error->msg);
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

static void take_scalar(struct yaml_event *event, const struct fy_event_scalar_data *scalar)
{
	enum fy_scalar_style style = fy_token_scalar_style(scalar->value);

	event->anchor = token_text(scalar->anchor, NULL);
	event->tag = token_text(scalar->tag, NULL);
	event->text = token_text(scalar->value, &event->nul);
	if (!event->text)
		event->text = xstrdup("");
	event->plain = style == FYSS_PLAIN;
	/* The mark of one in quotes is behind the quote. */
	if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && event->column > 1)
		event->column--;
}

static void take_place(struct yaml_events *events, struct yaml_event *event, struct fy_event *from)
{
	const struct fy_mark *mark = fy_event_start_mark(from);

	if (!mark)
		return;
	event->line = (unsigned int)mark->line + 1;
	event->column = (unsigned int)mark->column + 1;
	events->line = event->line;
	events->column = event->column;
}

int yaml_events_next(struct yaml_events *events, struct yaml_event *event)
{
	struct fy_event *from = fy_parser_parse(events->parser);

	yaml_event_clear(event);
	if (!from) {
		event->type = FYET_STREAM_END;
		if (!fy_parser_get_stream_error(events->parser) && !fy_diag_got_error(events->diag))
			return 0;
		report_syntax(events);
		return -1;
	}
	event->type = from->type;
	take_place(events, event, from);
	if (from->type == FYET_SCALAR) {
		take_scalar(event, &from->scalar);
	} else if (from->type == FYET_SEQUENCE_START) {
		event->anchor = token_text(from->sequence_start.anchor, NULL);
		event->tag = token_text(from->sequence_start.tag, NULL);
	} else if (from->type == FYET_MAPPING_START) {
		event->anchor = token_text(from->mapping_start.anchor, NULL);
		event->tag = token_text(from->mapping_start.tag, NULL);
	} else if (from->type == FYET_ALIAS) {
		event->text = token_text(from->alias.anchor, NULL);
	}
	fy_parser_event_free(events->parser, from);
	return 0;
}
