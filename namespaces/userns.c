/*
 * The user namespace of an ordinary user: ids, and what forbids them here.
 *
 * Theory of operation
 *
 * A process that has just made its user namespace may map only its own id. More needs newuidmap(1) and newgidmap(1),
 * which look at /etc/subuid and /etc/subgid and must run outside the namespace. So a *mapper* is forked first, waits
 * until its parent is in the new namespace, runs the two, and tells by its exit how it went. Whatever they say on stderr
 * comes to the parent through a pipe: a bare "exit status 1" is what users of other programs are left with
 * (FIELD.md, B6).
 */
#include "namespaces/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "namespaces/idmap.h"

#define TOOL_OUTPUT_MAX 512

static int write_file(const char *path, const char *text)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 ? fd_write_all(fd, text, strlen(text)) : -1;
}

/* The number in a sysctl's file, or -1 if there is none. */
static long read_number(const char *path)
{
	char text[32];
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	if (n <= 0)
		return -1;
	text[n] = '\0';
	return strtol(text, NULL, 10);
}

/* What forbids user namespaces: Linux' own limit, Debian's switch, Ubuntu's. */
static const struct userns_switch switches[] = {
	{"/proc/sys/user/max_user_namespaces", 0, "user.max_user_namespaces",
		"sysctl -w user.max_user_namespaces=15000", true},
	{"/proc/sys/kernel/unprivileged_userns_clone", 0, "kernel.unprivileged_userns_clone",
		"sysctl -w kernel.unprivileged_userns_clone=1", false},
	{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1,
		"kernel.apparmor_restrict_unprivileged_userns",
		"sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or load an AppArmor profile for "
		"minirun that has \"userns,\"",
		false},
};

const struct userns_switch *userns_find_switch(void)
{
	for (size_t i = 0; i < array_length(switches); i++)
		if (read_number(switches[i].path) == switches[i].forbids)
			return &switches[i];
	return NULL;
}

/* Whose hands it takes is for `minirun check` to say, which tries it again (trial_users.c). */
int userns_explain(struct error *err)
{
	const struct userns_switch *found = userns_find_switch();
	size_t n = strlen(err->message);

	error_check(err, "user namespaces");
	err->hint[0] = '\0';
	if (found) {
		snprintf(err->message + n, sizeof(err->message) - n, " (sysctl %s is %ld)", found->name,
			found->forbids);
		return error_hint(err, "%s", found->remedy);
	}
	if (err->errnum == ENOSPC)
		return error_hint(err, "raise sysctl user.max_user_namespaces, whose limit is reached");
	if (err->errnum == EUSERS)
		return error_hint(err, "user namespaces are nested 32 deep already");
	if (err->errnum == EPERM)
		snprintf(err->message + n, sizeof(err->message) - n,
			" (a seccomp filter around minirun, a chroot or a security module forbids it)");
	return -1;
}

/* Runs one of the tools, its stderr going to output. Returns its exit status, 127 if it isn't there. */
static int run_tool(const char *tool, pid_t target, const struct idmap *map, int output)
{
	char *argv[3 + 3 * IDMAP_MAX] = {0};
	size_t n = 0;
	int status;
	pid_t pid;

	argv[n++] = xstrdup(tool);
	argv[n++] = xasprintf("%d", (int)target);
	for (size_t i = 0; i < map->n; i++) {
		argv[n++] = xasprintf("%u", map->ranges[i].inside);
		argv[n++] = xasprintf("%u", map->ranges[i].outside);
		argv[n++] = xasprintf("%u", map->ranges[i].count);
	}
	pid = fork();
	if (pid == 0) {
		dup2(output, STDERR_FILENO);
		dup2(output, STDOUT_FILENO);
		execvp(tool, argv);
		if (errno != ENOENT)
			dprintf(output, "cannot run %s: %s", tool, strerror(errno));
		_exit(127);
	}
	while (n > 0)
		free(argv[--n]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return 126;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}

/* What the mapper's exit status says. */
enum mapped {
	MAPPED_ALL,
	MAPPED_NO_UIDS,
	MAPPED_NO_GIDS,
	MAPPED_NO_TOOL,
	MAPPED_GAVE_UP, /* the parent never came into its namespace */
};

struct mapper {
	pid_t pid;
	int go, output; /* write a byte; read what the tools say */
};

static void __attribute__((noreturn))
mapper_main(pid_t target, const struct idmap *uids, const struct idmap *gids, int go, int output)
{
	int status;
	char byte;

	if (read(go, &byte, 1) != 1)
		_exit(MAPPED_GAVE_UP);
	status = run_tool("newuidmap", target, uids, output);
	if (status)
		_exit(status == 127 ? MAPPED_NO_TOOL : MAPPED_NO_UIDS);
	_exit(run_tool("newgidmap", target, gids, output) ? MAPPED_NO_GIDS : MAPPED_ALL);
}

static int mapper_start(
	struct mapper *mapper, const struct idmap *uids, const struct idmap *gids, struct error *err)
{
	int go[2], output[2];
	pid_t target = getpid();

	if (pipe2(go, O_CLOEXEC) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make a pipe");
	if (pipe2(output, O_CLOEXEC) < 0) {
		error_set(err, ERROR_HOST, errno, "cannot make a pipe");
		close(go[0]);
		close(go[1]);
		return -1;
	}
	mapper->pid = fork();
	if (mapper->pid == 0) {
		close(go[1]);
		mapper_main(target, uids, gids, go[0], output[1]);
	}
	close(go[0]);
	close(output[1]);
	mapper->go = go[1];
	mapper->output = output[0];
	return mapper->pid < 0 ? error_set(err, ERROR_HOST, errno, "cannot make a process") : 0;
}

/* Lets the mapper work, or tells it to give up; said gets one line of what the tools said. */
static enum mapped mapper_finish(struct mapper *mapper, bool work, char *said, size_t size)
{
	size_t used = 0;
	ssize_t n;
	int status = 0;

	if (work)
		write(mapper->go, "", 1);
	close(mapper->go);
	while (used < size - 1 && (n = read(mapper->output, said + used, size - 1 - used)) > 0)
		used += (size_t)n;
	said[used] = '\0';
	while (used && said[used - 1] == '\n')
		said[--used] = '\0';
	for (char *p = said; *p; p++)
		if (*p == '\n')
			*p = ' ';
	close(mapper->output);
	if (mapper->pid > 0)
		while (waitpid(mapper->pid, &status, 0) < 0 && errno == EINTR)
			;
	return WIFEXITED(status) ? (enum mapped)WEXITSTATUS(status) : MAPPED_NO_UIDS;
}

static int map_one(const char *file, unsigned int id, struct error *err)
{
	char text[64], path[64];

	snprintf(path, sizeof(path), "/proc/self/%s", file);
	snprintf(text, sizeof(text), "0 %u 1", id);
	if (write_file(path, text) == 0)
		return 0;
	error_set(err, ERROR_HOST, errno, "cannot map an id into the user namespace (%s)", path);
	if (err->errnum != EPERM || id != 0)
		return userns_explain(err);
	/* Linux 5.12: a file's capabilities would be the host root's. */
	error_hint(err,
		"root maps itself only with CAP_SETFCAP, which this one lacks: run minirun with it (in a "
		"container: --cap-add SETFCAP), or as a user other than root");
	return error_check(err, "user namespaces");
}

/* Maps this user's own ids alone to 0; uids too if they aren't mapped yet. */
static int map_self(uid_t uid, gid_t gid, bool uids_too, struct error *err)
{
	if (uids_too && map_one("uid_map", uid, err) < 0)
		return -1;
	/* Without it the kernel allows nobody to map a group (user_namespaces(7)). */
	if (write_file("/proc/self/setgroups", "deny") < 0 && errno != ENOENT) {
		error_set(err, ERROR_HOST, errno, "cannot deny setgroups in the user namespace");
		return userns_explain(err);
	}
	return map_one("gid_map", gid, err);
}

static void set_note(char **note, const char *why)
{
	if (note)
		*note = xasprintf("only one user id in containers: %s", why);
}

/* Why the tools did not do it, in one line. */
static void note_failure(enum mapped mapped, const char *said, char **note)
{
	cleanup_free char *text = NULL;

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		text = xasprintf("newuidmap failed, since no_new_privs keeps it from its rights: %s", said);
	else if (mapped == MAPPED_NO_TOOL && !*said)
		text = xstrdup("newuidmap is missing (package uidmap)");
	else
		text = xasprintf("%s failed: %s", mapped == MAPPED_NO_GIDS ? "newgidmap" : "newuidmap",
			*said ? said : "no reason given");
	set_note(note, text);
}

int userns_enter(char **note, struct error *err)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	struct idmap uids, gids;
	cleanup_free char *missing = NULL;
	bool ranges = idmap_read(uid, gid, &uids, &gids, &missing);
	struct mapper mapper = {.pid = -1};
	char said[TOOL_OUTPUT_MAX] = "";
	enum mapped mapped = MAPPED_NO_UIDS;
	int errnum = 0;

	if (note)
		*note = NULL;
	if (ranges && mapper_start(&mapper, &uids, &gids, err) < 0)
		return -1;
	if (unshare(CLONE_NEWUSER) < 0)
		errnum = errno;
	if (ranges)
		mapped = mapper_finish(&mapper, errnum == 0, said, sizeof(said));
	if (errnum) {
		error_set(err, ERROR_HOST, errnum, "cannot make a user namespace");
		return userns_explain(err);
	}
	if (!ranges)
		set_note(note, missing);
	else if (mapped != MAPPED_ALL)
		note_failure(mapped, said, note);
	if (mapped != MAPPED_ALL && map_self(uid, gid, mapped != MAPPED_NO_GIDS, err) < 0)
		return -1;
	/* Only now: a mount namespace belongs to the user namespace in which it is made. */
	if (unshare(CLONE_NEWNS) < 0) {
		error_set(err, ERROR_HOST, errno, "cannot make a mount namespace");
		return error_check(err, "namespaces");
	}
	return 0;
}

int userns_claim_mounts(struct error *err)
{
	cleanup_fd int probe = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (probe >= 0 || errno != EPERM)
		return 0;
	if (unshare(CLONE_NEWNS) < 0) {
		error_set(err, ERROR_HOST, errno, "cannot make a mount namespace");
		return error_check(err, "namespaces");
	}
	return 0;
}
