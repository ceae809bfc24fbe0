/*
 * Running skopeo (https://github.com/containers/skopeo): without a shell, in a folder of the store, with no more of our
 * environment than it needs to find its settings, and dead as soon as we are. Its last words become our error.
 */
#include "images/skopeo.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "images/refusal.h"

#define ANSWER_LIMIT (8U << 20) /* bytes of a manifest or a configuration */
#define WORDS        24

/* Where its settings, credentials and certificates are, and how to get out. */
static const char *const passed[] = {"PATH", "HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME",
	"REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy",
	"no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "TMPDIR"};

static char **make_environment(void)
{
	struct strv env = {0};

	for (size_t i = 0; i < array_length(passed); i++) {
		const char *value = getenv(passed[i]);

		if (value)
			strv_push(&env, xasprintf("%s=%s", passed[i], value));
	}
	strv_push(&env, xstrdup("LC_ALL=C"));
	return env.items;
}

/* The child: never returns. refused is where the errno of a failed execve goes. */
static void become(const struct skopeo *skopeo, char *const *words, char *const *env, int out, int log,
	int refused, pid_t parent)
{
	sigset_t none;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* What it downloads is of no use when we are dead; and a download must not outlive who waits for it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(125);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (null >= 0 && dup2(null, 0) >= 0 && dup2(out >= 0 ? out : null, 1) >= 0 && dup2(log, 2) >= 0 &&
		fchdir(skopeo->folder) == 0)
		execvpe(words[0], words, env);
	fd_write_all(refused, &errno, sizeof(errno));
	_exit(127);
}

static int not_started(int errnum, struct error *err)
{
	if (errnum != ENOENT)
		return error_set(err, ERROR_HOST, errnum, "cannot run skopeo");
	error_set(err, ERROR_HOST, 0, "skopeo, which reaches registries for minirun, is not installed");
	error_check(err, "skopeo");
	return error_hint(err, "apt-get install skopeo; without it: minirun image load ARCHIVE NAME");
}

/* Starts it; out is what becomes its standard output, or -1. */
static int start(struct skopeo *skopeo, char *const *words, int out, struct error *err)
{
	cleanup_strv char **env = make_environment();
	int log[2] = {-1, -1}, refused[2] = {-1, -1};
	pid_t parent = getpid();
	int errnum = 0;

	if (pipe2(log, O_CLOEXEC) < 0 || pipe2(refused, O_CLOEXEC) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make a pipe");
	skopeo->used = 0;
	skopeo->pid = fork();
	if (skopeo->pid == 0)
		become(skopeo, words, env, out, log[1], refused[1], parent);
	close(log[1]);
	close(refused[1]);
	skopeo->log = log[0];
	fcntl(skopeo->log, F_SETFL, O_NONBLOCK);
	if (skopeo->pid > 0 && read(refused[0], &errnum, sizeof(errnum)) != sizeof(errnum))
		errnum = 0;
	close(refused[0]);
	if (skopeo->pid < 0) {
		skopeo->pid = 0;
		return error_set(err, ERROR_HOST, errno, "fork");
	}
	skopeo->pidfd = pidfd_open(skopeo->pid, 0);
	if (!errnum && skopeo->pidfd >= 0)
		return 0;
	skopeo_stop(skopeo);
	return not_started(errnum, err);
}

void skopeo_listen(struct skopeo *skopeo)
{
	for (;;) {
		ssize_t n;

		/* The end is what counts. */
		if (skopeo->used > SKOPEO_LOG / 2) {
			size_t kept = SKOPEO_LOG / 4;

			memmove(skopeo->text, skopeo->text + skopeo->used - kept, kept);
			skopeo->used = kept;
		}
		n = read(skopeo->log, skopeo->text + skopeo->used, SKOPEO_LOG - skopeo->used);
		if (n <= 0)
			break;
		skopeo->used += (size_t)n;
	}
	skopeo->text[skopeo->used] = '\0';
}

void skopeo_stop(struct skopeo *skopeo)
{
	if (skopeo->pid > 0) {
		kill(skopeo->pid, SIGKILL);
		while (waitpid(skopeo->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	skopeo->pid = 0;
	cleanup_fd_fn(&skopeo->pidfd);
	cleanup_fd_fn(&skopeo->log);
	skopeo->pidfd = skopeo->log = -1;
}

int skopeo_finish(struct skopeo *skopeo, struct error *err)
{
	int status = 0;

	while (waitpid(skopeo->pid, &status, 0) < 0 && errno == EINTR)
		;
	skopeo->pid = 0;
	skopeo_listen(skopeo);
	skopeo_stop(skopeo);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return error_set(err, ERROR_HOST, 0, "skopeo was killed by signal %d", WTERMSIG(status));
	return refusal_explain(skopeo->text, skopeo->name, skopeo->host, err);
}

/* The options that its subcommands share. */
static void add_options(const struct skopeo *skopeo, bool copies, const char **words, size_t *n)
{
	const struct pull_options *options = skopeo->options;

	if (options->authfile) {
		words[(*n)++] = "--authfile";
		words[(*n)++] = options->authfile;
	}
	if (options->cert_dir) {
		words[(*n)++] = copies ? "--src-cert-dir" : "--cert-dir";
		words[(*n)++] = options->cert_dir;
	}
	if (options->no_tls_verify)
		words[(*n)++] = copies ? "--src-tls-verify=false" : "--tls-verify=false";
}

/* Reads its standard output to the end, and standard error meanwhile. */
static int read_answer(struct skopeo *skopeo, int out, char **text, size_t *size, struct error *err)
{
	cleanup_free char *answer = xcalloc(ANSWER_LIMIT + 1, 1);
	size_t used = 0;

	for (;;) {
		struct pollfd fds[] = {{.fd = out, .events = POLLIN}, {.fd = skopeo->log, .events = POLLIN}};
		ssize_t n;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return error_set(err, ERROR_HOST, errno, "poll");
		if (fds[1].revents & POLLIN)
			skopeo_listen(skopeo);
		if (!(fds[0].revents & (POLLIN | POLLHUP)))
			continue;
		n = read(out, answer + used, ANSWER_LIMIT - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	if (skopeo_finish(skopeo, err) < 0)
		return -1;
	if (used == ANSWER_LIMIT)
		return error_set(err, ERROR_IMAGE, 0, "its manifest or configuration is larger than 8 MiB");
	*text = xstrndup(answer, used);
	*size = used;
	return strlen(*text) == used ? 0 : error_set(err, ERROR_IMAGE, 0, "its manifest is no text");
}

int skopeo_inspect(struct skopeo *skopeo, const char *source, bool configuration, char **text, size_t *size,
	struct error *err)
{
	const char *words[WORDS] = {"skopeo", "inspect", "--raw"};
	size_t n = 3;
	int out[2];
	int result;

	if (configuration)
		words[n++] = "--config";
	add_options(skopeo, false, words, &n);
	words[n++] = "--";
	words[n] = source;
	*text = NULL;
	if (pipe2(out, O_CLOEXEC) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make a pipe");
	result = start(skopeo, (char *const *)words, out[1], err);
	close(out[1]);
	if (result == 0)
		result = read_answer(skopeo, out[0], text, size, err);
	close(out[0]);
	skopeo_stop(skopeo);
	return result;
}

int skopeo_copy(struct skopeo *skopeo, const char *source, const char *blobs, struct error *err)
{
	/* Layers as they are: what we check is the digest of the bytes that the registry has. */
	const char *words[WORDS] = {"skopeo", "copy", "--quiet", "--remove-signatures", "--retry-times", "1",
		"--dest-oci-accept-uncompressed-layers", "--dest-shared-blob-dir", blobs};
	size_t n = 9;

	add_options(skopeo, true, words, &n);
	words[n++] = "--";
	words[n++] = source;
	words[n] = "oci:copied:image";
	return start(skopeo, (char *const *)words, -1, err);
}
