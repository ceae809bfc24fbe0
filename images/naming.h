/* Within the wing: what a loaded image is called. */
#ifndef IMAGES_NAMING_H
#define IMAGES_NAMING_H

#include "images/images.h"

/* The name that the user gives, or NULL. ERROR_IMAGE for what is no name, or has a digest. */
int naming_by_user(struct image *image, const char *name, struct error *err);

/*
 * Without a name of the user's those of the archive hold, all of them. name may be NULL, which is an error then; others is
 * NULL-terminated, or NULL. ERROR_IMAGE with a hint at how to give a name.
 */
int naming_by_archive(struct image *image, const char *name, char *const *others, struct error *err);

#endif
