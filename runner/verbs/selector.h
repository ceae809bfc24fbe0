/*
 * Label selectors, as kubectl's -l takes them: "app=web,tier!=db,stage,!old,env in (a,b),zone notin (c),n gt 3".
 *
 * After k8s.io/apimachinery/pkg/labels/selector.go, whose words the errors have.
 */
#ifndef RUNNER_SELECTOR_H
#define RUNNER_SELECTOR_H

#include <json-c/json.h>
#include <stdbool.h>

#include "base/error.h"

/* Checks the form. */
int selector_check(const char *selector, struct error *err);

/* Whether labels (an object, or NULL) are as the selector says. It has been checked. */
bool selector_matches(const char *selector, struct json_object *labels);

#endif
