/* What a running pod has on disk, and clearing it up. Theory of operation: state.h. */
#include "runner/pod/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/inroot.h"
#include "base/memory.h"
#include "base/text.h"
#include "namespaces/namespaces.h"
#include "runner/pod/logfile.h"
#include "runner/pod/status.h"

#define SWEEPS      500
#define SWEEP_PAUSE 10000000 /* ns between two */
#define CGROUP_LINK "cgroup%d" /* one for each place, and one for the leaf of the supervisor */

static int not_yours(const char *path, struct error *err)
{
	error_set(err, ERROR_HOST, 0, "folder %s is not yours alone", path);
	return error_hint(err,
		"others could change what minirun keeps there: name another folder, or make it yours "
		"with mode 0700");
}

static bool is_private(const struct stat *st)
{
	return st->st_uid == geteuid() && !(st->st_mode & 022);
}

/*
 * Opens the folder at path, making it with its parents. It must be ours and nobody else's to write: under /tmp
 * another user could have put a link or a folder of their own there first.
 */
static int open_private(const char *path, struct error *err)
{
	cleanup_fd int fd = -1;
	struct stat st;
	char *copy = xstrdup(path);

	for (char *p = strchr(copy + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		mkdir(copy, 0755);
		*p = '/';
	}
	free(copy);
	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		error_set(err, ERROR_HOST, errno, "cannot make folder %s", path);
		return error_hint(err, "name another with --root or --store");
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot open folder %s", path);
	if (!is_private(&st))
		return not_yours(path, err);
	return steal_fd(&fd);
}

static int open_folder(int parent, const char *name)
{
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* flock(2) through EINTR. Returns 0, or -1 with errno set. */
static int lock(int fd, int operation)
{
	while (flock(fd, operation) < 0)
		if (errno != EINTR)
			return -1;
	return 0;
}

bool state_is_alive(int parent, const char *name)
{
	cleanup_fd int dir = open_folder(parent, name);

	return dir >= 0 && lock(dir, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/* The pod's folder has the paths of its cgroup as links, which nothing ever follows. */
void state_record_cgroup(int place, const char *path, void *data)
{
	const struct state *state = data;
	cleanup_free char *link = xasprintf(CGROUP_LINK, place);

	/* Best effort: should it fail, an empty cgroup may be left behind by a supervisor and a sandbox that are killed. */
	unlinkat(state->data, link, 0);
	symlinkat(path, state->data, link);
}

/* Returns 0 if there is none any more. */
static int sweep_cgroup(int parent, const char *name)
{
	int result = 0;

	for (int i = 0; i <= CGROUP_PLACES; i++) {
		cleanup_free char *link = xasprintf("%s/" CGROUP_LINK, name, i);
		char path[PATH_MAX] = "";
		struct error ignored;

		if (readlinkat(parent, link, path, sizeof(path) - 1) <= 0 || !strstr(path, "/minirun-"))
			continue;
		if (i == CGROUP_PLACES)
			cgroup_clear_leaf(path);
		else if (cgroup_remove(path, &ignored) < 0)
			result = -1;
	}
	return result;
}

/* The same, for as long as it takes what was killed in it to go. */
static int sweep_cgroup_patiently(int parent, const char *name)
{
	const struct timespec pause = {.tv_nsec = SWEEP_PAUSE};

	for (int i = 0; i < SWEEPS; i++) {
		if (sweep_cgroup(parent, name) == 0)
			return 0;
		nanosleep(&pause, NULL);
	}
	return -1;
}

/* Removes every folder whose supervisor is dead. What can't be removed is left: it is no reason not to start. */
static void sweep(int parent)
{
	struct error ignored;
	cleanup_dir DIR *dir = NULL;
	const struct dirent *entry;
	int copy = open_folder(parent, ".");

	dir = copy < 0 ? NULL : fdopendir(copy);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || state_is_alive(parent, entry->d_name))
			continue;
		/* The folder is what knows of the cgroup: as long as that is there, it stays. */
		if (sweep_cgroup(parent, entry->d_name) == 0)
			inroot_remove_tree(parent, entry->d_name, &ignored);
	}
}

/* Locks a folder for sweeping it or making something in it. The guard is a description of its own: closing it lets go. */
static int open_guard(int parent)
{
	cleanup_fd int guard = open_folder(parent, ".");

	return guard < 0 || lock(guard, LOCK_EX) < 0 ? -1 : steal_fd(&guard);
}

static int already_exists(const char *pod, struct error *err)
{
	error_set(err, ERROR_HOST, 0, "pods \"%s\" already exists", pod);
	return error_hint(err, "it is running: end it, or give this one another metadata.name");
}

/* Makes folder name below parent, a private folder, and locks it, having swept. */
static int claim(int parent, const char *name, const char *pod, struct error *err)
{
	cleanup_fd int guard = open_guard(parent);
	cleanup_fd int fd = -1;

	if (guard < 0)
		return error_set(err, ERROR_HOST, errno, "cannot lock the folder of running pods");
	sweep(parent);
	if (mkdirat(parent, name, 0700) < 0) {
		if (errno == EEXIST)
			return already_exists(pod, err);
		return error_set(err, ERROR_HOST, errno, "cannot make a folder for pod %s", pod);
	}
	fd = open_folder(parent, name);
	if (fd < 0 || lock(fd, LOCK_EX | LOCK_NB) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot lock the folder of pod %s", pod);
	return steal_fd(&fd);
}

int state_open(struct state *state, const char *root, const char *store, const char *name, const char *uid,
	struct error *err)
{
	*state = (struct state){.root = -1, .run = -1, .pods = -1, .data = -1};
	state->pods_path = xasprintf("%s/pods", store);
	state->name = xstrdup(name);
	state->data_name = xasprintf("%.100s-%s", name, uid);
	state->root = open_private(root, err);
	if (state->root < 0)
		return -1;
	state->pods = open_private(state->pods_path, err);
	if (state->pods < 0)
		return -1;
	return state_is_alive(state->root, name) ? already_exists(name, err) : 0;
}

int state_claim(struct state *state, struct error *err)
{
	cleanup_free char *path = NULL;

	state->run = claim(state->root, state->name, state->name, err);
	if (state->run < 0)
		return -1;
	state->data = claim(state->pods, state->data_name, state->name, err);
	if (state->data < 0)
		return -1;
	path = xasprintf("%s/%s", state->pods_path, state->data_name);
	if (symlinkat(path, state->run, DATA_NAME) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot link the folders of pod %s", state->name);
	return 0;
}

static void sweep_both(const struct state *state)
{
	const int parents[] = {state->root, state->pods};

	for (size_t i = 0; i < array_length(parents); i++) {
		cleanup_fd int guard = open_guard(parents[i]);

		if (guard >= 0)
			sweep(parents[i]);
	}
}

void state_sweep(const struct state *state)
{
	const struct timespec pause = {.tv_nsec = SWEEP_PAUSE};

	/* A child that the supervisor was just making has its descriptors, and so the locks, a moment longer. */
	for (int i = 0; i < SWEEPS; i++) {
		sweep_both(state);
		if (faccessat(state->pods, state->data_name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return;
		nanosleep(&pause, NULL);
	}
}

void state_clear(const struct state *state)
{
	struct error ignored;
	const struct dirent *entry;
	cleanup_dir DIR *dir = NULL;
	int data = open_folder(state->pods, state->data_name);

	/* The folder is what knows of the cgroup: if that stays, so does the folder as it is. */
	if (sweep_cgroup_patiently(state->pods, state->data_name) < 0) {
		if (data >= 0)
			close(data);
		return;
	}
	dir = data < 0 ? NULL : fdopendir(data);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, LOGS_NAME) != 0)
			inroot_remove_tree(dirfd(dir), entry->d_name, &ignored);
}

int state_remove_dead(const char *root, const char *name, struct error *err)
{
	cleanup_fd int parent = -1;
	cleanup_fd int guard = -1;
	cleanup_free char *link = xasprintf("%s/" DATA_NAME, name);
	char data[PATH_MAX] = "";
	char *slash;

	if (state_open_root(root, &parent, err) < 0)
		return -1;
	guard = parent < 0 ? -1 : open_guard(parent);
	if (guard < 0)
		return 0;
	if (state_is_alive(parent, name))
		return 1;
	if (readlinkat(parent, link, data, sizeof(data) - 1) > 0 && (slash = strrchr(data, '/'))) {
		cleanup_fd int pods = -1;

		*slash = '\0';
		pods = open(data, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (pods >= 0) {
			if (sweep_cgroup_patiently(pods, slash + 1) < 0)
				return error_set(
					err, ERROR_HOST, 0, "cannot remove the cgroup of pod %s", name);
			if (inroot_remove_tree(pods, slash + 1, err) < 0)
				return -1;
		}
	}
	return inroot_remove_tree(parent, name, err);
}

int state_remove(const struct state *state, struct error *err)
{
	struct error later;
	int result = 0;

	for (int i = 0; state->cgroup && i < CGROUP_PLACES; i++)
		if (state->cgroup->path[i] &&
			cgroup_remove(state->cgroup->path[i], result ? &later : err) < 0)
			result = -1;
	if (state->data >= 0 && inroot_remove_tree(state->pods, state->data_name, result ? &later : err) < 0)
		result = -1;
	if (state->run >= 0 && inroot_remove_tree(state->root, state->name, result ? &later : err) < 0)
		result = -1;
	return result;
}

void state_close(struct state *state)
{
	const int fds[] = {state->run, state->data, state->root, state->pods};

	for (size_t i = 0; i < array_length(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(state->name);
	free(state->data_name);
	free(state->pods_path);
	*state = (struct state){.root = -1, .run = -1, .pods = -1, .data = -1};
}

int state_open_root(const char *root, int *fd, struct error *err)
{
	struct stat st;

	*fd = open(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0 && errno != ENOENT)
		return error_set(err, ERROR_HOST, errno, "cannot open folder %s", root);
	/* Under /tmp somebody else may have put a folder, and a supervisor of their own to talk to, or links for delete. */
	if (*fd < 0 || (fstat(*fd, &st) == 0 && is_private(&st)))
		return 0;
	close(steal_fd(fd));
	return not_yours(root, err);
}

/* "demo", not "../demo" or "lock". */
static bool is_pod_name(const char *name)
{
	return *name && !strchr(name, '/') && name[0] != '.';
}

bool state_exists(const char *root, const char *name)
{
	cleanup_fd int parent = -1;
	cleanup_fd int fd = -1;
	struct error ignored;

	if (state_open_root(root, &parent, &ignored) < 0 || parent < 0 || !is_pod_name(name))
		return false;
	fd = open_folder(parent, name);
	return fd >= 0;
}

int state_open_running(const char *root, const char *name, struct error *err)
{
	cleanup_fd int parent = -1;
	cleanup_fd int fd = -1;

	if (state_open_root(root, &parent, err) < 0)
		return -1;
	if (parent >= 0 && is_pod_name(name) && state_is_alive(parent, name))
		fd = open_folder(parent, name);
	if (fd >= 0)
		return steal_fd(&fd);
	error_set(err, ERROR_HOST, 0, "pods \"%s\" not found", name);
	return error_hint(err, "looked for a running pod in %s", root);
}
