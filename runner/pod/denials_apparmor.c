/* What AppArmor refused, as it is told: beside denials.c, which counts it. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/pod/denials.h"
#include "security/apparmor_record.h"

#define NAME_LIMIT 4096 /* bytes of a path in JSON */

static char *shown(const char *hostile)
{
	return text_shown(hostile, strlen(hostile), NAME_LIMIT);
}

static void add(struct json_object *object, const char *key, const char *hostile)
{
	cleanup_free char *safe = hostile ? shown(hostile) : NULL;

	if (safe && *safe)
		json_object_object_add(object, key, json_object_new_string(safe));
}

static const char *class_name(enum apparmor_class class)
{
	static const char *const names[] = {
		[APPARMOR_FILE] = "file",
		[APPARMOR_CAPABILITY] = "capability",
		[APPARMOR_NETWORK] = "network",
		[APPARMOR_MOUNT] = "mount",
		[APPARMOR_PTRACE] = "ptrace",
		[APPARMOR_SIGNAL] = "signal",
		[APPARMOR_OTHER] = "other",
	};

	return names[class];
}

static struct json_object *record_json(const struct apparmor_record *record, int inner, uint64_t count)
{
	struct json_object *object = json_object_new_object();

	add(object, "lock", "AppArmor");
	add(object, "class", class_name(record->class));
	add(object, "operation", record->operation);
	add(object,
		record->class == APPARMOR_FILE || record->class == APPARMOR_MOUNT ? "path"
		: record->class == APPARMOR_CAPABILITY                            ? "capability"
										  : "name",
		record->name);
	add(object, "target", record->target);
	add(object, "requested", record->requested);
	add(object, "denied", record->denied);
	add(object, "family", record->family);
	add(object, "socketType", record->sock_type);
	add(object, "protocol", record->protocol);
	add(object, "fsType", record->fstype);
	add(object, "source", record->source);
	add(object, "flags", record->flags);
	add(object, "signal", record->signal);
	add(object, "peer", record->peer);
	add(object, "info", record->info);
	add(object, "profile", record->profile);
	add(object, "program", record->program);
	json_object_object_add(object, "pid", json_object_new_int(record->pid));
	if (inner)
		json_object_object_add(object, "containerPid", json_object_new_int(inner));
	json_object_object_add(object, "enforced", json_object_new_boolean(!record->complain));
	json_object_object_add(object, "count", json_object_new_int64((int64_t)count));
	return object;
}

/* The process, by the number that its container knows, as for seccomp. */
char *denials_process(const char *program, int inner, pid_t pid, const char *note)
{
	cleanup_free char *number =
		inner ? xasprintf("pid %d", inner) : xasprintf("pid %d of the machine", pid);

	return xasprintf("%s, %s%s%s", program, number, note ? ", " : "", note ? note : "");
}

static void tell(struct denials *denials, const struct apparmor_record *record, const char *what,
	const struct denial_kind *kind, const char *note)
{
	int inner = denials_inner_pid(record->pid);
	cleanup_free char *profile = shown(record->profile);
	cleanup_free char *process = denials_process(kind->program, inner, record->pid, note);
	struct event event = {
		.type = record->complain ? "would-be-denied" : "denied",
		.container = denials->container,
		.tone = record->complain ? TONE_NOTE : TONE_BAD,
		.more = record_json(record, inner, kind->count),
	};

	if (record->complain)
		report_event(denials->report, denials->pod, &event,
			"would be denied: %s · AppArmor, profile %s in complain mode (%s)", what, profile,
			process);
	else
		report_event(denials->report, denials->pod, &event, "denied %s · AppArmor, profile %s (%s)",
			what, profile, process);
	json_object_put(event.more);
}

void denials_add_record(struct denials *denials, const struct apparmor_record *record, const char *note)
{
	cleanup_free char *program = shown(record->program ? record->program : "?");
	cleanup_free char *operation = shown(record->operation);
	cleanup_free char *short_what = apparmor_record_what(record);
	cleanup_free char *rights = apparmor_record_rights(record);
	cleanup_free char *what = rights ? xasprintf("%s (%s)", short_what, rights) : xstrdup(short_what);
	cleanup_free char *others = xasprintf("%s of other things", operation);
	cleanup_free char *last = xasprintf("AppArmor denied %s", short_what);
	const struct denial_note counted = {
		.lock = LOCK_APPARMOR,
		.would_be = record->complain,
		.program = program,
		.name = operation,
		.what = what,
		.others = others,
	};
	const struct denial_kind *kind = denials_count(denials, &counted);

	/* A signal from outside that didn't reach it is no cause of its end. */
	if (!record->complain && !(record->class == APPARMOR_SIGNAL &&
					 !strcmp(record->denied ? record->denied : "", "receive")))
		denials_remember(denials, false, last);
	if (kind)
		tell(denials, record, kind->what, kind, note);
}

void denials_of_process(struct denials *denials, pid_t process)
{
	cleanup_free char *path = xasprintf("/proc/%d/ns/mnt", (int)process);
	struct stat st = {0};

	denials->process = process;
	denials->mount_namespace = process && stat(path, &st) == 0 ? st.st_ino : 0;
}
