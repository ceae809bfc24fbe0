/* Capabilities: names, the default set, and what a container asks for. */
#include <ctype.h>
#include <linux/capability.h>
#include <string.h>
#include <strings.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "security/security.h"

#define BIT(number) ((capability_set)1 << (number))

/* capabilities(7), in the kernel's order. */
static const char *const names[] = {
	[CAP_CHOWN] = "CHOWN",
	[CAP_DAC_OVERRIDE] = "DAC_OVERRIDE",
	[CAP_DAC_READ_SEARCH] = "DAC_READ_SEARCH",
	[CAP_FOWNER] = "FOWNER",
	[CAP_FSETID] = "FSETID",
	[CAP_KILL] = "KILL",
	[CAP_SETGID] = "SETGID",
	[CAP_SETUID] = "SETUID",
	[CAP_SETPCAP] = "SETPCAP",
	[CAP_LINUX_IMMUTABLE] = "LINUX_IMMUTABLE",
	[CAP_NET_BIND_SERVICE] = "NET_BIND_SERVICE",
	[CAP_NET_BROADCAST] = "NET_BROADCAST",
	[CAP_NET_ADMIN] = "NET_ADMIN",
	[CAP_NET_RAW] = "NET_RAW",
	[CAP_IPC_LOCK] = "IPC_LOCK",
	[CAP_IPC_OWNER] = "IPC_OWNER",
	[CAP_SYS_MODULE] = "SYS_MODULE",
	[CAP_SYS_RAWIO] = "SYS_RAWIO",
	[CAP_SYS_CHROOT] = "SYS_CHROOT",
	[CAP_SYS_PTRACE] = "SYS_PTRACE",
	[CAP_SYS_PACCT] = "SYS_PACCT",
	[CAP_SYS_ADMIN] = "SYS_ADMIN",
	[CAP_SYS_BOOT] = "SYS_BOOT",
	[CAP_SYS_NICE] = "SYS_NICE",
	[CAP_SYS_RESOURCE] = "SYS_RESOURCE",
	[CAP_SYS_TIME] = "SYS_TIME",
	[CAP_SYS_TTY_CONFIG] = "SYS_TTY_CONFIG",
	[CAP_MKNOD] = "MKNOD",
	[CAP_LEASE] = "LEASE",
	[CAP_AUDIT_WRITE] = "AUDIT_WRITE",
	[CAP_AUDIT_CONTROL] = "AUDIT_CONTROL",
	[CAP_SETFCAP] = "SETFCAP",
	[CAP_MAC_OVERRIDE] = "MAC_OVERRIDE",
	[CAP_MAC_ADMIN] = "MAC_ADMIN",
	[CAP_SYSLOG] = "SYSLOG",
	[CAP_WAKE_ALARM] = "WAKE_ALARM",
	[CAP_BLOCK_SUSPEND] = "BLOCK_SUSPEND",
	[CAP_AUDIT_READ] = "AUDIT_READ",
	[CAP_PERFMON] = "PERFMON",
	[CAP_BPF] = "BPF",
	[CAP_CHECKPOINT_RESTORE] = "CHECKPOINT_RESTORE",
};

capability_set capabilities_default(void)
{
	return BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FSETID) | BIT(CAP_FOWNER) | BIT(CAP_MKNOD) |
	       BIT(CAP_NET_RAW) | BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETFCAP) | BIT(CAP_SETPCAP) |
	       BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SYS_CHROOT) | BIT(CAP_KILL) | BIT(CAP_AUDIT_WRITE);
}

/* The kernel answers EINVAL for a capability it doesn't know: so /proc need not be there. */
capability_set capabilities_all(void)
{
	capability_set all = 0;

	for (unsigned int i = 0; i < 64 && cap_get_bound((cap_value_t)i) >= 0; i++)
		all |= BIT(i);
	return all;
}

/*
 * What a container of ours can be given at most. Root hands on its own bounding set. Anybody else needs a user
 * namespace first, and a new one begins with all there is (user_namespaces(7)).
 */
static capability_set capabilities_available(void)
{
	capability_set available = 0;

	if (geteuid() != 0)
		return capabilities_all();
	for (unsigned int i = 0; i < 64; i++) {
		int bound = cap_get_bound((cap_value_t)i);

		if (bound < 0)
			break;
		if (bound > 0)
			available |= BIT(i);
	}
	return available;
}

int capability_number(const char *name, const char **nearest)
{
	char upper[64];
	size_t n;

	if (nearest)
		*nearest = NULL;
	if (!strncasecmp(name, "CAP_", 4))
		name += 4;
	for (size_t i = 0; i < array_length(names); i++)
		if (!strcasecmp(name, names[i]))
			return (int)i;
	for (n = 0; n < sizeof(upper) - 1 && name[n]; n++)
		upper[n] = (char)toupper((unsigned char)name[n]);
	upper[n] = '\0';
	if (nearest)
		*nearest = text_nearest(upper, names, array_length(names));
	return -1;
}

const char *capability_name(unsigned int number)
{
	return number < array_length(names) ? names[number] : NULL;
}

static bool has_all(char *const *list)
{
	for (; list && *list; list++)
		if (!strcasecmp(*list, "ALL"))
			return true;
	return false;
}

/* The capabilities a list names one by one. */
static int named(char *const *list, const char *field, capability_set *set, struct error *err)
{
	*set = 0;
	for (; list && *list; list++) {
		const char *nearest;
		int number;

		if (!strcasecmp(*list, "ALL"))
			continue;
		number = capability_number(*list, &nearest);
		if (number < 0) {
			error_set(err, ERROR_MANIFEST, 0, "capabilities.%s: unknown capability \"%s\"", field,
				*list);
			return nearest ? error_hint(err, "did you mean \"%s\"?", nearest) : -1;
		}
		*set |= BIT(number);
	}
	return 0;
}

/* Fails for what was asked for by name and can't be had (law R3). */
static int check_available(capability_set asked, capability_set available, struct error *err)
{
	capability_set all;

	if (!(asked & ~available))
		return 0;
	all = capabilities_all();
	for (unsigned int i = 0; i < array_length(names); i++) {
		if (!(asked & ~available & BIT(i)))
			continue;
		if (!(all & BIT(i)))
			return error_set(err, ERROR_HOST, 0,
				"capabilities.add: this kernel has no capability %s", names[i]);
		error_set(err, ERROR_HOST, 0,
			"capabilities.add: %s is not in minirun's own bounding set, so no container can have "
			"it",
			names[i]);
		error_check(err, "capabilities");
		return error_hint(err,
			"start minirun from a shell that has it, or take %s out of the manifest", names[i]);
	}
	return 0;
}

/*
 * As containerd's WithCapabilities (internal/cri/opts): ALL in add sets everything, ALL in drop then nothing, then
 * the names in add are added, then those in drop taken away. ALL and privileged mean all that minirun has itself.
 */
int capabilities_choose(
	char *const *add, char *const *drop, bool privileged, capability_set *set, struct error *err)
{
	capability_set available = capabilities_available();
	capability_set added, dropped, chosen = capabilities_default() & available;

	if (named(add, "add", &added, err) < 0 || named(drop, "drop", &dropped, err) < 0)
		return -1;
	if (check_available(added & ~dropped, available, err) < 0)
		return -1;
	if (privileged) {
		*set = available;
		return 0;
	}
	if (has_all(add))
		chosen = available;
	if (has_all(drop))
		chosen = 0;
	*set = (chosen | added) & ~dropped;
	return 0;
}
