/* Whether a pod that is to be applied is there already, and is what its manifest says. */
#ifndef RUNNER_APPLY_H
#define RUNNER_APPLY_H

#include <json-c/json.h>

#include "base/error.h"

/*
 * Compares object, a manifest as manifest_object gives it, with that of the pod called name in root. Returns 0 if there is none
 * that lives, so that it may be started; 1 if it is the same; a negative number if it is another one, in the API server's words,
 * with the first field that differs: a pod that is there is never changed.
 */
int apply_compare(const char *root, const char *name, struct json_object *object, struct error *err);

/* Refuses a pod whose name one that lives has in another namespace: pods are kept by their names alone. */
int apply_check_name(const char *root, const char *namespace, const char *name, struct error *err);

#endif
