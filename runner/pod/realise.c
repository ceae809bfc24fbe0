/*
 * From plan to things: the pod's volumes and files, a container's mounts. Its rootfs: rootfs.c.
 *
 * All of it is on the store's disk, the /etc files and termination messages too: a container can write to them without limit, and
 * the run folder is a small tmpfs of the host on most machines.
 */
#include "runner/pod/realise.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/inroot.h"
#include "base/memory.h"

#define TERMINATION_LIMIT 4096 /* bytes, as the kubelet's MaxContainerTerminationMessageLength */

static const struct resources resources_none = {
	.users = &pod_users_none, .shm = -1, .data = -1, .mount_points = -1};

int realise_folder(int dirfd, const char *name, mode_t mode, struct error *err)
{
	cleanup_fd int fd = -1;

	if (mkdirat(dirfd, name, 0700) == 0 || errno == EEXIST)
		fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, mode) < 0)
		return error_set(err, ERROR_HOST, errno, "cannot make the pod's folder %s", name);
	return steal_fd(&fd);
}

static int realise_files(
	const struct volume *volume, int64_t group, const struct pod_users *users, struct error *err)
{
	cleanup_free struct volume_file *files = xcalloc(volume->n_entries, sizeof(*files));

	for (size_t i = 0; i < volume->n_entries; i++) {
		const struct volume_entry *entry = &volume->entries[i];

		files[i] = (struct volume_file){entry->path, entry->data, entry->size, entry->mode};
	}
	return volume_make_files(volume->name, files, volume->n_entries, group, users, err);
}

/* Of an emptyDir in memory: the least of its sizeLimit, what the pod may have, and what there is (calculateEmptyDirMemorySize). */
static uint64_t memory_size(const struct plan *plan, const struct volume *volume)
{
	struct sysinfo info;
	uint64_t size = sysinfo(&info) == 0 ? (uint64_t)info.totalram * info.mem_unit : 0;
	const uint64_t limits[] = {plan->limits.memory, volume->size_limit};

	for (size_t i = 0; i < array_length(limits); i++)
		if (limits[i] && (!size || limits[i] < size))
			size = limits[i];
	return size;
}

static int realise_volume(const struct plan *plan, const struct volume *volume, int folder,
	const struct resources *resources, struct error *err)
{
	const struct pod *pod = plan->pod;
	int64_t group = pod->fs_group.set ? pod->fs_group.value : -1;
	int fd = -1;

	if (volume->kind == VOLUME_EMPTY_DIR)
		fd = volume_make_empty_dir(
			folder, volume->name, volume->memory, memory_size(plan, volume), group, err);
	else if (volume->kind == VOLUME_HOST_PATH)
		fd = volume_open_host_path(
			volume->host_path, (enum volume_host_type)volume->host_path_type, err);
	else if (volume_has_entries(volume))
		fd = realise_files(volume, group, resources->users, err);
	else
		return -2; /* known, unsupported, and not mounted: the manifest's validation has said so */
	/* What can't be shown to the pod's users is found before anything runs. */
	if (fd >= 0 && !volume_has_entries(volume) &&
		(volume->kind == VOLUME_EMPTY_DIR ? pod_users_give(resources->users, fd, err)
						  : pod_users_try(resources->users, fd, err)) < 0) {
		if (volume->kind == VOLUME_HOST_PATH)
			error_wrap(err, "hostPath %s", volume->host_path);
		close(fd);
		fd = -1;
	}
	return fd < 0 ? error_wrap(err, "volume %s", volume->name) : fd;
}

static int write_etc_files(const struct pod *pod, int etc, struct error *err)
{
	struct etc_alias *aliases = xcalloc(pod->n_host_aliases, sizeof(*aliases));
	int result;

	for (size_t i = 0; i < pod->n_host_aliases; i++)
		aliases[i] = (struct etc_alias){pod->host_aliases[i].ip, pod->host_aliases[i].hostnames};
	result = etc_files_write(etc, pod->hostname, pod->host_network, aliases, pod->n_host_aliases, err);
	free(aliases);
	return result;
}

/* The containers of a pod share an ipc namespace, and so what is in /dev/shm; a single one needs nothing for that. */
static bool shares_shm(const struct plan *plan)
{
	return plan->n > 1 && !plan->pod->host_ipc;
}

int realise_private_mounts(const struct plan *plan, struct error *err)
{
	bool needed = shares_shm(plan) || plan->own_users;

	for (size_t i = 0; i < plan->pod->n_volumes; i++)
		needed |= plan->pod->volumes[i].memory || volume_has_entries(&plan->pod->volumes[i]);
	return needed ? volumes_private_mounts(err) : 0;
}

static int realise_volumes(
	const struct plan *plan, const struct state *state, struct resources *resources, struct error *err)
{
	const struct pod *pod = plan->pod;
	cleanup_fd int folder = -1;

	if (!pod->n_volumes)
		return 0;
	folder = realise_folder(state->data, "volumes", 0755, err);
	if (folder < 0)
		return -1;
	resources->volumes = xcalloc(pod->n_volumes, sizeof(*resources->volumes));
	for (size_t i = 0; i < pod->n_volumes; i++) {
		resources->volumes[i] = realise_volume(plan, &pod->volumes[i], folder, resources, err);
		if (resources->volumes[i] == -1)
			return -1;
		resources->n_volumes = i + 1;
	}
	return 0;
}

/* The /etc files belong to the pod's root, as does what is made for it elsewhere. */
static int give_etc_files(const struct resources *resources, struct error *err)
{
	static const char *const names[] = {"hosts", "hostname", "resolv.conf"};

	for (size_t i = 0; i < array_length(names); i++) {
		cleanup_fd int fd = openat(resources->data, names[i], O_PATH | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0 && pod_users_give(resources->users, fd, err) < 0)
			return -1;
	}
	return 0;
}

int realise_pod(const struct plan *plan, const struct state *state, const struct pod_users *users,
	struct resources *resources, struct error *err)
{
	*resources = resources_none;
	resources->users = users;
	resources->data = state->data;
	if (realise_volumes(plan, state, resources, err) < 0)
		return -1;
	if (write_etc_files(plan->pod, state->data, err) < 0 || give_etc_files(resources, err) < 0)
		return -1;
	if (shares_shm(plan)) {
		resources->shm = volume_make_shm("/dev/shm", 0, err);
		if (resources->shm < 0 || pod_users_give(users, resources->shm, err) < 0)
			return -1;
	}
	resources->mount_points = rootfs_mount_points(&plan->store, err);
	return resources->mount_points < 0 ? -1 : 0;
}

void resources_close(struct resources *resources)
{
	const int fds[] = {resources->shm, resources->mount_points};

	for (size_t i = 0; i < resources->n_volumes; i++)
		if (resources->volumes[i] >= 0)
			close(resources->volumes[i]);
	for (size_t i = 0; i < array_length(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(resources->volumes);
	*resources = resources_none;
}

static size_t depth_of(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		if (path[0] == '/' && path[1] && path[1] != '/')
			n++;
	return n;
}

/* Inserts by depth, so that /data is attached before /data/cache (as containerd orders mounts); equals keep order. */
static void add_mount(struct prepared *prepared, int source, const char *target, bool is_dir)
{
	size_t i = prepared->n_mounts++;

	prepared->mounts = xreallocarray(prepared->mounts, prepared->n_mounts, sizeof(*prepared->mounts));
	for (; i > 0 && depth_of(prepared->mounts[i - 1].target) > depth_of(target); i--)
		prepared->mounts[i] = prepared->mounts[i - 1];
	prepared->mounts[i] = (struct mount){source, target, is_dir};
}

static int mount_volume(const struct planned *item, size_t index, const struct resources *resources,
	const struct pod *pod, struct prepared *prepared, struct error *err)
{
	const struct volume_mount *mount = &item->spec->mounts[index];
	const struct volume *volume = &pod->volumes[mount->volume];
	bool trusted = volume->kind == VOLUME_HOST_PATH;
	bool read_only = mount->read_only || volume_has_entries(volume);
	int folder = resources->volumes[mount->volume];
	bool is_dir;
	int fd;

	if (!trusted && mount->sub_path && *mount->sub_path)
		pod_users_make_folder(resources->users, folder, mount->sub_path);
	fd = volume_clone(folder, mount->sub_path, read_only, trusted, &is_dir, err);
	if (fd >= 0 && trusted && pod_users_map(resources->users, fd, true, err) < 0) {
		close(fd);
		fd = -1;
	}
	if (fd < 0)
		return error_wrap(err, "volume %s at %s", mount->name, mount->mount_path);
	add_mount(prepared, fd, mount->mount_path, is_dir);
	return 0;
}

/* A path of the image or manifest is written with or without a slash at the end. */
static bool is_same_path(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);

	while (n > 1 && a[n - 1] == '/')
		n--;
	while (m > 1 && b[m - 1] == '/')
		m--;
	return n == m && !strncmp(a, b, n);
}

/* The volumes that the image wants, but where the manifest mounts one; /dev/shm is one already. */
static void mount_image_volumes(const struct planned *item, struct prepared *prepared)
{
	for (char *const *path = item->image.config.volumes; path && *path; path++) {
		bool given = is_same_path(*path, "/dev/shm");

		for (size_t i = 0; i < item->spec->n_mounts; i++)
			given |= is_same_path(*path, item->spec->mounts[i].mount_path);
		if (!given)
			add_mount(prepared, -1, *path, true);
	}
}

/* Something of ours in the container, unless a volume is mounted on that very path. */
static int mount_own(const struct planned *item, int folder, const char *name, const char *target,
	struct prepared *prepared, struct error *err)
{
	bool is_dir;
	int fd;

	for (size_t i = 0; i < item->spec->n_mounts; i++)
		if (!strcmp(item->spec->mounts[i].mount_path, target))
			return 0;
	fd = volume_clone(folder, name, false, false, &is_dir, err);
	if (fd < 0)
		return error_wrap(err, "%s", target);
	add_mount(prepared, fd, target, is_dir);
	return 0;
}

/* In the pod's folder; no folder of them, for each inode more costs a pod's start and end. */
static char *message_name(const char *container)
{
	return xasprintf("message-%s", container);
}

static int mount_termination_file(const struct planned *item, const struct resources *resources,
	struct prepared *prepared, struct error *err)
{
	cleanup_free char *name = message_name(item->spec->name);
	cleanup_fd int fd = -1;

	/* 0666 as the kubelet's: the container's user, whoever it is, writes to it. */
	if (file_replace(prepared->data, name, 0666, "", 0, err) < 0)
		return -1;
	fd = openat(prepared->data, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || pod_users_give(resources->users, fd, err) < 0)
		return -1;
	return mount_own(item, prepared->data, name, item->spec->termination_message_path, prepared, err);
}

static int realise_mounts(const struct plan *plan, const struct planned *item,
	const struct resources *resources, struct prepared *prepared, struct error *err)
{
	for (size_t i = 0; i < item->spec->n_mounts; i++)
		if (mount_volume(item, i, resources, plan->pod, prepared, err) < 0)
			return -1;
	mount_image_volumes(item, prepared);
	if (mount_termination_file(item, resources, prepared, err) < 0)
		return -1;
	if (mount_own(item, resources->data, "hosts", "/etc/hosts", prepared, err) < 0 ||
		mount_own(item, resources->data, "hostname", "/etc/hostname", prepared, err) < 0)
		return -1;
	if (resources->shm >= 0 && mount_own(item, resources->shm, NULL, "/dev/shm", prepared, err) < 0)
		return -1;
	return mount_own(item, resources->data, "resolv.conf", "/etc/resolv.conf", prepared, err);
}

int realise_container(const struct plan *plan, const struct planned *item, unsigned int run,
	const struct resources *resources, const struct sandbox *sandbox, struct prepared *prepared,
	struct error *err)
{
	struct isolation *isolation;

	*prepared = (struct prepared){.container = item->container, .rootfs = -1};
	prepared->data = resources->data;
	if (rootfs_realise(plan, item, run, resources, prepared, err) < 0 ||
		realise_mounts(plan, item, resources, prepared, err) < 0)
		return -1;
	isolation = &prepared->container.isolation;
	*isolation = (struct isolation){
		.sandbox = sandbox,
		.rootfs = prepared->rootfs,
		.read_only_root = item->read_only_root,
		.folder = item->container.cwd,
		.mounts = prepared->mounts,
		.n_mounts = prepared->n_mounts,
		.privileged = item->privileged,
	};
	return 0;
}

void prepared_close_mounts(struct prepared *prepared)
{
	for (size_t i = 0; i < prepared->n_mounts; i++)
		cleanup_fd_fn(&prepared->mounts[i].source);
	free(prepared->mounts);
	prepared->mounts = NULL;
	prepared->n_mounts = 0;
	if (prepared->rootfs >= 0)
		close(prepared->rootfs);
	prepared->rootfs = -1;
}

void prepared_close(struct prepared *prepared)
{
	prepared_close_mounts(prepared);
	for (size_t i = 0; i < prepared->n_layer_locks; i++)
		close(prepared->layer_locks[i]);
	free(prepared->layer_locks);
	prepared->layer_locks = NULL;
	prepared->n_layer_locks = 0;
}

char *termination_message(const struct prepared *prepared, const char *container)
{
	struct stat st;
	cleanup_free char *text = xcalloc(TERMINATION_LIMIT + 1, 1);
	cleanup_free char *name = message_name(container);
	cleanup_fd int fd = openat(prepared->data, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	/* The end of a long one, as the kubelet's tail.ReadAtMost takes it. */
	if (st.st_size > TERMINATION_LIMIT)
		lseek(fd, -TERMINATION_LIMIT, SEEK_END);
	n = read(fd, text, TERMINATION_LIMIT);
	while (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	return n > 0 ? steal_pointer(&text) : NULL;
}
