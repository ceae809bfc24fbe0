/*
 * Loading an image: from a source to layers and a record in the store.
 *
 * A plain rootfs is unpacked into a workspace and synced, then come, under the store's lock, two renames: the layer, the
 * record. A layer that is there already is used as it is; for an archive that can be read twice that is found out before
 * unpacking. What turns out to be an OCI layout or a docker-archive goes on from there (pieces.h).
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
#include "images/blobs.h"
#include "images/config.h"
#include "images/image.h"
#include "images/layer.h"
#include "images/naming.h"
#include "images/pieces.h"
#include "images/platform.h"
#include "images/recipe.h"
#include "images/record.h"
#include "images/source.h"

const struct load_limits load_limits_default = {
	.max_bytes = 16ULL << 30,
	.max_entries = 2000000,
	.max_ratio = 200,
	.max_memory = 256ULL << 20,
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

static int check_rootfs(int root, struct error *err)
{
	cleanup_fd int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fdopendir(fd);
	size_t n = 0;

	if (!dir)
		return error_set(err, ERROR_HOST, errno, "cannot read the rootfs");
	steal_fd(&fd);
	while (readdir(dir))
		n++;
	return n > 2 ? 0 : error_set(err, ERROR_IMAGE, 0, "there is nothing in it");
}

/* An image that is built for another machine may run by emulation, one for another system can't. */
static int check_platform(
	struct json_object *configuration, const struct load_watcher *watcher, struct error *err)
{
	const char *os = "linux", *architecture;
	char theirs[64];

	record_string(configuration, "os", &os);
	if (strcmp(os, "linux") != 0)
		return error_set(err, ERROR_IMAGE, 0, "the image is made for %s",
			platform_name(configuration, theirs, sizeof(theirs)));
	if (watcher && watcher->warn && record_string(configuration, "architecture", &architecture) &&
		!platform_fit(configuration)) {
		char ours[64];
		cleanup_free char *line = xasprintf("the image is made for %s, and this machine is %s",
			platform_name(configuration, theirs, sizeof(theirs)),
			platform_of_machine(ours, sizeof(ours)));

		watcher->warn(watcher->data, line);
	}
	return 0;
}

/* An OCI layout or a docker-archive. reference chooses one of several images in it. */
static int load_image(struct load *load, const struct blobs *blobs, const char *reference,
	struct image *image, struct error *err)
{
	cleanup_recipe struct recipe recipe = {0};
	int result = blobs->kind == BLOBS_LAYOUT ? recipe_of_layout(blobs, reference, &recipe, err)
						 : recipe_of_saved(blobs, reference, &recipe, err);

	if (result < 0 || naming_by_archive(image, recipe.name, recipe.others, err) < 0 ||
		check_platform(recipe.configuration, load->watcher, err) < 0)
		return -1;
	if (!image->configuration && config_take(recipe.configuration, "its configuration", CONFIG_IMAGE,
					     image, load->watcher, err) < 0)
		return -1;
	image->digest = steal_pointer(&recipe.digest);
	image->index = steal_pointer(&recipe.index);
	load->progress = (struct load_progress){0};
	for (size_t i = 0; i < recipe.n; i++)
		load->progress.total += recipe.layers[i].size;
	return pieces_load(load, blobs, &recipe, image, err);
}

/* The record of what was loaded, into the store, and the layer before it if it is new. */
static int publish(struct load *load, struct image *image, const char *id, struct layer_facts *facts,
	bool is_new, struct error *err)
{
	cleanup_fd int lock = store_lock(load->store, err);
	struct strv layers = {0};
	int result;

	if (lock < 0)
		return -1;
	if (is_new ? layer_publish(load->store, &load->workspace, 0, id, facts, err) < 0
		   : layer_read(load->store, id, facts, err) < 0)
		return -1;
	image->digest = xasprintf("sha256:%s", id);
	strv_push(&layers, xstrdup(id));
	image->layers = layers.items;
	image->size = facts->size;
	image->entries = facts->entries;
	image->loaded = time(NULL);
	result = image_publish(load->store, &load->workspace, image, err);
	/* Also where that failed, on a full disk say: the layer is no image's then. */
	layer_collect(load->store, &load->workspace);
	return result;
}

static int unpack_source(struct load *load, int fd, struct source *source, char *id, struct error *err)
{
	mode_t mask;
	int result;

	/* What is made gets exactly the mode it is made with. */
	mask = umask(0);
	if (source)
		result = archive_unpack(load, source, NULL, err);
	else
		result = folder_unpack(load, fd, id, err);
	if (result == 0)
		result = unpack_finish(&load->unpack, err);
	umask(mask);
	if (result == 0 && source)
		memcpy(id, source->hex, sizeof(source->hex));
	return result;
}

/* A rootfs out of `mktemp -d`, say. */
static void warn_of_closed_root(int root, const struct load_watcher *watcher)
{
	cleanup_free char *line = NULL;
	struct stat st;

	if (!watcher || !watcher->warn || fstat(root, &st) < 0 || (st.st_mode & S_IXOTH))
		return;
	line = xasprintf("its / has the mode %04o: a container's user other than %s can't use it",
		st.st_mode & 07777, st.st_uid ? "its owner" : "root");
	watcher->warn(watcher->data, line);
}

/* What was unpacked, and is a rootfs: publishes it. */
static int finish_new(struct load *load, int root, const char *id, uint64_t source_size, struct image *image,
	struct error *err)
{
	struct layer_facts facts = {
		.size = load->progress.written,
		.entries = load->progress.entries,
		.source_size = source_size,
		.has_implied = load->unpack.has_implied,
		.has_root = load->unpack.has_root,
	};

	warn_of_closed_root(root, load->watcher);
	if (check_rootfs(root, err) < 0 || naming_by_archive(image, NULL, NULL, err) < 0 ||
		layer_finish(&load->workspace, 0, &facts, err) < 0)
		return -1;
	/* One sync for all of its files: after a power cut a layer that has its name is whole. */
	if (syncfs(load->workspace.fd) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot write the layer to disk");
	return publish(load, image, id, &facts, true, err);
}

/* Unpacks into a new layer and publishes it, or goes on with the image that was in the archive. */
static int load_new(struct load *load, int fd, struct source *source, const char *reference,
	struct image *image, struct error *err)
{
	char id[DIGEST_LENGTH + 1];
	cleanup_fd int root = layer_begin(&load->workspace, 0, err);
	struct blobs blobs;
	int result;

	if (root < 0)
		return -1;
	result = unpack_init(&load->unpack, UNPACK_PLAIN, root, load->workspace.fd, load->limits,
		&load->progress, &load->losses, err);
	if (result == 0)
		result = unpack_source(load, fd, source, id, err);
	blobs_of_folder(&blobs, root);
	if (result == 0 && source && blobs.kind != BLOBS_NONE) {
		unpack_free(&load->unpack);
		return load_image(load, &blobs, reference, image, err);
	}
	if (result == 0)
		result = finish_new(load, root, id, source ? load->progress.read : 0, image, err);
	unpack_free(&load->unpack);
	return result;
}

/* An image in a tar that is a file is read in place. Returns 1 if it is something else. */
static int load_in_place(
	struct load *load, int fd, const char *reference, struct image *image, struct error *err)
{
	struct blobs blobs;
	int result = blobs_of_tar(&blobs, fd, err);

	if (result == 0)
		result = blobs.kind == BLOBS_NONE ? 1 : load_image(load, &blobs, reference, image, err);
	blobs_free(&blobs);
	return result;
}

static int load_archive(struct load *load, int fd, const struct stat *st, const char *reference,
	struct image *image, struct error *err)
{
	struct source source;
	int result = 0;

	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		return error_set(err, ERROR_IMAGE, 0, "this is a device, and no archive");
	if (S_ISREG(st->st_mode) && lseek(fd, 0, SEEK_CUR) == 0) {
		result = load_in_place(load, fd, reference, image, err);
		if (result <= 0)
			return result;
		result = 0;
	}
	source_init(&source, fd);
	load->progress.total = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
	if (image->name && load->progress.total > 0 && layer_of_size(load->store, load->progress.total)) {
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
		result = load_new(load, fd, &source, reference, image, err);
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

static int load_folder(
	struct load *load, int fd, const char *reference, struct image *image, struct error *err)
{
	struct blobs blobs;

	blobs_of_folder(&blobs, fd);
	if (blobs.kind != BLOBS_NONE)
		return load_image(load, &blobs, reference, image, err);
	/* Before all is copied. */
	if (naming_by_archive(image, NULL, NULL, err) < 0)
		return -1;
	return load_new(load, fd, NULL, NULL, image, err);
}

static int load_source(
	struct load *load, const char *source, const char *reference, struct image *image, struct error *err)
{
	struct stat st = {0};
	cleanup_fd int fd = open_source(source, &st, err);

	if (fd < 0)
		return -1;
	if (S_ISDIR(st.st_mode))
		return load_folder(load, fd, reference, image, err);
	return load_archive(load, fd, &st, reference, image, err);
}

static int finish_load(struct load *load, int result, struct image *image)
{
	workspace_close(&load->workspace);
	if (result == 0)
		losses_tell(&load->losses, load->watcher);
	else
		image_free(image);
	losses_free(&load->losses);
	return result;
}

int image_load(const struct store *store, const char *source, const char *name, const char *config_path,
	const struct load_limits *limits, const struct load_watcher *watcher, struct image *image,
	struct error *err)
{
	struct load load = {
		.store = store,
		.limits = limits ? limits : &load_limits_default,
		.watcher = watcher,
		.workspace = {.tmp = -1, .fd = -1},
	};
	int result;

	*image = (struct image){0};
	result = naming_by_user(image, name, err);
	image->origin = IMAGE_LOADED;
	if (result == 0 && config_path)
		result = config_read_file(config_path, image, watcher, err);
	if (result == 0)
		result = workspace_open(&load.workspace, store, err);
	if (result == 0 && load_source(&load, source, name, image, err) < 0)
		result = error_wrap(
			err, "cannot load %.250s", strcmp(source, "-") ? source : "standard input");
	return finish_load(&load, result, image);
}

int image_load_layout(const struct store *store, int dirfd, const char *name,
	const struct layout_options *options, struct image *image, struct error *err)
{
	struct load load = {
		.store = store,
		.limits = options->limits ? options->limits : &load_limits_default,
		.watcher = options->watcher,
		.workspace = {.tmp = -1, .fd = -1},
	};
	const struct blobs blobs = {.kind = BLOBS_LAYOUT, .fd = dirfd, .options = options};
	int result;

	*image = (struct image){0};
	result = naming_by_user(image, name, err);
	image->origin = options->origin;
	if (result == 0)
		result = workspace_open(&load.workspace, store, err);
	if (result == 0)
		result = load_image(&load, &blobs, options->reference, image, err);
	return finish_load(&load, result, image);
}
