/* The parts that read a manifest, each in a file of its own; for manifest*.c only. See runner/manifest.h. */
#ifndef RUNNER_MANIFEST_PARTS_H
#define RUNNER_MANIFEST_PARTS_H

#include "runner/cursor.h"
#include "runner/manifest.h"

/* What the kernel passes to a program in one string of its arguments or environment (MAX_ARG_STRLEN), less the NUL. */
#define STRING_LIMIT (128 * 1024 - 1)

/* manifest_container.c: the init containers and the containers, with the volumes known already. */
void manifest_containers(const struct cursor *spec, struct pod *pod);
void container_free(struct container_spec *container);

/* manifest_restart.c: restartPolicy and restartPolicyRules of a container; readinessGates of the pod. */
void manifest_restart(const struct cursor *container, bool init, struct container_spec *spec);
void manifest_gates(const struct cursor *spec, struct pod *pod);
void restart_free(struct container_spec *container);

/* manifest_volume.c: the volumes; a container's mounts; then which volumes should not have been mounted. */
void manifest_volumes(const struct cursor *spec, struct pod *pod);
void manifest_mounts(const struct cursor *container, struct container_spec *spec, const struct pod *pod);
void manifest_sources(const struct cursor *spec, const struct pod *pod);

/* manifest_security.c: the security contexts of pod and container; the annotations of AppArmor, folded in. */
void manifest_pod_security(const struct cursor *spec, struct pod *pod);
void manifest_security(const struct cursor *context, struct security_context *security);
void manifest_apparmor(const struct cursor *root, struct pod *pod);
void security_free(struct security_context *security);

/* manifest_resources.c: limits and requests, of a container or of the pod. at is the object that has "resources". */
void manifest_resources(const struct cursor *at, union requirements *requirements);

/* manifest_probe.c: probes, hooks and the stop signal of a container whose ports are known. */
void manifest_probes(const struct cursor *spec, const struct cursor *at, const struct pod *pod,
	struct container_spec *container);
void handler_free(struct handler *handler);

/* manifest_env.c: the environment, and what $(NAME) becomes. */
void manifest_environment(const struct cursor *container, struct string_map *env);
/* A list of strings with $(NAME) expanded; NULL if there is none. */
char **manifest_expanded(const struct cursor *list, const struct string_map *env);
/* Kubernetes' expansion of one string. NULL if the result is longer than STRING_LIMIT. */
char *expansion(const char *input, const struct string_map *env);

/* A map of strings in the order of the text. */
void string_map_read(const struct cursor *at, struct string_map *map);
void string_map_free(struct string_map *map);
void string_map_add(struct string_map *map, char *owned_key, char *owned_value);
const char *string_map_get(const struct string_map *map, const char *key);

#endif
