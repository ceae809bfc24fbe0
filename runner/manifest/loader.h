/* What a program in an image is started by: the dynamic loader that its ELF file names, or none. */
#ifndef RUNNER_LOADER_H
#define RUNNER_LOADER_H

#include "images/images.h"
#include "security/security.h"

/*
 * Finds the program that a container would run (argv[0], in PATH of env if it has no slash, in cwd if it is relative) in the
 * image, and reads who loads it. Of a script it is its interpreter that counts. The image is hostile: its paths are
 * resolved in-root, only regular files are read, and only so much of them. *program gets the path, to be freed, NULL if it
 * wasn't found; whatever can't be told is LOADER_UNKNOWN. *is_script tells whether it is one; may be NULL.
 */
enum loader loader_find(const struct store *store, const struct image *image, const char *name,
	char *const *env, const char *cwd, char **program, bool *is_script);

/* Whether the image has something at a path; false if that can't be told. */
bool loader_has(const struct store *store, const struct image *image, const char *path);

/* The same, of an open ELF file or script: *script gets the interpreter of a script, to be freed. */
enum loader loader_read(int fd, char **script);

#endif
