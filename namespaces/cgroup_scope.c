/*
 * A cgroup of an ordinary user's own, from systemd.
 *
 * Theory of operation
 *
 * A user's processes share the cgroup of their session, which is root's. systemd's manager of that user has a part of the hierarchy, with
 * controllers, and gives some of it away: StartTransientUnit of org.freedesktop.systemd1(5) makes a scope of given processes, and with
 * Delegate=yes the scope's cgroup is theirs. It is what `systemd-run --user --scope -p Delegate=yes` does; but that would have
 * to start us, whereas we know only now that we need one. The call goes by busctl(1), which is there where systemd is: so
 * no library is linked for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "namespaces/cgroup.h"

#define PATIENCE 5 /* seconds, for the answer, and again for the move */
#define PAUSE    5000000 /* ns between two looks */

bool cgroup_has_bus(void)
{
	const char *folder = getenv("XDG_RUNTIME_DIR"), *address = getenv("DBUS_SESSION_BUS_ADDRESS");
	cleanup_free char *path = folder && *folder ? xasprintf("%s/bus", folder) : NULL;

	return (address && *address) || (path && access(path, F_OK) == 0);
}

static void push_all(struct strv *words, const char *const *more, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strv_push(words, xstrdup(more[i]));
}

/* Four properties, no auxiliary units. */
static char **make_call(const char *name, const pid_t *pids, size_t n)
{
	static const char *const call[] = {"busctl", "--user", "--quiet", "call", "org.freedesktop.systemd1",
		"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "StartTransientUnit",
		"ssa(sv)a(sa(sv))"};
	static const char *const properties[] = {"fail", "4", "Description", "s", "a pod of minirun",
		"Delegate", "b", "true", "CollectMode", "s", "inactive-or-failed", "PIDs", "au"};
	struct strv words = {0};

	push_all(&words, call, array_length(call));
	strv_push(&words, xasprintf("%s.scope", name));
	push_all(&words, properties, array_length(properties));
	strv_push(&words, xasprintf("%zu", n));
	for (size_t i = 0; i < n; i++)
		strv_push(&words, xasprintf("%d", (int)pids[i]));
	strv_push(&words, xstrdup("0"));
	return words.items;
}

static void __attribute__((noreturn)) run(char **words, int output)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	alarm(PATIENCE);
	if (null >= 0 && dup2(null, 0) >= 0 && dup2(null, 1) >= 0 && dup2(output, 2) >= 0)
		execvp(words[0], words);
	dprintf(output, "cannot run busctl: %s", strerror(errno));
	_exit(127);
}

/* Returns 0, or -1 with what busctl said. */
static int ask(char **words, struct error *why)
{
	char said[256] = "no answer";
	int ends[2], status = -1;
	ssize_t n;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set(why, ERROR_HOST, errno, "cannot make a pipe");
	pid = fork();
	if (pid == 0)
		run(words, ends[1]);
	close(ends[1]);
	n = read(ends[0], said, sizeof(said) - 1);
	close(ends[0]);
	if (n > 0)
		said[n] = '\0';
	said[strcspn(said, "\n")] = '\0';
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
		return error_set(why, ERROR_HOST, 0, "systemd gives no cgroup: %s", said);
	return 0;
}

static size_t count_processes(const char *path)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_free char *pids = fd < 0 ? NULL : cgroup_read(fd, "cgroup.procs");
	size_t n = 0;

	for (const char *p = pids; p && *p; p++)
		n += *p == '\n';
	return n;
}

/* The answer comes before it is done, and they are moved one after another: we may be the first. */
static bool was_moved(const char *from, size_t n)
{
	const struct timespec pause = {.tv_nsec = PAUSE};
	bool moved = false;

	for (int i = 0; i < PATIENCE * (1000000000 / PAUSE); i++) {
		cleanup_free char *now = cgroup_own("");

		moved = now && strcmp(now, from) != 0 && text_ends_with(now, ".scope");
		if (moved && count_processes(now) >= n)
			return true;
		nanosleep(&pause, NULL);
	}
	return moved;
}

bool cgroup_has_controllers(void)
{
	cleanup_free char *top = cgroup_mount_point();
	cleanup_fd int fd = top ? open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	cleanup_free char *text = fd < 0 ? NULL : cgroup_read(fd, "cgroup.controllers");

	return text && strstr(text, "memory");
}

int cgroup_enter_scope(const char *name, const pid_t *pids, size_t n, struct error *why)
{
	cleanup_strv char **words = make_call(name, pids, n);
	cleanup_free char *own = cgroup_own("");

	if (!own || !cgroup_has_controllers())
		return -1;
	if (!cgroup_has_bus())
		return error_set(why, ERROR_HOST, 0,
			"there is no systemd of yours to ask for one (no bus in $XDG_RUNTIME_DIR)");
	if (ask(words, why) < 0)
		return -1;
	return was_moved(own, n) ? 0 : error_set(why, ERROR_HOST, ETIMEDOUT, "systemd gives no cgroup");
}
