/* Within the wing: owner, mode, extended attributes and times of what unpack.c has made. */
#ifndef IMAGES_ATTRIBUTES_H
#define IMAGES_ATTRIBUTES_H

#include "images/unpack.h"

/* Of an open regular file or folder, times included; a folder's time and setgid bit wait for attributes_finish. */
int attributes_set(struct unpack *unpack, int fd, const struct entry *entry, struct error *err);

/* What a folder of that mode is made with until attributes_finish. */
mode_t attributes_mode_for_now(const struct unpack *unpack, mode_t mode);

/* Of anything else, by name in its folder; never follows a link. */
int attributes_set_at(
	struct unpack *unpack, int dirfd, const char *name, const struct entry *entry, struct error *err);

/* Sets the times and setgid bits of folders. */
int attributes_finish(struct unpack *unpack, struct error *err);

#endif
