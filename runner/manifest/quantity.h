/* Kubernetes' quantities (k8s.io/apimachinery/pkg/api/resource): 100m, 1.5Gi, 1e3, 128M. */
#ifndef RUNNER_QUANTITY_H
#define RUNNER_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Parses one, rounding up to a whole number, as Kubernetes does where it needs an integer; what is beyond 2^63 - 1
 * becomes that, likewise. Returns NULL, or what is wrong with it in Kubernetes' words.
 */
const char *quantity_parse(const char *text, bool *negative, uint64_t *value);

/* The same in thousandths, as Quantity.MilliValue(): "0.1" and "100m" are 100. */
const char *quantity_parse_milli(const char *text, bool *negative, uint64_t *value);

#endif
