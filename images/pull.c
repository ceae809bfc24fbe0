/*
 * Pulling an image: from a registry into the store, by skopeo.
 *
 * skopeo is asked for the manifest, and loading begins (image_load_layout). What the loader misses it asks for one by one: the
 * manifest for this platform, the configuration, and the layers from the lowest on. At the configuration skopeo is set to copy
 * all layers into a folder; each that is complete there is handed over by a rename, so that it is unpacked while the
 * others come. For a layer that the store has, an empty file in that folder makes skopeo leave it out.
 *
 *   WORKSPACE/layout/   an OCI layout, of complete blobs alone; its index.json names what the registry gave
 *   WORKSPACE/blobs/    where skopeo puts blobs
 *   WORKSPACE/copied/   a layout of skopeo's own, with the beginnings of blobs; not used
 *
 * Whose word counts: skopeo checks digests and, before the first layer, the machine's policy on signatures; the loader checks
 * each digest again. No image comes into the store before skopeo has had its say.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "images/digest.h"
#include "images/fetches.h"
#include "images/image.h"
#include "images/pulled.h"
#include "images/record.h"
#include "images/reference.h"
#include "images/skopeo.h"
#include "images/store.h"

#define LOOK_MS    100 /* how often we look how far it is */
#define COPIES_MAX 3
#define BLOBS      "blobs"

struct pull {
	const struct store *store;
	const struct pull_options *options;
	struct reference reference;
	char *repository, *host; /* "docker.io/library/nginx", "docker.io" */
	char *name; /* to store it as */
	struct workspace workspace;
	int layout; /* WORKSPACE/layout/blobs/sha256 */
	int arrivals; /* inotify, on WORKSPACE/blobs/sha256 */
	struct skopeo skopeo;
	unsigned int copies; /* begun */
	char *manifest_digest; /* of the image, not of an index */
	char *config_digest;
	struct fetches fetches;
	struct load_progress progress; /* the loader's last */
};

static char *source_of(const struct pull *pull, const char *digest)
{
	const char *tag = strrchr(pull->reference.name, ':');

	if (digest)
		return xasprintf("docker://%s@%s", pull->repository, digest);
	if (!tag || strchr(tag, '/'))
		tag = ":latest";
	return xasprintf("docker://%s%s", pull->repository, tag);
}

/* Asks for a manifest or an index, checks its digest if it is known, and puts it into the layout. Fills hex. */
static int fetch_manifest(struct pull *pull, const char *digest, struct json_object **json,
	char hex[static DIGEST_LENGTH + 1], size_t *size, struct error *err)
{
	cleanup_free char *source = source_of(pull, digest);
	cleanup_free char *text = NULL;

	if (skopeo_inspect(&pull->skopeo, source, false, &text, size, err) < 0)
		return -1;
	digest_of(text, *size, hex);
	if (digest && strcmp(digest + strlen(DIGEST_PREFIX), hex) != 0)
		return error_set(err, ERROR_IMAGE, 0,
			"what the registry %s sent isn't what its digest says: %s is sha256:%s", pull->host,
			digest, hex);
	if (record_parse(text, *size, "its manifest", json_type_object, json, err) < 0)
		return -1;
	return pulled_file(pull->layout, hex, text, *size, err);
}

/* If it is an image's manifest (and not an index): remembers what it names. */
static int take_manifest(struct pull *pull, struct json_object *json, const char *hex, struct error *err)
{
	struct json_object *config;
	const char *digest = NULL;

	if (!json_object_object_get_ex(json, "layers", NULL))
		return 0;
	if (!json_object_object_get_ex(json, "config", &config) || !record_string(config, "digest", &digest))
		return 0; /* the loader will say what is wrong with it */
	free(pull->manifest_digest);
	free(pull->config_digest);
	pull->manifest_digest = xasprintf("%s%s", DIGEST_PREFIX, hex);
	pull->config_digest = xstrdup(digest);
	return fetches_of_manifest(&pull->fetches, json, err);
}

/* ---- what the loader asks for ---- */

static void tell(struct pull *pull)
{
	const struct load_watcher *watcher = pull->options->watcher;

	if (!watcher || !watcher->progress || !pull->fetches.n)
		return;
	fetches_look(&pull->fetches, pull->workspace.fd, pull->layout);
	pull->progress.fetches = pull->fetches.items;
	pull->progress.n_fetches = pull->fetches.n;
	watcher->progress(watcher->data, &pull->progress);
}

static int start_copy(struct pull *pull, struct error *err)
{
	cleanup_free char *source = source_of(pull, pull->manifest_digest);

	if (pull->copies++ == COPIES_MAX)
		return error_set(err, ERROR_IMAGE, 0, "skopeo doesn't fetch all of its layers");
	return skopeo_copy(&pull->skopeo, source, BLOBS, err);
}

/* Waits for an arrival, the end of skopeo, or a moment to show how far it is. */
static int wait_a_moment(struct pull *pull, struct error *err)
{
	struct pollfd fds[] = {{.fd = pull->arrivals, .events = POLLIN},
		{.fd = pull->skopeo.pidfd, .events = POLLIN}, {.fd = pull->skopeo.log, .events = POLLIN}};

	if (poll(fds, array_length(fds), LOOK_MS) < 0 && errno != EINTR)
		return error_set(err, ERROR_HOST, errno, "poll");
	if (fds[0].revents & POLLIN) {
		char events[4096];

		while (read(pull->arrivals, events, sizeof(events)) > 0)
			;
	}
	if (fds[2].revents & POLLIN)
		skopeo_listen(&pull->skopeo);
	tell(pull);
	if (fetches_overrun(&pull->fetches, pull->workspace.fd)) {
		error_set(err, ERROR_IMAGE, 0, "the registry %s sends more than any of its layers has",
			pull->host);
		return error_hint(err, "the image there is broken, or somebody changes it on the way");
	}
	return (fds[1].revents & POLLIN) ? skopeo_finish(&pull->skopeo, err) : 0;
}

/* That the loader asks for one says that those below it are unpacked; its own last word about them may be older. */
static void note_asked(struct pull *pull, const char *hex)
{
	size_t i = 0;

	while (i < pull->fetches.n && strcmp(pull->fetches.items[i].digest + strlen(DIGEST_PREFIX), hex) != 0)
		i++;
	if (i < pull->fetches.n && i + 1 > pull->progress.layer) {
		pull->progress.layer = (unsigned int)i + 1;
		pull->progress.layer_read = 0;
	}
}

/* A layer: taken over as soon as skopeo has put it there whole. */
static int wait_for_layer(struct pull *pull, const char *hex, struct error *err)
{
	cleanup_fd int blobs = pulled_folder(pull->store, &pull->workspace, BLOBS "/sha256", err);

	if (blobs < 0)
		return -1;
	note_asked(pull, hex);
	/* The loader can't use the one that the store has: it is to come after all. */
	if (fetches_unstub(&pull->fetches, hex))
		unlinkat(blobs, hex, 0);
	for (;;) {
		if (renameat(blobs, hex, pull->layout, hex) == 0)
			return 0;
		if (errno != ENOENT)
			return error_set(err, ERROR_HOST, errno, "cannot take over a layer");
		if (!pull->skopeo.pid && start_copy(pull, err) < 0)
			return -1;
		if (wait_a_moment(pull, err) < 0)
			return -1;
	}
}

/*
 * The configuration; with it comes which layers there are, and copying them begins. Then skopeo's verdict is waited for: it asks
 * the machine's policy before it fetches anything, and the loader may find all that it wants in the store.
 */
static int fetch_configuration(struct pull *pull, const char *hex, struct error *err)
{
	const struct load_limits *limits =
		pull->options->limits ? pull->options->limits : &load_limits_default;
	cleanup_free char *source = source_of(pull, pull->manifest_digest);
	cleanup_free char *text = NULL;
	cleanup_fd int blobs = pulled_folder(pull->store, &pull->workspace, BLOBS "/sha256", err);
	size_t size;

	if (blobs < 0 || skopeo_inspect(&pull->skopeo, source, true, &text, &size, err) < 0 ||
		pulled_file(pull->layout, hex, text, size, err) < 0)
		return -1;
	fetches_of_configuration(&pull->fetches, pull->store, text, size);
	if (fetches_check(&pull->fetches, limits->max_bytes, err) < 0 ||
		fetches_stub(&pull->fetches, blobs, err) < 0 || start_copy(pull, err) < 0)
		return -1;
	while (pull->skopeo.pid && !fetches_begun(&pull->fetches, pull->workspace.fd))
		if (wait_a_moment(pull, err) < 0)
			return -1;
	return 0;
}

static int on_wait(void *data, const char *digest, uint64_t size, struct error *err)
{
	struct pull *pull = data;
	const char *hex = digest + strlen(DIGEST_PREFIX);
	cleanup_json struct json_object *json = NULL;
	char found[DIGEST_LENGTH + 1];
	size_t read;

	(void)size;
	if (!digest_is_valid(digest))
		return error_set(err, ERROR_IMAGE, 0, "%.100s is no digest", digest);
	if (pull->config_digest && !strcmp(digest, pull->config_digest))
		return fetch_configuration(pull, hex, err);
	if (pull->manifest_digest)
		return wait_for_layer(pull, hex, err);
	if (fetch_manifest(pull, digest, &json, found, &read, err) < 0)
		return -1;
	return take_manifest(pull, json, found, err);
}

static void on_progress(void *data, const struct load_progress *progress)
{
	struct pull *pull = data;

	pull->progress = *progress;
	tell(pull);
	/* While a layer is unpacked nobody waits for the others. Whoever does next starts skopeo again, and fails. */
	if (fetches_overrun(&pull->fetches, pull->workspace.fd))
		skopeo_stop(&pull->skopeo);
}

static void on_warning(void *data, const char *line)
{
	const struct pull *pull = data;
	const struct load_watcher *watcher = pull->options->watcher;

	if (watcher && watcher->warn)
		watcher->warn(watcher->data, line);
}

/* ---- the pull ---- */

static int prepare(struct pull *pull, const char *name, struct error *err)
{
	if (reference_parse(&pull->reference, name, err) < 0)
		return -1;
	pull->repository = reference_repository(pull->reference.name);
	pull->host = xstrndup(pull->repository, strcspn(pull->repository, "/"));
	pull->name = reference_stored(&pull->reference, name);
	if (workspace_open(&pull->workspace, pull->store, err) < 0)
		return -1;
	pull->skopeo = (struct skopeo){
		.options = pull->options,
		.name = pull->repository,
		.host = pull->host,
		.folder = pull->workspace.fd,
		.pidfd = -1,
		.log = -1,
	};
	pull->layout = pulled_folder(pull->store, &pull->workspace, "layout/blobs/sha256", err);
	return pull->layout < 0 ? -1 : 0;
}

static int watch_arrivals(struct pull *pull, struct error *err)
{
	cleanup_fd int blobs = pulled_folder(pull->store, &pull->workspace, BLOBS "/sha256", err);
	char path[64];

	if (blobs < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", blobs);
	pull->arrivals = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (pull->arrivals < 0 || inotify_add_watch(pull->arrivals, path, IN_MOVED_TO | IN_CREATE) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot watch a folder of the store");
	return 0;
}

/* Whether the store has the very same under that name. */
static bool is_stored(const struct pull *pull, const char *hex, struct image *image)
{
	cleanup_free char *digest = xasprintf("%s%s", DIGEST_PREFIX, hex);
	struct error ignored;

	if (image_find(pull->store, pull->name, image, &ignored) < 0)
		return false;
	if (!strcmp(image->digest, digest) || (image->index && !strcmp(image->index, digest)))
		return true;
	image_free(image);
	return false;
}

/* The very same image may have been loaded from a file before: that the registry has it is known now. */
static int note_origin(const struct pull *pull, struct image *image, struct error *err)
{
	cleanup_fd int lock = -1;
	struct image now;
	struct error ignored;
	int result = 0;

	if (image->origin == IMAGE_PULLED)
		return 0;
	lock = store_lock(pull->store, err);
	if (lock < 0)
		return -1;
	image->origin = IMAGE_PULLED;
	/* Somebody may have removed or replaced it meanwhile: then there is nothing to note. */
	if (image_find(pull->store, pull->name, &now, &ignored) < 0)
		return 0;
	if (!strcmp(now.digest, image->digest)) {
		now.origin = IMAGE_PULLED;
		result = image_publish(pull->store, &pull->workspace, &now, err);
	}
	image_free(&now);
	return result;
}

static int run(struct pull *pull, struct image *image, bool *is_unchanged, struct error *err)
{
	const struct load_watcher watcher = {on_warning, on_progress, pull};
	const struct layout_options options = {.limits = pull->options->limits,
		.watcher = &watcher,
		.origin = IMAGE_PULLED,
		.wait = on_wait,
		.data = pull};
	cleanup_json struct json_object *manifest = NULL;
	cleanup_fd int layout = -1;
	char hex[DIGEST_LENGTH + 1];
	size_t size;

	if (fetch_manifest(pull, pull->reference.digest, &manifest, hex, &size, err) < 0)
		return -1;
	*is_unchanged = is_stored(pull, hex, image);
	if (*is_unchanged)
		return note_origin(pull, image, err);
	if (take_manifest(pull, manifest, hex, err) < 0 || watch_arrivals(pull, err) < 0 ||
		pulled_index(pull->store, &pull->workspace, manifest, hex, size, err) < 0)
		return -1;
	layout = pulled_folder(pull->store, &pull->workspace, "layout", err);
	if (layout < 0 || image_load_layout(pull->store, layout, pull->name, &options, image, err) < 0)
		return -1;
	/* The loader tells now and then; that all is done is always told. */
	pull->progress.layer = (unsigned int)pull->fetches.n + 1;
	tell(pull);
	return 0;
}

int image_pull(const struct store *store, const char *name, const struct pull_options *options,
	struct image *image, bool *is_unchanged, struct error *err)
{
	struct pull pull = {
		.store = store,
		.options = options,
		.workspace = {.tmp = -1, .fd = -1},
		.layout = -1,
		.arrivals = -1,
		.skopeo = SKOPEO_NONE,
	};
	int result;

	*image = (struct image){0};
	*is_unchanged = false;
	result = prepare(&pull, name, err);
	if (result == 0)
		result = run(&pull, image, is_unchanged, err);
	if (result < 0)
		error_wrap(err, "cannot pull %.250s", name);
	skopeo_stop(&pull.skopeo);
	cleanup_fd_fn(&pull.arrivals);
	cleanup_fd_fn(&pull.layout);
	workspace_close(&pull.workspace);
	fetches_free(&pull.fetches);
	reference_free(&pull.reference);
	free(pull.repository);
	free(pull.host);
	free(pull.name);
	free(pull.manifest_digest);
	free(pull.config_digest);
	return result;
}
