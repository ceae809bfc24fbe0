/*
 * The fields of the v1 Pod schema, and what minirun does with each: one table, which the reader of manifests, its type
 * check, the did-you-mean, the help text and the man page all read.
 *
 * Source of the names and types: k8s.io/api/core/v1/types.go and apimachinery's meta/v1/types.go of Kubernetes 1.36.
 */
#ifndef RUNNER_FIELDS_H
#define RUNNER_FIELDS_H

#include <stdbool.h>
#include <stdio.h>

#include "runner/manifest/cursor.h"

enum field_type {
	FIELD_STRING,
	FIELD_INT32,
	FIELD_INT64,
	FIELD_BOOL,
	FIELD_QUANTITY, /* "1.5Gi", or a number */
	FIELD_INT_OR_STRING,
	FIELD_TIME, /* a string */
	FIELD_SECRET, /* a string that isn't shown */
	FIELD_OBJECT,
	FIELD_ANY, /* whatever it holds is not looked at */
};

enum field_shape {
	SHAPE_ONE,
	SHAPE_LIST,
	SHAPE_MAP, /* of string to type */
};

enum field_use {
	USE_ACT, /* minirun acts on it */
	USE_SILENT, /* it means nothing on one machine without an API server: taken, nothing is said */
	USE_WARN, /* known, not supported here: a warning, unless the value is empty or among the quiet ones */
	USE_REFUSE, /* likewise an error: without it the program would get something else than was asked for */
	USE_SOURCE, /* a volume's source: an error if the volume is mounted, else a warning (manifest_volumes.c) */
	USE_PART, /* goes with the field that it is a part of */
};

struct object;

struct field {
	const char *name;
	enum field_type type;
	enum field_shape shape;
	enum field_use use;
	const char *note; /* USE_ACT: what it does; else: why not, or what happens instead */
	const char *quiet; /* USE_WARN and USE_REFUSE: values that need no word, separated by '|' */
	const struct object *object; /* FIELD_OBJECT */
};

struct object {
	const char *name; /* "Container" */
	const struct field *fields;
	size_t n;
};

extern const struct object fields_pod; /* fields_pod.c: the root */
extern const struct object fields_metadata; /* fields_pod.c */
extern const struct object fields_label_selector; /* fields_scheduling.c */
extern const struct object fields_affinity, fields_toleration,
	fields_topology_spread; /* fields_scheduling.c */
extern const struct object fields_container, fields_ephemeral_container; /* fields_container.c */
extern const struct object fields_resources; /* fields_container.c */
extern const struct object fields_seccomp, fields_apparmor, fields_selinux,
	fields_windows; /* fields_security.c */
extern const struct object fields_security_context, fields_pod_security_context; /* fields_security.c */
extern const struct object fields_name; /* fields_security.c: an object that is a name alone */
extern const struct object fields_volume, fields_projection; /* fields_volume.c */
/* fields_config.c: the roots of what may stand beside the Pod */
extern const struct object fields_config_map, fields_secret, fields_list;
/* fields_config.c: parts of volumes and of env */
extern const struct object fields_field_ref, fields_resource_ref;
/* fields_drivers.c */
extern const struct object fields_aws_disk, fields_azure_disk, fields_azure_file, fields_cephfs,
	fields_cinder, fields_flex, fields_flocker, fields_gce_disk, fields_glusterfs, fields_photon,
	fields_portworx, fields_quobyte, fields_rbd, fields_scaleio, fields_storageos, fields_vsphere;

/* Rows of the table, for fields_*.c. */
/* clang-format off */
#define ROW(name, type, shape, use, ...) {name, type, shape, use, __VA_ARGS__}
#define PART(name, type)                 {name, type, SHAPE_ONE, USE_PART, NULL, NULL, NULL}
#define PART_LIST(name, type)            {name, type, SHAPE_LIST, USE_PART, NULL, NULL, NULL}
#define PART_MAP(name, type)             {name, type, SHAPE_MAP, USE_PART, NULL, NULL, NULL}
#define PART_OBJECT(name, object)        {name, FIELD_OBJECT, SHAPE_ONE, USE_PART, NULL, NULL, object}
#define PART_OBJECTS(name, object)       {name, FIELD_OBJECT, SHAPE_LIST, USE_PART, NULL, NULL, object}
#define OBJECT(name, rows)               {name, rows, array_length(rows)}
/* clang-format on */

/* The row of that name, or NULL. */
const struct field *fields_find(const struct object *object, const char *name);

/*
 * Checks a whole object against its table, fields_pod say: unknown fields and wrong types are errors, fields that are not supported
 * give their warning or error. Values are checked elsewhere (manifest*.c).
 */
void fields_check(const struct cursor *root, const struct object *object);

#endif
