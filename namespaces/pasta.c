/*
 * The ports of a pod that are published on the host, by pasta(1).
 *
 * Theory of operation
 *
 * pasta makes an interface in the pod's network namespace and carries what comes to the published ports, and nothing else, into
 * it; what the pod sends out goes out as by a process of the host. No port of the host's loopback can be reached from the pod.
 *
 * It must end with the supervisor, whatever ends that. PR_SET_PDEATHSIG alone doesn't do, since pasta changes its credentials,
 * which clears it. So a process of ours stays between them, the *keeper*: pid 1 of a pid namespace in which pasta is the other
 * process. The keeper dies with the supervisor, and the kernel ends pasta with it. That pasta is ready it tells by its pid
 * file, which is a pipe; that it failed, by the end of that. The keeper reads it, closes the host's loopback to the pod (tap.c), and
 * passes it on.
 */
#include "namespaces/namespaces.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "namespaces/sandbox.h"
#include "namespaces/tap.h"

#define READY_MS  10000 /* how long pasta may take */
#define WORDS_MAX 4096 /* bytes of what it says that are looked at */
#define EXIT_NO   127 /* of the keeper: there is no such program */
#define EXIT_OPEN 126 /* the host's loopback can't be closed to the pod */
#define ANYWHERE  "0.0.0.0"
#define POD       "10.254.0.2"
#define GATEWAY   "10.254.0.1"
#define MAC       "9a:55:9a:55:9a:55"

/* ---- whether the ports are free ---- */

static int bind_port(const struct published_port *port)
{
	const char *address = port->address ? port->address : ANYWHERE;
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port->host)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port->host)};
	bool six = inet_pton(AF_INET, address, &v4.sin_addr) != 1;
	const int on = 1;
	cleanup_fd int fd =
		socket(six ? AF_INET6 : AF_INET, (port->udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);

	if (fd < 0 || (six && inet_pton(AF_INET6, address, &v6.sin6_addr) != 1))
		return -1;
	/* What a server left behind that has ended doesn't count, one that listens does. */
	if (!port->udp)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (six)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, six ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4, six ? sizeof(v6) : sizeof(v4)) <
		0)
		return -1;
	/* Two of the pod's own that are in each other's way shall be found as well. */
	if (!port->udp && listen(fd, 1) < 0)
		return -1;
	return steal_fd(&fd);
}

static int explain_port(const struct published_port *port, int errnum, struct error *err)
{
	error_set(err, ERROR_HOST, errnum, "%s: port %u/%s can't be published on %s", port->path, port->host,
		port->udp ? "UDP" : "TCP", port->address ? port->address : "this machine");
	if (errnum == EADDRINUSE)
		return error_hint(err, "`ss -lnp%c sport = :%u` shows who has it; or choose another hostPort",
			port->udp ? 'u' : 't', port->host);
	if (errnum == EACCES || errnum == EPERM)
		return error_hint(err,
			"ports below sysctl net.ipv4.ip_unprivileged_port_start are root's; or choose a "
			"hostPort from 1024 on");
	if (errnum == EADDRNOTAVAIL)
		return error_hint(err, "hostIP is to be an address of this machine: `ip address`");
	return -1;
}

/* pasta would only say which of its options failed. Who takes a port between this and its start makes it fail all the same. */
static int check_ports(const struct published_port *ports, size_t n, struct error *err)
{
	int *fds = xcalloc(n, sizeof(*fds));
	size_t bound = 0;
	int result = 0;

	for (; bound < n && result == 0; bound++) {
		fds[bound] = bind_port(&ports[bound]);
		if (fds[bound] < 0)
			result = explain_port(&ports[bound], errno, err);
	}
	for (size_t i = 0; i < bound; i++)
		cleanup_fd_fn(&fds[i]);
	free(fds);
	return result;
}

/* ---- its command line ---- */

/* Without one pasta finds no interface to take after. */
static bool has_default_route(void)
{
	FILE *file = fopen("/proc/net/route", "re");
	char line[256];
	bool found = false;

	/* Iface Destination Gateway Flags RefCnt Use Metric Mask: proc(5) has the order, the numbers are hexadecimal. */
	while (file && !found && fgets(line, sizeof(line), file)) {
		char *rest = line;
		const char *fields[8] = {NULL};

		for (size_t i = 0; i < array_length(fields); i++)
			fields[i] = strsep(&rest, "\t");
		found = fields[7] && !strcmp(fields[1], "00000000") && !strncmp(fields[7], "00000000", 8);
	}
	if (file)
		fclose(file);
	return found;
}

static void push(struct strv *words, const char *word)
{
	strv_push(words, xstrdup(word));
}

static void push_ports(struct strv *words, const struct published_port *ports, size_t n, bool udp)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		const struct published_port *port = &ports[i];

		if (port->udp != udp)
			continue;
		push(words, udp ? "-u" : "-t");
		strv_push(words, xasprintf("%s/%u:%u", port->address ? port->address : ANYWHERE, port->host,
					 port->container));
		any = true;
	}
	if (!any) {
		push(words, udp ? "-u" : "-t");
		push(words, "none");
	}
}

static char **make_words(const struct published_port *ports, size_t n, bool routed)
{
	static const char *const always[] = {"pasta", "--foreground", "--stderr", "--netns",
		"/proc/self/fd/0", "--no-netns-quit", "--pid", "/dev/stdout", "--config-net", "--no-map-gw",
		"-I", "eth0", "-a", POD, "-n", "24", "-g", GATEWAY, "-T", "none", "-U", "none"};
	static const char *const unrouted[] = {"-i", "lo", "-M", MAC};
	struct strv words = {0};
	bool six = false;

	for (size_t i = 0; i < array_length(always); i++)
		push(&words, always[i]);
	for (size_t i = 0; !routed && i < array_length(unrouted); i++)
		push(&words, unrouted[i]);
	for (size_t i = 0; i < n; i++)
		six = six || (ports[i].address && strchr(ports[i].address, ':'));
	/* Else "localhost" would first be tried by IPv6, where a pod's server seldom listens. */
	if (!six)
		push(&words, "--ipv4-only");
	/* As root it becomes nobody, whom this namespace isn't open to; its own sandbox leaves it little either way. */
	if (!userns_inside()) {
		push(&words, "--runas");
		push(&words, "0");
	}
	push_ports(&words, ports, n, false);
	push_ports(&words, ports, n, true);
	return words.items;
}

/* ---- its start ---- */

static void __attribute__((noreturn)) become_pasta(char **words, const int stdio[3])
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* It ignores this itself, for nobody reads what it says once it runs, and won't start where that has been done before. */
	signal(SIGPIPE, SIG_DFL);
	for (int i = 0; i < 3; i++)
		if (dup2(stdio[i], i) < 0)
			_exit(1);
	fd_close_others((const int[]){0, 1, 2}, 3);
	execvp(words[0], words);
	_exit(errno == ENOENT ? EXIT_NO : 1);
}

/* When pasta has its interface, what the pod may send to it is limited; then it is told that it is ready. */
static void pass_on(pid_t pasta, int from, int to)
{
	char byte;

	if (read(from, &byte, 1) != 1)
		return;
	if (tap_confine(pasta) < 0)
		_exit(EXIT_OPEN);
	write(to, &byte, 1);
}

static void __attribute__((noreturn)) keeper(char **words, const int stdio[3], int supervisor)
{
	struct pollfd gone = {.fd = supervisor, .events = POLLIN};
	int ready[2], status = 0;
	pid_t pid, ended;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "minirun-pasta");
	if (poll(&gone, 1, 0) != 0)
		_exit(1);
	/* Ctrl-C is for the supervisor. */
	setsid();
	if (pipe2(ready, O_CLOEXEC) < 0)
		_exit(1);
	pid = fork();
	if (pid == 0)
		become_pasta(words, (const int[]){stdio[0], ready[1], stdio[2]});
	fd_close_others((const int[]){ready[0], stdio[1]}, 2);
	pass_on(pid, ready[0], stdio[1]);
	fd_close_others(NULL, 0);
	do
		ended = waitpid(-1, &status, 0);
	while (ended != pid && (ended > 0 || errno == EINTR));
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* What it said last that tells something, within its words. */
static const char *last_line(char *words)
{
	static const char *const noise[] = {"Failed to send ", "Don't run as root", "Template interface"};
	const char *last = "";

	for (char *line = strsep(&words, "\n"); line; line = strsep(&words, "\n")) {
		bool tells = *line && *line != ' ';

		for (size_t i = 0; i < array_length(noise); i++)
			tells = tells && !text_starts_with(line, noise[i]);
		if (tells)
			last = line;
	}
	return last;
}

static int explain_failure(char *words, int status, struct error *err)
{
	const char *line = last_line(words);

	error_check(err, "pasta");
	if (status == EXIT_NO) {
		error_set(err, ERROR_HOST, 0, "pasta, which publishes ports (hostPort), is not installed");
		return error_hint(err, "apt-get install passt; without it: minirun port-forward");
	}
	if (status == EXIT_OPEN) {
		error_set(err, ERROR_HOST, 0,
			"pasta publishes no port: the host's loopback can't be closed to the pod");
		return error_hint(err,
			"minirun must be allowed pidfd_getfd(2) and TUNATTACHFILTER on pasta's "
			"interface; without it: minirun port-forward");
	}
	error_set(err, ERROR_HOST, 0, "pasta can't publish the pod's ports: %s",
		*line ? line : "it ended without a word");
	if (strstr(line, "tun"))
		return error_hint(err, "it needs /dev/net/tun: modprobe tun; chmod 0666 /dev/net/tun");
	if (strstr(line, "bind"))
		return error_hint(err, "somebody has just taken that port");
	return error_hint(err, "`minirun port-forward` reaches a port without pasta");
}

static int64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until it is ready, has failed, or takes too long. Returns whether it is ready; words has what it said. */
static bool await_ready(int ready, int errors, char *words, size_t size)
{
	const int64_t end = milliseconds() + READY_MS;
	size_t used = 0;
	bool listening = true;
	int64_t left;

	while ((left = end - milliseconds()) > 0) {
		struct pollfd fds[] = {
			{.fd = ready, .events = POLLIN}, {.fd = listening ? errors : -1, .events = POLLIN}};
		char byte;

		if (poll(fds, array_length(fds), (int)left) < 0 && errno != EINTR)
			return false;
		if (fds[1].revents) {
			ssize_t n = read(errors, words + used, size - 1 - used);
			used += n > 0 ? (size_t)n : 0;
			words[used] = '\0';
			listening = n > 0 && used < size - 1;
		} else if (fds[0].revents) {
			return read(ready, &byte, 1) == 1;
		}
	}
	snprintf(words, size, "it was not ready after %d s", READY_MS / 1000);
	return false;
}

void network_unpublish(int *pidfd)
{
	siginfo_t info;

	if (*pidfd < 0)
		return;
	pidfd_send_signal(*pidfd, SIGKILL, NULL, 0);
	waitid((idtype_t)P_PIDFD, (id_t)*pidfd, &info, WEXITED);
	close(steal_fd(pidfd));
}

static int start(char **words, int netns, int *pidfd, struct error *err)
{
	cleanup_fd int supervisor = pidfd_open(getpid(), 0);
	char said[WORDS_MAX] = "";
	int ready[2], errors[2];
	siginfo_t info = {0};
	pid_t pid;
	bool is_ready;

	if (supervisor < 0 || pipe2(ready, O_CLOEXEC) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make a pipe");
	if (pipe2(errors, O_CLOEXEC) < 0) {
		close(ready[0]);
		close(ready[1]);
		return error_set(err, ERROR_HOST, errno, "cannot make a pipe");
	}
	pid = clone_process(CLONE_NEWPID, -1, pidfd, err);
	if (pid == 0)
		keeper(words, (const int[]){netns, ready[1], errors[1]}, supervisor);
	close(ready[1]);
	close(errors[1]);
	is_ready = pid > 0 && await_ready(ready[0], errors[0], said, sizeof(said));
	close(ready[0]);
	close(errors[0]);
	if (is_ready)
		return 0;
	if (pid < 0)
		return -1;
	/* The keeper tells by its end why; one that hangs doesn't. */
	if (!strstr(said, "not ready after"))
		waitid((idtype_t)P_PIDFD, (id_t)*pidfd, &info, WEXITED | WNOWAIT);
	network_unpublish(pidfd);
	return explain_failure(said, info.si_status, err);
}

int network_publish(const struct sandbox *sandbox, const struct published_port *ports, size_t n,
	bool *local_only, int *pidfd, struct error *err)
{
	cleanup_strv char **words = NULL;
	cleanup_fd int netns = -1;
	char path[64];

	*pidfd = -1;
	if (check_ports(ports, n, err) < 0)
		return -1;
	*local_only = !has_default_route();
	words = make_words(ports, n, !*local_only);
	/* As a descriptor: pasta gives up the rights that opening it by the sandbox's number takes. */
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)process_of_pidfd(-1, sandbox->pidfd));
	netns = open(path, O_RDONLY | O_CLOEXEC);
	if (netns < 0)
		return error_set(err, ERROR_HOST, errno, "cannot open the pod's network");
	return start(words, netns, pidfd, err);
}
