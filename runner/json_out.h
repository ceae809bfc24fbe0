/* JSON as it is printed. */
#ifndef RUNNER_JSON_OUT_H
#define RUNNER_JSON_OUT_H

#include <json-c/json.h>
#include <stdio.h>

#include "base/memory.h"

/*
 * The object as text, with json-c's flags. What a container or an image chose may be in it, so that no character is left in it that
 * a terminal would act on. A fresh string.
 */
char *json_out_text(struct json_object *object, int flags);

/* The names in an object (NULL: none), sorted. To be freed by strv_free(names.items). */
struct strv json_out_names(struct json_object *object);

/* One document, for people and programs. */
void json_out_print(struct json_object *object, FILE *out);

#endif
