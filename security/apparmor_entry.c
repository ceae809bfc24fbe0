/*
 * Entering an AppArmor profile.
 *
 * The child writes the profile's name to attr/apparmor/exec of its own thread, and execve enters it: until then minirun's own
 * last steps aren't confined by what is meant for the program (law R0; the filter comes after, and no call of ours after
 * that). What an image could put on /proc must never take that write in the kernel's stead (CVE-2019-16884, CVE-2025-52881):
 * so it goes through a private procfs that nobody else has, checked to be one, by a path that follows no link and
 * crosses no mount. And because a lock is only as good as what came of it, the parent, after exec, reads the program's
 * label back through its own procfs.
 */
#include "security/apparmor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/inroot.h"

#define LABEL_MAX 8192

int apparmor_explain(const char *profile, const char *own, int errnum, struct error *err)
{
	error_set(err, errnum == ENOENT ? ERROR_PROFILE : ERROR_HOST, errnum,
		"cannot enter AppArmor profile \"%s\"", profile);
	error_check(err, "AppArmor");
	switch (errnum) {
	case ENOENT:
		return error_hint(err,
			"no profile of that name is loaded: as root, `minirun apparmor load FILE` loads one");
	case EACCES:
	case EPERM:
		if (!own || apparmor_label_is_unconfined(own))
			return error_hint(err, "minirun is traced by a process that may not follow it there");
		return error_hint(err,
			"minirun itself is confined, by \"%.*s\", which does not let it stack this one: it "
			"lacks the rule \"change_profile -> &%s,\"",
			(int)strcspn(own, "\n"), own, profile);
	case EINVAL:
		return error_hint(err, "AppArmor is not enabled in this kernel, or the name is malformed");
	case EBUSY:
		return error_hint(err, "the process is being traced by one that may not follow");
	case ENAMETOOLONG:
		return error_hint(err, "the kernel takes no longer names");
	default:
		return -1;
	}
}

static int check_procfs(int fd, struct error *err)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC)
		return 0;
	return error_set(err, ERROR_HOST, 0, "what should be procfs is something else");
}

/* Opens a file of AppArmor's folder of a process ("7", "7/task/7"): attr/apparmor, before Linux 5.1 attr itself. */
static int open_attr(int procfd, const char *process, const char *name, int flags, struct error *err)
{
	static const char *const folders[] = {"attr/apparmor", "attr"};
	cleanup_fd int fd = -1;

	for (size_t i = 0; i < array_length(folders) && fd < 0; i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s/%s", process, folders[i], name);
		fd = inroot_open_strict(procfd, path, flags | O_CLOEXEC, err);
		if (fd < 0 && err->errnum != ENOENT)
			break;
	}
	if (fd < 0)
		err->class = ERROR_HOST;
	if (fd < 0 || check_procfs(fd, err) < 0)
		return -1;
	return steal_fd(&fd);
}

static int read_label(int procfd, const char *process, char label[LABEL_MAX], struct error *err)
{
	cleanup_fd int fd = open_attr(procfd, process, "current", O_RDONLY, err);
	ssize_t n = fd < 0 ? -1 : read(fd, label, LABEL_MAX - 1);

	if (fd < 0)
		return -1;
	if (n < 0)
		return error_set(err, ERROR_HOST, errno, "cannot read attr/apparmor/current");
	label[n] = '\0';
	label[strcspn(label, "\n")] = '\0';
	return 0;
}

/*
 * The thread as that procfs numbers it. Not getpid(2): the procfs may be of another pid namespace, an ordinary user's exec has
 * none but the host's. The kernel makes the link's text for whoever reads it.
 */
static int find_self(int procfd, char *process, size_t size, struct error *err)
{
	ssize_t n = readlinkat(procfd, "thread-self", process, size - 1);

	if (n <= 0)
		return error_set(err, ERROR_HOST, errno, "cannot find this process in procfs");
	process[n] = '\0';
	return 0;
}

/*
 * An unconfined minirun says "exec" (or, for now, "changeprofile"): the profile, instead of its own label. A confined one
 * "stack": the profile on top. One write, for the kernel takes what each holds for a whole command.
 */
static int write_profile(
	const char *profile, int procfd, const char *process, const char *own, bool now, struct error *err)
{
	const char *verb = *own && !apparmor_label_is_unconfined(own) ? "stack"
			   : now                                      ? "changeprofile"
								      : "exec";
	cleanup_fd int fd = open_attr(procfd, process, now ? "current" : "exec", O_WRONLY, err);
	char command[4200];
	int n = snprintf(command, sizeof(command), "%s %s", verb, profile);

	if (fd < 0) {
		error_wrap(err, "cannot enter AppArmor profile \"%s\"", profile);
		return error_hint(err, "Cannot enforce AppArmor: AppArmor is not enabled on the host");
	}
	if (n < 0 || (size_t)n >= sizeof(command))
		return apparmor_explain(profile, own, ENAMETOOLONG, err);
	if (write(fd, command, (size_t)n) != n)
		return apparmor_explain(profile, own, errno, err);
	return 0;
}

static int enter(const char *profile, int procfd, bool now, struct error *err)
{
	char process[64];
	char own[LABEL_MAX] = "";

	if (check_procfs(procfd, err) < 0 || find_self(procfd, process, sizeof(process), err) < 0)
		return error_wrap(err, "cannot enter AppArmor profile \"%s\"", profile);
	/* A kernel without AppArmor answers EINVAL here, and in what follows. */
	if (read_label(procfd, process, own, err) < 0 && err->errnum != EINVAL && err->errnum != ENOENT)
		return error_wrap(err, "cannot enter AppArmor profile \"%s\"", profile);
	*err = (struct error){0};
	return write_profile(profile, procfd, process, own, now, err);
}

int apparmor_enter_at_exec(const char *profile, int procfd, struct error *err)
{
	return enter(profile, procfd, false, err);
}

int apparmor_enter_now(const char *profile, int procfd, struct error *err)
{
	return enter(profile, procfd, true, err);
}

int apparmor_verify(const char *profile, int procfd, pid_t pid, struct error *err)
{
	char process[16], self[64];
	char label[LABEL_MAX], own[LABEL_MAX];

	snprintf(process, sizeof(process), "%d", (int)pid);
	if (check_procfs(procfd, err) < 0 || read_label(procfd, process, label, err) < 0 ||
		find_self(procfd, self, sizeof(self), err) < 0 || read_label(procfd, self, own, err) < 0)
		return error_wrap(
			err, "cannot tell whether the program is under AppArmor profile \"%s\"", profile);
	if (apparmor_label_has(label, profile))
		return 0;
	if (!apparmor_label_is_unconfined(label) && strcmp(label, own) != 0)
		return 0;
	error_set(err, ERROR_HOST, 0,
		"Cannot enforce AppArmor: the program runs as \"%s\", not under profile \"%s\"", label,
		profile);
	return error_hint(err, "the profile was asked for and not entered; the program was killed");
}
