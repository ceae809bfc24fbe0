/* Small JSON files: what the store remembers of an image or a layer. */
#include "images/record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "images/store.h"

#define MAX_SIZE (8U << 20) /* an image's configuration is part of its record */

int record_read(int dirfd, const char *name, const char *shown, struct json_object **json, struct error *err)
{
	cleanup_fd int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	cleanup_free char *text = NULL;
	size_t size;

	if (fd < 0)
		return error_set(err, ERROR_IMAGE, errno, "cannot open %s", shown);
	if (fd_read_all(fd, shown, MAX_SIZE, ERROR_IMAGE, &text, &size, err) < 0)
		return -1;
	return record_parse(text, size, shown, json_type_object, json, err);
}

int record_parse(const char *text, size_t size, const char *shown, enum json_type type,
	struct json_object **json, struct error *err)
{
	cleanup_json struct json_object *read = NULL;
	enum json_tokener_error error;
	struct json_tokener *tokener = json_tokener_new();

	if (!tokener)
		return error_set(err, ERROR_INTERNAL, ENOMEM, "json");
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	/* The NUL behind the text tells the tokener that a number at the very end is whole. */
	read = json_tokener_parse_ex(tokener, text, (int)size + 1);
	error = json_tokener_get_error(tokener);
	json_tokener_free(tokener);
	if (error != json_tokener_success || !json_object_is_type(read, type))
		return error_set(err, ERROR_IMAGE, 0, "%s is not a JSON %s%s%s", shown,
			json_type_to_name(type), error != json_tokener_success ? ": " : "",
			error != json_tokener_success ? json_tokener_error_desc(error) : "");
	*json = steal_pointer(&read);
	return 0;
}

int record_write(int dirfd, const char *name, struct json_object *json, struct error *err)
{
	const char *text = json_object_to_json_string_ext(
		json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);
	cleanup_fd int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0 || fd_write_all(fd, "\n", 1) < 0) {
		error_set(err, ERROR_HOST, errno, "cannot write %s", name);
		if (err->errnum == ENOSPC || err->errnum == EDQUOT)
			error_hint(err, STORE_FULL);
		return -1;
	}
	return 0;
}

bool record_string(struct json_object *json, const char *key, const char **value)
{
	struct json_object *member;

	if (!json_object_object_get_ex(json, key, &member) || !json_object_is_type(member, json_type_string))
		return false;
	/* A NUL inside would make two strings look like one. */
	if (strlen(json_object_get_string(member)) != (size_t)json_object_get_string_len(member))
		return false;
	*value = json_object_get_string(member);
	return true;
}

bool record_number(struct json_object *json, const char *key, uint64_t *value)
{
	struct json_object *member;

	if (!json_object_object_get_ex(json, key, &member) || !json_object_is_type(member, json_type_int))
		return false;
	if (json_object_get_int64(member) < 0)
		return false;
	*value = json_object_get_uint64(member);
	return true;
}

bool record_flag(struct json_object *json, const char *key)
{
	struct json_object *member;

	return json_object_object_get_ex(json, key, &member) &&
	       json_object_is_type(member, json_type_boolean) && json_object_get_boolean(member);
}

bool record_strings(struct json_object *json, const char *key, char ***value)
{
	cleanup_strv char **strings = NULL;
	struct json_object *member;
	size_t n;

	*value = NULL;
	if (!json_object_object_get_ex(json, key, &member) || !member)
		return true;
	if (!json_object_is_type(member, json_type_array))
		return false;
	n = json_object_array_length(member);
	strings = xcalloc(n + 1, sizeof(*strings));
	for (size_t i = 0; i < n; i++) {
		struct json_object *item = json_object_array_get_idx(member, i);

		if (!json_object_is_type(item, json_type_string) ||
			strlen(json_object_get_string(item)) != (size_t)json_object_get_string_len(item))
			return false;
		strings[i] = xstrdup(json_object_get_string(item));
	}
	*value = steal_pointer(&strings);
	return true;
}

void record_add_strings(struct json_object *json, const char *key, char *const *strings)
{
	struct json_object *list;

	if (!strings)
		return;
	list = json_object_new_array();
	for (; *strings; strings++)
		json_object_array_add(list, json_object_new_string(*strings));
	json_object_object_add(json, key, list);
}
