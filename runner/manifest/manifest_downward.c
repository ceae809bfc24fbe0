/*
 * What a manifest says of the pod itself: fieldRef and resourceFieldRef.
 *
 * After validateObjectFieldSelector and validateContainerResourceFieldSelector of pkg/apis/core/validation,
 * ConvertDownwardAPIFieldLabel of pkg/apis/core/pods, pkg/fieldpath, and ExtractContainerResourceValue of
 * pkg/api/v1/resource.
 */
#include "runner/manifest/manifest_parts.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/manifest/names.h"
#include "runner/manifest/quantity.h"

enum field_place {
	IN_ENV = 1,
	IN_VOLUME = 2,
};

/* Sorted, as the API server lists them. A path that fits in neither place is known to it all the same. */
static const struct {
	const char *path;
	unsigned int places;
} paths[] = {
	{"metadata.annotations", IN_VOLUME},
	{"metadata.labels", IN_VOLUME},
	{"metadata.name", IN_ENV | IN_VOLUME},
	{"metadata.namespace", IN_ENV | IN_VOLUME},
	{"metadata.uid", IN_ENV | IN_VOLUME},
	{"spec.nodeName", IN_ENV},
	{"spec.restartPolicy", 0},
	{"spec.schedulerName", 0},
	{"spec.serviceAccountName", IN_ENV},
	{"status.hostIP", IN_ENV},
	{"status.hostIPs", IN_ENV},
	{"status.phase", 0},
	{"status.podIP", IN_ENV},
	{"status.podIPs", IN_ENV},
};

/* A string as Go's %q has it. Beyond ASCII only what is no letter for sure is escaped. */
static void quote(const char *text, FILE *out)
{
	static const char names[] = "abtnvfr"; /* from \a, 7, on */

	putc('"', out);
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else if (*p >= 7 && *p <= 13)
			fprintf(out, "\\%c", names[*p - 7]);
		else if (*p < 0x20 || *p == 0x7f)
			fprintf(out, "\\x%02x", *p);
		else if (*p == 0xc2 && (p[1] <= 0xa0 || p[1] == 0xad))
			fprintf(out, "\\u00%02x", *++p);
		else
			putc(*p, out);
	}
	putc('"', out);
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(((const struct string_pair *)a)->key, ((const struct string_pair *)b)->key);
}

/* FormatMap of pkg/fieldpath: sorted lines, the last without its end. */
static char *format_map(const struct string_map *map)
{
	cleanup_free struct string_pair *sorted = xcalloc(map->n, sizeof(*sorted));
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return xstrdup("");
	if (map->n) {
		memcpy(sorted, map->items, map->n * sizeof(*sorted));
		qsort(sorted, map->n, sizeof(*sorted), compare_keys);
	}
	for (size_t i = 0; i < map->n; i++) {
		fprintf(out, "%s%s=", i ? "\n" : "", sorted[i].key);
		quote(sorted[i].value, out);
	}
	fclose(out);
	return text;
}

/* The machine's first address of a family that others can reach, as text; false if there is none. */
static bool find_address(int family, char text[INET6_ADDRSTRLEN])
{
	struct ifaddrs *list = NULL;
	bool found = false;

	if (getifaddrs(&list) < 0)
		return false;
	for (const struct ifaddrs *at = list; at && !found; at = at->ifa_next) {
		const struct sockaddr_in *v4 = (const void *)at->ifa_addr;
		const struct sockaddr_in6 *v6 = (const void *)at->ifa_addr;

		if (!at->ifa_addr || at->ifa_addr->sa_family != family || at->ifa_flags & IFF_LOOPBACK ||
			!(at->ifa_flags & IFF_UP) ||
			(family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)))
			continue;
		found = inet_ntop(family, family == AF_INET ? (const void *)&v4->sin_addr : &v6->sin6_addr,
			text, INET6_ADDRSTRLEN);
	}
	freeifaddrs(list);
	return found;
}

/* status.hostIP, or all of them with commas between. A machine without a network has its loopback. */
static char *host_addresses(bool all)
{
	char v4[INET6_ADDRSTRLEN] = "", v6[INET6_ADDRSTRLEN] = "";
	bool has_v4 = find_address(AF_INET, v4), has_v6 = find_address(AF_INET6, v6);

	if (has_v4 && has_v6 && all)
		return xasprintf("%s,%s", v4, v6);
	return xstrdup(has_v4 ? v4 : has_v6 ? v6 : "127.0.0.1");
}

static char *field_value(const char *path, const struct pod *pod)
{
	if (!strcmp(path, "metadata.annotations"))
		return format_map(&pod->annotations);
	if (!strcmp(path, "metadata.labels"))
		return format_map(&pod->labels);
	if (!strcmp(path, "metadata.name"))
		return xstrdup(pod->name);
	if (!strcmp(path, "metadata.namespace"))
		return xstrdup(pod->namespace);
	if (!strcmp(path, "metadata.uid"))
		return xstrdup(pod->uid);
	if (!strcmp(path, "spec.serviceAccountName"))
		return xstrdup(pod->service_account);
	if (!strcmp(path, "spec.nodeName")) {
		char host[HOST_NAME_MAX + 1] = "";

		gethostname(host, sizeof(host) - 1);
		return xstrdup(host);
	}
	if (text_starts_with(path, "status.podIP") && !pod->host_network)
		return xstrdup("127.0.0.1"); /* the only one that its network has */
	return host_addresses(text_ends_with(path, "s"));
}

/* metadata.labels['KEY']: the value of KEY, "" if there is none. */
static char *subscript_value(const struct cursor *at, const char *path, const struct pod *pod)
{
	const char *bracket = strstr(path, "['");
	size_t n = (size_t)(bracket - path);
	cleanup_free char *key = xstrndup(bracket + 2, strlen(bracket + 2) - 2);
	bool labels = n == strlen("metadata.labels") && !strncmp(path, "metadata.labels", n);
	const char *value;

	if (!labels &&
		(n != strlen("metadata.annotations") || strncmp(path, "metadata.annotations", n) != 0)) {
		cursor_invalid(
			at, "error converting fieldPath: field label does not support subscript: %s", path);
		return NULL;
	}
	if (!names_check_label_key(at, key))
		return NULL;
	value = string_map_get(labels ? &pod->labels : &pod->annotations, key);
	return xstrdup(value ? value : "");
}

static void report_path(const struct cursor *at, const char *path, unsigned int place, bool known)
{
	struct choice choices[array_length(paths)];
	const char *words[array_length(paths)], *nearest;
	cleanup_free char *hint = NULL, *shown = cursor_value(at);
	size_t n = 0;

	for (size_t i = 0; i < array_length(paths); i++) {
		if (!(paths[i].places & place))
			continue;
		words[n] = paths[i].path;
		choices[n++] = (struct choice){paths[i].path, 0};
	}
	if (known) {
		cursor_unsupported(at, choices, n);
		return;
	}
	nearest = text_nearest(path, words, n);
	if (nearest)
		hint = xasprintf("did you mean \"%s\"?", nearest);
	cursor_add(at, SEVERITY_ERROR, hint,
		"Invalid value: %s: error converting fieldPath: field label not supported: %.*s", shown,
		(int)strlen(shown) - 2, shown + 1);
}

char *downward_field(const struct cursor *ref, bool volume, const struct pod *pod)
{
	struct cursor version = cursor_get(ref, "apiVersion"), at = cursor_get(ref, "fieldPath");
	const char *path = cursor_string(&at), *api = cursor_string(&version), *bracket;
	unsigned int place = volume ? IN_VOLUME : IN_ENV;

	if (!at.node || (path && !*path))
		cursor_required(&at, NULL);
	if (!path || !*path)
		return NULL;
	if (api && *api && strcmp(api, "v1") != 0) {
		cleanup_free char *shown = cursor_value(&version);

		cursor_invalid(&at, "error converting fieldPath: unsupported pod version: %.*s",
			(int)strlen(shown) - 2, shown + 1);
		return NULL;
	}
	bracket = strstr(path, "['");
	if (bracket && bracket > path && strlen(bracket) >= 4 && text_ends_with(path, "']"))
		return subscript_value(&at, path, pod);
	for (size_t i = 0; i < array_length(paths); i++) {
		if (strcmp(paths[i].path, path) != 0)
			continue;
		if (paths[i].places & place)
			return field_value(path, pod);
		report_path(&at, path, place, true);
		return NULL;
	}
	report_path(&at, path, place, false);
	return NULL;
}

/* The container of that name, also among the init containers. */
static struct cursor find_container(const struct cursor *init, const struct cursor *main, const char *name)
{
	const struct cursor *lists[] = {main, init};

	for (size_t i = 0; i < array_length(lists); i++)
		for (size_t j = 0; j < cursor_items(lists[i]); j++) {
			struct cursor item = cursor_item(lists[i], j), at = cursor_get(&item, "name");
			const char *text = cursor_string(&at);

			if (text && !strcmp(text, name))
				return item;
		}
	return (struct cursor){.parent = NULL};
}

/* What the machine has, where a container has no limit. */
static int64_t capacity(size_t kind)
{
	struct statvfs fs;

	if (kind == 0)
		return sysconf(_SC_NPROCESSORS_ONLN) * 1000;
	if (kind == 1)
		return (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
	return statvfs("/", &fs) == 0 ? (int64_t)(fs.f_blocks * fs.f_frsize) : 0;
}

static const char *const kinds[] = {"cpu", "memory", "ephemeral-storage"}; /* as union requirements */

/* "limits.cpu": its kind; array_length(kinds), and a finding, if it is none of them. */
static size_t read_resource(const struct cursor *at, bool *is_limit)
{
	static const struct choice resources[] = {{"limits.cpu", 0}, {"limits.ephemeral-storage", 0},
		{"limits.memory", 0}, {"requests.cpu", 0}, {"requests.ephemeral-storage", 0},
		{"requests.memory", 0}};
	const char *text = cursor_string(at), *kind;

	*is_limit = text && text_starts_with(text, "limits.");
	kind = *is_limit                                     ? text + strlen("limits.")
	       : text && text_starts_with(text, "requests.") ? text + strlen("requests.")
							     : "";
	for (size_t i = 0; i < array_length(kinds); i++)
		if (!strcmp(kind, kinds[i]))
			return i;
	if (!at->node || (text && !*text))
		cursor_required(at, NULL);
	else if (text_starts_with(kind, "hugepages-"))
		cursor_add(at, SEVERITY_ERROR, NULL, "known, not supported here: no huge pages are reserved");
	else if (text)
		cursor_unsupported(at, resources, array_length(resources));
	return array_length(kinds);
}

/* The divisor, in thousandths for cpu; 0, and a finding, if Kubernetes takes no such one. */
static uint64_t read_divisor(const struct cursor *ref, size_t kind)
{
	static const char *const sizes[] = {
		"1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"};
	static const char *const words[] = {"cpu", "memory", "local ephemeral storage"};
	struct cursor at = cursor_get(ref, "divisor"), resource = cursor_get(ref, "resource");
	const char *text = at.node ? at.node->text : NULL, *wrong;
	uint64_t value = 0, size;
	bool negative = false, ignored;

	if (!text || at.node->kind == NODE_BOOL)
		return kind ? 1 : 1000;
	wrong = kind ? quantity_parse(text, &negative, &value)
		     : quantity_parse_milli(text, &negative, &value);
	if (wrong) {
		cursor_invalid(&at, "%s", wrong);
		return 0;
	}
	if (value == 0)
		return kind ? 1 : 1000;
	if (!negative && !kind && (value == 1 || value == 1000))
		return value;
	for (size_t i = 0; !negative && kind && i < array_length(sizes); i++)
		if (!quantity_parse(sizes[i], &ignored, &size) && size == value &&
			!strchr(sizes[i], 'i') == !strchr(text, 'i'))
			return value;
	cursor_add(&at, SEVERITY_ERROR, NULL,
		"Invalid value: \"%s\": only divisor's values %s are supported with the %s resource",
		cursor_string(&resource),
		kind ? "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei" : "1m and 1", words[kind]);
	return 0;
}

char *downward_resource(const struct cursor *ref, const struct cursor *spec, const struct cursor *container)
{
	struct cursor name = cursor_get(ref, "containerName"), resource = cursor_get(ref, "resource");
	struct cursor init = cursor_get(spec, "initContainers"), main = cursor_get(spec, "containers"), named;
	const char *text = cursor_string(&name);
	union requirements requirements = {0};
	const struct requirement *requirement;
	struct findings ignored;
	uint64_t divisor, value;
	bool is_limit;
	size_t kind;

	if (!container && (!name.node || (text && !*text))) {
		cursor_required(&name, NULL);
		return NULL;
	}
	kind = read_resource(&resource, &is_limit);
	divisor = kind < array_length(kinds) ? read_divisor(ref, kind) : 0;
	if (text && *text) {
		named = find_container(&init, &main, text);
		if (!named.node)
			cursor_not_found(&name, NULL);
		container = named.node ? &named : NULL;
	}
	if (!container || !divisor)
		return NULL;
	/* What is wrong with them is told where they are read for the container. */
	findings_init(&ignored, "");
	named = *container;
	named.findings = &ignored;
	manifest_resources(&named, &requirements);
	findings_free(&ignored);
	requirement = &requirements.all[kind];
	value = (uint64_t)(is_limit ? requirement->limit.value : requirement->request.value);
	if (is_limit && !value)
		value = (uint64_t)capacity(kind);
	value = value / divisor + (value % divisor != 0);
	return xasprintf("%" PRIu64, value);
}
