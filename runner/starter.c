/* Who started minirun, and within what: the user, a container, and what was taken from it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "namespaces/namespaces.h"
#include "runner/privilege.h"
#include "runner/starter.h"

#define FILE_MAX (1U << 20)

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

	if (file_read("/proc/1/environ", FILE_MAX, ERROR_HOST, &text, &size, &ignored) < 0)
		return false;
	for (size_t at = 0; at < size; at += strlen(text + at) + 1)
		if (text_starts_with(text + at, "container="))
			return true;
	return false;
}

bool starter_container(char *text, size_t size)
{
	for (size_t i = 0; i < array_length(marks); i++)
		if (access(marks[i].path, F_OK) == 0) {
			snprintf(text, size, "minirun is in one, %s (%s)", marks[i].name, marks[i].path);
			return true;
		}
	if (getenv("container") || init_is_told()) {
		snprintf(text, size, "minirun is in one (the variable container is set)");
		return true;
	}
	if (process_sees_first_pids() || access("/proc/self/ns/pid", F_OK) < 0)
		return false;
	snprintf(text, size, "minirun is in one, or in another pid namespace");
	return true;
}

/* ---- all of it ---- */

/* A number of a /proc/PID/status, by its name and its base; fallback where it can't be read. */
static unsigned long long status_number(
	const char *path, const char *name, int base, unsigned long long fallback)
{
	struct error ignored;
	cleanup_free char *status = NULL;
	const char *value;

	if (file_read(path, FILE_MAX, ERROR_HOST, &status, NULL, &ignored) < 0)
		return fallback;
	value = text_field(status, name);
	return value ? strtoull(value, NULL, base) : fallback;
}

/* Whether a process has a seccomp filter. */
static bool is_filtered(const char *path)
{
	return status_number(path, "Seccomp", 10, 0) != 0;
}

/* What the container's first process can't have, nobody in it can. */
static bool is_weak(void)
{
	return !(status_number("/proc/1/status", "CapBnd", 16, ~0ULL) >> CAP_SYS_ADMIN & 1);
}

/* Whether the first process is of a user that this user namespace doesn't have. */
static bool is_first_foreign(void)
{
	struct stat st;

	return stat("/proc/1", &st) == 0 && st.st_uid == USERNS_NOBODY;
}

static bool is_confined(void)
{
	struct error ignored;
	cleanup_free char *label = NULL;

	return file_read("/proc/self/attr/apparmor/current", FILE_MAX, ERROR_HOST, &label, NULL, &ignored) ==
		       0 &&
	       *label && !text_starts_with(label, "unconfined");
}

static bool is_old(const struct utsname *name)
{
	char *rest;
	long major = strtol(name->release, &rest, 10);
	long minor = *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;

	return major < 6 || (major == 6 && minor < 1);
}

void starter_find(struct caller *caller)
{
	struct utsname name;
	char ignored[128];
	bool inside = privilege_was_inside(), contained = starter_container(ignored, sizeof(ignored));

	uname(&name);
	*caller = (struct caller){
		.is_root = privilege_starter() == 0,
		.inside = inside,
		.nested = inside && (!contained || is_first_foreign()),
		.contained = contained,
		.container_weak = contained && is_weak(),
		.no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
		.filtered = is_filtered("/proc/self/status"),
		.container_filtered = contained && is_filtered("/proc/1/status"),
		.confined = is_confined(),
		.is_old = is_old(&name),
	};
}
