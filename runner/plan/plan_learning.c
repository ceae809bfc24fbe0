/* The plan of a recording: the filter that a container gets instead of its profile, and what its calls are compared with. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/plan/learning.h"
#include "runner/plan/plan.h"
#include "security/apparmor_learned.h"
#include "security/recording.h"

#define NAME "--deny" /* what refuses, where no base does */

static struct planned_profile *find(const struct plan *plan, capability_set capabilities)
{
	for (size_t i = 0; i < plan->n_profiles; i++)
		if (plan->profiles[i]->capabilities == capabilities)
			return plan->profiles[i];
	return NULL;
}

static int compile(const struct planned_profile *profile, const char *text, struct seccomp_filter *filter,
	struct error *err)
{
	const struct seccomp_subject subject = {.capabilities = profile->capabilities};
	struct findings findings;
	unsigned int allowed;
	int result;

	/* What there is to say of the base was said when it was read. */
	findings_init(&findings, profile->name);
	result = seccomp_compile(
		text, strlen(text), profile->name, &subject, -1, filter, &allowed, &findings, err);
	findings_free(&findings);
	return result;
}

/* A base needn't allow execve yet. */
static int compile_base(struct planned_profile *profile, const struct profile_plan *parts, struct error *err)
{
	cleanup_free char *whole = remaining_profile(parts, false);
	cleanup_free char *startable = remaining_profile(parts, true);
	struct error ignored;

	if (compile(profile, whole, &profile->base, &ignored) == 0)
		return 0;
	return compile(profile, startable, &profile->base, err);
}

int plan_learning(
	struct plan *plan, struct planned *item, const struct plan_request *request, struct error *err)
{
	const struct learning *learning = request->learning;
	const struct profile_plan parts = {
		.base = learning->base, .base_size = learning->base_size, .deny = learning->deny};
	capability_set capabilities = item->container.credentials.capabilities;
	struct planned_profile *profile = find(plan, capabilities);

	if (!profile) {
		profile = xcalloc(1, sizeof(*profile));
		profile->name = xstrdup(learning->base ? learning->base_path : NAME);
		profile->capabilities = capabilities;
		profile->allowed = SECCOMP_ALLOWS_BY_DEFAULT;
		profile->text = refusing_profile(&parts);
		profile->size = strlen(profile->text);
		plan->profiles = xreallocarray(plan->profiles, plan->n_profiles + 1, sizeof(*plan->profiles));
		plan->profiles[plan->n_profiles++] = profile;
		if (compile(profile, profile->text, &profile->filter, err) < 0)
			return -1;
		if (learning->base && compile_base(profile, &parts, err) < 0)
			return -1;
		learning_filter(&profile->filter, &profile->naming);
	}
	item->profile = profile;
	item->recording = xcalloc(1, sizeof(*item->recording));
	item->recording->refusing = &profile->filter;
	item->recording->base = profile->base.insns ? &profile->base : NULL;
	return 0;
}

char *plan_learning_text(const struct plan *plan, const struct planned *item)
{
	const struct profile_choice *choice =
		plan_choice(&item->spec->security.seccomp, &plan->pod->security.seccomp);

	if (choice->type == PROFILE_LOCALHOST)
		return xasprintf("seccomp recorded, and %s not applied", choice->localhost);
	if (choice->type == PROFILE_RUNTIME_DEFAULT)
		return xstrdup("seccomp recorded, and RuntimeDefault not applied");
	return xstrdup("seccomp recorded");
}

void plan_learning_apparmor(const struct plan *plan, struct planned *item)
{
	item->learned_under = xasprintf(LEARNING_PREFIX "%d-%td", (int)getpid(), item - plan->items);
	item->learned = xcalloc(1, sizeof(*item->learned));
	item->locks.apparmor = item->learned_under;
	item->apparmor_mode = APPARMOR_COMPLAIN;
	item->apparmor_asked = true;
}
