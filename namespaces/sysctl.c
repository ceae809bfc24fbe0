/*
 * Sysctls of a pod.
 *
 * /proc/sys/net and the ipc part of /proc/sys/kernel show each process the values of its own namespaces, so the
 * sandbox can write through the host's procfs what concerns the pod alone. Which names those are is Kubernetes'
 * list (pkg/kubelet/sysctl/namespace.go).
 */
#include "namespaces/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"

/* "net.ipv4.conf.eth0/1.x" or "net/ipv4/conf/eth0.1/x" as a path: sysctl.d(5), the first separator decides. */
static char *sysctl_path(const char *name)
{
	char *path = xstrdup(name);
	size_t first = strcspn(path, "./");

	if (path[first] != '.')
		return path;
	for (char *p = path; *p; p++) {
		if (*p == '.')
			*p = '/';
		else if (*p == '/')
			*p = '.';
	}
	return path;
}

/* Which of the pod's namespaces a sysctl belongs to, 0 if to none. */
enum domain {
	DOMAIN_NONE,
	DOMAIN_NETWORK,
	DOMAIN_IPC,
	DOMAIN_UTS,
};

static const struct {
	const char *prefix;
	bool whole; /* the name must be this */
	enum domain domain;
} domains[] = {
	{"net/", false, DOMAIN_NETWORK},
	{"fs/mqueue/", false, DOMAIN_IPC},
	{"kernel/shm", false, DOMAIN_IPC},
	{"kernel/msg", false, DOMAIN_IPC},
	{"kernel/sem", true, DOMAIN_IPC},
	{"kernel/domainname", true, DOMAIN_UTS},
};

static enum domain domain_of(const char *path)
{
	for (size_t i = 0; i < array_length(domains); i++) {
		if (domains[i].whole ? !strcmp(path, domains[i].prefix)
				     : text_starts_with(path, domains[i].prefix))
			return domains[i].domain;
	}
	return DOMAIN_NONE;
}

static int write_as_we_are(int sysfd, const char *path, const char *value)
{
	cleanup_fd int fd = openat(sysfd, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 ? fd_write_all(fd, value, strlen(value)) : -1;
}

/* Those of an ipc namespace are, since Linux 6.10, for the root of its user namespace to write, and for nobody above. */
static int write_sysctl(int sysfd, const struct sandbox_spec *spec, const char *path, const char *value)
{
	int result = write_as_we_are(sysfd, path, value);

	if (result == 0 || !spec->users || (errno != EACCES && errno != EPERM))
		return result;
	if (seteuid(spec->users->first) < 0)
		return -1;
	result = write_as_we_are(sysfd, path, value);
	return seteuid(0) < 0 ? -1 : result;
}

static int check(const struct sandbox_spec *spec, const char *name, const char *path, struct error *err)
{
	enum domain domain = domain_of(path);
	bool dots = strstr(path, "..") || strstr(path, "//") || path[0] == '/';

	if (domain == DOMAIN_NONE || dots) {
		error_set(err, ERROR_MANIFEST, 0,
			"sysctl %s is not namespaced: it would be set for the whole host", name);
		return error_hint(
			err, "a pod can set net.*, kernel.shm*, kernel.msg*, kernel.sem and fs.mqueue.*");
	}
	if (domain == DOMAIN_IPC ? spec->host_ipc : spec->host_network) {
		error_set(err, ERROR_MANIFEST, 0,
			"sysctl %s is not allowed: the pod has the host's %s namespace", name,
			domain == DOMAIN_IPC ? "ipc" : "network");
		return error_hint(err, "unset %s, or set it on the host",
			domain == DOMAIN_IPC ? "hostIPC" : "hostNetwork");
	}
	return 0;
}

static int apply_one(
	int sysfd, const struct sandbox_spec *spec, const struct sysctl *sysctl, struct error *err)
{
	cleanup_free char *path = sysctl_path(sysctl->name);

	if (check(spec, sysctl->name, path, err) < 0)
		return -1;
	if (write_sysctl(sysfd, spec, path, sysctl->value) == 0)
		return 0;
	error_set(err, ERROR_MANIFEST, errno, "cannot set sysctl %s to \"%s\"", sysctl->name, sysctl->value);
	if (errno == ENOENT)
		error_hint(err, "this kernel has no such sysctl, or not in a pod's namespace");
	else if ((errno == EACCES || errno == EPERM) && userns_inside())
		error_hint(err, "the kernel doesn't let an ordinary user set this one: run as root");
	return -1;
}

static void apply_defaults(int sysfd, const struct sandbox_spec *spec)
{
	char range[64];

	if (spec->host_network)
		return;
	write_sysctl(sysfd, spec, "net/ipv4/ip_unprivileged_port_start", "0");
	/* Both ends must have a meaning in the user namespace; without a range of ids only the first has. */
	if (spec->users)
		snprintf(range, sizeof(range), "%u %u", spec->users->first, spec->users->first + POD_IDS - 1);
	else
		snprintf(range, sizeof(range), "0 %d",
			userns_maps_gid(2147483647) ? 2147483647
			: userns_maps_gid(65535)    ? 65535
						    : 0);
	write_sysctl(sysfd, spec, "net/ipv4/ping_group_range", range);
}

int sysctl_apply(const struct sandbox_spec *spec, struct error *err)
{
	cleanup_fd int sysfd = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct statfs fs;

	if (sysfd >= 0 && (fstatfs(sysfd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)) {
		close(steal_fd(&sysfd));
		errno = ENOENT;
	}
	if (sysfd < 0) {
		if (!spec->n_sysctls)
			return 0;
		return error_set(err, ERROR_HOST, errno, "cannot open /proc/sys");
	}
	apply_defaults(sysfd, spec);
	for (size_t i = 0; i < spec->n_sysctls; i++) {
		if (apply_one(sysfd, spec, &spec->sysctls[i], err) < 0)
			return -1;
	}
	return 0;
}
