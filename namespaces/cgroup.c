/* Making, entering and removing cgroups. Theory of operation: cgroup.h. */
#include "namespaces/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "namespaces/namespaces.h"

#define LEAF       "minirun-supervisor" /* where we go when our own cgroup must have no process in it */
#define LEAF_TRIES 1000 /* of a millisecond each */

const struct cgroup cgroup_none = {.fd = {-1, -1, -1, -1, -1}, .inside = {-1, -1, -1, -1, -1}};

static int open_folder(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int cgroup_write(int cgroupfd, const char *name, const char *text)
{
	cleanup_fd int fd = openat(cgroupfd, name, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0 ? 0 : errno;
}

char *cgroup_read(int cgroupfd, const char *name)
{
	cleanup_fd int fd = openat(cgroupfd, name, O_RDONLY | O_CLOEXEC);
	struct error ignored = {0};
	char *text = NULL;

	if (fd < 0 || fd_read_all(fd, name, 1U << 20, ERROR_HOST, &text, NULL, &ignored) < 0)
		return NULL;
	return text;
}

/* Makes the folder below parent. Returns 0 or an errno. */
static int make_folder(
	const char *parent, const struct cgroup_request *request, struct cgroup *cgroup, int place)
{
	cleanup_free char *path = xasprintf("%s/%s", parent, request->name);

	if (request->before)
		request->before(place, path, request->data);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return errno;
	cgroup->fd[place] = open_folder(path);
	if (cgroup->fd[place] < 0) {
		int errnum = errno;

		rmdir(path);
		return errnum;
	}
	cgroup->path[place] = steal_pointer(&path);
	return 0;
}

/* Whether a cgroup's file of that name (cgroup.controllers, cgroup.subtree_control) lists the controller. */
static bool has_controller(int cgroupfd, const char *file, enum cgroup_controller controller)
{
	cleanup_free char *text = cgroup_read(cgroupfd, file);
	const char *name = cgroup_controller_name(controller);
	size_t length = strlen(name);

	for (const char *p = text; p && *p;) {
		size_t n = strcspn(p, " \n");

		if (n == length && !memcmp(p, name, n))
			return true;
		p += n + (p[n] != '\0');
	}
	return false;
}

int cgroup_give(int cgroupfd, unsigned int controllers)
{
	char text[64] = "";
	size_t n = 0;

	for (enum cgroup_controller i = 0; i < CGROUP_CONTROLLERS; i++)
		if (controllers & 1U << i)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "+%s ", cgroup_controller_name(i));
	return n ? cgroup_write(cgroupfd, "cgroup.subtree_control", text) : 0;
}

int cgroup_enable(int cgroupfd, unsigned int wanted)
{
	for (enum cgroup_controller i = 0; i < CGROUP_CONTROLLERS; i++) {
		int errnum;

		if (!(wanted & 1U << i) || !has_controller(cgroupfd, "cgroup.controllers", i) ||
			has_controller(cgroupfd, "cgroup.subtree_control", i))
			continue;
		errnum = cgroup_give(cgroupfd, 1U << i);
		if (errnum)
			return errnum;
	}
	return 0;
}

/* From /proc/PID/stat, "PID (NAME) STATE PARENT ...", where the name may hold anything. */
static pid_t parent_of(pid_t pid)
{
	cleanup_free char *path = xasprintf("/proc/%d/stat", (int)pid), *text = NULL;
	struct error ignored = {0};
	const char *name_end;

	if (file_read(path, 4096, ERROR_HOST, &text, NULL, &ignored) < 0)
		return 0;
	name_end = strrchr(text, ')');
	return name_end && strlen(name_end) > strlen(") S ")
		       ? (pid_t)strtol(name_end + strlen(") S "), NULL, 10)
		       : 0;
}

static bool has_processes(int cgroupfd)
{
	cleanup_free char *pids = cgroup_read(cgroupfd, "cgroup.procs");

	return pids && *pids;
}

/* Moves us and our children out of our own cgroup into a leaf, if nobody else is in it. Returns 0 or an errno. */
static int move_to_leaf(const struct cgroup_request *request, const char *own, int ownfd)
{
	cleanup_free char *pids = cgroup_read(ownfd, "cgroup.procs"), *leaf = xasprintf("%s/" LEAF, own);
	cleanup_fd int fd = -1;

	if (faccessat(ownfd, ".", W_OK, 0) < 0)
		return errno;
	for (char *p = pids; p && *p; p += strcspn(p, "\n"), p += *p == '\n') {
		pid_t pid = (pid_t)strtol(p, NULL, 10);

		if (pid != getpid() && pid != request->companion && parent_of(pid) != getpid())
			return EBUSY;
	}
	if (request->before)
		request->before(CGROUP_PLACES, leaf, request->data);
	if (mkdir(leaf, 0755) < 0 && errno != EEXIST)
		return errno;
	fd = open_folder(leaf);
	for (char *p = pids; fd >= 0 && p && *p; p += strcspn(p, "\n"), p += *p == '\n') {
		cleanup_free char *pid = xstrndup(p, strcspn(p, "\n"));
		int errnum = cgroup_write(fd, "cgroup.procs", pid);

		if (errnum && errnum != ESRCH)
			return errnum;
	}
	return fd >= 0 ? 0 : errno;
}

/*
 * The folder of version 2 to make the pod's in, with the controllers of wanted enabled for its children as far as it has them: the root
 * of the hierarchy if we may, else our own. To be freed; NULL if there is none. *errnum is what stood in the way of controllers.
 */
static char *unified_place(const struct cgroup_request *request, int *errnum)
{
	unsigned int wanted = request->wanted, optional = request->optional;
	cleanup_free char *own = cgroup_own(""), *top = cgroup_mount_point();
	cleanup_fd int topfd = top && (wanted | optional) ? open_folder(top) : -1;
	cleanup_fd int fd = -1;
	bool any = false;

	for (enum cgroup_controller i = 0; topfd >= 0 && i < CGROUP_CONTROLLERS; i++)
		any |= ((wanted | optional) & 1U << i) && has_controller(topfd, "cgroup.controllers", i);
	if (!any)
		return steal_pointer(&own);
	*errnum = !userns_inside() && faccessat(topfd, ".", W_OK, 0) == 0
			  ? cgroup_enable(topfd, wanted | optional)
			  : EACCES;
	if (*errnum == 0)
		return steal_pointer(&top);
	fd = own && wanted ? open_folder(own) : -1;
	if (fd < 0)
		return steal_pointer(&own);
	/* Not by trying: a controller of threads (cpu) would be given, and make a cgroup that has processes useless for memory. */
	*errnum = has_processes(fd) ? move_to_leaf(request, own, fd) : 0;
	*errnum = *errnum ? *errnum : cgroup_enable(fd, wanted);
	return steal_pointer(&own);
}

/* What helps is for those to say who know the caller: cgroup_advice. */
static void explain(int errnum, const char *place, struct error *why)
{
	error_set(why, ERROR_HOST, errnum, "no controllers can be had below %s%s",
		place ? place : "/sys/fs/cgroup",
		errnum == EBUSY ? ", in which other processes are, too" : "");
}

static void make_unified(const struct cgroup_request *request, struct cgroup *cgroup, struct error *why)
{
	unsigned int all = request->wanted | request->optional;
	int errnum = 0;
	cleanup_free char *place = unified_place(request, &errnum);
	int made = place ? make_folder(place, request, cgroup, CGROUP_UNIFIED) : 0;
	int fd = cgroup->fd[CGROUP_UNIFIED];

	if (fd >= 0 && errnum == 0)
		errnum = cgroup_enable(fd, all);
	for (enum cgroup_controller i = 0; fd >= 0 && i < CGROUP_CONTROLLERS; i++)
		cgroup->controlled[i] = (all & 1U << i) && has_controller(fd, "cgroup.subtree_control", i);
	errnum = errnum ? errnum : made;
	if (errnum && request->wanted)
		explain(errnum, place, why);
}

static void make_legacy(const struct cgroup_request *request, enum cgroup_controller controller,
	struct cgroup *cgroup, struct error *why)
{
	cleanup_free char *own = cgroup_own(cgroup_controller_name(controller));
	int errnum = own ? make_folder(own, request, cgroup, (int)controller) : ENOENT;

	cgroup->controlled[controller] = errnum == 0;
	if (errnum == 0 || (!own && why->class != ERROR_NONE))
		return;
	if (own)
		error_set(why, ERROR_HOST, errnum, "cannot make a cgroup in %s", own);
	else
		error_set(why, ERROR_HOST, 0, "no hierarchy of cgroups has the controller");
}

/* Where there is no version 2. It is a second lock: where it can't be had either, the mounts are left. */
static void make_devices(const struct cgroup_request *request, struct cgroup *cgroup)
{
	cleanup_free char *own = cgroup_own(cgroup_place_name(CGROUP_DEVICES));

	if (own)
		make_folder(own, request, cgroup, CGROUP_DEVICES);
}

void cgroup_make_pod(const struct cgroup_request *request, struct cgroup *cgroup, struct error *why)
{
	*cgroup = cgroup_none;
	*why = (struct error){0};
	make_unified(request, cgroup, why);
	for (enum cgroup_controller i = 0; i < CGROUP_CONTROLLERS; i++)
		if ((request->wanted & 1U << i) && !cgroup->controlled[i])
			make_legacy(request, i, cgroup, why);
	if (cgroup->fd[CGROUP_UNIFIED] < 0 && !userns_inside())
		make_devices(request, cgroup);
}

bool cgroup_kill(const struct cgroup *cgroup)
{
	return cgroup->fd[CGROUP_UNIFIED] >= 0 &&
	       cgroup_write(cgroup->fd[CGROUP_UNIFIED], "cgroup.kill", "1") == 0;
}

void cgroup_close(struct cgroup *cgroup)
{
	for (int i = 0; i < CGROUP_PLACES; i++) {
		cleanup_fd_fn(&cgroup->fd[i]);
		cleanup_fd_fn(&cgroup->inside[i]);
		free(cgroup->path[i]);
	}
	free(cgroup->held);
	*cgroup = cgroup_none;
}

/* Somebody else's pod may need things as they are: then the kernel refuses, and they stay. */
static void disable(int cgroupfd)
{
	for (enum cgroup_controller i = 0; i < CGROUP_CONTROLLERS; i++) {
		cleanup_free char *text = xasprintf("-%s", cgroup_controller_name(i));

		cgroup_write(cgroupfd, "cgroup.subtree_control", text);
	}
}

static int open_around(const char *leaf)
{
	cleanup_free char *own = xstrndup(leaf, strlen(leaf) - strlen("/" LEAF));

	return open_folder(own);
}

void cgroup_clear_leaf(const char *leaf)
{
	cleanup_fd int fd = -1;

	if (!text_ends_with(leaf, "/" LEAF) || rmdir(leaf) < 0)
		return;
	fd = open_around(leaf);
	if (fd >= 0)
		disable(fd);
}

void cgroup_move_back(void)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	cleanup_free char *leaf = cgroup_own("");
	cleanup_fd int fd = -1;

	if (!leaf || !text_ends_with(leaf, "/" LEAF))
		return;
	fd = open_around(leaf);
	if (fd < 0)
		return;
	disable(fd);
	if (cgroup_write(fd, "cgroup.procs", "0") != 0)
		return;
	/* What was killed with us is in it until it is gone. */
	for (int i = 0; i < LEAF_TRIES && rmdir(leaf) < 0 && errno == EBUSY; i++)
		nanosleep(&pause, NULL);
}
