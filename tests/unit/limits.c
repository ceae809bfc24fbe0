/* Limits: what the kubelet would tell a cgroup, and the QoS class. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/plan/limits.h"
#include "runner/manifest/manifest.h"

#define POD(containers)      "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n" containers
#define ONE(name, resources) "  - {name: " name ", image: i, resources: {" resources "}}\n"

struct expected {
	const char *text, *qos;
	struct cgroup_limits pod, first;
	unsigned int wanted;
};

/* The limits of one pod: its own, and its first container's. */
static void check(const struct expected *expected)
{
	struct findings findings;
	cleanup_pod struct pod *pod = NULL;
	struct planned items[4] = {0};
	struct plan plan = {.items = items};

	findings_init(&findings, "f");
	pod = manifest_read(expected->text, strlen(expected->text), &findings);
	expect(pod != NULL);
	findings_free(&findings);
	if (!pod)
		return;
	plan.pod = pod;
	plan.n_init = pod->n_init_containers;
	plan.n = plan.n_init + pod->n_containers;
	for (size_t i = 0; i < plan.n; i++)
		items[i].spec =
			i < plan.n_init ? &pod->init_containers[i] : &pod->containers[i - plan.n_init];
	limits_plan(&plan, 0);
	expect_text(limits_qos_class(pod), expected->qos);
	expect(plan.limits.memory == expected->pod.memory);
	expect(plan.limits.cpu_quota == expected->pod.cpu_quota);
	expect(plan.limits.cpu_shares == expected->pod.cpu_shares);
	expect(items[0].limits.memory == expected->first.memory);
	expect(items[0].limits.cpu_quota == expected->first.cpu_quota);
	expect(items[0].limits.cpu_shares == expected->first.cpu_shares);
	expect(plan.wanted_controllers == expected->wanted);
	expect(plan.optional_controllers == 0);
}

static void limits(void)
{
	static const unsigned int memory = 1U << CGROUP_MEMORY, cpu = 1U << CGROUP_CPU;
	const struct expected cases[] = {
		{POD("  containers:\n" ONE("a", "")), "BestEffort", {0}, {.cpu_shares = 2}, 0},
		{POD("  containers:\n" ONE("a", "limits: {cpu: 250m, memory: 64Mi}")), "Guaranteed",
			{.memory = 64 << 20, .cpu_quota = 25000, .cpu_shares = 256},
			{.memory = 64 << 20, .cpu_quota = 25000, .cpu_shares = 256}, memory | cpu},
		{POD("  containers:\n" ONE("a", "requests: {memory: 1Gi}")), "Burstable", {0},
			{.cpu_shares = 2}, 0},
		{POD("  containers:\n" ONE("a", "limits: {cpu: 1m}, requests: {cpu: 1m}")), "Burstable",
			{.cpu_quota = 1000, .cpu_shares = 2}, {.cpu_quota = 1000, .cpu_shares = 2}, cpu},
		/* One that isn't limited leaves the pod without a limit, but not without a weight. */
		{POD("  containers:\n" ONE("a", "limits: {cpu: 2, memory: 1G}") ONE("b", "")), "Burstable",
			{.cpu_shares = 2048}, {.memory = 1000000000, .cpu_quota = 200000, .cpu_shares = 2048},
			memory | cpu},
		{POD("  containers:\n" ONE("a", "limits: {memory: 1Gi}") ONE("b", "limits: {memory: 1Gi}")),
			"Burstable", {.memory = 2UL << 30}, {.memory = 1UL << 30, .cpu_shares = 2}, memory},
		/* Init containers run alone: the largest counts, if it is larger than all main ones together. */
		{POD("  initContainers:\n" ONE("i", "limits: {memory: 3Gi}") "  containers:\n" ONE(
			 "a", "limits: {memory: 1Gi}") ONE("b", "limits: {memory: 1Gi}")),
			"Burstable", {.memory = 3UL << 30}, {.memory = 3UL << 30, .cpu_shares = 2}, memory},
		{POD("  resources: {limits: {memory: 100Mi}}\n  containers:\n" ONE("a", "")), "Burstable",
			{.memory = 100 << 20}, {.cpu_shares = 2}, memory},
	};

	for (size_t i = 0; i < array_length(cases); i++)
		check(&cases[i]);
}

static void words(void)
{
	const struct cgroup_limits none = {0}, all = {.memory = 64 << 20, .cpu_quota = 25000, .pids = 9};
	cleanup_free char *nothing = limits_describe(&none, 0), *everything = limits_describe(&all, 1 << 30),
			  *storage = limits_describe(&none, 1 << 20);

	expect_text(nothing, "none");
	expect_text(everything, "memory 64 MiB, cpu 250m, ephemeral-storage 1.0 GiB, 9 processes");
	expect_text(storage, "ephemeral-storage 1.0 MiB");
}

int main(void)
{
	group(limits);
	group(words);
	return unit_done();
}
