/* What a pull has on disk while it lasts. See pulled.h. */
#include "images/pulled.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "images/digest.h"
#include "images/record.h"

int pulled_file(int dirfd, const char *name, const void *data, size_t size, struct error *err)
{
	cleanup_fd int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || fd_write_all(fd, data, size) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot write %s in the store", name);
	return 0;
}

int pulled_folder(
	const struct store *store, const struct workspace *workspace, const char *path, struct error *err)
{
	cleanup_free char *copy = xstrdup(path);
	int fd;

	for (char *p = strchr(copy, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		mkdirat(workspace->fd, copy, 0700);
		*p = '/';
	}
	mkdirat(workspace->fd, path, 0700);
	fd = openat(workspace->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 ? fd : error_set(err, ERROR_HOST, errno, "cannot make a folder in %s", store->path);
}

int pulled_index(const struct store *store, const struct workspace *workspace, struct json_object *manifest,
	const char *hex, size_t size, struct error *err)
{
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	cleanup_json struct json_object *index = json_object_new_object();
	cleanup_free char *digest = xasprintf("%s%s", DIGEST_PREFIX, hex);
	cleanup_fd int folder = pulled_folder(store, workspace, "layout", err);
	struct json_object *list = json_object_new_array();
	struct json_object *entry = json_object_new_object();
	const char *media_type, *text;

	json_object_object_add(index, "schemaVersion", json_object_new_int(2));
	json_object_object_add(index, "manifests", list);
	json_object_array_add(list, entry);
	if (record_string(manifest, "mediaType", &media_type))
		json_object_object_add(entry, "mediaType", json_object_new_string(media_type));
	json_object_object_add(entry, "digest", json_object_new_string(digest));
	json_object_object_add(entry, "size", json_object_new_uint64(size));
	text = json_object_to_json_string_ext(index, JSON_C_TO_STRING_NOSLASHESCAPE);
	if (folder < 0 || pulled_file(folder, "index.json", text, strlen(text), err) < 0)
		return -1;
	return pulled_file(folder, "oci-layout", layout, strlen(layout), err);
}
