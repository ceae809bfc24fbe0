/* libfyaml's events, with their places and texts in our own terms; for base/yaml.c only. */
#ifndef BASE_YAML_EVENTS_H
#define BASE_YAML_EVENTS_H

#include <libfyaml.h>

#include "base/reader.h"

struct yaml_events {
	struct reader *reader;
	struct fy_parser *parser;
	struct fy_diag *diag;
	unsigned int line, column; /* of the last event that has a place */
	char *printed; /* what libfyaml would have printed, or NULL */
};

/* What an event says of the node that it begins. Start from {0}; what it holds goes with its block. */
struct yaml_event {
	enum fy_event_type type;
	unsigned int line, column; /* 0 where the event has no place: a value that isn't written */
	char *anchor,
		*tag; /* or NULL; a tag is written out ("tag:yaml.org,2002:str") where its handle is known */
	char *text; /* of a scalar; the anchor's name of an alias */
	bool plain; /* a scalar without quotes */
	bool nul; /* text would hold a NUL character */
};

void yaml_event_clear(struct yaml_event *event);
#define cleanup_yaml_event __attribute__((cleanup(yaml_event_clear)))

/*
 * Begins to read the reader's text. events is zeroed memory that stays where it is. Returns -1 with a finding when
 * libfyaml fails; yaml_events_stop is called in both cases.
 */
int yaml_events_start(struct yaml_events *events, struct reader *reader);
void yaml_events_stop(struct yaml_events *events);

/* Replaces event by the next one; FYET_STREAM_END after the last. Returns -1 with a finding at a syntax error. */
int yaml_events_next(struct yaml_events *events, struct yaml_event *event);

#endif
