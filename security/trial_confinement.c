/* Trials of our own confinement: no_new_privs, a seccomp filter around us, capabilities that we lack. */
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "security/security.h"
#include "security/trials.h"

#define STATUS_MAX 65536

/* What minirun itself uses; the rest are for containers that ask for them. */
static const cap_value_t own[] = {CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_CHOWN,
	CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_NET_ADMIN, CAP_SYS_CHROOT, CAP_SYS_PTRACE, CAP_KILL};

void trial_no_new_privs(const struct trial_place *place, struct trial *trial)
{
	(void)place;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
		trial_set(trial, TRIAL_OK, "not set");
		return;
	}
	trial_set(trial, TRIAL_LIMITED, "set by whoever started minirun");
	trial_mend(trial, CALLER_SHED_NO_NEW_PRIVS);
}

/* A field of /proc/self/status; fallback if there is none. */
static long status_number(const char *status, const char *name, long fallback)
{
	const char *value = text_field(status, name);

	return value ? strtol(value, NULL, 10) : fallback;
}

void trial_outer_filter(const struct trial_place *place, struct trial *trial)
{
	struct error err = {0};
	cleanup_free char *status = NULL;
	long n;

	if (file_read("/proc/self/status", STATUS_MAX, ERROR_HOST, &status, NULL, &err) < 0) {
		trial_fail(trial, TRIAL_LIMITED, &err);
		trial_mend_by(trial, place, HAND_SYSTEM, "mount -t proc proc /proc");
		return;
	}
	if (status_number(status, "Seccomp", 0) != SECCOMP_MODE_FILTER) {
		trial_set(trial, TRIAL_OK, "none around minirun");
		return;
	}
	n = status_number(status, "Seccomp_filters", 1);
	trial_set(trial, TRIAL_LIMITED, "%ld around minirun", n);
}

static void add_name(char *list, size_t size, unsigned int number)
{
	const char *name = capability_name(number);
	size_t used = strlen(list);

	if (name)
		snprintf(list + used, size - used, "%s%s", used ? ", " : "", name);
}

void trial_capabilities(const struct trial_place *place, struct trial *trial)
{
	capability_set all = capabilities_all();
	char lack[400] = "", needed[200] = "";
	cap_t caps = cap_get_proc();

	for (unsigned int i = 0; i < 64 && caps; i++) {
		cap_flag_value_t value = CAP_CLEAR;

		if (!(all >> i & 1))
			continue;
		cap_get_flag(caps, (cap_value_t)i, CAP_EFFECTIVE, &value);
		if (value == CAP_SET && cap_get_bound((cap_value_t)i) == 1)
			continue;
		add_name(lack, sizeof(lack), i);
		for (size_t j = 0; j < array_length(own); j++)
			if (own[j] == (cap_value_t)i)
				add_name(needed, sizeof(needed), i);
	}
	cap_free(caps);
	if (*needed)
		trial_set(trial, TRIAL_LIMITED, "minirun itself lacks %s", needed);
	else if (*lack)
		trial_set(trial, TRIAL_LIMITED, "all but %s", lack);
	else
		trial_set(trial, TRIAL_OK, "all%s", place->is_root ? "" : ", in a user namespace of our own");
	if (trial->state == TRIAL_OK)
		return;
	trial_mend(trial, "start minirun from a shell that has them (in a unit: CapabilityBoundingSet=; in a "
			  "container: --cap-add, --privileged)");
}
