/* What `minirun lint` says of the AppArmor profile of a container. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/verbs/lint.h"
#include "runner/manifest/loader.h"
#include "security/apparmor_lint.h"

/* The machine's own names for what the container has mounted. To be freed with free_mounts. */
static struct apparmor_mount *mounts_of(
	const struct pod *pod, const struct store *store, const struct planned *item, size_t *n)
{
	struct apparmor_mount *mounts = xcalloc(item->spec->n_mounts + 1, sizeof(*mounts));

	*n = 0;
	for (size_t i = 0; i < item->spec->n_mounts; i++) {
		const struct volume_mount *mount = &item->spec->mounts[i];
		const struct volume *volume = &pod->volumes[mount->volume];

		if (volume->kind != VOLUME_HOST_PATH)
			continue;
		mounts[*n] = (struct apparmor_mount){
			.volume = volume->name,
			.inside = mount->mount_path,
			.host = mount->sub_path ? xasprintf("%s/%s", volume->host_path, mount->sub_path)
						: xstrdup(volume->host_path),
		};
		/* Where the image isn't known its own paths aren't either, and a rule may mean them. */
		mounts[*n].image_has_host = !item->image.name || store->fd < 0 ||
					    loader_has(store, &item->image, mounts[*n].host);
		(*n)++;
	}
	return mounts;
}

static void free_mounts(struct apparmor_mount *mounts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free((char *)mounts[i].host);
	free(mounts);
}

void lint_apparmor_of(const struct pod *pod, const struct store *store, const struct planned *item,
	const char *name, const char *path, const char *text, struct findings *findings)
{
	const char *argv0 = item->container.argv ? item->container.argv[0] : NULL;
	struct apparmor_subject subject = {.profile = name};
	struct apparmor_mount *mounts = mounts_of(pod, store, item, &subject.n_mounts);
	cleanup_free char *program = NULL;
	struct findings found;

	if (item->image.name && argv0 && store->fd >= 0)
		subject.loader = loader_find(store, &item->image, argv0, item->container.env,
			item->container.cwd, &program, &subject.is_script);
	subject.program = program;
	subject.mounts = mounts;
	findings_init(&found, path);
	apparmor_lint(text, path, &subject, &found);
	for (size_t i = 0; i < found.n; i++)
		findings_copy(findings, &found.items[i]);
	findings_sort(findings);
	findings_free(&found);
	free_mounts(mounts, subject.n_mounts);
}
