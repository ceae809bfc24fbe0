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
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "namespaces/namespaces.h"

#define SEALED_VARIABLE  "MINIRUN_SEALED"
#define NOTE_VARIABLE    "MINIRUN_USERNS_NOTE"
#define ENTERED_VARIABLE "MINIRUN_USERNS_ENTERED"
#define NESTED           "from another"
#define PROGRAM          "/proc/self/exe"

/*
 * What every pod takes: mounts, a loopback, a first process that others enter, groups, a bounding set. A container that was
 * started with --cap-add=SYS_ADMIN has some of them only; in a user namespace of our own there are all.
 */
static const cap_value_t needed[] = {CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_SYS_PTRACE, CAP_SETGID, CAP_SETPCAP};

bool privilege_is_root(void)
{
	cap_t caps = cap_get_proc();
	bool all = caps && geteuid() == 0;

	for (size_t i = 0; i < array_length(needed) && all; i++) {
		cap_flag_value_t value = CAP_CLEAR;

		cap_get_flag(caps, needed[i], CAP_EFFECTIVE, &value);
		all = value == CAP_SET;
	}
	cap_free(caps);
	return all;
}

int privilege_become_root(struct error *err)
{
	cleanup_free char *note = NULL;
	bool nested = userns_inside();

	if (privilege_is_root())
		return userns_claim_mounts(err); /* in `unshare -r` the mount namespace isn't ours yet */
	if (userns_enter(&note, err) < 0)
		return -1;
	setenv(ENTERED_VARIABLE, nested ? NESTED : "from the first", 1);
	if (note)
		setenv(NOTE_VARIABLE, note, 1);
	return 0;
}

uid_t privilege_starter(void)
{
	return getenv(ENTERED_VARIABLE) ? (uid_t)userns_outer_uid(0) : geteuid();
}

bool privilege_was_inside(void)
{
	const char *entered = getenv(ENTERED_VARIABLE);

	return entered ? !strcmp(entered, NESTED) : userns_inside();
}

const char *privilege_note(void)
{
	return getenv(NOTE_VARIABLE);
}

void privilege_forget(void)
{
	unsetenv(NOTE_VARIABLE);
	unsetenv(ENTERED_VARIABLE);
}

/* On a read-only mount, or in a file in memory whose content is sealed. */
static bool is_sealed(void)
{
	cleanup_fd int fd = open(PROGRAM, O_RDONLY | O_CLOEXEC);
	struct statvfs st;
	int seals = fcntl(fd, F_GET_SEALS);

	return (fstatvfs(fd, &st) == 0 && (st.f_flag & ST_RDONLY)) || (seals >= 0 && (seals & F_SEAL_WRITE));
}

/*
 * A clone of the mount that the program lies on. In a mount namespace that was just entered /proc/self/exe still
 * leads into the old one, which can't be cloned; so it goes by the path, if that still is the same file.
 */
static int open_read_only(int program)
{
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
	char path[PATH_MAX];
	cleanup_fd int fd = -1;
	struct stat ours, there;

	fd = open_tree(AT_FDCWD, fd_path(program, path, sizeof(path)), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0 || fstat(fd, &there) < 0 || fstat(program, &ours) < 0 || there.st_dev != ours.st_dev ||
		there.st_ino != ours.st_ino)
		return -1;
	if (mount_setattr(fd, "", AT_EMPTY_PATH, &read_only, sizeof(read_only)) < 0)
		return -1;
	return steal_fd(&fd);
}

/* Where there is no such clone to be had (the file was replaced, open_tree is filtered): a sealed copy in memory. */
static int open_copy(int program)
{
	cleanup_fd int fd = memfd_create("minirun", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct stat st;
	off_t offset = 0;

	if (fd < 0 || fstat(program, &st) < 0)
		return -1;
	while (offset < st.st_size)
		if (sendfile(fd, program, &offset, (size_t)(st.st_size - offset)) <= 0)
			return -1;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -1;
	return steal_fd(&fd);
}

static int seal(char **argv, struct error *err)
{
	cleanup_fd int program = -1;
	cleanup_fd int sealed = -1;

	if (is_sealed()) {
		unsetenv(SEALED_VARIABLE);
		/* Kernels before 6.14 call a program that was started by descriptor after its number. */
		prctl(PR_SET_NAME, "minirun");
		return 0;
	}
	if (getenv(SEALED_VARIABLE))
		return error_set(err, ERROR_HOST, 0, "minirun started itself sealed, and is not");
	program = open(PROGRAM, O_RDONLY | O_CLOEXEC);
	if (program < 0)
		return error_set(err, ERROR_HOST, errno, "cannot open minirun's own program, " PROGRAM);
	sealed = open_read_only(program);
	if (sealed < 0)
		sealed = open_copy(program);
	if (sealed < 0)
		return error_set(
			err, ERROR_HOST, errno, "cannot seal minirun's program against the containers");
	setenv(SEALED_VARIABLE, "1", 1);
	execveat(sealed, "", argv, environ, AT_EMPTY_PATH);
	return error_set(err, ERROR_HOST, errno, "cannot start minirun from its sealed program");
}

int privilege_acquire(const struct invocation *invocation, struct error *err)
{
	enum privilege wanted = invocation->command->privilege;

	if (wanted == PRIVILEGE_NONE)
		return 0;
	if (privilege_become_root(err) < 0)
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
