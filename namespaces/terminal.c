/*
 * Terminals of containers.
 *
 * Theory of operation
 *
 * A terminal has to come from the container's own devpts: else its name (/dev/pts/N) would be that of another one in there, or
 * of none. But a container that runs may have put anything on the paths that lead to it, if it may mount. So no path is
 * believed: the multiplexer is opened as a path only, and used if it is a devpts' own (by file system and device number); the
 * program's end is not opened by its name but asked of the other end (TIOCGPTPEER), which takes it from the same devpts
 * (CVE-2025-52565, and CVE-2016-9962's kin). Whatever a container arranges, it gets a pair of fresh ends of a pty: nothing
 * that anybody else uses, and never the user's own terminal, into which it could type (TIOCSTI, CVE-2017-5226).
 */
#include "namespaces/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/inroot.h"

/* Takes the multiplexer's descriptor, opened anew. */
static int take_pair(int ptmx, struct terminal *terminal, struct error *err)
{
	cleanup_fd int master = ptmx;
	int locked = 0;
	int slave;

	if (master < 0)
		return error_set(err, ERROR_HOST, errno, "cannot open the container's /dev/pts/ptmx");
	if (ioctl(master, TIOCSPTLCK, &locked) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot unlock a terminal");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return error_set(err, ERROR_HOST, errno, "cannot open a terminal's other end");
	*terminal = (struct terminal){steal_fd(&master), slave};
	return 0;
}

int terminal_make(int pts, struct terminal *terminal, struct error *err)
{
	return take_pair(openat(pts, "ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC), terminal, err);
}

int terminal_open(int rootfd, int procfd, struct terminal *terminal, struct error *err)
{
	cleanup_fd int path = inroot_open(rootfd, "/dev/pts/ptmx", O_PATH | O_NOFOLLOW, err);
	struct statfs fs;
	struct stat st;
	char again[32];

	if (path < 0)
		return error_wrap(err, "cannot make a terminal in the container");
	if (fstatfs(path, &fs) < 0 || fstat(path, &st) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot look at the container's /dev/pts/ptmx");
	if (fs.f_type != DEVPTS_SUPER_MAGIC || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2)) {
		error_set(err, ERROR_HOST, 0,
			"cannot make a terminal in the container: its /dev/pts is no devpts any more");
		return error_hint(
			err, "a volume or the container itself is mounted on it; without -t it goes");
	}
	snprintf(again, sizeof(again), "self/fd/%d", path);
	return take_pair(openat(procfd, again, O_RDWR | O_NOCTTY | O_CLOEXEC), terminal, err);
}

void terminal_say_end(int master)
{
	struct termios mode;

	if (tcgetattr(master, &mode) == 0 && (mode.c_lflag & ICANON))
		write(master, (const cc_t[]){mode.c_cc[VEOF], mode.c_cc[VEOF]}, 2);
}

void terminal_close(struct terminal *terminal)
{
	cleanup_fd_fn(&terminal->master);
	cleanup_fd_fn(&terminal->slave);
	terminal->master = terminal->slave = -1;
}
