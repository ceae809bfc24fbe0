/* The fields of the security contexts: what a process may do. */
#include "runner/manifest/fields.h"

#include "base/cleanup.h"

static const struct field name_rows[] = {
	PART("name", FIELD_STRING),
};
const struct object fields_name = OBJECT("LocalObjectReference", name_rows);

static const struct field seccomp_rows[] = {
	ROW("localhostProfile", FIELD_STRING, SHAPE_ONE, USE_ACT,
		"the profile's file, below --seccomp-profile-root", NULL, NULL),
	ROW("type", FIELD_STRING, SHAPE_ONE, USE_ACT, "Localhost, RuntimeDefault or Unconfined", NULL, NULL),
};
const struct object fields_seccomp = OBJECT("SeccompProfile", seccomp_rows);

static const struct field apparmor_rows[] = {
	ROW("localhostProfile", FIELD_STRING, SHAPE_ONE, USE_ACT, "the name of a profile that is loaded",
		NULL, NULL),
	ROW("type", FIELD_STRING, SHAPE_ONE, USE_ACT, "Localhost, RuntimeDefault or Unconfined", NULL, NULL),
};
const struct object fields_apparmor = OBJECT("AppArmorProfile", apparmor_rows);

static const struct field selinux_rows[] = {
	PART("level", FIELD_STRING),
	PART("role", FIELD_STRING),
	PART("type", FIELD_STRING),
	PART("user", FIELD_STRING),
};
const struct object fields_selinux = OBJECT("SELinuxOptions", selinux_rows);

static const struct field windows_rows[] = {
	PART("gmsaCredentialSpec", FIELD_STRING),
	PART("gmsaCredentialSpecName", FIELD_STRING),
	PART("hostProcess", FIELD_BOOL),
	PART("runAsUserName", FIELD_STRING),
};
const struct object fields_windows = OBJECT("WindowsSecurityContextOptions", windows_rows);

static const struct field capabilities_rows[] = {
	ROW("add", FIELD_STRING, SHAPE_LIST, USE_ACT, "capabilities to add to containerd's fourteen; or ALL",
		NULL, NULL),
	ROW("drop", FIELD_STRING, SHAPE_LIST, USE_ACT, "capabilities to take away; or ALL", NULL, NULL),
};
static const struct object capabilities = OBJECT("Capabilities", capabilities_rows);

/* A lock that was asked for and can't be applied stops the pod (law R3): so these are refused, not warned about. */
#define NO_SELINUX  "minirun sets no SELinux label"
#define NO_WINDOWS  "minirun runs Linux containers"
#define RUN_AS_USER "the uid that the program runs as"

static const struct field security_context_rows[] = {
	ROW("allowPrivilegeEscalation", FIELD_BOOL, SHAPE_ONE, USE_ACT, "false sets no_new_privs", NULL,
		NULL),
	ROW("appArmorProfile", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "the AppArmor profile", NULL,
		&fields_apparmor),
	ROW("capabilities", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "the capabilities of the program", NULL,
		&capabilities),
	ROW("privileged", FIELD_BOOL, SHAPE_ONE, USE_ACT,
		"all capabilities, no masked paths, no seccomp filter", NULL, NULL),
	ROW("procMount", FIELD_STRING, SHAPE_ONE, USE_REFUSE, "/proc is always masked", "Default", NULL),
	ROW("readOnlyRootFilesystem", FIELD_BOOL, SHAPE_ONE, USE_ACT, "mounts the root read-only", NULL,
		NULL),
	ROW("runAsGroup", FIELD_INT64, SHAPE_ONE, USE_ACT, "the gid that the program runs as", NULL, NULL),
	ROW("runAsNonRoot", FIELD_BOOL, SHAPE_ONE, USE_ACT, "true refuses to run as uid 0", NULL, NULL),
	ROW("runAsUser", FIELD_INT64, SHAPE_ONE, USE_ACT, RUN_AS_USER, NULL, NULL),
	ROW("seLinuxOptions", FIELD_OBJECT, SHAPE_ONE, USE_REFUSE, NO_SELINUX, NULL, &fields_selinux),
	ROW("seccompProfile", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "the seccomp filter", NULL, &fields_seccomp),
	ROW("windowsOptions", FIELD_OBJECT, SHAPE_ONE, USE_REFUSE, NO_WINDOWS, NULL, &fields_windows),
};
const struct object fields_security_context = OBJECT("SecurityContext", security_context_rows);

static const struct field sysctl_rows[] = {
	ROW("name", FIELD_STRING, SHAPE_ONE, USE_ACT, "such as net.ipv4.ip_forward", NULL, NULL),
	ROW("value", FIELD_STRING, SHAPE_ONE, USE_ACT, "what is written to it, always a string", NULL, NULL),
};
static const struct object sysctl = OBJECT("Sysctl", sysctl_rows);

static const struct field pod_security_context_rows[] = {
	ROW("appArmorProfile", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "the default of the containers", NULL,
		&fields_apparmor),
	ROW("fsGroup", FIELD_INT64, SHAPE_ONE, USE_ACT,
		"a supplementary group, which owns the emptyDir volumes", NULL, NULL),
	ROW("fsGroupChangePolicy", FIELD_STRING, SHAPE_ONE, USE_SILENT, "an emptyDir is always fresh", NULL,
		NULL),
	ROW("runAsGroup", FIELD_INT64, SHAPE_ONE, USE_ACT, "the default of the containers", NULL, NULL),
	ROW("runAsNonRoot", FIELD_BOOL, SHAPE_ONE, USE_ACT, "the default of the containers", NULL, NULL),
	ROW("runAsUser", FIELD_INT64, SHAPE_ONE, USE_ACT, "the default of the containers", NULL, NULL),
	ROW("seLinuxChangePolicy", FIELD_STRING, SHAPE_ONE, USE_SILENT, NO_SELINUX, NULL, NULL),
	ROW("seLinuxOptions", FIELD_OBJECT, SHAPE_ONE, USE_REFUSE, NO_SELINUX, NULL, &fields_selinux),
	ROW("seccompProfile", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "the default of the containers", NULL,
		&fields_seccomp),
	ROW("supplementalGroups", FIELD_INT64, SHAPE_LIST, USE_ACT, "further groups of the program", NULL,
		NULL),
	ROW("supplementalGroupsPolicy", FIELD_STRING, SHAPE_ONE, USE_REFUSE,
		"the groups of the image's user are added", "Merge", NULL),
	ROW("sysctls", FIELD_OBJECT, SHAPE_LIST, USE_ACT, "kernel parameters of the pod's namespaces", NULL,
		&sysctl),
	ROW("windowsOptions", FIELD_OBJECT, SHAPE_ONE, USE_REFUSE, NO_WINDOWS, NULL, &fields_windows),
};
const struct object fields_pod_security_context = OBJECT("PodSecurityContext", pod_security_context_rows);
