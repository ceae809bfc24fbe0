/*
 * A parcel: files and folders on their way into a container or out of one, as a stream of records in a pipe.
 *
 * Both ends are minirun: one in the container, with the rights of its user, the other the client outside. What comes out of a
 * container is hostile all the same: whoever receives believes no name and no number in it.
 *
 * The first record is the file or folder itself, with the empty name; names of what is in a folder follow, relative to it, each
 * folder closed by a record of its own. A file's content follows its record in pieces.
 */
#ifndef RUNNER_PARCEL_H
#define RUNNER_PARCEL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/error.h"

#define PARCEL_DEPTH 400 /* folders in folders: each is a descriptor of the sender's */

enum parcel_kind {
	PARCEL_FOLDER = 'D',
	PARCEL_LEAVE = 'P', /* the folder that was entered last is complete */
	PARCEL_FILE = 'F',
	PARCEL_LINK = 'L', /* text is where it leads */
	PARCEL_WARNING = 'W', /* text; something was left out */
	PARCEL_ERROR = 'X', /* text; it has ended */
	PARCEL_END = 'E', /* all is there, unless mode isn't 0: but for what the warnings told */
};

struct parcel {
	enum parcel_kind kind;
	mode_t mode;
	struct timespec time; /* of its last change */
	char name[PATH_MAX], text[PATH_MAX];
};

/* Writes a record, or reads one: 1, or 0 at the end of the stream. A record that is no such thing is an error. */
int parcel_put(int fd, const struct parcel *parcel, struct error *err);
int parcel_get(int fd, struct parcel *parcel, struct error *err);

/* Writes a record that is nothing but a text. */
int parcel_say(int fd, enum parcel_kind kind, const char *text, struct error *err);

/* Before a piece of a file: its size in bytes; negative: as many zeros, which don't follow; 0: the end of the file. */
int parcel_put_size(int fd, int64_t size, struct error *err);
int parcel_get_size(int fd, int64_t *size, struct error *err);

/* Reads exactly so many bytes: 1; 0 if there were none at all; an error if it ends in between. */
int parcel_read(int fd, void *data, size_t size, struct error *err);

struct parcel_source {
	const char *path;
	int root; /* path is resolved in this folder, without magic links; -1: as any path */
	bool links; /* symbolic links in it are sent; else that they are left out is a warning */
	void (*warn)(void *data, const char *text); /* NULL: warnings are sent */
	void *data;
};

/*
 * Sends what is at the path (where a symbolic link in its place leads), and all that is in it, without a PARCEL_END. What can't be
 * read is left out with a warning, and counted in *left_out; so is what is no file or folder, and not counted. Nothing waits: a
 * fifo isn't opened.
 */
int parcel_send(int fd, const struct parcel_source *source, unsigned int *left_out, struct error *err);

struct parcel_place {
	const char *path; /* where to; a folder that is there takes it under the name base */
	const char *base; /* NULL: a folder that is there becomes the copy */
	bool strict; /* no symbolic link below path is followed or made, as of what is hostile; else all is resolved in / */
	mode_t mode; /* the bits of modes that are kept */
	void (*warn)(void *data, const char *text); /* NULL: a warning is an error */
	void *data;
};

/*
 * Receives up to the sender's end. *incomplete: something was left out. Errors name what was being written; PARCEL_ERROR is one,
 * too.
 */
int parcel_receive(int fd, const struct parcel_place *place, bool *incomplete, struct error *err);

#endif
