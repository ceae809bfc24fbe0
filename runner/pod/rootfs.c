/*
 * From plan to things: the rootfs of a container, its image's layers below one of its own.
 *
 * Below an image lies one more layer, the same for all: empty mount points (/dev, /proc, /sys, /etc/hosts, ...). An image
 * that lacks them would else have them made in the container's own layer, some five files a start.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/inroot.h"
#include "base/memory.h"
#include "runner/pod/realise.h"

#define MOUNT_POINTS "mount-points"

/* Whoever comes at the same time makes the same. */
int rootfs_mount_points(const struct store *store, struct error *err)
{
	static const char *const folders[] = {"dev", "proc", "sys", "etc"};
	static const char *const files[] = {"etc/hosts", "etc/hostname", "etc/resolv.conf"};
	cleanup_fd int fd = openat(store->fd, MOUNT_POINTS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		return steal_fd(&fd);
	fd = realise_folder(store->fd, MOUNT_POINTS, 0755, err);
	for (size_t i = 0; fd >= 0 && i < array_length(folders); i++) {
		cleanup_fd int folder = realise_folder(fd, folders[i], 0755, err);

		if (folder < 0)
			return -1;
	}
	for (size_t i = 0; fd >= 0 && i < array_length(files); i++) {
		cleanup_fd int file = inroot_touch(fd, files[i], 0644, err);

		if (file < 0)
			return -1;
	}
	return steal_fd(&fd);
}

char *rootfs_layer_name(const char *kind, const char *container, unsigned int run)
{
	return xasprintf("%s-%s-%u", kind, container, run);
}

/* A folder of the container's own, on the store's disk. That of the last run goes. */
static int make_layer(const struct resources *resources, const char *kind, const char *name, unsigned int run,
	struct error *err)
{
	cleanup_free char *folder = rootfs_layer_name(kind, name, run);
	struct error ignored;

	if (run) {
		cleanup_free char *last = rootfs_layer_name(kind, name, run - 1);

		inroot_remove_tree(resources->data, last, &ignored);
	}
	return realise_folder(resources->data, folder, 0755, err);
}

/* The layers of an image, topmost first, and below them the mount points. */
struct stack {
	int *fds;
	size_t n;
};

static void close_stack(struct stack *stack)
{
	for (size_t i = 0; i < stack->n; i++)
		cleanup_fd_fn(&stack->fds[i]);
	free(stack->fds);
}

/* upper gets the owner and mode of the image's root. */
static int open_stack(const struct plan *plan, const struct planned *item, const struct resources *resources,
	int upper, struct prepared *prepared, struct stack *stack, struct error *err)
{
	size_t n = 0;

	while (item->image.layers[n])
		n++;
	stack->fds = xcalloc(n + 1, sizeof(*stack->fds));
	prepared->layer_locks = xcalloc(n, sizeof(*prepared->layer_locks));
	if (image_open_layers(&plan->store, &item->image, stack->fds, prepared->layer_locks, err) < 0)
		return -1;
	prepared->n_layer_locks = stack->n = n;
	if (image_copy_root(&plan->store, &item->image, stack->fds, upper, err) < 0)
		return -1;
	for (size_t i = 0; i < n / 2; i++) {
		int other = stack->fds[i];

		stack->fds[i] = stack->fds[n - 1 - i];
		stack->fds[n - 1 - i] = other;
	}
	stack->fds[n] = fcntl(resources->mount_points, F_DUPFD_CLOEXEC, 3);
	if (stack->fds[n] < 0)
		return error_set(err, ERROR_HOST, errno, "cannot open the mount points");
	stack->n = n + 1;
	return 0;
}

/* For a pod with users of its own the layers are shown as its ids see them; what it writes belongs to its ids. */
static int make_overlay(
	const struct pod_users *users, const struct stack *stack, int upper, int work, struct error *err)
{
	cleanup_free int *lowers = xcalloc(stack->n, sizeof(*lowers));
	size_t n = 0;
	int mount = -1;

	if (users->fd < 0)
		return rootfs_overlay(stack->fds, stack->n, upper, work, err);
	while (n < stack->n && (lowers[n] = pod_users_map_layer(users, stack->fds[n], err)) >= 0)
		n++;
	if (n == stack->n)
		mount = rootfs_overlay(lowers, n, upper, work, err);
	while (n > 0)
		pod_users_unmap_layer(lowers[--n]);
	return mount;
}

/* What says that there is none to be had, and not that something went wrong with this one. */
static bool is_refusal(int errnum)
{
	static const int refusals[] = {
		EINVAL, EPERM, EACCES, ENODEV, ENOSYS, EOPNOTSUPP, EREMOTE, ELOOP, ESTALE};

	for (size_t i = 0; i < array_length(refusals); i++)
		if (errnum == refusals[i])
			return true;
	return false;
}

/* An overlay, or, where the kernel makes none, a copy, as bind-mounted folder. */
static int join_layers(const struct resources *resources, const struct stack *stack, int upper, int work,
	struct error *copied, struct error *err)
{
	const struct pod_users *users = resources->users;
	const struct image_ids ids = {users->first, users->fd < 0 ? 0 : POD_IDS};
	struct error tried = {0};
	int mount = make_overlay(users, stack, upper, work, &tried);

	if (mount >= 0)
		return mount;
	if (!is_refusal(tried.errnum)) {
		*err = tried;
		return -1;
	}
	*copied = tried;
	return image_copy_layers(stack->fds, stack->n, upper, &ids, err) < 0 ? -1 : rootfs_plain(upper, err);
}

int rootfs_realise(const struct plan *plan, const struct planned *item, unsigned int run,
	const struct resources *resources, struct prepared *prepared, struct error *err)
{
	struct stack stack = {0};
	cleanup_fd int upper = make_layer(resources, "upper", item->spec->name, run, err);
	cleanup_fd int work = upper < 0 ? -1 : make_layer(resources, "work", item->spec->name, run, err);

	if (work < 0)
		return -1;
	if (open_stack(plan, item, resources, upper, prepared, &stack, err) == 0 &&
		pod_users_give(resources->users, upper, err) == 0)
		prepared->rootfs = join_layers(resources, &stack, upper, work, &prepared->copied, err);
	close_stack(&stack);
	return prepared->rootfs < 0 ? error_wrap(err, "image %s", item->image.name) : 0;
}
