/* A pod in the background. See background.h. */
#include "runner/pod/background.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

/* What the caller had open: a pipe of a shell that waits for its end, a lock. Our own descriptors are all close-on-exec. */
static void close_inherited(void)
{
	cleanup_dir DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int fd = (int)strtol(entry->d_name, NULL, 10);
		int flags = fd > STDERR_FILENO ? fcntl(fd, F_GETFD) : -1;

		if (flags >= 0 && !(flags & FD_CLOEXEC))
			close(fd);
	}
}

static int leave_terminal(struct error *err)
{
	cleanup_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (setsid() < 0 || null < 0)
		return error_set(err, ERROR_HOST, errno, "cannot go into the background");
	close_inherited();
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (dup2(null, fd) < 0)
			return error_set(err, ERROR_HOST, errno, "dup2");
	return chdir("/") < 0 ? error_set(err, ERROR_HOST, errno, "chdir") : 0;
}

static int await(pid_t child, int reader, struct error *err)
{
	union {
		struct error err;
		char bytes[sizeof(struct error)];
	} report;
	ssize_t n;

	do
		n = read(reader, report.bytes, sizeof(report));
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return 1;
	/* It is about to end; nobody else would reap it. */
	waitpid(child, NULL, 0);
	if (n != (ssize_t)sizeof(report))
		return error_set(err, ERROR_INTERNAL, 0, "the pod's supervisor died at birth");
	*err = report.err;
	return -1;
}

int background_start(struct background *background, struct error *err)
{
	cleanup_fd int reader = -1;
	int ends[2];
	pid_t pid;

	background->report = -1;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make a pipe");
	reader = ends[0];
	pid = fork();
	if (pid == 0) {
		background->report = ends[1];
		if (leave_terminal(err) < 0) {
			background_failed(background, err);
			_exit(125);
		}
		return 0;
	}
	close(ends[1]);
	if (pid < 0)
		return error_set(err, ERROR_HOST, errno, "cannot fork");
	return await(pid, reader, err);
}

void background_ready(void *data)
{
	struct background *background = data;

	write(background->report, "", 1);
	close(background->report);
	background->report = -1;
}

void background_failed(struct background *background, const struct error *err)
{
	if (background->report < 0)
		return;
	/* At most PIPE_BUF: all of it or nothing. */
	write(background->report, err, sizeof(*err));
	close(background->report);
	background->report = -1;
}
