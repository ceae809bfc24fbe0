/*
 * /etc/hosts, /etc/hostname and /etc/resolv.conf of a pod.
 *
 * The text of hosts is the kubelet's, to the letter (pkg/kubelet/kubelet_pods.go, managedHostsFileContent), but for
 * the pod's address: a pod has none here as long as its network is only a loopback, so its name is at 127.0.0.1.
 */
#include "namespaces/namespaces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"

#define HOST_FILE_MAX (256U << 10) /* bytes of the host's hosts or resolv.conf */

static const char managed[] = "# Kubernetes-managed hosts file.\n"
			      "127.0.0.1\tlocalhost\n"
			      "::1\tlocalhost ip6-localhost ip6-loopback\n"
			      "fe00::0\tip6-localnet\n"
			      "fe00::0\tip6-mcastprefix\n"
			      "fe00::1\tip6-allnodes\n"
			      "fe00::2\tip6-allrouters\n";
static const char managed_host_network[] = "# Kubernetes-managed hosts file (host network).\n";

/* The host's file, "" if it has none that can be read. */
static char *host_file(const char *path)
{
	struct error err = {0};
	char *text = NULL;

	if (file_read(path, HOST_FILE_MAX, ERROR_HOST, &text, NULL, &err) < 0)
		return xstrdup("");
	return text;
}

/* Whether all name servers in a resolv.conf are on the host's loopback, where a pod can't reach them. */
static bool asks_loopback_alone(const char *text)
{
	bool any = false;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!text_starts_with(line, "nameserver"))
			continue;
		line += strcspn(line, " \t\n");
		line += strspn(line, " \t");
		any = true;
		if (!text_starts_with(line, "127.") && !text_starts_with(line, "::1"))
			return false;
	}
	return any;
}

/* systemd-resolved keeps a second file with the servers that it asks itself; the kubelet is pointed there, too (--resolv-conf). */
static char *resolv_text(bool host_network)
{
	char *text = host_file("/etc/resolv.conf");
	char *behind;

	if (host_network || !asks_loopback_alone(text))
		return text;
	behind = host_file("/run/systemd/resolve/resolv.conf");
	if (!*behind) {
		free(behind);
		return text;
	}
	free(text);
	return behind;
}

static void print_aliases(FILE *out, const struct etc_alias *aliases, size_t n)
{
	if (n)
		fputs("\n# Entries added by HostAliases.\n", out);
	for (size_t i = 0; i < n; i++) {
		fputs(aliases[i].ip, out);
		for (char *const *name = aliases[i].hostnames; name && *name; name++)
			fprintf(out, "\t%s", *name);
		fputc('\n', out);
	}
}

static char *hosts_text(const char *hostname, bool host_network, const struct etc_alias *aliases, size_t n)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	if (host_network) {
		cleanup_free char *hosts = host_file("/etc/hosts");

		fputs(managed_host_network, out);
		fputs(hosts, out);
	} else {
		fputs(managed, out);
		fprintf(out, "127.0.0.1\t%s\n", hostname);
	}
	print_aliases(out, aliases, n);
	fclose(out);
	return text;
}

int etc_files_write(int podfd, const char *hostname, bool host_network, const struct etc_alias *aliases,
	size_t n, struct error *err)
{
	cleanup_free char *hosts = hosts_text(hostname, host_network, aliases, n);
	cleanup_free char *name = xasprintf("%s\n", hostname);
	cleanup_free char *resolv = resolv_text(host_network);

	if (file_replace(podfd, "hosts", 0644, hosts, strlen(hosts), err) < 0 ||
		file_replace(podfd, "hostname", 0644, name, strlen(name), err) < 0 ||
		file_replace(podfd, "resolv.conf", 0644, resolv, strlen(resolv), err) < 0)
		return -1;
	return 0;
}
