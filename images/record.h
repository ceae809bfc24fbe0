/* Within the wing: small JSON files of the store's own. */
#ifndef IMAGES_RECORD_H
#define IMAGES_RECORD_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

static inline void cleanup_json_fn(struct json_object **json)
{
	json_object_put(*json);
}
#define cleanup_json __attribute__((cleanup(cleanup_json_fn)))

/* Reads a file that holds one JSON object; shown is its path in messages. -1 with errno ENOENT if there is none. */
int record_read(int dirfd, const char *name, const char *shown, struct json_object **json, struct error *err);

/* The same from text of that many bytes with a NUL behind; type is an object or an array. */
int record_parse(const char *text, size_t size, const char *shown, enum json_type type,
	struct json_object **json, struct error *err);

/* Writes one; it is not renamed into place: that is the caller's, after syncing. */
int record_write(int dirfd, const char *name, struct json_object *json, struct error *err);

/* Members; false if missing or of another kind. Strings are the object's. */
bool record_string(struct json_object *json, const char *key, const char **value);
bool record_number(struct json_object *json, const char *key, uint64_t *value);
/* A member that is true. */
bool record_flag(struct json_object *json, const char *key);
/* A list of strings as a fresh NULL-terminated vector; NULL and true if missing or null. */
bool record_strings(struct json_object *json, const char *key, char ***value);
/* The other way; nothing is added for NULL. */
void record_add_strings(struct json_object *json, const char *key, char *const *strings);

#endif
