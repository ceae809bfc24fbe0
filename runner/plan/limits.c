/*
 * From requests and limits to what a cgroup is told.
 *
 * Containers after calculateLinuxResources of pkg/kubelet/kuberuntime, pods after ResourceConfigForPod of pkg/kubelet/cm: the pod's
 * cgroup is limited only if each container is. The sum is that of what runs at once: init containers run alone, so the
 * largest of them counts if it is larger (PodRequests and PodLimits of component-helpers/resource).
 */
#include "runner/plan/limits.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

#define CPU_PERIOD    100 /* us of quota for each thousandth of a processor: in 100 ms */
#define CPU_QUOTA_MIN 1000 /* us */
#define CPU_SHARES    1024 /* of one processor */

static uint64_t quota(uint64_t milli)
{
	uint64_t quota = milli > UINT64_MAX / 1024 ? UINT64_MAX / 1024 : milli * CPU_PERIOD;

	return milli && quota < CPU_QUOTA_MIN ? CPU_QUOTA_MIN : quota;
}

static uint64_t shares(uint64_t milli)
{
	uint64_t shares = milli > UINT64_MAX / CPU_SHARES ? UINT64_MAX / 1000 : milli * CPU_SHARES / 1000;

	return shares < 2 ? 2 : shares;
}

static void of_container(const union requirements *requirements, struct cgroup_limits *limits)
{
	*limits = (struct cgroup_limits){
		.memory = (uint64_t)requirements->memory.limit.value,
		.oom_group = true,
		.cpu_quota = quota((uint64_t)requirements->cpu.limit.value),
		/* Without a request it has the least weight against those that have one. */
		.cpu_shares = shares((uint64_t)requirements->cpu.request.value),
	};
}

static uint64_t add(uint64_t a, int64_t b)
{
	return a > UINT64_MAX - (uint64_t)b ? UINT64_MAX : a + (uint64_t)b;
}

/* One number of all containers: the sum of the main ones, or the largest init container's. *all: each has one that isn't 0. */
static uint64_t total(
	const struct pod *pod, const struct optional_integer *(*get)(const union requirements *), bool *all)
{
	uint64_t sum = 0, largest = 0;

	*all = true;
	for (size_t i = 0; i < pod->n_containers; i++) {
		int64_t value = get(&pod->containers[i].resources)->value;

		*all = *all && value;
		sum = add(sum, value);
	}
	for (size_t i = 0; i < pod->n_init_containers; i++) {
		const struct container_spec *init = &pod->init_containers[i];
		int64_t value = get(&init->resources)->value;

		*all = *all && value;
		if (init->restart_always)
			sum = add(sum, value);
		else if ((uint64_t)value > largest)
			largest = (uint64_t)value;
	}
	return sum > largest ? sum : largest;
}

static const struct optional_integer *cpu_request(const union requirements *requirements)
{
	return &requirements->cpu.request;
}

static const struct optional_integer *cpu_limit(const union requirements *requirements)
{
	return &requirements->cpu.limit;
}

static const struct optional_integer *memory_request(const union requirements *requirements)
{
	return &requirements->memory.request;
}

static const struct optional_integer *memory_limit(const union requirements *requirements)
{
	return &requirements->memory.limit;
}

static const struct optional_integer *storage_limit(const union requirements *requirements)
{
	return &requirements->storage.limit;
}

/* spec.resources, where it is given, goes before the sum of the containers'. */
static uint64_t of_pod(
	const struct pod *pod, const struct optional_integer *(*get)(const union requirements *), bool limit)
{
	bool all;
	uint64_t sum = total(pod, get, &all);

	if (get(&pod->resources)->set)
		return (uint64_t)get(&pod->resources)->value;
	return all || !limit ? sum : 0;
}

static unsigned int wanted(const struct cgroup_limits *limits)
{
	return (limits->memory ? 1U << CGROUP_MEMORY : 0) | (limits->cpu_quota ? 1U << CGROUP_CPU : 0) |
	       (limits->pids ? 1U << CGROUP_PIDS : 0);
}

void limits_plan(struct plan *plan, int64_t pids)
{
	const struct pod *pod = plan->pod;
	bool requested = of_pod(pod, cpu_request, false) > 0;

	plan->limits = (struct cgroup_limits){
		.memory = of_pod(pod, memory_limit, true),
		.cpu_quota = quota(of_pod(pod, cpu_limit, true)),
		.cpu_shares = requested ? shares(of_pod(pod, cpu_request, false)) : 0,
		.pids = pids >= 0 ? (uint64_t)pids : LIMITS_PIDS,
	};
	if (pids < 0)
		plan->optional_controllers = 1U << CGROUP_PIDS;
	plan->wanted_controllers = wanted(&plan->limits) | (requested ? 1U << CGROUP_CPU : 0);
	plan->wanted_controllers &= ~plan->optional_controllers;
	/* Unlike the others' it counts if one container has one (podEphemeralStorageLimitEviction). */
	plan->storage_limit = of_pod(pod, storage_limit, false);
	for (size_t i = 0; i < plan->n; i++) {
		plan->items[i].storage_limit = (uint64_t)plan->items[i].spec->resources.storage.limit.value;
		of_container(&plan->items[i].spec->resources, &plan->items[i].limits);
		plan->wanted_controllers |= wanted(&plan->items[i].limits);
	}
}

/* Whether one of all containers has a request or limit (get) of either resource. */
static bool any(const struct pod *pod)
{
	const struct optional_integer *(*const gets[])(const union requirements *) = {
		cpu_request, cpu_limit, memory_request, memory_limit};
	bool all;

	for (size_t i = 0; i < array_length(gets); i++)
		if (of_pod(pod, gets[i], false) || total(pod, gets[i], &all))
			return true;
	return false;
}

const char *limits_qos_class(const struct pod *pod)
{
	bool cpu_all, memory_all;
	bool guaranteed;

	if (!any(pod))
		return "BestEffort";
	total(pod, cpu_limit, &cpu_all);
	total(pod, memory_limit, &memory_all);
	guaranteed = cpu_all && memory_all;
	for (size_t i = 0; i < pod->n_containers + pod->n_init_containers; i++) {
		const union requirements *requirements =
			i < pod->n_containers ? &pod->containers[i].resources
					      : &pod->init_containers[i - pod->n_containers].resources;

		guaranteed = guaranteed && requirements->cpu.request.value == requirements->cpu.limit.value &&
			     requirements->memory.request.value == requirements->memory.limit.value;
	}
	return guaranteed ? "Guaranteed" : "Burstable";
}

/* Adds "WHAT" behind what is there. Takes and gives back a string. */
static char *listed(char *list, char *what)
{
	char *longer = *list ? xasprintf("%s, %s", list, what) : xstrdup(what);

	free(list);
	free(what);
	return longer;
}

char *limits_describe(const struct cgroup_limits *limits, uint64_t storage)
{
	char size[32];
	char *list = xstrdup("");

	if (limits->memory)
		list = listed(list, xasprintf("memory %s", text_size(limits->memory, size, sizeof(size))));
	if (limits->cpu_quota)
		list = listed(
			list, xasprintf("cpu %llum", (unsigned long long)limits->cpu_quota / CPU_PERIOD));
	if (storage)
		list = listed(
			list, xasprintf("ephemeral-storage %s", text_size(storage, size, sizeof(size))));
	if (limits->pids)
		list = listed(list, xasprintf("%llu processes", (unsigned long long)limits->pids));
	return *list ? list : listed(list, xstrdup("none"));
}
