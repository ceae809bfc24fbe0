/*
 * An index of a plain tar: which member lies where.
 *
 * libarchive reads the headers, and is told to skip what is between them. What the headers say is not believed: a member
 * must lie within the file, and what is read from it later is checked by its digest.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "images/blobs.h"
#include "images/libarchive.h"
#include "images/unpack.h"

#define BLOCK       (16U << 10)
#define MAX_MEMBERS 20000

struct indexer {
	const struct libarchive *la;
	struct blobs *blobs;
	struct archive *archive;
	uint64_t at, size; /* of the file */
	char buffer[BLOCK];
};

static la_ssize_t give(struct archive *archive, void *data, const void **buffer)
{
	struct indexer *indexer = data;
	ssize_t n;

	do
		n = pread(indexer->blobs->fd, indexer->buffer, BLOCK, (off_t)indexer->at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		indexer->la->set_error(archive, errno, "cannot read");
	if (n > 0)
		indexer->at += (uint64_t)n;
	*buffer = indexer->buffer;
	return n;
}

static la_int64_t skip(struct archive *archive, void *data, la_int64_t request)
{
	struct indexer *indexer = data;
	uint64_t left = indexer->size - indexer->at;

	(void)archive;
	if (request < 0 || indexer->at >= indexer->size)
		return 0;
	if ((uint64_t)request < left)
		left = (uint64_t)request;
	indexer->at += left;
	return (la_int64_t)left;
}

/* Where a symbolic link leads, from the top of the archive; NULL if out of it. */
static char *resolve(const char *path, const char *target)
{
	const char *slash = strrchr(path, '/');
	char *out = target[0] == '/' ? xstrdup("") : xstrndup(path, slash ? (size_t)(slash - path) : 0);

	for (const char *p = target; *p; p += strspn(p, "/")) {
		size_t n = strcspn(p, "/");
		char *last = strrchr(out, '/');

		if (n == 2 && !strncmp(p, "..", 2)) {
			if (last)
				*last = '\0';
			else
				out[0] = '\0';
		} else if (n > 0 && !(n == 1 && *p == '.')) {
			char *longer = xasprintf("%s%s%.*s", out, *out ? "/" : "", (int)n, p);

			free(out);
			out = longer;
		}
		p += n;
	}
	return out;
}

static int add(struct indexer *indexer, const struct entry *entry, const char *path, struct error *err)
{
	uint64_t offset = (uint64_t)indexer->la->filter_bytes(indexer->archive, 0);

	if (indexer->blobs->n_members == MAX_MEMBERS)
		return entry_error(entry, err, 0, "an image of more than %u files", MAX_MEMBERS);
	if (entry->hard_link) {
		char target[PATH_MAX];

		if (unpack_clean(UNPACK_PLAIN, entry, entry->hard_link, target, err) < 0)
			return -1;
		blobs_add(indexer->blobs, (struct member){.path = xstrdup(path), .target = xstrdup(target)});
	} else if (S_ISLNK(entry->mode)) {
		blobs_add(indexer->blobs,
			(struct member){.path = xstrdup(path), .target = resolve(path, entry->target)});
	} else if (S_ISREG(entry->mode)) {
		if (offset > indexer->size || entry->size > indexer->size - offset)
			return entry_error(entry, err, 0, "it goes beyond the end of the archive");
		blobs_add(indexer->blobs,
			(struct member){.path = xstrdup(path), .offset = offset, .size = entry->size});
	}
	return 0;
}

static int read_one(struct indexer *indexer, struct archive_entry *from, struct error *err)
{
	const struct libarchive *la = indexer->la;
	struct entry entry = {
		.path = la->entry_pathname(from),
		.hard_link = la->entry_hardlink(from),
		.target = la->entry_symlink(from),
		.mode = la->entry_filetype(from),
		.size = la->entry_size_is_set(from) ? (uint64_t)la->entry_size(from) : 0,
	};
	char path[PATH_MAX];

	if (!entry.path || (S_ISLNK(entry.mode) && !entry.hard_link && !entry.target))
		return 1;
	if (unpack_clean(UNPACK_PLAIN, &entry, entry.path, path, err) < 0)
		return -1;
	if (!*path)
		return 0;
	return blobs_is_name(path) ? add(indexer, &entry, path, err) : 1;
}

/* What is not the tar of an image is left to others, who find the right words for what is wrong with it. */
static int read_all(struct indexer *indexer, struct error *err)
{
	const struct libarchive *la = indexer->la;
	struct archive *a = indexer->archive;
	struct archive_entry *entry;
	int result;

	la->read_support_format_tar(a);
	la->read_set_read_callback(a, give);
	la->read_set_skip_callback(a, skip);
	la->read_set_callback_data(a, indexer);
	if (la->read_open1(a) != ARCHIVE_OK)
		return 1;
	while ((result = la->read_next_header(a, &entry)) == ARCHIVE_OK || result == ARCHIVE_WARN) {
		int outcome = read_one(indexer, entry, err);

		if (outcome != 0)
			return outcome;
	}
	if (result == ARCHIVE_EOF)
		return 0;
	if (!indexer->blobs->n_members)
		return 1;
	error_set(err, ERROR_IMAGE, 0, "the archive is damaged or cut short: %s", la->error_string(a));
	return error_hint(err, "fetch or make the archive again");
}

int tar_index(struct blobs *blobs, struct error *err)
{
	cleanup_libarchive struct libarchive la = {0};
	cleanup_free struct indexer *indexer = NULL;
	struct stat st;
	int result;

	if (fstat(blobs->fd, &st) < 0)
		return error_set(err, ERROR_IMAGE, errno, "cannot read it");
	if (libarchive_load(&la, err) < 0)
		return -1;
	indexer = xcalloc(1, sizeof(*indexer));
	*indexer = (struct indexer){.la = &la, .blobs = blobs, .archive = la.read_new()};
	indexer->size = (uint64_t)st.st_size;
	result = read_all(indexer, err);
	la.read_free(indexer->archive);
	return result;
}
