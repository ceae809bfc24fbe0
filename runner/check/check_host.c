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
#include "runner/starter.h"
#include "runner/check/check.h"

#define CONFIGURATION_MAX (4U << 20) /* bytes, unpacked */
#define SPACE_USUAL       (512ULL << 20) /* bytes that an image may need, its archive beside it */
#define SPACE_DEMO        (192ULL << 20) /* what the demo's needs */
#define DEMO_IMAGE        "nginx"

void trial_linux(const struct trial_place *place, struct trial *trial)
{
	struct utsname name;

	uname(&name);
	trial_set(
		trial, place->caller.is_old ? TRIAL_LIMITED : TRIAL_OK, "%s, %s", name.release, name.machine);
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
	trial_mend_by(trial, place, HAND_MACHINE, "modprobe configs, where the kernel has it as a module");
}

/* ---- the store ---- */

/* Says how many there are. Returns whether the demo's is among them. */
static bool count_images(const struct store *store, char *text, size_t size)
{
	struct error ignored;
	struct image *images = NULL;
	bool found = false;
	size_t n = 0;

	if (store->fd < 0) {
		snprintf(text, size, "made when first used");
		return false;
	}
	if (image_list(store, &images, &n, &ignored) < 0)
		n = 0;
	for (size_t i = 0; i < n; i++) {
		found |= !strcmp(images[i].name, DEMO_IMAGE);
		image_free(&images[i]);
	}
	free(images);
	snprintf(text, size, "%zu image%s", n, n == 1 ? "" : "s");
	return found;
}

/* The demo has to unpack its image, or has it. */
static void judge_space(
	const struct trial_place *place, const char *images, bool has_demo, struct trial *trial)
{
	struct statvfs fs = {0};
	char space[32], wanted[32];
	uint64_t free;
	bool enough;

	fstatvfs(place->scratch, &fs);
	free = (uint64_t)fs.f_bavail * fs.f_frsize;
	enough = has_demo || free >= SPACE_DEMO;
	text_size(free, space, sizeof(space));
	text_size(enough ? SPACE_USUAL : SPACE_DEMO, wanted, sizeof(wanted));
	if (free >= SPACE_USUAL) {
		trial_set(trial, TRIAL_OK, "%s, %s, %s free", place->store, images, space);
		return;
	}
	trial_set(trial, enough ? TRIAL_LIMITED : TRIAL_MISSING, "%s, %s, %s free of the %s that %s",
		place->store, images, space, wanted,
		enough ? "a larger image takes" : "the demo's image takes");
	trial_mend(trial, "make room%s; or name another place: --store DIR, or MINIRUN_STORE",
		*images >= '1' && *images <= '9'
			? ": minirun image rm NAME, or prune for what nothing refers to (--all: what "
			  "no pod uses)"
			: " on its file system");
}

void trial_store(const struct trial_place *place, struct trial *trial)
{
	struct error err = {0};
	struct store store;
	char images[64];
	bool has_demo;

	if (store_look(&store, place->store, &err) < 0) {
		trial_fail(trial, TRIAL_MISSING, &err);
		return;
	}
	has_demo = count_images(&store, images, sizeof(images));
	store_close(&store);
	if (place->scratch < 0) {
		trial_fail(trial, TRIAL_MISSING, place->scratch_error);
		return;
	}
	judge_space(place, images, has_demo, trial);
}

void trial_container(const struct trial_place *place, struct trial *trial)
{
	char ids[128], text[128];

	if (starter_container(text, sizeof(text)))
		trial_set(trial, TRIAL_LIMITED, "%s", text);
	else if (place->caller.inside)
		trial_set(trial, TRIAL_OK, "none, but a user namespace with users %s",
			userns_describe_uids(ids, sizeof(ids)));
	else
		trial_set(trial, TRIAL_OK, "none around minirun");
}
