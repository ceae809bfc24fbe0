/* Fetching a pod's images before its plan is made. */
#ifndef RUNNER_PROVISION_H
#define RUNNER_PROVISION_H

#include "runner/plan/pull_settings.h"
#include "runner/report.h"

struct provision {
	struct report *report;
	const char *pod; /* its name */
	struct pull_settings settings;
};

/* For a struct plan_request, whose data is the struct provision: pulls, and reports that in Kubernetes' words. */
int provision_fetch(void *data, const struct store *store, const char *image, struct error *err);

#endif
