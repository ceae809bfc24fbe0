/*
 * The forms of names and numbers that Kubernetes knows (k8s.io/apimachinery/pkg/util/validation/validation.go), and
 * its words for what is wrong with one. Each check reports at the cursor and returns whether the value is good; a
 * cursor to nothing, or to a value of another type, is good (that is reported elsewhere).
 */
#ifndef RUNNER_NAMES_H
#define RUNNER_NAMES_H

#include "runner/manifest/cursor.h"

bool names_check_label(
	const struct cursor *at); /* RFC 1123: a container, a volume, a namespace, a hostname */
bool names_check_subdomain(const struct cursor *at); /* RFC 1123: a pod */
bool names_check_port(const struct cursor *at); /* IANA service name */
bool names_check_environment(const struct cursor *at);
bool names_check_config_key(
	const struct cursor *at); /* of a ConfigMap: the key of an entry, or the string there */
bool names_check_sysctl(const struct cursor *at);
bool names_check_address(const struct cursor *at); /* IPv4 or IPv6 */
/* Whether it is a label as above, which a namespace's name has to be. */
bool names_is_label(const char *name);
/* What is wrong with a label's key or value, in the API server's words; NULL: nothing. */
const char *names_label_key_fault(const char *key);
const char *names_label_value_fault(const char *value);
bool names_check_label_key(
	const struct cursor *map, const char *key); /* "example.com/name"; reported at the map */
bool names_check_label_value(const struct cursor *map, const struct cursor *value);

/* An integer in [min, max]. */
bool names_check_range(const struct cursor *at, int64_t min, int64_t max);
/* A path: relative (absolute if wanted), and without "..". */
bool names_check_descending(const struct cursor *at);
bool names_check_absolute(const struct cursor *at);
bool names_has_backsteps(const char *path);

#endif
