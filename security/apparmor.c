/* AppArmor: is it there, is a profile loaded, can what was asked for be enforced? Entering one is in locks.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/apparmor.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "security/security.h"

#define LIST_MAX (16U << 20) /* bytes of a list of loaded profiles */

bool apparmor_available(void)
{
	if (aa_is_enabled())
		return true;
	/* ENOSYS: not in the kernel. ECANCELED: off. The rest: it is on, but its file system can't be looked at. */
	return errno != ENOSYS && errno != ECANCELED;
}

int apparmor_listed(const char *list, const char *name)
{
	size_t length = strlen(name);

	while (*list) {
		const char *end = strchrnul(list, '\n');
		/* A name may itself hold spaces and brackets: the mode is what the last bracket opens. */
		const char *mode = memrchr(list, '(', (size_t)(end - list));

		if (mode && mode - list == (ptrdiff_t)length + 1 && mode[-1] == ' ' &&
			!strncmp(list, name, length))
			return text_starts_with(mode, "(complain)") || text_starts_with(mode, "(unconfined)")
				       ? 2
				       : 1;
		list = *end ? end + 1 : end;
	}
	return 0;
}

int apparmor_loaded(const char *name)
{
	cleanup_free char *mountpoint = NULL;
	cleanup_free char *path = NULL;
	cleanup_free char *list = NULL;
	struct error ignored;

	if (aa_find_mountpoint(&mountpoint) < 0)
		return -1;
	path = xasprintf("%s/profiles", mountpoint);
	if (file_read(path, LIST_MAX, ERROR_HOST, &list, NULL, &ignored) < 0)
		return -1;
	return apparmor_listed(list, name);
}

const char *apparmor_default_profile(void)
{
	/* Ours; those that containerd, Docker and podman load for the same purpose do as well. */
	static const char *const candidates[] = {
		"minirun-default", "cri-containerd.apparmor.d", "docker-default"};

	for (size_t i = 0; i < array_length(candidates); i++)
		if (apparmor_loaded(candidates[i]) > 0)
			return candidates[i];
	return NULL;
}

int apparmor_check(const char *profile, struct error *err)
{
	if (!apparmor_available()) {
		bool is_off = errno == ECANCELED;

		error_set(err, ERROR_HOST, 0, "Cannot enforce AppArmor: AppArmor is not enabled on the host");
		error_check(err, "AppArmor");
		return error_hint(err,
			is_off ? "it is switched off by the kernel's command line: boot with apparmor=1"
			       : "take appArmorProfile out of the manifest, or set its type to Unconfined");
	}
	if (!profile) {
		if (apparmor_default_profile())
			return 0;
		error_set(err, ERROR_PROFILE, 0, "Cannot enforce AppArmor: no default profile is loaded");
		return error_hint(err, "load a profile named minirun-default with apparmor_parser -r");
	}
	if (apparmor_loaded(profile) == 0) {
		error_set(err, ERROR_PROFILE, 0, "Cannot enforce AppArmor: profile \"%s\" is not loaded",
			profile);
		return error_hint(err, "apparmor_parser -r FILE loads it; aa-status lists what is loaded");
	}
	return 0; /* loaded, or the list can't be read: then the kernel decides at exec */
}
