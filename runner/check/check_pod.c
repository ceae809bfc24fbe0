/* The trial of trials: a pod like the demo's, by this very program. Its image is one program that does nothing, and well. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/tiny_program.h"
#include "runner/check/check.h"

#define IMAGE "check"
#define HINT  "minirun: hint: "
#define NAME  "minirun: "

#if defined(__x86_64__)
static const unsigned char exit_code[] = {
	0x31, 0xff, /* xor edi, edi */
	0xb8, 60, 0, 0, 0, /* mov eax, exit */
	0x0f, 0x05, /* syscall */
};
#elif defined(__aarch64__)
static const unsigned char exit_code[] = {
	0x00, 0x00, 0x80, 0xd2, /* mov x0, 0 */
	0xa8, 0x0b, 0x80, 0xd2, /* mov x8, exit */
	0x01, 0x00, 0x00, 0xd4, /* svc 0 */
};
#else
/* cppcheck-suppress preprocessorErrorDirective */
#error "exit_code is missing for this machine: a few instructions that call exit(0)"
#endif

/* As the demo's: an init container, a main one, a volume that both have, a seccomp profile. */
static const char manifest[] =
	"{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"check\"}, \"spec\": {"
	"\"restartPolicy\": \"Never\", \"terminationGracePeriodSeconds\": 1,"
	"\"securityContext\": {\"seccompProfile\": {\"type\": \"RuntimeDefault\"},"
	/* The default one would be loaded, and stay. */
	"\"appArmorProfile\": {\"type\": \"Unconfined\"}},"
	"\"initContainers\": [{\"name\": \"first\", \"image\": \"" IMAGE "\", \"command\": [\"/nothing\"],"
	"\"volumeMounts\": [{\"name\": \"data\", \"mountPath\": \"/data\"}]}],"
	"\"containers\": [{\"name\": \"main\", \"image\": \"" IMAGE "\", \"command\": [\"/nothing\"],"
	"\"volumeMounts\": [{\"name\": \"data\", \"mountPath\": \"/data\"}]}],"
	"\"volumes\": [{\"name\": \"data\", \"emptyDir\": {}}]}}\n";

static int make_files(int scratch, struct error *err)
{
	cleanup_fd int image = -1;
	cleanup_fd int program = -1;

	if (mkdirat(scratch, "image", 0755) == 0)
		image = openat(scratch, "image", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (image >= 0)
		program = openat(image, "nothing", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (program < 0 || tiny_program_write(program, exit_code, sizeof(exit_code)) < 0 ||
		fchmod(program, 0755) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make an image to try");
	return file_replace(scratch, "pod.json", 0600, manifest, sizeof(manifest) - 1, err);
}

/* The last line says what failed, and a line before it what mends it (main.c). */
static void read_reason(int output, struct error *err)
{
	struct error ignored;
	cleanup_free char *text = NULL;

	if (fd_read_all(output, "output", 1U << 20, ERROR_HOST, &text, NULL, &ignored) < 0)
		return;
	for (char *line = text, *next; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (text_starts_with(line, HINT))
			error_hint(err, "%s", line + strlen(HINT));
		else if (*line)
			snprintf(err->message, sizeof(err->message), "%s",
				text_starts_with(line, NAME) ? line + strlen(NAME) : line);
	}
}

/* This program with arguments, its folders being in the scratch folder. Returns 0, or -1 with what it said. */
static int run_self(char *const *arguments, int alive, struct error *err)
{
	int ends[2], status = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make a pipe");
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		/* It makes its folders by their paths, again if need be: not before it is gone may ours be removed. */
		fcntl(alive, F_SETFD, 0);
		unsetenv("MINIRUN_SEALED");
		execv("/proc/self/exe", arguments);
		dprintf(STDERR_FILENO, "cannot start minirun again: %s\n", strerror(errno));
		_exit(125);
	}
	close(ends[1]);
	if (pid < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make a process");
	error_set(err, ERROR_HOST, 0, "it failed and did not say of what");
	read_reason(ends[0], err);
	close(ends[0]);
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		error_set(err, ERROR_HOST, 0, "minirun was ended by signal %d, %s", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	return status == 0 ? 0 : -1;
}

void trial_pod(const struct trial_place *place, struct trial *trial)
{
	struct error err = {0};
	struct timespec begin, end;
	cleanup_free char *store = xasprintf("%s/store", place->scratch_path ? place->scratch_path : "");
	cleanup_free char *root = xasprintf("%s/run", place->scratch_path ? place->scratch_path : "");
	char *load[] = {(char *)"minirun", (char *)"image", (char *)"load", (char *)"-q", (char *)"--store",
		store, (char *)"image", (char *)IMAGE, NULL};
	char *run[] = {(char *)"minirun", (char *)"run", (char *)"-q", (char *)"--store", store,
		(char *)"--root", root, (char *)"pod.json", NULL};

	if (place->scratch < 0) {
		trial_untried(trial, "a folder", "store");
		return;
	}
	if (make_files(place->scratch, &err) < 0 || fchdir(place->scratch) < 0 ||
		run_self(load, place->alive, &err) < 0) {
		trial_fail(trial, TRIAL_MISSING, &err);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &begin);
	if (run_self(run, place->alive, &err) < 0) {
		trial_fail(trial, TRIAL_MISSING, &err);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	trial_set(trial, TRIAL_OK, "two containers ran, one after the other, within %ld ms",
		(end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000);
}
