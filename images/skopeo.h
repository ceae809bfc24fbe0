/* Within the wing: skopeo, which reaches registries for us: credentials, mirrors, signatures are its matter. */
#ifndef IMAGES_SKOPEO_H
#define IMAGES_SKOPEO_H

#include <sys/types.h>

#include "images/images.h"

#define SKOPEO_LOG 8192

struct skopeo {
	const struct pull_options *options;
	const char *name; /* of the image, for messages */
	const char *host; /* of its registry */
	int folder; /* its working folder: paths are relative to it */
	pid_t pid; /* 0: none runs */
	int pidfd, log;
	char text[SKOPEO_LOG + 1]; /* the end of what it wrote to standard error */
	size_t used;
};
#define SKOPEO_NONE                    \
	{                              \
		.pidfd = -1, .log = -1 \
	}

/*
 * Asks for the manifest that source ("docker://...") names, or with configuration for the configuration that this one
 * names, as they are. *text is to be freed, and NUL-terminated. ERROR_HOST where skopeo or the network is missing,
 * ERROR_IMAGE for what the registry refuses; the hint says what to do.
 */
int skopeo_inspect(struct skopeo *skopeo, const char *source, bool configuration, char **text, size_t *size,
	struct error *err);

/* Starts copying the blobs of source to blobs/sha256/ of its folder; those that lie there already are left out. */
int skopeo_copy(struct skopeo *skopeo, const char *source, const char *blobs, struct error *err);

/* Reads what it has to say, without waiting. */
void skopeo_listen(struct skopeo *skopeo);

/* After its pidfd became readable: 0 if it did what it should, else -1 and why. */
int skopeo_finish(struct skopeo *skopeo, struct error *err);

/* Kills it, if it runs. */
void skopeo_stop(struct skopeo *skopeo);
#define cleanup_skopeo __attribute__((cleanup(skopeo_stop)))

#endif
