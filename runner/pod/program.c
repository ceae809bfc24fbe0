/* Finding the program to execute, and explaining why it could not be. */
#include "runner/pod/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"

/* Whether path is a regular file that may be executed; else errno says why not. */
static bool is_executable(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EACCES;
		return false;
	}
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

static char *not_executable(const char *path, int errnum, struct error *err)
{
	if (errnum == ENOENT || errnum == ENOTDIR) {
		error_set(err, ERROR_PROGRAM, 0, "no such file in the image: %s", path);
		err->errnum = ENOENT;
		return NULL;
	}
	error_set(err, ERROR_PROGRAM, errnum, "cannot run %s", path);
	if (errnum == EACCES)
		error_hint(err,
			"the container's user lacks execute permission on the file or a folder above it");
	return NULL;
}

char *program_find(const char *name, const char *path, struct error *err)
{
	cleanup_free char *copy = xstrdup(path ? path : "");
	cleanup_free char *refused = NULL;
	char *rest = copy;
	const char *folder;
	int errnum = ENOENT;

	if (!*name) {
		error_set(err, ERROR_PROGRAM, 0, "the command is empty");
		err->errnum = ENOENT;
		return NULL;
	}
	if (strchr(name, '/'))
		return is_executable(name) ? xstrdup(name) : not_executable(name, errno, err);
	while ((folder = strsep(&rest, ":"))) {
		cleanup_free char *candidate = xasprintf("%s/%s", *folder ? folder : ".", name);

		if (is_executable(candidate))
			return steal_pointer(&candidate);
		if (errno == ENOENT || errno == ENOTDIR || refused)
			continue;
		errnum = errno;
		refused = steal_pointer(&candidate);
	}
	if (refused)
		return not_executable(refused, errnum, err);
	error_set(err, ERROR_PROGRAM, 0, "executable file not found in $PATH: %s", name);
	err->errnum = ENOENT;
	error_hint(err, "PATH is %s", path);
	return NULL;
}

int program_explain(const char *path, int errnum, struct error *err)
{
	error_set(err, ERROR_PROGRAM, errnum, "cannot run %s", path);
	if (errnum == ENOENT) {
		/* The file was there a moment ago: what is missing is what it needs. That is "cannot run", not "not found". */
		err->errnum = ENOEXEC;
		return error_hint(err,
			"the file is there: its interpreter (the #! line, or the dynamic loader) is not in "
			"the image");
	}
	if (errnum == ENOEXEC)
		return error_hint(err,
			"it is no program of this machine's architecture, or a script without a #! line");
	if (errnum == EACCES)
		return error_hint(err,
			"the file, its interpreter or a mount with noexec refuses it, or an AppArmor "
			"profile does");
	if (errnum == E2BIG)
		return error_hint(err, "arguments and environment together are too long");
	return -1;
}
