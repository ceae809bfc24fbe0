/*
 * Loading an image: from a source to a layer and a record in the store.
 *
 * Unpack into a workspace, sync, then under the store's lock two renames: the layer, the record. A layer that is there
 * already is used as it is; for an archive that can be read twice that is found out before unpacking.
 */
#include "images/load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "images/config.h"
#include "images/image.h"
#include "images/layer.h"
#include "images/reference.h"
#include "images/source.h"

const struct load_limits load_limits_default = {
	.max_bytes = 16ULL << 30,
	.max_entries = 2000000,
	.max_ratio = 200,
};

void load_report(struct load *load)
{
	struct timespec now;

	if (!load->watcher || !load->watcher->progress)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if ((now.tv_sec - load->reported.tv_sec) * 10 + (now.tv_nsec - load->reported.tv_nsec) / 100000000 <
		1)
		return;
	load->reported = now;
	load->watcher->progress(load->watcher->data, &load->progress);
}

static bool exists(int root, const char *name)
{
	struct stat st;

	return fstatat(root, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Things that unpack well and are no rootfs. */
static int check_rootfs(int root, struct error *err)
{
	static const char *const places[] = {"bin", "usr", "etc", "lib", "sbin"};
	cleanup_fd int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fdopendir(fd);
	const char *kind = NULL;
	size_t n = 0;

	if (!dir)
		return error_set(err, ERROR_HOST, errno, "cannot read the rootfs");
	steal_fd(&fd);
	while (readdir(dir))
		n++;
	if (n <= 2)
		return error_set(err, ERROR_IMAGE, 0, "there is nothing in it");
	if (exists(root, "oci-layout") && exists(root, "index.json"))
		kind = "an OCI image layout";
	else if (exists(root, "manifest.json"))
		kind = "an image saved by docker or podman (docker-archive)";
	for (size_t i = 0; kind && i < array_length(places); i++)
		if (exists(root, places[i]))
			kind = NULL;
	if (!kind)
		return 0;
	error_set(
		err, ERROR_IMAGE, 0, "it is %s, not a rootfs; minirun can't take its layers apart yet", kind);
	return error_hint(err, "make a rootfs of it: podman create IMAGE, then podman export CONTAINER | "
			       "minirun image load - "
			       "NAME");
}

/* The record of what was loaded, into the store, and the layer before it if it is new. */
static int publish(struct load *load, struct image *image, const char *id, struct layer_facts *facts,
	bool is_new, struct error *err)
{
	cleanup_fd int lock = store_lock(load->store, err);
	struct strv layers = {0};

	if (lock < 0)
		return -1;
	if (is_new ? layer_publish(load->store, &load->workspace, id, facts, err) < 0
		   : layer_read(load->store, id, facts, err) < 0)
		return -1;
	image->digest = xasprintf("sha256:%s", id);
	strv_push(&layers, xstrdup(id));
	image->layers = layers.items;
	image->size = facts->size;
	image->entries = facts->entries;
	image->loaded = time(NULL);
	if (image_publish(load->store, &load->workspace, image, err) < 0)
		return -1;
	layer_collect(load->store, &load->workspace);
	return 0;
}

static int unpack_source(struct load *load, int fd, struct source *source, char *id, struct error *err)
{
	mode_t mask;
	int result;

	/* What is made gets exactly the mode it is made with. */
	mask = umask(0);
	if (source)
		result = archive_unpack(load, source, err);
	else
		result = folder_unpack(load, fd, id, err);
	if (result == 0)
		result = unpack_finish(&load->unpack, err);
	umask(mask);
	if (result == 0 && source)
		memcpy(id, source->hex, sizeof(source->hex));
	return result;
}

/* Unpacks into a new layer and publishes it. */
static int load_new(struct load *load, int fd, struct source *source, struct image *image, struct error *err)
{
	char id[DIGEST_LENGTH + 1];
	cleanup_fd int root = layer_begin(&load->workspace, err);
	struct layer_facts facts;
	int result;

	if (root < 0)
		return -1;
	result = unpack_init(&load->unpack, root, load->workspace.fd, load->limits, &load->progress, err);
	if (result == 0)
		result = unpack_source(load, fd, source, id, err);
	if (result == 0)
		result = check_rootfs(root, err);
	if (result == 0) {
		facts = (struct layer_facts){
			.size = load->progress.written,
			.entries = load->progress.entries,
			.source_size = source ? load->progress.read : 0,
		};
		result = layer_finish(&load->workspace, &facts, err);
	}
	if (result == 0)
		result = publish(load, image, id, &facts, true, err);
	if (result == 0)
		unpack_tell(&load->unpack, load->watcher);
	unpack_free(&load->unpack);
	return result;
}

static int load_archive(
	struct load *load, int fd, const struct stat *st, struct image *image, struct error *err)
{
	struct source source;
	int result = 0;

	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		return error_set(err, ERROR_IMAGE, 0, "this is a device, and no archive");
	source_init(&source, fd);
	load->progress.total = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
	if (load->progress.total > 0 && layer_of_size(load->store, load->progress.total)) {
		result = source_hash_first(&source, load, err);
		if (result == 0) {
			struct layer_facts facts;
			struct error ignored;

			/* If it isn't there, or is just being removed, the archive is unpacked. */
			if (publish(load, image, source.hex, &facts, false, &ignored) == 0) {
				source_free(&source);
				return 0;
			}
			free(image->digest);
			strv_free(image->layers);
			image->digest = NULL;
			image->layers = NULL;
		}
	}
	if (result == 0)
		result = load_new(load, fd, &source, image, err);
	source_free(&source);
	return result;
}

static int open_source(const char *source, struct stat *st, struct error *err)
{
	int fd = strcmp(source, "-") ? open(source, O_RDONLY | O_CLOEXEC | O_NOCTTY)
				     : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return error_set(err, ERROR_IMAGE, errno, "cannot open it");
	if (fstat(fd, st) == 0)
		return fd;
	close(fd);
	return error_set(err, ERROR_IMAGE, errno, "cannot open it");
}

static int load_source(struct load *load, const char *source, struct image *image, struct error *err)
{
	struct stat st = {0};
	cleanup_fd int fd = open_source(source, &st, err);

	if (fd < 0)
		return -1;
	if (S_ISDIR(st.st_mode))
		return load_new(load, fd, NULL, image, err);
	return load_archive(load, fd, &st, image, err);
}

int image_load(const struct store *store, const char *source, const char *name, const char *config_path,
	const struct load_limits *limits, const struct load_watcher *watcher, struct image *image,
	struct error *err)
{
	cleanup_reference struct reference reference = {0};
	struct load load = {
		.store = store,
		.limits = limits ? limits : &load_limits_default,
		.watcher = watcher,
		.workspace = {.tmp = -1, .fd = -1},
	};
	int result;

	*image = (struct image){0};
	if (reference_parse(&reference, name, err) < 0)
		return -1;
	if (reference.digest) {
		error_set(err, ERROR_IMAGE, 0, "an image can't be stored under a digest: \"%.300s\"", name);
		return error_hint(err, "the digest is computed from the archive; leave it out of the name");
	}
	if (config_path && config_read_file(config_path, image, watcher, err) < 0) {
		image_free(image);
		return -1;
	}
	image->name = steal_pointer(&reference.name);
	result = workspace_open(&load.workspace, store, err);
	if (result == 0) {
		result = load_source(&load, source, image, err);
		if (result < 0)
			error_wrap(
				err, "cannot load %.250s", strcmp(source, "-") ? source : "standard input");
		workspace_close(&load.workspace);
	}
	if (result < 0)
		image_free(image);
	return result;
}
