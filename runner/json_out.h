/* JSON as it is printed. */
#ifndef RUNNER_JSON_OUT_H
#define RUNNER_JSON_OUT_H

#include <json-c/json.h>
#include <stdio.h>

/*
 * The object as text, with json-c's flags. What a container or an image chose may be in it, so that no character is left in it that
 * a terminal would act on. A fresh string.
 */
char *json_out_text(struct json_object *object, int flags);

/* One document, for people and programs. */
void json_out_print(struct json_object *object, FILE *out);

#endif
