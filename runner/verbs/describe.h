/* The parts of `minirun describe` that are long: containers and events, as kubectl's describe.go lays them out. */
#ifndef RUNNER_DESCRIBE_H
#define RUNNER_DESCRIBE_H

#include <stdio.h>

#include "runner/verbs/catalog.h"

/* "Tue, 24 Nov 2026 12:00:00 +0000", in local time. Returns buffer. */
const char *describe_time(time_t time, char *buffer, size_t size);

/* The init containers or the main ones, each with what was refused to it. */
void describe_containers(const struct record *record, bool init, FILE *out);

/* describe_env.c: a container's variables, and where they come from. pod is the whole Pod. */
void describe_environment(struct json_object *pod, struct json_object *spec, FILE *out);

/* describe_volumes.c */
void describe_volumes(struct json_object *pod, FILE *out);

void describe_events(const struct record *record, FILE *out);

/* describe_rules.c: a container's limits, requests and probes; and the seccompProfile of a container's or the pod's spec. */
void describe_rules(struct json_object *spec, FILE *out);
void describe_seccomp(struct json_object *spec, const char *indent, int width, FILE *out);

#endif
