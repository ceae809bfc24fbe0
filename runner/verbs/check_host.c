/* Trials of the machine as a whole: its kernel and configuration, the store's place, a container around us. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "images/images.h"
#include "namespaces/namespaces.h"
#include "runner/verbs/check.h"

#define CONFIGURATION_MAX (4U << 20) /* bytes, unpacked */
#define ENVIRONMENT_MAX   (1U << 20)
#define SPACE_MIN         (512ULL << 20) /* bytes: less than this is less than an image */
#define FIRST_PID_NS      "pid:[4026531836]" /* PROC_PID_INIT_INO */

void trial_linux(const struct trial_place *place, struct trial *trial)
{
	struct utsname name;
	long major, minor;
	char *rest;

	(void)place;
	uname(&name);
	major = strtol(name.release, &rest, 10);
	minor = *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;
	trial_set(trial, major > 6 || (major == 6 && minor >= 1) ? TRIAL_OK : TRIAL_LIMITED, "%s, %s",
		name.release, name.machine);
}

/* ---- configuration ---- */

static const struct {
	const char *name; /* without CONFIG_ */
	bool needed;
} options[] = {
	{"SECCOMP", true},
	{"SECCOMP_FILTER", true},
	{"NAMESPACES", true},
	{"USER_NS", false},
	{"PID_NS", true},
	{"NET_NS", true},
	{"IPC_NS", true},
	{"UTS_NS", true},
	{"OVERLAY_FS", true},
	{"TMPFS", true},
	{"SECURITY_APPARMOR", false},
	{"CGROUPS", false},
	{"MEMCG", false},
	{"CGROUP_PIDS", false},
	{"CFS_BANDWIDTH", false},
};

/* Reads a file, unpacking it if it is compressed, with a newline before its first line; NULL if it can't be read. */
static char *read_plain(const char *path)
{
	gzFile file = gzopen(path, "rbe");
	cleanup_free char *text = NULL;
	int n;

	if (!file)
		return NULL;
	text = xcalloc(CONFIGURATION_MAX + 2, 1);
	text[0] = '\n';
	n = gzread(file, text + 1, CONFIGURATION_MAX);
	gzclose(file);
	return n > 0 ? steal_pointer(&text) : NULL;
}

/* 'y', 'm' or 0. */
static int option_value(const char *text, const char *name)
{
	cleanup_free char *line = xasprintf("\nCONFIG_%s=", name);
	const char *found = strstr(text, line);

	return found ? found[strlen(line)] : 0;
}

static void judge_configuration(const char *path, const char *text, struct trial *trial)
{
	enum trial_state state = TRIAL_OK;
	char lack[256] = "";

	for (size_t i = 0; i < array_length(options); i++) {
		if (option_value(text, options[i].name))
			continue;
		if (options[i].needed)
			state = TRIAL_MISSING;
		else if (state == TRIAL_OK)
			state = TRIAL_LIMITED;
		snprintf(lack + strlen(lack), sizeof(lack) - strlen(lack), "%s%s", *lack ? ", " : "",
			options[i].name);
	}
	if (*lack)
		trial_set(trial, state, "without CONFIG_%s (%s)", lack, path);
	else
		trial_set(trial, state, "SECCOMP_FILTER=%c and the like (%s)",
			option_value(text, "SECCOMP_FILTER"), path);
}

void trial_configuration(const struct trial_place *place, struct trial *trial)
{
	struct utsname name;
	char boot[160], modules[160];
	const char *const paths[] = {"/proc/config.gz", boot, modules};

	(void)place;
	uname(&name);
	snprintf(boot, sizeof(boot), "/boot/config-%s", name.release);
	snprintf(modules, sizeof(modules), "/lib/modules/%s/config", name.release);
	for (size_t i = 0; i < array_length(paths); i++) {
		cleanup_free char *text = read_plain(paths[i]);

		if (text) {
			judge_configuration(paths[i], text, trial);
			return;
		}
	}
	trial_set(trial, TRIAL_LIMITED, "neither /proc/config.gz nor %s can be read", boot);
	trial_mend(trial, "modprobe configs, where the kernel has it as a module");
}

/* ---- the store ---- */

static void count_images(const struct store *store, char *text, size_t size)
{
	struct error ignored;
	struct image *images = NULL;
	size_t n = 0;

	if (store->fd < 0) {
		snprintf(text, size, "made when first used");
		return;
	}
	if (image_list(store, &images, &n, &ignored) < 0)
		n = 0;
	for (size_t i = 0; i < n; i++)
		image_free(&images[i]);
	free(images);
	snprintf(text, size, "%zu image%s", n, n == 1 ? "" : "s");
}

void trial_store(const struct trial_place *place, struct trial *trial)
{
	struct error err = {0};
	struct store store;
	struct statvfs fs;
	char images[64], space[32];

	if (store_look(&store, place->store, &err) < 0) {
		trial_fail(trial, TRIAL_MISSING, &err);
		return;
	}
	count_images(&store, images, sizeof(images));
	store_close(&store);
	if (place->scratch < 0) {
		trial_fail(trial, TRIAL_MISSING, place->scratch_error);
		return;
	}
	if (fstatvfs(place->scratch, &fs) < 0)
		fs = (struct statvfs){0};
	trial_set(trial, (uint64_t)fs.f_bavail * fs.f_frsize < SPACE_MIN ? TRIAL_LIMITED : TRIAL_OK,
		"%s, %s, %s free", place->store, images,
		text_size((uint64_t)fs.f_bavail * fs.f_frsize, space, sizeof(space)));
}

/* ---- a container around us ---- */

static const struct {
	const char *path, *name;
} marks[] = {
	{"/run/.containerenv", "podman's"},
	{"/.dockerenv", "docker's"},
	{"/run/systemd/container", "systemd-nspawn's, or another that systemd knows"},
	{"/run/secrets/kubernetes.io", "Kubernetes'"},
};

/* Whether the first process, which a container's manager starts, was told that it is in one; see systemd's CONTAINER_INTERFACE. */
static bool init_is_told(void)
{
	struct error ignored;
	cleanup_free char *text = NULL;
	size_t size;

	if (file_read("/proc/1/environ", ENVIRONMENT_MAX, ERROR_HOST, &text, &size, &ignored) < 0)
		return false;
	for (size_t at = 0; at < size; at += strlen(text + at) + 1)
		if (text_starts_with(text + at, "container="))
			return true;
	return false;
}

void trial_container(const struct trial_place *place, struct trial *trial)
{
	char ids[128], link[64] = "";

	(void)place;
	for (size_t i = 0; i < array_length(marks); i++)
		if (access(marks[i].path, F_OK) == 0) {
			trial_set(trial, TRIAL_LIMITED, "minirun is in one, %s (%s)", marks[i].name,
				marks[i].path);
			return;
		}
	if (getenv("container") || init_is_told()) {
		trial_set(trial, TRIAL_LIMITED, "minirun is in one (the variable container is set)");
		return;
	}
	if (readlink("/proc/self/ns/pid", link, sizeof(link) - 1) > 0 && strcmp(link, FIRST_PID_NS) != 0)
		trial_set(trial, TRIAL_LIMITED, "minirun is in one, or in another pid namespace");
	else if (userns_inside())
		trial_set(trial, TRIAL_OK, "none, but a user namespace with users %s",
			userns_describe_uids(ids, sizeof(ids)));
	else
		trial_set(trial, TRIAL_OK, "none around minirun");
}
