/*
 * The side of `minirun cp` that is in the container.
 *
 * Theory of operation
 *
 * It is a fork of the supervisor that joins the container's namespaces, closes all but its two pipes, and becomes the container's
 * user: what it may read and write is what the container may. From then on it opens paths, each in the container's root and
 * without magic links, and runs nothing: no program and no library of the container's is loaded (CVE-2019-14271). It isn't
 * dumpable, so that the container can't look into it.
 */
#include "runner/pod/copying.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "runner/plan/identity.h"
#include "runner/pod/parcel.h"

/* What the supervisor was started with isn't the container's, where a link leads to /proc/self/environ. */
static void forget_environment(void)
{
	for (char **variable = environ; variable && *variable; variable++)
		explicit_bzero(*variable, strlen(*variable));
	clearenv();
}

static int become(const struct container *container, const int fds[2], struct credentials *credentials,
	struct error *err)
{
	cleanup_fd int root = -1, procfd = -1;
	cleanup_free char *home = NULL;

	if (isolation_join(container->join_pidfd, container->isolation.cgroup, fds, 2, &procfd, err) < 0)
		return -1;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return error_set(err, ERROR_HOST, errno, "cannot open the container's root");
	if (identity_complete(container, root, credentials, &home, err) < 0 ||
		credentials_apply(credentials, container->set_groups, false, err) < 0)
		return -1;
	if (container->locks.apparmor && apparmor_enter_now(container->locks.apparmor, procfd, err) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ||
		fd_close_others(fds, 2) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot give up what isn't needed");
	forget_environment();
	steal_fd(&root);
	steal_fd(&procfd);
	return 0;
}

/* Absolute, without slashes at its end. */
static char *path_of(const struct container *container, const char *path)
{
	char *whole = *path == '/' ? xstrdup(path) : xasprintf("%s/%s", container->cwd, path);
	size_t n = strlen(whole);

	while (n > 1 && whole[n - 1] == '/')
		whole[--n] = '\0';
	return whole;
}

static int send_from(const char *path, int out, struct error *err)
{
	cleanup_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct parcel_source source = {.path = path, .root = root};
	struct parcel end = {.kind = PARCEL_END};
	unsigned int left_out;

	if (parcel_send(out, &source, &left_out, err) < 0)
		return -1;
	end.mode = left_out > 0;
	return parcel_put(out, &end, err);
}

static int receive_to(
	const char *path, struct json_object *options, uid_t user, const int fds[2], struct error *err)
{
	bool preserve = json_object_get_boolean(json_object_object_get(options, "preserve"));
	const struct parcel_place place = {
		.path = path,
		.base = json_object_get_string(json_object_object_get(options, "base")),
		/* As tar has it: all of root's own, for others what the umask leaves. */
		.mode = preserve && user == 0 ? 07777 : 0755,
	};
	bool incomplete;

	if (parcel_receive(fds[0], &place, &incomplete, err) < 0)
		return -1;
	return parcel_say(fds[1], PARCEL_END, "", err);
}

static void __attribute__((noreturn))
child(const struct container *container, struct json_object *options, const int fds[2])
{
	const char *from = json_object_get_string(json_object_object_get(options, "from"));
	const char *to = json_object_get_string(json_object_object_get(options, "to"));
	cleanup_free char *path = path_of(container, from ? from : to ? to : "");
	struct credentials credentials = {0};
	struct error err = {0}, ignored;
	int result = become(container, fds, &credentials, &err);

	if (result == 0)
		result = from ? send_from(path, fds[1], &err)
			      : receive_to(path, options, credentials.uid, fds, &err);
	if (result < 0)
		parcel_say(fds[1], PARCEL_ERROR, err.message, &ignored);
	_exit(result < 0);
}

int copying_start(const struct container *container, struct json_object *options, const int fds[2],
	int *pidfd, struct error *err)
{
	pid_t pid;

	if (fds[0] < 0 || fds[1] < 0)
		return error_set(err, ERROR_USAGE, 0, "no descriptors for what is copied");
	pid = isolation_clone_into(container->join_pidfd, container->isolation.cgroup, pidfd, err);
	if (pid == 0)
		child(container, options, fds);
	return pid < 0 ? -1 : 0;
}
