/*
 * An overlay of more layers than fsconfig(2) takes at once: on kernels before 6.8, which know no "lowerdir+".
 *
 * Theory of operation
 *
 * mount(2) takes a page of options, where fsconfig takes 255 bytes of each; but it needs a place to mount on. A child
 * gets a mount namespace of its own, where it may mount over /proc, and clones that mount: the clone is detached, and
 * stays when the child and its namespace go. The child shares our descriptors, so what it opens is ours.
 *
 * The layers have to be opened again in that namespace: overlayfs takes none from elsewhere (mount_reopen).
 */
#include "namespaces/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "namespaces/mounts.h"
#include "namespaces/namespaces.h"

/* What the child answers. */
struct answer {
	int mount; /* a descriptor, or -1 */
	int errnum;
};

/* "lowerdir=7:8:9,upperdir=10,workdir=11", names in /proc/self/fd. n counts upper and work too. */
static char *make_options(const int *fds, size_t n)
{
	char *options = xstrdup("lowerdir=");

	for (size_t i = 0; i < n; i++) {
		const char *before = i + 2 == n ? ",upperdir=" : i + 1 == n ? ",workdir=" : i ? ":" : "";
		char *longer = xasprintf("%s%s%d", options, before, fds[i]);

		free(options);
		options = longer;
	}
	return options;
}

static int mount_here(const int *fds, size_t n)
{
	cleanup_free char *some = make_options(fds, n);
	cleanup_free char *all = xasprintf("%s,volatile%s", some, userns_inside() ? ",userxattr" : "");

	if (strlen(all) >= (size_t)sysconf(_SC_PAGESIZE)) {
		errno = E2BIG;
		return -1;
	}
	if (chdir("/proc/self/fd") < 0 || mount("overlay", "/proc", "overlay", 0, all) < 0)
		return -1;
	return open_tree(AT_FDCWD, "/proc", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

/* In the child: descriptors that aren't handed on are closed, for they are the parent's too. */
static int mount_apart(const int *fds, size_t n)
{
	cleanup_free int *again = xcalloc(n, sizeof(*again));
	int result = -1, errnum;
	size_t opened = 0;

	if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0) {
		while (opened < n && (again[opened] = mount_reopen(fds[opened])) >= 0)
			opened++;
		if (opened == n)
			result = mount_here(again, n);
	}
	errnum = errno;
	while (opened > 0)
		close(again[--opened]);
	errno = errnum;
	return result;
}

int overlay_mount(const int *fds, size_t n, struct error *err)
{
	struct answer answer = {.mount = -1, .errnum = EIO};
	int pipe[2];
	pid_t child;

	if (pipe2(pipe, O_CLOEXEC) < 0)
		return error_set(err, ERROR_HOST, errno, "pipe");
	/* As fork(2), but for the descriptors. */
	child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
	if (child == 0) {
		answer.mount = mount_apart(fds, n);
		answer.errnum = errno;
		if (write(pipe[1], &answer, sizeof(answer)) != sizeof(answer))
			_exit(1);
		_exit(0);
	}
	if (child > 0) {
		int status;

		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
		/* Both ends are open here: it would wait for ever for a child that died. */
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
			read(pipe[0], &answer, sizeof(answer)) != sizeof(answer))
			answer.mount = -1;
	}
	close(pipe[0]);
	close(pipe[1]);
	if (answer.mount < 0)
		return mount_error(err, answer.errnum, "cannot mount it");
	return answer.mount;
}
