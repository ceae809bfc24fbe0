/* The files of an image that is kept as an OCI layout or a docker-archive. Theory of operation: blobs.h. */
#include "images/blobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/inroot.h"
#include "base/memory.h"
#include "base/text.h"
#include "images/digest.h"
#include "images/record.h"

#define MAX_JSON  (1U << 20) /* bytes of an index, a manifest or a configuration */
#define MAX_HOPS  8 /* links of a tar that lead to one another */
#define BLOB_PATH "blobs/sha256/%s"

bool blobs_is_name(const char *path)
{
	static const char *const names[] = {
		"oci-layout", "index.json", "manifest.json", "repositories", "blobs", "version", "VERSION"};
	cleanup_free char *first = xstrndup(path, strcspn(path, "/"));

	for (size_t i = 0; i < array_length(names); i++)
		if (!strcmp(first, names[i]))
			return true;
	/* HEX/, HEX.json, HEX.tar, sha256:HEX */
	if (text_starts_with(first, DIGEST_PREFIX))
		return true;
	return strspn(first, "0123456789abcdef") == DIGEST_LENGTH;
}

static bool has_file(const struct blobs *blobs, const char *path)
{
	struct blob blob = {.fd = -1};
	struct error ignored;

	if (blobs_open(blobs, path, &blob, &ignored) < 0)
		return false;
	close(blob.fd);
	return true;
}

static enum blobs_kind find_kind(const struct blobs *blobs)
{
	if (has_file(blobs, "index.json") && has_file(blobs, "oci-layout"))
		return BLOBS_LAYOUT;
	return has_file(blobs, "manifest.json") ? BLOBS_SAVED : BLOBS_NONE;
}

void blobs_of_folder(struct blobs *blobs, int fd)
{
	static const char *const places[] = {"bin", "usr", "etc", "lib", "sbin"};
	struct stat st;

	*blobs = (struct blobs){.fd = fd};
	/* A rootfs may have files of such names. */
	for (size_t i = 0; i < array_length(places); i++)
		if (fstatat(fd, places[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
			return;
	blobs->kind = find_kind(blobs);
}

int blobs_of_tar(struct blobs *blobs, int fd, struct error *err)
{
	int result;

	*blobs = (struct blobs){.fd = fd, .is_tar = true};
	result = tar_index(blobs, err);
	if (result == 0)
		blobs->kind = find_kind(blobs);
	return result < 0 ? -1 : 0;
}

void blobs_free(struct blobs *blobs)
{
	for (size_t i = 0; i < blobs->n_members; i++) {
		free(blobs->members[i].path);
		free(blobs->members[i].target);
	}
	free(blobs->members);
	*blobs = (struct blobs){.fd = -1};
}

void blobs_add(struct blobs *blobs, struct member member)
{
	if (blobs->n_members == blobs->room) {
		blobs->room = blobs->room ? 2 * blobs->room : 64;
		blobs->members = xreallocarray(blobs->members, blobs->room, sizeof(*blobs->members));
	}
	blobs->members[blobs->n_members++] = member;
}

/* A later member of a name replaces an earlier one. */
static const struct member *find_member(const struct blobs *blobs, const char *path)
{
	for (int hop = 0; path && hop < MAX_HOPS; hop++) {
		const struct member *found = NULL;

		for (size_t i = blobs->n_members; i-- > 0 && !found;)
			if (!strcmp(blobs->members[i].path, path))
				found = &blobs->members[i];
		if (!found || !found->target)
			return found;
		path = found->target;
	}
	return NULL;
}

static int open_member(const struct blobs *blobs, const char *path, struct blob *blob, struct error *err)
{
	const struct member *member = find_member(blobs, path);

	if (!member)
		return error_set(err, ERROR_IMAGE, ENOENT, "%.200s", path);
	*blob = (struct blob){fcntl(blobs->fd, F_DUPFD_CLOEXEC, 3), member->offset, member->size};
	return blob->fd >= 0 ? 0 : error_set(err, ERROR_HOST, errno, "cannot read %.200s", path);
}

int blobs_open(const struct blobs *blobs, const char *path, struct blob *blob, struct error *err)
{
	cleanup_fd int fd = -1;
	struct stat st;

	if (blobs->is_tar)
		return open_member(blobs, path, blob, err);
	fd = inroot_open(blobs->fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, err);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return error_set(err, ERROR_IMAGE, errno, "cannot read %.200s", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_IMAGE, 0, "%.200s is no file", path);
	*blob = (struct blob){steal_fd(&fd), 0, (uint64_t)st.st_size};
	return 0;
}

int blobs_open_digest(
	const struct blobs *blobs, const char *digest, uint64_t size, struct blob *blob, struct error *err)
{
	const struct layout_options *options = blobs->options;
	cleanup_free char *path = xasprintf(BLOB_PATH, digest + strlen(DIGEST_PREFIX));
	int result = blobs_open(blobs, path, blob, err);

	if (result < 0 && err->errnum == ENOENT && options && options->wait) {
		if (options->wait(options->data, digest, size, err) < 0)
			return -1;
		result = blobs_open(blobs, path, blob, err);
	}
	if (result < 0 && err->errnum == ENOENT) {
		error_set(err, ERROR_IMAGE, 0, "its blob %s is missing", digest);
		return error_hint(err, "fetch or make the image again, whole");
	}
	if (result < 0)
		return -1;
	if (blob->size == size)
		return 0;
	close(blob->fd);
	error_set(err, ERROR_IMAGE, 0, "its blob %s has %llu bytes, and should have %llu", digest,
		(unsigned long long)blob->size, (unsigned long long)size);
	return error_hint(err, "fetch or make the image again");
}

int blob_read_json(const struct blob *blob, const char *shown, const char *digest, enum json_type type,
	struct json_object **json, char *hex, struct error *err)
{
	cleanup_free char *text = NULL;
	uint64_t done = 0;

	if (blob->size > MAX_JSON)
		return error_set(
			err, ERROR_IMAGE, 0, "%.200s is larger than the limit of %u bytes", shown, MAX_JSON);
	text = xcalloc(1, blob->size + 1);
	while (done < blob->size) {
		ssize_t n = pread(blob->fd, text + done, blob->size - done, (off_t)(blob->offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, ERROR_IMAGE, errno, "cannot read %.200s", shown);
		if (n == 0)
			return error_set(err, ERROR_IMAGE, 0, "%.200s is cut short", shown);
		done += (uint64_t)n;
	}
	digest_of(text, done, hex);
	if (digest && strcmp(digest + strlen(DIGEST_PREFIX), hex)) {
		error_set(err, ERROR_IMAGE, 0, "the digest of %.200s is not what it should be but sha256:%s",
			shown, hex);
		return error_hint(err, "it was damaged or tampered with: fetch or make the image again");
	}
	return record_parse(text, done, shown, type, json, err);
}
