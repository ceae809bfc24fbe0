/* The child of a launch: who becomes the container's program. Theory of operation: launch.h. */
#include "runner/pod/launch_child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/inroot.h"
#include "base/memory.h"
#include "runner/plan/identity.h"
#include "runner/pod/program.h"
#include "runner/pod/wire.h"

/* The container's own /dev/null. A device of that name that the image or a volume put there isn't taken. */
static int open_null(int rootfd, struct error *err)
{
	struct stat st;
	cleanup_fd int fd = inroot_open(rootfd, "/dev/null", O_RDONLY | O_NOCTTY | O_NONBLOCK, err);

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return error_set(err, ERROR_IMAGE, 0, "/dev/null is not the null device");
	return steal_fd(&fd);
}

/*
 * Should: make 0, 1 and 2 what the caller gave, owned by the container's user, so that it can open /dev/stdout again.
 * Mustn't: touch a descriptor that isn't a pipe: it may be the user's file.
 */
static int attach_stdio(uid_t user, const int stdio[3], int rootfd, struct error *err)
{
	cleanup_fd int null = -1;

	if (stdio[0] < 0) {
		null = open_null(rootfd, err);
		if (null < 0)
			return -1;
	}
	for (int i = 0; i < 3; i++) {
		int fd = i == 0 && stdio[0] < 0 ? null : stdio[i];
		struct stat st;

		if (dup2(fd, i) < 0)
			return error_set(err, ERROR_INTERNAL, errno, "dup2");
		if (fstat(i, &st) == 0 && S_ISFIFO(st.st_mode) && st.st_uid != user)
			fchown(i, user, (gid_t)-1);
	}
	return 0;
}

/* The working folder, made if missing, never through a magic link (CVE-2024-21626). */
static int enter_working_folder(const char *cwd, int rootfd, struct error *err)
{
	cleanup_fd int fd = inroot_mkdirs(rootfd, cwd, 0755, err);

	if (fd < 0 || fchdir(fd) < 0) {
		if (fd >= 0)
			error_set(err, ERROR_PROGRAM, errno, "cannot enter %s", cwd);
		err->class = ERROR_PROGRAM;
		return error_wrap(err, "workingDir");
	}
	return 0;
}

static const char *environment_value(char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; env && *env; env++)
		if (!strncmp(*env, name, n) && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}

/*
 * Should: make the terminal 0, 1 and 2, and that of the session (the program's own shell then has job control), and hand both
 * ends over. Mustn't: be seen by the container with the other end open: this process isn't dumpable, and closes it soon.
 */
static int attach_terminal(const struct container *container, uid_t user, struct terminal *terminal,
	int socket, struct error *err)
{
	const int both[] = {terminal->master, terminal->slave};
	struct json_object *message = json_object_new_object();
	int result;

	fchown(terminal->slave, user, (gid_t)-1);
	ioctl(terminal->slave, TIOCSWINSZ, &container->window);
	for (int i = 0; i < 3; i++)
		if (dup2(terminal->slave, i) < 0)
			error_set(err, ERROR_INTERNAL, errno, "dup2");
	if (ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
		error_set(err, ERROR_HOST, errno, "cannot make the terminal that of the session");
	result = wire_send(socket, message, both, array_length(both), err);
	terminal_close(terminal);
	return result < 0 || err->class != ERROR_NONE ? -1 : 0;
}

static char **complete_environment(char *const *env, const char *home, bool terminal)
{
	struct strv all = {0};

	for (char *const *e = env; *e; e++)
		strv_push(&all, *e);
	if (!environment_value(env, "HOME"))
		strv_push(&all, xasprintf("HOME=%s", home));
	/* As containerd's WithTTY. */
	if (terminal && !environment_value(env, "TERM"))
		strv_push(&all, xstrdup("TERM=xterm"));
	return all.items ? all.items : strv_copy(NULL);
}

/* Stages 2 and 3, or for exec the same in a container that runs. */
static int isolate(const struct container *container, const struct launch_ends *ends,
	struct terminal *terminal, int *procfd, struct error *err)
{
	const int keep[] = {ends->stdio[0], ends->stdio[1], ends->stdio[2], ends->notice, ends->terminal};

	if (container->join_pidfd < 0)
		return isolation_enter(
			&container->isolation, container->terminal ? terminal : NULL, procfd, err);
	return isolation_join(
		container->join_pidfd, container->isolation.cgroup, keep, array_length(keep), procfd, err);
}

/* Stages 2 to 4 and what hangs on them. On return the process is who and where it shall be. */
static int become(const struct container *container, const struct launch_ends *ends, int *procfd, char ***env,
	struct error *err)
{
	struct terminal terminal = {-1, -1};
	cleanup_fd int root = -1;
	cleanup_free char *home = NULL;
	struct credentials credentials;
	bool keep_admin = container->locks.seccomp && !container->locks.no_new_privs;

	if (isolate(container, ends, &terminal, procfd, err) < 0)
		return -1;
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return error_set(err, ERROR_HOST, errno, "cannot open the container's root");
	if (container->terminal && container->join_pidfd >= 0 &&
		terminal_open(root, *procfd, &terminal, err) < 0)
		return -1;
	if (identity_complete(container, root, &credentials, &home, err) < 0 ||
		(container->terminal
				? attach_terminal(container, credentials.uid, &terminal, ends->terminal, err)
				: attach_stdio(credentials.uid, ends->stdio, root, err)) < 0 ||
		enter_working_folder(container->cwd, root, err) < 0)
		return -1;
	/* A session keyring of its own: the caller's keys aren't the container's. Best effort, as with runc. */
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0);
	*env = complete_environment(container->env, home, container->terminal);
	return credentials_apply(&credentials, container->set_groups, keep_admin, err);
}

void launch_child(const struct container *container, const struct launch_ends *ends, struct launch_page *page)
{
	struct error *err = &page->error;
	int procfd = -1;
	char **env = NULL;
	char *program;

	if (become(container, ends, &procfd, &env, err) < 0)
		return;
	/*
	 * Closing on exec would be too late: execve resolves the program's path before, and the image says what that is
	 * (an interpreter /proc/self/fd/9/../../bin/sh is the host's, CVE-2024-21626).
	 */
	if (fd_close_others((const int[]){0, 1, 2, ends->notice, procfd}, 5) < 0) {
		error_set(err, ERROR_HOST, errno, "close_range");
		return;
	}
	/* Changing ids clears it. Best effort beside the sandbox: for a pod with hostPID it is all there is. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	program = program_find(container->argv[0], environment_value(env, "PATH"), err);
	if (!program)
		return;
	strncpy(page->program, program, sizeof(page->program) - 1);
	if (locks_apply(&container->locks, procfd, err) < 0)
		return;
	close(procfd);
	page->ready = 1;
	locks_exec(&container->locks, &page->report, ends->notice, program, container->argv, env);
}
