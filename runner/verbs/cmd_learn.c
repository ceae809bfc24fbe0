/* `minirun learn FILE`: what to record and where to write it; the run itself is that of `minirun run`. */
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/finding.h"
#include "base/memory.h"
#include "runner/manifest/duration.h"
#include "runner/pod/learning.h"
#include "runner/pod/run.h"
#include "security/denial.h"
#include "security/recording.h"
#include "security/security.h"

#define PROFILE_LIMIT (4U << 20) /* bytes of a base */

static int add_denied(struct strv *names, char *name, struct error *err)
{
	cleanup_free char *nearest = NULL;

	if (!seccomp_call_known(name, &nearest)) {
		error_set(err, ERROR_USAGE, 0, "--deny %s: no system call of that name is known", name);
		if (nearest)
			error_hint(err, "did you mean %s?", nearest);
		free(name);
		return -1;
	}
	if (!strcmp(name, "execve")) {
		free(name);
		return error_set(err, ERROR_USAGE, 0, "--deny execve: no program could be started");
	}
	strv_push(names, name);
	return 0;
}

/* "mkdir,mkdirat", or with spaces, sorted and each once. */
static int read_denied(const char *text, struct learning *learning, struct error *err)
{
	struct strv names = {0};
	size_t kept = 0;
	int result = 0;

	while (text && *text && result == 0) {
		size_t n = strcspn(text, ", ");

		if (n)
			result = add_denied(&names, xstrndup(text, n), err);
		text += n;
		text += strspn(text, ", ");
	}
	strv_sort(&names);
	learning->deny = names.items;
	for (size_t i = 0; i < names.n; i++) {
		if (kept && !strcmp(names.items[kept - 1], names.items[i]))
			free(names.items[i]);
		else
			names.items[kept++] = names.items[i];
	}
	if (names.items)
		names.items[kept] = NULL;
	return result;
}

/* The library that writes it has to see in it what our own reader sees. */
static bool can_be_written(const struct learning *learning)
{
	const struct profile_plan parts = {.base = learning->base, .base_size = learning->base_size};
	cleanup_free char *text = remaining_profile(&parts, false);

	return text != NULL;
}

static int read_base(struct learning *learning, struct error *err)
{
	struct seccomp_profile *profile;
	struct findings findings;
	int result = 0;

	if (!learning->base_path)
		return 0;
	if (file_read(learning->base_path, PROFILE_LIMIT, ERROR_PROFILE, &learning->base,
		    &learning->base_size, err) < 0)
		return -1;
	findings_init(&findings, learning->base_path);
	profile = seccomp_profile_read(learning->base, learning->base_size, &findings);
	findings_sort(&findings);
	findings_print(&findings, stderr);
	if (!profile)
		result = error_set(err, ERROR_PROFILE, 0, "--base %s: the profile has %zu error%s",
			learning->base_path, findings.errors, findings.errors == 1 ? "" : "s");
	else if (!can_be_written(learning))
		result = error_set(
			err, ERROR_PROFILE, 0, "--base %s: it can't be written back", learning->base_path);
	seccomp_profile_free(profile);
	findings_free(&findings);
	return result;
}

/* Whether files can be made in a folder, which may have to be made itself; errno is set. */
static int may_make_files(const char *folder)
{
	cleanup_free char *copy = xstrdup(folder);
	struct stat st;

	if (stat(folder, &st) == 0) {
		errno = ENOTDIR;
		return S_ISDIR(st.st_mode) ? access(folder, W_OK | X_OK) : -1;
	}
	if (errno != ENOENT || !*folder || lstat(folder, &st) == 0)
		return -1;
	return access(dirname(copy), W_OK | X_OK);
}

static int read_targets(const struct invocation *invocation, struct learning *learning, struct error *err)
{
	const char *limit = invocation->value[OPTION_FOR];

	learning->write = invocation->value[OPTION_WRITE];
	learning->write_dir = invocation->value[OPTION_WRITE_DIR];
	learning->base_path = invocation->value[OPTION_BASE];
	if (learning->write && learning->write_dir)
		return error_set(err, ERROR_USAGE, 0,
			"--write is for one profile of all containers, --write-dir for one each: use either");
	if (learning->write && !strcmp(learning->write, "-"))
		learning->write = NULL;
	if (limit && (!duration_parse(limit, &learning->milliseconds) || learning->milliseconds <= 0)) {
		error_set(err, ERROR_USAGE, 0, "--for %s: not a time", limit);
		return error_hint(err, "10s, 2m, 1h30m");
	}
	/* Not after the work. */
	if (learning->write && file_may_write(learning->write, err) < 0)
		return error_wrap(err, "--write");
	if (learning->write_dir && may_make_files(learning->write_dir) < 0)
		return error_set(
			err, ERROR_HOST, errno, "--write-dir: cannot write into %s", learning->write_dir);
	return 0;
}

static int learn(const struct invocation *invocation, struct learning *learning, struct error *err)
{
	struct report report;

	learning->apparmor = invocation->value[OPTION_APPARMOR] != NULL;
	if (learning->apparmor && (invocation->value[OPTION_BASE] || invocation->value[OPTION_DENY]))
		return error_set(
			err, ERROR_USAGE, 0, "--base and --deny are of seccomp profiles, not of AppArmor's");
	if (read_targets(invocation, learning, err) < 0 ||
		read_denied(invocation->value[OPTION_DENY], learning, err) < 0 ||
		read_base(learning, err) < 0)
		return -1;
	if (learning->apparmor ? learning_apparmor_check(err) < 0 : listener_check(err) < 0)
		return error_wrap(err, learning->apparmor ? "what programs do can't be recorded here"
							  : "system calls can't be recorded here");
	report_init(&report, wants_json(invocation), invocation->value[OPTION_QUIET] != NULL,
		invocation->value[OPTION_COLOR]);
	if (!learning->write && !learning->write_dir)
		report.out = STDERR_FILENO;
	return run_manifest(invocation, &report, learning, err);
}

int cmd_learn(const struct invocation *invocation, struct error *err)
{
	struct learning learning = {0};
	int status = learn(invocation, &learning, err);

	strv_free(learning.deny);
	free(learning.base);
	return status;
}
