/* What a running pod's containers use, and may use: the supervisor's answer to `minirun top` (wire.h). */
#include <json-c/json.h>

#include "runner/pod/supervise.h"

static void add_number(struct json_object *object, const char *name, uint64_t value, bool known)
{
	if (known)
		json_object_object_add(
			object, name, json_object_new_int64(value > INT64_MAX ? INT64_MAX : (int64_t)value));
}

/* 0 is no limit. cpu_quota is us in each 100 ms: a hundred are a thousandth of a processor. */
static void add_limits(struct json_object *object, const struct cgroup_limits *limits)
{
	add_number(object, "milliCPULimit", limits->cpu_quota / 100, limits->cpu_quota);
	add_number(object, "memoryLimit", limits->memory, limits->memory);
	add_number(object, "processesLimit", limits->pids, limits->pids);
}

static struct json_object *container_json(const struct member *member)
{
	struct json_object *object = json_object_new_object();
	struct usage usage;

	cgroup_usage(&member->cgroup, process_of_pidfd(-1, member->exit.fd), &usage);
	json_object_object_add(object, "name", json_object_new_string(member->item->spec->name));
	add_number(object, "cpu", usage.cpu, usage.has_cpu);
	add_number(object, "memory", usage.memory, usage.has_memory);
	add_number(object, "processes", usage.processes, usage.processes);
	add_limits(object, &member->item->limits);
	return object;
}

struct json_object *metering_json(const struct supervisor *supervisor)
{
	struct json_object *answer = json_object_new_object();
	struct json_object *containers = json_object_new_array();

	for (size_t i = 0; i < supervisor->plan->n; i++) {
		const struct member *member = &supervisor->members[i];

		if (member->phase == MEMBER_RUNNING && member->exit.fd >= 0)
			json_object_array_add(containers, container_json(member));
	}
	json_object_object_add(answer, "exitCode", json_object_new_int(0));
	json_object_object_add(answer, "at", json_object_new_int64(timer_now()));
	json_object_object_add(answer, "containers", containers);
	add_limits(answer, &supervisor->limits);
	return answer;
}
