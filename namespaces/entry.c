/*
 * Entering a running container, for exec.
 *
 * Theory of operation
 *
 * The container is hostile by now, and sees a process as soon as it is in its pid namespace, which is at birth. So
 * the child first closes what isn't for the program and stops being dumpable, then takes what it needs from the host's
 * side (a private procfs), and joins the other namespaces last, all in one call.
 */
#include "namespaces/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "namespaces/mounts.h"

static const struct {
	const char *name;
	int flag;
} kinds[] = {
	{"mnt", CLONE_NEWNS},
	{"net", CLONE_NEWNET},
	{"ipc", CLONE_NEWIPC},
	{"uts", CLONE_NEWUTS},
	{"cgroup", CLONE_NEWCGROUP},
	{"user", CLONE_NEWUSER},
};

/*
 * The namespaces in which the container differs from us. One that is ours already must not be joined: with the host's
 * network an ordinary user has no right to join it.
 */
static int differing(int procfd, pid_t pid, struct error *err)
{
	int flags = 0;

	for (size_t i = 0; i < array_length(kinds); i++) {
		char theirs[64], ours[64];
		struct stat their_st, our_st;

		snprintf(theirs, sizeof(theirs), "%d/ns/%s", (int)pid, kinds[i].name);
		snprintf(ours, sizeof(ours), "self/ns/%s", kinds[i].name);
		if (fstatat(procfd, theirs, &their_st, 0) < 0 || fstatat(procfd, ours, &our_st, 0) < 0)
			return error_set(err, ERROR_HOST, errno,
				"cannot look at the container's %s namespace", kinds[i].name);
		if (their_st.st_dev != our_st.st_dev || their_st.st_ino != our_st.st_ino)
			flags |= kinds[i].flag;
	}
	if (!(flags & CLONE_NEWNS))
		return error_set(err, ERROR_INTERNAL, 0, "the container has no mount namespace of its own");
	return flags;
}

pid_t isolation_clone_into(int container_pidfd, const struct cgroup *cgroup, int *pidfd, struct error *err)
{
	return clone_beside(
		NULL, container_pidfd, 0, cgroup ? cgroup_home(cgroup, CGROUP_UNIFIED) : -1, pidfd, err);
}

static int open_proc(struct error *err)
{
	struct error tried = {0};
	int mount = mount_new("proc", NULL, 0, MOUNT_HARMLESS, &tried);

	/* An ordinary user can't make one of the host's pid namespace; the one that is there does as well. */
	if (mount < 0 && tried.errnum == EPERM)
		return mount_clone(AT_FDCWD, "/proc", true, err);
	if (mount < 0)
		*err = tried;
	return mount;
}

int isolation_join(int container_pidfd, const struct cgroup *cgroup, const int *keep, size_t n_keep,
	int *procfd, struct error *err)
{
	int kept[16] = {0, 1, 2, container_pidfd};
	size_t n = 4;
	pid_t pid;
	int flags;

	if (n_keep > array_length(kept) - n)
		return error_set(err, ERROR_INTERNAL, E2BIG, "descriptors to keep");
	for (size_t i = 0; i < n_keep; i++)
		kept[n++] = keep[i];
	/* While its descriptors are open. */
	if (cgroup && cgroup_enter(cgroup, err) < 0)
		return -1;
	if (fd_close_others(kept, n) < 0)
		return error_set(err, ERROR_HOST, errno, "close_range");
	process_shed();
	umask(0022);
	*procfd = open_proc(err);
	if (*procfd < 0)
		return -1;
	pid = process_of_pidfd(*procfd, container_pidfd);
	if (pid <= 0)
		return error_set(err, ERROR_HOST, ESRCH, "the container has ended");
	flags = differing(*procfd, pid, err);
	if (flags < 0)
		return -1;
	if (setns(container_pidfd, flags) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot enter the container's namespaces");
	close(container_pidfd);
	return (flags & CLONE_NEWUSER) ? users_become_root(err) : 0;
}
