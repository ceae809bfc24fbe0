/*
 * The store: its folders, its lock, and the workspaces in which loads and removals happen.
 *
 * Crash safety rests on three things. What is unfinished lies in a workspace below tmp/, whose folder is locked
 * (flock) by the process that works in it; the kernel drops that lock however the process ends. What is finished
 * appears by rename. And what refers (an image's json) is renamed after what it refers to (its layer), so that a
 * crash between the two leaves at most a layer without an image, which the next load collects (layer.c).
 */
#include "images/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/inroot.h"
#include "base/memory.h"

#define PATIENCE_NS    10000000 /* between two looks at a lock that is about to go */
#define PATIENCE_STEPS 100

static const char *const folders[] = {STORE_IMAGES, STORE_LAYERS, STORE_TMP, "pods", "cache"};

/* Something is wrong with the place, which `minirun check` has a line for. */
static int store_failed(struct error *err, int errnum, const char *what, const char *path)
{
	error_set(err, ERROR_HOST, errnum, "%s %s", what, path);
	return error_check(err, "store");
}

/* Makes the folders above the store. They are the user's own, so an ordinary walk will do. */
static int make_parents(const char *path, struct error *err)
{
	cleanup_free char *copy = xstrdup(path);

	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return store_failed(err, errno, "cannot make the folder", copy);
		*slash = '/';
	}
	return 0;
}

/* Setuid programs of images and half-unpacked trees are nobody else's business, nor may anybody plant some. */
static int check_owner(const struct store *store, struct error *err)
{
	struct stat st;

	if (fstat(store->fd, &st) < 0)
		return store_failed(err, errno, "cannot read the store", store->path);
	if (st.st_uid != geteuid()) {
		error_set(err, ERROR_HOST, 0, "the store %s belongs to user %u, not to user %u", store->path,
			(unsigned)st.st_uid, (unsigned)geteuid());
		error_check(err, "store");
		return error_hint(err, "choose another with --store or $MINIRUN_STORE");
	}
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		error_set(err, ERROR_HOST, 0, "others may write to the store %s", store->path);
		error_check(err, "store");
		return error_hint(err, "chmod go-w %s, if you trust what is in it", store->path);
	}
	return 0;
}

static int make_folder(const struct store *store, const char *name, struct error *err)
{
	cleanup_fd int fd = -1;

	if (mkdirat(store->fd, name, 0700) < 0)
		return errno == EEXIST
			       ? 0
			       : error_set(err, ERROR_HOST, errno, "cannot make %s/%s", store->path, name);
	/* A default ACL or a setgid bit of the folder above would be passed on to every file of every image. */
	fd = openat(store->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchown(fd, geteuid(), getegid()) < 0 || fchmod(fd, 0700) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot set up %s/%s", store->path, name);
	fremovexattr(fd, "system.posix_acl_default");
	return 0;
}

static int open_own(struct store *store, struct error *err)
{
	store->fd = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->fd < 0)
		return store_failed(err, errno, "cannot open the store", store->path);
	return check_owner(store, err);
}

static int open_folders(struct store *store, struct error *err)
{
	if (open_own(store, err) < 0)
		return -1;
	for (size_t i = 0; i < array_length(folders); i++)
		if (make_folder(store, folders[i], err) < 0)
			return -1;
	return 0;
}

int store_open(struct store *store, const char *path, struct error *err)
{
	*store = (struct store){.path = xstrdup(path), .fd = -1};
	if (mkdir(path, 0700) < 0 && errno == ENOENT) {
		if (make_parents(path, err) < 0) {
			store_close(store);
			return -1;
		}
		mkdir(path, 0700); /* what fails here fails in open_folders, with a message */
	}
	if (open_folders(store, err) == 0)
		return 0;
	store_close(store);
	return -1;
}

int store_look(struct store *store, const char *path, struct error *err)
{
	*store = (struct store){.path = xstrdup(path), .fd = -1};
	if (open_own(store, err) == 0 || (store->fd < 0 && err->errnum == ENOENT))
		return 0;
	store_close(store);
	return -1;
}

void store_close(struct store *store)
{
	cleanup_fd_fn(&store->fd);
	free(store->path);
	*store = (struct store){.fd = -1};
}

int store_folder(const struct store *store, const char *name, struct error *err)
{
	int fd = openat(store->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 ? fd : error_set(err, ERROR_HOST, errno, "cannot open %s/%s", store->path, name);
}

int store_lock(const struct store *store, struct error *err)
{
	cleanup_fd int fd = store_folder(store, STORE_LAYERS, err);
	int result;

	if (fd < 0)
		return -1;
	do
		result = flock(fd, LOCK_EX);
	while (result < 0 && errno == EINTR);
	if (result < 0)
		return error_set(err, ERROR_HOST, errno, "cannot lock the store %s", store->path);
	return steal_fd(&fd);
}

/*
 * Removes what is in a folder of tmp/, then the folder. Only its owner, or who holds its lock, comes here. Trees that
 * are too deep to remove in one go are moved up within the folder, so the list is read until it stays empty.
 */
static void remove_workspace(int tmp, int fd, const char *name)
{
	for (bool found = true; found;) {
		cleanup_fd int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		cleanup_dir DIR *dir = fdopendir(again);
		const struct dirent *entry;

		if (!dir)
			break;
		steal_fd(&again);
		found = false;
		while ((entry = readdir(dir))) {
			struct error ignored;

			if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
				continue;
			/* What can't be removed is left for the next time. */
			if (inroot_remove_tree(fd, entry->d_name, &ignored) == 0)
				found = true;
		}
	}
	unlinkat(tmp, name, AT_REMOVEDIR);
}

/*
 * Locks the folder of a load that isn't there any more. Of the one whose pid is given that is known: the lock can only be held by a
 * process that it had just forked, which ends with it (images/reading.c), and is waited for.
 */
static bool lock_dead(int fd, const char *name, pid_t dead)
{
	const struct timespec pause = {.tv_nsec = PATIENCE_NS};
	bool is_known = dead > 0 && strtol(name, NULL, 10) == dead;

	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		if (!is_known || i == PATIENCE_STEPS)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

static void clear_litter(int tmp, pid_t load)
{
	cleanup_fd int fd = openat(tmp, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fdopendir(fd);
	const struct dirent *entry;

	if (!dir)
		return;
	steal_fd(&fd);
	while ((entry = readdir(dir))) {
		cleanup_fd int dead = -1;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		dead = openat(tmp, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (dead < 0)
			unlinkat(tmp, entry->d_name, 0); /* no folder: nothing of a living load's */
		else if (lock_dead(dead, entry->d_name, load))
			remove_workspace(tmp, dead, entry->d_name);
	}
}

void store_sweep(const struct store *store, pid_t dead)
{
	cleanup_fd int tmp = openat(store->fd, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (tmp >= 0)
		clear_litter(tmp, dead);
}

/* Whether the folder that we have locked is still the one of that name: a clearer may have been faster. */
static bool is_there(int tmp, int fd, const char *name)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && fstatat(tmp, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

int workspace_open(struct workspace *workspace, const struct store *store, struct error *err)
{
	cleanup_fd int tmp = store_folder(store, STORE_TMP, err);

	*workspace = (struct workspace){.tmp = -1, .fd = -1};
	if (tmp < 0)
		return -1;
	clear_litter(tmp, 0);
	for (unsigned attempt = 0; attempt < 100; attempt++) {
		cleanup_fd int fd = -1;
		struct timespec now;

		clock_gettime(CLOCK_REALTIME, &now);
		snprintf(workspace->name, sizeof(workspace->name), "%d-%lld-%ld-%u", (int)getpid(),
			(long long)now.tv_sec, now.tv_nsec, attempt);
		if (mkdirat(tmp, workspace->name, 0700) < 0) {
			if (errno == EEXIST)
				continue;
			break;
		}
		fd = openat(tmp, workspace->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || !is_there(tmp, fd, workspace->name))
			continue;
		workspace->fd = steal_fd(&fd);
		workspace->tmp = steal_fd(&tmp);
		return 0;
	}
	return error_set(err, ERROR_HOST, errno, "cannot make a folder in %s/%s", store->path, STORE_TMP);
}

void workspace_close(struct workspace *workspace)
{
	if (workspace->fd >= 0)
		remove_workspace(workspace->tmp, workspace->fd, workspace->name);
	cleanup_fd_fn(&workspace->fd);
	cleanup_fd_fn(&workspace->tmp);
	*workspace = (struct workspace){.tmp = -1, .fd = -1};
}
