/*
 * The wing of images: what becomes a rootfs on disk.
 *
 * The store is a folder:
 *   STORE/images/NAME.json     one stored image: name, digest, size, time, and its layers, topmost last
 *   STORE/layers/ID/           one unpacked layer: rootfs/ below it is an overlayfs lower
 *   STORE/pods/                upper and work folders of running pods (the runner's)
 *   STORE/tmp/                 what is being unpacked; whatever no living process locks is cleared at the next load
 *   STORE/cache/               compiled seccomp filters (the security wing's)
 * An image appears by one rename of its finished layer and one of its json, so a kill at any byte leaves either
 * the old state or the new. The archive is hostile (law R4): libarchive reads it, we write through in-root
 * descriptors.
 */
#ifndef IMAGES_IMAGES_H
#define IMAGES_IMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/error.h"

struct store {
	char *path; /* for messages */
	int fd; /* of the folder */
};

/* Opens the store at path, making it (0700) and its folders when missing. */
int store_open(struct store *store, const char *path, struct error *err);
/*
 * Opens the store to look into it only: nothing is made. A missing one is no error but an empty store (its fd is -1), in
 * which image_find finds nothing.
 */
int store_look(struct store *store, const char *path, struct error *err);
void store_close(struct store *store);

static inline void cleanup_store_fn(struct store *store)
{
	if (store->path)
		store_close(store);
}
#define cleanup_store __attribute__((cleanup(cleanup_store_fn)))

/*
 * Removes what loads that died left in STORE/tmp. Every load does it; this is for one that was just killed: dead is its process, which
 * is reaped.
 */
void store_sweep(const struct store *store, pid_t dead);

/* Whether text can be the name of an image: 0, or an ERROR_IMAGE that says which part of it can't. */
int image_check_name(const char *text, struct error *err);

/*
 * How to run an image, from an OCI image configuration's "config" object: an image's own, or `image load --config FILE`.
 * NULL where the image says nothing. Nothing in it is trusted: it is checked for kind, not for sense.
 */
struct image_config {
	/* NULL-terminated. Env is NAME=VALUE; volumes are paths, exposed_ports "80/tcp", labels "KEY=VALUE". */
	char **entrypoint, **cmd, **env, **volumes, **exposed_ports, **labels;
	char *working_dir; /* absolute */
	char *user; /* "name", "uid", "uid:gid", "name:group" */
	char *stop_signal; /* "SIGQUIT", "3" */
};

/* Where an image came from: only one that came from a registry can be asked for there. */
enum image_origin {
	IMAGE_ORIGIN_UNKNOWN, /* a record of before this was written down */
	IMAGE_LOADED, /* from a file or a folder: there may be no registry that has it */
	IMAGE_PULLED,
};

struct image {
	char *name; /* as stored, e.g. "nginx" */
	char **others; /* of a load: further names that the archive gives it, each stored as an image; or NULL */
	/*
	 * "sha256:...": of an image's manifest; of a docker-archive's configuration (Docker's image id); of a plain archive's
	 * bytes; of the tree for a folder.
	 */
	char *digest;
	char *index; /* "sha256:..." of the multi-platform index that it was chosen from, or NULL */
	char **layers; /* ids in the store, lowest first */
	uint64_t size; /* bytes of file content unpacked */
	uint64_t entries; /* of the archives, and folders they imply */
	time_t loaded; /* seconds since the epoch */
	enum image_origin origin;
	struct image_config config;
	char *created, *architecture, *variant; /* as the configuration has them, or NULL */
	char *configuration; /* the whole OCI image configuration as JSON text, or NULL */
};
void image_free(struct image *image);

static inline void cleanup_image_fn(struct image *image)
{
	image_free(image);
}
#define cleanup_image __attribute__((cleanup(cleanup_image_fn)))

/* "loaded", "pulled"; NULL if it isn't known. */
const char *image_origin_name(enum image_origin origin);

struct load_limits {
	uint64_t max_bytes; /* of content unpacked; default 16 GiB */
	uint64_t max_entries; /* default 2,000,000 */
	unsigned int max_ratio; /* content per byte of archive, checked beyond 64 MiB; default 200 */
	uint64_t max_memory; /* bytes that a decompressor may need; default 256 MiB */
};
extern const struct load_limits load_limits_default;

/* How far a load has come. */
struct load_progress {
	uint64_t read; /* bytes of the archive (of a folder: of file content) */
	uint64_t total; /* bytes of the archive, 0 if not known */
	uint64_t written; /* bytes of content unpacked */
	uint64_t entries;
	/* Of an image with layers: which one is at hand, from 1; of how many; and how far it is. 0 otherwise. */
	unsigned int layer, layers;
	uint64_t layer_read, layer_total; /* bytes of its blob */
	/* Of a pull: all layers, lowest first. NULL otherwise, and before they are known. */
	const struct fetch_progress *fetches;
	size_t n_fetches;
};

/* A layer on its way from a registry. */
struct fetch_progress {
	char digest[72]; /* "sha256:..." */
	uint64_t size, fetched; /* bytes of its blob */
	bool is_stored; /* the store has it: it isn't fetched */
};

/* Who wants to hear of a load. Both functions may be NULL. */
struct load_watcher {
	void (*warn)(void *data,
		const char *line); /* one line for each kind of thing that was not kept, at the end */
	void (*progress)(void *data, const struct load_progress *progress); /* at most ten times a second */
	void *data;
};

/*
 * Stores what source is (an archive, "-" for standard input, or a folder) as name, replacing an image of that name. On
 * error nothing is left behind. *image is filled on success. watcher may be NULL.
 *
 * What it is is told by its content: an OCI layout, a docker-archive (as `docker save` writes it), each in a folder or an
 * archive, or a plain rootfs. An archive is a tar, cpio or zip, plain or compressed with gzip, bzip2, xz, lzma, zstd, lz4,
 * lzip or compress. An entry that tries to leave the rootfs (`..`, a hard link to outside) is an error that names it, as is
 * a whiteout that belongs to no layer; a leading "/" is dropped; symbolic links are followed within the rootfs only. A
 * folder that is a rootfs is copied, staying on its file system.
 *
 * name is what a pod writes in `image:`: nginx, nginx:1.25, quay.io/who/what:tag; no digest. NULL: what the layout or
 * docker-archive calls it; of one with several images it chooses one. config_path names a file with an OCI image
 * configuration ({"config": {"Entrypoint", "Cmd", "Env", ...}}) that is used instead of the image's own, or is NULL.
 *
 * Errors: ERROR_IMAGE for what is wrong with the source, the name or the configuration, naming the entry; ERROR_HOST
 * for what this machine refuses (no space, no libarchive).
 */
int image_load(const struct store *store, const char *source, const char *name, const char *config_path,
	const struct load_limits *limits, const struct load_watcher *watcher, struct image *image,
	struct error *err);

struct layout_options {
	/* Which image of several: an index.json annotation (org.opencontainers.image.ref.name), or NULL for the only one. */
	const char *reference;
	const struct load_limits *limits; /* NULL: the default */
	const struct load_watcher *watcher; /* may be NULL */
	enum image_origin origin;
	/*
	 * For a layout that is still being filled: called when the blob DIGEST ("sha256:...") of that many bytes is needed and
	 * not there yet; it waits until blobs/sha256/HEX is complete. Returns 0 when it is there, or fills err and returns -1.
	 * Blobs are asked for in the order manifest, configuration, layers from the lowest on; layers that the store has
	 * are not asked for. NULL: what isn't there is missing.
	 */
	int (*wait)(void *data, const char *digest, uint64_t size, struct error *err);
	void *data;
};

/*
 * Loads an image from the OCI layout that dirfd is (index.json and blobs/ below it), and stores it as name (NULL: by the
 * layout's own annotation). The machine's platform is chosen from indexes. Each blob's digest and size and each layer's
 * diff_id are checked while they stream; layers that the store has are not read at all. Otherwise as image_load.
 */
int image_load_layout(const struct store *store, int dirfd, const char *name,
	const struct layout_options *options, struct image *image, struct error *err);

struct pull_options {
	const struct load_limits *limits; /* NULL: the default */
	const struct load_watcher *watcher; /* may be NULL */
	const char *authfile, *cert_dir; /* as skopeo's --authfile and --cert-dir, absolute; or NULL */
	bool no_tls_verify; /* as skopeo's --tls-verify=false */
};

/*
 * Fetches an image from its registry by skopeo, and stores it under its name. Layers that the store has aren't fetched, and
 * each is unpacked while the next ones come. If the registry has what the store has already, that costs one request, nothing
 * is done and *is_unchanged set. A name with a digest is fetched by that; without a tag besides it is stored as NAME:sha256-PREFIX, for
 * nothing says that it is the latest.
 *
 * Errors: ERROR_HOST where skopeo is missing, the registry can't be reached or isn't trusted; ERROR_IMAGE for what it
 * refuses or hasn't got, and as image_load_layout. Nothing is left behind.
 */
int image_pull(const struct store *store, const char *name, const struct pull_options *options,
	struct image *image, bool *is_unchanged, struct error *err);

/*
 * Finds an image by the name a pod gives. As for Docker "nginx", "nginx:latest", "library/nginx" and
 * "docker.io/library/nginx:latest" are one name. With "@sha256:..." that must be the image's digest, or that of the index
 * that it was chosen from. ERROR_IMAGE with errnum ENOENT if there is none; the hint suggests near names and how to load
 * one.
 */
int image_find(const struct store *store, const char *name, struct image *image, struct error *err);

/* The name of the image that may have been meant by one that isn't there, or NULL; to be freed. */
char *image_near(const struct store *store, const char *name);

/*
 * The images that a word means: the one of that name, or all names of the image whose digest it is, or begins with (four digits
 * at least, "sha256:" may be left out). ERROR_IMAGE if there is none, as image_find (the hint is for who wants no other),
 * or if several begin so. The caller frees each and the array.
 */
int image_choose(
	const struct store *store, const char *word, struct image **images, size_t *n, struct error *err);

/* All images, sorted by name; none of a store that isn't there (store_look). The caller frees each and the array. */
int image_list(const struct store *store, struct image **images, size_t *n, struct error *err);

/* Removes the image, and its layers if no other image has them and no pod uses them (then: an error). */
int image_remove(const struct store *store, const char *name, struct error *err);

struct pruned {
	char **images; /* names, NULL-terminated, to be freed; NULL if none */
	size_t layers;
	uint64_t bytes; /* of their content */
};

/*
 * Removes what no image refers to: layers, and what dead loads left. With all also every image that no running pod uses
 * (nor one that shares its topmost layer).
 */
int store_prune(const struct store *store, bool all, struct pruned *pruned, struct error *err);

/*
 * Opens the rootfs folders of an image's layers, lowest first, into fds (image->layers long), holding a shared lock
 * on each layer for as long as *lock_fds are open, so that image_remove leaves them alone.
 */
int image_open_layers(
	const struct store *store, const struct image *image, int *fds, int *lock_fds, struct error *err);

/* Ids of a copy: those below count become first and up, others first + 65534 (nobody). A count of 0 leaves them as they are. */
struct image_ids {
	uint32_t first, count;
};

/*
 * Copies what an overlay of n layers (descriptors, topmost first) would show into a folder that nobody else can reach and that
 * is empty, but for its own owner and mode. For where there is no overlay to be had. Errors are of class ERROR_HOST.
 */
int image_copy_layers(
	const int *layers, size_t n, int folder, const struct image_ids *ids, struct error *err);

/*
 * Gives a folder the owner, mode and time of the image's root: an overlay shows those of its upper folder. fds are what
 * image_open_layers opened. Of the layers the topmost that has an entry for the root counts; without any the folder
 * stays as it is.
 */
int image_copy_root(
	const struct store *store, const struct image *image, const int *fds, int folder, struct error *err);

#endif
