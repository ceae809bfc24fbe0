/*
 * AppArmor profiles into the kernel and out of it.
 *
 * Profiles are compiled and loaded by apparmor_parser(8), which alone knows their language. Ours, minirun-default, is loaded
 * by the first minirun of root that needs it, and again when another version of minirun brings another text. A file below
 * /run, which like the kernel's policy lives until the machine stops, says which text was loaded; its lock makes miniruns
 * that start together load once. A profile of that name without such a file is somebody else's: theirs to keep.
 */
#include "security/apparmor.h"

#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdio.h>
#include <string.h>
#include <sys/apparmor.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"

#define OUTPUT_MAX (1U << 20)
#define STAMP      "/run/" APPARMOR_DEFAULT ".apparmor"
#define ABI        "abi/3.0"

/* The assembler copies the file in, and a NUL after it; the Makefile makes this object depend on it. */
__asm__(".pushsection .rodata\n"
	"apparmor_default_template:\n"
	".incbin \"security/minirun-default.apparmor\"\n"
	".byte 0\n"
	".popsection\n");

extern const char apparmor_default_template[] __asm__("apparmor_default_template");

char *apparmor_default_text(void)
{
	/* Without a word on it, apparmor_parser takes rules to mean what they mean to the newest kernel that it knows. */
	bool has_abi = access("/etc/apparmor.d/" ABI, R_OK) == 0;

	return xasprintf("%s%s", has_abi ? "abi <" ABI ">,\n" : "", apparmor_default_template);
}

/* In the child. */
static __attribute__((noreturn)) void execute_parser(const char *const *arguments, int input, int output)
{
	static const char *const places[] = {
		"/usr/sbin/apparmor_parser", "/sbin/apparmor_parser", "/usr/local/sbin/apparmor_parser"};
	static const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL};

	if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0)
		_exit(126);
	for (size_t i = 0; i < array_length(places); i++)
		execve(places[i], (char *const *)arguments, (char *const *)environment);
	_exit(errno == ENOENT ? 127 : 126);
}

/* What the parser said, in one line: the first that isn't a warning. */
static void complain(const char *what, int status, char *output, struct error *err)
{
	const char *chosen = NULL;
	char *rest = output;
	char *line;

	while ((line = strsep(&rest, "\n"))) {
		if (*line && (!chosen || !strncmp(chosen, "Warning", 7)))
			chosen = line;
	}
	error_set(err, ERROR_PROFILE, 0, "%s: apparmor_parser %s%s", what, chosen ? "says: " : "failed",
		chosen ? chosen : "");
	if (status == 127) {
		error_set(err, ERROR_HOST, 0, "%s: there is no apparmor_parser", what);
		error_hint(err, "install the package apparmor");
	} else if (geteuid() != 0) {
		error_hint(err, "only root may load profiles");
	}
}

/*
 * Runs apparmor_parser; input is its standard input. What it prints goes to *output, which is to be freed. Files in memory, not
 * pipes: nobody waits for anybody.
 */
static int run_parser(
	const char *what, const char *const *arguments, const char *input, char **output, struct error *err)
{
	cleanup_fd int in = memfd_create("profile", MFD_CLOEXEC);
	cleanup_fd int out = memfd_create("output", MFD_CLOEXEC);
	cleanup_free char *said = NULL;
	int status = -1;
	pid_t pid;

	if (in < 0 || out < 0 || fd_write_all(in, input, strlen(input)) < 0 || lseek(in, 0, SEEK_SET) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make a file in memory");
	pid = fork();
	if (pid == 0)
		execute_parser(arguments, in, out);
	if (pid < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make a process");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (lseek(out, 0, SEEK_SET) < 0 ||
		fd_read_all(out, "apparmor_parser's output", OUTPUT_MAX, ERROR_HOST, &said, NULL, err) < 0)
		return -1;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		complain(what, WIFEXITED(status) ? WEXITSTATUS(status) : -1, said, err);
		return -1;
	}
	*output = steal_pointer(&said);
	return 0;
}

int apparmor_load_file(const char *path, char ***names, struct error *err)
{
	/* "-": options end here. It wants to know the file's place, for what the profile includes. */
	const char *const list[] = {"apparmor_parser", "--names", "--", path, NULL};
	const char *const load[] = {"apparmor_parser", "--replace", "--", path, NULL};
	cleanup_free char *what = xasprintf("cannot load %s", path);
	cleanup_free char *listed = NULL;
	cleanup_free char *said = NULL;
	struct strv found = {0};
	char *rest;
	char *name;

	if (access(path, R_OK) < 0)
		return error_set(err, ERROR_PROFILE, errno, "%s", what);
	if (!apparmor_available())
		return apparmor_explain_absence(err);
	if (run_parser(what, list, "", &listed, err) < 0 || run_parser(what, load, "", &said, err) < 0)
		return -1;
	rest = listed;
	while ((name = strsep(&rest, "\n")))
		if (*name && strncmp(name, "Warning", 7) != 0)
			strv_push(&found, xstrdup(name));
	*names = found.items ? found.items : strv_copy(NULL);
	return 0;
}

int apparmor_unload(const char *name, struct error *err)
{
	cleanup_free char *mountpoint = NULL;
	cleanup_free char *path = NULL;
	cleanup_fd int fd = -1;

	if (!apparmor_available())
		return apparmor_explain_absence(err);
	if (aa_find_mountpoint(&mountpoint) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot find where securityfs is mounted");
	path = xasprintf("%s/.remove", mountpoint);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, name, strlen(name)) == (ssize_t)strlen(name))
		return 0;
	if (errno == ENOENT) {
		cleanup_free char *list = apparmor_list();
		cleanup_free char *near = list ? apparmor_near(list, name) : NULL;

		error_set(err, ERROR_PROFILE, 0, "profile \"%s\" is not loaded", name);
		return near ? error_hint(err, "loaded are %s", near)
			    : error_hint(err, "`minirun apparmor ls` lists what is loaded");
	}
	error_set(err, ERROR_HOST, errno, "cannot unload profile \"%s\"", name);
	return geteuid() != 0 ? error_hint(err, "only root may unload profiles") : -1;
}

static int open_stamp(struct error *err)
{
	cleanup_fd int fd = open(STAMP, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EACCES) {
		error_set(err, ERROR_HOST, 0, "cannot load profile \"" APPARMOR_DEFAULT "\": not root");
		return error_hint(err, "only root may load profiles");
	}
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot open and lock " STAMP);
	return steal_fd(&fd);
}

static int write_stamp(int fd, const char *text, struct error *err)
{
	if (ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0 && fd_write_all(fd, text, strlen(text)) == 0)
		return 0;
	return error_set(err, ERROR_HOST, errno, "cannot write " STAMP);
}

int apparmor_load_default(bool force, struct error *err)
{
	static const char *const arguments[] = {
		"apparmor_parser", "--replace", "--skip-cache", "--quiet", NULL};
	cleanup_free char *text = apparmor_default_text();
	char wanted[SHA256_DIGEST_STRING_LENGTH], found[SHA256_DIGEST_STRING_LENGTH] = "";
	cleanup_free char *said = NULL;
	cleanup_fd int stamp = -1;
	ssize_t n;

	if (!apparmor_available())
		return apparmor_explain_absence(err);
	stamp = open_stamp(err);
	if (stamp < 0)
		return -1;
	SHA256Data((const uint8_t *)text, strlen(text), wanted);
	n = read(stamp, found, sizeof(found) - 1);
	if (n < 0)
		return error_set(err, ERROR_HOST, errno, "cannot read " STAMP);
	if (!force && apparmor_loaded(APPARMOR_DEFAULT) > APPARMOR_NOT_LOADED &&
		(n == 0 || !strcmp(found, wanted)))
		return 0;
	/* Whatever ends us in between: what is there then is ours, and of no known version. */
	if (write_stamp(stamp, "loading", err) < 0 ||
		run_parser("cannot load profile \"" APPARMOR_DEFAULT "\"", arguments, text, &said, err) < 0)
		return -1;
	return write_stamp(stamp, wanted, err);
}
