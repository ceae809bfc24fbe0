/* The parts that read a manifest, each in a file of its own; for manifest*.c only. See runner/manifest/manifest.h. */
#ifndef RUNNER_MANIFEST_PARTS_H
#define RUNNER_MANIFEST_PARTS_H

#include "runner/manifest/cursor.h"
#include "runner/manifest/manifest.h"

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
void manifest_sources(const struct cursor *spec, struct pod *pod);
void volume_free(struct volume *volume);

/*
 * manifest_projection.c: the files of a volume (volume_has_entries) from its source, that of a configMap say. Unless it is mounted,
 * nothing that it lacks is missed.
 */
void manifest_projection(const struct cursor *source, const struct cursor *spec, const struct pod *pod,
	bool is_mounted, struct volume *volume);
/* Whether a volume with entries has a file or folder at path. */
bool volume_has_path(const struct volume *volume, const char *path);

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

/* manifest_config.c: a ConfigMap or Secret becomes one of the pod's. */
void manifest_config(const struct cursor *object, bool secret, struct pod *pod);
void config_free(struct config *config);
/* The entry of that key, or NULL. */
const struct config_entry *config_find_entry(const struct config *config, const char *key);
/* What the name at a cursor refers to; NULL if there is no such thing, which is an error unless it is optional. */
const struct config *config_refer(
	const struct cursor *name, bool secret, bool optional, const struct pod *pod);
/* What to do about a key that it lacks. To be freed. */
char *config_key_hint(const struct config *config, const char *key);

/*
 * manifest_downward.c: the value of a fieldRef, and of a resourceFieldRef (container: the one that it stands in, NULL in a volume).
 * NULL, and a finding, if there is none. To be freed.
 */
char *downward_field(const struct cursor *ref, bool volume, const struct pod *pod);
char *downward_resource(const struct cursor *ref, const struct cursor *spec, const struct cursor *container);

/* manifest_env.c: the environment of a container; the pod's configs and metadata are known. */
void manifest_environment(const struct cursor *spec, const struct cursor *container, const struct pod *pod,
	struct string_map *env);

/* manifest_expansion.c: the string at a cursor with $(NAME) expanded; NULL, and a finding, if it grows too long. */
char *manifest_expand(const struct cursor *at, const struct string_map *env, char **shown);
/* A list of strings; NULL if there is none. *shown: as it may be shown, NULL if that is the same. */
char **manifest_expanded(const struct cursor *list, const struct string_map *env, char ***shown);
/* Kubernetes' expansion of one string. NULL if the result is longer than STRING_LIMIT. *shown likewise. */
char *expansion(const char *input, const struct string_map *env, char **shown);

/* manifest_documents.c: all objects of a file's documents. */
void manifest_documents(const struct node *documents, struct findings *findings, struct pod *pod);

/* manifest.c: the Pod itself, the pod's configs being known. */
void manifest_pod(const struct cursor *root, struct pod *pod);
/* Name and namespace of an object, which become the caller's. asked: the namespace that is asked for; NULL: any. */
void manifest_metadata(const struct cursor *object, const char *asked, char **name, char **namespace);

/* A map of strings in the order of the text. */
void string_map_read(const struct cursor *at, struct string_map *map);
void string_map_free(struct string_map *map);
void string_map_add(struct string_map *map, char *owned_key, char *owned_value);
const char *string_map_get(const struct string_map *map, const char *key);

#endif
