/*
 * What the unit tests of namespaces/ share: a folder of their own with a busybox image, a sandbox, and containers that
 * run a shell script through the wing's functions alone.
 */
#ifndef TESTS_UNIT_WORLD_H
#define TESTS_UNIT_WORLD_H

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/inroot.h"
#include "base/memory.h"
#include "namespaces/namespaces.h"
#include "tests/unit/unit.h"

#define BUSYBOX     "/usr/bin/busybox"
#define OUTPUT_SIZE 65536

struct world {
	char path[64];
	int top, image, pod;
	unsigned int runs;
	struct sandbox sandbox;
	struct error err;
	char output[OUTPUT_SIZE]; /* what the last container printed */
};

static inline void world_copy_busybox(int image)
{
	cleanup_fd int from = open(BUSYBOX, O_RDONLY | O_CLOEXEC);
	cleanup_fd int bin = -1;
	cleanup_fd int to = -1;
	char buffer[65536];
	ssize_t n;

	mkdirat(image, "bin", 0755);
	bin = openat(image, "bin", O_PATH | O_DIRECTORY | O_CLOEXEC);
	to = openat(bin, "busybox", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	if (from < 0 || to < 0)
		abort();
	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		fd_write_all(to, buffer, (size_t)n);
	symlinkat("busybox", bin, "sh");
}

/* A folder, and in it an image and a pod's folder. */
static inline void world_make(struct world *world)
{
	memset(world, 0, sizeof(*world));
	world->sandbox = (struct sandbox){.pidfd = -1, .pause_pidfd = -1, .ready = -1};
	strcpy(world->path, "/tmp/minirun-unit.XXXXXX");
	if (!mkdtemp(world->path))
		abort();
	chmod(world->path, 0755);
	world->top = open(world->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mkdirat(world->top, "image", 0755);
	mkdirat(world->top, "pod", 0755);
	world->image = openat(world->top, "image", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	world->pod = openat(world->top, "pod", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	world_copy_busybox(world->image);
}

static inline void world_remove(struct world *world)
{
	cleanup_fd int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct error err = {0};

	sandbox_stop(&world->sandbox);
	close(world->pod);
	close(world->image);
	close(world->top);
	if (inroot_remove_tree(tmp, world->path + strlen("/tmp/"), &err) < 0)
		printf("# %s stays: %s\n", world->path, err.message);
}

static inline int world_overlay(struct world *world)
{
	char name[32];
	int lower = world->image, upper, work, rootfs;

	snprintf(name, sizeof(name), "upper%u", ++world->runs);
	mkdirat(world->top, name, 0755);
	upper = openat(world->top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(name, sizeof(name), "work%u", world->runs);
	mkdirat(world->top, name, 0755);
	work = openat(world->top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rootfs = rootfs_overlay(&lower, 1, upper, work, &world->err);
	close(upper);
	close(work);
	if (rootfs < 0)
		printf("# overlay: %s\n", world->err.message);
	return rootfs;
}

static inline void world_exec(const char *script, int output)
{
	char *const argv[] = {(char *)"sh", (char *)"-c", (char *)script, NULL};
	char *const envp[] = {(char *)"PATH=/bin", NULL};

	dup2(output, 1);
	dup2(output, 2);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	execve("/bin/busybox", argv, envp);
	dprintf(2, "execve: %s\n", strerror(errno));
	_exit(126);
}

static inline void world_read(struct world *world, int fd)
{
	size_t used = 0;
	ssize_t n;

	while (used < OUTPUT_SIZE - 1 && (n = read(fd, world->output + used, OUTPUT_SIZE - 1 - used)) > 0)
		used += (size_t)n;
	world->output[used] = '\0';
}

/* Waits for the process; its exit status, or 128 + signal. */
static inline int world_wait(int pidfd)
{
	siginfo_t info = {0};

	waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED);
	close(pidfd);
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

/*
 * Starts a container, whose output goes to output. An error in the child is printed there as "error: MESSAGE (HINT)"
 * with exit status 125.
 */
static inline pid_t world_start(
	struct world *world, struct isolation *isolation, const char *script, int output, int *pidfd)
{
	cleanup_fd int rootfs = world_overlay(world);
	pid_t pid;

	isolation->sandbox = &world->sandbox;
	isolation->rootfs = rootfs;
	pid = isolation_clone(isolation, pidfd, &world->err);
	if (pid == 0) {
		struct error err = {0};
		int procfd;

		if (isolation_enter(isolation, NULL, &procfd, &err) < 0) {
			dprintf(output, "error: %s (%s)\n", err.message, err.hint);
			_exit(125);
		}
		if (err.class)
			dprintf(output, "a success that leaves an error: %s\n", err.message);
		world_exec(script, output);
	}
	if (pid < 0)
		printf("# clone: %s\n", world->err.message);
	return pid;
}

/* Runs one to its end. */
static inline int world_run(struct world *world, struct isolation *isolation, const char *script)
{
	int ends[2], pidfd;

	if (pipe2(ends, O_CLOEXEC) < 0)
		abort();
	if (world_start(world, isolation, script, ends[1], &pidfd) < 0) {
		close(ends[0]);
		close(ends[1]);
		return -1;
	}
	close(ends[1]);
	world_read(world, ends[0]);
	expect(!strstr(world->output, "a success that leaves an error"));
	close(ends[0]);
	return world_wait(pidfd);
}

static inline struct isolation plain(void)
{
	return (struct isolation){0};
}

#define expect_in(needle)                                                                                   \
	do {                                                                                                \
		if (!strstr(world.output, needle)) {                                                        \
			printf("# %s:%d: <%s> is not in <%s>\n", __FILE__, __LINE__, needle, world.output); \
			unit_failures++;                                                                    \
		}                                                                                           \
	} while (0)

#endif
