/* The cgroup of a container, in its pod's. Theory of operation: cgroup.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "namespaces/cgroup.h"

#define INSIDE "inside"
#define HELD   "held"

/* Makes the folder, unless it is there, and opens it. Returns a descriptor, or a negative errno. */
static int make_folder(int parent, const char *name)
{
	int fd;

	if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 ? fd : -errno;
}

/* Gives the children of the container's own the controllers that the pod has in version 2. Returns 0 or an errno. */
static int give_controllers(const struct cgroup *pod, int fd)
{
	unsigned int controllers = 0;

	for (enum cgroup_controller i = 0; i < CGROUP_CONTROLLERS; i++)
		controllers |= pod->controlled[i] && pod->fd[i] < 0 ? 1U << i : 0;
	return cgroup_give(fd, controllers);
}

/* Makes the folder in which the container is held, below its own. Returns a descriptor, or a negative errno. */
static int make_held(const struct cgroup *pod, struct cgroup *cgroup)
{
	cleanup_fd int fd = make_folder(cgroup->fd[CGROUP_UNIFIED], HELD);
	int errnum = fd < 0 ? -fd : give_controllers(pod, fd);

	if (errnum)
		return -errnum;
	cgroup->held = xasprintf("%s/" HELD, cgroup->path[CGROUP_UNIFIED]);
	return steal_fd(&fd);
}

/* The folder in which its processes are. Returns 0 or an errno. */
static int make_inside(const struct cgroup *pod, int place, bool held, struct cgroup *cgroup)
{
	bool unified = place == CGROUP_UNIFIED;
	int errnum = unified ? give_controllers(pod, cgroup->fd[place]) : 0;
	cleanup_fd int between = errnum == 0 && unified && held ? make_held(pod, cgroup) : -1;
	int fd;

	if (errnum || (unified && held && between < 0))
		return errnum ? errnum : -between;
	fd = make_folder(between >= 0 ? between : cgroup->fd[place], INSIDE);
	if (fd < 0)
		return -fd;
	cgroup->inside[place] = fd;
	return 0;
}

static int make_place(const struct cgroup *pod, const char *name, bool held, int place, struct cgroup *cgroup)
{
	cleanup_free char *path = xasprintf("%s/%s", pod->path[place], name);

	cgroup->fd[place] = make_folder(pod->fd[place], name);
	if (cgroup->fd[place] < 0) {
		int errnum = -cgroup->fd[place];

		cgroup->fd[place] = -1;
		return errnum;
	}
	cgroup->path[place] = steal_pointer(&path);
	/* Whoever may write the rules of devices is root of the host; and they can't be written where there is a folder below. */
	return place == CGROUP_DEVICES ? 0 : make_inside(pod, place, held, cgroup);
}

int cgroup_make_container(
	const struct cgroup *pod, const char *name, bool held, struct cgroup *cgroup, struct error *err)
{
	*cgroup = cgroup_none;
	memcpy(cgroup->controlled, pod->controlled, sizeof(cgroup->controlled));
	if (held && pod->fd[CGROUP_UNIFIED] < 0)
		return error_set(err, ERROR_HOST, ENOENT,
			"cannot make a cgroup in which container %s, which has SYS_PTRACE, can be held still",
			name);
	for (int i = 0; i < CGROUP_PLACES; i++) {
		int errnum = pod->fd[i] >= 0 ? make_place(pod, name, held, i, cgroup) : 0;

		/* What the kernel needs for it is the pod's to pay. */
		if (errnum)
			return error_set(err, ERROR_HOST, errnum, "%scannot make cgroup %s/%s",
				errnum == ENOMEM ? "the memory limit is too low for anything to run in it: "
						 : "",
				pod->path[i], name);
	}
	return 0;
}

void cgroup_remove_container(struct cgroup *cgroup)
{
	struct error ignored;

	/* Should one stay, it goes with the pod's. */
	for (int i = 0; i < CGROUP_PLACES; i++)
		if (cgroup->path[i])
			cgroup_remove(cgroup->path[i], &ignored);
	cgroup_close(cgroup);
}

int cgroup_home(const struct cgroup *cgroup, int place)
{
	return cgroup->inside[place] >= 0 ? cgroup->inside[place] : cgroup->fd[place];
}

int cgroup_enter(const struct cgroup *cgroup, struct error *err)
{
	for (int i = 0; i < CGROUP_PLACES; i++) {
		int home = cgroup_home(cgroup, i);
		int errnum = i == CGROUP_UNIFIED || home < 0 ? 0 : cgroup_write(home, "cgroup.procs", "0");

		if (errnum)
			return error_set(err, ERROR_HOST, errnum, "cannot enter cgroup %s", cgroup->path[i]);
	}
	return 0;
}
