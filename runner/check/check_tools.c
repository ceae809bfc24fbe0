/* Trials of other programs: whether they are there and run. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/check/check.h"

/* Of several lines keeps the one that has a version, else the first. */
static void keep_telling_line(char *text)
{
	char *found = strstr(text, "ersion");

	while (found && found > text && found[-1] != '\n')
		found--;
	if (found)
		memmove(text, found, strlen(found) + 1);
	text[strcspn(text, "\n")] = '\0';
}

/* Runs a program. Returns its wait status, or -1; line gets what it said of its version. */
static int ask(const char *const *words, char *line, size_t size)
{
	size_t used = 0;
	ssize_t n;
	int ends[2], status = -1;
	pid_t pid;

	line[0] = '\0';
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		execvp(words[0], (char *const *)words);
		_exit(127);
	}
	close(ends[1]);
	while (used < size - 1 && (n = read(ends[0], line + used, size - 1 - used)) > 0)
		used += (size_t)n;
	close(ends[0]);
	line[used] = '\0';
	keep_telling_line(line);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	return status;
}

static void try_tool(const char *name, struct trial *trial)
{
	char line[512];
	const char *version = line;
	int status;

	trial_set(trial, TRIAL_MISSING, "%s --version", name);
	status = ask((const char *const[]){name, "--version", NULL}, line, sizeof(line));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		trial_set(trial, TRIAL_MISSING, "no %s in PATH", name);
	else if (status != 0)
		trial_set(trial, TRIAL_LIMITED, "%s --version fails%s%s", name, *line ? ": " : "", line);
	else {
		/* "skopeo version 1.9.3", "pasta 0.0~git...", "AppArmor parser version 3.0.8" */
		if (!strncmp(version, name, strlen(name)) && version[strlen(name)] == ' ')
			version += strlen(name) + 1;
		trial_set(trial, TRIAL_OK, "%s", version);
	}
}

void trial_skopeo(const struct trial_place *place, struct trial *trial)
{
	(void)place;
	try_tool("skopeo", trial);
}

/* Debian 12's was built without being told its version; the package has it. */
static void ask_package(const char *package, struct trial *trial)
{
	const char *const words[] = {
		"dpkg-query", "--show", "--showformat=version ${Version}", package, NULL};
	char line[128];

	if (ask(words, line, sizeof(line)) == 0 && text_starts_with(line, "version "))
		trial_set(trial, TRIAL_OK, "%s", line + strlen("version "));
}

void trial_pasta(const struct trial_place *place, struct trial *trial)
{
	static const char tun[] = "/dev/net/tun";
	cleanup_fd int fd = -1;
	int errnum;

	try_tool("pasta", trial);
	if (trial->state != TRIAL_OK)
		return;
	if (!strcmp(trial->detail, "unknown version"))
		ask_package("passt", trial);
	fd = open(tun, O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		return;
	errnum = errno;
	trial_set(trial, TRIAL_LIMITED, "it can't open %s: %s", tun, strerror(errnum));
	if (errnum == EACCES)
		trial_mend_by(trial, place, HAND_SYSTEM, "chmod 0666 %s", tun);
	else if (place->caller.contained)
		trial_mend(trial, "start the container with --device %s", tun);
	else
		trial_mend_by(trial, place, HAND_MACHINE, "modprobe tun; chmod 0666 %s", tun);
}

void trial_apparmor_parser(const struct trial_place *place, struct trial *trial)
{
	const char *path = getenv("PATH");
	/* Root runs it, and an ordinary user's PATH need not lead there. */
	cleanup_free char *longer = xasprintf("%s:/usr/sbin:/sbin", path ? path : "/usr/bin:/bin");

	(void)place;
	setenv("PATH", longer, 1);
	try_tool("apparmor_parser", trial);
}
