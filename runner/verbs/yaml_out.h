/* JSON as YAML, as kubectl prints it: block style, two spaces, keys in order, quotes only where they are needed. */
#ifndef RUNNER_YAML_OUT_H
#define RUNNER_YAML_OUT_H

#include <json-c/json.h>
#include <stdio.h>

void yaml_print(struct json_object *object, FILE *out);

#endif
