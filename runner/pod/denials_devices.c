/* What a container's cgroup refused of devices, as it is told: beside denials.c, which counts it. */
#include <json-c/json.h>
#include <linux/bpf.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "namespaces/device_refusals.h"
#include "namespaces/namespaces.h"
#include "runner/pod/denials.h"

static const char *verb_of(const struct device_refusal *refusal)
{
	return refusal->access & BPF_DEVCG_ACC_MKNOD ? "mknod" : "open";
}

static void add(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

static struct json_object *refusal_json(
	const struct device_refusal *refusal, const char *name, const char *program, int inner)
{
	struct json_object *object = json_object_new_object();
	char access[32];

	add(object, "lock", "cgroup");
	add(object, "operation", verb_of(refusal));
	if (name)
		add(object, "device", name);
	add(object, "deviceType", refusal->is_block ? "block" : "character");
	json_object_object_add(object, "major", json_object_new_int64(refusal->major));
	json_object_object_add(object, "minor", json_object_new_int64(refusal->minor));
	add(object, "access", device_access(refusal->access, access, sizeof(access)));
	add(object, "errno", "EPERM");
	add(object, "program", program);
	json_object_object_add(object, "pid", json_object_new_int(refusal->pid));
	if (inner)
		json_object_object_add(object, "containerPid", json_object_new_int(inner));
	json_object_object_add(object, "count", json_object_new_int(1));
	return object;
}

/* What would give it the device; said of a container's first. */
static char *hint_of(const struct denials *denials, const struct device_refusal *refusal)
{
	size_t n = 0;

	for (size_t i = 0; i < denials->n; i++)
		n += denials->kinds[i].lock == LOCK_CGROUP;
	if (n > 1)
		return xstrdup("");
	return xasprintf(" (hint: a hostPath volume of type %s gives it one, privileged gives it all)",
		refusal->is_block ? "BlockDevice" : "CharDevice");
}

static void tell(struct denials *denials, const struct device_refusal *refusal, const char *name,
	const struct denial_kind *kind)
{
	int inner = process_sees_first_pids() ? denials_inner_pid(refusal->pid) : 0;
	cleanup_free char *process = denials_process(kind->program, inner, refusal->pid, NULL);
	cleanup_free char *hint = hint_of(denials, refusal);
	struct event event = {
		.type = "denied",
		.container = denials->container,
		.tone = TONE_BAD,
		.more = refusal_json(refusal, name, kind->program, inner),
	};

	report_event(denials->report, denials->pod, &event,
		"denied %s · devices of the container's cgroup (%s)%s", kind->what, process, hint);
	json_object_put(event.more);
}

void denials_add_device(struct denials *denials, const struct device_refusal *refusal)
{
	cleanup_free char *program = text_shown(refusal->program,
		strnlen(refusal->program, sizeof(refusal->program)), sizeof(refusal->program));
	cleanup_free char *name = device_name(refusal->is_block, refusal->major, refusal->minor);
	cleanup_free char *short_what = device_refusal_what(refusal, name);
	cleanup_free char *what = xasprintf("%s = EPERM", short_what);
	cleanup_free char *others = xasprintf("%s of other devices", verb_of(refusal));
	cleanup_free char *last = xasprintf("the cgroup denied %s", short_what);
	const struct denial_note note = {
		.lock = LOCK_CGROUP,
		.program = program,
		.name = verb_of(refusal),
		.what = what,
		.others = others,
	};
	const struct denial_kind *kind = denials_count(denials, &note);

	denials_remember(denials, false, last);
	if (kind)
		tell(denials, refusal, name, kind);
}

void denials_add_lost(struct denials *denials, uint64_t n)
{
	denials->total += n;
	denials->lost += n;
	if (n && denials->counted)
		denials->counted(denials->data);
}
