/* From requests and limits to what a cgroup is told, as the kubelet computes it; and the pod's QoS class. */
#ifndef RUNNER_LIMITS_H
#define RUNNER_LIMITS_H

#include "runner/plan/plan.h"

/* How many processes and threads a pod may have where nothing else is said, and the kernel can count them. */
#define LIMITS_PIDS 4096

/* Fills the limits of the plan and of its items. pids is that of the whole pod; 0: none, -1: LIMITS_PIDS where it can be had. */
void limits_plan(struct plan *plan, int64_t pids);

/* "Guaranteed", "Burstable" or "BestEffort": ComputePodQOS of pkg/apis/core/v1/helper/qos. */
const char *limits_qos_class(const struct pod *pod);

/* "memory 64 MiB, cpu 250m, ephemeral-storage 1.0 GiB, 7 processes"; "none" if there are none. storage: bytes, or 0. To be freed. */
char *limits_describe(const struct cgroup_limits *limits, uint64_t storage);

#endif
