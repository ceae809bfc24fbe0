/*
 * The plan of a container's image: from the store, or fetched into it first.
 *
 * In the background nothing is waited for: what has to come from a registry is left to the supervisor (pulling.h), and so is
 * what is wrong with a name, as under Kubernetes, where a pod is created whatever its images are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/plan/plan.h"

/*
 * An image that was loaded from a file has no registry to ask, though its name ends in latest: what minikube's and kind's users
 * run into. So Kubernetes' default of Always counts for what was pulled; one that is written down counts for all.
 */
enum pull_policy plan_pull_policy(const struct container_spec *spec, const struct image *stored)
{
	if (spec->pull_policy == PULL_ALWAYS && !spec->pull_policy_given && stored->name &&
		stored->origin != IMAGE_PULLED)
		return PULL_IF_NOT_PRESENT;
	return spec->pull_policy;
}

static bool is_to_be_fetched(const struct planned *item)
{
	enum pull_policy policy = plan_pull_policy(item->spec, &item->image);

	return policy != PULL_NEVER && (!item->image.name || policy == PULL_ALWAYS);
}

/* The first container for which this image was fetched: that goes for all. */
static const struct planned *first_with_image(const struct plan *plan, const struct planned *item)
{
	const struct planned *other = plan->items;

	while (other < item && (!other->image_asked || strcmp(other->spec->image, item->spec->image) != 0))
		other++;
	return other;
}

/* The kubelet's words (pkg/kubelet/images). */
static void complain_missing(
	const struct planned *item, bool look_only, struct findings *findings, struct error *err)
{
	cleanup_free char *path = xasprintf("%s.image", item->path);
	cleanup_free char *hint = xstrdup(err->hint);

	if (err->errnum == ENOENT && item->spec->pull_policy == PULL_NEVER) {
		error_set(err, ERROR_IMAGE, 0,
			"Container image \"%s\" is not present with pull policy of Never", item->spec->image);
		error_hint(err, "%s", hint);
	} else if (err->errnum == ENOENT && look_only) {
		findings_add(findings, SEVERITY_WARNING, item->spec->line, item->spec->column, path, hint,
			"%s: a run pulls it first; what it says of how it is run is not known yet",
			err->message);
		return;
	}
	plan_complain(findings, item, "image", err);
}

void plan_explain_image(const struct store *store, const struct container_spec *spec,
	const struct error *missing, struct error *err)
{
	cleanup_free char *hint = xstrdup(err->hint);
	cleanup_free char *nearest = missing->errnum == ENOENT ? image_near(store, spec->image) : NULL;

	/* A name that was mistyped is what is wrong more often than a network. */
	if (missing->class == ERROR_NONE)
		error_hint(err, "imagePullPolicy: IfNotPresent runs the stored one%s; or: %s",
			spec->pull_policy_given
				? ""
				: ", which the tag latest alone doesn't (its default is Always)",
			hint);
	else if (nearest)
		error_hint(err, "did you mean %s? %s", nearest, hint);
}

/* Fetches it, or has found out before that it can't be had. */
static void fetch(const struct plan *plan, struct planned *item, const struct plan_request *request,
	const struct error *missing, struct findings *findings)
{
	const struct planned *first = first_with_image(plan, item);
	struct error err = {0};
	int result = 0;

	item->image_asked = true;
	if (first == item)
		result = request->fetch(request->data, &plan->store, item->spec->image, &err);
	if (result < 0) {
		item->image_failure = xcalloc(1, sizeof(*item->image_failure));
		plan_explain_image(&plan->store, item->spec, missing, &err);
		*item->image_failure = err;
	}
	if (first->image_failure) {
		plan_complain(findings, item, "image", first->image_failure);
		return;
	}
	image_free(&item->image);
	if (image_find(&plan->store, item->spec->image, &item->image, &err) < 0)
		plan_complain(findings, item, "image", &err);
}

void plan_image(const struct plan *plan, struct planned *item, const struct plan_request *request,
	struct findings *findings)
{
	struct error missing = {0}, ignored;
	int found = image_find(&plan->store, item->spec->image, &item->image, &missing);
	bool wanted = is_to_be_fetched(item);

	if (request->fetch_later && !request->look_only &&
		(wanted || missing.errnum == ENOENT || image_check_name(item->spec->image, &ignored) < 0)) {
		item->image_later = true;
		image_free(&item->image);
		return;
	}
	if (found < 0 && missing.errnum != ENOENT)
		plan_complain(findings, item, "image", &missing);
	else if (wanted && request->fetch && !request->look_only)
		fetch(plan, item, request, &missing, findings);
	else if (found < 0)
		complain_missing(item, request->look_only, findings, &missing);
}
