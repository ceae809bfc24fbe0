/* The folders that entries are written into, and a few kept descriptors of them. */
#include "images/parents.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/inroot.h"
#include "base/memory.h"

void parents_init(struct parents *parents, int root)
{
	*parents = (struct parents){.root = root};
	for (size_t i = 0; i < PARENTS_KEPT; i++)
		parents->kept[i].fd = -1;
}

void parents_forget(struct parents *parents)
{
	for (size_t i = 0; i < PARENTS_KEPT; i++) {
		struct parent *parent = &parents->kept[i];

		cleanup_fd_fn(&parent->fd);
		free(parent->path);
		*parent = (struct parent){.fd = -1};
	}
}

/* Makes the missing folders of path one by one, so that each is counted. */
static int make_missing(struct parents *parents, char *path, unsigned int *made, struct error *err)
{
	for (char *end = path;; end++) {
		cleanup_fd int fd = -1;
		char kept;

		end += strcspn(end, "/");
		kept = *end;
		*end = '\0';
		fd = inroot_open(parents->root, path, O_PATH | O_DIRECTORY, err);
		if (fd < 0 && err->errnum == ENOENT) {
			fd = inroot_mkdirs(parents->root, path, 0755, err);
			(*made)++;
		}
		if (fd < 0)
			return -1;
		if (!kept)
			return steal_fd(&fd);
		*end = kept;
	}
}

int parents_find(
	struct parents *parents, const char *path, size_t length, unsigned int *made, struct error *err)
{
	cleanup_free char *folder = NULL;
	struct parent *parent;
	int fd;

	for (size_t i = 0; i < PARENTS_KEPT; i++) {
		parent = &parents->kept[i];
		if (parent->path && parent->length == length && !memcmp(parent->path, path, length))
			return parent->fd;
	}
	folder = xstrndup(path, length);
	fd = inroot_open(parents->root, folder, O_PATH | O_DIRECTORY, err);
	if (fd < 0 && err->errnum == ENOENT && made)
		fd = make_missing(parents, folder, made, err);
	if (fd < 0)
		return -1;
	parent = &parents->kept[parents->next];
	parents->next = (parents->next + 1) % PARENTS_KEPT;
	cleanup_fd_fn(&parent->fd);
	free(parent->path);
	*parent = (struct parent){.path = steal_pointer(&folder), .length = length, .fd = fd};
	return fd;
}
