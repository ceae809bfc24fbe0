/*
 * Becoming what a command needs to be.
 *
 * Rootless is the root path inside a user namespace, so an ordinary user enters one first. Then the program is
 * sealed: a container can reach the program that starts it (an entry point `#!/proc/self/exe` is enough) and, being
 * root, could overwrite it on the host (CVE-2019-5736). So minirun runs from a clone of its own mount that is
 * read-only and attached nowhere: open_tree(2), mount_setattr(2), and execve of itself on that descriptor. A program
 * that lies on a read-only mount is sealed already.
 */
#include "runner/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "namespaces/namespaces.h"

#define SEALED_VARIABLE "MINIRUN_SEALED"
#define NOTE_VARIABLE   "MINIRUN_USERNS_NOTE"
#define PROGRAM         "/proc/self/exe"

static bool can_mount(void)
{
	cap_t caps = cap_get_proc();
	cap_flag_value_t value = CAP_CLEAR;

	if (caps)
		cap_get_flag(caps, CAP_SYS_ADMIN, CAP_EFFECTIVE, &value);
	cap_free(caps);
	return geteuid() == 0 && value == CAP_SET;
}

static int become_root(struct error *err)
{
	cleanup_free char *note = NULL;

	if (can_mount())
		return userns_claim_mounts(err); /* in `unshare -r` the mount namespace isn't ours yet */
	if (userns_enter(&note, err) < 0)
		return -1;
	if (note)
		setenv(NOTE_VARIABLE, note, 1);
	return 0;
}

const char *privilege_note(void)
{
	return getenv(NOTE_VARIABLE);
}

static bool is_sealed(void)
{
	struct statvfs st;

	return statvfs(PROGRAM, &st) == 0 && (st.f_flag & ST_RDONLY);
}

/*
 * The program in the mount namespace that we are in now: after userns_enter, PROGRAM still leads into the one in which it
 * was started, and nothing of that can be cloned. The path is only a guess: it has to be the very same file.
 */
static int open_program(void)
{
	char path[PATH_MAX] = "";
	struct stat ours, found;
	cleanup_fd int fd = -1;

	if (readlink(PROGRAM, path, sizeof(path) - 1) < 0 || stat(PROGRAM, &ours) < 0)
		return -1;
	fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &found) < 0)
		return -1;
	if (ours.st_dev != found.st_dev || ours.st_ino != found.st_ino) {
		errno = ENOENT;
		return -1;
	}
	return steal_fd(&fd);
}

static int seal(char **argv, struct error *err)
{
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
	cleanup_fd int here = -1;
	cleanup_fd int program = -1;

	if (is_sealed()) {
		unsetenv(SEALED_VARIABLE);
		return 0;
	}
	if (getenv(SEALED_VARIABLE))
		return error_set(err, ERROR_HOST, 0,
			"minirun started itself from a read-only mount, and is not on one");
	here = open_program();
	if (here >= 0)
		program = open_tree(here, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (program < 0 || mount_setattr(program, "", AT_EMPTY_PATH, &read_only, sizeof(read_only)) < 0) {
		error_set(err, ERROR_HOST, errno, "cannot seal minirun's program against the containers");
		return error_hint(err,
			"this needs open_tree(2) and mount_setattr(2) (Linux 5.12), or minirun on a "
			"read-only mount");
	}
	setenv(SEALED_VARIABLE, "1", 1);
	execveat(program, "", argv, environ, AT_EMPTY_PATH);
	return error_set(err, ERROR_HOST, errno, "cannot start minirun from its read-only mount");
}

int privilege_acquire(const struct invocation *invocation, struct error *err)
{
	enum privilege wanted = invocation->command->privilege;

	if (wanted == PRIVILEGE_NONE)
		return 0;
	if (become_root(err) < 0)
		return -1;
	if (wanted != PRIVILEGE_SEALED)
		return 0;
	if (seal(invocation->argv, err) < 0)
		return -1;
	/* No process of a container may trace us, nor read our descriptors, when its turn to share comes (CVE-2016-9962). */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return error_set(err, ERROR_HOST, errno, "prctl(PR_SET_DUMPABLE)");
	return 0;
}
